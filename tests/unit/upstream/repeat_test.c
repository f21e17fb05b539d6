#include "config.h"

#include "call_bench.h"
#include "unit.h"
#include "upstream/breaker.h"
#include "upstream_suites.h"

#include <stdio.h>
#include <string.h>


/* Scripts n answers of this status. */
static void
script_status(struct bench *b, unsigned n, int status)
{
	while (n-- > 0)
		fake_server_answer(b->server, status, NULL, "{}");
}

START_TEST(a_safe_call_is_tried_again_until_it_is_answered)
{
	static const int passing[] = {500, 502, 503, 504, 429};
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	unsigned before;

	bench_open(&b, false);
	bench_client(&b);
	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
		q = bench_get(&b);
		q.method = i % 2 ? "PUT" : "DELETE";
		q.body = i % 2 ? "{}" : NULL;
		q.body_len = i % 2 ? 2 : 0;
		before = fake_server_requests(b.server);
		script_status(&b, 2, passing[i]);
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
		ck_assert_int_eq(c.answer.status, 200);
		ck_assert_str_eq(c.body, "{\"ok\":true}");
		ck_assert_uint_eq(c.answer.tries, 3);
		ck_assert_uint_eq(fake_server_requests(b.server) - before, 3);
		bench_forget(&c);
	}
	bench_close(&b);
}
END_TEST

START_TEST(the_last_answer_stands_when_the_tries_are_used_up)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_get(&b);
	script_status(&b, 2, 500);
	fake_server_answer(b.server, 503, "Retry-After: 7\r\n", "{\"detail\":\"later\"}");
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
	ck_assert_int_eq(c.answer.status, 503);
	ck_assert_int_eq(c.answer.retry_after, 7000);
	ck_assert_str_eq(c.body, "{\"detail\":\"later\"}");
	ck_assert_uint_eq(c.answer.tries, 3);
	ck_assert_uint_eq(fake_server_requests(b.server), 3);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(a_safe_call_is_tried_again_after_a_broken_one)
{
	static const struct fake_step broken[] = {
	    {.then = FAKE_CLOSE},
	    {.then = FAKE_RESET},
	    {.bytes = "garbage\r\n\r\n", .then = FAKE_CLOSE},
	    {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", .then = FAKE_CLOSE},
	    {.when = FAKE_ACCEPT, .then = FAKE_RESET},
	    {.after_ms = 5000},
	};
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	b.config.first_byte_ms = 250;
	bench_client(&b);
	q = bench_get(&b);
	q.fresh_connection = true;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		fake_server_push(b.server, &broken[i]);
		bench_run(&b, &c, &q);
		ck_assert_msg(c.answer.outcome == UPSTREAM_ANSWER, "case %zu: %d", i, c.answer.outcome);
		ck_assert_int_eq(c.answer.status, 200);
		ck_assert_uint_eq(c.answer.tries, 2);
		bench_forget(&c);
	}
	bench_close(&b);
}
END_TEST

START_TEST(a_create_that_may_have_been_received_is_sent_once)
{
	static const struct fake_step unclear[] = {
	    {.then = FAKE_CLOSE},
	    {.then = FAKE_RESET},
	    {.bytes = "garbage\r\n\r\n", .then = FAKE_CLOSE},
	    {.bytes = "HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{", .then = FAKE_CLOSE},
	    {.bytes = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"},
	    {.bytes = "HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n"},
	    {.bytes = "HTTP/1.1 503 No\r\nContent-Length: 0\r\nRetry-After: 0\r\n\r\n"},
	    {.bytes = "HTTP/1.1 504 No\r\nContent-Length: 0\r\n\r\n"},
	    {.after_ms = 5000},
	};
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	b.config.first_byte_ms = 250;
	for (size_t i = 0; i < sizeof unclear / sizeof *unclear; i++) {
		unsigned before = fake_server_requests(b.server);

		bench_client(&b);
		q = bench_post(&b);
		fake_server_push(b.server, &unclear[i]);
		bench_run(&b, &c, &q);
		bench_settle(&b);
		ck_assert_msg(c.answer.tries == 1, "case %zu: %u tries", i, c.answer.tries);
		ck_assert(c.answer.maybe_received);
		ck_assert_uint_eq(fake_server_requests(b.server) - before, 1);
		bench_forget(&c);
		upstream_free(b.client);
		b.client = NULL;
	}
	bench_close(&b);
}
END_TEST

START_TEST(a_create_refused_with_429_is_sent_again)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_post(&b);
	script_status(&b, 1, 429);
	fake_server_answer(b.server, 201, NULL, "{\"id\":1}");
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.status, 201);
	ck_assert_uint_eq(c.answer.tries, 2);
	ck_assert(c.answer.maybe_received);
	bench_forget(&c);
	script_status(&b, 3, 429);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
	ck_assert_int_eq(c.answer.status, 429);
	ck_assert(!c.answer.maybe_received); /* all refused */
	bench_forget(&c);
	/* an unclear try stays unclear, whatever comes after it */
	q = bench_get(&b);
	q.method = "DELETE";
	fake_server_push(b.server, &(struct fake_step){.then = FAKE_RESET});
	script_status(&b, 2, 429);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.status, 429);
	ck_assert(c.answer.maybe_received);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

/* Makes n kept-alive connections. */
static void
warm_up(struct bench *b, unsigned n)
{
	struct upstream_request q = bench_get(b);
	struct bench_call c[16];
	unsigned before = b->answered;

	for (unsigned i = 0; i < n; i++)
		bench_start(b, &c[i], &q);
	bench_until(b, b->answered == before + n);
	for (unsigned i = 0; i < n; i++)
		bench_forget(&c[i]);
	ck_assert_uint_eq(fake_server_open(b->server), n);
}

/* One call over a kept-alive connection that dies as `how` says once it has
 * carried the request; n such connections are there. */
static void
on_a_dying_connection(struct bench *b, struct bench_call *c, struct upstream_request q,
    struct fake_step how, unsigned n)
{
	warm_up(b, n);
	fake_server_push(b->server, &how);
	bench_run(b, c, &q);
	bench_settle(b);
	ck_assert_uint_eq(fake_server_connections(b->server) - n, c->answer.tries - 1);
}

START_TEST(a_create_on_a_dying_kept_connection_arrives_exactly_once)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	for (int round = 0; round < 8; round++) { /* the last four with a second connection at hand */
		bench_open(&b, false);
		bench_client(&b);
		q = bench_post(&b);
		if (round % 4 >= 2) { /* without a body there is nothing to rewind */
			q.body = NULL;
			q.body_len = 0;
		}
		on_a_dying_connection(&b, &c, q, (struct fake_step){
		    .then = round % 2 ? FAKE_RESET : FAKE_CLOSE}, 1 + (unsigned)round / 4);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_BROKEN);
		ck_assert(c.answer.maybe_received);
		ck_assert_uint_eq(c.answer.tries, 1);
		ck_assert_uint_eq(fake_server_requests(b.server), 2 + (unsigned)round / 4);
		bench_forget(&c);
		bench_close(&b);
	}
}
END_TEST

START_TEST(a_safe_call_on_a_dying_kept_connection_goes_to_a_fresh_one_at_once)
{
	struct upstream_request q;
	struct upstream_counts n;
	struct bench_call c;
	struct bench b;

	for (int round = 0; round < 4; round++) {
		bench_open(&b, true); /* time stands still: no back-off ends */
		bench_client(&b);
		q = round < 2 ? bench_get(&b) : bench_post(&b);
		q.method = round < 2 ? "GET" : "PUT";
		q.repeat = UPSTREAM_SAFE;
		on_a_dying_connection(&b, &c, q, (struct fake_step){
		    .then = round % 2 ? FAKE_RESET : FAKE_CLOSE}, 2);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
		ck_assert_uint_eq(c.answer.tries, 2);
		ck_assert_uint_eq(fake_server_requests(b.server), 4);
		ck_assert_uint_eq(fake_server_request_peer(b.server, 3), 3);
		upstream_counts(b.client, &n);
		ck_assert_uint_eq(n.tries, 4); /* every request on the wire is counted */
		bench_forget(&c);
		bench_close(&b);
	}
}
END_TEST

START_TEST(dying_kept_connections_do_not_open_the_breaker)
{
	struct upstream_request q;
	struct upstream_counts n;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	warm_up(&b, BREAKER_ROW + 2);
	for (int i = 0; i < BREAKER_ROW + 2; i++) { /* libcurl looks at a second connection each time, and drops it */
		q = bench_post(&b);
		fake_server_push(b.server, &(struct fake_step){.then = FAKE_CLOSE});
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_BROKEN);
		ck_assert(c.answer.maybe_received);
		ck_assert_uint_eq(c.answer.tries, 1);
		ck_assert_uint_eq(fake_server_requests(b.server), BREAKER_ROW + 3 + (unsigned)i);
		bench_forget(&c);
	}
	upstream_counts(b.client, &n);
	ck_assert_int_eq(n.breaker, UPSTREAM_BREAKER_CLOSED);
	bench_close(&b);
}
END_TEST

START_TEST(retry_after_in_seconds_is_waited_for)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, true);
	bench_client(&b);
	q = bench_get(&b);
	fake_server_answer(b.server, 429, "Retry-After: 2\r\n", "{}");
	bench_start(&b, &c, &q);
	bench_until(&b, fake_server_requests(b.server) == 1);
	bench_settle(&b);
	loop_fake_advance(b.loop, 1999);
	bench_settle(&b);
	ck_assert_uint_eq(fake_server_requests(b.server), 1);
	loop_fake_advance(b.loop, JITTER_MAX);
	bench_until(&b, c.callbacks == 1);
	ck_assert_int_eq(c.answer.status, 200);
	ck_assert_uint_eq(c.answer.tries, 2);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(retry_after_as_a_date_is_waited_for)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, true); /* it is 2026-01-28T10:00:00Z */
	bench_client(&b);
	q = bench_post(&b);
	fake_server_answer(b.server, 429, "Retry-After: Wed, 28 Jan 2026 10:00:03 GMT\r\n", "{}");
	bench_start(&b, &c, &q);
	bench_until(&b, fake_server_requests(b.server) == 1);
	bench_settle(&b);
	loop_fake_advance(b.loop, 2999);
	bench_settle(&b);
	ck_assert_uint_eq(fake_server_requests(b.server), 1);
	loop_fake_advance(b.loop, JITTER_MAX);
	bench_until(&b, c.callbacks == 1);
	ck_assert_int_eq(c.answer.status, 200);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(retry_after_beyond_the_deadline_fails_at_once)
{
	static const char *const fields[] = {"Retry-After: 5\r\n", "Retry-After: 86400\r\n",
	    "Retry-After: Wed, 28 Jan 2026 10:00:05 GMT\r\n"};
	static const int64_t said[] = {5000, 86400000, 5000};
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, true);
	bench_client(&b);
	for (int i = 0; i < 6; i++) {
		q = i % 2 ? bench_get(&b) : bench_post(&b); /* 5 s left, and time stands still */
		fake_server_answer(b.server, i < 3 ? 429 : 503, fields[i % 3], "{\"detail\":\"slow\"}");
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
		ck_assert_int_eq(c.answer.status, i < 3 ? 429 : 503);
		ck_assert_int_eq(c.answer.retry_after, said[i % 3]);
		ck_assert_str_eq(c.body, "{\"detail\":\"slow\"}");
		ck_assert_uint_eq(c.answer.tries, 1);
		bench_forget(&c);
	}
	bench_close(&b);
}
END_TEST

START_TEST(no_try_begins_when_the_back_off_reaches_the_deadline)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, true);
	b.config.first_byte_ms = b.config.total_ms = 60000;
	bench_client(&b);
	q = bench_get(&b);
	fake_server_push(b.server, &(struct fake_step){.after_ms = 4995, /* of 5000 */
	    .bytes = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"});
	bench_start(&b, &c, &q);
	bench_until(&b, fake_server_requests(b.server) == 1);
	loop_fake_advance(b.loop, 4995);
	bench_until(&b, c.callbacks == 1);
	ck_assert_int_eq(c.answer.status, 503);
	ck_assert_uint_eq(c.answer.tries, 1);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(one_try_means_one)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	for (unsigned retries = 0; retries < 2; retries++) {
		bench_open(&b, false);
		b.config.retries = retries;
		bench_client(&b);
		q = bench_get(&b);
		script_status(&b, 1, 503);
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.status, 503);
		ck_assert_uint_eq(c.answer.tries, 1);
		bench_forget(&c);
		bench_close(&b);
	}
}
END_TEST

/* All tests of this file. */
Suite *
repeat_suite(void)
{
	const TTest *const tests[] = {
	    a_safe_call_is_tried_again_until_it_is_answered,
	    the_last_answer_stands_when_the_tries_are_used_up,
	    a_safe_call_is_tried_again_after_a_broken_one,
	    a_create_that_may_have_been_received_is_sent_once,
	    a_create_refused_with_429_is_sent_again,
	    a_create_on_a_dying_kept_connection_arrives_exactly_once,
	    a_safe_call_on_a_dying_kept_connection_goes_to_a_fresh_one_at_once,
	    dying_kept_connections_do_not_open_the_breaker,
	    retry_after_in_seconds_is_waited_for,
	    retry_after_as_a_date_is_waited_for,
	    retry_after_beyond_the_deadline_fails_at_once,
	    no_try_begins_when_the_back_off_reaches_the_deadline,
	    one_try_means_one,
	    NULL,
	};

	return unit_suite("upstream repeats", tests);
}
