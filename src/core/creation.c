#include "config.h"

#include "base/mem.h"
#include "base/timestamp.h"
#include "base/uuid.h"
#include "core/create_body.h"
#include "core/create_impl.h"
#include "core/follow.h"
#include "core/gone.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define CREATION_INHERIT_MS (24 * 3600 * 1000) /* how long an unclaimed persona can be inherited */
#define CREATION_RESEND_MIN_MS 500 /* less time than this is not worth another POST */
#define CREATION_NAME_WAIT_MS 25 /* between two attempts at a name that is held for the moment */
#define CREATION_MARGIN_MS 250     /* the POST ends this long before its client's deadline */

static const char *const creation_names[] = {"opening", "beginning", "sending", "waiting",
    "looking", "settling", "dropping", "handing"};

/* Whether the outcome of a sent create is being looked for. */
bool
creation_is_unsettled(const struct creation *c)
{
	return c->state == CREATION_WAITING || c->state == CREATION_LOOKING;
}

/* Moves to another state. */
static void
creation_set(struct creation *c, enum creation_state state)
{
	log_debug(c->gw->log, "create", LOG_S("intent", c->intent.id),
	    LOG_S("from", creation_names[c->state]), LOG_S("to", creation_names[state]));
	c->state = state;
	c->claim.awaited = state == CREATION_SENDING || state == CREATION_SETTLING;
	c->claim.looking = creation_is_unsettled(c);
}

/* Counts or uncounts a write that must not be cut by a stop. */
static void
creation_count(struct creation *c, bool on)
{
	if (on && !c->counted)
		c->gw->writes_running++;
	else if (!on && c->counted)
		c->gw->writes_running--;
	c->counted = on;
}

/* Frees a create; clients behind it are the caller's. */
static void
creation_free(struct creation *c)
{
	creation_count(c, false);
	HASH_DEL(c->gw->creations, c);
	loop_timer_cancel(&c->timer);
	if (c->store != NULL)
		store_cancel(c->store);
	if (c->call != NULL)
		upstream_cancel(c->call);
	if (c->listing != NULL)
		listing_leave(c->listing);
	store_intent_clear(&c->intent);
	claim_remove(c->gw, &c->claim);
	json_object_put(c->claim.sent);
	result_clear(&c->trouble);
	snapshot_unref(c->snap);
	free(c->local_id);
	free(c->key);
	free(c);
}

/* Ends a create: those behind it try again. */
static void
creation_end(struct creation *c)
{
	struct create_waits behind = TAILQ_HEAD_INITIALIZER(behind);

	TAILQ_CONCAT(&behind, &c->behind, link);
	creation_free(c);
	create_wait_retry_all(&behind);
}

/* Ends a create with the same error for every client. */
static void
creation_refuse(struct creation *c, struct result *trouble)
{
	create_wait_give_all(c, trouble, false);
	result_clear(trouble);
	creation_end(c);
}

/* A client was told, or could not be. */
void
creation_told(struct creation *c, bool sent)
{
	if (sent && c->unclaimed) {
		c->unclaimed = false;
		follow_claim(c->gw, c->project.scope, c->local_id);
	}
	if (--c->untold == 0)
		creation_end(c);
}

/* Hands the answer to the clients and waits until they were told. */
static void
creation_hand(struct creation *c, const struct result *result, bool claim)
{
	struct create_wait *w;

	creation_set(c, CREATION_HANDING);
	creation_count(c, false);
	c->unclaimed = claim;
	c->untold = 1; /* this function, so that the last client's word cannot end it meanwhile */
	TAILQ_FOREACH(w, &c->joined, link)
		c->untold++;
	create_wait_give_all(c, result, true);
	if (--c->untold == 0)
		creation_end(c);
}

/* ---- recording the outcome ---- */

static void creation_look_later(struct creation *);

/* The record is stored: everybody who waits gets the persona. */
static void
creation_on_settled(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;
	struct shelf_entry *e;
	struct result r;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	if (reply->status == STORE_UNAVAILABLE) {
		gateway_store_trouble(&r);
		create_wait_give_all(c, &r, false);
		result_clear(&r);
		creation_look_later(c); /* the intent is recorded: tried again later */
		return;
	}
	if (reply->status != STORE_OK) {
		result_error(&r, 504, "The operator has given up this create");
		creation_refuse(c, &r);
		return;
	}
	c->local_id = mem_string(reply->records[0].local_id);
	gone_disproved(c->gw, c->project.scope, NULL, c->claim.found);
	e = shelf_written(c->gw->shelf, &reply->records[0], ++c->gw->sequence);
	epoch_touch(c->gw, c->project.scope);
	if (e == NULL || shelf_show(e, c->snap->mapping, c->claim.found, NULL) != 0) {
		result_error(&r, 502, "Bluejay gave an answer that the gateway does not understand");
		creation_refuse(c, &r);
		return;
	}
	e->fetched = e->made = loop_now(c->gw->loop);
	result_body(&r, 201, mem_copy(e->body, e->body_len), e->body_len);
	creation_hand(c, &r, true);
	result_clear(&r);
}

/* Records the persona in c->claim.found. False when it does not have the declared shape. */
static bool
creation_settle(struct creation *c)
{
	const char *id = json_get_string(c->claim.found, "id");
	const char *created = json_get_string(c->claim.found, "created_at");
	const char *name = mapping_persona_name(c->snap->mapping, c->claim.found);
	struct store_record r;
	struct fail fail;
	char *body;

	memset(&r, 0, sizeof r);
	if (created == NULL || !timestamp_parse(created, strlen(created), &r.created_ms))
		r.created_ms = loop_wall(c->gw->loop);
	body = create_body_make(c->snap->mapping, &c->intent, c->claim.found, id, r.created_ms, &fail);
	if (body == NULL) {
		log_warn(c->gw->log, "a created persona does not have the declared shape",
		    LOG_S("intent", c->intent.id), LOG_S("why", fail.text));
		json_object_put(c->claim.found);
		c->claim.found = NULL;
		return false;
	}
	creation_set(c, CREATION_SETTLING);
	creation_count(c, true);
	r.scope = c->project.scope;
	r.local_id = r.upstream_id = mem_string(id);
	r.name = mem_string(name != NULL ? name : c->intent.name);
	r.updated_ms = r.created_ms;
	r.kept = c->intent.kept;
	r.absent = c->intent.absent;
	r.content = json_print(c->claim.found, NULL);
	r.content_ms = loop_wall(c->gw->loop);
	r.unclaimed = true;
	r.fingerprint = c->intent.fingerprint;
	c->store = store_create_settle(c->gw->store, c->intent.id, &r, body, creation_on_settled, c);
	free(r.local_id);
	free(r.name);
	free(r.content);
	free(body);
	return true;
}

/* The intent is gone from the store: the clients are told why. */
static void
creation_on_dropped(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;
	struct result r;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	result_move(&r, &c->trouble);
	if (reply->status == STORE_UNAVAILABLE) {
		create_wait_give_all(c, &r, false);
		result_clear(&r);
		c->drop_again = true;
		creation_look_later(c);
		return;
	}
	creation_refuse(c, &r);
}

/* It certainly did not happen: frees the name, then tells the clients. */
static void
creation_drop(struct creation *c, struct result *trouble)
{
	creation_set(c, CREATION_DROPPING);
	result_move(&c->trouble, trouble);
	c->drop_again = false;
	c->store = store_intent_drop(c->gw->store, c->intent.id, creation_on_dropped, c);
}

/* ---- unknown outcomes ---- */

static void creation_send(struct creation *);
static void creation_begin(struct creation *);

/* Waits for the next look. */
static void
creation_look_later(struct creation *c)
{
	creation_set(c, CREATION_WAITING);
	creation_count(c, false);
	loop_timer_set(&c->timer, settle_delay(&c->settle, loop_now(c->gw->loop)));
}

/* Three complete looks over the grace time have not shown it: it does not exist. */
static void
creation_absent(struct creation *c)
{
	struct create_wait *w, *last = NULL;
	struct result r;

	TAILQ_FOREACH(w, &c->joined, link)
		if (last == NULL || w->deadline > last->deadline)
			last = w;
	if (last != NULL && last->deadline - loop_now(c->gw->loop) >= CREATION_RESEND_MIN_MS) {
		log_info(c->gw->log, "a create was proven absent and is sent again",
		    LOG_S("intent", c->intent.id));
		c->deadline = last->deadline;
		creation_send(c);
		return;
	}
	log_info(c->gw->log, "a create was proven absent; its name is free",
	    LOG_S("intent", c->intent.id));
	result_error(&r, 502, "Bluejay did not create the persona; nothing was kept");
	creation_drop(c, &r);
}

/* A listing is known: what it showed of ours is in c->claim.found. */
static void
creation_on_listing(void *arg, const struct listing_view *view)
{
	struct creation *c = arg;

	c->listing = NULL;
	if (c->claim.found != NULL && creation_settle(c))
		return;
	if (view->trouble == NULL && view->complete &&
	    settle_absent(&c->settle, loop_now(c->gw->loop)))
		creation_absent(c);
	else
		creation_look_later(c);
}

/* Time for a look, or for recording what was found. */
static void
creation_on_timer(void *arg)
{
	struct creation *c = arg;
	struct result r;

	if (c->state == CREATION_BEGINNING)
		creation_begin(c); /* the name may be free or taken now */
	if (c->state != CREATION_WAITING)
		return;
	if (c->drop_again) {
		result_error(&r, 502, "Bluejay did not create the persona; nothing was kept");
		creation_drop(c, &r);
		return;
	}
	if (c->claim.found != NULL && creation_settle(c))
		return;
	creation_set(c, CREATION_LOOKING);
	c->listing = listing_want(c->gw, &c->project, LISTING_NEW, creation_on_listing, c);
}

/* Nobody can say what became of it: the operator must, when there is no listing. */
static void
creation_unknown(struct creation *c, const char *why)
{
	struct result r;

	log_warn(c->gw->log, "the outcome of a create is not known", LOG_S("intent", c->intent.id),
	    LOG_S("scope", c->project.scope), LOG_S("why", why));
	store_intent_mark(c->gw->store, c->intent.id,
	    c->project.has_agent ? STORE_UNKNOWN : STORE_OPERATOR, loop_wall(c->gw->loop), NULL, NULL);
	if (!c->project.has_agent) {
		result_error(&r, 504,
		    "It is not known whether Bluejay created this persona, and without an agent for the "
		    "project the gateway cannot look. The name stays reserved until an operator decides "
		    "(persona-gateway intents)");
		creation_refuse(c, &r);
		return;
	}
	settle_start(&c->settle, loop_now(c->gw->loop), c->snap->config->bluejay.settle_grace);
	creation_look_later(c);
	create_wait_refuse_behind(c);
}

/* A listing has shown what this create made: goes on soon. */
static void
creation_on_shown(void *arg)
{
	struct creation *c = arg;

	if (c->state == CREATION_WAITING)
		loop_timer_set(&c->timer, 0);
}

/* ---- sending ---- */

/* Statuses after which the upstream has certainly not created anything. */
static bool
creation_refused(int status)
{
	return status >= 300 && status < 500 && status != 408 && status != 409 && status != 425 &&
	    status != 499;
}

/* Takes the persona out of a 2xx answer; false when there is none in it. */
static bool
creation_take(struct creation *c, const struct upstream_answer *a)
{
	struct json_object *persona = NULL;
	const char *id;

	if (json_read(a->body, a->body_len, &persona, NULL) &&
	    json_object_is_type(persona, json_type_object) &&
	    (id = json_get_string(persona, "id")) != NULL && uuid_valid(id, strlen(id))) {
		json_object_put(c->claim.found);
		c->claim.found = persona;
		return true;
	}
	json_object_put(persona);
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
		if (creation_take(c, a) && creation_settle(c))
			return;
		creation_unknown(c, "the answer was not understood");
	} else if (a->outcome == UPSTREAM_ANSWER && creation_refused(a->status)) {
		result_from_upstream(&r, a, c->snap->mapping);
		if (r.status == 404) {
			result_clear(&r);
			result_error(&r, 502, "Bluejay answered with status 404");
		}
		creation_drop(c, &r);
	} else if (a->outcome != UPSTREAM_ANSWER && !a->maybe_received) {
		result_from_upstream(&r, a, c->snap->mapping);
		creation_drop(c, &r);
	} else {
		creation_unknown(c, a->outcome == UPSTREAM_ANSWER ? "status 5xx" : "no whole answer");
	}
}

/* Sends the POST. */
static void
creation_send(struct creation *c)
{
	int64_t now = loop_now(c->gw->loop), left = c->deadline - now;
	struct upstream_request q;

	creation_set(c, CREATION_SENDING);
	creation_count(c, true);
	gateway_request(c->gw, &c->project, &q, "POST", "/v1/create-customer-persona");
	q.body = c->intent.sent;
	q.body_len = strlen(c->intent.sent);
	q.repeat = UPSTREAM_ONCE;
	q.fresh_connection = !c->project.has_agent;
	q.deadline = now + (c->project.has_agent ? left / 2 : left - CREATION_MARGIN_MS);
	c->call = upstream_start(c->gw->upstream, &q, creation_on_answer, c);
}

/* ---- beginning ---- */

/* The name belongs to a persona that an equal create made without telling anybody. */
static void
creation_inherit(struct creation *c, struct store_record *record)
{
	struct shelf_entry *e;
	struct result r;

	c->local_id = mem_string(record->local_id);
	e = shelf_put(c->gw->shelf, record);
	if (e == NULL || shelf_show(e, c->snap->mapping, NULL, NULL) != 0) {
		result_error(&r, 409, "Persona with name \"%s\" already exists", c->intent.name);
		creation_refuse(c, &r);
		return;
	}
	log_info(c->gw->log, "an equal create receives a persona that was never handed out",
	    LOG_S("id", c->local_id));
	result_body(&r, 201, mem_copy(e->body, e->body_len), e->body_len);
	creation_hand(c, &r, true);
	result_clear(&r);
}

/* The store says no: tells why. */
static void
creation_not_begun(struct creation *c, struct store_reply *reply)
{
	struct result r;

	switch (reply->status) {
	case STORE_NAME_TAKEN:
		result_error(&r, 409, "Persona with name \"%s\" already exists", c->intent.name);
		break;
	case STORE_KEY_ANSWER:
		result_body(&r, 201, mem_string(reply->text), strlen(reply->text));
		break;
	case STORE_KEY_MISMATCH:
		result_error(&r, 422, "This Idempotency-Key was used before with another request body");
		break;
	case STORE_UNSETTLED_SAME:
	case STORE_KEY_RUNNING:
		result_error(&r, 504,
		    "It is not known whether Bluejay created this persona before; an operator must decide "
		    "(persona-gateway intents)");
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

/* The store has answered the intent. */
static void
creation_on_begun(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;
	struct result r;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	if (creation_waits_for_name(c, reply)) {
		loop_timer_set(&c->timer, CREATION_NAME_WAIT_MS);
	} else if (reply->status == STORE_UNCLAIMED) {
		creation_inherit(c, &reply->records[0]);
	} else if (reply->status != STORE_OK) {
		creation_not_begun(c, reply);
	} else if (TAILQ_EMPTY(&c->joined)) {
		result_error(&r, 503, "Nobody waits for this create any more");
		creation_drop(c, &r); /* nothing was sent */
	} else {
		creation_send(c);
	}
}

/* Records the intent. */
static void
creation_begin(struct creation *c)
{
	int64_t wall = loop_wall(c->gw->loop);
	struct store_create in = {
	    .intent = &c->intent,
	    .now_ms = wall,
	    .key_expires_ms = wall + c->snap->config->bluejay.settle_keys,
	    .unclaimed_since_ms = wall - CREATION_INHERIT_MS,
	};

	creation_set(c, CREATION_BEGINNING);
	c->intent.created_ms = c->intent.touched_ms = c->claim.created_ms = wall;
	c->store = store_create_begin(c->gw->store, &in, creation_on_begun, c);
}

/* The agent's names are known now, or cannot be. */
static void
creation_on_names(void *arg, const struct listing_view *view)
{
	struct creation *c = arg;
	struct result r;

	c->listing = NULL;
	if (view->trouble == NULL) {
		creation_begin(c);
		return;
	}
	result_copy(&r, view->trouble);
	creation_refuse(c, &r);
}

/* The store says whether the agent was ever listed. */
static void
creation_on_scope(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;
	struct result r;

	c->store = NULL;
	if (reply->status != STORE_OK) {
		gateway_store_trouble(&r);
		creation_refuse(c, &r);
	} else if (reply->number != 0) {
		listing_set_ever(c->gw, c->project.scope);
		creation_begin(c);
	} else {
		c->listing = listing_want(c->gw, &c->project, LISTING_RECENT, creation_on_names, c);
	}
}

/* Fills the intent from the client's body. */
static void
creation_fill(struct creation *c, const struct create_wait *w)
{
	struct mapping_project mp = {c->project.id, c->project.has_agent, c->project.agent_id};
	struct mapping_request m;
	char id[UUID_SIZE];

	uuid_make(id);
	mapping_request_make(c->snap->mapping, MAPPING_CREATE, w->body, &mp, &m, NULL);
	c->intent.id = mem_string(id);
	c->intent.operation = STORE_CREATE;
	c->intent.state = STORE_PENDING;
	c->intent.scope = mem_string(c->project.scope);
	c->intent.project = mem_string(c->project.id);
	c->intent.name = mem_string(w->name);
	c->intent.fingerprint = mem_string(w->fingerprint);
	c->intent.sent = json_print(m.upstream, NULL);
	c->claim.sent = json_object_get(m.upstream);
	if (m.kept != NULL && json_object_object_length(m.kept) > 0)
		c->intent.kept = json_print(m.kept, NULL);
	if (m.absent != NULL && json_object_object_length(m.absent) > 0)
		c->intent.absent = json_print(m.absent, NULL);
	c->intent.key = mem_string(w->key);
	c->intent.key_hash = mem_string(w->key_hash);
	mapping_request_clear(&m);
}

/* Makes a create in memory. */
static struct creation *
creation_new(struct gateway *gw, const struct project *p, const char *name)
{
	struct creation *c = mem_zero(1, sizeof *c);

	c->gw = gw;
	c->snap = snapshot_ref(gw->snap);
	c->project = *p;
	c->key = gateway_key(p->scope, name);
	result_init(&c->trouble);
	TAILQ_INIT(&c->joined);
	TAILQ_INIT(&c->behind);
	loop_timer_init(&c->timer, gw->loop, creation_on_timer, c);
	c->claim.scope = c->project.scope;
	c->claim.mapping = c->snap->mapping;
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
	struct creation *c = creation_new(w->gw, &w->project, w->name);

	c->deadline = w->deadline;
	w->state = CREATE_WAIT_JOINED;
	w->creation = c;
	TAILQ_INSERT_TAIL(&c->joined, w, link);
	creation_fill(c, w);
	if (!c->project.has_agent || listing_ever(c->gw, c->project.scope))
		creation_begin(c);
	else
		c->store = store_list(c->gw->store, c->project.scope, creation_on_scope, c);
}

/* Goes on with an intent of an earlier run. */
void
create_resume(struct gateway *gw, const struct store_intent *in)
{
	struct project p;
	struct creation *c;

	if (in->state == STORE_OPERATOR)
		return;
	if (!snapshot_project_of_scope(gw->snap, in->scope, in->project, &p)) {
		log_warn(gw->log, "an unsettled create belongs to no configured project",
		    LOG_S("intent", in->id), LOG_S("scope", in->scope));
		return;
	}
	c = creation_new(gw, &p, in->name);
	store_intent_copy(&c->intent, in);
	c->claim.created_ms = in->created_ms;
	if (json_read(in->sent, strlen(in->sent), &c->claim.sent, NULL))
		creation_unknown(c, "the gateway stopped before it was settled");
	else
		creation_free(c);
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

/* How many outcomes are being looked for. */
unsigned
create_unsettled(const struct gateway *gw)
{
	const struct creation *c;
	unsigned n = 0;

	for (c = gw->creations; c != NULL; c = c->hh.next)
		n += creation_is_unsettled(c);
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
