#include "config.h"

#include "config/config_load.h"

#include "base/mem.h"
#include "config/config_client.h"
#include "config/config_file.h"
#include "config/config_find.h"
#include "config/config_keys.h"
#include "config/config_rules.h"
#include "config/config_set.h"
#include "config/config_tls.h"
#include "config/config_walk.h"

#include <stdlib.h>
#include <string.h>

#define CONFIG_LOAD_MAX ((size_t)1 << 20)
#define CONFIG_LOAD_NO_FILE "(no file)"
#define CONFIG_LOAD_SANDBOX_KEY "sandbox"
#define CONFIG_LOAD_SOCKETS "(sockets of the service manager)"

/* Frees a list of strings. */
static void
config_load_free_list(char **list)
{
	for (char **s = list; s != NULL && *s != NULL; s++)
		free(*s);
	free(list);
}

/* Frees the clients. */
static void
config_load_free_clients(struct config *config)
{
	for (size_t i = 0; i < config->client_count; i++) {
		free(config->clients[i].name);
		free(config->clients[i].digest);
		mem_wipe_free(config->clients[i].token);
		config_load_free_list(config->clients[i].projects);
	}
	free(config->clients);
}

/* Wipes and frees one secret. */
static void
config_load_forget(char **secret)
{
	mem_wipe_free(*secret);
	*secret = NULL;
}

/* Wipes what is secret. */
void
config_forget_keys(struct config *config)
{
	config_load_forget(&config->bluejay.api_key);
	config_load_forget(&config->bluejay.earlier_key);
	config_load_forget(&config->images.api_key);
	config_load_forget(&config->images.earlier_key);
	for (size_t i = 0; i < config->project_count; i++) {
		config_load_forget(&config->projects[i].api_key);
		config_load_forget(&config->projects[i].earlier_key);
	}
	header_list_clear(&config->bluejay.headers);
	mem_wipe_free_bytes(config->text, config->text_len); /* it may hold keys, and NUL bytes */
	config->text = NULL;
	config->text_len = 0;
}

/* Frees everything, wiping keys. */
void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	config_forget_keys(config);
	config_load_free_list(config->listen);
	config_load_free_clients(config);
	config_load_free_list(config->allowed_hosts);
	config_load_free_list(config->trusted_proxies);
	config_load_free_list(config->proxy_protocol);
	config_load_free_list(config->cors.origins);
	free(config->admin_listen);
	free(config->data_dir);
	free(config->tls.certificate);
	free(config->tls.key);
	free(config->tls.client_ca);
	tls_context_unref(config->tls.context);
	free(config->bluejay.url);
	free(config->bluejay.proxy);
	free(config->bluejay.ca_file);
	free(config->log_file);
	free(config->images.url);
	free(config->images.model);
	free(config->images.size);
	free(config->passthrough.local);
	mem_wipe_free(config->store.url);
	mem_wipe_free(config->store.password);
	for (size_t i = 0; i < config->project_count; i++) {
		free(config->projects[i].id);
		free(config->projects[i].name);
	}
	free(config->projects);
	free(config->by_id);
	free(config->by_agent);
	yaml_node_free(config->document);
	free(config);
}

/* Fills in every default. */
static void
config_load_defaults(struct config *config, const char *file)
{
	size_t count;
	const struct config_key *keys = config_keys(&count);

	for (size_t i = 0; i < count; i++)
		if (strncmp(keys[i].path, "projects.", 9) != 0 &&
		    strncmp(keys[i].path, "clients.", 8) != 0)
			config_set_default(&keys[i], config, file);
}

/* Reads the file, unless its text is given; false with a mistake. */
static bool
config_load_text(struct config *config, const struct config_source *source,
    struct diag_list *diags)
{
	struct config_file file;
	struct fail fail;

	if (source->text != NULL) {
		config->text = mem_copy(source->text, source->text_len);
		config->text_len = source->text_len;
		return true;
	}
	if (config_file_read(source->file, false, CONFIG_LOAD_MAX, &file, &fail) != 0) {
		diag_add(diags, source->file, 0, 0, "cannot read the file: %s", fail.text);
		return false;
	}
	config->text = file.text;
	config->text_len = file.len;
	return true;
}

/* Parses the file; false when there is no document to look at. */
static bool
config_load_document(struct config *config, const struct config_source *source,
    struct diag_list *diags)
{
	if (!config_load_text(config, source, diags))
		return false;
	config->document = yaml_node_parse(source->file, config->text, config->text_len, source->env,
	    source->env_arg, diags);
	return config->document != NULL;
}

/* Takes one option of the command line. */
static void
config_load_option(struct config *config, const char *path, const char *option, const char *text,
    struct diag_list *diags)
{
	struct fail fail;

	if (text != NULL && config_set_text(config_keys_find(path), config, text, &fail) != 0)
		diag_add(diags, option, 0, 0, "%s", fail.text);
}

/* Takes the addresses of sockets that are open. */
static void
config_load_sockets(struct config *config, const struct config_source *source)
{
	size_t count = 0;

	if (source->sockets != NULL) {
		while (source->sockets[count] != NULL)
			count++;
		config_load_free_list(config->listen);
		config->listen = mem_zero(count + 1, sizeof *config->listen);
		for (size_t i = 0; i < count; i++)
			config->listen[i] = mem_string(source->sockets[i]);
	}
	if (source->admin_socket != NULL) {
		free(config->admin_listen);
		config->admin_listen = mem_string(source->admin_socket);
		config->admin_listen_given = true;
	}
}

/* What has the say over an address in place of the file; NULL: nothing. */
static const char *
config_load_from(bool socket, const char *option, const char *text)
{
	if (socket)
		return CONFIG_LOAD_SOCKETS;
	return text != NULL ? option : NULL;
}

/* Hands the mapping's section over. */
static void
config_load_mapping(struct config *config, const struct config_source *source,
    struct diag_list *diags)
{
	const struct yaml_node *mapping = yaml_node_get(config->document, "mapping");

	config->mapping_persona = yaml_node_get(mapping, "persona");
	config->mapping_community = yaml_node_get(mapping, "community");
	if (source->mapping != NULL && yaml_node_sound(mapping) &&
	    yaml_node_sound(yaml_node_get(config->document, "resources")))
		source->mapping(source->mapping_arg, config->document, diags);
}

/* Decides who draws: the sandbox, when there is one and the file does not speak of
 * images; else a provider with a key. */
static void
config_load_images(struct config *config, bool sandbox)
{
	if (sandbox && yaml_node_get(config->document, "images") == NULL) {
		config->images.sandbox = true;
		config->images.api_key = mem_string(CONFIG_LOAD_SANDBOX_KEY);
	}
	if (config->images.provider == CONFIG_IMAGES_AUTO)
		config->images.provider = config->images.api_key != NULL ? CONFIG_IMAGES_OPENAI
		                                                         : CONFIG_IMAGES_NONE;
}

/* Gives the sandbox's key to everything. */
static void
config_load_sandbox_key(struct config *config)
{
	mem_wipe_free(config->bluejay.api_key);
	config->bluejay.api_key = mem_string(CONFIG_LOAD_SANDBOX_KEY);
}

/* Loads a file, or the defaults alone. */
struct config *
config_load(const struct config_source *source, struct diag_list *diags)
{
	size_t before = diags->errors;
	struct config *config = mem_zero(1, sizeof *config);
	struct config_rules rules = {.config = config, .diags = diags,
	    .file = source->file == NULL ? CONFIG_LOAD_NO_FILE : source->file,
	    .sandbox = source->sandbox,
	    .listen_from = config_load_from(source->sockets != NULL, "--listen", source->listen),
	    .admin_from = config_load_from(source->admin_socket != NULL, "--admin-listen",
	        source->admin_listen)};

	config_load_defaults(config, source->file);
	if (source->file != NULL && !config_load_document(config, source, diags)) {
		config_free(config);
		return NULL;
	}
	if (config->document != NULL) {
		config_walk(config, config->document, source->sandbox, diags);
		yaml_node_complain(config->document, diags);
	}
	if (yaml_node_get(config->document, "projects") == NULL)
		config_walk_default_projects(config, source->sandbox && source->file == NULL);
	config_find_prepare(config);
	config_load_option(config, "listen", "--listen", source->listen, diags);
	config_load_option(config, "admin_listen", "--admin-listen", source->admin_listen, diags);
	config_load_option(config, "data_dir", "--data-dir", source->data_dir, diags);
	config_load_sockets(config, source);
	if (source->sandbox)
		config_load_sandbox_key(config);
	config_load_images(config, source->sandbox);
	config_tls_load(config, diags);
	config_client_check(config, diags);
	config_rules_check(&rules);
	config_load_mapping(config, source, diags);
	if (diags->errors == before)
		return config;
	config_free(config);
	return NULL;
}
