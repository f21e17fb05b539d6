#ifndef API_PASSTHROUGH_IMPL_H
#define API_PASSTHROUGH_IMPL_H

#include "api/passthrough.h"
#include "api/pass_road.h"

/* Shared by the files of the pass-through only. */

#define PASS_MARK ((size_t)64 << 10) /* bytes waiting one way, at which the other side is held */

struct passthrough {
	struct api *api;
	char name[sizeof "persona-gateway-12345678"]; /* ours in Via, of this process alone */
	struct pass_road *bluejay, *local;            /* NULL: not passed on */
};

/* Answers what has kept the local tool's answer from beginning. */
void pass_answer_local_trouble(const struct passthrough *, const struct pass_road *,
    struct http_exchange *, enum relay_end, const char *why);

/* Passes a request on that asks the local tool for a WebSocket; `known`: it has the
 * token of a client, which stays here. */
void pass_tunnel_start(struct passthrough *, struct http_exchange *, bool known);

#endif
