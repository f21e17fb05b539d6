#ifndef COMMUNITIES_TEST_H
#define COMMUNITIES_TEST_H

#include "harness.h"

#include <check.h>

/* Communities of the stage's two projects. */
#define COMMUNITIES "/api/projects/demo/communities"
#define COMMUNITIES_PLAIN "/api/projects/plain/communities"

Suite *communities_fault_suite(void); /* when Bluejay or the gateway fails */
Suite *communities_race_suite(void);  /* who gets what, over a Bluejay that does as it is told */

/* Fails unless an answer is this community: its members between id and createdAt. */
void community_expect(const struct reply *, int status, const char *id, const char *members);

/* A member of a community in the stage's Bluejay, as JSON; "(absent)" without it. Static,
 * four at a time. */
const char *community_there(const char *id, const char *member);
/* How many of a title are there; the id of the last one in *id (may be NULL, static). */
int community_has(const char *title, const char **id);
/* Makes one there, behind the gateway's back; returns its id, which the caller frees. */
char *community_make(const char *body);

#endif
