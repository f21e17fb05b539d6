#include "config.h"

#include "mapping/mapping_each.h"

#include "base/mem.h"

#include <json-c/linkhash.h>
#include <stdlib.h>

typedef bool (*mapping_each_fn)(const struct mapping_way *, struct json_object *value,
    struct json_object **out, struct mapping_trouble *);

/* Keeps the way of one element. */
void *
mapping_each_new(struct mapping_way *way)
{
	struct mapping_way *own = mem_alloc(sizeof *own);

	*own = *way;
	*way = (struct mapping_way){0};
	return own;
}

/* Shows the way. */
const struct mapping_way *
mapping_each_way(const struct mapping_step *step)
{
	return step->kind == &mapping_each_array || step->kind == &mapping_each_object ? step->data
	                                                                               : NULL;
}

/* Frees the way. */
static void
mapping_each_free(void *data)
{
	mapping_way_free(data);
	free(data);
}

/* Moves each element of an array. */
static struct json_object *
mapping_each_elements(const struct mapping_way *way, struct json_object *list,
    mapping_each_fn move, struct mapping_trouble *trouble)
{
	struct json_object *out, *moved;
	size_t count;

	if (!json_object_is_type(list, json_type_array))
		return mapping_trouble_set(trouble, "must be an array");
	count = json_object_array_length(list);
	out = json_object_new_array_ext((int)count);
	for (size_t i = 0; i < count; i++) {
		if (!move(way, json_object_array_get_idx(list, i), &moved, trouble)) {
			mapping_trouble_in_list(trouble, i);
			json_object_put(out);
			return NULL;
		}
		json_object_array_add(out, moved);
	}
	return out;
}

/* Moves each member of an object. */
static struct json_object *
mapping_each_members(const struct mapping_way *way, struct json_object *object,
    mapping_each_fn move, struct mapping_trouble *trouble)
{
	struct json_object *out, *moved;
	struct lh_entry *e;

	if (!json_object_is_type(object, json_type_object))
		return mapping_trouble_set(trouble, "must be an object");
	out = json_object_new_object();
	for (e = lh_table_head(json_object_get_object(object)); e; e = lh_entry_next(e)) {
		if (!move(way, lh_entry_v(e), &moved, trouble)) {
			mapping_trouble_in_object(trouble, lh_entry_k(e));
			json_object_put(out);
			return NULL;
		}
		json_object_object_add(out, lh_entry_k(e), moved);
	}
	return out;
}

/* Sends an array. */
static struct json_object *
mapping_each_send_array(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	return mapping_each_elements(step->data, value, mapping_way_send_any, trouble);
}

/* Receives an array. */
static struct json_object *
mapping_each_receive_array(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	return mapping_each_elements(step->data, value, mapping_way_receive_any, trouble);
}

/* Sends an object. */
static struct json_object *
mapping_each_send_object(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	return mapping_each_members(step->data, value, mapping_way_send_any, trouble);
}

/* Receives an object. */
static struct json_object *
mapping_each_receive_object(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	return mapping_each_members(step->data, value, mapping_way_receive_any, trouble);
}

/* Compares two arrays element by element. */
static bool
mapping_each_same_array(const struct mapping_step *step, struct json_object *a,
    struct json_object *b)
{
	size_t count;

	if (!json_object_is_type(a, json_type_array) || !json_object_is_type(b, json_type_array))
		return mapping_step_same_value(a, b);
	count = json_object_array_length(a);
	if (count != json_object_array_length(b))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!mapping_way_same(step->data, json_object_array_get_idx(a, i),
		        json_object_array_get_idx(b, i)))
			return false;
	return true;
}

/* Compares two objects member by member. */
static bool
mapping_each_same_object(const struct mapping_step *step, struct json_object *a,
    struct json_object *b)
{
	struct json_object *other;
	struct lh_entry *e;

	if (!json_object_is_type(a, json_type_object) || !json_object_is_type(b, json_type_object))
		return mapping_step_same_value(a, b);
	if (json_object_object_length(a) != json_object_object_length(b))
		return false;
	for (e = lh_table_head(json_object_get_object(a)); e; e = lh_entry_next(e))
		if (!json_object_object_get_ex(b, lh_entry_k(e), &other) ||
		    !mapping_way_same(step->data, lh_entry_v(e), other))
			return false;
	return true;
}

const struct mapping_step_kind mapping_each_array = {
    .name = "each",
    .send = mapping_each_send_array,
    .receive = mapping_each_receive_array,
    .same = mapping_each_same_array,
    .free = mapping_each_free,
};

const struct mapping_step_kind mapping_each_object = {
    .name = "each",
    .send = mapping_each_send_object,
    .receive = mapping_each_receive_object,
    .same = mapping_each_same_object,
    .free = mapping_each_free,
};
