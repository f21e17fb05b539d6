#include "config.h"

#include "mapping/mapping_compiler.h"

#include "json/json_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Moves over digits and counts them. */
static size_t
mapping_value_digits(const char **p)
{
	size_t n = strspn(*p, "0123456789");

	*p += n;
	return n;
}

/* Whether a plain scalar is a number of YAML 1.2's core schema (10.3.2). */
static bool
mapping_value_is_number(const char *text)
{
	const char *p = text;
	size_t whole;

	p += *p == '-' || *p == '+';
	whole = mapping_value_digits(&p);
	if (*p == '.') {
		p++;
		whole += mapping_value_digits(&p);
	}
	if (whole == 0)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		if (mapping_value_digits(&p) == 0)
			return false;
	}
	return *p == '\0';
}

/* Whether a plain scalar is one of the core schema's numbers that JSON lacks. */
static bool
mapping_value_is_no_number(const char *text)
{
	static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};

	text += *text == '-' || *text == '+';
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

/* Whether the text of a number is JSON's, too, which knows no largest one. */
static bool
mapping_value_is_json(const char *text)
{
	struct json_object *number = NULL;
	bool is = json_read(text, strlen(text), &number, NULL);

	json_object_put(number);
	return is;
}

/* Reads a number, with its digits when they are JSON's too. */
static struct json_object *
mapping_value_number(const char *text)
{
	struct json_object *number;

	if (json_read(text, strlen(text), &number, NULL))
		return number;
	return json_object_new_double(strtod(text, NULL));
}

/* Reads a scalar by the core schema. */
static bool
mapping_value_scalar(struct mapping_compiler *c, const struct yaml_node *node,
    struct json_object **out)
{
	bool plain = !node->quoted && !node->expanded, truth;
	long long integer;

	if (mapping_compiler_has_reference(node)) {
		diag_add(c->diags, MAPPING_AT(node),
		    "${project.…} is possible only as the whole value of a constant");
		return false;
	}
	if (plain && (mapping_value_is_no_number(node->text) ||
	        (mapping_value_is_number(node->text) && !mapping_value_is_json(node->text) &&
	            !isfinite(strtod(node->text, NULL))))) {
		diag_add(c->diags, MAPPING_AT(node),
		    "JSON has no number for \"%s\"; write it in quotes for a text", node->text);
		return false;
	}
	if (yaml_node_is_null(node))
		*out = NULL;
	else if (yaml_node_bool(node, &truth))
		*out = json_object_new_boolean(truth);
	else if (yaml_node_int(node, &integer))
		*out = json_object_new_int64(integer);
	else if (plain && mapping_value_is_number(node->text))
		*out = mapping_value_number(node->text);
	else
		*out = json_object_new_string(node->text);
	return true;
}

/* Reads any value. */
bool
mapping_value_read(struct mapping_compiler *c, const struct yaml_node *node,
    struct json_object **out)
{
	struct json_object *item;
	bool ok = true;

	*out = NULL;
	if (node->kind == YAML_SCALAR)
		return mapping_value_scalar(c, node, out);
	*out = node->kind == YAML_LIST ? json_object_new_array() : json_object_new_object();
	for (size_t i = 0; i < node->count; i++) {
		if (!mapping_value_read(c, node->items[i], &item))
			ok = false;
		else if (node->kind == YAML_LIST)
			json_object_array_add(*out, item);
		else
			json_object_object_add(*out, node->keys[i]->text, item);
	}
	if (!ok) {
		json_object_put(*out);
		*out = NULL;
	}
	return ok;
}
