#include "config.h"

#include "core/bypass.h"
#include "core/crew.h"
#include "core/gateway_impl.h"
#include "store/store_member.h"

/* Where Bluejay is. */
const char *
bypass_url(const struct gateway *gw)
{
	return gw->upstream_url;
}

/* The proxy on the way: none to a simulated Bluejay, which is in this process. */
const char *
bypass_proxy(const struct gateway *gw, const struct snapshot *snap)
{
	return gw->simulated ? NULL : snap->config->bluejay.proxy;
}

/* Wants a place. */
struct upstream_call *
bypass_place(struct gateway *gw, const char *request_id, upstream_place_fn placed, void *arg)
{
	return upstream_place(gw->upstream, request_id, gateway_deadline(gw), placed, arg);
}

/* Notes an answer. */
void
bypass_saw(struct gateway *gw, int status, const char *key, bool fell_back)
{
	const struct upstream_answer a = {.outcome = UPSTREAM_ANSWER, .status = status, .key = key,
	    .fell_back = fell_back};

	gateway_saw_answer(gw, &a);
}

/* Notes a write; other gateways on the store learn of it by the store. */
void
bypass_written(struct gateway *gw)
{
	crew_outdate(gw);
	if (gw->shared)
		store_outdate(gw->store, NULL, NULL);
}
