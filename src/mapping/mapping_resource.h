#ifndef MAPPING_RESOURCE_H
#define MAPPING_RESOURCE_H

#include "config/yaml_node.h"
#include "mapping/mapping_known.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A kind of thing that is mapped, read from its declaration: what the two APIs are
 * known to have of it, and how it is mapped when the file says nothing. Other
 * members are possible on both sides; nothing is known of them.
 */
struct mapping_resource {
	char *noun;   /* "persona" */
	char *plural; /* "personas" */
	struct mapping_known *local;    /* ends with an entry without a name */
	struct mapping_known *upstream; /* the same */
	char *name; /* the local field that tells two of them apart, which every mapping of it
	               needs; NULL: there is none */
	char *id;   /* Bluejay's member with the id */
	bool dated; /* the gateway adds updatedAt to answers */
	bool open;  /* Bluejay may answer other members than those known */
	char *items; /* the member of a listing's answer that has the things; NULL: the answer is
	                their array itself */
	struct mapping_known *envelope;   /* what else such an answer has; with items only */
	const struct yaml_node *defaults; /* how it is mapped where the file is silent; NULL: nothing
	                                     is mapped then */
};

/* Reads a declaration under its key (defaults.yaml shows two): noun, plural, name,
 * id, created, list, capabilities, known. The rest of it is for others. Both must
 * outlive the resource of a built-in declaration. Never NULL; mistakes are added. */
struct mapping_resource *mapping_resource_read(const struct yaml_node *key,
    const struct yaml_node *declaration, bool built_in, struct diag_list *);
void mapping_resource_free(struct mapping_resource *); /* NULL is fine */

/* A resource that the program declares itself ("personas", "communities"); lives as
 * long as the program. From any thread. */
const struct mapping_resource *mapping_resource_built_in(const char *name);

/* What is known of a path's member; NULL for nothing. */
const struct mapping_known *mapping_resource_local(const struct mapping_resource *,
    const struct mapping_path *);
const struct mapping_known *mapping_resource_upstream(const struct mapping_resource *,
    const struct mapping_path *);

#endif
