#include "config.h"

#include "bulk/bulk_progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BULK_PROGRESS_BAR_MAX 40 /* columns of the bar itself */
#define BULK_PROGRESS_BAR_MIN 5
#define BULK_PROGRESS_LEFT_MAX ((int64_t)100 * 3600 * 1000) /* beyond it nobody plans by it */

/* Begins. */
void
bulk_progress_init(struct bulk_progress *p, const char *what, int64_t now)
{
	memset(p, 0, sizeof *p);
	p->what = what;
	p->begun = now;
	p->count = 1;
	p->moments[0].ms = now;
}

/* Says how far it is. */
void
bulk_progress_set(struct bulk_progress *p, int64_t now, uint64_t items, uint64_t bytes,
    uint64_t total)
{
	unsigned last = (p->first + p->count - 1) % BULK_PROGRESS_WINDOW, at;

	if (items > p->items)
		p->items = items;
	if (bytes > p->bytes)
		p->bytes = bytes;
	p->total = total;
	if (now - p->moments[last].ms < BULK_PROGRESS_MOMENT_MS)
		return;
	at = (p->first + p->count) % BULK_PROGRESS_WINDOW;
	if (p->count == BULK_PROGRESS_WINDOW)
		p->first = (p->first + 1) % BULK_PROGRESS_WINDOW;
	else
		p->count++;
	p->moments[at].ms = now;
	p->moments[at].items = p->items;
	p->moments[at].bytes = p->bytes;
}

/* What came since the oldest moment that is remembered, in how long. */
static int64_t
bulk_progress_lately(const struct bulk_progress *p, int64_t now, uint64_t *items, uint64_t *bytes)
{
	*items = p->items - p->moments[p->first].items;
	*bytes = p->bytes - p->moments[p->first].bytes;
	return now - p->moments[p->first].ms;
}

/* How fast. */
uint64_t
bulk_progress_rate(const struct bulk_progress *p, int64_t now)
{
	uint64_t items, bytes;
	int64_t ms = bulk_progress_lately(p, now, &items, &bytes);

	return ms > 0 ? items * 1000000 / (uint64_t)ms : 0;
}

/* How long. */
int64_t
bulk_progress_left(const struct bulk_progress *p, int64_t now)
{
	uint64_t items, bytes;
	int64_t ms = bulk_progress_lately(p, now, &items, &bytes);
	double left;

	if (p->total == 0)
		return -1;
	if (p->bytes >= p->total)
		return 0;
	if (bytes == 0 || ms <= 0)
		return -1;
	left = (double)(p->total - p->bytes) * (double)ms / (double)bytes;
	return left < (double)BULK_PROGRESS_LEFT_MAX ? (int64_t)left : -1;
}

/* Appends the rate: with a decimal where it is slow. */
static void
bulk_progress_add_rate(const struct bulk_progress *p, int64_t now, struct buf *b)
{
	uint64_t rate = bulk_progress_rate(p, now);

	if (rate < 10000)
		buf_addf(b, "%" PRIu64 ".%" PRIu64 "/s", rate / 1000, rate % 1000 / 100);
	else
		buf_addf(b, "%" PRIu64 "/s", rate / 1000);
}

/* Appends the time that is left, if it is known: minutes and seconds, or also hours. */
static void
bulk_progress_add_left(const struct bulk_progress *p, int64_t now, const char *before, struct buf *b)
{
	int64_t left = bulk_progress_left(p, now), s = (left + 999) / 1000;

	if (left < 0)
		return;
	buf_adds(b, before);
	if (s >= 3600)
		buf_addf(b, "%" PRId64 ":%02d:%02d left", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
	else
		buf_addf(b, "%d:%02d left", (int)(s / 60), (int)(s % 60));
}

/* The share that is done, in per cent. */
static unsigned
bulk_progress_percent(const struct bulk_progress *p)
{
	return p->bytes >= p->total ? 100 : (unsigned)((double)p->bytes * 100 / (double)p->total);
}

/* Appends the line for a log. */
void
bulk_progress_plain(const struct bulk_progress *p, int64_t now, struct buf *b)
{
	buf_addf(b, "%" PRIu64 " %s", p->items, p->what);
	if (p->total > 0)
		buf_addf(b, ", %u %%", bulk_progress_percent(p));
	buf_adds(b, ", ");
	bulk_progress_add_rate(p, now, b);
	bulk_progress_add_left(p, now, ", ", b);
}

/* Appends the bar. */
static void
bulk_progress_add_bar(const struct bulk_progress *p, unsigned cells, struct buf *b)
{
	unsigned full = bulk_progress_percent(p) * cells / 100;

	buf_addc(b, '[');
	for (unsigned i = 0; i < cells; i++)
		buf_addc(b, i < full ? '#' : ' ');
	buf_addc(b, ']');
}

/* Appends the line for a terminal. */
void
bulk_progress_bar(const struct bulk_progress *p, int64_t now, unsigned columns, struct buf *b)
{
	unsigned room = columns > 0 ? columns - 1 : 0, cells;
	struct buf text;

	if (columns < BULK_PROGRESS_WIDTH_MIN)
		return;
	buf_init(&text, 0);
	if (p->total > 0)
		buf_addf(&text, "%3u %%  ", bulk_progress_percent(p));
	buf_addf(&text, "%" PRIu64 " %s  ", p->items, p->what);
	bulk_progress_add_rate(p, now, &text);
	bulk_progress_add_left(p, now, "  ", &text);
	cells = room > text.len + 4 ? room - (unsigned)text.len - 4 : 0;
	if (cells > BULK_PROGRESS_BAR_MAX)
		cells = BULK_PROGRESS_BAR_MAX;
	if (p->total > 0 && cells >= BULK_PROGRESS_BAR_MIN) {
		bulk_progress_add_bar(p, cells, b);
		buf_adds(b, "  ");
	}
	buf_add(b, text.data, text.len < room ? text.len : room);
	buf_free(&text);
}
