#ifndef CORE_CHANGE_H
#define CORE_CHANGE_H

#include "core/gateway_impl.h"

/* What other files of this room need of updates and deletes; persona_update()
 * and persona_delete() are in personas.h. */

/* Goes on with an intent of an earlier run. */
void change_resume(struct gateway *, const struct store_intent *);

/* Updates and deletes whose outcome is being looked for. */
unsigned change_unsettled(const struct gateway *);

void change_free_all(struct gateway *);

#endif
