#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/*
 * One event loop: a libevent base, its clock, its timers and its mailbox. A
 * loop belongs to the thread that runs it; only loop_post() and loop_stop()
 * may be called from other threads. All times are milliseconds.
 */
struct loop;
typedef void (*loop_fn)(void *arg);

struct loop *loop_new(void);                   /* NULL when the kernel refuses */
struct loop *loop_new_fake(int64_t wall);      /* tests: time moves only by loop_fake_advance() */
void loop_free(struct loop *);                 /* letters never delivered are dropped */
struct event_base *loop_base(struct loop *);

int64_t loop_now(const struct loop *);  /* monotonic */
int64_t loop_now_us(const struct loop *); /* the same clock in microseconds, to measure with */
int64_t loop_wall(const struct loop *); /* since 1970 UTC */

/* Runs fn(arg) later on the loop's thread, never before loop_post() returns;
 * letters arrive in the order in which one thread posted them. */
void loop_post(struct loop *, loop_fn, void *arg);

/* Delivers the letters that are there, and does nothing else: at the end, when no thread
 * runs any of the loops that write to each other. */
void loop_deliver(struct loop *);

void loop_run(struct loop *);             /* until loop_stop() */
void loop_stop(struct loop *);            /* from any thread, at once after this turn */
void loop_turn(struct loop *, bool wait); /* one pass: tests, and draining at a stop */

/*
 * A one-shot timer inside its owner's structure. Initialise it once; setting
 * it again moves it; cancel before the owner is freed. fn runs on the loop's
 * thread, never inside loop_timer_set(), also for 0 ms.
 */
struct loop_timer {
	struct loop *loop;
	loop_fn fn;
	void *arg;
	int64_t due; /* on the loop's monotonic clock */
	bool armed;
	struct event ev;
	TAILQ_ENTRY(loop_timer) link; /* fake loops only */
};

void loop_timer_init(struct loop_timer *, struct loop *, loop_fn, void *arg);
void loop_timer_set(struct loop_timer *, int64_t ms);
void loop_timer_cancel(struct loop_timer *);

/* Fake loops: moves both clocks, firing due timers one by one in order and
 * delivering letters, then makes one pass over ready descriptors. */
void loop_fake_advance(struct loop *, int64_t ms);

#endif
