#include "config.h"

#include "core/recover.h"
#include "core/counts.h"

#include <string.h>

#define RECOVER_STORE_MS 1000    /* at least between two writes */
#define RECOVER_PING_MS 5000     /* at least between two pings */
#define RECOVER_TIMEOUT_MS 5000  /* of a ping */

/* The store has written, or not. */
static void
recover_on_store(void *arg, struct store_reply *reply)
{
	struct gateway *gw = arg;

	gw->recover.store = NULL;
	gateway_saw_store(gw, reply);
}

/* Tries the store. */
static void
recover_store(struct gateway *gw, int64_t now)
{
	struct recover *r = &gw->recover;

	if (r->store != NULL || (r->store_at != 0 && now - r->store_at < RECOVER_STORE_MS))
		return;
	r->store_at = now;
	r->store = store_probe(gw->store, loop_wall(gw->loop), recover_on_store, gw);
}

/* Bluejay has answered the ping, or not. */
static void
recover_on_ping(void *arg, const struct upstream_answer *a)
{
	struct gateway *gw = arg;

	gw->recover.ping = NULL;
	gateway_saw_answer(gw, a);
}

/* Has a call go out with the key that calls have; of several that of all projects comes
 * first. */
static void
recover_set_key(struct upstream_request *q, const struct config *c)
{
	q->api_key = c->bluejay.api_key;
	q->earlier_key = c->bluejay.earlier_key;
	for (size_t i = 0; q->api_key == NULL && i < c->project_count; i++) {
		q->api_key = c->projects[i].api_key;
		q->earlier_key = c->projects[i].earlier_key;
	}
}

/* Whether some projects have keys of their own: then a ping cannot tell whose key was
 * refused, and only their own calls can. */
static bool
recover_has_keys(const struct config *c)
{
	for (size_t i = 0; i < c->project_count; i++)
		if (c->projects[i].api_key != NULL && c->bluejay.api_key != NULL)
			return true;
	return false;
}

/* Pings Bluejay. */
static void
recover_ping(struct gateway *gw, int64_t now)
{
	struct upstream_request q = {.method = "GET", .path = "/v1/ping", .repeat = UPSTREAM_ONCE,
	    .deadline = now + RECOVER_TIMEOUT_MS};
	struct recover *r = &gw->recover;

	if (r->ping != NULL || (r->ping_at != 0 && now - r->ping_at < RECOVER_PING_MS))
		return;
	r->ping_at = now;
	recover_set_key(&q, gw->snap->config);
	r->ping = upstream_start(gw->upstream, &q, recover_on_ping, gw);
}

/* Whether Bluejay can be expected to answer. */
bool
recover_upstream_ok(const struct gateway *gw)
{
	struct upstream_counts n;

	upstream_counts(gw->upstream, &n);
	return n.breaker == UPSTREAM_BREAKER_CLOSED && (n.answers > 0 || n.failures == 0);
}

/* Unsettled writes are counted; the gateway has noted how many there are. */
static void
recover_on_counts(void *arg, const struct gateway_counts *counts)
{
	struct gateway *gw = arg;

	gw->recover.counts = NULL;
}

/* Looks whether what was wrong is over. */
void
recover_look(struct gateway *gw)
{
	int64_t now = loop_now(gw->loop);
	struct upstream_counts n;

	if (gw->recover.counts == NULL)
		gw->recover.counts = counts_ask(gw, recover_on_counts, gw);
	upstream_counts(gw->upstream, &n);
	if (gw->store_failed)
		recover_store(gw, now);
	if (n.answers == 0 || !recover_upstream_ok(gw) ||
	    (gw->key_refused && !recover_has_keys(gw->snap->config)))
		recover_ping(gw, now);
}

/* Ends what runs. */
void
recover_free(struct gateway *gw)
{
	if (gw->recover.counts != NULL)
		counts_cancel(gw->recover.counts);
	if (gw->recover.store != NULL)
		store_cancel(gw->recover.store);
	if (gw->recover.ping != NULL)
		upstream_cancel(gw->recover.ping);
	memset(&gw->recover, 0, sizeof gw->recover);
}
