#ifndef JSON_BLOB_H
#define JSON_BLOB_H

#include "base/base64.h"
#include "base/buf.h"
#include "json/json_read.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * JSON with one large base64 string in it, read in pieces: the string is decoded
 * as it comes, and the rest, in which it is left empty, is small and is read at
 * the end. So megabytes cost neither a tree nor a long turn of a loop.
 *
 * The string is the value of a member called `key` in an object at the given
 * depth (1: the outermost); the first one is taken, further ones are dropped. It
 * may begin as a data URL does ("data:image/png;base64,"), and its lines may be wrapped,
 * as base64(1) and MIME do.
 */
struct json_blob {
	const char *key;
	unsigned depth;
	struct buf rest;
	struct buf bytes; /* what was decoded */
	bool seen;        /* the string came */
	bool bad;         /* it is not base64 */
	/* the rest is the reader's */
	struct base64 base64;
	unsigned char state, after_key, prefix;
	unsigned level, matched;
	unsigned escape; /* hex digits of \u so far */
	unsigned code;
	unsigned head; /* characters of the data URL's head */
	char tail[8];  /* the last of them */
	bool dropping; /* the string that runs is a further one */
};

/* The key must live as long as the struct. */
void json_blob_init(struct json_blob *, const char *key, unsigned depth, size_t rest_max,
    size_t bytes_max);
void json_blob_free(struct json_blob *);

/* Takes a piece. False when more than the bounds came (rest.full, bytes.full). */
bool json_blob_add(struct json_blob *, const char *text, size_t len);

/* Everything came: reads the rest, as json_read_bounded() does. */
bool json_blob_end(struct json_blob *, size_t max_values, struct json_object **out,
    struct json_error *);

#endif
