#ifndef CORE_BYPASS_H
#define CORE_BYPASS_H

#include "core/gateway.h"

/*
 * What exchanges need that go to Bluejay past everything the gateway knows (the
 * pass-through): where it is, a share of its budget; and what they change.
 */

/* Where Bluejay is, and how it is reached; it lives as long as the gateway. */
const char *bypass_url(const struct gateway *);
const char *bypass_proxy(const struct gateway *, const struct snapshot *); /* NULL: none */

/* Wants a place among the calls to Bluejay: see upstream_place(). It waits as long
 * as a request may take. */
struct upstream_call *bypass_place(struct gateway *, const char *request_id, upstream_place_fn,
    void *arg);

/* Bluejay has answered a request with this key, which may be the one before the key that
 * it refused. */
void bypass_saw(struct gateway *, int status, const char *key, bool fell_back);

/* A write may have been done: nothing that was read before, and nothing that is being
 * read, is taken for current any more. */
void bypass_written(struct gateway *);

#endif
