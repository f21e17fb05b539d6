#include "config.h"

#include "mapping/mapping_compiler.h"

#include "base/mem.h"

#include <string.h>

/* The long form of a field while it is read; NULL for what is not given. */
struct mapping_field_form {
	const struct yaml_node *key;
	const struct yaml_node *to; /* the short form's value, too */
	const struct yaml_node *as, *when_absent, *when_absent_key;
	bool read_only, lossy;
};

/* Reads a true or false of the long form. */
static bool
mapping_field_flag(struct mapping_compiler *c, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_node_get(map, key);
	bool value = false;

	if (node != NULL && !yaml_node_bool(node, &value))
		diag_add(c->diags, MAPPING_AT(node), "%s must be true or false", key);
	return value;
}

/* Sorts the short and the long form; false with a mistake added. */
static bool
mapping_field_form(struct mapping_compiler *c, const struct yaml_node *key,
    const struct yaml_node *value, struct mapping_field_form *form)
{
	static const char *const words[] = {"to", "when_absent", "as", "read_only", "lossy"};

	memset(form, 0, sizeof *form);
	form->key = key;
	form->to = value;
	if (value->kind == YAML_SCALAR && !yaml_node_is_null(value))
		return true;
	if (value->kind != YAML_MAP) {
		diag_add(c->diags, MAPPING_AT(value),
		    "\"%s\" needs the Bluejay member it goes to; write %s: name, or "
		    "%s: {to: name}",
		    key->text, key->text, key->text);
		return false;
	}
	mapping_compiler_keys(c, value, words, sizeof words / sizeof *words);
	form->to = yaml_node_get(value, "to");
	form->as = yaml_node_get(value, "as");
	form->when_absent = yaml_node_get(value, "when_absent");
	form->when_absent_key = yaml_node_key(value, "when_absent");
	form->read_only = mapping_field_flag(c, value, "read_only");
	form->lossy = mapping_field_flag(c, value, "lossy");
	if (form->to == NULL || yaml_node_is_null(form->to)) {
		diag_add(c->diags, MAPPING_AT(value),
		    "\"%s\" needs to: with the Bluejay member it goes to", key->text);
		return false;
	}
	return true;
}

/* What is known of the value at a path: of the member itself, not of what lies
 * inside it. */
static const struct mapping_step_kind *
mapping_field_known_kind(const struct mapping_path *path, const struct mapping_known *known)
{
	return known != NULL && path->count == 1 ? mapping_known_kind(known) : NULL;
}

/* Reads `as`; NULL when it is not given or wrong. */
static const struct mapping_step_kind *
mapping_field_as(struct mapping_compiler *c, const struct yaml_node *as)
{
	const char *words[16];
	const struct mapping_step_kind *kind = NULL;
	size_t count = 0;

	if (as == NULL)
		return NULL;
	if (as->kind == YAML_SCALAR)
		kind = mapping_step_find(as->text);
	if (kind != NULL)
		return kind;
	for (; count < 16 && mapping_step_at(count) != NULL; count++)
		words[count] = mapping_step_at(count)->name;
	mapping_compiler_unknown(c, as, "type", words, count);
	return NULL;
}

/* Chooses the type: `as`, or what is known of either side, or any value. */
static const struct mapping_step_kind *
mapping_field_kind(struct mapping_compiler *c, const struct mapping_field *f,
    const struct mapping_field_form *form)
{
	const struct mapping_step_kind *local, *upstream, *as = mapping_field_as(c, form->as);
	const struct yaml_node *at = form->as != NULL ? form->as : form->to;

	local = mapping_field_known_kind(&f->local, mapping_resource_local(c->resource, &f->local));
	upstream = mapping_field_known_kind(&f->upstream,
	    mapping_resource_upstream(c->resource, &f->upstream));
	if (as != NULL && local != NULL && as != local) {
		diag_add(c->diags, MAPPING_AT(at),
		    "\"%s\" is %s in the local API, so as: %s is wrong; leave it out",
		    f->local.text, local->noun, as->name);
		return local;
	}
	if (as == NULL)
		as = local;
	if (as != NULL && upstream != NULL && as->json != upstream->json) {
		diag_add(c->diags, MAPPING_AT(at),
		    "\"%s\" is %s in Bluejay, but \"%s\" is %s; choose another member",
		    f->upstream.text, upstream->noun, f->local.text, as->noun);
		return as;
	}
	if (as == NULL)
		as = upstream;
	return as != NULL ? as : mapping_step_find("json");
}

/* Refuses a direction that Bluejay's member does not have, or a value that
 * would not come back as it went. */
static void
mapping_field_check_round_trip(struct mapping_compiler *c, const struct mapping_field *f,
    const struct mapping_field_form *form)
{
	const struct mapping_known *known = mapping_resource_upstream(c->resource, &f->upstream);
	const struct mapping_known *local = mapping_resource_local(c->resource, &f->local);

	if (known != NULL && known->not_answered)
		diag_add(c->diags, MAPPING_AT(form->to),
		    "Bluejay takes \"%s\" but never answers it, so a field would lose its value; "
		    "put it under constants",
		    known->name);
	else if (known != NULL && known->set_there && !f->read_only)
		diag_add(c->diags, MAPPING_AT(form->to),
		    "Bluejay sets \"%s\" itself; add read_only: true", known->name);
	else if (local != NULL && local->answer_only && !f->read_only)
		diag_add(c->diags, MAPPING_AT(form->key),
		    "callers do not choose \"%s\"; add read_only: true", local->name);
	else if (strcmp(f->steps[0].kind->name, "timestamp") == 0 && !f->read_only && !form->lossy)
		diag_add(c->diags, MAPPING_AT(form->as != NULL ? form->as : form->to),
		    "a time does not come back in the form in which it was sent; add "
		    "read_only: true, or lossy: true to accept the form "
		    "2026-01-28T10:00:00.000Z");
}

/* Reads when_absent, a value as Bluejay gets it. */
static void
mapping_field_filler(struct mapping_compiler *c, struct mapping_field *f,
    const struct mapping_field_form *form)
{
	const struct mapping_step *last = &f->steps[f->step_count - 1];
	struct json_object *filler, *taken;

	if (form->when_absent == NULL)
		return;
	if (f->read_only) {
		diag_add(c->diags, MAPPING_AT(form->when_absent_key),
		    "a read_only field is never sent, so when_absent does nothing; keep one of "
		    "them");
		return;
	}
	if (!mapping_value_read(c, form->when_absent, &filler))
		return;
	if (filler == NULL) {
		diag_add(c->diags, MAPPING_AT(form->when_absent),
		    "when_absent needs a value that is not null, such as \"\"; without "
		    "when_absent nothing is sent");
		return;
	}
	taken = last->kind->receive(last, filler);
	if (taken == NULL) {
		diag_add(c->diags, MAPPING_AT(form->when_absent),
		    "when_absent must be %s, as \"%s\" is", last->kind->noun, f->upstream.text);
		json_object_put(filler);
		return;
	}
	json_object_put(taken);
	f->filler = filler;
}

/* Checks what holds only for a field without which no create comes this far. */
static void
mapping_field_check_given(struct mapping_compiler *c, const struct mapping_field *f,
    const struct mapping_field_form *form)
{
	const struct mapping_known *local = mapping_resource_local(c->resource, &f->local);

	if (local == NULL || !local->always_given || f->local.count != 1)
		return;
	if (f->read_only)
		diag_add(c->diags, MAPPING_AT(form->key),
		    "a create needs \"%s\", so it cannot be read_only", local->name);
	else if (form->when_absent != NULL)
		diag_warn(c->diags, MAPPING_AT(form->when_absent_key),
		    "a %s always has a %s, so when_absent does nothing", c->resource->noun,
		    local->name);
}

/* Reads both paths; false with mistakes added and nothing to free. */
static bool
mapping_field_paths(struct mapping_compiler *c, const struct mapping_field_form *form,
    struct mapping_field *f)
{
	const struct mapping_known *local;
	bool ok;

	if (!mapping_compiler_path(c, form->key, &f->local))
		return false;
	if (!mapping_compiler_path(c, form->to, &f->upstream)) {
		mapping_path_free(&f->local);
		return false;
	}
	local = mapping_resource_local(c->resource, &f->local);
	ok = mapping_compiler_fits(c, form->key, &f->local, local, "the local API");
	if (!mapping_compiler_fits(c, form->to, &f->upstream,
	        mapping_resource_upstream(c->resource, &f->upstream), "Bluejay"))
		ok = false;
	if (ok && local != NULL && local->built_in) {
		diag_add(c->diags, MAPPING_AT(form->key),
		    "\"%s\" is built in; leave it out of fields", local->name);
		ok = false;
	}
	if (!ok) {
		mapping_path_free(&f->local);
		mapping_path_free(&f->upstream);
	}
	return ok;
}

#define MAPPING_FIELD_SLIP 4 /* letters from which on a likeness means something */

/* Warns of a Bluejay member that looks like a slip for a known one. */
static void
mapping_field_check_slip(struct mapping_compiler *c, const struct mapping_field *f,
    const struct mapping_field_form *form)
{
	const struct mapping_known *known = c->resource->upstream;
	const char *words[16], *near;
	size_t count = 0;

	if (mapping_resource_upstream(c->resource, &f->upstream) != NULL)
		return;
	for (; count < 16 && known->name != NULL; known++)
		if (strlen(known->name) >= MAPPING_FIELD_SLIP)
			words[count++] = known->name;
	near = diag_nearest(f->upstream.keys[0], words, count);
	if (near != NULL)
		diag_warn(c->diags, MAPPING_AT(form->to),
		    "Bluejay is not known to have \"%s\"; did you mean \"%s\"?",
		    f->upstream.keys[0], near);
}

/* Compiles one entry of `fields`. */
void
mapping_field_compile(struct mapping_compiler *c, const struct yaml_node *key,
    const struct yaml_node *value)
{
	struct mapping_field f = {.place = mapping_compiler_place(c, key)};
	struct mapping_field_form form;
	const struct mapping_known *local;

	if (!mapping_field_form(c, key, value, &form) || !mapping_field_paths(c, &form, &f)) {
		c->whole = false;
		return;
	}
	local = mapping_resource_local(c->resource, &f.local);
	f.read_only = form.read_only;
	f.not_on_create = local != NULL && local->no_create;
	f.steps = mem_zero(1, sizeof *f.steps);
	f.step_count = 1;
	f.steps[0].kind = mapping_field_kind(c, &f, &form);
	mapping_field_check_slip(c, &f, &form);
	mapping_field_check_round_trip(c, &f, &form);
	mapping_field_filler(c, &f, &form);
	mapping_field_check_given(c, &f, &form);
	f.fills = f.filler != NULL || form.when_absent != NULL;
	c->mapping->fields[c->mapping->field_count++] = f;
}
