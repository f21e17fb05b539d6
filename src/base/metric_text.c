#include "config.h"

#include "base/metric_text.h"

#include <inttypes.h>

/* Where the series of a set go. */
struct metric_text {
	struct buf *out;
	const char *name;
};

/* Writes the head of a family. */
void
metric_text_family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Writes a label's value: backslash, quote and newline are escaped. */
static void
metric_text_value(struct buf *b, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			buf_addc(b, '\\');
		if (*value == '\n')
			buf_adds(b, "\\n");
		else
			buf_addc(b, *value);
	}
}

/* Writes the name of a sample with its labels; `le` is one more, or NULL. */
static void
metric_text_name(struct buf *b, const char *name, const char *suffix, const char *const *labels,
    const char *le)
{
	char before = '{';

	buf_adds(b, name);
	buf_adds(b, suffix);
	for (; labels != NULL && *labels != NULL; labels += 2) {
		buf_addf(b, "%c%s=\"", before, labels[0]);
		metric_text_value(b, labels[1]);
		buf_addc(b, '"');
		before = ',';
	}
	if (le != NULL) {
		buf_addf(b, "%cle=\"%s\"", before, le);
		before = ',';
	}
	buf_adds(b, before == ',' ? "} " : " ");
}

/* Writes one sample. */
void
metric_text_sample(struct buf *b, const char *name, const char *const *labels, uint64_t value)
{
	metric_text_name(b, name, "", labels, NULL);
	buf_addf(b, "%" PRIu64 "\n", value);
}

/* Writes microseconds as seconds. */
static void
metric_text_us(struct buf *b, int64_t us)
{
	buf_addf(b, "%" PRId64 ".%06d\n", us / 1000000, (int)(us % 1000000));
}

/* Writes a sample that is a time. */
void
metric_text_seconds(struct buf *b, const char *name, const char *const *labels, int64_t us)
{
	metric_text_name(b, name, "", labels, NULL);
	metric_text_us(b, us);
}

/* Writes the samples of a histogram; each bucket holds those before it, too. */
void
metric_text_histogram(struct buf *b, const char *name, const char *const *labels,
    const struct metric_histogram *h)
{
	uint64_t count = 0;

	for (size_t i = 0; i <= METRIC_BOUNDS; i++) {
		count += h->buckets[i];
		metric_text_name(b, name, "_bucket", labels,
		    i < METRIC_BOUNDS ? metric_bound_text(i) : "+Inf");
		buf_addf(b, "%" PRIu64 "\n", count);
	}
	metric_text_name(b, name, "_sum", labels, NULL);
	metric_text_us(b, (int64_t)h->sum_us);
	metric_text_name(b, name, "_count", labels, NULL);
	buf_addf(b, "%" PRIu64 "\n", count);
}

/* Writes a counter without labels. */
void
metric_text_counter(struct buf *b, const char *name, const char *help, uint64_t value)
{
	metric_text_family(b, name, "counter", help);
	metric_text_sample(b, name, NULL, value);
}

/* Writes a gauge without labels. */
void
metric_text_gauge(struct buf *b, const char *name, const char *help, uint64_t value)
{
	metric_text_family(b, name, "gauge", help);
	metric_text_sample(b, name, NULL, value);
}

/* Writes one counter of a set. */
static void
metric_text_on_counter(void *arg, const char *const *labels, const void *series)
{
	struct metric_text *t = arg;

	metric_text_sample(t->out, t->name, labels, *(const uint64_t *)series);
}

/* Writes one histogram of a set. */
static void
metric_text_on_histogram(void *arg, const char *const *labels, const void *series)
{
	struct metric_text *t = arg;

	metric_text_histogram(t->out, t->name, labels, series);
}

/* Writes the counters of a set. */
void
metric_text_counters(struct buf *b, const char *name, const char *help,
    const struct metric_set *set)
{
	struct metric_text t = {b, name};

	metric_text_family(b, name, "counter", help);
	metric_set_each(set, metric_text_on_counter, &t);
}

/* Writes the histograms of a set. */
void
metric_text_histograms(struct buf *b, const char *name, const char *help,
    const struct metric_set *set)
{
	struct metric_text t = {b, name};

	metric_text_family(b, name, "histogram", help);
	metric_set_each(set, metric_text_on_histogram, &t);
}
