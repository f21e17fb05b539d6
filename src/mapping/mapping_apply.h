#ifndef MAPPING_APPLY_H
#define MAPPING_APPLY_H

#include "mapping/mapping_plan.h"

/* What both directions share. */

/* Runs a field's steps towards Bluejay or back. A new reference, or NULL with
 * *noun telling what the value should have been. */
struct json_object *mapping_apply_send(const struct mapping_field *, struct json_object *value,
    const char **noun);
struct json_object *mapping_apply_receive(const struct mapping_field *, struct json_object *value,
    const char **noun);

/* Whether two upstream values of the field stand for one local value. */
bool mapping_apply_same(const struct mapping_field *, struct json_object *, struct json_object *);

/* The path's value, or NULL for missing and null. -1 with a sentence when a
 * member on the way is no object. */
int mapping_apply_get(const struct mapping_path *, struct json_object *root,
    struct json_object **value, struct fail *);

#endif
