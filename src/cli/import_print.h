#ifndef CLI_IMPORT_PRINT_H
#define CLI_IMPORT_PRINT_H

#include "bulk/bulk_import.h"
#include "bulk/bulk_meter.h"

#include <stdbool.h>
#include <stdio.h>

/* What an import shows: a line for each persona that is not simply created or there
 * already, a report of all, and what it came to. */
struct import_print {
	bool dry_run;
	FILE *lines;             /* for people: standard output, unless the report has it */
	FILE *report;            /* JSON lines; NULL: none */
	struct bulk_meter *meter; /* lines go through it; may be NULL */
};

/* Shows one outcome. */
void import_print_told(struct import_print *, const struct bulk_told *);

/* Shows what it came to. */
void import_print_summary(const struct import_print *, const struct bulk_import_state *, int64_t ms);

#endif
