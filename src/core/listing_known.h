#ifndef CORE_LISTING_KNOWN_H
#define CORE_LISTING_KNOWN_H

#include "core/listing_impl.h"

/*
 * The text of a listing that said nothing but what was known: every item of it is a
 * record of the scope, and every record of the scope is in it. As long as nothing is
 * written here, the same text gives the same local list, which is remembered, and is
 * neither parsed nor compared again; and one in which some items differ gives that list
 * with those items changed (listing_delta.h). Once in a while it is, all the same, so that the
 * store learns of it (LISTING_NOTE_MS).
 */
#define LISTING_KNOWN_MAX ((size_t)4 << 20) /* bytes; longer ones are not kept */

/* Keeps a text, which is taken over, of what a run made that began at `sequence`, with so
 * many items; nothing was written here since then but what the run itself did. The list must
 * be what the run showed (listing_keep_rows). */
void listing_known_keep(struct listing *, char *text, size_t len, size_t items, uint64_t sequence);
void listing_known_forget(struct listing *);

/* Notes the items of the text that was just kept, which `listed` (taken over) has as texts in
 * it, with their places (the same). Only then can a list be changed item by item. */
void listing_known_places(struct listing *, struct listed *, struct listing_place *);

/* Whether nothing can have changed but the upstream. */
bool listing_known_holds(const struct listing *, const struct project *);

/* Whether this is that text, and the remembered list still what it gives. */
bool listing_known_is(const struct listing *, const struct project *, const char *text, size_t len);

/* A read that began at `sequence` has shown that text: all items were seen again. */
void listing_known_again(struct listing *, const struct project *, uint64_t sequence);

#endif
