#include "config.h"

#include "core/change.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "core/change_impl.h"
#include "core/connector.h"
#include "core/crew.h"
#include "core/errand.h"
#include "core/trail.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGE_NAME_WAIT_MS 25 /* between two attempts at a name that is held for the moment */

/* The client is gone: what was not sent yet is given up, the rest goes on. */
static void
change_cancel(struct work *w)
{
	struct change *c = (struct change *)w;

	c->client = CHANGE_CLIENT_NONE;
	if (c->state <= CHANGE_READING || c->state == CHANGE_OVER)
		change_free(c);
}

/* The client was told. */
static void
change_told(struct work *w, bool sent)
{
	struct change *c = (struct change *)w;

	c->client = CHANGE_CLIENT_NONE;
	if (c->state == CHANGE_OVER)
		change_free(c);
}

static const struct work_ops change_ops = {change_cancel, change_told};

/* ---- sending ---- */

/* Judges a 2xx answer to an update. */
static void
change_take(struct change *c, const struct upstream_answer *a)
{
	struct json_object *item = gateway_read_item(c->gw, &c->project, a, NULL);

	if (item != NULL && fetch_fits(c->gw, &c->project, &c->entry->record, item))
		change_settle(c, item);
	else
		change_unknown(c, "the answer was not understood");
	json_object_put(item);
}

/* Whether the change has certainly not happened. What the last try came to is
 * not the whole truth: an earlier one may have been received and done. */
static bool
change_is_refused(const struct upstream_answer *a)
{
	if (a->outcome != UPSTREAM_ANSWER || a->status == 429)
		return !a->maybe_received;
	if (a->status == 401 || a->status == 403)
		return a->tries == 1;
	return a->status < 500 && a->status != 408;
}

/* What the client is told while the outcome is not known. */
static void
change_doubt(struct change *c, const struct upstream_answer *a, struct result *r)
{
	if (a->outcome == UPSTREAM_ANSWER && a->status < 500)
		result_error(r, 502,
		    "It is not known whether Bluejay took this change before it refused to be asked again");
	else
		gateway_trouble(r, a, &c->project);
	r->doubt = true;
}

/* The upstream has answered, or not. */
static void
change_on_answer(void *arg, const struct upstream_answer *a)
{
	struct change *c = arg;
	bool answered = a->outcome == UPSTREAM_ANSWER;
	struct result r;

	c->call = NULL;
	gateway_saw_answer(c->gw, a);
	if (c->operation == STORE_DELETE && answered &&
	    (a->status == 404 || (a->status >= 200 && a->status < 300))) {
		change_settle(c, NULL);
	} else if (answered && a->status >= 200 && a->status < 300) {
		change_take(c, a);
	} else if (change_is_refused(a)) {
		gateway_trouble(&r, a, &c->project);
		change_drop(c, &r, answered && a->status == 404);
	} else {
		change_doubt(c, a, &r);
		change_give(c, &r);
		change_unknown(c, answered ? "an error status" : "no whole answer");
	}
}

/* Sends it. */
static void
change_send(struct change *c)
{
	const struct resource *resource = c->project.resource;
	bool deletes = c->operation == STORE_DELETE;
	const struct resource_call *call = deletes ? &resource->remove
	    : c->operation == STORE_ADD            ? &resource->add
	                                           : &resource->update;
	char *path = project_path(&c->project, call, c->entry->record.upstream_id);
	struct upstream_request q;
	struct result r;

	if (!peers_may_send(c->gw)) {
		free(path);
		gateway_store_trouble(&r);
		change_drop(c, &r, false);
		return;
	}
	change_set(c, CHANGE_SENDING);
	change_count(c, true);
	gateway_request(c->gw, &c->project, &q, call->method, path);
	if (!deletes) {
		q.body = c->intent.sent;
		q.body_len = strlen(c->intent.sent);
	}
	if (strcmp(call->method, "PUT") != 0 && strcmp(call->method, "DELETE") != 0)
		q.repeat = UPSTREAM_ONCE; /* done twice it may be done doubly (RFC 9110, 9.2.2) */
	q.deadline = c->deadline;
	c->call = connector_start(c->gw, &c->project, &q,
	    deletes ? c->entry->record.kept : c->intent.kept, change_on_answer, c);
	free(path);
}

/* Cuts what is on its way: whether it was done is not known then. */
void
change_cut(struct gateway *gw)
{
	const struct upstream_answer cut = {.outcome = UPSTREAM_TIMEOUT, .maybe_received = true,
	    .retry_after = -1};
	struct change *c;

	TAILQ_FOREACH(c, &gw->changes, link) {
		if (c->state != CHANGE_SENDING || c->call == NULL)
			continue;
		upstream_cancel(c->call);
		change_on_answer(c, &cut);
	}
}

/* ---- beginning ---- */

static void change_keep(struct change *);

/* Whether the name is held by a write that is only on its way: it is waited for,
 * so that a race between two renames ends in 200 and 409. */
static bool
change_waits_for_name(const struct change *c, const struct store_reply *reply)
{
	return reply->status == STORE_UNSETTLED_OTHER && c->client == CHANGE_CLIENT_WAITS &&
	    reply->intent_count > 0 && (reply->intents[0].state == STORE_PENDING ||
	        reply->intents[0].state == STORE_TWINNING) &&
	    loop_now(c->gw->loop) + CHANGE_NAME_WAIT_MS < c->deadline;
}

/* The store has answered the intent. */
static void
change_on_begun(void *arg, struct store_reply *reply)
{
	struct change *c = arg;
	struct result r;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	if (change_peer_meets(c, reply) || change_peer_begun(c, reply))
		return;
	if (change_waits_for_name(c, reply)) {
		loop_timer_set(&c->timer, CHANGE_NAME_WAIT_MS);
		return;
	}
	if (reply->status == STORE_OK && c->client == CHANGE_CLIENT_NONE) {
		result_error(&r, 503, "Nobody waits for this change any more");
		change_drop(c, &r, false); /* nothing was sent */
		return;
	}
	switch (reply->status) {
	case STORE_OK:
		if (c->operation != STORE_DELETE && c->intent.sent == NULL)
			change_keep(c);
		else
			change_send(c);
		return;
	case STORE_NONE:
		result_not_found(&r, c->project.resource);
		break;
	case STORE_NAME_TAKEN:
		result_name_taken(&r, c->project.resource, c->intent.name);
		break;
	case STORE_UNSETTLED_OTHER:
	case STORE_UNSETTLED_SAME:
		result_error(&r, 503, "Another change is not settled yet; try again later");
		r.retry_after = 5000;
		break;
	default:
		gateway_store_trouble(&r);
		break;
	}
	change_finish(c, &r);
}

/* Asks the store to record the intent. */
static void
change_ask(struct change *c)
{
	if (c->operation == STORE_DELETE)
		c->store = store_delete_begin(c->gw->store, &c->intent, change_on_begun, c);
	else
		c->store = store_update_begin(c->gw->store, &c->intent, change_on_begun, c);
}

/* Records the intent. */
static void
change_begin(struct change *c)
{
	char id[UUID_SIZE];

	change_set(c, CHANGE_BEGINNING);
	uuid_make(id);
	c->intent.id = mem_string(id);
	c->intent.operation = c->operation;
	c->intent.state = STORE_PENDING;
	c->intent.scope = mem_string(c->project.scope);
	c->intent.project = mem_string(c->project.id);
	c->intent.local_id = mem_string(c->local_id);
	c->intent.upstream_id = mem_string(c->entry->record.upstream_id);
	c->intent.created_ms = c->intent.touched_ms = loop_wall(c->gw->loop);
	change_ask(c);
}

/* Kept fields alone: recorded without a call, when the item is there. Where other gateways
 * write too, it is theirs to wait for: then it takes an intent. */
static void
change_keep(struct change *c)
{
	struct json_object *content = NULL;

	if (c->gw->shared && c->intent.id == NULL) {
		change_begin(c);
		return;
	}
	json_read(c->entry->record.content, strlen(c->entry->record.content), &content, NULL);
	change_settle(c, content);
	json_object_put(content);
}

/* The item was read before an update of kept fields alone. */
static void
change_on_fetch(void *arg, const struct fetch_outcome *out)
{
	struct change *c = arg;
	struct result r;

	c->fetch = NULL;
	if (out->status == FETCH_OK) {
		change_keep(c);
		return;
	}
	if (out->status == FETCH_GONE)
		result_not_found(&r, c->project.resource);
	else
		result_copy(&r, out->trouble);
	change_finish(c, &r);
}

/* The names upstream are known now, or cannot be. */
static void
change_on_names(void *arg, const struct result *trouble)
{
	struct change *c = arg;
	struct result r;

	c->names = NULL;
	if (trouble == NULL) {
		change_begin(c);
		return;
	}
	result_copy(&r, trouble);
	change_finish(c, &r);
}

/* Translates an update or an addition and takes the way it needs. */
static void
change_write(struct change *c)
{
	struct fail fail;
	struct result r;

	if (change_translate(c, &fail) != 0) {
		result_error(&r, 400, "%s", fail.text);
		change_finish(c, &r);
	} else if (c->intent.name != NULL && !names_known(c->gw, &c->project)) {
		change_set(c, CHANGE_READING);
		c->names = names_want(c->gw, &c->project, change_on_names, c);
	} else if (c->intent.sent != NULL) {
		change_begin(c);
	} else if (fetch_fresh(c->gw, &c->project, c->entry)) {
		change_keep(c);
	} else {
		change_set(c, CHANGE_READING);
		c->fetch = fetch_want(c->gw, &c->project, c->entry, true, change_on_fetch, c);
	}
}

/* The fence does not show the item of an earlier run's intent: a record that is
 * hidden or gone tells that its delete is done, and that there is nothing to update. */
static void
change_on_fence_resumed(struct change *c, enum fence_status status)
{
	struct result r;

	if (status != FENCE_UNKNOWN) {
		change_look_later(c); /* asked again then */
	} else if (c->operation == STORE_DELETE) {
		change_settle(c, NULL);
	} else {
		result_not_found(&r, c->project.resource);
		change_drop(c, &r, false);
	}
}

/* The fence has answered. */
static void
change_on_fence(void *arg, enum fence_status status, struct shelf_entry *e,
    const struct result *trouble)
{
	struct change *c = arg;
	struct result r;

	c->fence = NULL;
	if (status == FENCE_KNOWN) {
		c->entry = e;
		shelf_pin(e);
		if (c->intent.id != NULL)
			change_look_later(c); /* of an earlier run */
		else if (c->operation == STORE_DELETE)
			change_begin(c);
		else
			change_write(c);
		return;
	}
	if (c->intent.id != NULL) {
		change_on_fence_resumed(c, status);
		return;
	}
	if (status == FENCE_UNKNOWN)
		result_not_found(&r, c->project.resource);
	else
		result_copy(&r, trouble);
	change_finish(c, &r);
}

/* Asks whether the item belongs to the project. */
void
change_find(struct change *c)
{
	change_set(c, CHANGE_FINDING);
	c->fence = fence_find(c->gw, &c->project, c->local_id, change_on_fence, c);
}

/* Its turn has come. */
static void
change_on_granted(void *arg)
{
	struct change *c = arg;

	if (c->client == CHANGE_CLIENT_WAITS)
		loop_timer_set(&c->timer, c->deadline - loop_now(c->gw->loop));
	change_find(c);
}

/* The client's time is over before anything was sent. */
static void
change_expire(struct change *c)
{
	struct result r;

	if (c->fence != NULL)
		fence_cancel(c->fence);
	c->fence = NULL;
	if (c->fetch != NULL)
		fetch_leave(c->fetch);
	c->fetch = NULL;
	names_leave(c->names);
	c->names = NULL;
	result_error(&r, 504, "Bluejay did not answer in time; nothing was changed");
	change_finish(c, &r);
}

/* The deadline while nothing is sent, or the next look. */
static void
change_on_timer(void *arg)
{
	struct change *c = arg;
	struct result r;

	if (c->state == CHANGE_WAITING && c->entry == NULL && !c->settle_again && !c->drop_again) {
		change_find(c);
	} else if (c->state == CHANGE_WAITING) {
		change_on_timer_waiting(c);
	} else if (c->state == CHANGE_FINDING || c->state == CHANGE_READING) {
		change_expire(c);
	} else if (c->state == CHANGE_BEGINNING && c->store == NULL) {
		change_ask(c); /* the name may be free or taken now */
	} else if (c->state == CHANGE_QUEUED) {
		result_error(&r, 503, "Another change of this %s is not settled yet; try again later",
		    c->project.resource->noun);
		r.retry_after = 5000;
		change_finish(c, &r);
	}
}

/* Enters the line. */
void
change_queue(struct change *c)
{
	char *key = gateway_key(c->project.scope, c->local_id);

	c->ticket = serial_enter(c->gw->serial, key, change_on_granted, c);
	free(key);
}

/* Makes a change and queues it. */
static struct change *
change_new(struct gateway *gw, const struct project *p, const char *id, enum store_operation op)
{
	struct change *c = mem_zero(1, sizeof *c);

	crew_catch_up(gw);
	c->work.ops = &change_ops;
	c->gw = gw;
	c->snap = snapshot_ref(p->snap);
	c->project = *p;
	c->operation = op;
	c->local_id = mem_string(id);
	c->deadline = gateway_deadline(gw);
	c->later = change_look_later;
	settle_start(&c->settle, loop_now(gw->loop), c->snap->config->bluejay.settle_grace);
	result_init(&c->trouble);
	loop_timer_init(&c->timer, gw->loop, change_on_timer, c);
	peer_wait_init(&c->peer, gw, change_peer_on_wait, c);
	TAILQ_INSERT_TAIL(&gw->changes, c, link);
	change_queue(c);
	return c;
}

/* Starts a change for its client. */
static struct work *
change_start(struct change *c, struct json_object *body, work_done_fn done, void *arg)
{
	c->body = json_object_get(body);
	c->request = trail_request(c->gw, c->project.trace);
	c->done = done;
	c->arg = arg;
	loop_timer_set(&c->timer, c->snap->config->bluejay.total);
	return &c->work;
}

/* Updates an item. */
struct work *
item_update(struct gateway *gw, const struct project *p, const char *id,
    struct json_object *body, work_done_fn done, void *arg)
{
	const struct errand_order order = {.kind = ERRAND_UPDATE, .project = p, .id = id, .body = body};

	if (crew_owner(gw) != NULL)
		return errand_send(gw, crew_owner(gw), &order, done, arg);
	return change_start(change_new(gw, p, id, STORE_UPDATE), body, done, arg);
}

/* Adds to an item. */
struct work *
item_add(struct gateway *gw, const struct project *p, const char *id, struct json_object *body,
    work_done_fn done, void *arg)
{
	const struct errand_order order = {.kind = ERRAND_ADD, .project = p, .id = id, .body = body};

	if (crew_owner(gw) != NULL)
		return errand_send(gw, crew_owner(gw), &order, done, arg);
	return change_start(change_new(gw, p, id, STORE_ADD), body, done, arg);
}

/* Deletes an item. */
struct work *
item_delete(struct gateway *gw, const struct project *p, const char *id, work_done_fn done,
    void *arg)
{
	const struct errand_order order = {.kind = ERRAND_DELETE, .project = p, .id = id};

	if (crew_owner(gw) != NULL)
		return errand_send(gw, crew_owner(gw), &order, done, arg);
	return change_start(change_new(gw, p, id, STORE_DELETE), NULL, done, arg);
}

/* Goes on with an intent of an earlier run. */
void
change_resume(struct gateway *gw, const struct store_intent *in)
{
	struct project p;
	struct change *c;

	if (!snapshot_project_of_scope(gw->snap, in->scope, in->project, &p)) {
		log_warn(gw->log, "an unsettled change belongs to no configured project",
		    LOG_S("intent", in->id), LOG_S("scope", in->scope));
		return;
	}
	p.adopts = p.listed; /* what was let through is finished, whatever the fence is today */
	c = change_new(gw, &p, in->local_id, in->operation);
	c->client = CHANGE_CLIENT_NONE;
	store_intent_copy(&c->intent, in);
	if (in->sent != NULL)
		json_read(in->sent, strlen(in->sent), &c->sent, NULL);
}

/* Whether a change with this intent runs. */
bool
change_runs(const struct gateway *gw, const char *intent_id)
{
	const struct change *c;

	TAILQ_FOREACH(c, &gw->changes, link)
		if (c->intent.id != NULL && strcmp(c->intent.id, intent_id) == 0)
			return true;
	return false;
}

/* Cuts every change; their intents stay in the store. */
void
change_free_all(struct gateway *gw)
{
	while (!TAILQ_EMPTY(&gw->changes))
		change_free(TAILQ_FIRST(&gw->changes));
}
