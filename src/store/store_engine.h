#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H

#include "base/fail.h"
#include "store/store.h"
#include "store/store_call.h"
#include "store/store_member.h"

/*
 * What a database must do for the store. An engine embeds this struct as its
 * first member. Each operation of enum store_op is one transaction with the
 * meaning that store.h gives it.
 */
struct store_engine {
	struct store *store; /* set by the store before the first port is opened */
	/* Takes a call over and returns at once, from any thread. Writes are
	 * done in the order of submission; every call comes back through
	 * store_call_done(), a write after its commit is durable. */
	void (*submit)(struct store_engine *, struct store_call *);
	/* What the engine keeps for a port (store_port_lane()), on the port's thread; closing
	 * it, the engine does what was asked on it, and calls of it still come back through
	 * store_call_done(). NULL: nothing is kept. */
	void *(*port_open)(struct store_engine *, struct store_port *, struct loop *);
	void (*port_close)(struct store_engine *, void *lane);
	/* Gets ready for ports of several members; false, or NULL: it cannot. */
	bool (*member)(struct store_engine *);
	/* As store_member.h says, from any thread; NULL: for ever, always. */
	int64_t (*lease_until)(struct store_engine *);
	int64_t (*current_at)(struct store_engine *);
	/* Counts so far, from any thread. */
	void (*stats)(struct store_engine *, struct store_stats *);
	/* Finishes what was submitted, then frees everything. */
	void (*close)(struct store_engine *);
};

/* The embedded engine; NULL with a sentence. */
struct store_engine *sqlite_engine_open(const struct store_options *, struct fail *);

/* The one of a PostgreSQL database, which works on the loops of the ports; NULL with a
 * sentence, also when the program was built without it. */
struct store_engine *postgres_engine_open(const struct store_options *, struct fail *);

#endif
