#ifndef BULK_PROGRESS_H
#define BULK_PROGRESS_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/*
 * How far a run is, how fast, and how long it will take, as text. Time is passed in, in
 * milliseconds on one clock. How far: by the bytes of the source, as far as its size is
 * known. How fast: over the last seconds, so that a pause shows.
 */
#define BULK_PROGRESS_WINDOW 16    /* moments that are remembered */
#define BULK_PROGRESS_MOMENT_MS 1000 /* between two of them */
#define BULK_PROGRESS_WIDTH_MIN 20 /* columns, below which there is no room for a line */

struct bulk_progress {
	const char *what; /* "personas" */
	int64_t begun;
	uint64_t items;          /* done */
	uint64_t bytes, total;   /* of the source; total 0: not known */
	struct {
		int64_t ms;
		uint64_t items, bytes;
	} moments[BULK_PROGRESS_WINDOW]; /* the oldest at `first` */
	unsigned first, count;
};

void bulk_progress_init(struct bulk_progress *, const char *what, int64_t now);

/* Says how far it is. Values never go back. */
void bulk_progress_set(struct bulk_progress *, int64_t now, uint64_t items, uint64_t bytes,
    uint64_t total);

/* Items in a thousand seconds, lately. */
uint64_t bulk_progress_rate(const struct bulk_progress *, int64_t now);
/* Milliseconds to the end, by the pace of late; -1: not known. */
int64_t bulk_progress_left(const struct bulk_progress *, int64_t now);

/* Appends a line for a terminal of so many columns, at most one less; nothing when there
 * is no room: `[#####     ]  50 %  4213 personas  812/s  0:05 left`. */
void bulk_progress_bar(const struct bulk_progress *, int64_t now, unsigned columns, struct buf *);
/* Appends a line for a log: `4213 personas, 50 %, 812/s, 0:05 left`. */
void bulk_progress_plain(const struct bulk_progress *, int64_t now, struct buf *);

#endif
