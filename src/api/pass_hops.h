#ifndef API_PASS_HOPS_H
#define API_PASS_HOPS_H

#include "upstream/wire_field.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Which fields of a message belong to one hop (RFC 9110, 7.6.1): those of the protocol's own,
 * and those that its Connection fields list. The lists are read once and sorted, since a server
 * may send thousands of fields and of names in them.
 */
struct pass_hop;

struct pass_hops {
	struct pass_hop *listed; /* sorted */
	size_t count, room;
};

/* Reads the Connection fields of a list that ends with a NULL name; their values must live as
 * long as this. */
void pass_hops_read(struct pass_hops *, const struct wire_field *);
void pass_hops_free(struct pass_hops *);

/* Whether a field stays behind. */
bool pass_hops_has(const struct pass_hops *, const char *name);

#endif
