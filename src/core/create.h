#ifndef CORE_CREATE_H
#define CORE_CREATE_H

#include "core/gateway_impl.h"

/* What other files of this room need of creates; item_create() is in items.h. */

/* Goes on with an intent of an earlier run. */
void create_resume(struct gateway *, const struct store_intent *);

/* Stops looking for an intent's outcome, so that an operator can decide; its
 * clients are told. False while it is being sent or recorded. */
bool create_let_go(struct gateway *, const char *intent_id);

/* Whether a create with this intent runs here. */
bool create_runs(const struct gateway *, const char *intent_id);

/* Cuts what is on its way to Bluejay, as if it had not answered in time. */
void create_cut(struct gateway *);

/* Creates whose outcome is being looked for. */
unsigned create_unsettled(const struct gateway *);

void create_free_all(struct gateway *);

#endif
