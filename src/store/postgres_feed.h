#ifndef POSTGRES_FEED_H
#define POSTGRES_FEED_H

#include "store/postgres_engine.h"

/*
 * One port of a process renews the lease and reads what other members have changed, on a
 * connection of its own: a hint of the database makes it look at once, and it looks in any
 * case in short intervals. What it tells is complete by snapshots of the database.
 */
struct postgres_feed;

struct postgres_feed *postgres_feed_new(struct postgres_engine *, struct store_port *,
    struct loop *);
/* Gives the lease back if the database can be reached at once. */
void postgres_feed_free(struct postgres_feed *);

/* This process has changed something: hints at it, soon. */
void postgres_feed_hint(struct postgres_feed *);

#endif
