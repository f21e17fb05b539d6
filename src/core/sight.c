#include "config.h"

#include "core/sight.h"
#include "base/mem.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define SIGHT_TEXT_MAX (SIZE_MAX / 4) /* as json_print(): what is in memory may be printed whole */

/* Begins one. Its pieces stay as they are. */
static void
sight_init(struct sight *s, const struct project *p)
{
	s->project = p;
	s->alike = false;
	s->tree = NULL;
	s->text = NULL;
	s->len = 0;
	s->id = s->label = s->organisation = NULL;
}

/* Takes pieces. */
bool
sight_copy_pieces(struct sight *s, const struct project *p)
{
	if (!mapping_copy_fits(p->mapping, &s->copied))
		return false;
	sight_init(s, p);
	s->alike = true;
	s->text = s->copied.pieces.text;
	s->len = s->copied.pieces.len;
	return true;
}

/* Takes a text. */
bool
sight_copy(struct sight *s, const struct project *p, const char *text, size_t len)
{
	return mapping_copies(p->mapping) && json_pieces_read(&s->copied.pieces, text, len) &&
	    sight_copy_pieces(s, p);
}

/* Takes a tree. */
void
sight_take(struct sight *s, const struct project *p, struct json_object *tree)
{
	sight_init(s, p);
	s->tree = tree;
}

/* Frees what was made. */
void
sight_clear(struct sight *s)
{
	json_object_put(s->tree);
	free(s->id);
	free(s->label);
	free(s->organisation);
}

/* Makes the tree. The text was read before, so it can be. */
struct json_object *
sight_tree(struct sight *s)
{
	if (s->tree == NULL && s->text != NULL)
		json_read(s->text, s->len, &s->tree, NULL);
	return s->tree;
}

/* Keeps the text of a string that stands for itself; false when it takes a tree. */
static bool
sight_keep(const struct json_piece *piece, char **kept)
{
	const char *string;
	size_t len;

	if (piece == NULL || piece->type == json_type_null)
		return true;
	string = json_piece_string(piece, &len);
	if (string != NULL)
		*kept = mem_copy(string, len);
	return string != NULL;
}

/* Reads the id. A number is the tree's. */
const char *
sight_id(struct sight *s)
{
	const struct resource *r = s->project->resource;

	if (s->text == NULL || r->id_form == RESOURCE_ID_INTEGER)
		return resource_id(r, sight_tree(s));
	if (s->id == NULL && !sight_keep(json_pieces_find(&s->copied.pieces, r->id), &s->id))
		return resource_id(r, sight_tree(s));
	return s->id != NULL && resource_id_ok(r, s->id) ? s->id : NULL;
}

/* Reads what names it. */
const char *
sight_label(struct sight *s)
{
	const struct resource *r = s->project->resource;
	const struct mapping *m = s->project->mapping;
	const struct json_piece *piece;

	if (s->text == NULL)
		return resource_label(r, m, sight_tree(s));
	if (r->unique)
		piece = mapping_copy_field(m, &s->copied, NULL);
	else if (r->label != NULL)
		piece = json_pieces_find(&s->copied.pieces, r->label);
	else
		piece = r->name == NULL ? NULL : mapping_copy_field(m, &s->copied, r->name);
	if (s->label == NULL && !sight_keep(piece, &s->label))
		return resource_label(r, m, sight_tree(s));
	return s->label;
}

/* Reads what a record is called. */
const char *
sight_unique_name(struct sight *s)
{
	return s->project->resource->unique ? sight_label(s) : NULL;
}

/* Reads the account. */
const char *
sight_organisation(struct sight *s)
{
	if (s->text == NULL)
		return resource_organisation(sight_tree(s));
	if (s->organisation == NULL &&
	    !sight_keep(json_pieces_find(&s->copied.pieces, RESOURCE_ORGANISATION), &s->organisation))
		return resource_organisation(sight_tree(s));
	return s->organisation;
}

/* Whether the mapping reads it: what is copied it does. */
bool
sight_is_read(struct sight *s, const char *local_id, struct fail *fail)
{
	struct json_object *local = NULL;
	bool read;

	if (s->text != NULL)
		return true;
	read = mapping_answer_make(s->project->mapping, s->tree, local_id, NULL, NULL, 0, &local,
	           fail) == 0;
	json_object_put(local);
	return read;
}

/* Prints it. */
char *
sight_print(struct sight *s)
{
	struct buf text;

	if (s->text == NULL)
		return json_print(s->tree, NULL);
	buf_init(&text, SIGHT_TEXT_MAX);
	mapping_copy_print(&s->copied, &text);
	return buf_take(&text, NULL);
}

/* Compares what is printed. */
bool
sight_prints(struct sight *s, const char *content)
{
	const struct json_pieces *o = &s->copied.pieces;
	char *text;
	bool same;

	if (content == NULL)
		return false;
	if (s->text != NULL && o->plain)
		return strlen(content) == o->len && memcmp(content, o->text, o->len) == 0;
	text = sight_print(s);
	same = strcmp(text, content) == 0;
	free(text);
	return same;
}

/* What an item tells here; NULL when it does not have the declared shape. */
static struct json_object *
sight_view(const struct project *p, struct json_object *tree)
{
	struct json_object *local = NULL;

	if (tree != NULL)
		mapping_answer_make(p->mapping, tree, "", NULL, NULL, 0, &local, NULL);
	return local;
}

/* Compares trees. */
static bool
sight_tells_trees(struct sight *s, const char *content)
{
	struct json_object *old = NULL, *was, *is;
	bool same;

	json_read(content, strlen(content), &old, NULL);
	same = old != NULL && json_equal(old, sight_tree(s));
	if (old != NULL && !same) {
		was = sight_view(s->project, old);
		is = sight_view(s->project, sight_tree(s));
		same = was != NULL && is != NULL && json_equal(was, is);
		json_object_put(was);
		json_object_put(is);
	}
	json_object_put(old);
	return same;
}

/* Compares what is told. */
bool
sight_tells(struct sight *s, const char *content)
{
	const struct mapping *m = s->project->mapping;
	struct mapping_copied old;

	if (sight_prints(s, content))
		return true;
	if (content == NULL)
		return false;
	if (s->text != NULL && mapping_copy_read(m, content, strlen(content), &old)) {
		switch (mapping_copy_compare(m, &old, &s->copied)) {
		case MAPPING_COPY_SAME:
			return true;
		case MAPPING_COPY_OTHER:
			return false;
		case MAPPING_COPY_TREE:
			break;
		}
	}
	return sight_tells_trees(s, content);
}

/* Reads an object that the store kept; NULL when there is none. */
static struct json_object *
sight_parse(const char *text)
{
	struct json_object *o = NULL;

	if (text != NULL)
		json_read(text, strlen(text), &o, NULL);
	return o;
}

/* Looks at fillers. */
bool
sight_absent_holds(struct sight *s, const char *absent, char **left)
{
	struct json_object *fillers = sight_parse(absent), *stand;
	bool changed = false;

	if (fillers != NULL &&
	    (s->text == NULL || !mapping_copy_absent_holds(s->project->mapping, &s->copied, fillers))) {
		stand = mapping_absent_left(s->project->mapping, sight_tree(s), fillers, &changed);
		if (changed)
			*left = stand == NULL ? NULL : json_print(stand, NULL);
		json_object_put(stand);
	}
	json_object_put(fillers);
	return !changed;
}

/* The local form of a tree. */
static char *
sight_local_tree(struct sight *s, const struct store_record *r, struct json_object *absent,
    struct json_object *kept, size_t *len, struct fail *fail)
{
	struct json_object *local = NULL;
	char *text = NULL;

	if (mapping_answer_make(s->project->mapping, sight_tree(s), r->local_id, absent, kept,
	        r->updated_ms, &local, fail) == 0)
		text = json_print(local, len);
	json_object_put(local);
	return text;
}

/* Makes the local form. */
char *
sight_local(struct sight *s, const struct store_record *r, size_t *len, struct fail *fail)
{
	struct json_object *absent = sight_parse(r->absent), *kept = sight_parse(r->kept);
	struct buf copy;
	char *text = NULL;

	buf_init(&copy, SIGHT_TEXT_MAX);
	if (s->text != NULL && mapping_copy_answer(s->project->mapping, &s->copied, r->local_id,
	        absent, kept, r->updated_ms, &copy))
		text = buf_take(&copy, len);
	else
		text = sight_local_tree(s, r, absent, kept, len, fail);
	buf_free(&copy);
	json_object_put(absent);
	json_object_put(kept);
	return text;
}
