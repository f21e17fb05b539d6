#ifndef POSTGRES_READER_H
#define POSTGRES_READER_H

#include "store/postgres_engine.h"

/*
 * The reads of a port, spread over a few connections. Each is a transaction of its own; many
 * are under way on a connection. What was not answered when one is lost is asked again.
 */
struct postgres_reader;

struct postgres_reader *postgres_reader_new(struct postgres_engine *, struct loop *,
    unsigned connections);
/* Refuses what is not answered. */
void postgres_reader_free(struct postgres_reader *);
void postgres_reader_submit(struct postgres_reader *, struct store_call *);

#endif
