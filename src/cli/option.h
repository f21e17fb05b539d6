#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include <getopt.h>
#include <stdint.h>

/*
 * The next option of a command line, as getopt_long(3) gives it. One with a value stands there
 * once, and its value is not empty: anything else is said on standard error, and '?' comes.
 * `seen` begins as 0 and belongs to this function.
 */
int option_next(int argc, char **argv, const struct option *options, uint64_t *seen);

#endif
