#ifndef CORE_CLIENTS_H
#define CORE_CLIENTS_H

#include "core/gateway_impl.h"

/* Whom the gateway calls: Bluejay, the provider of portraits, the local tool. */

/* Opens the clients that the gateway's snapshot asks for; -1 with a sentence. */
int clients_open(struct gateway *, struct fail *);

/* Gives them the settings of another snapshot; calls that run end as they began. -1 with
 * a sentence, and they are as they were. */
int clients_adjust(struct gateway *, struct snapshot *, struct fail *);

/* The same for a gateway beside another one, which asks Bluejay alone and shares with that
 * one what may be asked; then for the settings of its own snapshot. */
int clients_open_beside(struct gateway *, struct gateway *other, struct fail *);
int clients_adjust_beside(struct gateway *, struct fail *);

void clients_free(struct gateway *);

#endif
