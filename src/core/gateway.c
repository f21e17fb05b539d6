#include "config.h"

#include "core/gateway.h"
#include "base/mem.h"
#include "core/change.h"
#include "core/clients.h"
#include "core/create.h"
#include "core/crew.h"
#include "core/drift.h"
#include "core/epoch.h"
#include "core/errand.h"
#include "core/follow.h"
#include "core/gateway_impl.h"
#include "core/gone.h"
#include "core/listing.h"
#include "core/peers.h"
#include "core/portrait.h"
#include "core/recorder.h"
#include "core/recover.h"
#include "core/refresher.h"
#include "core/reload.h"
#include "core/surplus.h"
#include "core/twin.h"
#include "core/twin_batch.h"
#include "core/upkeep.h"
#include "store/store_member.h"

#include <stdlib.h>
#include <string.h>

/* Makes what every gateway has. */
struct gateway *
gateway_make(const struct gateway_options *o, struct fail *fail)
{
	struct store_port *port = o->member > 0
	    ? store_port_open_as(o->store, o->loop, o->member)
	    : store_port_open(o->store, o->loop);
	struct gateway *gw;

	if (port == NULL) {
		fail_set(fail, "the kernel gives no descriptor for the store's answers");
		return NULL;
	}
	gw = mem_zero(1, sizeof *gw);
	TAILQ_INIT(&gw->changes);
	TAILQ_INIT(&gw->follows);
	TAILQ_INIT(&gw->surplus);
	TAILQ_INIT(&gw->drawn);
	TAILQ_INIT(&gw->claims);
	TAILQ_INIT(&gw->batches);
	gw->loop = o->loop;
	gw->started_wall = loop_wall(o->loop);
	gw->log = o->log;
	gw->simulated = o->upstream_url != NULL;
	gw->upstream_url = mem_string(o->upstream_url != NULL ? o->upstream_url
	                                                      : o->snapshot->config->bluejay.url);
	gw->snap = snapshot_ref(o->snapshot);
	keyring_take(&gw->keyring, gw->snap->config);
	gw->database = o->store;
	gw->store = port;
	gw->shared = o->shared;
	gw->shelf = shelf_new((size_t)gw->snap->config->bluejay.cache_size);
	return gw;
}

/* Makes a gateway. */
struct gateway *
gateway_new(const struct gateway_options *o, struct fail *fail)
{
	struct gateway *gw = gateway_make(o, fail);

	if (gw == NULL)
		return NULL;
	gw->snap->generation = ++gw->generations;
	gw->serial = serial_new(o->loop);
	gw->drift = drift_new(o->loop, o->log);
	gateway_record(gw);
	gw->refresher = refresher_new(gw);
	peers_open(gw);
	if (clients_open(gw, fail) == 0)
		return gw;
	gateway_free(gw);
	return NULL;
}

/* The store's intents have arrived: goes on with each that is this process's. Those that
 * another has left are taken over when it is certain that it has (peers.h). */
static void
gateway_on_intents(void *arg, struct store_reply *reply)
{
	struct gateway *gw = arg;

	for (size_t i = 0; i < reply->intent_count; i++) {
		struct store_intent *in = &reply->intents[i];

		if (in->operation < GATEWAY_OPERATIONS && in->state < GATEWAY_STATES)
			gw->intents[in->operation][in->state]++;
		if (in->held && in->operation == STORE_CREATE)
			create_resume(gw, in);
		else if (in->held)
			change_resume(gw, in);
	}
	peers_start(gw);
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
	gw->upkeep = upkeep_new(gw);
	upkeep_join(gw->upkeep, gw->snap, gateway_on_upkeep, gw);
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
	surplus_free_all(gw);
	create_free_all(gw);
	change_free_all(gw);
	listing_free_all(gw);
	twin_batch_free_all(gw);
	twins_free(gw);
	peers_free(gw);
	clients_free(gw);
	free(gw->upstream_url);
	store_port_close(gw->store);
	upkeep_free(gw->upkeep);
	reload_free(gw);
	follow_free_all(gw);
	epoch_free_all(gw);
	serial_free(gw->serial);
	shelf_free(gw->shelf);
	gone_free_all(gw);
	drift_free(gw->drift);
	recorder_free(gw->recorder);
	keyring_free(&gw->keyring);
	snapshot_hold_drop(gw->hold);
	snapshot_unref(gw->snap);
	errand_free_all(gw);
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

/* A reference of this loop's. */
struct snapshot_hold *
gateway_hold(struct gateway *gw, struct snapshot *snap)
{
	return snapshot_hold_take(&gw->hold, snap, snap == gw->snap);
}

/* Takes another configuration; what holds the earlier one does so for itself. */
void
gateway_set_snapshot(struct gateway *gw, struct snapshot *snap)
{
	snapshot_hold_drop(gw->hold);
	gw->hold = NULL;
	gw->snap = snapshot_ref(snap);
}

/* Whether a key was accepted. */
bool
gateway_key_has_worked(const struct gateway *gw, const char *key)
{
	return keyring_has_worked(&gw->keyring, key);
}

/* What the drift sentinel knows. */
const struct drift *
gateway_drift(const struct gateway *gw)
{
	return gw->drift;
}

/* What remembers requests. */
struct recorder *
gateway_recorder(struct gateway *gw)
{
	return gw->recorder;
}

/* What /readyz shows. */
void
gateway_health(const struct gateway *gw, struct gateway_health *h)
{
	memset(h, 0, sizeof *h);
	h->store_away = peers_away(gw);
	h->store_ok = !gw->store_failed && !h->store_away;
	h->upstream_ok = recover_upstream_ok(gw);
	h->key_refused = gw->key_refused;
	h->key_fell_back = gw->key_fell_back;
	h->many_gone = gone_suspects(gw);
	upstream_counts(gw->upstream, &h->upstream);
	h->draws = gw->draws;
	if (gw->images != NULL)
		upstream_counts(gw->images, &h->images);
	h->unsettled = create_unsettled(gw) + change_unsettled(gw);
	for (size_t i = 0; i < GATEWAY_OPERATIONS; i++)
		h->for_operator += gw->intents[i][STORE_OPERATOR];
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
