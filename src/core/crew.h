#ifndef CORE_CREW_H
#define CORE_CREW_H

#include "core/crew_stamp.h"
#include "core/gateway.h"

/*
 * The gateways of one process, each in a loop and a thread of its own. The first one, the
 * owner, does what must happen once: writes, listings, adoption, settling, twins, images
 * being made, the admin address. The others are helpers: they have clients, a store port
 * and a client of Bluejay of their own, and send what is the owner's to it (errand.h).
 *
 * What all of them may touch without a letter stands here, as plain numbers.
 */
struct crew;

#define CREW_MAX 64 /* gateways */

/* Makes a crew of one gateway, its owner, which must not run yet. */
struct crew *crew_new(struct gateway *owner);
void crew_free(struct crew *); /* after the helpers, before the owner */

/* Makes a helper for another loop, with the owner's snapshot; NULL with a sentence. Free
 * it by gateway_free(), before the owner and when no loop of the crew runs any more. */
struct gateway *crew_help(struct crew *, struct loop *, struct fail *);

/* On the helper's thread: takes the snapshot that is in force in the owner. -1 with a
 * sentence, and its calls go their old way. */
int crew_follow(struct gateway *helper, struct snapshot *, struct fail *);

/* The owner of a helper's crew; NULL for an owner, and for a gateway that is alone. */
struct gateway *crew_owner(const struct gateway *);

/*
 * Copies of the owner's entries in the shelves of helpers (shelf_copy()): each id has a
 * number, which it shares with others, that the owner moves whenever what an entry tells
 * is replaced: before a write is acknowledged. A copy whose number is another one by now is
 * not used, and what was asked for meanwhile is not believed.
 */
struct shelf_entry;
void crew_stamp(const struct gateway *, struct shelf_entry *copy); /* the owner makes one */
bool crew_is_current(const struct gateway *helper, const struct shelf_entry *copy);

/* Equal reads share a call, whichever loop makes it: claims the item of an id for a call
 * of this gateway; false when there is a claim already. */
bool crew_claim(struct gateway *, const char *upstream_id);
void crew_release(struct gateway *, const char *upstream_id);
/* The other gateway that has the claim; NULL: nobody, or this one. */
struct gateway *crew_claimant(const struct gateway *, const char *upstream_id);

/* Its place in the crew: 0 is the owner. */
unsigned crew_place(const struct gateway *);
/* Whether there is any helper. */
bool crew_has_helpers(const struct gateway *);

/*
 * Something that is done on the thread of every helper, one after the other, with a load
 * that goes along and belongs to nobody else meanwhile. Then `done` is called on the
 * loop of the owner, which begins it; never before crew_go_round() returns. The round is
 * over with it, and the load is freed; also when the round was cancelled.
 */
struct crew_round;
struct crew_task {
	void (*each)(void *load, struct gateway *helper);
	void (*free)(void *load);
};
typedef void (*crew_done_fn)(void *arg, void *load);
struct crew_round *crew_go_round(struct gateway *owner, const struct crew_task *, void *load,
    crew_done_fn done, void *arg);
void crew_round_cancel(struct crew_round *); /* `done` is not called */

/* A helper has an answer of Bluejay: the owner is told if it says anything of the key that
 * the owner has not published. */
struct upstream_answer;
void crew_report(struct gateway *helper, const struct upstream_answer *);
void crew_publish(struct gateway *owner);

/* A write went past the gateways, through the one that says so: before this returns,
 * nothing that any of them has read before is current. */
void crew_outdate(struct gateway *);

/* Has what a helper outdated be outdated here, before anything is looked at. */
void crew_catch_up(struct gateway *);

#endif
