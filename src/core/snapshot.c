#include "config.h"

#include "core/snapshot.h"
#include "base/decimal.h"
#include "base/mem.h"
#include "config/config_find.h"
#include "core/resource_read.h"
#include "mapping/mapping_cases.h"

#include <stdlib.h>
#include <string.h>

/* The word of a resource in the sections that map it. */
static const char *
snapshot_word(const struct resource *r)
{
	return r->built_in ? r->noun : r->key;
}

/* The section that maps a resource: `mapping.persona` and so on, or the one that stands
 * in its declaration. */
static const struct yaml_node *
snapshot_section(const struct yaml_node *document, const struct resource *r)
{
	if (r->built_in)
		return yaml_node_get(yaml_node_get(document, "mapping"), snapshot_word(r));
	return yaml_node_get(yaml_node_get(yaml_node_get(document, "resources"), r->key), "mapping");
}

/* Adds a resource. */
static void
snapshot_add(struct snapshot *snap, const struct resource *r, const struct yaml_node *document,
    struct diag_list *diags)
{
	struct snapshot_resource *to = &snap->resources[snap->resource_count++];

	to->resource = r;
	to->mappings = mapping_set_compile(r->mapped, snapshot_word(r), snapshot_section(document, r),
	    yaml_node_get(document, "projects"), diags);
}

/* The file has been read: reads its resources and compiles the mappings, also when other
 * parts are wrong. */
static void
snapshot_on_mapping(void *arg, const struct yaml_node *document, struct diag_list *diags)
{
	static const char *const own[] = {"personas", "communities"};
	struct snapshot *snap = arg;

	snap->declared = resource_read_all(yaml_node_get(document, "resources"),
	    &snap->declared_count, diags);
	snap->resources = mem_zero(2 + snap->declared_count, sizeof *snap->resources);
	for (size_t i = 0; i < 2; i++)
		snapshot_add(snap, resource_built_in(own[i]), document, diags);
	for (size_t i = 0; i < snap->declared_count; i++)
		snapshot_add(snap, snap->declared[i], document, diags);
}

/* Refuses two projects that share an agent, and so its things, when they map them in
 * two ways. */
static void
snapshot_check_alike(const struct snapshot *snap, const struct config_project *a,
    const struct config_project *b, struct diag_list *diags)
{
	for (size_t i = 0; i < snap->resource_count; i++) {
		const struct snapshot_resource *r = &snap->resources[i];

		if (!r->resource->by_agent ||
		    mapping_set_of(r->mappings, a->id) == mapping_set_of(r->mappings, b->id))
			continue;
		diag_add(diags, snap->config->document->file, a->line, a->column,
		    "project \"%.*s\" (line %d) shares its agent with project \"%.*s\" (line %d), "
		    "so what its mapping.%s says must be the same",
		    diag_clip(a->id), a->id, a->line, diag_clip(b->id), b->id, b->line,
		    snapshot_word(r->resource));
	}
}

/* Compares projects that share an agent. */
static void
snapshot_check_shared(const struct snapshot *snap, struct diag_list *diags)
{
	const struct config *config = snap->config;

	for (size_t i = 0; i < config->project_count; i++) {
		const struct config_project *a = &config->projects[i];

		const struct config_project *b =
		    a->shared_agent ? config_find_agent(config, a->agent_id) : NULL;

		if (b != NULL && b < a)
			snapshot_check_alike(snap, a, b, diags);
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
	const struct resource *personas = resource_built_in("personas");
	bool kept = snapshot_keeps(snapshot_mapping(snap, personas, NULL), personas->headers);

	snap->own_headers = snap->config->bluejay.forward_persona_headers && kept;
	if (snap->config->bluejay.forward_persona_headers && !kept)
		diag_warn(diags, at->file, at->line, at->column, "bluejay.forward_persona_headers "
		    "does nothing, since mapping.persona.kept_here has no \"%s\"",
		    personas->headers);
}

/* The configured project of this id, or the one that stands for every other. */
static const struct config_project *
snapshot_configured(const struct snapshot *snap, const char *id)
{
	const struct config_project *p = config_find_project(snap->config, id);

	return p != NULL ? p : config_find_project(snap->config, "*");
}

/* Finds the mapping of a test. */
static const struct mapping *
snapshot_test_mapping(void *arg, const char *resource, const char *project)
{
	const struct snapshot *snap = arg;

	for (size_t i = 0; i < snap->resource_count; i++)
		if (strcmp(snapshot_word(snap->resources[i].resource), resource) == 0)
			return mapping_set_of(snap->resources[i].mappings, project);
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

/* Warns of resources that the sandbox does not have. */
static void
snapshot_warn_sandbox(const struct snapshot *snap, struct diag_list *diags)
{
	for (size_t i = 0; i < snap->declared_count; i++)
		diag_warn(diags, snap->config->document->file, snap->declared[i]->line,
		    snap->declared[i]->column,
		    "the sandbox has no %s, so that requests for them fail with 502",
		    snap->declared[i]->plural);
}

/* Looks at what only the whole shows, and does not when parts are missing. */
static bool
snapshot_check(struct snapshot *snap, struct diag_list *diags, size_t errors)
{
	if (snap->config == NULL || diags->errors != errors)
		return false;
	snapshot_check_shared(snap, diags);
	snapshot_run_tests(snap, diags);
	if (diags->errors != errors)
		return false;
	snapshot_find_headers(snap, diags);
	return true;
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
	if (snapshot_check(snap, diags, errors)) {
		if (source.sandbox)
			snapshot_warn_sandbox(snap, diags);
		return snap;
	}
	snapshot_unref(snap);
	return NULL;
}

/* Takes one more reference. */
struct snapshot *
snapshot_ref(struct snapshot *snap)
{
	__atomic_add_fetch(&snap->refs, 1, __ATOMIC_RELAXED);
	return snap;
}

/* Frees it. */
static void
snapshot_free(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->resource_count; i++)
		mapping_set_free(snap->resources[i].mappings);
	free(snap->resources);
	resource_free_all(snap->declared, snap->declared_count);
	config_free(snap->config);
	free(snap);
}

/* The last reference is gone: frees, or leaves what readers need. */
static void
snapshot_end(void *arg)
{
	struct snapshot *snap = arg;

	snap->ended = true;
	if (snap->readers > 0)
		config_forget_keys(snap->config);
	else
		snapshot_free(snap);
}

/* Lets other threads have references. */
void
snapshot_share(struct snapshot *snap, struct loop *home)
{
	snap->home = home;
	snap->thread = pthread_self();
}

/* Gives a reference back. */
void
snapshot_unref(struct snapshot *snap)
{
	if (snap == NULL || __atomic_sub_fetch(&snap->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (snap->home == NULL || pthread_equal(snap->thread, pthread_self()))
		snapshot_end(snap);
	else
		loop_post(snap->home, snapshot_end, snap);
}

/* Lets one more read. */
struct snapshot *
snapshot_read(struct snapshot *snap)
{
	snap->readers++;
	return snap;
}

/* Lets one less read. */
void
snapshot_unread(struct snapshot *snap)
{
	if (--snap->readers == 0 && snap->ended)
		snapshot_free(snap);
}

/* Whether the keys are still there. */
bool
snapshot_has_keys(const struct snapshot *snap)
{
	return !snap->ended;
}

/* Finds a resource. */
const struct resource *
snapshot_resource(const struct snapshot *snap, const char *key)
{
	for (size_t i = 0; i < snap->resource_count; i++)
		if (strcmp(snap->resources[i].resource->key, key) == 0)
			return snap->resources[i].resource;
	return NULL;
}

/* Finds the resource of a scope: the one whose prefix it has. Personas have none, and no
 * other scope begins as theirs do. */
const struct resource *
snapshot_resource_of_scope(const struct snapshot *snap, const char *scope)
{
	const struct resource *personas = resource_built_in("personas");

	for (size_t i = 0; i < snap->resource_count; i++) {
		const struct resource *r = snap->resources[i].resource;

		if (r != personas && strncmp(scope, r->prefix, strlen(r->prefix)) == 0)
			return r;
	}
	return strncmp(scope, RESOURCE_PREFIX, strlen(RESOURCE_PREFIX)) == 0 ? NULL : personas;
}

/* Finds a mapping. */
const struct mapping *
snapshot_mapping(const struct snapshot *snap, const struct resource *resource,
    const char *project)
{
	/* By the key: a resource may be of an earlier file. */
	for (size_t i = 0; i < snap->resource_count; i++)
		if (strcmp(snap->resources[i].resource->key, resource->key) == 0)
			return mapping_set_of(snap->resources[i].mappings, project);
	return NULL;
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

/* Whether a resource is without a fence. */
bool
snapshot_is_common(const struct snapshot *snap, const struct resource *resource)
{
	return resource->unfenced || (resource->built_in && resource->shared &&
	    snap->config->communities_scope == CONFIG_COMMUNITIES_ORGANISATION);
}

/* Says who owns what a project has. */
static void
snapshot_own(const struct snapshot *snap, struct project *p)
{
	const char *prefix = p->resource->prefix; /* there is room: PROJECT_SCOPE_SIZE */
	char agent[DECIMAL_SIZE];

	p->listed = p->resource->list.method != NULL && (p->has_agent || !p->resource->by_agent);
	p->adopts = p->listed && (!p->resource->shared || snapshot_is_common(snap, p->resource));
	if (p->has_agent && p->resource->by_agent)
		stpcpy(stpcpy(stpcpy(p->scope, prefix), "agent:"), decimal_text(agent, p->agent_id));
	else
		stpcpy(stpcpy(stpcpy(p->scope, prefix), "project:"), p->id);
}

/* Resolves a project id. */
bool
snapshot_project(struct snapshot *snap, const char *id, const struct resource *resource,
    struct project *out)
{
	const struct config_project *p = snapshot_configured(snap, id);

	if (p == NULL || resource == NULL || !snapshot_id_ok(id))
		return false;
	out->snap = snap;
	out->generation = snap->generation;
	strcpy(out->id, id); /* it is short enough */
	out->named = strcmp(p->id, "*") != 0;
	out->trace = (struct trace_ref){.slot = 0};
	out->client = NULL;
	out->has_agent = p->has_agent;
	out->agent_id = p->agent_id;
	out->api_key = p->api_key != NULL ? p->api_key : snap->config->bluejay.api_key;
	out->earlier_key = p->api_key != NULL ? p->earlier_key : snap->config->bluejay.earlier_key;
	out->resource = resource;
	out->own_headers = snap->own_headers && resource->headers != NULL;
	out->mapping = snapshot_mapping(snap, resource, p->id);
	snapshot_own(snap, out);
	return true;
}

/* Whether a record is the project's. */
bool
project_shows(const struct project *p, const struct store_record *r)
{
	return p->adopts || !r->adopted || !p->resource->shared;
}

/* The path of a call. */
char *
project_path(const struct project *p, const struct resource_call *call, const char *upstream_id)
{
	return resource_path(call, p->id, p->agent_id, upstream_id);
}

/* Whether nothing was reloaded between them. */
bool
project_same_snapshot(const struct project *a, const struct project *b)
{
	return a->generation == b->generation;
}

/* Whether a project's calls go out with this key. */
bool
project_same_key(const struct project *p, const char *api_key)
{
	return p->api_key == api_key ||
	    (p->api_key != NULL && api_key != NULL && strcmp(p->api_key, api_key) == 0);
}

/* The configured project that a scope is called after ("agent:123", "project:shop"). */
static const struct config_project *
snapshot_owner(const struct snapshot *snap, const char *owner)
{
	static const char agent[] = "agent:", project[] = "project:";

	if (strncmp(owner, agent, sizeof agent - 1) == 0)
		return config_find_agent(snap->config, strtoll(owner + sizeof agent - 1, NULL, 10));
	if (strncmp(owner, project, sizeof project - 1) == 0)
		return config_find_project(snap->config, owner + sizeof project - 1);
	return NULL;
}

/* Finds a project for recorded work. */
bool
snapshot_project_of_scope(struct snapshot *snap, const char *scope, const char *project_id,
    struct project *out)
{
	const struct resource *resource = snapshot_resource_of_scope(snap, scope);
	const struct config_project *p;

	if (snapshot_project(snap, project_id, resource, out) && strcmp(out->scope, scope) == 0)
		return true;
	p = resource != NULL ? snapshot_owner(snap, scope + strlen(resource->prefix)) : NULL;
	return p != NULL && snapshot_project(snap, p->id, resource, out) &&
	    strcmp(out->scope, scope) == 0;
}
