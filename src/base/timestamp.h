#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds since 1970-01-01T00:00:00Z, years 0001 to 9999. */

#define TIMESTAMP_SIZE 32 /* room for the text and its NUL */

/* Writes `2026-01-28T10:00:00.000Z`, the local API's only form. */
void timestamp_format(int64_t ms, char out[TIMESTAMP_SIZE]);

/* Reads RFC 3339 as Bluejay writes it: any number of fraction digits (more
 * than three are cut, not rounded), `Z`, an offset, or nothing (then UTC).
 * False when it is not such a time. */
bool timestamp_parse(const char *text, size_t len, int64_t *ms);

/* Reads an HTTP date in its IMF-fixdate form (RFC 9110, 5.6.7); false otherwise. */
bool timestamp_parse_http(const char *text, int64_t *ms);

/* Writes an HTTP date; `out` has at least TIMESTAMP_SIZE bytes. */
void timestamp_format_http(int64_t ms, char out[TIMESTAMP_SIZE]);

#endif
