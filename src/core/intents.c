#include "config.h"

#include "core/intents.h"
#include "base/buf.h"
#include "base/mem.h"
#include "core/change.h"
#include "core/connector.h"
#include "core/create.h"
#include "core/create_body.h"
#include "core/epoch.h"
#include "core/gateway_impl.h"
#include "core/intent_print.h"
#include "core/twin.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define INTENTS_LIST_MAX ((size_t)64 << 20)

enum intents_action { INTENTS_LIST, INTENTS_ADOPT, INTENTS_FORGET };

struct intents_work {
	struct work work;
	struct gateway *gw;
	enum intents_action action;
	char *intent_id, *upstream_id;
	struct store_intent intent;
	struct snapshot *snap; /* of the project; NULL: none was looked for */
	struct project project;
	struct store_call *store;
	struct upstream_call *call;
	work_done_fn done;
	void *arg;
};

/* Ends what it waits for and frees it. */
static void
intents_free(struct intents_work *w)
{
	if (w->store != NULL)
		store_cancel(w->store);
	if (w->call != NULL)
		upstream_cancel(w->call);
	store_intent_clear(&w->intent);
	snapshot_unref(w->snap);
	free(w->intent_id);
	free(w->upstream_id);
	free(w);
}

/* The client is gone. */
static void
intents_cancel(struct work *w)
{
	intents_free((struct intents_work *)w);
}

/* The client was told. */
static void
intents_told(struct work *w, bool sent)
{
	intents_free((struct intents_work *)w);
}

static const struct work_ops intents_ops = {intents_cancel, intents_told};

/* Gives the result. */
static void
intents_give(struct intents_work *w, struct result *r)
{
	w->done(w->arg, r);
	result_clear(r);
}

/* Gives an error. */
static void
intents_refuse(struct intents_work *w, int status, const char *sentence)
{
	struct result r;

	result_error(&r, status, "%s", sentence);
	intents_give(w, &r);
}

/* The create cannot have made what the operator named. */
static void
intents_known(struct result *r, const struct intents_work *w)
{
	result_error(r, 409, "This %s is known already; another create made it",
	    w->project.resource->noun);
}

/* Lists every intent. */
static void
intents_give_list(struct intents_work *w, const struct store_reply *reply)
{
	struct result r;
	struct buf b;
	size_t len;
	char *body;

	buf_init(&b, INTENTS_LIST_MAX);
	buf_addc(&b, '[');
	for (size_t i = 0; i < reply->intent_count; i++)
		intent_print(&b, i == 0, w->gw->snap, &reply->intents[i]);
	buf_addc(&b, ']');
	body = buf_take(&b, &len);
	result_body(&r, 200, body, len);
	intents_give(w, &r);
}

/* The store could not do what the operator wants: what was let go is looked for again. */
static void
intents_take_back(struct intents_work *w)
{
	if (!w->intent.held)
		return;
	if (w->intent.operation == STORE_CREATE)
		create_resume(w->gw, &w->intent);
	else
		change_resume(w->gw, &w->intent);
}

/* What the operator decided changes a persona's twin. */
static void
intents_twin(const struct intents_work *w, const char *local_id)
{
	twin_touch(w->gw, w->intent.scope, local_id != NULL ? local_id : w->intent_id);
}

/* The intent is gone from the store. */
static void
intents_on_dropped(void *arg, struct store_reply *reply)
{
	struct intents_work *w = arg;
	struct result r;

	w->store = NULL;
	gateway_saw_store(w->gw, reply);
	if (reply->status == STORE_UNAVAILABLE) {
		gateway_store_trouble(&r);
		intents_take_back(w);
	} else {
		log_info(w->gw->log, "an operator gave up a write", LOG_S("intent", w->intent_id));
		intents_twin(w, w->intent.local_id);
		result_init(&r);
		r.status = 204;
	}
	intents_give(w, &r);
}

/* Refuses what another gateway is working on: nothing that is decided here would stop it.
 * True when it did. */
static bool
intents_refuse_foreign(struct intents_work *w)
{
	if (w->intent.held || w->intent.state == STORE_OPERATOR)
		return false;
	intents_refuse(w, 409, w->intent.orphaned
	        ? "The gateway that worked on this write is gone, and another one is about to take it "
	          "over; try again"
	        : "Another gateway is looking for the outcome of this write; decide it there, or wait "
	          "until it is left to an operator");
	return true;
}

/* Lets go of what runs for the intent, then removes it. */
static void
intents_drop(struct intents_work *w)
{
	bool free_now = w->intent.operation == STORE_CREATE
	    ? create_let_go(w->gw, w->intent_id)
	    : change_let_go(w->gw, w->intent_id);

	if (!free_now) {
		intents_refuse(w, 409, "This write is being sent or recorded at the moment; try again");
		return;
	}
	w->store = store_intent_drop(w->gw->store, w->intent_id, intents_on_dropped, w);
}

/* The item is recorded under the intent, or cannot be. */
static void
intents_on_settled(void *arg, struct store_reply *reply)
{
	struct intents_work *w = arg;
	struct shelf_entry *e;
	struct result r;

	w->store = NULL;
	gateway_saw_store(w->gw, reply);
	if (reply->status == STORE_UNAVAILABLE) {
		gateway_store_trouble(&r);
		intents_take_back(w);
	} else if (reply->status == STORE_ID_TAKEN) {
		intents_known(&r, w);
		intents_take_back(w);
	} else if (reply->status != STORE_OK) {
		result_error(&r, 404, "No such create");
	} else {
		intents_twin(w, reply->records[0].local_id);
		intents_twin(w, w->intent.local_id);
		e = shelf_written(w->gw->shelf, &reply->records[0], ++w->gw->sequence);
		epoch_touch(w->gw, w->intent.scope);
		if (shelf_show(e, &w->project, NULL, NULL) == 0)
			result_body(&r, 200, mem_copy(e->body, e->body_len), e->body_len);
		else
			result_error(&r, 502, "Bluejay gave an answer that the gateway does not understand");
		log_info(w->gw->log, "an operator settled a create", LOG_S("intent", w->intent_id));
	}
	intents_give(w, &r);
}

/* Records the item that the operator named. */
static void
intents_settle(struct intents_work *w, struct json_object *item)
{
	const char *name = resource_unique_name(w->project.resource, w->project.mapping, item);
	struct store_record r = {0};
	char *body;

	if (!create_let_go(w->gw, w->intent_id)) {
		intents_refuse(w, 409, "This create is being sent or recorded at the moment; try again");
		return;
	}
	r.created_ms = resource_created(w->project.resource, item, loop_wall(w->gw->loop));
	r.scope = w->intent.scope;
	r.local_id = w->intent.local_id != NULL ? w->intent.local_id : w->upstream_id;
	r.upstream_id = w->upstream_id;
	r.name = mem_string(name != NULL ? name : w->intent.name);
	r.updated_ms = r.created_ms;
	r.kept = w->intent.kept;
	r.absent = w->intent.absent;
	r.content = json_print(item, NULL);
	r.content_ms = loop_wall(w->gw->loop);
	r.unclaimed = true;
	r.fingerprint = w->intent.fingerprint;
	body = create_body_make(w->project.mapping, &w->intent, item, r.local_id, r.created_ms,
	    NULL);
	w->store = store_create_settle(w->gw->store, w->intent_id, &r, body, intents_on_settled, w);
	free(body);
	free(r.name);
	free(r.content);
}

/* The item that the operator named was asked for. */
static void
intents_on_item(void *arg, const struct upstream_answer *a)
{
	struct intents_work *w = arg;
	struct json_object *item = NULL;
	const char *id;
	struct result r;

	w->call = NULL;
	gateway_saw_answer(w->gw, a);
	if (a->outcome == UPSTREAM_ANSWER && a->status == 200 &&
	    (item = gateway_read_item(w->gw, &w->project, a, NULL)) != NULL &&
	    (id = resource_id(w->project.resource, item)) != NULL &&
	    strcmp(id, w->upstream_id) == 0) {
		intents_settle(w, item);
	} else {
		gateway_trouble(&r, a, &w->project);
		intents_give(w, &r);
	}
	json_object_put(item);
}

/* Whether the item is known already: then it is not what the create made. */
static void
intents_on_known(void *arg, struct store_reply *reply)
{
	struct intents_work *w = arg;
	struct upstream_request q;
	struct result r;
	char *path;

	w->store = NULL;
	if (reply->status == STORE_OK && !reply->records[0].adopted) {
		intents_known(&r, w);
		intents_give(w, &r);
		return;
	}
	path = project_path(&w->project, &w->project.resource->read, w->upstream_id);
	gateway_request(w->gw, &w->project, &q, "GET", path);
	w->call = connector_start(w->gw, &w->project, &q, w->intent.kept, intents_on_item, w);
	free(path);
}

/* Begins the adoption of a create's item. */
static void
intents_adopt_begin(struct intents_work *w)
{
	const struct resource *resource = snapshot_resource_of_scope(w->gw->snap, w->intent.scope);
	struct result r;

	if (resource != NULL && w->intent.operation != STORE_CREATE) {
		result_error(&r, 409, "Only a create can adopt a %s", resource->noun);
		intents_give(w, &r);
	} else if (resource != NULL && !resource_id_ok(resource, w->upstream_id)) {
		result_error(&r, 400, "The %s's id must be %s, as Bluejay shows it", resource->noun,
		    resource_id_noun(resource));
		intents_give(w, &r);
	} else if (!snapshot_project_of_scope(w->gw->snap, w->intent.scope, w->intent.project,
	               &w->project)) {
		intents_refuse(w, 409, "The configuration has no project for this create any more");
	} else {
		w->snap = snapshot_ref(w->project.snap);
		w->store = store_get(w->gw->store, w->intent.scope, w->upstream_id, intents_on_known, w);
	}
}

/* The store's intents are known. */
static void
intents_on_intents(void *arg, struct store_reply *reply)
{
	struct intents_work *w = arg;
	struct result r;

	w->store = NULL;
	if (reply->status != STORE_OK) {
		gateway_store_trouble(&r);
		intents_give(w, &r);
		return;
	}
	if (w->action == INTENTS_LIST) {
		intents_give_list(w, reply);
		return;
	}
	for (size_t i = 0; i < reply->intent_count; i++) {
		if (strcmp(reply->intents[i].id, w->intent_id) == 0) {
			store_intent_copy(&w->intent, &reply->intents[i]);
			if (intents_refuse_foreign(w))
				return;
			if (w->action == INTENTS_FORGET)
				intents_drop(w);
			else
				intents_adopt_begin(w);
			return;
		}
	}
	intents_refuse(w, 404, "No such intent; it may be settled by now");
}

/* Starts any of the three. */
static struct work *
intents_start(struct gateway *gw, enum intents_action action, const char *intent_id,
    const char *upstream_id, work_done_fn done, void *arg)
{
	struct intents_work *w = mem_zero(1, sizeof *w);

	w->work.ops = &intents_ops;
	w->gw = gw;
	w->action = action;
	w->intent_id = mem_string(intent_id);
	w->upstream_id = mem_string(upstream_id);
	w->done = done;
	w->arg = arg;
	w->store = store_intents(gw->store, intents_on_intents, w);
	return &w->work;
}

/* Lists what is unsettled. */
struct work *
intents_list(struct gateway *gw, work_done_fn done, void *arg)
{
	return intents_start(gw, INTENTS_LIST, NULL, NULL, done, arg);
}

/* Records a create's item. */
struct work *
intents_adopt(struct gateway *gw, const char *intent_id, const char *upstream_id,
    work_done_fn done, void *arg)
{
	return intents_start(gw, INTENTS_ADOPT, intent_id, upstream_id, done, arg);
}

/* Gives a write up. */
struct work *
intents_forget(struct gateway *gw, const char *intent_id, work_done_fn done, void *arg)
{
	return intents_start(gw, INTENTS_FORGET, intent_id, NULL, done, arg);
}
