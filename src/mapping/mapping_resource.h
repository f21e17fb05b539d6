#ifndef MAPPING_RESOURCE_H
#define MAPPING_RESOURCE_H

#include "mapping/mapping_known.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A kind of thing that is mapped: what the two APIs are known to have of it, and
 * how it is mapped when the file says nothing. Other members are possible on
 * both sides; nothing is known of them.
 */
struct mapping_resource {
	const char *noun;   /* "persona" */
	const char *plural; /* "personas" */
	const struct mapping_known *local; /* ends with an entry without a name */
	const struct mapping_known *upstream; /* the same */
	const char *name; /* the local field that tells two of them apart, which every mapping of
	                     it needs; NULL: there is none */
	bool dated;       /* the gateway adds updatedAt to answers */
	const char *items; /* the member of a listing's answer that has the things; NULL: the
	                      answer is their array itself */
	const struct mapping_known *envelope; /* what else such an answer has; with items only */
	const char *text; /* the built-in section as YAML; a part it leaves out is empty */
};

/* The local Personas API's page; Bluejay's pages of create-, update- and
 * get-customer-persona. */
extern const struct mapping_resource mapping_persona;

/* Bluejay's pages of create-, update- and get-community. */
extern const struct mapping_resource mapping_community;

/* What is known of a path's member; NULL for nothing. */
const struct mapping_known *mapping_resource_local(const struct mapping_resource *,
    const struct mapping_path *);
const struct mapping_known *mapping_resource_upstream(const struct mapping_resource *,
    const struct mapping_path *);

#endif
