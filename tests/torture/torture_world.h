#ifndef TORTURE_WORLD_H
#define TORTURE_WORLD_H

#include "harness.h"
#include "torture_wire.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

/*
 * What the clients live in: the simulated Bluejay, which stays alive, the gateways,
 * which are killed and started again, the database that they share if there are
 * several, and what was seen to go wrong.
 */
#define WORLD_GATEWAYS 8    /* at most */
#define WORLD_STALE_MS 250  /* how long another gateway may show what was before a write */

struct torture_options {
	uint64_t seed;
	unsigned creates; /* acknowledged ones after which the storm ends */
	unsigned seconds; /* the storm's longest time */
	unsigned clients;
	bool lag;  /* the upstream's listings lag */
	int upstream; /* port of one that runs already, with the sandbox's control paths; 0: none */
	unsigned gateways; /* 0: one, with a store of its own; else so many on one PostgreSQL */
	bool keep; /* the journal stays when all went well, too */
};

#define WORLD_PROJECTS 5
#define WORLD_PLAIN 4 /* the one without an agent */

struct world_project {
	char id[16];
	int64_t agent; /* 0: none */
};

/* What can go wrong. */
enum world_wrong {
	WRONG_DUPLICATE, /* a name or a create twice */
	WRONG_LOST,      /* acknowledged, and not there */
	WRONG_ORPHAN,    /* upstream, and unknown to the gateway */
	WRONG_RETURNED,  /* acknowledged as deleted, and there */
	WRONG_CONTENT,   /* fields that no request can explain */
	WRONG_STALE,     /* what a gateway shows longer after a write on another than it may */
	WRONG_FOREIGN,   /* a persona in a project that it does not belong to */
	WRONG_ANSWER,    /* a status, field or body that is not in the documents */
	WRONG_HUNG,
	WRONGS
};

/* What happened. */
enum world_count {
	COUNT_CREATED, /* answered 201, each persona once */
	COUNT_CREATES,
	COUNT_UPDATES,
	COUNT_DELETES,
	COUNT_READS,
	COUNT_UNKNOWN, /* answers that left the outcome open */
	COUNT_INHERITED, /* 201 for an equal create after such an answer */
	COUNT_KILLS,
	COUNT_OUTAGES, /* of the database */
	COUNT_EARLY,   /* answers that may still show what was before a write */
	COUNT_OPERATOR, /* intents that an operator had to settle */
	COUNTS
};

struct database; /* torture_database.h */

/* One gateway. */
struct world_gateway {
	struct program program;
	unsigned generation; /* odd while it is down */
};

struct world {
	const struct torture_options *options;
	struct world_project projects[WORLD_PROJECTS];
	struct program sandbox;
	struct world_gateway gateways[WORLD_GATEWAYS];
	unsigned gateway_count;
	struct database *database; /* NULL: the store is in a folder */
	int sandbox_port;
	char config[256], data[300], where[256];
	FILE *journal;
	int64_t started;
	int64_t patience; /* ms until a request counts as hung */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	atomic_bool stop;
	atomic_ulong counts[COUNTS], wrongs[WRONGS];
};

/* Starts everything on fresh ports and a fresh folder. */
void world_start(struct world *, const struct torture_options *);
void world_stop(struct world *);

/* Kills a gateway and starts it again on the same data, and on other ports: its
 * own may be taken as soon as they are free. */
void world_kill_gateway(struct world *, unsigned gateway);
/* Ends all with SIGTERM, and fails unless they end well. */
void world_stop_gateways(struct world *);
void world_start_gateways(struct world *);

/* The number of a gateway's kills and starts so far, odd while it is down; `port` (may be
 * NULL) is where it listens, when it is up. */
unsigned world_generation(struct world *, unsigned gateway, int *port);
/* Chooses among the gateways that are up; waits, within a bound, when none is. */
unsigned world_choose(struct world *, uint64_t *random, int *port, unsigned *generation);
/* Waits so long, or until the storm is over; false then. */
bool world_pass(struct world *, int64_t ms);

/* Chooses what the simulated Bluejay does wrong; NULL for nothing. */
void world_faults(struct world *, const char *json);
/* Asks the simulated Bluejay; never meets a fault on control paths. */
void world_ask_sandbox(struct world *, const char *method, const char *path, const char *body,
    struct wire_answer *);

void world_count(struct world *, enum world_count);
/* Notes what went wrong, in the journal and, at first, on standard error. */
void world_wrong(struct world *, enum world_wrong, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds a line to the journal. */
void world_note(struct world *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* How often anything went wrong. */
unsigned long world_wrongs(const struct world *);

/* A random number; the sequence belongs to its state. */
uint64_t world_random(uint64_t *state);
unsigned world_pick(uint64_t *state, unsigned below);

#endif
