#ifndef STORE_TWIN_H
#define STORE_TWIN_H

#include "store/store.h"

/*
 * Twins: for each persona the one that stands for it in the local tool, beside the
 * records of store.h and under its rules. What is to be done is never written down;
 * it is found by comparing: a persona without a twin is to get one, a twin whose
 * updated_ms is not the persona's is to be brought up to date, a twin without
 * persona and without create is to be removed.
 */
struct store_twin {
	int64_t seq;
	char *project; /* in the local tool */
	char *twin_id; /* there; NULL: it may have been made, but nobody was told */
	char *scope;
	char *local_id;     /* of its persona; while twin_id is NULL, the id of the create's intent */
	char *name;         /* as it was to be made */
	char *digest;       /* of what it was to hold; NULL: not known */
	int64_t since_ms;   /* when it was first to be made */
	bool found;         /* it was in the local tool before, and is as it was */
	int64_t updated_ms; /* of the persona that it shows; 0: none yet */
};

/* What is known under a persona's local id (or the id of a create's intent): OK with
 * twins[0] if there is one, records[0] if there is a persona (number is 1 when it is
 * hidden), intents[0] if a create is on its way to it. */
struct store_call *store_twin_look(struct store_port *, const char *scope, const char *local_id,
    store_done_fn, void *arg);

/* Whose twin this is: OK with twins[0] if it is one, and records[0], its persona (or
 * the one of this local id), if there is one; NONE when it is nobody's. */
struct store_call *store_twin_owner(struct store_port *, const char *project, const char *twin_id,
    const char *scope, store_done_fn, void *arg);

/* A create's twin has this id now: its intent gets it as local id, and is PENDING if
 * it was TWINNING. OK; NONE when the intent is gone; ID_TAKEN when it is another's. */
struct store_call *store_twin_note(struct store_port *, const char *intent_id, const char *twin_id,
    bool found, int64_t now_ms, store_done_fn, void *arg);

/* Writes what is known of a persona's twin (project, twin_id, found, updated_ms),
 * whatever was known before of either. OK. */
struct store_call *store_twin_put(struct store_port *, const struct store_twin *, store_done_fn,
    void *arg);

/* Forgets a twin. OK or NONE. */
struct store_call *store_twin_drop(struct store_port *, const char *scope, const char *local_id,
    store_done_fn, void *arg);

enum store_twin_pages {
	STORE_TWINS_ALL,    /* personas, also hidden ones */
	STORE_TWINS_DUE,    /* those without a twin, with an old one, or hidden with one */
	STORE_TWINS_ORPHANS /* twins without persona */
};

/* The next of a kind after a seq: OK with records of which only seq, scope and
 * local_id are set, at most `max`. */
struct store_call *store_twin_page(struct store_port *, enum store_twin_pages, int64_t after,
    size_t max, store_done_fn, void *arg);

void store_twin_copy(struct store_twin *to, const struct store_twin *from);
void store_twin_clear(struct store_twin *); /* frees strings, zeroes */

#endif
