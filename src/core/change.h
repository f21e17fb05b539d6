#ifndef CORE_CHANGE_H
#define CORE_CHANGE_H

#include "core/gateway_impl.h"

/* What other files of this room need of updates and deletes; item_update()
 * and item_delete() are in items.h. */

/* Goes on with an intent of an earlier run. */
void change_resume(struct gateway *, const struct store_intent *);

/* Stops looking for an intent's outcome, so that an operator can decide. False
 * while it is being sent or recorded. */
bool change_let_go(struct gateway *, const char *intent_id);

/* Whether an update or delete with this intent runs here. */
bool change_runs(const struct gateway *, const char *intent_id);

/* Cuts what is on its way to Bluejay, as if it had not answered in time. */
void change_cut(struct gateway *);

/* Updates and deletes whose outcome is being looked for. */
unsigned change_unsettled(const struct gateway *);

void change_free_all(struct gateway *);

#endif
