#ifndef MAPPING_ENTRIES_H
#define MAPPING_ENTRIES_H

#include "mapping/mapping_compiler.h"

/* The entries of one part of a section, with what differs for a project. */

struct mapping_part {
	const char *name;
	enum yaml_kind kind; /* YAML_MAP or YAML_LIST */
	const char *form;    /* what it must be, for the mistake */
};

struct mapping_entry {
	const struct yaml_node *key; /* NULL in a list */
	const struct yaml_node *item;
	bool built_in;
};

struct mapping_entries {
	struct mapping_entry *items;
	size_t count;
};

/* The part of the section, or else of the default; entries of `over` (NULL:
 * none) take the place of those with their key, a null takes one away, others
 * come last; a list replaces the list. Mistakes are added. The caller frees the
 * items. */
struct mapping_entries mapping_entries_read(struct mapping_compiler *, const struct mapping_part *,
    const struct yaml_node *section, const struct yaml_node *defaults,
    const struct yaml_node *over);

#endif
