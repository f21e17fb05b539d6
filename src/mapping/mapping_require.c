#include "config.h"

#include "mapping/mapping_compiler.h"
#include "mapping/mapping_template.h"
#include "mapping/mapping_values.h"

#include <string.h>

/* Members that Bluejay requires at create: whether a create can lack one. */

/* What goes to a member, when it may lack a value. */
struct mapping_require {
	const char *member;
	const struct mapping_field *field;       /* that may be absent or is read_only; or NULL */
	const struct mapping_template *template; /* with a field that may be absent; or NULL */
	const struct mapping_when *when;         /* a condition on what goes there; or NULL */
};

/* Whether a create always holds a field. */
static bool
mapping_require_is_given(const struct mapping *m, const struct mapping_field *f)
{
	const struct mapping_known *local = mapping_resource_local(m->resource, &f->local);

	/* one that is always given and read_only was refused already */
	return (local != NULL && local->always_given) || (f->fills && !f->read_only);
}

/* Whether a template always has a text. */
static bool
mapping_require_is_filled(const struct mapping_template *t)
{
	for (size_t i = 0; i + 1 < t->count; i++)
		if (t->pieces[i].filler == NULL && !t->pieces[i].always_given)
			return false;
	return true;
}

/* The condition of the i-th declaration that goes to a member and always has a
 * value when it holds; NULL for others. */
static const struct mapping_when *
mapping_require_condition(const struct mapping *m, const char *member, size_t i)
{
	if (i < m->fields.count) {
		const struct mapping_field *f = &m->fields.items[i];

		return mapping_path_is(&f->upstream, member) && mapping_require_is_given(m, f)
		    ? f->when
		    : NULL;
	}
	i -= m->fields.count;
	return mapping_path_is(&m->constants[i].upstream, member) ? m->constants[i].when : NULL;
}

/* Whether some condition that goes to the member holds when a field has a value
 * (NULL: when it is absent). */
static bool
mapping_require_covers(const struct mapping *m, const char *member, const char *local,
    struct json_object *value)
{
	for (size_t i = 0; i < m->fields.count + m->constant_count; i++) {
		const struct mapping_when *when = mapping_require_condition(m, member, i);

		if (when != NULL && strcmp(when->local.text, local) == 0 &&
		    mapping_when_holds(when, value))
			return true;
	}
	return false;
}

/* Whether conditions on one field cover all that it can be. */
static bool
mapping_require_covers_all(const struct mapping *m, const char *member,
    const struct mapping_when *when)
{
	const struct mapping_way *way = when->field == NULL ? NULL : &when->field->way;
	const struct mapping_values *values;

	if (!mapping_require_covers(m, member, when->local.text, NULL) &&
	    (when->field == NULL || !mapping_require_is_given(m, when->field) ||
	        when->field->fills))
		return false;
	for (size_t i = 0; i < m->fields.count + m->constant_count; i++) {
		const struct mapping_when *other = mapping_require_condition(m, member, i);

		if (other != NULL && strcmp(other->local.text, when->local.text) == 0 &&
		    other->is == NULL && !other->absent)
			return true;
	}
	if (way == NULL || way->steps[way->count - 1].kind != &mapping_values_kind)
		return false;
	values = way->steps[way->count - 1].data;
	if (!mapping_values_named_only(values))
		return false;
	for (size_t i = 0; i < mapping_values_count(values); i++)
		if (!mapping_require_covers(m, member, when->local.text,
		        mapping_values_local(values, i)))
			return false;
	return true;
}

/* Whether a create always has a value for a member; else tells what goes there. */
static bool
mapping_require_is_supplied(const struct mapping *m, struct mapping_require *r)
{
	for (size_t i = 0; i < m->constant_count; i++) {
		if (!mapping_path_is(&m->constants[i].upstream, r->member))
			continue;
		if (m->constants[i].when == NULL ||
		    mapping_require_covers_all(m, r->member, m->constants[i].when))
			return true;
		r->when = m->constants[i].when;
	}
	for (size_t i = 0; i < m->template_count; i++) {
		if (!mapping_path_is(&m->templates[i].upstream, r->member))
			continue;
		if (mapping_require_is_filled(&m->templates[i]))
			return true;
		r->template = &m->templates[i];
	}
	for (size_t i = 0; i < m->fields.count; i++) {
		const struct mapping_field *f = &m->fields.items[i];

		if (!mapping_path_is(&f->upstream, r->member))
			continue;
		if (mapping_require_is_given(m, f) &&
		    (f->when == NULL || mapping_require_covers_all(m, r->member, f->when)))
			return true;
		if (mapping_require_is_given(m, f))
			r->when = f->when;
		else
			r->field = f;
	}
	return false;
}

/* Adds the mistake of a template with a field that may be absent. */
static void
mapping_require_refuse_template(struct mapping_compiler *c, const struct mapping_require *r)
{
	const struct mapping_piece *piece = r->template->pieces;

	while (piece->filler != NULL || piece->always_given)
		piece++;
	diag_add(c->diags, c->file, r->template->place.line, r->template->place.column,
	    "Bluejay requires \"%s\" at create, but \"%s\" may be absent, and then there is no text; "
	    "add when_absent: {%s: \"\"}",
	    r->member, piece->local.text, piece->local.text);
}

/* Checks one member. */
static void
mapping_require_member(struct mapping_compiler *c, const struct mapping_known *known,
    const struct yaml_node *head)
{
	struct mapping_require r = {.member = known->name};
	const char *usual = known->usual != NULL ? known->usual : known->name;

	if (mapping_require_is_supplied(c->mapping, &r))
		return;
	if (r.field != NULL)
		diag_add(c->diags, c->file, r.field->place.line, r.field->place.column,
		    "Bluejay requires \"%s\" at create, but the field \"%s\" %s; write "
		    "%s: {to: %s, when_absent: \"\"}",
		    known->name, r.field->local.text,
		    r.field->read_only ? "is read_only" : "may be absent", r.field->local.text,
		    known->name);
	else if (r.template != NULL)
		mapping_require_refuse_template(c, &r);
	else if (r.when != NULL)
		diag_add(c->diags, c->file, r.when->line, r.when->column,
		    "Bluejay requires \"%s\" at create, and it gets a value only under conditions "
		    "that do not cover everything; add a constant for the rest, such as %s: {value: "
		    "\"\", when: {field: %s, present: false}}",
		    known->name, known->name, r.when->local.text);
	else if (c->whole) /* an entry that could not be read might give it */
		diag_add(c->diags, MAPPING_AT(head),
		    "Bluejay requires \"%s\" at create, and nothing gives it; add a field such as "
		    "%s: {to: %s, when_absent: \"\"}, or a constant",
		    known->name, usual, known->name);
}

/* Checks all members. Without the name, which the gateway keeps unique, that
 * member was spoken of already. */
void
mapping_require(struct mapping_compiler *c, const struct yaml_node *head)
{
	const char *name = c->resource->name;
	bool named = name == NULL || mapping_compiler_name(c) != NULL;

	for (const struct mapping_known *known = c->resource->upstream; known->name != NULL; known++)
		if (known->required && (named || known->usual == NULL || strcmp(known->usual, name) != 0))
			mapping_require_member(c, known, head);
}
