#include "config.h"

#include "unit.h"
#include "upstream/http1_answer.h"
#include "upstream_suites.h"

#include <string.h>

#define OK11 "HTTP/1.1 200 OK\r\n"
#define BODY_MAX 20 /* bytes of a body that are allowed */

/* An answer, and what is to come of it. */
struct reading {
	const char *bytes;
	enum http1_read read;
	int status;
	const char *body;
	bool keeps;
};

/* Feeds it in two pieces and in single bytes, with the connection's end after it. */
static void
expect(const struct reading *c, size_t first, size_t step)
{
	size_t size = strlen(c->bytes), n = first;
	enum http1_read read = HTTP1_READ_MORE;
	struct http1_answer a;

	http1_answer_init(&a, BODY_MAX);
	for (size_t at = 0; at < size && (read == HTTP1_READ_MORE || read == HTTP1_READ_WHOLE); at += n, n = step) {
		if (n > size - at)
			n = size - at;
		if (n > 0)
			read = http1_answer_feed(&a, c->bytes + at, n);
	}
	if (read == HTTP1_READ_MORE)
		read = http1_answer_end(&a);
	ck_assert_msg(read == c->read, "%s: read %d, cut at %zu", c->bytes, (int)read, first);
	if (read == HTTP1_READ_BAD)
		ck_assert_ptr_nonnull(a.why);
	if (read == HTTP1_READ_WHOLE) {
		ck_assert_int_eq(a.head.status, c->status);
		ck_assert_str_eq(a.body.data != NULL ? a.body.data : "", c->body);
		ck_assert_uint_eq(a.body.len, strlen(c->body));
		ck_assert_msg(http1_answer_keeps(&a) == c->keeps, "%s: cut at %zu", c->bytes, first);
	}
	http1_answer_free(&a);
}

START_TEST(answers_end_where_they_say_however_they_are_cut)
{
	static const struct reading cases[] = {
	    {OK11 "Content-Length: 7\r\n\r\n{\"a\":1}", HTTP1_READ_WHOLE, 200, "{\"a\":1}", true},
	    {OK11 "Content-Length: 0\r\n\r\n", HTTP1_READ_WHOLE, 200, "", true},
	    {OK11 "content-length:2\r\n\r\n{}", HTTP1_READ_WHOLE, 200, "{}", true},
	    {"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", HTTP1_READ_WHOLE, 200, "{}", true},
	    {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", HTTP1_READ_WHOLE, 200, "{}", false},
	    {OK11 "Connection: a, Close\r\nContent-Length: 2\r\n\r\n{}", HTTP1_READ_WHOLE, 200, "{}", false},
	    {OK11 "\r\n{}", HTTP1_READ_WHOLE, 200, "{}", false},
	    {OK11 "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;a=b\r\n}\r\n0\r\nX: y\r\n\r\n",
	        HTTP1_READ_WHOLE, 200, "{}", true},
	    {OK11 "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	        HTTP1_READ_WHOLE, 200, "{}", false},
	    {OK11 "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n{}", HTTP1_READ_WHOLE, 200, "{}", false},
	    {"HTTP/1.1 204 No\r\n\r\n", HTTP1_READ_WHOLE, 204, "", true},
	    {"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n{}", HTTP1_READ_WHOLE, 204, "", false},
	    {"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n", HTTP1_READ_WHOLE, 204, "", false},
	    {"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_READ_WHOLE, 204, "", false},
	    {"HTTP/1.1 304 No\r\nContent-Length: 99\r\n\r\n", HTTP1_READ_WHOLE, 304, "", true},
	    {"HTTP/1.1 100 Go\r\nA: b\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n{}",
	        HTTP1_READ_WHOLE, 404, "{}", true},
	    {OK11 "Content-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}", HTTP1_READ_WHOLE, 200, "{}", true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t first = 0; first <= strlen(cases[i].bytes); first++)
			expect(&cases[i], first, strlen(cases[i].bytes));
		expect(&cases[i], 0, 1);
	}
}
END_TEST

START_TEST(what_is_no_answer_or_half_of_one_is_refused)
{
	static const struct reading cases[] = {
	    {"", HTTP1_READ_BAD, 0, NULL, false},
	    {"\r\n" OK11 "Content-Length: 0\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/1.1 2000 OK\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/1.1 200OK\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/1.1 200\tOK\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/1.1 200 O\001K\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/1.1 200 O\rK\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/1.1  200 OK\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/1.10 200 OK\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/2 200\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"http/1.1 200 OK\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/1.1 600 OK\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/1.1 100 Go\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Content-Length: 0\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Content-Length: 3\r\n\r\n{}", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Content-Length: 2\r\n\r\n{}{", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Content-Length: 0\r\n\r\n{", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Content-Length: +2\r\n\r\n{}", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Content-Length: 2 \r\n 3\r\n\r\n{}", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Content-Length : 2\r\n\r\n{}", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "no field\r\nContent-Length: 2\r\n\r\n{}", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "X: a\001b\r\nContent-Length: 2\r\n\r\n{}", HTTP1_READ_BAD, 0, NULL, false},
	    {"HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\n{}", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Content-Length: 2\n\r\n{}", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", HTTP1_READ_BAD, 0, NULL, false},
	    {OK11 "Content-Length: 21\r\n\r\n", HTTP1_READ_TOO_LARGE, 0, NULL, false},
	    {OK11 "Content-Length: 99999999999999999999\r\n\r\n", HTTP1_READ_TOO_LARGE, 0, NULL, false},
	    {OK11 "\r\n012345678901234567890", HTTP1_READ_TOO_LARGE, 0, NULL, false},
	    {OK11 "Transfer-Encoding: chunked\r\n\r\n15\r\n012345678901234567890\r\n0\r\n\r\n",
	        HTTP1_READ_TOO_LARGE, 0, NULL, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t first = 0; first <= strlen(cases[i].bytes); first++)
			expect(&cases[i], first, strlen(cases[i].bytes) + 1);
		expect(&cases[i], 0, 1);
	}
}
END_TEST

START_TEST(heads_are_bounded)
{
	static char filler[2000];
	enum http1_read read = HTTP1_READ_MORE;
	struct http1_answer a;
	size_t fed = 0;

	memset(filler, 'x', sizeof filler);
	memcpy(filler, "X: ", 3);
	for (int interim = 0; interim < 3; interim++) { /* long lines, many lines, many interim answers */
		memcpy(filler + sizeof filler - 2, interim == 0 ? "xx" : "\r\n", 2);
		http1_answer_init(&a, BODY_MAX);
		read = http1_answer_feed(&a, interim == 2 ? "HTTP/1.1 100 Go\r\n" : OK11, 17);
		for (fed = 17; read == HTTP1_READ_MORE; fed += sizeof filler) {
			ck_assert_uint_le(fed, ANSWER_HEAD_MAX + sizeof filler);
			read = http1_answer_feed(&a, filler, sizeof filler);
			if (interim == 2 && read == HTTP1_READ_MORE)
				read = http1_answer_feed(&a, "\r\nHTTP/1.1 100 Go\r\n", 19);
		}
		ck_assert_int_eq(read, HTTP1_READ_BAD);
		ck_assert_str_eq(a.why, "the answer's head is too large");
		http1_answer_free(&a);
	}
}
END_TEST

START_TEST(a_time_to_wait_is_that_of_the_final_answer)
{
	static const char bytes[] = "HTTP/1.1 103 Go\r\nRetry-After: 5\r\n\r\nHTTP/1.1 503 No\r\n"
	                            "Retry-After: 7 \r\nContent-Length: 0\r\n\r\n";
	struct http1_answer a;

	http1_answer_init(&a, BODY_MAX);
	ck_assert_int_eq(http1_answer_feed(&a, bytes, 35), HTTP1_READ_MORE);
	ck_assert_int_eq(http1_answer_feed(&a, bytes + 35, sizeof bytes - 1 - 35), HTTP1_READ_WHOLE);
	ck_assert(a.head.has_retry_after);
	ck_assert_str_eq(a.head.retry_after, "7");
	http1_answer_free(&a);
}
END_TEST

/* All tests of this file. */
Suite *
http1_answer_suite(void)
{
	const TTest *const tests[] = {
	    answers_end_where_they_say_however_they_are_cut,
	    what_is_no_answer_or_half_of_one_is_refused,
	    heads_are_bounded,
	    a_time_to_wait_is_that_of_the_final_answer,
	    NULL,
	};

	return unit_suite("HTTP/1 answers", tests);
}
