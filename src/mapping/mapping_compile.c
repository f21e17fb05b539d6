#include "config.h"

#include "mapping/mapping_compiler.h"
#include "mapping/mapping_copy_plan.h"
#include "mapping/mapping_entries.h"
#include "mapping/mapping_outline.h"
#include "mapping/mapping_template.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Reads what ${project.…} stands for; false with a mistake added. */
static bool
mapping_compile_reference(struct mapping_compiler *c, const struct yaml_node *node,
    enum mapping_constant_kind *kind)
{
	static const char *const words[] = {"${project.agent_id}", "${project.id}"};
	const char *close = strchr(node->text, '}');

	if (node->expanded || strncmp(node->text, "${project.", 10) != 0 || close == NULL ||
	    close[1] != '\0') {
		diag_add(c->diags, MAPPING_AT(node),
		    "${project.…} must be the whole value of the constant");
		return false;
	}
	if (strcmp(node->text, words[0]) == 0)
		*kind = MAPPING_CONSTANT_PROJECT_AGENT;
	else if (strcmp(node->text, words[1]) == 0)
		*kind = MAPPING_CONSTANT_PROJECT_ID;
	else
		mapping_compiler_unknown(c, node, "value", words, 2);
	return *kind != MAPPING_CONSTANT_VALUE;
}

/* Reads a constant's value; false with a mistake added. */
static bool
mapping_compile_constant_value(struct mapping_compiler *c, const struct yaml_node *node,
    struct mapping_constant *constant)
{
	constant->kind = MAPPING_CONSTANT_VALUE;
	if (mapping_compiler_has_reference(node))
		return mapping_compile_reference(c, node, &constant->kind);
	if (node->kind != YAML_SCALAR || yaml_node_is_null(node)) {
		diag_add(c->diags, MAPPING_AT(node),
		    "a constant is a text, a number, true or false; \"%s\" is none",
		    constant->upstream.text);
		return false;
	}
	return mapping_value_read(c, node, &constant->value);
}

/* Whether a constant has the type that Bluejay wants. */
static bool
mapping_compile_constant_fits(const struct mapping_constant *constant,
    const struct mapping_step_kind *kind)
{
	struct mapping_step step = {kind, NULL};
	struct mapping_trouble trouble;
	struct json_object *taken;

	if (constant->kind == MAPPING_CONSTANT_PROJECT_ID)
		return kind->json == json_type_string;
	if (constant->kind == MAPPING_CONSTANT_PROJECT_AGENT)
		return kind->json == json_type_int;
	taken = kind->receive(&step, constant->value, &trouble);
	json_object_put(taken);
	return taken != NULL;
}

/* Checks a constant against what is known of Bluejay's member. */
static void
mapping_compile_constant_check(struct mapping_compiler *c, const struct yaml_node *key,
    const struct yaml_node *node, const struct mapping_constant *constant)
{
	const struct mapping_known *known =
	    mapping_resource_upstream(c->resource, &constant->upstream);

	if (known == NULL)
		return;
	if (known->set_there)
		diag_add(c->diags, MAPPING_AT(key), "Bluejay sets \"%s\" itself; leave it out",
		    known->name);
	else if (mapping_compiler_fits(c, key, &constant->upstream, known, "Bluejay") &&
	    constant->upstream.count == 1 &&
	    !mapping_compile_constant_fits(constant, mapping_known_kind(known)))
		diag_add(c->diags, MAPPING_AT(node), "\"%s\" must be %s", known->name,
		    mapping_known_kind(known)->noun);
}

/* The value of a constant: of its long form, {value: …, when: …}, with the condition. */
static const struct yaml_node *
mapping_compile_constant_form(struct mapping_compiler *c, const struct yaml_node *node,
    struct mapping_constant *constant)
{
	static const char *const words[] = {"value", "when"};
	const struct yaml_node *value = yaml_node_get(node, "value");
	const struct yaml_node *when = yaml_node_get(node, "when");

	if (value == NULL)
		return node;
	mapping_compiler_keys(c, node, words, 2);
	if (when != NULL)
		constant->when = mapping_condition_read(c, when);
	return value;
}

/* Compiles one entry of `constants`. */
static void
mapping_compile_constant(struct mapping_compiler *c, const struct yaml_node *key,
    const struct yaml_node *node)
{
	struct mapping_constant constant = {.place = mapping_compiler_place(c, key)};

	if (!mapping_compiler_path(c, key, &constant.upstream)) {
		c->whole = false;
		return;
	}
	node = mapping_compile_constant_form(c, node, &constant);
	constant.hidden = node->expanded;
	if (!mapping_compile_constant_value(c, node, &constant)) {
		c->whole = false;
		mapping_path_free(&constant.upstream);
		mapping_when_free(constant.when);
		return;
	}
	mapping_compile_constant_check(c, key, node, &constant);
	c->mapping->constants[c->mapping->constant_count++] = constant;
}

/* Compiles one entry of `kept_here`, which has no key. */
static void
mapping_compile_kept(struct mapping_compiler *c, const struct yaml_node *key,
    const struct yaml_node *node)
{
	struct mapping_kept kept = {.place = mapping_compiler_place(c, node)};
	const struct mapping_step_kind *kind = mapping_step_find("json");
	const struct mapping_known *known;
	bool ok;

	if (!mapping_compiler_value_path(c, node, &kept.local)) {
		c->whole = false;
		return;
	}
	known = mapping_resource_local(c->resource, &kept.local);
	ok = mapping_compiler_fits(c, node, &kept.local, known, "the local API");
	if (ok && known != NULL && known->built_in) {
		diag_add(c->diags, MAPPING_AT(node),
		    "\"%s\" is built in; leave it out of kept_here", known->name);
		ok = false;
	}
	if (!ok) {
		c->whole = false;
		mapping_path_free(&kept.local);
		return;
	}
	if (known != NULL && known->answer_only)
		diag_add(c->diags, MAPPING_AT(node),
		    "callers do not choose \"%s\", so it cannot be kept here; declare it under "
		    "fields with read_only: true",
		    known->name);
	if (known != NULL && kept.local.count == 1)
		kind = mapping_known_kind(known);
	mapping_way_add(&kept.way, kind, NULL);
	kept.way.local = kept.way.upstream = kind;
	kept.not_on_create = known != NULL && known->no_create;
	c->mapping->kept[c->mapping->kept_count++] = kept;
}

/* Compiles one entry of `fields`; those with a template come later. */
static void
mapping_compile_field(struct mapping_compiler *c, const struct yaml_node *key,
    const struct yaml_node *node)
{
	if (yaml_node_key(node, "template") == NULL)
		mapping_field_compile(c, key, node, &c->mapping->fields);
}

/* Compiles one entry of `fields` if it has a template. */
static void
mapping_compile_field_template(struct mapping_compiler *c, const struct yaml_node *key,
    const struct yaml_node *node)
{
	if (yaml_node_key(node, "template") != NULL)
		mapping_template_compile_field(c, key, node);
}

/* Makes room for the entries of each part. */
static void
mapping_compile_room(struct mapping *m, size_t fields, size_t constants, size_t kept,
    size_t templates)
{
	m->fields.items = mem_zero(fields + 1, sizeof *m->fields.items);
	m->constants = mem_zero(constants + 1, sizeof *m->constants);
	m->kept = mem_zero(kept + 1, sizeof *m->kept);
	m->templates = mem_zero(fields + templates + 1, sizeof *m->templates);
}

#define MAPPING_COMPILE_PARTS 4

static const struct mapping_part mapping_compile_parts[MAPPING_COMPILE_PARTS] = {
    {"fields", YAML_MAP,
        "fields must be a map of local fields to Bluejay members, such as name: name"},
    {"constants", YAML_MAP,
        "constants must be a map of Bluejay members to values; write {} for none"},
    {"kept_here", YAML_LIST,
        "kept_here must be a list of local fields, such as [headers, imageUrl]; write [] for "
        "none"},
    {"templates", YAML_MAP, /* after those whose fields it looks for */
        "templates must be a map of Bluejay members to texts, such as goal: \"Speak "
        "{language}.\""},
};

/* Compiles each part from the section, or else from the default, with what
 * differs in `over`. */
static void
mapping_compile_all(struct mapping_compiler *c, const struct yaml_node *section,
    const struct yaml_node *defaults, const struct yaml_node *over)
{
	static void (*const compile[MAPPING_COMPILE_PARTS])(struct mapping_compiler *,
	    const struct yaml_node *, const struct yaml_node *) = {mapping_compile_field,
	    mapping_compile_constant, mapping_compile_kept, mapping_template_compile};
	struct mapping_entries entries[MAPPING_COMPILE_PARTS];

	for (size_t i = 0; i < MAPPING_COMPILE_PARTS; i++)
		entries[i] = mapping_entries_read(c, &mapping_compile_parts[i], section, defaults,
		    over);
	mapping_compile_room(c->mapping, entries[0].count, entries[1].count, entries[2].count,
	    entries[3].count);
	for (size_t i = 0; i < MAPPING_COMPILE_PARTS; i++) {
		for (size_t k = 0; k < entries[i].count; k++) {
			c->built_in = entries[i].items[k].built_in;
			compile[i](c, entries[i].items[k].key, entries[i].items[k].item);
		}
	}
	for (size_t k = 0; k < entries[0].count; k++) {
		c->built_in = entries[0].items[k].built_in;
		mapping_compile_field_template(c, entries[0].items[k].key, entries[0].items[k].item);
	}
	for (size_t i = 0; i < MAPPING_COMPILE_PARTS; i++)
		free(entries[i].items);
}

/* Whether a section can hold parts; false with a mistake added. */
static bool
mapping_compile_is_section(struct mapping_compiler *c, const struct yaml_node *section)
{
	static const char *const words[] = {"fields", "constants", "templates", "kept_here"};

	if (section == NULL)
		return true;
	if (section->kind == YAML_MAP)
		mapping_compiler_keys(c, section, words, sizeof words / sizeof *words);
	else
		diag_add(c->diags, MAPPING_AT(section),
		    "the mapping of %s must be a map of fields, constants, templates, kept_here",
		    c->resource->plural);
	return section->kind == YAML_MAP;
}

/* Compiles a section with what differs for a project. */
struct mapping *
mapping_compile_over(const struct mapping_resource *resource, const struct yaml_node *section,
    const struct yaml_node *over, struct diag_list *diags)
{
	struct mapping_compiler c = {.resource = resource, .diags = diags,
	    .errors = diags->errors, .whole = true};
	const struct yaml_node *last = over != NULL ? over : section;
	bool sound;

	c.mapping = mem_zero(1, sizeof *c.mapping);
	c.mapping->resource = resource;
	c.file = last != NULL ? last->file : "built-in";
	sound = mapping_compile_is_section(&c, section);
	if (mapping_compile_is_section(&c, over) && sound) {
		mapping_compile_all(&c, section, resource->defaults, over);
		mapping_condition_check_all(&c);
		mapping_check(&c, last);
		c.mapping->name = mapping_compiler_name(&c);
	}
	mapping_plan_finish(c.mapping);
	if (diags->errors == c.errors) {
		c.mapping->outline = mapping_outline_new(c.mapping);
		c.mapping->copy = mapping_copy_new(c.mapping);
		return c.mapping;
	}
	mapping_free(c.mapping);
	return NULL;
}

/* Compiles a section. */
struct mapping *
mapping_compile(const struct mapping_resource *resource, const struct yaml_node *section,
    struct diag_list *diags)
{
	return mapping_compile_over(resource, section, NULL, diags);
}

/* Frees a mapping; NULL is fine. */
void
mapping_free(struct mapping *m)
{
	if (m == NULL)
		return;
	mapping_copy_free(m->copy);
	mapping_outline_free(m->outline);
	mapping_plan_free(m);
}
