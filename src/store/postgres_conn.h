#ifndef POSTGRES_CONN_H
#define POSTGRES_CONN_H

#include "base/loop.h"
#include "store/postgres_hosts.h"
#include "store/postgres_statement.h"
#include "store/postgres_url.h"

#include <stdatomic.h>
#include <sys/queue.h>

/*
 * One connection to the database on a loop, in libpq's pipeline mode. It connects by
 * itself as long as it is wanted, from host to host and with growing, jittered pauses, and
 * prepares statements at their first use. What was sent and not answered when it is lost
 * is the owner's to know: nothing is sent twice.
 */
struct postgres_conn;

/* Told from the loop, never inside a function of the connection that the owner calls. */
struct postgres_conn_owner {
	/* It is ready: nothing is under way on it. */
	void (*ready)(void *arg);
	/* The next statement that was sent has this outcome (PGRES_TUPLES_OK, or an error;
	 * PGRES_PIPELINE_ABORTED behind an error). The result is freed afterwards. */
	void (*result)(void *arg, const PGresult *);
	/* All that was sent up to the next postgres_conn_sync() is over. */
	void (*synced)(void *arg);
	/* It is lost, or could not be made; it tries again. */
	void (*lost)(void *arg, const char *why);
	/* The database has sent a notification. May be NULL. */
	void (*notice)(void *arg);
	void *arg;
	atomic_uint_fast64_t *again; /* counts each time that it is ready but the first */
};

/* It does not connect yet. The url and the hosts outlive it. */
struct postgres_conn *postgres_conn_new(struct loop *, const struct postgres_url *,
    struct postgres_hosts *, const struct postgres_conn_owner *);
/* Inside the owner's functions too. Nothing is called any more. */
void postgres_conn_free(struct postgres_conn *);

/* Begins to connect if it is not connected and does not wait before it tries again. */
void postgres_conn_want(struct postgres_conn *);

bool postgres_conn_is_ready(const struct postgres_conn *);

/* Sends a statement, or what ends a transaction of statements. Call flush after the last of
 * them. Only while it is ready. */
void postgres_conn_send(struct postgres_conn *, enum postgres_statement,
    const struct postgres_params *);
void postgres_conn_sync(struct postgres_conn *);
void postgres_conn_flush(struct postgres_conn *);

/* Gives the connection up as lost; the owner is told later, from the loop. */
void postgres_conn_drop(struct postgres_conn *, const char *why);

/* Waits for the connection's socket and does what is to be done, for so long at most,
 * without the loop; then it connects without pauses. For the time when a port is closed. */
void postgres_conn_drive(struct postgres_conn *, int ms);

#endif
