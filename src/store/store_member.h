#ifndef STORE_MEMBER_H
#define STORE_MEMBER_H

#include "store/store.h"

/*
 * Several processes on one store. Each is a member; what it has begun it holds under a
 * lease that it renews as long as it runs and reaches the database. When the lease has
 * run out, others may take what it held; from then on nothing that it still says of that
 * has an effect. On disk and in memory a store has one member, the process itself, whose
 * lease never ends.
 *
 * An intent is held by the member that began it or that took it last (store.h: held,
 * orphaned, fence). For the calls that settle, mark, drop or note something of an intent
 * it is gone (NONE) unless this member holds it; one in state OPERATOR is anybody's. A
 * lease that has run out while nobody took the intent costs nothing.
 */
#define STORE_LEASE_MS 10000 /* renewed about three times in it */

/* Until when, on the clock of the port's loop, nobody can take what this member holds;
 * counted from before the renewal was asked for. INT64_MAX: for ever. What could still be
 * on its way to the upstream then must not be begun. From any thread. */
int64_t store_lease_until(struct store_port *);

/* Takes an intent: OK with intents[0], held from now on, when its holder's lease has run
 * out or it waits for an operator, or when this member holds it; HELD with intents[0] as
 * it is when another does; NONE. */
struct store_call *store_intent_take(struct store_port *, const char *intent_id, store_done_fn,
    void *arg);

/* Reads intents on which nobody works: those whose holder's lease has run out, and those that
 * this member holds and has not touched since a time; none that waits for an operator. At most
 * so many, the former first, and of each kind not always the same, so that those which nobody
 * here can go on with hide no others. */
struct store_call *store_intents_left(struct store_port *, int64_t untouched_ms, size_t max,
    store_done_fn, void *arg);

/*
 * What other members have changed. A change is told after its commit, soon, but not in
 * step with the answers of calls: store_current_at() says how much is known.
 */
enum store_change_kind {
	STORE_CHANGED_RECORD, /* made, shown, hidden, deleted, or it reads otherwise now: scope,
	                         local_id, upstream_id */
	STORE_CHANGED_INTENT, /* begun, marked, taken, settled or dropped: scope, intent_id, and
	                         local_id of an update or delete */
	STORE_CHANGED_SCOPE   /* anything of this scope */
};

struct store_change {
	enum store_change_kind kind;
	char *scope, *local_id, *upstream_id, *intent_id; /* NULL where the kind has none */
};

/* The changes belong to the store. None (count 0): the feed was lost for a while, and all
 * that was read before may be old. It must not close the port. At most one port of a process
 * is told, the one that was opened first. */
typedef void (*store_watch_fn)(void *arg, const struct store_change *, size_t count);

/* Has changes told on the port's loop, until the port is closed. At most one watcher for
 * a port; NULL ends it. */
void store_watch(struct store_port *, store_watch_fn, void *arg);

/* Something was written past the store: other members are told that the feed was lost. OK. */
struct store_call *store_outdate(struct store_port *, store_done_fn, void *arg);

/* When, on the clock of the port's loop, all changes made before were told for certain.
 * INT64_MAX: always. From any thread. What is older than STORE_CURRENT_MS must not be
 * believed without asking the store. */
#define STORE_CURRENT_MS 250
int64_t store_current_at(struct store_port *);

/* ---- for tests of those above: several members of one store in memory ---- */

#define STORE_MEMBERS_MAX 8

/* A port of another member, 1 to STORE_MEMBERS_MAX - 1; those of store_port_open() are of
 * member 0. NULL when the store is not in memory. */
struct store_port *store_port_open_as(struct store *, struct loop *, unsigned member);

/* The lease of the port's member runs out now, and store_lease_until() says 0; or it is
 * renewed. */
void store_port_lapse(struct store_port *, bool lapsed);

/* Stops the feed of the port's member: store_current_at() stays what it is then (the time of
 * the loop), and nothing is told; or starts it again, which tells that it was lost. */
void store_port_deafen(struct store_port *, bool deaf);

#endif
