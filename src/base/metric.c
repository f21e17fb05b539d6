#include "config.h"

#include "base/metric.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

static const struct {
	int64_t us;
	const char *text;
} metric_bounds[METRIC_BOUNDS] = {
    {500, "0.0005"}, {1000, "0.001"}, {2500, "0.0025"}, {5000, "0.005"}, {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"}, {100000, "0.1"}, {250000, "0.25"}, {500000, "0.5"},
    {1000000, "1"}, {2500000, "2.5"}, {5000000, "5"}, {15000000, "15"}, {60000000, "60"},
};

/* A series: its values lie in `key`, each with its NUL; what is counted follows. */
struct metric_series {
	const char *labels[2 * METRIC_LABELS + 1];
	UT_hash_handle hh;
	char *key;
	uint64_t data[];
};

struct metric_set {
	const char *labels[METRIC_LABELS];
	size_t count, max, size;
	struct metric_series *series; /* by key */
	struct metric_series *other;  /* NULL: not needed so far */
};

/* ---- histograms ---- */

/* The bound of a bucket. */
int64_t
metric_bound_us(size_t bucket)
{
	return metric_bounds[bucket].us;
}

/* The bound as text. */
const char *
metric_bound_text(size_t bucket)
{
	return metric_bounds[bucket].text;
}

/* Adds times. */
void
metric_sum(struct metric_histogram *h, const struct metric_histogram *more)
{
	for (size_t i = 0; i <= METRIC_BOUNDS; i++)
		h->buckets[i] += more->buckets[i];
	h->sum_us += more->sum_us;
}

/* Counts one time. */
void
metric_observe(struct metric_histogram *h, int64_t us)
{
	size_t i = 0;

	if (us < 0)
		us = 0;
	while (i < METRIC_BOUNDS && us > metric_bounds[i].us)
		i++;
	h->buckets[i]++;
	h->sum_us += (uint64_t)us;
}

/* ---- sets ---- */

/* Makes a set. */
struct metric_set *
metric_set_new(const char *const *labels, size_t count, size_t max, size_t size)
{
	struct metric_set *s = mem_zero(1, sizeof *s);

	memcpy(s->labels, labels, count * sizeof *labels);
	s->count = count;
	s->max = max;
	s->size = size > 0 ? size : sizeof(uint64_t);
	return s;
}

/* Frees one series. */
static void
metric_series_free(struct metric_series *one)
{
	if (one == NULL)
		return;
	free(one->key);
	free(one);
}

/* Frees a set. */
void
metric_set_free(struct metric_set *s)
{
	struct metric_series *one, *next;

	if (s == NULL)
		return;
	HASH_ITER(hh, s->series, one, next) {
		HASH_DEL(s->series, one);
		metric_series_free(one);
	}
	metric_series_free(s->other);
	free(s);
}

/* Makes a series from its key. */
static struct metric_series *
metric_series_new(const struct metric_set *s, const char *key, size_t len)
{
	struct metric_series *one = mem_zero(1, sizeof *one + s->size);
	const char *value;

	one->key = mem_copy(key, len);
	value = one->key;
	for (size_t i = 0; i < s->count; i++) {
		one->labels[2 * i] = s->labels[i];
		one->labels[2 * i + 1] = value;
		value += strlen(value) + 1;
	}
	return one;
}

/* Puts the values one after the other, each with its NUL; returns the length. */
static size_t
metric_set_key(const struct metric_set *s, const char *const *values, char *key)
{
	size_t len = 0;

	for (size_t i = 0; i < s->count; i++) {
		size_t n = strnlen(values[i], METRIC_VALUE_MAX);

		memcpy(key + len, values[i], n);
		key[len + n] = '\0';
		len += n + 1;
	}
	return len;
}

/* The series for what is too much. */
static struct metric_series *
metric_set_other(struct metric_set *s)
{
	static const char *const values[METRIC_LABELS] = {METRIC_OTHER, METRIC_OTHER,
	    METRIC_OTHER, METRIC_OTHER};
	char key[METRIC_LABELS * sizeof METRIC_OTHER];

	if (s->other == NULL)
		s->other = metric_series_new(s, key, metric_set_key(s, values, key));
	return s->other;
}

/* Finds or makes a series. */
void *
metric_set_at(struct metric_set *s, const char *const *values)
{
	char key[METRIC_LABELS * (METRIC_VALUE_MAX + 1)];
	size_t len = metric_set_key(s, values, key);
	struct metric_series *one;

	HASH_FIND(hh, s->series, key, len, one);
	if (one != NULL)
		return one->data;
	if (HASH_COUNT(s->series) >= s->max)
		return metric_set_other(s)->data;
	one = metric_series_new(s, key, len);
	HASH_ADD_KEYPTR(hh, s->series, one->key, len, one);
	return one->data;
}

/* Goes through the series. */
void
metric_set_each(const struct metric_set *s, metric_set_fn fn, void *arg)
{
	const struct metric_series *one;

	for (one = s->series; one != NULL; one = one->hh.next)
		fn(arg, one->labels, one->data);
	if (s->other != NULL)
		fn(arg, s->other->labels, s->other->data);
}

/* Adds one series, number by number. */
static void
metric_set_sum_one(struct metric_set *to, const struct metric_series *one)
{
	const char *values[METRIC_LABELS];
	const uint64_t *more = (const uint64_t *)(const void *)one->data;
	uint64_t *sum;

	for (size_t i = 0; i < to->count; i++)
		values[i] = one->labels[2 * i + 1];
	sum = metric_set_at(to, values);
	for (size_t i = 0; i < to->size / sizeof *sum; i++)
		sum[i] += more[i];
}

/* Adds a set. */
void
metric_set_sum(struct metric_set *to, const struct metric_set *from)
{
	for (const struct metric_series *one = from->series; one != NULL; one = one->hh.next)
		metric_set_sum_one(to, one);
	if (from->other != NULL)
		metric_set_sum_one(to, from->other);
}
