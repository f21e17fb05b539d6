#include "config.h"

#include "base/loop.h"
#include "base/mem.h"

#include <errno.h>
#include <event2/thread.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct letter {
	loop_fn fn;
	void *arg;
	STAILQ_ENTRY(letter) link;
};
STAILQ_HEAD(letters, letter);
TAILQ_HEAD(timers, loop_timer);

struct loop {
	struct event_base *base;
	int wake_fd;
	struct event wake;
	pthread_mutex_t lock; /* guards letters and woken, never held while calling out */
	struct letters letters;
	bool woken;
	bool stopped;
	bool fake;
	int64_t fake_now, fake_wall;
	struct timers timers;
};

/* Reads a kernel clock in milliseconds. */
static int64_t
loop_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Delivers what was posted before this turn; what arrives meanwhile waits. */
void
loop_deliver(struct loop *l)
{
	struct letters mine = STAILQ_HEAD_INITIALIZER(mine);
	struct letter *m;

	pthread_mutex_lock(&l->lock);
	STAILQ_CONCAT(&mine, &l->letters);
	l->woken = false;
	pthread_mutex_unlock(&l->lock);
	while ((m = STAILQ_FIRST(&mine)) != NULL) {
		STAILQ_REMOVE_HEAD(&mine, link);
		m->fn(m->arg);
		free(m);
	}
}

/* The mailbox's descriptor became readable. */
static void
loop_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	uint64_t n;

	while (read(fd, &n, sizeof n) < 0 && errno == EINTR)
		;
	loop_deliver(l);
}

/* Makes a loop on the kernel's clocks. */
struct loop *
loop_new(void)
{
	struct event_config *cfg = event_config_new();
	struct loop *l = mem_zero(1, sizeof *l);

	STAILQ_INIT(&l->letters);
	TAILQ_INIT(&l->timers);
	pthread_mutex_init(&l->lock, NULL);
	/* Not EVENT_BASE_FLAG_PRECISE_TIMER: it costs a timerfd_settime() with every wait. */
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	l->base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->base == NULL || l->wake_fd < 0) {
		if (l->base != NULL)
			event_base_free(l->base);
		if (l->wake_fd >= 0)
			close(l->wake_fd);
		free(l);
		return NULL;
	}
	event_assign(&l->wake, l->base, l->wake_fd, EV_READ | EV_PERSIST, loop_on_wake, l);
	event_add(&l->wake, NULL);
	return l;
}

/* Makes a loop whose time stands still. */
struct loop *
loop_new_fake(int64_t wall)
{
	struct loop *l = loop_new();

	if (l == NULL)
		return NULL;
	l->fake = true;
	l->fake_now = 1000;
	l->fake_wall = wall;
	return l;
}

/* Frees the loop; its timers must be cancelled before. */
void
loop_free(struct loop *l)
{
	struct letter *m;

	if (l == NULL)
		return;
	while ((m = STAILQ_FIRST(&l->letters)) != NULL) {
		STAILQ_REMOVE_HEAD(&l->letters, link);
		free(m);
	}
	event_del(&l->wake);
	event_base_free(l->base);
	close(l->wake_fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* libevent's base, for sockets and signals. */
struct event_base *
loop_base(struct loop *l)
{
	return l->base;
}

/* Monotonic milliseconds. */
int64_t
loop_now(const struct loop *l)
{
	return l->fake ? l->fake_now : loop_clock(CLOCK_MONOTONIC);
}

/* Monotonic microseconds. */
int64_t
loop_now_us(const struct loop *l)
{
	struct timespec ts;

	if (l->fake)
		return l->fake_now * 1000;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Wall-clock milliseconds. */
int64_t
loop_wall(const struct loop *l)
{
	return l->fake ? l->fake_wall : loop_clock(CLOCK_REALTIME);
}

/* Puts a letter into the mailbox and wakes the loop once per batch. */
void
loop_post(struct loop *l, loop_fn fn, void *arg)
{
	struct letter *m = mem_alloc(sizeof *m);
	uint64_t one = 1;
	bool wake;

	m->fn = fn;
	m->arg = arg;
	pthread_mutex_lock(&l->lock);
	STAILQ_INSERT_TAIL(&l->letters, m, link);
	wake = !l->woken;
	l->woken = true;
	pthread_mutex_unlock(&l->lock);
	while (wake && write(l->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

/* Runs until stopped. */
void
loop_run(struct loop *l)
{
	while (!__atomic_load_n(&l->stopped, __ATOMIC_ACQUIRE))
		event_base_loop(l->base, EVLOOP_ONCE);
	l->stopped = false;
}

/* A letter that only ends the turn. */
static void
loop_nothing(void *arg)
{
}

/* Ends loop_run(). */
void
loop_stop(struct loop *l)
{
	__atomic_store_n(&l->stopped, true, __ATOMIC_RELEASE);
	loop_post(l, loop_nothing, NULL);
}

/* Makes one pass. */
void
loop_turn(struct loop *l, bool wait)
{
	event_base_loop(l->base, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
}

/* Tells libevent how long a timer waits. */
static void
loop_timer_wait(struct loop_timer *t, int64_t ms)
{
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	evtimer_add(&t->ev, &tv);
}

/* libevent says that a timer is due. Its clock is coarse, and may be a tick early. */
static void
loop_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;
	int64_t left = t->due - loop_now(t->loop);

	if (left > 0) {
		loop_timer_wait(t, left);
		return;
	}
	t->armed = false;
	t->fn(t->arg);
}

/* Prepares a timer. */
void
loop_timer_init(struct loop_timer *t, struct loop *l, loop_fn fn, void *arg)
{
	t->loop = l;
	t->fn = fn;
	t->arg = arg;
	t->due = 0;
	t->armed = false;
	evtimer_assign(&t->ev, l->base, loop_on_timer, t);
}

/* Sets or moves a timer. */
void
loop_timer_set(struct loop_timer *t, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	if (t->armed)
		loop_timer_cancel(t);
	t->armed = true;
	t->due = loop_now(t->loop) + ms;
	if (t->loop->fake) {
		TAILQ_INSERT_TAIL(&t->loop->timers, t, link);
		return;
	}
	loop_timer_wait(t, ms);
}

/* Forgets a timer; fine when it is not set. */
void
loop_timer_cancel(struct loop_timer *t)
{
	if (!t->armed)
		return;
	t->armed = false;
	if (t->loop->fake)
		TAILQ_REMOVE(&t->loop->timers, t, link);
	else
		evtimer_del(&t->ev);
}

/* The earliest fake timer due by `until`; of equals the one set first. */
static struct loop_timer *
loop_fake_next(struct loop *l, int64_t until)
{
	struct loop_timer *t, *best = NULL;

	TAILQ_FOREACH(t, &l->timers, link)
		if (t->due <= until && (best == NULL || t->due < best->due))
			best = t;
	return best;
}

/* Moves the time of a fake loop. */
void
loop_fake_advance(struct loop *l, int64_t ms)
{
	int64_t until = l->fake_now + ms;
	struct loop_timer *t;

	loop_turn(l, false);
	while ((t = loop_fake_next(l, until)) != NULL) {
		if (t->due > l->fake_now) {
			l->fake_wall += t->due - l->fake_now;
			l->fake_now = t->due;
		}
		loop_timer_cancel(t);
		t->fn(t->arg);
		loop_turn(l, false);
	}
	l->fake_wall += until - l->fake_now;
	l->fake_now = until;
	loop_turn(l, false);
}
