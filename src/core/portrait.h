#ifndef CORE_PORTRAIT_H
#define CORE_PORTRAIT_H

#include "core/gateway_impl.h"

/* What the gateway needs of portraits; persona_portrait() is in personas.h. */

void portrait_free_all(struct gateway *);

/* How many are being made. */
unsigned portrait_running(const struct gateway *);

#endif
