#ifndef MAPPING_WAY_H
#define MAPPING_WAY_H

#include "mapping/mapping_step.h"

/*
 * The way of a value between its local and its upstream form: steps from first
 * to last towards Bluejay, from last to first back.
 */
struct mapping_way {
	struct mapping_step *steps; /* never empty once compiled */
	size_t count;
	const struct mapping_step_kind *local, *upstream; /* the types at its two ends */
};

/* Adds a step at the end; takes the data. */
void mapping_way_add(struct mapping_way *, const struct mapping_step_kind *, void *data);
void mapping_way_free(struct mapping_way *);

/* A new reference, or NULL with the trouble told. The value is not null. */
struct json_object *mapping_way_send(const struct mapping_way *, struct json_object *value,
    struct mapping_trouble *);
struct json_object *mapping_way_receive(const struct mapping_way *, struct json_object *value,
    struct mapping_trouble *);

/* The same inside lists and objects, where null is a value like others and
 * stays null: false for trouble. */
bool mapping_way_send_any(const struct mapping_way *, struct json_object *value,
    struct json_object **out, struct mapping_trouble *);
bool mapping_way_receive_any(const struct mapping_way *, struct json_object *value,
    struct json_object **out, struct mapping_trouble *);

/* Whether two upstream values stand for one local value. */
bool mapping_way_same(const struct mapping_way *, struct json_object *, struct json_object *);

#endif
