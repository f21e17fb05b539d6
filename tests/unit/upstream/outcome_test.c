#include "config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "call_bench.h"
#include "unit.h"
#include "upstream_suites.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

START_TEST(a_whole_answer_is_handed_over)
{
	static const struct {
		const char *bytes;
		int status;
		const char *body;
	} cases[] = {
	    {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}", 200, "{\"a\":1}"},
	    {"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n",
	        201, "{\"a\":1}"},
	    {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
	    {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", 404, "{}"},
	    {"HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n", 422, ""},
	    {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\n\r\n"
	     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\n{}", 200, "{}"},
	    {"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: x\r\n\r\n",
	        200, "{}"},
	};
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct upstream_request q = bench_post(&b);

		fake_server_push(b.server, &(struct fake_step){.bytes = cases[i].bytes});
		bench_run(&b, &c, &q);
		ck_assert_msg(c.answer.outcome == UPSTREAM_ANSWER, "case %zu: %d", i, c.answer.outcome);
		ck_assert_int_eq(c.answer.status, cases[i].status);
		ck_assert_str_eq(c.body, cases[i].body);
		ck_assert(c.answer.maybe_received);
		ck_assert_int_eq(c.answer.retry_after, -1);
		ck_assert_uint_eq(c.answer.tries, 1);
		bench_forget(&c);
	}
	ck_assert_uint_eq(fake_server_connections(b.server), 1);
	bench_close(&b);
}
END_TEST

START_TEST(an_answer_on_a_connection_that_then_closes_is_whole_too)
{
	static const char *const answers[] = {
	    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
	    "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 2\r\n\r\n{}",
	    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
	    "HTTP/1.1 200 OK\r\n\r\n{}",
	    "HTTP/1.0 200 OK\r\n\r\n{}",
	};
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct upstream_request q = bench_post(&b);

		fake_server_push(b.server,
		    &(struct fake_step){.bytes = answers[i], .then = FAKE_CLOSE});
		bench_run(&b, &c, &q);
		ck_assert_msg(c.answer.outcome == UPSTREAM_ANSWER, "case %zu: %d", i, c.answer.outcome);
		ck_assert_str_eq(c.body, "{}");
		bench_forget(&c);
	}
	bench_close(&b);
}
END_TEST

START_TEST(half_answers_are_broken)
{
	static const struct {
		const char *bytes;
		enum fake_then then;
	} cases[] = {
	    {NULL, FAKE_CLOSE},
	    {NULL, FAKE_RESET},
	    {"HTTP/1.1 200 OK\r\nContent-Le", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\"", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\"", FAKE_RESET},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\"", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n", FAKE_KEEP},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}}}0\r\n\r\n", FAKE_KEEP},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n{}", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}}}}", FAKE_KEEP},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}}}}", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 2, 4\r\n\r\n{}{}", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}", FAKE_CLOSE},
	    {"HTTP/1.1 103 Early Hints\r\n\r\n"
	     "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n{}", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", FAKE_CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", FAKE_KEEP},
	    {"HTTP/1.1 100 Continue\r\n\r\n", FAKE_CLOSE},
	    {"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\n{}", FAKE_KEEP},
	    {"HTTP/1.1 000 Odd\r\nContent-Length: 2\r\n\r\n{}", FAKE_CLOSE},
	    {"HTTP/1.1 abc\r\nContent-Length: 2\r\n\r\n{}", FAKE_CLOSE},
	    {"{\"a\":1}", FAKE_CLOSE},
	    {"<html>no</html>\r\n\r\n", FAKE_CLOSE},
	    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 garbage \r\n\r\n", FAKE_CLOSE},
	    {"SSH-2.0-OpenSSH_9.2\r\n", FAKE_CLOSE},
	};
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	b.config.first_byte_ms = b.config.total_ms = 2000;
	b.config.retries = 1;
	for (size_t n = 0; n < 3 * (sizeof cases / sizeof *cases); n++) {
		struct upstream_request q = n % 3 == 0 ? bench_get(&b) : bench_post(&b);
		size_t i = n / 3;

		if (n % 3 == 2) {
			q.method = "PUT";
			q.repeat = UPSTREAM_SAFE;
		}
		bench_client(&b); /* with a closed breaker */
		fake_server_push(b.server, &(struct fake_step){.bytes = cases[i].bytes,
		    .then = cases[i].then});
		bench_run(&b, &c, &q);
		ck_assert_msg(c.answer.outcome == UPSTREAM_BROKEN, "case %zu: outcome %d, status %d, %s", i,
		    c.answer.outcome, c.answer.status, c.body);
		ck_assert_str_eq(c.body, "");
		ck_assert(c.answer.maybe_received);
		ck_assert_uint_eq(c.answer.tries, 1);
		bench_forget(&c);
		upstream_free(b.client);
		b.client = NULL;
	}
	bench_close(&b);
}
END_TEST

START_TEST(a_head_without_end_is_cut_off)
{
	struct buf head = {0};
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	buf_adds(&head, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 3000; i++)
		buf_addf(&head, "X-Filler-%d: aaaaaaaaaaaaaaaaaaaaaaaaa\r\n", i);
	fake_server_push(b.server, &(struct fake_step){.bytes = head.data});
	q = bench_post(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_BROKEN);
	bench_forget(&c);
	buf_free(&head);
	bench_close(&b);
}
END_TEST

START_TEST(an_answer_beyond_the_limit_is_cut_off_as_soon_as_it_shows)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	b.config.max_answer = 10;
	bench_client(&b);
	q = bench_get(&b);
	fake_server_answer(b.server, 200, NULL, "0123456789");
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
	ck_assert_str_eq(c.body, "0123456789");
	bench_forget(&c);
	/* a length beyond the limit: not a byte of the body is waited for */
	fake_server_push(b.server, &(struct fake_step){
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"});
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_TOO_LARGE);
	ck_assert_uint_eq(c.answer.tries, 1);
	ck_assert(c.answer.maybe_received);
	ck_assert_str_eq(c.body, "");
	bench_forget(&c);
	fake_server_push(b.server, &(struct fake_step){
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\n{}"});
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_TOO_LARGE);
	bench_forget(&c);
	/* no length: the bytes that arrive are counted */
	fake_server_push(b.server, &(struct fake_step){
	    .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n"});
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_TOO_LARGE);
	bench_forget(&c);
	/* a call may have its own limit */
	q.max_answer = 11;
	fake_server_answer(b.server, 200, NULL, "01234567890");
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(a_large_answer_arrives_whole)
{
	struct buf body = {0};
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	while (body.len < 300000)
		buf_addf(&body, "line %zu of a long answer\n", body.len);
	q = bench_get(&b);
	fake_server_answer(b.server, 200, NULL, body.data);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
	ck_assert_str_eq(c.body, body.data);
	bench_forget(&c);
	buf_free(&body);
	bench_close(&b);
}
END_TEST

START_TEST(an_answer_in_single_bytes_arrives_whole)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_get(&b);
	fake_server_push(b.server, &(struct fake_step){.drip_ms = 1,
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}"});
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
	ck_assert_str_eq(c.body, "{\"a\":1}");
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(a_late_first_byte_is_a_timeout)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	int64_t begun, took;

	bench_open(&b, false);
	b.config.first_byte_ms = 600;
	bench_client(&b);
	q = bench_post(&b);
	fake_server_push(b.server, &(struct fake_step){.after_ms = 5000});
	begun = loop_now(b.loop);
	bench_run(&b, &c, &q);
	took = loop_now(b.loop) - begun;
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_TIMEOUT);
	ck_assert(c.answer.maybe_received);
	ck_assert_uint_eq(c.answer.tries, 1);
	ck_assert_int_ge(took, 595);
	ck_assert_int_lt(took, 2000);
	bench_forget(&c);
	/* once a line has come, only the total counts */
	q = bench_post(&b);
	fake_server_push(b.server, &(struct fake_step){.drip_ms = 14,
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}"});
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(a_dripping_answer_ends_at_the_total)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	int64_t begun;

	bench_open(&b, false);
	b.config.total_ms = 150;
	bench_client(&b);
	q = bench_get(&b);
	fake_server_push(b.server, &(struct fake_step){.drip_ms = 10,
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n0123456789012345678901234567890"});
	begun = loop_now(b.loop);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_TIMEOUT);
	ck_assert_uint_eq(c.answer.tries, 1); /* the total is not tried again */
	ck_assert_int_ge(loop_now(b.loop) - begun, 145);
	ck_assert_uint_lt(bench_spins(&b), 20); /* bytes that still drip, but no spinning */
	ck_assert_str_eq(c.body, "");
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

/* A loopback socket that is bound, and listens if asked to; its URL in `url`. */
static int
deaf_socket(char url[64], bool listening)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	if (listening)
		ck_assert_int_eq(listen(fd, 0), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(url, 64, "http://127.0.0.1:%d", ntohs(a.sin_port));
	if (listening) { /* fills the queue of the kernel: later ones get no answer */
		for (int i = 0; i < 2; i++) {
			int filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

			(void)connect(filler, (struct sockaddr *)&a, sizeof a);
		}
	}
	return fd;
}

START_TEST(a_refused_connection_sends_nothing)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	char url[64];
	int fd = deaf_socket(url, false);

	bench_open(&b, false);
	b.config.url = url;
	bench_client(&b);
	q = bench_post(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_NO_CONNECT);
	ck_assert(!c.answer.maybe_received);
	ck_assert_uint_eq(c.answer.tries, 3); /* provably nothing sent: a create may be repeated */
	bench_forget(&c);
	close(fd);
	bench_close(&b);
}
END_TEST

START_TEST(a_connection_that_takes_too_long_is_a_timeout_that_sent_nothing)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	char url[64];
	int fd = deaf_socket(url, true);
	int64_t begun;

	bench_open(&b, false);
	b.config.url = url;
	b.config.connect_ms = 60;
	b.config.retries = 2;
	bench_client(&b);
	q = bench_post(&b);
	begun = loop_now(b.loop);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_TIMEOUT);
	ck_assert(!c.answer.maybe_received);
	ck_assert_uint_eq(c.answer.tries, 2);
	ck_assert_int_ge(loop_now(b.loop) - begun, 110);
	ck_assert_uint_lt(bench_spins(&b), 5);
	ck_assert_int_lt(loop_now(b.loop) - begun, 2000);
	bench_forget(&c);
	close(fd);
	bench_close(&b);
}
END_TEST

START_TEST(a_reset_before_anything_is_read_is_never_an_answer)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_post(&b);
	for (int i = 0; i < 3; i++)
		fake_server_push(b.server,
		    &(struct fake_step){.when = FAKE_ACCEPT, .then = FAKE_RESET});
	bench_run(&b, &c, &q);
	ck_assert(c.answer.outcome == UPSTREAM_BROKEN || c.answer.outcome == UPSTREAM_NO_CONNECT);
	if (c.answer.maybe_received)
		ck_assert_uint_lt(c.answer.tries, 4);
	ck_assert_uint_eq(fake_server_requests(b.server), 0);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(an_early_refusal_of_a_large_body_is_an_answer)
{
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	bench_run_refused(&b, &c);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

/* All tests of this file. */
Suite *
outcome_suite(void)
{
	const TTest *const tests[] = {
	    a_whole_answer_is_handed_over,
	    an_answer_on_a_connection_that_then_closes_is_whole_too,
	    half_answers_are_broken,
	    a_head_without_end_is_cut_off,
	    an_answer_beyond_the_limit_is_cut_off_as_soon_as_it_shows,
	    a_large_answer_arrives_whole,
	    an_answer_in_single_bytes_arrives_whole,
	    a_late_first_byte_is_a_timeout,
	    a_dripping_answer_ends_at_the_total,
	    a_refused_connection_sends_nothing,
	    a_connection_that_takes_too_long_is_a_timeout_that_sent_nothing,
	    a_reset_before_anything_is_read_is_never_an_answer,
	    an_early_refusal_of_a_large_body_is_an_answer,
	    NULL,
	};

	return unit_suite("upstream outcomes", tests);
}
