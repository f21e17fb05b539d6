#include "config.h"

#include "config/config_client.h"

#include "base/digest.h"
#include "base/mem.h"
#include "config/config_find.h"
#include "config/yaml_node.h"

#include <string.h>

#define CONFIG_CLIENT_TOKEN_MIN 20 /* characters; fewer can be guessed */

/* One client with the nodes that made it. */
struct config_client_entry {
	struct config *config;
	struct config_client *client;
	size_t n;
	const struct yaml_node *node;
	struct diag_list *diags;
};

/* Notes a mistake at a key of the entry, or at the entry when it lacks the key. */
#define CLIENT_REFUSE(e, key, ...)                                                               \
	do {                                                                                     \
		const struct yaml_node *at = yaml_node_get((e)->node, (key));                    \
                                                                                                 \
		at = at != NULL ? at : (e)->node;                                                \
		diag_add((e)->diags, at->file, at->line, at->column, __VA_ARGS__);               \
	} while (0)

/* Whether the entry has a key at all, right or wrong. */
static bool
config_client_has(const struct config_client_entry *e, const char *key)
{
	return yaml_node_key(e->node, key) != NULL;
}

/* Wants a name that no earlier client has. */
static void
config_client_check_name(const struct config_client_entry *e)
{
	if (!config_client_has(e, "name"))
		CLIENT_REFUSE(e, "name", "clients[%zu] has no name; give it one, such as name: ci", e->n);
	for (size_t i = 0; i < e->n && e->client->name != NULL; i++) {
		const struct config_client *other = &e->config->clients[i];

		if (other->name == NULL || strcmp(other->name, e->client->name) != 0)
			continue;
		CLIENT_REFUSE(e, "name", "the client \"%s\" stands twice (line %d); give each another "
		    "name", e->client->name, other->line);
		return;
	}
}

/* Refuses the hash of nothing, which somebody without a token would have. */
static void
config_client_check_empty(const struct config_client_entry *e)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex("", 0, hex);
	if (e->client->digest != NULL && strcmp(e->client->digest, hex) == 0)
		CLIENT_REFUSE(e, "token_sha256", "clients[%zu].token_sha256 is the hash of an empty text; "
		    "hash the token, without a line end", e->n);
}

/* Takes a token for its hash. */
static void
config_client_hash(const struct config_client_entry *e)
{
	struct config_client *c = e->client;
	char hex[DIGEST_HEX_SIZE];
	size_t len;

	if (c->token == NULL)
		return;
	len = strlen(c->token);
	if (len < CONFIG_CLIENT_TOKEN_MIN) {
		const struct yaml_node *at = yaml_node_get(e->node, "token_file");

		diag_warn(e->diags, at->file, at->line, at->column, "clients[%zu].token_file holds a "
		    "token of fewer than %d characters, which can be guessed; \"persona-gateway token "
		    "NAME\" makes one that cannot", e->n, CONFIG_CLIENT_TOKEN_MIN);
	}
	digest_hex(c->token, len, hex);
	mem_wipe_free(c->token);
	c->token = NULL;
	if (c->digest == NULL)
		c->digest = mem_string(hex);
}

/* Wants one token that no earlier client has. */
static void
config_client_check_token(const struct config_client_entry *e)
{
	bool digest = config_client_has(e, "token_sha256"), file = config_client_has(e, "token_file");

	if (!digest && !file)
		CLIENT_REFUSE(e, "name", "clients[%zu] has no token; \"persona-gateway token NAME\" makes "
		    "one, with the line token_sha256 for the file", e->n);
	if (digest && file)
		CLIENT_REFUSE(e, "token_file", "clients[%zu] has both token_sha256 and token_file; keep one "
		    "of them", e->n);
	config_client_check_empty(e);
	config_client_hash(e);
	for (size_t i = 0; i < e->n && e->client->digest != NULL; i++) {
		const struct config_client *other = &e->config->clients[i];

		if (other->digest == NULL || strcmp(other->digest, e->client->digest) != 0)
			continue;
		CLIENT_REFUSE(e, digest ? "token_sha256" : "token_file", "clients[%zu] has the token of "
		    "clients[%zu] (line %d); each client needs a token of its own", e->n, i, other->line);
		return;
	}
}

/* Whether a project is configured, or every id is. */
static bool
config_client_knows(const struct config *config, const char *id)
{
	return config_find_project(config, id) != NULL || config_find_project(config, "*") != NULL;
}

/* Checks one of the projects that a client may use. */
static void
config_client_check_project(const struct config_client_entry *e, const struct yaml_node *at)
{
	const struct yaml_node *projects = yaml_node_get(e->config->document, "projects");

	if (at->broken || at->kind != YAML_SCALAR)
		return;
	if (strcmp(at->text, "*") == 0)
		diag_add(e->diags, at->file, at->line, at->column, "clients[%zu].projects cannot name "
		    "\"*\"; leave projects out, and the client may use every project", e->n);
	else if (yaml_node_sound(projects) && !config_client_knows(e->config, at->text))
		diag_add(e->diags, at->file, at->line, at->column, "clients[%zu].projects names \"%.*s\", "
		    "which is not among the projects; add it there, or mend the name", e->n,
		    diag_clip(at->text), at->text);
}

/* Warns of a right that has no meaning. */
static void
config_client_check_passthrough(const struct config_client_entry *e)
{
	const struct yaml_node *at = yaml_node_get(e->node, "passthrough");

	if (e->client->passthrough && e->client->projects == NULL && !e->config->passthrough.bluejay)
		diag_warn(e->diags, at->file, at->line, at->column, "clients[%zu].passthrough does nothing "
		    "while passthrough.bluejay is off", e->n);
}

/* Checks the projects that a client may use, and that nothing goes around them. */
static void
config_client_check_projects(const struct config_client_entry *e)
{
	const struct yaml_node *list = yaml_node_get(e->node, "projects");

	if (list == NULL || list->broken)
		return;
	if (list->kind == YAML_SCALAR)
		config_client_check_project(e, list);
	if (list->kind == YAML_LIST && list->count == 0)
		CLIENT_REFUSE(e, "projects", "clients[%zu].projects names no project; leave it out, and "
		    "the client may use every project", e->n);
	for (size_t i = 0; list->kind == YAML_LIST && i < list->count; i++)
		config_client_check_project(e, list->items[i]);
	if (e->client->passthrough)
		CLIENT_REFUSE(e, "passthrough", "clients[%zu] is limited to projects and cannot have "
		    "passthrough: /v1/ reaches the personas of every project", e->n);
	if (e->client->admin)
		CLIENT_REFUSE(e, "admin", "clients[%zu] is limited to projects and cannot have admin: the "
		    "admin address shows every project", e->n);
}

/* Checks the clients. */
void
config_client_check(struct config *config, struct diag_list *diags)
{
	const struct yaml_node *list = yaml_node_get(config->document, "clients");

	for (size_t i = 0; i < config->client_count; i++) {
		struct config_client_entry e = {config, &config->clients[i], i, list->items[i], diags};

		if (e.node->broken || e.node->kind != YAML_MAP)
			continue;
		config_client_check_name(&e);
		config_client_check_token(&e);
		config_client_check_projects(&e);
		config_client_check_passthrough(&e);
	}
}
