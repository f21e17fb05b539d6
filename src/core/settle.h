#ifndef CORE_SETTLE_H
#define CORE_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * When to look again for a write whose outcome is unknown, and when its absence
 * is believed: after three looks that count, spread over a grace time. Pure;
 * times are monotonic milliseconds given by the caller.
 */
#define SETTLE_LOOKS 3

struct settle {
	int64_t since;
	int64_t grace;
	unsigned looks;   /* started */
	unsigned counted; /* that did not show it and may be believed */
};

void settle_start(struct settle *, int64_t now, int64_t grace);

/* How long to wait before the next look (and counts it as started): short at
 * first, never past the end of the grace time, then growing to the grace time or
 * ten seconds, so that what was unknown while Bluejay was down is known soon after. */
int64_t settle_delay(struct settle *, int64_t now);

/* A look did not show it; true when its absence is proven now. */
bool settle_absent(struct settle *, int64_t now);

#endif
