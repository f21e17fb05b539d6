#include "config.h"

#include "mapping/mapping_compiler.h"
#include "mapping/mapping_template.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum mapping_check_part {
	MAPPING_CHECK_FIELD,
	MAPPING_CHECK_CONSTANT,
	MAPPING_CHECK_TEMPLATE,
	MAPPING_CHECK_KEPT
};

/* A declaration that claims a place on one of the two sides. */
struct mapping_check_claim {
	const struct mapping_path *path;
	const char *local; /* the field's own name; NULL for others */
	enum mapping_check_part part;
	const struct mapping_place *place;
	const struct mapping_when *when; /* NULL: always */
	struct mapping_check_claim *twin; /* an earlier claim on the same place */
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
	else if (b->part == MAPPING_CHECK_TEMPLATE)
		mapping_check_refuse(c, a, b,
		    mem_format("\"%s\" gets %s%s%s (%s) and a template (%s); keep one of them",
		        a->path->text, a->local != NULL ? "the field \"" : "a constant",
		        a->local != NULL ? a->local : "", a->local != NULL ? "\"" : "", where_a,
		        where_b));
	else if (b->part == MAPPING_CHECK_CONSTANT)
		mapping_check_refuse(c, a, b,
		    mem_format("\"%s\" gets the field \"%s\" (%s) and a constant (%s); keep one of "
		               "them",
		        a->path->text, a->local, where_a, where_b));
	else if (strcmp(a->local, b->local) == 0)
		mapping_check_refuse(c, a, b,
		    mem_format("\"%s\" would be read out of two templates (%s and %s), which may say "
		               "different things; keep it in one of them, or give it a place of its "
		               "own in fields or kept_here",
		        a->local, where_a, where_b));
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
		if (other == NULL) {
			HASH_ADD_KEYPTR(hh, table, text, len, &claims[i]);
			continue;
		}
		claims[i].twin = other->twin;
		other->twin = &claims[i];
		if (!mapping_when_exclusive(other->when, claims[i].when))
			mapping_check_same(c, other, &claims[i]);
		for (other = claims[i].twin; other != NULL; other = other->twin)
			if (!mapping_when_exclusive(other->when, claims[i].when))
				mapping_check_same(c, other, &claims[i]);
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
		    .place = &fields->items[i].place,
		    .when = local_side ? NULL : fields->items[i].when};
	return fields->count;
}

/* Adds the places of a template: the fields that have no other, or its own. */
static size_t
mapping_check_claim_template(const struct mapping_template *t, bool local_side,
    struct mapping_check_claim *claims)
{
	size_t n = 0;

	for (size_t i = 0; local_side && i + 1 < t->count; i++)
		if (t->pieces[i].only_here)
			claims[n++] = (struct mapping_check_claim){.path = &t->pieces[i].local,
			    .local = t->pieces[i].local.text,
			    .part = MAPPING_CHECK_FIELD,
			    .place = &t->place};
	if (!local_side)
		claims[n++] = (struct mapping_check_claim){.path = &t->upstream,
		    .part = MAPPING_CHECK_TEMPLATE,
		    .place = &t->place};
	return n;
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
	size_t n = m->fields.count + m->constant_count + m->kept_count;

	for (size_t i = 0; i < m->template_count; i++)
		n += m->templates[i].count;
	claims = mem_zero(n, sizeof *claims);
	n = mapping_check_claim_fields(&m->fields, local_side, claims);
	for (size_t i = 0; local_side && i < m->kept_count; i++)
		claims[n++] = (struct mapping_check_claim){.path = &m->kept[i].local,
		    .part = MAPPING_CHECK_KEPT,
		    .place = &m->kept[i].place};
	for (size_t i = 0; !local_side && i < m->constant_count; i++)
		claims[n++] = (struct mapping_check_claim){.path = &m->constants[i].upstream,
		    .part = MAPPING_CHECK_CONSTANT,
		    .place = &m->constants[i].place,
		    .when = m->constants[i].when};
	for (size_t i = 0; i < m->template_count; i++)
		n += mapping_check_claim_template(&m->templates[i], local_side, &claims[n]);
	mapping_check_claims(c, claims, n);
	free(claims);
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
	for (size_t i = 0; i < m->template_count; i++)
		for (size_t k = 0; k + 1 < m->templates[i].count; k++)
			if (strcmp(m->templates[i].pieces[k].local.keys[0], local) == 0)
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
			    known->name, known->name,
			    known->usual != NULL ? known->usual : known->name, known->type);
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
	if (section == NULL)
		return;
	head = mapping_check_head(section);
	if (!named && c->whole)
		diag_add(c->diags, MAPPING_AT(head),
		    "a %s needs the field \"%s\"; add %s: %s", c->resource->noun, name, name,
		    mapping_known_find(c->resource->local, name)->usual);
	mapping_require(c, head);
	if (c->diags->errors == c->errors)
		mapping_check_dropped(c, head);
}
