#ifndef MAPPING_PATH_H
#define MAPPING_PATH_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The place of a value in a tree: keys joined by dots, `\.` a literal dot and
 * `\\` a literal backslash. Each place has exactly one such text.
 */
#define MAPPING_PATH_MAX 16 /* keys */

struct mapping_path {
	char *text;
	char **keys; /* unescaped */
	size_t count;
};

/* Reads the text; false with a reason that follows a quoted path ("… has an
 * empty part"), nothing to free. */
bool mapping_path_read(struct mapping_path *, const char *text, const char **why);
void mapping_path_free(struct mapping_path *);

/* The length of the text that names the first `keys` keys. */
size_t mapping_path_prefix(const struct mapping_path *, size_t keys);

/* Whether the path is this one key. */
bool mapping_path_is(const struct mapping_path *, const char *key);

enum mapping_path_found {
	MAPPING_PATH_MISSING,
	MAPPING_PATH_NULL,    /* the member, or one on the way to it, is null */
	MAPPING_PATH_FOUND,
	MAPPING_PATH_BLOCKED, /* a member on the way is no object */
};

/* Looks the place up in an object. *value belongs to the tree. When blocked,
 * *keys says how many keys lead to the member that is no object. */
enum mapping_path_found mapping_path_get(const struct mapping_path *, struct json_object *root,
    struct json_object **value, size_t *keys);

/* Puts a value there, making the objects on the way; takes the reference. No
 * value that is not an object may stand on the way. */
void mapping_path_put(const struct mapping_path *, struct json_object *root,
    struct json_object *value);

#endif
