#ifndef MAPPING_OUTLINE_H
#define MAPPING_OUTLINE_H

#include "mapping/mapping_plan.h"

/*
 * What answers of Bluejay are declared to hold: what the mapping reads, and what
 * else is known of their members. Compiled when the mapping is, and immutable.
 */
struct mapping_outline_node {
	char *key;                            /* NULL at the top, and of `each` */
	const struct mapping_step_kind *kind; /* the type that is known of the member; NULL: none, or
	                                         the way says it */
	const struct mapping_way *way; /* by which the mapping reads the value as a whole; NULL: it
	                                  does not */
	struct json_object *filler; /* stands for a value that was absent; NULL: none does */
	bool expected;              /* every answer has it */
	bool never_null;
	bool items;                 /* of a listing: the array of the things */
	bool object;                /* an object; others are known by having members */
	bool open;                  /* an object that has other members, too */
	struct mapping_outline_node *members; /* sorted by key */
	size_t count;
	struct mapping_outline_node *each; /* of every element of an array; NULL: nothing is said */
	bool each_member;                  /* of every member of an object instead */
};

struct mapping_outline {
	struct mapping_outline_node item; /* one thing */
	struct mapping_outline_node list; /* a listing, down to its things */
};

/* Of a mapping whose fields and constants are complete and outlive the outline. */
struct mapping_outline *mapping_outline_new(const struct mapping *);
void mapping_outline_free(struct mapping_outline *);

/* The member of this key; NULL for none. */
const struct mapping_outline_node *mapping_outline_find(const struct mapping_outline_node *,
    const char *key);

/* What a value is declared to be: "a string"; NULL when that was not said. */
const char *mapping_outline_noun(const struct mapping_outline_node *);

/* Whether a value, which is not null, is that: of a value with members or elements,
 * only whether it can have them. */
bool mapping_outline_fits(const struct mapping_outline_node *, struct json_object *value);

#endif
