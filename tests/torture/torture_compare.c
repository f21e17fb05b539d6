#include "config.h"

#include "torture_compare.h"
#include "json/json_text.h"
#include "torture_view.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COMPARE_SETTLE_MS 120000
#define COMPARE_LOOK_MS 50
#define COMPARE_PROBES 40 /* creates of what exists, for each client */

static const int compare_statuses[] = {201, 409, 0};

/* Reads the intents. */
static struct json_object *
compare_intents(struct world *w)
{
	struct json_object *list = NULL;
	struct wire_answer a;

	wire_ask(w->gateways[0].program.admin_port, "GET", "/intents", NULL, NULL, w->patience, &a);
	ck_assert_msg(a.outcome == WIRE_ANSWERED && a.status == 200, "/intents: %d %s", a.status, a.body);
	list = json_object_get(a.json);
	wire_clear(&a);
	return list;
}

/* How many intents are being settled. */
static size_t
compare_unsettled(struct world *w)
{
	struct json_object *list = compare_intents(w);
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++)
		n += strcmp(json_get_string(json_object_array_get_idx(list, i), "state"), "operator") != 0;
	json_object_put(list);
	return n;
}

/* Waits until all is settled. */
void
compare_settle(struct world *w)
{
	int64_t until = wire_now() + COMPARE_SETTLE_MS, started = wire_now();
	size_t left;

	atomic_store(&w->stop, false); /* world_pass() is for waiting again */
	while ((left = compare_unsettled(w)) > 0 && wire_now() < until)
		world_pass(w, COMPARE_LOOK_MS);
	world_note(w, "settled after %lld ms", (long long)(wire_now() - started));
	if (left > 0)
		world_wrong(w, WRONG_ORPHAN, "%zu writes are unsettled two minutes after the storm", left);
}

/* Decides one create: its persona is the one of its name that nobody knows. */
static void
compare_decide(struct world *w, struct view *v, struct json_object *intent)
{
	const char *name = json_get_string(intent, "name");
	char path[128], body[96] = "{}";
	struct view_item *found = NULL;
	struct wire_answer a;

	for (size_t i = 0; i < v->count && found == NULL; i++)
		if (v->pool[i].project == WORLD_PLAIN && v->pool[i].local == NULL &&
		    strcmp(v->pool[i].name, name) == 0)
			found = &v->pool[i];
	if (found != NULL)
		snprintf(body, sizeof body, "{\"personaId\":\"%s\"}", found->id);
	snprintf(path, sizeof path, "/intents/%s/%s", json_get_string(intent, "id"),
	    found != NULL ? "adopt" : "forget");
	wire_ask(w->gateways[0].program.admin_port, "POST", path, NULL, body, w->patience, &a);
	world_note(w, "operator: %s %s %s -> %d %s", path, name, body, a.status, a.body);
	if (a.status != (found != NULL ? 200 : 204))
		world_wrong(w, WRONG_ANSWER, "operator: %s: %d %s", path, a.status, a.body);
	wire_clear(&a);
	world_count(w, COUNT_OPERATOR);
}

/* Decides what is left to an operator. */
void
compare_operate(struct world *w)
{
	struct json_object *list = compare_intents(w);
	struct view v;

	view_read(&v, w, 0);
	for (size_t i = 0; i < json_object_array_length(list); i++)
		compare_decide(w, &v, json_object_array_get_idx(list, i));
	view_free(&v);
	json_object_put(list);
}

/* What Bluejay has and the gateway does not know, and names that are there twice. */
static void
compare_upstream(struct view *v)
{
	struct view_item *names = NULL, *twin, *copies = calloc(v->count + 1, sizeof *copies);

	for (size_t i = 0; i < v->count; i++) {
		struct view_item *item = &v->pool[i], *copy = &copies[i];
		char key[128];

		if (item->project < 0)
			continue;
		if (item->local == NULL)
			world_wrong(v->world, WRONG_ORPHAN, "%s is in Bluejay and not listed",
			    json_object_to_json_string_ext(item->persona, JSON_C_TO_STRING_PLAIN));
		snprintf(key, sizeof key, "%s/%s", v->world->projects[item->project].id, item->name);
		copy->name = strdup(key);
		copy->id = item->id;
		HASH_FIND_STR(names, key, twin);
		if (twin != NULL)
			world_wrong(v->world, WRONG_DUPLICATE, "%s is there twice: %s and %s", key, twin->id,
			    item->id);
		else
			HASH_ADD_KEYPTR(hh, names, copy->name, strlen(copy->name), copy);
	}
	HASH_CLEAR(hh, names);
	for (size_t i = 0; i < v->count; i++)
		free((void *)(uintptr_t)copies[i].name);
	free(copies);
}

/* The gateway shows what Bluejay has. */
static void
compare_shown(struct view *v)
{
	for (size_t i = 0; i < v->count; i++) {
		const struct view_item *item = &v->pool[i];
		const char *description, *goal;

		if (item->local == NULL)
			continue;
		description = json_get_string(item->local, "description");
		goal = json_get_string(item->local, "systemPrompt");
		if (strcmp(item->name, json_get_string(item->local, "name")) != 0 ||
		    strcmp(item->description, description != NULL ? description : "") != 0 ||
		    strcmp(item->goal, goal != NULL ? goal : "") != 0)
			world_wrong(v->world, WRONG_CONTENT, "%s is listed as %s",
			    json_object_to_json_string_ext(item->persona, JSON_C_TO_STRING_PLAIN),
			    json_object_to_json_string_ext(item->local, JSON_C_TO_STRING_PLAIN));
	}
}

/* The item that a client's persona without a known id can be. */
static struct view_item *
compare_search(struct view *v, const struct lane *l, const struct model_persona *p)
{
	for (size_t i = 0; i < v->count; i++) {
		struct view_item *item = &v->pool[i];

		if (!item->claimed && item->project >= 0 &&
		    &l->world->projects[item->project] == l->project && model_may_hold(p, item->name))
			return item;
	}
	return NULL;
}

/* Compares what a client knows of a persona with what is there. */
static void
compare_persona(struct view *v, const struct lane *l, struct model_persona *p)
{
	struct view_item *item = *p->id != '\0' ? view_find(v, p->id)
	    : p->state == MODEL_GONE ? NULL : compare_search(v, l, p);
	const char *why;

	if (item == NULL) {
		if (p->state == MODEL_LIVE)
			world_wrong(v->world, WRONG_LOST, "client %u: %s %s was acknowledged and is not there",
			    l->number, p->id, model_name(p));
		return;
	}
	if (item->claimed)
		world_wrong(v->world, WRONG_DUPLICATE, "client %u: %s was given to two creates", l->number,
		    item->id);
	item->claimed = true;
	if (p->state == MODEL_GONE) {
		world_wrong(v->world, WRONG_RETURNED, "client %u: %s %s was deleted and is there", l->number,
		    p->id, model_name(p));
		return;
	}
	why = model_judge_upstream(p, item->persona);
	if (why == NULL && item->local != NULL)
		why = model_judge_local(p, item->local);
	if (why != NULL)
		world_wrong(v->world, WRONG_CONTENT, "client %u: no request explains %s of %s, listed as %s",
		    l->number, why, json_object_to_json_string_ext(item->persona, JSON_C_TO_STRING_PLAIN),
		    item->local != NULL ? json_object_get_string(item->local) : "nothing");
}

/* Compares everything as one gateway shows it. */
static void
compare_gateway(struct world *w, unsigned gateway, struct lane *lanes, unsigned count)
{
	struct view v;

	world_note(w, "comparing gateway %u", gateway);
	view_read(&v, w, gateway);
	compare_upstream(&v);
	compare_shown(&v);
	/* Known ids first, so that the others are looked for in what is left. */
	for (int known = 1; known >= 0; known--)
		for (unsigned i = 0; i < count; i++)
			for (size_t k = 0; k < lanes[i].count; k++)
				if ((*lanes[i].personas[k]->id != '\0') == known)
					compare_persona(&v, &lanes[i], lanes[i].personas[k]);
	for (size_t i = 0; i < v.count; i++)
		if (!v.pool[i].claimed && v.pool[i].project >= 0 && strncmp(v.pool[i].name, "dash-", 5) != 0)
			world_wrong(w, WRONG_ORPHAN, "no request explains %s",
			    json_object_to_json_string_ext(v.pool[i].persona, JSON_C_TO_STRING_PLAIN));
	view_free(&v);
}

/* Compares everything. */
void
compare_all(struct world *w, struct lane *lanes, unsigned count)
{
	for (unsigned g = 0; g < w->gateway_count; g++)
		compare_gateway(w, g, lanes, count);
}

/* Sends one create and says what came of it; the id in `id`. */
static int
compare_create(struct lane *l, const struct model_persona *p, char id[40])
{
	char path[64], field[96];
	struct lane_call c;
	const char *told;
	int status;

	lane_collection_path(l, path, sizeof path);
	snprintf(field, sizeof field, "Idempotency-Key: %s\r\n", p->key);
	lane_send(l, &c, "POST", path, *p->key != '\0' ? field : NULL, p->body);
	lane_receive(l, &c, compare_statuses);
	status = c.answer.status;
	told = status == 201 ? json_get_string(c.answer.json, "id") : NULL;
	snprintf(id, 40, "%s", told != NULL ? told : "");
	lane_call_clear(&c);
	return status;
}

/* An open create is sent again, twice: the first gets the persona, if it was not
 * handed out unseen; the second is told that it exists, or the same with a key. */
static void
compare_inherit_one(struct lane *l, struct model_persona *p)
{
	char first[40], second[40];
	int status, again;

	if (lane_held(l, model_name(p), p, false))
		return; /* a rename may have taken the name meanwhile */
	status = compare_create(l, p, first);
	if (status != 201 && !p->unseen)
		world_wrong(l->world, WRONG_ANSWER, "client %u: %d for the open create of %s", l->number,
		    status, model_name(p));
	again = compare_create(l, p, second);
	if (*p->key == '\0' ? again != 409 : again == 201 && status == 201 && strcmp(first, second) != 0)
		world_wrong(l->world, WRONG_DUPLICATE, "client %u: %d %s and then %d %s for the create of %s",
		    l->number, status, first, again, second, model_name(p));
}

/* Sends the open creates again, and some of what exists. */
void
compare_inherit(struct world *w, struct lane *lanes, unsigned count)
{
	char id[40];

	for (unsigned i = 0; i < count; i++) {
		unsigned probes = 0;

		for (size_t k = 0; k < lanes[i].count; k++) {
			struct model_persona *p = lanes[i].personas[k];

			if (p->state == MODEL_MAYBE)
				compare_inherit_one(&lanes[i], p);
			else if (p->state == MODEL_LIVE && p->made && !p->changed && *p->key == '\0' &&
			    probes++ < COMPARE_PROBES && compare_create(&lanes[i], p, id) == 201 &&
			    strcmp(id, p->id) != 0)
				world_wrong(w, WRONG_DUPLICATE, "client %u: %s exists as %s and is created as %s",
				    i, model_name(p), p->id, id);
		}
	}
}
