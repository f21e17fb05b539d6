#ifndef CORE_FOLLOW_H
#define CORE_FOLLOW_H

#include "core/gateway_impl.h"

/*
 * Notes to the store that nobody waits for. The record in memory follows the
 * version that the store gives it, so that later notes are not refused as old.
 */

/* What a read saw: the entry's record, at its version. */
void follow_refresh(struct gateway *, const struct shelf_entry *);

/* Somebody was told this item's id. Tried again until the store can note it. */
void follow_claim(struct gateway *, const char *scope, const char *local_id);

/* Whether a claim of this item is not noted yet. */
bool follow_is_claiming(const struct gateway *, const char *scope, const char *local_id);

/* After the port is closed: frees what the store did not answer any more. */
void follow_free_all(struct gateway *);

#endif
