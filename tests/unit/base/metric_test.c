#include "config.h"

#include "base/metric.h"
#include "base/metric_text.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

Suite *metric_suite(void);

START_TEST(a_time_counts_in_the_first_bucket_that_holds_it)
{
	struct metric_histogram h = {{0}, 0};

	metric_observe(&h, -5);
	metric_observe(&h, 500);
	metric_observe(&h, 501);
	metric_observe(&h, 60000000);
	metric_observe(&h, 60000001);
	ck_assert_uint_eq(h.buckets[0], 2);
	ck_assert_uint_eq(h.buckets[1], 1);
	ck_assert_uint_eq(h.buckets[METRIC_BOUNDS - 1], 1);
	ck_assert_uint_eq(h.buckets[METRIC_BOUNDS], 1);
	ck_assert_uint_eq(h.sum_us, 120001002);
	for (size_t i = 1; i < METRIC_BOUNDS; i++)
		ck_assert_int_lt(metric_bound_us(i - 1), metric_bound_us(i));
	for (size_t i = 0; i < METRIC_BOUNDS; i++) {
		char text[32];

		snprintf(text, sizeof text, "%g", (double)metric_bound_us(i) / 1e6);
		ck_assert_str_eq(text, metric_bound_text(i));
	}
}
END_TEST

START_TEST(a_set_counts_by_all_its_labels)
{
	static const char *const labels[] = {"path", "kind"};
	struct metric_set *s = metric_set_new(labels, 2, 10, 0);
	struct buf b = {0};

	metric_set_add(s, 1, "a", "bc");
	metric_set_add(s, 2, "ab", "c");
	metric_set_add(s, 3, "a", "bc");
	metric_set_add(s, 5, "q\"\\\n", "");
	metric_text_counters(&b, "x_total", "What it is.", s);
	ck_assert_str_eq(b.data,
	    "# HELP x_total What it is.\n# TYPE x_total counter\n"
	    "x_total{path=\"a\",kind=\"bc\"} 4\nx_total{path=\"ab\",kind=\"c\"} 2\n"
	    "x_total{path=\"q\\\"\\\\\\n\",kind=\"\"} 5\n");
	buf_free(&b);
	metric_set_free(s);
}
END_TEST

START_TEST(a_set_never_grows_beyond_its_bound)
{
	static const char *const labels[] = {"who"};
	struct metric_set *s = metric_set_new(labels, 1, 3, 0);
	char longer[METRIC_VALUE_MAX + 50], name[16];
	uint64_t *first;
	struct buf b = {0};

	memset(longer, 'l', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	first = metric_set_at(s, (const char *const[]){"0"});
	metric_set_add(s, 1, longer);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "%d", i);
		metric_set_add(s, 1, name);
	}
	ck_assert_uint_eq(*first, 1); /* it did not move */
	longer[METRIC_VALUE_MAX] = '\0';
	ck_assert_uint_eq(*(uint64_t *)metric_set_at(s, (const char *const[]){longer}), 1);
	ck_assert_uint_eq(*(uint64_t *)metric_set_at(s, (const char *const[]){"other"}), 98);
	metric_text_counters(&b, "x_total", "X.", s);
	ck_assert_ptr_nonnull(strstr(b.data, "x_total{who=\"0\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(b.data, "x_total{who=\"other\"} 98\n"));
	ck_assert_ptr_null(strstr(b.data, "\"2\""));
	buf_free(&b);
	metric_set_free(s);
}
END_TEST

START_TEST(histograms_are_written_with_what_lies_below_each_bound)
{
	static const char *const labels[] = {"op"};
	struct metric_set *s = metric_set_new(labels, 1, 3, sizeof(struct metric_histogram));
	struct metric_histogram *h = metric_set_at(s, (const char *const[]){"get"});
	struct buf b = {0};

	metric_observe(h, 400);
	metric_observe(h, 2000);
	metric_observe(h, 90000000);
	metric_text_histograms(&b, "t_seconds", "T.", s);
	ck_assert_ptr_nonnull(strstr(b.data, "# TYPE t_seconds histogram\n"
	    "t_seconds_bucket{op=\"get\",le=\"0.0005\"} 1\nt_seconds_bucket{op=\"get\",le=\"0.001\"} 1\n"
	    "t_seconds_bucket{op=\"get\",le=\"0.0025\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(b.data, "t_seconds_bucket{op=\"get\",le=\"60\"} 2\n"
	    "t_seconds_bucket{op=\"get\",le=\"+Inf\"} 3\nt_seconds_sum{op=\"get\"} 90.002400\n"
	    "t_seconds_count{op=\"get\"} 3\n"));
	buf_free(&b);
	metric_text_histogram(&b, "u_seconds", NULL, h);
	ck_assert_ptr_nonnull(strstr(b.data, "u_seconds_bucket{le=\"+Inf\"} 3\nu_seconds_sum 90.002400\n"));
	buf_free(&b);
	metric_text_gauge(&b, "g", "G.", 7);
	metric_text_seconds(&b, "s_seconds", METRIC_LABEL("a", "b"), 1500);
	ck_assert_str_eq(b.data, "# HELP g G.\n# TYPE g gauge\ng 7\ns_seconds{a=\"b\"} 0.001500\n");
	buf_free(&b);
	metric_set_free(s);
}
END_TEST

/* Tests of the counters. */
Suite *
metric_suite(void)
{
	const TTest *const tests[] = {
	    a_time_counts_in_the_first_bucket_that_holds_it,
	    a_set_counts_by_all_its_labels,
	    a_set_never_grows_beyond_its_bound,
	    histograms_are_written_with_what_lies_below_each_bound,
	    NULL,
	};

	return unit_suite("metric", tests);
}
