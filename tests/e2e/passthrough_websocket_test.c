#include "config.h"

#include "harness.h"
#include "passthrough_test.h"
#include "tool.h"
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * WebSockets (RFC 6455) to the local tool, which the test plays itself.
 */

#define FRAME ((size_t)32 << 20)      /* bytes in a large frame */
#define IN_TRANSIT ((size_t)12 << 20) /* more than the kernel's and the gateway's buffers hold */
#define GROWTH_KB 2048
#define ASK                                                                             \
	"GET /chat?room=%zz HTTP/1.1\r\nHost: localhost:3000\r\nConnection: keep-alive, Upgrade\r\n" \
	"Upgrade: WebSocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"          \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\nOrigin: http://page\r\n\r\n"
#define SWITCHED                                                               \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

#if defined(WITH_ASAN) || defined(WITH_FUZZING)
#define MEASURED 0
#else
#define MEASURED 1
#endif

static struct program gateway;

/* Starts a gateway whose local tool is here; `lines` are further ones of the section. */
static void
start(const char *lines)
{
	const char *file = scratch_file("gateway.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	    "bluejay: {url: \"http://127.0.0.1:1\", api_key: key}\nprojects: {demo: {}}\n"
	    "passthrough:\n  local: http://127.0.0.1:%d\n%s", tool_open(), lines);
	const char *const args[] = {"serve", "--config", file, NULL};

	program_start(&gateway, args);
}

/* Ends it. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
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

/* Opens a WebSocket; both ends. */
static void
open_both(int *c, int *t)
{
	*c = client(ASK);
	*t = tool_accept();
	tool_head(*t);
	tool_say(*t, SWITCHED);
	ck_assert_int_eq(strncmp(tool_head(*c), "HTTP/1.1 101 ", 13), 0);
}

START_TEST(a_websocket_opens_and_carries_bytes)
{
	char *head;
	int c, t;

	start("");
	c = client(ASK "\x81\x05" "early");
	t = tool_accept();
	head = tool_head(t);
	ck_assert_ptr_eq(strstr(head, "GET /chat?room=%zz HTTP/1.1\r\n"), head);
	ck_assert_str_eq(head_field(head, "host"), "localhost:3000");
	ck_assert_str_eq(head_field(head, "upgrade"), "websocket");
	ck_assert_str_eq(head_field(head, "connection"), "Upgrade");
	ck_assert_str_eq(head_field(head, "sec-websocket-key"), "dGhlIHNhbXBsZSBub25jZQ==");
	ck_assert_str_eq(head_field(head, "sec-websocket-version"), "13");
	ck_assert_str_eq(head_field(head, "sec-websocket-protocol"), "chat");
	ck_assert_str_eq(head_field(head, "origin"), "http://page");
	ck_assert_str_eq(head_field(head, "x-forwarded-for"), "127.0.0.1");
	ck_assert_uint_eq(times(head, "connection:"), 1);
	tool_say(t, SWITCHED "\x81\x03" "too");
	head = tool_head(c);
	ck_assert_ptr_eq(strstr(head, "HTTP/1.1 101 Switching Protocols\r\n"), head);
	ck_assert_str_eq(head_field(head, "upgrade"), "websocket");
	ck_assert_str_eq(head_field(head, "connection"), "Upgrade");
	ck_assert_str_eq(head_field(head, "sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	ck_assert_str_eq(tool_bytes(c, 5), "\x81\x03" "too");
	ck_assert_str_eq(tool_bytes(t, 7), "\x81\x05" "early");
	for (int i = 0; i < 3; i++) { /* message by message */
		tool_say(c, "\x81\x02" "hi");
		ck_assert_str_eq(tool_bytes(t, 4), "\x81\x02" "hi");
		tool_say(t, "\x81\x02" "yo");
		ck_assert_str_eq(tool_bytes(c, 4), "\x81\x02" "yo");
	}
	close(c);
	ck_assert(tool_hung_up(t));
	close(t);
	stop();
}
END_TEST

/* Sends back what comes, until the end. */
static void *
echo(void *arg)
{
	int fd = *(int *)arg;
	static char bytes[65536];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
		raw_send(fd, bytes, (size_t)n);
	shutdown(fd, SHUT_WR);
	return NULL;
}

/* The byte of a frame at a place. */
static unsigned char
byte_at(size_t i)
{
	return (unsigned char)(i * 31 + (i >> 16) * 7);
}

/* Sends a large frame. */
static void *
send_frame(void *arg)
{
	static const unsigned char head[10] = {0x82, 127, 0, 0, 0, 0, FRAME >> 24, 0, 0, 0};
	int fd = *(int *)arg;
	static char bytes[65536];

	raw_send(fd, (const char *)head, sizeof head);
	for (size_t i = 0; i < FRAME; i += sizeof bytes) {
		for (size_t k = 0; k < sizeof bytes; k++)
			bytes[k] = (char)byte_at(i + k);
		raw_send(fd, bytes, sizeof bytes);
	}
	return NULL;
}

START_TEST(large_frames_go_both_ways_in_little_memory)
{
	pthread_t echoing, sending;
	size_t wrong = 0;
	long before;
	int c, t;

	start("");
	open_both(&c, &t);
	before = peak_of(gateway.pid);
	ck_assert_int_eq(pthread_create(&echoing, NULL, echo, &t), 0);
	ck_assert_int_eq(pthread_create(&sending, NULL, send_frame, &c), 0);
	ck_assert_int_eq((unsigned char)tool_bytes(c, 10)[6], FRAME >> 24);
	for (size_t i = 0; i < FRAME; i += 65536) {
		const char *bytes = tool_bytes(c, 65536);

		for (size_t k = 0; k < 65536; k++)
			wrong += (unsigned char)bytes[k] != byte_at(i + k);
	}
	ck_assert_uint_eq(wrong, 0);
	pthread_join(sending, NULL);
	shutdown(c, SHUT_WR);
	ck_assert(tool_hung_up(c));
	pthread_join(echoing, NULL);
	if (MEASURED)
		ck_assert_int_lt(peak_of(gateway.pid) - before, GROWTH_KB);
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(a_side_that_reads_nothing_stops_the_other)
{
	size_t sent;
	int c, t;

	start("");
	open_both(&c, &t);
	for (int i = 0; i < 2; i++) {
		int from = i == 0 ? c : t, to = i == 0 ? t : c;

		sent = pour(from, 4 * IN_TRANSIT);
		ck_assert_uint_lt(sent, IN_TRANSIT);
		ck_assert_uint_eq(swallow(to, sent), sent);
		tool_say(from, "end");
		ck_assert_str_eq(tool_bytes(to, 3), "end");
	}
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(only_websockets_and_only_to_the_tool)
{
	char *head;
	struct reply r;
	int c, t;

	start("");
	c = client("GET /h2 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
	           "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
	t = tool_accept();
	head = tool_head(t);
	ck_assert_ptr_null(head_field(head, "upgrade"));
	ck_assert_ptr_null(head_field(head, "connection"));
	ck_assert_ptr_null(head_field(head, "http2-settings"));
	tool_say(t, "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
	raw_reply(c, false, &r);
	ck_assert_int_eq(r.status, 502);
	free(r.body);
	close(c);
	close(t);
	c = client("GET /api/projects/demo/personas HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
	           "Upgrade: websocket\r\n\r\n");
	raw_reply(c, false, &r);
	ck_assert_int_eq(r.status, 200);
	free(r.body);
	close(c);
	c = client("POST /chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	           "Content-Length: 2\r\n\r\nhi");
	t = tool_accept();
	ck_assert_ptr_null(head_field(tool_head(t), "upgrade"));
	ck_assert_str_eq(tool_bytes(t, 2), "hi");
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(a_tool_that_does_not_change_the_protocol_is_heard)
{
	static const struct {
		const char *answer;
		int status;
		const char *body;
	} rows[] = {
	    {"HTTP/1.1 400 No\r\nX-Own: 1\r\nContent-Length: 4\r\n\r\nnope and more", 400, "nope"},
	    {"HTTP/1.1 200 OK\r\nX-Own: 1\r\n\r\nto the end", 200, "a\r\nto the end\r\n0\r\n\r\n"},
	    {"HTTP/1.1 403 No\r\nX-Own: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n",
	        403, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"},
	    {"HTTP/1.1 204 No\r\nX-Own: 1\r\n\r\n", 204, ""},
	    {"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 426 U\r\nX-Own: 1\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n",
	        426, ""},
	};
	static const char *const bad[] = {"", "HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
	    "HTTP/1.1 101 S\r\nConnection: Upgrade\r\n\r\n", "HTTP/1.1 101 S\nUpgrade: websocket\n\n",
	    "garbage\r\n\r\n", "HTTP/1.1 101 S\r\nUpgrade: webso"};
	char *head;
	int c, t;

	start("");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		c = client(ASK);
		t = tool_accept();
		tool_head(t);
		tool_say(t, rows[i].answer);
		close(t);
		head = tool_head(c);
		ck_assert_int_eq(atoi(head + 9), rows[i].status);
		ck_assert_str_eq(head_field(head, "x-own"), "1");
		ck_assert_ptr_null(head_field(head, "upgrade"));
		ck_assert_str_eq(tool_bytes(c, strlen(rows[i].body)), rows[i].body);
		close(c);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct reply r;

		c = client(ASK);
		t = tool_accept();
		tool_head(t);
		tool_say(t, bad[i]);
		close(t);
		raw_reply(c, false, &r);
		expect_error(&r, 502, NULL);
		free(r.body);
		close(c);
	}
	for (int i = 0; i < 2; i++) { /* cut within an ordinary answer */
		c = client(ASK);
		t = tool_accept();
		tool_head(t);
		tool_say(t, i == 0 ? "HTTP/1.1 400 N\r\nContent-Length: 9\r\n\r\nabc"
		                   : "HTTP/1.1 400 N\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
		tool_head(c);
		tool_bytes(c, i == 0 ? 3 : 8);
		close(t);
		ck_assert(tool_hung_up(c));
		close(c);
	}
	stop();
}
END_TEST

START_TEST(an_end_reaches_the_other_side)
{
	int c, t;

	start("");
	open_both(&c, &t); /* the client's, while the tool goes on */
	tool_say(c, "bye");
	shutdown(c, SHUT_WR);
	ck_assert_str_eq(tool_bytes(t, 3), "bye");
	ck_assert(tool_hung_up(t));
	tool_say(t, "still here");
	ck_assert_str_eq(tool_bytes(c, 10), "still here");
	close(t);
	ck_assert(tool_hung_up(c));
	close(c);
	open_both(&c, &t); /* the tool's, while the client goes on */
	tool_say(t, "bye");
	shutdown(t, SHUT_WR);
	ck_assert_str_eq(tool_bytes(c, 3), "bye");
	ck_assert(tool_hung_up(c));
	tool_say(c, "still here");
	ck_assert_str_eq(tool_bytes(t, 10), "still here");
	close(c);
	ck_assert(tool_hung_up(t));
	close(t);
	open_both(&c, &t);
	tool_cut(c, true);
	ck_assert(tool_hung_up(t));
	close(t);
	open_both(&c, &t);
	tool_cut(t, true);
	ck_assert(tool_hung_up(c));
	close(c);
	c = client(ASK); /* gone before there is an answer */
	t = tool_accept();
	tool_head(t);
	close(c);
	ck_assert(tool_hung_up(t));
	close(t);
	stop();
}
END_TEST

START_TEST(a_silent_websocket_is_closed)
{
	int c, t;

	start("  timeouts: {idle: 300ms}\n");
	open_both(&c, &t);
	ck_assert(tool_hung_up(c));
	ck_assert(tool_hung_up(t));
	close(c);
	close(t);
	stop();
}
END_TEST

START_TEST(a_stop_waits_for_websockets_as_for_others)
{
	int c, t;

	start("drain: 20s\n");
	open_both(&c, &t);
	program_term(&gateway);
	ck_assert(raw_refused(gateway.port));
	tool_say(c, "ping");
	ck_assert_str_eq(tool_bytes(t, 4), "ping");
	close(t);
	ck_assert(tool_hung_up(c));
	close(c);
	ck_assert_int_eq(program_wait(&gateway), 0);
	tool_close();
	start("drain: 300ms\n");
	open_both(&c, &t);
	program_term(&gateway);
	ck_assert(tool_hung_up(c));
	ck_assert(tool_hung_up(t));
	close(c);
	close(t);
	ck_assert_int_eq(program_wait(&gateway), 0);
	tool_close();
}
END_TEST

/* WebSockets. */
Suite *
passthrough_websocket_suite(void)
{
	const TTest *const tests[] = {a_websocket_opens_and_carries_bytes,
	    large_frames_go_both_ways_in_little_memory, a_side_that_reads_nothing_stops_the_other,
	    only_websockets_and_only_to_the_tool, a_tool_that_does_not_change_the_protocol_is_heard,
	    an_end_reaches_the_other_side, a_silent_websocket_is_closed,
	    a_stop_waits_for_websockets_as_for_others, NULL};

	return unit_suite("passthrough websocket", tests);
}
