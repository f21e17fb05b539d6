#ifndef CORE_SERIAL_H
#define CORE_SERIAL_H

#include "base/loop.h"

/*
 * One at a time per key, first come first served. A ticket is granted later,
 * never inside serial_enter().
 */
struct serial;
struct serial_ticket;

struct serial *serial_new(struct loop *);
void serial_free(struct serial *); /* no ticket may be left */

struct serial_ticket *serial_enter(struct serial *, const char *key, loop_fn granted, void *arg);

/* Leaves, whether granted or still waiting; the next in line is granted. */
void serial_leave(struct serial_ticket *);

#endif
