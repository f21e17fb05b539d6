#ifndef POSTGRES_ENGINE_H
#define POSTGRES_ENGINE_H

#include "base/log.h"
#include "base/uuid.h"
#include "store/postgres_hosts.h"
#include "store/postgres_url.h"
#include "store/store_engine.h"

#include <stdatomic.h>

/*
 * What the parts of the engine share, in all loops: this process as a member of the
 * store, how the database is reached, and what was counted.
 */
struct postgres_engine {
	struct store_engine base;
	struct postgres_url *url;
	struct postgres_hosts *hosts;
	struct log *log;
	char member[UUID_SIZE];
	unsigned connections;        /* of a loop, for reads and writes */
	_Atomic int64_t lease_until; /* store_member.h; of the monotonic clock */
	_Atomic int64_t current_at;
	atomic_uint_fast64_t reads, writes, commits, refused, queued, members, reconnects;
	atomic_bool fed; /* a port has the feed */
	atomic_bool ill; /* the last that was tried failed; only for the log's sake */
};

/* How long a call waits for the database before it is refused, and how long at most for the
 * outcome of a write that was sent. */
#define POSTGRES_WAIT_MS 2000
#define POSTGRES_UNKNOWN_MS 10000
#define POSTGRES_ANSWER_MS 10000 /* without an answer on a connection: it is given up */
#define POSTGRES_TRIES 10        /* of a transaction that met another one */

/* Answers a call UNAVAILABLE and hands it back; the log hears of the first of a row. */
void postgres_engine_refuse(struct postgres_engine *, struct store_call *, const char *why);

/* Hands a call back whose reply is complete. */
void postgres_engine_done(struct postgres_engine *, struct store_call *);

#endif
