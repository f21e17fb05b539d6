#ifndef API_METRICS_PROCESS_H
#define API_METRICS_PROCESS_H

#include "base/buf.h"

#include <stdint.h>

/* Adds what the kernel knows of this process, under the names that every exporter
 * uses, and where its memory is. `started_ms` is wall time. */
void metrics_process(struct buf *, int64_t started_ms);

#endif
