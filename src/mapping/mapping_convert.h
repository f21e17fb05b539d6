#ifndef MAPPING_CONVERT_H
#define MAPPING_CONVERT_H

#include "mapping/mapping_compiler.h"

/*
 * What is said of the conversion of a value: by a field, or under `each` of the
 * elements of a list or object.
 */
struct mapping_convert {
	const struct yaml_node *map; /* has the words; NULL: none is given */
	const struct yaml_node *at;  /* where mistakes about the whole stand */
	const char *local, *upstream; /* the paths, for messages */
	/* What is known of both sides; NULL: nothing. */
	const struct mapping_step_kind *local_known, *upstream_known;
	bool sent, received; /* the directions in which values go */
	bool lossy;          /* need not come back as they went */
};

/* The words of a conversion. */
#define MAPPING_CONVERT_WORDS "as", "values", "default", "each", "fields", "keyed_by", \
	"valued_by", "others"

/* Compiles the way of the value; mistakes go to the list. The way can always be
 * used, so that what else is wrong is found too. */
void mapping_convert_compile(struct mapping_compiler *, const struct mapping_convert *,
    struct mapping_way *out);

/* Whether a value that goes there and back may change its form: a time. */
bool mapping_convert_is_time(const struct mapping_way *);

#endif
