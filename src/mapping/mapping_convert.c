#include "config.h"

#include "mapping/mapping_convert.h"

#include "base/mem.h"
#include "mapping/mapping_each.h"
#include "mapping/mapping_shape.h"
#include "mapping/mapping_text.h"
#include "mapping/mapping_values.h"

#include <stdlib.h>
#include <string.h>

/* Gives a way the types of its ends. */
static void
mapping_convert_ends(struct mapping_way *way, const char *local, const char *upstream)
{
	way->local = mapping_step_find(local);
	way->upstream = mapping_step_find(upstream);
}

/* Whether a value that goes there and back may change its form. */
bool
mapping_convert_is_time(const struct mapping_way *way)
{
	return strcmp(way->steps[0].kind->name, "timestamp") == 0;
}

/* ---- types ---- */

/* Reads the name of a type; NULL when it is wrong. */
static const struct mapping_step_kind *
mapping_convert_type(struct mapping_compiler *c, const struct yaml_node *node)
{
	const char *words[16];
	const struct mapping_step_kind *kind = NULL;
	size_t count = 0;

	if (node->kind == YAML_SCALAR)
		kind = mapping_step_find(node->text);
	if (kind != NULL)
		return kind;
	for (; count < 16 && mapping_step_at(count) != NULL; count++)
		words[count] = mapping_step_at(count)->name;
	mapping_compiler_unknown(c, node, "type", words, count);
	return NULL;
}

/* The node of `as`; NULL when it is not given. */
static const struct yaml_node *
mapping_convert_as(const struct mapping_convert *v)
{
	return yaml_node_get(v->map, "as");
}

/* Reads `as` as one type; NULL when it is not given or wrong. */
static const struct mapping_step_kind *
mapping_convert_one_type(struct mapping_compiler *c, const struct mapping_convert *v)
{
	const struct yaml_node *as = mapping_convert_as(v);

	return as == NULL ? NULL : mapping_convert_type(c, as);
}

/* Refuses a type that a side is known not to have. */
static void
mapping_convert_check_known(struct mapping_compiler *c, const struct mapping_convert *v,
    const struct mapping_way *way)
{
	const struct yaml_node *at = mapping_convert_as(v);

	if (at == NULL)
		at = v->at;
	if (v->local_known != NULL && way->local->json != v->local_known->json)
		diag_add(c->diags, MAPPING_AT(at),
		    "\"%s\" is %s in the local API, so it cannot be %s here", v->local,
		    v->local_known->noun, way->local->noun);
	else if (v->upstream_known != NULL && way->upstream->json != v->upstream_known->json)
		diag_add(c->diags, MAPPING_AT(at),
		    "\"%s\" is %s in Bluejay, but \"%s\" is %s; choose another member", v->upstream,
		    v->upstream_known->noun, v->local, way->upstream->noun);
}

/* One type on both sides: `as`, or what is known of either side, or any value. */
static void
mapping_convert_plain(struct mapping_compiler *c, const struct mapping_convert *v,
    struct mapping_way *way)
{
	const struct mapping_step_kind *as = mapping_convert_one_type(c, v);

	if (as != NULL && v->local_known != NULL && as != v->local_known) {
		diag_add(c->diags, MAPPING_AT(mapping_convert_as(v)),
		    "\"%s\" is %s in the local API, so as: %s is wrong; leave it out", v->local,
		    v->local_known->noun, as->name);
		as = v->local_known;
	} else {
		if (as == NULL)
			as = v->local_known != NULL ? v->local_known : v->upstream_known;
		if (as == NULL)
			as = mapping_step_find("json");
		way->local = way->upstream = as;
		mapping_convert_check_known(c, v, way);
	}
	mapping_way_add(way, as, NULL);
	way->local = way->upstream = as;
}

/* Two types, of which one is a string. */
static void
mapping_convert_text(struct mapping_compiler *c, const struct mapping_convert *v,
    struct mapping_way *way)
{
	static const char *const words[] = {"local", "bluejay"};
	const struct yaml_node *as = mapping_convert_as(v);
	const struct yaml_node *local = yaml_node_get(as, "local");
	const struct yaml_node *upstream = yaml_node_get(as, "bluejay");
	const struct mapping_step_kind *kind = NULL;

	mapping_compiler_keys(c, as, words, 2);
	if (local == NULL || upstream == NULL)
		diag_add(c->diags, MAPPING_AT(as),
		    "as needs one type, or one for each side: {local: integer, bluejay: string}");
	else {
		way->local = mapping_convert_type(c, local);
		way->upstream = mapping_convert_type(c, upstream);
	}
	if (way->local != NULL && way->upstream != NULL) {
		kind = mapping_text_kind(way->local, way->upstream);
		if (kind == NULL)
			diag_add(c->diags, MAPPING_AT(as),
			    "%s cannot become %s and come back; possible are string with integer, "
			    "number or boolean",
			    way->local->noun, way->upstream->noun);
		else
			mapping_convert_check_known(c, v, way);
	}
	if (kind == NULL) {
		mapping_convert_ends(way, "json", "json");
		kind = way->local;
	}
	mapping_way_add(way, kind, NULL);
}

/* ---- values ---- */

/* Reads one side of a pair; NULL with a mistake added. */
static struct json_object *
mapping_convert_value(struct mapping_compiler *c, const struct yaml_node *node)
{
	struct json_object *value = NULL;

	if (node->kind != YAML_SCALAR || yaml_node_is_null(node))
		diag_add(c->diags, MAPPING_AT(node),
		    "values go from a text, a number, true or false to another; write "
		    "{calm: low, angry: high}");
	else
		mapping_value_read(c, node, &value);
	return value;
}

/* Refuses a value that does not have the type that its side is known to have. */
static void
mapping_convert_check_value(struct mapping_compiler *c, const struct yaml_node *node,
    const struct mapping_step_kind *kind, const char *path, struct json_object *value)
{
	struct mapping_step step = {kind, NULL};
	struct mapping_trouble trouble;
	struct json_object *taken;

	if (kind == NULL)
		return;
	taken = kind->receive(&step, value, &trouble);
	if (taken == NULL)
		diag_add(c->diags, MAPPING_AT(node), "this value must be %s, as \"%s\" is%s",
		    kind->noun, path,
		    kind->json == json_type_string ? "; write it in quotes" : "");
	json_object_put(taken);
}

/* Refuses two local values that would come back as one. */
static void
mapping_convert_check_twin(struct mapping_compiler *c, const struct mapping_convert *v,
    const struct yaml_node *map, size_t i, size_t twin_node)
{
	const struct yaml_node *key = map->keys[i], *other = map->keys[twin_node];

	if (!v->received || v->lossy)
		return;
	diag_add(c->diags, MAPPING_AT(key),
	    "\"%s\" (line %d) and \"%s\" (line %d) both become \"%s\", so it would come back as "
	    "\"%s\" for both; give each a value of its own, or add lossy: true",
	    other->text, other->line, key->text, key->line, map->items[i]->text, other->text);
}

/* Reads the pairs. */
static struct mapping_values *
mapping_convert_pairs(struct mapping_compiler *c, const struct mapping_convert *v,
    const struct yaml_node *map, const struct mapping_step_kind *local_kind)
{
	struct mapping_values *values = mapping_values_new(map->count);
	size_t *nodes = mem_zero(map->count + 1, sizeof *nodes), twin;
	struct json_object *local, *upstream;

	for (size_t i = 0; i < map->count; i++) {
		local = mapping_convert_value(c, map->keys[i]);
		upstream = mapping_convert_value(c, map->items[i]);
		if (local == NULL || upstream == NULL) {
			json_object_put(local);
			json_object_put(upstream);
			continue;
		}
		mapping_convert_check_value(c, map->keys[i], local_kind, v->local, local);
		mapping_convert_check_value(c, map->items[i], v->upstream_known, v->upstream,
		    upstream);
		nodes[mapping_values_count(values)] = i;
		if (!mapping_values_add(values, local, upstream, &twin))
			diag_add(c->diags, MAPPING_AT(map->keys[i]),
			    "\"%s\" is named twice; keep one of them", map->keys[i]->text);
		else if (twin < mapping_values_count(values))
			mapping_convert_check_twin(c, v, map, i, nodes[twin]);
	}
	free(nodes);
	return values;
}

/* The type that all values of one side have; json when they differ. */
static const struct mapping_step_kind *
mapping_convert_common(const struct mapping_values *values, bool local)
{
	static const char *const names[] = {[json_type_boolean] = "boolean",
	    [json_type_double] = "number", [json_type_int] = "integer",
	    [json_type_string] = "string"};
	enum json_type type = json_type_null;

	for (size_t i = 0; i < mapping_values_count(values); i++) {
		struct json_object *value = local ? mapping_values_local(values, i)
		                                  : mapping_values_upstream(values, i);

		if (i > 0 && json_object_get_type(value) != type)
			return mapping_step_find("json");
		type = json_object_get_type(value);
	}
	return mapping_step_find(type == json_type_null ? "json" : names[type]);
}

/* Reads `default`: which of the named values others count as. */
static void
mapping_convert_default(struct mapping_compiler *c, const struct mapping_convert *v,
    const struct yaml_node *node, struct mapping_values *values)
{
	struct json_object *value = mapping_convert_value(c, node);
	char *list = mapping_values_list(values, true);
	size_t i = 0;

	if (value != NULL)
		i = mapping_values_find(values, value);
	if (value != NULL && i == mapping_values_count(values))
		diag_add(c->diags, MAPPING_AT(node),
		    "default must be one of the local values that are named, so that it can come "
		    "back: %s",
		    list);
	else if (value != NULL && v->sent && v->received && !v->lossy)
		diag_add(c->diags, MAPPING_AT(node),
		    "with default, a value that is not named comes back as \"%s\"; add lossy: true "
		    "to accept that, or others: keep to send it as it is",
		    node->text);
	else if (value != NULL)
		mapping_values_others(values, MAPPING_VALUES_DEFAULT, i);
	free(list);
	json_object_put(value);
}

/* Reads what becomes of values that are not named. */
static void
mapping_convert_unnamed(struct mapping_compiler *c, const struct mapping_convert *v,
    struct mapping_values *values)
{
	static const char *const words[] = {"refuse", "keep"};
	const struct yaml_node *others = yaml_node_get(v->map, "others");
	const struct yaml_node *fallback = yaml_node_get(v->map, "default");

	if (others != NULL && fallback != NULL)
		diag_add(c->diags, MAPPING_AT(yaml_node_key(v->map, "others")),
		    "default (line %d) and others (line %d) say different things of the values that "
		    "are not named; keep one of them",
		    fallback->line, others->line);
	else if (others != NULL && others->kind == YAML_SCALAR && strcmp(others->text, "keep") == 0)
		mapping_values_others(values, MAPPING_VALUES_KEEP, 0);
	else if (others != NULL &&
	    (others->kind != YAML_SCALAR || strcmp(others->text, "refuse") != 0))
		mapping_compiler_unknown(c, others, "word for others", words, 2);
	if (fallback != NULL)
		mapping_convert_default(c, v, fallback, values);
}

/* A value map. */
static void
mapping_convert_values(struct mapping_compiler *c, const struct mapping_convert *v,
    const struct yaml_node *map, struct mapping_way *way)
{
	const struct mapping_step_kind *as = mapping_convert_one_type(c, v);
	struct mapping_values *values;

	if (map->kind != YAML_MAP || map->count == 0) {
		diag_add(c->diags, MAPPING_AT(map),
		    "values must be a map from local values to Bluejay's, such as {calm: low, "
		    "angry: high}");
		mapping_convert_ends(way, "json", "json");
		mapping_way_add(way, way->local, NULL);
		return;
	}
	values = mapping_convert_pairs(c, v, map, as != NULL ? as : v->local_known);
	mapping_convert_unnamed(c, v, values);
	way->local = as != NULL ? as : mapping_convert_common(values, true);
	way->upstream = mapping_convert_common(values, false);
	if (v->local_known != NULL && as != NULL)
		mapping_convert_check_known(c, v, way);
	if (!mapping_values_closed(values) && way->local->json != json_type_null)
		mapping_way_add(way, way->local, NULL);
	mapping_way_add(way, &mapping_values_kind, values);
}

/* ---- lists and objects ---- */

/* Compiles what is said of each element. */
static void
mapping_convert_element(struct mapping_compiler *c, const struct mapping_convert *v,
    const struct yaml_node *node, struct mapping_way *way)
{
	static const char *const words[] = {MAPPING_CONVERT_WORDS};
	struct mapping_convert inner = {.at = node, .local = "the element", .upstream = "the element",
	    .sent = v->sent, .received = v->received, .lossy = v->lossy};

	if (node->kind == YAML_MAP) {
		inner.map = node;
		mapping_compiler_keys(c, node, words, sizeof words / sizeof *words);
		mapping_convert_compile(c, &inner, way);
	} else {
		const struct mapping_step_kind *kind = NULL;

		if (node->kind == YAML_SCALAR && !yaml_node_is_null(node))
			kind = mapping_convert_type(c, node);
		else
			diag_add(c->diags, MAPPING_AT(node),
			    "each needs what its elements are: a type such as each: integer, or a "
			    "map such as each: {values: {calm: low}}");
		way->local = way->upstream = kind != NULL ? kind : mapping_step_find("json");
		mapping_way_add(way, way->local, NULL);
	}
	if (mapping_convert_is_time(way) && v->sent && v->received && !v->lossy)
		diag_add(c->diags, MAPPING_AT(node),
		    "a time does not come back in the form in which it was sent; add read_only: "
		    "true to the field, or lossy: true to accept the form "
		    "2026-01-28T10:00:00.000Z");
}

/* The container that callers send: `as`, or what is known, or an array. */
static bool
mapping_convert_is_object(struct mapping_compiler *c, const struct mapping_convert *v)
{
	const struct mapping_step_kind *as = mapping_convert_one_type(c, v);
	const struct mapping_step_kind *known = v->local_known;
	bool keyed = yaml_node_get(v->map, "keyed_by") != NULL;

	if (as != NULL && strcmp(as->name, "object") != 0 && strcmp(as->name, "array") != 0)
		diag_add(c->diags, MAPPING_AT(mapping_convert_as(v)),
		    "each and keyed_by are for lists and objects; write as: array or as: object");
	if (as != NULL)
		return strcmp(as->name, "object") == 0;
	if (known == NULL && v->upstream_known != NULL)
		return (v->upstream_known->json == json_type_object) != keyed;
	return known != NULL && known->json == json_type_object;
}

/* Reads the name of a member of a list's elements; NULL when it is not given or wrong. */
static const char *
mapping_convert_member(struct mapping_compiler *c, const struct mapping_convert *v,
    const char *word, const char *example)
{
	const struct yaml_node *node = yaml_node_get(v->map, word);

	if (node == NULL)
		return NULL;
	if (node->kind == YAML_SCALAR && node->text[0] != '\0' && !yaml_node_is_null(node))
		return mapping_compiler_is_name(c, node) ? node->text : NULL;
	diag_add(c->diags, MAPPING_AT(node),
	    "%s needs the name of a member of the list's elements, such as %s: %s", word, word,
	    example);
	return NULL;
}

/* The step between a list and an object; NULL when there is none. */
static void *
mapping_convert_keyed(struct mapping_compiler *c, const struct mapping_convert *v)
{
	const char *key = mapping_convert_member(c, v, "keyed_by", "name");
	const char *value = mapping_convert_member(c, v, "valued_by", "value");

	if (key == NULL)
		return NULL;
	if (value != NULL && strcmp(key, value) == 0) {
		diag_add(c->diags, MAPPING_AT(yaml_node_get(v->map, "valued_by")),
		    "the key and the value cannot be the same member; name another one");
		value = NULL;
	}
	return mapping_keyed_new(key, value);
}

/* Element by element, and between lists and objects. */
static void
mapping_convert_each(struct mapping_compiler *c, const struct mapping_convert *v,
    struct mapping_way *way)
{
	const struct yaml_node *each = yaml_node_get(v->map, "each");
	bool object = mapping_convert_is_object(c, v), turned;
	void *keyed = mapping_convert_keyed(c, v);
	struct mapping_way element = {0};

	turned = keyed != NULL;
	if (turned && !object)
		mapping_way_add(way, &mapping_keyed_object, keyed);
	if (each != NULL) {
		c->inside++;
		mapping_convert_element(c, v, each, &element);
		c->inside--;
		mapping_way_add(way, turned || object ? &mapping_each_object : &mapping_each_array,
		    mapping_each_new(&element));
	}
	if (turned && object)
		mapping_way_add(way, &mapping_keyed_array, keyed);
	mapping_convert_ends(way, object ? "object" : "array",
	    object != turned ? "object" : "array");
	if (way->count == 0)
		mapping_way_add(way, way->local, NULL);
	mapping_convert_check_known(c, v, way);
}

/* Reads what becomes of members that no field names. */
static enum mapping_shape_others
mapping_convert_members(struct mapping_compiler *c, const struct mapping_convert *v)
{
	static const char *const words[] = {"keep", "drop", "refuse"};
	const struct yaml_node *node = yaml_node_get(v->map, "others");

	if (node == NULL)
		return MAPPING_SHAPE_KEEP;
	for (size_t i = 0; node->kind == YAML_SCALAR && i < 3; i++) {
		if (strcmp(node->text, words[i]) != 0)
			continue;
		if (i == MAPPING_SHAPE_DROP && v->sent && v->received && !v->lossy)
			diag_add(c->diags, MAPPING_AT(node),
			    "members that are dropped do not come back; write others: keep or "
			    "refuse, or add lossy: true to the field");
		return (enum mapping_shape_others)i;
	}
	mapping_compiler_unknown(c, node, "word for others", words, 3);
	return MAPPING_SHAPE_KEEP;
}

/* An object whose members have fields of their own. */
static void
mapping_convert_fields(struct mapping_compiler *c, const struct mapping_convert *v,
    const struct yaml_node *map, struct mapping_way *way)
{
	const struct mapping_step_kind *as = mapping_convert_one_type(c, v);
	struct mapping_fields fields = {0};
	const struct mapping_convert *outer = c->outer;

	mapping_convert_ends(way, "object", "object");
	if (as != NULL && as != way->local)
		diag_add(c->diags, MAPPING_AT(mapping_convert_as(v)),
		    "fields make an object, so as: %s is wrong; leave it out", as->name);
	if (map->kind != YAML_MAP || map->count == 0) {
		diag_add(c->diags, MAPPING_AT(map),
		    "fields must be a map of local members to Bluejay's, such as {title: label}");
		mapping_way_add(way, way->local, NULL);
		return;
	}
	fields.items = mem_zero(map->count, sizeof *fields.items);
	c->outer = v;
	c->inside++;
	for (size_t i = 0; i < map->count; i++)
		mapping_field_compile(c, map->keys[i], map->items[i], &fields);
	c->inside--;
	c->outer = outer;
	mapping_check_fields(c, &fields);
	mapping_way_add(way, &mapping_shape_kind,
	    mapping_shape_new(&fields, mapping_convert_members(c, v)));
	mapping_convert_check_known(c, v, way);
}

/* ---- the whole ---- */

/* Refuses words that need another one. */
static void
mapping_convert_check_words(struct mapping_compiler *c, const struct mapping_convert *v)
{
	static const struct {
		const char *word, *with, *or;
	} needs[] = {{"default", "values", NULL}, {"others", "values", "fields"},
	    {"valued_by", "keyed_by", NULL}};

	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
		const struct yaml_node *key = yaml_node_key(v->map, needs[i].word);

		if (key == NULL || yaml_node_get(v->map, needs[i].with) != NULL ||
		    (needs[i].or != NULL && yaml_node_get(v->map, needs[i].or) != NULL))
			continue;
		diag_add(c->diags, MAPPING_AT(key), "%s means nothing without %s%s%s; add it, or "
		    "leave %s out", needs[i].word, needs[i].with, needs[i].or != NULL ? " or " : "",
		    needs[i].or != NULL ? needs[i].or : "", needs[i].word);
	}
}

/* The node that stands after another one. */
static const struct yaml_node *
mapping_convert_later(const struct yaml_node *a, const struct yaml_node *b)
{
	if (a->line != b->line)
		return a->line > b->line ? a : b;
	return a->column > b->column ? a : b;
}

/* The part that says what the value is: at most one of these; NULL for none. */
static const char *
mapping_convert_form(struct mapping_compiler *c, const struct mapping_convert *v)
{
	static const char *const words[] = {"values", "fields", "each", "keyed_by"};
	const char *form = NULL;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const struct yaml_node *key = yaml_node_key(v->map, words[i]), *first;

		if (key == NULL)
			continue;
		first = form == NULL ? NULL : yaml_node_key(v->map, form);
		if (form == NULL)
			form = words[i];
		else if (i < 3 || strcmp(form, "each") != 0)
			diag_add(c->diags, MAPPING_AT(mapping_convert_later(first, key)),
			    "%s (line %d) and %s (line %d) say different things of one value; keep "
			    "one of them%s",
			    form, first->line, words[i], key->line,
			    i >= 2 ? ", or put the other inside each" : "");
	}
	return form;
}

/* Compiles the way of a value. */
void
mapping_convert_compile(struct mapping_compiler *c, const struct mapping_convert *v,
    struct mapping_way *way)
{
	const struct yaml_node *as = mapping_convert_as(v);
	const char *form = mapping_convert_form(c, v);

	mapping_convert_check_words(c, v);
	if (form != NULL && strcmp(form, "values") == 0)
		mapping_convert_values(c, v, yaml_node_get(v->map, "values"), way);
	else if (form != NULL && strcmp(form, "fields") == 0)
		mapping_convert_fields(c, v, yaml_node_get(v->map, "fields"), way);
	else if (form != NULL)
		mapping_convert_each(c, v, way);
	else if (as != NULL && as->kind == YAML_MAP)
		mapping_convert_text(c, v, way);
	else
		mapping_convert_plain(c, v, way);
}
