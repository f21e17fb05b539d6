#include "config.h"

#include "mapping/mapping_compiler.h"

#include "config/yaml_take.h"

#include <stdlib.h>
#include <string.h>

/* Looks for a reference to the project. */
bool
mapping_compiler_has_reference(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && strstr(node->text, "${project.") != NULL;
}

/* Adds a mistake about a word that is none of those possible. */
void
mapping_compiler_unknown(struct mapping_compiler *c, const struct yaml_node *at, const char *what,
    const char *const *words, size_t count)
{
	yaml_take_unknown(at, what, words, count, c->diags);
}

/* Looks at each key of a map. */
void
mapping_compiler_keys(struct mapping_compiler *c, const struct yaml_node *map,
    const char *const *words, size_t count)
{
	yaml_take_keys(map, words, count, c->diags);
}

/* Keeps the place of a node. */
struct mapping_place
mapping_compiler_place(const struct mapping_compiler *c, const struct yaml_node *node)
{
	return (struct mapping_place){c->built_in, node->line, node->column};
}

/* Reads a path. */
bool
mapping_compiler_path(struct mapping_compiler *c, const struct yaml_node *node,
    struct mapping_path *path)
{
	const char *why;

	if (node->kind != YAML_SCALAR)
		diag_add(c->diags, MAPPING_AT(node), "a name is needed here, such as traits.tone");
	else if (mapping_compiler_has_reference(node))
		diag_add(c->diags, MAPPING_AT(node),
		    "${project.…} is possible only as the whole value of a constant");
	else if (!mapping_path_read(path, node->text, &why))
		diag_add(c->diags, MAPPING_AT(node),
		    "the path \"%s\" %s; write keys joined by dots, and \\. for a dot in a key",
		    node->expanded ? "…" : node->text, why);
	else
		return true;
	return false;
}

/* Whether a scalar that names a member is a text, and not a bare 5 or true. */
bool
mapping_compiler_is_name(struct mapping_compiler *c, const struct yaml_node *node)
{
	struct json_object *value = NULL;
	bool text;

	if (mapping_compiler_has_reference(node))
		return true; /* refused as a path */
	if (!mapping_value_read(c, node, &value))
		return false;
	text = json_object_is_type(value, json_type_string);
	if (value == NULL)
		diag_add(c->diags, MAPPING_AT(node), "a name is needed here, such as traits.tone");
	else if (!text)
		diag_add(c->diags, MAPPING_AT(node),
		    "the name of a member is needed here, and %s is no text; write \"%s\" in quotes if "
		    "that is its name",
		    node->text, node->text);
	json_object_put(value);
	return text;
}

/* Reads a path that stands as a value. */
bool
mapping_compiler_value_path(struct mapping_compiler *c, const struct yaml_node *node,
    struct mapping_path *path)
{
	if (node->kind == YAML_SCALAR && !mapping_compiler_is_name(c, node))
		return false;
	return mapping_compiler_path(c, node, path);
}

/* What is known of a local member. */
const struct mapping_known *
mapping_compiler_local(const struct mapping_compiler *c, const struct mapping_path *path)
{
	return c->inside > 0 ? NULL : mapping_resource_local(c->resource, path);
}

/* What is known of a member of Bluejay. */
const struct mapping_known *
mapping_compiler_upstream(const struct mapping_compiler *c, const struct mapping_path *path)
{
	return c->inside > 0 ? NULL : mapping_resource_upstream(c->resource, path);
}

/* Reads a true or false. */
bool
mapping_compiler_flag(struct mapping_compiler *c, const struct yaml_node *map, const char *key)
{
	return yaml_take_flag(map, key, c->diags);
}

/* Looks for a path that lies inside a known member that has no inside. */
bool
mapping_compiler_fits(struct mapping_compiler *c, const struct yaml_node *node,
    const struct mapping_path *path, const struct mapping_known *known, const char *whose)
{
	if (known == NULL || path->count == 1 ||
	    mapping_known_kind(known)->json == json_type_object)
		return true;
	diag_add(c->diags, MAPPING_AT(node), "\"%s\" is %s in %s, so it has no \"%s\"", known->name,
	    mapping_known_kind(known)->noun, whose, path->text);
	return false;
}

/* Finds the field that holds the resource's name. */
const struct mapping_field *
mapping_compiler_name(const struct mapping_compiler *c)
{
	const struct mapping *m = c->mapping;

	for (size_t i = 0; i < m->fields.count && c->resource->name != NULL; i++)
		if (mapping_path_is(&m->fields.items[i].local, c->resource->name))
			return &m->fields.items[i];
	return NULL;
}

/* Finds a field. */
const struct mapping_field *
mapping_compiler_field(const struct mapping_compiler *c, const char *local)
{
	const struct mapping_fields *fields = &c->mapping->fields;

	for (size_t i = 0; i < fields->count; i++)
		if (strcmp(fields->items[i].local.text, local) == 0)
			return &fields->items[i];
	return NULL;
}

/* Whether the gateway keeps a field. */
bool
mapping_compiler_is_kept(const struct mapping_compiler *c, const char *local)
{
	for (size_t i = 0; i < c->mapping->kept_count; i++)
		if (strcmp(c->mapping->kept[i].local.text, local) == 0)
			return true;
	return false;
}
