#ifndef MAPPING_KNOWN_H
#define MAPPING_KNOWN_H

#include "mapping/mapping_path.h"
#include "mapping/mapping_step.h"

/* What the two APIs are known to have: the local Personas API's page, and
 * Bluejay's pages of create-, update- and get-customer-persona. Other members
 * are possible on both sides; nothing is known of them. */
struct mapping_known {
	const char *name;
	const char *type;  /* name of a step kind */
	const char *usual; /* upstream: the local field that usually goes there */
	bool built_in;     /* local: the gateway makes it */
	bool answer_only;  /* local: callers do not choose it */
	bool no_create;    /* local: ignored at create */
	bool required;     /* upstream: a create without it is refused */
	bool set_there;    /* upstream: answered, never taken */
	bool not_answered; /* upstream: taken, never answered */
};

/* What is known of a path's member; NULL for nothing. */
const struct mapping_known *mapping_known_local(const struct mapping_path *);
const struct mapping_known *mapping_known_upstream(const struct mapping_path *);

/* The members one by one; NULL after the last. */
const struct mapping_known *mapping_known_local_at(size_t i);
const struct mapping_known *mapping_known_upstream_at(size_t i);

const struct mapping_step_kind *mapping_known_kind(const struct mapping_known *);

#endif
