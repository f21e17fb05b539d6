#ifndef CORE_LISTING_PAGES_H
#define CORE_LISTING_PAGES_H

#include "core/gateway_impl.h"
#include "core/listed.h"

/*
 * Reads a listing of the upstream, part after part where its declaration says how the
 * parts lead on. Nothing is asked but the upstream itself: a part that leads elsewhere
 * ends the listing.
 */
struct listing_pages;

#define LISTING_PAGES_MAX 1000                  /* parts of one listing */
#define LISTING_PAGES_BYTES ((size_t)64 << 20)  /* of all parts together */

struct listing_pages_end {
	struct listed *items;      /* to be freed; NULL: there are none that can be read */
	bool whole;                /* nothing says that there is more */
	bool known;                /* `known` said so; there are no items then */
	bool alike;                /* it came in one part, and is as declared */
	const struct upstream_answer *answer; /* the last one */
};

/* Never called before listing_pages_start() returns, and not after a cancel. */
typedef void (*listing_pages_fn)(void *arg, const struct listing_pages_end *);

/* Whether the text of a first part is known, so that nothing more needs to be read. */
typedef bool (*listing_pages_known_fn)(void *arg, const char *text, size_t len);

/* All parts are read before `deadline` (loop_now() based). */
struct listing_pages *listing_pages_start(struct gateway *, const struct project *,
    int64_t deadline, listing_pages_known_fn known, listing_pages_fn, void *arg);
void listing_pages_cancel(struct listing_pages *);

#endif
