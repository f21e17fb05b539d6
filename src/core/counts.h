#ifndef CORE_COUNTS_H
#define CORE_COUNTS_H

#include "core/crew.h"
#include "core/peers.h"

/*
 * What the gateways of the process have counted, for /metrics: plain numbers. Unsettled
 * writes are counted by the store, which is asked; it may be slow or stuck, so the last
 * known numbers are given when it does not answer in time.
 */
struct gateway_counts {
	struct upstream_counts bluejay;
	struct upstream_counts images; /* the provider's; all 0 without one */
	bool draws;                    /* there is a provider */
	struct store_stats store;
	uint64_t cache_hits, cache_misses, cache_stale, cache_joined;
	size_t cache_bytes, cache_max_bytes, cache_entries;
	uint64_t intents[GATEWAY_OPERATIONS][GATEWAY_STATES];
	int64_t oldest_intent_ms;  /* age; 0: there is none */
	uint64_t portraits_drawn, portraits_failed;
	unsigned portraits_running, writes_running;
	struct peers_counts peers; /* of other gateways on the store */
};

/* Called on the loop once, not before counts_ask() returns. */
typedef void (*counts_fn)(void *arg, const struct gateway_counts *);

/* Asks the helpers of the crew alone: calls to Bluejay and reads. The load that `done` gets
 * is a struct gateway_counts. */
struct crew_round *counts_of_helpers(struct gateway *, crew_done_fn done, void *arg);

struct counts_question;
struct counts_question *counts_ask(struct gateway *, counts_fn, void *arg);
void counts_cancel(struct counts_question *); /* instead of waiting for the answer */

#endif
