#include "config.h"

#include "mapping/mapping_copy.h"

#include "base/mem.h"
#include "base/timestamp.h"
#include "json/json_text.h"
#include "mapping/mapping_copy_plan.h"
#include "mapping/mapping_outline.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

/* Whether answers are copied. */
bool
mapping_copies(const struct mapping *m)
{
	return m->copy != NULL;
}

/* The member of the outline that has a key; NULL for none. */
static const struct mapping_outline_node *
mapping_copy_node(const struct mapping_outline_node *item, const char *key, size_t len)
{
	size_t low = 0, high = item->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mapping_outline_node *node = &item->members[middle];
		int order = strncmp(node->key, key, len);

		if (order == 0 && node->key[len] == '\0')
			return node;
		if (order < 0)
			low = middle + 1;
		else
			high = middle; /* also where the key is only how a longer one begins */
	}
	return NULL;
}

/* Whether a value is what is declared of its member, and can be copied. */
static bool
mapping_copy_value_fits(const struct mapping_outline_node *node, const struct json_piece *piece)
{
	if (piece->type == json_type_null)
		return !node->never_null;
	if (node->way != NULL && !node->way->steps[0].kind->copy(node->way->steps[0].kind, piece, NULL))
		return false;
	return node->kind == NULL || node->kind->copy(node->kind, piece, NULL);
}

/* Compares the pieces with the outline. */
bool
mapping_copy_fits(const struct mapping *m, struct mapping_copied *c)
{
	const struct mapping_outline_node *item, *node;

	if (m->copy == NULL)
		return false;
	item = &m->outline->item;
	memset(c->declared, 0, item->count * sizeof *c->declared);
	for (size_t i = 0; i < c->pieces.count; i++) {
		const struct json_piece *piece = &c->pieces.items[i];

		node = mapping_copy_node(item, piece->key, piece->key_len);
		if (!piece->plain || (node == NULL && !item->open) ||
		    (node != NULL && !mapping_copy_value_fits(node, piece)))
			return false;
		if (node != NULL)
			c->declared[node - item->members] = piece;
	}
	for (size_t i = 0; i < item->count; i++)
		if (item->members[i].expected && c->declared[i] == NULL)
			return false;
	return true;
}

/* Reads a text. */
bool
mapping_copy_read(const struct mapping *m, const char *text, size_t len, struct mapping_copied *c)
{
	return m->copy != NULL && json_pieces_read(&c->pieces, text, len) && mapping_copy_fits(m, c);
}

/* Finds a field's value. */
const struct json_piece *
mapping_copy_field(const struct mapping *m, const struct mapping_copied *c, const char *local)
{
	const struct mapping_field *f = local == NULL ? m->name : mapping_plan_field(m, local);

	return f == NULL ? NULL : json_pieces_find(&c->pieces, f->upstream.keys[0]);
}

/* Prints the answer itself. */
void
mapping_copy_print(const struct mapping_copied *c, struct buf *out)
{
	const struct json_pieces *o = &c->pieces;

	if (o->plain) {
		buf_add(out, o->text, o->len);
		return;
	}
	buf_addc(out, '{');
	for (size_t i = 0; i < o->count; i++) {
		buf_add(out, i > 0 ? ",\"" : "\"", i > 0 ? 2 : 1);
		buf_add(out, o->items[i].key, o->items[i].key_len);
		buf_add(out, "\":", 2);
		buf_add(out, o->items[i].value, o->items[i].len);
	}
	buf_addc(out, '}');
}

/* Whether a value is the text that stands for one that was absent. A filler of another type
 * is compared by what it is worth, and a time by its instant: that takes a tree. */
static enum mapping_copy_same
mapping_copy_is_filler(const struct mapping_field *f, const struct json_piece *piece,
    struct json_object *filler)
{
	struct buf text;
	bool same;

	if (!json_object_is_type(filler, json_type_string) || f->way.upstream == mapping_step_find("timestamp"))
		return MAPPING_COPY_TREE;
	if (piece->type != json_type_string)
		return MAPPING_COPY_OTHER;
	buf_init(&text, 0);
	json_add_string(&text, json_object_get_string(filler), (size_t)json_object_get_string_len(filler));
	same = text.len == piece->len && memcmp(text.data, piece->value, piece->len) == 0;
	buf_free(&text);
	return same ? MAPPING_COPY_SAME : MAPPING_COPY_OTHER;
}

/* Appends one member of the local form, unless there is none. */
static bool
mapping_copy_add(const struct mapping_copy_part *part, const struct mapping_copied *c,
    struct json_object *absent, struct json_object *kept, struct buf *out)
{
	const struct json_piece *piece = part->field != NULL ? c->declared[part->member] : NULL;
	const struct mapping_step_kind *kind;
	struct json_object *filler, *value;

	if (piece == NULL || piece->type == json_type_null) {
		if (part->keeps && kept != NULL && json_object_object_get_ex(kept, part->local, &value) &&
		    value != NULL) {
			buf_add(out, part->head, part->head_len);
			json_add(out, value);
		}
		return true;
	}
	if (absent != NULL && json_object_object_get_ex(absent, part->local, &filler)) {
		enum mapping_copy_same same = mapping_copy_is_filler(part->field, piece, filler);

		if (same != MAPPING_COPY_OTHER)
			return same == MAPPING_COPY_SAME;
	}
	buf_add(out, part->head, part->head_len);
	kind = part->field->way.steps[0].kind;
	return kind->copy(kind, piece, out);
}

/* Makes the local form. */
bool
mapping_copy_answer(const struct mapping *m, const struct mapping_copied *c, const char *local_id,
    struct json_object *absent, struct json_object *kept, int64_t updated_ms, struct buf *out)
{
	const struct mapping_copy *plan = m->copy;
	char updated[TIMESTAMP_SIZE];

	buf_reserve(out, c->pieces.len + plan->room);
	buf_adds(out, "{\"id\":");
	json_add_string(out, local_id, strlen(local_id));
	for (size_t i = 0; i < plan->count; i++)
		if (!mapping_copy_add(&plan->parts[i], c, absent, kept, out))
			return false;
	if (m->resource->dated) {
		timestamp_format(updated_ms, updated);
		buf_adds(out, ",\"updatedAt\":\"");
		buf_adds(out, updated);
		buf_addc(out, '"');
	}
	return buf_addc(out, '}');
}

/* Whether one recorded filler still stands. What cannot be seen has not changed. */
static bool
mapping_copy_one_holds(const struct mapping *m, const struct mapping_copied *c, const char *local,
    struct json_object *filler)
{
	const struct mapping_field *f = mapping_plan_field(m, local);
	const struct json_piece *piece;

	if (f == NULL)
		return true;
	piece = json_pieces_find(&c->pieces, f->upstream.keys[0]);
	return piece == NULL || (piece->type != json_type_null &&
	    mapping_copy_is_filler(f, piece, filler) == MAPPING_COPY_SAME);
}

/* Whether all of them do. */
bool
mapping_copy_absent_holds(const struct mapping *m, const struct mapping_copied *c,
    struct json_object *absent)
{
	struct lh_entry *e;

	for (e = lh_table_head(json_object_get_object(absent)); e; e = lh_entry_next(e))
		if (!mapping_copy_one_holds(m, c, lh_entry_k(e), lh_entry_v(e)))
			return false;
	return true;
}

/* Whether two values that are equal may have other bytes: members may be in any order. */
static bool
mapping_copy_has_order(const struct json_piece *piece)
{
	return piece->type == json_type_object ||
	    (piece->type == json_type_array && memchr(piece->value, '{', piece->len) != NULL);
}

/* Compares what a field makes of two values. */
static enum mapping_copy_same
mapping_copy_compare_values(const struct mapping_step_kind *kind, const struct json_piece *a,
    const struct json_piece *b)
{
	struct buf x, y;
	bool same;

	if (a->len == b->len && memcmp(a->value, b->value, a->len) == 0)
		return MAPPING_COPY_SAME;
	if (mapping_copy_has_order(a) && mapping_copy_has_order(b))
		return MAPPING_COPY_TREE;
	buf_init(&x, 0);
	buf_init(&y, 0);
	same = kind->copy(kind, a, &x) && kind->copy(kind, b, &y) && x.len == y.len &&
	    memcmp(x.data, y.data, x.len) == 0;
	buf_free(&x);
	buf_free(&y);
	return same ? MAPPING_COPY_SAME : MAPPING_COPY_OTHER;
}

/* Compares two answers by what the fields make of them. */
enum mapping_copy_same
mapping_copy_compare(const struct mapping *m, const struct mapping_copied *a,
    const struct mapping_copied *b)
{
	enum mapping_copy_same same = MAPPING_COPY_SAME;

	for (size_t i = 0; i < m->copy->count; i++) {
		const struct mapping_copy_part *part = &m->copy->parts[i];
		const struct json_piece *x, *y;

		if (part->field == NULL)
			continue;
		x = a->declared[part->member];
		y = b->declared[part->member];
		x = x != NULL && x->type == json_type_null ? NULL : x;
		y = y != NULL && y->type == json_type_null ? NULL : y;
		if (x == NULL && y == NULL)
			continue;
		if (x == NULL || y == NULL)
			return MAPPING_COPY_OTHER;
		switch (mapping_copy_compare_values(part->field->way.steps[0].kind, x, y)) {
		case MAPPING_COPY_SAME:
			break;
		case MAPPING_COPY_OTHER:
			return MAPPING_COPY_OTHER;
		case MAPPING_COPY_TREE:
			same = MAPPING_COPY_TREE; /* unless another one differs for certain */
			break;
		}
	}
	return same;
}
