#ifndef POSTGRES_WRITER_H
#define POSTGRES_WRITER_H

#include "store/postgres_engine.h"

/*
 * The writes of a port, in the order of their calls: those that wait are done as a group in
 * one transaction, one group after the other. When its commit is unknown, the group asks
 * for the replies that were kept under the keys of its calls, and is done again only
 * when there are none.
 */
struct postgres_writer;

/* `wrote` is called after each group that changed something. */
struct postgres_writer *postgres_writer_new(struct postgres_engine *, struct loop *,
    void (*wrote)(void *arg), void *arg);
/* Refuses what is not done. */
void postgres_writer_free(struct postgres_writer *);
void postgres_writer_submit(struct postgres_writer *, struct store_call *);

/* Does what was submitted, without the loop, until nothing has come of it for so long. */
void postgres_writer_finish(struct postgres_writer *, int ms);

#endif
