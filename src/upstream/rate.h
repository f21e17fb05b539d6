#ifndef UPSTREAM_RATE_H
#define UPSTREAM_RATE_H

#include <stdint.h>

/*
 * A budget of tries per minute as a token bucket. A sixth of the budget may be
 * used at once; the rest flows in so slowly that no span shorter than a minute
 * ever holds more than the budget. Times are milliseconds and passed in.
 */
struct rate {
	unsigned burst;  /* tokens the bucket holds; 0: no budget at all */
	unsigned refill; /* tokens a minute */
	int64_t level;   /* in parts of RATE_TOKEN */
	int64_t at;      /* when level was right */
};

#define RATE_TOKEN INT64_C(60000) /* one token; a bucket gains `refill` parts a millisecond */

void rate_init(struct rate *, unsigned per_minute, int64_t now); /* 0: everything passes */

/* Milliseconds until a token is there; 0: now. Takes nothing. */
int64_t rate_wait(const struct rate *, int64_t now);

/* Takes a token; call it only when rate_wait() is 0. */
void rate_take(struct rate *, int64_t now);

#endif
