#include "config.h"

#include "mapping/mapping_template.h"

#include "base/buf.h"
#include "base/mem.h"
#include "json/json_text.h"
#include "mapping/mapping_apply.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a text that belong to someone else. */
struct mapping_span {
	const char *p;
	size_t len;
};

/* Frees the pieces. */
void
mapping_template_free(struct mapping_template *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->pieces[i].text);
		json_object_put(t->pieces[i].filler);
		if (t->pieces[i].local.text != NULL)
			mapping_path_free(&t->pieces[i].local);
	}
	free(t->pieces);
	mapping_path_free(&t->upstream);
	memset(t, 0, sizeof *t);
}

/* The bytes of a string value. */
static struct mapping_span
mapping_template_span(struct json_object *string)
{
	return (struct mapping_span){json_object_get_string(string),
	    (size_t)json_object_get_string_len(string)};
}

/* Finds the first place of one text in another; the length of the other for none. */
static size_t
mapping_template_find(struct mapping_span in, const struct mapping_piece *piece)
{
	for (size_t i = 0; i + piece->len <= in.len; i++)
		if (memcmp(in.p + i, piece->text, piece->len) == 0)
			return i;
	return in.len;
}

/* Takes a text apart: each field ends where what follows it stands first; the
 * last one where the text ends so. False when it is not of this form. */
static bool
mapping_template_split(const struct mapping_template *t, struct mapping_span text,
    struct mapping_span *fields)
{
	const struct mapping_piece *last = &t->pieces[t->count - 1];
	size_t end;

	if (text.len < t->pieces[0].len + (t->count > 1 ? last->len : 0) ||
	    memcmp(text.p, t->pieces[0].text, t->pieces[0].len) != 0 ||
	    memcmp(text.p + text.len - last->len, last->text, last->len) != 0)
		return false;
	text.p += t->pieces[0].len;
	text.len -= t->pieces[0].len;
	for (size_t i = 0; i + 2 < t->count; i++) {
		end = mapping_template_find(text, &t->pieces[i + 1]);
		if (end + t->pieces[i + 1].len > text.len)
			return false;
		fields[i] = (struct mapping_span){text.p, end};
		text.p += end + t->pieces[i + 1].len;
		text.len -= end + t->pieces[i + 1].len;
	}
	if (text.len < last->len)
		return false;
	fields[t->count - 2] = (struct mapping_span){text.p, text.len - last->len};
	return true;
}

/* Looks the fields up. -1 with a sentence; *given counts those that are there. */
static int
mapping_template_values(const struct mapping_template *t, struct json_object *local,
    struct json_object **values, size_t *given, struct fail *fail)
{
	*given = 0;
	for (size_t i = 0; i + 1 < t->count; i++) {
		if (mapping_apply_get(&t->pieces[i].local, local, &values[i], fail) != 0)
			return -1;
		if (values[i] != NULL && !json_object_is_type(values[i], json_type_string))
			return fail_set(fail, "%s must be a string", t->pieces[i].local.text);
		*given += values[i] != NULL;
	}
	return 0;
}

/* Puts fillers where a create gives nothing. -1 with a sentence when a field
 * lacks a value: the text cannot be made of some of them. */
static int
mapping_template_complete(const struct mapping_template *t, enum mapping_operation operation,
    struct json_object **values, struct json_object **fillers, struct fail *fail)
{
	const char *given = NULL, *lacking = NULL;

	for (size_t i = 0; i + 1 < t->count; i++) {
		if (values[i] != NULL)
			given = t->pieces[i].local.text;
		else if (operation == MAPPING_CREATE && t->pieces[i].filler != NULL)
			values[i] = fillers[i] = t->pieces[i].filler;
		else
			lacking = t->pieces[i].local.text;
	}
	if (lacking == NULL)
		return 0;
	return fail_set(fail, "%s must be given with %s, since they are one text in Bluejay", lacking,
	    given != NULL ? given : t->pieces[0].local.text);
}

/* Makes the text. */
static struct json_object *
mapping_template_join(const struct mapping_template *t, struct json_object *const *values)
{
	struct json_object *string;
	struct mapping_span span;
	struct buf text;

	buf_init(&text, 0);
	for (size_t i = 0; i < t->count; i++) {
		buf_add(&text, t->pieces[i].text, t->pieces[i].len);
		if (i + 1 == t->count)
			break;
		span = mapping_template_span(values[i]);
		buf_add(&text, span.p, span.len);
	}
	string = json_object_new_string_len(text.len > 0 ? text.data : "", (int)text.len);
	buf_free(&text);
	return string;
}

/* Refuses values that would not come back as they are. */
static int
mapping_template_check(const struct mapping_template *t, struct json_object *text,
    struct json_object *const *values, struct fail *fail)
{
	struct mapping_span *fields = mem_zero(t->count, sizeof *fields), value;
	bool ok = mapping_template_split(t, mapping_template_span(text), fields);
	int result = 0;

	for (size_t i = 0; i + 1 < t->count && result == 0; i++) {
		value = mapping_template_span(values[i]);
		if (!ok || value.len != fields[i].len ||
		    memcmp(value.p, fields[i].p, value.len) != 0)
			result = fail_set(fail,
			    "%s must not hold \"%.80s\", which ends it in Bluejay's text",
			    t->pieces[i].local.text, t->pieces[i + 1].text);
	}
	free(fields);
	return result;
}

/* Notes what was given, and what stood in for what was not. */
static void
mapping_template_note(const struct mapping_template *t, struct json_object *const *fillers,
    struct mapping_request *out)
{
	for (size_t i = 0; i + 1 < t->count; i++) {
		const struct mapping_piece *piece = &t->pieces[i];

		if (!piece->only_here)
			continue;
		if (fillers[i] == NULL)
			json_object_object_add(out->given, piece->local.text,
			    json_object_new_boolean(1));
		else
			json_object_object_add(out->absent, piece->local.text, json_copy(fillers[i]));
	}
}

/* Sends the text. */
int
mapping_template_send(const struct mapping_template *t, enum mapping_operation operation,
    struct json_object *local, struct mapping_request *out, struct fail *fail)
{
	struct json_object **values = mem_zero(2 * t->count, sizeof *values);
	struct json_object **fillers = values + t->count, *text;
	bool filled = operation == MAPPING_CREATE;
	size_t given;
	int result = mapping_template_values(t, local, values, &given, fail);

	for (size_t i = 0; i + 1 < t->count; i++)
		filled &= values[i] != NULL || t->pieces[i].filler != NULL;
	if (result != 0 || (given == 0 && !filled)) {
		free(values);
		return result;
	}
	result = mapping_template_complete(t, operation, values, fillers, fail);
	if (result == 0) {
		text = mapping_template_join(t, values);
		if (t->reads)
			result = mapping_template_check(t, text, values, fail);
		mapping_path_put(&t->upstream, out->upstream, text);
		mapping_template_note(t, fillers, out);
	}
	free(values);
	return result;
}

/* Takes Bluejay's text apart; -1 with a sentence, *value NULL when there is none. */
static int
mapping_template_read(const struct mapping_template *t, struct json_object *upstream,
    struct json_object **value, struct mapping_span *fields, struct fail *fail)
{
	struct json_object *form;
	char *text;
	int result;

	if (mapping_apply_get(&t->upstream, upstream, value, fail) != 0)
		return -1;
	if (*value == NULL)
		return 0;
	if (json_object_is_type(*value, json_type_string) &&
	    mapping_template_split(t, mapping_template_span(*value), fields))
		return 0;
	form = json_object_new_string_len(t->pieces[1].text, (int)t->pieces[1].len);
	text = json_print(form, NULL);
	result = t->count > 2
	    ? fail_set(fail, "%s must be a string with %.80s between %s and %s", t->upstream.text,
	          text, t->pieces[0].local.text, t->pieces[1].local.text)
	    : fail_set(fail, "%s must be a string that begins with \"%.80s\" and ends with \"%.80s\"",
	          t->upstream.text, t->pieces[0].text, t->pieces[1].text);
	free(text);
	json_object_put(form);
	return result;
}

/* Whether a field was absent and its filler still stands there. */
static bool
mapping_template_is_absent(const struct mapping_piece *piece, struct mapping_span field,
    struct json_object *absent)
{
	struct json_object *filler;
	struct mapping_span span;

	if (absent == NULL || !json_object_object_get_ex(absent, piece->local.text, &filler) ||
	    !json_object_is_type(filler, json_type_string))
		return false;
	span = mapping_template_span(filler);
	return span.len == field.len && memcmp(span.p, field.p, span.len) == 0;
}

/* Receives the fields. */
int
mapping_template_receive(const struct mapping_template *t, struct json_object *upstream,
    struct json_object *absent, struct json_object *out, struct fail *fail)
{
	struct mapping_span *fields;
	struct json_object *value;
	int result;

	if (!t->reads)
		return 0;
	fields = mem_zero(t->count, sizeof *fields);
	result = mapping_template_read(t, upstream, &value, fields, fail);
	for (size_t i = 0; i + 1 < t->count && result == 0 && value != NULL; i++)
		if (t->pieces[i].only_here &&
		    !mapping_template_is_absent(&t->pieces[i], fields[i], absent))
			mapping_path_put(&t->pieces[i].local, out,
			    json_object_new_string_len(fields[i].p, (int)fields[i].len));
	free(fields);
	return result;
}

/* Whether a filler still stands. */
bool
mapping_template_is_filled(const struct mapping_template *t, const struct mapping_piece *piece,
    struct json_object *upstream, struct json_object *filler)
{
	struct mapping_span *fields = mem_zero(t->count, sizeof *fields), span;
	struct json_object *value;
	bool filled = true;

	if (!t->reads || mapping_template_read(t, upstream, &value, fields, NULL) != 0) {
		free(fields);
		return !t->reads;
	}
	if (value != NULL && json_object_is_type(filler, json_type_string)) {
		span = mapping_template_span(filler);
		filled = span.len == fields[piece - t->pieces].len &&
		    memcmp(span.p, fields[piece - t->pieces].p, span.len) == 0;
	}
	free(fields);
	return filled;
}
