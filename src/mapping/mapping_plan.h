#ifndef MAPPING_PLAN_H
#define MAPPING_PLAN_H

#include "mapping/mapping.h"
#include "mapping/mapping_path.h"
#include "mapping/mapping_step.h"

/* The compiled mapping, as compiling makes it and applying reads it. Values in
 * it are shared between threads, so they are copied and never referenced. */

/* Where a declaration stands. */
struct mapping_place {
	bool built_in; /* in the default text, not in the user's file */
	int line, column;
};

struct mapping_field {
	struct mapping_path local, upstream;
	struct mapping_step *steps; /* never empty */
	size_t step_count;
	struct json_object *filler; /* sent when absent at create; NULL: nothing is sent */
	bool fills; /* has when_absent, right or wrong: for the checks of the whole */
	bool read_only;
	bool not_on_create; /* given at create it counts as absent */
	struct mapping_place place;
};

enum mapping_constant_kind {
	MAPPING_CONSTANT_VALUE,
	MAPPING_CONSTANT_PROJECT_ID,
	MAPPING_CONSTANT_PROJECT_AGENT, /* left out when the project has none */
};

struct mapping_constant {
	struct mapping_path upstream;
	enum mapping_constant_kind kind;
	struct json_object *value; /* MAPPING_CONSTANT_VALUE only */
	struct mapping_place place;
};

struct mapping_kept {
	struct mapping_path local;
	struct mapping_step step; /* the type that the local API gives it */
	bool not_on_create;
	struct mapping_place place;
};

struct mapping {
	const struct mapping_resource *resource;
	struct mapping_field *fields;
	size_t field_count;
	struct mapping_constant *constants;
	size_t constant_count;
	struct mapping_kept *kept;
	size_t kept_count;
	const struct mapping_field *name; /* the resource's name; NULL: it has none */
};

#endif
