#include "config.h"

#include "torture_lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define CHANGE_BURST 2

static const int change_update_statuses[] = {200, 404, 409, 429, 502, 503, 504, 0};
static const int change_delete_statuses[] = {204, 404, 429, 502, 503, 504, 0};
static const int change_get_statuses[] = {200, 404, 429, 502, 503, 504, 0};
static const int change_list_statuses[] = {200, 429, 502, 503, 504, 0};

/* Random values for some fields. */
void
lane_fill(struct lane *l, struct model_body *body, char values[MODEL_FIELDS][64])
{
	memset(body, 0, sizeof *body);
	for (int f = MODEL_DESCRIPTION; f < MODEL_FIELDS; f++) {
		unsigned n = ++l->serial;

		if (world_pick(&l->random, 3) == 0)
			continue;
		if (f == MODEL_HEADERS)
			snprintf(values[f], 64, "{\"X-Client\":\"%u-%u\"}", l->number, n);
		else if (world_pick(&l->random, 8) == 0)
			values[f][0] = '\0';
		else
			snprintf(values[f], 64, "\"%u\" / %u \xc3\xa9", l->number, n);
		body->values[f] = values[f];
	}
}

/* A persona whose id is known, in one of two states; NULL when there is none. */
static struct model_persona *
change_choose(struct lane *l)
{
	struct model_persona *p = NULL;

	if (world_pick(&l->random, 4) == 0)
		p = lane_choose(l, MODEL_DOOMED);
	if (p == NULL)
		p = lane_choose(l, MODEL_LIVE);
	return p != NULL && *p->id != '\0' ? p : NULL;
}

/* A 404 says that a persona is gone; one that must live is lost then. */
static void
change_not_found(struct lane *l, struct model_persona *p, const struct lane_call *c)
{
	if (p->state == MODEL_LIVE)
		world_wrong(l->world, lane_blame(p, c, WRONG_LOST), "%s: 404 for what was acknowledged",
		    c->what);
	if (!p->loose)
		p->state = MODEL_GONE;
	lane_changed(c, p);
}

/* Whether an answer to an update or delete leaves its outcome open. */
static bool
change_is_open(const struct lane_call *c)
{
	return lane_left_open(c) || (c->answered && c->answer.status == 502);
}

/* An update has its answer. */
static void
change_judge_update(struct lane *l, struct model_persona *p, const struct model_body *body,
    const struct lane_call *c)
{
	const char *why;

	if (change_is_open(c)) {
		world_count(l->world, COUNT_UNKNOWN);
		model_write(p, body, true);
		return;
	}
	if (!c->answered)
		return;
	if (c->answer.status == 200) {
		if (!p->loose)
			p->state = MODEL_LIVE; /* a delete before it did not happen */
		model_write(p, body, false);
		lane_changed(c, p);
		why = model_judge_local(p, c->answer.json);
		if (why != NULL)
			world_wrong(l->world, WRONG_CONTENT, "%s: 200 with another %s: %s", c->what, why,
			    c->answer.body);
	} else if (c->answer.status == 404) {
		change_not_found(l, p, c);
	} else if (c->answer.status == 409 && (body->values[MODEL_NAME] == NULL ||
	    !lane_held(l, body->values[MODEL_NAME], p, false))) {
		world_wrong(l->world, WRONG_ANSWER, "%s: 409 for a free name", c->what);
	}
}

/* Sends an update. */
static void
change_send_update(struct lane *l, struct lane_call *c, const struct model_persona *p,
    const struct model_body *body)
{
	char path[128], *json = model_print(body);

	lane_id_path(l, p, path, sizeof path);
	world_count(l->world, COUNT_UPDATES);
	lane_send(l, c, "PUT", path, NULL, json);
	free(json);
}

/* Changes some fields of a persona, sometimes its name: to a new one, to one that
 * may be taken, or back to one that it had. */
void
lane_update(struct lane *l)
{
	struct model_persona *p = change_choose(l), *other;
	char values[MODEL_FIELDS][64];
	struct model_body body;
	struct lane_call c;

	if (p == NULL)
		return;
	lane_fill(l, &body, values);
	if (world_pick(&l->random, 3) == 0) {
		snprintf(values[MODEL_NAME], 64, "%s-%u-%u", l->project->id, l->number, ++l->serial);
		other = lane_choose(l, world_pick(&l->random, 2) == 0 ? MODEL_LIVE : MODEL_GONE);
		if (other != NULL && !other->unseen && world_pick(&l->random, 2) == 0)
			snprintf(values[MODEL_NAME], 64, "%s", model_name(other));
		body.values[MODEL_NAME] = values[MODEL_NAME];
	}
	change_send_update(l, &c, p, &body);
	lane_receive(l, &c, change_update_statuses);
	change_judge_update(l, p, &body, &c);
	if (c.answered && c.answer.status == 200 && body.values[MODEL_NAME] != NULL &&
	    lane_held(l, body.values[MODEL_NAME], p, true))
		world_wrong(l->world, WRONG_DUPLICATE, "%s: the name %s belongs to another persona", c.what,
		    body.values[MODEL_NAME]);
	lane_call_clear(&c);
}

/* Renames two personas to one name at once. */
void
lane_rename_burst(struct lane *l)
{
	struct model_persona *p[CHANGE_BURST] = {lane_choose(l, MODEL_LIVE), lane_choose(l, MODEL_LIVE)};
	struct lane_call c[CHANGE_BURST];
	struct model_body body;
	char name[64];
	int done = 0;

	if (p[0] == NULL || p[1] == NULL || p[0] == p[1] || *p[0]->id == '\0' || *p[1]->id == '\0')
		return;
	memset(&body, 0, sizeof body);
	snprintf(name, sizeof name, "%s-%u-%u", l->project->id, l->number, ++l->serial);
	body.values[MODEL_NAME] = name;
	for (int i = 0; i < CHANGE_BURST; i++)
		change_send_update(l, &c[i], p[i], &body);
	for (int i = 0; i < CHANGE_BURST; i++) {
		lane_receive(l, &c[i], change_update_statuses);
		done += c[i].answered && c[i].answer.status == 200;
	}
	/* What is open is noted first, since it may explain the other's 409. */
	for (int i = 0; i < CHANGE_BURST; i++)
		if (change_is_open(&c[i]) || (c[i].answered && c[i].answer.status == 200))
			change_judge_update(l, p[i], &body, &c[i]);
	for (int i = 0; i < CHANGE_BURST; i++) {
		if (!change_is_open(&c[i]) && !(c[i].answered && c[i].answer.status == 200))
			change_judge_update(l, p[i], &body, &c[i]);
		lane_call_clear(&c[i]);
	}
	if (done > 1)
		world_wrong(l->world, WRONG_DUPLICATE, "client %u: %s and %s were both renamed to %s",
		    l->number, p[0]->id, p[1]->id, name);
}

/* Changes one field of one persona twice at once: either may come last. */
void
lane_update_burst(struct lane *l)
{
	struct model_persona *p = change_choose(l);
	struct lane_call c[CHANGE_BURST];
	struct model_body body[CHANGE_BURST];
	char values[CHANGE_BURST][64];
	bool was_loose;

	if (p == NULL)
		return;
	memset(body, 0, sizeof body);
	for (int i = 0; i < CHANGE_BURST; i++) {
		snprintf(values[i], sizeof values[i], "%u", ++l->serial);
		body[i].values[MODEL_PROMPT] = values[i];
		change_send_update(l, &c[i], p, &body[i]);
	}
	for (int i = 0; i < CHANGE_BURST; i++)
		lane_receive(l, &c[i], change_update_statuses);
	was_loose = p->loose;
	for (int i = 0; i < CHANGE_BURST; i++) {
		change_judge_update(l, p, &body[i], &c[i]);
		p->loose = p->loose || change_is_open(&c[i]) ||
		    (c[i].answered && c[i].answer.status == 200);
	}
	p->loose = was_loose;
	for (int i = 0; i < CHANGE_BURST; i++)
		lane_call_clear(&c[i]);
}

/* A delete has its answer. */
static void
change_judge_delete(struct lane *l, struct model_persona *p, const struct lane_call *c)
{
	if (change_is_open(c)) {
		world_count(l->world, COUNT_UNKNOWN);
		if (p->state == MODEL_LIVE)
			p->state = MODEL_DOOMED;
	} else if (c->answered && c->answer.status == 204) {
		p->state = MODEL_GONE;
		lane_changed(c, p);
	} else if (c->answered && c->answer.status == 404 && p->state != MODEL_GONE) {
		change_not_found(l, p, c);
	}
}

/* Deletes a persona. */
void
lane_delete(struct lane *l)
{
	struct model_persona *p = change_choose(l);
	struct lane_call c;
	char path[128];

	if (p == NULL || p->unseen)
		return;
	lane_id_path(l, p, path, sizeof path);
	world_count(l->world, COUNT_DELETES);
	lane_send(l, &c, "DELETE", path, NULL, NULL);
	lane_receive(l, &c, change_delete_statuses);
	change_judge_delete(l, p, &c);
	lane_call_clear(&c);
}

/* Deletes a persona twice at once. */
void
lane_delete_burst(struct lane *l)
{
	struct model_persona *p = change_choose(l);
	struct lane_call c[CHANGE_BURST];
	char path[128];
	int gone = 0;

	if (p == NULL || p->unseen)
		return;
	lane_id_path(l, p, path, sizeof path);
	for (int i = 0; i < CHANGE_BURST; i++) {
		world_count(l->world, COUNT_DELETES);
		lane_send(l, &c[i], "DELETE", path, NULL, NULL);
	}
	for (int i = 0; i < CHANGE_BURST; i++) {
		lane_receive(l, &c[i], change_delete_statuses);
		gone += c[i].answered && c[i].answer.status == 204;
		if (change_is_open(&c[i]) && p->state == MODEL_LIVE)
			p->state = MODEL_DOOMED;
	}
	if (gone > 0)
		p->state = MODEL_GONE;
	for (int i = 0; i < CHANGE_BURST; i++) {
		change_judge_delete(l, p, &c[i]);
		lane_call_clear(&c[i]);
	}
	if (gone > 0)
		p->state = MODEL_GONE;
}

/* Reads a persona. */
void
lane_get(struct lane *l)
{
	struct model_persona *p = world_pick(&l->random, 8) == 0 ? lane_choose(l, MODEL_GONE) : change_choose(l);
	const char *fields = world_pick(&l->random, 3) == 0 ? "Cache-Control: no-cache\r\n" : NULL, *why;
	struct lane_call c;
	char path[128];

	if (p == NULL || *p->id == '\0')
		return;
	lane_id_path(l, p, path, sizeof path);
	world_count(l->world, COUNT_READS);
	lane_send(l, &c, "GET", path, fields, NULL);
	lane_receive(l, &c, change_get_statuses);
	if (!c.answered || lane_is_early(l, p, &c)) {
		lane_call_clear(&c);
		return;
	}
	if (c.answer.status == 404) {
		change_not_found(l, p, &c);
	} else if (c.answer.status == 200) {
		if (p->state == MODEL_GONE)
			world_wrong(l->world, lane_blame(p, &c, WRONG_RETURNED),
			    "%s: 200 for what was deleted", c.what);
		why = model_judge_local(p, c.answer.json);
		if (why != NULL)
			world_wrong(l->world, lane_blame(p, &c, WRONG_CONTENT), "%s: 200 with another %s: %s",
			    c.what, why, c.answer.body);
	}
	lane_call_clear(&c);
}

/* Asks another project for a persona. */
void
lane_get_foreign(struct lane *l)
{
	struct model_persona *p = change_choose(l);
	const struct world_project *other = &l->world->projects[world_pick(&l->random, WORLD_PROJECTS)];
	struct lane_call c;
	char path[128];

	if (p == NULL || other == l->project)
		return;
	snprintf(path, sizeof path, "/api/projects/%s/personas/%s", other->id, p->id);
	world_count(l->world, COUNT_READS);
	lane_send(l, &c, "GET", path, NULL, NULL);
	lane_receive(l, &c, change_get_statuses);
	if (c.answered && c.answer.status == 200)
		world_wrong(l->world, WRONG_FOREIGN, "%s: it is a persona of %s: %s", c.what, l->project->id,
		    c.answer.body);
	lane_call_clear(&c);
}

/* One persona of a list, found by its id. */
struct change_item {
	const char *id;
	struct json_object *persona;
	UT_hash_handle hh;
};

/* Indexes a list by id. */
static struct change_item *
change_index(struct json_object *list, struct change_item **pool)
{
	size_t n = json_object_array_length(list);
	struct change_item *items = NULL;

	*pool = calloc(n + 1, sizeof **pool);
	for (size_t i = 0; i < n; i++) {
		struct change_item *item = &(*pool)[i];
		struct json_object *id = NULL;

		item->persona = json_object_array_get_idx(list, i);
		json_object_object_get_ex(item->persona, "id", &id);
		item->id = json_object_get_string(id);
		HASH_ADD_KEYPTR(hh, items, item->id, strlen(item->id), item);
	}
	return items;
}

/* Judges what a list shows of a client's persona. */
static void
change_judge_item(struct lane *l, const struct model_persona *p, struct json_object *persona,
    const struct lane_call *c)
{
	const char *why;

	if (lane_is_early(l, p, c))
		return;
	if (persona == NULL) {
		if (p->state == MODEL_LIVE)
			world_wrong(l->world, lane_blame(p, c, WRONG_LOST), "%s: %s is not in the list",
			    c->what, p->id);
		return;
	}
	if (p->state == MODEL_GONE)
		world_wrong(l->world, lane_blame(p, c, WRONG_RETURNED), "%s: %s is in the list", c->what,
		    p->id);
	why = model_judge_local(p, persona);
	if (why != NULL)
		world_wrong(l->world, lane_blame(p, c, WRONG_CONTENT), "%s: %s has another %s: %s", c->what,
		    p->id, why,
		    json_object_to_json_string_ext(persona, JSON_C_TO_STRING_PLAIN));
}

/* Reads the list of the project. */
void
lane_list(struct lane *l)
{
	struct change_item *items, *pool, *item;
	struct lane_call c;
	char path[64];

	lane_collection_path(l, path, sizeof path);
	world_count(l->world, COUNT_READS);
	lane_send(l, &c, "GET", path,
	    world_pick(&l->random, 3) == 0 ? "Cache-Control: no-cache\r\n" : NULL, NULL);
	lane_receive(l, &c, change_list_statuses);
	if (c.answered && c.answer.status == 200 && json_object_is_type(c.answer.json, json_type_array)) {
		items = change_index(c.answer.json, &pool);
		for (size_t i = 0; i < l->count; i++) {
			const struct model_persona *p = l->personas[i];

			if (*p->id == '\0')
				continue;
			HASH_FIND_STR(items, p->id, item);
			change_judge_item(l, p, item != NULL ? item->persona : NULL, &c);
		}
		HASH_CLEAR(hh, items);
		free(pool);
	}
	lane_call_clear(&c);
}
