#include "config.h"

#include "core/recorder.h"
#include "base/mem.h"
#include "core/recorder_impl.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

/* ---- bounds ---- */

/* Frees a call. */
static void
recorder_call_clear(struct recorder_call *c)
{
	free(c->method);
	free(c->url);
	free(c->headers);
	free(c->body);
	free(c->answer);
}

/* Forgets a request. */
static void
recorder_forget(struct recorder *r, struct recorder_entry *e)
{
	HASH_DEL(r->running, e);
	TAILQ_REMOVE(&r->entries, e, link);
	r->count--;
	r->bytes -= e->bytes;
	for (unsigned i = 0; i < e->call_count; i++)
		recorder_call_clear(&e->calls[i]);
	free(e->body);
	free(e->answer);
	free(e->id);
	snapshot_unread(e->snap);
	free(e);
}

/* Forgets the oldest requests until the bounds hold. */
static void
recorder_trim(struct recorder *r)
{
	while (r->count > r->requests || r->bytes > r->limit)
		recorder_forget(r, TAILQ_FIRST(&r->entries));
}

/* Keeps a text, which it takes over, unless the request alone would be beyond the
 * bound with it. */
static void
recorder_keep(struct recorder *r, struct recorder_entry *e, char **slot, char *text)
{
	size_t len = text != NULL ? strlen(text) + 1 : 0;

	if (e->bytes + len > r->limit) {
		e->cut = true;
		free(text);
		return;
	}
	*slot = text;
	e->bytes += len;
	r->bytes += len;
}

/* ---- what happens ---- */

/* Whether what is answered can be looked through for secrets, as it must be before it is
 * kept; after a reload the keys may be gone. */
static bool
recorder_may_keep(struct recorder_entry *e)
{
	e->cut |= !snapshot_has_keys(e->snap);
	return snapshot_has_keys(e->snap);
}

/* The request that a trace is about, or NULL. */
static struct recorder_entry *
recorder_find(struct recorder *r, struct trace_ref ref)
{
	struct recorder_entry *e = NULL;

	if (ref.slot != 0)
		HASH_FIND(hh, r->running, &ref.serial, sizeof ref.serial, e);
	return e;
}

/* Makes an entry. One that a trace of the same number was about, four billion requests
 * ago, is forgotten. */
static struct recorder_entry *
recorder_add(struct recorder *r, const struct project *p)
{
	struct recorder_entry *e = recorder_find(r, p->trace);

	if (e != NULL)
		recorder_forget(r, e);
	e = mem_zero(1, sizeof *e);
	e->serial = p->trace.serial;
	e->snap = snapshot_read(p->snap);
	e->project = *p;
	e->wall = loop_wall(r->loop);
	e->bytes = sizeof *e;
	HASH_ADD(hh, r->running, serial, sizeof e->serial, e);
	TAILQ_INSERT_TAIL(&r->entries, e, link);
	r->count++;
	r->bytes += e->bytes;
	return e;
}

/* A request begins. */
void
recorder_begin(struct recorder *r, const struct project *p, enum recorder_operation operation,
    const char *id, struct json_object *body)
{
	struct recorder_entry *e;
	struct json_object *copy;

	if (r == NULL)
		return;
	e = recorder_add(r, p);
	e->operation = operation;
	recorder_keep(r, e, &e->id, mem_string(id));
	if (body != NULL) {
		copy = json_copy(body);
		recorder_keep(r, e, &e->body, recorder_text_local(e, copy));
		json_object_put(copy);
	}
	recorder_trim(r);
}

/* A call starts. */
void
recorder_sent(struct recorder *r, const char *base, struct upstream_request *q)
{
	struct recorder_entry *e = r != NULL ? recorder_find(r, q->trace) : NULL;
	struct recorder_call *c;

	if (e == NULL)
		return;
	if (e->call_count == RECORDER_CALLS) {
		e->calls_more++;
		return;
	}
	c = &e->calls[e->call_count++];
	q->trace.call = e->call_count;
	recorder_keep(r, e, &c->method, mem_string(q->method));
	recorder_keep(r, e, &c->url, mem_format("%s%s", base, q->path));
	recorder_keep(r, e, &c->headers, recorder_text_headers(q));
	recorder_keep(r, e, &c->body, recorder_text_read(e, q->body, q->body_len, false));
	recorder_trim(r);
}

/* A call is over. */
void
recorder_heard(struct recorder *r, const struct upstream_answer *a)
{
	struct recorder_entry *e = r != NULL ? recorder_find(r, a->trace) : NULL;
	struct recorder_call *c;

	if (e == NULL || a->trace.call == 0 || a->trace.call > e->call_count)
		return;
	c = &e->calls[a->trace.call - 1];
	if (c->over)
		return;
	c->over = true;
	c->outcome = a->outcome;
	if (a->outcome != UPSTREAM_ANSWER)
		return;
	c->status = a->status;
	if (!recorder_may_keep(e))
		return;
	recorder_keep(r, e, &c->answer, recorder_text_read(e, a->body, a->body_len, false));
	recorder_trim(r);
}

/* The request is answered. */
void
recorder_told(struct recorder *r, struct trace_ref ref, const struct result *result)
{
	struct recorder_entry *e = r != NULL ? recorder_find(r, ref) : NULL;

	if (e == NULL || e->status != 0)
		return;
	e->status = result->status;
	if (!recorder_may_keep(e))
		return;
	recorder_keep(r, e, &e->answer, recorder_text_read(e, result->body, result->len, true));
	recorder_trim(r);
}

/* ---- all of it ---- */

/* Makes a recorder. */
struct recorder *
recorder_new(struct loop *loop, size_t requests, size_t bytes)
{
	struct recorder *r;

	if (requests == 0)
		return NULL;
	r = mem_zero(1, sizeof *r);
	r->loop = loop;
	r->requests = requests;
	r->limit = bytes;
	TAILQ_INIT(&r->entries);
	return r;
}

/* Frees it. */
void
recorder_free(struct recorder *r)
{
	if (r == NULL)
		return;
	while (!TAILQ_EMPTY(&r->entries))
		recorder_forget(r, TAILQ_FIRST(&r->entries));
	free(r);
}

/* Changes the bounds. */
struct recorder *
recorder_resize(struct recorder *r, struct loop *loop, size_t requests, size_t bytes)
{
	if (r == NULL)
		return recorder_new(loop, requests, bytes);
	if (requests == 0) {
		recorder_free(r);
		return NULL;
	}
	r->requests = requests;
	r->limit = bytes;
	recorder_trim(r);
	return r;
}
