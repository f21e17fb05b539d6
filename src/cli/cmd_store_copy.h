#ifndef CMD_STORE_COPY_H
#define CMD_STORE_COPY_H

#include <signal.h>

/* `store copy`: moves a store into an empty one, of the same kind or another; the exit code.
 * Ends early, with nothing changed, when *stopped becomes true. */
int cmd_store_copy(const char *from, const char *to, const volatile sig_atomic_t *stopped);

#endif
