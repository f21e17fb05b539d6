#ifndef CORE_UPKEEP_H
#define CORE_UPKEEP_H

#include "core/gateway_impl.h"

/*
 * What the store needs of its own accord: records move to the agents that their
 * projects have now, at a start and when another snapshot comes into force; and what is
 * old is forgotten every hour.
 */
struct upkeep;

struct upkeep *upkeep_new(struct gateway *);
void upkeep_free(struct upkeep *); /* after the port is closed */

/* Moves records to where they belong by a snapshot that is about to come into force;
 * `ready` is called later, when they are there. One at a time. */
void upkeep_join(struct upkeep *, struct snapshot *, loop_fn ready, void *arg);

/* A snapshot came into force: what requests of the earlier one still record moves soon
 * after their time is over. */
void upkeep_again(struct upkeep *);

#endif
