#ifndef HTTP_DEADLINE_H
#define HTTP_DEADLINE_H

#include "base/loop.h"

#include <stdint.h>
#include <sys/queue.h>

/*
 * Deadlines of one kind all last equally long, so the list of those that run
 * is sorted by itself: setting and clearing one is O(1), and one timer per kind
 * serves them all. (After a change to a shorter time, a new one is put before those
 * that still last longer.) The timer is not moved when the first of the list changes;
 * it looks again when it fires.
 */
struct http_deadline {
	TAILQ_ENTRY(http_deadline) link;
	struct http_deadlines *kind; /* NULL while it does not run */
	int64_t due;
	void *owner;
};
TAILQ_HEAD(http_deadline_list, http_deadline);

struct http_deadlines {
	struct http_deadline_list list;
	struct loop *loop;
	struct loop_timer timer;
	int64_t ms;
	void (*fn)(void *owner);
};

/* With ms of 0 no deadline of the kind ever runs out. */
void http_deadlines_init(struct http_deadlines *, struct loop *, int64_t ms,
    void (*fn)(void *owner));
/* Those that start from now on last so long. */
void http_deadlines_change(struct http_deadlines *, int64_t ms);
void http_deadlines_stop(struct http_deadlines *); /* before the owner is freed */

/* Starts or starts again. fn runs on the loop when it is over, at most once
 * per set, never inside a call made here; it may set and clear any deadline. */
void http_deadline_set(struct http_deadline *, struct http_deadlines *, void *owner);
void http_deadline_clear(struct http_deadline *);

#endif
