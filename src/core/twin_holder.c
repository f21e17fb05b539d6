#include "config.h"

#include "core/twin_holder.h"
#include "base/mem.h"
#include "core/twin.h"
#include "core/twin_body.h"
#include "core/twin_tool.h"
#include "json/json_text.h"
#include "store/store_twin.h"

#include <stdlib.h>
#include <string.h>

struct twin_holder {
	struct gateway *gw;
	char *project, *scope, *name;
	bool rename;
	int64_t deadline;
	struct upstream_call *call;
	struct store_call *store;
	struct json_object *persona; /* that has the name */
	struct store_twin owned;     /* what is known of it; no local_id: nothing */
	twin_holder_fn fn;
	void *arg;
};

/* Ends what runs and frees. */
void
twin_holder_cancel(struct twin_holder *h)
{
	if (h->call != NULL)
		upstream_cancel(h->call);
	if (h->store != NULL)
		store_cancel(h->store);
	json_object_put(h->persona);
	store_twin_clear(&h->owned);
	free(h->project);
	free(h->scope);
	free(h->name);
	free(h);
}

/* Tells and ends. */
static void
twin_holder_finish(struct twin_holder *h, enum twin_holder_kind kind,
    const struct upstream_answer *a)
{
	struct twin_holder_view view = {kind, h->persona, a};

	h->fn(h->arg, &view);
	twin_holder_cancel(h);
}

/* The other name was given, or not. A twin that got it is put right later. */
static void
twin_holder_on_renamed(void *arg, const struct upstream_answer *a)
{
	struct twin_holder *h = arg;

	h->call = NULL;
	if (h->owned.local_id != NULL)
		twin_check(h->gw, h->owned.scope, h->owned.local_id);
	if (a->outcome == UPSTREAM_ANSWER && (a->status == 404 || (a->status >= 200 && a->status < 300)))
		twin_holder_finish(h, TWIN_NAME_FREE, NULL);
	else
		twin_holder_finish(h, TWIN_NAME_UNKNOWN, a);
}

/* Gives the holder another name. */
static void
twin_holder_rename(struct twin_holder *h)
{
	const char *id = twin_tool_id(h->persona);
	char *name = twin_body_other_name(h->name, h->owned.local_id != NULL ? "renamed" : "local copy", id);
	struct json_object *body = json_object_new_object();

	log_info(h->gw->log, "a persona of the local tool gets another name, since a twin needs its own",
	    LOG_S("project", h->project), LOG_S("id", id));
	json_object_object_add(body, "name", json_object_new_string(name));
	h->call = twin_tool_ask(h->gw, "PUT", h->project, id, body, h->deadline,
	    twin_holder_on_renamed, h);
	json_object_put(body);
	free(name);
}

/* The store has noted that the twin is to be put right. */
static void
twin_holder_on_noted(void *arg, struct store_reply *reply)
{
	struct twin_holder *h = arg;

	h->store = NULL;
	if (reply->status == STORE_OK)
		twin_holder_rename(h);
	else
		twin_holder_finish(h, TWIN_NAME_UNKNOWN, NULL);
}

/* It is a twin that should not have the name: it is put right once it has another one. */
static void
twin_holder_evict(struct twin_holder *h, const struct store_reply *reply)
{
	if (reply->twin_count > 0) {
		store_twin_copy(&h->owned, &reply->twins[0]);
	} else {
		h->owned.project = mem_string(h->project);
		h->owned.twin_id = mem_string(twin_tool_id(h->persona));
		h->owned.scope = mem_string(reply->records[0].scope);
		h->owned.local_id = mem_string(reply->records[0].local_id);
		h->owned.since_ms = loop_wall(h->gw->loop);
	}
	h->owned.updated_ms = 0;
	h->store = store_twin_put(h->gw->store, &h->owned, twin_holder_on_noted, h);
}

/* The store has said whose twin it is. */
static void
twin_holder_on_owner(void *arg, struct store_reply *reply)
{
	struct twin_holder *h = arg;
	bool known = reply->record_count > 0 && reply->number == 0;

	h->store = NULL;
	if (reply->status == STORE_UNAVAILABLE) {
		twin_holder_finish(h, TWIN_NAME_UNKNOWN, NULL);
	} else if (reply->status == STORE_NONE && !h->rename) {
		twin_holder_finish(h, TWIN_NAME_STRANGER, NULL);
	} else if (reply->status == STORE_NONE) {
		twin_holder_rename(h);
	} else if (known && strcmp(reply->records[0].name, h->name) == 0) {
		twin_holder_finish(h, TWIN_NAME_OURS, NULL);
	} else {
		twin_holder_evict(h, reply);
	}
}

/* The local tool has listed its personas. */
static void
twin_holder_on_list(void *arg, const struct upstream_answer *a)
{
	struct twin_holder *h = arg;

	h->call = NULL;
	if (!twin_tool_find(a, h->name, &h->persona))
		twin_holder_finish(h, TWIN_NAME_UNKNOWN, a);
	else if (h->persona == NULL)
		twin_holder_finish(h, TWIN_NAME_FREE, NULL);
	else
		h->store = store_twin_owner(h->gw->store, h->project, twin_tool_id(h->persona),
		    h->scope, twin_holder_on_owner, h);
}

/* Looks. */
struct twin_holder *
twin_holder_find(struct gateway *gw, const char *project, const char *scope, const char *name,
    bool rename, int64_t deadline, twin_holder_fn fn, void *arg)
{
	struct twin_holder *h = mem_zero(1, sizeof *h);

	h->gw = gw;
	h->project = mem_string(project);
	h->scope = mem_string(scope);
	h->name = mem_string(name);
	h->rename = rename;
	h->deadline = deadline;
	h->fn = fn;
	h->arg = arg;
	h->call = twin_tool_ask(gw, "GET", project, NULL, NULL, deadline, twin_holder_on_list, h);
	return h;
}
