#include "config.h"

#include "mapping/mapping_set.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* What differs for one project. */
struct mapping_set_project {
	char *id;
	const struct yaml_node *section; /* while compiling */
	struct mapping *mapping;
	bool shared; /* an earlier project's, which said the same */
	UT_hash_handle hh;
};

struct mapping_set {
	struct mapping *mapping;
	struct mapping_set_project *projects; /* a table, in the order of the file */
};

/* Whether two nodes say the same. */
static bool
mapping_set_same(const struct yaml_node *a, const struct yaml_node *b)
{
	if (a->kind != b->kind || a->count != b->count)
		return false;
	if (a->kind == YAML_SCALAR)
		return a->quoted == b->quoted && a->expanded == b->expanded &&
		    strcmp(a->text, b->text) == 0;
	for (size_t i = 0; i < a->count; i++)
		if (!mapping_set_same(a->items[i], b->items[i]) ||
		    (a->kind == YAML_MAP && !mapping_set_same(a->keys[i], b->keys[i])))
			return false;
	return true;
}

/* Whether a message is in a list already. */
static bool
mapping_set_is_said(const struct diag_list *diags, const struct diag *d)
{
	for (size_t i = 0; i < diags->count; i++)
		if (diags->items[i].line == d->line && diags->items[i].column == d->column &&
		    strcmp(diags->items[i].text, d->text) == 0)
			return true;
	return false;
}

/* Compiles what differs; what the file's own mapping was told already is not repeated. */
static struct mapping *
mapping_set_compile_one(const struct mapping_resource *resource, const struct yaml_node *section,
    const struct yaml_node *over, struct diag_list *diags)
{
	struct diag_list own = {0};
	struct mapping *m = mapping_compile_over(resource, section, over, &own);

	for (size_t i = 0; i < own.count; i++) {
		const struct diag *d = &own.items[i];

		if (mapping_set_is_said(diags, d))
			continue;
		if (d->warning)
			diag_warn(diags, d->file, d->line, d->column, "%s", d->text);
		else
			diag_add(diags, d->file, d->line, d->column, "%s", d->text);
	}
	diag_free(&own);
	return m;
}

/* Adds a project that says something. */
static void
mapping_set_add(struct mapping_set *set, const char *id, const struct yaml_node *over,
    const struct mapping_resource *resource, const struct yaml_node *section,
    struct diag_list *diags)
{
	struct mapping_set_project *project = mem_zero(1, sizeof *project), *twin = set->projects;

	while (twin != NULL && !mapping_set_same(twin->section, over))
		twin = twin->hh.next;
	project->id = mem_string(id);
	project->section = over;
	project->shared = twin != NULL;
	project->mapping = twin != NULL ? twin->mapping
	                                : mapping_set_compile_one(resource, section, over, diags);
	HASH_ADD_KEYPTR(hh, set->projects, project->id, strlen(project->id), project);
}

/* Compiles all. */
struct mapping_set *
mapping_set_compile(const struct mapping_resource *resource, const char *word,
    const struct yaml_node *section, const struct yaml_node *projects, struct diag_list *diags)
{
	struct mapping_set *set = mem_zero(1, sizeof *set);
	size_t errors = diags->errors;

	set->mapping = mapping_compile(resource, section, diags);
	for (size_t i = 0; projects != NULL && projects->kind == YAML_MAP && i < projects->count;
	    i++) {
		const struct yaml_node *over =
		    yaml_node_get(yaml_node_get(projects->items[i], "mapping"), word);

		if (over != NULL && yaml_node_sound(over))
			mapping_set_add(set, projects->keys[i]->text, over, resource, section,
			    diags);
	}
	if (diags->errors == errors)
		return set;
	mapping_set_free(set);
	return NULL;
}

/* Frees all. */
void
mapping_set_free(struct mapping_set *set)
{
	struct mapping_set_project *project, *next;

	if (set == NULL)
		return;
	HASH_ITER(hh, set->projects, project, next) {
		HASH_DEL(set->projects, project);
		if (!project->shared)
			mapping_free(project->mapping);
		free(project->id);
		free(project);
	}
	mapping_free(set->mapping);
	free(set);
}

/* The mapping of a project. */
const struct mapping *
mapping_set_of(const struct mapping_set *set, const char *id)
{
	struct mapping_set_project *project = NULL;

	if (set == NULL)
		return NULL;
	if (id != NULL)
		HASH_FIND_STR(set->projects, id, project);
	return project == NULL ? set->mapping : project->mapping;
}
