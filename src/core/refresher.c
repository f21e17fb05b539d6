#include "config.h"

#include "core/refresher.h"
#include "base/mem.h"
#include "core/fetch.h"

#include <stdlib.h>
#include <string.h>

#define REFRESHER_AT_ONCE 4
#define REFRESHER_QUEUE 1000

struct refresher_item {
	struct refresher *refresher;
	struct snapshot *snap; /* of the project */
	struct project project;
	char *local_id;
	char *key;
	struct fetch_wait *wait; /* NULL: queued */
	TAILQ_ENTRY(refresher_item) link;
	UT_hash_handle hh;
};

struct refresher {
	struct gateway *gw;
	struct refresher_item *items; /* all, by key */
	TAILQ_HEAD(, refresher_item) queue;
	unsigned running;
	struct loop_timer step;
};

/* Forgets an item. */
static void
refresher_item_free(struct refresher_item *it)
{
	HASH_DEL(it->refresher->items, it);
	if (it->wait != NULL)
		fetch_leave(it->wait);
	else
		TAILQ_REMOVE(&it->refresher->queue, it, link);
	snapshot_unref(it->snap);
	free(it->local_id);
	free(it->key);
	free(it);
}

/* One read is done; what it saw is on the shelf and in the store. */
static void
refresher_on_fetch(void *arg, const struct fetch_outcome *out)
{
	struct refresher_item *it = arg;
	struct refresher *r = it->refresher;

	TAILQ_INSERT_HEAD(&r->queue, it, link);
	it->wait = NULL;
	refresher_item_free(it);
	r->running--;
	loop_timer_set(&r->step, 0);
}

/* Starts reads while there is room. */
static void
refresher_on_step(void *arg)
{
	struct refresher *r = arg;
	struct refresher_item *it;

	while (r->running < REFRESHER_AT_ONCE && (it = TAILQ_FIRST(&r->queue)) != NULL) {
		struct shelf_entry *e = shelf_find(r->gw->shelf, it->project.scope, it->local_id);

		if (e == NULL) {
			refresher_item_free(it); /* not in memory any more: the next list brings it back */
			continue;
		}
		TAILQ_REMOVE(&r->queue, it, link);
		r->running++;
		it->wait = fetch_want(r->gw, &it->project, e, true, refresher_on_fetch, it);
	}
}

/* Makes an idle refresher. */
struct refresher *
refresher_new(struct gateway *gw)
{
	struct refresher *r = mem_zero(1, sizeof *r);

	r->gw = gw;
	TAILQ_INIT(&r->queue);
	loop_timer_init(&r->step, gw->loop, refresher_on_step, r);
	return r;
}

/* Ends what runs. */
void
refresher_free(struct refresher *r)
{
	struct refresher_item *it, *next;

	if (r == NULL)
		return;
	loop_timer_cancel(&r->step);
	HASH_ITER(hh, r->items, it, next)
		refresher_item_free(it);
	free(r);
}

/* Queues an item. */
void
refresher_add(struct refresher *r, const struct project *p, const char *local_id)
{
	char *key = gateway_key(p->scope, local_id);
	struct refresher_item *it;

	HASH_FIND_STR(r->items, key, it);
	if (it != NULL || HASH_COUNT(r->items) >= REFRESHER_QUEUE) {
		free(key);
		return;
	}
	it = mem_zero(1, sizeof *it);
	it->refresher = r;
	it->snap = snapshot_ref(p->snap);
	it->project = *p;
	it->local_id = mem_string(local_id);
	it->key = key;
	HASH_ADD_KEYPTR(hh, r->items, it->key, strlen(it->key), it);
	TAILQ_INSERT_TAIL(&r->queue, it, link);
	if (!r->step.armed)
		loop_timer_set(&r->step, 0);
}
