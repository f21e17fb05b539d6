#ifndef CORE_NAMES_H
#define CORE_NAMES_H

#include "core/gateway_impl.h"

/*
 * Names must differ in a project, and Bluejay does not see to it. A store that has
 * never listed the scope (a new one, or one put back from a backup) does not know the
 * names that are taken: who is about to take one has it listed first.
 */
struct names_wait;

/* Called later, never after names_leave(): the names are known, or why they are not. */
typedef void (*names_fn)(void *arg, const struct result *trouble);

/* Whether nothing needs to be waited for. */
bool names_known(struct gateway *, const struct project *);

struct names_wait *names_want(struct gateway *, const struct project *, names_fn, void *arg);
void names_leave(struct names_wait *); /* NULL is fine */

#endif
