#include "config.h"

#include "mapping/mapping_known.h"

#include <string.h>

/* Looks a name up. */
const struct mapping_known *
mapping_known_find(const struct mapping_known *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

/* The step kind of a known member's type. */
const struct mapping_step_kind *
mapping_known_kind(const struct mapping_known *known)
{
	return mapping_step_find(known->type);
}
