#include "config.h"

#include "mapping/mapping_values.h"

#include "base/buf.h"
#include "base/mem.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* A value of one side: strings are found by their bytes, others by their text. */
struct mapping_values_entry {
	char *text; /* as JSON */
	struct json_object *value;
	size_t pair;
	UT_hash_handle hh;
};

/* Values of one side: 5 and "5" are two. */
struct mapping_values_table {
	struct mapping_values_entry *strings, *others;
};

struct mapping_values {
	struct mapping_values_entry *local, *upstream;    /* by pair */
	struct mapping_values_table by_local, by_upstream; /* tables into them */
	size_t count;
	enum mapping_values_others others;
	size_t fallback;
};

#define MAPPING_VALUES_SHOWN 12 /* values that a message lists */

/* Makes an empty map. */
struct mapping_values *
mapping_values_new(size_t capacity)
{
	struct mapping_values *v = mem_zero(1, sizeof *v);

	v->local = mem_zero(capacity + 1, sizeof *v->local);
	v->upstream = mem_zero(capacity + 1, sizeof *v->upstream);
	return v;
}

/* Frees the map. */
void
mapping_values_free(void *data)
{
	struct mapping_values *v = data;

	if (v == NULL)
		return;
	HASH_CLEAR(hh, v->by_local.strings);
	HASH_CLEAR(hh, v->by_local.others);
	HASH_CLEAR(hh, v->by_upstream.strings);
	HASH_CLEAR(hh, v->by_upstream.others);
	for (size_t i = 0; i < v->count; i++) {
		free(v->local[i].text);
		json_object_put(v->local[i].value);
		free(v->upstream[i].text);
		json_object_put(v->upstream[i].value);
	}
	free(v->local);
	free(v->upstream);
	free(v);
}

/* Looks a value up. The text of a scalar is short; that of others is not looked
 * up, since none is named. */
static const struct mapping_values_entry *
mapping_values_look(const struct mapping_values_table *table, struct json_object *value)
{
	const struct mapping_values_entry *entry = NULL;
	char *text;
	size_t len;

	if (json_object_is_type(value, json_type_string)) {
		len = (size_t)json_object_get_string_len(value);
		HASH_FIND(hh, table->strings, json_object_get_string(value), len, entry);
		return entry;
	}
	if (json_object_is_type(value, json_type_object) ||
	    json_object_is_type(value, json_type_array))
		return NULL;
	text = json_print(value, &len);
	HASH_FIND(hh, table->others, text, len, entry);
	free(text);
	return entry;
}

/* Looks a value of Bluejay up. One number may be written in several ways there: a
 * service that keeps it as a double answers 1.0 to 1. */
static const struct mapping_values_entry *
mapping_values_look_upstream(const struct mapping_values *v, struct json_object *value)
{
	const struct mapping_values_entry *entry = mapping_values_look(&v->by_upstream, value);
	bool number = json_object_is_type(value, json_type_int) ||
	    json_object_is_type(value, json_type_double);

	for (size_t i = 0; entry == NULL && number && i < v->count; i++)
		if (mapping_step_same_value(v->upstream[i].value, value))
			entry = &v->upstream[i];
	return entry;
}

/* Adds a value to its table. */
static void
mapping_values_enter(struct mapping_values_table *table, struct mapping_values_entry *entry)
{
	const char *bytes = entry->text;
	size_t len;

	if (json_object_is_type(entry->value, json_type_string)) {
		bytes = json_object_get_string(entry->value);
		len = (size_t)json_object_get_string_len(entry->value);
		HASH_ADD_KEYPTR(hh, table->strings, bytes, len, entry);
	} else {
		len = strlen(bytes);
		HASH_ADD_KEYPTR(hh, table->others, bytes, len, entry);
	}
}

/* Adds a pair. */
bool
mapping_values_add(struct mapping_values *v, struct json_object *local,
    struct json_object *upstream, size_t *twin)
{
	struct mapping_values_entry *l = &v->local[v->count], *u = &v->upstream[v->count];
	const struct mapping_values_entry *there;

	*twin = v->count;
	if (mapping_values_look(&v->by_local, local) != NULL) {
		json_object_put(local);
		json_object_put(upstream);
		return false;
	}
	*l = (struct mapping_values_entry){json_print(local, NULL), local, v->count, {0}};
	*u = (struct mapping_values_entry){json_print(upstream, NULL), upstream, v->count, {0}};
	there = mapping_values_look_upstream(v, upstream);
	mapping_values_enter(&v->by_local, l);
	if (there == NULL)
		mapping_values_enter(&v->by_upstream, u);
	else
		*twin = there->pair;
	v->count++;
	if (there == NULL)
		*twin = v->count;
	return true;
}

/* The number of pairs. */
size_t
mapping_values_count(const struct mapping_values *v)
{
	return v->count;
}

/* The local value of a pair. */
struct json_object *
mapping_values_local(const struct mapping_values *v, size_t i)
{
	return v->local[i].value;
}

/* The upstream value of a pair. */
struct json_object *
mapping_values_upstream(const struct mapping_values *v, size_t i)
{
	return v->upstream[i].value;
}

/* Finds the pair of a local value. */
size_t
mapping_values_find(const struct mapping_values *v, struct json_object *local)
{
	const struct mapping_values_entry *entry = mapping_values_look(&v->by_local, local);

	return entry == NULL ? v->count : entry->pair;
}

/* Says what becomes of values that are not named. */
void
mapping_values_others(struct mapping_values *v, enum mapping_values_others others,
    size_t fallback)
{
	v->others = others;
	v->fallback = fallback;
}

/* Whether others never go on. */
bool
mapping_values_closed(const struct mapping_values *v)
{
	return v->others != MAPPING_VALUES_KEEP;
}

/* Whether others are refused. */
bool
mapping_values_named_only(const struct mapping_values *v)
{
	return v->others == MAPPING_VALUES_REFUSE;
}

/* Lists the values of one side. */
char *
mapping_values_list(const struct mapping_values *v, bool local)
{
	const struct mapping_values_entry *side = local ? v->local : v->upstream;
	const char *between = "";
	size_t shown = 0;
	struct buf out;

	buf_init(&out, 0);
	for (size_t i = 0; i < v->count && shown < MAPPING_VALUES_SHOWN; i++) {
		if (!local && mapping_values_look_upstream(v, side[i].value)->pair != i)
			continue;
		buf_addf(&out, "%s%s", between, side[i].text);
		between = ", ";
		shown++;
	}
	if (v->count > MAPPING_VALUES_SHOWN)
		buf_addf(&out, ", … (%zu in all)", v->count);
	return buf_take(&out, NULL);
}

/* What becomes of a value that is not named: `there` is the pair whose value of
 * the other side it equals, if any. */
static struct json_object *
mapping_values_other(const struct mapping_values *v, struct json_object *value,
    const struct mapping_values_entry *there, bool send, struct mapping_trouble *trouble)
{
	char *list;

	if (v->others == MAPPING_VALUES_DEFAULT)
		return json_copy(send ? v->upstream[v->fallback].value
		                      : v->local[v->fallback].value);
	if (v->others == MAPPING_VALUES_KEEP && there == NULL)
		return json_object_get(value);
	if (v->others == MAPPING_VALUES_KEEP)
		return mapping_trouble_set(trouble, "must not be %.60s, which stands for %.60s",
		    there->text, send ? v->local[there->pair].text : v->upstream[there->pair].text);
	list = mapping_values_list(v, send);
	mapping_trouble_set(trouble, "must be one of %s", list);
	free(list);
	return NULL;
}

/* Turns a local value into Bluejay's. */
static struct json_object *
mapping_values_send(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	const struct mapping_values *v = step->data;
	const struct mapping_values_entry *entry = mapping_values_look(&v->by_local, value);

	if (entry != NULL)
		return json_copy(v->upstream[entry->pair].value);
	return mapping_values_other(v, value, mapping_values_look_upstream(v, value), true, trouble);
}

/* Turns a value of Bluejay into the local one. */
static struct json_object *
mapping_values_receive(const struct mapping_step *step, struct json_object *value,
    struct mapping_trouble *trouble)
{
	const struct mapping_values *v = step->data;
	const struct mapping_values_entry *entry = mapping_values_look_upstream(v, value);

	if (entry != NULL)
		return json_copy(v->local[entry->pair].value);
	return mapping_values_other(v, value, mapping_values_look(&v->by_local, value), false,
	    trouble);
}

/* Compares what Bluejay has. */
static bool
mapping_values_same(const struct mapping_step *step, struct json_object *a, struct json_object *b)
{
	return mapping_step_same_value(a, b);
}

const struct mapping_step_kind mapping_values_kind = {
    .name = "values",
    .send = mapping_values_send,
    .receive = mapping_values_receive,
    .same = mapping_values_same,
    .free = mapping_values_free,
};
