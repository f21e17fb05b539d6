#include "config.h"

#include "upstream/allowance.h"
#include "base/mem.h"
#include "upstream/rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

TAILQ_HEAD(allowance_members, allowance_member);

struct allowance {
	pthread_mutex_t lock; /* guards the rest, but for `shut`, which is also read without it */
	unsigned refs;
	struct breaker breaker;
	struct rate rate;
	unsigned in_flight, max_in_flight;
	unsigned waiting; /* members that wait for a place */
	bool shut;        /* the breaker is not closed */
	unsigned per_minute;
	char *url; /* whose health the breaker knows */
	struct allowance_members members;
};

/* Those to be told that there is a place; told once the lock is free. */
struct allowance_bells {
	unsigned count;
	struct {
		struct loop *loop;
		loop_fn place;
		void *arg;
	} bells[ALLOWANCE_MEMBERS];
};

/* Makes one. */
static struct allowance *
allowance_new(const struct upstream_settings *set, int64_t now)
{
	struct allowance *a = mem_zero(1, sizeof *a);
	pthread_mutexattr_t attr;

	/* It is held for less time than a thread takes to fall asleep. */
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(&a->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	TAILQ_INIT(&a->members);
	breaker_init(&a->breaker);
	rate_init(&a->rate, set->rate_per_minute, now);
	a->per_minute = set->rate_per_minute;
	a->max_in_flight = set->max_in_flight;
	a->url = mem_string(set->url);
	return a;
}

/* Joins. */
void
allowance_join(struct allowance_member *m, struct allowance_member *with,
    const struct upstream_settings *set, int64_t now)
{
	struct allowance *a = with != NULL ? with->allowance : allowance_new(set, now);

	m->allowance = a;
	m->waiting = false;
	pthread_mutex_lock(&a->lock);
	a->refs++;
	TAILQ_INSERT_TAIL(&a->members, m, link);
	pthread_mutex_unlock(&a->lock);
}

/* Notes whether a member waits for a place, with the lock. */
static void
allowance_wait(struct allowance *a, struct allowance_member *m, bool waits)
{
	a->waiting += (unsigned)waits - (unsigned)m->waiting;
	m->waiting = waits;
}

/* Leaves; the last one frees. */
void
allowance_leave(struct allowance_member *m)
{
	struct allowance *a = m->allowance;
	bool last;

	pthread_mutex_lock(&a->lock);
	allowance_wait(a, m, false);
	TAILQ_REMOVE(&a->members, m, link);
	last = --a->refs == 0;
	pthread_mutex_unlock(&a->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&a->lock);
	free(a->url);
	free(a);
}

/* Notes the breaker's state before something is done; what allowance_moved_to ends. */
static void
allowance_moved_from(const struct allowance *a, struct allowance_moved *moved)
{
	moved->from = a->breaker.state;
}

/* Notes its state afterwards, also for those who do not take the lock. */
static void
allowance_moved_to(struct allowance *a, int64_t now, struct allowance_moved *moved)
{
	moved->to = a->breaker.state;
	if (moved->to != moved->from)
		__atomic_store_n(&a->shut, moved->to != UPSTREAM_BREAKER_CLOSED, __ATOMIC_RELAXED);
	moved->for_ms = breaker_wait(&a->breaker, now);
}

/* Takes other settings. */
void
allowance_adjust(struct allowance_member *m, const struct upstream_settings *set, int64_t now,
    struct allowance_moved *moved)
{
	struct allowance *a = m->allowance;

	pthread_mutex_lock(&a->lock);
	allowance_moved_from(a, moved);
	if (strcmp(a->url, set->url) != 0) {
		breaker_reset(&a->breaker);
		free(a->url);
		a->url = mem_string(set->url);
	}
	if (a->per_minute != set->rate_per_minute)
		rate_init(&a->rate, set->rate_per_minute, now);
	a->per_minute = set->rate_per_minute;
	a->max_in_flight = set->max_in_flight;
	allowance_moved_to(a, now, moved);
	pthread_mutex_unlock(&a->lock);
}

/* Decides about an entry, with the lock. */
static enum allowance_entry
allowance_decide(struct allowance *a, int64_t now, int64_t deadline, uint64_t *pass,
    int64_t *wait_ms)
{
	if (a->in_flight >= a->max_in_flight)
		return ALLOWANCE_FULL;
	if ((*wait_ms = breaker_wait(&a->breaker, now)) > 0)
		return ALLOWANCE_OPEN;
	*wait_ms = rate_wait(&a->rate, now);
	if (now + *wait_ms >= deadline)
		return ALLOWANCE_LATE;
	if (*wait_ms > 0)
		return ALLOWANCE_WAIT;
	rate_take(&a->rate, now);
	*pass = breaker_enter(&a->breaker, now);
	a->in_flight++;
	return ALLOWANCE_GO;
}

/* Wants a place. */
enum allowance_entry
allowance_enter(struct allowance_member *m, int64_t now, int64_t deadline, uint64_t *pass,
    int64_t *wait_ms, struct allowance_moved *moved)
{
	struct allowance *a = m->allowance;
	enum allowance_entry entry;

	pthread_mutex_lock(&a->lock);
	allowance_moved_from(a, moved);
	entry = allowance_decide(a, now, deadline, pass, wait_ms);
	allowance_wait(a, m, entry == ALLOWANCE_FULL);
	allowance_moved_to(a, now, moved);
	pthread_mutex_unlock(&a->lock);
	return entry;
}

/* How long the breaker is open. */
int64_t
allowance_open_for(struct allowance_member *m, int64_t now)
{
	struct allowance *a = m->allowance;
	int64_t wait;

	if (!__atomic_load_n(&a->shut, __ATOMIC_RELAXED))
		return 0;
	pthread_mutex_lock(&a->lock);
	wait = breaker_wait(&a->breaker, now);
	pthread_mutex_unlock(&a->lock);
	return wait;
}

/* The breaker's state. */
enum upstream_breaker
allowance_breaker(struct allowance_member *m)
{
	struct allowance *a = m->allowance;
	enum upstream_breaker state;

	pthread_mutex_lock(&a->lock);
	state = a->breaker.state;
	pthread_mutex_unlock(&a->lock);
	return state;
}

/* Has the breaker judge, with the lock. */
static void
allowance_hear(struct allowance *a, uint64_t pass, enum breaker_verdict verdict, int64_t now,
    struct allowance_moved *moved)
{
	allowance_moved_from(a, moved);
	breaker_leave(&a->breaker, pass, verdict, now);
	allowance_moved_to(a, now, moved);
}

/* Judges. */
void
allowance_judge(struct allowance_member *m, uint64_t pass, enum breaker_verdict verdict,
    int64_t now, struct allowance_moved *moved)
{
	struct allowance *a = m->allowance;

	pthread_mutex_lock(&a->lock);
	allowance_hear(a, pass, verdict, now, moved);
	pthread_mutex_unlock(&a->lock);
}

/* Takes down the others that wait for a place, with the lock. Most often nobody waits, and
 * then nothing of another thread is looked at. */
static void
allowance_ring(struct allowance *a, const struct allowance_member *by, struct allowance_bells *b)
{
	struct allowance_member *m;

	if (a->waiting == 0)
		return;
	TAILQ_FOREACH(m, &a->members, link) {
		if (m == by || !m->waiting || b->count == ALLOWANCE_MEMBERS)
			continue;
		allowance_wait(a, m, false);
		b->bells[b->count].loop = m->loop;
		b->bells[b->count].place = m->place;
		b->bells[b->count++].arg = m->arg;
	}
}

/* Gives a place back; the member itself looks at its own queue. */
void
allowance_give_back(struct allowance_member *m, uint64_t pass, enum breaker_verdict verdict,
    int64_t now, struct allowance_moved *moved)
{
	struct allowance *a = m->allowance;
	struct allowance_bells bells;

	bells.count = 0;
	pthread_mutex_lock(&a->lock);
	allowance_hear(a, pass, verdict, now, moved);
	a->in_flight--;
	allowance_ring(a, m, &bells);
	pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; i < bells.count; i++)
		loop_post(bells.bells[i].loop, bells.bells[i].place, bells.bells[i].arg);
}
