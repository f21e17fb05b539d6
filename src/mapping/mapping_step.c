#include "config.h"

#include "mapping/mapping_step.h"

#include "base/timestamp.h"
#include "json/json_text.h"

#include <json-c/linkhash.h>
#include <math.h>
#include <string.h>

#define MAPPING_STEP_FIRST INT64_C(-62135596800000) /* 0001-01-01T00:00:00.000Z */
#define MAPPING_STEP_LAST INT64_C(253402300799999)  /* 9999-12-31T23:59:59.999Z */

/* Whether a number is written without fraction and exponent: json-c holds
 * those beyond 64 bits as doubles that keep their digits. */
static bool
mapping_step_is_whole(struct json_object *value)
{
	const char *digits;

	if (json_object_is_type(value, json_type_int))
		return true;
	if (!json_object_is_type(value, json_type_double))
		return false;
	digits = json_object_get_userdata(value);
	return digits != NULL && strpbrk(digits, ".eE") == NULL;
}

/* Whether a value is a number of any kind. */
static bool
mapping_step_is_number(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) ||
	    json_object_is_type(value, json_type_double);
}

/* Compares two numbers: exactly when both are whole, else as doubles. */
static bool
mapping_step_same_number(struct json_object *a, struct json_object *b)
{
	double x, y;

	if (json_equal(a, b))
		return true;
	if (mapping_step_is_whole(a) && mapping_step_is_whole(b))
		return false;
	x = json_object_get_double(a);
	y = json_object_get_double(b);
	return isfinite(x) && x == y;
}

/* Compares two objects. */
static bool
mapping_step_same_object(struct json_object *a, struct json_object *b)
{
	struct lh_entry *e = lh_table_head(json_object_get_object(a));
	struct json_object *other;

	if (json_object_object_length(a) != json_object_object_length(b))
		return false;
	for (; e != NULL; e = lh_entry_next(e))
		if (!json_object_object_get_ex(b, lh_entry_k(e), &other) ||
		    !mapping_step_same_value(lh_entry_v(e), other))
			return false;
	return true;
}

/* Compares two arrays. */
static bool
mapping_step_same_array(struct json_object *a, struct json_object *b)
{
	size_t count = json_object_array_length(a);

	if (count != json_object_array_length(b))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!mapping_step_same_value(json_object_array_get_idx(a, i),
		        json_object_array_get_idx(b, i)))
			return false;
	return true;
}

/* Compares any two values. */
bool
mapping_step_same_value(struct json_object *a, struct json_object *b)
{
	if (mapping_step_is_number(a) && mapping_step_is_number(b))
		return mapping_step_same_number(a, b);
	if (json_object_get_type(a) != json_object_get_type(b))
		return false;
	if (json_object_is_type(a, json_type_object))
		return mapping_step_same_object(a, b);
	if (json_object_is_type(a, json_type_array))
		return mapping_step_same_array(a, b);
	return json_equal(a, b);
}

/* Says what a value should have been. */
static struct json_object *
mapping_step_refuse(const struct mapping_step *step, struct mapping_trouble *trouble)
{
	return mapping_trouble_set(trouble, "must be %s", step->kind->noun);
}

/* Takes a value of the kind's JSON type. */
static struct json_object *
mapping_step_typed(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	if (json_object_is_type(value, step->kind->json))
		return json_object_get(value);
	return mapping_step_refuse(step, trouble);
}

/* Takes anything. */
static struct json_object *
mapping_step_any(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	return json_object_get(value);
}

/* Takes a number without fraction and exponent. */
static struct json_object *
mapping_step_integer(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	return mapping_step_is_whole(value) ? json_object_get(value)
	                                    : mapping_step_refuse(step, trouble);
}

/* Takes any number. */
static struct json_object *
mapping_step_number(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	return mapping_step_is_number(value) ? json_object_get(value)
	                                     : mapping_step_refuse(step, trouble);
}

/* Takes a list of whole numbers. */
static struct json_object *
mapping_step_integers(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	if (!json_object_is_type(value, json_type_array))
		return mapping_step_refuse(step, trouble);
	for (size_t i = 0; i < json_object_array_length(value); i++)
		if (!mapping_step_is_whole(json_object_array_get_idx(value, i)))
			return mapping_step_refuse(step, trouble);
	return json_object_get(value);
}

/* Reads a time. An offset may move it out of the years that the local form can
 * write; then it is none. */
static bool
mapping_step_parse_time(const char *text, size_t len, int64_t *ms)
{
	return timestamp_parse(text, len, ms) && *ms >= MAPPING_STEP_FIRST &&
	    *ms <= MAPPING_STEP_LAST;
}

/* Reads a time out of a string value. */
static bool
mapping_step_read_time(struct json_object *value, int64_t *ms)
{
	return json_object_is_type(value, json_type_string) &&
	    mapping_step_parse_time(json_object_get_string(value),
	        (size_t)json_object_get_string_len(value), ms);
}

/* Takes a time in any of its forms and gives it in the local one. */
static struct json_object *
mapping_step_timestamp(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	char text[TIMESTAMP_SIZE];
	int64_t ms;

	if (!mapping_step_read_time(value, &ms))
		return mapping_step_refuse(step, trouble);
	timestamp_format(ms, text);
	return json_object_new_string(text);
}

/* Whether two values are the same. */
static bool
mapping_step_same(const struct mapping_step *step, struct json_object *a, struct json_object *b)
{
	return mapping_step_same_value(a, b);
}

/* Whether two texts are the same time. */
static bool
mapping_step_same_time(const struct mapping_step *step, struct json_object *a,
    struct json_object *b)
{
	int64_t x, y;

	if (!mapping_step_read_time(a, &x) || !mapping_step_read_time(b, &y))
		return json_equal(a, b);
	return x == y;
}

/* ---- the same for texts ---- */

/* Copies any value. */
static bool
mapping_step_copy_any(const struct mapping_step_kind *kind, const struct json_piece *piece,
    struct buf *out)
{
	return out == NULL || buf_add(out, piece->value, piece->len);
}

/* Copies a value of the kind's JSON type; of numbers, a whole one. */
static bool
mapping_step_copy_typed(const struct mapping_step_kind *kind, const struct json_piece *piece,
    struct buf *out)
{
	return piece->type == kind->json && mapping_step_copy_any(kind, piece, out);
}

/* Copies any number. */
static bool
mapping_step_copy_number(const struct mapping_step_kind *kind, const struct json_piece *piece,
    struct buf *out)
{
	return (piece->type == json_type_int || piece->type == json_type_double) &&
	    mapping_step_copy_any(kind, piece, out);
}

/* Copies a list of whole numbers. */
static bool
mapping_step_copy_integers(const struct mapping_step_kind *kind, const struct json_piece *piece,
    struct buf *out)
{
	if (piece->type != json_type_array)
		return false;
	for (size_t i = 1; i + 1 < piece->len; i++)
		if (memchr("0123456789,-", piece->value[i], 12) == NULL)
			return false;
	return mapping_step_copy_any(kind, piece, out);
}

/* Writes a time in the local form. */
static bool
mapping_step_copy_time(const struct mapping_step_kind *kind, const struct json_piece *piece,
    struct buf *out)
{
	char local[TIMESTAMP_SIZE];
	const char *text;
	size_t len;
	int64_t ms;

	text = json_piece_string(piece, &len);
	if (text == NULL || !mapping_step_parse_time(text, len, &ms))
		return false;
	if (out == NULL)
		return true;
	timestamp_format(ms, local);
	return buf_addc(out, '"') && buf_adds(out, local) && buf_addc(out, '"');
}

#define MAPPING_STEP_NOUN_TIME "a time such as 2026-01-28T10:00:00.000Z"

static const struct mapping_step_kind mapping_step_kinds[] = {
    {"string", "a string", json_type_string, mapping_step_typed, mapping_step_typed,
        mapping_step_same, NULL, mapping_step_copy_typed},
    {"integer", "an integer", json_type_int, mapping_step_integer, mapping_step_integer,
        mapping_step_same, NULL, mapping_step_copy_typed},
    {"number", "a number", json_type_double, mapping_step_number, mapping_step_number,
        mapping_step_same, NULL, mapping_step_copy_number},
    {"boolean", "true or false", json_type_boolean, mapping_step_typed, mapping_step_typed,
        mapping_step_same, NULL, mapping_step_copy_typed},
    {"object", "an object", json_type_object, mapping_step_typed, mapping_step_typed,
        mapping_step_same, NULL, mapping_step_copy_typed},
    {"array", "an array", json_type_array, mapping_step_typed, mapping_step_typed,
        mapping_step_same, NULL, mapping_step_copy_typed},
    {"json", "any value", json_type_null, mapping_step_any, mapping_step_any,
        mapping_step_same, NULL, mapping_step_copy_any},
    {"timestamp", MAPPING_STEP_NOUN_TIME, json_type_string, mapping_step_timestamp,
        mapping_step_timestamp, mapping_step_same_time, NULL, mapping_step_copy_time},
    {"integers", "a list of whole numbers", json_type_array, mapping_step_integers,
        mapping_step_integers, mapping_step_same, NULL, mapping_step_copy_integers},
};

#define MAPPING_STEP_KINDS (sizeof mapping_step_kinds / sizeof *mapping_step_kinds)

/* Finds a kind by its name. */
const struct mapping_step_kind *
mapping_step_find(const char *name)
{
	for (size_t i = 0; i < MAPPING_STEP_KINDS; i++)
		if (strcmp(mapping_step_kinds[i].name, name) == 0)
			return &mapping_step_kinds[i];
	return NULL;
}

/* Counts through the table. */
const struct mapping_step_kind *
mapping_step_at(size_t i)
{
	return i < MAPPING_STEP_KINDS ? &mapping_step_kinds[i] : NULL;
}
