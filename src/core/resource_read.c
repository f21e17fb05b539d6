#include "config.h"

#include "core/resource_read.h"
#include "base/mem.h"
#include "config/config_defaults.h"
#include "config/yaml_take.h"
#include "core/resource_calls.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define RESOURCE_KEY_MAX 64   /* bytes of a key */
#define RESOURCE_ERRORS_MAX 20

/* ---- statuses ---- */

/* Whether an answer with this status can have a sentence of its own. What the others mean
 * to the gateway does not change. */
static bool
resource_read_is_free(long long status)
{
	static const int taken[] = {401, 403, 404, 408, 422, 425, 429, 499};

	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (status == taken[i])
			return false;
	return status >= 400 && status <= 499;
}

/* Reads one entry: `409: 409`, or with a sentence. */
static void
resource_read_error(const struct resource_reader *r, const struct yaml_node *key,
    const struct yaml_node *node)
{
	static const char *const words[] = {"status", "error"};
	const struct yaml_node *local = node->kind == YAML_MAP ? yaml_node_get(node, "status") : node;
	struct resource_error *e = &r->resource->errors[r->resource->error_count];
	long long upstream = 0, status = 0;

	if (!yaml_node_text_int(key->text, &upstream) || !resource_read_is_free(upstream)) {
		diag_add(r->diags, YAML_AT(key),
		    "the status of Bluejay must be from 400 to 499 and none of 401, 403, 404, 408, 422, "
		    "425, 429, 499, which have a meaning of their own");
		return;
	}
	if (node->kind == YAML_MAP)
		yaml_take_keys(node, words, 2, r->diags);
	if (local == NULL || !yaml_node_int(local, &status) || status < 400 || status > 499) {
		diag_add(r->diags, YAML_AT(node),
		    "write the status that callers get, from 400 to 499, such as %lld: %lld", upstream,
		    upstream);
		return;
	}
	e->upstream = (int)upstream;
	e->local = (int)status;
	e->sentence = node->kind == YAML_MAP ? mem_string(yaml_take_text(node, "error", r->diags)) : NULL;
	r->resource->error_count++;
}

/* Reads `errors`. */
static void
resource_read_errors(const struct resource_reader *r)
{
	const struct yaml_node *map = yaml_take_map(r->map, "errors",
	    "a map of Bluejay's statuses to those that callers get, such as 409: 409", r->diags);

	if (map == NULL)
		return;
	if (map->count > RESOURCE_ERRORS_MAX) {
		diag_add(r->diags, YAML_AT(map), "errors has at most %d entries", RESOURCE_ERRORS_MAX);
		return;
	}
	r->resource->errors = mem_zero(map->count + 1, sizeof *r->resource->errors);
	for (size_t i = 0; i < map->count; i++)
		resource_read_error(r, map->keys[i], map->items[i]);
}

/* ---- what it is ---- */

/* A text that begins with a capital. */
static char *
resource_read_title(const char *text)
{
	char *title = mem_string(text);

	title[0] = (char)toupper((unsigned char)title[0]);
	return title;
}

/* "digitalHumanId" of "digital human". */
static char *
resource_read_id_member(const char *noun)
{
	char *name = mem_format("%sId", noun), *to = name;
	bool upper = false;

	for (const char *p = name; *p != '\0'; p++) {
		if (isalnum((unsigned char)*p))
			*to++ = upper ? (char)toupper((unsigned char)*p) : *p;
		upper = !isalnum((unsigned char)*p);
	}
	*to = '\0';
	return name;
}

/* Reads what an id is. */
static void
resource_read_id(const struct resource_reader *r)
{
	static const char *const words[] = {"string", "integer", "uuid"};
	static const enum resource_id_form forms[] = {RESOURCE_ID_STRING, RESOURCE_ID_INTEGER,
	    RESOURCE_ID_UUID};
	const struct yaml_node *id = yaml_node_get(r->map, "id"), *as;
	const char *member;
	size_t i;

	member = id != NULL && id->kind == YAML_MAP ? yaml_take_text(id, "member", r->diags)
	                                            : yaml_take_text(r->map, "id", r->diags);
	r->resource->id = mem_string(member != NULL ? member : "id");
	as = id != NULL && id->kind == YAML_MAP ? yaml_node_get(id, "as") : NULL;
	if (as != NULL && (i = yaml_take_word(as, "form of an id", words, 3, r->diags)) < 3)
		r->resource->id_form = forms[i];
}

/* Reads whose the things are. */
static void
resource_read_fence(const struct resource_reader *r)
{
	static const char *const words[] = {"agent", "project", "none"};
	const struct yaml_node *node = yaml_node_get(r->map, "fence");
	struct resource *res = r->resource;
	size_t which = res->create.method != NULL ? 1 : 2;

	if (node != NULL)
		which = yaml_take_word(node, "fence", words, 3, r->diags);
	res->by_agent = which == 0;
	res->shared = which != 0;
	res->unfenced = which == 2;
}

/* Reads the name, and what it is in Bluejay where it need not be unique. */
static void
resource_read_name(const struct resource_reader *r)
{
	struct resource *res = r->resource;
	const struct mapping_known *known = res->mapped->upstream;
	char *title;

	res->name = mem_string(yaml_take_text(r->map, "name", r->diags));
	if (res->name == NULL)
		return;
	title = resource_read_title(res->name);
	res->nameless = mem_format("%s is required", title);
	free(title);
	while (known->name != NULL && (known->usual == NULL || !known->never_null ||
	           strcmp(known->usual, res->name) != 0))
		known++;
	if (!res->unique)
		res->label = mem_string(known->name);
}

/* Reads one capability. */
static void
resource_read_capability(const struct resource_reader *r, const struct yaml_node *node)
{
	static const char *const words[] = {"unique_names", "updated_at", "own_headers", "portraits",
	    "twins"};
	struct resource *res = r->resource;
	size_t which = yaml_take_word(node, "capability", words, res->built_in ? 5 : 2, r->diags);

	if (which == 0)
		res->unique = true;
	else if (which == 2 && res->built_in)
		res->headers = mem_string("headers");
	else if (which == 3 && res->built_in)
		res->portraits = true;
	else if (which == 4 && res->built_in)
		res->twins = true;
}

/* Reads what the resource can do beyond the rest. */
static void
resource_read_capabilities(const struct resource_reader *r)
{
	const struct yaml_node *list = yaml_node_get(r->map, "capabilities");

	if (list == NULL)
		return;
	if (list->kind != YAML_LIST) {
		diag_add(r->diags, YAML_AT(list), "capabilities must be a list, such as [unique_names]");
		return;
	}
	for (size_t i = 0; i < list->count; i++)
		resource_read_capability(r, list->items[i]);
}

/* ---- what belongs together ---- */

/* Checks the calls against each other. */
static void
resource_read_check_calls(const struct resource_reader *r)
{
	const struct resource *res = r->resource;
	bool list = res->list.method != NULL, read = res->read.method != NULL;

	if (!list && !read)
		diag_add(r->diags, YAML_AT(r->key), "\"%s\" needs list, read or both", r->key->text);
	else if (!read && (res->create.method != NULL || res->update.method != NULL ||
	    res->remove.method != NULL))
		diag_add(r->diags, YAML_AT(r->key),
		    "\"%s\" needs read, by which the gateway finds out what became of a write whose "
		    "answer got lost", r->key->text);
	else if (!read)
		diag_add(r->diags, YAML_AT(r->key), "\"%s\" needs read: a listing may lag, and what it "
		    "does not show is asked for by its id", r->key->text);
	if (!res->built_in && yaml_node_get(r->map, "mapping") == NULL)
		diag_add(r->diags, YAML_AT(r->key), "\"%s\" needs mapping, with its fields", r->key->text);
	if (list && res->create.method != NULL && res->created == NULL)
		diag_add(r->diags, YAML_AT(r->key),
		    "\"%s\" needs created, Bluejay's member with the time at which a thing was made: what "
		    "became of a create whose answer got lost is looked for in the list", r->key->text);
}

/* Checks whose the things are against the calls. */
static void
resource_read_check_fence(const struct resource_reader *r)
{
	const struct resource *res = r->resource;
	const struct yaml_node *node = yaml_node_get(r->map, "fence");
	const struct yaml_node *at = node != NULL ? node : r->key;
	bool agent = res->list.path != NULL && strstr(res->list.path, "{agent_id}") != NULL;

	if (res->unfenced && res->list.method == NULL)
		diag_add(r->diags, YAML_AT(at), "without a fence \"%s\" needs list, which says what there is",
		    r->key->text);
	else if (res->by_agent && !agent)
		diag_add(r->diags, YAML_AT(at), "fence: agent needs a list whose path has {agent_id}");
	else if (!res->by_agent && agent)
		diag_add(r->diags, YAML_AT(at), "a list of an agent needs fence: agent");
	if (res->unique && res->name == NULL)
		diag_add(r->diags, YAML_AT(r->key),
		    "unique_names needs name, the local field that holds it");
}

/* Checks the key: it stands in local paths. */
static void
resource_read_check_key(const struct resource_reader *r)
{
	static const char *const taken[] = {"personas", "communities", "images"};
	const char *text = r->key->text;
	size_t len = strlen(text);

	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		if (strcmp(text, taken[i]) == 0) {
			diag_add(r->diags, YAML_AT(r->key), "\"%s\" is built in; the section mapping says how "
			    "its fields are mapped", text);
			return;
		}
	}
	if (len == 0 || len > RESOURCE_KEY_MAX || !isalnum((unsigned char)text[0]) ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") != len)
		diag_add(r->diags, YAML_AT(r->key), "the name of a resource stands in paths: it has 1 to %d "
		    "small letters, digits, - and _, and begins with a letter or digit", RESOURCE_KEY_MAX);
}

/* ---- the whole ---- */

/* Frees a call. */
static void
resource_free_call(struct resource_call *call)
{
	free(call->method);
	free(call->path);
}

/* Frees a resource of a user's file. */
static void
resource_free(struct resource *r)
{
	struct resource_call *const calls[] = {&r->list, &r->read, &r->create, &r->update, &r->remove,
	    &r->add};
	char *const texts[] = {r->key, r->noun, r->title, r->plural, r->id_member, r->prefix,
	    r->add_path, r->total, r->next, r->next_parameter, r->id, r->created, r->headers, r->name,
	    r->nameless, r->label, r->numbers, r->numbers_local, r->numbered};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		resource_free_call(calls[i]);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	for (size_t i = 0; i < r->error_count; i++)
		free(r->errors[i].sentence);
	free(r->errors);
	if (!r->built_in)
		mapping_resource_free((struct mapping_resource *)r->mapped);
	free(r);
}

/* Reads the parts of a declaration. */
static void
resource_read_parts(const struct resource_reader *r)
{
	static const char *const words[] = {"noun", "plural", "list", "read", "create", "update",
	    "delete", "id", "created", "fence", "name", "capabilities", "errors", "known", "mapping",
	    "add"};
	struct resource *res = r->resource;

	yaml_take_keys(r->map, words, res->built_in ? 16 : 15, r->diags);
	res->noun = mem_string(res->mapped->noun);
	res->plural = mem_string(res->mapped->plural);
	res->title = resource_read_title(res->noun);
	res->id_member = resource_read_id_member(res->noun);
	res->created = mem_string(yaml_take_text(r->map, "created", r->diags));
	resource_read_capabilities(r);
	resource_calls_read(r);
	resource_read_id(r);
	resource_read_fence(r);
	resource_read_name(r);
	resource_read_errors(r);
}

/* Reads a declaration; NULL when there are more mistakes than `errors` in the end. A
 * built-in one has its prefix. */
static struct resource *
resource_read(const struct yaml_node *key, const struct yaml_node *map, const char *prefix,
    const struct mapping_resource *mapped, size_t errors, struct diag_list *diags)
{
	struct resource *res = mem_zero(1, sizeof *res);
	const struct resource_reader r = {res, key, map, diags};

	res->key = mem_string(key->text);
	res->built_in = prefix != NULL;
	res->prefix = prefix != NULL ? mem_string(prefix) : mem_format(RESOURCE_PREFIX "%s:", key->text);
	res->mapped = mapped;
	res->line = key->line;
	res->column = key->column;
	resource_read_parts(&r);
	if (diags->errors == errors) {
		resource_read_check_calls(&r);
		resource_read_check_fence(&r);
	}
	if (!res->built_in)
		resource_read_check_key(&r);
	if (diags->errors == errors)
		return res;
	resource_free(res);
	return NULL;
}

/* Reads one of a user's file. */
static struct resource *
resource_read_declared(const struct yaml_node *key, const struct yaml_node *map,
    struct diag_list *diags)
{
	struct mapping_resource *mapped;
	size_t errors = diags->errors;

	if (map->kind != YAML_MAP) {
		diag_add(diags, YAML_AT(map), "a resource is a map with list, read, create and so on");
		return NULL;
	}
	mapped = mapping_resource_read(key, map, false, diags);
	return resource_read(key, map, NULL, mapped, errors, diags);
}

/* Reads the section. */
struct resource **
resource_read_all(const struct yaml_node *section, size_t *count, struct diag_list *diags)
{
	struct resource **all;

	*count = 0;
	if (section == NULL)
		return NULL;
	if (section->kind != YAML_MAP && !yaml_node_is_null(section))
		diag_add(diags, YAML_AT(section),
		    "resources must be a map of the words that stand for them in paths, such as "
		    "digital-humans: {read: GET /v1/digital-human/{id}}");
	all = mem_zero(section->count + 1, sizeof *all);
	for (size_t i = 0; section->kind == YAML_MAP && i < section->count; i++) {
		all[*count] = resource_read_declared(section->keys[i], section->items[i], diags);
		*count += all[*count] != NULL;
	}
	return all;
}

/* Frees them. */
void
resource_free_all(struct resource **all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		resource_free(all[i]);
	free(all);
}

/* ---- those that are built in ---- */

/* One of them: its key, and how its scopes begin, which stores have from long ago. */
static struct resource_own {
	const char *key, *prefix;
	const struct resource *resource;
} resource_own[] = {{"personas", "", NULL}, {"communities", "community:", NULL}};

#define RESOURCE_OWN (sizeof resource_own / sizeof *resource_own)

/* Reads them. */
static void
resource_read_own(void)
{
	const struct yaml_node *all = yaml_node_get(config_defaults(), "resources");
	struct diag_list diags = {0};

	for (size_t i = 0; i < RESOURCE_OWN; i++) {
		struct resource_own *own = &resource_own[i];

		own->resource = resource_read(yaml_node_key(all, own->key), yaml_node_get(all, own->key),
		    own->prefix, mapping_resource_built_in(own->key), 0, &diags);
		if (own->resource == NULL) {
			diag_print(&diags, stderr);
			abort();
		}
	}
}

/* Finds one. */
const struct resource *
resource_built_in(const char *key)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, resource_read_own);
	for (size_t i = 0; i < RESOURCE_OWN; i++)
		if (strcmp(resource_own[i].key, key) == 0)
			return resource_own[i].resource;
	return NULL;
}
