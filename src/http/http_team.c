#include "config.h"

#include "http/http_team.h"
#include "base/mem.h"

/* Makes one. */
struct http_team *
http_team_new(void)
{
	struct http_team *t = mem_zero(1, sizeof *t);

	t->count = 1;
	return t;
}

/* Adds a server. */
unsigned
http_team_add(struct http_team *t)
{
	return t->count++;
}

/* Connections of one. */
static unsigned
http_team_open_of(const struct http_team *t, unsigned server)
{
	return __atomic_load_n(&t->open[server], __ATOMIC_SEQ_CST);
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
	__atomic_add_fetch(&t->open[best], 1, __ATOMIC_SEQ_CST);
	return best;
}

/* One is closed. The number falls before `waits` is read, and the first server sets that
 * before it reads the numbers: one of the two sees the other. */
bool
http_team_leave(struct http_team *t, unsigned server)
{
	__atomic_sub_fetch(&t->open[server], 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&t->waits, __ATOMIC_SEQ_CST);
}

/* Counts all. */
unsigned
http_team_open(const struct http_team *t)
{
	unsigned all = 0;

	for (unsigned i = 0; i < t->count; i++)
		all += http_team_open_of(t, i);
	return all;
}

/* Wants to hear. */
void
http_team_wait(struct http_team *t, bool waits)
{
	__atomic_store_n(&t->waits, waits, __ATOMIC_SEQ_CST);
}

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
