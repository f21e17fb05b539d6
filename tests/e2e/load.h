#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>

/*
 * Clients of the stage's gateway, each a process of its own, which ask all the time on
 * kept connections: reads and lists in both projects, and now and then a persona from
 * its create to its delete. Every answer must be the good one.
 */
struct load;

/* Starts them. `demo` and `plain` are ids of a persona of each project. With `further`
 * they also pass requests through to Bluejay, with and without a body, and have a
 * portrait drawn now and then. */
struct load *load_start(const char *demo, const char *plain, bool further);

/* Ends them; fails the test when one of their requests failed. `count` and `what` are
 * printed: what was done to the gateway meanwhile. */
void load_end(struct load *, const char *what, unsigned count);

#endif
