#ifndef MAPPING_VALUES_H
#define MAPPING_VALUES_H

#include "mapping/mapping_way.h"

/*
 * The step of a value map: each local value (a text, a number, true or false)
 * has one in Bluejay. Values that it does not name are refused, unless it says
 * what else becomes of them.
 */
extern const struct mapping_step_kind mapping_values_kind;

enum mapping_values_others {
	MAPPING_VALUES_REFUSE,
	MAPPING_VALUES_KEEP,    /* they stay as they are, if that does not mix them up with named ones */
	MAPPING_VALUES_DEFAULT, /* they count as one of the named ones */
};

struct mapping_values;

struct mapping_values *mapping_values_new(size_t capacity);
void mapping_values_free(void *);

/* Adds a pair; takes both references. False when the local value is named
 * already (nothing is added, both are put). *twin is the pair before that has
 * the same upstream value, or the count of pairs for none: it stays the one
 * that is read back. */
bool mapping_values_add(struct mapping_values *, struct json_object *local,
    struct json_object *upstream, size_t *twin);

size_t mapping_values_count(const struct mapping_values *);
struct json_object *mapping_values_local(const struct mapping_values *, size_t i);
struct json_object *mapping_values_upstream(const struct mapping_values *, size_t i);

/* The pair of a local value; the count when there is none. */
size_t mapping_values_find(const struct mapping_values *, struct json_object *local);

/* `fallback` is a pair, for MAPPING_VALUES_DEFAULT. */
void mapping_values_others(struct mapping_values *, enum mapping_values_others, size_t fallback);

/* Whether every value that goes on is one of the named ones. */
bool mapping_values_closed(const struct mapping_values *);

/* Whether no other value is taken at all. */
bool mapping_values_named_only(const struct mapping_values *);

/* "calm, angry"; the caller frees. */
char *mapping_values_list(const struct mapping_values *, bool local);

#endif
