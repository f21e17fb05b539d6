#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Every key of the file, once. The loader, the sample file, the reference in
 * docs/configuration.md and the tests all follow this table.
 */
enum config_type {
	CONFIG_BOOL,	    /* bool */
	CONFIG_INT,	    /* int64_t */
	CONFIG_COUNT,	    /* int64_t, "auto" is 0 */
	CONFIG_DURATION,    /* int64_t, milliseconds */
	CONFIG_SIZE,	    /* int64_t, bytes */
	CONFIG_ENUM,	    /* int, the index in choices */
	CONFIG_WORD,	    /* char *, visible ASCII without spaces, quotes and backslashes */
	CONFIG_TEXT,	    /* char *, at most 200 bytes without control characters */
	CONFIG_PATH,	    /* char * */
	CONFIG_FILE,	    /* char *, a path that can be read when loading */
	CONFIG_URL,	    /* char * */
	CONFIG_PROXY,	    /* char *, a URL without a path */
	CONFIG_ADDRESS,	    /* char *, "off" is NULL */
	CONFIG_ADDRESSES,   /* char **, one or a list of them */
	CONFIG_HOSTS,	    /* char **, a list */
	CONFIG_NETWORKS,    /* char **, a list of addresses, ranges of them, or "unix" */
	CONFIG_MODE,	    /* int64_t, permissions of a file, written in octal digits */
	CONFIG_ORIGINS,	    /* char **, a list, in their normal form; or "*" alone */
	CONFIG_SECRET,	    /* char * */
	CONFIG_SECRET_FILE, /* char *, what the file holds */
	CONFIG_NAME,	    /* char *, 1 to 64 letters, digits, "-", "_", "." */
	CONFIG_DIGEST,	    /* char *, SHA-256 as lower-case hex */
	CONFIG_IDS,	    /* char **, a list of project ids */
	CONFIG_HEADERS,	    /* struct header_list, a map from names to values */
	CONFIG_PROJECTS,    /* a map from ids to the keys under "projects.*" */
	CONFIG_CLIENTS,	    /* a list of maps with the keys under "clients.*" */
	CONFIG_NODE,	    /* a map, read by someone else */
	CONFIG_NODES	    /* a list, read by someone else */
};

#define CONFIG_NOWHERE SIZE_MAX /* an offset: the value is only checked */

struct config_key {
	const char *path; /* "bluejay.timeouts.connect"; "projects.*.agent_id" for each project */
	enum config_type type;
	size_t offset;	      /* in struct config; under "projects.*" in struct config_project, under
	                         "clients.*" in struct config_client */
	size_t given;	      /* offset of a bool: the file has the key; or CONFIG_NOWHERE */
	const char *fallback; /* the default as the file would have it; NULL: none */
	int64_t min, max;     /* INT, COUNT, DURATION, SIZE */
	const char *const *choices; /* ENUM: NULL-terminated */
	const char *help;	    /* one line */
	bool restart; /* takes effect at a start only: a reload keeps what runs */
};

/* The table, in the order of the sample file. */
const struct config_key *config_keys(size_t *count);

/* The entry of a path, or NULL. */
const struct config_key *config_keys_find(const char *path);

/* Whether keys lie below a path ("bluejay.timeouts"; "" always). */
bool config_keys_section(const char *path);

/* What the type is called, for people: "duration". */
const char *config_keys_type(enum config_type);

#endif
