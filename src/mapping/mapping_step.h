#ifndef MAPPING_STEP_H
#define MAPPING_STEP_H

#include "base/buf.h"
#include "json/json_piece.h"

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One operation on a field's value. A field holds a list of steps, chosen when
 * the file is loaded: a request goes through them from first to last, an answer
 * from last to first.
 */
struct mapping_step;

/* Why a value does not fit: "[2].wait" and "must be an integer". */
struct mapping_trouble {
	char path[256]; /* from the field's own value inwards; empty: the value itself */
	char text[256];
};

/* Says what is wrong with a value; returns NULL, so that a step may return it. */
struct json_object *mapping_trouble_set(struct mapping_trouble *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Says where the value that is wrong lies in a larger one: the piece of a path
 * ("[2]", ".wait") goes before those that are there. */
void mapping_trouble_in_list(struct mapping_trouble *, size_t index);
void mapping_trouble_in_object(struct mapping_trouble *, const char *key);

/* A new reference, or NULL with the trouble told when the value (never JSON
 * null) is not what the step takes. */
typedef struct json_object *(*mapping_step_fn)(const struct mapping_step *,
    struct json_object *value, struct mapping_trouble *);

struct mapping_step_kind {
	const char *name; /* of a type: as `as` names it */
	const char *noun; /* of a type: what it takes: "a string" */
	enum json_type json; /* of a type: the JSON type of its values; json_type_null: any */
	mapping_step_fn send;
	mapping_step_fn receive;
	/* Whether two upstream values stand for one local value. */
	bool (*same)(const struct mapping_step *, struct json_object *, struct json_object *);
	void (*free)(void *data); /* NULL: there is none */
	/* Appends what `receive` makes of a value, in its text, which is plain and not null;
	 * only looks when out is NULL. False when it is not what the step takes, or when that
	 * takes a tree to see. NULL: it always does. */
	bool (*copy)(const struct mapping_step_kind *, const struct json_piece *, struct buf *out);
};

struct mapping_step {
	const struct mapping_step_kind *kind;
	void *data; /* the kind's own */
};

/* The type that `as` names; NULL when there is none. */
const struct mapping_step_kind *mapping_step_find(const char *name);

/* The types in the order in which messages list them; NULL after the last. */
const struct mapping_step_kind *mapping_step_at(size_t i);

/* Equal values, numbers by what they are worth: an upstream may write 1e2 as
 * 100.0. */
bool mapping_step_same_value(struct json_object *, struct json_object *);

#endif
