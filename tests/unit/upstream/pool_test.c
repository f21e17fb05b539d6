#include "config.h"

#include "base/buf.h"
#include "call_bench.h"
#include "unit.h"
#include "upstream/curl_loop.h"
#include "upstream_suites.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs one call that must be answered at once. */
static void
ask(struct bench *b, const struct upstream_request *q)
{
	struct bench_call c;

	bench_run(b, &c, q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
	ck_assert_int_eq(c.answer.status, 200);
	ck_assert_uint_eq(c.answer.tries, 1);
	bench_forget(&c);
}

/* How many descriptors this process has. */
static int
descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

START_TEST(idle_connections_close_by_themselves)
{
	struct upstream_request q;
	struct bench_call c[3];
	struct bench b;

	bench_open(&b, true);
	bench_client(&b);
	q = bench_get(&b);
	for (int i = 0; i < 3; i++)
		bench_start(&b, &c[i], &q);
	bench_until(&b, b.answered == 3);
	for (int i = 0; i < 3; i++)
		bench_forget(&c[i]);
	loop_fake_advance(b.loop, 20000);
	q = bench_get(&b);
	ask(&b, &q);
	loop_fake_advance(b.loop, CURL_LOOP_MAX_IDLE_S * 1000 - 20000);
	bench_until(&b, fake_server_open(b.server) == 1); /* the one that was used since */
	loop_fake_advance(b.loop, 19999);
	bench_settle(&b);
	ck_assert_uint_eq(fake_server_open(b.server), 1);
	loop_fake_advance(b.loop, 1);
	bench_until(&b, fake_server_open(b.server) == 0);
	bench_close(&b);
}
END_TEST

START_TEST(no_connection_lives_for_ever)
{
	struct upstream_request q;
	struct bench b;

	bench_open(&b, true);
	bench_client(&b);
	for (int64_t age = 0; age <= CURL_LOOP_MAX_LIFE_S; age += 30) {
		q = bench_get(&b);
		ask(&b, &q);
		ck_assert_uint_eq(fake_server_connections(b.server), age < CURL_LOOP_MAX_LIFE_S ? 1 : 2);
		loop_fake_advance(b.loop, 30000);
	}
	bench_close(&b);
}
END_TEST

START_TEST(a_try_that_nothing_comes_after_looks_before_it_leaps)
{
	struct upstream_request q;
	struct bench b;

	bench_open(&b, false);
	b.config.retries = 1;
	bench_client(&b);
	for (unsigned i = 0; i < 6; i++) {
		q = i % 2 ? bench_post(&b) : bench_get(&b);
		ask(&b, &q);
		ck_assert_uint_eq(fake_server_connections(b.server), i + 1);
		fake_server_hang_up(b.server); /* the loop does not turn before the next call */
	}
	bench_close(&b);
}
END_TEST

START_TEST(a_safe_try_that_meets_a_closed_connection_goes_again)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, true); /* time stands still: no back-off ends */
	bench_client(&b);
	q = bench_get(&b);
	ask(&b, &q);
	fake_server_hang_up(b.server);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.status, 200);
	ck_assert_uint_le(c.answer.tries, 2);
	ck_assert_uint_eq(fake_server_requests(b.server), 2);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(what_came_since_the_last_answer_is_no_answer)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	for (unsigned i = 0; i < 6; i++) {
		q = i % 2 ? bench_post(&b) : bench_get(&b);
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.status, 200);
		ck_assert_str_eq(c.body, "{\"ok\":true}");
		ck_assert_uint_eq(c.answer.tries, 1);
		ck_assert_uint_eq(fake_server_connections(b.server), i + 1);
		bench_forget(&c);
		/* the loop does not turn before the next call */
		fake_server_say(b.server, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
	}
	bench_close(&b);
}
END_TEST

START_TEST(what_comes_before_the_request_is_no_answer)
{
	static const char early[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	for (int i = 0; i < 2; i++) {
		bench_open(&b, false);
		b.config.retries = 1;
		bench_client(&b);
		fake_server_push(b.server, &(struct fake_step){.when = FAKE_ACCEPT, .bytes = i == 0 ? early : NULL,
		    .then = FAKE_CLOSE});
		q = bench_post(&b);
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_BROKEN);
		ck_assert(!c.answer.maybe_received);
		ck_assert_uint_eq(fake_server_requests(b.server), 0);
		bench_forget(&c);
		bench_close(&b);
	}
}
END_TEST

START_TEST(a_connection_that_owes_half_a_request_carries_no_other)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	bench_run_refused(&b, &c);
	bench_forget(&c);
	q = bench_get(&b);
	ask(&b, &q);
	ck_assert_uint_eq(fake_server_request_peer(b.server, 1), 2);
	bench_close(&b);
}
END_TEST

/* How long a head is that announces so many bytes. */
static size_t
head_of(char head[64], size_t len)
{
	return (size_t)snprintf(head, 64, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
}

START_TEST(what_lies_behind_an_answer_is_no_answer_to_what_is_asked_next)
{
	static const char stray[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\"bad\"";
	const size_t pieces[] = {32768, 65536}; /* as much as is read at a time, or as often */
	struct upstream_request q;
	struct bench_call c;
	struct buf bytes;
	struct bench b;
	char head[64];

	bench_open(&b, false);
	bench_client(&b);
	q = bench_get(&b);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		size_t len = pieces[i] - head_of(head, 10000);
		char *text = bench_text(len);

		buf_init(&bytes, 0);
		buf_add(&bytes, head, head_of(head, len));
		buf_adds(&bytes, text);
		ck_assert_uint_eq(bytes.len, pieces[i]);
		buf_adds(&bytes, stray);
		q.fresh_connection = true;
		fake_server_push(b.server, &(struct fake_step){.bytes = bytes.data});
		bench_run(&b, &c, &q);
		ck_assert_str_eq(c.body, text);
		bench_forget(&c);
		q.fresh_connection = false;
		bench_run(&b, &c, &q); /* the loop has not turned since */
		ck_assert_str_eq(c.body, "{\"ok\":true}");
		bench_forget(&c);
		buf_free(&bytes);
		free(text);
	}
	bench_close(&b);
}
END_TEST

START_TEST(connections_leave_no_descriptor_behind)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	int before;

	bench_open(&b, false);
	before = descriptors();
	for (int i = 0; i < 20; i++) {
		bench_client(&b);
		q = bench_get(&b);
		q.fresh_connection = true;
		ask(&b, &q);
		ask(&b, &q);
		bench_start(&b, &c, &q);
		if (i % 2 == 0)
			upstream_cancel(c.call); /* while it connects */
		upstream_free(b.client);
		b.client = NULL;
		bench_until(&b, fake_server_open(b.server) == 0);
	}
	ck_assert_int_eq(descriptors(), before);
	bench_close(&b);
}
END_TEST

/* All tests of this file. */
Suite *
pool_suite(void)
{
	const TTest *const tests[] = {
	    idle_connections_close_by_themselves,
	    no_connection_lives_for_ever,
	    a_try_that_nothing_comes_after_looks_before_it_leaps,
	    a_safe_try_that_meets_a_closed_connection_goes_again,
	    what_came_since_the_last_answer_is_no_answer,
	    what_comes_before_the_request_is_no_answer,
	    a_connection_that_owes_half_a_request_carries_no_other,
	    what_lies_behind_an_answer_is_no_answer_to_what_is_asked_next,
	    connections_leave_no_descriptor_behind,
	    NULL,
	};

	return unit_suite("upstream pool", tests);
}
