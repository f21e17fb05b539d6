#include "config.h"

#include "mapping/mapping_compiler.h"
#include "mapping/mapping_template.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* One template while it is read. */
struct mapping_template_form {
	const struct yaml_node *key; /* names Bluejay's member */
	const struct yaml_node *text, *fillers;
	bool lossy;
};

/* Sorts the short and the long form; false with a mistake added. */
static bool
mapping_template_form(struct mapping_compiler *c, const struct yaml_node *key,
    const struct yaml_node *node, const char *const *words, size_t count,
    struct mapping_template_form *form)
{
	*form = (struct mapping_template_form){.key = key, .text = node};
	if (node->kind == YAML_MAP) {
		mapping_compiler_keys(c, node, words, count);
		form->text = yaml_node_get(node, "template");
		form->fillers = yaml_node_get(node, "when_absent");
		form->lossy = mapping_compiler_flag(c, node, "lossy");
	}
	if (form->text == NULL || form->text->kind != YAML_SCALAR || yaml_node_is_null(form->text))
		diag_add(c->diags, MAPPING_AT(node),
		    "\"%s\" needs a text with local fields in braces, such as \"Speak {language}.\"",
		    key->text);
	else if (mapping_compiler_has_reference(form->text))
		diag_add(c->diags, MAPPING_AT(form->text),
		    "${project.…} is possible only as the whole value of a constant");
	else
		return true;
	return false;
}

/* Takes the text that stands before a field, or at the end. */
static struct mapping_piece *
mapping_template_piece(struct mapping_template *t, struct buf *text)
{
	struct mapping_piece *piece;

	t->pieces = mem_resize(t->pieces, (t->count + 1) * sizeof *t->pieces);
	piece = &t->pieces[t->count++];
	memset(piece, 0, sizeof *piece);
	piece->text = buf_take(text, &piece->len);
	return piece;
}

/* Reads the field whose brace opens at `p`; the closing one, or NULL with a
 * mistake added. */
static const char *
mapping_template_field(struct mapping_compiler *c, const struct yaml_node *node,
    struct mapping_template *t, struct buf *text, const char *p)
{
	const char *close = strchr(p, '}'), *why;
	char *path;
	bool ok;

	if (close == NULL) {
		diag_add(c->diags, MAPPING_AT(node),
		    "the brace before \"%.*s\" is not closed; write {language}, or {{ for a brace",
		    diag_clip(p + 1), p + 1);
		return NULL;
	}
	if (memchr(p + 1, '{', (size_t)(close - p - 1)) != NULL) {
		diag_add(c->diags, MAPPING_AT(node),
		    "\"%.*s\" holds a brace inside braces; write {language}, or {{ for a brace",
		    (int)(close - p + 1), p);
		return NULL;
	}
	path = mem_copy(p + 1, (size_t)(close - p - 1));
	ok = mapping_path_read(&mapping_template_piece(t, text)->local, path, &why);
	if (!ok)
		diag_add(c->diags, MAPPING_AT(node),
		    "the path \"%s\" %s; write a local field in braces, such as {language}", path,
		    why);
	for (size_t i = 0; ok && i + 1 < t->count; i++) {
		if (strcmp(t->pieces[i].local.text, path) != 0)
			continue;
		diag_add(c->diags, MAPPING_AT(node), "{%s} stands there twice; keep one of them",
		    path);
		ok = false;
	}
	free(path);
	return ok ? close : NULL;
}

/* Splits the text into pieces; false with a mistake added. */
static bool
mapping_template_pieces(struct mapping_compiler *c, const struct yaml_node *node,
    struct mapping_template *t)
{
	struct buf text;

	buf_init(&text, 0);
	for (const char *p = node->text; *p != '\0'; p++) {
		if ((*p == '{' || *p == '}') && p[1] == *p) {
			buf_addc(&text, *p++);
		} else if (*p == '}') {
			diag_add(c->diags, MAPPING_AT(node),
			    "the brace after \"%.*s\" closes nothing; write {language}, or }} for a "
			    "brace",
			    (int)(p - node->text), node->text);
			buf_free(&text);
			return false;
		} else if (*p == '{') {
			p = mapping_template_field(c, node, t, &text, p);
			if (p == NULL) {
				buf_free(&text);
				return false;
			}
		} else
			buf_addc(&text, *p);
	}
	mapping_template_piece(t, &text);
	if (t->count == 1)
		diag_add(c->diags, MAPPING_AT(node),
		    "there is no field in this text; write one in braces, such as {language}, or "
		    "put it under constants");
	return t->count > 1;
}

/* The piece of a field; NULL with a mistake added. */
static struct mapping_piece *
mapping_template_piece_of(struct mapping_compiler *c, struct mapping_template *t,
    const struct yaml_node *key)
{
	const char *words[16];
	size_t count = 0;

	for (size_t i = 0; i + 1 < t->count; i++) {
		if (strcmp(t->pieces[i].local.text, key->text) == 0)
			return &t->pieces[i];
		if (count < 16)
			words[count++] = t->pieces[i].local.text;
	}
	mapping_compiler_unknown(c, key, "field of the template", words, count);
	return NULL;
}

/* Reads what stands in for absent fields. */
static void
mapping_template_fillers(struct mapping_compiler *c, const struct yaml_node *map,
    struct mapping_template *t)
{
	struct mapping_piece *piece;
	struct json_object *filler;

	if (map == NULL)
		return;
	if (map->kind != YAML_MAP) {
		diag_add(c->diags, MAPPING_AT(map),
		    "when_absent must be a map from fields of the template to texts, such as "
		    "{language: English}");
		return;
	}
	for (size_t i = 0; i < map->count; i++) {
		piece = mapping_template_piece_of(c, t, map->keys[i]);
		if (piece == NULL || !mapping_value_read(c, map->items[i], &filler))
			continue;
		if (json_object_is_type(filler, json_type_string))
			piece->filler = filler;
		else {
			diag_add(c->diags, MAPPING_AT(map->items[i]),
			    "when_absent must be a string, as \"%s\" is", map->keys[i]->text);
			json_object_put(filler);
		}
	}
}

/* Checks the member of Bluejay. */
static void
mapping_template_check_member(struct mapping_compiler *c, const struct yaml_node *key,
    const struct mapping_template *t)
{
	const struct mapping_known *known = mapping_compiler_upstream(c, &t->upstream);

	if (known == NULL || !mapping_compiler_fits(c, key, &t->upstream, known, "Bluejay"))
		return;
	if (known->set_there)
		diag_add(c->diags, MAPPING_AT(key), "Bluejay sets \"%s\" itself; leave it out",
		    known->name);
	else if (t->upstream.count == 1 && mapping_known_kind(known)->json != json_type_string)
		diag_add(c->diags, MAPPING_AT(key), "\"%s\" is %s in Bluejay, and a template is a "
		    "string; choose another member", known->name, mapping_known_kind(known)->noun);
}

/* Finds whether a field of the template has a place of its own; refuses one
 * that no request holds, or that is no string. */
static void
mapping_template_place(struct mapping_compiler *c, const struct yaml_node *node,
    struct mapping_piece *piece)
{
	const struct mapping_known *known = mapping_compiler_local(c, &piece->local);
	const struct mapping_field *f = mapping_compiler_field(c, piece->local.text);
	const char *name = piece->local.text;

	piece->only_here = f == NULL && !mapping_compiler_is_kept(c, name);
	piece->always_given = known != NULL && known->always_given && piece->local.count == 1;
	if (known != NULL && (known->built_in || known->answer_only))
		diag_add(c->diags, MAPPING_AT(node),
		    "callers do not choose \"%s\", so no request holds it; name another field", name);
	else if (f != NULL && f->read_only)
		diag_add(c->diags, MAPPING_AT(node),
		    "\"%s\" (line %d) is read_only, so no request holds it; name another field",
		    name, f->place.line);
	else if (f != NULL && f->way.local->json != json_type_string &&
	    f->way.local->json != json_type_null)
		diag_add(c->diags, MAPPING_AT(node),
		    "\"%s\" (line %d) is %s, and a template holds strings; name another field", name,
		    f->place.line, f->way.local->noun);
	else if (f == NULL && known != NULL && piece->local.count == 1 &&
	    mapping_known_kind(known)->json != json_type_string)
		diag_add(c->diags, MAPPING_AT(node),
		    "\"%s\" is %s in the local API, and a template holds strings; name another field",
		    name, mapping_known_kind(known)->noun);
}

/* Decides whether the fields come back, and refuses those that could not be
 * told apart. */
static void
mapping_template_inverse(struct mapping_compiler *c, const struct mapping_template_form *form,
    struct mapping_template *t)
{
	for (size_t i = 0; i + 1 < t->count; i++)
		t->reads |= t->pieces[i].only_here;
	t->reads &= !form->lossy;
	for (size_t i = 0; t->reads && i + 2 < t->count; i++)
		if (t->pieces[i + 1].len == 0)
			diag_add(c->diags, MAPPING_AT(form->text),
			    "{%s} and {%s} stand side by side, so they could not be told apart when "
			    "they are read; put a text between them, give both a place of their own "
			    "(in fields or kept_here), or add lossy: true",
			    t->pieces[i].local.text, t->pieces[i + 1].local.text);
}

/* Compiles a template. `own` is a field that must be in it; NULL: none. */
static void
mapping_template_add(struct mapping_compiler *c, const struct mapping_template_form *form,
    const struct yaml_node *own)
{
	struct mapping_template t = {
	    .place = mapping_compiler_place(c, own != NULL ? own : form->key)};
	bool found = own == NULL;

	if (!mapping_compiler_path(c, form->key, &t.upstream)) {
		c->whole = false;
		return;
	}
	if (!mapping_template_pieces(c, form->text, &t)) {
		c->whole = false;
		mapping_template_free(&t);
		return;
	}
	for (size_t i = 0; i + 1 < t.count && !found; i++)
		found = strcmp(t.pieces[i].local.text, own->text) == 0;
	if (!found)
		diag_add(c->diags, MAPPING_AT(own),
		    "the template does not hold {%s}; write it under templates: {%s: …}, which needs "
		    "no field",
		    own->text, t.upstream.text);
	mapping_template_check_member(c, form->key, &t);
	for (size_t i = 0; i + 1 < t.count; i++)
		mapping_template_place(c, form->text, &t.pieces[i]);
	mapping_template_fillers(c, form->fillers, &t);
	mapping_template_inverse(c, form, &t);
	c->mapping->templates[c->mapping->template_count++] = t;
}

/* Compiles one entry of `templates`. */
void
mapping_template_compile(struct mapping_compiler *c, const struct yaml_node *key,
    const struct yaml_node *node)
{
	static const char *const words[] = {"template", "when_absent", "lossy"};
	struct mapping_template_form form;

	if (mapping_template_form(c, key, node, words, 3, &form))
		mapping_template_add(c, &form, NULL);
	else
		c->whole = false;
}

/* Compiles an entry of `fields` with a template. */
void
mapping_template_compile_field(struct mapping_compiler *c, const struct yaml_node *key,
    const struct yaml_node *node)
{
	static const char *const words[] = {"to", "template", "when_absent", "lossy"};
	const struct yaml_node *to = yaml_node_get(node, "to");
	struct mapping_template_form form;

	if (!mapping_template_form(c, key, node, words, 4, &form)) {
		c->whole = false;
	} else if (to == NULL || yaml_node_is_null(to)) {
		diag_add(c->diags, MAPPING_AT(node),
		    "\"%s\" needs to: with the Bluejay member it goes to", key->text);
		c->whole = false;
	} else {
		form.key = to;
		mapping_template_add(c, &form, key);
	}
}
