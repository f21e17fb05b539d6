#include "config.h"

#include "api/api_impl.h"
#include "api/item_routes.h"
#include "api/openapi_schema.h"
#include "api_test.h"
#include "config/yaml_node.h"
#include "core/snapshot.h"

#include <ctype.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>

/* Loads the configuration of the sandbox. */
static struct snapshot *
load(void)
{
	struct config_source source = {.sandbox = true};
	struct diag_list diags = {0};
	struct snapshot *snap = snapshot_load(&source, &diags);

	ck_assert_ptr_nonnull(snap);
	diag_free(&diags);
	return snap;
}

/* A member of an object; fails without it. */
static struct json_object *
in(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	ck_assert_msg(json_object_object_get_ex(object, key, &value), "no %s", key);
	return value;
}

/* A pattern as the document writes it, and the method in small letters. */
static void
written(const struct http_route *r, char path[200], char method[16])
{
	size_t n = 0, i;

	for (const char *p = r->pattern; *p != '\0'; p++) {
		if (*p == ':') {
			path[n++] = '{';
			while (p[1] != '\0' && p[1] != '/')
				path[n++] = *++p;
			path[n++] = '}';
		} else {
			path[n++] = *p;
		}
	}
	path[n] = '\0';
	for (i = 0; r->method[i] != '\0'; i++)
		method[i] = (char)tolower((unsigned char)r->method[i]);
	method[i] = '\0';
}

/* How many operations a document has. */
static size_t
count_operations(struct json_object *document)
{
	static const char *const methods[] = {"get", "post", "put", "delete", "patch", "head"};
	size_t n = 0;

	json_object_object_foreach(in(document, "paths"), path, item)
	{
		ck_assert_int_eq(path[0], '/');
		for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
			n += json_object_object_get_ex(item, methods[i], NULL);
	}
	return n;
}

START_TEST(every_route_is_described_and_nothing_else)
{
	struct snapshot *snap = load();
	struct item_routes *items = item_routes_new(snap);
	struct json_object *document = openapi_make(snap, api_route, items, NULL, NULL);
	struct json_object *ids = json_object_new_object(), *operation;
	struct openapi_route r;
	char path[200], method[16];
	size_t n;

	for (n = 0; api_route(items, n, &r); n++) {
		const char *id;

		written(r.route, path, method);
		operation = in(in(in(document, "paths"), path), method);
		ck_assert_msg(json_object_object_length(operation) > 0,
		    "openapi.json says nothing of %s %s", r.route->method, r.route->pattern);
		ck_assert(json_object_object_length(in(operation, "responses")) >= 2);
		ck_assert_ptr_nonnull(in(operation, "summary"));
		id = json_object_get_string(in(operation, "operationId"));
		ck_assert_msg(!json_object_object_get_ex(ids, id, NULL), "%s twice", id);
		json_object_object_add(ids, id, NULL);
	}
	ck_assert_uint_gt(n, 25);
	ck_assert_uint_eq(count_operations(document), n);
	json_object_put(ids);
	json_object_put(document);
	item_routes_unref(items);
	snapshot_unref(snap);
}
END_TEST

/* Only a persona's name can be taken, by a create and by an update. */
START_TEST(conflicts_are_described_where_they_happen)
{
	static const struct {
		const char *path, *method;
		bool conflict;
	} table[] = {
	    {"/api/projects/{project}/personas", "post", true},
	    {"/api/projects/{project}/personas/{id}", "put", true},
	    {"/api/projects/{project}/personas/{id}", "delete", false},
	    {"/api/projects/{project}/communities", "post", false},
	    {"/api/projects/{project}/communities/{id}", "put", false},
	    {"/api/projects/{project}/communities/{id}", "delete", false},
	};
	struct snapshot *snap = load();
	struct item_routes *items = item_routes_new(snap);
	struct json_object *document = openapi_make(snap, api_route, items, NULL, NULL);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct json_object *item = in(in(document, "paths"), table[i].path);

		ck_assert_msg(json_object_object_get_ex(in(in(item, table[i].method), "responses"),
		                  "409", NULL) == table[i].conflict,
		    "%s %s", table[i].method, table[i].path);
	}
	json_object_put(document);
	item_routes_unref(items);
	snapshot_unref(snap);
}
END_TEST

START_TEST(what_is_passed_on_is_described_as_configured)
{
	struct snapshot *snap = load();
	struct item_routes *items = item_routes_new(snap);
	struct json_object *document = openapi_make(snap, api_route, items, NULL, NULL);
	char *local = snap->config->passthrough.local;

	in(in(document, "paths"), "/api/projects");
	ck_assert(!json_object_object_get_ex(in(document, "paths"), "/v1/{path}", NULL));
	json_object_put(document);
	snap->config->passthrough.local = (char[]){"http://127.0.0.1:1"};
	snap->config->passthrough.bluejay = true;
	document = openapi_make(snap, api_route, items, NULL, NULL);
	ck_assert(!json_object_object_get_ex(in(document, "paths"), "/api/projects", NULL));
	in(in(in(document, "paths"), "/v1/{path}"), "delete");
	snap->config->passthrough.local = local;
	json_object_put(document);
	item_routes_unref(items);
	snapshot_unref(snap);
}
END_TEST

/* The requirement of a token that one operation has of its own; NULL: the document's. */
static struct json_object *
own_security(struct json_object *document, const char *path)
{
	struct json_object *security = NULL;

	json_object_object_get_ex(in(in(in(document, "paths"), path), "get"), "security", &security);
	return security;
}

START_TEST(tokens_are_described_where_they_are_needed)
{
	char name[] = "ci", digest[] = "";
	struct config_client client = {.name = name, .digest = digest};
	struct snapshot *snap = load();
	struct item_routes *items = item_routes_new(snap);
	struct json_object *document = openapi_make(snap, api_route, items, NULL, NULL);
	static const char local[] = "/api/projects/{project}/personas";

	ck_assert(!json_object_object_get_ex(document, "security", NULL));
	ck_assert(!json_object_object_get_ex(in(document, "components"), "securitySchemes", NULL));
	json_object_put(document);
	snap->config->clients = &client;
	snap->config->client_count = 1;
	document = openapi_make(snap, api_route, items, NULL, NULL);
	ck_assert_str_eq(json_object_to_json_string_ext(in(document, "security"), 0),
	    "[{\"bearer\":[]},{\"key\":[]},{\"basic\":[]}]");
	in(in(in(document, "components"), "securitySchemes"), "bearer");
	ck_assert_ptr_null(own_security(document, local));
	in(in(in(in(in(document, "paths"), local), "get"), "responses"), "401");
	ck_assert_uint_eq(json_object_array_length(own_security(document, "/metrics")), 0);
	json_object_put(document);
	client.admin = true;
	document = openapi_make(snap, api_route, items, NULL, NULL);
	ck_assert_ptr_null(own_security(document, "/metrics"));
	ck_assert_uint_eq(json_object_array_length(own_security(document, "/healthz")), 0);
	ck_assert_uint_eq(json_object_array_length(own_security(document, "/readyz")), 0);
	json_object_put(document);
	snap->config->clients = NULL;
	snap->config->client_count = 0;
	item_routes_unref(items);
	snapshot_unref(snap);
}
END_TEST

/* Fails for every reference below a value that leads nowhere. */
static void
check_references(struct json_object *document, struct json_object *value)
{
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			check_references(document, json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			char kind[40], name[60];

			if (strcmp(key, "$ref") != 0) {
				check_references(document, member);
				continue;
			}
			ck_assert_int_eq(sscanf(json_object_get_string(member),
			    "#/components/%39[^/]/%59s", kind, name), 2);
			in(in(in(document, "components"), kind), name);
		}
	}
}

START_TEST(every_reference_leads_somewhere)
{
	struct snapshot *snap = load();
	struct item_routes *items = item_routes_new(snap);
	struct json_object *document = openapi_make(snap, api_route, items, NULL, NULL);

	check_references(document, document);
	json_object_put(document);
	item_routes_unref(items);
	snapshot_unref(snap);
}
END_TEST

/* Compiles a mapping and expects its schema of a form. */
static void
expect_schema(const char *section, enum openapi_form form, const char *want)
{
	struct diag_list diags = {0};
	struct yaml_node *node = yaml_node_read("m.yaml", section, strlen(section), NULL, NULL, &diags);
	struct mapping *m = mapping_compile(mapping_resource_built_in("personas"), node, &diags);
	struct json_object *schema;

	ck_assert_ptr_nonnull(m);
	schema = openapi_schema(m, mapping_resource_built_in("personas"), form);
	ck_assert_str_eq(json_object_to_json_string_ext(schema, JSON_C_TO_STRING_PLAIN), want);
	json_object_put(schema);
	mapping_free(m);
	yaml_node_free(node);
	diag_free(&diags);
}

START_TEST(schemas_follow_the_mapping)
{
	static const char section[] = "fields:\n"
	                              "  name: name\n"
	                              "  description: {to: description, when_absent: \"\"}\n"
	                              "  systemPrompt: {to: goal, when_absent: \"\"}\n"
	                              "  profile.age: {to: traits.age, as: integer}\n"
	                              "  profile.tags: {to: traits.tags, as: integers}\n"
	                              "  createdAt: {to: created_at, as: timestamp, read_only: true}\n"
	                              "kept_here: [imageUrl, note]\n";

	expect_schema(section, OPENAPI_UPDATE,
	    "{\"type\":\"object\",\"properties\":{"
	    "\"name\":{\"type\":[\"string\",\"null\"],\"description\":\"In Bluejay: name.\"},"
	    "\"description\":{\"type\":[\"string\",\"null\"],\"description\":\"In Bluejay: "
	    "description.\"},"
	    "\"systemPrompt\":{\"type\":[\"string\",\"null\"],\"description\":\"In Bluejay: goal.\"},"
	    "\"profile\":{\"type\":\"object\",\"properties\":{"
	    "\"age\":{\"type\":[\"integer\",\"null\"],\"description\":\"In Bluejay: traits.age.\"},"
	    "\"tags\":{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"integer\"},"
	    "\"description\":\"In Bluejay: traits.tags.\"}}},"
	    "\"imageUrl\":{\"type\":[\"string\",\"null\"],\"description\":\"Kept by the gateway.\"},"
	    "\"note\":{\"description\":\"Kept by the gateway.\"}},\"required\":[]}");
	expect_schema("kept_here: []", OPENAPI_CREATE,
	    "{\"type\":\"object\",\"properties\":{"
	    "\"name\":{\"type\":\"string\",\"description\":\"In Bluejay: name.\"},"
	    "\"description\":{\"type\":[\"string\",\"null\"],\"description\":\"In Bluejay: "
	    "description.\"},"
	    "\"systemPrompt\":{\"type\":[\"string\",\"null\"],\"description\":\"In Bluejay: goal.\"}},"
	    "\"required\":[\"name\"]}");
	expect_schema("kept_here: []", OPENAPI_ANSWER,
	    "{\"type\":\"object\",\"properties\":{"
	    "\"id\":{\"type\":\"string\",\"description\":\"Made by the gateway.\",\"readOnly\":true},"
	    "\"name\":{\"type\":\"string\",\"description\":\"In Bluejay: name.\"},"
	    "\"description\":{\"type\":\"string\",\"description\":\"In Bluejay: description.\"},"
	    "\"systemPrompt\":{\"type\":\"string\",\"description\":\"In Bluejay: goal.\"},"
	    "\"createdAt\":{\"type\":\"string\",\"format\":\"date-time\",\"description\":\"In Bluejay: "
	    "created_at.\",\"readOnly\":true},"
	    "\"updatedAt\":{\"type\":\"string\",\"format\":\"date-time\",\"description\":\"Made by the "
	    "gateway.\",\"readOnly\":true}},\"required\":[\"id\",\"name\",\"updatedAt\"]}");
}
END_TEST

/* Tests of the description. */
Suite *
openapi_suite(void)
{
	const TTest *const tests[] = {
	    every_route_is_described_and_nothing_else,
	    conflicts_are_described_where_they_happen,
	    what_is_passed_on_is_described_as_configured,
	    tokens_are_described_where_they_are_needed,
	    every_reference_leads_somewhere,
	    schemas_follow_the_mapping,
	    NULL,
	};

	return unit_suite("api openapi", tests);
}
