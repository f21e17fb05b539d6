#ifndef MAPPING_PLAN_H
#define MAPPING_PLAN_H

#include "mapping/mapping.h"
#include "mapping/mapping_path.h"
#include "mapping/mapping_way.h"
#include "mapping/mapping_when.h"

/* The compiled mapping, as compiling makes it and applying reads it. Values in
 * it are shared between threads, so they are copied and never referenced. */

/* Fields by name, and what is declared for an upstream place. */
struct mapping_copy;
struct mapping_names;
struct mapping_outline;
struct mapping_template;
struct mapping_tree;

/* Where a declaration stands. */
struct mapping_place {
	bool built_in; /* in the default text, not in the user's file */
	int line, column;
};

struct mapping_field {
	struct mapping_path local, upstream;
	struct mapping_way way;
	struct json_object *filler; /* sent when absent at create; NULL: nothing is sent */
	bool filler_apart; /* no local value becomes the filler, so Bluejay's has no local one */
	bool fills; /* has when_absent, right or wrong: for the checks of the whole */
	struct json_object *omitted; /* a local value that a create does not send: the gateway
	                                keeps it instead; NULL: none */
	bool read_only, write_only;
	bool lossy; /* what does not come back is dropped rather than refused */
	struct mapping_when *when; /* it is sent, and read, only then; NULL: always */
	bool not_on_create; /* given at create it counts as absent */
	struct mapping_place place;
};

struct mapping_fields {
	struct mapping_field *items;
	size_t count;
};

/* Frees the list and what the fields hold. */
void mapping_fields_free(struct mapping_fields *);

enum mapping_constant_kind {
	MAPPING_CONSTANT_VALUE,
	MAPPING_CONSTANT_PROJECT_ID,
	MAPPING_CONSTANT_PROJECT_AGENT, /* left out when the project has none */
};

struct mapping_constant {
	struct mapping_path upstream;
	enum mapping_constant_kind kind;
	struct json_object *value; /* MAPPING_CONSTANT_VALUE only */
	struct mapping_when *when; /* NULL: always */
	bool hidden; /* the value came from the environment: it may be a secret */
	struct mapping_place place;
};

struct mapping_kept {
	struct mapping_path local;
	struct mapping_way way; /* the type that the local API gives it */
	bool not_on_create;
	struct mapping_place place;
};

struct mapping {
	const struct mapping_resource *resource;
	struct mapping_fields fields;
	struct mapping_constant *constants;
	size_t constant_count;
	struct mapping_kept *kept;
	size_t kept_count;
	struct mapping_template *templates;
	size_t template_count;
	const struct mapping_field *name; /* the resource's name; NULL: it has none */
	struct mapping_outline *outline;  /* what answers hold, to compare them with */
	struct mapping_copy *copy; /* how they are copied; NULL: they need trees */

	/* for what is found by a body's names: */
	struct mapping_path *inner; /* local objects that fields lie in: given empty, they are kept */
	size_t inner_count;
	struct mapping_tree *sent;     /* upstream places of fields that are sent; leaves are fields */
	struct mapping_tree *constant; /* those of constants */
	struct mapping_names *names;   /* fields by the text of their local path */
};

/* Makes the tables once everything is declared. */
void mapping_plan_finish(struct mapping *);

/* Frees the mapping but for its outline. */
void mapping_plan_free(struct mapping *);

/* The field of a local path; NULL for none. */
const struct mapping_field *mapping_plan_field(const struct mapping *, const char *local);

#endif
