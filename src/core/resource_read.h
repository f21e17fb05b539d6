#ifndef CORE_RESOURCE_READ_H
#define CORE_RESOURCE_READ_H

#include "config/yaml_node.h"
#include "core/resource.h"

/*
 * Reads declarations of resources: those that the program has itself
 * (config/defaults.yaml, which shows every word) and those of a user's file, by the
 * same rules.
 */

/* Reads the section `resources` of a file; NULL gives none. The array of the
 * resources, `count` of them, which resource_free_all() frees; mistakes are added. */
struct resource **resource_read_all(const struct yaml_node *section, size_t *count,
    struct diag_list *);
void resource_free_all(struct resource **, size_t count);

/* One that the program declares itself: "personas", "communities". Lives as long as
 * the program. From any thread. */
const struct resource *resource_built_in(const char *key);

#endif
