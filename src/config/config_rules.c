#include "config.h"

#include "config/config_rules.h"

#include "base/mem.h"
#include "config/config_address.h"
#include "config/config_database.h"
#include "config/config_find.h"
#include "config/config_keys.h"
#include "config/config_tls.h"
#include "config/config_value.h"

#include <stdlib.h>
#include <string.h>

/* Where a mistake is. */
struct config_place {
	const char *file;
	int line, column;
};

/* A node's place; the file as a whole without one. */
static struct config_place
config_rules_at(const struct config_rules *r, const struct yaml_node *node)
{
	if (node == NULL)
		return (struct config_place){r->file, 0, 0};
	return (struct config_place){node->file, node->line, node->column};
}

/* The value at a path of keys that ends with NULL. */
static const struct yaml_node *
config_rules_find(const struct yaml_node *node, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		node = yaml_node_get(node, *keys);
	return node;
}

#define FIND(node, ...) config_rules_find((node), (const char *const[]){__VA_ARGS__, NULL})

/* The value of a project's key. */
static const struct yaml_node *
config_rules_in_project(const struct config_rules *r, const struct config_project *project,
    const char *key)
{
	return FIND(r->config->document, "projects", project->id, key);
}

/* Refuses a key and a key file in one map. */
static void
config_rules_one_key(const struct config_rules *r, const struct yaml_node *map, const char *prefix,
    const char *name)
{
	const struct yaml_node *file = yaml_node_key(map, "api_key_file");

	if (file == NULL || yaml_node_key(map, "api_key") == NULL)
		return;
	diag_add(r->diags, file->file, file->line, file->column, "%s%.*s has both api_key (line "
	    "%d) and api_key_file; keep one of them", prefix, diag_clip(name), name,
	    yaml_node_key(map, "api_key")->line);
}

/* Wants a key for the provider of images that the file names. */
static void
config_rules_images(const struct config_rules *r)
{
	const struct yaml_node *map = FIND(r->config->document, "images");
	struct config_place at = config_rules_at(r, yaml_node_get(map, "provider"));

	config_rules_one_key(r, map, "", "images");
	if (r->config->images.provider != CONFIG_IMAGES_OPENAI ||
	    r->config->images.api_key != NULL ||
	    yaml_node_get(map, "api_key") != NULL || yaml_node_get(map, "api_key_file") != NULL)
		return;
	diag_add(r->diags, at.file, at.line, at.column, "images.provider is openai, and "
	    "images.api_key is missing; write the line \"api_key: ${OPENAI_API_KEY}\" below "
	    "\"images:\" and set OPENAI_API_KEY in the environment");
}

/* Wants a key for Bluejay. */
static void
config_rules_keys(const struct config_rules *r)
{
	const struct yaml_node *map = FIND(r->config->document, "bluejay");
	const struct yaml_node *name = yaml_node_key(r->config->document, "bluejay");
	const struct yaml_node *projects = FIND(r->config->document, "projects");
	struct config_place at = config_rules_at(r, name);
	bool listed = projects != NULL && projects->kind == YAML_MAP;

	for (size_t i = 0; listed && i < projects->count; i++)
		config_rules_one_key(r, projects->items[i], "projects.", projects->keys[i]->text);
	config_rules_one_key(r, map, "", "bluejay");
	/* A key that is there but wrong was refused already, and so was the section. */
	if (r->config->bluejay.api_key != NULL || yaml_node_get(map, "api_key") != NULL ||
	    yaml_node_get(map, "api_key_file") != NULL || (map != NULL && map->broken) ||
	    (r->config->document != NULL && r->config->document->broken))
		return;
	diag_add(r->diags, at.file, at.line, at.column, "bluejay.api_key is missing; write the "
	    "line \"api_key: ${BLUEJAY_API_KEY}\" below \"bluejay:\" and set BLUEJAY_API_KEY in "
	    "the environment, or name a file that holds the key with api_key_file");
}

/* Wants the URL of a database where one is to be used, and only there. */
static void
config_rules_store(const struct config_rules *r)
{
	const struct yaml_node *map = FIND(r->config->document, "store");
	const struct yaml_node *url = yaml_node_get(map, "url");
	bool database = r->config->store.kind == CONFIG_STORE_POSTGRESQL;
	struct config_place at = config_rules_at(r, database ? yaml_node_get(map, "kind") : url);

	if (!yaml_node_sound(yaml_node_get(map, "kind")))
		return;
	if (database && url == NULL)
		diag_add(r->diags, at.file, at.line, at.column, "store.kind is postgresql, and "
		    "store.url is missing; write the line \"url: postgresql://user@host/database\" "
		    "below \"store:\"");
	else if (!database && url != NULL)
		diag_add(r->diags, at.file, at.line, at.column, "store.url is for the kind postgresql; "
		    "write \"kind: postgresql\" beside it, or take it out");
	else if (database && yaml_node_sound(url) && config_database_is_unchecked(r->config->store.url)) {
		at = config_rules_at(r, url);
		diag_warn(r->diags, at.file, at.line, at.column, "store.url leads to another machine, whose "
		    "certificate is not checked: whoever is on the way may read all personas; add "
		    "sslmode=verify-full to it");
	}
}

/* Checks one time of bluejay.timeouts against the total. */
static void
config_rules_timeout(const struct config_rules *r, const char *name, int64_t *value)
{
	const struct yaml_node *map = FIND(r->config->document, "bluejay", "timeouts");
	const struct yaml_node *given = yaml_node_get(map, name);
	const struct yaml_node *total = yaml_node_get(map, "total");
	struct config_place at = config_rules_at(r, given);
	char *longer, *shorter;

	if (*value <= r->config->bluejay.total || !yaml_node_sound(given) ||
	    !yaml_node_sound(total))
		return;
	if (given == NULL) {
		*value = r->config->bluejay.total;
		return;
	}
	longer = config_value_format(CONFIG_DURATION, *value);
	shorter = config_value_format(CONFIG_DURATION, r->config->bluejay.total);
	diag_add(r->diags, at.file, at.line, at.column, "bluejay.timeouts.%s (%s) is longer than "
	    "bluejay.timeouts.total (%s%s), which ends every call; make it shorter or total longer",
	    name, longer, shorter, total == NULL ? " by default" : "");
	free(longer);
	free(shorter);
}

/* Wants room for one body at least. */
static void
config_rules_buffers(const struct config_rules *r)
{
	const struct yaml_node *map = FIND(r->config->document, "limits");
	const struct yaml_node *given = yaml_node_get(map, "buffers");
	const struct yaml_node *body = yaml_node_get(map, "body");
	struct config_place at = config_rules_at(r, given);
	char *all, *one;

	if (r->config->limit_buffers >= r->config->limit_body || !yaml_node_sound(given) ||
	    !yaml_node_sound(body))
		return;
	all = config_value_format(CONFIG_SIZE, r->config->limit_buffers);
	one = config_value_format(CONFIG_SIZE, r->config->limit_body);
	diag_add(r->diags, at.file, at.line, at.column, "limits.buffers (%s) is smaller than "
	    "limits.body (%s), so the largest body would never fit; make it larger or body smaller",
	    all, one);
	free(all);
	free(one);
}

/* Warns of a URL that works but surprises. */
static void
config_rules_url(const struct config_rules *r)
{
	const struct yaml_node *node = FIND(r->config->document, "bluejay", "url");
	const char *url = r->config->bluejay.url;
	struct config_place at = config_rules_at(r, node);
	size_t len = strlen(url);
	char *host;

	if (node == NULL || node->broken || r->sandbox)
		return;
	if (len > 3 && strcmp(url + len - 3, "/v1") == 0)
		diag_warn(r->diags, at.file, at.line, at.column, "bluejay.url ends with /v1, "
		    "which the gateway adds itself; leave it out");
	host = config_address_url_host(url);
	if (strncmp(url, "https:", 6) != 0 && !config_address_is_loopback(host))
		diag_warn(r->diags, at.file, at.line, at.column, "bluejay.url is not https: the "
		    "key travels unencrypted");
	free(host);
}

/* Checks the origins of web pages: "*" stands alone, and trusts nobody with more. */
static void
config_rules_cors(const struct config_rules *r)
{
	const struct yaml_node *list = FIND(r->config->document, "cors", "origins");
	const struct yaml_node *credentials = FIND(r->config->document, "cors", "credentials");
	struct config_place at = config_rules_at(r, list);
	char **origins = r->config->cors.origins;
	bool any = false;

	if (!yaml_node_sound(list) || !yaml_node_sound(credentials))
		return;
	for (size_t i = 0; origins[i] != NULL; i++)
		any |= strcmp(origins[i], "*") == 0;
	if (any && origins[1] != NULL)
		diag_add(r->diags, at.file, at.line, at.column, "cors.origins has \"*\" beside "
		    "others; \"*\" alone allows every origin, and a list without it only those");
	else if (any && r->config->cors.credentials) {
		at = config_rules_at(r, credentials);
		diag_add(r->diags, at.file, at.line, at.column, "cors.credentials cannot be true "
		    "for every origin (line %d), which browsers refuse; name the origins", list->line);
	}
}

/* Where the n-th listen address stands. */
static struct config_place
config_rules_listen_at(const struct config_rules *r, size_t n)
{
	const struct yaml_node *node = FIND(r->config->document, "listen");

	if (r->listen_from != NULL)
		return (struct config_place){r->listen_from, 0, 0};
	if (node != NULL && node->kind == YAML_LIST && n < node->count)
		node = node->items[n];
	return config_rules_at(r, node);
}

/* Whether the addresses are all there, none left out. */
static bool
config_rules_listen_sound(const struct config_rules *r)
{
	return r->listen_from != NULL || yaml_node_sound(FIND(r->config->document, "listen"));
}

/* Whether two addresses are the same socket: port 0 never is. */
static bool
config_rules_same_address(const char *a, const char *b)
{
	size_t len;

	a = config_address_bare(a);
	b = config_address_bare(b);
	len = strlen(a);
	return strcmp(a, b) == 0 &&
	    (strncmp(a, "unix:", 5) == 0 || len < 2 || strcmp(a + len - 2, ":0") != 0);
}

/* Whether an address stands for all of its family on this machine. */
static bool
config_rules_is_any(const char *bare)
{
	return strncmp(bare, "0.0.0.0:", 8) == 0 || strncmp(bare, "[::]:", 5) == 0;
}

/* Whether one of two addresses takes in the other: same family, same port, and one of them
 * stands for all. */
static bool
config_rules_overlap(const char *a, const char *b)
{
	const char *port_a, *port_b;

	a = config_address_bare(a);
	b = config_address_bare(b);
	port_a = strrchr(a, ':');
	port_b = strrchr(b, ':');
	return strncmp(a, "unix:", 5) != 0 && strncmp(b, "unix:", 5) != 0 && port_a != NULL &&
	    port_b != NULL && strcmp(port_a, port_b) == 0 && strcmp(port_a, ":0") != 0 &&
	    (a[0] == '[') == (b[0] == '[') && (config_rules_is_any(a) || config_rules_is_any(b));
}

/* Refuses an address that other machines can reach when nobody there needs a token. */
static void
config_rules_open(const struct config_rules *r, const char *address, struct config_place at)
{
	const struct yaml_node *clients = yaml_node_key(r->config->document, "clients");

	if (r->config->listen_without_tokens || r->config->client_count > 0 ||
	    !yaml_node_sound(FIND(r->config->document, "listen_without_tokens")) ||
	    !yaml_node_sound(FIND(r->config->document, "clients")) ||
	    (clients != NULL && clients->broken) ||
	    config_address_reach(config_address_bare(address), NULL) != CONFIG_REACH_OUTSIDE)
		return;
	diag_add(r->diags, at.file, at.line, at.column, "other machines can reach %s, and there are "
	    "no clients: whoever connects would use the key; add \"clients\" to the file "
	    "(\"persona-gateway token NAME\" makes a token), listen on 127.0.0.1, or allow it with "
	    "\"listen_without_tokens: true\" in the file", address);
}

/* Whether somebody may use the admin address with a token. */
static bool
config_rules_has_admin(const struct config *config)
{
	for (size_t i = 0; i < config->client_count; i++)
		if (config->clients[i].admin)
			return true;
	return false;
}

/* Refuses an admin address that other machines can reach when nobody has the right. */
static void
config_rules_open_admin(const struct config_rules *r, const char *admin, struct config_place at)
{
	if (config_address_reach(config_address_bare(admin), NULL) == CONFIG_REACH_OUTSIDE &&
	    !config_rules_has_admin(r->config) &&
	    yaml_node_sound(FIND(r->config->document, "clients")))
		diag_add(r->diags, at.file, at.line, at.column, "other machines can reach %s, and "
		    "no client has \"admin: true\": use 127.0.0.1, [::1], a unix: socket, or off, or "
		    "give a client that right", admin);
}

/* Refuses an address that is to speak TLS without a certificate. */
static void
config_rules_certified(const struct config_rules *r, const char *address, struct config_place at)
{
	if (config_tls_speaks(address) && FIND(r->config->document, "tls", "certificate") == NULL)
		diag_add(r->diags, at.file, at.line, at.column, "%s is to speak TLS, and there is no "
		    "certificate; name one with \"tls: {certificate: FILE, key: FILE}\" in the file",
		    address);
}

/* Checks the addresses for clients. */
static void
config_rules_listen(const struct config_rules *r)
{
	char **listen = r->config->listen;

	if (!config_rules_listen_sound(r))
		return;
	for (size_t i = 0; listen[i] != NULL; i++) {
		struct config_place at = config_rules_listen_at(r, i);

		config_rules_open(r, listen[i], at);
		config_rules_certified(r, listen[i], at);
		for (size_t j = 0; j < i; j++)
			if (config_rules_same_address(listen[i], listen[j]))
				diag_add(r->diags, at.file, at.line, at.column,
				    "%s is in the list twice; keep one of them", listen[i]);
			else if (config_rules_overlap(listen[i], listen[j]))
				diag_add(r->diags, at.file, at.line, at.column, "%s and %s, which is in "
				    "the list too, are one port; keep one of them, or give one another port",
				    listen[i], listen[j]);
	}
}

/* Warns of proxies that could be anybody. */
static void
config_rules_proxies(const struct config_rules *r, const char *key, char *const *ranges)
{
	const struct yaml_node *node = yaml_node_get(r->config->document, key);
	struct config_place at = config_rules_at(r, node);

	for (; *ranges != NULL; ranges++) {
		size_t len = strlen(*ranges);

		if (len > 2 && strcmp(*ranges + len - 2, "/0") == 0)
			diag_warn(r->diags, at.file, at.line, at.column, "%s has %s, which is everybody: "
			    "any client can then say that it is another", key, *ranges);
	}
}

/* Warns of a word that has no meaning beside clients, and of a list that names none. */
static void
config_rules_tokens(const struct config_rules *r)
{
	const struct yaml_node *node = FIND(r->config->document, "listen_without_tokens");
	const struct yaml_node *clients = yaml_node_get(r->config->document, "clients");

	if (r->config->client_count > 0 && r->config->listen_without_tokens)
		diag_warn(r->diags, node->file, node->line, node->column, "listen_without_tokens does "
		    "nothing, since there are clients: every request needs a token");
	if (clients != NULL && clients->kind == YAML_LIST && clients->count == 0 &&
	    !r->config->listen_without_tokens)
		diag_warn(r->diags, clients->file, clients->line, clients->column, "clients names "
		    "nobody, so no token is asked for: whoever can connect may do everything");
}

/* Checks the address for the operator. */
static void
config_rules_admin(const struct config_rules *r)
{
	const struct yaml_node *node = FIND(r->config->document, "admin_listen");
	struct config_place at = config_rules_at(r, node);
	const char *admin = r->config->admin_listen;

	if (r->admin_from != NULL)
		at = (struct config_place){r->admin_from, 0, 0};
	else if (!yaml_node_sound(node))
		return;
	if (admin == NULL || !r->config->admin_listen_given)
		return;
	config_rules_open_admin(r, admin, at);
	config_rules_certified(r, admin, at);
	for (size_t i = 0; config_rules_listen_sound(r) && r->config->listen[i] != NULL; i++) {
		const char *other = r->config->listen[i];

		if (config_rules_same_address(admin, other))
			diag_add(r->diags, at.file, at.line, at.column,
			    "%s is also an address of listen; give one of them another port", admin);
		else if (config_rules_overlap(admin, other))
			diag_add(r->diags, at.file, at.line, at.column, "%s and %s, an address of "
			    "listen, are one port; give one of them another port", admin, other);
		else
			continue;
		break;
	}
}

/* Refuses the gateway's own address as that of the local tool. */
static void
config_rules_local(const struct config_rules *r)
{
	const struct yaml_node *node = FIND(r->config->document, "passthrough", "local");
	struct config_place at = config_rules_at(r, node);
	const char *local = r->config->passthrough.local, *own = r->config->admin_listen;

	if (local == NULL || !yaml_node_sound(node))
		return;
	for (size_t i = 0; config_rules_listen_sound(r) && r->config->listen[i] != NULL; i++)
		if (config_address_url_is(local, config_address_bare(r->config->listen[i])))
			own = r->config->listen[i];
	if (own != NULL && config_address_url_is(local, config_address_bare(own)))
		diag_add(r->diags, at.file, at.line, at.column, "passthrough.local (%s) is the "
		    "gateway's own address %s; name the address of the local tool's server, or let "
		    "one of them listen on another port", local, own);
}

/* Refuses an agent that an earlier project has, unless both share it. */
static void
config_rules_agent_twice(const struct config_rules *r, size_t n)
{
	const struct config_project *project = &r->config->projects[n];
	const struct config_project *other = config_find_agent(r->config, project->agent_id);
	struct config_place at;

	while (other != project && (strcmp(other->id, "*") == 0 ||
	    (other->shared_agent && project->shared_agent)))
		other = config_find_agent_next(r->config, other);
	if (other == project)
		return;
	at = config_rules_at(r, config_rules_in_project(r, project, "agent_id"));
	diag_add(r->diags, at.file, at.line, at.column, "project \"%.*s\" (line %d) has the agent "
	    "%lld, which is also the agent of project \"%.*s\" (line %d); its personas would "
	    "belong to both, so write \"shared_agent: true\" in both if that is meant",
	    diag_clip(project->id), project->id, project->line, (long long)project->agent_id,
	    diag_clip(other->id), other->id, other->line);
}

/* Checks the agent of one project. */
static void
config_rules_agent(const struct config_rules *r, size_t n)
{
	const struct config_project *project = &r->config->projects[n];
	struct config_place at;

	if (project->has_agent && strcmp(project->id, "*") != 0) {
		config_rules_agent_twice(r, n);
	} else if (project->has_agent) {
		at = config_rules_at(r, config_rules_in_project(r, project, "agent_id"));
		diag_add(r->diags, at.file, at.line, at.column, "\"*\" stands for many projects "
		    "and cannot have an agent_id; name the project that has this agent");
	} else if (project->shared_agent &&
	    config_rules_in_project(r, project, "agent_id") == NULL) {
		at = config_rules_at(r, config_rules_in_project(r, project, "shared_agent"));
		diag_add(r->diags, at.file, at.line, at.column, "shared_agent says that an agent "
		    "is shared, but the project has no agent_id; add it, or leave shared_agent "
		    "out");
	}
}

/* Refuses a name that would be that of many projects. */
static void
config_rules_name(const struct config_rules *r, const struct config_project *project)
{
	struct config_place at;

	if (project->name == NULL || strcmp(project->id, "*") != 0)
		return;
	at = config_rules_at(r, config_rules_in_project(r, project, "name"));
	diag_add(r->diags, at.file, at.line, at.column, "\"*\" stands for many projects and "
	    "cannot have a name; give it to a project of its own");
}

/* Wants a local tool for twins. */
static void
config_rules_twins(const struct config_rules *r)
{
	const struct yaml_node *map = FIND(r->config->document, "passthrough");
	struct config_place at = config_rules_at(r, yaml_node_get(map, "mirror_personas"));

	if (r->config->passthrough.mirror_personas && yaml_node_get(map, "local") == NULL)
		diag_add(r->diags, at.file, at.line, at.column, "passthrough.mirror_personas keeps "
		    "twins of personas in the local tool, and passthrough.local does not say where "
		    "that is; write the line \"local: http://127.0.0.1:3100\", with the address of its "
		    "server, below \"passthrough:\"");
}

/* Checks everything. */
void
config_rules_check(struct config_rules *r)
{
	if (!r->sandbox)
		config_rules_keys(r);
	config_rules_timeout(r, "connect", &r->config->bluejay.connect);
	config_rules_timeout(r, "first_byte", &r->config->bluejay.first_byte);
	config_rules_buffers(r);
	config_rules_url(r);
	config_rules_images(r);
	config_rules_store(r);
	config_rules_twins(r);
	config_rules_cors(r);
	config_rules_listen(r);
	config_rules_proxies(r, "trusted_proxies", r->config->trusted_proxies);
	config_rules_proxies(r, "proxy_protocol", r->config->proxy_protocol);
	config_rules_tokens(r);
	config_rules_admin(r);
	config_rules_local(r);
	for (size_t i = 0; i < r->config->project_count; i++) {
		config_rules_name(r, &r->config->projects[i]);
		config_rules_agent(r, i);
	}
}

/* Checks addresses that are kept. */
void
config_rules_kept(struct config *config, struct diag_list *diags)
{
	struct config_rules r = {.config = config, .diags = diags};
	struct config_place at = {config->document != NULL ? config->document->file : "(no file)", 0, 0};

	for (size_t i = 0; config->listen[i] != NULL; i++)
		config_rules_open(&r, config->listen[i], at);
	if (config->admin_listen != NULL)
		config_rules_open_admin(&r, config->admin_listen, at);
}
