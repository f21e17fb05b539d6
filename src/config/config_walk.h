#ifndef CONFIG_WALK_H
#define CONFIG_WALK_H

#include "config/config_values.h"
#include "config/diag.h"
#include "config/yaml_node.h"

#include <stdbool.h>

/* Walks a document against the key table into a struct config that holds the
 * defaults. With the sandbox, keys for Bluejay are passed over. */
void config_walk(struct config *, struct yaml_node *document, bool sandbox, struct diag_list *);

/* Adds the projects that stand for a left out "projects": every id; and, to try
 * things with (`demo`), one that has an agent. */
void config_walk_default_projects(struct config *, bool demo);

#endif
