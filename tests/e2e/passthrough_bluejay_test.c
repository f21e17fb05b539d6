#include "config.h"

#include "bluejay.h"
#include "harness.h"
#include "passthrough_test.h"
#include "tool.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * What is passed on to Bluejay: once to one that the test plays byte by byte, once to
 * one that keeps personas.
 */

#define KEY "the-key-of-bluejay"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define PERSONAS "/api/projects/demo/personas"

static struct program gateway;

/* Starts a gateway; `bluejay` are further members of that section, `more` lines of the file. */
static void
start(int port, const char *bluejay, const char *more)
{
	const char *file = scratch_file("gateway.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	    "bluejay: {url: \"http://127.0.0.1:%d/base\", api_key: " KEY "%s}\n"
	    "projects: {demo: {agent_id: 1}, plain: {}}\n%s", port, bluejay, more);
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
}

/* Sends the text of a request; the connection. */
static int
client(const char *text)
{
	int fd = raw_connect(gateway.port);

	raw_send(fd, text, strlen(text));
	return fd;
}

START_TEST(it_is_off_by_default)
{
	start(tool_open(), "", "");
	expect_error(ask(gateway.port, "GET", "/v1/customer-persona/1", NULL, NULL), 404, "Not found");
	ck_assert(!tool_is_called());
	stop();
	tool_close();
}
END_TEST

START_TEST(the_key_goes_along_and_the_callers_stays)
{
	struct reply r;
	char *head;
	int c, t;

	start(tool_open(), "", "passthrough: {bluejay: true}\n");
	c = client("POST /v1/a%20b/%7e?x=%20 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
	           "X-API-Key: theirs\r\nx-api-key: theirs-too\r\nAuthorization: Bearer theirs\r\n"
	           "Proxy-Authorization: theirs\r\nCookie: theirs=1\r\nX-Forwarded-For: 1.2.3.4\r\n"
	           "X-Request-Id: mine-1\r\nContent-Type: text/plain\r\n\r\nhello");
	t = tool_accept();
	head = tool_head(t);
	ck_assert_ptr_eq(strstr(head, "POST /base/v1/a%20b/%7e?x=%20 HTTP/1.1\r\n"), head);
	ck_assert_uint_eq(times(head, "x-api-key: "), 1);
	ck_assert_str_eq(head_field(head, "x-api-key"), KEY);
	ck_assert_ptr_null(strstr(head, "theirs"));
	ck_assert_ptr_null(strstr(head, "1.2.3.4"));
	ck_assert_int_eq(strncmp(head_field(head, "host"), "127.0.0.1:", 10), 0);
	ck_assert_str_eq(head_field(head, "x-request-id"), "mine-1");
	ck_assert_str_eq(head_field(head, "content-type"), "text/plain");
	ck_assert_ptr_nonnull(strstr(head_field(head, "via"), "persona-gateway-"));
	ck_assert_str_eq(tool_bytes(t, 5), "hello");
	tool_say(t, "HTTP/1.1 422 No\r\nSet-Cookie: a=1\r\nX-Request-Id: x\r\nContent-Length: 4\r\n\r\nwhat");
	raw_reply(c, false, &r);
	ck_assert_int_eq(r.status, 422);
	ck_assert_str_eq(r.body, "what");
	ck_assert_ptr_null(reply_field(&r, "set-cookie"));
	ck_assert_str_eq(reply_field(&r, "x-request-id"), "mine-1");
	free(r.body);
	close(c);
	close(t);
	stop();
	tool_close();
}
END_TEST

START_TEST(some_requests_are_refused)
{
	static const char *const odd[] = {"/v1/../x", "/v1/%2e%2e/x", "/v1/..%2fx", "/v1/%zz",
	    "/x/../v1/y", "//v1/x", "/v1/%00"};
	struct reply r;
	int c, t;

	start(tool_open(), "", "passthrough: {bluejay: true}\n");
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		expect_error(ask(gateway.port, "GET", odd[i], NULL, NULL), 400, NULL);
	expect_error(ask(gateway.port, "TRACE", "/v1/x", NULL, NULL), 405, NULL); /* would show the key */
	expect_error(ask(gateway.port, "GET", "/other", NULL, NULL), 404, "Not found");
	ck_assert(!tool_is_called());
	c = client("GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
	t = tool_accept();
	tool_head(t);
	tool_say(t, "HTTP/1.1 401 No\r\nWWW-Authenticate: x\r\nContent-Length: 30\r\n\r\n"
	            "the key " KEY " is ....");
	raw_reply(c, false, &r);
	expect_error(&r, 502, "Bluejay refused the gateway's API key");
	free(r.body);
	close(c);
	close(t);
	stop();
	tool_close();
}
END_TEST

/* Has another key come into force. */
static void
rotate(int port, const char *key)
{
	scratch_file("gateway.yaml", "bluejay: {url: \"http://127.0.0.1:%d/base\", api_key: %s}\n"
	    "projects: {demo: {agent_id: 1}, plain: {}}\npassthrough: {bluejay: true}\n", port, key);
	ck_assert_int_eq(ask(gateway.admin_port, "POST", "/reload", NULL, "{}")->status, 200);
}

START_TEST(a_refused_request_goes_once_more_with_the_key_before)
{
	static const char refusal[] = "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno";
	int port = tool_open(), c, t;
	struct reply r;

	start(port, "", "passthrough: {bluejay: true}\n");
	rotate(port, "the-next-key");
	for (int i = 0; i < 2; i++) { /* refused in the middle of the body; the second time for good */
		c = client("POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello");
		t = tool_accept();
		ck_assert_str_eq(head_field(tool_head(t), "x-api-key"), "the-next-key");
		ck_assert_str_eq(tool_bytes(t, 5), "hello");
		tool_say(t, refusal);
		close(t);
		t = tool_accept();
		ck_assert_str_eq(head_field(tool_head(t), "x-api-key"), KEY);
		ck_assert_str_eq(tool_bytes(t, 5), "hello");
		raw_send(c, "world", 5);
		ck_assert_str_eq(tool_bytes(t, 5), "world");
		tool_say(t, i == 0 ? OK : refusal);
		raw_reply(c, false, &r);
		ck_assert_int_eq(r.status, i == 0 ? 200 : 502);
		free(r.body);
		close(c);
		close(t);
	}
	ck_assert(!tool_is_called());
	stop();
	tool_close();
}
END_TEST

START_TEST(a_client_may_leave_while_its_request_turns)
{
	int port = tool_open(), c, t;

	start(port, "", "passthrough: {bluejay: true}\n");
	rotate(port, "the-next-key");
	for (int i = 0; i < 20; i++) {
		c = client("POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello");
		t = tool_accept();
		tool_head(t);
		tool_say(t, "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
		close(c);
		close(t);
		if (tool_is_called()) {
			t = tool_accept();
			close(t);
		}
	}
	stop();
	tool_close();
}
END_TEST

START_TEST(trouble_is_told_in_the_usual_words)
{
	struct reply r;
	int port, c, t;

	port = tool_open();
	start(port, ", timeouts: {total: 400ms}, max_in_flight: 1, rate: {per_minute: 12}",
	    "passthrough: {bluejay: true, timeouts: {idle: 300ms}}\n");
	c = client("GET /v1/slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
	t = tool_accept();
	tool_head(t);
	raw_reply(c, false, &r);
	expect_error(&r, 504, "Bluejay did not answer in time");
	free(r.body);
	close(c);
	close(t);
	c = client("GET /v1/cut HTTP/1.1\r\nHost: localhost\r\n\r\n");
	t = tool_accept();
	tool_head(t);
	close(t);
	raw_reply(c, false, &r);
	expect_error(&r, 502, "The connection to Bluejay broke before its answer was complete");
	free(r.body);
	close(c);
	/* two at once are the budget's; the next would come too late */
	expect_error(ask(gateway.port, "GET", "/v1/x", NULL, NULL), 503,
	    "Too many calls to Bluejay are waiting; try again later");
	ck_assert(!tool_is_called());
	stop();
	tool_close();
	start(port, "", "passthrough: {bluejay: true}\n");
	expect_error(ask(gateway.port, "GET", "/v1/x", NULL, NULL), 502, "Bluejay could not be reached");
	stop();
}
END_TEST

START_TEST(only_so_many_at_a_time)
{
	struct reply r;
	int c[2], t;

	/* one loop: the second call comes on the connection of the first */
	start(tool_open(), ", max_in_flight: 1", "passthrough: {bluejay: true}\nworkers: 1\n");
	c[0] = client("GET /v1/1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
	t = tool_accept();
	tool_head(t);
	tool_say(t, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
	tool_head(c[0]);
	c[1] = client("POST /v1/2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
	tool_bytes(c[0], 2);
	ck_assert(!tool_is_called());
	tool_say(t, "cd");
	tool_bytes(c[0], 2);
	ck_assert_int_eq(strncmp(tool_head(t), "POST /base/v1/2 ", 16), 0); /* now it is its turn */
	ck_assert_str_eq(tool_bytes(t, 3), "abc");
	tool_say(t, OK);
	raw_reply(c[1], false, &r);
	ck_assert_int_eq(r.status, 200);
	free(r.body);
	close(c[0]);
	close(c[1]);
	close(t);
	stop();
	tool_close();
}
END_TEST

/* ---- with a Bluejay that keeps personas ---- */

/* Starts it and a gateway that asks again after an hour only, and once only. */
static void
start_keeping(void)
{
	const char *file;

	bluejay_start();
	file = scratch_file("gateway.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	    "bluejay: {url: \"http://127.0.0.1:%d\", api_key: " KEY ", cache: {fresh: 1h}, "
	    "retries: 1, timeouts: {first_byte: 5s}}\n"
	    "projects: {demo: {agent_id: 1}, plain: {}}\npassthrough: {bluejay: true}\n", bluejay_port());
	{
		const char *const args[] = {"serve", "--config", file, NULL};

		program_start(&gateway, args);
	}
}

/* The goal of a persona as the gateway's client sees it. */
static const char *
prompt(const char *project, const char *id)
{
	char path[256];
	struct reply *r;

	snprintf(path, sizeof path, "/api/projects/%s/personas/%s", project, id);
	r = ask(gateway.port, "GET", path, NULL, NULL);
	ck_assert_int_eq(r->status, 200);
	return reply_string(r, "systemPrompt");
}

/* Changes a goal past the gateway. */
static void
change(const char *id, const char *goal)
{
	char path[256], body[256];

	snprintf(path, sizeof path, "/v1/update-customer-persona/%s", id);
	snprintf(body, sizeof body, "{\"goal\":\"%s\"}", goal);
	ck_assert_int_eq(ask(gateway.port, "PUT", path, NULL, body)->status, 200);
}

START_TEST(a_write_past_the_gateway_is_seen_at_once)
{
	char id[64], path[256];
	struct reply *r;
	unsigned reads;

	start_keeping();
	snprintf(id, sizeof id, "%s", bluejay_make(1, "one", "", "first"));
	r = ask(gateway.port, "GET", PERSONAS, NULL, NULL);
	ck_assert_ptr_nonnull(strstr(r->body, "first"));
	ck_assert_str_eq(prompt("demo", id), "first");
	reads = bluejay_count("GET", "/v1/");
	ck_assert_str_eq(prompt("demo", id), "first");
	snprintf(path, sizeof path, "/v1/customer-persona/%s", id);
	ck_assert_int_eq(ask(gateway.port, "GET", path, NULL, NULL)->status, 200); /* no write */
	ck_assert_str_eq(prompt("demo", id), "first");
	ck_assert_uint_eq(bluejay_count("GET", "/v1/"), reads + 1);
	change(id, "second");
	ck_assert_str_eq(prompt("demo", id), "second");
	change(id, "third");
	r = ask(gateway.port, "GET", PERSONAS, NULL, NULL);
	ck_assert_ptr_nonnull(strstr(r->body, "third"));
	ask(gateway.port, "GET", PERSONAS, NULL, NULL); /* a list that shows nothing new is kept */
	reads = bluejay_count("GET", "/v1/");
	ck_assert_int_eq(ask(gateway.port, "GET", PERSONAS, NULL, NULL)->status, 200);
	ck_assert_uint_eq(bluejay_count("GET", "/v1/"), reads);
	change(id, "fourth");
	r = ask(gateway.port, "GET", PERSONAS, NULL, NULL);
	ck_assert_ptr_nonnull(strstr(r->body, "fourth"));
	r = ask(gateway.port, "POST", "/v1/create-customer-persona", NULL,
	    "{\"name\":\"two\",\"description\":\"\",\"goal\":\"\",\"agent_id\":1}");
	ck_assert_int_eq(r->status, 200);
	r = ask(gateway.port, "GET", PERSONAS, NULL, NULL);
	ck_assert_ptr_nonnull(strstr(r->body, "\"two\""));
	ck_assert_int_eq(ask(gateway.port, "DELETE", path, NULL, NULL)->status, 200);
	snprintf(path, sizeof path, PERSONAS "/%s", id);
	ck_assert_int_eq(ask(gateway.port, "GET", path, NULL, NULL)->status, 404);
	stop();
	bluejay_stop();
}
END_TEST

/* Starts a read that Bluejay does at once and answers when it is released. */
static int
read_late(const char *path, unsigned so_many)
{
	char text[512];
	int c;

	snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	c = client(text);
	bluejay_wait("GET", "/v1/", so_many);
	return c;
}

START_TEST(reads_that_were_under_way_do_not_bring_the_old_back)
{
	char id[64], path[256];
	struct reply r;
	unsigned reads;
	int c;

	start_keeping();
	snprintf(id, sizeof id, "%s", bluejay_make(1, "one", "", "first"));
	ck_assert_int_eq(ask(gateway.port, "GET", PERSONAS, NULL, NULL)->status, 200);
	change(id, "second");
	reads = bluejay_count("GET", "/v1/");

	bluejay_rule("GET", "/v1/customer-persona/", 1, BLUEJAY_DO_HOLD, 0, NULL);
	snprintf(path, sizeof path, PERSONAS "/%s", id);
	c = read_late(path, reads + 1);
	change(id, "third");
	ck_assert_str_eq(prompt("demo", id), "third"); /* a read of its own */
	bluejay_release();
	raw_reply(c, false, &r);
	ck_assert_int_eq(r.status, 200);
	free(r.body);
	close(c);
	bluejay_rule("GET", "/v1/customer-persona/", 1, BLUEJAY_ANSWER, 500, "{}");
	ck_assert_str_eq(prompt("demo", id), "third"); /* the late one has not undone it */
	bluejay_forget();

	reads = bluejay_count("GET", "/v1/");
	bluejay_rule("GET", "/v1/customer-personas-by-agent/", 1, BLUEJAY_DO_HOLD, 0, NULL);
	c = read_late(PERSONAS, reads + 1);
	change(id, "fourth");
	bluejay_release();
	raw_reply(c, false, &r);
	ck_assert_int_eq(r.status, 200);
	free(r.body);
	close(c);
	ck_assert_str_eq(prompt("demo", id), "fourth");
	ck_assert_ptr_nonnull(strstr(ask(gateway.port, "GET", PERSONAS, NULL, NULL)->body, "fourth"));
	stop();
	bluejay_stop();
}
END_TEST

/* What goes to Bluejay. */
Suite *
passthrough_bluejay_suite(void)
{
	const TTest *const tests[] = {it_is_off_by_default, the_key_goes_along_and_the_callers_stays,
	    some_requests_are_refused, a_refused_request_goes_once_more_with_the_key_before,
	    a_client_may_leave_while_its_request_turns, trouble_is_told_in_the_usual_words,
	    only_so_many_at_a_time,
	    a_write_past_the_gateway_is_seen_at_once,
	    reads_that_were_under_way_do_not_bring_the_old_back, NULL};

	return unit_suite("passthrough bluejay", tests);
}
