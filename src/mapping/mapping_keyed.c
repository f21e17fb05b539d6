#include "config.h"

#include "mapping/mapping_each.h"

#include "base/mem.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

/* The names of the members of the list's elements. */
struct mapping_keyed {
	char *key;
	char *value; /* NULL: the element without its key is the value */
};

/* Keeps the names. */
void *
mapping_keyed_new(const char *key, const char *value)
{
	struct mapping_keyed *k = mem_zero(1, sizeof *k);

	k->key = mem_string(key);
	k->value = mem_string(value);
	return k;
}

/* Frees the names. */
static void
mapping_keyed_free(void *data)
{
	struct mapping_keyed *k = data;

	free(k->key);
	free(k->value);
	free(k);
}

/* The key of an element, which must be a string that can be one; NULL with the
 * trouble told. */
static const char *
mapping_keyed_key(const struct mapping_keyed *k, struct json_object *element,
    struct mapping_trouble *trouble)
{
	struct json_object *key = NULL;
	const char *text;

	if (!json_object_is_type(element, json_type_object)) {
		mapping_trouble_set(trouble, "must be an object with \"%s\"", k->key);
		return NULL;
	}
	json_object_object_get_ex(element, k->key, &key);
	if (!json_object_is_type(key, json_type_string)) {
		mapping_trouble_set(trouble, "must be a string");
		mapping_trouble_in_object(trouble, k->key);
		return NULL;
	}
	text = json_object_get_string(key);
	if (strlen(text) == (size_t)json_object_get_string_len(key))
		return text;
	mapping_trouble_set(trouble, "must not hold U+0000");
	mapping_trouble_in_object(trouble, k->key);
	return NULL;
}

/* The value of an element with key and value; false with the trouble told. */
static bool
mapping_keyed_value(const struct mapping_keyed *k, struct json_object *element,
    struct json_object **out, struct mapping_trouble *trouble)
{
	struct lh_entry *e;

	for (e = lh_table_head(json_object_get_object(element)); e; e = lh_entry_next(e)) {
		if (strcmp(lh_entry_k(e), k->key) == 0 || strcmp(lh_entry_k(e), k->value) == 0)
			continue;
		mapping_trouble_set(trouble, "has no place; only \"%s\" and \"%s\" have one", k->key,
		    k->value);
		mapping_trouble_in_object(trouble, lh_entry_k(e));
		return false;
	}
	if (!json_object_object_get_ex(element, k->value, out)) {
		mapping_trouble_set(trouble, "must have \"%s\"", k->value);
		return false;
	}
	json_object_get(*out);
	return true;
}

/* The element without its key. */
static struct json_object *
mapping_keyed_rest(const struct mapping_keyed *k, struct json_object *element)
{
	struct json_object *rest = json_object_new_object();
	struct lh_entry *e;

	for (e = lh_table_head(json_object_get_object(element)); e; e = lh_entry_next(e))
		if (strcmp(lh_entry_k(e), k->key) != 0)
			json_object_object_add(rest, lh_entry_k(e), json_object_get(lh_entry_v(e)));
	return rest;
}

/* Puts one element under its key. */
static bool
mapping_keyed_put(const struct mapping_keyed *k, struct json_object *element,
    struct json_object *out, struct mapping_trouble *trouble)
{
	const char *key = mapping_keyed_key(k, element, trouble);
	struct json_object *value;

	if (key == NULL)
		return false;
	if (json_object_object_get_ex(out, key, NULL)) {
		mapping_trouble_set(trouble, "must not be \"%.60s\" a second time", key);
		mapping_trouble_in_object(trouble, k->key);
		return false;
	}
	if (k->value == NULL)
		value = mapping_keyed_rest(k, element);
	else if (!mapping_keyed_value(k, element, &value, trouble))
		return false;
	json_object_object_add(out, key, value);
	return true;
}

/* Makes the object out of the list. */
static struct json_object *
mapping_keyed_to_object(const struct mapping_step *step, struct json_object *list,
    struct mapping_trouble *trouble)
{
	struct json_object *out;

	if (!json_object_is_type(list, json_type_array))
		return mapping_trouble_set(trouble, "must be an array");
	out = json_object_new_object();
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (!mapping_keyed_put(step->data, json_object_array_get_idx(list, i), out,
		        trouble)) {
			mapping_trouble_in_list(trouble, i);
			json_object_put(out);
			return NULL;
		}
	}
	return out;
}

/* Makes one element of the list. */
static struct json_object *
mapping_keyed_element(const struct mapping_keyed *k, const char *key, struct json_object *value,
    struct mapping_trouble *trouble)
{
	struct json_object *element;
	struct lh_entry *e;

	if (k->value == NULL && !json_object_is_type(value, json_type_object))
		return mapping_trouble_set(trouble, "must be an object");
	if (k->value == NULL && json_object_object_get_ex(value, k->key, NULL)) {
		mapping_trouble_set(trouble, "has no place, as the key goes there");
		mapping_trouble_in_object(trouble, k->key);
		return NULL;
	}
	element = json_object_new_object();
	json_object_object_add(element, k->key, json_object_new_string(key));
	if (k->value != NULL) {
		json_object_object_add(element, k->value, json_object_get(value));
		return element;
	}
	for (e = lh_table_head(json_object_get_object(value)); e; e = lh_entry_next(e))
		json_object_object_add(element, lh_entry_k(e), json_object_get(lh_entry_v(e)));
	return element;
}

/* Makes the list out of the object. */
static struct json_object *
mapping_keyed_to_list(const struct mapping_step *step, struct json_object *object,
    struct mapping_trouble *trouble)
{
	struct json_object *out, *element;
	struct lh_entry *e;

	if (!json_object_is_type(object, json_type_object))
		return mapping_trouble_set(trouble, "must be an object");
	out = json_object_new_array();
	for (e = lh_table_head(json_object_get_object(object)); e; e = lh_entry_next(e)) {
		element = mapping_keyed_element(step->data, lh_entry_k(e), lh_entry_v(e), trouble);
		if (element == NULL) {
			mapping_trouble_in_object(trouble, lh_entry_k(e));
			json_object_put(out);
			return NULL;
		}
		json_object_array_add(out, element);
	}
	return out;
}

/* Compares what Bluejay has. */
static bool
mapping_keyed_same(const struct mapping_step *step, struct json_object *a, struct json_object *b)
{
	return mapping_step_same_value(a, b);
}

const struct mapping_step_kind mapping_keyed_object = {
    .name = "keyed_by",
    .send = mapping_keyed_to_object,
    .receive = mapping_keyed_to_list,
    .same = mapping_keyed_same,
    .free = mapping_keyed_free,
};

const struct mapping_step_kind mapping_keyed_array = {
    .name = "keyed_by",
    .send = mapping_keyed_to_list,
    .receive = mapping_keyed_to_object,
    .same = mapping_keyed_same,
    .free = mapping_keyed_free,
};
