#ifndef BASE_HEADER_H
#define BASE_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Headers that users add to calls to the upstream. A name is a token (RFC 9110,
 * 5.6.2) and equal to another whatever the case; a value is text without control
 * characters (5.5; bytes above 0x7f are allowed, so UTF-8 is). Values may be
 * secret: they are wiped when they are freed, and belong into no message.
 */
#define HEADER_MAX 32         /* in one list */
#define HEADER_BYTES_MAX 8192 /* of their names and values together */

struct header {
	char *name, *value;
};

/* Owns its strings; zeroed is empty. What is in it may be sent. */
struct header_list {
	struct header items[HEADER_MAX];
	size_t count;
	size_t bytes;
};

enum header_fault {
	HEADER_GOOD,
	HEADER_BAD_NAME,  /* not a token */
	HEADER_RESERVED,  /* header_is_reserved() */
	HEADER_BAD_VALUE, /* holds a control character */
	HEADER_TOO_MANY   /* HEADER_MAX or HEADER_BYTES_MAX would be exceeded */
};

/* Whether a name is a known one, or begins as one does, whatever the case. Many servers
 * hand names to programs with underscores for hyphens (RFC 3875, 4.1.18), so in `name`
 * one counts as the other. */
bool header_is(const char *name, const char *known);
bool header_begins(const char *name, const char *start);

/* Whether users may not choose it: what the gateway sends itself (its key, request id
 * and media types), what frames a message or belongs to a connection (RFC 9110,
 * 7.6.1), and what makes of a call another one (conditions and ranges, 13 and 14). */
bool header_is_reserved(const char *name);

/* Puts a header into the list, in place of one of that name; copies. With a fault the
 * list is as it was. */
enum header_fault header_list_put(struct header_list *, const char *name, const char *value);

/* The header of a name, or NULL. */
const struct header *header_list_find(const struct header_list *, const char *name);

/* Copies all; *to held nothing. */
void header_list_copy(struct header_list *to, const struct header_list *from);
void header_list_clear(struct header_list *);

#endif
