#ifndef CORE_LISTING_DELTA_H
#define CORE_LISTING_DELTA_H

#include "core/listing_impl.h"

/*
 * A listing of the same items as the one that is known (listing_known.h), in the same
 * order, some of them in other words: those are taken in as if each had been read by
 * itself, and take their place in the remembered list. The others are only compared, byte
 * for byte, so that what a listing costs is what it changes.
 */

/* Does so with the text of a listing by a run that began at `sequence`. True: the text is
 * the known one now. False, and nothing is done, for any other text, and when it is not
 * certain that nothing but the upstream can have changed, as it never is where other gateways
 * write the same items: then the listing is compared with the store. */
bool listing_delta(struct listing *, const struct project *, const char *text, size_t len,
    uint64_t sequence);

#endif
