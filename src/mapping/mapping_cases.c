#include "config.h"

#include "mapping/mapping_cases.h"

#include "base/mem.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "mapping/mapping_compiler.h"
#include "mapping/mapping_differ.h"

#include <stdlib.h>
#include <string.h>

/* One test while it is read and run. */
struct mapping_cases_case {
	const struct mapping_cases *file;
	struct mapping_compiler compiler; /* for reading values */
	const struct yaml_node *node;
	char *called; /* `mapping test "…"` */
	const struct mapping *mapping;
	struct mapping_project project;
	enum { CASE_CREATE, CASE_UPDATE, CASE_READ } operation;
	struct json_object *body, *expect, *kept;
	const char *error;
};

/* Adds a mistake at a node of the test. */
#define MAPPING_CASES_REFUSE(k, node, ...) diag_add((k)->compiler.diags, MAPPING_AT(node), __VA_ARGS__)

/* The text of a member; `fallback` when it is not given. False when it is no text. */
static bool
mapping_cases_word(struct mapping_cases_case *k, const char *key, const char *fallback,
    const char **word)
{
	const struct yaml_node *node = yaml_node_get(k->node, key);

	*word = node == NULL ? fallback : node->text;
	if (node == NULL || (node->kind == YAML_SCALAR && !yaml_node_is_null(node)))
		return true;
	MAPPING_CASES_REFUSE(k, node, "%s must be a text", key);
	return false;
}

/* Finds the mapping and the project. */
static bool
mapping_cases_find(struct mapping_cases_case *k)
{
	const struct yaml_node *node;
	const char *resource, *project;

	if (!mapping_cases_word(k, "resource", "persona", &resource) ||
	    !mapping_cases_word(k, "project", NULL, &project))
		return false;
	k->project.id = project != NULL ? project : "project";
	node = yaml_node_get(k->node, "project");
	if (project != NULL && !k->file->project(k->file->arg, project, &k->project)) {
		MAPPING_CASES_REFUSE(k, node, "there is no project \"%.*s\" in the file",
		    diag_clip(project), project);
		return false;
	}
	k->mapping = k->file->mapping(k->file->arg, resource, project);
	if (k->mapping != NULL)
		return true;
	MAPPING_CASES_REFUSE(k, yaml_node_get(k->node, "resource"),
	    "unknown resource \"%.*s\"; possible are persona, community and those that the file "
	    "declares", diag_clip(resource),
	    resource);
	return false;
}

/* Reads the operation. */
static bool
mapping_cases_operation(struct mapping_cases_case *k)
{
	static const char *const words[] = {"create", "update", "read"};
	const struct yaml_node *node = yaml_node_get(k->node, "operation");

	for (int i = 0; node != NULL && node->kind == YAML_SCALAR && i < 3; i++) {
		if (strcmp(node->text, words[i]) == 0) {
			k->operation = i;
			return true;
		}
	}
	if (node != NULL)
		mapping_compiler_unknown(&k->compiler, node, "operation", words, 3);
	else
		MAPPING_CASES_REFUSE(k, k->node, "%s needs operation: create, update or read",
		    k->called);
	return false;
}

/* Refuses values from the environment: they may be secrets, and what is expected
 * does not depend on them. */
static bool
mapping_cases_is_own(struct mapping_cases_case *k, const struct yaml_node *node)
{
	bool own = true;

	if (node->kind == YAML_SCALAR && node->expanded) {
		MAPPING_CASES_REFUSE(k, node,
		    "a test does not depend on the environment; write the value itself (what a "
		    "constant takes from there shows as \"…\")");
		return false;
	}
	for (size_t i = 0; i < node->count; i++)
		own = mapping_cases_is_own(k, node->items[i]) && own;
	return own;
}

/* Reads an object, written as YAML or as a text of JSON. */
static bool
mapping_cases_object(struct mapping_cases_case *k, const char *key, struct json_object **out)
{
	const struct yaml_node *node = yaml_node_get(k->node, key);
	struct json_error error;

	*out = NULL;
	if (node == NULL)
		return true;
	if (!mapping_cases_is_own(k, node))
		return false;
	if (node->kind == YAML_SCALAR && node->quoted) {
		if (!json_read(node->text, strlen(node->text), out, &error))
			MAPPING_CASES_REFUSE(k, node, "%s is not JSON: %s (after %zu bytes)", key,
			    error.text, error.offset);
		else if (!json_object_is_type(*out, json_type_object))
			MAPPING_CASES_REFUSE(k, node, "%s must be an object, in this text of JSON, too",
			    key);
		return json_object_is_type(*out, json_type_object);
	}
	if (node->kind == YAML_MAP)
		return mapping_value_read(&k->compiler, node, out);
	MAPPING_CASES_REFUSE(k, node, "%s must be a map, or an object as a text of JSON", key);
	return false;
}

/* Reads what goes in and what is expected. */
static bool
mapping_cases_read(struct mapping_cases_case *k)
{
	const struct yaml_node *kept = yaml_node_key(k->node, "kept");
	const char *name;
	bool ok = mapping_cases_word(k, "error", NULL, &k->error);

	ok = mapping_cases_word(k, "name", NULL, &name) && ok;
	ok = mapping_cases_object(k, "body", &k->body) && ok;
	ok = mapping_cases_object(k, "expect", &k->expect) && ok;
	ok = mapping_cases_object(k, "kept", &k->kept) && ok;
	if (!ok)
		return false;
	if (k->body == NULL || (k->expect == NULL) == (k->error == NULL)) {
		MAPPING_CASES_REFUSE(k, k->node,
		    "%s needs body and what becomes of it: expect (an object) or error (a sentence)",
		    k->called);
		return false;
	}
	if (kept != NULL && k->error != NULL)
		MAPPING_CASES_REFUSE(k, kept, "kept means nothing beside error; leave it out");
	return true;
}

/* A difference. */
static void
mapping_cases_on_difference(void *arg, const char *sentence)
{
	struct mapping_cases_case *k = arg;

	MAPPING_CASES_REFUSE(k, k->node, "%s: %s", k->called, sentence);
}

/* The same of what is kept here. */
static void
mapping_cases_on_kept(void *arg, const char *sentence)
{
	struct mapping_cases_case *k = arg;

	MAPPING_CASES_REFUSE(k, k->node, "%s: of what is kept here, %s", k->called, sentence);
}

/* Compares what came with what was expected. `is` is NULL when it was refused. */
static void
mapping_cases_compare(struct mapping_cases_case *k, struct json_object *is,
    const struct fail *fail)
{
	char *text;

	if (is == NULL && k->error == NULL) {
		MAPPING_CASES_REFUSE(k, k->node, "%s: the body is refused: %s", k->called, fail->text);
	} else if (is == NULL) {
		if (strcmp(fail->text, k->error) != 0)
			MAPPING_CASES_REFUSE(k, k->node, "%s: the error is \"%s\", not \"%s\"",
			    k->called, fail->text, k->error);
	} else if (k->error != NULL) {
		text = json_print(is, NULL);
		MAPPING_CASES_REFUSE(k, k->node, "%s: the body is not refused; it becomes %.*s%s",
		    k->called, diag_clip(text), text, text[diag_clip(text)] == '\0' ? "" : "…");
		free(text);
	} else
		mapping_differ(is, k->expect, mapping_cases_on_difference, k);
}

/* Takes members that the gateway adds away where a test does not speak of them. */
static void
mapping_cases_bare(const struct mapping_cases_case *k, struct json_object *local)
{
	static const char *const names[] = {"id", "updatedAt"};

	for (size_t i = 0; i < 2; i++)
		if (!json_object_object_get_ex(k->expect, names[i], NULL))
			json_object_object_del(local, names[i]);
}

/* Reads Bluejay's answer. */
static void
mapping_cases_run_read(struct mapping_cases_case *k)
{
	const char *id = json_get_string(k->body, "id");
	struct json_object *out = NULL;
	struct fail fail;

	if (mapping_answer_make(k->mapping, k->body, id != NULL ? id : "", NULL, k->kept, 0, &out,
	        &fail) == 0)
		mapping_cases_bare(k, out);
	mapping_cases_compare(k, out, &fail);
	json_object_put(out);
}

/* Sends a body. */
static void
mapping_cases_run_request(struct mapping_cases_case *k)
{
	enum mapping_operation operation =
	    k->operation == CASE_CREATE ? MAPPING_CREATE : MAPPING_UPDATE;
	struct mapping_request r;
	struct fail fail;

	if (mapping_request_make(k->mapping, operation, k->body, &k->project, &r, &fail) != 0) {
		mapping_cases_compare(k, NULL, &fail);
		return;
	}
	mapping_hide(k->mapping, r.upstream);
	mapping_cases_compare(k, r.upstream, NULL);
	if (k->kept != NULL && k->error == NULL)
		mapping_differ(r.kept, k->kept, mapping_cases_on_kept, k);
	mapping_request_clear(&r);
}

/* The name of a test for messages. */
static char *
mapping_cases_name(const struct yaml_node *node, size_t i)
{
	const struct yaml_node *name = yaml_node_get(node, "name");

	if (name != NULL && name->kind == YAML_SCALAR)
		return mem_format("mapping test \"%.*s\"", diag_clip(name->text), name->text);
	return mem_format("mapping test %zu", i + 1);
}

/* Runs one test. */
static void
mapping_cases_one(const struct mapping_cases *file, const struct yaml_node *node, size_t i,
    struct diag_list *diags)
{
	static const char *const words[] = {"name", "resource", "project", "operation", "body",
	    "expect", "error", "kept"};
	struct mapping_cases_case k = {.file = file,
	    .compiler = {.diags = diags, .file = node->file}, .node = node};
	size_t errors = diags->errors;
	bool good;

	if (node->kind != YAML_MAP) {
		diag_add(diags, MAPPING_AT(node),
		    "a mapping test is a map such as {operation: create, body: {name: Ann}, expect: "
		    "{name: Ann}}");
		return;
	}
	k.called = mapping_cases_name(node, i);
	mapping_compiler_keys(&k.compiler, node, words, sizeof words / sizeof *words);
	/* all three, so that all that is wrong is told */
	good = mapping_cases_find(&k);
	good = mapping_cases_operation(&k) && good;
	good = mapping_cases_read(&k) && good;
	if (good && diags->errors == errors) {
		if (k.operation == CASE_READ)
			mapping_cases_run_read(&k);
		else
			mapping_cases_run_request(&k);
	}
	json_object_put(k.body);
	json_object_put(k.expect);
	json_object_put(k.kept);
	free(k.called);
}

/* Runs all tests. */
void
mapping_cases_run(const struct mapping_cases *file, const struct yaml_node *section,
    struct diag_list *diags)
{
	if (section == NULL)
		return;
	if (section->kind != YAML_LIST) {
		diag_add(diags, MAPPING_AT(section),
		    "mapping_tests must be a list of tests; each has operation, body, and expect or "
		    "error");
		return;
	}
	for (size_t i = 0; i < section->count; i++)
		mapping_cases_one(file, section->items[i], i, diags);
}
