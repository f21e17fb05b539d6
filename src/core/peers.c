#include "config.h"

#include "core/peers.h"
#include "base/mem.h"
#include "core/change.h"
#include "core/create.h"
#include "core/crew.h"
#include "core/epoch.h"
#include "store/store_member.h"

#include <stdlib.h>
#include <string.h>

#define PEERS_IDS 4096           /* numbers that items share, by a hash */
#define PEERS_ORPHANS_MS 2500    /* between two looks for what others have left */
#define PEERS_TAKE_AT_ONCE 64    /* taken over after one look */
#define PEERS_FORGOTTEN_MS 60000 /* what is held here, but by no operation, is gone on with then */
#define PEERS_AWAY_MS 2000       /* of silence, until reads do not wait for the store */
#define PEERS_LEASE_MIN_MS 1000  /* a shorter lease sends no write */
#define PEERS_LEASE_CUT_MS 250   /* before its end what is on its way is cut */
#define PEERS_LEASE_LOOK_MS 1000 /* at most between two looks at it */

/* A question to the store on the way. */
struct peers_call {
	struct peers *peers;
	struct store_call *store;
	char *scope, *local_id, *upstream_id; /* of a grave */
	bool own; /* of an intent that was held here before */
	TAILQ_ENTRY(peers_call) link;
};

struct peers {
	struct gateway *gw;
	uint64_t written[PEERS_IDS];   /* gateway.sequence when another wrote such an item */
	int64_t shared_at[PEERS_IDS];  /* loop_now() of that, by the upstream id, of shared items */
	struct loop_timer orphans, lease;
	struct store_call *look;
	TAILQ_HEAD(, peers_call) calls;
	TAILQ_HEAD(, peer_wait) waits;
	uint64_t taken, lost, waited, gaps;
};

/* ---- what is known ---- */

/* The gateway of the crew that listens. */
static const struct gateway *
peers_listener(const struct gateway *gw)
{
	const struct gateway *owner = crew_owner(gw);

	return owner != NULL ? owner : gw;
}

/* For how long nothing was told. */
int64_t
peers_silence(const struct gateway *gw)
{
	int64_t at = gw->shared ? store_current_at(peers_listener(gw)->store) : INT64_MAX;
	int64_t now = loop_now(gw->loop);

	return at < now ? now - at : 0;
}

/* Whether memory may be believed. */
bool
peers_told(const struct gateway *gw)
{
	return !gw->shared || peers_silence(gw) <= STORE_CURRENT_MS;
}

/* Whether the store is away. */
bool
peers_away(const struct gateway *gw)
{
	return gw->shared && peers_silence(gw) > PEERS_AWAY_MS;
}

/* How long the lease lasts. */
static int64_t
peers_lease(const struct gateway *gw)
{
	int64_t until = store_lease_until(gw->store), now = loop_now(gw->loop);

	return until > now ? until - now : 0;
}

/* Whether a write may be sent. */
bool
peers_may_send(const struct gateway *gw)
{
	return !gw->shared || peers_lease(gw) >= PEERS_LEASE_MIN_MS;
}

/* The number of a name below another. */
static size_t
peers_number(const char *scope, const char *id)
{
	const char *const parts[] = {scope, id};
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < 2; i++) {
		for (const char *s = parts[i]; *s != '\0'; s++)
			h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
		h *= UINT64_C(0x100000001b3);
	}
	return (h ^ h >> 32) % PEERS_IDS;
}

/* Puts a record on the shelf. */
struct shelf_entry *
peers_put(struct gateway *gw, struct store_record *record, uint64_t asked)
{
	const struct peers *p = gw->peers;
	bool behind = p != NULL && p->written[peers_number(record->scope, record->local_id)] > asked;
	int64_t version = record->version;
	struct shelf_entry *e = shelf_put(gw->shelf, record);

	if (e != NULL && e->record.version == version)
		e->behind = behind;
	return e;
}

/* Whether a shared item was written lately. */
bool
peers_shared_lately(const struct gateway *gw, const char *upstream_id)
{
	int64_t at = gw->peers != NULL ? gw->peers->shared_at[peers_number("", upstream_id)] : 0;

	return at != 0 && loop_now(gw->loop) - at < gw->snap->config->bluejay.settle_grace;
}

/* What is counted. */
void
peers_counts(const struct gateway *gw, struct peers_counts *c)
{
	memset(c, 0, sizeof *c);
	if (gw->peers == NULL)
		return;
	c->taken = gw->peers->taken;
	c->lost = gw->peers->lost;
	c->waits = gw->peers->waited;
	c->gaps = gw->peers->gaps;
	c->silence_ms = peers_silence(gw);
	c->lease_ms = peers_lease(gw);
}

/* One more is lost. */
void
peers_count_lost(struct gateway *gw)
{
	gw->peers->lost++;
}

/* ---- the feed ---- */

/* Makes a question. */
static struct peers_call *
peers_call_new(struct peers *p)
{
	struct peers_call *c = mem_zero(1, sizeof *c);

	c->peers = p;
	TAILQ_INSERT_TAIL(&p->calls, c, link);
	return c;
}

/* Frees one; what the store still answers is not heard. */
static void
peers_call_free(struct peers_call *c)
{
	if (c->store != NULL)
		store_cancel(c->store);
	TAILQ_REMOVE(&c->peers->calls, c, link);
	free(c->scope);
	free(c->local_id);
	free(c->upstream_id);
	free(c);
}

/* The store says whether what was buried here is there again. */
static void
peers_on_grave(void *arg, struct store_reply *reply)
{
	struct peers_call *c = arg;

	c->store = NULL;
	if (reply->status == STORE_OK)
		shelf_unbury(c->peers->gw->shelf, c->scope, c->local_id, c->upstream_id);
	peers_call_free(c);
}

/* Another gateway has written what was deleted or hidden here: it may have come back. */
static void
peers_ask_grave(struct peers *p, const struct store_change *change)
{
	struct peers_call *c = peers_call_new(p);

	c->scope = mem_string(change->scope);
	c->local_id = mem_string(change->local_id);
	c->upstream_id = mem_string(change->upstream_id);
	c->store = store_get(p->gw->store, c->scope, c->local_id, peers_on_grave, c);
}

/* A record is another one, or gone. */
static void
peers_on_record(struct peers *p, const struct store_change *c)
{
	struct gateway *gw = p->gw;
	const struct resource *resource = snapshot_resource_of_scope(gw->snap, c->scope);

	p->written[peers_number(c->scope, c->local_id)] = ++gw->sequence;
	shelf_forget(gw->shelf, c->scope, c->local_id, c->upstream_id);
	if (resource != NULL && resource->shared) {
		shelf_forget_shared(gw->shelf, c->upstream_id);
		p->shared_at[peers_number("", c->upstream_id)] = loop_now(gw->loop) + 1; /* never 0 */
	}
	if (shelf_is_buried(gw->shelf, c->scope, c->local_id))
		peers_ask_grave(p, c);
	epoch_touch(gw, c->scope);
}

/* Anything may be another. */
static void
peers_mark_all(struct peers *p)
{
	p->gw->sequence++;
	for (size_t i = 0; i < PEERS_IDS; i++)
		p->written[i] = p->gw->sequence;
}

/* Something happened to an intent: whoever waits for it looks. NULL: to any. */
static void
peers_wake(struct peers *p, const char *intent_id)
{
	struct peer_wait *w;

	TAILQ_FOREACH(w, &p->waits, link)
		if (intent_id == NULL ||
		    (w->intent_id != NULL && strcmp(w->intent_id, intent_id) == 0))
			loop_timer_set(&w->timer, 0);
}

/* The feed was lost: nothing that was read before is believed. */
static void
peers_on_lost(struct peers *p)
{
	p->gaps++;
	peers_mark_all(p);
	crew_outdate(p->gw);
	peers_wake(p, NULL);
}

/* Others have written. */
static void
peers_on_changes(void *arg, const struct store_change *changes, size_t count)
{
	struct peers *p = arg;

	if (count == 0)
		peers_on_lost(p);
	for (size_t i = 0; i < count; i++) {
		const struct store_change *c = &changes[i];

		if (c->kind == STORE_CHANGED_RECORD) {
			peers_on_record(p, c);
		} else if (c->kind == STORE_CHANGED_INTENT) {
			peers_wake(p, c->intent_id);
		} else {
			peers_mark_all(p);
			shelf_drop_scope(p->gw->shelf, c->scope);
			epoch_touch(p->gw, c->scope);
		}
	}
}

/* ---- what others have left ---- */

/* Goes on with an intent. */
static void
peers_resume(struct gateway *gw, const struct store_intent *in)
{
	if (in->operation == STORE_CREATE)
		create_resume(gw, in);
	else
		change_resume(gw, in);
}

/* Whether an operation here works on an intent. */
static bool
peers_runs(const struct gateway *gw, const char *intent_id)
{
	return create_runs(gw, intent_id) || change_runs(gw, intent_id);
}

/* An intent is held here now, or it is gone, or another gateway was faster. It was asked for
 * twice when the store was slow. */
static void
peers_on_taken(void *arg, struct store_reply *reply)
{
	struct peers_call *c = arg;
	struct peers *p = c->peers;

	c->store = NULL;
	if (reply->status == STORE_OK && !peers_runs(p->gw, reply->intents[0].id)) {
		const struct store_intent *in = &reply->intents[0];

		p->taken += !c->own;
		log_warn(p->gw->log, c->own ? "a write that was lost sight of is gone on with"
		                            : "a write that another gateway left is taken over",
		    LOG_S("intent", in->id), LOG_S("scope", in->scope));
		peers_resume(p->gw, in);
	}
	peers_call_free(c);
}

/* Whether a project here can go on with it. */
static bool
peers_can(const struct gateway *gw, const struct store_intent *in)
{
	struct project project;

	return snapshot_project_of_scope(gw->snap, in->scope, in->project, &project);
}

/* Takes one that is left, which also says whether it is still there. */
static void
peers_take(struct peers *p, const struct store_intent *in)
{
	struct peers_call *c;

	if (peers_runs(p->gw, in->id) || !peers_can(p->gw, in))
		return;
	c = peers_call_new(p);
	c->own = in->held;
	c->store = store_intent_take(p->gw->store, in->id, peers_on_taken, c);
}

/* It is known what is left. */
static void
peers_on_left(void *arg, struct store_reply *reply)
{
	struct peers *p = arg;

	p->look = NULL;
	loop_timer_set(&p->orphans, PEERS_ORPHANS_MS);
	for (size_t i = 0; i < reply->intent_count; i++)
		peers_take(p, &reply->intents[i]);
}

/* Looks for what others have left, and for what is held here and was lost sight of. */
static void
peers_on_orphans(void *arg)
{
	struct peers *p = arg;

	p->look = store_intents_left(p->gw->store, loop_wall(p->gw->loop) - PEERS_FORGOTTEN_MS,
	    PEERS_TAKE_AT_ONCE, peers_on_left, p);
}

/* ---- the lease ---- */

/* Cuts what is on its way to Bluejay when the lease is about to end. */
static void
peers_on_lease(void *arg)
{
	struct peers *p = arg;
	int64_t left = peers_lease(p->gw) - PEERS_LEASE_CUT_MS;

	if (left <= 0) {
		create_cut(p->gw);
		change_cut(p->gw);
		left = PEERS_LEASE_CUT_MS;
	}
	loop_timer_set(&p->lease, left < PEERS_LEASE_LOOK_MS ? left : PEERS_LEASE_LOOK_MS);
}

/* ---- waiting for another gateway ---- */

/* Prepares. */
void
peer_wait_init(struct peer_wait *w, struct gateway *gw, loop_fn fn, void *arg)
{
	memset(w, 0, sizeof *w);
	w->gw = gw;
	loop_timer_init(&w->timer, gw->loop, fn, arg);
}

/* Waits. */
void
peer_wait_start(struct peer_wait *w, const char *intent_id)
{
	char *id = mem_string(intent_id); /* it may be the one that goes */

	peer_wait_stop(w);
	w->intent_id = id;
	w->listed = true;
	TAILQ_INSERT_TAIL(&w->gw->peers->waits, w, link);
	w->gw->peers->waited++;
	loop_timer_set(&w->timer, PEER_WAIT_MS);
}

/* Waits no longer. */
void
peer_wait_stop(struct peer_wait *w)
{
	loop_timer_cancel(&w->timer);
	if (w->listed)
		TAILQ_REMOVE(&w->gw->peers->waits, w, link);
	w->listed = false;
	free(w->intent_id);
	w->intent_id = NULL;
}

/* ---- beginning and end ---- */

/* Listens. */
void
peers_open(struct gateway *gw)
{
	struct peers *p;

	if (!gw->shared)
		return;
	p = gw->peers = mem_zero(1, sizeof *p);
	p->gw = gw;
	TAILQ_INIT(&p->calls);
	TAILQ_INIT(&p->waits);
	loop_timer_init(&p->orphans, gw->loop, peers_on_orphans, p);
	loop_timer_init(&p->lease, gw->loop, peers_on_lease, p);
	store_watch(gw->store, peers_on_changes, p);
}

/* Begins to look. */
void
peers_start(struct gateway *gw)
{
	if (gw->peers == NULL)
		return;
	loop_timer_set(&gw->peers->orphans, 0);
	loop_timer_set(&gw->peers->lease, 0);
}

/* Ends. */
void
peers_free(struct gateway *gw)
{
	struct peers *p = gw->peers;

	if (p == NULL)
		return;
	store_watch(gw->store, NULL, NULL);
	loop_timer_cancel(&p->orphans);
	loop_timer_cancel(&p->lease);
	if (p->look != NULL)
		store_cancel(p->look);
	while (!TAILQ_EMPTY(&p->calls))
		peers_call_free(TAILQ_FIRST(&p->calls));
	free(p);
	gw->peers = NULL;
}
