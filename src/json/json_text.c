#include "config.h"

#include "json/json_text.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "json/json_scan.h"

#include <json-c/linkhash.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_TEXT_MAX (SIZE_MAX / 4) /* a tree that is in memory may be printed whole */
#define JSON_TEXT_DOUBLE 40

/* Appends the escape of a quote, a backslash or a control byte. */
static bool
json_add_escape(struct buf *b, char c)
{
	switch (c) {
	case '"':
		return buf_add(b, "\\\"", 2);
	case '\\':
		return buf_add(b, "\\\\", 2);
	case '\b':
		return buf_add(b, "\\b", 2);
	case '\t':
		return buf_add(b, "\\t", 2);
	case '\n':
		return buf_add(b, "\\n", 2);
	case '\f':
		return buf_add(b, "\\f", 2);
	case '\r':
		return buf_add(b, "\\r", 2);
	default:
		return buf_addf(b, "\\u%04x", (unsigned)(unsigned char)c);
	}
}

/* Appends a string with its quotes. */
bool
json_add_string(struct buf *b, const char *s, size_t len)
{
	const char *end = s + len, *stop;

	buf_addc(b, '"');
	while (s < end) {
		stop = json_scan(s, end, 0);
		buf_add(b, s, (size_t)(stop - s));
		if (stop < end)
			json_add_escape(b, *stop++);
		s = stop;
	}
	return buf_addc(b, '"');
}

/* Appends the shortest digits that read back as `d`, laid out as by
 * ECMAScript's Number::toString; null for what JSON cannot write. */
static bool
json_add_made_double(struct buf *b, double d)
{
	char form[JSON_TEXT_DOUBLE], digits[JSON_TEXT_DOUBLE];
	int count = 0, point, precision = 0;

	if (!isfinite(d))
		return buf_adds(b, "null");
	do
		snprintf(form, sizeof form, "%.*e", precision, fabs(d));
	while (strtod(form, NULL) != fabs(d) && ++precision < 17);
	for (const char *p = form; *p != 'e'; p++)
		if (*p != '.')
			digits[count++] = *p;
	digits[count] = '\0';
	point = atoi(strchr(form, 'e') + 1) + 1;
	if (d < 0)
		buf_addc(b, '-');
	if (point > 0 && point <= 21 && count <= point)
		return buf_addf(b, "%s%.*s", digits, point - count, "00000000000000000000");
	if (point > 0 && point <= 21)
		return buf_addf(b, "%.*s.%s", point, digits, digits + point);
	if (point > -6 && point <= 0)
		return buf_addf(b, "0.%.*s%s", -point, "00000", digits);
	return buf_addf(b, "%c%s%se%+d", digits[0], count > 1 ? "." : "", digits + 1, point - 1);
}

/* Appends a number that is no integer: with the digits it was read with, which
 * json-c keeps as user data. */
static bool
json_add_double(struct buf *b, struct json_object *number)
{
	const char *digits = json_object_get_userdata(number);

	if (digits != NULL)
		return buf_adds(b, digits);
	return json_add_made_double(b, json_object_get_double(number));
}

/* Whether an integer is above INT64_MAX. */
static bool
json_text_is_large(struct json_object *integer)
{
	return json_object_get_uint64(integer) > INT64_MAX;
}

/* Appends an integer; digits by hand, since this is most of what printing
 * numbers costs. */
static bool
json_add_integer(struct buf *b, struct json_object *integer)
{
	int64_t value = json_object_get_int64(integer);
	uint64_t rest;
	char digits[20];
	size_t at = sizeof digits;

	if (json_text_is_large(integer))
		rest = json_object_get_uint64(integer);
	else
		rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	if (value < 0)
		buf_addc(b, '-');
	do
		digits[--at] = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	return buf_add(b, digits + at, sizeof digits - at);
}

/* Appends an object. */
static bool
json_add_object(struct buf *b, struct json_object *object)
{
	struct lh_entry *e = lh_table_head(json_object_get_object(object));
	const char *key;

	buf_addc(b, '{');
	for (; e != NULL; e = lh_entry_next(e)) {
		key = lh_entry_k(e);
		json_add_string(b, key, strlen(key));
		buf_addc(b, ':');
		json_add(b, lh_entry_v(e));
		if (lh_entry_next(e) != NULL)
			buf_addc(b, ',');
	}
	return buf_addc(b, '}');
}

/* Appends an array. */
static bool
json_add_array(struct buf *b, struct json_object *array)
{
	size_t count = json_object_array_length(array);

	buf_addc(b, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_addc(b, ',');
		json_add(b, json_object_array_get_idx(array, i));
	}
	return buf_addc(b, ']');
}

/* Appends any value. */
bool
json_add(struct buf *b, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return buf_adds(b, "null");
	case json_type_boolean:
		return buf_adds(b, json_object_get_boolean(value) ? "true" : "false");
	case json_type_int:
		return json_add_integer(b, value);
	case json_type_double:
		return json_add_double(b, value);
	case json_type_string:
		return json_add_string(b, json_object_get_string(value),
		    (size_t)json_object_get_string_len(value));
	case json_type_array:
		return json_add_array(b, value);
	case json_type_object:
		return json_add_object(b, value);
	}
	return false;
}

/* Prints a value. */
char *
json_print(struct json_object *value, size_t *len)
{
	struct buf b;

	buf_init(&b, JSON_TEXT_MAX);
	json_add(&b, value);
	return buf_take(&b, len);
}

/* Appends a string whose bytes may not be UTF-8: a sentence that was cut. */
static void
json_add_doubtful_string(struct buf *b, const char *s, size_t len)
{
	const char *end = s + len, *stop;
	struct buf good;
	size_t n;

	buf_init(&good, JSON_TEXT_MAX);
	while (s < end) {
		for (stop = s; stop < end && (unsigned char)*stop < 0x80; stop++)
			continue;
		buf_add(&good, s, (size_t)(stop - s));
		s = stop;
		if (s == end)
			break;
		n = utf8_sequence(s, end);
		if (n > 0)
			buf_add(&good, s, n);
		else
			buf_adds(&good, "\xEF\xBF\xBD"); /* U+FFFD */
		s += n > 0 ? n : 1;
	}
	json_add_string(b, good.len > 0 ? good.data : "", good.len);
	buf_free(&good);
}

/* Makes the body of an error answer. */
char *
json_error_body(const char *sentence, size_t *len)
{
	struct buf b;

	buf_init(&b, JSON_TEXT_MAX);
	buf_adds(&b, "{\"error\":");
	json_add_doubtful_string(&b, sentence, strlen(sentence));
	buf_addc(&b, '}');
	return buf_take(&b, len);
}

/* Reads a string member. */
const char *
json_get_string(struct json_object *object, const char *key)
{
	struct json_object *value;
	const char *s;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	s = json_object_get_string(value);
	return strlen(s) == (size_t)json_object_get_string_len(value) ? s : NULL;
}

/* Reads an integer member. */
bool
json_get_int(struct json_object *object, const char *key, int64_t *out)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_int) || json_text_is_large(value))
		return false;
	*out = json_object_get_int64(value);
	return true;
}

/* Compares objects of the same type. */
static bool
json_equal_objects(struct json_object *a, struct json_object *b)
{
	struct lh_entry *e = lh_table_head(json_object_get_object(a));
	struct json_object *other;

	if (json_object_object_length(a) != json_object_object_length(b))
		return false;
	for (; e != NULL; e = lh_entry_next(e))
		if (!json_object_object_get_ex(b, lh_entry_k(e), &other) ||
		    !json_equal(lh_entry_v(e), other))
			return false;
	return true;
}

/* Compares arrays. */
static bool
json_equal_arrays(struct json_object *a, struct json_object *b)
{
	size_t count = json_object_array_length(a);

	if (count != json_object_array_length(b))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!json_equal(json_object_array_get_idx(a, i), json_object_array_get_idx(b, i)))
			return false;
	return true;
}

/* Compares strings. */
static bool
json_equal_strings(struct json_object *a, struct json_object *b)
{
	int len = json_object_get_string_len(a);

	return len == json_object_get_string_len(b) &&
	    memcmp(json_object_get_string(a), json_object_get_string(b), (size_t)len) == 0;
}

/* Compares numbers that are no integers by their text. */
static bool
json_equal_doubles(struct json_object *a, struct json_object *b)
{
	char *text_a = json_print(a, NULL), *text_b = json_print(b, NULL);
	bool equal = strcmp(text_a, text_b) == 0;

	free(text_a);
	free(text_b);
	return equal;
}

/* Compares any two values. */
bool
json_equal(struct json_object *a, struct json_object *b)
{
	enum json_type type = json_object_get_type(a);

	if (type != json_object_get_type(b))
		return false;
	switch (type) {
	case json_type_null:
		return true;
	case json_type_boolean:
		return json_object_get_boolean(a) == json_object_get_boolean(b);
	case json_type_int: /* both readings, since each clamps what it cannot hold */
		return json_object_get_int64(a) == json_object_get_int64(b) &&
		    json_object_get_uint64(a) == json_object_get_uint64(b);
	case json_type_double:
		return json_equal_doubles(a, b);
	case json_type_string:
		return json_equal_strings(a, b);
	case json_type_array:
		return json_equal_arrays(a, b);
	case json_type_object:
		return json_equal_objects(a, b);
	}
	return false;
}

/* Copies a value. json-c copies the digits of a number along. */
struct json_object *
json_copy(struct json_object *value)
{
	struct json_object *copy = NULL;

	if (value != NULL)
		json_object_deep_copy(value, &copy, NULL);
	return copy;
}
