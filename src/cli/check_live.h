#ifndef CLI_CHECK_LIVE_H
#define CLI_CHECK_LIVE_H

#include "core/snapshot.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * `persona-gateway check --live`: asks Bluejay once, or with `sandbox` a simulated one,
 * and writes what came of each question to `out`. False when a key is refused, an
 * answer is missing, or one lacks what is declared of it or has it in another type; the
 * reason is written to `err`. A key is never written.
 */
bool check_live(struct snapshot *, bool sandbox, FILE *out, FILE *err);

#endif
