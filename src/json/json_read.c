#include "config.h"

#include "json/json_read.h"

#include "base/buf.h"
#include "base/mem.h"
#include "json/json_lex.h"

#include <json-c/linkhash.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define JSON_READ_DIGITS 64 /* longer numbers are copied to the heap */

struct json_reader {
	struct json_lexer lex;
	size_t values_left;
	struct buf decoded; /* the last string that had escapes */
};

static bool json_read_value(struct json_reader *, int depth, struct json_object **out);

/* Hands a fresh json-c value over; json-c gives NULL when there is no memory. */
static bool
json_read_give(struct json_reader *r, struct json_object *value, struct json_object **out)
{
	*out = value;
	return value != NULL || json_lex_fail(&r->lex, r->lex.p, "out of memory");
}

/* Appends a code point as UTF-8. */
static void
json_read_add_point(struct buf *b, unsigned point)
{
	char out[4];
	size_t len = 0;

	if (point < 0x80) {
		out[len++] = (char)point;
	} else if (point < 0x800) {
		out[len++] = (char)(0xC0 | point >> 6);
		out[len++] = (char)(0x80 | (point & 0x3F));
	} else if (point < 0x10000) {
		out[len++] = (char)(0xE0 | point >> 12);
		out[len++] = (char)(0x80 | (point >> 6 & 0x3F));
		out[len++] = (char)(0x80 | (point & 0x3F));
	} else {
		out[len++] = (char)(0xF0 | point >> 18);
		out[len++] = (char)(0x80 | (point >> 12 & 0x3F));
		out[len++] = (char)(0x80 | (point >> 6 & 0x3F));
		out[len++] = (char)(0x80 | (point & 0x3F));
	}
	buf_add(b, out, len);
}

/* Reads a string, the reader standing at its first quote. Without escapes the
 * bytes are the text's own, else those of r->decoded, good until the next call. */
static bool
json_read_bytes(struct json_reader *r, const char **bytes, size_t *len)
{
	const char *run = ++r->lex.p;
	bool escaped = false;
	unsigned point;

	for (;;) {
		if (!json_lex_run(&r->lex))
			return false;
		if (r->lex.p == r->lex.end)
			return json_lex_fail(&r->lex, r->lex.p, "unexpected end");
		if (*r->lex.p == '"' && !escaped) {
			*bytes = run;
			*len = (size_t)(r->lex.p++ - run);
			return true;
		}
		if ((unsigned char)*r->lex.p < 0x20)
			return json_lex_fail(&r->lex, r->lex.p, "control character in a string");
		if (!escaped)
			buf_clear(&r->decoded);
		escaped = true;
		buf_add(&r->decoded, run, (size_t)(r->lex.p - run));
		if (*r->lex.p == '"') {
			*bytes = r->decoded.data;
			*len = r->decoded.len;
			r->lex.p++;
			return true;
		}
		if (!json_lex_escape(&r->lex, &point))
			return false;
		json_read_add_point(&r->decoded, point);
		run = r->lex.p;
	}
}

/* Reads a string value. */
static bool
json_read_string(struct json_reader *r, struct json_object **out)
{
	const char *bytes;
	size_t len;

	if (!json_read_bytes(r, &bytes, &len))
		return false;
	return json_read_give(r, json_object_new_string_len(bytes, (int)len), out);
}

/* The integer of digits that fit into 64 bits; NULL when they do not, or for -0. */
static struct json_object *
json_read_integer(const char *p, const char *end)
{
	bool minus = *p == '-';
	uint64_t n = 0;

	for (p += minus; p < end; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return NULL;
	if (!minus)
		return n <= INT64_MAX ? json_object_new_int64((int64_t)n) : json_object_new_uint64(n);
	if (n == 0 || n > (uint64_t)INT64_MAX + 1)
		return NULL;
	return json_object_new_int64((int64_t)(0 - n));
}

/* Reads a number; what a json-c integer cannot hold keeps its digits as text. */
static bool
json_read_number(struct json_reader *r, struct json_object **out)
{
	char digits[JSON_READ_DIGITS], *longer = NULL, *copy = digits;
	const char *first = r->lex.p;
	size_t len;
	bool whole;

	if (!json_lex_number(&r->lex, &whole))
		return false;
	if (whole && (*out = json_read_integer(first, r->lex.p)) != NULL)
		return true;
	len = (size_t)(r->lex.p - first);
	if (len < sizeof digits) {
		memcpy(digits, first, len);
		digits[len] = '\0';
	} else {
		copy = longer = mem_copy(first, len);
	}
	*out = json_object_new_double_s(strtod(copy, NULL), copy);
	free(longer);
	return json_read_give(r, *out, out);
}

/* Reads a member's key into *key (the caller frees) with its hash in the
 * table; refuses a key that the table has. */
static bool
json_read_key(struct json_reader *r, struct lh_table *table, char **key, unsigned long *hash)
{
	const char *at = r->lex.p, *bytes;
	size_t len;

	*key = NULL;
	if (at == r->lex.end || *at != '"')
		return json_lex_unexpected(&r->lex);
	if (!json_read_bytes(r, &bytes, &len))
		return false;
	if (memchr(bytes, '\0', len) != NULL)
		return json_lex_fail(&r->lex, at, "key with U+0000");
	*key = mem_copy(bytes, len);
	*hash = lh_get_hash(table, *key);
	if (lh_table_lookup_entry_w_hash(table, *key, *hash) != NULL)
		return json_lex_fail(&r->lex, at, "duplicate key");
	return json_lex_colon(&r->lex);
}

/* Reads one member into an object's table: the key is hashed once, for the
 * check and for the insertion. */
static bool
json_read_member(struct json_reader *r, int depth, struct lh_table *table)
{
	struct json_object *value;
	unsigned long hash = 0;
	char *key;

	if (!json_read_key(r, table, &key, &hash) || !json_read_value(r, depth, &value)) {
		free(key);
		return false;
	}
	if (lh_table_insert_w_hash(table, key, value, hash, 0) != 0) {
		free(key);
		json_object_put(value);
		return json_lex_fail(&r->lex, r->lex.p, "out of memory");
	}
	return true;
}

/* Reads an object, the reader standing at its brace. */
static bool
json_read_object(struct json_reader *r, int depth, struct json_object **out)
{
	struct json_object *object;
	bool more = true;

	if (!json_read_give(r, json_object_new_object(), &object))
		return false;
	if (json_lex_empty(&r->lex, '}'))
		more = false;
	while (more) {
		json_lex_space(&r->lex);
		if (!json_read_member(r, depth, json_object_get_object(object)) ||
		    !json_lex_separator(&r->lex, '}', &more)) {
			json_object_put(object);
			return false;
		}
	}
	*out = object;
	return true;
}

/* Reads an array, the reader standing at its bracket. */
static bool
json_read_array(struct json_reader *r, int depth, struct json_object **out)
{
	struct json_object *array, *value;
	bool more = true;

	if (!json_read_give(r, json_object_new_array(), &array))
		return false;
	if (json_lex_empty(&r->lex, ']'))
		more = false;
	while (more) {
		if (!json_read_value(r, depth, &value))
			goto fail;
		if (json_object_array_add(array, value) != 0) {
			json_object_put(value);
			json_lex_fail(&r->lex, r->lex.p, "out of memory");
			goto fail;
		}
		if (!json_lex_separator(&r->lex, ']', &more))
			goto fail;
	}
	*out = array;
	return true;
fail:
	json_object_put(array);
	return false;
}

/* Reads any value; `depth` counts the containers around it. */
static bool
json_read_value(struct json_reader *r, int depth, struct json_object **out)
{
	*out = NULL;
	json_lex_space(&r->lex);
	if (r->lex.p == r->lex.end)
		return json_lex_unexpected(&r->lex);
	if (r->values_left-- == 0)
		return json_lex_fail(&r->lex, r->lex.p, "too many values");
	switch (*r->lex.p) {
	case '{':
	case '[':
		if (depth == JSON_MAX_DEPTH)
			return json_lex_fail(&r->lex, r->lex.p, "nested too deeply");
		return *r->lex.p == '{' ? json_read_object(r, depth + 1, out)
		                    : json_read_array(r, depth + 1, out);
	case '"':
		return json_read_string(r, out);
	case 't':
		return json_lex_literal(&r->lex, "true") &&
		    json_read_give(r, json_object_new_boolean(1), out);
	case 'f':
		return json_lex_literal(&r->lex, "false") &&
		    json_read_give(r, json_object_new_boolean(0), out);
	case 'n':
		return json_lex_literal(&r->lex, "null");
	default:
		if (*r->lex.p == '-' || (*r->lex.p >= '0' && *r->lex.p <= '9'))
			return json_read_number(r, out);
		return json_lex_unexpected(&r->lex);
	}
}

/* Reads a whole text. */
bool
json_read(const char *text, size_t len, struct json_object **out, struct json_error *err)
{
	return json_read_bounded(text, len, SIZE_MAX, out, err);
}

/* Reads a whole text of not more values than this. */
bool
json_read_bounded(const char *text, size_t len, size_t max_values, struct json_object **out,
    struct json_error *err)
{
	struct json_reader r = {{text, text, text + len, err}, max_values, {0}};
	bool ok;

	*out = NULL;
	if (len > INT_MAX / 2) /* json-c counts string bytes in an int */
		return json_lex_fail(&r.lex, text, "text too long");
	buf_init(&r.decoded, len + 1); /* no escape is shorter than what it stands for */
	ok = json_read_value(&r, 0, out);
	if (ok) {
		json_lex_space(&r.lex);
		if (r.lex.p != r.lex.end)
			ok = json_lex_fail(&r.lex, r.lex.p, "bytes after the value");
	}
	if (!ok) {
		json_object_put(*out);
		*out = NULL;
	}
	buf_free(&r.decoded);
	return ok;
}
