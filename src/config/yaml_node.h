#ifndef CONFIG_YAML_NODE_H
#define CONFIG_YAML_NODE_H

#include "config/diag.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A YAML document as positioned nodes, built from libyaml's events. Refused
 * with their place: anchors, aliases, merge keys, tags, several documents,
 * duplicate keys, keys that are not scalars, more than 1 MiB, depth 32 or
 * 50,000 nodes, bytes that are not UTF-8.
 *
 * ${NAME} and ${NAME:-default} are replaced from the environment in scalar
 * values, after parsing, once; $$ is a dollar; ${project.…} stays as it is for
 * the mapping. An unset variable is a mistake with its place; a variable that
 * is set but empty counts as unset.
 */
enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	const char *file; /* shared by all nodes of a document */
	int line, column;
	char *text;  /* scalar: after expansion */
	bool quoted; /* scalar: written with quotes or as a block, so always a string */
	bool expanded; /* scalar: the environment gave part of it, so always a string */
	struct yaml_node **items; /* list: items; map: values */
	struct yaml_node **keys;  /* map: scalar keys, parallel to items */
	size_t count;
};

typedef const char *(*yaml_env_fn)(void *arg, const char *name); /* NULL: unset */

/* NULL when the text has mistakes (all that can be found are in the list). An
 * empty document gives an empty map. `env` NULL means getenv(). */
struct yaml_node *yaml_node_read(const char *file, const char *text, size_t len,
    yaml_env_fn env, void *env_arg, struct diag_list *);
void yaml_node_free(struct yaml_node *); /* wipes scalars that came from the environment */

const struct yaml_node *yaml_node_get(const struct yaml_node *map, const char *key); /* or NULL */
const struct yaml_node *yaml_node_key(const struct yaml_node *map, const char *key); /* the key's own node */

/* Plain scalars by YAML 1.2's core schema; quoted and expanded ones are strings. */
bool yaml_node_is_null(const struct yaml_node *);
bool yaml_node_bool(const struct yaml_node *, bool *out);
bool yaml_node_int(const struct yaml_node *, long long *out);

#endif
