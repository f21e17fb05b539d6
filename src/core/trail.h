#ifndef CORE_TRAIL_H
#define CORE_TRAIL_H

#include "core/gateway_impl.h"

/*
 * The second half of an audit. A request for a write is audited when it is over
 * (api/traffic.h); when its outcome was not known by then, or its client had left, this
 * says what became of it. The lines belong together by the request's id, which is not
 * known any more after a restart, or to a gateway that took the write over.
 */

/* The id of a request that runs, which the caller frees; NULL: none. */
char *trail_request(struct gateway *, struct trace_ref);

/* Writes the line. `id` is of the item, NULL: none; `request` may be NULL. */
void trail_settled(struct gateway *, const struct store_intent *, const char *request,
    const char *id, bool done);

#endif
