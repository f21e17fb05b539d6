#include "config.h"

#include "mapping/mapping_compiler.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Reads `present`. */
static bool
mapping_condition_present(struct mapping_compiler *c, const struct yaml_node *node,
    struct mapping_when *when)
{
	bool present = true;

	if (node != NULL && !yaml_node_bool(node, &present)) {
		diag_add(c->diags, MAPPING_AT(node), "present must be true or false");
		return false;
	}
	when->absent = !present;
	return true;
}

/* Notes where the field and what must hold of it stand. */
static void
mapping_condition_places(struct mapping_when *when, const struct yaml_node *field,
    const struct yaml_node *value)
{
	when->field_line = field->line;
	when->field_column = field->column;
	when->value_line = value->line;
	when->value_column = value->column;
}

/* Reads the long form. */
static bool
mapping_condition_form(struct mapping_compiler *c, const struct yaml_node *map,
    struct mapping_when *when)
{
	static const char *const words[] = {"field", "is", "present"};
	const struct yaml_node *field = yaml_node_get(map, "field"), *is = yaml_node_get(map, "is");
	const struct yaml_node *present = yaml_node_get(map, "present");

	mapping_compiler_keys(c, map, words, 3);
	if (field != NULL && is != NULL && present != NULL) {
		diag_add(c->diags, MAPPING_AT(yaml_node_key(map, "present")),
		    "is and present say different things of one field; keep one of them");
		return false;
	}
	if (field == NULL || (is == NULL && present == NULL)) {
		diag_add(c->diags, MAPPING_AT(map),
		    "when needs a local field and what must hold of it: {field: kind, is: voice} or "
		    "{field: kind, present: true}");
		return false;
	}
	if (is != NULL && !mapping_value_read(c, is, &when->is))
		return false;
	if (is != NULL && when->is == NULL) {
		diag_add(c->diags, MAPPING_AT(is),
		    "null counts as absent; write present: false instead of is");
		return false;
	}
	mapping_condition_places(when, field, is != NULL ? is : present);
	return mapping_condition_present(c, present, when) &&
	    mapping_compiler_value_path(c, field, &when->local);
}

/* Reads a condition. */
struct mapping_when *
mapping_condition_read(struct mapping_compiler *c, const struct yaml_node *node)
{
	struct mapping_when *when = mem_zero(1, sizeof *when);
	bool ok;

	when->line = node->line;
	when->column = node->column;
	when->built_in = c->built_in;
	mapping_condition_places(when, node, node);
	if (node->kind == YAML_MAP)
		ok = mapping_condition_form(c, node, when);
	else
		ok = mapping_compiler_value_path(c, node, &when->local);
	if (ok)
		return when;
	mapping_when_free(when);
	return NULL;
}

/* Adds a mistake at the field of a condition. */
static void
mapping_condition_refuse(struct mapping_compiler *c, const struct mapping_when *when, char *text)
{
	diag_add(c->diags, c->file, when->field_line, when->field_column, "%s", text);
	free(text);
}

/* Checks that the field can be the value. */
static void
mapping_condition_check_value(struct mapping_compiler *c, const struct mapping_when *when)
{
	struct mapping_trouble trouble;
	struct json_object *sent;

	if (when->is == NULL)
		return;
	sent = mapping_way_send(&when->field->way, when->is, &trouble);
	if (sent == NULL)
		diag_add(c->diags, c->file, when->value_line, when->value_column,
		    "this never holds: %s%s %s", when->local.text, trouble.path, trouble.text);
	json_object_put(sent);
}

/* Finds the field of a condition and checks that there is one to look at. */
static void
mapping_condition_check(struct mapping_compiler *c, struct mapping_when *when,
    const struct mapping_field *own)
{
	const char *name = when->local.text;

	when->field = mapping_compiler_field(c, name);
	if (when->field == NULL && own == NULL && mapping_compiler_is_kept(c, name))
		return;
	if (when->field == NULL)
		mapping_condition_refuse(c, when,
		    mem_format("\"%s\" is not under fields, so it is not known from Bluejay's "
		               "answer; add it there",
		        name));
	else if (when->field == own)
		mapping_condition_refuse(c, when,
		    mem_format("a field cannot be its own condition; without one, \"%s\" is sent "
		               "when it is given",
		        name));
	else if (when->field->read_only)
		mapping_condition_refuse(c, when,
		    mem_format("\"%s\" (line %d) is read_only, so no request holds it", name,
		        when->field->place.line));
	else if (when->field->write_only && own != NULL)
		mapping_condition_refuse(c, when,
		    mem_format("\"%s\" (line %d) is write_only, so no answer tells it", name,
		        when->field->place.line));
	else if (when->field->when != NULL)
		mapping_condition_refuse(c, when,
		    mem_format("\"%s\" (line %d) has a condition itself; name a field that has none",
		        name, when->field->place.line));
	else
		mapping_condition_check_value(c, when);
	if (when->absent && own != NULL)
		diag_add(c->diags, c->file, when->value_line, when->value_column,
		    "an update that leaves \"%s\" out does not say that it is absent, so present: "
		    "false is possible only for constants",
		    name);
}

/* Checks all conditions. */
void
mapping_condition_check_all(struct mapping_compiler *c)
{
	struct mapping *m = c->mapping;

	for (size_t i = 0; i < m->fields.count; i++)
		if (m->fields.items[i].when != NULL)
			mapping_condition_check(c, m->fields.items[i].when, &m->fields.items[i]);
	for (size_t i = 0; i < m->constant_count; i++)
		if (m->constants[i].when != NULL)
			mapping_condition_check(c, m->constants[i].when, NULL);
}
