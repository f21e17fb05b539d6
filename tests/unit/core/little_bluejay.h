#ifndef LITTLE_BLUEJAY_H
#define LITTLE_BLUEJAY_H

#include "base/loop.h"

#include <stdbool.h>

/*
 * A Bluejay on the test's own loop, so that nothing happens while the test looks away: it
 * keeps personas of one agent. What it does with the next request of a method can be
 * told before.
 */
struct little_bluejay;

enum little_fate {
	LITTLE_HOLD,    /* does nothing until little_release(), then what was asked */
	LITTLE_DO_HOLD, /* does what was asked, and answers at little_release() */
	LITTLE_DO_LOSE, /* does what was asked, and closes the connection */
	LITTLE_LOSE     /* closes the connection */
};

struct little_bluejay *little_new(struct loop *);
void little_free(struct little_bluejay *);
const char *little_url(const struct little_bluejay *);

/* For the next request of a method; several are used up one after the other. */
void little_fate(struct little_bluejay *, const char *method, enum little_fate);
void little_release(struct little_bluejay *); /* all that is held, however its client left */

/* Lists what it had at this moment from now on; false: what it has. */
void little_lag(struct little_bluejay *, bool lags);

/* Makes, changes (the goal) and removes one, past every gateway; the id is valid while it is there. */
const char *little_make(struct little_bluejay *, const char *name);
void little_change(struct little_bluejay *, const char *id, const char *goal);

unsigned little_count(const struct little_bluejay *);                     /* personas */
unsigned little_named(const struct little_bluejay *, const char *name);   /* of this name */
const char *little_goal(const struct little_bluejay *, const char *id);   /* NULL: not there */
unsigned little_asked(const struct little_bluejay *, const char *method); /* requests so far */
unsigned little_held(const struct little_bluejay *);

#endif
