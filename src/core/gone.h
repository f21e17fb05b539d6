#ifndef CORE_GONE_H
#define CORE_GONE_H

#include "core/gateway_impl.h"
#include "core/result.h"

/*
 * What it means when the upstream says 404 for a known item: it was deleted
 * elsewhere, or the key is now one of another account, which sees none of ours.
 * The first is believed when there is proof that the key sees the account that
 * the item belongs to. Without proof a few in a row count as the second, and
 * nothing is hidden then.
 */

/* The key of a scope has shown or made an item of an account (NULL: that is not known, or
 * it was seen before as it is). `before` is the record as it was (NULL for one that was
 * just made). */
void gone_disproved(struct gateway *, const char *scope, const struct store_record *before,
    const char *organisation);

/* The upstream says that a known item is not there: hides it, or suspects the
 * key: false, the item may be there all the same. */
bool gone_report(struct gateway *, struct shelf_entry *);

/* What a client is told while the key is suspected. */
void gone_trouble(struct result *, const struct resource *);

/* Whether something was hidden in this scope without proof that the key would see it. */
bool gone_doubts(struct gateway *, const char *scope);

/* Whether the key is suspected. */
bool gone_suspects(const struct gateway *);

void gone_free_all(struct gateway *);

#endif
