#include "config.h"

#include "api/openapi.h"
#include "api/embedded.h"
#include "api/openapi_schema.h"
#include "base/buf.h"
#include "base/mem.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <ctype.h>
#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

/* A document under construction. */
struct openapi {
	const struct config *config;
	bool admin_token; /* the admin address needs one */
	struct json_object *source;     /* openapi.json */
	struct json_object *operations; /* inside it, by "GET /path" */
	struct json_object *paths;
	struct json_object *admin; /* servers of paths on the admin address */
};

/* The listeners of a server. A local socket has no URL of its own. */
static struct json_object *
openapi_servers(const struct http_server *server)
{
	struct json_object *list = json_object_new_array(), *one;
	const char *url;

	for (size_t i = 0; server != NULL && (url = http_server_url(server, i)) != NULL; i++) {
		bool socket = strncmp(url, "unix:", 5) == 0;
		char *text = mem_format("The local socket %s", url + (socket ? 5 : 0));

		one = json_object_new_object();
		json_object_object_add(one, "url", json_object_new_string(socket ? "http://localhost" : url));
		if (socket)
			json_object_object_add(one, "description", json_object_new_string(text));
		json_object_array_add(list, one);
		free(text);
	}
	return list;
}

/* Writes a route's pattern as OpenAPI does, ":id" as "{id}"; the names of its
 * parameters become references. The caller frees. */
static char *
openapi_path(const char *pattern, struct json_object *parameters)
{
	struct json_object *one;
	struct buf b;
	size_t len;
	char *ref;

	buf_init(&b, 0);
	while (*pattern != '\0') {
		len = strcspn(pattern, ":");
		buf_add(&b, pattern, len);
		pattern += len;
		if (*pattern++ != ':')
			break;
		len = strcspn(pattern, "/");
		buf_addf(&b, "{%.*s}", (int)len, pattern);
		ref = mem_format("#/components/parameters/%.*s", (int)len, pattern);
		one = json_object_new_object();
		json_object_object_add(one, "$ref", json_object_new_string(ref));
		json_object_array_add(parameters, one);
		free(ref);
		pattern += len;
	}
	return buf_take(&b, NULL);
}

/* The path item of a pattern, made when it is the first of its path. */
static struct json_object *
openapi_item(struct openapi *o, const struct openapi_route *r)
{
	struct json_object *parameters = json_object_new_array(), *item;
	char *path = openapi_path(r->route->pattern, parameters);

	if (!json_object_object_get_ex(o->paths, path, &item)) {
		item = json_object_new_object();
		if (r->admin && json_object_array_length(o->admin) > 0)
			json_object_object_add(item, "servers", json_object_get(o->admin));
		if (json_object_array_length(parameters) > 0)
			json_object_object_add(item, "parameters", json_object_get(parameters));
		json_object_object_add(o->paths, path, item);
	}
	json_object_put(parameters);
	free(path);
	return item;
}

/* Whether a client may use the admin address, so that all need a token there. */
static bool
openapi_has_admin(const struct config *config)
{
	for (size_t i = 0; i < config->client_count; i++)
		if (config->clients[i].admin)
			return true;
	return false;
}

/* Adds a reference to an answer. */
static void
openapi_add_response(struct json_object *operation, const char *status, const char *ref)
{
	struct json_object *responses, *one = json_object_new_object();

	json_object_object_add(one, "$ref", json_object_new_string(ref));
	if (json_object_object_get_ex(operation, "responses", &responses))
		json_object_object_add(responses, status, one);
	else
		json_object_put(one);
}

/* Says of an operation whether it needs a token, where others need one. */
static void
openapi_secure(const struct openapi *o, const struct openapi_route *r,
    struct json_object *operation)
{
	const char *pattern = r->route->pattern;
	bool health = strcmp(pattern, "/healthz") == 0 || strcmp(pattern, "/readyz") == 0;

	if (o->config->client_count == 0)
		return;
	if (r->admin && (health || !o->admin_token)) {
		json_object_object_add(operation, "security", json_object_new_array());
		return;
	}
	openapi_add_response(operation, "401", "#/components/responses/Unauthorized");
	openapi_add_response(operation, "403", "#/components/responses/Forbidden");
}

/* Says that a token is needed, in one of three ways; or takes the ways out. */
static void
openapi_add_security(const struct openapi *o, struct json_object *document)
{
	struct json_object *components, *schemes, *list = json_object_new_array(), *one;

	json_object_object_get_ex(o->source, "components", &components);
	if (o->config->client_count == 0) {
		json_object_object_del(components, "securitySchemes");
		json_object_put(list);
		return;
	}
	json_object_object_get_ex(components, "securitySchemes", &schemes);
	json_object_object_foreach(schemes, name, scheme) {
		(void)scheme;
		one = json_object_new_object();
		json_object_object_add(one, name, json_object_new_array());
		json_object_array_add(list, one);
	}
	json_object_object_add(document, "security", list);
}

/* The name of a resource's schema: "DigitalHuman" of "digital human". The caller frees. */
static char *
openapi_schema_name(const struct resource *r)
{
	char *name = mem_string(r->noun), *to = name;
	bool upper = true;

	for (const char *p = r->noun; *p != '\0'; p++) {
		if (isalnum((unsigned char)*p))
			*to++ = upper ? (char)toupper((unsigned char)*p) : *p;
		upper = !isalnum((unsigned char)*p);
	}
	*to = '\0';
	return name;
}

/* Writes a text with its {noun}, {plural} and {Schema} replaced, as it stands in JSON. */
static void
openapi_fill_text(struct buf *b, const char *text, const char *const words[3],
    const char *const values[3])
{
	while (*text != '\0') {
		size_t i = 0;

		while (i < 3 && strncmp(text, words[i], strlen(words[i])) != 0)
			i++;
		if (i == 3) {
			buf_addc(b, *text++);
			continue;
		}
		text += strlen(words[i]);
		buf_adds(b, values[i]);
	}
}

/* A text as it stands inside a JSON string. The caller frees. */
static char *
openapi_inside(const char *text)
{
	struct buf b;

	buf_init(&b, 0);
	json_add_string(&b, text, strlen(text));
	b.data[--b.len] = '\0';
	buf_drain(&b, 1);
	return buf_take(&b, NULL);
}

/* What is said of a route of a resource that the file declares: openapi.json has it with
 * words to be filled in. */
static struct json_object *
openapi_declared(struct openapi *o, const struct openapi_route *r)
{
	static const char *const words[] = {"{noun}", "{plural}", "{Schema}"};
	char *noun = openapi_inside(r->resource->noun), *plural = openapi_inside(r->resource->plural);
	char *schema = openapi_schema_name(r->resource);
	const char *const values[] = {noun, plural, schema};
	struct json_object *declared, *operation = NULL, *filled = NULL;
	bool one = strstr(r->route->pattern, "/:id") != NULL;
	char *key = mem_format("%s%s", r->route->method, one ? " one" : "");
	struct buf b;

	buf_init(&b, 0);
	if (json_object_object_get_ex(o->source, "declared", &declared) &&
	    json_object_object_get_ex(declared, key, &operation)) {
		openapi_fill_text(&b, json_object_to_json_string_ext(operation, JSON_C_TO_STRING_PLAIN),
		    words, values);
		json_read(b.data, b.len, &filled, NULL);
	}
	buf_free(&b);
	free(key);
	free(schema);
	free(plural);
	free(noun);
	return filled != NULL ? filled : json_object_new_object();
}

/* Adds one route. */
static void
openapi_add(struct openapi *o, const struct openapi_route *r)
{
	char *key = mem_format("%s %s", r->route->method, r->route->pattern);
	char *method = mem_string(r->route->method);
	struct json_object *operation;

	for (char *p = method; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (json_object_object_get_ex(o->operations, key, &operation))
		json_object_get(operation);
	else if (r->resource != NULL)
		operation = openapi_declared(o, r);
	else
		operation = json_object_new_object();
	openapi_secure(o, r, operation);
	json_object_object_add(openapi_item(o, r), method, operation);
	free(method);
	free(key);
}

/* Whether a route is left to the local tool. */
static bool
openapi_is_passed_on(const struct snapshot *snap, const struct openapi_route *r)
{
	return !r->admin && snap->config->passthrough.local != NULL &&
	    strcmp(r->route->pattern, "/api/projects") == 0;
}

/* Adds what goes to Bluejay as it is; no route table has it. */
static void
openapi_add_passthrough(struct openapi *o)
{
	struct json_object *item;

	if (json_object_object_get_ex(o->source, "passthrough", &item))
		json_object_object_add(o->paths, "/v1/{path}", json_object_get(item));
}

/* Adds the three forms of a resource to the schemas. */
static void
openapi_add_schemas(struct openapi *o, const struct resource *r, const struct mapping *m)
{
	static const char *const suffixes[] = {"", "Create", "Update"};
	struct json_object *components, *schemas;
	char *name = openapi_schema_name(r);

	json_object_object_get_ex(o->source, "components", &components);
	json_object_object_get_ex(components, "schemas", &schemas);
	for (int form = OPENAPI_ANSWER; form <= OPENAPI_UPDATE; form++) {
		char *key = mem_format("%s%s", name, suffixes[form]);

		json_object_object_add(schemas, key,
		    openapi_schema(m, r->mapped, (enum openapi_form)form));
		free(key);
	}
	free(name);
}

/* Moves a member of the source into the document. */
static void
openapi_move(struct openapi *o, struct json_object *document, const char *key)
{
	struct json_object *value;

	if (json_object_object_get_ex(o->source, key, &value))
		json_object_object_add(document, key, json_object_get(value));
}

/* Makes the document. */
struct json_object *
openapi_make(const struct snapshot *snap, openapi_walk_fn walk, void *arg,
    const struct http_server *local, const struct http_server *admin)
{
	struct json_object *document = json_object_new_object(), *info, *servers;
	struct openapi o = {.config = snap->config, .admin_token = openapi_has_admin(snap->config),
	    .paths = json_object_new_object(), .admin = openapi_servers(admin)};
	struct openapi_route r;

	if (!json_read((const char *)openapi_json, openapi_json_len, &o.source, NULL))
		abort(); /* the build has embedded something else */
	json_object_object_get_ex(o.source, "operations", &o.operations);
	json_object_object_add(document, "openapi", json_object_new_string("3.1.0"));
	json_object_object_get_ex(o.source, "info", &info);
	json_object_object_add(info, "version", json_object_new_string(PACKAGE_VERSION));
	openapi_move(&o, document, "info");
	servers = openapi_servers(local);
	if (json_object_array_length(servers) > 0)
		json_object_object_add(document, "servers", json_object_get(servers));
	openapi_move(&o, document, "tags");
	openapi_add_security(&o, document);
	for (size_t i = 0; walk(arg, i, &r); i++)
		if (!openapi_is_passed_on(snap, &r))
			openapi_add(&o, &r);
	if (snap->config->passthrough.bluejay)
		openapi_add_passthrough(&o);
	json_object_object_add(document, "paths", o.paths);
	for (size_t i = 0; i < snap->resource_count; i++)
		openapi_add_schemas(&o, snap->resources[i].resource,
		    mapping_set_of(snap->resources[i].mappings, NULL));
	openapi_move(&o, document, "components");
	json_object_put(servers);
	json_object_put(o.admin);
	json_object_put(o.source);
	return document;
}
