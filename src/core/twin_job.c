#include "config.h"

#include "base/mem.h"
#include "core/gone.h"
#include "core/serial.h"
#include "core/twin_body.h"
#include "core/twin_impl.h"
#include "core/twin_tool.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define TWIN_JOB_CALL_MS 5000 /* for one call to the local tool */
#define TWIN_JOB_ROUNDS 4     /* attempts at a name that others have, or leave */

static void twin_job_make(struct twin_job *);
static void twin_job_change(struct twin_job *);

/* Ends what runs. */
void
twin_job_stop(struct twin_job *j)
{
	if (j->store != NULL)
		store_cancel(j->store);
	if (j->call != NULL)
		upstream_cancel(j->call);
	if (j->holder != NULL)
		twin_holder_cancel(j->holder);
	if (j->make != NULL)
		twin_make_end(j->make);
	if (j->ticket != NULL)
		serial_leave(j->ticket);
	j->store = NULL;
	j->call = NULL;
	j->holder = NULL;
	j->make = NULL;
	j->ticket = NULL;
	json_object_put(j->body);
	json_object_put(j->shown);
	j->body = j->shown = NULL;
	store_twin_clear(&j->twin);
	store_record_clear(&j->record);
	j->rounds = 0;
	j->made = false;
}

/* The local tool did not do what it should. NULL: the store did not. */
static void
twin_job_fail(struct twin_job *j, const struct upstream_answer *a)
{
	if (a != NULL && twin_tool_is_down(a)) {
		j->end(j, TWIN_JOB_DOWN);
		return;
	}
	if (a != NULL && a->status >= 500)
		twin_broke(j->gw, j->twin.project);
	if (j->made || (j->check && j->twin.seq != 0 && j->twin.twin_id != NULL)) {
		j->twin.updated_ms = 0; /* due from now on, so that it is not forgotten */
		store_twin_put(j->gw->store, &j->twin, NULL, NULL);
	}
	j->end(j, TWIN_JOB_LATER);
}

/* When a call to the local tool must be over. */
static int64_t
twin_job_deadline(const struct twin_job *j)
{
	return loop_now(j->gw->loop) + TWIN_JOB_CALL_MS;
}

/* Asks for the twin. */
static void
twin_job_ask(struct twin_job *j, const char *method, struct json_object *body,
    upstream_done_fn done)
{
	j->call = twin_tool_ask(j->gw, method, j->twin.project, j->twin.twin_id, body,
	    twin_job_deadline(j), done, j);
}

/* Whether an answer says that it was done. */
static bool
twin_job_is_ok(const struct upstream_answer *a)
{
	return a->outcome == UPSTREAM_ANSWER && a->status >= 200 && a->status < 300;
}

/* Whether an answer says that there is no such thing. */
static bool
twin_job_is_gone(const struct upstream_answer *a)
{
	return a->outcome == UPSTREAM_ANSWER && a->status == 404;
}

/* ---- the twin shows the persona ---- */

/* The store knows. */
static void
twin_job_on_noted(void *arg, struct store_reply *reply)
{
	struct twin_job *j = arg;

	j->store = NULL;
	gateway_saw_store(j->gw, reply);
	twin_saw(j->gw, j->scope, j->local_id, strcmp(j->twin.twin_id, j->local_id) != 0);
	j->end(j, reply->status == STORE_OK ? TWIN_JOB_DONE : TWIN_JOB_LATER);
}

/* Notes that the twin shows what the persona was when it was looked at. */
static void
twin_job_note(struct twin_job *j)
{
	j->twin.found = false;
	j->twin.updated_ms = j->record.updated_ms;
	j->store = store_twin_put(j->gw->store, &j->twin, twin_job_on_noted, j);
}

/* It is known who has the twin's name. */
static void
twin_job_on_holder(void *arg, const struct twin_holder_view *view)
{
	struct twin_job *j = arg;
	struct json_object *named;
	char *name;

	j->holder = NULL;
	if (view->kind == TWIN_NAME_UNKNOWN) {
		twin_job_fail(j, view->answer);
		return;
	}
	if (view->kind == TWIN_NAME_OURS) { /* Bluejay allows two of one name, the local tool does not */
		name = twin_body_other_name(j->record.name, "", j->local_id);
		named = twin_body_named(j->body, name);
		json_object_put(j->body);
		j->body = named;
		free(name);
	}
	twin_job_change(j);
}

/* The change was made, or not. */
static void
twin_job_on_changed(void *arg, const struct upstream_answer *a)
{
	struct twin_job *j = arg;

	j->call = NULL;
	if (twin_job_is_ok(a))
		twin_job_note(j);
	else if (twin_job_is_gone(a) && j->make == NULL)
		twin_job_make(j);
	else if (a->outcome == UPSTREAM_ANSWER && a->status == 409 && j->rounds < TWIN_JOB_ROUNDS)
		j->holder = twin_holder_find(j->gw, j->twin.project, j->scope,
		    json_get_string(j->body, "name"), true, twin_job_deadline(j),
		    twin_job_on_holder, j);
	else
		twin_job_fail(j, a);
}

/* Sends what differs. */
static void
twin_job_change(struct twin_job *j)
{
	struct json_object *change = twin_body_change(j->body, j->shown);

	j->rounds++;
	if (json_object_object_length(change) == 0)
		twin_job_note(j);
	else
		twin_job_ask(j, "PUT", change, twin_job_on_changed);
	json_object_put(change);
}

/* What the tool's user had there was copied; 409: it was before. */
static void
twin_job_on_copied(void *arg, const struct upstream_answer *a)
{
	struct twin_job *j = arg;

	j->call = NULL;
	if (twin_job_is_ok(a) || (a->outcome == UPSTREAM_ANSWER && a->status == 409))
		twin_job_change(j);
	else
		twin_job_fail(j, a);
}

/* The twin is a persona that the tool's user made: what it holds is kept in a copy. */
static void
twin_job_copy(struct twin_job *j)
{
	char *name = twin_body_other_name(j->record.name, "local copy", j->twin.twin_id);
	struct json_object *body = twin_body_named(j->shown, name);

	log_warn(j->gw->log,
	    "a persona of the local tool becomes a twin; what it held is kept in a copy beside it",
	    LOG_S("project", j->twin.project), LOG_S("id", j->twin.twin_id));
	j->call = twin_tool_ask(j->gw, "POST", j->twin.project, NULL, body, twin_job_deadline(j),
	    twin_job_on_copied, j);
	json_object_put(body);
	free(name);
}

/* What the twin holds is known. */
static void
twin_job_compare(struct twin_job *j, struct json_object *shown)
{
	j->shown = json_object_get(shown);
	if (twin_body_shown(j->body, shown) && !j->twin.found &&
	    j->twin.updated_ms == j->record.updated_ms) {
		twin_saw(j->gw, j->scope, j->local_id, strcmp(j->twin.twin_id, j->local_id) != 0);
		j->end(j, TWIN_JOB_DONE);
	} else if (twin_body_shown(j->body, shown)) {
		twin_job_note(j);
	} else if (j->twin.found) {
		twin_job_copy(j);
	} else {
		twin_job_change(j);
	}
}

/* The twin was made, or not. */
static void
twin_job_on_made(void *arg, const struct twin_made_view *view)
{
	struct twin_job *j = arg;

	if (view->made == TWIN_FAILED) {
		twin_job_fail(j, view->answer);
		return;
	}
	free(j->twin.twin_id);
	j->twin.twin_id = mem_string(view->id);
	j->twin.found = view->made == TWIN_FOUND;
	j->twin.updated_ms = 0;
	j->made = true;
	if (strcmp(view->id, j->local_id) != 0)
		log_warn(j->gw->log,
		    "a persona's twin in the local tool has another id than the persona: runs there "
		    "that name the persona do not find it",
		    LOG_S("id", j->local_id), LOG_S("twin", view->id));
	twin_job_compare(j, view->persona);
}

/* There is no twin: makes one, whose id the local tool gives. */
static void
twin_job_make(struct twin_job *j)
{
	struct twin_want want = {.project = j->twin.project, .scope = j->scope, .body = j->body,
	    .since_ms = loop_wall(j->gw->loop), .deadline = twin_job_deadline(j)};

	json_object_put(j->shown);
	j->shown = NULL;
	j->make = twin_make_start(j->gw, &want, twin_job_on_made, j);
}

/* The local tool has shown the twin, or has none. */
static void
twin_job_on_shown(void *arg, const struct upstream_answer *a)
{
	struct twin_job *j = arg;
	struct json_object *persona = NULL;

	j->call = NULL;
	if (twin_job_is_ok(a) && (persona = twin_tool_persona(a)) != NULL)
		twin_job_compare(j, persona);
	else if (twin_job_is_gone(a))
		twin_job_make(j);
	else
		twin_job_fail(j, a);
	json_object_put(persona);
}

/* The project to which a scope belongs that is no agent's. */
static const char *
twin_job_project(const char *scope)
{
	static const char own[] = "project:";

	return strncmp(scope, own, sizeof own - 1) == 0 ? scope + sizeof own - 1 : "";
}

/* A persona is there: its twin is looked at. One that is not known yet may be there
 * under the persona's own id. */
static void
twin_job_persona(struct twin_job *j)
{
	struct project p;

	if (!snapshot_project_of_scope(j->gw->snap, j->scope,
	        j->twin.project != NULL ? j->twin.project : twin_job_project(j->scope), &p) ||
	    (j->twin.twin_id != NULL && !j->check && j->twin.updated_ms == j->record.updated_ms) ||
	    *j->record.name == '\0' || (j->body = twin_body_of(p.mapping, &j->record)) == NULL ||
	    json_get_string(j->body, "name") == NULL) {
		j->end(j, TWIN_JOB_DONE);
		return;
	}
	if (j->twin.local_id == NULL) {
		j->twin.project = mem_string(p.id);
		j->twin.scope = mem_string(j->scope);
		j->twin.local_id = mem_string(j->local_id);
		j->twin.since_ms = loop_wall(j->gw->loop);
	}
	if (j->twin.twin_id == NULL)
		j->twin.twin_id = mem_string(j->local_id);
	if (twin_is_broken(j->gw, j->twin.project))
		j->end(j, TWIN_JOB_LATER);
	else
		twin_job_ask(j, "GET", NULL, twin_job_on_shown);
}

/* ---- no persona: no twin ---- */

/* The twin is forgotten. */
static void
twin_job_on_dropped(void *arg, struct store_reply *reply)
{
	struct twin_job *j = arg;

	j->store = NULL;
	gateway_saw_store(j->gw, reply);
	twin_saw(j->gw, j->scope, j->local_id, false);
	j->end(j, reply->status == STORE_UNAVAILABLE ? TWIN_JOB_LATER : TWIN_JOB_DONE);
}

/* Forgets the twin. */
static void
twin_job_drop(struct twin_job *j)
{
	j->store = store_twin_drop(j->gw->store, j->scope, j->local_id, twin_job_on_dropped, j);
}

/* The twin was removed, or not. */
static void
twin_job_on_removed(void *arg, const struct upstream_answer *a)
{
	struct twin_job *j = arg;

	j->call = NULL;
	if (twin_job_is_ok(a) || twin_job_is_gone(a))
		twin_job_drop(j);
	else
		twin_job_fail(j, a);
}

/* The persona is gone: its twin goes. What the tool's user made, and the gateway never
 * changed, stays. */
static void
twin_job_remove(struct twin_job *j)
{
	if (j->twin.found)
		twin_job_drop(j);
	else
		twin_job_ask(j, "DELETE", NULL, twin_job_on_removed);
}

/* ---- a create that ended before its twin's id was known ---- */

/* Nothing is left over now. A request that the local tool has taken, but not done, may
 * still be done: it is looked for again until the grace time is over. */
static void
twin_job_cleared(struct twin_job *j)
{
	int64_t over = j->twin.since_ms + j->gw->snap->config->bluejay.total +
	    j->gw->snap->config->bluejay.settle_grace;

	if (loop_wall(j->gw->loop) >= over)
		twin_job_drop(j);
	else
		j->end(j, TWIN_JOB_LATER);
}

/* What was left over is removed, or not. */
static void
twin_job_on_cleared(void *arg, const struct upstream_answer *a)
{
	struct twin_job *j = arg;

	j->call = NULL;
	if (twin_job_is_ok(a) || twin_job_is_gone(a))
		twin_job_cleared(j);
	else
		twin_job_fail(j, a);
}

/* Whether it is somebody's twin by now. */
static void
twin_job_on_leftover(void *arg, struct store_reply *reply)
{
	struct twin_job *j = arg;

	j->store = NULL;
	if (reply->status == STORE_UNAVAILABLE) {
		twin_job_fail(j, NULL);
	} else if (reply->status == STORE_NONE) {
		log_info(j->gw->log, "a twin that a create left behind is removed",
		    LOG_S("project", j->twin.project), LOG_S("id", twin_tool_id(j->shown)));
		j->call = twin_tool_ask(j->gw, "DELETE", j->twin.project, twin_tool_id(j->shown), NULL,
		    twin_job_deadline(j), twin_job_on_cleared, j);
	} else {
		twin_job_cleared(j);
	}
}

/* The local tool has listed its personas: is what the create wanted among them? */
static void
twin_job_on_list(void *arg, const struct upstream_answer *a)
{
	struct twin_job *j = arg;

	j->call = NULL;
	if (!twin_tool_find(a, j->twin.name, &j->shown))
		twin_job_fail(j, a);
	else if (j->shown != NULL &&
	    twin_body_is_made(j->shown, j->twin.digest, j->twin.since_ms))
		j->store = store_twin_owner(j->gw->store, j->twin.project, twin_tool_id(j->shown),
		    j->scope, twin_job_on_leftover, j);
	else
		twin_job_cleared(j);
}

/* The name is reserved. */
static void
twin_job_on_reserved(void *arg)
{
	struct twin_job *j = arg;

	j->call = twin_tool_ask(j->gw, "GET", j->twin.project, NULL, NULL, twin_job_deadline(j),
	    twin_job_on_list, j);
}

/* Looks for a twin that may have been made without anybody knowing its id. */
static void
twin_job_leftover(struct twin_job *j)
{
	char *key = twin_make_key(j->twin.project, j->twin.name);

	j->ticket = serial_enter(j->gw->serial, key, twin_job_on_reserved, j);
	free(key);
}

/* ---- which of them ---- */

/* The store has said what is known. */
static void
twin_job_on_known(void *arg, struct store_reply *reply)
{
	struct twin_job *j = arg;
	bool there = reply->record_count > 0 && reply->number == 0;

	j->store = NULL;
	if (reply->twin_count > 0)
		store_twin_copy(&j->twin, &reply->twins[0]);
	if (reply->record_count > 0)
		store_record_copy(&j->record, &reply->records[0]);
	if (reply->status != STORE_OK)
		j->end(j, TWIN_JOB_LATER);
	else if (there)
		twin_job_persona(j);
	else if (j->twin.local_id == NULL || (reply->record_count == 0 && reply->intent_count > 0))
		j->end(j, TWIN_JOB_DONE);
	else if (twin_is_broken(j->gw, j->twin.project))
		j->end(j, TWIN_JOB_LATER);
	else if (j->twin.twin_id == NULL)
		twin_job_leftover(j);
	else if (reply->record_count > 0 && gone_doubts(j->gw, j->scope))
		j->end(j, TWIN_JOB_LATER); /* hidden, perhaps by mistake */
	else
		twin_job_remove(j);
}

/* Starts. */
void
twin_job_start(struct twin_job *j)
{
	j->store = store_twin_look(j->gw->store, j->scope, j->local_id, twin_job_on_known, j);
}
