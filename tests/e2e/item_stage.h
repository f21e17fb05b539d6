#ifndef ITEM_STAGE_H
#define ITEM_STAGE_H

#include "harness.h"

/*
 * Requests on the personas of a project, at a gateway in front of a Bluejay that does what a
 * test wants (bluejay.h), and that one's paths.
 */
#define CREATE "/v1/create-customer-persona"
#define UPDATE "/v1/update-customer-persona/"
#define GET "/v1/customer-persona/"
#define LISTING "/v1/customer-personas-by-agent/"
#define NO_CACHE "Cache-Control: no-cache\r\n"

extern struct program item_gateway;

/* A request on a project's personas, or on one of them when there is an id; `fields` and `body` as
 * for ask(). */
struct reply *call(const char *method, const char *project, const char *id, const char *fields,
    const char *body);

/* Sends it; ask_end() reads its answer. */
int begin(const char *method, const char *project, const char *id, const char *fields,
    const char *body);

/* Creates a persona that must come to be; returns its id (static). */
const char *create(const char *project, const char *body);

#endif
