#ifndef CORE_READING_H
#define CORE_READING_H

#include "core/items.h"

/* Reads one item for another gateway of the crew: as item_get(), but it goes to nobody
 * except the owner. */
struct work *reading_visit(struct gateway *, const struct project *, const char *id, bool no_cache,
    work_done_fn, void *arg);

#endif
