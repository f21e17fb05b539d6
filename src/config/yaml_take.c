#include "config.h"

#include "config/yaml_take.h"

#include "base/buf.h"

#include <string.h>

/* Adds a mistake about a word that is none of those possible. */
void
yaml_take_unknown(const struct yaml_node *at, const char *what, const char *const *words,
    size_t count, struct diag_list *diags)
{
	bool shown = at->kind == YAML_SCALAR && !at->expanded;
	const char *near = shown ? diag_nearest(at->text, words, count) : NULL;
	struct buf list;

	if (near != NULL) {
		diag_add(diags, YAML_AT(at), "unknown %s \"%s\"; did you mean \"%s\"?", what, at->text,
		    near);
		return;
	}
	buf_init(&list, 0);
	for (size_t i = 0; i < count; i++)
		buf_addf(&list, "%s%s", i > 0 ? ", " : "", words[i]);
	if (shown)
		diag_add(diags, YAML_AT(at), "unknown %s \"%.*s\"; possible are %s", what,
		    diag_clip_name(at->text), at->text, list.data);
	else
		diag_add(diags, YAML_AT(at), "the %s must be one of %s", what, list.data);
	buf_free(&list);
}

/* Looks at each key of a map. */
bool
yaml_take_keys(const struct yaml_node *map, const char *const *words, size_t count,
    struct diag_list *diags)
{
	size_t errors = diags->errors;

	for (size_t i = 0; i < map->count; i++) {
		size_t k = 0;

		while (k < count && strcmp(map->keys[i]->text, words[k]) != 0)
			k++;
		if (k == count)
			yaml_take_unknown(map->keys[i], "key", words, count, diags);
	}
	return diags->errors == errors;
}

/* Finds a scalar among words. */
size_t
yaml_take_word(const struct yaml_node *node, const char *what, const char *const *words,
    size_t count, struct diag_list *diags)
{
	size_t i = 0;

	while (i < count && (node->kind != YAML_SCALAR || strcmp(node->text, words[i]) != 0))
		i++;
	if (i == count)
		yaml_take_unknown(node, what, words, count, diags);
	return i;
}

/* Takes a text. */
const char *
yaml_take_text(const struct yaml_node *map, const char *key, struct diag_list *diags)
{
	const struct yaml_node *node = yaml_node_get(map, key);

	if (node == NULL)
		return NULL;
	if (node->kind == YAML_SCALAR && !yaml_node_is_null(node) && node->text[0] != '\0')
		return node->text;
	diag_add(diags, YAML_AT(node), "%s must be a text", key);
	return NULL;
}

/* Takes a true or false. */
bool
yaml_take_flag(const struct yaml_node *map, const char *key, struct diag_list *diags)
{
	const struct yaml_node *node = yaml_node_get(map, key);
	bool value = false;

	if (node != NULL && !yaml_node_bool(node, &value))
		diag_add(diags, YAML_AT(node), "%s must be true or false", key);
	return value;
}

/* Takes a map. */
const struct yaml_node *
yaml_take_map(const struct yaml_node *map, const char *key, const char *form,
    struct diag_list *diags)
{
	const struct yaml_node *node = yaml_node_get(map, key);

	if (node == NULL || node->kind == YAML_MAP)
		return node;
	diag_add(diags, YAML_AT(node), "%s must be %s", key, form);
	return NULL;
}
