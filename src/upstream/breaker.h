#ifndef UPSTREAM_BREAKER_H
#define UPSTREAM_BREAKER_H

#include "upstream/upstream.h"

#include <stdint.h>

/*
 * The circuit breaker. Closed, every try passes and is judged; too many bad
 * ones open it. Open, nothing passes for a while. Then one try, the probe,
 * passes: a good one closes the breaker, a bad one opens it for twice as long.
 * Times are milliseconds on one monotonic clock and passed in.
 */
#define BREAKER_ROW 10          /* bad tries in a row that open it */
#define BREAKER_MIN 20          /* judged tries in the window before a share counts */
#define BREAKER_SHARE 50        /* per cent of bad tries in the window that open it */
#define BREAKER_WINDOW 10       /* seconds */
#define BREAKER_OPEN_MS 1000    /* the first time open */
#define BREAKER_OPEN_MAX 30000  /* the longest */
#define BREAKER_PROBE_MS 1000   /* what others are told to wait while the probe runs */

struct breaker_second {
	int64_t second;
	unsigned good, bad;
};

struct breaker {
	enum upstream_breaker state;
	unsigned row;    /* bad tries since the last good one */
	int64_t open_ms; /* how long it opens, or stays open */
	int64_t until;   /* OPEN: when a probe may go */
	uint64_t era;    /* counts the changes of state */
	struct breaker_second window[BREAKER_WINDOW];
};

enum breaker_verdict { BREAKER_GOOD, BREAKER_BAD, BREAKER_NO_VERDICT };

void breaker_init(struct breaker *);

/* Closes it: what was seen is of another upstream. Older passes have no say. */
void breaker_reset(struct breaker *);

/* Milliseconds until a try may start; 0: now. */
int64_t breaker_wait(const struct breaker *, int64_t now);

/* Lets a try start and returns its pass, or 0 when none may. Every pass goes
 * back exactly once through breaker_leave(). */
uint64_t breaker_enter(struct breaker *, int64_t now);

/* Judges a try. A pass from before the last change of state has no say; a
 * probe without a verdict leaves its place to another one. */
void breaker_leave(struct breaker *, uint64_t pass, enum breaker_verdict, int64_t now);

const char *breaker_name(enum upstream_breaker);

#endif
