#ifndef CORE_INSPECT_PRINT_H
#define CORE_INSPECT_PRINT_H

#include "base/buf.h"
#include "core/gateway.h"
#include "core/project_rows.h"

/* The JSON of inspect.h, part by part, from what others have found out. */

/* "upstream": {…}, "store": {…}, "cache": {…}, "portraits": {…}, "unsettled": n.
 * `readable`: the store is; whether it can be written stands in the health. */
void inspect_print_health(struct buf *, const struct gateway_health *, const char *host,
    bool simulated, bool readable);

/* "projects": […], "otherProjects": bool, "projectsCut": bool. */
void inspect_print_projects(struct buf *, const struct project_rows *, bool counted);

/* An array of where each field of a mapping lives. */
void inspect_print_fields(struct buf *, const struct mapping *);

/* One persona; `intents` tells whether a write to it is unsettled. */
void inspect_print_persona(struct buf *, const struct mapping *, const struct store_record *,
    const struct store_intent *intents, size_t count);

#endif
