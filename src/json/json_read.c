#include "config.h"

#include "json/json_read.h"

#include "base/buf.h"
#include "base/mem.h"
#include "json/json_scan.h"

#include <json-c/linkhash.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_READ_DIGITS 64 /* longer numbers are copied to the heap */

struct json_reader {
	const char *text; /* the whole text, for offsets */
	const char *p;    /* next byte */
	const char *end;
	size_t values_left;
	struct buf decoded; /* the last string that had escapes */
	struct json_error *err;
};

static bool json_read_value(struct json_reader *, int depth, struct json_object **out);

/* Keeps the place and the reason; always false. */
static bool
json_read_fail(struct json_reader *r, const char *at, const char *why)
{
	if (r->err != NULL) {
		r->err->offset = (size_t)(at - r->text);
		snprintf(r->err->text, sizeof r->err->text, "%s", why);
	}
	return false;
}

/* Says that the byte at the reader's place cannot stand there. */
static bool
json_read_unexpected(struct json_reader *r)
{
	return json_read_fail(r, r->p, r->p == r->end ? "unexpected end" : "unexpected byte");
}

/* Hands a fresh json-c value over; json-c gives NULL when there is no memory. */
static bool
json_read_give(struct json_reader *r, struct json_object *value, struct json_object **out)
{
	*out = value;
	return value != NULL || json_read_fail(r, r->p, "out of memory");
}

/* Skips white space. */
static void
json_read_space(struct json_reader *r)
{
	while (r->p < r->end &&
	    (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
		r->p++;
}

/* Reads the four digits after \u; -1 when they are not four hex digits. */
static int
json_read_hex(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
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

/* Reads \uXXXX, or the two of a surrogate pair. */
static bool
json_read_unicode_escape(struct json_reader *r)
{
	const char *at = r->p;
	int unit = json_read_hex(at + 2, r->end), low;

	if (unit < 0)
		return json_read_fail(r, at, "bad escape");
	r->p += 6;
	if (unit < 0xD800 || unit > 0xDFFF) {
		json_read_add_point(&r->decoded, (unsigned)unit);
		return true;
	}
	if (unit > 0xDBFF || r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u')
		return json_read_fail(r, at, "lone surrogate");
	low = json_read_hex(r->p + 2, r->end);
	if (low < 0xDC00 || low > 0xDFFF)
		return json_read_fail(r, at, "lone surrogate");
	r->p += 6;
	json_read_add_point(&r->decoded,
	    0x10000 + (((unsigned)unit - 0xD800) << 10) + ((unsigned)low - 0xDC00));
	return true;
}

/* Reads the escape at the reader's place into the decoded string. */
static bool
json_read_escape(struct json_reader *r)
{
	char c;

	if (r->end - r->p < 2)
		return json_read_fail(r, r->end, "unexpected end");
	switch (r->p[1]) {
	case '"':
	case '\\':
	case '/':
		c = r->p[1];
		break;
	case 'b':
		c = '\b';
		break;
	case 'f':
		c = '\f';
		break;
	case 'n':
		c = '\n';
		break;
	case 'r':
		c = '\r';
		break;
	case 't':
		c = '\t';
		break;
	case 'u':
		return json_read_unicode_escape(r);
	default:
		return json_read_fail(r, r->p, "bad escape");
	}
	r->p += 2;
	buf_addc(&r->decoded, c);
	return true;
}

/* Moves over string bytes that stand for themselves; false for bad UTF-8. */
static bool
json_read_run(struct json_reader *r)
{
	size_t len;

	for (;;) {
		r->p = json_scan(r->p, r->end, 0x80);
		if (r->p == r->end || (unsigned char)*r->p < 0x80)
			return true;
		len = json_scan_utf8(r->p, r->end);
		if (len == 0)
			return json_read_fail(r, r->p, "not UTF-8");
		r->p += len;
	}
}

/* Reads a string, the reader standing at its first quote. Without escapes the
 * bytes are the text's own, else those of r->decoded, good until the next call. */
static bool
json_read_bytes(struct json_reader *r, const char **bytes, size_t *len)
{
	const char *run = ++r->p;
	bool escaped = false;

	for (;;) {
		if (!json_read_run(r))
			return false;
		if (r->p == r->end)
			return json_read_fail(r, r->p, "unexpected end");
		if (*r->p == '"' && !escaped) {
			*bytes = run;
			*len = (size_t)(r->p++ - run);
			return true;
		}
		if ((unsigned char)*r->p < 0x20)
			return json_read_fail(r, r->p, "control character in a string");
		if (!escaped)
			buf_clear(&r->decoded);
		escaped = true;
		buf_add(&r->decoded, run, (size_t)(r->p - run));
		if (*r->p == '"') {
			*bytes = r->decoded.data;
			*len = r->decoded.len;
			r->p++;
			return true;
		}
		if (!json_read_escape(r))
			return false;
		run = r->p;
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

/* Moves over digits; false when there is none. */
static bool
json_read_digits(struct json_reader *r)
{
	const char *first = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return r->p > first;
}

/* Moves over a number; *whole says that it has neither fraction nor exponent. */
static bool
json_read_number_end(struct json_reader *r, bool *whole)
{
	*whole = true;
	if (*r->p == '-')
		r->p++;
	if (r->p < r->end && *r->p == '0')
		r->p++;
	else if (!json_read_digits(r))
		return json_read_unexpected(r);
	if (r->p < r->end && *r->p == '.') {
		*whole = false;
		r->p++;
		if (!json_read_digits(r))
			return json_read_unexpected(r);
	}
	if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
		*whole = false;
		r->p++;
		if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
			r->p++;
		if (!json_read_digits(r))
			return json_read_unexpected(r);
	}
	return true;
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
	const char *first = r->p;
	size_t len;
	bool whole;

	if (!json_read_number_end(r, &whole))
		return false;
	if (whole && (*out = json_read_integer(first, r->p)) != NULL)
		return true;
	len = (size_t)(r->p - first);
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

/* Moves over a literal name. */
static bool
json_read_literal(struct json_reader *r, const char *word)
{
	for (; *word != '\0'; word++, r->p++)
		if (r->p == r->end || *r->p != *word)
			return json_read_unexpected(r);
	return true;
}

/* Reads a member's key into *key (the caller frees) with its hash in the
 * table; refuses a key that the table has. */
static bool
json_read_key(struct json_reader *r, struct lh_table *table, char **key, unsigned long *hash)
{
	const char *at = r->p, *bytes;
	size_t len;

	*key = NULL;
	if (at == r->end || *at != '"')
		return json_read_unexpected(r);
	if (!json_read_bytes(r, &bytes, &len))
		return false;
	if (memchr(bytes, '\0', len) != NULL)
		return json_read_fail(r, at, "key with U+0000");
	*key = mem_copy(bytes, len);
	*hash = lh_get_hash(table, *key);
	if (lh_table_lookup_entry_w_hash(table, *key, *hash) != NULL)
		return json_read_fail(r, at, "duplicate key");
	json_read_space(r);
	if (r->p == r->end || *r->p != ':')
		return json_read_unexpected(r);
	r->p++;
	return true;
}

/* Reads one member into an object's table: the key is hashed once, for the
 * check and for the insertion. */
static bool
json_read_member(struct json_reader *r, int depth, struct lh_table *table)
{
	struct json_object *value;
	unsigned long hash;
	char *key;

	if (!json_read_key(r, table, &key, &hash) || !json_read_value(r, depth, &value)) {
		free(key);
		return false;
	}
	if (lh_table_insert_w_hash(table, key, value, hash, 0) != 0) {
		free(key);
		json_object_put(value);
		return json_read_fail(r, r->p, "out of memory");
	}
	return true;
}

/* After an element: true with *more at a comma or the closing byte. */
static bool
json_read_separator(struct json_reader *r, char close, bool *more)
{
	json_read_space(r);
	if (r->p == r->end || (*r->p != ',' && *r->p != close))
		return json_read_unexpected(r);
	*more = *r->p++ == ',';
	return true;
}

/* Whether a container that was just opened closes at once; moves over that. */
static bool
json_read_empty(struct json_reader *r, char close)
{
	r->p++;
	json_read_space(r);
	if (r->p == r->end || *r->p != close)
		return false;
	r->p++;
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
	if (json_read_empty(r, '}'))
		more = false;
	while (more) {
		json_read_space(r);
		if (!json_read_member(r, depth, json_object_get_object(object)) ||
		    !json_read_separator(r, '}', &more)) {
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
	if (json_read_empty(r, ']'))
		more = false;
	while (more) {
		if (!json_read_value(r, depth, &value))
			goto fail;
		if (json_object_array_add(array, value) != 0) {
			json_object_put(value);
			json_read_fail(r, r->p, "out of memory");
			goto fail;
		}
		if (!json_read_separator(r, ']', &more))
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
	json_read_space(r);
	if (r->p == r->end)
		return json_read_unexpected(r);
	if (r->values_left-- == 0)
		return json_read_fail(r, r->p, "too many values");
	switch (*r->p) {
	case '{':
	case '[':
		if (depth == JSON_MAX_DEPTH)
			return json_read_fail(r, r->p, "nested too deeply");
		return *r->p == '{' ? json_read_object(r, depth + 1, out)
		                    : json_read_array(r, depth + 1, out);
	case '"':
		return json_read_string(r, out);
	case 't':
		return json_read_literal(r, "true") &&
		    json_read_give(r, json_object_new_boolean(1), out);
	case 'f':
		return json_read_literal(r, "false") &&
		    json_read_give(r, json_object_new_boolean(0), out);
	case 'n':
		return json_read_literal(r, "null");
	default:
		if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9'))
			return json_read_number(r, out);
		return json_read_unexpected(r);
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
	struct json_reader r = {text, text, text + len, max_values, {0}, err};
	bool ok;

	*out = NULL;
	if (len > INT_MAX / 2) /* json-c counts string bytes in an int */
		return json_read_fail(&r, text, "text too long");
	buf_init(&r.decoded, len + 1); /* no escape is shorter than what it stands for */
	ok = json_read_value(&r, 0, out);
	if (ok) {
		json_read_space(&r);
		if (r.p != r.end)
			ok = json_read_fail(&r, r.p, "bytes after the value");
	}
	if (!ok) {
		json_object_put(*out);
		*out = NULL;
	}
	buf_free(&r.decoded);
	return ok;
}
