#ifndef MAPPING_KNOWN_H
#define MAPPING_KNOWN_H

#include "mapping/mapping_path.h"
#include "mapping/mapping_step.h"

/* What one of the two APIs is known to have. */
struct mapping_known {
	char *name;        /* NULL ends a table */
	const char *type;  /* name of a step kind */
	char *usual;       /* the member of the other side that it usually goes with; may be NULL */
	bool built_in;     /* local: the gateway makes it */
	bool answer_only;  /* local: callers do not choose it */
	bool no_create;    /* local: ignored at create */
	bool always_given; /* local: a create without it is refused before it is mapped */
	bool required;     /* upstream: a create without it is refused */
	bool set_there;    /* upstream: answered, never taken */
	bool not_answered; /* upstream: taken, never answered */
	bool never_null;   /* upstream: answered with a value, always */
};

/* The entry of a table by its name; NULL when there is none. */
const struct mapping_known *mapping_known_find(const struct mapping_known *table,
    const char *name);

const struct mapping_step_kind *mapping_known_kind(const struct mapping_known *);

#endif
