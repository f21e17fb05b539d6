#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is counted for /metrics: plain numbers in memory that belong to one loop,
 * without locks. A room keeps its own in a plain struct; counters with labels
 * stand in a set. Nothing here allocates once a series is known.
 */

/* Times in buckets that double or so, up to a minute. Zeroed is ready. */
#define METRIC_BOUNDS 15
struct metric_histogram {
	uint64_t buckets[METRIC_BOUNDS + 1]; /* the last one: longer than every bound */
	uint64_t sum_us;
};

/* The upper bound of a bucket (inclusive) in microseconds, and in seconds as text. */
int64_t metric_bound_us(size_t bucket);
const char *metric_bound_text(size_t bucket);

/* Adds the times that another one has counted. */
void metric_sum(struct metric_histogram *, const struct metric_histogram *more);

/* Counts one time; a negative one counts as 0. */
void metric_observe(struct metric_histogram *, int64_t us);

/*
 * Series that differ in the values of their labels, such as counters (uint64_t)
 * by operation and status. A set holds a bounded number of them: what comes after
 * goes to one series whose values are all "other", so that nobody who chooses the
 * values can make it grow.
 */
#define METRIC_LABELS 4
#define METRIC_VALUE_MAX 128 /* bytes of a label's value; the rest is cut */
#define METRIC_OTHER "other"

struct metric_set;

/* Labels are names of `count` literals; a series is `size` zeroed bytes (0: a
 * uint64_t). At most `max` series and the other one. */
struct metric_set *metric_set_new(const char *const *labels, size_t count, size_t max,
    size_t size);
void metric_set_free(struct metric_set *);

/* The series with these values, one for each label; made when it is new. Never
 * NULL; it stays where it is until the set is freed. */
void *metric_set_at(struct metric_set *, const char *const *values);

/* Adds to a counter; the values follow, one for each label. */
#define metric_set_add(set, n, ...) \
	(*(uint64_t *)metric_set_at((set), (const char *const[]){__VA_ARGS__}) += (n))

/* Adds every series of another set of the same kind, whose series hold nothing but
 * uint64_t. */
void metric_set_sum(struct metric_set *, const struct metric_set *from);

/* Calls fn for every series in the order in which they were made; `labels` are
 * names and values in turn, ended by NULL. */
typedef void (*metric_set_fn)(void *arg, const char *const *labels, const void *series);
void metric_set_each(const struct metric_set *, metric_set_fn, void *arg);

#endif
