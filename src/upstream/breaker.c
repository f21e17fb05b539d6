#include "config.h"

#include "upstream/breaker.h"

#include <string.h>

/* Starts closed. */
void
breaker_init(struct breaker *b)
{
	memset(b, 0, sizeof *b);
	b->state = UPSTREAM_BREAKER_CLOSED;
	b->open_ms = BREAKER_OPEN_MS;
	b->era = 1;
}

/* The one place that changes the state; older passes lose their say. */
static void
breaker_set(struct breaker *b, enum upstream_breaker state)
{
	b->state = state;
	b->era++;
	if (state == UPSTREAM_BREAKER_CLOSED) {
		b->row = 0;
		b->open_ms = BREAKER_OPEN_MS;
		memset(b->window, 0, sizeof b->window);
	}
}

/* Forgets what was seen. */
void
breaker_reset(struct breaker *b)
{
	breaker_set(b, UPSTREAM_BREAKER_CLOSED);
}

/* Opens for the length that is due. */
static void
breaker_open(struct breaker *b, int64_t now)
{
	b->until = now + b->open_ms;
	breaker_set(b, UPSTREAM_BREAKER_OPEN);
}

/* Milliseconds until a try may start. */
int64_t
breaker_wait(const struct breaker *b, int64_t now)
{
	switch (b->state) {
	case UPSTREAM_BREAKER_CLOSED:
		return 0;
	case UPSTREAM_BREAKER_OPEN:
		return b->until > now ? b->until - now : 0;
	case UPSTREAM_BREAKER_PROBING:
		break;
	}
	return BREAKER_PROBE_MS;
}

/* Lets a try start; the first one after the open time is the probe. */
uint64_t
breaker_enter(struct breaker *b, int64_t now)
{
	if (breaker_wait(b, now) > 0)
		return 0;
	if (b->state == UPSTREAM_BREAKER_OPEN)
		breaker_set(b, UPSTREAM_BREAKER_PROBING);
	return b->era;
}

/* Counts a judged try and says whether the window is bad enough to open. */
static bool
breaker_count(struct breaker *b, bool bad, int64_t now)
{
	int64_t second = now / 1000;
	struct breaker_second *s = &b->window[second % BREAKER_WINDOW];
	unsigned all = 0, wrong = 0;

	if (s->second != second)
		*s = (struct breaker_second){second, 0, 0};
	if (bad)
		s->bad++;
	else
		s->good++;
	for (s = b->window; s < b->window + BREAKER_WINDOW; s++) {
		if (second - s->second >= BREAKER_WINDOW)
			continue;
		all += s->good + s->bad;
		wrong += s->bad;
	}
	return all >= BREAKER_MIN && (uint64_t)wrong * 100 >= (uint64_t)all * BREAKER_SHARE;
}

/* Judges the probe. */
static void
breaker_judge_probe(struct breaker *b, enum breaker_verdict verdict, int64_t now)
{
	switch (verdict) {
	case BREAKER_GOOD:
		breaker_set(b, UPSTREAM_BREAKER_CLOSED);
		return;
	case BREAKER_BAD:
		b->open_ms = b->open_ms * 2 < BREAKER_OPEN_MAX ? b->open_ms * 2 : BREAKER_OPEN_MAX;
		breaker_open(b, now);
		return;
	case BREAKER_NO_VERDICT:
		breaker_set(b, UPSTREAM_BREAKER_OPEN);
		b->until = now;
		return;
	}
}

/* Judges a try. */
void
breaker_leave(struct breaker *b, uint64_t pass, enum breaker_verdict verdict, int64_t now)
{
	bool share;

	if (pass != b->era)
		return;
	if (b->state == UPSTREAM_BREAKER_PROBING) {
		breaker_judge_probe(b, verdict, now);
		return;
	}
	if (verdict == BREAKER_NO_VERDICT)
		return;
	b->row = verdict == BREAKER_BAD ? b->row + 1 : 0;
	share = breaker_count(b, verdict == BREAKER_BAD, now);
	if (verdict == BREAKER_BAD && (b->row >= BREAKER_ROW || share))
		breaker_open(b, now);
}

/* For logs. */
const char *
breaker_name(enum upstream_breaker state)
{
	static const char *const names[] = {"closed", "open", "probing"};

	return names[state];
}
