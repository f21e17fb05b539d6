#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include "base/fail.h"

#include <stdbool.h>

/* API keys. No sentence ever holds a part of one. */

/* A key goes into a header as it is: visible ASCII, 1 to 4096 bytes. -1 with a
 * sentence that continues after what holds the key. */
int config_secret_check(const char *secret, struct fail *);

/* Reads a key from a file, line ends at its end cut off. NULL with a sentence, which
 * holds the path when that may be shown: it may be a key that was put in the wrong place.
 * *mode tells the file's permissions. The caller frees with mem_wipe_free(). */
char *config_secret_read(const char *path, bool shown, unsigned *mode, struct fail *);

#endif
