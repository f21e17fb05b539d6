#include "config.h"

#include "mapping/mapping_explain.h"

#include "base/mem.h"
#include "json/json_text.h"
#include "mapping/mapping_apply.h"
#include "mapping/mapping_template.h"
#include "mapping/mapping_tree.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

/* Who is told of which body. */
struct mapping_explain {
	const struct mapping *mapping;
	bool create;
	struct json_object *body;
	mapping_explain_fn fn;
	void *arg;
};

/* The names. */
const char *
mapping_explain_name(enum mapping_explain_what what)
{
	static const char *const names[] = {"copied", "renamed", "converted", "defaulted",
	    "constant", "kept here", "dropped", "left out"};

	return names[what];
}

/* Tells of one member. */
static void
mapping_explain_tell(const struct mapping_explain *x, enum mapping_explain_what what,
    const char *local, const char *upstream, const char *why, const struct mapping_place *place)
{
	struct mapping_explained e = {.what = what, .local = local, .upstream = upstream, .why = why};

	if (place != NULL) {
		e.built_in = place->built_in;
		e.line = place->built_in ? 0 : place->line;
		e.column = place->built_in ? 0 : place->column;
	}
	x->fn(x->arg, &e);
}

/* The value of a path, or NULL. *given says whether the member is there, if
 * only as null. */
static struct json_object *
mapping_explain_get(const struct mapping_explain *x, const struct mapping_path *path, bool *given)
{
	struct json_object *value = NULL;
	size_t keys;

	*given = mapping_path_get(path, x->body, &value, &keys) != MAPPING_PATH_MISSING;
	return value;
}

/* How a step converts, in words. */
static const char *
mapping_explain_how(const struct mapping_step_kind *kind)
{
	static const struct {
		const char *name, *how;
	} words[] = {{"values", "by its value map"}, {"each", "element by element"},
	    {"fields", "member by member"}, {"keyed_by", "between list and object"},
	    {"timestamp", "to the one form of times"}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(kind->name, words[i].name) == 0)
			return words[i].how;
	return "between value and text";
}

/* Tells of a value that was moved: what the steps made of it. */
static void
mapping_explain_moved(const struct mapping_explain *x, const struct mapping_field *f,
    struct json_object *value, struct json_object *moved)
{
	const struct mapping_step_kind *kind = f->way.steps[f->way.count - 1].kind;
	bool same_path = strcmp(f->local.text, f->upstream.text) == 0;
	char *why;

	if (json_equal(value, moved)) {
		mapping_explain_tell(x,
		    same_path ? MAPPING_EXPLAIN_COPIED : MAPPING_EXPLAIN_RENAMED, f->local.text,
		    f->upstream.text, NULL, &f->place);
		return;
	}
	if (f->way.local == f->way.upstream)
		why = mem_string(mapping_explain_how(kind));
	else
		why = mem_format("%s: %s here, %s in Bluejay", mapping_explain_how(kind),
		    f->way.local->noun, f->way.upstream->noun);
	mapping_explain_tell(x, MAPPING_EXPLAIN_CONVERTED, f->local.text, f->upstream.text, why,
	    &f->place);
	free(why);
}

/* Why a given field is not sent; NULL when it is. The caller frees. */
static char *
mapping_explain_why_not(const struct mapping_explain *x, const struct mapping_field *f,
    struct json_object *value)
{
	bool given;

	if (f->read_only)
		return mem_string("read_only: requests do not send it");
	if (f->not_on_create && x->create)
		return mem_string("a create ignores it");
	if (value == NULL)
		return mem_string("null counts as absent");
	if (f->when != NULL &&
	    !mapping_when_holds(f->when, mapping_explain_get(x, &f->when->local, &given)))
		return mapping_when_text(f->when, "it is sent only if");
	return NULL;
}

/* Whether a create sends when_absent for a field. */
static bool
mapping_explain_is_filled(const struct mapping_explain *x, const struct mapping_field *f)
{
	bool given;

	return x->create && f->filler != NULL && !f->read_only &&
	    (f->when == NULL ||
	        mapping_when_holds(f->when, mapping_explain_get(x, &f->when->local, &given)));
}

/* Tells of one field of a request. */
static void
mapping_explain_field(const struct mapping_explain *x, const struct mapping_field *f)
{
	bool given;
	struct json_object *value = mapping_explain_get(x, &f->local, &given), *sent;
	struct mapping_trouble trouble;
	char *why;

	if ((value == NULL || (f->not_on_create && x->create)) && mapping_explain_is_filled(x, f)) {
		mapping_explain_tell(x, MAPPING_EXPLAIN_DEFAULTED, f->local.text, f->upstream.text,
		    "absent, so when_absent is sent", &f->place);
		return;
	}
	if (!given)
		return;
	why = mapping_explain_why_not(x, f, value);
	if (why != NULL) {
		mapping_explain_tell(x, MAPPING_EXPLAIN_DROPPED, f->local.text, f->upstream.text, why,
		    &f->place);
		free(why);
	} else if (x->create && f->omitted != NULL && mapping_step_same_value(f->omitted, value)) {
		mapping_explain_tell(x, MAPPING_EXPLAIN_KEPT, f->local.text, NULL,
		    "omit_when: a create does not send this value", &f->place);
	} else {
		sent = mapping_way_send(&f->way, value, &trouble);
		if (sent != NULL)
			mapping_explain_moved(x, f, value, sent);
		json_object_put(sent);
	}
}

/* Tells of the fields that a template puts together. */
static void
mapping_explain_template(const struct mapping_explain *x, const struct mapping_template *t)
{
	bool any = false, filled = x->create, given;

	for (size_t i = 0; i + 1 < t->count; i++) {
		any |= mapping_explain_get(x, &t->pieces[i].local, &given) != NULL;
		filled &= t->pieces[i].filler != NULL;
	}
	for (size_t i = 0; (any || filled) && i + 1 < t->count; i++) {
		const char *local = t->pieces[i].local.text;

		if (mapping_explain_get(x, &t->pieces[i].local, &given) != NULL)
			mapping_explain_tell(x, MAPPING_EXPLAIN_CONVERTED, local, t->upstream.text,
			    "put into the template", &t->place);
		else
			mapping_explain_tell(x, MAPPING_EXPLAIN_DEFAULTED, local, t->upstream.text,
			    "absent, so when_absent is put into the template", &t->place);
	}
}

/* Tells of a constant of a create. */
static void
mapping_explain_constant(const struct mapping_explain *x, const struct mapping_constant *constant,
    const struct mapping_project *project)
{
	bool given;
	char *why = NULL;

	if (constant->when != NULL &&
	    !mapping_when_holds(constant->when,
	        mapping_explain_get(x, &constant->when->local, &given)))
		why = mapping_when_text(constant->when, "it is sent only if");
	else if (constant->kind == MAPPING_CONSTANT_PROJECT_AGENT && !project->has_agent)
		why = mem_string("the project has no agent");
	mapping_explain_tell(x, why != NULL ? MAPPING_EXPLAIN_LEFT_OUT : MAPPING_EXPLAIN_CONSTANT,
	    NULL, constant->upstream.text, why, &constant->place);
	free(why);
}

/* Tells of a field that the gateway keeps. */
static void
mapping_explain_kept(const struct mapping_explain *x, const struct mapping_kept *kept)
{
	bool given;
	struct json_object *value = mapping_explain_get(x, &kept->local, &given);

	if (!given)
		return;
	if (kept->not_on_create && x->create)
		mapping_explain_tell(x, MAPPING_EXPLAIN_DROPPED, kept->local.text, NULL,
		    "a create ignores it", &kept->place);
	else if (value == NULL)
		mapping_explain_tell(x, MAPPING_EXPLAIN_DROPPED, kept->local.text, NULL,
		    "null counts as absent", &kept->place);
	else
		mapping_explain_tell(x, MAPPING_EXPLAIN_KEPT, kept->local.text, NULL, NULL,
		    &kept->place);
}

/* Tells of an empty object that fields lie in. */
static void
mapping_explain_inner(const struct mapping_explain *x, const struct mapping_path *inner)
{
	bool given;
	struct json_object *value = mapping_explain_get(x, inner, &given);

	if (json_object_is_type(value, json_type_object) && json_object_object_length(value) == 0)
		mapping_explain_tell(x, MAPPING_EXPLAIN_KEPT, inner->text, NULL,
		    "an empty object, in which no field lies", NULL);
}

/* Tells of members that nobody declared. */
static void
mapping_explain_others(const struct mapping_explain *x, const struct mapping_tree *tree,
    struct json_object *object, const char *path, bool local)
{
	struct lh_entry *e = lh_table_head(json_object_get_object(object));

	for (; e != NULL; e = lh_entry_next(e)) {
		const struct mapping_tree *below = mapping_tree_below(tree, lh_entry_k(e));
		const struct mapping_known *known;
		char *name = mem_format("%s%s%s", path, path[0] == '\0' ? "" : ".",
		    (const char *)lh_entry_k(e));

		known = !local || path[0] != '\0'
		    ? NULL
		    : mapping_known_find(x->mapping->resource->local, lh_entry_k(e));
		if (below == NULL)
			mapping_explain_tell(x, MAPPING_EXPLAIN_DROPPED, local ? name : NULL,
			    local ? NULL : name,
			    known != NULL && known->built_in ? "the gateway makes it"
			        : local                      ? "no field of the mapping has it"
			                                     : "no field of the mapping reads it",
			    NULL);
		else if (mapping_tree_leaf(below) == NULL &&
		    json_object_is_type(lh_entry_v(e), json_type_object))
			mapping_explain_others(x, below, lh_entry_v(e), name, local);
		free(name);
	}
}

/* The places of one side that are declared; `x` stands for each leaf. */
static struct mapping_tree *
mapping_explain_places(const struct mapping_explain *x, bool local)
{
	const struct mapping *m = x->mapping;
	struct mapping_tree *tree = mapping_tree_new();

	for (size_t i = 0; i < m->fields.count; i++)
		mapping_tree_add(tree,
		    local ? &m->fields.items[i].local : &m->fields.items[i].upstream, x);
	for (size_t i = 0; local && i < m->kept_count; i++)
		mapping_tree_add(tree, &m->kept[i].local, x);
	for (size_t i = 0; i < m->template_count; i++) {
		const struct mapping_template *t = &m->templates[i];

		if (!local)
			mapping_tree_add(tree, &t->upstream, x);
		for (size_t k = 0; local && k + 1 < t->count; k++)
			mapping_tree_add(tree, &t->pieces[k].local, x);
	}
	return tree;
}

/* Explains a request. */
void
mapping_explain_request(const struct mapping *m, enum mapping_operation operation,
    struct json_object *local, const struct mapping_project *project, mapping_explain_fn fn,
    void *arg)
{
	const struct mapping_explain x = {m, operation == MAPPING_CREATE, local, fn, arg};
	struct mapping_tree *places = mapping_explain_places(&x, true);

	for (size_t i = 0; i < m->fields.count; i++)
		mapping_explain_field(&x, &m->fields.items[i]);
	for (size_t i = 0; i < m->template_count; i++)
		mapping_explain_template(&x, &m->templates[i]);
	for (size_t i = 0; i < m->constant_count && x.create; i++)
		mapping_explain_constant(&x, &m->constants[i], project);
	for (size_t i = 0; i < m->kept_count; i++)
		mapping_explain_kept(&x, &m->kept[i]);
	for (size_t i = 0; i < m->inner_count; i++)
		mapping_explain_inner(&x, &m->inner[i]);
	mapping_explain_others(&x, places, local, "", true);
	mapping_tree_free(places);
}

/* Tells of one field of an answer. `out` is what the answer became. */
static void
mapping_explain_read(const struct mapping_explain *x, const struct mapping_field *f,
    struct json_object *out)
{
	bool given;
	struct json_object *value = mapping_explain_get(x, &f->upstream, &given), *read = NULL;
	size_t keys;
	const char *why = NULL;

	if (!given)
		return;
	if (f->write_only)
		why = "write_only: answers do not give it";
	else if (value == NULL)
		why = "null counts as absent";
	else if (mapping_path_get(&f->local, out, &read, &keys) != MAPPING_PATH_FOUND)
		why = f->when != NULL ? "its condition does not hold" : "it stands for an absent value";
	if (why != NULL)
		mapping_explain_tell(x, MAPPING_EXPLAIN_LEFT_OUT, f->local.text, f->upstream.text,
		    why, &f->place);
	else
		mapping_explain_moved(x, f, value, read);
}

/* Tells of the fields that are read out of a template's text, if there is one. */
static void
mapping_explain_read_template(const struct mapping_explain *x, const struct mapping_template *t)
{
	bool given;
	struct json_object *text = mapping_explain_get(x, &t->upstream, &given);

	for (size_t i = 0; given && t->reads && i + 1 < t->count; i++)
		if (t->pieces[i].only_here)
			mapping_explain_tell(x,
			    text != NULL ? MAPPING_EXPLAIN_CONVERTED : MAPPING_EXPLAIN_LEFT_OUT,
			    t->pieces[i].local.text, t->upstream.text,
			    text != NULL ? "taken out of the template" : "null counts as absent",
			    &t->place);
}

/* Explains an answer. */
void
mapping_explain_answer(const struct mapping *m, struct json_object *upstream,
    mapping_explain_fn fn, void *arg)
{
	const struct mapping_explain x = {m, false, upstream, fn, arg};
	struct mapping_tree *places = mapping_explain_places(&x, false);
	char *member = m->resource->id;
	const struct mapping_path id = {member, &member, 1};
	struct json_object *out = NULL;

	mapping_tree_add(places, &id, &x);
	if (mapping_answer_make(m, upstream, "", NULL, NULL, 0, &out, NULL) == 0) {
		mapping_explain_tell(&x,
		    strcmp(member, "id") == 0 ? MAPPING_EXPLAIN_COPIED : MAPPING_EXPLAIN_RENAMED,
		    "id", member, NULL, &(struct mapping_place){.built_in = true});
		for (size_t i = 0; i < m->fields.count; i++)
			mapping_explain_read(&x, &m->fields.items[i], out);
		for (size_t i = 0; i < m->template_count; i++)
			mapping_explain_read_template(&x, &m->templates[i]);
		mapping_explain_others(&x, places, upstream, "", false);
	}
	json_object_put(out);
	mapping_tree_free(places);
}
