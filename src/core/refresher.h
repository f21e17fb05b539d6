#ifndef CORE_REFRESHER_H
#define CORE_REFRESHER_H

#include "core/gateway_impl.h"

/*
 * Reads items of projects without a listing again in the background, a few at
 * a time, after a list was answered from the record.
 */
struct refresher;

struct refresher *refresher_new(struct gateway *);
void refresher_free(struct refresher *);

/* Queues one item unless it is queued already or the queue is full. */
void refresher_add(struct refresher *, const struct project *, const char *local_id);

#endif
