#ifndef JSON_READ_H
#define JSON_READ_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The strict gate: RFC 8259 text to a json-c tree in one pass. json-c's own
 * tokener accepts more than the RFC and changes numbers, so it is not used.
 *
 * Refused: anything that is not RFC 8259, bytes that are not UTF-8, lone
 * surrogates, duplicate keys, keys with U+0000 (json-c keys are C strings),
 * nesting deeper than JSON_MAX_DEPTH, an empty text, bytes after the value.
 *
 * Kept: integers up to 64 bits (signed or unsigned) become json-c integers;
 * every other number (fractions, exponents, -0, more than 64 bits) becomes a
 * json-c double that prints the digits it was read with. Strings may hold
 * U+0000. Members stay in their order.
 */
#define JSON_MAX_DEPTH 64

struct json_error {
	size_t offset; /* bytes from the start of the text */
	char text[96]; /* "unexpected end", "duplicate key", …; never holds the input's content */
};

/* Puts the value into *out (JSON null is a NULL pointer there, as in json-c);
 * the caller releases it with json_object_put(). False: *out is NULL and *err
 * (may be NULL) says why. */
bool json_read(const char *text, size_t len, struct json_object **out, struct json_error *err);

/* The same, refusing a text that holds more than max_values values (members and
 * elements count, keys do not). A tree costs some hundred bytes and some hundred
 * nanoseconds a value, whatever its length in bytes: this is the bound that
 * keeps one request from holding up a loop. */
bool json_read_bounded(const char *text, size_t len, size_t max_values, struct json_object **out,
    struct json_error *err);

#endif
