#ifndef CORE_INTENT_PRINT_H
#define CORE_INTENT_PRINT_H

#include "base/buf.h"
#include "store/store.h"

/* Adds an intent as operators see it, after a comma unless it is the first:
 * {id, operation, state, project, name, personaId, createdAt}. */
void intent_print(struct buf *, bool first, const struct store_intent *);

/* "create", "update" or "delete". */
const char *intent_operation(enum store_operation);

#endif
