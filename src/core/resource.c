#include "config.h"

#include "core/resource.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/octet.h"
#include "base/timestamp.h"
#include "base/uuid.h"
#include "json/json_text.h"

#include <inttypes.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESOURCE_SHOWN 60 /* bytes of a value that a sentence shows */

/* ---- calls ---- */

/* Adds a text as one segment of a path (RFC 3986, 2.3: the unreserved stay as they are). */
static void
resource_add_encoded(struct buf *b, const char *text)
{
	while (*text != '\0') {
		size_t plain = 0;

		while (octet_is(text[plain], OCTET_UNRESERVED))
			plain++;
		buf_add(b, text, plain);
		text += plain;
		if (*text != '\0')
			buf_addf(b, "%%%02X", (unsigned char)*text++);
	}
}

/* Makes the path of a call. */
char *
resource_path(const struct resource_call *call, const char *project_id, int64_t agent_id,
    const char *id)
{
	const char *p = call->path;
	struct buf b;

	buf_init(&b, 0);
	while (*p != '\0') {
		size_t plain = strcspn(p, "{"), name;

		buf_add(&b, p, plain);
		p += plain;
		if (*p == '\0')
			break;
		name = strcspn(++p, "}");
		if (strncmp(p, "id}", 3) == 0)
			resource_add_encoded(&b, id != NULL ? id : "");
		else if (strncmp(p, "agent_id}", 9) == 0)
			buf_addf(&b, "%" PRId64, agent_id);
		else
			resource_add_encoded(&b, project_id);
		p += name + 1;
	}
	return buf_take(&b, NULL);
}

/* Adds a parameter. */
char *
resource_path_with(const char *path, const char *parameter, const char *value)
{
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, path);
	buf_addc(&b, strchr(path, '?') != NULL ? '&' : '?');
	resource_add_encoded(&b, parameter);
	buf_addc(&b, '=');
	resource_add_encoded(&b, value);
	return buf_take(&b, NULL);
}

/* Finds what a status is told as. */
const struct resource_error *
resource_error_of(const struct resource *r, int status)
{
	for (size_t i = 0; i < r->error_count; i++)
		if (r->errors[i].upstream == status)
			return &r->errors[i];
	return NULL;
}

/* ---- ids ---- */

/* Whether a text can stand in a path and in a log. */
static bool
resource_id_is_plain(const char *id)
{
	size_t len = strlen(id);

	if (len == 0 || len > RESOURCE_ID_MAX || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return false;
	for (const char *p = id; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7f || *p == '/')
			return false;
	return true;
}

/* Whether a text is a whole number as JSON writes it. */
static bool
resource_id_is_number(const char *id)
{
	const char *digits = *id == '-' ? id + 1 : id;
	size_t len = strlen(digits);

	return len > 0 && len < 20 && strspn(digits, "0123456789") == len &&
	    (digits[0] != '0' || len == 1);
}

/* Whether a text can be an id. */
bool
resource_id_ok(const struct resource *r, const char *id)
{
	switch (r->id_form) {
	case RESOURCE_ID_UUID:
		return uuid_valid(id, strlen(id));
	case RESOURCE_ID_INTEGER:
		return resource_id_is_number(id);
	default:
		return resource_id_is_plain(id);
	}
}

/* Says what an id is. */
const char *
resource_id_noun(const struct resource *r)
{
	static const char *const nouns[] = {[RESOURCE_ID_ANY] = "a text or a number",
	    [RESOURCE_ID_STRING] = "a text", [RESOURCE_ID_INTEGER] = "a whole number",
	    [RESOURCE_ID_UUID] = "a UUID"};

	return nouns[r->id_form];
}

/* Reads an id. */
const char *
resource_id(const struct resource *r, struct json_object *upstream)
{
	struct json_object *value = NULL;
	const char *text;
	bool number;

	if (!json_object_is_type(upstream, json_type_object) ||
	    !json_object_object_get_ex(upstream, r->id, &value))
		return NULL;
	number = json_object_is_type(value, json_type_int);
	if (number ? r->id_form == RESOURCE_ID_STRING || r->id_form == RESOURCE_ID_UUID
	           : r->id_form == RESOURCE_ID_INTEGER || !json_object_is_type(value, json_type_string))
		return NULL;
	text = number ? json_object_get_string(value) : json_get_string(upstream, r->id);
	return text != NULL && resource_id_ok(r, text) ? text : NULL;
}

/* Reads the account. */
const char *
resource_organisation(struct json_object *upstream)
{
	return json_get_string(upstream, RESOURCE_ORGANISATION);
}

/* Reads when a thing was made. */
int64_t
resource_created(const struct resource *r, struct json_object *upstream, int64_t otherwise)
{
	const char *text = r->created == NULL ? NULL : json_get_string(upstream, r->created);
	int64_t created;

	return text != NULL && timestamp_parse(text, strlen(text), &created) ? created : otherwise;
}

/* ---- names ---- */

/* Whether the mapping has a field of this name. */
static bool
resource_is_mapped(const struct mapping *mapping, const char *local)
{
	struct mapping_declared d;

	for (size_t i = 0; mapping_declared(mapping, i, &d); i++)
		if (d.origin == MAPPING_MAPPED && strcmp(d.local, local) == 0)
			return true;
	return false;
}

/* Looks at the name in a body. */
int
resource_check_name(const struct resource *r, const struct mapping *mapping,
    struct json_object *body, bool required, struct fail *fail)
{
	struct json_object *name = NULL;

	if (r->name == NULL || !resource_is_mapped(mapping, r->name))
		return 0;
	if (!json_object_object_get_ex(body, r->name, &name) || name == NULL)
		return required ? fail_set(fail, "%s", r->nameless) : 0;
	if (!json_object_is_type(name, json_type_string))
		return fail_set(fail, "%s must be a string", r->name);
	if (json_object_get_string_len(name) == 0)
		return fail_set(fail, "%s", r->nameless);
	if (strlen(json_object_get_string(name)) != (size_t)json_object_get_string_len(name))
		return fail_set(fail, "%s must not contain the character U+0000", r->name);
	return 0;
}

/* Whether all things have names. */
bool
resource_is_labelled(const struct resource *r)
{
	return r->unique || r->label != NULL;
}

/* What names an upstream thing. */
const char *
resource_label(const struct resource *r, const struct mapping *mapping,
    struct json_object *upstream)
{
	if (r->unique)
		return mapping_persona_name(mapping, upstream);
	if (r->label != NULL)
		return json_get_string(upstream, r->label);
	return r->name == NULL ? NULL : mapping_local_text(mapping, r->name, upstream);
}

/* What a record is called. */
const char *
resource_unique_name(const struct resource *r, const struct mapping *mapping,
    struct json_object *upstream)
{
	return r->unique ? mapping_persona_name(mapping, upstream) : NULL;
}

/* ---- numbers ---- */

/* Compares two numbers by their text: whole ones have one each. */
static int
resource_compare(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* The texts of a list's values, in order and each once; none for no list at all, NULL for
 * what is none. The caller frees the array; the texts belong to the tree. */
static const char **
resource_texts(struct json_object *list, size_t *count)
{
	size_t n, used = 0;
	const char **texts;

	if (list != NULL && !json_object_is_type(list, json_type_array))
		return NULL;
	n = list == NULL ? 0 : json_object_array_length(list);
	texts = mem_zero(n + 1, sizeof *texts);
	for (size_t i = 0; i < n; i++)
		texts[i] = json_object_to_json_string(json_object_array_get_idx(list, i));
	qsort(texts, n, sizeof *texts, resource_compare);
	for (size_t i = 0; i < n; i++)
		if (used == 0 || strcmp(texts[used - 1], texts[i]) != 0)
			texts[used++] = texts[i];
	*count = used;
	return texts;
}

/* Whether every number of one list is in another, and (`all`) the other way around. */
static bool
resource_includes(struct json_object *some, struct json_object *list, bool all)
{
	size_t wanted = 0, count = 0, at = 0;
	const char **a = resource_texts(some, &wanted), **b = resource_texts(list, &count);
	bool ok = a != NULL && b != NULL && (!all || wanted == count);

	for (size_t i = 0; ok && i < wanted; i++) {
		while (at < count && strcmp(b[at], a[i]) < 0)
			at++;
		ok = at < count && strcmp(b[at], a[i]) == 0;
	}
	free(a);
	free(b);
	return ok;
}

/* The numbers of a tree; NULL when it has none. */
static struct json_object *
resource_numbers(const struct resource *r, struct json_object *upstream)
{
	struct json_object *list = NULL;

	if (r->numbers != NULL && json_object_is_type(upstream, json_type_object))
		json_object_object_get_ex(upstream, r->numbers, &list);
	return list;
}

/* Whether every number was added. */
bool
resource_holds(const struct resource *r, struct json_object *sent, struct json_object *upstream)
{
	return resource_includes(resource_numbers(r, sent), resource_numbers(r, upstream), false);
}

/* Whether a thing is as it was sent. With the same numbers it is compared as if they
 * were in the order sent. */
bool
resource_matches(const struct resource *r, const struct mapping *mapping, struct json_object *sent,
    struct json_object *upstream)
{
	struct json_object *numbers = resource_numbers(r, sent), *alike;
	bool matches;

	if (numbers == NULL || !json_object_is_type(upstream, json_type_object) ||
	    !resource_includes(numbers, resource_numbers(r, upstream), true))
		return mapping_sent_matches(mapping, sent, upstream);
	alike = json_object_new_object();
	json_object_object_foreach(upstream, key, value)
		json_object_object_add(alike, key, json_object_get(value));
	json_object_object_add(alike, r->numbers, json_object_get(numbers));
	matches = mapping_sent_matches(mapping, sent, alike);
	json_object_put(alike);
	return matches;
}

/* The local field of the numbers. */
const char *
resource_numbers_field(const struct resource *r, const struct mapping *mapping)
{
	const char *local = mapping_local_name(mapping, r->numbers);

	return local != NULL ? local : r->numbers_local;
}

/* Says what the numbers are, and which value is none. */
void
resource_explain(const struct resource *r, const struct mapping *mapping,
    struct json_object *body, struct fail *fail)
{
	struct json_object *list = NULL, *v;
	const char *field, *text;
	struct fail first = *fail;

	if (r->numbers == NULL)
		return;
	field = resource_numbers_field(r, mapping);
	if (strncmp(fail->text, field, strlen(field)) != 0 || fail->text[strlen(field)] != ' ' ||
	    !json_object_object_get_ex(body, field, &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		v = json_object_array_get_idx(list, i);
		if (json_object_is_type(v, json_type_int))
			continue;
		text = json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN |
		        JSON_C_TO_STRING_NOSLASHESCAPE);
		fail_set(fail, "%.300s, %s; %.*s is %s", first.text, r->numbered, RESOURCE_SHOWN, text,
		    json_object_is_type(v, json_type_string) &&
		            uuid_valid(json_object_get_string(v), (size_t)json_object_get_string_len(v))
		        ? "the id of something else, such as a persona"
		        : "none");
		return;
	}
}
