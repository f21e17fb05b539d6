#include "config.h"

#include "mapping/mapping_template.h"
#include "mapping/mapping_tree.h"

#include <json-c/linkhash.h>
#include <string.h>

/* What is declared for a place in the sent body; NULL: nothing. */
struct mapping_match_place {
	const struct mapping_tree *field, *constant;
	size_t depth;
};

static bool mapping_match_object(const struct mapping_match_place *, struct json_object *sent,
    struct json_object *upstream);

/* Whether one sent member has its value upstream. `there` is NULL when the
 * upstream object has no such member. A member that no field of today goes to
 * (the mapping changed since, or it was a constant then), or that is never
 * read, counts only when it is answered. */
static bool
mapping_match_member(const struct mapping_match_place *place, struct json_object *sent,
    struct json_object *there, bool answered)
{
	const struct mapping_field *f = mapping_tree_leaf(place->field);

	if (mapping_tree_leaf(place->constant) != NULL)
		return true;
	if (f != NULL && f->write_only && !answered)
		return true;
	if (f != NULL)
		return there != NULL && mapping_way_same(&f->way, sent, there);
	if (json_object_is_type(sent, json_type_object) && place->depth < MAPPING_PATH_MAX)
		return mapping_match_object(place, sent, there);
	return !answered || mapping_step_same_value(sent, there);
}

/* Compares the members of an object of the sent body. */
static bool
mapping_match_object(const struct mapping_match_place *outer, struct json_object *sent,
    struct json_object *upstream)
{
	struct lh_entry *e = lh_table_head(json_object_get_object(sent));
	bool is_object = json_object_is_type(upstream, json_type_object);

	for (; e != NULL; e = lh_entry_next(e)) {
		const char *key = lh_entry_k(e);
		struct mapping_match_place place = {mapping_tree_below(outer->field, key),
		    mapping_tree_below(outer->constant, key), outer->depth + 1};
		struct json_object *there = NULL;
		bool answered;

		answered = is_object && json_object_object_get_ex(upstream, key, &there);
		if (!mapping_match_member(&place, lh_entry_v(e), there, answered))
			return false;
	}
	return true;
}

/* Compares a recorded body with an upstream object. */
bool
mapping_sent_matches(const struct mapping *m, struct json_object *sent,
    struct json_object *upstream)
{
	const struct mapping_match_place top = {m->sent, m->constant, 0};

	return json_object_is_type(sent, json_type_object) &&
	    json_object_is_type(upstream, json_type_object) &&
	    mapping_match_object(&top, sent, upstream);
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

	for (size_t i = 0; i < m->fields.count; i++) {
		const struct mapping_field *f = &m->fields.items[i];
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
	for (size_t i = 0; i < m->template_count; i++)
		if (mapping_match_is_inside(upstream_member, m->templates[i].upstream.text,
		        strlen(m->templates[i].upstream.text)))
			return m->templates[i].pieces[0].local.text;
	return count == 1 ? inside : NULL;
}
