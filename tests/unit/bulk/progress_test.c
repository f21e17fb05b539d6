#include "config.h"

#include "base/loop.h"
#include "bulk/bulk_meter.h"
#include "bulk/bulk_patience.h"
#include "bulk/bulk_progress.h"
#include "bulk/bulk_text.h"
#include "bulk_test.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct bulk_progress p;

/* The plain line at a time; static. */
static const char *
plain(int64_t now)
{
	static struct buf b;

	buf_free(&b);
	bulk_progress_plain(&p, now, &b);
	return b.data;
}

/* The line for a terminal; static. */
static const char *
bar(int64_t now, unsigned columns)
{
	static struct buf b;

	buf_free(&b);
	bulk_progress_bar(&p, now, columns, &b);
	return b.data != NULL ? b.data : "";
}

START_TEST(share_rate_and_remaining_time)
{
	bulk_progress_init(&p, "personas", 1000);
	ck_assert_str_eq(plain(1000), "0 personas, 0.0/s");
	bulk_progress_set(&p, 1000, 0, 0, 4000);
	ck_assert_str_eq(plain(1000), "0 personas, 0 %, 0.0/s");
	bulk_progress_set(&p, 3000, 50, 1000, 4000);
	ck_assert_str_eq(plain(3000), "50 personas, 25 %, 25/s, 0:06 left");
	bulk_progress_set(&p, 4000, 55, 1100, 4000);
	ck_assert_str_eq(plain(4000), "55 personas, 27 %, 18/s, 0:08 left");
	bulk_progress_set(&p, 5000, 200, 4000, 4000);
	ck_assert_str_eq(plain(5000), "200 personas, 100 %, 50/s, 0:00 left");
}
END_TEST

START_TEST(a_slow_run_has_decimals_and_hours)
{
	bulk_progress_init(&p, "personas", 0);
	bulk_progress_set(&p, 2000, 5, 1, 3601);
	ck_assert_str_eq(plain(2000), "5 personas, 0 %, 2.5/s, 2:00:00 left");
}
END_TEST

START_TEST(without_a_size_there_is_no_share)
{
	bulk_progress_init(&p, "personas", 0);
	bulk_progress_set(&p, 2000, 40, 900, 0);
	ck_assert_str_eq(plain(2000), "40 personas, 20/s");
	ck_assert_int_eq(bulk_progress_left(&p, 2000), -1);
}
END_TEST

START_TEST(the_rate_is_that_of_late)
{
	bulk_progress_init(&p, "personas", 0);
	for (int s = 1; s <= 60; s++)
		bulk_progress_set(&p, s * 1000, (uint64_t)s * 1000, (uint64_t)s, 1000);
	ck_assert_uint_eq(bulk_progress_rate(&p, 60000), 1000000);
	for (int s = 61; s <= 90; s++)
		bulk_progress_set(&p, s * 1000, 60000, 60, 1000);
	ck_assert_uint_eq(bulk_progress_rate(&p, 90000), 0);
	ck_assert_int_eq(bulk_progress_left(&p, 90000), -1);
	bulk_progress_set(&p, 91000, 59000, 10, 1000);
	ck_assert_str_eq(plain(91000), "60000 personas, 6 %, 0.0/s"); /* it never goes back */
}
END_TEST

START_TEST(the_bar_fits_its_terminal)
{
	bulk_progress_init(&p, "personas", 0);
	bulk_progress_set(&p, 2000, 200, 50, 100);
	ck_assert_str_eq(bar(2000, 80),
	    "[###################                   ]   50 %  200 personas  100/s  0:02 left");
	ck_assert_str_eq(bar(2000, 60), "[#########         ]   50 %  200 personas  100/s  0:02 left");
	ck_assert_str_eq(bar(2000, 45), " 50 %  200 personas  100/s  0:02 left");
	ck_assert_str_eq(bar(2000, 30), " 50 %  200 personas  100/s  0");
	ck_assert_str_eq(bar(2000, 19), "");
	for (unsigned columns = 20; columns < 200; columns++)
		ck_assert_uint_lt(strlen(bar(2000, columns)), columns);
}
END_TEST

static uint64_t asked;

/* Says how far it is: ten more each time. */
static void
on_ask(void *arg, struct bulk_progress *progress, int64_t now)
{
	asked += 10;
	bulk_progress_set(progress, now, asked, asked, 1000);
}

/* What a stream holds by now; static. */
static const char *
written(FILE *out)
{
	static char text[4096];
	size_t n;

	fflush(out);
	rewind(out);
	n = fread(text, 1, sizeof text - 1, out);
	text[n] = '\0';
	return text;
}

START_TEST(without_a_terminal_a_plain_line_comes_every_few_seconds)
{
	struct loop *loop = loop_new_fake(0);
	FILE *out = tmpfile();
	struct bulk_meter *m = bulk_meter_new(loop, out, 0, "personas", on_ask, NULL);

	asked = 0;
	loop_fake_advance(loop, BULK_METER_LINE_MS - 1);
	ck_assert_str_eq(written(out), "");
	loop_fake_advance(loop, 1);
	ck_assert_str_eq(written(out), "10 personas, 1 %, 2.0/s, 8:15 left\n");
	bulk_meter_print(m, out, "a line");
	loop_fake_advance(loop, BULK_METER_LINE_MS);
	ck_assert_str_eq(written(out), "10 personas, 1 %, 2.0/s, 8:15 left\na line\n"
	    "20 personas, 2 %, 2.0/s, 8:10 left\n");
	bulk_meter_free(m);
	loop_fake_advance(loop, 2 * BULK_METER_LINE_MS);
	ck_assert_uint_eq(asked, 20);
	fclose(out);
	loop_free(loop);
}
END_TEST

START_TEST(on_a_terminal_the_line_is_drawn_and_taken_away)
{
	struct loop *loop = loop_new_fake(0);
	FILE *out = tmpfile();
	struct bulk_meter *m = bulk_meter_new(loop, out, 40, "personas", on_ask, NULL);

	asked = 0;
	loop_fake_advance(loop, 2 * BULK_METER_DRAW_MS);
	bulk_meter_print(m, out, "a line");
	loop_fake_advance(loop, BULK_METER_DRAW_MS);
	bulk_meter_free(m);
	ck_assert_str_eq(written(out), "  1 %  10 personas  100/s  0:10 left"
	    "\r\033[K  2 %  20 personas  100/s  0:10 left"
	    "\r\033[Ka line\n  3 %  30 personas  100/s  0:10 left\r\033[K");
	fclose(out);
	loop_free(loop);
}
END_TEST

START_TEST(patience_grows_minds_what_is_said_and_ends)
{
	struct bulk_patience q;
	int64_t now = 1000, wait, last = 0;

	bulk_patience_init(&q, now, 7);
	for (int i = 0; i < 6; i++, now += wait) {
		wait = bulk_patience_wait(&q, now, -1, 60000);
		ck_assert_int_ge(wait, (BULK_PATIENCE_BASE_MS << i) / 2);
		ck_assert_int_le(wait, BULK_PATIENCE_BASE_MS << i);
		last = wait;
	}
	ck_assert_int_le(last, BULK_PATIENCE_CAP_MS);
	ck_assert_int_eq(bulk_patience_wait(&q, now, 20000, 60000), 20000);
	ck_assert_int_eq(bulk_patience_wait(&q, now, 70000, 60000), -1);
	ck_assert_int_eq(bulk_patience_wait(&q, 61000, -1, 60000), -1);
	for (int i = 0; i < 100; i++)
		ck_assert_int_le(bulk_patience_wait(&q, now, -1, 1000000), BULK_PATIENCE_CAP_MS);
}
END_TEST

START_TEST(some_statuses_are_worth_another_try)
{
	static const int again[] = {408, 425, 429, 500, 502, 503, 504}, never[] = {200, 201, 400, 401, 403,
	    404, 409, 413, 422, 501};

	for (size_t i = 0; i < sizeof again / sizeof *again; i++)
		ck_assert(bulk_patience_status(again[i]));
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		ck_assert(!bulk_patience_status(never[i]));
}
END_TEST

/* A text as it is quoted; static. */
static const char *
quoted(const char *s, size_t max)
{
	static struct buf b;

	buf_free(&b);
	bulk_text_quote(&b, s, strlen(s), max);
	return b.data;
}

START_TEST(a_terminal_obeys_nothing_of_a_name)
{
	struct buf b;

	ck_assert_str_eq(quoted("a \"b\"\n\033[31m", 99), "\"a \\\"b\\\"\\n\\u001b[31m\"");
	ck_assert_str_eq(quoted("x\x7f\xc2\x9by\xe2\x80\xaez\xe2\x81\xa6\xe2\x80\x94\xc3\xa9", 99),
	    "\"x\\u007f\\u009by\\u202ez\\u2066\xe2\x80\x94\xc3\xa9\"");
	ck_assert_str_eq(quoted("a\xc3\xa9z", 2), "\"a\"\xe2\x80\xa6");
	ck_assert_str_eq(quoted("a\xc3\xa9z", 3), "\"a\xc3\xa9\"\xe2\x80\xa6");
	buf_init(&b, 0);
	bulk_text_plain(&b, "a\tb\033[1m\xc2\x9b \xe2\x80\xae.", 99);
	ck_assert_str_eq(b.data, "a?b?[1m? ?.");
	buf_free(&b);
}
END_TEST

/* The suite. */
Suite *
progress_suite(void)
{
	const TTest *const tests[] = {share_rate_and_remaining_time, a_slow_run_has_decimals_and_hours,
	    without_a_size_there_is_no_share, the_rate_is_that_of_late, the_bar_fits_its_terminal,
	    without_a_terminal_a_plain_line_comes_every_few_seconds,
	    on_a_terminal_the_line_is_drawn_and_taken_away, patience_grows_minds_what_is_said_and_ends,
	    some_statuses_are_worth_another_try, a_terminal_obeys_nothing_of_a_name, NULL};

	return unit_suite("progress", tests);
}
