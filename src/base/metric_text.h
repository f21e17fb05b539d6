#ifndef BASE_METRIC_TEXT_H
#define BASE_METRIC_TEXT_H

#include "base/buf.h"
#include "base/metric.h"

/*
 * Prometheus' text format 0.0.4: a family (HELP and TYPE), then its samples.
 * Labels are names and values in turn, ended by NULL; NULL for none. Values are
 * escaped, so they may hold anything.
 */
#define METRIC_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#define METRIC_LABEL(...) ((const char *const[]){__VA_ARGS__, NULL})

void metric_text_family(struct buf *, const char *name, const char *type, const char *help);
void metric_text_sample(struct buf *, const char *name, const char *const *labels, uint64_t value);
void metric_text_seconds(struct buf *, const char *name, const char *const *labels, int64_t us);
/* Writes the samples _bucket, _sum and _count. */
void metric_text_histogram(struct buf *, const char *name, const char *const *labels,
    const struct metric_histogram *);

/* A family of one sample without labels. */
void metric_text_counter(struct buf *, const char *name, const char *help, uint64_t value);
void metric_text_gauge(struct buf *, const char *name, const char *help, uint64_t value);

/* A family of all counters, or of all histograms, of a set. */
void metric_text_counters(struct buf *, const char *name, const char *help,
    const struct metric_set *);
void metric_text_histograms(struct buf *, const char *name, const char *help,
    const struct metric_set *);

#endif
