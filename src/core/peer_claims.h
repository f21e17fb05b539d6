#ifndef CORE_PEER_CLAIMS_H
#define CORE_PEER_CLAIMS_H

#include "core/gateway_impl.h"

/*
 * What creates of other gateways on the same store have made, or may have: it is not to be
 * adopted from a listing, and no create here takes it for its own. Their intents are read
 * from the store and stand among the claims (claim.h) for as long as a listing needs them.
 * Whoever reads what the store knows of items does it after this: then each item that
 * the listing shows is unsettled in these claims, or recorded in that.
 */
struct peer_claims;

/* `done` is called later, with whether the store could be read; never after the end. */
typedef void (*peer_claims_fn)(void *arg, bool ok);
struct peer_claims *peer_claims_ask(struct gateway *, const struct project *, peer_claims_fn,
    void *arg);
void peer_claims_end(struct peer_claims *); /* NULL is fine */

#endif
