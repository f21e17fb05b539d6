#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>

/* At the end of a command: whether all that was printed on standard output has reached it. Says
 * it on standard error when it has not: a full disk, a reader that has gone. */
bool output_done(void);

#endif
