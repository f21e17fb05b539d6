#include "config.h"

#include "mapping/mapping_apply.h"

#include <json-c/linkhash.h>
#include <string.h>

/* A place in the sent body: the keys that lead to it. */
struct mapping_match_place {
	const struct mapping_match_place *outer; /* NULL at the top */
	const char *key;
	size_t depth;
};

/* Whether a path is the given place. */
static bool
mapping_match_is_place(const struct mapping_path *path, const struct mapping_match_place *place)
{
	if (path->count != place->depth)
		return false;
	for (; place != NULL; place = place->outer)
		if (strcmp(path->keys[place->depth - 1], place->key) != 0)
			return false;
	return true;
}

/* The writable field that goes to a place. */
static const struct mapping_field *
mapping_match_field(const struct mapping *m, const struct mapping_match_place *place)
{
	for (size_t i = 0; i < m->field_count; i++)
		if (!m->fields[i].read_only &&
		    mapping_match_is_place(&m->fields[i].upstream, place))
			return &m->fields[i];
	return NULL;
}

/* Whether a constant goes to a place. */
static bool
mapping_match_is_constant(const struct mapping *m, const struct mapping_match_place *place)
{
	for (size_t i = 0; i < m->constant_count; i++)
		if (mapping_match_is_place(&m->constants[i].upstream, place))
			return true;
	return false;
}

static bool mapping_match_object(const struct mapping *, const struct mapping_match_place *,
    struct json_object *sent, struct json_object *upstream);

/* Whether one sent member has its value upstream. `there` is NULL when the
 * upstream object has no such member. A member that no field of today goes to
 * (the mapping changed since, or it was a constant then) counts only when it is
 * answered. */
static bool
mapping_match_member(const struct mapping *m, const struct mapping_match_place *place,
    struct json_object *sent, struct json_object *there, bool answered)
{
	const struct mapping_field *f;

	if (mapping_match_is_constant(m, place))
		return true;
	f = mapping_match_field(m, place);
	if (f != NULL)
		return there != NULL && mapping_apply_same(f, sent, there);
	if (json_object_is_type(sent, json_type_object) && place->depth < MAPPING_PATH_MAX)
		return mapping_match_object(m, place, sent, there);
	return !answered || mapping_step_same_value(sent, there);
}

/* Compares the members of an object of the sent body. */
static bool
mapping_match_object(const struct mapping *m, const struct mapping_match_place *outer,
    struct json_object *sent, struct json_object *upstream)
{
	struct lh_entry *e = lh_table_head(json_object_get_object(sent));
	bool is_object = json_object_is_type(upstream, json_type_object);

	for (; e != NULL; e = lh_entry_next(e)) {
		struct mapping_match_place place = {outer, lh_entry_k(e),
		    outer == NULL ? 1 : outer->depth + 1};
		struct json_object *there = NULL;
		bool answered;

		answered = is_object && json_object_object_get_ex(upstream, place.key, &there);
		if (!mapping_match_member(m, &place, lh_entry_v(e), there, answered))
			return false;
	}
	return true;
}

/* Compares a recorded body with an upstream object. */
bool
mapping_sent_matches(const struct mapping *m, struct json_object *sent,
    struct json_object *upstream)
{
	return json_object_is_type(sent, json_type_object) &&
	    json_object_is_type(upstream, json_type_object) &&
	    mapping_match_object(m, NULL, sent, upstream);
}

/* Whether a path's text, or one that it lies inside, is the first `len` bytes. */
static bool
mapping_match_is_inside(const char *inner, const char *outer, size_t len)
{
	return strncmp(inner, outer, len) == 0 && (inner[len] == '\0' || inner[len] == '.');
}

/* Finds the local field for a Bluejay member: the field that goes there, or
 * around it, or the only one that goes inside it. */
const char *
mapping_local_name(const struct mapping *m, const char *upstream_member)
{
	const char *inside = NULL;
	size_t len = strlen(upstream_member), count = 0;

	for (size_t i = 0; i < m->field_count; i++) {
		const struct mapping_field *f = &m->fields[i];
		const char *path = f->upstream.text;

		if (f->read_only)
			continue;
		if (mapping_match_is_inside(upstream_member, path, strlen(path)))
			return f->local.text;
		if (mapping_match_is_inside(path, upstream_member, len)) {
			inside = f->local.text;
			count++;
		}
	}
	return count == 1 ? inside : NULL;
}
