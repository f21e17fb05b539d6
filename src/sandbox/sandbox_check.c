#include "config.h"

#include "sandbox/sandbox_check.h"
#include "base/mem.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHECK_REQUIRED "Field required"
#define CHECK_STRING "Input should be a valid string"
#define CHECK_LIST "Input should be a valid list"
#define CHECK_LIST_MAX 10000
#define CHECK_LIST_LONG "List should have at most 10000 items"
#define CHECK_INT "Input should be a valid integer"
#define CHECK_INT_PARSING CHECK_INT ", unable to parse string as an integer"
#define CHECK_INT_SIZE "Unable to parse input string as an integer, exceeded maximum size"
#define CHECK_INT_FLOAT CHECK_INT ", got a number with a fractional part"
#define CHECK_WHY_SIZE 96 /* of the reason why a text is no UUID */
#define CHECK_OBJECT "Input should be a valid dictionary or object to extract fields from"

/* Starts without a mistake. */
void
sandbox_check_init(struct sandbox_check *c)
{
	buf_init(&c->detail, 0);
	c->count = 0;
}

/* Frees the mistakes. */
void
sandbox_check_free(struct sandbox_check *c)
{
	buf_free(&c->detail);
}

/* A member of the body. */
static struct sandbox_place
sandbox_check_at(const char *member, int64_t index)
{
	return (struct sandbox_place){"body", member, index};
}

/* Starts a mistake: its type, place and sentence, up to the input. */
static void
sandbox_check_begin(struct sandbox_check *c, const char *type, struct sandbox_place place,
    const char *msg)
{
	struct buf *b = &c->detail;

	buf_addf(b, "%s{\"type\":\"%s\",\"loc\":[\"%s\"", c->count++ == 0 ? "" : ",", type,
	    place.part);
	if (place.member != NULL) {
		buf_addc(b, ',');
		json_add_string(b, place.member, strlen(place.member));
	}
	if (place.index >= 0)
		buf_addf(b, ",%" PRId64, place.index);
	buf_adds(b, "],\"msg\":");
	json_add_string(b, msg, strlen(msg));
	buf_adds(b, ",\"input\":");
}

/* Ends a mistake with its reason. */
static void
sandbox_check_end(struct sandbox_check *c, const char *why)
{
	if (why != NULL) {
		buf_adds(&c->detail, ",\"ctx\":{\"error\":");
		json_add_string(&c->detail, why, strlen(why));
		buf_addc(&c->detail, '}');
	}
	buf_addc(&c->detail, '}');
}

/* Notes a mistake in a JSON value. */
void
sandbox_check_add(struct sandbox_check *c, const char *type, struct sandbox_place place,
    const char *msg, struct json_object *input, const char *why)
{
	sandbox_check_begin(c, type, place, msg);
	json_add(&c->detail, input);
	sandbox_check_end(c, why);
}

/* Adds text as a JSON string, each byte that makes it not UTF-8 as U+FFFD. */
static void
sandbox_check_quote(struct buf *b, const char *text, size_t len)
{
	struct json_object *v = NULL;
	struct buf quoted;

	buf_init(&quoted, 0);
	json_add_string(&quoted, text, len);
	if (json_read(quoted.data, quoted.len, &v, NULL)) {
		buf_add(b, quoted.data, quoted.len);
		json_object_put(v);
	} else {
		struct buf plain;

		buf_init(&plain, 0);
		for (size_t i = 0; i < len; i++)
			if ((unsigned char)text[i] < 0x80)
				buf_addc(&plain, text[i]);
			else
				buf_adds(&plain, "\xef\xbf\xbd");
		json_add_string(b, plain.data, plain.len);
		buf_free(&plain);
	}
	buf_free(&quoted);
}

/* Notes a mistake in plain text. */
void
sandbox_check_add_text(struct sandbox_check *c, const char *type, struct sandbox_place place,
    const char *msg, const char *input, size_t len, const char *why)
{
	sandbox_check_begin(c, type, place, msg);
	sandbox_check_quote(&c->detail, input, len);
	sandbox_check_end(c, why);
}

/* Appends the answer. */
void
sandbox_check_answer(const struct sandbox_check *c, struct buf *out)
{
	buf_adds(out, "{\"detail\":[");
	buf_add(out, c->detail.data, c->detail.len);
	buf_adds(out, "]}");
}

/* True for application/json and application/…+json, parameters aside. */
static bool
sandbox_check_is_json(const char *type)
{
	size_t len = strcspn(type, ";");

	while (len > 0 && isspace((unsigned char)type[len - 1]))
		len--;
	if (len < 12 || strncasecmp(type, "application/", 12) != 0)
		return false;
	return (len == 16 && strncasecmp(type + 12, "json", 4) == 0) ||
	    (len > 17 && strncasecmp(type + len - 5, "+json", 5) == 0);
}

/* Reads a body. */
bool
sandbox_check_parse(struct sandbox_check *c, const char *content_type, const char *body, size_t len,
    struct json_object **value, bool *raw)
{
	struct json_error err;

	*value = NULL;
	*raw = false;
	if (len == 0)
		return true;
	if (content_type != NULL && !sandbox_check_is_json(content_type)) {
		*raw = true;
		return true;
	}
	if (!json_read(body, len, value, &err)) {
		struct json_object *empty = json_object_new_object();

		sandbox_check_add(c, "json_invalid",
		    (struct sandbox_place){"body", NULL, (int64_t)err.offset}, "JSON decode error",
		    empty, err.text);
		json_object_put(empty);
		return false;
	}
	return true;
}

/* Wants an object. */
bool
sandbox_check_object(struct sandbox_check *c, struct json_object *value, bool raw, const char *body,
    size_t len)
{
	struct sandbox_place place = sandbox_check_at(NULL, -1);

	if (raw)
		sandbox_check_add_text(c, "model_attributes_type", place, CHECK_OBJECT, body, len,
		    NULL);
	else if (value == NULL)
		sandbox_check_add(c, "missing", place, CHECK_REQUIRED, NULL, NULL);
	else if (!json_object_is_type(value, json_type_object))
		sandbox_check_add(c, "model_attributes_type", place, CHECK_OBJECT, value, NULL);
	else
		return true;
	return false;
}

/* Takes a text. Where it is not required, null counts as absent. */
void
sandbox_check_text(struct sandbox_check *c, struct json_object *body, const char *member,
    bool required, struct sandbox_text *out)
{
	struct json_object *v = NULL;
	bool present = json_object_object_get_ex(body, member, &v);

	*out = (struct sandbox_text){NULL, 0};
	if (!present && required) {
		sandbox_check_add(c, "missing", sandbox_check_at(member, -1), CHECK_REQUIRED, body,
		    NULL);
	} else if (v != NULL && json_object_is_type(v, json_type_string)) {
		out->s = json_object_get_string(v);
		out->len = (size_t)json_object_get_string_len(v);
	} else if (v != NULL || required) {
		sandbox_check_add(c, "string_type", sandbox_check_at(member, -1), CHECK_STRING, v,
		    NULL);
	}
}

/* Skips ".0", ".00" and so on, which pydantic takes for an integer too. */
static size_t
sandbox_check_zeros(const char *text, size_t at, size_t len)
{
	size_t end = at;

	if (end < len && text[end] == '.')
		for (end++; end < len && text[end] == '0'; end++)
			;
	return end > at + 1 ? end : at;
}

/* Reads digits as pydantic does: blanks around, a sign, single underscores
 * between digits. Gives NULL, or the type of the mistake. */
static const char *
sandbox_check_digits(const char *text, size_t len, int64_t *out)
{
	char digits[32];
	size_t at = 0, n = 0;
	bool too_long = false;

	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	while (at < len && isspace((unsigned char)text[at]))
		at++;
	digits[n++] = at < len && text[at] == '-' ? '-' : '+';
	if (at < len && (text[at] == '-' || text[at] == '+'))
		at++;
	if (at == len || !isdigit((unsigned char)text[at]))
		return "int_parsing";
	for (; at < len && (isdigit((unsigned char)text[at]) || text[at] == '_'); at++) {
		if (text[at] == '_' && (at + 1 == len || !isdigit((unsigned char)text[at + 1])))
			return "int_parsing";
		too_long = n == sizeof digits - 1;
		if (text[at] != '_' && !too_long)
			digits[n++] = text[at];
	}
	if (sandbox_check_zeros(text, at, len) != len)
		return "int_parsing";
	digits[n] = '\0';
	errno = 0;
	*out = strtoll(digits, NULL, 10);
	return too_long || errno == ERANGE ? "int_parsing_size" : NULL;
}

/* Reads a JSON value as an integer. Gives NULL, or the type of the mistake. */
static const char *
sandbox_check_lenient(struct json_object *v, int64_t *out)
{
	double d;

	switch (json_object_get_type(v)) {
	case json_type_boolean:
		*out = json_object_get_boolean(v);
		return NULL;
	case json_type_int:
		if (json_object_get_uint64(v) > INT64_MAX)
			return "int_parsing_size";
		*out = json_object_get_int64(v);
		return NULL;
	case json_type_double:
		d = json_object_get_double(v);
		if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0))
			return "int_parsing_size";
		*out = (int64_t)d;
		return (double)*out != d ? "int_from_float" : NULL;
	case json_type_string:
		return sandbox_check_digits(json_object_get_string(v),
		    (size_t)json_object_get_string_len(v), out);
	default:
		return "int_type";
	}
}

/* The sentence of a mistake in an integer. */
static const char *
sandbox_check_integer_msg(const char *type)
{
	if (strcmp(type, "int_parsing") == 0)
		return CHECK_INT_PARSING;
	if (strcmp(type, "int_parsing_size") == 0)
		return CHECK_INT_SIZE;
	return strcmp(type, "int_from_float") == 0 ? CHECK_INT_FLOAT : CHECK_INT;
}

/* Takes an integer that may be absent or null. */
bool
sandbox_check_integer(struct sandbox_check *c, struct json_object *body, const char *member,
    int64_t *out)
{
	struct json_object *v = NULL;
	const char *mistake;

	if (!json_object_object_get_ex(body, member, &v) || v == NULL)
		return false;
	mistake = sandbox_check_lenient(v, out);
	if (mistake != NULL)
		sandbox_check_add(c, mistake, sandbox_check_at(member, -1),
		    sandbox_check_integer_msg(mistake), v, NULL);
	return mistake == NULL;
}

/* Takes a list of integers. Where it is not required, null counts as absent. */
int64_t *
sandbox_check_integers(struct sandbox_check *c, struct json_object *body, const char *member,
    bool required, size_t *count)
{
	struct json_object *list = NULL;
	bool present = json_object_object_get_ex(body, member, &list);
	int64_t *ids;

	*count = 0;
	if (!present && required) {
		sandbox_check_add(c, "missing", sandbox_check_at(member, -1), CHECK_REQUIRED, body,
		    NULL);
		return NULL;
	}
	if (list == NULL && !required)
		return NULL;
	if (!json_object_is_type(list, json_type_array)) {
		sandbox_check_add(c, "list_type", sandbox_check_at(member, -1), CHECK_LIST, list,
		    NULL);
		return NULL;
	}
	*count = json_object_array_length(list);
	if (*count > CHECK_LIST_MAX) {
		sandbox_check_add(c, "too_long", sandbox_check_at(member, -1), CHECK_LIST_LONG,
		    NULL, NULL);
		return NULL;
	}
	ids = mem_zero(*count, sizeof *ids);
	for (size_t i = 0; i < *count; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		const char *mistake = sandbox_check_lenient(v, &ids[i]);

		if (mistake != NULL)
			sandbox_check_add(c, mistake, sandbox_check_at(member, (int64_t)i),
			    sandbox_check_integer_msg(mistake), v, NULL);
	}
	return ids;
}

/* Reads an integer from the path or the query. */
void
sandbox_check_number(struct sandbox_check *c, struct sandbox_place place, const char *text,
    size_t len, int64_t *out)
{
	const char *mistake = sandbox_check_digits(text, len, out);

	if (mistake != NULL)
		sandbox_check_add_text(c, mistake, place, sandbox_check_integer_msg(mistake), text,
		    len, NULL);
}

/* Writes the reason why hexadecimal digits and hyphens are no UUID. */
static void
sandbox_check_uuid_groups(const char *text, size_t len, bool plain, char why[CHECK_WHY_SIZE])
{
	static const size_t wanted[] = {8, 4, 4, 4, 12};
	size_t groups = 1, group = 0, start = 0;

	for (size_t i = 0; i < len; i++)
		groups += text[i] == '-';
	if (groups == 1 && plain) {
		snprintf(why, CHECK_WHY_SIZE,
		    "invalid length: expected length 32 for simple format, found %zu", len);
		return;
	}
	if (groups != 5) {
		snprintf(why, CHECK_WHY_SIZE, "invalid group count: expected 5, found %zu", groups);
		return;
	}
	for (group = 0; group < 5; group++) {
		const char *hyphen = memchr(text + start, '-', len - start);
		size_t found = group == 4 ? len - start : (size_t)(hyphen - text) - start;

		if (found != wanted[group]) {
			snprintf(why, CHECK_WHY_SIZE,
			    "invalid group length in group %zu: expected %zu, found %zu", group,
			    wanted[group], found);
			return;
		}
		start += found + 1;
	}
}

/* Takes a UUID's digits with or without their hyphens; false with the reason. */
static bool
sandbox_check_uuid_digits(const char *text, size_t len, size_t offset, bool plain,
    char id[UUID_SIZE], char why[CHECK_WHY_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '-' && !isxdigit((unsigned char)text[i])) {
			bool shown = isprint((unsigned char)text[i]);

			snprintf(why, CHECK_WHY_SIZE, "invalid character: found `%c` at %zu",
			    shown ? text[i] : '?', offset + i + 1);
			return false;
		}
	}
	if (!uuid_valid(text, len) && !(plain && len == 32 && memchr(text, '-', len) == NULL)) {
		sandbox_check_uuid_groups(text, len, plain, why);
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '-')
			continue;
		if (n == 8 || n == 13 || n == 18 || n == 23)
			id[n++] = '-';
		id[n++] = (char)tolower((unsigned char)text[i]);
	}
	id[n] = '\0';
	return true;
}

/* Reads a UUID: plain, `urn:uuid:…`, in braces, or without hyphens. */
void
sandbox_check_uuid(struct sandbox_check *c, const char *member, const char *text,
    char id[UUID_SIZE])
{
	struct sandbox_place place = {"path", member, -1};
	size_t len = strlen(text), offset = 0, inner = len;
	char why[CHECK_WHY_SIZE] = "", msg[CHECK_WHY_SIZE + 40];

	if (len >= 2 && text[0] == '{' && text[len - 1] == '}') {
		offset = 1;
		inner = len - 2;
	} else if (strncmp(text, "urn:uuid:", 9) == 0) {
		offset = 9;
		inner = len - 9;
	}
	if (sandbox_check_uuid_digits(text + offset, inner, offset, offset == 0, id, why))
		return;
	snprintf(msg, sizeof msg, "Input should be a valid UUID, %s", why);
	sandbox_check_add_text(c, "uuid_parsing", place, msg, text, len, why);
}
