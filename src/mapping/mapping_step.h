#ifndef MAPPING_STEP_H
#define MAPPING_STEP_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One operation on a field's value. A field holds a list of steps, chosen when
 * the file is loaded: a request goes through them from first to last, an answer
 * from last to first.
 */
struct mapping_step;

/* A new reference, or NULL when the value (never JSON null) is not what the
 * step takes. */
typedef struct json_object *(*mapping_step_fn)(const struct mapping_step *,
    struct json_object *value);

struct mapping_step_kind {
	const char *name; /* as `as` names it */
	const char *noun; /* what it takes: "a string" */
	enum json_type json; /* the JSON type of its values; json_type_null: any */
	mapping_step_fn send;
	mapping_step_fn receive;
	/* Whether two upstream values stand for one local value. */
	bool (*same)(struct json_object *, struct json_object *);
};

struct mapping_step {
	const struct mapping_step_kind *kind;
};

/* The kind that `as` names; NULL when there is none. */
const struct mapping_step_kind *mapping_step_find(const char *name);

/* The kinds in the order in which messages list them; NULL after the last. */
const struct mapping_step_kind *mapping_step_at(size_t i);

/* Equal values, numbers by what they are worth: an upstream may write 1e2 as
 * 100.0. */
bool mapping_step_same_value(struct json_object *, struct json_object *);

#endif
