#ifndef CORE_PEERS_H
#define CORE_PEERS_H

#include "core/gateway_impl.h"

/*
 * The other gateways on the same store, when it may have several (gateway.shared). What
 * they write is told by the store's feed (store_member.h): what memory holds of it is
 * forgotten. What one of them has left unsettled, and holds no more, is taken over here.
 * And what this gateway sends to Bluejay is cut when its own lease comes to its end,
 * since another one may take over from then on. Without others nothing of this runs.
 */
struct peers;

/* Listens to the feed; then, when the store is ready, looks for what others have left. */
void peers_open(struct gateway *);
void peers_start(struct gateway *);
void peers_free(struct gateway *); /* before the port is closed */

/* Whether all that others wrote is known, but for what is younger than STORE_CURRENT_MS:
 * else nothing that memory holds is believed. From the thread of any gateway of the crew. */
bool peers_told(const struct gateway *);

/* Whether the store has told nothing for so long that a read which memory can fence does
 * not wait for it; and for how long, in milliseconds. */
bool peers_away(const struct gateway *);
int64_t peers_silence(const struct gateway *);

/* Whether the lease lasts long enough to send a write. */
bool peers_may_send(const struct gateway *);

/* Puts a record that the store was asked for at `asked` (gateway.sequence then) on the
 * shelf: as shelf_put(), but when another gateway wrote it since, the entry is behind. */
struct shelf_entry *peers_put(struct gateway *, struct store_record *, uint64_t asked);

/* Whether another gateway wrote an item of this upstream id, which scopes share, so
 * recently that a listing may show what it was before. */
bool peers_shared_lately(const struct gateway *, const char *upstream_id);

/* What /metrics shows. */
struct peers_counts {
	uint64_t taken;    /* writes taken over from others */
	uint64_t lost;     /* writes that others took over from this one, and it came back */
	uint64_t waits;    /* times that a write waited for another gateway's */
	uint64_t gaps;     /* times that the feed was lost */
	int64_t silence_ms; /* since when the feed is not known to be complete */
	int64_t lease_ms;   /* that the lease lasts; 0: it has run out */
};
void peers_counts(const struct gateway *, struct peers_counts *);
void peers_count_lost(struct gateway *);

/* Waits for what another gateway does with an intent. Inside its owner's structure. */
struct peer_wait {
	struct gateway *gw;
	char *intent_id; /* NULL: it does not wait, or for time alone */
	struct loop_timer timer;
	TAILQ_ENTRY(peer_wait) link;
	bool listed;
};
#define PEER_WAIT_MS 500 /* between two looks; the feed makes it shorter */

/* fn is called once after each peer_wait_start(): soon after the feed has told of the
 * intent, and after PEER_WAIT_MS in any case, but never after peer_wait_stop(). */
void peer_wait_init(struct peer_wait *, struct gateway *, loop_fn, void *arg);
void peer_wait_start(struct peer_wait *, const char *intent_id);
void peer_wait_stop(struct peer_wait *);

#endif
