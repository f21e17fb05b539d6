#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H

#include "base/fail.h"
#include "store/store.h"
#include "store/store_call.h"

/*
 * What a database must do for the store. An engine embeds this struct as its
 * first member. Each operation of enum store_op is one transaction with the
 * meaning that store.h gives it.
 */
struct store_engine {
	/* Takes a call over and returns at once, from any thread. Writes are
	 * done in the order of submission; every call comes back through
	 * store_call_done(), a write after its commit is durable. */
	void (*submit)(struct store_engine *, struct store_call *);
	/* Counts so far, from any thread. */
	void (*stats)(struct store_engine *, struct store_stats *);
	/* Finishes what was submitted, then frees everything. */
	void (*close)(struct store_engine *);
};

/* The embedded engine; NULL with a sentence. */
struct store_engine *sqlite_engine_open(const struct store_options *, struct fail *);

#endif
