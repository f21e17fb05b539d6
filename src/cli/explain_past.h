#ifndef CLI_EXPLAIN_PAST_H
#define CLI_EXPLAIN_PAST_H

#include "cli/admin_client.h"

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdio.h>

/* Asks a running gateway what it remembers of a request, and prints it: as text, or as
 * the gateway's own JSON. The exit code: 1 when there is nothing to print, with a
 * sentence on standard error. */
int explain_past(const struct admin_client *, const char *id, bool json, bool colour);

/* Prints what a gateway remembers of a request; false when it cannot be written. */
bool explain_past_print(struct json_object *request, FILE *out, bool colour);

#endif
