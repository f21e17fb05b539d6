#ifndef BULK_FETCH_H
#define BULK_FETCH_H

#include "base/fail.h"
#include "bulk/bulk_site.h"
#include "bulk/bulk_stop.h"

#include <stdint.h>

/* The listing of a site: all personas of a project, in a file, since they may be too many
 * for memory. */
struct bulk_fetched {
	int fd;          /* the whole listing, in a file without a name; -1: it could not be had */
	const char *why; /* then */
};
typedef void (*bulk_fetched_fn)(void *arg, const struct bulk_fetched *);

/* Fetches the listing, past every cache, and tries again for as long as patience lasts.
 * `done` is called once, never before this returns, and owns the descriptor then. */
struct bulk_fetch;
struct bulk_fetch *bulk_fetch_start(struct bulk_site *, bulk_fetched_fn done, void *arg);
void bulk_fetch_cancel(struct bulk_fetch *); /* not from inside `done` */

/* The same, turning the loop until it is over or a stop is asked for. The descriptor, or -1
 * with a sentence. */
int bulk_fetch_wait(struct bulk_site *, const struct bulk_stop *, struct fail *);

/* A file without a name, for what is too large for memory; -1 with a sentence. */
int bulk_spool_open(struct fail *);

#endif
