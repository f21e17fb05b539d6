#ifndef MAPPING_WHEN_H
#define MAPPING_WHEN_H

#include "mapping/mapping_path.h"

/* A condition on a local field: that it is given, or that it is one value. */

struct mapping_field;

struct mapping_when {
	struct mapping_path local;
	struct json_object *is; /* NULL: only whether it is given counts */
	bool absent;            /* holds when it is not given */
	int line, column;
	int field_line, field_column; /* of the field's name */
	int value_line, value_column; /* of what must hold of it; in the short form of its name, too */
	bool built_in;
	const struct mapping_field *field; /* NULL: the gateway keeps it */
};

void mapping_when_free(struct mapping_when *); /* NULL is fine */

/* Whether the condition holds for a local value; NULL: it is absent. */
bool mapping_when_holds(const struct mapping_when *, struct json_object *value);

/* Whether two conditions (NULL: none) never hold together. */
bool mapping_when_exclusive(const struct mapping_when *, const struct mapping_when *);

/* "unless kind is \"voice\"", for a sentence; the caller frees. */
char *mapping_when_text(const struct mapping_when *, const char *word);

#endif
