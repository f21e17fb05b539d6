#include "config.h"

#include "mapping/mapping_shape.h"

#include "base/mem.h"
#include "json/json_text.h"
#include "mapping/mapping_tree.h"

#include <json-c/linkhash.h>
#include <stdlib.h>

struct mapping_shape {
	struct mapping_fields fields;
	enum mapping_shape_others others;
	struct mapping_tree *local, *upstream; /* leaves are fields */
	bool fills;                            /* any field has a filler */
};

/* One object on its way. */
struct mapping_shape_move {
	const struct mapping_shape *shape;
	bool send;
	struct json_object *out;
	struct mapping_trouble *trouble;
};

/* The members that lead to the one that is moved. */
struct mapping_shape_place {
	const struct mapping_shape_place *outer; /* NULL at the top */
	const struct mapping_tree *from, *to;    /* what is declared below here; NULL: nothing */
	const char *key;                         /* NULL at the top */
};

/* Keeps the fields and finds their places. */
void *
mapping_shape_new(struct mapping_fields *fields, enum mapping_shape_others others)
{
	struct mapping_shape *s = mem_zero(1, sizeof *s);

	s->fields = *fields;
	*fields = (struct mapping_fields){0};
	s->others = others;
	s->local = mapping_tree_new();
	s->upstream = mapping_tree_new();
	for (size_t i = 0; i < s->fields.count; i++) {
		mapping_tree_add(s->local, &s->fields.items[i].local, &s->fields.items[i]);
		mapping_tree_add(s->upstream, &s->fields.items[i].upstream, &s->fields.items[i]);
		s->fills |= s->fields.items[i].filler != NULL;
	}
	return s;
}

/* Shows the fields. */
const struct mapping_fields *
mapping_shape_fields(const struct mapping_step *step, enum mapping_shape_others *others)
{
	const struct mapping_shape *s = step->data;

	if (step->kind != &mapping_shape_kind)
		return NULL;
	*others = s->others;
	return &s->fields;
}

/* Frees everything. */
static void
mapping_shape_free(void *data)
{
	struct mapping_shape *s = data;

	mapping_tree_free(s->local);
	mapping_tree_free(s->upstream);
	mapping_fields_free(&s->fields);
	free(s);
}

/* The object in `out` that is at the same place as the members that lead here. */
static struct json_object *
mapping_shape_same_place(struct json_object *out, const struct mapping_shape_place *place)
{
	struct json_object *outer, *object;

	if (place->outer == NULL)
		return out;
	outer = mapping_shape_same_place(out, place->outer);
	if (!json_object_object_get_ex(outer, place->key, &object)) {
		object = json_object_new_object();
		json_object_object_add(outer, place->key, object);
	}
	return object;
}

static bool mapping_shape_members(const struct mapping_shape_move *,
    const struct mapping_shape_place *, struct json_object *object);

/* Moves a member that no field names. False with the trouble told. */
static bool
mapping_shape_other(const struct mapping_shape_move *move,
    const struct mapping_shape_place *place, const char *key, struct json_object *value)
{
	const struct mapping_tree *to = mapping_tree_below(place->to, key);
	enum mapping_shape_others others = move->shape->others;
	bool object = json_object_is_type(value, json_type_object);

	if (others == MAPPING_SHAPE_DROP || (others == MAPPING_SHAPE_REFUSE && !move->send))
		return true;
	if (others == MAPPING_SHAPE_REFUSE) {
		mapping_trouble_set(move->trouble, "is not known here");
		return false;
	}
	if (to != NULL && mapping_tree_leaf(to) == NULL && object &&
	    (!move->send || json_object_object_length(value) > 0)) {
		/* other fields go beside its members */
		struct mapping_shape_place inner = {place, NULL, to, key};

		mapping_shape_same_place(move->out, &inner);
		return mapping_shape_members(move, &inner, value);
	}
	if (to == NULL && mapping_tree_leaf(place->to) == NULL)
		return json_object_object_add(mapping_shape_same_place(move->out, place), key,
		           json_object_get(value)) == 0;
	if (move->send)
		mapping_trouble_set(move->trouble,
		    "has no place in Bluejay: another field goes there");
	return !move->send;
}

/* Moves a member that a field names. False with the trouble told. */
static bool
mapping_shape_field(const struct mapping_shape_move *move, const struct mapping_field *f,
    struct json_object *value)
{
	struct json_object *moved;
	bool ok;

	if (move->send ? f->read_only : f->write_only)
		return true;
	if (move->send && f->omitted != NULL && mapping_step_same_value(f->omitted, value))
		return true;
	if (!move->send && f->filler != NULL && mapping_way_same(&f->way, f->filler, value))
		return true;
	if (move->send)
		ok = mapping_way_send_any(&f->way, value, &moved, move->trouble);
	else
		ok = mapping_way_receive_any(&f->way, value, &moved, move->trouble);
	if (ok)
		mapping_path_put(move->send ? &f->upstream : &f->local, move->out, moved);
	return ok;
}

/* Moves one member. False with the trouble told, its path from here. */
static bool
mapping_shape_member(const struct mapping_shape_move *move,
    const struct mapping_shape_place *outer, const char *key, struct json_object *value)
{
	const struct mapping_tree *from = mapping_tree_below(outer->from, key);
	const struct mapping_field *f = mapping_tree_leaf(from);
	bool object = json_object_is_type(value, json_type_object);
	bool empty = value == NULL || (object && json_object_object_length(value) == 0);

	if (f != NULL)
		return mapping_shape_field(move, f, value);
	if (from != NULL && empty && !move->send)
		return true; /* nothing is there of what the fields would read */
	if (from == NULL || (empty && object))
		return mapping_shape_other(move, outer, key, value);
	if (object) {
		struct mapping_shape_place place = {outer, from,
		    mapping_tree_leaf(outer->to) != NULL ? outer->to
		                                         : mapping_tree_below(outer->to, key),
		    key};

		return mapping_shape_members(move, &place, value);
	}
	mapping_trouble_set(move->trouble, "must be an object");
	return false;
}

/* Moves the members of an object. */
static bool
mapping_shape_members(const struct mapping_shape_move *move,
    const struct mapping_shape_place *place, struct json_object *object)
{
	struct lh_entry *e = lh_table_head(json_object_get_object(object));

	for (; e != NULL; e = lh_entry_next(e)) {
		if (!mapping_shape_member(move, place, lh_entry_k(e), lh_entry_v(e))) {
			mapping_trouble_in_object(move->trouble, lh_entry_k(e));
			return false;
		}
	}
	return true;
}

/* Sends the fillers of fields that an object does not hold. */
static void
mapping_shape_fill(const struct mapping_shape *s, struct json_object *local,
    struct json_object *out)
{
	struct json_object *value;
	size_t keys;

	for (size_t i = 0; i < s->fields.count; i++) {
		const struct mapping_field *f = &s->fields.items[i];

		if (f->filler != NULL &&
		    mapping_path_get(&f->local, local, &value, &keys) == MAPPING_PATH_MISSING)
			mapping_path_put(&f->upstream, out, json_copy(f->filler));
	}
}

/* Moves an object. */
static struct json_object *
mapping_shape_run(const struct mapping_step *step, struct json_object *value, bool send,
    struct mapping_trouble *trouble)
{
	const struct mapping_shape *s = step->data;
	struct mapping_shape_move move = {s, send, NULL, trouble};
	struct mapping_shape_place top = {NULL, send ? s->local : s->upstream,
	    send ? s->upstream : s->local, NULL};

	if (!json_object_is_type(value, json_type_object))
		return mapping_trouble_set(trouble, "must be an object");
	move.out = json_object_new_object();
	if (!mapping_shape_members(&move, &top, value)) {
		json_object_put(move.out);
		return NULL;
	}
	if (send && s->fills)
		mapping_shape_fill(s, value, move.out);
	return move.out;
}

/* Sends an object. */
static struct json_object *
mapping_shape_send(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	return mapping_shape_run(step, value, true, trouble);
}

/* Receives an object. */
static struct json_object *
mapping_shape_receive(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	return mapping_shape_run(step, value, false, trouble);
}

/* Whether every member of one upstream object has its value in another, which
 * may hold more: members that Bluejay adds do not count. */
static bool
mapping_shape_holds(const struct mapping_tree *tree, struct json_object *a,
    struct json_object *b)
{
	struct lh_entry *e = lh_table_head(json_object_get_object(a));

	for (; e != NULL; e = lh_entry_next(e)) {
		const struct mapping_tree *below = mapping_tree_below(tree, lh_entry_k(e));
		const struct mapping_field *f = mapping_tree_leaf(below);
		struct json_object *value = lh_entry_v(e), *other = NULL;
		bool there = json_object_object_get_ex(b, lh_entry_k(e), &other), same;

		if (f != NULL && f->write_only)
			continue;
		if (f != NULL)
			same = mapping_way_same(&f->way, value, other);
		else if (json_object_is_type(value, json_type_object) &&
		    json_object_is_type(other, json_type_object))
			same = mapping_shape_holds(below, value, other);
		else
			same = mapping_step_same_value(value, other);
		if (!there || !same)
			return false;
	}
	return true;
}

/* Compares what was sent with what Bluejay has. */
static bool
mapping_shape_same(const struct mapping_step *step, struct json_object *a, struct json_object *b)
{
	const struct mapping_shape *s = step->data;

	if (!json_object_is_type(a, json_type_object) || !json_object_is_type(b, json_type_object))
		return mapping_step_same_value(a, b);
	return mapping_shape_holds(s->upstream, a, b);
}

const struct mapping_step_kind mapping_shape_kind = {
    .name = "fields",
    .send = mapping_shape_send,
    .receive = mapping_shape_receive,
    .same = mapping_shape_same,
    .free = mapping_shape_free,
};
