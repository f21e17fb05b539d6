#include "config.h"

#include "core/gateway.h"
#include "base/mem.h"
#include "core/change.h"
#include "core/create.h"
#include "core/epoch.h"
#include "core/follow.h"
#include "core/gateway_impl.h"
#include "core/gone.h"
#include "core/listing.h"
#include "core/refresher.h"
#include "core/upkeep.h"

#include <stdlib.h>
#include <string.h>

#define GATEWAY_QUEUE 1024                        /* upstream calls waiting for a place */
#define GATEWAY_ANSWER_MAX ((size_t)4 << 20)      /* bytes of one persona from upstream */

/* Makes the upstream client from the configuration. */
static struct upstream *
gateway_upstream(const struct gateway_options *o, struct fail *fail)
{
	const struct config *c = o->snapshot->config;
	struct upstream_config u = {
	    .url = o->upstream_url != NULL ? o->upstream_url : c->bluejay.url,
	    .proxy = o->upstream_url != NULL ? NULL : c->bluejay.proxy,
	    .ca_file = c->bluejay.ca_file,
	    .connect_ms = c->bluejay.connect,
	    .first_byte_ms = c->bluejay.first_byte,
	    .total_ms = c->bluejay.total,
	    .retries = (unsigned)c->bluejay.retries,
	    .rate_per_minute = (unsigned)c->bluejay.rate_per_minute,
	    .max_in_flight = (unsigned)c->bluejay.max_in_flight,
	    .max_queue = GATEWAY_QUEUE,
	    .max_answer = GATEWAY_ANSWER_MAX,
	    .log = o->log,
	};

	return upstream_new(o->loop, &u, fail);
}

/* Makes a gateway. */
struct gateway *
gateway_new(const struct gateway_options *o, struct fail *fail)
{
	struct upstream *up = gateway_upstream(o, fail);
	struct store_port *port = up != NULL ? store_port_open(o->store, o->loop) : NULL;
	struct gateway *gw;

	if (port == NULL) {
		if (up != NULL)
			fail_set(fail, "the kernel gives no descriptor for the store's answers");
		upstream_free(up);
		return NULL;
	}
	gw = mem_zero(1, sizeof *gw);
	TAILQ_INIT(&gw->changes);
	TAILQ_INIT(&gw->follows);
	TAILQ_INIT(&gw->claims);
	gw->loop = o->loop;
	gw->started_wall = loop_wall(o->loop);
	gw->log = o->log;
	gw->upstream = up;
	gw->snap = snapshot_ref(o->snapshot);
	gw->store = port;
	gw->shelf = shelf_new((size_t)gw->snap->config->bluejay.cache_size);
	gw->serial = serial_new(o->loop);
	gw->refresher = refresher_new(gw);
	return gw;
}

/* The store's intents have arrived: goes on with each. */
static void
gateway_on_intents(void *arg, struct store_reply *reply)
{
	struct gateway *gw = arg;

	for (size_t i = 0; i < reply->intent_count; i++) {
		struct store_intent *in = &reply->intents[i];

		if (in->operation == STORE_CREATE)
			create_resume(gw, in);
		else
			change_resume(gw, in);
	}
	gw->ready(gw->ready_arg, reply->status == STORE_OK);
}

/* The records are where they belong; intents have moved with them. */
static void
gateway_on_upkeep(void *arg)
{
	struct gateway *gw = arg;

	store_intents(gw->store, gateway_on_intents, gw);
}

/* Reads what was left unsettled. */
void
gateway_start(struct gateway *gw, void (*ready)(void *arg, bool ok), void *arg)
{
	gw->ready = ready;
	gw->ready_arg = arg;
	gw->upkeep = upkeep_start(gw, gateway_on_upkeep, gw);
}

/* Whether a write is on its way. */
bool
gateway_busy(const struct gateway *gw)
{
	return gw->writes_running > 0;
}

/* Cuts what runs and frees. */
void
gateway_free(struct gateway *gw)
{
	if (gw == NULL)
		return;
	refresher_free(gw->refresher);
	create_free_all(gw);
	change_free_all(gw);
	listing_free_all(gw);
	upstream_free(gw->upstream);
	store_port_close(gw->store);
	upkeep_free(gw->upkeep);
	follow_free_all(gw);
	epoch_free_all(gw);
	serial_free(gw->serial);
	shelf_free(gw->shelf);
	gone_free_all(gw);
	snapshot_unref(gw->snap);
	free(gw);
}

/* The configuration in force. */
struct snapshot *
gateway_snapshot(struct gateway *gw)
{
	return gw->snap;
}

/* What /readyz shows. */
void
gateway_health(const struct gateway *gw, struct gateway_health *h)
{
	memset(h, 0, sizeof *h);
	h->store_ok = !gw->store_failed;
	h->key_refused = gw->key_refused;
	h->many_gone = gone_suspects(gw);
	upstream_counts(gw->upstream, &h->upstream);
	h->unsettled = create_unsettled(gw) + change_unsettled(gw);
	h->cache_hits = gw->cache_hits;
	h->cache_misses = gw->cache_misses;
	h->cache_stale = gw->cache_stale;
	h->cache_joined = gw->cache_joined;
}
