#include "config.h"

#include "api/openapi_schema.h"
#include "base/mem.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

/* Adds a string member. */
static void
openapi_schema_add(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

/* Adds the type of a value; where null counts as absent it is a type too. */
static void
openapi_schema_type(struct json_object *o, const char *type, bool nullable)
{
	struct json_object *both;

	if (!nullable) {
		openapi_schema_add(o, "type", type);
		return;
	}
	both = json_object_new_array();
	json_object_array_add(both, json_object_new_string(type));
	json_object_array_add(both, json_object_new_string("null"));
	json_object_object_add(o, "type", both);
}

/* The schema of one value. */
static struct json_object *
openapi_schema_value(const struct mapping_declared *d, bool nullable)
{
	struct json_object *o = json_object_new_object(), *items;
	char *where = d->upstream != NULL ? mem_format("In Bluejay: %s.", d->upstream) : NULL;

	if (strcmp(d->type, "timestamp") == 0) {
		openapi_schema_type(o, "string", nullable);
		openapi_schema_add(o, "format", "date-time");
	} else if (strcmp(d->type, "integers") == 0) {
		openapi_schema_type(o, "array", nullable);
		items = json_object_new_object();
		openapi_schema_add(items, "type", "integer");
		json_object_object_add(o, "items", items);
	} else if (strcmp(d->type, "json") != 0) {
		openapi_schema_type(o, d->type, nullable);
	}
	openapi_schema_add(o, "description",
	    where != NULL ? where
	    : d->origin == MAPPING_KEPT ? "Kept by the gateway." : "Made by the gateway.");
	if (d->read_only)
		json_object_object_add(o, "readOnly", json_object_new_boolean(true));
	free(where);
	return o;
}

/* The properties of an object schema. */
static struct json_object *
openapi_schema_properties(struct json_object *schema)
{
	struct json_object *properties;

	if (json_object_object_get_ex(schema, "properties", &properties))
		return properties;
	openapi_schema_add(schema, "type", "object");
	properties = json_object_new_object();
	json_object_object_add(schema, "properties", properties);
	return properties;
}

/* Puts the schema of a value where its path leads, through objects. */
static void
openapi_schema_place(struct json_object *schema, const struct mapping_declared *d,
    struct json_object *value)
{
	size_t last = d->path != NULL ? d->path->count - 1 : 0;
	struct json_object *at = openapi_schema_properties(schema), *next;

	for (size_t i = 0; i < last; i++) {
		if (!json_object_object_get_ex(at, d->path->keys[i], &next)) {
			next = json_object_new_object();
			json_object_object_add(at, d->path->keys[i], next);
		}
		at = openapi_schema_properties(next);
	}
	json_object_object_add(at, d->path != NULL ? d->path->keys[last] : d->local, value);
}

/* Whether a form always has a member. */
static bool
openapi_schema_requires(const struct mapping_declared *d, const struct mapping_resource *resource,
    enum openapi_form form)
{
	bool name = resource->name != NULL && strcmp(d->local, resource->name) == 0;

	return (form == OPENAPI_ANSWER && (d->origin == MAPPING_MADE || name)) ||
	    (form == OPENAPI_CREATE && name);
}

/* Makes the schema of a form. */
struct json_object *
openapi_schema(const struct mapping *m, const struct mapping_resource *resource, enum openapi_form form)
{
	struct json_object *schema = json_object_new_object();
	struct json_object *required = json_object_new_array();
	struct mapping_declared d;

	openapi_schema_properties(schema);
	for (size_t i = 0; mapping_declared(m, i, &d); i++) {
		bool must = openapi_schema_requires(&d, resource, form);

		if ((form != OPENAPI_ANSWER && d.read_only) || (form == OPENAPI_CREATE && d.not_on_create))
			continue;
		if (must)
			json_object_array_add(required, json_object_new_string(d.local));
		openapi_schema_place(schema, &d,
		    openapi_schema_value(&d, form != OPENAPI_ANSWER && !must));
	}
	json_object_object_add(schema, "required", required);
	return schema;
}
