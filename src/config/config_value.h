#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/config_keys.h"

#include "base/fail.h"

#include <stdbool.h>
#include <stdint.h>

/* Numbers with and without units, permissions, names. */

/* Reads a value of type INT, DURATION or SIZE and checks its range. -1 with a
 * sentence that continues after the key's name: "must be from 1 to 10, not 11".
 * `shown` says whether the sentence may repeat the text. */
int config_value_number(const struct config_key *, const char *text, bool shown, int64_t *out,
    struct fail *);

/* Checks a name: 1 to CONFIG_CLIENT_NAME_MAX letters, digits, "-", "_" and ".", the
 * first one a letter or digit. -1 with a sentence that continues after what has it. */
int config_value_name(const char *name, struct fail *);

/* Reads the permissions of a socket file: three octal digits, with a zero before them or
 * not. -1 with a sentence as above. */
int config_value_mode(const char *text, int64_t *out, struct fail *);

/* Writes a number as the file would have it ("64KiB", "90s"); the caller frees. */
char *config_value_format(enum config_type, int64_t number);

/* "from 1KiB to 64MiB", "1 or more"; the caller frees. */
char *config_value_range(const struct config_key *);

#endif
