#ifndef UPSTREAM_WAYS_H
#define UPSTREAM_WAYS_H

#include "upstream/try.h"
#include "upstream/upstream.h"

/*
 * The ways to an upstream: connections in HTTP/1.1, and others in HTTP/2 when that is
 * wanted. After other settings new calls go new ways, and the old ones end with the calls
 * that began on them.
 */
struct upstream_ways {
	struct way *http1;
	struct way *http2; /* NULL: not wanted */
	bool no_http2;           /* it answered in HTTP/1.x when it was asked in HTTP/2 */
	struct way **old;
	size_t old_count;
};

/* Opens ways, with none before; false with a sentence, and nothing is open. */
bool upstream_ways_open(struct upstream_ways *, struct loop *, const struct upstream_config *,
    struct fail *);
/* Takes the ways of `next` for calls from now on. */
void upstream_ways_turn(struct upstream_ways *, const struct upstream_ways *next);
/* Goes on with other keys (way_renew). */
void upstream_ways_renew(struct upstream_ways *);
/* Frees old ways on which nothing runs any more; no job may be running for the second. */
void upstream_ways_sweep(struct upstream_ways *);
void upstream_ways_free(struct upstream_ways *);

/* The way for a call. A stream that is refused may be sent again on its way, unseen, so
 * what may be sent only once stays out of HTTP/2. */
struct way *upstream_ways_pick(const struct upstream_ways *, enum upstream_repeat);

#endif
