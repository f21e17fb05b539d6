#include "config.h"

#include "base/mem.h"
#include "base/uuid.h"
#include "core/connector.h"
#include "core/create_impl.h"
#include "core/follow.h"
#include "core/trail.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define CREATION_INHERIT_MS (24 * 3600 * 1000) /* how long an unclaimed item can be inherited */
#define CREATION_NAME_WAIT_MS 25 /* between two attempts at a name that is held for the moment */
#define CREATION_MARGIN_MS 250     /* the POST ends this long before its client's deadline */

/* ---- sending ---- */

/* Statuses after which the upstream has certainly not created anything; what a declaration
 * has a sentence for is one. */
static bool
creation_refused(const struct resource *r, int status)
{
	if (resource_error_of(r, status) != NULL)
		return true;
	return status >= 300 && status < 500 && status != 408 && status != 409 && status != 425 &&
	    status != 499;
}

/* Takes the item out of a 2xx answer; false when there is none with a proper id
 * in it. Any id says that an item was made. */
static bool
creation_take(struct creation *c, const struct upstream_answer *a)
{
	struct json_object *item = gateway_read_item(c->gw, &c->project, a, NULL), *id = NULL;
	const char *text;

	if (item == NULL)
		goto out;
	c->made = json_object_object_get_ex(item, c->project.resource->id, &id) && id != NULL;
	text = resource_id(c->project.resource, item);
	if (text == NULL)
		goto out;
	claim_keep(&c->claim, item, 0);
	free(c->claim.made_id);
	c->claim.made_id = mem_string(text);
out:
	json_object_put(item);
	return c->claim.found != NULL;
}

/* Whether the answer's item can be a new one. One that was deleted here is asked for
 * before it is believed: something on the way may have given an old answer. */
static bool
creation_is_new(struct creation *c)
{
	if (!shelf_is_buried(c->gw->shelf, c->project.scope, c->claim.made_id))
		return true;
	json_object_put(c->claim.found);
	c->claim.found = NULL;
	return false;
}

/* The upstream has answered the POST, or not. */
static void
creation_on_answer(void *arg, const struct upstream_answer *a)
{
	struct creation *c = arg;
	struct result r;

	c->call = NULL;
	gateway_saw_answer(c->gw, a);
	if (a->outcome == UPSTREAM_ANSWER && a->status >= 200 && a->status < 300) {
		if (creation_take(c, a) && creation_is_new(c) && creation_settle(c, false))
			return;
		creation_unknown(c, "the answer was not understood");
	} else if (a->outcome == UPSTREAM_ANSWER && creation_refused(c->project.resource, a->status)) {
		gateway_trouble(&r, a, &c->project);
		if (r.status == 404) {
			result_clear(&r);
			result_error(&r, 502, "Bluejay answered with status 404");
		}
		creation_drop(c, &r);
	} else if (a->outcome != UPSTREAM_ANSWER && !a->maybe_received) {
		gateway_trouble(&r, a, &c->project);
		creation_drop(c, &r);
	} else {
		creation_unknown(c, a->outcome == UPSTREAM_ANSWER ? "status 5xx" : "no whole answer");
	}
}

/* Sends the POST. */
static void
creation_send(struct creation *c)
{
	const struct resource_call *create = &c->project.resource->create;
	int64_t now = loop_now(c->gw->loop), left = c->deadline - now;
	char *path = project_path(&c->project, create, NULL);
	struct upstream_request q;
	struct result r;

	if (!peers_may_send(c->gw)) {
		free(path);
		gateway_store_trouble(&r);
		creation_drop(c, &r);
		return;
	}
	creation_set(c, CREATION_SENDING);
	creation_count(c, true);
	gateway_request(c->gw, &c->project, &q, create->method, path);
	q.body = c->intent.sent;
	q.body_len = strlen(c->intent.sent);
	q.repeat = UPSTREAM_ONCE;
	q.fresh_connection = !c->project.listed;
	q.deadline = now + (c->project.listed ? left / 2 : left - CREATION_MARGIN_MS);
	c->call = connector_start(c->gw, &c->project, &q, c->intent.kept, creation_on_answer, c);
	free(path);
}

/* Cuts the POSTs that are on their way: whether they were done is not known then. */
void
create_cut(struct gateway *gw)
{
	const struct upstream_answer cut = {.outcome = UPSTREAM_TIMEOUT, .maybe_received = true,
	    .retry_after = -1};
	struct creation *c, *next;

	HASH_ITER(hh, gw->creations, c, next) {
		if (c->state != CREATION_SENDING || c->call == NULL)
			continue;
		upstream_cancel(c->call);
		creation_on_answer(c, &cut);
	}
}

/* ---- beginning ---- */

/* What an equal create made is not handed out: the name is taken, or another one is
 * made where names need not differ. */
static void
creation_not_inherited(struct creation *c)
{
	struct result r;

	if (c->project.resource->unique) {
		result_name_taken(&r, c->project.resource, c->intent.name);
		creation_refuse(c, &r);
	} else {
		c->alone = true;
		creation_begin(c);
	}
}

/* Hands out an item that an equal create made without telling anybody. */
static void
creation_inherit(struct creation *c, struct shelf_entry *e)
{
	struct result r;

	if (!e->record.unclaimed || shelf_show(e, &c->project, NULL, NULL) != 0) {
		creation_not_inherited(c);
		return;
	}
	c->local_id = mem_string(e->record.local_id);
	log_info(c->gw->log, "an equal create receives what was never handed out",
	    LOG_S("id", c->local_id));
	result_body(&r, 201, mem_copy(e->body, e->body_len), e->body_len);
	if (!creation_peer_claim(c, &r))
		creation_hand(c, &r, true);
	result_clear(&r);
}

/* The item was read again: one that is gone or was changed is not handed out, and
 * its name may be free. While Bluejay is down the last known copy will do, as for reads. */
static void
creation_on_checked(void *arg, const struct fetch_outcome *out)
{
	struct creation *c = arg;
	int64_t age = loop_wall(c->gw->loop) - out->entry->record.content_ms;
	bool known = out->status == FETCH_OK || (out->status == FETCH_FAILED && out->down &&
	    age < c->snap->config->bluejay.cache_stale);
	struct result r;

	c->fetch = NULL;
	if (out->status == FETCH_FAILED && !known) {
		result_copy(&r, out->trouble);
		creation_refuse(c, &r);
	} else if (known && out->entry->record.unclaimed) {
		creation_inherit(c, out->entry);
	} else {
		creation_begin(c);
	}
}

/* The name belongs to an item that an equal create made and nobody was told of: it
 * is handed out if it is still there, as it was made. */
static void
creation_check(struct creation *c, struct store_record *record)
{
	bool told = follow_is_claiming(c->gw, record->scope, record->local_id) ||
	    creation_is_handing(c->gw, record->scope, record->local_id);
	struct shelf_entry *e = told ? NULL : peers_put(c->gw, record, c->asked);
	bool again = c->checked;

	c->checked = true;
	if (e != NULL && fetch_fresh(c->gw, &c->project, e)) {
		creation_inherit(c, e);
	} else if (e != NULL && !again) {
		c->fetch = fetch_want(c->gw, &c->project, e, true, creation_on_checked, c);
	} else {
		creation_not_inherited(c);
	}
}

/* The key was answered before: the same answer again. Whoever is told it claims the
 * item, which the first answer may not have reached. */
static void
creation_repeat(struct creation *c, const char *answer)
{
	struct json_object *item = NULL;
	struct result r;

	if (json_read(answer, strlen(answer), &item, NULL))
		c->local_id = mem_string(json_get_string(item, "id"));
	json_object_put(item);
	result_body(&r, 201, mem_string(answer), strlen(answer));
	creation_hand(c, &r, c->local_id != NULL);
	result_clear(&r);
}

/* The store says no: tells why. */
static void
creation_not_begun(struct creation *c, struct store_reply *reply)
{
	struct result r;

	switch (reply->status) {
	case STORE_NAME_TAKEN:
		result_name_taken(&r, c->project.resource, c->intent.name);
		break;
	case STORE_KEY_MISMATCH:
		result_error(&r, 422, CREATE_KEY_CONTRADICTED);
		break;
	case STORE_UNSETTLED_SAME:
	case STORE_KEY_RUNNING:
		result_error(&r, 504,
		    "It is not known whether Bluejay created this %s before; an operator must decide "
		    "(persona-gateway intents)", c->project.resource->noun);
		break;
	case STORE_UNSETTLED_OTHER:
		result_error(&r, 503,
		    "The name \"%s\" is held by a change that is not settled yet; try again later",
		    c->intent.name);
		r.retry_after = 5000;
		break;
	default:
		gateway_store_trouble(&r);
		break;
	}
	creation_refuse(c, &r);
}

/* Whether the name is held by a rename that is only on its way: it is waited for. */
static bool
creation_waits_for_name(const struct creation *c, const struct store_reply *reply)
{
	return reply->status == STORE_UNSETTLED_OTHER && reply->intent_count > 0 &&
	    reply->intents[0].operation == STORE_UPDATE &&
	    reply->intents[0].state == STORE_PENDING && !TAILQ_EMPTY(&c->joined) &&
	    loop_now(c->gw->loop) + CREATION_NAME_WAIT_MS < c->deadline;
}

/* The intent is recorded: the POST goes out, or its twin is made first. */
void
creation_first(struct creation *c)
{
	struct result r;

	if (TAILQ_EMPTY(&c->joined)) {
		result_error(&r, 503, "Nobody waits for this create any more");
		creation_drop(c, &r); /* nothing was sent */
	} else if (c->twin != NULL) {
		creation_twin(c);
	} else {
		creation_send(c);
	}
}

/* The store has answered the intent. */
static void
creation_on_begun(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	if (creation_peer_meets(c, reply) || creation_peer_over(c, reply))
		return;
	if (creation_waits_for_name(c, reply)) {
		loop_timer_set(&c->timer, CREATION_NAME_WAIT_MS);
	} else if (reply->status == STORE_UNCLAIMED) {
		creation_check(c, &reply->records[0]);
	} else if (reply->status == STORE_KEY_ANSWER) {
		creation_repeat(c, reply->text);
	} else if (reply->status != STORE_OK) {
		creation_not_begun(c, reply);
	} else {
		creation_first(c);
	}
}

/* Records the intent. */
void
creation_begin(struct creation *c)
{
	int64_t wall = loop_wall(c->gw->loop);
	struct store_create in = {
	    .intent = &c->intent,
	    .now_ms = wall,
	    .key_expires_ms = wall + c->snap->config->bluejay.settle_keys,
	    .unclaimed_since_ms = c->alone ? INT64_MAX : wall - CREATION_INHERIT_MS,
	};

	creation_set(c, CREATION_BEGINNING);
	c->intent.created_ms = c->intent.touched_ms = c->claim.created_ms = wall;
	c->asked = c->gw->sequence;
	c->store = store_create_begin(c->gw->store, &in, creation_on_begun, c);
}

/* The names upstream are known now, or cannot be. */
static void
creation_on_names(void *arg, const struct result *trouble)
{
	struct creation *c = arg;
	struct result r;

	c->names = NULL;
	if (trouble == NULL) {
		creation_begin(c);
		return;
	}
	result_copy(&r, trouble);
	creation_refuse(c, &r);
}

/* What the timer is for: another attempt at a name that was held, or a look. */
static void
creation_on_timer(void *arg)
{
	struct creation *c = arg;

	if (c->state == CREATION_BEGINNING && c->store == NULL)
		creation_begin(c); /* the name may be free or taken now */
	else if (c->state != CREATION_BEGINNING)
		creation_go_on(c);
}

/* A listing has shown what this create made: goes on soon. */
static void
creation_on_shown(void *arg)
{
	struct creation *c = arg;

	if (c->state == CREATION_WAITING)
		loop_timer_set(&c->timer, 0);
}

/* Says what is looked for when the outcome is unknown; takes the tree over. */
static void
creation_claim(struct creation *c, struct json_object *sent)
{
	const struct resource *resource = c->project.resource;

	c->claim.sent = sent;
	c->claim.name = resource->unique ? c->intent.name
	                                 : resource_label(resource, c->project.mapping, sent);
}

/* Fills the intent from the client's body. */
static void
creation_fill(struct creation *c, const struct create_wait *w, const char *id)
{
	struct mapping_project mp = {c->project.id, c->project.has_agent, c->project.agent_id};
	struct mapping_request m;

	mapping_request_make(c->project.mapping, MAPPING_CREATE, w->body, &mp, &m, NULL);
	c->intent.id = mem_string(id);
	c->intent.operation = STORE_CREATE;
	c->intent.state = STORE_PENDING;
	c->intent.scope = mem_string(c->project.scope);
	c->intent.project = mem_string(c->project.id);
	c->intent.name = c->project.resource->unique ? mem_string(w->name) : NULL;
	c->intent.fingerprint = mem_string(w->fingerprint);
	c->intent.sent = json_print(m.upstream, NULL);
	creation_claim(c, json_object_get(m.upstream));
	if (m.kept != NULL && json_object_object_length(m.kept) > 0)
		c->intent.kept = json_print(m.kept, NULL);
	if (m.absent != NULL && json_object_object_length(m.absent) > 0)
		c->intent.absent = json_print(m.absent, NULL);
	c->intent.key = mem_string(w->key);
	c->intent.key_hash = mem_string(w->key_hash);
	creation_twin_fill(c, w->body);
	mapping_request_clear(&m);
}

/* Makes a create in memory. */
static struct creation *
creation_new(struct gateway *gw, const struct project *p, const char *intent_id, const char *name)
{
	struct creation *c = mem_zero(1, sizeof *c);

	c->gw = gw;
	c->snap = snapshot_ref(p->snap);
	c->project = *p;
	c->key = gateway_key(p->scope, p->resource->unique ? name : intent_id);
	c->send = creation_send;
	settle_start(&c->settle, loop_now(gw->loop), c->snap->config->bluejay.settle_grace);
	result_init(&c->trouble);
	TAILQ_INIT(&c->joined);
	TAILQ_INIT(&c->behind);
	loop_timer_init(&c->timer, gw->loop, creation_on_timer, c);
	peer_wait_init(&c->peer, gw, creation_peer_on_wait, c);
	c->claim.project = &c->project;
	c->claim.shown = creation_on_shown;
	c->claim.arg = c;
	claim_add(gw, &c->claim);
	HASH_ADD_KEYPTR(hh, gw->creations, c->key, strlen(c->key), c);
	return c;
}

/* Starts a create. */
void
creation_start(struct create_wait *w)
{
	struct creation *c;
	char id[UUID_SIZE];

	uuid_make(id);
	c = creation_new(w->gw, &w->project, id, w->name);
	c->request = trail_request(c->gw, w->project.trace);
	c->deadline = w->deadline;
	w->state = CREATE_WAIT_JOINED;
	w->creation = c;
	TAILQ_INSERT_TAIL(&c->joined, w, link);
	creation_fill(c, w, id);
	if (names_known(c->gw, &c->project))
		creation_begin(c);
	else
		c->names = names_want(c->gw, &c->project, creation_on_names, c);
}

/* Goes on with an intent of an earlier run. */
void
create_resume(struct gateway *gw, const struct store_intent *in)
{
	struct json_object *sent = NULL;
	struct project p;
	struct creation *c;
	struct result r;

	if (in->state == STORE_OPERATOR)
		return;
	if (!snapshot_project_of_scope(gw->snap, in->scope, in->project, &p)) {
		log_warn(gw->log, "an unsettled create belongs to no configured project",
		    LOG_S("intent", in->id), LOG_S("scope", in->scope));
		return;
	}
	c = creation_new(gw, &p, in->id, in->name);
	store_intent_copy(&c->intent, in);
	c->claim.created_ms = in->created_ms;
	if (in->state == STORE_TWINNING) {
		result_error(&r, 502, "Nothing was sent");
		creation_drop(c, &r);
	} else if (json_read(in->sent, strlen(in->sent), &sent, NULL)) {
		creation_claim(c, sent);
		creation_unknown(c, "the gateway stopped before it was settled");
	} else {
		creation_free(c);
	}
}

/* Leaves a create to the operator. */
bool
create_let_go(struct gateway *gw, const char *intent_id)
{
	struct creation *c, *next;
	struct result r;

	HASH_ITER(hh, gw->creations, c, next) {
		if (c->intent.id == NULL || strcmp(c->intent.id, intent_id) != 0)
			continue;
		if (!creation_is_unsettled(c))
			return false;
		result_error(&r, 504, "The operator has taken over this create");
		creation_refuse(c, &r);
		return true;
	}
	return true;
}

/* Whether a create with this intent runs. */
bool
create_runs(const struct gateway *gw, const char *intent_id)
{
	const struct creation *c;

	for (c = gw->creations; c != NULL; c = c->hh.next)
		if (c->intent.id != NULL && strcmp(c->intent.id, intent_id) == 0)
			return true;
	return false;
}

/* How many outcomes are being looked for. */
unsigned
create_unsettled(const struct gateway *gw)
{
	const struct creation *c;
	unsigned n = 0;

	for (c = gw->creations; c != NULL; c = c->hh.next)
		n += creation_is_unsettled(c) ||
		    (c->state != CREATION_HANDING && c->settle.looks > 0); /* being recorded or dropped */
	return n;
}

/* Cuts every create; their intents stay in the store. */
void
create_free_all(struct gateway *gw)
{
	struct creation *c, *next;

	HASH_ITER(hh, gw->creations, c, next)
		creation_free(c);
}
