#include "config.h"

#include "base/mem.h"
#include "core/crew.h"
#include "core/errand.h"
#include "core/fence.h"
#include "core/fetch.h"
#include "core/peers.h"
#include "core/reading.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

/* A read of one item. */
struct reading {
	struct work work;
	struct gateway *gw;
	struct project project;
	bool no_cache;
	struct fence *fence;
	struct fetch_wait *fetch;
	struct work *errand;     /* another gateway reads it */
	bool visits;             /* for another gateway */
	bool blind;              /* the store is away: what is kept there is as it was known last */
	struct loop_timer timer; /* first step, outside the caller's stack; then the deadline */
	bool started;
	struct shelf_entry *entry; /* pinned while it is read */
	char *local_id;
	work_done_fn done;
	void *arg;
};

/* Ends whatever a read waits for. */
static void
reading_leave(struct reading *r)
{
	if (r->fence != NULL)
		fence_cancel(r->fence);
	r->fence = NULL;
	if (r->fetch != NULL)
		fetch_leave(r->fetch);
	r->fetch = NULL;
	if (r->errand != NULL)
		work_cancel(r->errand);
	r->errand = NULL;
	if (r->entry != NULL)
		shelf_unpin(r->entry);
	r->entry = NULL;
}

/* Ends whatever a read waits for and frees it. */
static void
reading_free(struct reading *r)
{
	loop_timer_cancel(&r->timer);
	reading_leave(r);
	free(r->local_id);
	free(r);
}

/* The client is gone: the call is ended if nobody else waits for it. */
static void
reading_cancel(struct work *w)
{
	reading_free((struct reading *)w);
}

/* The answer went out. */
static void
reading_told(struct work *w, bool sent)
{
	struct reading *r = (struct reading *)w;

	if (r->errand != NULL)
		work_told(r->errand, sent);
	r->errand = NULL;
	reading_free(r);
}

static const struct work_ops reading_ops = {reading_cancel, reading_told};

/* Fills a result with an entry's ready-made answer. */
static void
reading_result(const struct shelf_entry *e, const char *cache, struct result *out)
{
	result_body(out, 200, mem_copy(e->body, e->body_len), e->body_len);
	memcpy(out->etag, e->etag, sizeof out->etag);
	out->cache = cache;
}

/* Gives the result. */
static void
reading_give(struct reading *r, struct result *result)
{
	loop_timer_cancel(&r->timer);
	r->done(r->arg, result);
	result_clear(result);
}

/* Gives an entry's answer. What was read while the store is away says so: what the gateway
 * keeps of the item may be as old as the store's last word. */
static void
reading_give_entry(struct reading *r, const struct shelf_entry *e, const char *cache, int64_t age)
{
	struct result result;

	reading_result(e, r->blind ? "stale" : cache, &result);
	result.age = r->blind && age < 0 ? peers_silence(r->gw) / 1000 : age;
	reading_give(r, &result);
}

/* Whether an old copy may be given instead of an error. */
static bool
reading_stale_allowed(struct reading *r, struct shelf_entry *e, int64_t *age_ms)
{
	*age_ms = loop_wall(r->gw->loop) - e->record.content_ms;
	return !r->no_cache && *age_ms < r->gw->snap->config->bluejay.cache_stale &&
	    shelf_show(e, &r->project, NULL, NULL) == 0;
}

/* Gives an old copy if that is allowed, else the trouble. */
static void
reading_give_old(struct reading *r, struct shelf_entry *e, const struct result *trouble)
{
	struct result result;
	int64_t age;

	if (reading_stale_allowed(r, e, &age)) {
		r->gw->cache_stale++;
		reading_give_entry(r, e, "stale", age > 0 ? age / 1000 : 0);
	} else {
		result_copy(&result, trouble);
		reading_give(r, &result);
	}
}

/* The time of the client is over: shared reads may go on for others. */
static void
reading_expire(struct reading *r)
{
	struct shelf_entry *e = r->entry;
	struct result trouble;

	r->entry = NULL;
	reading_leave(r);
	result_error(&trouble, 504, "Bluejay did not answer in time");
	if (e != NULL) {
		reading_give_old(r, e, &trouble);
		shelf_unpin(e);
		result_clear(&trouble);
	} else {
		reading_give(r, &trouble);
	}
}

/* The other gateway has read it. */
static void
reading_on_errand(void *arg, struct result *result)
{
	struct reading *r = arg;

	reading_give(r, result);
}

/* Has another gateway read it, which tells this one's shelf if it is the owner. */
static void
reading_send(struct reading *r, struct gateway *to, bool no_cache)
{
	const struct errand_order order = {.kind = ERRAND_READ, .project = &r->project,
	    .id = r->local_id, .no_cache = no_cache};

	r->errand = errand_send(r->gw, to, &order, reading_on_errand, r);
}

/* The upstream's state of the item is known. */
static void
reading_on_fetch(void *arg, const struct fetch_outcome *out)
{
	struct reading *r = arg;
	struct result result;

	r->fetch = NULL;
	if (out->status == FETCH_OK) {
		reading_give_entry(r, out->entry, "miss", -1);
	} else if (out->status == FETCH_OTHER) {
		r->gw->cache_misses--; /* the owner counts it */
		reading_send(r, crew_owner(r->gw), true);
	} else if (out->status == FETCH_GONE) {
		result_not_found(&result, r->project.resource);
		reading_give(r, &result);
	} else if (out->down) {
		reading_give_old(r, out->entry, out->trouble);
	} else {
		result_copy(&result, out->trouble);
		reading_give(r, &result);
	}
}

/* Whether the copy in memory will do. */
static bool
reading_is_fresh(const struct reading *r, const struct shelf_entry *e)
{
	return !r->no_cache && fetch_fresh(r->gw, &r->project, e);
}

/* The item belongs to the project: reads it, unless it was read just now. */
static void
reading_go(struct reading *r, struct shelf_entry *e)
{
	struct gateway *peer;

	if (reading_is_fresh(r, e)) {
		r->gw->cache_hits++;
		reading_give_entry(r, e, "hit", -1);
		return;
	}
	if (crew_owner(r->gw) != NULL && !e->known) {
		reading_send(r, crew_owner(r->gw), r->no_cache);
		return;
	}
	peer = r->visits || r->no_cache || !peers_told(r->gw)
	    ? NULL
	    : crew_claimant(r->gw, e->record.upstream_id);
	if (peer != NULL) {
		reading_send(r, peer, false);
		return;
	}
	r->gw->cache_misses++;
	r->entry = e;
	shelf_pin(e);
	r->fetch = fetch_want(r->gw, &r->project, e, !r->no_cache, reading_on_fetch, r);
}

/* The store is away, or does not answer: memory knows whose the item is, which does not
 * change, and Bluejay what it holds and whether it is there at all. False when memory does
 * not know it, or the client wants it from the store. */
static bool
reading_goes_blind(struct reading *r)
{
	struct shelf_entry *e = r->gw->shared && !r->no_cache && crew_owner(r->gw) == NULL
	    ? shelf_find(r->gw->shelf, r->project.scope, r->local_id)
	    : NULL;

	if (e == NULL)
		return false;
	r->blind = true;
	reading_go(r, e);
	return true;
}

/* The fence has answered. */
static void
reading_on_fence(void *arg, enum fence_status status, struct shelf_entry *e,
    const struct result *trouble)
{
	struct reading *r = arg;
	struct result result;

	r->fence = NULL;
	if (status == FENCE_KNOWN) {
		reading_go(r, e);
		return;
	}
	if (status == FENCE_UNKNOWN)
		result_not_found(&result, r->project.resource);
	else if (reading_goes_blind(r))
		return;
	else
		result_copy(&result, trouble);
	reading_give(r, &result);
}

/* Finds the entry; where other gateways write too, only while it is fresh: else the store
 * is asked. A helper has copies: NULL when there is none that is worth anything by
 * itself, or when the owner wants to see the read, to remember it or to note its age. */
static struct shelf_entry *
reading_find(struct gateway *gw, const struct project *p, const char *id)
{
	const struct config *c = gw->snap->config;
	struct shelf_entry *e;

	crew_catch_up(gw);
	e = shelf_find(gw->shelf, p->scope, id);
	if (e != NULL && crew_owner(gw) == NULL)
		return !gw->shared || fetch_fresh(gw, p, e) ? e : NULL;
	if (e == NULL)
		return NULL;
	if (!crew_is_current(gw, e) || !shelf_ready(e, p) || e->fetched == 0 ||
	    c->recording_requests > 0 || (c->bluejay.cache_stale > 0 &&
	    loop_wall(gw->loop) - e->noted_ms > c->bluejay.cache_stale / 4))
		return NULL;
	return e;
}

/* Finds the entry for a read that may begin with it: when other gateways write too, one
 * that is to be current for certain begins with the store, which the owner asks. */
static struct shelf_entry *
reading_look(const struct reading *r)
{
	if (r->gw->shared && (r->no_cache || !peers_told(r->gw)))
		return NULL;
	return reading_find(r->gw, &r->project, r->local_id);
}

/* Begins, with the entry if there is one. */
static void
reading_start(struct reading *r, struct shelf_entry *e)
{
	r->started = true;
	loop_timer_set(&r->timer, gateway_patience(r->gw));
	if (e != NULL)
		reading_go(r, e);
	else if (crew_owner(r->gw) != NULL)
		reading_send(r, crew_owner(r->gw), r->no_cache);
	else if (!peers_away(r->gw) || !reading_goes_blind(r))
		r->fence = fence_find(r->gw, &r->project, r->local_id, reading_on_fence, r);
}

/* First step, unless it was taken before, then the deadline. */
static void
reading_on_timer(void *arg)
{
	struct reading *r = arg;

	if (r->started) {
		reading_expire(r);
		return;
	}
	reading_start(r, reading_look(r));
}

/* Makes a read. */
static struct reading *
reading_new(struct gateway *gw, const struct project *p, const char *id, work_done_fn done, void *arg)
{
	struct reading *r = mem_zero(1, sizeof *r);

	r->work.ops = &reading_ops;
	r->gw = gw;
	r->project = *p;
	r->local_id = mem_string(id);
	r->done = done;
	r->arg = arg;
	loop_timer_init(&r->timer, gw->loop, reading_on_timer, r);
	return r;
}

/* Answers from memory. */
bool
item_get_now(struct gateway *gw, const struct project *p, const char *id, struct result *out)
{
	struct shelf_entry *e = reading_find(gw, p, id);

	if (e == NULL || !fetch_fresh(gw, p, e))
		return false;
	gw->cache_hits++;
	reading_result(e, "hit", out);
	return true;
}

/* Reads one item. A call to the upstream starts at once; what could be answered now
 * waits for the next turn. */
static struct work *
reading_begin(struct reading *r, bool no_cache)
{
	struct shelf_entry *e;

	r->no_cache = no_cache;
	e = reading_look(r);
	if (e != NULL && !reading_is_fresh(r, e))
		reading_start(r, e);
	else
		loop_timer_set(&r->timer, 0);
	return &r->work;
}

/* Reads one for a client. */
struct work *
item_get(struct gateway *gw, const struct project *p, const char *id, bool no_cache,
    work_done_fn done, void *arg)
{
	return reading_begin(reading_new(gw, p, id, done, arg), no_cache);
}

/* Reads one for another gateway. */
struct work *
reading_visit(struct gateway *gw, const struct project *p, const char *id, bool no_cache,
    work_done_fn done, void *arg)
{
	struct reading *r = reading_new(gw, p, id, done, arg);

	r->visits = true;
	return reading_begin(r, no_cache);
}
