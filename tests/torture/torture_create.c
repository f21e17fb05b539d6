#include "config.h"

#include "torture_lane.h"

#include <json-c/json_tokener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREATE_BURST 3

static const int create_statuses[] = {201, 409, 429, 502, 503, 504, 0};

/* A body with a new name. */
static void
create_fresh_body(struct lane *l, struct model_body *body, char values[MODEL_FIELDS][64])
{
	lane_fill(l, body, values);
	snprintf(values[MODEL_NAME], 64, "%s-%u-%u", l->project->id, l->number, ++l->serial);
	body->values[MODEL_NAME] = values[MODEL_NAME];
}

/* Sends a create. */
static void
create_send(struct lane *l, struct lane_call *c, const char *json, const char *key)
{
	char path[64], field[96];

	lane_collection_path(l, path, sizeof path);
	snprintf(field, sizeof field, "Idempotency-Key: %s\r\n", key);
	world_count(l->world, COUNT_CREATES);
	lane_send(l, c, "POST", path, *key != '\0' ? field : NULL, json);
}

/* The id in an answer; NULL when it has none. */
static const char *
create_id(const struct lane_call *c)
{
	struct json_object *id = NULL;

	if (!json_object_is_type(c->answer.json, json_type_object) ||
	    !json_object_object_get_ex(c->answer.json, "id", &id) ||
	    !json_object_is_type(id, json_type_string) || json_object_get_string_len(id) != 36)
		return NULL;
	return json_object_get_string(id);
}

/* Those of the client's personas whose delete was open and whose name was given away are gone. */
static void
create_gave_name(struct lane *l, const char *name, const struct model_persona *to,
    const struct lane_call *c)
{
	for (size_t i = 0; i < l->count; i++) {
		struct model_persona *p = l->personas[i];

		if (p == to || !model_may_hold(p, name))
			continue;
		if (model_must_hold(p, name))
			world_wrong(l->world, WRONG_DUPLICATE, "client %u: the name %s was given to %s and to %s",
			    l->number, name, p->id, to->id);
		else if (p->fields[MODEL_NAME].n == 1) {
			p->state = MODEL_GONE;
			lane_changed(c, p);
		}
	}
}

/* A 201 has come for a persona with this body. */
static void
create_made(struct lane *l, struct model_persona *p, const struct model_body *body,
    const struct lane_call *c)
{
	const char *id = create_id(c), *why;

	if (id == NULL) {
		world_wrong(l->world, WRONG_ANSWER, "%s: 201 without an id: %s", c->what, c->answer.body);
		return;
	}
	model_made(p, body, id);
	p->made_by = c->gateway;
	p->made_in = c->generation;
	p->made_after = atomic_load(&l->world->counts[COUNT_OUTAGES]);
	lane_changed(c, p);
	why = model_judge_local(p, c->answer.json);
	if (why != NULL)
		world_wrong(l->world, WRONG_CONTENT, "%s: 201 with another %s: %s", c->what, why,
		    c->answer.body);
	create_gave_name(l, body->values[MODEL_NAME], p, c);
	world_count(l->world, COUNT_CREATED);
	if (p->asked)
		world_count(l->world, COUNT_INHERITED);
}

/* Sends the first create of a persona and notes the outcome. */
static void
create_first(struct lane *l, const struct model_body *body, const char *key)
{
	struct model_persona *p = lane_add(l);
	struct lane_call c;

	model_begin(p, body, key);
	create_send(l, &c, p->body, p->key);
	lane_receive(l, &c, create_statuses);
	if (c.answered && c.answer.status == 201) {
		create_made(l, p, body, &c);
	} else if (lane_left_open(&c)) {
		p->asked = true;
		world_count(l->world, COUNT_UNKNOWN);
	} else {
		p->state = MODEL_GONE;
		if (c.answered && c.answer.status == 409 &&
		    !lane_held(l, body->values[MODEL_NAME], p, false))
			world_wrong(l->world, WRONG_ANSWER, "%s: 409 for a free name", c.what);
	}
	lane_call_clear(&c);
	for (int tries = 0; tries < 3 && p->state == MODEL_MAYBE && world_pick(&l->random, 2) == 0; tries++)
		lane_create_again(l, p);
}

/* Creates a persona with a new name, or one that is free again. */
void
lane_create_new(struct lane *l)
{
	struct model_persona *gone = world_pick(&l->random, 8) == 0 ? lane_choose(l, MODEL_GONE) : NULL;
	char values[MODEL_FIELDS][64], key[48] = "";
	struct model_body body;

	create_fresh_body(l, &body, values);
	if (gone != NULL && !gone->unseen && !lane_held(l, model_name(gone), gone, false))
		snprintf(values[MODEL_NAME], 64, "%s", model_name(gone));
	if (world_pick(&l->random, 5) == 0)
		snprintf(key, sizeof key, "key-%u-%u", l->number, l->serial);
	create_first(l, &body, key);
}

/* The body of a persona that may have been made, from its JSON. */
static struct json_object *
create_body_of(const struct model_persona *p, struct model_body *body)
{
	static const char *const names[MODEL_FIELDS] = {"name", "description", "systemPrompt", "headers"};
	struct json_object *root = json_tokener_parse(p->body);

	memset(body, 0, sizeof *body);
	for (int f = 0; f < MODEL_FIELDS; f++) {
		struct json_object *value = NULL;

		if (!json_object_object_get_ex(root, names[f], &value))
			continue;
		body->values[f] = f == MODEL_HEADERS
		    ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN)
		    : json_object_get_string(value);
	}
	return root;
}

/* A 409 says that the name is held: by this persona, when nobody else can hold it. */
static void
create_exists(struct lane *l, struct model_persona *p, const struct lane_call *c, bool equal)
{
	if (lane_held(l, model_name(p), p, false))
		return;
	if (equal && !p->unseen)
		world_wrong(l->world, WRONG_ANSWER, "%s: 409 for an equal create that nobody was told of",
		    c->what);
	p->state = MODEL_LIVE;
	lane_changed(c, p);
}

/* Sends the same create again, after an answer that left its outcome open. */
void
lane_create_again(struct lane *l, struct model_persona *p)
{
	struct model_body body;
	struct json_object *root = create_body_of(p, &body);
	struct lane_call c;

	create_send(l, &c, p->body, p->key);
	lane_receive(l, &c, create_statuses);
	/* It is handed out when the store has noted that, an answer of the network before the
	 * client's own: a kill in between leaves a persona that nobody was told of. */
	if (c.open && l->world->database != NULL)
		p->unseen = true;
	if (c.answered && c.answer.status == 201)
		create_made(l, p, &body, &c);
	else if (c.answered && c.answer.status == 409)
		create_exists(l, p, &c, true);
	lane_call_clear(&c);
	json_object_put(root);
}

/* Sends another body under a name whose create is open. */
void
lane_create_other(struct lane *l, struct model_persona *p)
{
	char values[MODEL_FIELDS][64], *json;
	struct model_body body;
	struct lane_call c;

	lane_fill(l, &body, values);
	snprintf(values[MODEL_NAME], 64, "%s", model_name(p));
	body.values[MODEL_NAME] = values[MODEL_NAME];
	json = model_print(&body);
	if (strcmp(json, p->body) == 0) {
		free(json);
		return;
	}
	create_send(l, &c, json, "");
	lane_receive(l, &c, create_statuses);
	if (c.answered && c.answer.status == 201) {
		p->key[0] = '\0';
		create_made(l, p, &body, &c);
	} else if (c.answered && c.answer.status == 409) {
		create_exists(l, p, &c, false);
	} else if (lane_left_open(&c)) {
		model_add(p, &body);
		p->unseen = true; /* which of the two exists is not known any more */
	}
	lane_call_clear(&c);
	free(json);
}

/* Whether it was surely noted that a persona's creator knows of it. A kill between the answer
 * and the note lets the same persona be handed out again, and so does a database that is away. */
static bool
create_is_noted(struct lane *l, const struct model_persona *p)
{
	return world_generation(l->world, p->made_by, NULL) == p->made_in &&
	    atomic_load(&l->world->counts[COUNT_OUTAGES]) == p->made_after;
}

/* Creates what exists: must be refused. */
void
lane_create_taken(struct lane *l)
{
	struct model_persona *p = lane_choose(l, MODEL_LIVE);
	struct lane_call c;
	const char *id;

	if (p == NULL || !p->made || p->fields[MODEL_NAME].n != 1 || p->changed || *p->key != '\0')
		return;
	create_send(l, &c, p->body, "");
	lane_receive(l, &c, create_statuses);
	id = c.answered && c.answer.status == 201 ? create_id(&c) : NULL;
	if (id != NULL && (strcmp(id, p->id) != 0 || create_is_noted(l, p)) && !p->unseen)
		world_wrong(l->world, WRONG_DUPLICATE, "%s: 201 for what exists: %s and %s", c.what, p->id, id);
	lane_call_clear(&c);
}

/* What came of several creates of one name. */
struct create_burst {
	struct model_body bodies[CREATE_BURST];
	char values[CREATE_BURST][MODEL_FIELDS][64];
	struct lane_call calls[CREATE_BURST];
	bool equal;
};

/* Judges a burst: at most one persona. */
static void
create_judge_burst(struct lane *l, struct model_persona *p, struct create_burst *b)
{
	int made = -1, refused = -1;
	bool open = false;

	for (int i = 0; i < CREATE_BURST; i++) {
		const struct lane_call *c = &b->calls[i];

		if (c->answered && c->answer.status == 201) {
			if (made >= 0 && create_id(c) != NULL && create_id(&b->calls[made]) != NULL &&
			    strcmp(create_id(c), create_id(&b->calls[made])) != 0)
				world_wrong(l->world, WRONG_DUPLICATE, "%s: %s and %s", c->what, create_id(c),
				    create_id(&b->calls[made]));
			made = i;
		} else if (lane_left_open(c)) {
			open = true;
			model_add(p, &b->bodies[i]);
		} else if (c->answered && c->answer.status == 409) {
			refused = i;
		}
	}
	if (made >= 0) {
		create_made(l, p, &b->bodies[made], &b->calls[made]);
		return;
	}
	p->asked = open;
	p->unseen = open && !b->equal;
	p->state = open ? MODEL_MAYBE : MODEL_GONE;
	if (refused >= 0 && !open)
		world_wrong(l->world, WRONG_ANSWER, "%s: 409 for a free name", b->calls[refused].what);
}

/* Creates one name several times at once, with equal bodies or different ones. */
void
lane_create_burst(struct lane *l)
{
	struct model_persona *p = lane_add(l);
	struct create_burst b;

	b.equal = world_pick(&l->random, 2) == 0;
	for (int i = 0; i < CREATE_BURST; i++) {
		if (i == 0) {
			create_fresh_body(l, &b.bodies[i], b.values[i]);
			model_begin(p, &b.bodies[i], NULL);
		} else if (b.equal) {
			b.bodies[i] = b.bodies[0];
		} else {
			lane_fill(l, &b.bodies[i], b.values[i]);
			snprintf(b.values[i][MODEL_DESCRIPTION], 64, "other %d", i);
			b.bodies[i].values[MODEL_DESCRIPTION] = b.values[i][MODEL_DESCRIPTION];
			b.bodies[i].values[MODEL_NAME] = b.values[0][MODEL_NAME];
		}
	}
	for (int i = 0; i < CREATE_BURST; i++) {
		char *json = model_print(&b.bodies[i]);

		create_send(l, &b.calls[i], json, "");
		free(json);
	}
	for (int i = 0; i < CREATE_BURST; i++)
		lane_receive(l, &b.calls[i], create_statuses);
	create_judge_burst(l, p, &b);
	for (int i = 0; i < CREATE_BURST; i++)
		lane_call_clear(&b.calls[i]);
}

/* Sends a create and leaves. */
void
lane_create_abort(struct lane *l)
{
	struct model_persona *p = lane_add(l);
	char values[MODEL_FIELDS][64];
	struct model_body body;
	struct lane_call c;

	create_fresh_body(l, &body, values);
	model_begin(p, &body, NULL);
	p->unseen = p->asked = true;
	create_send(l, &c, p->body, "");
	world_pass(l->world, world_pick(&l->random, 30));
	wire_abort(&c.wire);
	world_count(l->world, COUNT_UNKNOWN);
}
