#ifndef BULK_DIFF_H
#define BULK_DIFF_H

#include "base/fail.h"
#include "bulk/bulk_index.h"
#include "bulk/bulk_item.h"

#include <stdint.h>

/* What two sides do not have in common. */
enum bulk_diff_kind {
	BULK_DIFF_LEFT,    /* only there */
	BULK_DIFF_RIGHT,
	BULK_DIFF_DIFFERS, /* on both, and not the same */
	BULK_DIFF_REPEATED /* more often on one side than once: only the first is compared */
};

struct bulk_diff_told {
	enum bulk_diff_kind kind;
	const struct bulk_item *left, *right; /* NULL: it is not there */
	const struct bulk_differ *differ;     /* DIFFERS */
	unsigned left_times, right_times;     /* REPEATED */
};
typedef void (*bulk_diff_fn)(void *arg, const struct bulk_diff_told *);

struct bulk_diff_counts {
	uint64_t same, differ, left, right, repeated;
};

/* Tells every difference: first what the left side has, in its order, then the rest of the
 * right one. -1 with a sentence when one cannot be read again. */
int bulk_diff(struct bulk_index *left, struct bulk_index *right, bulk_diff_fn, void *arg,
    struct bulk_diff_counts *, struct fail *);

#endif
