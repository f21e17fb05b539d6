#ifndef MAPPING_COPY_CHECK_H
#define MAPPING_COPY_CHECK_H

#include "mapping/mapping.h"

/* One answer of Bluejay with what was recorded: `absent` and `kept` may be NULL. */
struct mapping_copy_case {
	const char *text;
	size_t len;
	struct json_object *absent, *kept;
};

/* Whether copying an answer, where it is copied, gives the bytes that its tree gives, and
 * says of it what the tree says. *copied counts those that were. For unit tests and the
 * fuzzer. */
bool mapping_copy_check(const struct mapping *, const struct mapping_copy_case *,
    unsigned *copied);

/* Whether two answers that are copied compare as their trees do; true when they are not. */
bool mapping_copy_check_pair(const struct mapping *, const char *a, size_t a_len, const char *b,
    size_t b_len);

/* The first for the text that printing a tree gives; and with those members that every
 * persona of Bluejay's has, where the tree has none. */
bool mapping_copy_check_tree(const struct mapping *, struct json_object *upstream,
    struct json_object *absent, struct json_object *kept, unsigned *copied);

#endif
