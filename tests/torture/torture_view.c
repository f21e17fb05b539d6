#include "config.h"

#include "torture_view.h"
#include "json/json_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define VIEW_LIST_TRIES 20

/* A string member; empty when there is none. */
static const char *
view_string(struct json_object *o, const char *member)
{
	const char *s = json_get_string(o, member);

	return s != NULL ? s : "";
}

/* The project of a persona, by its agent. */
static int
view_project(const struct world *w, struct json_object *persona)
{
	int64_t agent = 0;

	json_get_int(persona, "agent_id", &agent);
	for (int i = 0; i < WORLD_PROJECTS; i++)
		if (w->projects[i].agent == agent)
			return i;
	return -1;
}

/* An item by its id. */
struct view_item *
view_find(const struct view *v, const char *id)
{
	struct view_item *item;

	HASH_FIND_STR(v->items, id, item);
	return item;
}

/* Indexes what Bluejay has. */
static void
view_index(struct view *v)
{
	struct json_object *personas = NULL;

	ck_assert(json_object_object_get_ex(v->state, "personas", &personas));
	v->count = json_object_array_length(personas);
	v->pool = calloc(v->count + 1, sizeof *v->pool);
	for (size_t i = 0; i < v->count; i++) {
		struct view_item *item = &v->pool[i];

		item->persona = json_object_array_get_idx(personas, i);
		item->id = view_string(item->persona, "id");
		item->name = view_string(item->persona, "name");
		item->description = view_string(item->persona, "description");
		item->goal = view_string(item->persona, "goal");
		item->project = view_project(v->world, item->persona);
		HASH_ADD_KEYPTR(hh, v->items, item->id, strlen(item->id), item);
	}
}

/* Reads a project's list, past any cache. */
static struct json_object *
view_list(struct world *w, unsigned gateway, int project)
{
	struct json_object *list = NULL;
	struct wire_answer a;
	char path[64];

	snprintf(path, sizeof path, "/api/projects/%s/personas", w->projects[project].id);
	for (int i = 0; i < VIEW_LIST_TRIES && list == NULL; i++) {
		wire_ask(w->gateways[gateway].program.port, "GET", path, "Cache-Control: no-cache\r\n",
		    NULL, w->patience, &a);
		if (a.outcome == WIRE_ANSWERED && a.status == 200 &&
		    json_object_is_type(a.json, json_type_array))
			list = json_object_get(a.json);
		else
			world_pass(w, 500); /* the breaker may be open still */
		wire_clear(&a);
	}
	ck_assert_msg(list != NULL, "no list of %s after the storm", w->projects[project].id);
	return list;
}

/* Puts what the gateway lists beside what Bluejay has. */
static void
view_match(struct view *v, int project)
{
	struct json_object *list = v->lists[project];

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *local = json_object_array_get_idx(list, i);
		struct view_item *item = view_find(v, view_string(local, "id"));

		if (item != NULL && item->project != project)
			world_wrong(v->world, WRONG_FOREIGN, "%s is listed for %s",
			    json_object_to_json_string_ext(local, JSON_C_TO_STRING_PLAIN),
			    v->world->projects[project].id);
		else if (item == NULL)
			world_wrong(v->world, WRONG_RETURNED, "%s is listed and not in Bluejay",
			    json_object_to_json_string_ext(local, JSON_C_TO_STRING_PLAIN));
		else if (item->local != NULL)
			world_wrong(v->world, WRONG_DUPLICATE, "%s is listed twice", item->id);
		else
			item->local = local;
	}
}

/* Reads everything. */
void
view_read(struct view *v, struct world *w, unsigned gateway)
{
	struct wire_answer a;

	memset(v, 0, sizeof *v);
	v->world = w;
	for (int i = 0; i < WORLD_PROJECTS; i++)
		v->lists[i] = view_list(w, gateway, i);
	world_ask_sandbox(w, "GET", "/__sandbox/state", NULL, &a);
	ck_assert(a.outcome == WIRE_ANSWERED && a.status == 200 && a.json != NULL);
	v->state = json_object_get(a.json);
	wire_clear(&a);
	view_index(v);
	for (int i = 0; i < WORLD_PROJECTS; i++)
		view_match(v, i);
}

/* Frees everything. */
void
view_free(struct view *v)
{
	HASH_CLEAR(hh, v->items);
	free(v->pool);
	for (int i = 0; i < WORLD_PROJECTS; i++)
		json_object_put(v->lists[i]);
	json_object_put(v->state);
}
