#include "config.h"

#include "http_rig.h"

#include <stdio.h>
#include <string.h>

/* What the server tells of every request, and what it counts. */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* The last report, as far as it lives on. */
static struct http_report last;
static char last_method[16], last_id[64];
static unsigned reports;

/* Keeps a report. */
static void
keep(void *arg, const struct http_report *r)
{
	struct rig *rig = arg;

	last = *r;
	ck_assert_str_eq(r->request->peer, "unix");
	snprintf(last_method, sizeof last_method, "%s",
	    r->request->method != NULL ? r->request->method : "-");
	snprintf(last_id, sizeof last_id, "%s", r->request->id);
	reports++;
	/* The end was told before. */
	ck_assert(r->refused || rig->service != NULL || rig->sent + rig->gone > 0);
}

/* Starts a server that reports. */
static void
start(struct rig *rig, struct client *c)
{
	reports = 0;
	rig->config.report = keep;
	rig_start(rig);
	client_open(c, rig);
}

/* Stops it. */
static void
stop(struct rig *rig, struct client *c)
{
	client_close(c);
	rig_stop(rig);
}

START_TEST(a_served_request_is_reported_with_its_bytes)
{
	struct http_server_counts n;
	struct rig rig = {0};
	struct client c;

	start(&rig, &c);
	client_says(&c, GET("/"));
	ck_assert_uint_eq(reports, 1);
	ck_assert_int_eq(last.status, 200);
	ck_assert_int_eq(last.end, HTTP_SENT);
	ck_assert(!last.refused && last.note == NULL);
	ck_assert_str_eq(last_method, "GET");
	ck_assert_uint_eq(last.received, strlen(GET("/")));
	ck_assert_uint_eq(last.sent, c.got.len);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.received, strlen(GET("/")));
	ck_assert_uint_eq(n.sent, c.got.len);
	stop(&rig, &c);
}
END_TEST

START_TEST(pipelined_requests_are_reported_one_by_one)
{
	struct rig rig = {0};
	struct client c;

	start(&rig, &c);
	client_says(&c, GET("/") "POST /echo HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: second\r\n"
	                "Content-Length: 3\r\n\r\nabc");
	ck_assert_uint_eq(client_answers(&c), 2);
	ck_assert_uint_eq(reports, 2);
	ck_assert_str_eq(last_id, "second");
	ck_assert_uint_eq(last.received, strlen("POST /echo HTTP/1.1\r\nHost: localhost\r\n"
	                                        "X-Request-Id: second\r\nContent-Length: 3\r\n\r\nabc"));
	ck_assert_uint_eq(last.sent, c.got.len - (size_t)(strstr(c.got.data, "hello") + 5 - c.got.data));
	stop(&rig, &c);
}
END_TEST

/* Attaches the rig to a request, and answers later. */
static void
attach(struct rig *rig, struct http_exchange *ex)
{
	ck_assert_ptr_null(http_exchange_note(ex));
	http_exchange_set_note(ex, rig);
	ck_assert_ptr_eq(http_exchange_note(ex), rig);
	rig->held = ex;
	http_exchange_stream(ex, NULL, rig);
	http_exchange_pause(ex);
}

START_TEST(times_are_measured_from_the_whole_head)
{
	struct rig rig = {.service = attach};
	struct client c;

	start(&rig, &c);
	client_says(&c, GET("/"));
	loop_fake_advance(rig.loop, 20);
	http_answer_begin(rig.held, 200, NULL, 4, NULL, NULL);
	loop_fake_advance(rig.loop, 30);
	ck_assert_uint_eq(reports, 0);
	http_answer_write(rig.held, "four", 4);
	http_answer_end(rig.held);
	client_read(&c);
	ck_assert_uint_eq(reports, 1);
	ck_assert_ptr_eq(last.note, &rig);
	ck_assert_int_eq(last.answer_us, 20000);
	ck_assert_int_eq(last.total_us, 50000);
	stop(&rig, &c);
}
END_TEST

START_TEST(a_client_that_left_is_reported_without_a_status)
{
	struct rig rig = {.service = attach};
	struct client c;

	start(&rig, &c);
	client_says(&c, GET("/"));
	client_close(&c);
	rig_turn(&rig);
	ck_assert_uint_eq(reports, 1);
	ck_assert_int_eq(last.end, HTTP_GONE);
	ck_assert_int_eq(last.status, 0);
	ck_assert_int_eq(last.answer_us, -1);
	ck_assert_uint_eq(last.sent, 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(only_what_the_kernel_took_counts_as_sent)
{
	struct rig rig = {.service = attach};
	size_t len = (size_t)8 << 20;
	char *big = calloc(1, len);
	struct client c;

	start(&rig, &c);
	c.deaf = true;
	client_says(&c, GET("/"));
	http_answer(rig.held, 200, NULL, big, len);
	rig_turn(&rig);
	client_close(&c);
	rig_turn(&rig);
	ck_assert_uint_eq(reports, 1);
	ck_assert_int_eq(last.end, HTTP_GONE);
	ck_assert_int_eq(last.status, 200);
	ck_assert_uint_gt(last.sent, 1000);
	ck_assert_uint_lt(last.sent, len);
	free(big);
	rig_stop(&rig);
}
END_TEST

START_TEST(what_the_server_refuses_itself_is_reported_too)
{
	static const struct {
		const char *text;
		int status;
		const char *method;
	} cases[] = {
	    {"POST /short HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", 413, "POST"},
	    {"GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", 421, "GET"},
	    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "GET"},
	    {"GET / HTTP/1.1\r\nHost: localhost\r\nx\x01y", 400, "-"},
	    {"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
	        "POST"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rig rig = {0};
		struct client c;

		start(&rig, &c);
		client_says(&c, cases[i].text);
		ck_assert_uint_eq(reports, 1);
		ck_assert_int_eq(last.status, cases[i].status);
		ck_assert_str_eq(last_method, cases[i].method);
		ck_assert(last.refused);
		ck_assert_uint_eq(last.received, strlen(cases[i].text));
		ck_assert_uint_eq(last.sent, c.got.len);
		stop(&rig, &c);
	}
}
END_TEST

/* What has timed out so far. */
static uint64_t
timeouts(struct rig *rig, enum http_timeout which)
{
	struct http_server_counts n;

	http_server_counts(rig->server, &n);
	return n.timeouts[which];
}

START_TEST(timeouts_are_counted_by_what_was_waited_for)
{
	struct rig rig = {0};
	struct client c;

	start(&rig, &c);
	loop_fake_advance(rig.loop, 75000);
	ck_assert_uint_eq(timeouts(&rig, HTTP_TIMEOUT_IDLE), 1);
	client_close(&c);
	client_open(&c, &rig);
	client_says(&c, "GET / HT");
	loop_fake_advance(rig.loop, 10000);
	ck_assert_uint_eq(timeouts(&rig, HTTP_TIMEOUT_HEAD), 1);
	ck_assert_uint_eq(reports, 1);
	ck_assert_int_eq(last.status, 408);
	client_close(&c);
	client_open(&c, &rig);
	client_says(&c, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab");
	loop_fake_advance(rig.loop, 30000);
	ck_assert_uint_eq(timeouts(&rig, HTTP_TIMEOUT_BODY), 1);
	ck_assert_uint_eq(reports, 2);
	ck_assert_int_eq(last.status, 408);
	ck_assert_int_eq(last.body_us, -1);
	stop(&rig, &c);
}
END_TEST

START_TEST(the_limit_of_connections_is_counted_when_it_is_reached)
{
	struct rig rig = {.config.limits = HTTP_LIMITS_DEFAULT};
	struct http_server_counts n;
	struct client a, b;

	rig.config.limits.connections = 1;
	start(&rig, &a);
	client_says(&a, GET("/"));
	client_connect(&b, &rig);
	rig_turn(&rig);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.held, 1);
	ck_assert_uint_eq(n.open, 1);
	client_close(&b);
	stop(&rig, &a);
}
END_TEST

/* Attaches fields and answers, or has a short body collected. */
static void
serve_beside(struct rig *rig, struct http_exchange *ex)
{
	static const struct http_field beside[] = {{"RateLimit", "r"}, {"Bad Name", "x"},
	    {"X-Split", "a\r\nX-Evil: b"}, {NULL, NULL}};
	static const struct http_field own[] = {{"X-Own", "1"}, {NULL, NULL}};

	http_exchange_set_fields(ex, beside);
	if (http_exchange_request(ex)->has_body)
		http_exchange_collect(ex, 2, (http_body_fn)abort, NULL);
	else
		http_answer(ex, 200, own, "x", 1);
}

START_TEST(attached_fields_go_on_every_answer)
{
	struct rig rig = {.service = serve_beside};
	struct client c;

	start(&rig, &c);
	client_says(&c, GET("/"));
	ck_assert(client_has(&c, 0, "\r\nX-Own: 1\r\n"));
	ck_assert(client_has(&c, 0, "\r\nRateLimit: r\r\n"));
	ck_assert(!client_has(&c, 0, "Evil") && !client_has(&c, 0, "Bad"));
	client_says(&c, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
	ck_assert_int_eq(client_status(&c, 1), 413); /* by the server itself */
	ck_assert(client_has(&c, 1, "\r\nRateLimit: r\r\n"));
	stop(&rig, &c);
}
END_TEST

/* Tests of reports and counts. */
Suite *
http_report_suite(void)
{
	const TTest *const tests[] = {
	    a_served_request_is_reported_with_its_bytes,
	    pipelined_requests_are_reported_one_by_one,
	    times_are_measured_from_the_whole_head,
	    a_client_that_left_is_reported_without_a_status,
	    only_what_the_kernel_took_counts_as_sent,
	    what_the_server_refuses_itself_is_reported_too,
	    timeouts_are_counted_by_what_was_waited_for,
	    the_limit_of_connections_is_counted_when_it_is_reached,
	    attached_fields_go_on_every_answer,
	    NULL,
	};

	return unit_suite("http_report", tests);
}
