#ifndef BULK_PATIENCE_H
#define BULK_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How soon something is asked again of a server that is busy or away, and for how long:
 * exponential back-off with jitter, at least what Retry-After says. Times are passed in.
 */
#define BULK_PATIENCE_BASE_MS 250
#define BULK_PATIENCE_CAP_MS 10000

struct bulk_patience {
	int64_t since;  /* when waiting began to count */
	unsigned tries; /* so far */
	uint64_t random;
};

void bulk_patience_init(struct bulk_patience *, int64_t now, uint64_t seed);

/* Milliseconds until the next try; -1: it would be later than `limit` after `since`.
 * `retry_after` -1: nothing was said. */
int64_t bulk_patience_wait(struct bulk_patience *, int64_t now, int64_t retry_after, int64_t limit);

/* Whether an answer of this status may be another one later, without anything done. */
bool bulk_patience_status(int status);

#endif
