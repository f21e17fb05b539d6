#ifndef CORE_RELOAD_H
#define CORE_RELOAD_H

#include "core/gateway.h"

/*
 * Another snapshot comes into force while requests run. Those that run keep the one with
 * which they began; nothing that they share with others, such as a read, is shared
 * between the two, and an answer that the earlier mapping made is made anew.
 *
 * First records move to the agents that their projects have by then, so that a project
 * which gets an agent shows what it had; then all changes at once.
 */

/* `done` is called later, once, with NULL, or with a sentence when nothing has changed.
 * One reload at a time, and not before gateway_start() is ready. A reference is taken. */
typedef void (*gateway_reload_fn)(void *arg, const char *why);
void gateway_reload(struct gateway *, struct snapshot *, gateway_reload_fn done, void *arg);

/* Forgets one that is on its way. */
void reload_free(struct gateway *);

#endif
