#ifndef MAPPING_COPY_PLAN_H
#define MAPPING_COPY_PLAN_H

#include "mapping/mapping_plan.h"

/*
 * How a mapping copies answers, as compiling makes it: the members of the local form in
 * their order, each with the text that goes before its value.
 */
struct mapping_copy_part {
	const struct mapping_field *field; /* NULL: what the gateway keeps */
	size_t member;     /* of the outline: where the field's value is */
	const char *local; /* the name of the member */
	bool keeps;        /* where Bluejay has no value, the gateway may have kept one */
	char *head;        /* `,"systemPrompt":` */
	size_t head_len;
};

struct mapping_copy {
	struct mapping_copy_part *parts;
	size_t count;
	size_t room; /* bytes that a local form may have beyond what is copied, roughly */
};

/* Of a mapping whose outline is made. NULL when its answers need trees: something is
 * computed, has a condition, or is not directly in the answer. */
struct mapping_copy *mapping_copy_new(const struct mapping *);
void mapping_copy_free(struct mapping_copy *);

#endif
