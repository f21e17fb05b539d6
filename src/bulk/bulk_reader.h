#ifndef BULK_READER_H
#define BULK_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Takes a file of personas apart, one after the other, in memory that does not grow with
 * the file. Its forms:
 *
 *   JSON lines   one JSON object on each line
 *   JSON         an array of objects, or an object whose member "personas" is one
 *
 * Pieces are cut out by their brackets and quotes alone; whether a piece is JSON is for
 * who reads it. So one broken line, or one broken string, spoils nothing but itself.
 */
#define BULK_READER_CHUNK 65536 /* bytes read at a time */

enum bulk_form { BULK_FORM_AUTO, BULK_FORM_LINES, BULK_FORM_JSON };

enum bulk_read {
	BULK_READ_PIECE,
	BULK_READ_LONG, /* a piece is longer than may be; what follows it can be read */
	BULK_READ_WAIT, /* a pipe has nothing yet: ask again when it is readable */
	BULK_READ_END,
	BULK_READ_BROKEN /* nothing can be read any more; *why says it */
};

struct bulk_piece {
	const char *text; /* until the next call */
	size_t len;
	off_t at;      /* where it begins, in bytes from the start of the reading */
	uint64_t line; /* on which it begins, from 1 */
	const char *why;
};

struct bulk_reader;

/* Reads from a descriptor, which stays the caller's, from where it stands. Pieces may have
 * `max` bytes. */
struct bulk_reader *bulk_reader_new(int fd, enum bulk_form, size_t max);
void bulk_reader_free(struct bulk_reader *);

enum bulk_read bulk_reader_next(struct bulk_reader *, struct bulk_piece *);

/* Bytes of what has been given out so far. */
off_t bulk_reader_at(const struct bulk_reader *);

#endif
