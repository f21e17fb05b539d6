#ifndef CORE_GATEWAY_IMPL_H
#define CORE_GATEWAY_IMPL_H

#include "core/gateway.h"
#include "core/keyring.h"
#include "core/serial.h"
#include "core/shelf.h"

/*
 * The state of a gateway and the small things that every operation needs. Shared
 * by the files of this room only; what stands here knows no operation.
 */

struct work_ops {
	void (*cancel)(struct work *);
	void (*told)(struct work *, bool sent);
};

struct work {
	const struct work_ops *ops;
};

struct fetch;
struct listing;
struct creation;
struct change;
struct drift;
struct follow;
struct claim;
struct crew;
struct epoch;
struct errand_trace;
struct gone_scope;
struct peers;
struct surplus;
struct portrait;
struct refresher;
struct reload;
struct twin_batch;
struct twins;
struct upkeep;

/* What is being tried out while something is wrong (recover.h). */
struct recover {
	struct store_call *store;
	struct upstream_call *ping;
	struct counts_question *counts; /* of unsettled writes, for the next who asks */
	int64_t store_at, ping_at; /* loop_now(): when it was last begun; 0: never */
};

struct gateway {
	struct loop *loop;
	struct log *log;
	struct store *database;
	struct store_port *store;      /* what it is asked through */
	bool shared;                   /* other processes use the store, too */
	struct peers *peers;           /* the gateways of those; NULL: there are none, or a helper's */
	struct snapshot *snap;
	struct snapshot_hold *hold; /* of it; NULL: nothing has asked for one */
	struct upstream *upstream;
	bool simulated;                /* another one than the configuration's */
	struct upstream *images;       /* of the provider of portraits; NULL: there was none so far */
	bool draws;                    /* there is a provider */
	struct upstream *tool;         /* the local tool, when personas have twins there; NULL: not */
	struct twins *twins;           /* NULL: there are none */
	TAILQ_HEAD(, twin_batch) batches; /* adopted personas that get their twins */
	bool images_local;             /* it is on this machine: its links may lead here too */
	struct portrait *portraits;    /* being made, by scope and persona */
	TAILQ_HEAD(, portrait) drawn;  /* portraits whose clients were told */
	struct shelf *shelf;
	struct refresher *refresher;
	struct upkeep *upkeep;
	struct serial *serial;         /* one write at a time per item */
	struct fetch *fetches;         /* running reads by key */
	struct epoch *epochs;          /* when watched scopes were last written */
	TAILQ_HEAD(, claim) claims;    /* what unsettled creates look for in listings */
	struct listing *listings;      /* per scope that Bluejay lists */
	struct creation *creations;    /* running and unsettled creates by scope and name */
	TAILQ_HEAD(, change) changes;  /* running and unsettled updates and deletes */
	TAILQ_HEAD(, follow) follows;  /* notes on their way to the store */
	TAILQ_HEAD(, surplus) surplus; /* items that are nobody's, being removed */
	unsigned writes_running;       /* sent and not yet recorded */
	size_t unsettled_bytes;        /* bodies of creates whose outcome is being looked for */
	uint64_t sequence;             /* orders starts of reads against writes */
	uint64_t bypassed;             /* when a write last went past the gateway; 0: never */
	struct crew *crew;             /* several loops: their gateways; NULL: it is alone */
	unsigned crew_place;           /* 0: the owner, or alone */
	uint64_t crew_bypassed;        /* what is known here of the crew's writes past it */
	struct errand_trace *errand_traces; /* that no errand has */
	char *upstream_url;            /* where Bluejay is */
	struct reload *reload;         /* what comes into force; NULL: nothing */
	uint64_t generations;          /* of snapshots so far */
	int64_t started_wall;
	struct gone_scope *gone_scopes; /* what each scope's key is known to see */
	struct drift *drift;            /* where answers differ from what is declared */
	struct recorder *recorder;      /* remembers requests; NULL: it is off */
	struct recover recover;
	bool store_failed;
	struct keyring keyring;        /* which keys have worked */
	bool key_refused;
	bool key_fell_back;            /* the last answer came for an earlier key only */
	struct trace_table traces;     /* of the requests that run */
	uint64_t intents[GATEWAY_OPERATIONS][GATEWAY_STATES]; /* when they were last counted */
	int64_t oldest_intent_ms;      /* wall time; 0: there was none */
	uint64_t portraits_drawn, portraits_failed;
	uint64_t cache_hits, cache_misses, cache_stale, cache_joined;
	void (*ready)(void *arg, bool ok);
	void *ready_arg;
};

/* Makes a gateway that has no clients yet and starts nothing; NULL with a sentence. */
struct gateway *gateway_make(const struct gateway_options *, struct fail *);

/* Takes another configuration into force; the one before is the caller's to give back. */
void gateway_set_snapshot(struct gateway *, struct snapshot *);

/* Remembers requests as the configuration in force says, from now on. */
void gateway_record(struct gateway *);

/* Notes which key an answer of Bluejay's or of the provider of images came for. */
void gateway_saw_key(struct gateway *, const struct upstream_answer *);

/* Notes what an upstream answer says about the key, and what it cost its request. */
void gateway_saw_answer(struct gateway *, const struct upstream_answer *);

/* Notes what a call cost the request that it was for, if that still runs. */
void gateway_note_cost(struct gateway *, const struct upstream_answer *);

/* Notes that a request begins, or ends, to wait for the store. */
void gateway_store_begin(struct gateway *, struct trace_ref);
void gateway_store_end(struct gateway *, struct trace_ref);

/* Notes whether a store write worked; logs when it did not. */
void gateway_saw_store(struct gateway *, const struct store_reply *);

/* The answer when the store cannot write: 503, with Retry-After. */
void gateway_store_trouble(struct result *);

/* The answer when the store cannot read: 503, with Retry-After. */
void gateway_read_trouble(struct result *);

/* The time by which a request that starts now must be answered (loop_now based). */
int64_t gateway_deadline(const struct gateway *);

/* How long a client waits for what it shares with others, such as a listing: a
 * little longer than one call may take, so that the call's own end comes first. */
int64_t gateway_patience(const struct gateway *);

/* Fills the parts of a call that are always the same. One about a single thing is
 * started with connector_start(). */
void gateway_request(const struct gateway *, const struct project *, struct upstream_request *,
    const char *method, const char *path);

/* Reads the body of an answer that shows one item: NULL when it is not a JSON object; or one
 * that is a listing, with the array of its items in it: NULL when there is none. The caller
 * puts what is returned. All that Bluejay tells of items comes through here and is compared
 * with what is declared, unless it was told before in the same words (fetch.c). *alike,
 * unless it is NULL: there was no difference. */
struct json_object *gateway_read_item(struct gateway *, const struct project *,
    const struct upstream_answer *, bool *alike);

/* The same for those who need no tree; false when it is not a JSON object. The answer must
 * stay until sight_clear(). */
bool gateway_see_item(struct gateway *, const struct project *, const struct upstream_answer *,
    struct sight *);
struct json_object *gateway_read_list(struct gateway *, const struct project *,
    const struct upstream_answer *, struct json_object **items, bool *alike);

/* What a client is told when the upstream did not answer as hoped (result.h). */
void gateway_trouble(struct result *, const struct upstream_answer *, const struct project *);

/* Key of hash tables: scope, a newline, id or name. The caller frees. */
char *gateway_key(const char *scope, const char *id);

#endif
