#ifndef CORE_RECOVER_H
#define CORE_RECOVER_H

#include "core/gateway_impl.h"

/*
 * A gateway that is not ready gets no requests from a load balancer, and without
 * requests it would never learn that the trouble is over. So whoever asks about its
 * health makes it look: at the store by a write of no meaning, at Bluejay by a ping,
 * which counts as any other call. While all is well Bluejay is not asked, but for one
 * ping before it was ever heard. The store counts unsettled writes each time, for the
 * next who asks: an answer about health waits for no disk.
 */
void recover_look(struct gateway *);
void recover_free(struct gateway *);

/* Whether Bluejay can be expected to answer: it does, or was not asked so far. */
bool recover_upstream_ok(const struct gateway *);

#endif
