#ifndef STORE_PORT_H
#define STORE_PORT_H

#include "store/store_call.h"
#include "store/store_member.h"

/*
 * The parts of a port that engines need. Each may be called from any thread.
 */

/* What the engine's port_open() gave; NULL when it has none. */
void *store_port_lane(const struct store_port *);

/* Whose port it is. */
unsigned store_port_member(const struct store_port *);

/* Whether a test has the lease of this member run out. */
bool store_member_lapsed(const struct store *, unsigned member);

/* Tells the watching ports of all members but one of a change, which is copied. */
void store_tell(struct store *, unsigned but, const struct store_change *);

/* Tells one port, if it watches; NULL: the feed was lost. */
void store_port_tell(struct store_port *, const struct store_change *);

/* Has what was told reach the watcher now; on the port's loop, not inside a call of the
 * port's owner. */
void store_port_flush(struct store_port *);

#endif
