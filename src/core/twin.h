#ifndef CORE_TWIN_H
#define CORE_TWIN_H

#include "core/gateway_impl.h"

/*
 * Twins: each persona has one in the local tool (key passthrough.mirror_personas), so
 * that runs there find it. A create makes its twin itself (creation_twin.c), and so
 * does the adoption of what Bluejay lists (twin_batch.h); everything else is done here
 * in the background: what was written is carried over at once, what could not be is
 * found by comparing, at the start, after a while, and now and then. Without the option
 * nothing of this runs.
 */
struct twins;

/* Begins to compare; call it when the store is ready. */
void twins_start(struct gateway *);
void twins_free(struct gateway *);

/* Whether a project's items have twins. */
bool twin_wanted(const struct gateway *, const struct project *);

/* Something was written under this local id (or the id of a create's intent): its twin
 * follows. */
void twin_touch(struct gateway *, const char *scope, const char *local_id);

/* Something else changed the twin: it is asked for, whatever is known. */
void twin_check(struct gateway *, const char *scope, const char *local_id);

/* The same where it is not known what, or whether the store can tell already: what is due
 * is looked for soon. */
void twin_seek(struct gateway *);

/* The same as twin_touch(), for those who wait a moment until it has followed, or cannot. NULL: there is
 * nothing to wait for, and the callback will not come; else it comes later, once. */
struct twin_wait;
struct twin_wait *twin_follow(struct gateway *, const char *scope, const char *local_id, loop_fn,
    void *arg);
void twin_leave(struct twin_wait *);

/* Whether the local tool does not work, as far as was seen. */
bool twins_late(const struct gateway *);

/* Personas known whose twin has another id, since the local tool gives ids itself. */
unsigned twins_other(const struct gateway *);

#endif
