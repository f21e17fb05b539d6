#include "config.h"

#include "harness.h"
#include "passthrough_test.h"
#include "tool.h"
#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * What is passed on to the local tool, which the test plays itself.
 */

#define LARGE ((size_t)200 << 20)
#define IN_TRANSIT ((size_t)12 << 20) /* more than the kernel's and the gateway's buffers hold */
#define GROWTH_KB 2048                /* of the program, whatever is passed on */
#define KEY "the-key-of-bluejay"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

#if defined(WITH_ASAN) || defined(WITH_FUZZING)
#define MEASURED 0
#else
#define MEASURED 1
#endif

static struct program gateway;

/* Starts a gateway whose local tool is here; `lines` are further ones of the file. */
static void
start(const char *lines)
{
	const char *file = scratch_file("gateway.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	    "bluejay: {url: \"http://127.0.0.1:1\", api_key: " KEY "}\n"
	    "projects: {demo: {}}\n"
	    "passthrough:\n  local: http://127.0.0.1:%d\n%s", tool_open(), lines);
	const char *const args[] = {"serve", "--config", file, NULL};

	program_start(&gateway, args);
}

/* Ends it; its log never holds the key. */
static void
stop(void)
{
	char *log = program_log(&gateway);

	ck_assert_int_eq(program_stop(&gateway), 0);
	ck_assert_ptr_null(strstr(log, KEY));
	free(log);
	tool_close();
}

/* Sends the text of a request; the connection. */
static int
client(const char *text)
{
	int fd = raw_connect(gateway.port);

	raw_send(fd, text, strlen(text));
	return fd;
}

/* Sends more text on a connection. */
static void
more(int fd, const char *text)
{
	raw_send(fd, text, strlen(text));
}

/* A GET on a connection of its own. */
static int
get(const char *target)
{
	char text[8192];

	snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost:3000\r\n\r\n", target);
	return client(text);
}

/* Reads an answer's head at the client. */
#define answer_head(fd) tool_head(fd)

START_TEST(each_path_goes_where_it_belongs)
{
	static const char *const theirs[] = {"/", "/index.html", "/api/projects", "/api/status",
	    "/api/projects/demo", "/api/projects/demo/scenarios", "/api/projects/else/runs/1?x=1",
	    "/v1/customer-persona/1", "/api/projects/demo/personasy", "/a/../b", "/100%", "/%00", "*"};
	static const struct {
		const char *method, *path;
		int status;
	} ours[] = {
	    {"GET", "/api/projects/demo/personas", 200}, {"PATCH", "/api/projects/demo/personas", 405},
	    {"GET", "/api/projects/else/personas", 404}, {"GET", "/api/projects/demo/personas/1/2/3", 404},
	    {"GET", "/api/projects/demo/personas/", 404}, {"GET", "/api/projects/demo/images/nope", 404},
	    {"PUT", "/api/projects/demo/images", 405}, {"GET", "/api/projects/demo/communities/a/b/c/d", 404},
	    {"GET", "/api/projects/demo/personas%2F1", 400}, {"GET", "/x/../api/projects/demo/personas", 400},
	    {"GET", "/api/projects/demo/personas/%zz", 400}, {"GET", "//api/projects/demo/personas", 400},
	    {"GET", "/API/projects/demo/personas", 400},
	};

	start("");
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		struct reply *r = ask(gateway.port, ours[i].method, ours[i].path, NULL, NULL);

		ck_assert_msg(r->status == ours[i].status, "%s %s: %d", ours[i].method, ours[i].path,
		    r->status);
	}
	ck_assert(!tool_is_called());
	for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++) {
		char want[256], text[256];
		const char *method = strcmp(theirs[i], "*") == 0 ? "OPTIONS" : "GET";
		struct reply r;
		int c, t;

		snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: localhost\r\n\r\n", method, theirs[i]);
		c = client(text);
		t = tool_accept();
		snprintf(want, sizeof want, "%s %s HTTP/1.1\r\n", method, theirs[i]);
		ck_assert_int_eq(strncmp(tool_head(t), want, strlen(want)), 0);
		tool_say(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
		close(t);
		raw_reply(c, false, &r);
		ck_assert_int_eq(r.status, 200);
		free(r.body);
		close(c);
	}
	stop();
}
END_TEST

START_TEST(a_request_and_its_answer_pass_as_they_are)
{
	struct reply r;
	char *head;
	int c, t;

	start("");
	c = client("PATCH /a//b/%7e/../%zz;x?q=%20&[]? HTTP/1.1\r\nHost: tool.localhost:3000\r\n"
	           "Content-Type: text/plain\r\nContent-Length: 5\r\nCookie: a=1\r\nCookie: b=2\r\n"
	           "Authorization: Bearer t\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n"
	           "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nX-Request-Id: mine-1\r\n"
	           "Accept-Encoding: br\r\nVia: 1.0 front\r\n\r\nhello");
	t = tool_accept();
	head = tool_head(t);
	ck_assert_ptr_eq(strstr(head, "PATCH /a//b/%7e/../%zz;x?q=%20&[]? HTTP/1.1\r\n"), head);
	ck_assert_str_eq(head_field(head, "host"), "tool.localhost:3000");
	ck_assert_uint_eq(times(head, "\r\ncookie: "), 2);
	ck_assert_str_eq(head_field(head, "authorization"), "Bearer t");
	ck_assert_str_eq(head_field(head, "accept-encoding"), "br");
	ck_assert_str_eq(head_field(head, "content-length"), "5");
	ck_assert_str_eq(head_field(head, "x-request-id"), "mine-1");
	ck_assert_str_eq(head_field(head, "x-forwarded-for"), "127.0.0.1");
	ck_assert_str_eq(head_field(head, "x-forwarded-host"), "tool.localhost:3000");
	ck_assert_str_eq(head_field(head, "x-forwarded-proto"), "http");
	ck_assert_str_eq(head_field(head, "forwarded"),
	    "for=127.0.0.1;host=\"tool.localhost:3000\";proto=http");
	ck_assert_ptr_eq(strstr(head_field(head, "via"), "1.0 front, 1.1 persona-gateway-"),
	    head_field(head, "via"));
	ck_assert_ptr_null(strstr(head, "6.6.6.6"));
	ck_assert_ptr_null(strcasestr(head, "x-hop"));
	ck_assert_ptr_null(head_field(head, "connection"));
	ck_assert_ptr_null(head_field(head, "te"));
	ck_assert_ptr_null(head_field(head, "expect"));
	ck_assert_ptr_null(strcasestr(head, "user-agent"));
	ck_assert_ptr_null(strcasestr(head, "x-api-key"));
	ck_assert_ptr_null(strstr(head, KEY));
	ck_assert_str_eq(tool_bytes(t, 5), "hello");
	tool_say(t, "HTTP/1.1 201 Made\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\n"
	            "Content-Encoding: gzip\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-Request-Id: theirs\r\n"
	            "Location: http://elsewhere/\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x01");
	raw_reply(c, false, &r);
	ck_assert_int_eq(r.status, 201);
	ck_assert_ptr_nonnull(strstr(r.head, "\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\n"));
	ck_assert_str_eq(reply_field(&r, "content-encoding"), "gzip");
	ck_assert_str_eq(reply_field(&r, "location"), "http://elsewhere/");
	ck_assert_uint_eq(times(r.head, "x-request-id:"), 1);
	ck_assert_str_eq(reply_field(&r, "x-request-id"), "mine-1");
	ck_assert_ptr_null(strcasestr(r.head, "x-hop"));
	ck_assert_int_eq(strncmp(reply_field(&r, "via"), "1.1 persona-gateway-", 20), 0);
	ck_assert_uint_eq(r.len, 3);
	ck_assert_int_eq(memcmp(r.body, "\x1f\x8b\x01", 3), 0);
	free(r.body);
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(answers_of_every_kind_pass)
{
	static const struct {
		const char *method, *fields, *answer;
		int status;
		const char *field, *value, *body;
	} rows[] = {
	    {"HEAD", "", "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n", 200, "content-length", "12345", ""},
	    {"GET", "If-None-Match: \"x\"\r\n", "HTTP/1.1 304 N\r\nETag: \"x\"\r\n\r\n", 304, "etag", "\"x\"", ""},
	    {"DELETE", "", "HTTP/1.1 204 N\r\n\r\n", 204, "content-length", NULL, ""},
	    {"GET", "Range: bytes=1-2\r\n",
	        "HTTP/1.1 206 P\r\nContent-Range: bytes 1-2/9\r\nContent-Length: 2\r\n\r\nbc", 206,
	        "content-range", "bytes 1-2/9", "bc"},
	    {"GET", "", "HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 302, "location", "/x", ""},
	    {"GET", "", "HTTP/1.1 500 E\r\nContent-Length: 4\r\n\r\noops", 500, "content-length", "4", "oops"},
	};
	int c, t;

	start("");
	c = raw_connect(gateway.port);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) { /* all on one connection */
		char text[512], *head, *end;
		struct reply r;

		snprintf(text, sizeof text, "%s /x HTTP/1.1\r\nHost: localhost\r\n%s\r\n", rows[i].method,
		    rows[i].fields);
		raw_send(c, text, strlen(text));
		t = tool_accept();
		head = tool_head(t);
		end = strcasestr(head, rows[i].fields);
		ck_assert_ptr_nonnull(end);
		tool_say(t, rows[i].answer);
		close(t);
		raw_reply(c, strcmp(rows[i].method, "HEAD") == 0, &r);
		ck_assert_int_eq(r.status, rows[i].status);
		if (rows[i].value != NULL)
			ck_assert_str_eq(reply_field(&r, rows[i].field), rows[i].value);
		else
			ck_assert_ptr_null(reply_field(&r, rows[i].field));
		ck_assert_str_eq(r.body, rows[i].body);
		free(r.body);
	}
	close(c);
	stop();
}
END_TEST

START_TEST(events_arrive_piece_by_piece)
{
	int c, t;

	start("");
	c = get("/events");
	t = tool_accept();
	tool_head(t);
	tool_say(t, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	            "Transfer-Encoding: chunked\r\n\r\n");
	ck_assert_str_eq(head_field(answer_head(c), "content-type"), "text/event-stream");
	for (int i = 0; i < 5; i++) {
		char piece[64], want[64];

		snprintf(piece, sizeof piece, "9\r\ndata: %d\n\n\r\n", i);
		snprintf(want, sizeof want, "9\r\ndata: %d\n\n\r\n", i);
		tool_say(t, piece);
		ck_assert_str_eq(tool_bytes(c, strlen(want)), want);
	}
	tool_say(t, "0\r\n\r\n");
	ck_assert_str_eq(tool_bytes(c, 5), "0\r\n\r\n");
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(an_upload_arrives_piece_by_piece)
{
	struct reply r;
	int c, t;

	start("");
	c = client("POST /up HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
	t = tool_accept();
	ck_assert_str_eq(head_field(tool_head(t), "transfer-encoding"), "chunked");
	more(c, "3\r\nabc\r\n");
	ck_assert_str_eq(tool_bytes(t, 8), "3\r\nabc\r\n");
	more(c, "4;x=y\r\nd");
	ck_assert_str_eq(tool_bytes(t, 6), "1\r\nd\r\n");
	more(c, "efg\r\n0\r\nTrailer: x\r\n\r\n");
	ck_assert_str_eq(tool_bytes(t, 13), "3\r\nefg\r\n0\r\n\r\n");
	tool_say(t, OK);
	raw_reply(c, false, &r);
	ck_assert_int_eq(r.status, 200);
	free(r.body);
	close(c);
	close(t);
	stop();
}
END_TEST

/* One side of a large exchange, in a thread of its own. */
struct side {
	pthread_t thread;
	int fd;
	bool sends;
	size_t moved;
};

/* Runs it. */
static void *
side_run(void *arg)
{
	struct side *s = arg;

	s->moved = s->sends ? pour(s->fd, LARGE) : swallow(s->fd, LARGE);
	return NULL;
}

/* Moves a large body from one descriptor to the other, through the program. */
static void
move_large(int from, int to)
{
	struct side out = {.fd = from, .sends = true}, in = {.fd = to};
	long before = peak_of(gateway.pid);

	ck_assert_int_eq(pthread_create(&out.thread, NULL, side_run, &out), 0);
	ck_assert_int_eq(pthread_create(&in.thread, NULL, side_run, &in), 0);
	pthread_join(out.thread, NULL);
	pthread_join(in.thread, NULL);
	ck_assert_uint_eq(out.moved, LARGE);
	ck_assert_uint_eq(in.moved, LARGE);
	if (MEASURED)
		ck_assert_int_lt(peak_of(gateway.pid) - before, GROWTH_KB);
}

START_TEST(a_large_body_goes_up_and_down_in_little_memory)
{
	char text[256];
	struct reply r;
	int c, t;

	start("");
	snprintf(text, sizeof text, "PUT /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n",
	    LARGE);
	c = client(text);
	t = tool_accept();
	ck_assert_int_eq(atol(head_field(tool_head(t), "content-length")), (long)LARGE);
	move_large(c, t);
	tool_say(t, OK);
	raw_reply(c, false, &r);
	ck_assert_int_eq(r.status, 200);
	free(r.body);
	close(t);
	more(c, "GET /down HTTP/1.1\r\nHost: localhost\r\n\r\n");
	t = tool_accept();
	tool_head(t);
	snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", LARGE);
	tool_say(t, text);
	ck_assert_int_eq(atol(head_field(answer_head(c), "content-length")), (long)LARGE);
	move_large(t, c);
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(a_side_that_reads_nothing_stops_the_other)
{
	char text[256];
	size_t sent;
	long before;
	int c, t;

	start("");
	snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", LARGE);
	c = get("/down");
	t = tool_accept();
	tool_head(t);
	before = peak_of(gateway.pid);
	tool_say(t, text);
	sent = pour(t, LARGE);
	ck_assert_uint_lt(sent, IN_TRANSIT);
	if (MEASURED)
		ck_assert_int_lt(peak_of(gateway.pid) - before, GROWTH_KB);
	answer_head(c);
	ck_assert_uint_eq(swallow(c, sent), sent); /* nothing is lost */
	tool_say(t, "more");
	swallow(c, 4);
	close(c);
	close(t);

	snprintf(text, sizeof text, "PUT /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n",
	    LARGE);
	c = client(text);
	t = tool_accept();
	tool_head(t);
	sent = pour(c, LARGE);
	ck_assert_uint_lt(sent, IN_TRANSIT);
	if (MEASURED)
		ck_assert_int_lt(peak_of(gateway.pid) - before, GROWTH_KB);
	ck_assert_uint_eq(swallow(t, sent), sent);
	close(c);
	ck_assert(tool_hung_up(t));
	close(t);
	stop();
}
END_TEST

START_TEST(an_early_answer_is_heard_while_the_body_is_sent)
{
	struct reply r;
	int c, t;

	start("");
	c = client("POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\nabc");
	t = tool_accept();
	tool_head(t);
	ck_assert_str_eq(tool_bytes(t, 3), "abc");
	tool_say(t, "HTTP/1.1 413 No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
	raw_reply(c, false, &r);
	ck_assert_int_eq(r.status, 413);
	ck_assert_str_eq(r.body, "big");
	ck_assert_str_eq(reply_field(&r, "connection"), "close");
	free(r.body);
	ck_assert(tool_hung_up(t));
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(an_answer_may_begin_before_the_request_has_ended)
{
	char *head;
	int c, t;

	start("");
	c = client("POST /talk HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
	t = tool_accept();
	tool_head(t);
	tool_say(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	head = answer_head(c);
	ck_assert_int_eq(strncmp(head, "HTTP/1.1 200 ", 13), 0);
	for (int i = 0; i < 3; i++) { /* each waits for the other's word */
		more(c, "3\r\nask\r\n");
		ck_assert_str_eq(tool_bytes(t, 8), "3\r\nask\r\n");
		tool_say(t, "5\r\nreply\r\n");
		ck_assert_str_eq(tool_bytes(c, 10), "5\r\nreply\r\n");
	}
	more(c, "0\r\n\r\n");
	ck_assert_str_eq(tool_bytes(t, 5), "0\r\n\r\n");
	tool_say(t, "0\r\n\r\n");
	ck_assert_str_eq(tool_bytes(c, 5), "0\r\n\r\n");
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(a_tool_that_is_down_is_named)
{
	char sentence[256];
	int port;

	start("");
	port = tool_open(); /* the first one is closed with the test */
	tool_close();
	ck_assert_int_gt(port, 0);
	stop();
	{
		const char *file = scratch_file("down.yaml",
		    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
		    "bluejay: {url: \"http://127.0.0.1:1\", api_key: " KEY "}\n"
		    "passthrough: {local: \"http://127.0.0.1:%d\"}\n", port);
		const char *const args[] = {"serve", "--config", file, NULL};

		program_start(&gateway, args);
	}
	snprintf(sentence, sizeof sentence, "The local tool at http://127.0.0.1:%d could not be reached",
	    port);
	expect_error(ask(gateway.port, "GET", "/", NULL, NULL), 502, sentence);
	expect_error(ask(gateway.port, "POST", "/", NULL, "{}"), 502, sentence);
	ck_assert_int_eq(program_stop(&gateway), 0);
}
END_TEST

START_TEST(a_tool_that_dies_at_each_stage)
{
	static const struct {
		const char *says;
		bool reset;
	} before[] = {{"", false}, {"", true}, {"HTTP/1.1 200 OK\r\nContent-Le", false},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", false},
	    {"garbage\r\n\r\n", false}};
	static const struct {
		const char *says, *shown;
		bool reset;
	} after[] = {
	    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "abc", false},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "abc", true},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "3\r\nabc\r\n", false}};
	int c, t;

	start("");
	for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
		struct reply r;

		c = get("/");
		t = tool_accept();
		tool_head(t);
		tool_say(t, before[i].says);
		tool_cut(t, before[i].reset);
		raw_reply(c, false, &r);
		expect_error(&r, 502, NULL);
		ck_assert_ptr_nonnull(strstr(reply_string(&r, "error"), "The connection to the local tool at "));
		free(r.body);
		close(c);
	}
	for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
		c = get("/");
		t = tool_accept();
		tool_head(t);
		tool_say(t, after[i].says);
		answer_head(c);
		ck_assert_str_eq(tool_bytes(c, strlen(after[i].shown)), after[i].shown);
		tool_cut(t, after[i].reset);
		ck_assert(tool_hung_up(c)); /* without the end that would make it whole */
		close(c);
	}
	c = client("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\nabc");
	t = tool_accept();
	tool_head(t);
	tool_cut(t, true); /* in the midst of the upload */
	pour(c, IN_TRANSIT);
	ck_assert_int_eq(strncmp(answer_head(c), "HTTP/1.1 502 ", 13), 0);
	close(c);
	stop();
}
END_TEST

START_TEST(a_client_that_leaves_takes_the_tools_connection_with_it)
{
	static const char *const said[] = {"", "HTTP/1.1 200 OK\r\nContent-Le",
	    "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"};
	static const char upload[] =
	    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc";
	int c, t;

	start("");
	for (size_t i = 0; i < 2 * sizeof said / sizeof *said; i++) {
		c = i % 2 ? client(upload) : get("/");
		t = tool_accept();
		tool_head(t);
		if (i % 2)
			ck_assert_str_eq(tool_bytes(t, 3), "abc");
		tool_say(t, said[i / 2]);
		if (i / 2 >= 2)
			answer_head(c);
		tool_cut(c, i % 3 == 0);
		ck_assert(tool_hung_up(t));
		close(t);
	}
	stop();
}
END_TEST

START_TEST(an_idle_connection_serves_reads_again_and_writes_have_their_own)
{
	struct reply r;
	int c, t, w;

	start("");
	c = get("/1");
	t = tool_accept();
	tool_head(t);
	tool_say(t, OK);
	raw_reply(c, false, &r);
	free(r.body);
	more(c, "GET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert_int_eq(strncmp(tool_head(t), "GET /2 ", 7), 0);
	tool_say(t, OK);
	raw_reply(c, false, &r);
	free(r.body);
	more(c, "POST /3 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
	w = tool_accept();
	ck_assert_str_eq(head_field(tool_head(w), "content-length"), "0");
	tool_say(w, OK);
	raw_reply(c, false, &r);
	free(r.body);
	close(t);
	close(w);
	more(c, "GET /4 HTTP/1.1\r\nHost: localhost\r\n\r\n");
	t = tool_accept(); /* the closed ones are found out */
	ck_assert_int_eq(strncmp(tool_head(t), "GET /4 ", 7), 0);
	tool_say(t, OK);
	raw_reply(c, false, &r);
	ck_assert_int_eq(r.status, 200);
	free(r.body);
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(silence_has_an_end)
{
	struct reply r;
	int c, t;

	start("  timeouts: {idle: 300ms}\n");
	c = get("/");
	t = tool_accept();
	tool_head(t);
	raw_reply(c, false, &r);
	expect_error(&r, 504, NULL);
	ck_assert_ptr_nonnull(strstr(reply_string(&r, "error"), " did not answer in time"));
	free(r.body);
	ck_assert(tool_hung_up(t));
	close(t);
	close(c);
	c = get("/");
	t = tool_accept();
	tool_head(t);
	tool_say(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
	answer_head(c);
	tool_bytes(c, 3);
	ck_assert(tool_hung_up(c));
	ck_assert(tool_hung_up(t));
	close(t);
	close(c);
	stop();
}
END_TEST

START_TEST(a_message_that_comes_back_goes_no_further)
{
	char via[128], fields[512];
	struct reply r;
	int c, t;

	start("");
	c = get("/");
	t = tool_accept();
	snprintf(via, sizeof via, "%s", head_field(tool_head(t), "via"));
	tool_say(t, OK);
	raw_reply(c, false, &r);
	free(r.body);
	close(c);
	close(t);
	snprintf(fields, sizeof fields, "Via: 1.1 other\r\nVia: %s, 1.1 third\r\n", via);
	expect_error(ask(gateway.port, "GET", "/", fields, NULL), 508,
	    "passthrough.local leads back to the gateway itself");
	ck_assert(!tool_is_called());
	stop();
}
END_TEST

START_TEST(some_requests_are_not_for_passing_on)
{
	struct reply *r;
	int c, t;

	start("limits: {head: 4KiB, buffers: 1MiB}\nclient_timeouts: {body: 300ms}\n");
	expect_error(ask(gateway.port, "TRACE", "/", "Max-Forwards: 0\r\n", NULL), 405, NULL);
	r = ask(gateway.port, "OPTIONS", "/", "Max-Forwards: 0\r\n", NULL);
	ck_assert_int_eq(r->status, 204);
	ck_assert_ptr_nonnull(strstr(reply_field(r, "allow"), "PATCH"));
	expect_error(ask(gateway.port, "TRACE", "/", NULL, "x"), 400, "TRACE takes no body");
	c = client("HEAD / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n");
	ck_assert_int_eq(strncmp(answer_head(c), "HTTP/1.1 400 ", 13), 0);
	close(c);
	{
		char fields[6000];

		snprintf(fields, sizeof fields, "X: %05000d\r\n", 1);
		ck_assert_int_eq(ask(gateway.port, "GET", "/", fields, NULL)->status, 431);
	}
	ck_assert(!tool_is_called());
	/* A client that does not go on with its body is told so; the tool is not kept waiting. */
	c = client("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
	t = tool_accept();
	tool_head(t);
	ck_assert_int_eq(strncmp(answer_head(c), "HTTP/1.1 408 ", 13), 0);
	tool_bytes(t, 3);
	ck_assert(tool_hung_up(t));
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(what_is_held_for_clients_has_a_limit)
{
	int c[8], n = 0;
	char *head = NULL;

	start("limits: {buffers: 1MiB}\n");
	for (; n < 8; n++) {
		struct pollfd p;

		c[n] = client("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n");
		p = (struct pollfd){.fd = c[n], .events = POLLIN};
		if (poll(&p, 1, 200) > 0) {
			head = answer_head(c[n]);
			break;
		}
	}
	ck_assert_ptr_nonnull(head); /* before the eighth */
	ck_assert_int_ge(n, 2);
	ck_assert_int_eq(strncmp(head, "HTTP/1.1 503 ", 13), 0);
	ck_assert_ptr_nonnull(head_field(head, "retry-after"));
	for (int i = 0; i <= n; i++)
		close(c[i]);
	stop();
}
END_TEST

START_TEST(a_stop_waits_for_what_is_passed_on)
{
	int c, t;

	start("drain: 20s\n");
	c = get("/");
	t = tool_accept();
	tool_head(t);
	tool_say(t, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
	answer_head(c);
	program_term(&gateway);
	ck_assert(raw_refused(gateway.port));
	tool_say(t, "def");
	ck_assert_str_eq(tool_bytes(c, 6), "abcdef");
	ck_assert_int_eq(program_wait(&gateway), 0);
	close(c);
	close(t);
	tool_close();

	start("drain: 300ms\n");
	c = get("/");
	t = tool_accept();
	tool_head(t);
	tool_say(t, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
	answer_head(c);
	program_term(&gateway);
	tool_bytes(c, 3);
	ck_assert(tool_hung_up(c)); /* but not for ever */
	ck_assert_int_eq(program_wait(&gateway), 0);
	ck_assert(tool_hung_up(t));
	close(c);
	close(t);
	tool_close();
}
END_TEST

START_TEST(a_page_of_another_origin_reaches_the_tool)
{
#define PAGE "http://page.example"
	char *head;
	int c, t;

	start("cors: {origins: [" PAGE "]}\n");
	c = client("OPTIONS /api/projects/demo/scenarios/1 HTTP/1.1\r\nHost: localhost\r\n"
	           "Origin: " PAGE "\r\nAccess-Control-Request-Method: PATCH\r\n\r\n");
	head = answer_head(c);
	ck_assert_int_eq(strncmp(head, "HTTP/1.1 204 ", 13), 0);
	ck_assert_ptr_nonnull(strstr(head_field(head, "access-control-allow-methods"), " PATCH,"));
	ck_assert(!tool_is_called());
	more(c, "PATCH /api/projects/demo/scenarios/1 HTTP/1.1\r\nHost: localhost\r\n"
	        "Origin: " PAGE "\r\nContent-Length: 2\r\n\r\n{}");
	t = tool_accept();
	head = tool_head(t);
	ck_assert_int_eq(strncmp(head, "PATCH /api/projects/demo/scenarios/1 ", 37), 0);
	ck_assert_str_eq(head_field(head, "origin"), PAGE);
	tool_say(t, "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nVary: Accept\r\n"
	            "Content-Length: 2\r\n\r\nok");
	head = answer_head(c);
	ck_assert_uint_eq(times(head, "access-control-allow-origin:"), 1);
	ck_assert_str_eq(head_field(head, "access-control-allow-origin"), PAGE);
	ck_assert_str_eq(tool_bytes(c, 2), "ok");
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(the_own_address_is_no_local_tool)
{
	const char *file = scratch_file("self.yaml",
	    "listen: 127.0.0.1:3999\nbluejay: {api_key: x}\n"
	    "passthrough: {local: \"http://localhost:3999/\"}\n");
	char *out = shell("'%s' check --config '%s' 2>&1", program_path(), file);

	ck_assert_ptr_nonnull(strstr(out, "self.yaml:3:22: passthrough.local (http://localhost:3999) is "
	                                  "the gateway's own address 127.0.0.1:3999; "));
	free(out);
}
END_TEST

/* What goes to the local tool. */
static Suite *
local_suite(void)
{
	const TTest *const tests[] = {each_path_goes_where_it_belongs,
	    a_request_and_its_answer_pass_as_they_are, answers_of_every_kind_pass,
	    events_arrive_piece_by_piece, an_upload_arrives_piece_by_piece,
	    a_large_body_goes_up_and_down_in_little_memory, a_side_that_reads_nothing_stops_the_other,
	    an_early_answer_is_heard_while_the_body_is_sent,
	    an_answer_may_begin_before_the_request_has_ended, a_tool_that_is_down_is_named,
	    a_tool_that_dies_at_each_stage, a_client_that_leaves_takes_the_tools_connection_with_it,
	    an_idle_connection_serves_reads_again_and_writes_have_their_own, silence_has_an_end,
	    a_message_that_comes_back_goes_no_further, some_requests_are_not_for_passing_on,
	    what_is_held_for_clients_has_a_limit, a_stop_waits_for_what_is_passed_on,
	    a_page_of_another_origin_reaches_the_tool, the_own_address_is_no_local_tool, NULL};

	return unit_suite("passthrough local", tests);
}

UNIT_MAIN(local_suite, passthrough_bluejay_suite, passthrough_websocket_suite)
