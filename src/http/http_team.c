#include "config.h"

#include "http/http_team.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>

/* Makes one. */
struct http_team *
http_team_new(void *self, struct loop *loop)
{
	struct http_team *t = mem_zero(1, sizeof *t);

	t->refs = 1;
	t->count = 1;
	t->servers[0].self = self;
	t->servers[0].loop = loop;
	return t;
}

/* Takes a reference. */
struct http_team *
http_team_ref(struct http_team *t)
{
	__atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
	return t;
}

/* Gives one back. */
void
http_team_unref(struct http_team *t)
{
	if (t != NULL && __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(t);
}

/* How many there are. */
static unsigned
http_team_count(const struct http_team *t)
{
	return __atomic_load_n(&t->count, __ATOMIC_ACQUIRE);
}

/* Adds a server. */
unsigned
http_team_add(struct http_team *t, void *self, struct loop *loop)
{
	unsigned place = t->count;

	t->servers[place].self = self;
	t->servers[place].loop = loop;
	__atomic_store_n(&t->count, place + 1, __ATOMIC_RELEASE);
	return place;
}

/* Tells a clock. */
void
http_team_clock(struct http_team *t, unsigned server)
{
	struct http_team_server *s = &t->servers[server];

	if (pthread_getcpuclockid(pthread_self(), &s->clock) == 0)
		__atomic_store_n(&s->clocked, true, __ATOMIC_RELEASE);
}

/* Connections of one. */
static unsigned
http_team_open_of(const struct http_team *t, unsigned server)
{
	return __atomic_load_n(&t->servers[server].open, __ATOMIC_SEQ_CST);
}

/* Finds who has the fewest. */
unsigned
http_team_take(struct http_team *t)
{
	unsigned best = t->turn % t->count;

	for (unsigned i = 1; i < t->count; i++) {
		unsigned other = (t->turn + i) % t->count;

		if (http_team_open_of(t, other) < http_team_open_of(t, best))
			best = other;
	}
	t->turn = best + 1;
	__atomic_add_fetch(&t->servers[best].open, 1, __ATOMIC_SEQ_CST);
	return best;
}

/* One is closed. The number falls before `waits` is read, and the first server sets that
 * before it reads the numbers: one of the two sees the other. */
bool
http_team_leave(struct http_team *t, unsigned server)
{
	__atomic_sub_fetch(&t->servers[server].open, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&t->waits, __ATOMIC_SEQ_CST);
}

/* Counts all. */
unsigned
http_team_open(const struct http_team *t)
{
	unsigned all = 0, count = http_team_count(t);

	for (unsigned i = 0; i < count; i++)
		all += http_team_open_of(t, i);
	return all;
}

/* Wants to hear. */
void
http_team_wait(struct http_team *t, bool waits)
{
	__atomic_store_n(&t->waits, waits, __ATOMIC_SEQ_CST);
}

/* ---- balance ---- */

/* How many connections would make two equally busy, if all of them were alike: what one has
 * more, in connections of its own, by half, since both change. Of that one half again for now:
 * the next look sees what it has come to. */
static unsigned
http_team_surplus(const struct http_team *t, unsigned from, unsigned more, unsigned less)
{
	uint64_t differ = more > less ? more - less : 0;
	uint64_t even = differ * http_team_open_of(t, from) / (2 * (uint64_t)(more > 0 ? more : 1));

	if (differ <= HTTP_TEAM_SLACK || differ * 100 <= (uint64_t)more * HTTP_TEAM_SHARE)
		return 0;
	return (unsigned)((even + 1) / 2);
}

/* Decides what is given away. Once may be chance, and after a gift the next look is the first
 * again. */
void
http_team_plan(struct http_team *t, const unsigned *busy)
{
	unsigned most = 0, least = 0, count = http_team_count(t), surplus;
	bool again;

	for (unsigned i = 1; i < count; i++) {
		most = busy[i] > busy[most] ? i : most;
		least = busy[i] < busy[least] ? i : least;
	}
	surplus = http_team_surplus(t, most, busy[most], busy[least]);
	again = surplus > 0 && t->marked == most + 1;
	t->marked = surplus > 0 && !again ? most + 1 : 0;
	for (unsigned i = 0; i < count; i++) {
		struct http_team_server *s = &t->servers[i];

		__atomic_store_n(&s->gives_to, least, __ATOMIC_RELAXED);
		__atomic_store_n(&s->gives, again && i == most ? surplus : 0, __ATOMIC_RELEASE);
	}
}

/* What a server has spent since the last look, in microseconds; -1 when that is not known. */
static int64_t
http_team_spent(struct http_team_server *s)
{
	int64_t before = s->spent_us;
	struct timespec ts;

	if (!__atomic_load_n(&s->clocked, __ATOMIC_ACQUIRE) || clock_gettime(s->clock, &ts) != 0)
		return -1;
	s->spent_us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
	return s->spent_us - before;
}

/* Looks, alone. */
static void
http_team_look_now(struct http_team *t, int64_t now_ms)
{
	int64_t before = __atomic_load_n(&t->looked_ms, __ATOMIC_RELAXED);
	unsigned busy[HTTP_TEAM_MAX], count = http_team_count(t);
	bool all = before > 0;

	for (unsigned i = 0; i < count; i++) {
		int64_t spent = http_team_spent(&t->servers[i]);

		all = all && spent >= 0;
		busy[i] = all ? (unsigned)(spent / (now_ms - before)) : 0;
	}
	if (all)
		http_team_plan(t, busy);
	__atomic_store_n(&t->looked_ms, now_ms, __ATOMIC_RELAXED);
}

/* Looks if it is time. */
void
http_team_look(struct http_team *t, int64_t now_ms)
{
	if (now_ms - __atomic_load_n(&t->looked_ms, __ATOMIC_RELAXED) < HTTP_TEAM_LOOK_MS ||
	    __atomic_exchange_n(&t->looking, true, __ATOMIC_ACQUIRE))
		return;
	if (now_ms - __atomic_load_n(&t->looked_ms, __ATOMIC_RELAXED) >= HTTP_TEAM_LOOK_MS)
		http_team_look_now(t, now_ms);
	__atomic_store_n(&t->looking, false, __ATOMIC_RELEASE);
}

/* Whether one is to be given away. */
bool
http_team_give(struct http_team *t, unsigned server, unsigned *to)
{
	struct http_team_server *s = &t->servers[server];
	unsigned gives = __atomic_load_n(&s->gives, __ATOMIC_ACQUIRE);

	if (gives == 0 || __atomic_load_n(&t->ends, __ATOMIC_SEQ_CST))
		return false;
	__atomic_store_n(&s->gives, gives - 1, __ATOMIC_RELAXED);
	*to = __atomic_load_n(&s->gives_to, __ATOMIC_RELAXED);
	if (*to == server)
		return false;
	__atomic_add_fetch(&t->servers[*to].open, 1, __ATOMIC_SEQ_CST);
	return true;
}

/* Ends that. */
void
http_team_end(struct http_team *t)
{
	__atomic_store_n(&t->ends, true, __ATOMIC_SEQ_CST);
}

/* ---- bytes ---- */

/* Bytes of all. */
size_t
http_team_held(const struct http_team *t)
{
	return __atomic_load_n(&t->held, __ATOMIC_RELAXED);
}

/* Tells them. */
void
http_team_hold(struct http_team *t, size_t more, size_t less)
{
	__atomic_add_fetch(&t->held, more - less, __ATOMIC_RELAXED);
}
