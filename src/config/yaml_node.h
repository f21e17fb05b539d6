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
 * is set but empty counts as unset. Keys are not expanded.
 *
 * Lines end at LF, CR LF or CR; columns count code points.
 */
enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	const char *file; /* shared by all nodes of a document */
	int line, column;
	char *text;  /* scalar: after expansion */
	bool quoted; /* scalar: written with quotes or as a block, so always a string */
	bool expanded; /* scalar: a ${NAME} in it was replaced, so always a string */
	bool broken;   /* a mistake was found in the node itself; its content means nothing */
	struct diag_list *unsaid; /* scalar: mistakes of its expansion; see yaml_node_parse() */
	struct yaml_node **items; /* list: items; map: values */
	struct yaml_node **keys;  /* map: scalar keys, parallel to items */
	size_t count;
};

typedef const char *(*yaml_env_fn)(void *arg, const char *name); /* NULL: unset */

/* NULL when the text has mistakes (all that can be found are in the list). An
 * empty document gives an empty map. `env` NULL means getenv(). */
struct yaml_node *yaml_node_read(const char *file, const char *text, size_t len,
    yaml_env_fn env, void *env_arg, struct diag_list *);
/* Only for what read or parse gave; wipes all scalars. NULL is fine. */
void yaml_node_free(struct yaml_node *);

/*
 * For a caller that looks for more mistakes where yaml_node_read() stops: gives
 * the tree also when single nodes are wrong (they are `broken`), NULL only when
 * there is no tree (bad syntax, a limit). Mistakes of expansion are not in the
 * list: yaml_node_complain() moves those of a node and of all below it there,
 * yaml_node_forgive() drops them.
 */
struct yaml_node *yaml_node_parse(const char *file, const char *text, size_t len,
    yaml_env_fn env, void *env_arg, struct diag_list *);
void yaml_node_complain(struct yaml_node *, struct diag_list *);
void yaml_node_forgive(struct yaml_node *);
bool yaml_node_sound(const struct yaml_node *); /* nothing broken in or below it */

/* The value of a key, and the key's own node; NULL without one, or when it is no map. */
const struct yaml_node *yaml_node_get(const struct yaml_node *map, const char *key);
const struct yaml_node *yaml_node_key(const struct yaml_node *map, const char *key);

/* Plain scalars by YAML 1.2's core schema (chapter 10.3); quoted and expanded
 * ones are strings. False, and *out as it was, for anything else; an integer
 * that does not fit is none. */
bool yaml_node_is_null(const struct yaml_node *);
bool yaml_node_bool(const struct yaml_node *, bool *out);
bool yaml_node_int(const struct yaml_node *, long long *out);

/* The same for a text of which the caller knows what it should be. */
bool yaml_node_text_bool(const char *text, bool *out);
bool yaml_node_text_int(const char *text, long long *out);

#endif
