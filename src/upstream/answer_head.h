#ifndef UPSTREAM_ANSWER_HEAD_H
#define UPSTREAM_ANSWER_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The head of an HTTP/1.x answer (RFC 9112), line by line as it comes, and what
 * it says about the end of the body. An ambiguous end is refused: a length that
 * is not a number, two that differ, a coding other than `chunked` alone. What
 * else of it matters to a call is kept too: a content coding, and Retry-After.
 */
#define ANSWER_HEAD_MAX (64 * 1024) /* bytes of all lines, interim answers and trailers included */
#define ANSWER_HEAD_FIELD_MAX 64    /* bytes of a Retry-After value that are kept */

struct answer_head {
	size_t bytes;
	int status;    /* of the last status line; 0: none yet, or none that can be read */
	bool begun;    /* a line has come */
	bool http11, http2;
	bool interim;  /* the lines are those of a 1xx answer */
	bool complete; /* the final head has ended; what follows are trailers */
	bool closing;  /* Connection: close */
	bool chunked;
	bool ambiguous;
	bool vast; /* ambiguous: a length of more digits than are read */
	bool has_length;
	int64_t length;
	bool encoded; /* it has a content coding */
	bool has_retry_after;
	char retry_after[ANSWER_HEAD_FIELD_MAX];
};

/* A field within its line; the value is trimmed. */
struct answer_field {
	const char *name, *value;
	size_t name_len, value_len;
};

enum answer_line {
	ANSWER_LINE_STATUS,  /* what came before was an interim answer, or nothing */
	ANSWER_LINE_FIELD,
	ANSWER_LINE_ODD,     /* neither a field nor a status line: folded, without a name, with a
	                        byte that no field may hold (5.1, 5.2) */
	ANSWER_LINE_END,     /* of the final head, or of an interim one */
	ANSWER_LINE_TRAILER, /* after the final head: not looked at */
	ANSWER_LINE_BAD      /* the head is too long, or the end of the body ambiguous */
};

/* Takes the next line, its line end included; a zeroed head is ready. The field
 * is set for ANSWER_LINE_FIELD. */
enum answer_line answer_head_line(struct answer_head *, const char *line, size_t n,
    struct answer_field *);

/* Whether a field has this name; case does not matter. */
bool answer_field_is(const struct answer_field *, const char *name);

/* Whether its value, a list of tokens, holds this one. */
bool answer_field_has(const struct answer_field *, const char *token);

#endif
