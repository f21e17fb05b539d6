#include "config.h"

#include "core/twin_batch.h"
#include "base/mem.h"
#include "core/twin.h"
#include "core/twin_body.h"
#include "core/twin_make.h"
#include "core/twin_tool.h"
#include "store/store_twin.h"

#include <stdlib.h>
#include <string.h>

#define TWIN_BATCH_AT_ONCE 8
#define TWIN_BATCH_AGAIN_MS 250 /* between two attempts while the local tool does not work */
#define TWIN_BATCH_WAIT_MS 5000 /* how long it is waited for */

/* One persona. */
struct twin_batch_item {
	struct twin_batch *batch;
	struct store_record *record; /* the caller's; NULL: not needed any more */
	bool tried;                  /* not to be tried again */
	struct twin_make *make;      /* holds the twin's name until it is noted */
	struct store_twin twin;      /* no twin_id: there is none */
	struct store_call *store;
};

struct twin_batch {
	struct gateway *gw;
	struct project project;
	struct twin_batch_item *items;
	size_t count;
	size_t next; /* those before it are tried, or run */
	unsigned running; /* being made, or noted */
	bool down;        /* the local tool does not work: none is made for the moment */
	bool broken;      /* it answers with errors of its own: no more are made */
	bool works;       /* one was made: many are at once */
	bool noting;
	int64_t deadline, patience;
	struct loop_timer step;
	twin_batch_fn done;
	void *arg;
	TAILQ_ENTRY(twin_batch) link;
};

/* Ends what runs and frees. */
static void
twin_batch_free(struct twin_batch *b)
{
	TAILQ_REMOVE(&b->gw->batches, b, link);
	loop_timer_cancel(&b->step);
	for (size_t i = 0; i < b->count; i++) {
		struct twin_batch_item *it = &b->items[i];

		if (it->make != NULL)
			twin_make_end(it->make);
		if (it->store != NULL)
			store_cancel(it->store);
		store_twin_clear(&it->twin);
	}
	free(b->items);
	free(b);
}

/* Whether another persona of the batch has this twin: Bluejay knows two of one name. */
static bool
twin_batch_has(const struct twin_batch *b, const char *twin_id)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->items[i].twin.twin_id != NULL && strcmp(b->items[i].twin.twin_id, twin_id) == 0)
			return true;
	return false;
}

/* One twin was made, or not. */
static void
twin_batch_on_made(void *arg, const struct twin_made_view *view)
{
	struct twin_batch_item *it = arg;
	struct twin_batch *b = it->batch;

	if (view->made == TWIN_FAILED) {
		b->down = b->down || (view->answer != NULL && twin_tool_is_down(view->answer));
		b->broken = b->broken || (view->answer != NULL && view->answer->status >= 500);
		it->tried = view->answer == NULL || !twin_tool_is_down(view->answer);
	} else if (!twin_batch_has(b, view->id)) {
		free(it->record->local_id);
		it->record->local_id = mem_string(view->id);
		it->twin.project = mem_string(b->project.id);
		it->twin.twin_id = mem_string(view->id);
		it->twin.scope = mem_string(it->record->scope);
		it->twin.local_id = mem_string(view->id);
		it->twin.since_ms = loop_wall(b->gw->loop);
		it->twin.found = view->made == TWIN_FOUND;
	}
	b->works = b->works || it->twin.twin_id != NULL;
	if (it->twin.twin_id == NULL) {
		twin_make_end(it->make);
		it->make = NULL;
	}
	b->running--;
	loop_timer_set(&b->step, 0);
}

/* Whether one before it has the same name, whose twin is to have it. */
static bool
twin_batch_is_second(const struct twin_batch *b, const struct twin_batch_item *it)
{
	for (const struct twin_batch_item *o = b->items; o < it; o++)
		if (o->make != NULL && strcmp(o->record->name, it->record->name) == 0)
			return true;
	return false;
}

/* Starts one. */
static void
twin_batch_make(struct twin_batch *b, struct twin_batch_item *it)
{
	struct json_object *body = twin_body_of(b->project.mapping, it->record), *named;
	struct twin_want want = {.project = b->project.id, .scope = it->record->scope,
	    .since_ms = loop_wall(b->gw->loop), .deadline = b->deadline};
	char *name;

	it->tried = true;
	if (body != NULL && twin_batch_is_second(b, it)) {
		name = twin_body_other_name(it->record->name, "", it->record->upstream_id);
		named = twin_body_named(body, name);
		json_object_put(body);
		body = named;
		free(name);
	}
	want.body = body;
	if (body != NULL && it->record->local_id != NULL && *it->record->name != '\0') {
		it->make = twin_make_start(b->gw, &want, twin_batch_on_made, it);
		b->running++;
	}
	json_object_put(body);
}

/* Starts more, or is done. */
static void
twin_batch_on_step(void *arg)
{
	struct twin_batch *b = arg;
	int64_t now = loop_now(b->gw->loop);

	while (b->running < (b->works ? TWIN_BATCH_AT_ONCE : 1) && b->next < b->count && !b->down &&
	    !b->broken && now < b->deadline) {
		struct twin_batch_item *it = &b->items[b->next++];

		if (!it->tried)
			twin_batch_make(b, it);
	}
	if (b->running > 0)
		return;
	if (b->down && now + TWIN_BATCH_AGAIN_MS < b->patience) {
		b->down = false;
		b->next = 0;
		loop_timer_set(&b->step, TWIN_BATCH_AGAIN_MS);
		return;
	}
	for (size_t i = 0; i < b->count; i++)
		b->items[i].record = NULL;
	b->done(b->arg);
}

/* Starts. */
struct twin_batch *
twin_batch_start(struct gateway *gw, const struct project *p, struct store_record *records,
    size_t count, int64_t deadline, twin_batch_fn done, void *arg)
{
	struct twin_batch *b = mem_zero(1, sizeof *b);

	b->gw = gw;
	b->project = *p;
	b->items = mem_zero(count, sizeof *b->items);
	b->count = count;
	b->deadline = deadline;
	b->patience = loop_now(gw->loop) + TWIN_BATCH_WAIT_MS;
	if (b->patience > deadline)
		b->patience = deadline;
	b->done = done;
	b->arg = arg;
	for (size_t i = 0; i < count; i++) {
		b->items[i].batch = b;
		b->items[i].record = &records[i];
	}
	loop_timer_init(&b->step, gw->loop, twin_batch_on_step, b);
	loop_timer_set(&b->step, 0);
	TAILQ_INSERT_TAIL(&gw->batches, b, link);
	return b;
}

/* One twin is noted: it is looked at, since what was found may hold something else. */
static void
twin_batch_on_noted(void *arg, struct store_reply *reply)
{
	struct twin_batch_item *it = arg;
	struct twin_batch *b = it->batch;

	it->store = NULL;
	gateway_saw_store(b->gw, reply);
	twin_make_end(it->make);
	it->make = NULL;
	twin_touch(b->gw, it->twin.scope, it->twin.local_id);
	if (--b->running == 0)
		twin_batch_free(b);
}

/* Notes the twins. */
void
twin_batch_end(struct twin_batch *b, bool adopted)
{
	loop_timer_cancel(&b->step);
	b->running = 0;
	for (size_t i = 0; i < b->count && adopted; i++) {
		struct twin_batch_item *it = &b->items[i];

		if (it->twin.twin_id == NULL) {
			twin_seek(b->gw); /* it gets one in the background */
			continue;
		}
		b->running++;
		it->store = store_twin_put(b->gw->store, &it->twin, twin_batch_on_noted, it);
	}
	if (b->running == 0)
		twin_batch_free(b);
}

/* Frees what is left. */
void
twin_batch_free_all(struct gateway *gw)
{
	while (!TAILQ_EMPTY(&gw->batches))
		twin_batch_free(TAILQ_FIRST(&gw->batches));
}
