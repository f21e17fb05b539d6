#ifndef TORTURE_DATABASE_H
#define TORTURE_DATABASE_H

#include "torture_world.h"

/*
 * The PostgreSQL that several gateways share, with a standby that has all that was
 * acknowledged; and what happens to it: it is restarted, killed, hangs, or the standby takes
 * its place and the dead one becomes the standby.
 */
struct database *database_start(struct world *);
void database_end(struct database *); /* may be NULL */

/* Where the gateways find whichever of both takes writes. */
const char *database_url(const struct database *);

/* Lets something happen, and waits until writes are taken again. */
void database_trouble(struct database *, uint64_t *random);

#endif
