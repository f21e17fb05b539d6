#include "config.h"

#include "api/openapi.h"
#include "api/embedded.h"
#include "api/openapi_schema.h"
#include "base/buf.h"
#include "base/mem.h"
#include "json/json_read.h"

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
openapi_add_schemas(struct openapi *o, const char *name, const struct mapping *m,
    const struct mapping_resource *resource)
{
	static const char *const suffixes[] = {"", "Create", "Update"};
	struct json_object *components, *schemas;

	json_object_object_get_ex(o->source, "components", &components);
	json_object_object_get_ex(components, "schemas", &schemas);
	for (int form = OPENAPI_ANSWER; form <= OPENAPI_UPDATE; form++) {
		char *key = mem_format("%s%s", name, suffixes[form]);

		json_object_object_add(schemas, key, openapi_schema(m, resource, (enum openapi_form)form));
		free(key);
	}
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
openapi_make(const struct snapshot *snap, openapi_walk_fn walk, const struct http_server *local,
    const struct http_server *admin)
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
	for (size_t i = 0; walk(i, &r); i++)
		if (!openapi_is_passed_on(snap, &r))
			openapi_add(&o, &r);
	if (snap->config->passthrough.bluejay)
		openapi_add_passthrough(&o);
	json_object_object_add(document, "paths", o.paths);
	openapi_add_schemas(&o, "Persona", snap->mapping, mapping_resource_built_in("personas"));
	openapi_add_schemas(&o, "Community", snap->community, mapping_resource_built_in("communities"));
	openapi_move(&o, document, "components");
	json_object_put(servers);
	json_object_put(o.admin);
	json_object_put(o.source);
	return document;
}
