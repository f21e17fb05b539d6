#include "config.h"

#include "mapping/mapping_convert.h"
#include "mapping/mapping_values.h"

#include <string.h>

/* The long form of a field while it is read; NULL for what is not given. */
struct mapping_field_form {
	const struct yaml_node *key;
	const struct yaml_node *map; /* the long form itself */
	const struct yaml_node *to; /* the short form's value, too */
	const struct yaml_node *when_absent, *when_absent_key, *omit_when, *when;
	bool read_only, write_only, lossy;
};

/* Reads the directions in which a field goes. */
static void
mapping_field_directions(struct mapping_compiler *c, struct mapping_field_form *form)
{
	const struct mapping_convert *outer = c->outer;

	form->read_only = mapping_compiler_flag(c, form->map, "read_only");
	form->write_only = mapping_compiler_flag(c, form->map, "write_only");
	form->lossy = mapping_compiler_flag(c, form->map, "lossy");
	if (form->read_only && form->write_only) {
		diag_add(c->diags, MAPPING_AT(yaml_node_key(form->map, "write_only")),
		    "a field that is read_only and write_only goes nowhere; keep one of them");
		form->write_only = false;
	}
	if (outer != NULL) {
		form->read_only |= !outer->sent;
		form->write_only |= !outer->received;
		form->lossy |= outer->lossy;
	}
}

/* Sorts the short and the long form; false with a mistake added. */
static bool
mapping_field_form(struct mapping_compiler *c, const struct yaml_node *key,
    const struct yaml_node *value, struct mapping_field_form *form)
{
	static const char *const words[] = {"to", "when_absent", "omit_when", "read_only",
	    "write_only", "lossy", "when", MAPPING_CONVERT_WORDS};

	memset(form, 0, sizeof *form);
	form->key = key;
	form->to = value;
	if (value->kind == YAML_SCALAR && !yaml_node_is_null(value)) {
		mapping_field_directions(c, form);
		return true;
	}
	if (value->kind != YAML_MAP) {
		diag_add(c->diags, MAPPING_AT(value),
		    "\"%s\" needs the Bluejay member it goes to; write %s: name, or "
		    "%s: {to: name}",
		    key->text, key->text, key->text);
		return false;
	}
	mapping_compiler_keys(c, value, words, sizeof words / sizeof *words);
	form->map = value;
	form->to = yaml_node_get(value, "to");
	form->when_absent = yaml_node_get(value, "when_absent");
	form->when_absent_key = yaml_node_key(value, "when_absent");
	form->omit_when = yaml_node_get(value, "omit_when");
	form->when = yaml_node_get(value, "when");
	mapping_field_directions(c, form);
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

/* Compiles how the value is converted. */
static void
mapping_field_way(struct mapping_compiler *c, struct mapping_field *f,
    const struct mapping_field_form *form)
{
	struct mapping_convert convert = {
	    .map = form->map,
	    .at = form->to,
	    .local = f->local.text,
	    .upstream = f->upstream.text,
	    .local_known =
	        mapping_field_known_kind(&f->local, mapping_compiler_local(c, &f->local)),
	    .upstream_known =
	        mapping_field_known_kind(&f->upstream, mapping_compiler_upstream(c, &f->upstream)),
	    .sent = !f->read_only,
	    .received = !f->write_only,
	    .lossy = form->lossy};

	mapping_convert_compile(c, &convert, &f->way);
}

/* Refuses a direction that Bluejay's member does not have, or a value that
 * would not come back as it went. */
static void
mapping_field_check_round_trip(struct mapping_compiler *c, const struct mapping_field *f,
    const struct mapping_field_form *form)
{
	const struct mapping_known *known = mapping_compiler_upstream(c, &f->upstream);
	const struct mapping_known *local = mapping_compiler_local(c, &f->local);

	if (known != NULL && known->not_answered && f->read_only)
		diag_add(c->diags, MAPPING_AT(form->to),
		    "Bluejay takes \"%s\" but never answers it, so there is nothing to read; leave "
		    "the field out",
		    known->name);
	else if (known != NULL && known->not_answered && !f->write_only)
		diag_add(c->diags, MAPPING_AT(form->to),
		    "Bluejay takes \"%s\" but never answers it, so a field would lose its value; "
		    "put it under constants, or add write_only: true",
		    known->name);
	else if (known != NULL && known->set_there && !f->read_only)
		diag_add(c->diags, MAPPING_AT(form->to),
		    "Bluejay sets \"%s\" itself; add read_only: true", known->name);
	else if (local != NULL && local->answer_only && !f->read_only)
		diag_add(c->diags, MAPPING_AT(form->key),
		    "callers do not choose \"%s\"; add read_only: true", local->name);
	else if (mapping_convert_is_time(&f->way) && !f->read_only && !f->write_only &&
	    !form->lossy)
		diag_add(c->diags,
		    MAPPING_AT(yaml_node_get(form->map, "as") != NULL ? yaml_node_get(form->map, "as")
		                                                      : form->to),
		    "a time does not come back in the form in which it was sent; add "
		    "read_only: true, or lossy: true to accept the form "
		    "2026-01-28T10:00:00.000Z");
}

/* Reads a value that is not null; NULL with a mistake added. */
static struct json_object *
mapping_field_value(struct mapping_compiler *c, const struct yaml_node *node, const char *word)
{
	struct json_object *value;

	if (!mapping_value_read(c, node, &value))
		return NULL;
	if (value == NULL)
		diag_add(c->diags, MAPPING_AT(node),
		    "%s needs a value that is not null, such as \"\"; without "
		    "%s nothing is %s",
		    word, word, strcmp(word, "when_absent") == 0 ? "sent" : "left out");
	return value;
}

/* Whether a filler is one that Bluejay can hold; false with a mistake added.
 * *apart: no local value becomes it. */
static bool
mapping_field_filler_fits(struct mapping_compiler *c, const struct mapping_field *f,
    const struct yaml_node *node, struct json_object *filler, bool *apart)
{
	struct mapping_step step = {f->way.upstream, NULL};
	bool values = f->way.steps[f->way.count - 1].kind == &mapping_values_kind;
	struct mapping_trouble trouble;
	struct json_object *taken;

	taken = f->way.upstream->receive(&step, filler, &trouble);
	if (taken == NULL) {
		diag_add(c->diags, MAPPING_AT(node), "when_absent must be %s, as \"%s\" is",
		    f->way.upstream->noun, f->upstream.text);
		return false;
	}
	json_object_put(taken);
	taken = mapping_way_receive(&f->way, filler, &trouble);
	json_object_put(taken);
	*apart = taken == NULL && values;
	if (taken != NULL || values)
		return true;
	diag_add(c->diags, MAPPING_AT(node), "when_absent%s %s", trouble.path, trouble.text);
	return false;
}

/* Reads when_absent, a value as Bluejay gets it. */
static void
mapping_field_filler(struct mapping_compiler *c, struct mapping_field *f,
    const struct mapping_field_form *form)
{
	struct json_object *filler;

	if (form->when_absent == NULL)
		return;
	if (f->read_only) {
		diag_add(c->diags, MAPPING_AT(form->when_absent_key),
		    "a read_only field is never sent, so when_absent does nothing; keep one of "
		    "them");
		return;
	}
	filler = mapping_field_value(c, form->when_absent, "when_absent");
	if (filler == NULL)
		return;
	if (!mapping_field_filler_fits(c, f, form->when_absent, filler, &f->filler_apart)) {
		json_object_put(filler);
		return;
	}
	if (c->inside > 0 && !f->filler_apart && !f->write_only && !form->lossy)
		diag_add(c->diags, MAPPING_AT(form->when_absent_key),
		    "inside a list or object nothing remembers that \"%s\" was absent, so it would "
		    "come back as the value sent for it; add lossy: true to accept that, or leave "
		    "when_absent out",
		    f->local.text);
	f->filler = filler;
}

/* Reads omit_when, a value as callers give it. */
static void
mapping_field_omitted(struct mapping_compiler *c, struct mapping_field *f,
    const struct mapping_field_form *form)
{
	const struct yaml_node *key = yaml_node_key(form->map, "omit_when");
	const struct mapping_known *known = mapping_compiler_upstream(c, &f->upstream);
	struct mapping_step step = {f->way.local, NULL};
	struct mapping_trouble trouble;
	struct json_object *taken;

	if (key == NULL)
		return;
	if (f->read_only)
		diag_add(c->diags, MAPPING_AT(key),
		    "a read_only field is never sent, so omit_when does nothing; keep one of them");
	else if (known != NULL && known->required && f->upstream.count == 1)
		diag_add(c->diags, MAPPING_AT(key),
		    "Bluejay requires \"%s\" at create, so it cannot be left out; leave omit_when "
		    "out",
		    known->name);
	else if (c->inside > 0 && !f->write_only && !form->lossy)
		diag_add(c->diags, MAPPING_AT(key),
		    "inside a list or object nothing remembers a value that is not sent; add lossy: "
		    "true to accept that, or leave omit_when out");
	f->omitted = mapping_field_value(c, form->omit_when, "omit_when");
	if (f->omitted == NULL)
		return;
	taken = f->way.local->send(&step, f->omitted, &trouble);
	if (taken == NULL)
		diag_add(c->diags, MAPPING_AT(form->omit_when),
		    "omit_when must be %s, as \"%s\" is", f->way.local->noun, f->local.text);
	json_object_put(taken);
}

/* Reads the condition. */
static void
mapping_field_when(struct mapping_compiler *c, struct mapping_field *f,
    const struct mapping_field_form *form)
{
	const struct mapping_known *local = mapping_compiler_local(c, &f->local);

	if (form->when == NULL)
		return;
	if (local != NULL && local->always_given && f->local.count == 1)
		diag_add(c->diags, MAPPING_AT(yaml_node_key(form->map, "when")),
		    "a create needs \"%s\", so it cannot have a condition", local->name);
	else if (c->inside > 0)
		diag_add(c->diags, MAPPING_AT(yaml_node_key(form->map, "when")),
		    "a condition is possible only for fields of the %s itself", c->resource->noun);
	else
		f->when = mapping_condition_read(c, form->when);
}

/* Checks what holds only for a field without which no create comes this far. */
static void
mapping_field_check_given(struct mapping_compiler *c, const struct mapping_field *f,
    const struct mapping_field_form *form)
{
	const struct mapping_known *local = mapping_compiler_local(c, &f->local);

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
	if (!mapping_compiler_value_path(c, form->to, &f->upstream)) {
		mapping_path_free(&f->local);
		return false;
	}
	local = mapping_compiler_local(c, &f->local);
	ok = mapping_compiler_fits(c, form->key, &f->local, local, "the local API");
	if (!mapping_compiler_fits(c, form->to, &f->upstream,
	        mapping_compiler_upstream(c, &f->upstream), "Bluejay"))
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

	if (c->inside > 0 || mapping_compiler_upstream(c, &f->upstream) != NULL)
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
    const struct yaml_node *value, struct mapping_fields *fields)
{
	struct mapping_field f = {.place = mapping_compiler_place(c, key)};
	struct mapping_field_form form;
	const struct mapping_known *local;

	if (!mapping_field_form(c, key, value, &form) || !mapping_field_paths(c, &form, &f)) {
		c->whole = false;
		return;
	}
	local = mapping_compiler_local(c, &f.local);
	f.read_only = form.read_only;
	f.write_only = form.write_only;
	f.lossy = form.lossy;
	f.not_on_create = local != NULL && local->no_create;
	mapping_field_way(c, &f, &form);
	mapping_field_check_slip(c, &f, &form);
	mapping_field_check_round_trip(c, &f, &form);
	mapping_field_filler(c, &f, &form);
	mapping_field_omitted(c, &f, &form);
	mapping_field_when(c, &f, &form);
	mapping_field_check_given(c, &f, &form);
	f.fills = f.filler != NULL || form.when_absent != NULL;
	fields->items[fields->count++] = f;
}
