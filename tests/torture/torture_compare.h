#ifndef TORTURE_COMPARE_H
#define TORTURE_COMPARE_H

#include "torture_lane.h"

/*
 * The end of the storm: what clients were told, what the gateway shows, what its
 * store holds and what the simulated Bluejay has must agree.
 */

/* Waits, within a bound, until nothing is unsettled but what an operator must decide. */
void compare_settle(struct world *);
/* Decides that as an operator would, by looking at Bluejay. */
void compare_operate(struct world *);
/* Compares answers, every gateway and Bluejay; `lanes` is an array. */
void compare_all(struct world *, struct lane *lanes, unsigned count);
/* Stops the gateways, opens their store and compares it with Bluejay. */
void compare_store(struct world *);
/* Sends the open creates once more: each must give its persona, once. */
void compare_inherit(struct world *, struct lane *lanes, unsigned count);

#endif
