#ifndef UPSTREAM_ANSWER_READER_H
#define UPSTREAM_ANSWER_READER_H

#include "base/buf.h"
#include "upstream/answer_head.h"
#include "upstream/wire_field.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads the head of an answer that is passed on, and keeps its fields. Strict: what
 * is not well-formed is refused, since whoever gets it could read it differently.
 */
struct answer_reader {
	struct answer_head head;
	bool upgrade;       /* set by the owner: 101 is an answer too, and the final one */
	struct buf text;    /* names and values, each with its NUL */
	size_t field_count;
	struct buf line;    /* what is here of the next line, of bytes that are fed */
	const char *why;    /* why it was refused */
};

enum answer_read {
	ANSWER_READ_MORE,
	ANSWER_READ_HEAD, /* this was the end of the final head */
	ANSWER_READ_BAD   /* `why` says why */
};

void answer_reader_init(struct answer_reader *);
void answer_reader_free(struct answer_reader *);

/* Takes a whole line, its line end included; lines after the head are trailers, which
 * are dropped. */
enum answer_read answer_reader_line(struct answer_reader *, const char *line, size_t n);

/* Takes bytes as they come, until the head has ended: *used is how many belong to it.
 * Every line must end with CRLF. */
enum answer_read answer_reader_feed(struct answer_reader *, const char *bytes, size_t len,
    size_t *used);

/* The fields of the final head, in their order, repeated ones too. They point into
 * the reader; the caller frees the list. */
struct wire_field *answer_reader_fields(const struct answer_reader *);

#endif
