#ifndef API_PASS_ROAD_H
#define API_PASS_ROAD_H

#include "upstream/relay.h"

/* A way to another server. Exchanges that run keep theirs when a reload brings another. */
struct pass_road {
	unsigned refs;
	struct relay *relay;
	struct relay_config config; /* of the relay; the texts are the road's own */
};

/* Opens one, with one reference; NULL with a sentence. */
struct pass_road *pass_road_open(struct loop *, const struct relay_config *, struct fail *);
struct pass_road *pass_road_ref(struct pass_road *);
void pass_road_unref(struct pass_road *); /* not from a callback of its relay; NULL is fine */

/* Whether a way (NULL: none) is as it is to be. */
bool pass_road_is(const struct pass_road *, const struct relay_config *);

#endif
