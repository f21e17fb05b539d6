#ifndef UPSTREAM_RETRY_H
#define UPSTREAM_RETRY_H

#include "upstream/upstream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When and how soon a call is tried again. Pure: times and randomness are passed in. */

#define RETRY_BASE_MS 100 /* the first back-off is at most this long; then it doubles */
#define RETRY_CAP_MS 5000

/* What one try came to, as far as repeating it goes. */
struct retry_try {
	enum upstream_outcome outcome;
	int status;        /* UPSTREAM_ANSWER only */
	bool nothing_sent; /* proven */
	bool whole_time;   /* UPSTREAM_TIMEOUT: of the total, not of connect or first byte */
	bool hopeless;     /* the next try would end the same way: a refused certificate */
};

/* Whether another try is allowed, tries and time permitting. */
bool retry_allowed(enum upstream_repeat, const struct retry_try *);

/* Exponential back-off with full jitter after `tries` tries (1 or more): any
 * whole number of milliseconds up to the bound is equally likely. */
int64_t retry_backoff(unsigned tries, uint64_t *random);

/* Reads a Retry-After field (RFC 9110, 10.2.3): seconds, or an HTTP date that
 * is held against the wall clock. Milliseconds to wait, at most a year; -1
 * when it is neither. */
int64_t retry_after_read(const char *value, int64_t wall);

/* How long to wait before the next try when `left` ms remain to the deadline
 * and the upstream asked for `retry_after` (-1: did not). -1: too late. */
int64_t retry_wait(int64_t retry_after, int64_t backoff, int64_t left);

/* The next number of a splitmix64 sequence; any seed will do. */
uint64_t retry_random(uint64_t *state);

#endif
