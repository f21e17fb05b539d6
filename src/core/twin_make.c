#include "config.h"

#include "core/twin_make.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "core/twin_body.h"
#include "core/twin_holder.h"
#include "core/twin_tool.h"
#include "core/serial.h"
#include "json/json_text.h"

#include <stdlib.h>

#define TWIN_MAKE_ROUNDS 4 /* attempts at a name that others have, or leave */

struct twin_make {
	struct gateway *gw;
	char *project, *scope;
	struct json_object *body;
	char digest[DIGEST_HEX_SIZE];
	int64_t since_ms, deadline;
	unsigned rounds;
	struct serial_ticket *ticket;
	struct upstream_call *call;
	struct twin_holder *holder;
	twin_make_fn fn;
	void *arg;
};

/* The key of a name. */
char *
twin_make_key(const char *project, const char *name)
{
	return mem_format("twin\n%s\n%s", project, name);
}

/* Ends what runs, and lets others have the name. */
void
twin_make_end(struct twin_make *m)
{
	serial_leave(m->ticket);
	if (m->call != NULL)
		upstream_cancel(m->call);
	if (m->holder != NULL)
		twin_holder_cancel(m->holder);
	json_object_put(m->body);
	free(m->project);
	free(m->scope);
	free(m);
}

/* Tells. The work may be gone after it. */
static void
twin_make_finish(struct twin_make *m, enum twin_made made, struct json_object *persona,
    const struct upstream_answer *a)
{
	struct twin_made_view view = {made, persona != NULL ? twin_tool_id(persona) : NULL, persona, a};

	m->fn(m->arg, &view);
}

static void twin_make_post(struct twin_make *);

/* It is known who has the name. */
static void
twin_make_on_holder(void *arg, const struct twin_holder_view *view)
{
	struct twin_make *m = arg;
	char id[UUID_SIZE], *name;
	struct json_object *named;

	m->holder = NULL;
	switch (view->kind) {
	case TWIN_NAME_UNKNOWN:
		twin_make_finish(m, TWIN_FAILED, NULL, view->answer);
		return;
	case TWIN_NAME_STRANGER:
		twin_make_finish(m, twin_body_is_made(view->persona, m->digest, m->since_ms)
		        ? TWIN_MADE : TWIN_FOUND, view->persona, NULL);
		return;
	case TWIN_NAME_OURS:
		uuid_make(id);
		name = twin_body_other_name(json_get_string(m->body, "name"), "", id);
		named = twin_body_named(m->body, name);
		json_object_put(m->body);
		m->body = named;
		free(name);
		break;
	case TWIN_NAME_FREE:
		break;
	}
	twin_make_post(m);
}

/* The local tool has answered. */
static void
twin_make_on_answer(void *arg, const struct upstream_answer *a)
{
	struct twin_make *m = arg;
	struct json_object *persona;

	m->call = NULL;
	if (a->outcome == UPSTREAM_ANSWER && a->status >= 200 && a->status < 300 &&
	    (persona = twin_tool_persona(a)) != NULL) {
		twin_make_finish(m, TWIN_MADE, persona, NULL);
		json_object_put(persona);
	} else if (a->outcome == UPSTREAM_ANSWER && a->status == 409 && m->rounds < TWIN_MAKE_ROUNDS) {
		m->holder = twin_holder_find(m->gw, m->project, m->scope,
		    json_get_string(m->body, "name"), false, m->deadline, twin_make_on_holder, m);
	} else {
		twin_make_finish(m, TWIN_FAILED, NULL, a);
	}
}

/* Asks the local tool for it. */
static void
twin_make_post(struct twin_make *m)
{
	m->rounds++;
	m->call = twin_tool_ask(m->gw, "POST", m->project, NULL, m->body, m->deadline,
	    twin_make_on_answer, m);
}

/* The name is reserved. */
static void
twin_make_on_granted(void *arg)
{
	twin_make_post(arg);
}

/* Starts. */
struct twin_make *
twin_make_start(struct gateway *gw, const struct twin_want *want, twin_make_fn fn, void *arg)
{
	struct twin_make *m = mem_zero(1, sizeof *m);
	char *key = twin_make_key(want->project, json_get_string(want->body, "name"));

	m->gw = gw;
	m->project = mem_string(want->project);
	m->scope = mem_string(want->scope);
	m->body = json_object_get(want->body);
	twin_body_digest(m->body, m->digest);
	m->since_ms = want->since_ms;
	m->deadline = want->deadline;
	m->fn = fn;
	m->arg = arg;
	m->ticket = serial_enter(gw->serial, key, twin_make_on_granted, m);
	free(key);
	return m;
}
