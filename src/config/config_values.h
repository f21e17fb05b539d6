#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include "base/header.h"
#include "base/tls_context.h"
#include "config/yaml_node.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_WORKERS_MAX 64

/*
 * The file as plain values, every default filled in. Built from one key table
 * (config_keys.h) and immutable after loading. Times are milliseconds, sizes
 * bytes. Strings belong to the struct. Paths are relative to the file's folder
 * where the file gave them so, and then joined with it.
 */
struct config_project {
	char *id; /* "*" is every other id */
	char *name; /* for people; NULL: the id */
	bool has_agent;
	int64_t agent_id;
	bool shared_agent;
	char *api_key; /* NULL: the one of bluejay; always so with the sandbox */
	char *earlier_key; /* the one before a reload brought another; NULL: none */
	int line, column; /* of the id; 0 without a file */
};

enum config_communities { CONFIG_COMMUNITIES_PROJECT, CONFIG_COMMUNITIES_ORGANISATION };

/* Who may use the gateway. Of a token only its hash is kept. */
struct config_client {
	char *name;
	char *digest; /* SHA-256 of the token, as lower-case hex */
	char *token;  /* only while the file is read; then NULL */
	char **projects; /* NULL-terminated ids; NULL: every project */
	bool read_only;
	bool passthrough; /* may use /v1/ */
	bool admin;       /* may use the admin address */
	int64_t rate_per_minute; /* 0: no limit */
	int line, column; /* of the entry */
};

#define CONFIG_CLIENT_NAME_MAX 64 /* bytes */

enum config_tls_version { CONFIG_TLS_1_2, CONFIG_TLS_1_3 };

enum config_http { CONFIG_HTTP_1_1, CONFIG_HTTP_2 };

enum config_store { CONFIG_STORE_SQLITE, CONFIG_STORE_POSTGRESQL };

enum config_image_provider { CONFIG_IMAGES_AUTO, CONFIG_IMAGES_NONE, CONFIG_IMAGES_OPENAI };

struct config {
	/* NULL-terminated: "127.0.0.1:3000", "[::1]:3000" or "unix:/path"; with "https://" before
	 * it, with TLS. admin_listen has the same form. */
	char **listen;
	char *admin_listen; /* NULL: off */
	bool admin_listen_given; /* false: the default, which may move when its port is taken */
	bool listen_without_tokens;
	int64_t socket_mode; /* of the files of local sockets */
	char **trusted_proxies, **proxy_protocol; /* NULL-terminated, ranges as of base/network.h */
	struct config_client *clients;
	size_t client_count; /* 0: nobody needs a token */
	char *data_dir;
	int64_t workers; /* 0: one for each core */
	char **allowed_hosts; /* NULL-terminated */
	struct {
		char **origins; /* NULL-terminated, in their normal form (base/origin.h), or "*" */
		bool credentials;
		int64_t max_age;
	} cors;
	struct {
		char *certificate, *key, *client_ca; /* paths; NULL: none */
		int min_version;                     /* enum config_tls_version */
		int client_certificates;             /* enum tls_clients */
		bool client_certificates_given;
		struct tls_context *context; /* made of them; NULL: no TLS */
	} tls;
	int64_t drain;
	int log_level;  /* enum log_level */
	int log_format; /* enum log_format */
	bool log_access;
	char *log_file; /* NULL: standard error */
	bool core_dumps; /* and debuggers */
	int64_t recording_requests, recording_size; /* at most; 0 requests: it is off */

	int64_t limit_body, limit_head, limit_headers, limit_connections, limit_buffers;
	int64_t client_head, client_body, client_idle;

	struct {
		char *url; /* scheme://host[:port][/base], no trailing slash */
		char *api_key;
		char *earlier_key; /* the one before a reload brought another; NULL: none */
		struct header_list headers; /* of every call; values may be secret */
		bool forward_persona_headers;
		int64_t connect, first_byte, total;
		int64_t retries; /* tries in all, of calls that may be repeated */
		int64_t settle_grace, settle_keys;
		int64_t rate_per_minute; /* 0: none */
		char *proxy, *ca_file;   /* NULL: none */
		int http;                /* enum config_http */
		int64_t max_in_flight;
		int64_t cache_fresh, cache_stale, cache_size;
	} bluejay;

	struct {
		int provider; /* enum config_image_provider; after loading never AUTO */
		char *api_key;
		char *earlier_key; /* as that of bluejay */
		char *url, *model, *size;
		int64_t timeout;
		int64_t max_in_flight;
		bool sandbox; /* the sandbox draws: url is not used */
	} images;

	struct {
		bool bluejay;
		char *local; /* scheme://host[:port]; NULL: none */
		bool mirror_personas;
		int64_t connect, idle;
	} passthrough;

	struct {
		int kind;       /* enum config_store */
		char *url;      /* may hold a password; NULL: none */
		char *password; /* NULL: that of the URL */
		int64_t connections;
	} store;

	int communities_scope; /* enum config_communities */

	struct config_project *projects;
	size_t project_count;
	const struct config_project **by_id, **by_agent; /* config_find.h */

	struct yaml_node *document; /* the file; NULL without one */
	char *text;                 /* of the file, as it was read */
	size_t text_len;
	const struct yaml_node *mapping_persona, *mapping_community; /* inside document, or NULL:
	                                                                defaults */
};

#endif
