#include "config.h"

#include "core/listed.h"
#include "base/mem.h"
#include "json/json_read.h"

#include <stdlib.h>
#include <string.h>

#define LISTED_ROOM 16 /* items at first */

/* Makes an empty list. */
struct listed *
listed_new(void)
{
	return mem_zero(1, sizeof(struct listed));
}

/* Frees a list. */
void
listed_free(struct listed *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++) {
		free(l->items[i].id);
		json_object_put(l->items[i].tree);
	}
	free(l->items);
	free(l->body);
	free(l);
}

/* Adds an item. */
static struct listed_item *
listed_add_one(struct listed *l)
{
	if (l->count == l->room) {
		l->room = l->room == 0 ? LISTED_ROOM : l->room * 2;
		l->items = mem_resize(l->items, l->room * sizeof *l->items);
	}
	memset(&l->items[l->count], 0, sizeof *l->items);
	return &l->items[l->count++];
}

/* Adds an item that was read in pieces. */
static void
listed_add_text(struct listed *l, const struct project *p, struct sight *sight)
{
	const struct json_pieces *o = &sight->copied.pieces;
	struct listed_item *item = listed_add_one(l);
	const char *id;

	item->text = o->text;
	item->len = o->len;
	item->alike = sight_copy_pieces(sight, p);
	if (!item->alike)
		sight_take(sight, p, json_object_get(listed_tree(item)));
	id = sight_id(sight);
	if (id != NULL)
		item->id = mem_string(id);
	sight_clear(sight);
}

/* Compares the items that are not as declared for certain; true when nothing differs. */
static bool
listed_compare(const struct listed *l, struct drift *drift, const struct project *p)
{
	struct json_object **others = mem_zero(l->count + 1, sizeof *others);
	size_t count = 0;
	bool alike;

	for (size_t i = 0; i < l->count; i++)
		if (!l->items[i].alike)
			others[count++] = l->items[i].tree;
	alike = drift_listed(drift, p, l->count, others, count);
	free(others);
	return alike;
}

/* Reads a listing. */
struct listed *
listed_read(struct drift *drift, const struct project *p, const char *body, size_t len, bool *alike)
{
	struct json_objects objects;
	struct sight sight;
	struct listed *l;

	if (!mapping_copies(p->mapping) || p->resource->mapped->items != NULL)
		return NULL;
	l = listed_new();
	l->body = mem_copy(body, len);
	l->len = len;
	json_objects_begin(&objects, l->body, len);
	while (json_objects_next(&objects, &sight.copied.pieces))
		listed_add_text(l, p, &sight);
	if (objects.bad) {
		listed_free(l);
		return NULL;
	}
	*alike = listed_compare(l, drift, p);
	return l;
}

/* Keeps a text. */
void
listed_keep(struct listed *l, const char *body, size_t len)
{
	if (l->body != NULL)
		return;
	l->body = mem_copy(body, len);
	l->len = len;
}

/* Adds trees. */
void
listed_add(struct listed *l, const struct project *p, struct json_object *array)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct listed_item *item = listed_add_one(l);
		const char *id;

		item->tree = json_object_get(json_object_array_get_idx(array, i));
		id = resource_id(p->resource, item->tree);
		if (id != NULL)
			item->id = mem_string(id);
	}
}

/* Makes the tree of an item. */
struct json_object *
listed_tree(struct listed_item *item)
{
	if (item->tree == NULL && item->text != NULL)
		json_read(item->text, item->len, &item->tree, NULL);
	return item->tree;
}

/* Sees an item. */
void
listed_see(struct listed_item *item, const struct project *p, struct sight *sight)
{
	if (!item->alike || !sight_copy(sight, p, item->text, item->len))
		sight_take(sight, p, json_object_get(listed_tree(item)));
}
