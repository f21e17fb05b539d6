#ifndef CORE_FENCE_H
#define CORE_FENCE_H

#include "core/gateway_impl.h"

/*
 * The fence: an id is served only when it is known to belong to the scope, from
 * memory, from the store, or from a listing that says what the project has.
 */
struct fence;

enum fence_status { FENCE_KNOWN, FENCE_UNKNOWN, FENCE_FAILED };

/* Never called before fence_find() returns. The entry is valid during the
 * callback unless pinned there; trouble is set for FENCE_FAILED. */
typedef void (*fence_fn)(void *arg, enum fence_status, struct shelf_entry *,
    const struct result *trouble);

struct fence *fence_find(struct gateway *, const struct project *, const char *local_id,
    fence_fn, void *arg);
void fence_cancel(struct fence *);

#endif
