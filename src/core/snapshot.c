#include "config.h"

#include "core/snapshot.h"
#include "base/mem.h"
#include "mapping/mapping_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file has been read: compiles the mappings, also when other parts are wrong. */
static void
snapshot_on_mapping(void *arg, const struct yaml_node *document, struct diag_list *diags)
{
	const struct yaml_node *section = yaml_node_get(document, "mapping");
	const struct yaml_node *projects = yaml_node_get(document, "projects");
	struct snapshot *snap = arg;

	snap->personas = mapping_set_compile(mapping_resource_built_in("personas"), "persona",
	    yaml_node_get(section, "persona"), projects, diags);
	snap->communities = mapping_set_compile(mapping_resource_built_in("communities"), "community",
	    yaml_node_get(section, "community"), projects, diags);
}

/* Refuses two projects that share an agent, and so their personas, when they map
 * them in two ways. */
static void
snapshot_check_shared(const struct snapshot *snap, struct diag_list *diags)
{
	const struct config *config = snap->config;

	for (size_t i = 0; i < config->project_count; i++) {
		const struct config_project *a = &config->projects[i];

		for (size_t k = 0; k < i && a->shared_agent; k++) {
			const struct config_project *b = &config->projects[k];

			if (!b->has_agent || b->agent_id != a->agent_id ||
			    mapping_set_of(snap->personas, a->id) ==
			        mapping_set_of(snap->personas, b->id))
				continue;
			diag_add(diags, config->document->file, a->line, a->column,
			    "project \"%.*s\" (line %d) shares its agent with project \"%.*s\" "
			    "(line %d), so what its mapping.persona says must be the same",
			    diag_clip(a->id), a->id, a->line, diag_clip(b->id), b->id, b->line);
			break;
		}
	}
}

/* Whether a mapping keeps a field here. */
static bool
snapshot_keeps(const struct mapping *mapping, const char *local)
{
	struct mapping_declared d;

	for (size_t i = 0; mapping_declared(mapping, i, &d); i++)
		if (d.origin == MAPPING_KEPT && strcmp(d.local, local) == 0)
			return true;
	return false;
}

/* Decides whether personas' own headers go along: only those kept here are known
 * before every call. */
static void
snapshot_find_headers(struct snapshot *snap, struct diag_list *diags)
{
	const struct yaml_node *at = yaml_node_get(
	    yaml_node_get(snap->config->document, "bluejay"), "forward_persona_headers");
	bool kept = snapshot_keeps(snap->mapping, resource_persona.headers);

	snap->own_headers = snap->config->bluejay.forward_persona_headers && kept;
	if (snap->config->bluejay.forward_persona_headers && !kept)
		diag_warn(diags, at->file, at->line, at->column, "bluejay.forward_persona_headers "
		    "does nothing, since mapping.persona.kept_here has no \"%s\"",
		    resource_persona.headers);
}

/* The configured project of this id, or the one that stands for every other. */
static const struct config_project *
snapshot_configured(const struct snapshot *snap, const char *id)
{
	const struct config_project *any = NULL;

	for (size_t i = 0; i < snap->config->project_count; i++) {
		const struct config_project *p = &snap->config->projects[i];

		if (strcmp(p->id, id) == 0 && strcmp(id, "*") != 0)
			return p;
		if (strcmp(p->id, "*") == 0)
			any = p;
	}
	return any;
}

/* Finds the mapping of a test. */
static const struct mapping *
snapshot_test_mapping(void *arg, const char *resource, const char *project)
{
	const struct snapshot *snap = arg;

	if (strcmp(resource, "persona") == 0)
		return mapping_set_of(snap->personas, project);
	if (strcmp(resource, "community") == 0)
		return mapping_set_of(snap->communities, project);
	return NULL;
}

/* Finds the project of a test. */
static bool
snapshot_test_project(void *arg, const char *id, struct mapping_project *out)
{
	const struct config_project *p = snapshot_configured(arg, id);

	if (p == NULL)
		return false;
	out->has_agent = p->has_agent;
	out->agent_id = p->agent_id;
	return true;
}

/* Runs the tests that stand beside the mapping. */
static void
snapshot_run_tests(struct snapshot *snap, struct diag_list *diags)
{
	const struct mapping_cases tests = {snapshot_test_mapping, snapshot_test_project, snap};

	mapping_cases_run(&tests, yaml_node_get(snap->config->document, "mapping_tests"), diags);
}

/* Loads a file and compiles its mappings; mistakes of both are collected. */
struct snapshot *
snapshot_load(const struct config_source *given, struct diag_list *diags)
{
	struct config_source source = *given;
	struct snapshot *snap = mem_zero(1, sizeof *snap);
	size_t errors = diags->errors;

	snap->refs = 1;
	source.mapping = snapshot_on_mapping;
	source.mapping_arg = snap;
	snap->config = config_load(&source, diags);
	if (snap->config != NULL && snap->personas != NULL && snap->communities != NULL) {
		snap->mapping = mapping_set_of(snap->personas, NULL);
		snap->community = mapping_set_of(snap->communities, NULL);
		snapshot_check_shared(snap, diags);
		snapshot_run_tests(snap, diags);
		if (diags->errors == errors) {
			snapshot_find_headers(snap, diags);
			return snap;
		}
	}
	snapshot_unref(snap);
	return NULL;
}

/* Takes one more reference. */
struct snapshot *
snapshot_ref(struct snapshot *snap)
{
	snap->refs++;
	return snap;
}

/* Gives a reference back; the last one frees. */
void
snapshot_unref(struct snapshot *snap)
{
	if (snap == NULL || --snap->refs > 0)
		return;
	mapping_set_free(snap->personas);
	mapping_set_free(snap->communities);
	config_free(snap->config);
	free(snap);
}

/* True for ids that may stand in a path: no control bytes, no slash, not too long. */
static bool
snapshot_id_ok(const char *id)
{
	size_t len = strlen(id);

	if (len == 0 || len > 128)
		return false;
	for (const char *p = id; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '/')
			return false;
	return true;
}

/* Says who owns what a project has. */
static void
snapshot_own(const struct config *config, struct project *p)
{
	const char *prefix = p->resource->prefix;

	p->listed = p->has_agent || !p->resource->by_agent;
	p->adopts = p->listed && (!p->resource->shared ||
	    config->communities_scope == CONFIG_COMMUNITIES_ORGANISATION);
	if (p->has_agent && p->resource->by_agent)
		snprintf(p->scope, sizeof p->scope, "%sagent:%lld", prefix, (long long)p->agent_id);
	else
		snprintf(p->scope, sizeof p->scope, "%sproject:%s", prefix, p->id);
}

/* Resolves a project id. */
bool
snapshot_project(const struct snapshot *snap, const char *id, const struct resource *resource,
    struct project *out)
{
	const struct config_project *p = snapshot_configured(snap, id);

	if (p == NULL || !snapshot_id_ok(id))
		return false;
	strcpy(out->id, id); /* it is short enough */
	out->named = strcmp(p->id, "*") != 0;
	out->trace = (struct trace_ref){0, 0};
	out->client = NULL;
	out->has_agent = p->has_agent;
	out->agent_id = p->agent_id;
	out->api_key = p->api_key != NULL ? p->api_key : snap->config->bluejay.api_key;
	out->resource = resource;
	out->own_headers = snap->own_headers && resource->headers != NULL;
	out->mapping = mapping_set_of(
	    resource == &resource_community ? snap->communities : snap->personas, p->id);
	snapshot_own(snap->config, out);
	return true;
}

/* Whether a record is the project's. */
bool
project_shows(const struct project *p, const struct store_record *r)
{
	return p->adopts || !r->adopted || !p->resource->shared;
}

/* Whether a project's calls go out with this key. */
bool
project_same_key(const struct project *p, const char *api_key)
{
	return p->api_key == api_key ||
	    (p->api_key != NULL && api_key != NULL && strcmp(p->api_key, api_key) == 0);
}

/* Finds a project for recorded work. */
bool
snapshot_project_of_scope(const struct snapshot *snap, const char *scope, const char *project_id,
    struct project *out)
{
	const struct resource *resource = resource_of_scope(scope);

	if (snapshot_project(snap, project_id, resource, out) && strcmp(out->scope, scope) == 0)
		return true;
	for (size_t i = 0; i < snap->config->project_count; i++)
		if (snapshot_project(snap, snap->config->projects[i].id, resource, out) &&
		    strcmp(out->scope, scope) == 0)
			return true;
	return false;
}
