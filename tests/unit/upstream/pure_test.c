#include "config.h"

#include "unit.h"
#include "upstream/answer_head.h"
#include "upstream/breaker.h"
#include "upstream/rate.h"
#include "upstream/retry.h"
#include "upstream_suites.h"

#include <string.h>

#define NOON INT64_C(1769594400000) /* 2026-01-28T10:00:00Z */

/* ---- retry ---- */

/* Whether a try with this answer is repeated. */
static bool
repeats(enum upstream_repeat repeat, int status)
{
	struct retry_try t = {.outcome = UPSTREAM_ANSWER, .status = status};

	return retry_allowed(repeat, &t);
}

START_TEST(a_status_line_tells_its_version)
{
	static const struct {
		const char *line;
		int status;
		bool http11, http2, interim;
	} cases[] = {
	    {"HTTP/1.1 201 Created\r\n", 201, true, false, false},
	    {"HTTP/1.0 404 x\r\n", 404, false, false, false},
	    {"HTTP/2 201 \r\n", 201, false, true, false},
	    {"HTTP/2 103 \r\n", 103, false, true, true},
	    {"HTTP/2 1\r\n", 0, false, true, true},
	    {"HTTP/2 \r\n", 0, false, true, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer_head h = {0};
		struct answer_field f;

		ck_assert_int_eq(answer_head_line(&h, cases[i].line, strlen(cases[i].line), &f),
		    ANSWER_LINE_STATUS);
		ck_assert_int_eq(h.status, cases[i].status);
		ck_assert(h.http11 == cases[i].http11 && h.http2 == cases[i].http2);
		ck_assert(h.interim == cases[i].interim);
	}
}
END_TEST

START_TEST(retry_repeats_only_statuses_that_pass)
{
	static const int again[] = {429, 500, 502, 503, 504};
	static const int never[] = {200, 201, 204, 302, 400, 401, 403, 404, 408, 409, 422, 501, 505};

	for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
		ck_assert_msg(repeats(UPSTREAM_SAFE, again[i]), "%d", again[i]);
		ck_assert_msg(repeats(UPSTREAM_ONCE, again[i]) == (again[i] == 429), "%d", again[i]);
	}
	for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
		ck_assert_msg(!repeats(UPSTREAM_SAFE, never[i]), "%d", never[i]);
		ck_assert_msg(!repeats(UPSTREAM_ONCE, never[i]), "%d", never[i]);
	}
}
END_TEST

START_TEST(retry_of_a_create_needs_proof_that_nothing_was_sent)
{
	static const enum upstream_outcome passing[] = {UPSTREAM_NO_CONNECT, UPSTREAM_TIMEOUT,
	    UPSTREAM_BROKEN};

	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
		struct retry_try t = {.outcome = passing[i]};

		ck_assert(retry_allowed(UPSTREAM_SAFE, &t));
		ck_assert(!retry_allowed(UPSTREAM_ONCE, &t));
		t.nothing_sent = true;
		ck_assert(retry_allowed(UPSTREAM_ONCE, &t));
		t.hopeless = true;
		ck_assert(!retry_allowed(UPSTREAM_SAFE, &t));
		t.hopeless = false;
		t.whole_time = true;
		ck_assert(!retry_allowed(UPSTREAM_SAFE, &t));
	}
	ck_assert(!retry_allowed(UPSTREAM_SAFE, &(struct retry_try){.outcome = UPSTREAM_TOO_LARGE}));
	ck_assert(!retry_allowed(UPSTREAM_SAFE, &(struct retry_try){.outcome = UPSTREAM_OPEN}));
	ck_assert(!retry_allowed(UPSTREAM_SAFE, &(struct retry_try){.outcome = UPSTREAM_BUSY}));
}
END_TEST

START_TEST(retry_backs_off_with_full_jitter_up_to_a_cap)
{
	static const int64_t bounds[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
	uint64_t random = 42;

	for (unsigned tries = 1; tries <= 8; tries++) {
		int64_t low = INT64_MAX, high = -1, bound = bounds[tries - 1];

		for (int i = 0; i < 20000; i++) {
			int64_t ms = retry_backoff(tries, &random);

			low = ms < low ? ms : low;
			high = ms > high ? ms : high;
		}
		ck_assert_int_le(high, bound);
		ck_assert_int_ge(high, bound - bound / 100);
		ck_assert_int_ge(low, 0);
		ck_assert_int_le(low, bound / 100);
	}
	ck_assert_int_le(retry_backoff(4000000000u, &random), 5000);
}
END_TEST

START_TEST(retry_after_is_seconds_or_a_date)
{
	ck_assert_int_eq(retry_after_read("0", NOON), 0);
	ck_assert_int_eq(retry_after_read("120", NOON), 120000);
	ck_assert_int_eq(retry_after_read("Wed, 28 Jan 2026 10:00:30 GMT", NOON), 30000);
	ck_assert_int_eq(retry_after_read("Wed, 28 Jan 2026 09:59:30 GMT", NOON), 0);
	ck_assert_int_eq(retry_after_read("99999999999999999999999999", NOON),
	    INT64_C(365) * 86400 * 1000);
	ck_assert_int_eq(retry_after_read("Wed, 28 Jan 9999 09:59:30 GMT", NOON),
	    INT64_C(365) * 86400 * 1000);
	ck_assert_int_eq(retry_after_read("", NOON), -1);
	ck_assert_int_eq(retry_after_read("-1", NOON), -1);
	ck_assert_int_eq(retry_after_read("1.5", NOON), -1);
	ck_assert_int_eq(retry_after_read("soon", NOON), -1);
}
END_TEST

START_TEST(retry_waits_as_asked_and_gives_up_beyond_the_deadline)
{
	ck_assert_int_eq(retry_wait(-1, 50, 1000), 50);
	ck_assert_int_eq(retry_wait(-1, 1000, 1000), -1);
	ck_assert_int_eq(retry_wait(400, 50, 1000), 450);
	ck_assert_int_eq(retry_wait(400, 700, 1000), 400); /* the jitter may not cost the try */
	ck_assert_int_eq(retry_wait(999, 0, 1000), 999);
	ck_assert_int_eq(retry_wait(1000, 0, 1000), -1);
	ck_assert_int_eq(retry_wait(0, 10, 1000), 10);
}
END_TEST

/* ---- breaker ---- */

/* One try that is judged at once. */
static void
judge(struct breaker *b, enum breaker_verdict verdict, int64_t now)
{
	uint64_t pass = breaker_enter(b, now);

	ck_assert_uint_ne(pass, 0);
	breaker_leave(b, pass, verdict, now);
}

/* Opens a fresh breaker at `now`. */
static void
open_breaker(struct breaker *b, int64_t now)
{
	breaker_init(b);
	for (int i = 0; i < BREAKER_ROW; i++)
		judge(b, BREAKER_BAD, now);
	ck_assert_int_eq(b->state, UPSTREAM_BREAKER_OPEN);
}

START_TEST(breaker_opens_after_a_row_of_bad_tries)
{
	struct breaker b;

	breaker_init(&b);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < BREAKER_ROW - 1; i++)
			judge(&b, BREAKER_BAD, 100000 * (round + 1));
		judge(&b, BREAKER_NO_VERDICT, 100000 * (round + 1));
		ck_assert_int_eq(b.state, UPSTREAM_BREAKER_CLOSED);
		judge(&b, BREAKER_GOOD, 100000 * (round + 1));
	}
	for (int i = 0; i < BREAKER_ROW; i++)
		judge(&b, BREAKER_BAD, 900000);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_OPEN);
	ck_assert_uint_eq(breaker_enter(&b, 900000), 0);
	ck_assert_int_eq(breaker_wait(&b, 901000), BREAKER_OPEN_MS - 1000);
	ck_assert_uint_eq(breaker_enter(&b, 900000 + BREAKER_OPEN_MS - 1), 0);
}
END_TEST

START_TEST(breaker_opens_on_half_of_enough_tries_within_the_window)
{
	struct breaker b;
	int n;

	breaker_init(&b);
	for (n = 0; n < BREAKER_MIN - 2; n++)
		judge(&b, n % 2 == 0 ? BREAKER_BAD : BREAKER_GOOD, 50000 + n * 500);
	judge(&b, BREAKER_GOOD, 50000 + n * 500);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_CLOSED);
	judge(&b, BREAKER_BAD, 50000 + n * 500);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_OPEN);

	breaker_init(&b); /* the same tries, too far apart to be seen together */
	for (n = 0; n < BREAKER_MIN * 4; n++)
		judge(&b, n % 2 == 0 ? BREAKER_BAD : BREAKER_GOOD, 50000 + n * 600);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_CLOSED);
}
END_TEST

START_TEST(breaker_lets_one_probe_pass_and_closes_on_a_good_one)
{
	struct breaker b;
	uint64_t pass;

	open_breaker(&b, 1000);
	pass = breaker_enter(&b, 1000 + BREAKER_OPEN_MS);
	ck_assert_uint_ne(pass, 0);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_PROBING);
	ck_assert_uint_eq(breaker_enter(&b, 1000 + BREAKER_OPEN_MS), 0);
	ck_assert_int_eq(breaker_wait(&b, 1000 + BREAKER_OPEN_MS), BREAKER_PROBE_MS);
	breaker_leave(&b, pass, BREAKER_GOOD, 7000);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_CLOSED);
	for (int i = 0; i < BREAKER_ROW - 1; i++) /* the old row is forgotten */
		judge(&b, BREAKER_BAD, 7000);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_CLOSED);
}
END_TEST

START_TEST(breaker_opens_twice_as_long_after_each_bad_probe)
{
	static const int64_t lengths[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
	int64_t now = 1000;
	struct breaker b;

	open_breaker(&b, now);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		ck_assert_int_eq(breaker_wait(&b, now), lengths[i]);
		now += lengths[i];
		judge(&b, BREAKER_BAD, now);
		ck_assert_int_eq(b.state, UPSTREAM_BREAKER_OPEN);
	}
	now += 60000;
	judge(&b, BREAKER_GOOD, now);
	for (int i = 0; i < BREAKER_ROW; i++)
		judge(&b, BREAKER_BAD, now);
	ck_assert_int_eq(breaker_wait(&b, now), BREAKER_OPEN_MS);
}
END_TEST

START_TEST(breaker_lets_another_probe_pass_when_one_says_nothing)
{
	struct breaker b;

	open_breaker(&b, 1000);
	judge(&b, BREAKER_NO_VERDICT, 6000);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_OPEN);
	ck_assert_int_eq(breaker_wait(&b, 6000), 0);
	judge(&b, BREAKER_GOOD, 6000);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_CLOSED);
}
END_TEST

START_TEST(breaker_ignores_tries_from_before_its_last_change)
{
	struct breaker b;
	uint64_t old, probe;

	breaker_init(&b);
	old = breaker_enter(&b, 1000);
	for (int i = 0; i < BREAKER_ROW; i++)
		judge(&b, BREAKER_BAD, 1000);
	breaker_leave(&b, old, BREAKER_GOOD, 2000);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_OPEN);
	probe = breaker_enter(&b, 6000);
	breaker_leave(&b, old, BREAKER_GOOD, 6000);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_PROBING);
	breaker_leave(&b, probe, BREAKER_BAD, 6000);
	ck_assert_int_eq(b.state, UPSTREAM_BREAKER_OPEN);
}
END_TEST

/* ---- rate ---- */

/* Takes tokens as fast as they come for `span` ms and returns the most that any
 * span shorter than a minute held; *all is the total. */
static unsigned
busiest_minute(unsigned per_minute, int64_t span, unsigned *all)
{
	static int64_t taken[100000];
	unsigned n = 0, from = 0, most = 0;
	struct rate r;

	rate_init(&r, per_minute, 5000);
	for (int64_t now = 5000; now < 5000 + span;) {
		int64_t wait = rate_wait(&r, now);

		ck_assert_int_ge(wait, 0);
		if (wait > 0) {
			now += wait;
			ck_assert_int_eq(rate_wait(&r, now), 0);
			continue;
		}
		rate_take(&r, now);
		taken[n++] = now;
		while (now - taken[from] >= 60000)
			from++;
		most = n - from > most ? n - from : most;
	}
	*all = n;
	return most;
}

START_TEST(rate_never_passes_its_budget_in_any_minute)
{
	static const unsigned budgets[] = {1, 2, 3, 5, 6, 7, 59, 60, 600, 6000};
	unsigned all;

	for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
		unsigned b = budgets[i];

		ck_assert_msg(busiest_minute(b, 600000, &all) <= b, "%u a minute", b);
		ck_assert_msg(all >= b * 8, "%u a minute gave %u in ten", b, all);
	}
}
END_TEST

START_TEST(rate_keeps_what_flows_in_while_nothing_is_taken)
{
	struct rate r;

	rate_init(&r, 60, 0); /* ten at once, then 51 a minute */
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(rate_wait(&r, 0), 0);
		rate_take(&r, 0);
	}
	ck_assert_int_eq(rate_wait(&r, 0), 1177);
	ck_assert_int_eq(rate_wait(&r, 1000), 177);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(rate_wait(&r, INT64_C(1) << 50), 0);
		rate_take(&r, INT64_C(1) << 50);
	}
	ck_assert_int_gt(rate_wait(&r, INT64_C(1) << 50), 0);
}
END_TEST

START_TEST(rate_without_a_budget_lets_all_pass)
{
	struct rate r;

	rate_init(&r, 0, 0);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(rate_wait(&r, 0), 0);
		rate_take(&r, 0);
	}
}
END_TEST

/* All tests of this file. */
Suite *
pure_suite(void)
{
	const TTest *const tests[] = {
	    a_status_line_tells_its_version,
	    retry_repeats_only_statuses_that_pass,
	    retry_of_a_create_needs_proof_that_nothing_was_sent,
	    retry_backs_off_with_full_jitter_up_to_a_cap,
	    retry_after_is_seconds_or_a_date,
	    retry_waits_as_asked_and_gives_up_beyond_the_deadline,
	    breaker_opens_after_a_row_of_bad_tries,
	    breaker_opens_on_half_of_enough_tries_within_the_window,
	    breaker_lets_one_probe_pass_and_closes_on_a_good_one,
	    breaker_opens_twice_as_long_after_each_bad_probe,
	    breaker_lets_another_probe_pass_when_one_says_nothing,
	    breaker_ignores_tries_from_before_its_last_change,
	    rate_never_passes_its_budget_in_any_minute,
	    rate_keeps_what_flows_in_while_nothing_is_taken,
	    rate_without_a_budget_lets_all_pass,
	    NULL,
	};

	return unit_suite("upstream pure", tests);
}
