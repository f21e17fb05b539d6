#ifndef JSON_PIECE_H
#define JSON_PIECE_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Where the values of an object lie in its text, for those who copy values instead of
 * building a tree. One pass over the text, by the rules of json_read.h: what is refused
 * there is never taken here. What needs a closer look is not taken either, and is for
 * json_read(): a key with an escape, and an object, at any depth, of more than
 * JSON_PIECES_MAX members, whose keys a table would have to compare.
 */
#define JSON_PIECES_MAX 32

/* One member. Belongs to the text; nothing ends with a NUL. */
struct json_piece {
	const char *key; /* between its quotes */
	size_t key_len;
	const char *value; /* of a string with its quotes */
	size_t len;
	enum json_type type; /* json_type_int: written without fraction and exponent, however long */
	bool plain; /* what json_print() writes of the value are these very bytes */
};

struct json_pieces {
	const char *text; /* the object's */
	size_t len;
	bool plain; /* json_print() writes these very bytes of it */
	size_t count;
	struct json_piece items[JSON_PIECES_MAX]; /* in their order; those beyond count are not set */
};

/* True when the text is an object and is taken. */
bool json_pieces_read(struct json_pieces *, const char *text, size_t len);

/* The piece of a key; NULL for none. */
const struct json_piece *json_pieces_find(const struct json_pieces *, const char *key);

/* What lies between the quotes of a string without escapes, which then is what it says;
 * NULL for anything else. */
const char *json_piece_string(const struct json_piece *, size_t *len);

/* The objects of an array, one after the other: */
struct json_objects {
	const char *text, *p, *end;
	bool bad;  /* the text is not taken; what was read of it before does not count */
	bool more; /* another one follows */
};

/* Begins with a whole text, which must be an array of objects. */
void json_objects_begin(struct json_objects *, const char *text, size_t len);

/* Reads the next one; false when there is none, or when the text is not taken. */
bool json_objects_next(struct json_objects *, struct json_pieces *);

/* Moves over the next one, which is known to be good if it is these bytes. False when
 * they do not follow, and nothing is done; or when the text is not taken after them. */
bool json_objects_skip(struct json_objects *, const char *bytes, size_t len);

#endif
