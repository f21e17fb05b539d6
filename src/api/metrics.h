#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/api_impl.h"

/* Answers GET /metrics: everything that is counted, as Prometheus text. A new number
 * has its line in metrics.c. */
void metrics_serve(struct api *, struct http_exchange *);

#endif
