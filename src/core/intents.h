#ifndef CORE_INTENTS_H
#define CORE_INTENTS_H

#include "core/gateway.h"

/*
 * What an operator sees and decides of writes whose outcome is unknown. Results
 * are JSON for the admin address; works as in gateway.h.
 */

/* 200 with an array of {id, operation, state, kind, project, name, createdAt} and, of
 * writes to an item that exists, personaId or communityId. */
struct work *intents_list(struct gateway *, work_done_fn, void *arg);

/* The create made this upstream item: records it under the intent. 200 with
 * the item; 404 when there is no such create, 409 when it cannot be. */
struct work *intents_adopt(struct gateway *, const char *intent_id, const char *upstream_id,
    work_done_fn, void *arg);

/* The operator knows that nothing was made, or does not care: the intent and the
 * name it holds go. 204; 404 when there is no such intent; 409 while it is being
 * sent or recorded. */
struct work *intents_forget(struct gateway *, const char *intent_id, work_done_fn, void *arg);

#endif
