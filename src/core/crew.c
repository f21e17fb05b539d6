#include "config.h"

#include "core/crew.h"
#include "base/mem.h"
#include "core/clients.h"
#include "core/epoch.h"
#include "core/gateway_impl.h"

#include <stdlib.h>

#define CREW_IDS 4096 /* numbers that ids share */

struct crew {
	struct gateway *owner;
	struct gateway *gateways[CREW_MAX]; /* by their places */
	unsigned count;
	uint64_t bypassed; /* counts writes past the gateways */
	unsigned key;      /* what the owner knows of the key: CREW_KEY_ bits */
	uint64_t written[CREW_IDS];       /* by a hash of the id: changes */
	unsigned char claims[CREW_IDS];   /* the same: the place of who reads it, from 1; 0: nobody */
};

/* The number of an id. */
static size_t
crew_number(const char *id)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
	return (h ^ h >> 32) % CREW_IDS;
}

/* What the owner tells of an item is replaced. */
static void
crew_on_outdated(void *arg, const char *upstream_id)
{
	struct crew *c = arg;

	__atomic_add_fetch(&c->written[crew_number(upstream_id)], 1, __ATOMIC_SEQ_CST);
}

/* Makes a crew. */
struct crew *
crew_new(struct gateway *owner)
{
	struct crew *c = mem_zero(1, sizeof *c);

	c->owner = c->gateways[0] = owner;
	c->count = 1;
	owner->crew = c;
	snapshot_share(owner->snap, owner->loop);
	shelf_watch(owner->shelf, crew_on_outdated, c);
	return c;
}

/* Frees it. */
void
crew_free(struct crew *c)
{
	if (c != NULL) {
		shelf_watch(c->owner->shelf, NULL, NULL);
		c->owner->crew = NULL;
	}
	free(c);
}

/* Makes a helper. */
struct gateway *
crew_help(struct crew *c, struct loop *loop, struct fail *fail)
{
	const struct gateway_options o = {.loop = loop, .log = c->owner->log,
	    .store = c->owner->database, .snapshot = c->owner->snap, .shared = c->owner->shared,
	    .upstream_url = c->owner->simulated ? c->owner->upstream_url : NULL};
	struct gateway *gw = gateway_make(&o, fail);

	if (gw == NULL)
		return NULL;
	gw->crew = c;
	gw->crew_place = c->count++;
	c->gateways[gw->crew_place] = gw;
	if (clients_open_beside(gw, c->owner, fail) == 0)
		return gw;
	gateway_free(gw);
	return NULL;
}

/* Takes another snapshot. */
int
crew_follow(struct gateway *gw, struct snapshot *snap, struct fail *fail)
{
	struct snapshot *before = gw->snap;

	gateway_set_snapshot(gw, snap);
	keyring_take(&gw->keyring, snap->config);
	snapshot_unref(before);
	shelf_resize(gw->shelf, (size_t)snap->config->bluejay.cache_size);
	return clients_adjust_beside(gw, fail);
}

/* The owner. */
struct gateway *
crew_owner(const struct gateway *gw)
{
	return gw->crew_place > 0 ? gw->crew->owner : NULL;
}

/* The place. */
unsigned
crew_place(const struct gateway *gw)
{
	return gw->crew_place;
}

/* Whether it is not alone. */
bool
crew_has_helpers(const struct gateway *gw)
{
	return gw->crew != NULL && gw->crew->count > 1;
}

/* ---- copies ---- */

/* What a copy is to be compared with. */
static struct crew_stamp
crew_stamp_of(const struct crew *c, const char *upstream_id)
{
	return (struct crew_stamp){
	    .written = __atomic_load_n(&c->written[crew_number(upstream_id)], __ATOMIC_SEQ_CST),
	    .bypassed = __atomic_load_n(&c->bypassed, __ATOMIC_SEQ_CST)};
}

/* Stamps a copy, on the thread of the owner, which knows all writes past it by now. */
void
crew_stamp(const struct gateway *gw, struct shelf_entry *copy)
{
	copy->stamp = crew_stamp_of(gw->crew, copy->record.upstream_id);
	copy->stamp.bypassed = gw->crew_bypassed;
}

/* Whether nothing has changed since. */
bool
crew_is_current(const struct gateway *gw, const struct shelf_entry *copy)
{
	struct crew_stamp now = crew_stamp_of(gw->crew, copy->record.upstream_id);

	return now.written == copy->stamp.written && now.bypassed == copy->stamp.bypassed;
}

/* Claims. */
bool
crew_claim(struct gateway *gw, const char *upstream_id)
{
	unsigned char nobody = 0;

	return gw->crew != NULL && __atomic_compare_exchange_n(
	    &gw->crew->claims[crew_number(upstream_id)], &nobody, (unsigned char)(gw->crew_place + 1),
	    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Claims no more. */
void
crew_release(struct gateway *gw, const char *upstream_id)
{
	__atomic_store_n(&gw->crew->claims[crew_number(upstream_id)], 0, __ATOMIC_SEQ_CST);
}

/* Who else claims. */
struct gateway *
crew_claimant(const struct gateway *gw, const char *upstream_id)
{
	unsigned char who;

	if (gw->crew == NULL)
		return NULL;
	who = __atomic_load_n(&gw->crew->claims[crew_number(upstream_id)], __ATOMIC_SEQ_CST);
	return who == 0 || who == gw->crew_place + 1 ? NULL : gw->crew->gateways[who - 1];
}

/* ---- rounds ---- */

struct crew_round {
	struct gateway *owner;
	unsigned place; /* of the helper whose turn it is */
	const struct crew_task *task;
	void *load;
	crew_done_fn done; /* NULL: it was cancelled */
	void *arg;
};

/* The round is back. */
static void
crew_on_round(void *arg)
{
	struct crew_round *r = arg;

	if (r->done != NULL)
		r->done(r->arg, r->load);
	r->task->free(r->load);
	free(r);
}

static void crew_on_helper(void *);

/* Sends a round on to the next one. */
static void
crew_send_on(struct crew_round *r)
{
	const struct crew *c = r->owner->crew;

	if (c != NULL && ++r->place < c->count)
		loop_post(c->gateways[r->place]->loop, crew_on_helper, r);
	else
		loop_post(r->owner->loop, crew_on_round, r);
}

/* The round is with a helper. */
static void
crew_on_helper(void *arg)
{
	struct crew_round *r = arg;

	r->task->each(r->load, r->owner->crew->gateways[r->place]);
	crew_send_on(r);
}

/* Begins a round. */
struct crew_round *
crew_go_round(struct gateway *owner, const struct crew_task *task, void *load,
    crew_done_fn done, void *arg)
{
	struct crew_round *r = mem_zero(1, sizeof *r);

	r->owner = owner;
	r->task = task;
	r->load = load;
	r->done = done;
	r->arg = arg;
	crew_send_on(r);
	return r;
}

/* Nobody waits for it any more. */
void
crew_round_cancel(struct crew_round *r)
{
	r->done = NULL;
}

/* ---- what answers say of the key ---- */

#define CREW_KEY_REFUSED 1u
#define CREW_KEY_FELL_BACK 2u

/* News for the owner. */
struct crew_news {
	struct gateway *owner;
	struct upstream_answer answer;
	char *key;
};

/* The owner's state for others to see. */
void
crew_publish(struct gateway *gw)
{
	unsigned key = (gw->key_refused ? CREW_KEY_REFUSED : 0) |
	    (gw->key_fell_back ? CREW_KEY_FELL_BACK : 0);

	if (gw->crew != NULL)
		__atomic_store_n(&gw->crew->key, key, __ATOMIC_RELAXED);
}

/* The owner hears of an answer. */
static void
crew_on_news(void *arg)
{
	struct crew_news *n = arg;

	n->answer.key = n->key;
	gateway_saw_answer(n->owner, &n->answer);
	mem_wipe_free(n->key);
	free(n);
}

/* Tells it. */
void
crew_report(struct gateway *gw, const struct upstream_answer *a)
{
	bool refused = a->status == 401 || a->status == 403;
	bool good = a->status >= 200 && a->status <= 299;
	unsigned key = (refused ? CREW_KEY_REFUSED : 0) |
	    (a->fell_back && !refused ? CREW_KEY_FELL_BACK : 0);
	struct crew_news *n;

	if (key == __atomic_load_n(&gw->crew->key, __ATOMIC_RELAXED) &&
	    (!good || a->key == NULL || keyring_has_worked(&gw->keyring, a->key)))
		return;
	gateway_saw_key(gw, a);
	n = mem_zero(1, sizeof *n);
	n->owner = gw->crew->owner;
	n->answer.outcome = a->outcome;
	n->answer.status = a->status;
	n->answer.fell_back = a->fell_back;
	n->key = mem_string(a->key);
	loop_post(n->owner->loop, crew_on_news, n);
}

/* ---- writes past the gateways ---- */

/* Outdates what was read here. */
static void
crew_outdate_here(struct gateway *gw)
{
	epoch_touch_all(gw);
	gw->bypassed = gw->sequence;
}

/* A write went past. */
void
crew_outdate(struct gateway *gw)
{
	if (gw->crew == NULL) {
		crew_outdate_here(gw);
		return;
	}
	__atomic_add_fetch(&gw->crew->bypassed, 1, __ATOMIC_SEQ_CST);
	crew_catch_up(gw);
}

/* Looks whether one did. */
void
crew_catch_up(struct gateway *gw)
{
	uint64_t now;

	if (gw->crew == NULL)
		return;
	now = __atomic_load_n(&gw->crew->bypassed, __ATOMIC_SEQ_CST);
	if (now == gw->crew_bypassed)
		return;
	gw->crew_bypassed = now;
	crew_outdate_here(gw);
}
