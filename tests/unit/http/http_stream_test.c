#include "config.h"

#include "http/http_conn.h"
#include "http_rig.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define POST(path, len) \
	"POST " path " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " len "\r\n\r\n"

/* What was waited for has been taken. */
static void
on_drained(void *arg)
{
	struct rig *rig = arg;

	rig->drained++;
}

/* Opens a client and has its request held. */
static void
hold(struct rig *rig, struct client *c, const char *request)
{
	client_open(c, rig);
	client_says(c, request);
	ck_assert_ptr_nonnull(rig->held);
}

/* Where the head of the first answer ends. */
static const char *
after_head(const struct client *c)
{
	const char *end = strstr(c->got.data, "\r\n\r\n");

	ck_assert_ptr_nonnull(end);
	return end + 4;
}

START_TEST(an_upload_waits_while_it_is_paused)
{
	static char bytes[4 << 20];
	struct rig rig = {.pause = true, .quiet = true};
	struct http_conn *hc;
	struct client c;
	size_t sent = 0;
	ssize_t n;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, POST("/stream", "4194304"));
	while ((n = client_put(&c, bytes, sizeof bytes - sent)) > 0) {
		sent += (size_t)n;
		rig_turn(&rig);
	}
	ck_assert_uint_lt(sent, sizeof bytes / 2);
	ck_assert_uint_eq(rig.pieces, 1);
	hc = TAILQ_FIRST(&((struct http_hub *)rig.server)->conns);
	ck_assert_uint_le(hc->in.len, HTTP_CONN_READ_MAX);
	for (int i = 0; i < 3; i++) { /* one piece for each resume */
		http_exchange_resume(rig.held);
		ck_assert_uint_eq(rig.pieces, 1 + (unsigned)i);
		rig_turn(&rig);
		ck_assert_uint_eq(rig.pieces, 2 + (unsigned)i);
	}
	rig.pause = false;
	http_exchange_resume(rig.held);
	client_send(&c, bytes, sizeof bytes - sent);
	ck_assert_str_eq(client_body(&c, 0), "streamed");
	client_says(&c, GET("/"));
	ck_assert_str_eq(client_body(&c, 1), "hello");
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_paused_upload_sees_its_client_go)
{
	struct rig rig = {.pause = true};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, POST("/stream", "10") "abc");
	ck_assert_uint_eq(rig.pieces, 1);
	client_says(&c, "def");
	ck_assert_uint_eq(rig.gone, 0);
	client_close(&c);
	ck_assert_uint_eq(rig.gone, 1);
	ck_assert_uint_eq(rig.pieces, 1);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_upload_cut_short_is_gone)
{
	static const char *const cases[] = {POST("/stream", "10") "abc",
	    "POST /stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n"};
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	for (unsigned i = 0; i < 2; i++) {
		client_open(&c, &rig);
		client_says(&c, cases[i]);
		client_end(&c);
		ck_assert(c.closed);
		ck_assert_uint_eq(c.got.len, 0);
		ck_assert_uint_eq(rig.gone, i + 1);
		client_close(&c);
	}
	ck_assert_ptr_null(strstr(rig.seen.data, "|end"));
	rig_stop(&rig);
}
END_TEST

START_TEST(an_answer_in_chunks)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	hold(&rig, &c, GET("/hold"));
	http_answer_begin(rig.held, 200, NULL, -1, on_drained, &rig);
	ck_assert_uint_gt(http_answer_write(rig.held, "hello, ", 7), 7);
	http_answer_write(rig.held, "", 0); /* must not end the body */
	http_answer_write(rig.held, "wonderful world.", 16);
	client_read(&c);
	ck_assert_uint_eq(rig.drained, 1);
	ck_assert(client_has(&c, 0, "\r\nTransfer-Encoding: chunked\r\n"));
	ck_assert_str_eq(after_head(&c), "7\r\nhello, \r\n10\r\nwonderful world.\r\n");
	http_answer_write(rig.held, "x", 1);
	http_answer_end(rig.held);
	ck_assert_uint_eq(rig.sent, 0);
	client_read(&c);
	ck_assert_uint_eq(rig.sent, 1);
	ck_assert_uint_eq(rig.drained, 1);
	ck_assert_str_eq(after_head(&c),
	    "7\r\nhello, \r\n10\r\nwonderful world.\r\n1\r\nx\r\n0\r\n\r\n");
	buf_clear(&c.got);
	client_says(&c, GET("/"));
	ck_assert_str_eq(client_body(&c, 0), "hello");
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_answer_of_known_length)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	hold(&rig, &c, GET("/hold"));
	http_answer_begin(rig.held, 200, NULL, 5, NULL, NULL);
	http_answer_write(rig.held, "hel", 3);
	http_answer_write(rig.held, "lo and more", 11);
	http_answer_end(rig.held);
	client_read(&c);
	ck_assert_str_eq(client_body(&c, 0), "hello");
	client_says(&c, GET("/"));
	ck_assert_uint_eq(client_answers(&c), 2);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_answer_shorter_than_promised_is_cut)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	hold(&rig, &c, GET("/hold"));
	http_answer_begin(rig.held, 200, NULL, 5, NULL, NULL);
	http_answer_write(rig.held, "hel", 3);
	http_answer_end(rig.held);
	client_read(&c);
	ck_assert_str_eq(after_head(&c), "hel");
	ck_assert(c.closed);
	ck_assert_uint_eq(rig.gone, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(http_1_0_gets_the_end_of_the_connection)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	hold(&rig, &c, "GET /hold HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	http_answer_begin(rig.held, 200, NULL, -1, NULL, NULL);
	http_answer_write(rig.held, "hello", 5);
	http_answer_end(rig.held);
	client_read(&c);
	ck_assert(client_has(&c, 0, "\r\nConnection: close\r\n"));
	ck_assert(!client_has(&c, 0, "Transfer-Encoding"));
	ck_assert_str_eq(after_head(&c), "hello");
	ck_assert(c.closed && !c.reset);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(streamed_answers_without_a_body)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	hold(&rig, &c, "HEAD /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
	http_answer_begin(rig.held, 200, NULL, 5, NULL, NULL);
	ck_assert_uint_eq(http_answer_write(rig.held, "hello", 5), 0);
	http_answer_end(rig.held);
	client_read(&c);
	ck_assert(client_has(&c, 0, "\r\nContent-Length: 5\r\n"));
	ck_assert_str_eq(after_head(&c), "");
	client_says(&c, "HEAD /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
	http_answer_begin(rig.held, 200, NULL, -1, NULL, NULL);
	http_answer_write(rig.held, "hello", 5);
	http_answer_end(rig.held);
	buf_clear(&c.got);
	client_read(&c);
	ck_assert(client_has(&c, 0, "\r\nTransfer-Encoding: chunked\r\n"));
	ck_assert_str_eq(after_head(&c), "");
	client_says(&c, GET("/hold"));
	http_answer_begin(rig.held, 304, NULL, -1, NULL, NULL);
	http_answer_end(rig.held);
	buf_clear(&c.got);
	client_read(&c);
	ck_assert(!client_has(&c, 0, "Transfer-Encoding"));
	ck_assert_str_eq(after_head(&c), "");
	ck_assert(!c.closed);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_aborted_answer_is_seen_to_be_cut)
{
	static const struct {
		const char *request;
		bool reset;
	} cases[] = {
	    {GET("/hold"), false},
	    {"GET /hold HTTP/1.0\r\n\r\n", true}, /* an orderly end would look whole */
	};
	struct rig rig = {0};
	struct client c;

	rig_start_at(&rig, "127.0.0.1:0");
	for (unsigned i = 0; i < 2; i++) {
		hold(&rig, &c, cases[i].request);
		http_answer_begin(rig.held, 200, NULL, -1, NULL, NULL);
		http_answer_write(rig.held, "hello", 5);
		http_answer_abort(rig.held);
		client_read(&c);
		ck_assert(c.closed);
		ck_assert_int_eq(c.reset, cases[i].reset);
		ck_assert_uint_eq(rig.gone, i + 1);
		if (!cases[i].reset)
			ck_assert_str_eq(after_head(&c), "5\r\nhello\r\n");
		client_close(&c);
	}
	hold(&rig, &c, GET("/hold"));
	http_answer_abort(rig.held);
	client_read(&c);
	ck_assert(c.closed);
	ck_assert_uint_eq(c.got.len, 0);
	ck_assert_uint_eq(rig.gone, 3);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_slow_client_holds_the_answer_back)
{
	static char piece[100000];
	size_t waiting = 0, total = 0;
	struct rig rig = {0};
	struct client c;

	memset(piece, 'x', sizeof piece);
	rig_start(&rig);
	hold(&rig, &c, GET("/hold"));
	c.deaf = true;
	http_answer_begin(rig.held, 200, NULL, -1, on_drained, &rig);
	for (int i = 0; i < 1000 && waiting < 1000000; i++) {
		waiting = http_answer_write(rig.held, piece, sizeof piece);
		total += sizeof piece;
		rig_turn(&rig);
	}
	ck_assert_uint_ge(waiting, 1000000);
	ck_assert_uint_lt(total, 4000000);
	ck_assert_uint_le(rig.drained, 10);
	rig.drained = 0;
	c.deaf = false;
	client_read(&c);
	ck_assert_uint_eq(rig.drained, 1);
	ck_assert_uint_gt(c.got.len, total);
	http_answer_end(rig.held);
	client_read(&c);
	ck_assert_uint_eq(rig.sent, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* Writes more whenever what was written is gone, up to 100 MB. */
static void
on_drained_more(void *arg)
{
	static char piece[65536];
	struct rig *rig = arg;

	if (++rig->drained < 1600)
		http_answer_write(rig->held, piece, sizeof piece);
	else
		http_answer_end(rig->held);
}

START_TEST(an_endless_answer_leaves_room_for_others)
{
	struct rig rig = {0};
	struct client big, small;
	char bytes[65536];

	rig_start(&rig);
	hold(&rig, &big, GET("/hold"));
	big.deaf = true;
	client_open(&small, &rig);
	http_answer_begin(rig.held, 200, NULL, -1, on_drained_more, &rig);
	http_answer_write(rig.held, "x", 1);
	for (int i = 0; i < 20; i++) {
		while (client_recv(&big, bytes, sizeof bytes) > 0)
			;
		loop_turn(rig.loop, false);
	}
	ck_assert_uint_lt(rig.drained, 1600);
	buf_clear(&small.got);
	client_says(&small, GET("/"));
	ck_assert_int_eq(client_status(&small, 0), 200);
	client_close(&small);
	for (int i = 0; i < 100000 && rig.sent < 2; i++) {
		while (client_recv(&big, bytes, sizeof bytes) > 0)
			;
		loop_turn(rig.loop, false);
	}
	ck_assert_uint_eq(rig.drained, 1600);
	ck_assert_uint_eq(rig.sent, 2);
	client_close(&big);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_client_that_leaves_a_streamed_answer_is_seen)
{
	static char piece[400000];
	struct rig rig = {0};
	struct client c;

	for (int blocked = 0; blocked < 2; blocked++) {
		memset(&rig, 0, sizeof rig);
		rig_start(&rig);
		hold(&rig, &c, GET("/hold"));
		c.deaf = true;
		http_answer_begin(rig.held, 200, NULL, -1, on_drained, &rig);
		for (int i = 0; i < (blocked ? 4 : 0); i++)
			http_answer_write(rig.held, piece, sizeof piece);
		rig_turn(&rig);
		ck_assert_ptr_nonnull(rig.held);
		client_close(&c);
		ck_assert_ptr_null(rig.held);
		ck_assert_uint_eq(rig.gone, 1);
		ck_assert_uint_eq(rig.drained, 0);
		rig_stop(&rig);
	}
}
END_TEST

START_TEST(writing_to_a_client_that_has_left_is_harmless)
{
	static char piece[400000];
	struct rig rig = {0};
	struct client c;

	rig_start_at(&rig, "127.0.0.1:0");
	hold(&rig, &c, GET("/hold"));
	shutdown(c.fd, SHUT_RDWR);
	close(c.fd);
	http_answer_begin(rig.held, 200, NULL, -1, on_drained, &rig);
	for (int i = 0; i < 20; i++)
		http_answer_write(rig.held, piece, sizeof piece);
	ck_assert_uint_eq(rig.gone, 0); /* not inside the call */
	http_answer_end(rig.held);
	rig_turn(&rig);
	ck_assert_uint_eq(rig.gone, 1);
	c.fd = -1;
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* Answers before the body is whole, while pieces still come. */
static void
serve_early(struct rig *rig, struct http_exchange *ex)
{
	rig->held = ex;
	http_exchange_stream(ex, (http_data_fn)abort, NULL);
	http_exchange_pause(ex);
	http_answer_begin(ex, 200, NULL, -1, NULL, NULL);
	http_answer_write(ex, "early", 5);
}

START_TEST(an_answer_may_end_before_the_body)
{
	struct rig rig = {.service = serve_early};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, POST("/", "6") "abc");
	ck_assert_str_eq(after_head(&c), "5\r\nearly\r\n");
	http_answer_end(rig.held);
	client_read(&c);
	ck_assert(!c.closed);
	buf_clear(&c.got);
	client_says(&c, "def" POST("/", "0"));
	ck_assert_str_eq(after_head(&c), "5\r\nearly\r\n");
	http_answer_end(rig.held);
	client_close(&c);
	client_open(&c, &rig);
	client_says(&c, POST("/", "10000000") "abc");
	http_answer_end(rig.held);
	client_read(&c);
	ck_assert(c.closed && !c.reset); /* too much to drop */
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_broken_upload_under_a_begun_answer_is_cut)
{
	struct rig rig = {.pause = true};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, "POST /stream HTTP/1.1\r\nHost: localhost\r\n"
	                "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	http_answer_begin(rig.held, 200, NULL, -1, NULL, NULL);
	http_answer_write(rig.held, "x", 1);
	http_exchange_resume(rig.held);
	client_says(&c, "xyz");
	ck_assert(c.closed);
	ck_assert_str_eq(after_head(&c), "1\r\nx\r\n");
	ck_assert_uint_eq(rig.gone, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_half_closed_client_still_gets_a_complete_answer)
{
	static char big[4 << 20];
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	hold(&rig, &c, GET("/hold"));
	c.deaf = true;
	http_answer(rig.held, 200, NULL, big, sizeof big);
	rig_turn(&rig);
	client_finish(&c);
	rig_turn(&rig);
	c.deaf = false;
	client_read(&c);
	ck_assert_uint_gt(c.got.len, sizeof big);
	ck_assert(c.closed && !c.reset);
	ck_assert_uint_eq(rig.sent, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_stream_suite(void)
{
	const TTest *const tests[] = {an_upload_waits_while_it_is_paused,
	    a_paused_upload_sees_its_client_go, an_upload_cut_short_is_gone, an_answer_in_chunks,
	    an_answer_of_known_length, an_answer_shorter_than_promised_is_cut,
	    http_1_0_gets_the_end_of_the_connection, streamed_answers_without_a_body,
	    an_aborted_answer_is_seen_to_be_cut, a_slow_client_holds_the_answer_back,
	    an_endless_answer_leaves_room_for_others,
	    a_client_that_leaves_a_streamed_answer_is_seen,
	    writing_to_a_client_that_has_left_is_harmless, an_answer_may_end_before_the_body,
	    a_broken_upload_under_a_begun_answer_is_cut,
	    a_half_closed_client_still_gets_a_complete_answer, NULL};

	return unit_suite("http stream", tests);
}
