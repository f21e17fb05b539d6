#include "config.h"

#include "core/errand.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "core/crew.h"
#include "core/fetch.h"
#include "core/gateway_impl.h"
#include "core/personas.h"
#include "core/reading.h"
#include "core/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The trace of a request whose connection is another loop's. It keeps its address and
 * serves one errand after another (trace.h). */
struct errand_trace {
	struct trace trace;
	struct errand_trace *next;
};

struct errand {
	struct work work; /* what the sender holds */

	/* the sender's */
	struct gateway *from;
	work_done_fn done;
	void *arg;
	struct trace_ref trace;
	struct loop_timer start; /* outside the caller's stack */
	bool sent;
	bool cancelled;

	/* what is carried; the receiver's once it is sent */
	struct gateway *to;
	enum errand_kind kind;
	struct project project;
	char *id;
	bool no_cache;
	struct json_object *body;
	char *raw;
	size_t raw_len;
	char *key;
	char request[UUID_SIZE]; /* its X-Request-Id */
	char parent[TRACE_PARENT_SIZE];
	char *state;
	bool told; /* whether the answer could be handed over */

	/* the receiver's */
	struct errand_trace *there;
	struct work *doing;
	bool done_there;

	/* what comes back; the sender's from then on */
	struct result result;
	struct shelf_entry *copy; /* of what a read has found; NULL: none */
	unsigned tries;
	int64_t upstream_us, store_us;
};

/* Frees an errand, on either thread. */
static void
errand_free(struct errand *e)
{
	result_clear(&e->result);
	shelf_copy_free(e->copy);
	json_object_put(e->body);
	snapshot_unref(e->project.snap);
	free(e->id);
	free(e->raw);
	free(e->key);
	free(e->state);
	free(e);
}

/* ---- the sender, afterwards ---- */

/* Adds what an errand cost to its request, if that still runs. */
static void
errand_note_cost(const struct errand *e)
{
	struct trace *t = trace_find(&e->from->traces, e->trace);

	if (t == NULL)
		return;
	t->tries += e->tries;
	if (e->upstream_us >= 0)
		t->upstream_us = (t->upstream_us > 0 ? t->upstream_us : 0) + e->upstream_us;
	if (e->store_us >= 0)
		t->store_us = (t->store_us > 0 ? t->store_us : 0) + e->store_us;
}

/* Keeps what a read has found. */
static void
errand_keep_copy(struct errand *e)
{
	if (e->copy == NULL)
		return;
	e->copy->seen_sequence = e->from->sequence;
	shelf_put_copy(e->from->shelf, e->copy);
	e->copy = NULL;
}

/* The answer has come back. */
static void
errand_on_result(void *arg)
{
	struct errand *e = arg;

	errand_keep_copy(e);
	if (e->cancelled)
		return;
	errand_note_cost(e);
	e->done(e->arg, &e->result);
	result_clear(&e->result);
}

/* The other side knows that the client is gone: its last letter. */
static void
errand_on_ended(void *arg)
{
	errand_free(arg);
}

/* ---- the receiver ---- */

/* Begins the trace of a request there. */
static void
errand_open_trace(struct errand *e)
{
	struct gateway *gw = e->to;
	struct errand_trace *t = gw->errand_traces;

	if (t != NULL)
		gw->errand_traces = t->next;
	else
		t = mem_zero(1, sizeof *t);
	e->there = t;
	e->project.trace = trace_open(&gw->traces, &t->trace, e->request);
	memcpy(t->trace.parent, e->parent, sizeof t->trace.parent);
	t->trace.state = e->state;
	e->state = NULL;
}

/* Ends it, and keeps what it has to tell. */
static void
errand_close_trace(struct errand *e)
{
	struct gateway *gw = e->to;
	struct errand_trace *t = e->there;

	if (t == NULL)
		return;
	trace_store_end(&t->trace, loop_now_us(gw->loop));
	e->tries = t->trace.tries;
	e->upstream_us = t->trace.upstream_us;
	e->store_us = t->trace.store_us;
	trace_close(&gw->traces, &t->trace);
	t->next = gw->errand_traces;
	gw->errand_traces = t;
	e->there = NULL;
}

/* Frees the traces that wait for errands. */
void
errand_free_all(struct gateway *gw)
{
	struct errand_trace *t;

	while ((t = gw->errand_traces) != NULL) {
		gw->errand_traces = t->next;
		free(t);
	}
}

/* Takes along what a read has found, for the helper to answer the next ones itself. */
static void
errand_take_copy(struct errand *e, const struct result *r)
{
	struct gateway *gw = e->to;
	struct shelf_entry *found;

	if (e->kind != ERRAND_READ || r->status != 200 || crew_owner(gw) != NULL ||
	    crew_owner(e->from) == NULL)
		return;
	crew_catch_up(gw);
	found = shelf_find(gw->shelf, e->project.scope, e->id);
	if (found == NULL || !shelf_ready(found, &e->project) || fetch_outdated(gw, found))
		return;
	e->copy = shelf_copy(found);
	crew_stamp(gw, e->copy);
}

/* It is done: the answer goes back. */
static void
errand_on_done(void *arg, struct result *r)
{
	struct errand *e = arg;

	recorder_told(e->to->recorder, e->project.trace, r);
	e->done_there = true;
	errand_take_copy(e, r);
	result_move(&e->result, r);
	errand_close_trace(e);
	loop_post(e->from->loop, errand_on_result, e);
}

/* Remembers what is asked for, when that is on. */
static void
errand_record(struct errand *e)
{
	static const enum recorder_operation operations[] = {[ERRAND_LIST] = RECORDER_LIST,
	    [ERRAND_CREATE] = RECORDER_CREATE, [ERRAND_READ] = RECORDER_READ,
	    [ERRAND_UPDATE] = RECORDER_UPDATE, [ERRAND_ADD] = RECORDER_ADD};

	if (e->kind != ERRAND_DELETE && e->kind != ERRAND_PORTRAIT)
		recorder_begin(e->to->recorder, &e->project, operations[e->kind], e->request, e->body);
}

/* Starts what an errand is for. */
static struct work *
errand_do(struct errand *e)
{
	const struct item_create in = {.body = e->body, .raw = e->raw, .raw_len = e->raw_len,
	    .idempotency_key = e->key};
	struct gateway *gw = e->to;

	switch (e->kind) {
	case ERRAND_LIST:
		return item_list(gw, &e->project, e->no_cache, errand_on_done, e);
	case ERRAND_CREATE:
		return item_create(gw, &e->project, &in, errand_on_done, e);
	case ERRAND_READ:
		return reading_visit(gw, &e->project, e->id, e->no_cache, errand_on_done, e);
	case ERRAND_UPDATE:
		return item_update(gw, &e->project, e->id, e->body, errand_on_done, e);
	case ERRAND_ADD:
		return item_add(gw, &e->project, e->id, e->body, errand_on_done, e);
	case ERRAND_DELETE:
		return item_delete(gw, &e->project, e->id, errand_on_done, e);
	case ERRAND_PORTRAIT:
		break;
	}
	return persona_portrait(gw, &e->project, e->id, errand_on_done, e);
}

/* An errand has come. */
static void
errand_on_order(void *arg)
{
	struct errand *e = arg;

	errand_open_trace(e);
	errand_record(e);
	e->doing = errand_do(e);
	json_object_put(e->body);
	e->body = NULL;
}

/* The client is gone. */
static void
errand_on_cancel(void *arg)
{
	struct errand *e = arg;

	if (e->done_there)
		work_told(e->doing, false);
	else
		work_cancel(e->doing);
	errand_close_trace(e);
	loop_post(e->from->loop, errand_on_ended, e);
}

/* The answer was handed to the client, or could not be: the last letter. */
static void
errand_on_told(void *arg)
{
	struct errand *e = arg;

	work_told(e->doing, e->told);
	errand_free(e);
}

/* ---- the sender ---- */

/* Leaves, when the caller has let go of the body. */
static void
errand_on_start(void *arg)
{
	struct errand *e = arg;

	e->sent = true;
	loop_post(e->to->loop, errand_on_order, e);
}

/* The client is gone. */
static void
errand_cancel(struct work *w)
{
	struct errand *e = (struct errand *)w;

	loop_timer_cancel(&e->start);
	e->cancelled = true;
	if (e->sent)
		loop_post(e->to->loop, errand_on_cancel, e);
	else
		errand_free(e);
}

/* The answer went out, or could not. */
static void
errand_told(struct work *w, bool sent)
{
	struct errand *e = (struct errand *)w;

	e->told = sent;
	loop_post(e->to->loop, errand_on_told, e);
}

static const struct work_ops errand_ops = {errand_cancel, errand_told};

/* Copies what is known of the request. */
static void
errand_take_trace(struct errand *e, const struct trace *t)
{
	if (t == NULL)
		return;
	snprintf(e->request, sizeof e->request, "%s", t->id);
	memcpy(e->parent, t->parent, sizeof e->parent);
	e->state = mem_string(t->state);
}

/* Sends one. */
struct work *
errand_send(struct gateway *from, struct gateway *to, const struct errand_order *o,
    work_done_fn done, void *arg)
{
	struct errand *e = mem_zero(1, sizeof *e);

	e->work.ops = &errand_ops;
	e->from = from;
	e->to = to;
	e->done = done;
	e->arg = arg;
	e->kind = o->kind;
	e->project = *o->project;
	snapshot_ref(e->project.snap);
	e->trace = o->project->trace;
	e->id = mem_string(o->id);
	e->no_cache = o->no_cache;
	e->body = json_object_get(o->body);
	if (o->raw != NULL)
		e->raw = mem_copy(o->raw, o->raw_len);
	e->raw_len = o->raw_len;
	e->key = mem_string(o->key);
	errand_take_trace(e, trace_find(&from->traces, e->trace));
	result_init(&e->result);
	loop_timer_init(&e->start, from->loop, errand_on_start, e);
	loop_timer_set(&e->start, 0);
	return &e->work;
}
