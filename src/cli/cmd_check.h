#ifndef CLI_CMD_CHECK_H
#define CLI_CMD_CHECK_H

#include <stdbool.h>
#include <stdio.h>

/* `persona-gateway check`: loads the file (NULL: the defaults alone) as `serve`
 * does, contacts nobody unless it is to ask Bluejay (`live`: check_live.h), writes
 * every mistake and warning to `err` sorted by place, and "ok" to `out` when there
 * was no mistake. Returns the exit code: 0, or 1 for mistakes or when "ok" could not
 * be written. */
int cmd_check(const char *file, bool sandbox, bool live, FILE *out, FILE *err);

#endif
