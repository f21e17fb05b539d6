#include "config.h"

#include "harness.h"
#include "tool.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * Behind a reverse proxy, which the test plays itself; and local sockets.
 */

#define PERSONAS "/api/projects/demo/personas"
#define BASE "admin_listen: 127.0.0.1:0\ndata_dir: data\n"                     \
	"bluejay: {url: \"http://127.0.0.1:1\", api_key: key}\nprojects: {demo: {}}\n"

static struct program gateway;

/* Starts a gateway on a port with these further lines of its file. */
static void
start(const char *lines)
{
	const char *file = scratch_file("gateway.yaml", "listen: 127.0.0.1:0\n" BASE "%s", lines);
	const char *const args[] = {"serve", "--config", file, NULL};

	program_start(&gateway, args);
}

/* Ends it. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* The last line of the log that has an event for a request id. */
static const char *
line_of(const char *event, const char *id)
{
	static char line[2048];
	char *log = program_log(&gateway), want[128];

	snprintf(want, sizeof want, "\"event\":\"%s\",\"request\":\"%s\"", event, id);
	line[0] = '\0';
	for (char *at = strtok(log, "\n"); at != NULL; at = strtok(NULL, "\n"))
		if (strstr(at, want) != NULL)
			snprintf(line, sizeof line, "%s", at);
	free(log);
	ck_assert_msg(line[0] != '\0', "no %s of %s", event, id);
	return line;
}

START_TEST(the_log_names_the_client_that_a_trusted_proxy_names)
{
	start("trusted_proxies: [127.0.0.1]\n");
	ask(gateway.port, "GET", PERSONAS, "X-Request-Id: one\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.1\r\n",
	    NULL);
	ck_assert_ptr_nonnull(strstr(line_of("request", "one"),
	    "\"client\":\"192.0.2.1\",\"proxy\":\"127.0.0.1\","));
	ask(gateway.port, "DELETE", PERSONAS "/x",
	    "X-Request-Id: two\r\nForwarded: for=\"[2001:db8::1]:99\";proto=https\r\n", NULL);
	ck_assert_ptr_nonnull(strstr(line_of("audit", "two"),
	    "\"client\":\"2001:db8::1\",\"proxy\":\"127.0.0.1\","));
	ask(gateway.port, "GET", PERSONAS, "X-Request-Id: three\r\n", NULL);
	ck_assert_ptr_nonnull(strstr(line_of("request", "three"), "\"client\":\"127.0.0.1\",\"project\""));
	expect_error(ask(gateway.port, "GET", PERSONAS, "X-Forwarded-For: garbage\r\n", NULL), 400,
	    "The X-Forwarded headers are not well-formed");
	ask(gateway.admin_port, "POST", "/reload", "X-Request-Id: four\r\nX-Forwarded-For: 192.0.2.4\r\n",
	    "{}");
	ck_assert_ptr_nonnull(strstr(line_of("audit", "four"), "\"client\":\"192.0.2.4\""));
	stop();
}
END_TEST

START_TEST(a_reload_names_other_proxies)
{
	static const char said[] = "X-Request-Id: %s\r\nX-Forwarded-For: 192.0.2.1\r\n";
	char fields[128];

	start("");
	snprintf(fields, sizeof fields, said, "before");
	ask(gateway.port, "GET", PERSONAS, fields, NULL);
	ck_assert_ptr_nonnull(strstr(line_of("request", "before"), "\"client\":\"127.0.0.1\",\"project\""));
	scratch_file("gateway.yaml", "listen: 127.0.0.1:0\n" BASE "trusted_proxies: [127.0.0.0/8]\n");
	ck_assert_int_eq(ask(gateway.admin_port, "POST", "/reload", NULL, "{}")->status, 200);
	snprintf(fields, sizeof fields, said, "after");
	ask(gateway.port, "GET", PERSONAS, fields, NULL);
	ck_assert_ptr_nonnull(strstr(line_of("request", "after"), "\"client\":\"192.0.2.1\""));
	stop();
}
END_TEST

START_TEST(failures_are_counted_for_the_client_behind_the_proxy)
{
	char *log;

	start("trusted_proxies: [127.0.0.1]\n"
	    "clients:\n  - {name: ci, token_sha256: "
	    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}\n");
	for (int i = 0; i < 11; i++)
		ck_assert_int_eq(ask(gateway.port, "GET", PERSONAS, "X-Forwarded-For: 192.0.2.66\r\n",
		    NULL)->status, 401);
	log = program_log(&gateway);
	ck_assert_ptr_nonnull(strstr(log, "their answers wait\",\"client\":\"192.0.2.66\""));
	ck_assert_ptr_null(strstr(log, "their answers wait\",\"client\":\"127.0.0.1\""));
	free(log);
	stop();
}
END_TEST

/* Sends the text of a request to the gateway, and returns its head as the local tool gets it. */
static const char *
at_the_tool(const char *text)
{
	int c = raw_connect(gateway.port), t;
	struct reply r;
	const char *head;

	raw_send(c, text, strlen(text));
	t = tool_accept();
	head = tool_head(t);
	tool_say(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	close(t);
	raw_reply(c, false, &r);
	ck_assert_int_eq(r.status, 200);
	free(r.body);
	close(c);
	return head;
}

START_TEST(the_local_tool_is_told_what_is_believed)
{
	static const char text[] = "GET /x HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 6.6.6.6, "
	    "192.0.2.1, 127.0.0.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: studio.example\r\n"
	    "X-Forwarded-Port: 1\r\n\r\n";
	const char *head;
	char lines[128];

	snprintf(lines, sizeof lines, "trusted_proxies: [127.0.0.0/8]\npassthrough:\n"
	    "  local: http://127.0.0.1:%d\n", tool_open());
	start(lines);
	head = at_the_tool(text);
	ck_assert_str_eq(head_field(head, "forwarded"), "for=192.0.2.1;host=\"studio.example\";"
	    "proto=https, for=127.0.0.9, for=127.0.0.1");
	ck_assert_str_eq(head_field(head, "x-forwarded-for"), "192.0.2.1, 127.0.0.9, 127.0.0.1");
	ck_assert_str_eq(head_field(head, "x-forwarded-proto"), "https");
	ck_assert_str_eq(head_field(head, "x-forwarded-host"), "studio.example");
	ck_assert_str_eq(head_field(head, "host"), "localhost");
	ck_assert_uint_eq(times(head, "orwarded"), 0 + 4);
	ck_assert_ptr_null(strstr(head, "6.6.6.6"));
	stop();
	snprintf(lines, sizeof lines, "trusted_proxies: [10.0.0.0/8]\npassthrough:\n"
	    "  local: http://127.0.0.1:%s\n", strrchr(lines, ':') + 1);
	start(lines);
	head = at_the_tool(text);
	ck_assert_str_eq(head_field(head, "forwarded"), "for=127.0.0.1;host=\"localhost\";proto=http");
	ck_assert_str_eq(head_field(head, "x-forwarded-for"), "127.0.0.1");
	stop();
	tool_close();
}
END_TEST

static char after_said[400]; /* the last answer's body */

/* One request on a connection that begins with these bytes; its status, 0 when the
 * connection ends without an answer. */
static int
after(const char *header, size_t len, const char *id)
{
	int fd = raw_connect(gateway.port), status = 0;
	struct reply r = {0};
	char text[256], first;

	snprintf(text, sizeof text, "GET " PERSONAS " HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: %s\r\n\r\n",
	    id);
	raw_send(fd, header, len);
	raw_send(fd, text, strlen(text));
	if (recv(fd, &first, 1, MSG_PEEK) > 0) {
		raw_reply(fd, false, &r);
		status = r.status;
		snprintf(after_said, sizeof after_said, "%s", r.body);
		free(r.body);
	}
	close(fd);
	return status;
}

#define V1 "PROXY TCP4 192.0.2.7 192.0.2.1 12345 80\r\n"
#define V2 "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xc0\0\2\x08\xc0\0\2\1\x30\x39\0\x50\4\0\0"

START_TEST(proxy_headers_name_the_client)
{
	static const char unexpected[] = "{\"error\":\"The connection begins with a PROXY protocol header, and "
	    "proxy_protocol in the gateway's configuration does not name the address that it comes from\"}";

	start("proxy_protocol: [127.0.0.1]\n");
	ck_assert_int_eq(after(V1, sizeof V1 - 1, "v1"), 200);
	ck_assert_ptr_nonnull(strstr(line_of("request", "v1"), "\"client\":\"192.0.2.7\",\"project\""));
	ck_assert_int_eq(after(V2, sizeof V2 - 1, "v2"), 200);
	ck_assert_ptr_nonnull(strstr(line_of("request", "v2"), "\"client\":\"192.0.2.8\",\"project\""));
	ck_assert_int_eq(after("", 0, "none"), 0);
	ck_assert_int_eq(ask(gateway.admin_port, "GET", "/healthz", NULL, NULL)->status, 200);
	ck_assert_ptr_nonnull(strstr(ask(gateway.admin_port, "GET", "/metrics", NULL, NULL)->body,
	    "persona_gateway_http_proxy_headers_refused_total{listener=\"api\"} 1\n"));
	stop();
	start("proxy_protocol: [192.0.2.1]\n");
	ck_assert_int_eq(after(V1, sizeof V1 - 1, "v1"), 400);
	ck_assert_str_eq(after_said, unexpected);
	ck_assert_int_eq(after(V2, sizeof V2 - 1, "v2"), 400);
	ck_assert_str_eq(after_said, unexpected);
	ck_assert_int_eq(after("PROXY UNKNOWN\r\n", 15, "v1"), 400);
	ck_assert_str_eq(after_said, unexpected);
	ck_assert_int_eq(after("PROXIES\r\n", 9, "v1"), 400);
	ck_assert_str_ne(after_said, unexpected);
	ck_assert_int_eq(after("", 0, "none"), 200);
	stop();
}
END_TEST

/* ---- local sockets ---- */

/* Connects to a local socket; -1 when that is not possible. */
static int
local_connect(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&un, sizeof un) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Whether the gateway answers there. */
static bool
local_answers(const char *path)
{
	static const char text[] = "GET " PERSONAS " HTTP/1.1\r\nHost: localhost\r\n\r\n";
	int fd = local_connect(path);
	struct reply r;

	if (fd < 0)
		return false;
	raw_send(fd, text, sizeof text - 1);
	raw_reply(fd, false, &r);
	free(r.body);
	close(fd);
	return r.status == 200;
}

START_TEST(a_socket_file_comes_and_goes_with_the_gateway)
{
	const char *file = scratch_file("gateway.yaml", "listen: unix:http.sock\nsocket_mode: 0660\n" BASE);
	const char *const args[] = {"serve", "--config", file, NULL};
	const char *const second[] = {"serve", "--config", file, "--data-dir", scratch_file("other", "x"),
	    NULL};
	struct program other;
	char path[200];
	struct stat st;
	char *log;

	unlink(second[4]);
	program_start(&gateway, args);
	snprintf(path, sizeof path, "%s/http.sock", scratch_dir());
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	ck_assert(local_answers(path));
	ck_assert_int_eq(program_fails(&other, second), 1);
	log = program_log(&other);
	ck_assert_ptr_nonnull(strstr(log, "http.sock: another program listens there; --listen chooses another address"));
	free(log);
	ck_assert_int_eq(ask(gateway.admin_port, "POST", "/reload", NULL, "{}")->status, 200);
	ck_assert(local_answers(path));
	program_kill(&gateway); /* leaves its file behind */
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(!local_answers(path));
	program_start(&gateway, args);
	ck_assert(local_answers(path));
	stop();
	ck_assert_int_ne(access(path, F_OK), 0);
	close(creat(path, 0600)); /* not ours to remove */
	ck_assert_int_eq(program_fails(&other, args), 1);
	log = program_log(&other);
	ck_assert_ptr_nonnull(strstr(log, "http.sock: this file exists and is not a socket; --listen chooses another"));
	free(log);
	ck_assert_int_eq(access(path, F_OK), 0);
	unlink(path);
}
END_TEST

/* The suite. */
static Suite *
proxied_suite(void)
{
	const TTest *const tests[] = {the_log_names_the_client_that_a_trusted_proxy_names,
	    a_reload_names_other_proxies, failures_are_counted_for_the_client_behind_the_proxy,
	    the_local_tool_is_told_what_is_believed, proxy_headers_name_the_client,
	    a_socket_file_comes_and_goes_with_the_gateway, NULL};

	return unit_suite("proxied", tests);
}

UNIT_MAIN(proxied_suite)
