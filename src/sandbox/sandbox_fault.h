#ifndef SANDBOX_FAULT_H
#define SANDBOX_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What goes wrong with which request. Every decision is a function of the
 * seed, the number of the request, and what is decided, so that the same
 * requests in the same order meet the same faults.
 */
enum sandbox_fault {
	SANDBOX_FAULT_NONE,
	SANDBOX_FAULT_RATE_LIMIT,   /* 429, not processed */
	SANDBOX_FAULT_ERROR_BEFORE, /* 5xx, not processed */
	SANDBOX_FAULT_ERROR_AFTER,  /* 5xx, processed */
	SANDBOX_FAULT_RESET_BEFORE, /* reset, not processed */
	SANDBOX_FAULT_RESET_AFTER,  /* reset, processed */
	SANDBOX_FAULT_STALE,        /* closed on a reused connection, not processed */
	SANDBOX_FAULT_TRUNCATED,    /* processed, a part of the answer, then cut */
	SANDBOX_FAULT_WRONG_LENGTH, /* processed, Content-Length too large or too small */
	SANDBOX_FAULT_GARBAGE,      /* processed, 200 with something else than JSON */
	SANDBOX_FAULT_DRIP,         /* processed, the answer in small pieces */
	SANDBOX_FAULT_SLOW_AFTER,   /* processed at once, answered late */
	SANDBOX_FAULTS
};

struct sandbox_fault_profile;

/* What a request meets. */
struct sandbox_plan {
	enum sandbox_fault fault;
	int64_t delay_ms; /* before it is looked at */
	int64_t lag_ms;   /* how long listings do not show its change */
	int64_t hold_ms;  /* SLOW_AFTER: before the answer; WRONG_LENGTH: before the cut */
	int64_t tick_ms;  /* DRIP: between two pieces */
	uint64_t detail;  /* random bits for the fault's own choices */
};

/* A profile in use. Set up with sandbox_faults_choose(). */
struct sandbox_faults {
	const struct sandbox_fault_profile *profile;
	uint64_t seed;
	uint64_t number;  /* requests planned */
	int percent;      /* share of requests with a fault; -1: the profile's own */
	int64_t count;    /* faults still to come; -1: no end */
	int64_t delay_ms; /* in place of the profile's latency and hold; -1: its own */
	char method[8];   /* only requests with this method; empty: all */
};

/* Starts a profile by its name (NULL: none) from request 0, without
 * restrictions. False when there is no such profile; nothing is changed then. */
bool sandbox_faults_choose(struct sandbox_faults *, const char *profile, uint64_t seed);

const char *sandbox_faults_name(const struct sandbox_faults *);
const char *sandbox_fault_name(enum sandbox_fault); /* "reset-after" */

/* Plans the next request. `reused`: it is not the first of its connection. */
void sandbox_faults_next(struct sandbox_faults *, const char *method, bool reused,
    struct sandbox_plan *);

#endif
