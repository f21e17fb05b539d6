#ifndef CORE_LISTING_RUN_IMPL_H
#define CORE_LISTING_RUN_IMPL_H

#include "core/listing_impl.h"
#include "core/listing_pages.h"
#include "core/peer_claims.h"
#include "core/twin_batch.h"

/* Shared by listing_run.c (the steps of a run) and listing_row.c (what becomes of one row). */

/* One item of the answer, found by its id. */
struct listing_item {
	struct listed_item *seen; /* belongs to the answer */
	bool known, hidden;
	bool foreign; /* another scope knows it: no create of this one made it */
	UT_hash_handle hh;
};

/* One own record that is looked for with its own GET. */
struct listing_check {
	struct listing_run *run;
	size_t row;
	struct fetch_wait *wait;
	TAILQ_ENTRY(listing_check) link;
};

struct listing_run {
	struct listing *listing;
	struct gateway *gw;
	struct snapshot *snap;
	struct project project;
	uint64_t sequence;
	struct listing_pages *pages;
	struct store_call *store;
	uint64_t known_at;          /* when it was asked what is known */
	struct peer_claims *others; /* creates of other gateways; NULL: not asked for */
	struct twin_batch *batch;   /* what is adopted gets its twins */
	struct store_record *fresh; /* what is adopted */
	size_t fresh_count;
	struct listed *answer;
	uint64_t asked; /* when other scopes were asked what they know */
	unsigned asks;  /* how often they were, because of writes meanwhile */
	struct listing_item *items; /* hash by id */
	struct listing_item *pool;  /* the items' memory */
	struct listing_row *rows;
	size_t count;
	size_t *missing; /* rows that the answer does not show, or shows otherwise */
	size_t missing_count, missing_next;
	unsigned checking;
	bool complete;
	bool whole; /* the answer does not say that there is more */
	bool plain; /* so far the answer's text says nothing but what is known */
	uint64_t written; /* when the scope was last written, apart from what the run itself noted */
	enum listing_age age;
	bool doubted; /* so much is gone that the key is suspected: the answer proves nothing */
	struct result unasked; /* status 0: none; else why a check failed, and no further ones are made */
	int64_t deadline;
	TAILQ_HEAD(, listing_check) checks;
	struct loop_timer step; /* ends the run outside other callbacks */
	struct listing_waits waits;
};

#endif
