#ifndef CORE_INTENT_PRINT_H
#define CORE_INTENT_PRINT_H

#include "base/buf.h"
#include "core/snapshot.h"

/* Adds an intent as operators see it, after a comma unless it is the first:
 * {id, operation, state, kind, project, name, createdAt} and, of a write to an item that
 * exists, its id as personaId, communityId and so on. */
void intent_print(struct buf *, bool first, const struct snapshot *, const struct store_intent *);

/* "create", "update", "delete" or "add". */
const char *intent_operation(enum store_operation);

#endif
