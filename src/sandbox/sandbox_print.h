#ifndef SANDBOX_PRINT_H
#define SANDBOX_PRINT_H

#include "base/buf.h"
#include "sandbox/sandbox_state.h"

/* The service's own forms of its objects, with exactly the members that its
 * published schemas name. */
void sandbox_print_persona(struct buf *, const struct sandbox_persona *, const char *org);
void sandbox_print_community(struct buf *, const struct sandbox_community *);

/* The persona with its agent_id besides, which the service itself never shows. */
void sandbox_print_persona_whole(struct buf *, const struct sandbox_persona *, const char *org);

#endif
