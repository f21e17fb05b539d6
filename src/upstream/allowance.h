#ifndef UPSTREAM_ALLOWANCE_H
#define UPSTREAM_ALLOWANCE_H

#include "upstream/breaker.h"
#include "upstream/upstream_settings.h"

#include <sys/queue.h>

/*
 * What all clients of one upstream may do together, each in a loop and a thread of its
 * own: places in flight, the rate budget, the breaker. Every function may be called from
 * any thread; the lock inside is held for some comparisons, never while anything is
 * called.
 */
struct allowance;

#define ALLOWANCE_MEMBERS 64 /* clients of one upstream */

/* One client, embedded in it; it joins and leaves on its own thread. */
struct allowance_member {
	struct allowance *allowance;
	struct loop *loop;
	loop_fn place; /* called on the loop, later: there may be a place now */
	void *arg;
	bool waiting; /* the rest is the allowance's */
	TAILQ_ENTRY(allowance_member) link;
};

/* Joins what `with` has joined, or (NULL) a new one. */
void allowance_join(struct allowance_member *, struct allowance_member *with,
    const struct upstream_settings *, int64_t now);
void allowance_leave(struct allowance_member *);

/* What the breaker did in a call, for the log: `from` and `to` are the same for nothing. */
struct allowance_moved {
	enum upstream_breaker from, to;
	int64_t for_ms; /* that it stays open */
};

/* Other settings, from the first member that brings them on: the rate begins anew when
 * the budget is another one, the breaker when the URL is. */
void allowance_adjust(struct allowance_member *, const struct upstream_settings *, int64_t now,
    struct allowance_moved *);

enum allowance_entry {
	ALLOWANCE_GO,   /* a place, a token and a pass of the breaker were taken */
	ALLOWANCE_FULL, /* no place; `place` comes when there is one */
	ALLOWANCE_OPEN, /* the breaker is open for *wait_ms */
	ALLOWANCE_LATE, /* no token before the deadline, which takes *wait_ms */
	ALLOWANCE_WAIT  /* a token comes in *wait_ms, unless somebody else takes it */
};
enum allowance_entry allowance_enter(struct allowance_member *, int64_t now, int64_t deadline,
    uint64_t *pass, int64_t *wait_ms, struct allowance_moved *);

/* How long the breaker is open; 0: it is not. */
int64_t allowance_open_for(struct allowance_member *, int64_t now);
enum upstream_breaker allowance_breaker(struct allowance_member *);

/* Judges by a pass, which has no say afterwards. */
void allowance_judge(struct allowance_member *, uint64_t pass, enum breaker_verdict, int64_t now,
    struct allowance_moved *);

/* Gives a place back, and judges; a pass of 0 has no say, since it was judged before. */
void allowance_give_back(struct allowance_member *, uint64_t pass, enum breaker_verdict,
    int64_t now, struct allowance_moved *);

#endif
