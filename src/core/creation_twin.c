#include "config.h"

#include "base/mem.h"
#include "core/create_body.h"
#include "core/create_impl.h"
#include "core/twin.h"
#include "core/twin_body.h"
#include "core/twin_tool.h"
#include "json/json_read.h"
#include "store/store_twin.h"

#include <stdlib.h>
#include <string.h>

#define CREATION_TWIN_SHARE 3 /* of the client's time, a third is the local tool's at most */

/* Fills what the create's twin is to hold, if it is to have one. */
void
creation_twin_fill(struct creation *c, struct json_object *body)
{
	char digest[DIGEST_HEX_SIZE];

	if (!twin_wanted(c->gw, &c->project))
		return;
	c->twin = twin_body(body);
	json_object_object_del(c->twin, "imageUrl"); /* a create ignores it, here as there */
	twin_body_digest(c->twin, digest);
	c->intent.state = STORE_TWINNING;
	c->intent.twin_digest = mem_string(digest);
}

/* Frees what belongs to the twin. */
void
creation_twin_free(struct creation *c)
{
	if (c->make != NULL)
		twin_make_end(c->make);
	c->make = NULL;
	json_object_put(c->twin);
	c->twin = NULL;
}

/* The local id that the persona will have; NULL: that of Bluejay. */
const char *
creation_local_id(const struct creation *c, const char *upstream_id)
{
	return c->intent.local_id != NULL ? c->intent.local_id : upstream_id;
}

/* The create is over, or its persona has another local id: the twin follows. */
void
creation_twin_over(struct creation *c)
{
	twin_touch(c->gw, c->project.scope,
	    c->intent.local_id != NULL ? c->intent.local_id : c->intent.id);
	if (c->local_id != NULL &&
	    (c->intent.local_id == NULL || strcmp(c->local_id, c->intent.local_id) != 0))
		twin_touch(c->gw, c->project.scope, c->local_id);
}

/* The intent has the twin's id: that is its persona's local id from now on. */
static void
creation_twin_take(struct creation *c)
{
	twin_make_end(c->make);
	c->make = NULL;
	free(c->intent.local_id);
	c->intent.local_id = c->twin_id;
	c->twin_id = NULL;
	c->intent.state = STORE_PENDING;
}

/* ---- before the POST ---- */

/* The store knows the twin: the POST goes out. */
static void
creation_twin_on_noted(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;
	struct result r;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	if (reply->status != STORE_OK) {
		creation_twin_free(c);
		if (reply->status == STORE_ID_TAKEN)
			result_error(&r, 502,
			    "The local tool gave the persona's twin an id that another persona has; nothing "
			    "was created");
		else
			gateway_store_trouble(&r);
		creation_drop(c, &r);
		return;
	}
	creation_twin_take(c);
	if (TAILQ_EMPTY(&c->joined)) {
		result_error(&r, 503, "Nobody waits for this create any more");
		creation_drop(c, &r); /* nothing was sent */
	} else {
		c->send(c);
	}
}

/* Notes the twin with the intent. */
static void
creation_twin_note(struct creation *c, const struct twin_made_view *view, store_done_fn done)
{
	free(c->twin_id);
	c->twin_id = mem_string(view->id);
	c->store = store_twin_note(c->gw->store, c->intent.id, view->id, view->made == TWIN_FOUND,
	    loop_wall(c->gw->loop), done, c);
}

/* The local tool has made the twin, or not. */
static void
creation_twin_on_made(void *arg, const struct twin_made_view *view)
{
	struct creation *c = arg;
	struct result r;

	if (view->made != TWIN_FAILED) {
		creation_twin_note(c, view, creation_twin_on_noted);
		return;
	}
	creation_twin_free(c);
	if (view->answer != NULL)
		twin_tool_trouble(&r, view->answer);
	else
		gateway_store_trouble(&r);
	creation_drop(c, &r);
}

/* Asks for a twin. */
static void
creation_twin_make(struct creation *c, int64_t since_ms, int64_t deadline, twin_make_fn done)
{
	struct twin_want want = {.project = c->project.id, .scope = c->project.scope, .body = c->twin,
	    .since_ms = since_ms, .deadline = deadline};

	c->make = twin_make_start(c->gw, &want, done, c);
}

/* Makes the twin; the POST follows. */
void
creation_twin(struct creation *c)
{
	int64_t now = loop_now(c->gw->loop);

	creation_set(c, CREATION_TWINNING);
	creation_twin_make(c, c->intent.created_ms, now + (c->deadline - now) / CREATION_TWIN_SHARE,
	    creation_twin_on_made);
}

/* ---- before an outcome that was looked for is recorded ---- */

/* Goes on with recording. */
static void
creation_twin_sure(struct creation *c)
{
	c->twin_sure = true;
	if (!creation_settle(c, c->twin_as_it_is))
		creation_look_later(c);
}

/* The store knows the new twin, or cannot: then the old id stays. */
static void
creation_twin_on_renewed(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	if (reply->status == STORE_OK)
		creation_twin_take(c);
	else
		creation_twin_free(c);
	creation_twin_sure(c);
}

/* The lost twin was made again, or cannot be: then the persona is served without. */
static void
creation_twin_on_remade(void *arg, const struct twin_made_view *view)
{
	struct creation *c = arg;

	if (view->made != TWIN_FAILED) {
		creation_twin_note(c, view, creation_twin_on_renewed);
		return;
	}
	creation_twin_free(c);
	creation_twin_sure(c);
}

/* The local tool says whether the twin is there. */
static void
creation_twin_on_seen(void *arg, const struct upstream_answer *a)
{
	struct creation *c = arg;

	c->call = NULL;
	if (a->outcome != UPSTREAM_ANSWER || a->status != 404 || c->twin == NULL) {
		creation_twin_sure(c);
		return;
	}
	log_warn(c->gw->log, "the twin of a create was lost in the local tool and is made again",
	    LOG_S("intent", c->intent.id), LOG_S("id", c->intent.local_id));
	creation_twin_make(c, loop_wall(c->gw->loop), gateway_deadline(c->gw), creation_twin_on_remade);
}

/* What the twin is to hold, from what was found; NULL when that is not whole yet. */
static struct json_object *
creation_twin_of(struct creation *c)
{
	char *text = create_body_make(c->project.mapping, &c->intent, c->claim.found, "", 0, NULL);
	struct json_object *local = NULL, *twin = NULL;

	if (text != NULL && json_read(text, strlen(text), &local, NULL))
		twin = twin_body(local);
	json_object_put(local);
	free(text);
	return twin;
}

/* Whether the twin must be looked at before the outcome is recorded: time has passed
 * since it was made, and its id is nobody's yet. */
bool
creation_twin_check(struct creation *c, bool as_it_is)
{
	if (c->twin_sure || c->settle.looks == 0 || c->intent.local_id == NULL ||
	    !twin_wanted(c->gw, &c->project))
		return false;
	creation_set(c, CREATION_SETTLING);
	creation_count(c, true);
	c->twin_as_it_is = as_it_is;
	if (c->twin == NULL)
		c->twin = creation_twin_of(c);
	c->call = twin_tool_ask(c->gw, "GET", c->project.id, c->intent.local_id, NULL,
	    gateway_deadline(c->gw), creation_twin_on_seen, c);
	return true;
}
