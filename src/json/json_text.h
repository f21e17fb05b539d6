#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include "base/buf.h"

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compact text as JSON.stringify writes it (no spaces, no escaped slashes,
 * Unicode as it is); a number that was read keeps its digits. The caller
 * frees; *len may be NULL. */
char *json_print(struct json_object *, size_t *len);

/* Appends the value's compact text. */
bool json_add(struct buf *, struct json_object *);

/* Appends a JSON string with its quotes. `s` must be UTF-8. */
bool json_add_string(struct buf *, const char *s, size_t len);

/* `{"error": "<sentence>"}` in compact form; the caller frees. Bytes that are
 * not UTF-8 (a sentence that was cut) become U+FFFD. */
char *json_error_body(const char *sentence, size_t *len);

/* Small readers; each gives NULL or false when the member is missing or of
 * another type. The string belongs to the tree; one that holds U+0000 gives
 * NULL, since a C string would be cut there. */
const char *json_get_string(struct json_object *object, const char *key);
bool json_get_int(struct json_object *object, const char *key, int64_t *out);

/* Same value, same type, numbers by their text, members in any order. */
bool json_equal(struct json_object *, struct json_object *);

/* A copy that shares nothing; the caller puts it. NULL (JSON null) gives NULL. */
struct json_object *json_copy(struct json_object *);

#endif
