#include "config.h"

#include "core/resource.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "json/json_text.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#define RESOURCE_SHOWN 60 /* bytes of a value that a sentence shows */

const struct resource resource_persona = {
    .noun = "persona",
    .title = "Persona",
    .plural = "personas",
    .id_member = "personaId",
    .prefix = "",
    .create = "/v1/create-customer-persona",
    .item = "/v1/customer-persona",
    .update = "/v1/update-customer-persona",
    .list = "/v1/customer-personas-by-agent",
    .by_agent = true,
    .headers = "headers",
    .name = "name",
    .nameless = "Name is required",
    .unique = true,
    .portraits = true,
    .twins = true,
};

const struct resource resource_community = {
    .noun = "community",
    .title = "Community",
    .plural = "communities",
    .id_member = "communityId",
    .prefix = "community:",
    .create = "/v1/create-community",
    .item = "/v1/community",
    .update = "/v1/update-community",
    .add = "/v1/add-to-community",
    .list = "/v1/communities",
    .shared = true,
    .name = "title",
    .nameless = "Title is required",
    .label = "title",
    .numbers = "digital_human_ids",
    .numbers_local = "digitalHumanIds",
    .numbered = "the ids of digital humans in Bluejay",
};

/* Finds the resource of a scope. */
const struct resource *
resource_of_scope(const char *scope)
{
	const char *prefix = resource_community.prefix;

	return strncmp(scope, prefix, strlen(prefix)) == 0 ? &resource_community : &resource_persona;
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

	if (!resource_is_mapped(mapping, r->name))
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

/* What names an upstream thing. */
const char *
resource_label(const struct resource *r, const struct mapping *mapping,
    struct json_object *upstream)
{
	return r->unique ? mapping_persona_name(mapping, upstream)
	                 : json_get_string(upstream, r->label);
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
