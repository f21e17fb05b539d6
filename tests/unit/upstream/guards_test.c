#include "config.h"

#include "call_bench.h"
#include "unit.h"
#include "upstream/breaker.h"
#include "upstream_suites.h"

#include <string.h>

/* ---- the breaker ---- */

/* Opens the breaker with calls that are cut off. */
static void
open_breaker(struct bench *b)
{
	struct upstream_request q = bench_post(b);
	struct upstream_counts n;
	struct bench_call c;

	for (int i = 0; i < BREAKER_ROW; i++) {
		q.fresh_connection = true;
		fake_server_push(b->server, &(struct fake_step){.then = FAKE_CLOSE});
		bench_run(b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_BROKEN);
		bench_forget(&c);
	}
	upstream_counts(b->client, &n);
	ck_assert_int_eq(n.breaker, UPSTREAM_BREAKER_OPEN);
}

START_TEST(an_open_breaker_sends_nothing_and_then_one_probe)
{
	struct bench_call probe, other;
	struct upstream_request q;
	struct upstream_counts n;
	struct bench b;

	bench_open(&b, true);
	bench_client(&b);
	open_breaker(&b);
	q = bench_get(&b);
	bench_run(&b, &other, &q);
	ck_assert_int_eq(other.answer.outcome, UPSTREAM_OPEN);
	ck_assert_int_eq(other.answer.retry_after, BREAKER_OPEN_MS);
	ck_assert(!other.answer.maybe_received);
	ck_assert_uint_eq(fake_server_requests(b.server), BREAKER_ROW);
	bench_forget(&other);

	loop_fake_advance(b.loop, BREAKER_OPEN_MS);
	q = bench_get(&b);
	bench_start(&b, &probe, &q);
	bench_start(&b, &other, &q);
	upstream_counts(b.client, &n);
	ck_assert_int_eq(n.breaker, UPSTREAM_BREAKER_PROBING);
	bench_until(&b, b.answered == BREAKER_ROW + 3);
	ck_assert_int_eq(probe.answer.status, 200);
	ck_assert_int_eq(other.answer.outcome, UPSTREAM_OPEN);
	ck_assert_uint_eq(fake_server_requests(b.server), BREAKER_ROW + 1);
	upstream_counts(b.client, &n);
	ck_assert_int_eq(n.breaker, UPSTREAM_BREAKER_CLOSED);
	bench_forget(&probe);
	bench_forget(&other);
	bench_close(&b);
}
END_TEST

START_TEST(a_bad_probe_opens_the_breaker_again_for_longer)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, true);
	bench_client(&b);
	open_breaker(&b);
	loop_fake_advance(b.loop, BREAKER_OPEN_MS);
	q = bench_get(&b);
	fake_server_answer(b.server, 500, NULL, "{}");
	bench_start(&b, &c, &q);
	bench_until(&b, fake_server_requests(b.server) == BREAKER_ROW + 1);
	bench_settle(&b);
	loop_fake_advance(b.loop, JITTER_MAX); /* its next try is refused: the 500 stands */
	bench_until(&b, c.callbacks == 1);
	ck_assert_int_eq(c.answer.status, 500);
	ck_assert_uint_eq(c.answer.tries, 1);
	bench_forget(&c);
	q = bench_get(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_OPEN);
	ck_assert_int_gt(c.answer.retry_after, 2 * BREAKER_OPEN_MS - JITTER_MAX - 100);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(a_cancelled_probe_leaves_its_place_to_the_next)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, true);
	bench_client(&b);
	open_breaker(&b);
	loop_fake_advance(b.loop, BREAKER_OPEN_MS);
	q = bench_get(&b);
	bench_silence(&b);
	bench_start(&b, &c, &q);
	bench_until(&b, fake_server_requests(b.server) == BREAKER_ROW + 1);
	upstream_cancel(c.call);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.status, 200);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(an_opening_breaker_empties_the_queue)
{
	struct upstream_request q;
	enum { CALLS = 2 * BREAKER_ROW + 1 };
	struct bench_call c[CALLS];
	struct bench b;

	bench_open(&b, true);
	b.config.max_in_flight = BREAKER_ROW;
	bench_client(&b);
	q = bench_post(&b);
	for (int i = 0; i < BREAKER_ROW; i++)
		fake_server_push(b.server, &(struct fake_step){.then = FAKE_RESET});
	for (int i = 0; i < BREAKER_ROW + 1; i++)
		bench_silence(&b);
	for (int i = 0; i < CALLS; i++)
		bench_start(&b, &c[i], &q);
	bench_until(&b, b.answered == BREAKER_ROW + 2); /* all but one gave their place to another */
	for (int i = CALLS - 2; i < CALLS; i++) {
		ck_assert_uint_eq(c[i].callbacks, 1);
		ck_assert_int_eq(c[i].answer.outcome, UPSTREAM_OPEN);
	}
	for (int i = 0; i < CALLS; i++)
		bench_forget(&c[i]);
	bench_close(&b);
}
END_TEST

START_TEST(impatient_callers_do_not_open_the_breaker)
{
	struct upstream_request q;
	struct upstream_counts n;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	b.config.first_byte_ms = 600;
	bench_client(&b);
	for (int i = 0; i < BREAKER_ROW + 2; i++) {
		q = bench_post(&b);
		q.deadline = loop_now(b.loop) + 20;
		bench_silence(&b);
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_TIMEOUT);
		bench_forget(&c);
	}
	upstream_counts(b.client, &n);
	ck_assert_int_eq(n.breaker, UPSTREAM_BREAKER_CLOSED);
	for (int i = 0; i < BREAKER_ROW; i++) { /* an upstream that had most of its time does */
		q = bench_post(&b);
		q.deadline = loop_now(b.loop) + 350;
		bench_silence(&b);
		bench_run(&b, &c, &q);
		bench_forget(&c);
	}
	upstream_counts(b.client, &n);
	ck_assert_int_eq(n.breaker, UPSTREAM_BREAKER_OPEN);
	bench_close(&b);
}
END_TEST

START_TEST(refusals_do_not_open_the_breaker)
{
	struct upstream_request q;
	struct upstream_counts n;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	b.config.retries = 1;
	bench_client(&b);
	q = bench_get(&b);
	for (int i = 0; i < 30; i++) {
		static const int statuses[] = {429, 404, 422, 401};

		fake_server_answer(b.server, statuses[i % 4], NULL, "{}");
		bench_run(&b, &c, &q);
		bench_forget(&c);
	}
	upstream_counts(b.client, &n);
	ck_assert_int_eq(n.breaker, UPSTREAM_BREAKER_CLOSED);
	bench_close(&b);
}
END_TEST

/* ---- the rate budget ---- */

START_TEST(calls_wait_for_the_rate_budget)
{
	struct upstream_counts n;
	struct upstream_request q;
	struct bench_call c[12];
	struct bench b;

	bench_open(&b, true);
	b.config.rate_per_minute = 60; /* ten at once, then one each 1177 ms */
	bench_client(&b);
	q = bench_get(&b);
	for (int i = 0; i < 12; i++)
		bench_start(&b, &c[i], &q);
	bench_until(&b, b.answered == 10);
	bench_settle(&b);
	upstream_counts(b.client, &n);
	ck_assert_uint_eq(n.queued, 2);
	ck_assert_uint_eq(n.in_flight, 0);
	loop_fake_advance(b.loop, 1176);
	bench_settle(&b);
	ck_assert_uint_eq(fake_server_requests(b.server), 10);
	loop_fake_advance(b.loop, 1);
	bench_until(&b, b.answered == 11);
	ck_assert_uint_eq(c[10].order, 11);
	loop_fake_advance(b.loop, 1177);
	bench_until(&b, b.answered == 12);
	for (int i = 0; i < 12; i++)
		bench_forget(&c[i]);
	bench_close(&b);
}
END_TEST

START_TEST(a_budget_that_comes_too_late_says_so_at_once)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, true);
	b.config.rate_per_minute = 1;
	bench_client(&b);
	q = bench_post(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.status, 200);
	bench_forget(&c);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_BUSY);
	ck_assert_int_eq(c.answer.retry_after, 60000);
	ck_assert(!c.answer.maybe_received);
	ck_assert_uint_eq(fake_server_requests(b.server), 1);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(a_call_cancelled_while_it_waits_for_the_budget_takes_no_token)
{
	struct upstream_request q;
	struct bench_call c, next;
	struct bench b;

	bench_open(&b, true);
	b.config.rate_per_minute = 20; /* three at once, then one each 3334 ms */
	bench_client(&b);
	q = bench_get(&b);
	for (int i = 0; i < 3; i++) {
		bench_run(&b, &c, &q);
		bench_forget(&c);
	}
	bench_start(&b, &c, &q);
	bench_start(&b, &next, &q);
	upstream_cancel(c.call);
	loop_fake_advance(b.loop, 3334);
	bench_until(&b, next.callbacks == 1);
	ck_assert_int_eq(next.answer.status, 200);
	ck_assert_uint_eq(b.answered, 4);
	bench_forget(&next);
	bench_idle(&b);
	bench_close(&b);
}
END_TEST

/* ---- places for exchanges that run elsewhere ---- */

/* One that was wanted, and what came of it. */
struct place {
	struct upstream_call *call;
	unsigned callbacks;
	enum upstream_outcome outcome;
	int64_t retry_after;
};

/* It is there, or refused. */
static void
on_place(void *arg, enum upstream_outcome outcome, int64_t retry_after)
{
	struct place *p = arg;

	p->callbacks++;
	p->outcome = outcome;
	p->retry_after = retry_after;
}

/* Wants one. */
static void
want(struct bench *b, struct place *p)
{
	memset(p, 0, sizeof *p);
	p->call = upstream_place(b->client, "id", loop_now(b->loop) + 5000, on_place, p);
	ck_assert_uint_eq(p->callbacks, 0);
	bench_settle(b);
}

START_TEST(places_and_calls_share_what_may_be_in_flight)
{
	struct upstream_request q;
	struct place first, second, third;
	struct upstream_counts n;
	struct bench_call c;
	struct bench b;

	bench_open(&b, true);
	b.config.max_in_flight = 1;
	b.config.max_queue = 2;
	bench_client(&b);
	want(&b, &first);
	ck_assert_int_eq(first.outcome, UPSTREAM_ANSWER);
	ck_assert_uint_eq(first.callbacks, 1);
	want(&b, &second);
	q = bench_get(&b);
	bench_start(&b, &c, &q);
	want(&b, &third);
	ck_assert_uint_eq(third.callbacks, 1); /* the queue is full */
	ck_assert_int_eq(third.outcome, UPSTREAM_BUSY);
	ck_assert_uint_eq(second.callbacks, 0);
	upstream_cancel(first.call); /* over */
	bench_settle(&b);
	ck_assert_uint_eq(second.callbacks, 1);
	ck_assert_int_eq(second.outcome, UPSTREAM_ANSWER);
	ck_assert_uint_eq(fake_server_requests(b.server), 0);
	upstream_cancel(second.call);
	bench_until(&b, c.callbacks == 1);
	ck_assert_int_eq(c.answer.status, 200);
	bench_forget(&c);
	want(&b, &first);
	first.call = upstream_place(b.client, "id", loop_now(b.loop) + 5000, on_place, &first);
	upstream_cancel(first.call); /* while it waits */
	loop_fake_advance(b.loop, 10000);
	upstream_counts(b.client, &n);
	ck_assert_uint_eq(n.in_flight, 1);
	ck_assert_uint_eq(n.queued, 0);
	bench_close(&b); /* with a place that is held */
}
END_TEST

START_TEST(a_place_that_does_not_come_in_time_is_refused)
{
	struct place first, late;
	struct bench b;

	bench_open(&b, true);
	b.config.rate_per_minute = 6; /* one at once, then one in ten seconds */
	bench_client(&b);
	want(&b, &first);
	ck_assert_int_eq(first.outcome, UPSTREAM_ANSWER);
	want(&b, &late);
	ck_assert_uint_eq(late.callbacks, 1);
	ck_assert_int_eq(late.outcome, UPSTREAM_BUSY);
	ck_assert_int_gt(late.retry_after, 5000);
	upstream_cancel(first.call);
	bench_close(&b);
}
END_TEST

START_TEST(a_place_is_held_back_by_the_breaker_and_judged_while_it_is_held)
{
	struct place probe, other;
	struct upstream_counts n;
	struct bench b;

	bench_open(&b, true);
	bench_client(&b);
	open_breaker(&b);
	want(&b, &other);
	ck_assert_int_eq(other.outcome, UPSTREAM_OPEN);
	ck_assert_int_gt(other.retry_after, 0);
	loop_fake_advance(b.loop, BREAKER_OPEN_MS);
	want(&b, &probe);
	ck_assert_int_eq(probe.outcome, UPSTREAM_ANSWER);
	upstream_counts(b.client, &n);
	ck_assert_int_eq(n.breaker, UPSTREAM_BREAKER_PROBING);
	upstream_place_judge(probe.call, true);
	upstream_counts(b.client, &n);
	ck_assert_int_eq(n.breaker, UPSTREAM_BREAKER_CLOSED);
	ck_assert_uint_eq(n.in_flight, 1);
	upstream_cancel(probe.call);
	bench_idle(&b);
	for (int i = 0; i < BREAKER_ROW; i++) {
		want(&b, &probe);
		upstream_place_judge(probe.call, false);
		upstream_cancel(probe.call);
	}
	upstream_counts(b.client, &n);
	ck_assert_int_eq(n.breaker, UPSTREAM_BREAKER_OPEN);
	bench_close(&b);
}
END_TEST

/* All tests of this file. */
Suite *
guards_suite(void)
{
	const TTest *const tests[] = {
	    an_open_breaker_sends_nothing_and_then_one_probe,
	    a_bad_probe_opens_the_breaker_again_for_longer,
	    a_cancelled_probe_leaves_its_place_to_the_next,
	    an_opening_breaker_empties_the_queue,
	    impatient_callers_do_not_open_the_breaker,
	    refusals_do_not_open_the_breaker,
	    calls_wait_for_the_rate_budget,
	    a_budget_that_comes_too_late_says_so_at_once,
	    a_call_cancelled_while_it_waits_for_the_budget_takes_no_token,
	    places_and_calls_share_what_may_be_in_flight,
	    a_place_that_does_not_come_in_time_is_refused,
	    a_place_is_held_back_by_the_breaker_and_judged_while_it_is_held,
	    NULL,
	};

	return unit_suite("upstream guards", tests);
}
