#ifndef CORE_GATEWAY_H
#define CORE_GATEWAY_H

#include "base/log.h"
#include "base/loop.h"
#include "core/result.h"
#include "core/snapshot.h"
#include "core/snapshot_hold.h"
#include "store/store.h"

#include <stdbool.h>

/*
 * What the gateway knows and does, apart from HTTP: one per event loop. The API
 * room starts operations here (items.h, intents.h) and gets results back.
 */
struct gateway;
struct drift;
struct recorder;

#define GATEWAY_OPERATIONS 4 /* of enum store_operation */
#define GATEWAY_STATES 4     /* of enum store_intent_state */

struct gateway_options {
	struct loop *loop;
	struct log *log;
	struct store *store;
	struct snapshot *snapshot; /* a reference is taken */
	bool shared;               /* other processes use the store, too (peers.h) */
	unsigned member;           /* for tests: of a store in memory (store_member.h); else 0 */
	const char *upstream_url;  /* of a simulated Bluejay, which also draws if the snapshot
	                              says so; NULL: the configured one */
};

/* NULL with a sentence on failure. */
struct gateway *gateway_new(const struct gateway_options *, struct fail *);

/* Reads what was left unsettled by an earlier run and goes on with it; `ready`
 * is called later, with true, or false when the store cannot be read. */
void gateway_start(struct gateway *, void (*ready)(void *arg, bool ok), void *arg);

/* True while a create, update or delete has been sent and is not yet recorded. */
bool gateway_busy(const struct gateway *);

/* Cuts what runs; unsettled intents stay in the store for the next start. Every
 * operation must have been told or cancelled before. */
void gateway_free(struct gateway *);

/* The traces of the requests that run; struct project refers to one. */
struct trace_table *gateway_traces(struct gateway *);

/* The current snapshot; take a reference to keep it. */
struct snapshot *gateway_snapshot(struct gateway *);

/* A reference of this loop's to a snapshot, the current one or an earlier one. */
struct snapshot_hold *gateway_hold(struct gateway *, struct snapshot *);

/* What /readyz shows, and counts of what the read cache did. */
struct gateway_health {
	bool store_ok;             /* the last write reached the disk, or the database */
	bool store_away;           /* it is a database that does not answer */
	bool upstream_ok;          /* the breaker is closed, and Bluejay was heard if it was asked */
	bool key_refused;          /* the last answer said 401 or 403 */
	bool key_fell_back;        /* it came for the key before a reload only */
	bool many_gone;            /* several known personas in a row were 404: another key? */
	struct upstream_counts upstream;
	bool draws;                /* there is a provider of portraits */
	struct upstream_counts images; /* calls to it */
	unsigned unsettled;        /* intents whose outcome is being looked for */
	uint64_t for_operator;     /* that wait for a person, when they were last counted */
	bool twins;                /* personas have twins in the local tool */
	bool twins_late;           /* it does not work; they follow later */
	unsigned twins_other;      /* that have another id than their persona, as far as was seen */
	uint64_t cache_hits, cache_misses, cache_stale, cache_joined;
};
void gateway_health(const struct gateway *, struct gateway_health *);

/* Finds out whether what is wrong is over; for a later gateway_health(). */
void gateway_recover(struct gateway *);

/* Where Bluejay's answers differ from what they are declared to hold. */
const struct drift *gateway_drift(const struct gateway *);

/* What remembers requests; NULL while that is off. Good until the next turn of the loop. */
struct recorder *gateway_recorder(struct gateway *);

/* Whether Bluejay, or the provider of images, has accepted this one of the keys in force. */
bool gateway_key_has_worked(const struct gateway *, const char *key);

/* ---- a running operation ---- */

/*
 * Every operation returns a work and calls its `done` once, never before the
 * starting function returns. The result belongs to the core and may be moved
 * out (result_move). After done the owner calls work_told() exactly once;
 * instead of waiting for done it may call work_cancel() once, after which done
 * is not called. Both end the work's life.
 */
struct work;
typedef void (*work_done_fn)(void *arg, struct result *);
void work_cancel(struct work *);          /* the client is gone */
void work_told(struct work *, bool sent); /* the answer was handed to the client, or could not be */

#endif
