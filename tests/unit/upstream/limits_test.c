#include "config.h"

#include "call_bench.h"
#include "unit.h"
#include "upstream_suites.h"

#include <string.h>

/* ---- deadlines ---- */

START_TEST(the_deadline_cuts_a_try_short)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	int64_t begun;

	bench_open(&b, false);
	bench_client(&b);
	bench_silence(&b);
	begun = loop_now(b.loop);
	q = bench_get(&b);
	q.deadline = begun + 60;
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_TIMEOUT);
	ck_assert(c.answer.maybe_received);
	ck_assert_uint_eq(c.answer.tries, 1);
	ck_assert_int_ge(loop_now(b.loop) - begun, 55);
	ck_assert_int_lt(loop_now(b.loop) - begun, 1000);
	bench_forget(&c);
	bench_idle(&b);
	bench_close(&b);
}
END_TEST

START_TEST(all_tries_share_one_deadline)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	int64_t begun;

	bench_open(&b, false);
	b.config.first_byte_ms = 150;
	b.config.retries = 100;
	bench_client(&b);
	for (int i = 0; i < 10; i++)
		bench_silence(&b);
	begun = loop_now(b.loop);
	q = bench_get(&b);
	q.deadline = begun + 400;
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_TIMEOUT);
	ck_assert_uint_ge(c.answer.tries, 2);
	ck_assert_int_lt(loop_now(b.loop) - begun, 2000);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(a_deadline_that_has_passed_sends_nothing)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_post(&b);
	q.deadline = loop_now(b.loop);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_TIMEOUT);
	ck_assert(!c.answer.maybe_received);
	ck_assert_uint_eq(c.answer.tries, 0);
	ck_assert_uint_eq(fake_server_connections(b.server), 0);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

/* ---- cancels ---- */

START_TEST(a_cancelled_call_is_never_heard_of_again)
{
	struct bench_call hanging, queued, next;
	struct upstream_request q;
	struct bench b;

	bench_open(&b, false);
	b.config.max_in_flight = 1;
	bench_client(&b);
	q = bench_get(&b);
	bench_silence(&b);
	bench_start(&b, &hanging, &q); /* connecting */
	bench_start(&b, &queued, &q);
	upstream_cancel(hanging.call);
	bench_until(&b, queued.callbacks == 0 && fake_server_requests(b.server) == 1);
	bench_start(&b, &next, &q);
	upstream_cancel(queued.call); /* sent, waiting for the answer */
	bench_until(&b, next.callbacks == 1);
	ck_assert_int_eq(next.answer.status, 200);
	bench_forget(&next);

	bench_silence(&b);
	bench_start(&b, &hanging, &q);
	bench_start(&b, &queued, &q);
	bench_start(&b, &next, &q);
	upstream_cancel(queued.call); /* in the queue */
	bench_until(&b, fake_server_requests(b.server) == 3);
	upstream_cancel(hanging.call);
	bench_until(&b, next.callbacks == 1);
	bench_settle(&b);
	ck_assert_uint_eq(fake_server_requests(b.server), 4);
	ck_assert_uint_eq(b.answered, 2);
	bench_forget(&next);
	bench_idle(&b);
	bench_close(&b);
}
END_TEST

START_TEST(a_call_cancelled_in_the_middle_of_its_answer_leaves_no_trace)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_get(&b);
	fake_server_push(b.server, &(struct fake_step){
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf an answer"});
	bench_start(&b, &c, &q);
	bench_until(&b, fake_server_requests(b.server) == 1);
	bench_settle(&b);
	upstream_cancel(c.call);
	bench_idle(&b);
	bench_run(&b, &c, &q); /* not on the connection with half an answer */
	ck_assert_str_eq(c.body, "{\"ok\":true}");
	ck_assert_uint_eq(fake_server_request_peer(b.server, 1), 2);
	bench_until(&b, fake_server_open(b.server) == 1);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(a_call_cancelled_while_backing_off_is_not_tried_again)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, true);
	bench_client(&b);
	q = bench_get(&b);
	fake_server_answer(b.server, 429, "Retry-After: 1\r\n", "{}");
	bench_start(&b, &c, &q);
	bench_until(&b, fake_server_requests(b.server) == 1);
	bench_settle(&b);
	bench_idle(&b);
	ck_assert_uint_eq(c.callbacks, 0);
	upstream_cancel(c.call);
	loop_fake_advance(b.loop, 5000);
	bench_settle(&b);
	ck_assert_uint_eq(fake_server_requests(b.server), 1);
	ck_assert_uint_eq(c.callbacks, 0);
	bench_close(&b);
}
END_TEST

START_TEST(a_call_cancelled_before_its_callback_gets_none)
{
	struct upstream_request q;
	struct bench_call c[3];
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_get(&b);
	q.deadline = 0; /* ends at once; only the callback is owed */
	for (int i = 0; i < 3; i++)
		bench_start(&b, &c[i], &q);
	upstream_cancel(c[2].call);
	upstream_cancel(c[0].call);
	bench_until(&b, c[1].callbacks == 1);
	bench_settle(&b);
	ck_assert_uint_eq(b.answered, 1);
	bench_forget(&c[1]);
	bench_close(&b);
}
END_TEST

struct meddler {
	struct bench *bench;
	struct upstream_call *victim;
	struct upstream *client;
	unsigned callbacks, left;
	bool starting;
};

/* Cancels another call from inside a callback. */
static void
meddler_cancels(void *arg, const struct upstream_answer *a)
{
	struct meddler *m = arg;

	m->callbacks++;
	if (m->victim != NULL)
		upstream_cancel(m->victim);
	m->victim = NULL;
}

START_TEST(a_callback_may_cancel_another_call)
{
	struct meddler m = {0};
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_get(&b);
	q.deadline = 0;
	upstream_start(b.client, &q, meddler_cancels, &m);
	bench_start(&b, &c, &q); /* ended too, and next to be delivered */
	m.victim = c.call;
	bench_until(&b, m.callbacks == 1);
	bench_settle(&b);
	q = bench_get(&b);
	bench_silence(&b);
	bench_start(&b, &c, &q);
	bench_until(&b, fake_server_requests(b.server) == 1);
	m.victim = c.call;
	upstream_start(b.client, &q, meddler_cancels, &m);
	bench_until(&b, m.callbacks == 2);
	bench_settle(&b);
	ck_assert_uint_eq(b.answered, 0);
	bench_idle(&b);
	bench_close(&b);
}
END_TEST

/* Starts the next call from inside a callback, without end of its own. */
static void
meddler_starts(void *arg, const struct upstream_answer *a)
{
	struct meddler *m = arg;
	struct upstream_request q = bench_get(m->bench);

	ck_assert(!m->starting);
	m->callbacks++;
	if (m->left == 0)
		return;
	m->left--;
	if (m->left % 2 == 0 || m->left > 50)
		q.deadline = 0;
	m->starting = true;
	upstream_start(m->client, &q, meddler_starts, m);
	m->starting = false;
}

START_TEST(a_callback_may_start_calls_and_other_events_get_their_turn)
{
	struct meddler m = {0};
	struct upstream_request q;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	m.bench = &b;
	m.client = b.client;
	m.left = 100;
	q = bench_get(&b);
	q.deadline = 0;
	upstream_start(b.client, &q, meddler_starts, &m);
	ck_assert_uint_eq(m.callbacks, 0);
	loop_turn(b.loop, true);
	ck_assert_uint_lt(m.callbacks, 10);
	bench_until(&b, m.callbacks == 101);
	bench_idle(&b);
	bench_close(&b);
}
END_TEST

START_TEST(the_end_of_a_client_ends_its_calls_without_a_word)
{
	struct bench_call trying, backing, queued, done;
	struct upstream_request q, late;
	struct bench b;

	bench_open(&b, true);
	b.config.max_in_flight = 1;
	bench_client(&b);
	q = bench_get(&b);
	late = q;
	late.deadline = 0;
	fake_server_answer(b.server, 503, "Retry-After: 2\r\n", "{}");
	bench_start(&b, &backing, &q);
	bench_until(&b, fake_server_requests(b.server) == 1);
	bench_settle(&b);
	bench_silence(&b);
	bench_start(&b, &trying, &q);
	bench_until(&b, fake_server_requests(b.server) == 2);
	bench_start(&b, &queued, &q);
	bench_start(&b, &done, &late);
	upstream_free(b.client);
	b.client = NULL;
	bench_until(&b, fake_server_open(b.server) == 0);
	loop_fake_advance(b.loop, 10000);
	ck_assert_uint_eq(b.answered, 0);
	bench_close(&b);
}
END_TEST

/* ---- clients of several loops ---- */

/* Asks by another client of the bench. */
static void
start_other(struct bench *b, struct upstream *other, struct bench_call *c,
    const struct upstream_request *q)
{
	struct upstream *own = b->client;

	b->client = other;
	bench_start(b, c, q);
	b->client = own;
}

START_TEST(clients_that_share_have_one_limit_one_budget_and_one_breaker)
{
	struct bench_call hanging, other[11];
	struct upstream_request q;
	struct upstream_counts n;
	struct upstream *two;
	struct bench b;
	struct fail f;

	bench_open(&b, true);
	b.config.max_in_flight = 1;
	b.config.rate_per_minute = 6000;
	b.config.retries = 1;
	bench_client(&b);
	b.config.with = b.client;
	two = upstream_new(b.loop, &b.config, &f);
	q = bench_get(&b);
	q.deadline += 60000;
	bench_silence(&b);
	bench_start(&b, &hanging, &q);
	bench_until(&b, fake_server_requests(b.server) == 1);
	start_other(&b, two, &other[0], &q); /* finds no place */
	bench_settle(&b);
	upstream_counts(two, &n);
	ck_assert_uint_eq(n.queued, 1);
	upstream_cancel(hanging.call);
	bench_until(&b, other[0].callbacks == 1);
	ck_assert_int_eq(other[0].answer.status, 200);
	bench_forget(&other[0]);
	for (int i = 0; i < 10; i++) {
		fake_server_answer(b.server, 500, "", "{}");
		start_other(&b, two, &other[i], &q);
		bench_until(&b, other[i].callbacks == 1);
		bench_forget(&other[i]);
	}
	upstream_counts(b.client, &n);
	ck_assert_int_eq(n.breaker, UPSTREAM_BREAKER_OPEN);
	ck_assert_uint_eq(n.opened, 0); /* it was the other one that opened it */
	bench_run(&b, &hanging, &q);
	ck_assert_int_eq(hanging.answer.outcome, UPSTREAM_OPEN);
	bench_forget(&hanging);
	upstream_free(two);
	bench_close(&b);
}
END_TEST

/* ---- the queue ---- */

START_TEST(calls_leave_the_queue_in_their_order)
{
	static const char *const paths[] = {"/v1/a", "/v1/b", "/v1/c", "/v1/d"};
	struct upstream_counts n;
	struct upstream_request q;
	struct bench_call c[4];
	struct bench b;

	bench_open(&b, false);
	b.config.max_in_flight = 1;
	bench_client(&b);
	q = bench_get(&b);
	for (int i = 0; i < 4; i++) {
		q.path = paths[i];
		bench_start(&b, &c[i], &q);
	}
	upstream_counts(b.client, &n);
	ck_assert_uint_eq(n.in_flight, 1);
	ck_assert_uint_eq(n.queued, 3);
	bench_until(&b, b.answered == 4);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(c[i].order, i + 1);
		ck_assert_ptr_nonnull(strstr(fake_server_request(b.server, i), paths[i]));
		ck_assert_int_eq(c[i].answer.status, 200);
		bench_forget(&c[i]);
	}
	ck_assert_uint_eq(fake_server_connections(b.server), 1);
	upstream_counts(b.client, &n);
	ck_assert_uint_eq(n.calls, 4);
	ck_assert_uint_eq(n.tries, 4);
	ck_assert_uint_eq(n.answers, 4);
	ck_assert_uint_eq(n.failures, 0);
	bench_close(&b);
}
END_TEST

START_TEST(places_in_flight_are_used_and_never_exceeded)
{
	struct upstream_counts n;
	struct upstream_request q;
	struct bench_call c[10];
	struct bench b;

	bench_open(&b, false);
	b.config.max_in_flight = 3;
	bench_client(&b);
	q = bench_get(&b);
	for (int i = 0; i < 3; i++)
		fake_server_push(b.server, &(struct fake_step){.after_ms = 20,
		    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
	for (int i = 0; i < 10; i++)
		bench_start(&b, &c[i], &q);
	bench_until(&b, fake_server_requests(b.server) == 3);
	ck_assert_uint_eq(b.answered, 0);
	while (b.answered < 10) {
		upstream_counts(b.client, &n);
		ck_assert_uint_le(n.in_flight, 3);
		loop_turn(b.loop, true);
	}
	ck_assert_uint_le(fake_server_connections(b.server), 3);
	for (int i = 0; i < 10; i++)
		bench_forget(&c[i]);
	bench_close(&b);
}
END_TEST

START_TEST(a_full_queue_says_busy)
{
	struct upstream_request q;
	struct bench_call c[4];
	struct bench b;

	bench_open(&b, false);
	b.config.max_in_flight = 1;
	b.config.max_queue = 2;
	bench_client(&b);
	q = bench_post(&b);
	bench_silence(&b);
	for (int i = 0; i < 4; i++)
		bench_start(&b, &c[i], &q);
	bench_until(&b, c[3].callbacks == 1);
	ck_assert_int_eq(c[3].answer.outcome, UPSTREAM_BUSY);
	ck_assert(!c[3].answer.maybe_received);
	ck_assert_int_gt(c[3].answer.retry_after, 0);
	ck_assert_uint_eq(c[3].answer.tries, 0);
	ck_assert_uint_eq(b.answered, 1);
	bench_forget(&c[3]);
	bench_close(&b);
}
END_TEST

START_TEST(no_queue_means_that_only_free_places_are_taken)
{
	struct upstream_request q;
	struct bench_call c[2];
	struct bench b;

	bench_open(&b, false);
	b.config.max_in_flight = 1;
	b.config.max_queue = 0;
	bench_client(&b);
	q = bench_get(&b);
	bench_start(&b, &c[0], &q);
	bench_start(&b, &c[1], &q);
	bench_until(&b, b.answered == 2);
	ck_assert_int_eq(c[0].answer.outcome, UPSTREAM_ANSWER);
	ck_assert_int_eq(c[1].answer.outcome, UPSTREAM_BUSY);
	bench_forget(&c[0]);
	bench_forget(&c[1]);
	bench_close(&b);
}
END_TEST

START_TEST(a_call_that_gets_no_place_before_its_deadline_is_busy)
{
	struct upstream_request q;
	struct bench_call hanging, queued;
	struct bench b;

	bench_open(&b, false);
	b.config.max_in_flight = 1;
	bench_client(&b);
	q = bench_get(&b);
	bench_silence(&b);
	bench_start(&b, &hanging, &q);
	bench_until(&b, fake_server_requests(b.server) == 1);
	q.deadline = loop_now(b.loop) + 50;
	bench_start(&b, &queued, &q);
	bench_until(&b, queued.callbacks == 1);
	ck_assert_int_ge(loop_now(b.loop), q.deadline);
	ck_assert_int_eq(queued.answer.outcome, UPSTREAM_BUSY);
	ck_assert(!queued.answer.maybe_received);
	ck_assert_uint_eq(fake_server_requests(b.server), 1);
	bench_forget(&queued);
	bench_close(&b);
}
END_TEST

START_TEST(a_call_that_comes_back_goes_before_newer_ones)
{
	struct upstream_request q;
	struct bench_call old, hanging, newer;
	struct bench b;

	bench_open(&b, true);
	b.config.max_in_flight = 1;
	bench_client(&b);
	q = bench_get(&b);
	q.path = "/v1/old";
	fake_server_answer(b.server, 503, "Retry-After: 1\r\n", "{}");
	bench_start(&b, &old, &q);
	bench_until(&b, fake_server_requests(b.server) == 1);
	bench_settle(&b);
	bench_silence(&b);
	q.path = "/v1/hanging";
	bench_start(&b, &hanging, &q);
	q.path = "/v1/newer";
	bench_start(&b, &newer, &q);
	bench_until(&b, fake_server_requests(b.server) == 2);
	loop_fake_advance(b.loop, 1200); /* the old one wants to go on, and must wait */
	upstream_cancel(hanging.call);
	bench_until(&b, b.answered == 2);
	ck_assert_uint_eq(old.order, 1);
	ck_assert_int_eq(old.answer.status, 200);
	bench_forget(&old);
	bench_forget(&newer);
	bench_close(&b);
}
END_TEST

START_TEST(a_call_that_cannot_come_back_keeps_what_it_was_answered)
{
	struct upstream_request q;
	struct bench_call old, hanging;
	struct bench b;

	bench_open(&b, true);
	b.config.max_in_flight = 1;
	b.config.first_byte_ms = b.config.total_ms = 600000;
	bench_client(&b);
	q = bench_get(&b);
	fake_server_answer(b.server, 503, "Retry-After: 1\r\n", "{\"detail\":\"no\"}");
	bench_start(&b, &old, &q);
	bench_until(&b, fake_server_requests(b.server) == 1);
	bench_settle(&b);
	bench_silence(&b);
	q.deadline += 100000;
	bench_start(&b, &hanging, &q);
	bench_until(&b, fake_server_requests(b.server) == 2);
	loop_fake_advance(b.loop, 1200);
	ck_assert_uint_eq(old.callbacks, 0);
	loop_fake_advance(b.loop, 3800); /* its deadline */
	bench_until(&b, old.callbacks == 1);
	ck_assert_int_eq(old.answer.outcome, UPSTREAM_ANSWER);
	ck_assert_int_eq(old.answer.status, 503);
	ck_assert_str_eq(old.body, "{\"detail\":\"no\"}");
	ck_assert_uint_eq(old.answer.tries, 1);
	bench_forget(&old);
	bench_close(&b);
}
END_TEST

/* All tests of this file. */
Suite *
limits_suite(void)
{
	const TTest *const tests[] = {
	    the_deadline_cuts_a_try_short,
	    all_tries_share_one_deadline,
	    a_deadline_that_has_passed_sends_nothing,
	    a_cancelled_call_is_never_heard_of_again,
	    a_call_cancelled_in_the_middle_of_its_answer_leaves_no_trace,
	    a_call_cancelled_while_backing_off_is_not_tried_again,
	    a_call_cancelled_before_its_callback_gets_none,
	    a_callback_may_cancel_another_call,
	    a_callback_may_start_calls_and_other_events_get_their_turn,
	    the_end_of_a_client_ends_its_calls_without_a_word,
	    clients_that_share_have_one_limit_one_budget_and_one_breaker,
	    calls_leave_the_queue_in_their_order,
	    places_in_flight_are_used_and_never_exceeded,
	    a_full_queue_says_busy,
	    no_queue_means_that_only_free_places_are_taken,
	    a_call_that_gets_no_place_before_its_deadline_is_busy,
	    a_call_that_comes_back_goes_before_newer_ones,
	    a_call_that_cannot_come_back_keeps_what_it_was_answered,
	    NULL,
	};

	return unit_suite("upstream limits", tests);
}
