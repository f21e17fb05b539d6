#include "config.h"

#include "config/config_walk.h"

#include "base/buf.h"
#include "base/mem.h"
#include "config/config_keys.h"
#include "config/config_set.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_WALK_ID_MAX 128
#define CONFIG_WALK_KEYS 64 /* more than any section of the table has */

struct config_walk {
	struct config *config;
	struct diag_list *diags;
	bool sandbox;
	const struct yaml_node *document;
};

/* One map of the document. */
struct config_level {
	const char *path; /* in the table: "projects.*" */
	const char *name; /* as the user says it: "projects.shop-bot" */
	void *base;	  /* the struct that the keys' offsets are for */
};

static void config_walk_map(struct config_walk *, struct yaml_node *, const struct config_level *);

/* Joins a path and a key. */
static char *
config_walk_join(const char *path, const char *key)
{
	return mem_format("%s%s%s", path, path[0] == '\0' ? "" : ".", key);
}

/* The names of the keys and sections right below a path; the caller frees each. */
static size_t
config_walk_children(const char *path, char *names[CONFIG_WALK_KEYS])
{
	size_t total, count = 0, skip = path[0] == '\0' ? 0 : strlen(path) + 1;
	const struct config_key *keys = config_keys(&total);

	for (size_t i = 0; i < total && count < CONFIG_WALK_KEYS; i++) {
		const char *rest = keys[i].path + skip;
		size_t len;

		if (skip > 0 &&
		    (strncmp(keys[i].path, path, skip - 1) != 0 || keys[i].path[skip - 1] != '.'))
			continue;
		len = strcspn(rest, ".");
		/* The table keeps sections together. */
		if (count > 0 && strlen(names[count - 1]) == len &&
		    strncmp(names[count - 1], rest, len) == 0)
			continue;
		names[count++] = mem_copy(rest, len);
	}
	return count;
}

/* The names of the keys of a section, for a sentence; the caller frees. */
static char *
config_walk_listing(const char *path)
{
	char *names[CONFIG_WALK_KEYS];
	size_t count = config_walk_children(path, names);
	struct buf out;

	buf_init(&out, 0);
	for (size_t i = 0; i < count; i++) {
		buf_addf(&out, "%s%s", i == 0 ? "" : ", ", names[i]);
		free(names[i]);
	}
	return buf_take(&out, NULL);
}

/* Under what a key of this name stands, as people say it, or NULL; the caller frees. */
static char *
config_walk_elsewhere(const char *name)
{
	size_t total;
	const struct config_key *keys = config_keys(&total);

	for (size_t i = 0; i < total; i++) {
		const char *dot = strrchr(keys[i].path, '.');

		if (dot == NULL || strcmp(dot + 1, name) != 0)
			continue;
		if (strncmp(keys[i].path, "projects.*.", 11) == 0)
			return mem_string("a project's id in \"projects\"");
		if (strncmp(keys[i].path, "clients.*.", 10) == 0)
			return mem_string("an entry of the list \"clients\"");
		return mem_format("\"%.*s\"", (int)(dot - keys[i].path), keys[i].path);
	}
	return NULL;
}

/* Notes a key that the table does not have. */
static void
config_walk_unknown(struct config_walk *w, struct yaml_node *key, const struct config_level *level)
{
	char *names[CONFIG_WALK_KEYS], *listing = NULL;
	size_t count = config_walk_children(level->path, names);
	const char *near = diag_nearest(key->text, (const char *const *)names, count);
	char *elsewhere = config_walk_elsewhere(key->text);
	char *joined = config_walk_join(level->path, key->text);
	int clip = diag_clip_name(key->text);

	if (strchr(":=", key->text[clip]) != NULL && key->text[clip] != '\0')
		config_set_refuse(key, w->diags, "unknown key \"%.*s%c…\"; between a key and its value "
		    "stand a colon and a space", clip, key->text, key->text[clip]);
	else if (strchr(key->text, '.') != NULL &&
	    (config_keys_find(joined) != NULL || config_keys_section(joined)))
		config_set_refuse(key, w->diags, "unknown key \"%.*s\"; write each part as a map "
		    "of its own: %.*s: {%s: …}", clip, key->text, (int)strcspn(key->text, "."),
		    key->text,
		    strchr(key->text, '.') + 1);
	else if (near == NULL && elsewhere != NULL)
		config_set_refuse(key, w->diags, "unknown key \"%.*s\" here; it belongs under %s",
		    clip, key->text, elsewhere);
	else if (near != NULL)
		config_set_refuse(key, w->diags, "unknown key \"%.*s\"; did you mean \"%s\"?", clip,
		    key->text, near);
	else {
		listing = config_walk_listing(level->path);
		config_set_refuse(key, w->diags, "unknown key \"%.*s\"; the keys here are %s", clip,
		    key->text, listing);
	}
	free(listing);
	free(joined);
	free(elsewhere);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
}

/* Whether a node can hold keys (nothing at all holds none); notes why not. */
static bool
config_walk_is_map(struct config_walk *w, struct yaml_node *node, const char *path,
    const char *name)
{
	char *listing;

	if (node->kind == YAML_MAP)
		return true;
	if (node->broken || yaml_node_is_null(node))
		return false;
	listing = config_walk_listing(path);
	config_set_refuse(node, w->diags, "%s must be a map with the keys %s, not a %s",
	    name[0] == '\0' ? "the file" : name, listing,
	    node->kind == YAML_LIST ? "list" : "single value");
	free(listing);
	return false;
}

/* Notes what is wrong with a project's id. */
static bool
config_walk_check_id(struct config_walk *w, struct yaml_node *key)
{
	size_t len = strlen(key->text);
	bool control = false;

	for (const char *c = key->text; *c != '\0'; c++)
		control |= iscntrl((unsigned char)*c) != 0;
	if (key->broken)
		return false;
	if (len == 0 || len > CONFIG_WALK_ID_MAX)
		config_set_refuse(key, w->diags, "a project id must have from 1 to %d bytes, not "
		    "%zu",
		    CONFIG_WALK_ID_MAX, len);
	else if (control || strchr(key->text, '/') != NULL)
		config_set_refuse(key, w->diags, "the project id \"%.*s\" must not hold %s",
		    diag_clip(key->text), key->text, control ? "control characters" : "a /");
	else if (strcmp(key->text, ".") == 0 || strcmp(key->text, "..") == 0)
		config_set_refuse(key, w->diags, "the project id \"%s\" cannot stand in a path",
		    key->text);
	return !key->broken;
}

/* Appends a project. */
static struct config_project *
config_walk_append(struct config *config, const char *id)
{
	struct config_project *project;

	config->projects = mem_resize(config->projects,
	    (config->project_count + 1) * sizeof *config->projects);
	project = &config->projects[config->project_count++];
	*project = (struct config_project){.id = mem_string(id)};
	return project;
}

/* Reads one project. */
static void
config_walk_project(struct config_walk *w, struct yaml_node *key, struct yaml_node *body)
{
	struct config_project scratch = {0};
	bool good = config_walk_check_id(w, key);
	char *name = mem_format("projects.%.*s", diag_clip(key->text), key->text);
	struct config_level level = {"projects.*", name, &scratch};

	if (config_walk_is_map(w, body, level.path, name))
		config_walk_map(w, body, &level);
	if (good) {
		struct config_project *project = config_walk_append(w->config, key->text);

		scratch.id = project->id;
		scratch.line = key->line;
		scratch.column = key->column;
		*project = scratch;
	} else {
		free(scratch.name);
		mem_wipe_free(scratch.api_key);
	}
	free(name);
}

/* Reads the projects. */
static void
config_walk_projects(struct config_walk *w, struct yaml_node *node)
{
	if (node->kind == YAML_MAP && node->count > 0) {
		for (size_t i = 0; i < node->count; i++)
			config_walk_project(w, node->keys[i], node->items[i]);
	} else if (!node->broken) {
		config_set_refuse(node, w->diags, "projects must be a map from project ids to "
		    "their keys; leave it out, or write \"*\": {} in it, to allow every id");
	}
}

/* Reads one client. */
static void
config_walk_client(struct config_walk *w, struct yaml_node *body, size_t n)
{
	struct config *config = w->config;
	char *name = mem_format("clients[%zu]", n);
	struct config_client *client;
	struct config_level level;

	config->clients = mem_resize(config->clients,
	    (config->client_count + 1) * sizeof *config->clients);
	client = &config->clients[config->client_count++];
	*client = (struct config_client){.line = body->line, .column = body->column};
	level = (struct config_level){"clients.*", name, client};
	if (config_walk_is_map(w, body, level.path, name))
		config_walk_map(w, body, &level);
	else if (!body->broken)
		config_set_refuse(body, w->diags, "%s is empty; it must have a name and a token", name);
	free(name);
}

/* Reads the clients. */
static void
config_walk_clients(struct config_walk *w, struct yaml_node *node)
{
	if (node->kind == YAML_LIST)
		for (size_t i = 0; i < node->count; i++)
			config_walk_client(w, node->items[i], i);
	else if (!node->broken)
		config_set_refuse(node, w->diags, "clients must be a list, one entry for each client: "
		    "- {name: ci, token_sha256: …}");
}

/* Whether the sandbox takes the place of what a key says. */
static bool
config_walk_replaced(const struct config_walk *w, const struct config_key *key,
    const struct yaml_node *node)
{
	if (!w->sandbox || strncmp(key->path, "store.", strlen("store.")) == 0)
		return false;
	return key->type == CONFIG_SECRET || key->type == CONFIG_SECRET_FILE ||
	    (key->type == CONFIG_URL && !yaml_node_sound(node));
}

/* Whether a key says what of a declared resource's mapping differs for a project. */
static bool
config_walk_is_declared(const struct config_walk *w, const struct yaml_node *key,
    const struct config_level *level)
{
	return strcmp(level->path, "projects.*.mapping") == 0 &&
	    yaml_node_get(yaml_node_get(w->document, "resources"), key->text) != NULL;
}

/* Reads one entry of a map. */
static void
config_walk_entry(struct config_walk *w, struct yaml_node *key, struct yaml_node *item,
    const struct config_level *level)
{
	bool dotted = strchr(key->text, '.') != NULL;
	char *path = config_walk_join(level->path, key->text);
	char *name = config_walk_join(level->name, key->text);
	const struct config_key *found = dotted ? NULL : config_keys_find(path);
	struct config_level below = {path, name, level->base};

	if (found != NULL && strncmp(path, "images.", 7) != 0 &&
	    strncmp(path, "passthrough.", 12) != 0 && strncmp(path, "clients.", 8) != 0 &&
	    config_walk_replaced(w, found, item))
		yaml_node_forgive(item);
	else if (found != NULL && found->type == CONFIG_PROJECTS)
		config_walk_projects(w, item);
	else if (found != NULL && found->type == CONFIG_CLIENTS)
		config_walk_clients(w, item);
	else if (found != NULL && found->type != CONFIG_NODE && found->type != CONFIG_NODES)
		config_set_node(found, level->base, item, name, w->diags);
	else if (found == NULL && config_walk_is_declared(w, key, level))
		; /* read with the resource */
	else if (found == NULL && (dotted || !config_keys_section(path)))
		config_walk_unknown(w, key, level);
	else if (found == NULL && config_walk_is_map(w, item, path, name))
		config_walk_map(w, item, &below);
	free(path);
	free(name);
}

/* Reads a map. */
static void
config_walk_map(struct config_walk *w, struct yaml_node *map, const struct config_level *level)
{
	for (size_t i = 0; i < map->count; i++)
		if (!map->keys[i]->broken)
			config_walk_entry(w, map->keys[i], map->items[i], level);
}

/* Reads a document. */
void
config_walk(struct config *config, struct yaml_node *document, bool sandbox,
    struct diag_list *diags)
{
	struct config_walk w = {config, diags, sandbox, document};
	struct config_level top = {"", "", config};

	if (config_walk_is_map(&w, document, "", ""))
		config_walk_map(&w, document, &top);
}

/* Adds the default projects. */
void
config_walk_default_projects(struct config *config, bool demo)
{
	if (demo) {
		struct config_project *project = config_walk_append(config, "demo");

		project->has_agent = true;
		project->agent_id = 1;
	}
	config_walk_append(config, "*");
}
