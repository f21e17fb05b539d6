#include "config.h"

#include "base/mem.h"
#include "core/connector.h"
#include "core/create_body.h"
#include "core/create_impl.h"
#include "core/gone.h"
#include "core/trail.h"
#include "json/json_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREATION_RESEND_MIN_MS 500 /* less time than this is not worth another POST */

/* ---- recording the outcome ---- */

/* Waits for the next look, or the next attempt at recording. */
void
creation_look_later(struct creation *c)
{
	creation_set(c, CREATION_WAITING);
	creation_count(c, false);
	loop_timer_set(&c->timer, settle_delay(&c->settle, loop_now(c->gw->loop)));
}

/* The store cannot record the item now: tried again later. */
static void
creation_not_recorded(struct creation *c)
{
	struct result r;

	result_error(&r, 503,
	    "Bluejay has created the %s, but the gateway cannot record it at the moment; send the "
	    "same request again to receive it", c->project.resource->noun);
	r.retry_after = 5000;
	r.doubt = true;
	create_wait_give_all(c, &r, false);
	result_clear(&r);
	creation_look_later(c);
	create_wait_refuse_behind(c);
}

/* What was found belongs to another create: Bluejay, or something on the way to it,
 * answered with an old answer. Nothing is known then but that it answered. */
static void
creation_deny(struct creation *c)
{
	log_warn(c->gw->log, "a create was answered with what another create made",
	    LOG_S("intent", c->intent.id), LOG_S("id", c->claim.made_id));
	json_object_put(c->claim.found);
	c->claim.found = NULL;
	free(c->claim.made_id);
	c->claim.made_id = NULL;
	creation_count(c, false);
	creation_unknown(c, "the id belongs to another create");
}

/* Says what became of a create of which no client is told, or was told that it is not known. */
static void
creation_trail(const struct creation *c, bool done, bool shown)
{
	if (!shown || c->settle.looks > 0 || TAILQ_EMPTY(&c->joined))
		trail_settled(c->gw, &c->intent, c->request, c->local_id, done);
}

/* The record is stored: everybody who waits gets the item. */
static void
creation_on_settled(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;
	struct shelf_entry *e;
	struct result r;
	bool shown;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	if (reply->status == STORE_UNAVAILABLE) {
		creation_not_recorded(c);
		return;
	}
	if (reply->status == STORE_ID_TAKEN) {
		creation_deny(c);
		return;
	}
	if (reply->status != STORE_OK && creation_peer_lost(c))
		return;
	if (reply->status != STORE_OK) {
		result_error(&r, 504, "The operator has given up this create");
		creation_refuse(c, &r);
		return;
	}
	c->local_id = mem_string(reply->records[0].local_id);
	creation_twin_over(c);
	gone_disproved(c->gw, c->project.scope, NULL, resource_organisation(c->claim.found));
	e = shelf_written(c->gw->shelf, &reply->records[0], ++c->gw->sequence);
	epoch_touch(c->gw, c->project.scope);
	shown = shelf_show(e, &c->project, c->claim.found, NULL) == 0;
	creation_trail(c, true, shown);
	if (!shown) {
		result_error(&r, 502, "Bluejay gave an answer that the gateway does not understand");
		creation_refuse(c, &r);
		return;
	}
	e->fetched = e->made = loop_now(c->gw->loop);
	result_body(&r, 201, mem_copy(e->body, e->body_len), e->body_len);
	creation_hand(c, &r, true);
	result_clear(&r);
}

/* The local answer for the item in the claim; NULL when it does not have the
 * declared shape: a create sends a name, so one comes back. */
static char *
creation_answer(struct creation *c, const char *id, int64_t created)
{
	struct fail fail;
	char *body = NULL;

	if (resource_is_labelled(c->project.resource) &&
	    resource_label(c->project.resource, c->project.mapping, c->claim.found) == NULL)
		fail_set(&fail, "the %s is missing", c->project.resource->name);
	else
		body = create_body_make(c->project.mapping, &c->intent, c->claim.found,
		    creation_local_id(c, id), created, &fail);
	if (body == NULL)
		log_warn(c->gw->log, "a create's answer does not have the declared shape",
		    LOG_S("intent", c->intent.id), LOG_S("id", id), LOG_S("why", fail.text));
	return body;
}

/* Records the item in the claim under its intent, with the answer for a key. */
static void
creation_record(struct creation *c, const char *id, int64_t created, const char *answer)
{
	const char *name = resource_unique_name(c->project.resource, c->project.mapping,
	    c->claim.found);
	struct store_record r;

	creation_set(c, CREATION_SETTLING);
	creation_count(c, true);
	memset(&r, 0, sizeof r);
	r.scope = c->project.scope;
	r.local_id = mem_string(creation_local_id(c, id));
	r.upstream_id = mem_string(id);
	r.name = mem_string(name != NULL ? name : c->intent.name);
	r.created_ms = r.updated_ms = created;
	r.kept = c->intent.kept;
	r.absent = c->intent.absent;
	r.content = json_print(c->claim.found, NULL);
	r.content_ms = loop_wall(c->gw->loop);
	r.unclaimed = true;
	r.fingerprint = c->intent.fingerprint;
	c->store = store_create_settle(c->gw->store, c->intent.id, &r, answer, creation_on_settled, c);
	free(r.local_id);
	free(r.upstream_id);
	free(r.name);
	free(r.content);
}

/* Records the item in the claim. One that does not have the declared shape is
 * ours all the same: false, unless it is to be recorded as it is. */
bool
creation_settle(struct creation *c, bool as_it_is)
{
	const char *id = resource_id(c->project.resource, c->claim.found);
	int64_t created;
	char *body;

	if (creation_twin_check(c, as_it_is))
		return true;
	created = resource_created(c->project.resource, c->claim.found, loop_wall(c->gw->loop));
	body = creation_answer(c, id, created);
	if (body == NULL && !as_it_is) {
		if (c->claim.made_id == NULL)
			c->claim.made_id = mem_string(id);
		json_object_put(c->claim.found);
		c->claim.found = NULL;
		return false;
	}
	creation_record(c, id, created, body);
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
		create_wait_refuse_behind(c);
		return;
	}
	creation_twin_over(c);
	creation_trail(c, false, true);
	creation_refuse(c, &r);
}

/* It certainly did not happen: frees the name, then tells the clients. */
void
creation_drop(struct creation *c, struct result *trouble)
{
	creation_set(c, CREATION_DROPPING);
	result_move(&c->trouble, trouble);
	c->drop_again = false;
	c->store = store_intent_drop(c->gw->store, c->intent.id, creation_on_dropped, c);
}

/* ---- unknown outcomes ---- */

/* Nobody but a person can say what became of it. */
static void creation_leave_to_operator(struct creation *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void
creation_leave_to_operator(struct creation *c, const char *fmt, ...)
{
	struct result r;
	struct fail why;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why.text, sizeof why.text, fmt, ap);
	va_end(ap);
	log_warn(c->gw->log, "a create is left to the operator", LOG_S("intent", c->intent.id),
	    LOG_S("scope", c->project.scope));
	store_intent_mark(c->gw->store, c->intent.id, STORE_OPERATOR, loop_wall(c->gw->loop), NULL,
	    NULL);
	result_error(&r, 504, c->project.resource->unique
	        ? "%s. The name stays reserved until an operator decides (persona-gateway intents)"
	        : "%s. An equal one is not created until an operator decides (persona-gateway intents)",
	    why.text);
	creation_refuse(c, &r);
}

/* The client that waits longest; NULL when none does. */
static const struct create_wait *
creation_last_wait(const struct creation *c)
{
	const struct create_wait *w, *last = NULL;

	TAILQ_FOREACH(w, &c->joined, link)
		if (last == NULL || w->deadline > last->deadline)
			last = w;
	return last;
}

/* It does not exist: sent again for a client that still waits, else dropped. */
static void
creation_not_made(struct creation *c)
{
	const struct create_wait *last = creation_last_wait(c);
	struct result r;

	if (c->claim.made_id != NULL) {
		result_error(&r, 502,
		    "Bluejay said that it created the %s, but does not have it; nothing was kept",
		    c->project.resource->noun);
	} else if (c->claim.elder) {
		result_name_taken(&r, c->project.resource, c->intent.name);
	} else if (last != NULL &&
	    last->deadline - loop_now(c->gw->loop) >= CREATION_RESEND_MIN_MS) {
		log_info(c->gw->log, "a create was proven absent and is sent again",
		    LOG_S("intent", c->intent.id));
		c->deadline = last->deadline;
		if (!creation_peer_resend(c))
			c->send(c);
		return;
	} else {
		result_error(&r, 502, "Bluejay did not create the %s; nothing was kept",
		    c->project.resource->noun);
	}
	log_info(c->gw->log, "a create was proven absent",
	    LOG_S("intent", c->intent.id));
	creation_drop(c, &r);
}

/* Three looks over the grace time have not shown it. */
static void
creation_absent(struct creation *c)
{
	if (c->claim.made_id == NULL && c->made)
		creation_leave_to_operator(c,
		    "Bluejay said that it created this %s, but not under which id",
		    c->project.resource->noun);
	else if (c->claim.made_id == NULL && c->claim.namesake)
		creation_leave_to_operator(c,
		    "It is not known whether Bluejay created this %s: it has one of this %s with another "
		    "content", c->project.resource->noun, c->project.resource->name);
	else
		creation_not_made(c);
}

/* A listing is known: what it showed of ours is in c->claim.found. */
static void
creation_on_listing(void *arg, const struct listing_view *view)
{
	struct creation *c = arg;

	c->listing = NULL;
	if (c->claim.found != NULL) {
		if (!creation_settle(c, false))
			creation_look_later(c);
		return;
	}
	if (view->trouble == NULL && view->complete && !c->claim.withheld &&
	    settle_absent(&c->settle, loop_now(c->gw->loop)))
		creation_absent(c);
	else
		creation_look_later(c);
}

/* The item's own GET has shown it. Until the grace time is over its shape may
 * become complete; then it is recorded as it is, so that it is known. */
static void
creation_show(struct creation *c, struct json_object *item)
{
	bool late = loop_now(c->gw->loop) - c->settle.since >= c->settle.grace;

	claim_keep(&c->claim, item, 0);
	if (!creation_settle(c, late))
		creation_look_later(c);
}

/* The GET of the item that Bluejay said it made has answered. */
static void
creation_on_own(void *arg, const struct upstream_answer *a)
{
	struct creation *c = arg;
	struct json_object *item = NULL;
	const char *id;

	c->call = NULL;
	gateway_saw_answer(c->gw, a);
	if (a->outcome == UPSTREAM_ANSWER && a->status == 200 &&
	    (item = gateway_read_item(c->gw, &c->project, a, NULL)) != NULL &&
	    (id = resource_id(c->project.resource, item)) != NULL &&
	    strcmp(id, c->claim.made_id) == 0)
		creation_show(c, item);
	else if (a->outcome == UPSTREAM_ANSWER && a->status == 404 &&
	    settle_absent(&c->settle, loop_now(c->gw->loop)))
		creation_absent(c);
	else
		creation_look_later(c);
	json_object_put(item);
}

/* Looks for the item: by its id when that is known, else in the listing. */
static void
creation_look(struct creation *c)
{
	struct upstream_request q;
	char *path;

	creation_set(c, CREATION_LOOKING);
	c->claim.withheld = false;
	if (!c->project.resource->unique)
		c->claim.namesake = false; /* others may be called so: what counts is seen again */
	if (c->claim.made_id == NULL) {
		c->listing = listing_want(c->gw, &c->project, LISTING_NEW, creation_on_listing, c);
		return;
	}
	path = project_path(&c->project, &c->project.resource->read, c->claim.made_id);
	gateway_request(c->gw, &c->project, &q, "GET", path);
	c->call = connector_start(c->gw, &c->project, &q, c->intent.kept, creation_on_own, c);
	free(path);
}

/* Time for a look, or for recording what is known. */
void
creation_go_on(struct creation *c)
{
	struct result r;

	if (c->state != CREATION_WAITING)
		return;
	if (c->drop_again) {
		result_error(&r, 502, "Bluejay did not create the %s; nothing was kept",
		    c->project.resource->noun);
		creation_drop(c, &r);
		return;
	}
	if (c->claim.found == NULL || !creation_settle(c, false))
		creation_look(c);
}

/* Nobody knows whether it happened: it is looked for. */
void
creation_unknown(struct creation *c, const char *why)
{
	log_warn(c->gw->log, "the outcome of a create is not known", LOG_S("intent", c->intent.id),
	    LOG_S("scope", c->project.scope), LOG_S("why", why));
	if (!c->project.listed && c->claim.made_id == NULL) {
		creation_leave_to_operator(c, c->project.resource->by_agent
		        ? "It is not known whether Bluejay created this %s, and without an agent for the "
		          "project the gateway cannot look"
		        : "It is not known whether Bluejay created this %s, and without a list the gateway "
		          "cannot look",
		    c->project.resource->noun);
		return;
	}
	store_intent_mark(c->gw->store, c->intent.id, STORE_UNKNOWN, loop_wall(c->gw->loop), NULL, NULL);
	settle_start(&c->settle, loop_now(c->gw->loop), c->snap->config->bluejay.settle_grace);
	creation_look_later(c);
	create_wait_refuse_behind(c);
}
