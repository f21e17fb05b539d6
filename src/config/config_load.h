#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/diag.h"
#include "config/yaml_node.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The file as plain values, every default filled in. Built from one key table
 * (config_keys.h) and immutable after loading. Times are milliseconds, sizes
 * bytes. Strings belong to the struct.
 */
struct config_project {
	char *id; /* "*" is every other id */
	bool has_agent;
	int64_t agent_id;
	bool shared_agent;
	char *api_key; /* NULL: the one of bluejay */
	int line, column;
};

struct config {
	char **listen; /* NULL-terminated */
	char *admin_listen;
	bool admin_listen_given; /* false: the default, which may move when its port is taken */
	bool listen_without_tokens;
	char *data_dir;
	char **allowed_hosts; /* NULL-terminated */
	int64_t drain;
	int log_level;  /* enum log_level */
	int log_format; /* enum log_format */

	int64_t limit_body, limit_head, limit_headers, limit_connections;
	int64_t client_head, client_body, client_idle;

	struct {
		char *url; /* scheme://host[:port][/base], no trailing slash */
		char *api_key;
		int64_t connect, first_byte, total;
		int64_t retries; /* tries in all, of calls that may be repeated */
		int64_t settle_grace;
		int64_t rate_per_minute; /* 0: none */
		char *proxy, *ca_file;   /* NULL: none */
		int64_t max_in_flight;
		int64_t cache_fresh, cache_stale, cache_size;
	} bluejay;

	struct config_project *projects;
	size_t project_count;

	struct yaml_node *document; /* the file; NULL without one */
	const struct yaml_node *mapping_persona; /* inside document, or NULL: defaults */
};

struct config_source {
	const char *file; /* NULL: defaults only */
	bool sandbox;     /* it takes the place of bluejay.url and all keys: none is required */
	yaml_env_fn env;  /* NULL: getenv */
	void *env_arg;
};

/* Loads and checks everything but the mapping. NULL when there was any error;
 * all of them are in the list, warnings too. The caller frees with
 * config_free(), which wipes keys. */
struct config *config_load(const struct config_source *, struct diag_list *);
void config_free(struct config *);

#endif
