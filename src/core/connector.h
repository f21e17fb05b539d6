#ifndef CORE_CONNECTOR_H
#define CORE_CONNECTOR_H

#include "core/gateway_impl.h"

/*
 * The connector headers of a call about one thing: bluejay.headers, and over them
 * the thing's own, when bluejay.forward_persona_headers is on and the mapping keeps
 * them here. What of its own may not be sent is left out (base/header.h).
 */

/* Starts a prepared call (gateway_request): all that is asked of Bluejay for items comes
 * through here, and is recorded when that is on. `kept` is the thing's kept object as the
 * store has it; NULL: none. Otherwise as upstream_start(). */
struct upstream_call *connector_start(struct gateway *, const struct project *,
    struct upstream_request *, const char *kept, upstream_done_fn, void *arg);

/* Adds a thing's own headers to a list, in place of those of equal names; false when
 * some had no room. */
bool connector_merge(struct header_list *, struct json_object *own);

#endif
