#ifndef BULK_EXPORT_H
#define BULK_EXPORT_H

#include "base/fail.h"
#include "bulk/bulk_out.h"
#include "bulk/bulk_side.h"

#include <stdbool.h>
#include <stdint.h>

/* Writes every persona of an open side, with all of its members: as JSON lines, or as one
 * JSON array with a persona on each line. Tells how many. -1 with a sentence. */
int bulk_export(const struct bulk_side *, bool lines, struct bulk_out *, uint64_t *count,
    struct fail *);

#endif
