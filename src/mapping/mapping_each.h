#ifndef MAPPING_EACH_H
#define MAPPING_EACH_H

#include "mapping/mapping_way.h"

/* Steps for lists and objects. Their data belongs to them. */

/* Every element of an array, or every member of an object, goes one way; a null
 * stays null. Takes the way. */
extern const struct mapping_step_kind mapping_each_array, mapping_each_object;
void *mapping_each_new(struct mapping_way *way);
/* The way of one element or member; NULL when the step is none of the two. */
const struct mapping_way *mapping_each_way(const struct mapping_step *);

/*
 * A list of objects, each with a key of its own, and an object with the same
 * under their keys: [{key: a, …}] and {a: {…}}; or, when `value` is given,
 * [{key: a, value: x}] and {a: x}. mapping_keyed_object has the list on the local side,
 * mapping_keyed_array in Bluejay. `value` may be NULL.
 */
extern const struct mapping_step_kind mapping_keyed_object, mapping_keyed_array;
void *mapping_keyed_new(const char *key, const char *value);

#endif
