#ifndef CORE_TWIN_BATCH_H
#define CORE_TWIN_BATCH_H

#include "core/gateway_impl.h"

/*
 * Twins for personas that were found in Bluejay and are about to be adopted: made
 * before they are shown for the first time, so that the twins' ids can be theirs. It
 * takes a bounded time; those without a twin by then keep Bluejay's id, and their twin,
 * made in the background, has another one.
 */
struct twin_batch;
typedef void (*twin_batch_fn)(void *arg);

/* Gives each of the records, which stay where they are, the id of its twin as local id;
 * those that have no local id at all are left out. `done` comes later, once, unless the batch is ended before. */
struct twin_batch *twin_batch_start(struct gateway *, const struct project *,
    struct store_record *, size_t count, int64_t deadline, twin_batch_fn done, void *arg);

/* They were adopted, or (adopted false) not: the twins are noted; it frees itself. It may
 * be ended before it is done. */
void twin_batch_end(struct twin_batch *, bool adopted);

void twin_batch_free_all(struct gateway *);

#endif
