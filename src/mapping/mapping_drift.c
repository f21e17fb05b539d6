#include "config.h"

#include "mapping/mapping_drift.h"

#include "mapping/mapping_outline.h"

#include <json-c/linkhash.h>
#include <string.h>

#define MAPPING_DRIFT_CUT "\xE2\x80\xA6" /* "…" */

/* Who is told, and what is compared with what. */
struct mapping_drift_walk {
	const struct mapping *mapping;
	mapping_drift_fn fn;
	void *arg;
};

/* Where the walk is: the keys that lead there. */
struct mapping_drift_place {
	const struct mapping_drift_place *outer; /* NULL at the top */
	const char *key;                         /* NULL at the top of one thing */
	bool mark;                               /* not a key, but a mark of this room */
};

static const struct mapping_drift_place mapping_drift_item_place = {NULL, NULL, false};
static const struct mapping_drift_place mapping_drift_list_place = {NULL, "(list)", true};

/* A path as text, while it is written. */
struct mapping_drift_text {
	char text[MAPPING_DRIFT_PATH_SIZE];
	size_t len; /* what it would be without its bound */
};

/* The names of the kinds. */
const char *
mapping_drift_name(enum mapping_drift_kind kind)
{
	static const char *const names[] = {"missing", "new", "retyped"};

	return names[kind];
}

/* The type of a value in words. */
static const char *
mapping_drift_seen(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "true or false";
	case json_type_int:
		return "an integer";
	case json_type_double:
		return "a number";
	case json_type_string:
		return "a string";
	case json_type_array:
		return "an array";
	case json_type_object:
		return "an object";
	}
	return "unknown";
}

/* Adds one byte. */
static void
mapping_drift_byte(struct mapping_drift_text *t, char c)
{
	if (t->len + 1 < sizeof t->text)
		t->text[t->len] = c;
	t->len++;
}

/* Adds the keys of a place. */
static void
mapping_drift_keys(struct mapping_drift_text *t, const struct mapping_drift_place *place)
{
	if (place->outer != NULL)
		mapping_drift_keys(t, place->outer);
	if (place->key == NULL)
		return;
	if (t->len > 0 && !place->mark)
		mapping_drift_byte(t, '.');
	for (const char *p = place->key; *p != '\0' && t->len < sizeof t->text; p++) {
		if ((*p == '.' || *p == '\\') && !place->mark)
			mapping_drift_byte(t, '\\');
		mapping_drift_byte(t, *p);
	}
}

/* Ends a path; one that is too long is cut before a whole character. */
static void
mapping_drift_end(struct mapping_drift_text *t)
{
	size_t room = sizeof t->text - sizeof MAPPING_DRIFT_CUT;

	if (t->len < sizeof t->text) {
		t->text[t->len] = '\0';
		return;
	}
	while (room > 0 && ((unsigned char)t->text[room] & 0xC0) == 0x80)
		room--;
	memcpy(t->text + room, MAPPING_DRIFT_CUT, sizeof MAPPING_DRIFT_CUT);
}

/* Tells one difference. */
static void
mapping_drift_tell(const struct mapping_drift_walk *w, const struct mapping_drift_place *place,
    enum mapping_drift_kind kind, const char *declared, const char *seen)
{
	struct mapping_drift_text t = {.len = 0};
	struct mapping_drift d = {kind, t.text, declared, seen};

	mapping_drift_keys(&t, place);
	mapping_drift_end(&t);
	if (t.len == 0)
		d.path = "(item)";
	w->fn(w->arg, &d);
}

static void mapping_drift_value(const struct mapping_drift_walk *,
    const struct mapping_drift_place *, const struct mapping_outline_node *,
    struct json_object *value);

/* Tells the members that nobody declared. */
static void
mapping_drift_others(const struct mapping_drift_walk *w, const struct mapping_drift_place *place,
    const struct mapping_outline_node *node, struct json_object *object)
{
	struct lh_entry *e = lh_table_head(json_object_get_object(object));

	for (; e != NULL; e = lh_entry_next(e)) {
		struct mapping_drift_place at = {place, lh_entry_k(e), false};

		if (mapping_outline_find(node, at.key) == NULL)
			mapping_drift_tell(w, &at, MAPPING_DRIFT_NEW, NULL,
			    mapping_drift_seen(lh_entry_v(e)));
	}
}

/* Compares the members of an object. Others are looked for only when it has more
 * members than were found. */
static void
mapping_drift_members(const struct mapping_drift_walk *w, const struct mapping_drift_place *place,
    const struct mapping_outline_node *node, struct json_object *object)
{
	size_t found = 0;

	for (size_t i = 0; i < node->count; i++) {
		const struct mapping_outline_node *member = &node->members[i];
		struct mapping_drift_place at = {place, member->key, false};
		struct json_object *value;

		if (json_object_object_get_ex(object, member->key, &value)) {
			mapping_drift_value(w, &at, member, value);
			found++;
		} else if (member->expected) {
			mapping_drift_tell(w, &at, MAPPING_DRIFT_MISSING,
			    mapping_outline_noun(member), NULL);
		}
	}
	if (!node->open && found < (size_t)json_object_object_length(object))
		mapping_drift_others(w, place, node, object);
}

/* Compares the things of a listing. */
static void
mapping_drift_items(const struct mapping_drift_walk *w, struct json_object *array)
{
	for (size_t i = 0; i < json_object_array_length(array); i++)
		mapping_drift_item(w->mapping, json_object_array_get_idx(array, i), w->fn, w->arg);
}

/* Compares every element, or member, of a value. */
static void
mapping_drift_each(const struct mapping_drift_walk *w, const struct mapping_drift_place *place,
    const struct mapping_outline_node *node, struct json_object *value)
{
	struct mapping_drift_place at = {place, node->each_member ? ".*" : "[]", true};
	struct lh_entry *e;

	if (!node->each_member)
		for (size_t i = 0; i < json_object_array_length(value); i++)
			mapping_drift_value(w, &at, node->each, json_object_array_get_idx(value, i));
	else
		for (e = lh_table_head(json_object_get_object(value)); e; e = lh_entry_next(e))
			mapping_drift_value(w, &at, node->each, lh_entry_v(e));
}

/* Tells that a value is not what was declared; of one that has the right type, that the
 * mapping cannot read it. */
static void
mapping_drift_retyped(const struct mapping_drift_walk *w, const struct mapping_drift_place *place,
    const struct mapping_outline_node *node, struct json_object *value)
{
	const char *declared = mapping_outline_noun(node), *seen = mapping_drift_seen(value);

	if (declared != NULL && strcmp(declared, seen) == 0)
		declared = MAPPING_DRIFT_READABLE;
	mapping_drift_tell(w, place, MAPPING_DRIFT_RETYPED, declared, seen);
}

/* Compares one value. */
static void
mapping_drift_value(const struct mapping_drift_walk *w, const struct mapping_drift_place *place,
    const struct mapping_outline_node *node, struct json_object *value)
{
	if (value == NULL ? node->never_null : !mapping_outline_fits(node, value))
		mapping_drift_retyped(w, place, node, value);
	else if (value != NULL && node->items)
		mapping_drift_items(w, value);
	else if (value != NULL && node->each != NULL)
		mapping_drift_each(w, place, node, value);
	else if (value != NULL && node->count > 0)
		mapping_drift_members(w, place, node, value);
}

/* Compares one thing. */
void
mapping_drift_item(const struct mapping *m, struct json_object *item, mapping_drift_fn fn,
    void *arg)
{
	const struct mapping_drift_walk w = {m, fn, arg};

	mapping_drift_value(&w, &mapping_drift_item_place, &m->outline->item, item);
}

/* Compares a listing and finds its things. */
struct json_object *
mapping_drift_list(const struct mapping *m, struct json_object *listing, mapping_drift_fn fn,
    void *arg)
{
	const struct mapping_drift_walk w = {m, fn, arg};
	const char *key = m->resource->items;
	struct json_object *items = listing;

	mapping_drift_value(&w, &mapping_drift_list_place, &m->outline->list, listing);
	if (key != NULL && (!json_object_is_type(listing, json_type_object) ||
	        !json_object_object_get_ex(listing, key, &items)))
		return NULL;
	return json_object_is_type(items, json_type_array) ? items : NULL;
}
