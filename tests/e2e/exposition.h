#ifndef EXPOSITION_H
#define EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads Prometheus' text format 0.0.4 more strictly than Prometheus itself: every
 * family has HELP, then TYPE, then all of its samples and no others; names follow the
 * conventions; no series stands twice; histograms are whole and add up. Anything else
 * fails the running test. One text at a time.
 */
void exposition_read(const char *text);

/* The value of a series; `labels` as they are written, without braces: "a=\"b\",c=\"d\"",
 * or "" for none. -1 when there is no such series. */
double exposition_value(const char *name, const char *labels);

/* Whether there is a sample of this name, whatever its labels (with _bucket, _sum and
 * _count for histograms). */
bool exposition_has(const char *name);

/* Series of a name. */
size_t exposition_count(const char *name);

#endif
