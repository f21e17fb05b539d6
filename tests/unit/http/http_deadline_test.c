#include "config.h"

#include "http/http_conn.h"
#include "http_rig.h"

#include <string.h>
#include <sys/socket.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define POST(path, len) \
	"POST " path " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " len "\r\n\r\n"

/* Lets time pass and reads what comes of it. */
static void
pass(struct client *c, int64_t ms)
{
	loop_fake_advance(c->rig->loop, ms);
	client_read(c);
}

START_TEST(a_dripping_head_runs_out_of_time)
{
	static const char head[] = "GET / HTTP/1.1\r\nHost: localhost\r\nX: aaaaaaaaaaaaaaaaa";
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	pass(&c, 5000); /* before the first byte another time runs */
	for (int i = 0; i < 20; i++) {
		client_send(&c, head + i, 1);
		ck_assert_uint_eq(c.got.len, 0);
		pass(&c, i < 19 ? 500 : 499);
	}
	ck_assert_uint_eq(c.got.len, 0);
	pass(&c, 1);
	ck_assert_int_eq(client_status(&c, 0), 408);
	ck_assert(c.closed);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_empty_line_does_not_begin_a_head)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/") "\r\n");
	buf_clear(&c.got);
	pass(&c, 74999);
	ck_assert(!c.closed);
	pass(&c, 1);
	ck_assert(c.closed);
	ck_assert_uint_eq(c.got.len, 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(idle_connections_are_closed_silently)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	pass(&c, 74999);
	client_says(&c, GET("/"));
	ck_assert_int_eq(client_status(&c, 0), 200);
	buf_clear(&c.got);
	pass(&c, 74999);
	ck_assert(!c.closed);
	pass(&c, 1);
	ck_assert(c.closed && !c.reset);
	ck_assert_uint_eq(c.got.len, 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(deadlines_of_many_connections_run_out_one_by_one)
{
	struct http_server_counts n;
	struct rig rig = {0};
	struct client c[5];

	rig_start(&rig);
	for (int i = 0; i < 5; i++) {
		client_open(&c[i], &rig);
		loop_fake_advance(rig.loop, 1000);
	}
	client_says(&c[0], GET("/")); /* begins anew at 5000 */
	loop_fake_advance(rig.loop, 70999);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 5);
	for (unsigned i = 1; i < 5; i++) {
		loop_fake_advance(rig.loop, i == 1 ? 1 : 1000);
		http_server_counts(rig.server, &n);
		ck_assert_uint_eq(n.open, 5 - i);
	}
	loop_fake_advance(rig.loop, 999);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 1);
	loop_fake_advance(rig.loop, 1);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 0);
	for (int i = 0; i < 5; i++)
		client_close(&c[i]);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_dripping_body_runs_out_of_time)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, POST("/echo", "100"));
	for (int i = 0; i < 30; i++) {
		client_says(&c, "x");
		ck_assert_uint_eq(c.got.len, 0);
		pass(&c, i < 29 ? 1000 : 999);
	}
	ck_assert_uint_eq(c.got.len, 0);
	pass(&c, 1);
	ck_assert_int_eq(client_status(&c, 0), 408);
	ck_assert(c.closed);
	ck_assert_uint_eq(rig.gone, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(nothing_runs_while_the_service_works)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	pass(&c, 3600000);
	ck_assert_ptr_nonnull(rig.held);
	http_answer(rig.held, 200, NULL, "x", 1);
	client_read(&c);
	ck_assert_int_eq(client_status(&c, 0), 200);
	pass(&c, 74999);
	ck_assert(!c.closed);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_long_stream_has_no_total_time_but_a_pace)
{
	static char half[HTTP_CONN_WINDOW / 2];
	struct rig rig = {.quiet = true};
	struct client c;

	memset(half, 'x', sizeof half);
	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, POST("/stream", "1000000000"));
	for (int i = 0; i < 20; i++) {
		client_send(&c, half, sizeof half);
		pass(&c, 14000);
		ck_assert_uint_eq(c.got.len, 0);
	}
	for (int i = 0; i < 29; i++) { /* too slow: a byte in a second */
		client_says(&c, "x");
		pass(&c, 1000);
	}
	ck_assert_int_eq(client_status(&c, 0), 408);
	ck_assert_uint_eq(rig.gone, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_paused_stream_waits_for_the_service_only)
{
	struct rig rig = {.pause = true};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, POST("/stream", "6") "abc");
	ck_assert_uint_eq(rig.pieces, 1);
	pass(&c, 3600000);
	ck_assert_uint_eq(c.got.len, 0);
	http_exchange_resume(rig.held);
	pass(&c, 29999);
	ck_assert_uint_eq(c.got.len, 0);
	rig.pause = false;
	client_says(&c, "def");
	ck_assert_str_eq(client_body(&c, 0), "streamed");
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_answer_that_is_not_taken_runs_out_of_time)
{
	static char big[8 << 20];
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	c.deaf = true;
	http_answer(rig.held, 200, NULL, big, sizeof big);
	rig_turn(&rig);
	loop_fake_advance(rig.loop, 29999);
	ck_assert_uint_eq(rig.gone + rig.sent, 0);
	loop_fake_advance(rig.loop, 1);
	ck_assert_uint_eq(rig.gone, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_answer_taken_slowly_is_cut_at_the_same_time)
{
	static char big[32 << 20], bytes[65536];
	struct http_server_counts n;
	size_t taken = 0;
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	c.deaf = true;
	http_answer(rig.held, 200, NULL, big, sizeof big);
	for (int i = 0; i < 30; i++) { /* the kernel takes more each time */
		ck_assert_uint_eq(rig.gone, 0);
		while (recv(c.fd, bytes, sizeof bytes, 0) > 0)
			taken += sizeof bytes;
		loop_fake_advance(rig.loop, 1000);
	}
	ck_assert_uint_eq(rig.gone, 1);
	ck_assert_uint_gt(taken, 2 << 20);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_long_answer_taken_in_time_arrives_whole)
{
	static char big[8 << 20];
	struct rig rig = {0};
	struct client c;

	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)(i % 251);
	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	http_answer(rig.held, 200, NULL, big, sizeof big);
	client_read(&c);
	ck_assert_uint_gt(c.got.len, sizeof big);
	ck_assert_int_eq(memcmp(c.got.data + c.got.len - sizeof big, big, sizeof big), 0);
	ck_assert_uint_eq(rig.sent, 1);
	pass(&c, 30000);
	ck_assert(!c.closed);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(lingering_is_bounded_in_time)
{
	struct http_server_counts n;
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, "GET\r\n\r\n");
	ck_assert(c.closed);
	for (int i = 0; i < HTTP_CONN_LINGER_MS / 1000; i++) {
		http_server_counts(rig.server, &n);
		ck_assert_uint_eq(n.open, 1);
		send(c.fd, "x", 1, MSG_NOSIGNAL);
		loop_fake_advance(rig.loop, 1000);
	}
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_body_that_is_dropped_has_a_deadline)
{
	struct http_server_counts n;
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, POST("/skip", "10"));
	ck_assert_int_eq(client_status(&c, 0), 404);
	ck_assert_uint_eq(rig.sent, 1);
	pass(&c, 29999);
	ck_assert(!c.closed);
	pass(&c, 1);
	ck_assert(c.closed);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_deadline_suite(void)
{
	const TTest *const tests[] = {a_dripping_head_runs_out_of_time,
	    an_empty_line_does_not_begin_a_head, idle_connections_are_closed_silently,
	    deadlines_of_many_connections_run_out_one_by_one, a_dripping_body_runs_out_of_time,
	    nothing_runs_while_the_service_works, a_long_stream_has_no_total_time_but_a_pace,
	    a_paused_stream_waits_for_the_service_only,
	    an_answer_that_is_not_taken_runs_out_of_time,
	    an_answer_taken_slowly_is_cut_at_the_same_time,
	    a_long_answer_taken_in_time_arrives_whole,
	    lingering_is_bounded_in_time, a_body_that_is_dropped_has_a_deadline, NULL};

	return unit_suite("http deadline", tests);
}
