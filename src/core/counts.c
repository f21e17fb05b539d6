#include "config.h"

#include "core/counts.h"
#include "base/mem.h"
#include "core/gateway_impl.h"
#include "core/portrait.h"

#include <stdlib.h>
#include <string.h>

#define COUNTS_PATIENCE_MS 1000 /* for the store */

struct counts_question {
	struct gateway *gw;
	struct crew_round *round;
	struct gateway_counts helpers;
	struct store_call *store;
	struct loop_timer timer;
	counts_fn fn;
	void *arg;
};

/* Adds what every gateway of a crew has. */
static void
counts_add(const struct gateway *gw, struct gateway_counts *c)
{
	struct upstream_counts calls;

	upstream_counts(gw->upstream, &calls);
	upstream_counts_sum(&c->bluejay, &calls);
	c->bluejay.breaker = calls.breaker;
	c->cache_hits += gw->cache_hits;
	c->cache_misses += gw->cache_misses;
	c->cache_stale += gw->cache_stale;
	c->cache_joined += gw->cache_joined;
	c->cache_bytes += shelf_bytes(gw->shelf);
	c->cache_entries += shelf_entries(gw->shelf);
	c->cache_max_bytes += (size_t)gw->snap->config->bluejay.cache_size;
}

/* The same on the thread of a helper. */
static void
counts_on_helper(void *load, struct gateway *helper)
{
	counts_add(helper, load);
}

static const struct crew_task counts_task = {counts_on_helper, free};

/* Asks the helpers. */
struct crew_round *
counts_of_helpers(struct gateway *gw, crew_done_fn done, void *arg)
{
	return crew_go_round(gw, &counts_task, mem_zero(1, sizeof(struct gateway_counts)), done, arg);
}

/* Adds what is known here to what the helpers have told. */
static void
counts_take(struct gateway *gw, struct gateway_counts *c)
{
	counts_add(gw, c);
	c->draws = gw->draws;
	if (c->draws)
		upstream_counts(gw->images, &c->images);
	store_stats(gw->database, &c->store);
	memcpy(c->intents, gw->intents, sizeof c->intents);
	if (gw->oldest_intent_ms != 0)
		c->oldest_intent_ms = loop_wall(gw->loop) - gw->oldest_intent_ms;
	if (c->oldest_intent_ms < 0)
		c->oldest_intent_ms = 0;
	c->portraits_drawn = gw->portraits_drawn;
	c->portraits_failed = gw->portraits_failed;
	c->portraits_running = portrait_running(gw);
	c->writes_running = gw->writes_running;
	peers_counts(gw, &c->peers);
}

/* Answers and ends the question. */
static void
counts_give(struct counts_question *q)
{
	counts_take(q->gw, &q->helpers);
	q->fn(q->arg, &q->helpers);
	counts_cancel(q);
}

/* The store has counted. */
static void
counts_on_intents(void *arg, struct store_reply *reply)
{
	struct counts_question *q = arg;
	struct gateway *gw = q->gw;

	q->store = NULL;
	if (reply->status == STORE_OK) {
		memset(gw->intents, 0, sizeof gw->intents);
		gw->oldest_intent_ms = 0;
	}
	for (size_t i = 0; i < reply->intent_count; i++) {
		const struct store_intent *n = &reply->intents[i];

		if (n->operation >= GATEWAY_OPERATIONS || n->state >= GATEWAY_STATES)
			continue;
		gw->intents[n->operation][n->state] = (uint64_t)n->touched_ms;
		if (gw->oldest_intent_ms == 0 || n->created_ms < gw->oldest_intent_ms)
			gw->oldest_intent_ms = n->created_ms;
	}
	counts_give(q);
}

/* The store takes too long. */
static void
counts_on_timer(void *arg)
{
	counts_give(arg);
}

/* Asks the store. */
static void
counts_ask_store(struct counts_question *q)
{
	loop_timer_set(&q->timer, COUNTS_PATIENCE_MS);
	q->store = store_intent_counts(q->gw->store, counts_on_intents, q);
}

/* The helpers have counted. */
static void
counts_on_helpers(void *arg, void *load)
{
	struct counts_question *q = arg;

	q->round = NULL;
	q->helpers = *(struct gateway_counts *)load;
	counts_ask_store(q);
}

/* Asks. */
struct counts_question *
counts_ask(struct gateway *gw, counts_fn fn, void *arg)
{
	struct counts_question *q = mem_zero(1, sizeof *q);

	q->gw = gw;
	q->fn = fn;
	q->arg = arg;
	loop_timer_init(&q->timer, gw->loop, counts_on_timer, q);
	if (crew_has_helpers(gw))
		q->round = counts_of_helpers(gw, counts_on_helpers, q);
	else
		counts_ask_store(q);
	return q;
}

/* Ends a question. */
void
counts_cancel(struct counts_question *q)
{
	if (q->round != NULL)
		crew_round_cancel(q->round);
	if (q->store != NULL)
		store_cancel(q->store);
	loop_timer_cancel(&q->timer);
	free(q);
}
