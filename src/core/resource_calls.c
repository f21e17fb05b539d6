#include "config.h"

#include "core/resource_calls.h"
#include "base/mem.h"
#include "config/yaml_take.h"

#include <string.h>

#define RESOURCE_PATH_MAX 512 /* bytes */

/* The methods that a call may have, and whether its path names a thing. */
struct resource_calls_rule {
	const char *word;
	const char *methods[4]; /* NULL ends them */
	bool thing;
	const char *example;
};

static const struct resource_calls_rule resource_calls_list = {"list", {"GET"}, false, "GET /v1/things"};
static const struct resource_calls_rule resource_calls_reading = {"read", {"GET"}, true,
    "GET /v1/thing/{id}"};
static const struct resource_calls_rule resource_calls_create = {"create", {"POST", "PUT"}, false,
    "POST /v1/create-thing"};
static const struct resource_calls_rule resource_calls_update = {"update", {"PUT", "PATCH", "POST"}, true,
    "PUT /v1/update-thing/{id}"};
static const struct resource_calls_rule resource_calls_delete = {"delete", {"DELETE", "POST"}, true,
    "DELETE /v1/thing/{id}"};
static const struct resource_calls_rule resource_calls_adding = {"add", {"PUT", "POST"}, true,
    "PUT /v1/add-to-thing/{id}"};

/* Whether a method is one of a rule's. */
static bool
resource_calls_is_method(const struct resource_calls_rule *rule, const char *text, size_t len)
{
	for (size_t i = 0; i < 4 && rule->methods[i] != NULL; i++)
		if (strlen(rule->methods[i]) == len && strncmp(rule->methods[i], text, len) == 0)
			return true;
	return false;
}

/* Whether what stands in braces is known; notes whether it names a thing. */
static bool
resource_calls_placeholder(const struct resource_reader *r, const struct yaml_node *node,
    const struct resource_calls_rule *rule, const char *open, bool *thing)
{
	size_t len = strcspn(open, "}") + 1;
	bool id = strncmp(open, "{id}", len) == 0, agent = strncmp(open, "{agent_id}", len) == 0;

	*thing = *thing || id;
	if (id && !rule->thing)
		diag_add(r->diags, YAML_AT(node), "%s is not about one thing, so its path has no {id}",
		    rule->word);
	else if (agent && rule != &resource_calls_list)
		diag_add(r->diags, YAML_AT(node),
		    "{agent_id} is possible in list alone; put it under the constants of the mapping");
	else if (!id && !agent && strncmp(open, "{project_id}", len) != 0)
		diag_add(r->diags, YAML_AT(node),
		    "unknown %.*s in the path; possible are {id}, {agent_id}, {project_id}",
		    (int)len, open);
	else
		return true;
	return false;
}

/* Whether a path has a proper form; adds a mistake when not. */
static bool
resource_calls_path(const struct resource_reader *r, const struct yaml_node *node,
    const struct resource_calls_rule *rule, const char *path)
{
	bool thing = false;

	if (path[0] != '/' || strlen(path) > RESOURCE_PATH_MAX ||
	    strcspn(path, " \t#\\\"<>") != strlen(path)) {
		diag_add(r->diags, YAML_AT(node), "%s needs a path such as %s", rule->word,
		    rule->example);
		return false;
	}
	for (const char *p = strchr(path, '{'); p != NULL; p = strchr(p + 1, '{'))
		if (!resource_calls_placeholder(r, node, rule, p, &thing))
			return false;
	if (rule->thing && !thing)
		diag_add(r->diags, YAML_AT(node), "%s is about one thing, so its path needs {id}, as in %s",
		    rule->word, rule->example);
	return !rule->thing || thing;
}

/* Reads "METHOD /path". */
static void
resource_calls_text(const struct resource_reader *r, const struct yaml_node *node,
    const struct resource_calls_rule *rule, struct resource_call *call)
{
	size_t method = node->kind == YAML_SCALAR ? strcspn(node->text, " ") : 0;
	const char *path = method == 0 ? "" : node->text + method + strspn(node->text + method, " ");

	if (method == 0 || !resource_calls_is_method(rule, node->text, method)) {
		diag_add(r->diags, YAML_AT(node), "%s needs a method and a path, such as %s", rule->word,
		    rule->example);
		return;
	}
	if (!resource_calls_path(r, node, rule, path))
		return;
	call->method = mem_copy(node->text, method);
	call->path = mem_string(path);
}

/* Reads the local status of a call. */
static void
resource_calls_status(const struct resource_reader *r, const struct yaml_node *map,
    struct resource_call *call)
{
	const struct yaml_node *node = yaml_node_get(map, "status");
	long long status;

	if (node == NULL)
		return;
	if (yaml_node_int(node, &status) && status >= 200 && status <= 204)
		call->status = (int)status;
	else
		diag_add(r->diags, YAML_AT(node),
		    "status is what the local answer has when it is done, from 200 to 204");
}

/* Reads a call in its short or long form; the long form may have these words. */
static const struct yaml_node *
resource_calls_one(const struct resource_reader *r, const struct resource_calls_rule *rule,
    const char *const *words, size_t count, struct resource_call *call)
{
	const struct yaml_node *node = yaml_node_get(r->map, rule->word), *text = node;

	if (node == NULL)
		return NULL;
	if (node->kind == YAML_MAP) {
		yaml_take_keys(node, words, count, r->diags);
		resource_calls_status(r, node, call);
		text = yaml_node_get(node, "call");
	}
	if (text != NULL)
		resource_calls_text(r, text, rule, call);
	else
		diag_add(r->diags, YAML_AT(node), "%s needs call: with a method and a path, such as %s",
		    rule->word, rule->example);
	return node->kind == YAML_MAP ? node : NULL;
}

/* Reads where the rest of a listing is: `next: MEMBER` with a URL, or with the parameter
 * that its value goes to. */
static void
resource_calls_next(const struct resource_reader *r, const struct yaml_node *list)
{
	static const char *const words[] = {"member", "parameter"};
	const struct yaml_node *next = yaml_node_get(list, "next");
	const char *parameter;

	if (next == NULL || next->kind != YAML_MAP) {
		r->resource->next = mem_string(yaml_take_text(list, "next", r->diags));
		return;
	}
	yaml_take_keys(next, words, 2, r->diags);
	r->resource->next = mem_string(yaml_take_text(next, "member", r->diags));
	parameter = yaml_take_text(next, "parameter", r->diags);
	r->resource->next_parameter = mem_string(parameter);
	if (r->resource->next == NULL)
		diag_add(r->diags, YAML_AT(next),
		    "next needs the member of the answer that leads on, such as {member: next}");
}

/* Reads what adds to the numbers of a thing. */
static void
resource_calls_add(const struct resource_reader *r)
{
	static const char *const words[] = {"call", "status", "path", "numbers", "what"};
	struct resource *res = r->resource;
	const struct yaml_node *add;
	const struct mapping_known *known;

	add = resource_calls_one(r, &resource_calls_adding, words, 5, &res->add);
	res->add_path = mem_string(yaml_take_text(add, "path", r->diags));
	res->numbers = mem_string(yaml_take_text(add, "numbers", r->diags));
	res->numbered = mem_string(yaml_take_text(add, "what", r->diags));
	if (res->numbers == NULL)
		return;
	known = mapping_known_find(res->mapped->upstream, res->numbers);
	res->numbers_local = mem_string(known != NULL && known->usual != NULL ? known->usual
	                                                                     : res->numbers);
}

/* Reads all calls. */
void
resource_calls_read(const struct resource_reader *r)
{
	static const char *const listing[] = {"call", "items", "total", "next"};
	static const char *const plain[] = {"call", "status"};
	struct resource *res = r->resource;
	const struct yaml_node *list;

	list = resource_calls_one(r, &resource_calls_list, listing, 4, &res->list);
	res->total = mem_string(yaml_take_text(list, "total", r->diags));
	resource_calls_next(r, list);
	resource_calls_one(r, &resource_calls_reading, plain, 1, &res->read);
	resource_calls_one(r, &resource_calls_create, plain, 2, &res->create);
	resource_calls_one(r, &resource_calls_update, plain, 2, &res->update);
	resource_calls_one(r, &resource_calls_delete, plain, 1, &res->remove);
	if (res->built_in)
		resource_calls_add(r);
}
