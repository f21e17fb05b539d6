#include "config.h"

#include "core/gateway_impl.h"
#include "base/mem.h"
#include "core/crew.h"
#include "core/drift.h"
#include "core/recorder.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <string.h>

#define GATEWAY_MARGIN_MS 250

/* Remembers requests, or no more. Whoever looks at the log must know. */
void
gateway_record(struct gateway *gw)
{
	const struct config *c = gw->snap->config;
	bool was_on = gw->recorder != NULL;

	gw->recorder = recorder_resize(gw->recorder, gw->loop, (size_t)c->recording_requests,
	    (size_t)c->recording_size);
	if (gw->recorder != NULL && !was_on)
		log_warn(gw->log, "recording is on: what requests and answers hold is kept in memory "
		    "and shown on the admin address", LOG_I("requests", c->recording_requests));
	else if (gw->recorder == NULL && was_on)
		log_plain(gw->log, LOG_LEVEL_INFO, "recording is off; what was remembered is forgotten");
}

/* Notes what a call cost. */
void
gateway_note_cost(struct gateway *gw, const struct upstream_answer *a)
{
	struct trace *t = trace_find(&gw->traces, a->trace);

	if (t == NULL)
		return;
	t->tries += a->tries;
	t->upstream_us = (t->upstream_us > 0 ? t->upstream_us : 0) + a->took_us;
}

/* A request waits for the store. */
void
gateway_store_begin(struct gateway *gw, struct trace_ref ref)
{
	trace_store_begin(trace_find(&gw->traces, ref), loop_now_us(gw->loop));
}

/* It waits no more. */
void
gateway_store_end(struct gateway *gw, struct trace_ref ref)
{
	trace_store_end(trace_find(&gw->traces, ref), loop_now_us(gw->loop));
}

/* Notes which key worked: what went well went well with it. */
void
gateway_saw_key(struct gateway *gw, const struct upstream_answer *a)
{
	if (a->outcome == UPSTREAM_ANSWER && a->status >= 200 && a->status <= 299)
		keyring_accept(&gw->keyring, a->key);
}

/* Notes what an answer says about the key. */
void
gateway_saw_answer(struct gateway *gw, const struct upstream_answer *a)
{
	bool refused;

	recorder_heard(gw->recorder, a);
	gateway_note_cost(gw, a);
	if (a->outcome != UPSTREAM_ANSWER)
		return;
	if (crew_owner(gw) != NULL) {
		crew_report(gw, a);
		return;
	}
	gateway_saw_key(gw, a);
	refused = a->status == 401 || a->status == 403;
	if (refused && !gw->key_refused)
		log_error(gw->log, "Bluejay refuses the API key", LOG_I("status", a->status));
	if (a->fell_back && !refused && !gw->key_fell_back)
		log_warn(gw->log, "Bluejay refuses the new API key; the one before it is used",
		    LOG_I("status", 401));
	gw->key_fell_back = a->fell_back && !refused;
	gw->key_refused = refused;
	crew_publish(gw);
}

/* Notes whether the store works. */
void
gateway_saw_store(struct gateway *gw, const struct store_reply *reply)
{
	bool failed = reply->status == STORE_UNAVAILABLE;

	if (failed)
		log_error(gw->log, "the store cannot be written", LOG_S("why", reply->text));
	else if (gw->store_failed)
		log_plain(gw->log, LOG_LEVEL_INFO, "the store can be written again");
	gw->store_failed = failed;
}

/* What a client is told when the store cannot write. */
void
gateway_store_trouble(struct result *r)
{
	result_error(r, 503, "The gateway cannot write its records at the moment; nothing was changed");
	r->retry_after = 5000;
}

/* What a client is told when the store cannot read. */
void
gateway_read_trouble(struct result *r)
{
	result_error(r, 503, "The gateway cannot read its records at the moment");
	r->retry_after = 5000;
}

/* When a request that starts now must be answered. */
int64_t
gateway_deadline(const struct gateway *gw)
{
	return loop_now(gw->loop) + gw->snap->config->bluejay.total;
}

/* How long a client waits for what is shared. */
int64_t
gateway_patience(const struct gateway *gw)
{
	return gw->snap->config->bluejay.total + GATEWAY_MARGIN_MS;
}

/* Prepares a call. */
void
gateway_request(const struct gateway *gw, const struct project *p, struct upstream_request *q,
    const char *method, const char *path)
{
	const struct trace *t = trace_find(&gw->traces, p->trace);

	memset(q, 0, sizeof *q);
	q->trace = p->trace;
	if (t != NULL) {
		q->request_id = t->id;
		q->traceparent = t->parent;
		q->tracestate = t->state;
	}
	q->method = method;
	q->path = path;
	q->api_key = p->api_key;
	q->earlier_key = p->earlier_key;
	q->headers = &gw->snap->config->bluejay.headers;
	q->repeat = UPSTREAM_SAFE;
	q->deadline = gateway_deadline(gw);
}

/* Reads an answer that shows one item. */
struct json_object *
gateway_read_item(struct gateway *gw, const struct project *p, const struct upstream_answer *a,
    bool *alike)
{
	struct json_object *item;
	bool same;

	if (!json_read(a->body, a->body_len, &item, NULL))
		return NULL;
	same = drift_item(gw->drift, p, item);
	if (alike != NULL)
		*alike = same;
	if (json_object_is_type(item, json_type_object))
		return item;
	json_object_put(item);
	return NULL;
}

/* Sees an answer that shows one item. */
bool
gateway_see_item(struct gateway *gw, const struct project *p, const struct upstream_answer *a,
    struct sight *sight)
{
	struct json_object *item;
	bool alike;

	if (sight_copy(sight, p, a->body, a->body_len)) {
		drift_alike(gw->drift, p, 1);
		return true;
	}
	item = gateway_read_item(gw, p, a, &alike);
	if (item == NULL)
		return false;
	sight_take(sight, p, item);
	sight->alike = alike;
	return true;
}

/* Reads an answer that is a listing. */
struct json_object *
gateway_read_list(struct gateway *gw, const struct project *p, const struct upstream_answer *a,
    struct json_object **items, bool *alike)
{
	struct json_object *root;

	*items = NULL;
	*alike = false;
	if (json_read(a->body, a->body_len, &root, NULL))
		*items = drift_list(gw->drift, p, root, alike);
	return root;
}

/* The error table, in the words of what the project was asked for. */
void
gateway_trouble(struct result *r, const struct upstream_answer *a, const struct project *p)
{
	result_from_upstream(r, a, p->resource, p->mapping);
}

/* Makes a hash key. */
char *
gateway_key(const char *scope, const char *id)
{
	size_t head = strlen(scope), tail = strlen(id);
	char *key = mem_alloc(head + tail + 2);

	memcpy(key, scope, head);
	key[head] = '\n';
	memcpy(key + head + 1, id, tail + 1);
	return key;
}

/* The client is gone. */
void
work_cancel(struct work *w)
{
	w->ops->cancel(w);
}

/* The answer went out, or could not. */
void
work_told(struct work *w, bool sent)
{
	w->ops->told(w, sent);
}
