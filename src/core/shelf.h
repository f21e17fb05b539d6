#ifndef CORE_SHELF_H
#define CORE_SHELF_H

#include "core/crew_stamp.h"
#include "core/result.h"
#include "core/sight.h"
#include "core/snapshot.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>

/*
 * The items in memory: the record as stored, and the local answer made ready
 * from its content. Bounded in bytes; what was not used for longest goes first.
 * Losing an entry costs a look into the store, nothing else.
 */
#define SHELF_REPLACED 4 /* earlier contents that are remembered */

struct shelf;

struct shelf_entry {
	char *key; /* scope, newline, local id */
	struct store_record record;
	char *body; /* ready-made local answer; NULL: not made yet, or no content */
	uint64_t made_by; /* generation of the snapshot whose mapping made it */
	size_t body_len;
	char etag[RESULT_ETAG_SIZE];
	bool known;       /* the answer of the upstream that was read last gives this body */
	char *text;       /* that answer; NULL: it is the record's content, byte for byte */
	size_t text_len;
	int64_t fetched;     /* loop_now() when content was seen upstream; 0: not in this process */
	int64_t made;        /* loop_now() when its create was recorded; 0: not in this process */
	uint64_t seen_sequence;    /* of the read that showed the content; 0: none in this process */
	uint64_t written_sequence; /* of the last write through the gateway; 0: none */
	uint64_t replaced[SHELF_REPLACED]; /* what the last writes have replaced, in short; 0: none */
	unsigned replaced_count;
	int64_t replaced_at; /* loop_now() of the last of them */
	unsigned generation; /* grows with every such write */
	struct crew_stamp stamp; /* of a helper's copy of the owner's entry: what it was made at */
	int64_t noted_ms;        /* of such a copy: wall time of its content in the owner */
	unsigned pins;
	bool dead; /* dropped while pinned */
	bool behind; /* its record may be older than what another gateway wrote: never fresh */
	size_t cost;
	struct shelf *shelf;
	TAILQ_ENTRY(shelf_entry) link;
	UT_hash_handle hh;
};

struct shelf *shelf_new(size_t max_bytes);
void shelf_free(struct shelf *); /* no entry may be pinned */

/* Has it called with the upstream's id of an item whenever what an entry tells is replaced:
 * copies of it are outdated. */
void shelf_watch(struct shelf *, void (*outdate)(void *arg, const char *upstream_id), void *arg);

/* Makes a copy that belongs to no shelf, of an entry whose answer is ready; and puts one in the
 * place of what another shelf has. shelf_copy_free() for one that is not put. */
struct shelf_entry *shelf_copy(const struct shelf_entry *);
void shelf_copy_free(struct shelf_entry *);
void shelf_put_copy(struct shelf *, struct shelf_entry *copy);

/* Finds and marks as used; NULL when not here. */
struct shelf_entry *shelf_find(struct shelf *, const char *scope, const char *local_id);

/* Puts a record as the store gave it (moved out of *record). An entry that is
 * already here gets it, and forgets its ready-made answer, when the version is
 * newer. The entry is valid until the next shelf call unless pinned. NULL for a
 * item that was deleted meanwhile: a store's answer can be overtaken. */
struct shelf_entry *shelf_put(struct shelf *, struct store_record *record);

/* The same after a write through the gateway: what was read before is outdated.
 * Never NULL. */
struct shelf_entry *shelf_written(struct shelf *, struct store_record *record, uint64_t sequence);

/* An item that other scopes share was written through this one: they know it as it is
 * now, what they read before is outdated, and what it replaced is no news. */
void shelf_share(struct shelf *, const struct shelf_entry *, uint64_t sequence);

void shelf_pin(struct shelf_entry *);
void shelf_unpin(struct shelf_entry *);
void shelf_drop(struct shelf *, const char *scope, const char *local_id);
void shelf_drop_scope(struct shelf *, const char *scope); /* all items of a scope */

/* Another gateway wrote the item: what is here, and copies of it, are worth nothing. What
 * is being read tells those who wait for it, and is not kept. */
void shelf_forget(struct shelf *, const char *scope, const char *local_id,
    const char *upstream_id);
/* The same in every scope that has the item in memory. */
void shelf_forget_shared(struct shelf *, const char *upstream_id);

/* Drops an item that was deleted through the gateway, or that the upstream no
 * longer has: what the store read before it knew is refused from now on, under either
 * of its ids. */
void shelf_bury(struct shelf *, const char *scope, const char *local_id, const char *upstream_id);
/* The same in every scope that has the item in memory. */
void shelf_bury_shared(struct shelf *, const char *upstream_id);

/* The store has brought a hidden item back. */
void shelf_unbury(struct shelf *, const char *scope, const char *local_id,
    const char *upstream_id);

/* Whether the item of an id was deleted or hidden by this process, and did not come back. */
bool shelf_is_buried(struct shelf *, const char *scope, const char *id);

/* What the shelf holds. */
size_t shelf_bytes(const struct shelf *);
size_t shelf_entries(const struct shelf *);

/* Calls back for each entry of a scope; the callback may not put or drop any. */
void shelf_walk(struct shelf *, const char *scope, void (*fn)(void *arg, struct shelf_entry *),
    void *arg);

/* Makes the ready-made answer from an upstream item, or (upstream NULL) from
 * the record's content if the project's mapping has not made it yet. -1 with a
 * sentence for the log. */
int shelf_show(struct shelf_entry *, const struct project *, struct json_object *upstream,
    struct fail *);

/* Makes it from what was seen. */
int shelf_show_seen(struct shelf_entry *, struct sight *, struct fail *);

/* Whether the ready-made answer is there, made by the project's mapping. */
bool shelf_ready(const struct shelf_entry *, const struct project *);

/* Notes the text of an answer of the upstream that gives the ready-made answer as it is,
 * and in which nothing was to be told; forgotten with the ready-made answer. */
void shelf_know(struct shelf_entry *, const char *text, size_t len);

/* Whether this is that text, which then need not be read. */
bool shelf_knows(const struct shelf_entry *, const struct project *, const char *text, size_t len);

/* Another bound; what is too much goes. */
void shelf_resize(struct shelf *, size_t max_bytes);

#endif
