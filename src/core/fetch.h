#ifndef CORE_FETCH_H
#define CORE_FETCH_H

#include "core/gateway_impl.h"

/*
 * Reads one known item from the upstream. Equal reads share one call; a read
 * that began before a write is neither joined nor believed after it. The last
 * waiter to leave cancels the call.
 */
struct fetch_wait;

enum fetch_status {
	FETCH_OK,    /* the entry's ready-made answer is current */
	FETCH_GONE,  /* the upstream says 404 */
	FETCH_OTHER, /* a helper's: it is not what the copy tells; the owner must look */
	FETCH_FAILED /* trouble says what to tell; down: a stale copy may serve instead; doubted:
	                the upstream says 404, but for so many that the key is suspected */
};

struct fetch_outcome {
	enum fetch_status status;
	struct shelf_entry *entry; /* valid during the callback, also when it failed */
	const struct result *trouble;
	bool down;
	bool doubted;
};

/* Never called before fetch_want() returns. */
typedef void (*fetch_fn)(void *arg, const struct fetch_outcome *);

/* `join` false: a new call even when one is running (Cache-Control: no-cache). */
struct fetch_wait *fetch_want(struct gateway *, const struct project *, struct shelf_entry *,
    bool join, fetch_fn, void *arg);
void fetch_leave(struct fetch_wait *);

/* Takes in what the upstream showed of a known item by a call that started at
 * `sequence`: content, name, filler fields that are filled now, a change made
 * elsewhere. Nothing when the gateway wrote it since, or a later call has shown what
 * a write past the gateway made of it. -1 when the item does
 * not have the declared shape (logged here). */
int fetch_seen(struct gateway *, struct shelf_entry *, struct sight *, uint64_t sequence);

/* An item was seen again in the words in which it was seen last; nothing when a write came
 * after the read began. */
void fetch_seen_again(struct gateway *, struct shelf_entry *, uint64_t sequence);

/* Whether an upstream item is the record's and has the declared shape; logs when
 * not. */
bool fetch_fits(struct gateway *, const struct project *, const struct store_record *,
    struct json_object *upstream);

/* A write through the gateway has replaced this content (NULL: none): a listing that
 * shows it for a while yet is only late. */
void fetch_replaced(struct gateway *, const struct project *, struct shelf_entry *,
    const char *content);

/* Whether a listing shows what a write has replaced meanwhile. */
bool fetch_is_late(struct gateway *, const struct project *, const struct shelf_entry *,
    struct sight *);

/* Whether an item tells other than the entry's content does, if that was ever seen. */
bool fetch_differs(const struct shelf_entry *, struct sight *);

/* Whether a write past the gateway may have changed what the entry holds. */
bool fetch_outdated(const struct gateway *, const struct shelf_entry *);

/* True while the entry's answer may be given without asking. */
bool fetch_fresh(const struct gateway *, const struct project *, const struct shelf_entry *);

#endif
