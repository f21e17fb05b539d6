#ifndef CORE_LISTING_H
#define CORE_LISTING_H

#include "core/gateway_impl.h"
#include "core/list_text.h"

/*
 * The upstream's listing of what a project has, such as its agent's personas: one
 * call shared by everybody who needs it at the same time. A run asks the upstream,
 * compares with the store, adopts what is new, gives unsettled creates what is
 * theirs, and checks each own record that is missing by its own GET.
 */
struct listing_wait;

enum listing_age {
	LISTING_RECENT, /* one that finished within the cache time is good enough; running ones are joined */
	LISTING_NEW,    /* one that starts after this call */
	LISTING_CHECKED /* the same, and every missing record is asked for, whatever is remembered */
};

struct listing_row {
	struct store_record record;
	char *body; /* the local answer; NULL: it does not have the declared shape */
	size_t body_len;
	char etag[RESULT_ETAG_SIZE]; /* of the body */
	bool listed; /* Bluejay's answer shows it */
};

struct listing_view {
	const struct result *trouble; /* NULL: it worked */
	bool down;                    /* trouble for which stale answers are allowed */
	bool complete;                /* every live item known here was in it, but for those
	                                 made so recently that the grace time allows for it */
	const struct result *unasked; /* why a missing record could not be asked for; NULL: all could */
	struct listing_row *rows;     /* in order; NULL when an earlier listing was recent enough,
	                                 or the list is known: */
	size_t count;
	const struct list_body *same; /* the remembered list, which is what the listing shows */
};

/* Never called before listing_want() returns; the view is valid during it. */
typedef void (*listing_fn)(void *arg, const struct listing_view *);
struct listing_wait *listing_want(struct gateway *, const struct project *, enum listing_age,
    listing_fn, void *arg);
void listing_leave(struct listing_wait *);

/* Remembered local list of a project's scope: NULL when none is young enough. */
const struct list_body *listing_body(struct gateway *, const struct project *);
/* The same however old, unless a write is known that came later, and its age in *age_ms: for
 * when nothing better can be had. */
const struct list_body *listing_last_body(struct gateway *, const struct project *,
    int64_t *age_ms);
/* Remembers the list of a view's rows. Call from a listing_fn. */
const struct list_body *listing_keep_rows(struct gateway *, const struct project *,
    const struct listing_view *);

/* Whether the scope was listed by this store at any time, so that its names are known. */
bool listing_ever(struct gateway *, const char *scope);
void listing_set_ever(struct gateway *, const char *scope);

void listing_free_all(struct gateway *);

#endif
