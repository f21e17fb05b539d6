#include "config.h"

#include "mapping/mapping_compiler.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum mapping_check_part { MAPPING_CHECK_FIELD, MAPPING_CHECK_CONSTANT, MAPPING_CHECK_KEPT };

/* A declaration that claims a place on one of the two sides. */
struct mapping_check_claim {
	const struct mapping_path *path;
	const char *local; /* the field's own name; NULL for others */
	enum mapping_check_part part;
	const struct mapping_place *place;
	UT_hash_handle hh;
};

#define MAPPING_CHECK_WHERE 32

/* Writes "line 4" or "built-in". */
static const char *
mapping_check_where(const struct mapping_check_claim *claim, char out[MAPPING_CHECK_WHERE])
{
	if (claim->place->built_in)
		return "built-in";
	snprintf(out, MAPPING_CHECK_WHERE, "line %d", claim->place->line);
	return out;
}

/* Whether a declaration stands after another one; the user's after the built-in. */
static bool
mapping_check_is_later(const struct mapping_place *a, const struct mapping_place *b)
{
	if (a->built_in != b->built_in)
		return b->built_in;
	return a->line != b->line ? a->line > b->line : a->column > b->column;
}

/* Adds a mistake at the later of two declarations. */
static void
mapping_check_refuse(struct mapping_compiler *c, const struct mapping_check_claim *a,
    const struct mapping_check_claim *b, char *sentence)
{
	const struct mapping_check_claim *later =
	    mapping_check_is_later(a->place, b->place) ? a : b;

	diag_add(c->diags, c->file, later->place->line, later->place->column, "%s%s", sentence,
	    a->place->built_in || b->place->built_in
	        ? " (a part that the file leaves out keeps its built-in entries)"
	        : "");
	free(sentence);
}

/* Two declarations for one place. */
static void
mapping_check_same(struct mapping_compiler *c, const struct mapping_check_claim *a,
    const struct mapping_check_claim *b)
{
	char at_a[MAPPING_CHECK_WHERE], at_b[MAPPING_CHECK_WHERE];
	const char *where_a = mapping_check_where(a, at_a), *where_b = mapping_check_where(b, at_b);

	if (a->part == MAPPING_CHECK_KEPT)
		mapping_check_refuse(c, a, b,
		    mem_format("\"%s\" stands in kept_here twice (%s and %s); keep one of them",
		        a->path->text, where_a, where_b));
	else if (b->part == MAPPING_CHECK_KEPT)
		mapping_check_refuse(c, a, b,
		    mem_format("\"%s\" is in fields (%s) and in kept_here (%s); keep it in one of "
		               "them",
		        a->path->text, where_a, where_b));
	else if (b->part == MAPPING_CHECK_CONSTANT)
		mapping_check_refuse(c, a, b,
		    mem_format("\"%s\" gets the field \"%s\" (%s) and a constant (%s); keep one of "
		               "them",
		        a->path->text, a->local, where_a, where_b));
	else
		mapping_check_refuse(c, a, b,
		    mem_format("\"%s\" (%s) and \"%s\" (%s) both go to \"%s\"; give each a Bluejay "
		               "member of its own",
		        a->local, where_a, b->local, where_b, a->path->text));
}

/* A declaration inside the place of another one. */
static void
mapping_check_inside(struct mapping_compiler *c, const struct mapping_check_claim *inner,
    const struct mapping_check_claim *outer)
{
	char at_inner[MAPPING_CHECK_WHERE], at_outer[MAPPING_CHECK_WHERE];

	mapping_check_refuse(c, inner, outer,
	    mem_format("\"%s\" (%s) lies inside \"%s\" (%s); declare the whole or its parts, not "
	               "both",
	        inner->path->text, mapping_check_where(inner, at_inner), outer->path->text,
	        mapping_check_where(outer, at_outer)));
}

/* Looks for claims on the same place and for one inside another. */
static void
mapping_check_claims(struct mapping_compiler *c, struct mapping_check_claim *claims, size_t count)
{
	struct mapping_check_claim *table = NULL, *other;

	for (size_t i = 0; i < count; i++) {
		const char *text = claims[i].path->text;
		size_t len = strlen(text);

		HASH_FIND(hh, table, text, len, other);
		if (other != NULL)
			mapping_check_same(c, other, &claims[i]);
		else
			HASH_ADD_KEYPTR(hh, table, text, len, &claims[i]);
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t keys = 1; keys < claims[i].path->count; keys++) {
			HASH_FIND(hh, table, claims[i].path->text,
			    mapping_path_prefix(claims[i].path, keys), other);
			if (other != NULL)
				mapping_check_inside(c, &claims[i], other);
		}
	}
	HASH_CLEAR(hh, table);
}

/* Adds the places of fields on one side. */
static size_t
mapping_check_claim_fields(const struct mapping_fields *fields, bool local_side,
    struct mapping_check_claim *claims)
{
	for (size_t i = 0; i < fields->count; i++)
		claims[i] = (struct mapping_check_claim){
		    .path = local_side ? &fields->items[i].local : &fields->items[i].upstream,
		    .local = fields->items[i].local.text,
		    .part = MAPPING_CHECK_FIELD,
		    .place = &fields->items[i].place};
	return fields->count;
}

/* Checks the places of fields inside a list or object. */
void
mapping_check_fields(struct mapping_compiler *c, const struct mapping_fields *fields)
{
	struct mapping_check_claim *claims = mem_zero(fields->count + 1, sizeof *claims);

	mapping_check_claims(c, claims, mapping_check_claim_fields(fields, true, claims));
	memset(claims, 0, (fields->count + 1) * sizeof *claims);
	mapping_check_claims(c, claims, mapping_check_claim_fields(fields, false, claims));
	free(claims);
}

/* Checks the places of one side: fields with kept ones, or with constants. */
static void
mapping_check_side(struct mapping_compiler *c, bool local_side)
{
	const struct mapping *m = c->mapping;
	struct mapping_check_claim *claims;
	size_t n;

	claims = mem_zero(m->fields.count + m->constant_count + m->kept_count, sizeof *claims);
	n = mapping_check_claim_fields(&m->fields, local_side, claims);
	for (size_t i = 0; local_side && i < m->kept_count; i++)
		claims[n++] = (struct mapping_check_claim){.path = &m->kept[i].local,
		    .part = MAPPING_CHECK_KEPT,
		    .place = &m->kept[i].place};
	for (size_t i = 0; !local_side && i < m->constant_count; i++)
		claims[n++] = (struct mapping_check_claim){.path = &m->constants[i].upstream,
		    .part = MAPPING_CHECK_CONSTANT,
		    .place = &m->constants[i].place};
	mapping_check_claims(c, claims, n);
	free(claims);
}

/* Whether a create always has a value for a required Bluejay member. *field is
 * one that goes there but may be absent, or NULL. */
static bool
mapping_check_is_supplied(const struct mapping *m, const char *member,
    const struct mapping_field **field)
{
	const struct mapping_known *local;

	*field = NULL;
	for (size_t i = 0; i < m->constant_count; i++)
		if (mapping_path_is(&m->constants[i].upstream, member))
			return true;
	for (size_t i = 0; i < m->fields.count; i++) {
		const struct mapping_field *f = &m->fields.items[i];

		if (!mapping_path_is(&f->upstream, member))
			continue;
		*field = f;
		/* one that is always given and read_only was refused already */
		local = mapping_resource_local(m->resource, &f->local);
		return (local != NULL && local->always_given) || (f->fills && !f->read_only);
	}
	return false;
}

/* Checks that one required member of Bluejay cannot lack a value at create. */
static void
mapping_check_member(struct mapping_compiler *c, const struct mapping_known *known,
    const struct yaml_node *section)
{
	const struct mapping_field *field;

	if (mapping_check_is_supplied(c->mapping, known->name, &field))
		return;
	if (field == NULL)
		diag_add(c->diags, MAPPING_AT(section),
		    "Bluejay requires \"%s\" at create, and nothing gives it; add a field such as "
		    "%s: {to: %s, when_absent: \"\"}, or a constant",
		    known->name, known->usual, known->name);
	else
		diag_add(c->diags, c->file, field->place.line, field->place.column,
		    "Bluejay requires \"%s\" at create, but the field \"%s\" %s; write "
		    "%s: {to: %s, when_absent: \"\"}",
		    known->name, field->local.text,
		    field->read_only ? "is read_only" : "may be absent", field->local.text,
		    known->name);
}

/* Whether a local member, or a part of it, goes anywhere. */
static bool
mapping_check_is_placed(const struct mapping *m, const char *local)
{
	for (size_t i = 0; i < m->fields.count; i++)
		if (strcmp(m->fields.items[i].local.keys[0], local) == 0)
			return true;
	for (size_t i = 0; i < m->kept_count; i++)
		if (strcmp(m->kept[i].local.keys[0], local) == 0)
			return true;
	return false;
}

/* Warns of members of the local API that would be dropped, or never answered. */
static void
mapping_check_dropped(struct mapping_compiler *c, const struct yaml_node *section)
{
	for (const struct mapping_known *known = c->resource->local; known->name != NULL; known++) {
		if (known->built_in || mapping_check_is_placed(c->mapping, known->name))
			continue;
		if (known->answer_only)
			diag_warn(c->diags, MAPPING_AT(section),
			    "answers will lack \"%s\"; add %s: {to: %s, as: %s, "
			    "read_only: true}",
			    known->name, known->name, known->usual, known->type);
		else
			diag_warn(c->diags, MAPPING_AT(section),
			    "\"%s\" is neither in fields nor in kept_here, so what callers give "
			    "is dropped",
			    known->name);
	}
}

/* The node at which messages about the section as a whole stand. */
static const struct yaml_node *
mapping_check_head(const struct yaml_node *section)
{
	const struct yaml_node *key = yaml_node_key(section, "fields");

	if (key == NULL)
		key = yaml_node_key(section, "kept_here");
	return key != NULL ? key : section;
}

/* Checks the whole mapping. A resource with a name, which the gateway keeps
 * unique, must have it, so without one the rest would only repeat that. */
void
mapping_check(struct mapping_compiler *c, const struct yaml_node *section)
{
	const struct yaml_node *head;
	const char *name = c->resource->name;
	bool named = name == NULL || mapping_compiler_name(c) != NULL;

	mapping_check_side(c, true);
	mapping_check_side(c, false);
	if (section == NULL || !c->whole)
		return;
	head = mapping_check_head(section);
	if (!named)
		diag_add(c->diags, MAPPING_AT(head),
		    "a %s needs the field \"%s\"; add %s: %s", c->resource->noun, name, name,
		    mapping_known_find(c->resource->local, name)->usual);
	for (const struct mapping_known *known = c->resource->upstream; known->name != NULL; known++)
		if (known->required && (named || strcmp(known->usual, name) != 0))
			mapping_check_member(c, known, head);
	if (c->diags->errors == c->errors)
		mapping_check_dropped(c, head);
}
