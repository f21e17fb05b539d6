#include "config.h"

#include "json/json_piece.h"

#include "json/json_lex.h"

#include <limits.h>
#include <string.h>

/* What was read of one value. */
struct json_piece_value {
	enum json_type type;
	bool plain;
};

static bool json_piece_read(struct json_lexer *, int depth, struct json_piece_value *);

/* Whether an escape is the one that printing writes for its code point. */
static bool
json_piece_escape_is_plain(const char *escape, size_t len, unsigned point)
{
	if (len == 2)
		return escape[1] != '/';
	switch (point) {
	case '\b':
	case '\t':
	case '\n':
	case '\f':
	case '\r':
		return false; /* there are shorter ones */
	default:
		return point < 0x20 && (escape[5] < 'A' || escape[5] > 'F');
	}
}

/* Moves over a string; *plain becomes false when it would be printed otherwise. */
static bool
json_piece_skip_string(struct json_lexer *l, bool *plain)
{
	const char *at;
	unsigned point;

	l->p++;
	for (;;) {
		if (!json_lex_run(l) || l->p == l->end || (unsigned char)*l->p < 0x20)
			return false;
		if (*l->p == '"') {
			l->p++;
			return true;
		}
		at = l->p;
		if (!json_lex_escape(l, &point))
			return false;
		if (!json_piece_escape_is_plain(at, (size_t)(l->p - at), point))
			*plain = false;
	}
}

/* Whether a key came before; `seen` has a bit of each, so that most need no look. */
static bool
json_piece_is_twin(const struct json_pieces *o, const struct json_piece *piece, uint64_t *seen)
{
	size_t len = piece->key_len;
	unsigned sum = (unsigned)len;
	uint64_t bit;

	if (len > 0)
		sum = sum * 7 + (unsigned char)piece->key[0] * 5 +
		    (unsigned char)piece->key[len / 2] * 3 + (unsigned char)piece->key[len - 1];
	bit = UINT64_C(1) << (sum & 63);
	if ((*seen & bit) != 0)
		for (size_t i = 0; i < o->count; i++)
			if (o->items[i].key_len == len &&
			    memcmp(o->items[i].key, piece->key, len) == 0)
				return true;
	*seen |= bit;
	return false;
}

/* Reads a key without escapes that is new in its object. */
static bool
json_piece_key(struct json_lexer *l, const struct json_pieces *o, struct json_piece *piece,
    uint64_t *seen)
{
	if (l->p == l->end || *l->p != '"')
		return false;
	piece->key = ++l->p;
	if (!json_lex_run(l) || l->p == l->end || *l->p != '"')
		return false;
	piece->key_len = (size_t)(l->p++ - piece->key);
	return !json_piece_is_twin(o, piece, seen) && json_lex_colon(l);
}

/* Reads one member. */
static bool
json_piece_member(struct json_lexer *l, int depth, struct json_pieces *o, uint64_t *seen)
{
	struct json_piece *piece = &o->items[o->count];
	struct json_piece_value value;

	if (o->count == JSON_PIECES_MAX || !json_piece_key(l, o, piece, seen))
		return false;
	json_lex_space(l);
	piece->value = l->p;
	if (!json_piece_read(l, depth, &value))
		return false;
	piece->len = (size_t)(l->p - piece->value);
	piece->type = value.type;
	piece->plain = value.plain;
	/* the quote before the key, the other one, and the colon: nothing else is between */
	o->plain = o->plain && value.plain && piece->value == piece->key + piece->key_len + 2;
	o->count++;
	return true;
}

/* Reads an object, the lexer standing at its brace. */
static bool
json_piece_object(struct json_lexer *l, int depth, struct json_pieces *o)
{
	const char *at;
	uint64_t seen = 0;
	bool more = true;

	o->text = l->p;
	o->count = 0;
	o->plain = true;
	if (json_lex_empty(l, '}')) {
		o->len = (size_t)(l->p - o->text);
		o->plain = o->len == 2;
		return true;
	}
	o->plain = l->p == o->text + 1;
	while (more) {
		at = l->p;
		json_lex_space(l);
		o->plain = o->plain && l->p == at;
		if (!json_piece_member(l, depth, o, &seen))
			return false;
		at = l->p;
		if (!json_lex_separator(l, '}', &more))
			return false;
		o->plain = o->plain && l->p == at + 1;
	}
	o->len = (size_t)(l->p - o->text);
	return true;
}

/* Moves over an object that lies in another one. */
static bool
json_piece_inner_object(struct json_lexer *l, int depth, bool *plain)
{
	struct json_pieces inner;

	if (!json_piece_object(l, depth, &inner))
		return false;
	*plain = inner.plain;
	return true;
}

/* Moves over an array, the lexer standing at its bracket. */
static bool
json_piece_array(struct json_lexer *l, int depth, bool *plain)
{
	const char *first = l->p, *at;
	struct json_piece_value value;
	bool more = true;

	if (json_lex_empty(l, ']')) {
		*plain = l->p == first + 2;
		return true;
	}
	*plain = l->p == first + 1;
	while (more) {
		at = l->p;
		json_lex_space(l);
		*plain = *plain && l->p == at;
		if (!json_piece_read(l, depth, &value))
			return false;
		at = l->p;
		if (!json_lex_separator(l, ']', &more))
			return false;
		*plain = *plain && value.plain && l->p == at + 1;
	}
	return true;
}

/* Moves over a number. */
static bool
json_piece_number(struct json_lexer *l, enum json_type *type)
{
	bool whole;

	if (*l->p != '-' && (*l->p < '0' || *l->p > '9'))
		return false;
	if (!json_lex_number(l, &whole))
		return false;
	*type = whole ? json_type_int : json_type_double;
	return true;
}

/* Moves over any value, the lexer standing at its first byte; `depth` counts the containers
 * around it. */
static bool
json_piece_read(struct json_lexer *l, int depth, struct json_piece_value *v)
{
	v->plain = true;
	if (l->p == l->end)
		return false;
	switch (*l->p) {
	case '"':
		v->type = json_type_string;
		return json_piece_skip_string(l, &v->plain);
	case '{':
		v->type = json_type_object;
		return depth < JSON_MAX_DEPTH && json_piece_inner_object(l, depth + 1, &v->plain);
	case '[':
		v->type = json_type_array;
		return depth < JSON_MAX_DEPTH && json_piece_array(l, depth + 1, &v->plain);
	case 't':
		v->type = json_type_boolean;
		return json_lex_literal(l, "true");
	case 'f':
		v->type = json_type_boolean;
		return json_lex_literal(l, "false");
	case 'n':
		v->type = json_type_null;
		return json_lex_literal(l, "null");
	default:
		return json_piece_number(l, &v->type);
	}
}

/* Reads a text that is an object. */
bool
json_pieces_read(struct json_pieces *o, const char *text, size_t len)
{
	struct json_lexer l = {text, text, text + len, NULL};

	if (len > INT_MAX / 2) /* as json_read() */
		return false;
	json_lex_space(&l);
	if (l.p == l.end || *l.p != '{' || !json_piece_object(&l, 1, o))
		return false;
	json_lex_space(&l);
	return l.p == l.end;
}

/* Finds a piece. */
const struct json_piece *
json_pieces_find(const struct json_pieces *o, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < o->count; i++)
		if (o->items[i].key_len == len && memcmp(o->items[i].key, key, len) == 0)
			return &o->items[i];
	return NULL;
}

/* Reads a string without escapes. */
const char *
json_piece_string(const struct json_piece *piece, size_t *len)
{
	if (piece->type != json_type_string ||
	    memchr(piece->value, '\\', piece->len) != NULL)
		return NULL;
	*len = piece->len - 2;
	return piece->value + 1;
}

/* The text is not taken. */
static bool
json_objects_refuse(struct json_objects *list)
{
	list->bad = true;
	list->more = false;
	return false;
}

/* The array is over: nothing but white space may follow. */
static bool
json_objects_close(struct json_objects *list, struct json_lexer *l)
{
	json_lex_space(l);
	return l->p == l->end || json_objects_refuse(list);
}

/* Begins an array. */
void
json_objects_begin(struct json_objects *list, const char *text, size_t len)
{
	struct json_lexer l = {text, text, text + len, NULL};

	*list = (struct json_objects){.text = text, .end = l.end};
	json_lex_space(&l);
	if (len > INT_MAX / 2 || l.p == l.end || *l.p != '[')
		json_objects_refuse(list);
	else if (json_lex_empty(&l, ']'))
		json_objects_close(list, &l);
	else
		list->more = true;
	json_lex_space(&l);
	list->p = l.p;
}

/* After an object: what follows it. */
static bool
json_objects_go_on(struct json_objects *list, struct json_lexer *l)
{
	if (!json_lex_separator(l, ']', &list->more))
		return json_objects_refuse(list);
	if (!list->more && !json_objects_close(list, l))
		return false;
	json_lex_space(l);
	list->p = l->p;
	return true;
}

/* Reads the next object. */
bool
json_objects_next(struct json_objects *list, struct json_pieces *o)
{
	struct json_lexer l = {list->text, list->p, list->end, NULL};

	if (!list->more)
		return false;
	if (l.p == l.end || *l.p != '{' || !json_piece_object(&l, 2, o))
		return json_objects_refuse(list);
	return json_objects_go_on(list, &l);
}

/* Moves over an object that is known. */
bool
json_objects_skip(struct json_objects *list, const char *bytes, size_t len)
{
	struct json_lexer l = {list->text, list->p, list->end, NULL};

	if (!list->more || (size_t)(l.end - l.p) < len || memcmp(l.p, bytes, len) != 0)
		return false;
	l.p += len;
	return json_objects_go_on(list, &l);
}
