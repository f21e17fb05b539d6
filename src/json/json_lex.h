#ifndef JSON_LEX_H
#define JSON_LEX_H

#include "json/json_read.h"
#include "json/json_scan.h"

/*
 * The tokens of RFC 8259, for those who make a tree of them (json_read) and those who
 * do not (json_piece): what is refused here is refused by both. Inside this room only.
 */
struct json_lexer {
	const char *text; /* the whole text, for offsets */
	const char *p;    /* next byte */
	const char *end;
	struct json_error *err; /* NULL: nobody asks why */
};

/* Keeps the place and the reason; always false. */
bool json_lex_fail(struct json_lexer *, const char *at, const char *why);

/* Says that the byte at the lexer's place cannot stand there; always false. */
bool json_lex_unexpected(struct json_lexer *);

/* Moves over string bytes that stand for themselves; false for bad UTF-8. */
bool json_lex_run(struct json_lexer *);

/* Moves over the escape at the lexer's place, both of a surrogate pair. */
bool json_lex_escape(struct json_lexer *, unsigned *point);

/* Moves over a number; *whole says that it has neither fraction nor exponent. */
bool json_lex_number(struct json_lexer *, bool *whole);

/* Moves over a literal name. */
bool json_lex_literal(struct json_lexer *, const char *word);

/* Skips white space. */
static inline void
json_lex_space(struct json_lexer *l)
{
	while (l->p < l->end &&
	    (*l->p == ' ' || *l->p == '\n' || *l->p == '\t' || *l->p == '\r'))
		l->p++;
}

/* After an element: true with *more at a comma or the closing byte. */
static inline bool
json_lex_separator(struct json_lexer *l, char close, bool *more)
{
	json_lex_space(l);
	if (l->p == l->end || (*l->p != ',' && *l->p != close))
		return json_lex_unexpected(l);
	*more = *l->p++ == ',';
	return true;
}

/* Whether a container that was just opened closes at once; moves over that. */
static inline bool
json_lex_empty(struct json_lexer *l, char close)
{
	l->p++;
	json_lex_space(l);
	if (l->p == l->end || *l->p != close)
		return false;
	l->p++;
	return true;
}

/* After a key: moves over the colon. */
static inline bool
json_lex_colon(struct json_lexer *l)
{
	json_lex_space(l);
	if (l->p == l->end || *l->p != ':')
		return json_lex_unexpected(l);
	l->p++;
	return true;
}

#endif
