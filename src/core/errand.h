#ifndef CORE_ERRAND_H
#define CORE_ERRAND_H

#include "core/items.h"

/*
 * An operation that another gateway of the crew does (crew.h): the whole request goes
 * there as a letter, and the whole answer comes back. Between the two nothing is shared:
 * what an errand carries belongs to one of the two threads at any time. The other side
 * is told of a client that left, and whether the answer could be handed over, as if the
 * client were its own.
 */
enum errand_kind {
	ERRAND_LIST,
	ERRAND_CREATE,
	ERRAND_READ,
	ERRAND_UPDATE,
	ERRAND_ADD,
	ERRAND_DELETE,
	ERRAND_PORTRAIT
};

struct errand_order {
	enum errand_kind kind;
	const struct project *project;
	const char *id;           /* NULL: of none */
	bool no_cache;
	struct json_object *body; /* NULL: none. A reference is taken; it leaves with the turn of
	                             the loop, and nobody here may have another one by then */
	const char *raw;          /* a create's bytes */
	size_t raw_len;
	const char *key;          /* a create's idempotency key; NULL: none */
};

/* Sends one; everything else is copied. A work like any other (gateway.h). */
struct work *errand_send(struct gateway *from, struct gateway *to, const struct errand_order *,
    work_done_fn, void *arg);

/* What a gateway keeps for the errands that come to it. */
void errand_free_all(struct gateway *);

#endif
