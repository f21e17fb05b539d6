#ifndef MAPPING_DIFFER_H
#define MAPPING_DIFFER_H

#include <json-c/json_object.h>

/* Called for each difference with a sentence: `goal is "", not "x"`. */
typedef void (*mapping_differ_fn)(void *arg, const char *sentence);

/* Compares two values: members in any order, numbers by their digits. */
void mapping_differ(struct json_object *is, struct json_object *expected, mapping_differ_fn,
    void *arg);

#endif
