#ifndef CORE_UPKEEP_H
#define CORE_UPKEEP_H

#include "core/gateway_impl.h"

/*
 * What the store needs of its own accord: at a start, records move to the agents
 * that their projects have now; from then on what is old is forgotten every hour.
 */
struct upkeep;

/* `ready` is called later, when the records are where they belong. */
struct upkeep *upkeep_start(struct gateway *, loop_fn ready, void *arg);
void upkeep_free(struct upkeep *); /* after the port is closed */

#endif
