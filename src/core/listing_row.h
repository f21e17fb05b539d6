#ifndef CORE_LISTING_ROW_H
#define CORE_LISTING_ROW_H

#include "core/listed.h"
#include "core/listing.h"

#include <stddef.h>

/*
 * What becomes of one row of a run: the listing shows it, or its own GET is asked. No
 * waiter is told before these return: the run ends in a later turn of the loop.
 */
struct listing_run;

/* Takes in what the listing shows of a known record. */
void listing_row_show(struct listing_run *, struct listing_row *, struct listed_item *);

/* Has a row looked at by the item's own GET. */
void listing_row_look_at(struct listing_run *, size_t row);

/* Looks at those rows, so many at a time; ends the run when none is left. */
void listing_row_check(struct listing_run *);

#endif
