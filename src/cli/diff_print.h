#ifndef CLI_DIFF_PRINT_H
#define CLI_DIFF_PRINT_H

#include "bulk/bulk_diff.h"

#include <stdbool.h>

/* Writes one difference to standard output, as text or as a JSON object on a line; a
 * bulk_diff_fn. `json` points to a bool. */
void diff_print_told(void *json, const struct bulk_diff_told *);

/* Says on standard error what it came to; true when the sides are equal. */
bool diff_print_summary(const struct bulk_diff_counts *);

#endif
