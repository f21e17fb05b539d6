#include "config.h"

#include "mapping/mapping_path.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Takes the key that was read so far; false when there is none or no room. */
static bool
mapping_path_key(struct mapping_path *path, struct buf *key, const char **why)
{
	if (key->len == 0)
		*why = "has an empty part";
	else if (path->count == MAPPING_PATH_MAX)
		*why = "has more than 16 parts";
	if (*why != NULL)
		return false;
	path->keys[path->count++] = buf_take(key, NULL);
	return true;
}

/* Splits the text at its dots. */
bool
mapping_path_read(struct mapping_path *path, const char *text, const char **why)
{
	const char *p = text;
	struct buf key;

	*why = text[0] == '\0' ? "is empty" : NULL;
	path->text = mem_string(text);
	path->keys = mem_zero(MAPPING_PATH_MAX, sizeof *path->keys);
	path->count = 0;
	buf_init(&key, 0);
	for (; *why == NULL && *p != '\0'; p++) {
		if (*p == '.') {
			if (mapping_path_key(path, &key, why) && p[1] == '\0')
				*why = "has an empty part";
		} else if (*p == '\\' && p[1] != '.' && p[1] != '\\') {
			*why = "has a backslash that is before neither a dot nor a backslash";
		} else {
			p += *p == '\\';
			buf_addc(&key, *p);
		}
	}
	if (*why == NULL)
		mapping_path_key(path, &key, why);
	buf_free(&key);
	if (*why != NULL)
		mapping_path_free(path);
	return *why == NULL;
}

/* Frees the text and the keys. */
void
mapping_path_free(struct mapping_path *path)
{
	for (size_t i = 0; i < path->count; i++)
		free(path->keys[i]);
	free(path->keys);
	free(path->text);
	memset(path, 0, sizeof *path);
}

/* Finds the dot after the given number of keys. */
size_t
mapping_path_prefix(const struct mapping_path *path, size_t keys)
{
	const char *p = path->text;

	for (; *p != '\0'; p++) {
		if (*p == '.' && --keys == 0)
			break;
		p += *p == '\\';
	}
	return (size_t)(p - path->text);
}

/* Compares with a single key. */
bool
mapping_path_is(const struct mapping_path *path, const char *key)
{
	return path->count == 1 && strcmp(path->keys[0], key) == 0;
}

/* Walks down the keys. */
enum mapping_path_found
mapping_path_get(const struct mapping_path *path, struct json_object *root,
    struct json_object **value, size_t *keys)
{
	struct json_object *at = root;

	for (size_t i = 0; i < path->count; i++) {
		if (!json_object_is_type(at, json_type_object)) {
			*keys = i;
			return MAPPING_PATH_BLOCKED;
		}
		if (!json_object_object_get_ex(at, path->keys[i], &at))
			return MAPPING_PATH_MISSING;
		if (at == NULL)
			return MAPPING_PATH_NULL;
	}
	*value = at;
	return MAPPING_PATH_FOUND;
}

/* Walks down the keys, making objects where there are none. */
void
mapping_path_put(const struct mapping_path *path, struct json_object *root,
    struct json_object *value)
{
	struct json_object *at = root, *next;

	for (size_t i = 0; i + 1 < path->count; i++) {
		if (!json_object_object_get_ex(at, path->keys[i], &next)) {
			next = json_object_new_object();
			json_object_object_add(at, path->keys[i], next);
		}
		at = next;
	}
	json_object_object_add(at, path->keys[path->count - 1], value);
}
