#ifndef SANDBOX_STATE_H
#define SANDBOX_STATE_H

#include "base/fail.h"
#include "base/log.h"
#include "base/loop.h"
#include "sandbox/sandbox_item.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the simulated service keeps: personas and communities in memory, and,
 * when a journal is given, every change as a line of that file before it
 * happens. Belongs to the thread of its loop.
 */
struct sandbox_state;

/* Reads the journal when a path is given, and writes it anew without what is
 * gone. NULL with a sentence when it cannot be read, written or is in use. */
struct sandbox_state *sandbox_state_open(struct loop *, const char *journal, struct log *,
    struct fail *);
void sandbox_state_free(struct sandbox_state *);

enum sandbox_saved {
	SANDBOX_SAVED,
	SANDBOX_FULL,     /* the memory budget is used up */
	SANDBOX_UNWRITTEN /* the journal could not be written */
};

/* Adds an item, which listings leave out for lag_ms, or puts it in the place of
 * the one with its id. Takes the item over in any case; it is freed when it
 * could not be saved. */
enum sandbox_saved sandbox_state_put(struct sandbox_state *, struct sandbox_item *, int64_t lag_ms);

/* Deletes an item; listings show it for lag_ms more. It must not be used after
 * a success. */
enum sandbox_saved sandbox_state_delete(struct sandbox_state *, struct sandbox_item *,
    int64_t lag_ms);

/* Forgets all items and counts; the organisation stays. */
enum sandbox_saved sandbox_state_reset(struct sandbox_state *);

/* The item, which belongs to the state until the next change; NULL when there is none. */
struct sandbox_item *sandbox_state_find(struct sandbox_state *, enum sandbox_kind, const char *id);

/* Calls `each` for what a listing shows now, oldest first. */
typedef void (*sandbox_each_fn)(void *arg, const struct sandbox_item *);
void sandbox_state_list_agent(struct sandbox_state *, int64_t agent_id, sandbox_each_fn, void *arg);
void sandbox_state_list_communities(struct sandbox_state *, sandbox_each_fn, void *arg);

/* Calls `each` for every item that exists, listed or not, oldest first. */
void sandbox_state_walk(struct sandbox_state *, sandbox_each_fn, void *arg);

const char *sandbox_state_org(const struct sandbox_state *);
uint64_t sandbox_state_deleted(const struct sandbox_state *); /* personas, since the last reset */
size_t sandbox_state_bytes(const struct sandbox_state *);
void sandbox_state_limit(struct sandbox_state *, size_t bytes); /* tests: another memory budget */

#endif
