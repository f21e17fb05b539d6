#include "config.h"

#include "json_piece_check.h"

#include "json/json_piece.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

/* Whether no object in it has more members than pieces have room for. */
static bool
is_small(struct json_object *value)
{
	struct lh_entry *e;

	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			if (!is_small(json_object_array_get_idx(value, i)))
				return false;
	if (!json_object_is_type(value, json_type_object))
		return true;
	for (e = lh_table_head(json_object_get_object(value)); e != NULL; e = lh_entry_next(e))
		if (!is_small(lh_entry_v(e)))
			return false;
	return json_object_object_length(value) <= JSON_PIECES_MAX;
}

/* Whether printing a value gives these bytes. */
static bool
prints(struct json_object *value, const char *bytes, size_t len)
{
	size_t printed_len;
	char *printed = json_print(value, &printed_len);
	bool same = printed_len == len && memcmp(printed, bytes, len) == 0;

	free(printed);
	return same;
}

/* Whether a type is that of the tree: whole numbers beyond 64 bits, and -0, are doubles there. */
static bool
is_type(enum json_type type, struct json_object *value)
{
	enum json_type own = json_object_get_type(value);

	if (own != json_type_double)
		return type == own;
	return type == (strpbrk(json_object_get_string(value), ".eE") == NULL ? json_type_int
	                                                                     : json_type_double);
}

/* Whether a piece is the member of a tree. */
static bool
is_member(const struct json_piece *piece, struct lh_entry *e)
{
	struct json_object *value = lh_entry_v(e);
	const char *key = lh_entry_k(e), *string;
	size_t len;

	string = json_piece_string(piece, &len);
	if (string != NULL && (len != (size_t)json_object_get_string_len(value) ||
	        memcmp(string, json_object_get_string(value), len) != 0))
		return false;
	return strlen(key) == piece->key_len && memcmp(key, piece->key, piece->key_len) == 0 &&
	    is_type(piece->type, value) && piece->plain == prints(value, piece->value, piece->len);
}

/* Whether pieces are those of a tree. */
static bool
is_object(const struct json_pieces *o, struct json_object *tree)
{
	struct lh_entry *e;
	size_t i = 0;

	if (!json_object_is_type(tree, json_type_object) ||
	    (size_t)json_object_object_length(tree) != o->count ||
	    o->plain != prints(tree, o->text, o->len))
		return false;
	for (e = lh_table_head(json_object_get_object(tree)); e != NULL; e = lh_entry_next(e), i++)
		if (!is_member(&o->items[i], e) ||
		    json_pieces_find(o, lh_entry_k(e)) != &o->items[i])
			return false;
	return true;
}

/* Whether a tree is an array of objects, which are small. */
static bool
is_list(struct json_object *tree)
{
	if (!json_object_is_type(tree, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(tree); i++)
		if (!json_object_is_type(json_object_array_get_idx(tree, i), json_type_object))
			return false;
	return is_small(tree);
}

/* Whether the text, read as an array of objects, says what the tree says. With `skip`
 * each object is known before it is read. */
static bool
check_list(const char *text, size_t len, struct json_object *tree, bool skip)
{
	struct json_objects list, before;
	struct json_pieces o;
	size_t count = 0;

	for (json_objects_begin(&list, text, len); list.more; count++) {
		before = list;
		if (!json_objects_next(&list, &o))
			break;
		if (skip && (json_objects_skip(&before, "{}x", 3) ||
		        !json_objects_skip(&before, o.text, o.len) || before.p != list.p ||
		        before.more != list.more))
			return false;
		if (tree == NULL || !json_object_is_type(tree, json_type_array))
			continue; /* it will turn out to be bad */
		if (count >= json_object_array_length(tree) ||
		    !is_object(&o, json_object_array_get_idx(tree, count)))
			return false;
	}
	if (list.bad)
		return tree == NULL || memchr(text, '\\', len) != NULL || !is_list(tree);
	return is_list(tree) && count == json_object_array_length(tree);
}

/* Compares both. */
bool
json_piece_check(const char *text, size_t len)
{
	struct json_object *tree = NULL;
	struct json_pieces o;
	bool read = json_read(text, len, &tree, NULL), good;

	if (json_pieces_read(&o, text, len))
		good = read && is_object(&o, tree);
	else /* it may only be a key that is at fault, besides what is none */
		good = !read || !json_object_is_type(tree, json_type_object) ||
		    memchr(text, '\\', len) != NULL || !is_small(tree);
	good = good && check_list(text, len, tree, false) &&
	    (!read || check_list(text, len, tree, true));
	json_object_put(tree);
	return good;
}
