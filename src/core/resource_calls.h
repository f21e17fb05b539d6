#ifndef CORE_RESOURCE_CALLS_H
#define CORE_RESOURCE_CALLS_H

#include "config/yaml_node.h"
#include "core/resource.h"

/* A declaration that is being read. */
struct resource_reader {
	struct resource *resource;
	const struct yaml_node *key, *map;
	struct diag_list *diags;
};

/* Reads its calls: list, read, create, update, delete and, of a built-in one, add. The
 * rest of the resource that they need, `mapped`, is there. */
void resource_calls_read(const struct resource_reader *);

#endif
