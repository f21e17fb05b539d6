#ifndef CORE_LISTING_IMPL_H
#define CORE_LISTING_IMPL_H

#include "core/epoch.h"
#include "core/fetch.h"
#include "core/listed.h"
#include "core/listing.h"

/* Shared by listing.c (who waits, what is remembered) and listing_run.c (one run). */

struct listing_run;

struct listing_wait {
	struct listing *listing;
	struct project project;
	struct listing_run *run; /* NULL: waits for the next one, or is answered at once */
	enum listing_age age;
	struct loop_timer now;   /* answers at once from what is remembered */
	listing_fn fn;
	void *arg;
	TAILQ_ENTRY(listing_wait) link;
};
TAILQ_HEAD(listing_waits, listing_wait);

/* Where an item of a listing is in the local list, and what it is called here. */
struct listing_place {
	char *local_id;
	size_t row;
};

/* See listing_known.h. */
struct listing_text {
	char *text; /* NULL: none */
	size_t len, items;
	uint64_t sequence; /* when the run began that read it */
	uint64_t written;  /* when the scope was last written before it was kept */
	struct listed *listed;        /* its items as texts; NULL: it is known as a whole only */
	struct listing_place *places; /* of each; */
	size_t *rows;                 /* and the item of each row of the list */
};

struct listing {
	struct gateway *gw;
	char *scope;
	struct listing_run *run;
	/* A run calls it last: tells its waiters, frees the run, starts the next. */
	void (*finish)(struct listing *, struct listing_run *, const struct listing_view *);
	struct listing_waits next;  /* wait for a run that starts after the present one */
	struct listing_waits quick; /* answered at once */
	int64_t done_at;            /* loop_now() of the last success; 0: none */
	uint64_t done_sequence;     /* when that one started */
	const struct epoch *epoch;  /* when the scope was last written */
	int64_t noted_ms;           /* wall time last written to the store */
	bool ever;
	struct list_body body;
	int64_t body_at;
	uint64_t body_made_by; /* generation of the snapshot whose mapping made it */
	uint64_t body_sequence; /* of the run that showed it */
	struct listing_text known;
	UT_hash_handle hh;
};

#define LISTING_NOTE_MS 60000 /* how often the store learns when the scope was listed */

/* Starts a run. */
struct listing_run *listing_run_start(struct listing *, const struct project *, enum listing_age);
const struct project *listing_run_project(const struct listing_run *);
uint64_t listing_run_sequence(const struct listing_run *);
struct listing_waits *listing_run_waits(struct listing_run *);
void listing_run_free(struct listing_run *);

#endif
