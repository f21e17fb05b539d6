#ifndef MAPPING_APPLY_H
#define MAPPING_APPLY_H

#include "mapping/mapping_plan.h"

/* What both directions share. */

/* The path's value, or NULL for missing and null. -1 with a sentence when a
 * member on the way is no object. */
int mapping_apply_get(const struct mapping_path *, struct json_object *root,
    struct json_object **value, struct fail *);

/* -1 with the sentence for a value that does not fit. */
int mapping_apply_refuse(const struct mapping_path *, const struct mapping_trouble *,
    struct fail *);

#endif
