#ifndef CORE_EPOCH_H
#define CORE_EPOCH_H

#include "core/gateway_impl.h"

/*
 * When a scope was last written, in the order of reads and writes
 * (gateway.sequence): what was read before is outdated. Only scopes that
 * somebody watches are remembered.
 */
struct epoch {
	char *scope;
	uint64_t written; /* 0: never */
	uint64_t own;     /* the last of these that was, or may have been, a gateway's own write */
	UT_hash_handle hh;
};

/* Remembers a scope from now on; valid until epoch_free_all(). */
const struct epoch *epoch_watch(struct gateway *, const char *scope);

/* A write changed the scope, and all that share its items. */
void epoch_touch(struct gateway *, const char *scope);

/* Bluejay shows other contents of one than before: somebody has written past the gateway. */
void epoch_see(struct gateway *, const char *scope);

/* A write that is not known here may have changed any scope. */
void epoch_touch_all(struct gateway *);

/* An item that all scopes of a resource share was deleted: none of those that are
 * watched shows it again because an old listing does. */
void epoch_bury(struct gateway *, const struct resource *, const char *local_id,
    const char *upstream_id);

void epoch_free_all(struct gateway *);

#endif
