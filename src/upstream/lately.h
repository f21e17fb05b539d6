#ifndef UPSTREAM_LATELY_H
#define UPSTREAM_LATELY_H

#include <stdint.h>

/*
 * How many of something were in use at once in the last LATELY_MS, at least, and twice as
 * long at most. Requests come in bursts: what was needed a moment ago will be needed again.
 */
#define LATELY_MS 10000

/* Zeroed is ready. */
struct lately {
	long most, before; /* since then, and for as long before that */
	int64_t since;
};

/* Notes how many are in use now, and gives the most. */
long lately_note(struct lately *, long now_used, int64_t now);

#endif
