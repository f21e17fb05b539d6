#include "config.h"

#include "mapping/mapping_outline.h"

#include "base/mem.h"
#include "mapping/mapping_each.h"
#include "mapping/mapping_shape.h"
#include "mapping/mapping_template.h"

#include <stdlib.h>
#include <string.h>

/* Where a key is among the members, or would have to be. */
static size_t
mapping_outline_place(const struct mapping_outline_node *node, const char *key, bool *found)
{
	size_t low = 0, high = node->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(node->members[middle].key, key);

		*found = order == 0;
		if (*found)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Finds a member. */
const struct mapping_outline_node *
mapping_outline_find(const struct mapping_outline_node *node, const char *key)
{
	bool found;
	size_t i = mapping_outline_place(node, key, &found);

	return found ? &node->members[i] : NULL;
}

/* The member of a key, made if need be; valid until the next one is made. */
static struct mapping_outline_node *
mapping_outline_member(struct mapping_outline_node *node, const char *key)
{
	struct mapping_outline_node *member;
	bool found;
	size_t i = mapping_outline_place(node, key, &found);

	if (found)
		return &node->members[i];
	node->members = mem_resize(node->members, (node->count + 1) * sizeof *node->members);
	member = &node->members[i];
	memmove(member + 1, member, (node->count - i) * sizeof *member);
	node->count++;
	memset(member, 0, sizeof *member);
	member->key = mem_string(key);
	return member;
}

/* Adds a table of known members. */
static void
mapping_outline_known(struct mapping_outline_node *node, const struct mapping_known *known)
{
	for (; known->name != NULL; known++) {
		struct mapping_outline_node *member;

		if (known->not_answered)
			continue;
		member = mapping_outline_member(node, known->name);
		member->kind = mapping_known_kind(known);
		member->expected = true;
		member->never_null = known->never_null;
	}
}

/* The node of a path; those on the way to it are expected if it is. A known object
 * on the way has members that nobody knows. */
static struct mapping_outline_node *
mapping_outline_path(struct mapping_outline_node *node, const struct mapping_path *path,
    bool expected)
{
	for (size_t i = 0; i < path->count; i++) {
		node->open = node->open || node->kind != NULL;
		node = mapping_outline_member(node, path->keys[i]);
		node->expected = node->expected || expected;
	}
	return node;
}

static void mapping_outline_fields(struct mapping_outline_node *, const struct mapping_fields *,
    bool expected);

/* Adds how a value is read: its parts where they are read one by one. Those may be
 * left out. */
static void
mapping_outline_way(struct mapping_outline_node *node, const struct mapping_way *way)
{
	const struct mapping_step *step = &way->steps[0];
	enum mapping_shape_others others;
	const struct mapping_fields *fields = mapping_shape_fields(step, &others);
	const struct mapping_way *each = mapping_each_way(step);

	if (way->count == 1 && fields != NULL) {
		node->object = true;
		node->open = others != MAPPING_SHAPE_REFUSE;
		mapping_outline_fields(node, fields, false);
	} else if (way->count == 1 && each != NULL) {
		node->each = mem_zero(1, sizeof *node->each);
		node->each_member = step->kind == &mapping_each_object;
		mapping_outline_way(node->each, each);
	} else {
		node->way = way;
		if (way->count == 1 && step->kind == node->kind)
			node->kind = NULL; /* once is enough */
	}
}

/* Adds what fields read. A place of a field with a condition may be another
 * field's, too, so nothing is said of what is there. */
static void
mapping_outline_fields(struct mapping_outline_node *item, const struct mapping_fields *fields,
    bool expected)
{
	for (size_t i = 0; i < fields->count; i++) {
		const struct mapping_field *f = &fields->items[i];
		struct mapping_outline_node *node;

		node = mapping_outline_path(item, &f->upstream,
		    expected && !f->write_only && f->when == NULL);
		if (f->write_only || f->when != NULL)
			continue;
		node->filler = f->filler;
		mapping_outline_way(node, &f->way);
	}
}

/* Adds what the mapping sends without reading it. */
static void
mapping_outline_constants(struct mapping_outline_node *item, const struct mapping *m)
{
	for (size_t i = 0; i < m->constant_count; i++) {
		const struct mapping_path *path = &m->constants[i].upstream;
		const struct mapping_known *known = mapping_resource_upstream(m->resource, path);

		if (known == NULL || !known->not_answered)
			mapping_outline_path(item, path, false);
	}
	for (size_t i = 0; i < m->template_count; i++)
		mapping_outline_path(item, &m->templates[i].upstream, m->templates[i].reads);
}

/* Makes the outline. */
struct mapping_outline *
mapping_outline_new(const struct mapping *m)
{
	const struct mapping_resource *resource = m->resource;
	struct mapping_outline *outline = mem_zero(1, sizeof *outline);
	struct mapping_outline_node *items = &outline->list;

	outline->item.never_null = outline->list.never_null = true;
	outline->item.open = outline->list.open = resource->open;
	mapping_outline_known(&outline->item, resource->upstream);
	mapping_outline_fields(&outline->item, &m->fields, true);
	mapping_outline_constants(&outline->item, m);
	if (m->name != NULL)
		mapping_outline_path(&outline->item, &m->name->upstream, true)->never_null = true;
	if (resource->items != NULL) {
		mapping_outline_known(&outline->list, resource->envelope);
		items = mapping_outline_member(&outline->list, resource->items);
		items->expected = items->never_null = true;
	}
	items->items = true;
	return outline;
}

/* Says what a value is declared to be. */
const char *
mapping_outline_noun(const struct mapping_outline_node *node)
{
	if (node->items || (node->each != NULL && !node->each_member))
		return "an array";
	if (node->each != NULL || node->object || node->count > 0)
		return "an object";
	if (node->way != NULL && node->way->upstream != NULL)
		return node->way->upstream->noun;
	return node->kind != NULL ? node->kind->noun : NULL;
}

/* Whether a known member has its type. */
static bool
mapping_outline_is_known(const struct mapping_step_kind *kind, struct json_object *value)
{
	const struct mapping_step step = {.kind = kind};
	struct mapping_trouble trouble;
	struct json_object *taken = step.kind->receive(&step, value, &trouble);

	json_object_put(taken);
	return taken != NULL;
}

/* Whether the mapping can read a value. */
static bool
mapping_outline_is_read(const struct mapping_outline_node *node, struct json_object *value)
{
	struct mapping_trouble trouble;
	struct json_object *taken = mapping_way_receive(node->way, value, &trouble);

	json_object_put(taken);
	return taken != NULL ||
	    (node->filler != NULL && mapping_way_same(node->way, node->filler, value));
}

/* Whether a value is what is declared. */
bool
mapping_outline_fits(const struct mapping_outline_node *node, struct json_object *value)
{
	if (node->items || (node->each != NULL && !node->each_member))
		return json_object_is_type(value, json_type_array);
	if (node->each != NULL || node->object || node->count > 0)
		return json_object_is_type(value, json_type_object);
	if (node->way != NULL && !mapping_outline_is_read(node, value))
		return false;
	return node->kind == NULL || mapping_outline_is_known(node->kind, value);
}

/* Frees what lies below a node. */
static void
mapping_outline_clear(struct mapping_outline_node *node)
{
	for (size_t i = 0; i < node->count; i++) {
		mapping_outline_clear(&node->members[i]);
		free(node->members[i].key);
	}
	free(node->members);
	if (node->each != NULL)
		mapping_outline_clear(node->each);
	free(node->each);
}

/* Frees an outline; NULL is fine. */
void
mapping_outline_free(struct mapping_outline *outline)
{
	if (outline == NULL)
		return;
	mapping_outline_clear(&outline->item);
	mapping_outline_clear(&outline->list);
	free(outline);
}
