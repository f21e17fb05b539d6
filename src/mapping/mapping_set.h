#ifndef MAPPING_SET_H
#define MAPPING_SET_H

#include "mapping/mapping.h"

/*
 * The mappings of one resource: the one of the file, and those of projects that
 * say what differs for them. Equal ones are compiled once.
 */
struct mapping_set;

/* `section` is the resource's own, `projects` the map from ids to projects (both
 * may be NULL), `word` names the resource in both ("persona"). NULL when there
 * was any error. */
struct mapping_set *mapping_set_compile(const struct mapping_resource *, const char *word,
    const struct yaml_node *section, const struct yaml_node *projects, struct diag_list *);
void mapping_set_free(struct mapping_set *); /* NULL is fine */

/* The mapping of a configured project; the file's own for NULL. NULL for no set. */
const struct mapping *mapping_set_of(const struct mapping_set *, const char *project);

#endif
