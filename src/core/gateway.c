#include "config.h"

#include "core/gateway.h"
#include "base/mem.h"
#include "config/config_address.h"
#include "core/change.h"
#include "core/create.h"
#include "core/drift.h"
#include "core/epoch.h"
#include "core/follow.h"
#include "core/gateway_impl.h"
#include "core/gone.h"
#include "core/listing.h"
#include "core/portrait.h"
#include "core/recover.h"
#include "core/refresher.h"
#include "core/twin.h"
#include "core/twin_batch.h"
#include "core/twin_tool.h"
#include "core/upkeep.h"

#include <stdlib.h>
#include <string.h>

#define GATEWAY_QUEUE 1024                        /* upstream calls waiting for a place */
#define GATEWAY_ANSWER_MAX ((size_t)4 << 20)      /* bytes of one persona from upstream */
#define GATEWAY_IMAGES_QUEUE 64                   /* portraits waiting for a place */
#define GATEWAY_IMAGE_MAX ((size_t)32 << 20)      /* bytes of an answer with a portrait in it */

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

/* Makes the client of the provider of images, if there is one; -1 with a sentence. */
static int
gateway_open_images(struct gateway *gw, const struct gateway_options *o, struct fail *fail)
{
	const struct config *c = o->snapshot->config;
	struct upstream_config u = {
	    .url = o->images_url != NULL ? o->images_url : c->images.url,
	    .connect_ms = c->bluejay.connect < c->images.timeout ? c->bluejay.connect
	                                                         : c->images.timeout,
	    .first_byte_ms = c->images.timeout,
	    .total_ms = c->images.timeout,
	    .retries = (unsigned)c->bluejay.retries,
	    .max_in_flight = (unsigned)c->images.max_in_flight,
	    .max_queue = GATEWAY_IMAGES_QUEUE,
	    .max_answer = GATEWAY_IMAGE_MAX,
	    .log = o->log,
	};
	char *host;

	if (c->images.provider != CONFIG_IMAGES_OPENAI)
		return 0;
	host = config_address_url_host(u.url);
	gw->images_local = config_address_is_loopback(host);
	free(host);
	gw->images = upstream_new(o->loop, &u, fail);
	return gw->images != NULL ? 0 : -1;
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
	TAILQ_INIT(&gw->drawn);
	TAILQ_INIT(&gw->claims);
	TAILQ_INIT(&gw->batches);
	gw->loop = o->loop;
	gw->started_wall = loop_wall(o->loop);
	gw->log = o->log;
	gw->upstream = up;
	gw->simulated = o->upstream_url != NULL;
	gw->upstream_url = mem_string(o->upstream_url != NULL ? o->upstream_url
	                                                      : o->snapshot->config->bluejay.url);
	gw->snap = snapshot_ref(o->snapshot);
	gw->database = o->store;
	gw->store = port;
	gw->shelf = shelf_new((size_t)gw->snap->config->bluejay.cache_size);
	gw->serial = serial_new(o->loop);
	gw->drift = drift_new(o->loop, o->log);
	gw->refresher = refresher_new(gw);
	if (gateway_open_images(gw, o, fail) == 0 && twin_tool_open(gw, fail) == 0)
		return gw;
	gateway_free(gw);
	return NULL;
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
	twins_start(gw);
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
	recover_free(gw);
	portrait_free_all(gw);
	refresher_free(gw->refresher);
	create_free_all(gw);
	change_free_all(gw);
	listing_free_all(gw);
	twin_batch_free_all(gw);
	twins_free(gw);
	upstream_free(gw->upstream);
	upstream_free(gw->images);
	upstream_free(gw->tool);
	free(gw->upstream_url);
	store_port_close(gw->store);
	upkeep_free(gw->upkeep);
	follow_free_all(gw);
	epoch_free_all(gw);
	serial_free(gw->serial);
	shelf_free(gw->shelf);
	gone_free_all(gw);
	drift_free(gw->drift);
	snapshot_unref(gw->snap);
	trace_table_free(&gw->traces);
	free(gw);
}

/* The requests that run. */
struct trace_table *
gateway_traces(struct gateway *gw)
{
	return &gw->traces;
}

/* The configuration in force. */
struct snapshot *
gateway_snapshot(struct gateway *gw)
{
	return gw->snap;
}

/* What the drift sentinel knows. */
const struct drift *
gateway_drift(const struct gateway *gw)
{
	return gw->drift;
}

/* What /readyz shows. */
void
gateway_health(const struct gateway *gw, struct gateway_health *h)
{
	memset(h, 0, sizeof *h);
	h->store_ok = !gw->store_failed;
	h->upstream_ok = recover_upstream_ok(gw);
	h->key_refused = gw->key_refused;
	h->many_gone = gone_suspects(gw);
	upstream_counts(gw->upstream, &h->upstream);
	h->draws = gw->images != NULL;
	if (gw->images != NULL)
		upstream_counts(gw->images, &h->images);
	h->unsettled = create_unsettled(gw) + change_unsettled(gw);
	h->twins = gw->twins != NULL;
	h->twins_late = twins_late(gw);
	h->twins_other = twins_other(gw);
	h->cache_hits = gw->cache_hits;
	h->cache_misses = gw->cache_misses;
	h->cache_stale = gw->cache_stale;
	h->cache_joined = gw->cache_joined;
}

/* Looks whether what is wrong is over. */
void
gateway_recover(struct gateway *gw)
{
	recover_look(gw);
}
