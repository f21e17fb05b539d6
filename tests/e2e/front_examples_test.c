#include "config.h"

#include "base/base64.h"
#include "base/buf.h"
#include "cluster_stage.h"
#include "front.h"
#include "harness.h"
#include "stage.h"
#include "tool.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The example files for nginx and haproxy, as they are in conf/ but for ports, paths and the
 * certificate, in front of a gateway over its sandbox, whose local tool the test plays. The
 * client has an address of its own on loopback.
 */

#define NAME "gateway.example.com"
#define CLIENT "127.0.0.7"
#define PERSONAS "/api/projects/demo/personas"
#define IMAGE ((size_t)10 << 20)

static struct program gateway;
static int port; /* of the proxy */
static const char *proxy_near; /* its address, as the gateway sees it */

/* ---- the stage ---- */

/* Makes a certificate for the name, with its key in a file of its own and in the same one. */
static void
make_certificate(void)
{
	char *out = shell("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
	    "-days 2 -subj /CN=" NAME " -addext subjectAltName=DNS:" NAME " -keyout front.key "
	    "-out front.pem 2>&1 && cat front.pem front.key >both.pem && echo made", scratch_dir());

	ck_assert_msg(strstr(out, "made\n") != NULL, "%s", out);
	free(out);
}

/* Starts the gateway with these lines about listening. */
static void
start_gateway(const char *lines)
{
	const char *file = scratch_file("gateway.yaml",
	    "%sadmin_listen: 127.0.0.1:0\nallowed_hosts: [" NAME "]\n"
	    "projects: {demo: {}}\npassthrough:\n  local: http://127.0.0.1:%d\n", lines, tool_open());
	const char *const args[] = {"serve", "--sandbox", "--config", file, NULL};

	program_start(&gateway, args);
}

/* Puts a text in place of each other one, which must be there. */
static void
replace(struct buf *b, const char *from, const char *to)
{
	struct buf out;
	const char *at = b->data, *next;

	ck_assert_msg(strstr(at, from) != NULL, "the example lacks %s", from);
	buf_init(&out, 1 << 20);
	for (; (next = strstr(at, from)) != NULL; at = next + strlen(from)) {
		buf_add(&out, at, (size_t)(next - at));
		buf_adds(&out, to);
	}
	buf_adds(&out, at);
	buf_free(b);
	*b = out;
}

/* Puts another port behind a text, in place of a number. */
static void
replace_port(struct buf *b, const char *before, const char *number, const char *now, int to)
{
	char from[64], text[64];

	snprintf(from, sizeof from, "%s%s", before, number);
	snprintf(text, sizeof text, "%s%d", now, to);
	replace(b, from, text);
}

/* The same with a file of the test's folder. */
static void
replace_path(struct buf *b, const char *from, const char *name)
{
	char to[256];

	snprintf(to, sizeof to, "%s/%s", scratch_dir(), name);
	replace(b, from, to);
}

/* Reads an example. */
static void
example(struct buf *b, const char *name)
{
	char *text = shell("cat %s/conf/%s", TEST_SRCDIR, name);

	buf_init(b, 1 << 20);
	buf_adds(b, text);
	free(text);
}

/* Starts nginx as its example has it. */
static void
start_nginx(void)
{
	struct buf b;

	port = front_port();
	example(&b, "nginx.conf");
	replace_port(&b, "listen ", "443", "listen 127.0.0.1:", port);
	replace_port(&b, "server 127.0.0.1:", "3000", "server 127.0.0.1:", gateway.port);
	replace_path(&b, "/etc/ssl/certs/" NAME ".pem", "front.pem");
	replace_path(&b, "/etc/ssl/private/" NAME ".key", "front.key");
	front_start_nginx(b.data, port);
	buf_free(&b);
}

/* Starts haproxy as its example has it. */
static void
start_haproxy(void)
{
	struct buf b;

	port = front_port();
	example(&b, "haproxy.cfg");
	replace_port(&b, "bind :", "443", "bind 127.0.0.1:", port);
	replace_port(&b, "server gateway 127.0.0.1:", "3000", "server gateway 127.0.0.1:",
	    gateway.port);
	replace_port(&b, "check port ", "3001", "check port ", gateway.admin_port);
	replace_path(&b, "/etc/haproxy/" NAME ".pem", "both.pem");
	front_start_haproxy(b.data, port);
	buf_free(&b);
}

/* Starts one of both. */
static void
start(int which)
{
	make_certificate();
	start_gateway("listen: 127.0.0.1:0\ntrusted_proxies: [127.0.0.1]\n");
	proxy_near = "127.0.0.1";
	if (which == 0)
		start_nginx();
	else
		start_haproxy();
}

/* Ends everything. */
static void
stop(void)
{
	front_stop();
	ck_assert_int_eq(program_stop(&gateway), 0);
	tool_close();
}

/* ---- clients ---- */

/* What curl prints for a path, from the client's address; `options` come before it. The
 * caller frees. */
static char *
curl(const char *options, const char *path)
{
	return shell("curl -sS --max-time 60 --interface " CLIENT " --cacert %s/front.pem "
	    "--resolve " NAME ":%d:127.0.0.1 %s 'https://" NAME ":%d%s' 2>&1", scratch_dir(), port, options,
	    port, path);
}

/* Fails unless curl's output holds a text, and returns it. */
static char *
curl_has(const char *options, const char *path, const char *want)
{
	char *out = curl(options, path);

	ck_assert_msg(strstr(out, want) != NULL, "%s %s: no %s in %s", options, path, want, out);
	return out;
}

/* A TLS connection to the proxy, plain at this end: what the openssl program does. */
static int
secure(pid_t *pid)
{
	char where[64], ca[256];
	int fd[2];

	snprintf(where, sizeof where, "127.0.0.1:%d", port);
	snprintf(ca, sizeof ca, "%s/front.pem", scratch_dir());
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	*pid = fork();
	ck_assert_int_ge(*pid, 0);
	if (*pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd[1], STDIN_FILENO);
		dup2(fd[1], STDOUT_FILENO);
		execlp("openssl", "openssl", "s_client", "-quiet", "-verify_return_error", "-servername",
		    NAME, "-CAfile", ca, "-connect", where, (char *)NULL);
		_exit(127);
	}
	close(fd[1]);
	return fd[0];
}

/* Hangs up. */
static void
hang_up(int fd, pid_t pid)
{
	close(fd);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

/* The line of the log about a request. */
static void
expect_log(const char *id, const char *want)
{
	char *log = program_log(&gateway), *line, mark[64];

	snprintf(mark, sizeof mark, "\"event\":\"request\",\"request\":\"%s\"", id);
	line = strstr(log, mark);
	ck_assert_msg(line != NULL, "no line about %s", id);
	line[strcspn(line, "\n")] = '\0';
	ck_assert_msg(strstr(line, want) != NULL, "no %s in %s", want, line);
	free(log);
}

/* ---- tests ---- */

START_TEST(personas_come_and_go_through_the_proxy)
{
	char *out, *id, path[200], want[128];

	start(_i);
	out = curl_has("-X POST -H 'Content-Type: application/json' -d '{\"name\":\"Ada\"}'", PERSONAS,
	    "\"name\":\"Ada\"");
	id = strstr(out, "\"id\":\"");
	ck_assert_ptr_nonnull(id);
	snprintf(path, sizeof path, PERSONAS "/%.36s", id + 6);
	free(out);
	free(curl_has("-X PUT -H 'Content-Type: application/json' -d '{\"description\":\"d\"}'", path,
	    "\"description\":\"d\""));
	free(curl_has("", path, "\"description\":\"d\""));
	free(curl_has("--http1.1 -o /dev/null -w '%{http_code} %{http_version}'", PERSONAS, "200 1.1"));
	free(curl_has("--http2 -o /dev/null -w '%{http_code} %{http_version}'", PERSONAS, "200 2"));
	free(curl_has("-I", PERSONAS, " 200"));
	free(curl_has("-X DELETE -o /dev/null -w '%{http_code}'", path, "204"));
	free(curl_has("", path, "{\"error\":\"Persona not found\"}"));
	/* The id of the request, and the address of the client, whatever it says itself. */
	free(curl_has("-D - -o /dev/null -H 'X-Request-Id: mine-1' -H 'X-Forwarded-For: 6.6.6.6' "
	    "-H 'Forwarded: for=6.6.6.6' -H 'X-Forwarded-Proto: http'", PERSONAS, "mine-1"));
	snprintf(want, sizeof want, "\"client\":\"" CLIENT "\",\"proxy\":\"%s\"", proxy_near);
	expect_log("mine-1", want);
	stop();
}
END_TEST

START_TEST(an_image_of_ten_mebibytes_passes)
{
	static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
	unsigned char *bytes = calloc(1, IMAGE);
	char options[400], *out;
	struct buf b;
	FILE *f;

	start(_i);
	memcpy(bytes, png, sizeof png - 1);
	buf_init(&b, 4 * IMAGE);
	buf_adds(&b, "{\"role\":\"r\",\"imageBase64\":\"");
	base64_encode(&b, bytes, IMAGE);
	buf_adds(&b, "\"}");
	f = fopen(scratch_file("image.json", "x"), "w");
	ck_assert_uint_eq(fwrite(b.data, 1, b.len, f), b.len);
	fclose(f);
	snprintf(options, sizeof options, "-X POST -H 'Content-Type: application/json' "
	    "--data-binary @%s/image.json -w '%%{http_code}'", scratch_dir());
	free(curl_has(options, "/api/projects/demo/images", "201"));
	out = curl_has("", "/api/projects/demo/images?role=r", "{\"ids\":[\"");
	snprintf(options, sizeof options, "/api/projects/demo/images/%.*s",
	    (int)strcspn(out + 9, "\""), out + 9);
	free(out);
	free(curl_has("-o /dev/null -w '%{http_code} %{size_download}'", options, "200 10485760"));
	buf_free(&b);
	free(bytes);
	stop();
}
END_TEST

START_TEST(events_come_piece_by_piece)
{
	static const char ask[] = "GET /events HTTP/1.1\r\nHost: " NAME "\r\nAccept: text/event-stream\r\n\r\n";
	const char *head;
	int c, t;
	pid_t pid;

	start(_i);
	c = secure(&pid);
	raw_send(c, ask, sizeof ask - 1);
	t = tool_accept();
	head = tool_head(t);
	ck_assert_str_eq(head_field(head, "x-forwarded-proto"), "https");
	ck_assert_str_eq(head_field(head, "x-forwarded-host"), NAME);
	ck_assert_str_eq(head_field(head, "x-forwarded-for"), "127.0.0.1, 127.0.0.1");
	ck_assert_ptr_nonnull(strstr(head_field(head, "forwarded"), "host=\"" NAME "\";proto=https"));
	tool_say(t, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
	ck_assert_int_eq(strncmp(tool_head(c), "HTTP/1.1 200", 12), 0);
	for (int i = 0; i < 5; i++) { /* each is there before the next is said */
		tool_say(t, "9\r\ndata: 1\n\n\r\n");
		ck_assert_str_eq(tool_bytes(c, 14), "9\r\ndata: 1\n\n\r\n");
	}
	tool_say(t, "0\r\n\r\n");
	ck_assert_str_eq(tool_bytes(c, 5), "0\r\n\r\n");
	close(t);
	hang_up(c, pid);
	stop();
}
END_TEST

/* The target names the host, whatever the field says (RFC 9112, 3.2.2); haproxy refuses that. */
START_TEST(nginx_names_the_host_of_the_target)
{
	static const char ask[] = "GET https://" NAME "/page HTTP/1.1\r\nHost: evil.example\r\n\r\n";
	const char *head;
	int c, t;
	pid_t pid;

	start(0);
	c = secure(&pid);
	raw_send(c, ask, sizeof ask - 1);
	t = tool_accept();
	head = tool_head(t);
	ck_assert_str_eq(head_field(head, "x-forwarded-host"), NAME);
	ck_assert_ptr_null(strstr(head, "evil.example"));
	tool_say(t, "HTTP/1.1 204 No Content\r\n\r\n");
	ck_assert_int_eq(strncmp(tool_head(c), "HTTP/1.1 204", 12), 0);
	close(t);
	hang_up(c, pid);
	stop();
}
END_TEST

START_TEST(a_websocket_passes)
{
	static const char ask[] = "GET /chat HTTP/1.1\r\nHost: " NAME "\r\nConnection: Upgrade\r\n"
	    "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Sec-WebSocket-Version: 13\r\n\r\n";
	int c, t;
	pid_t pid;

	start(_i);
	c = secure(&pid);
	raw_send(c, ask, sizeof ask - 1);
	t = tool_accept();
	ck_assert_str_eq(head_field(tool_head(t), "upgrade"), "websocket");
	tool_say(t, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
	ck_assert_int_eq(strncmp(tool_head(c), "HTTP/1.1 101 ", 13), 0);
	for (int i = 0; i < 3; i++) {
		tool_say(c, "\x81\x02" "hi");
		ck_assert_str_eq(tool_bytes(t, 4), "\x81\x02" "hi");
		tool_say(t, "\x81\x02" "yo");
		ck_assert_str_eq(tool_bytes(c, 4), "\x81\x02" "yo");
	}
	close(t);
	hang_up(c, pid);
	stop();
}
END_TEST

START_TEST(bytes_pass_behind_a_proxy_header_through_a_local_socket)
{
	struct buf b;
	char *out;

	start_gateway("listen: unix:http.sock\nproxy_protocol: [unix]\nsocket_mode: 0660\n");
	port = front_port();
	example(&b, "haproxy-tcp.cfg");
	replace_port(&b, "bind :", "8080", "bind 127.0.0.1:", port);
	replace_path(&b, "/run/persona-gateway/http.sock", "http.sock");
	front_start_haproxy(b.data, port);
	buf_free(&b);
	out = shell("curl -sS --interface " CLIENT " -H 'X-Request-Id: mine-2' "
	    "-H 'X-Forwarded-For: 6.6.6.6' http://127.0.0.1:%d" PERSONAS " 2>&1", port);
	ck_assert_str_eq(out, "[]");
	free(out);
	expect_log("mine-2", "\"client\":\"" CLIENT "\",\"project\"");
	stop();
}
END_TEST

START_TEST(tls_of_the_gateway_passes_behind_a_proxy_header)
{
	char at[64];
	struct buf b;

	make_certificate();
	start_gateway("listen: 127.0.0.1:0\nproxy_protocol: [127.0.0.1]\n"
	    "tls: {certificate: front.pem, key: front.key}\n");
	port = front_port();
	example(&b, "haproxy-tcp.cfg");
	replace_port(&b, "bind :", "8080", "bind 127.0.0.1:", port);
	snprintf(at, sizeof at, "127.0.0.1:%d", gateway.port);
	replace(&b, "unix@/run/persona-gateway/http.sock", at);
	front_start_haproxy(b.data, port);
	buf_free(&b);
	free(curl_has("-H 'X-Request-Id: mine-3'", PERSONAS, "[]"));
	expect_log("mine-3", "\"client\":\"" CLIENT "\",\"project\"");
	free(curl_has("--tls-max 1.2 -H 'X-Request-Id: mine-4'", PERSONAS, "[]"));
	expect_log("mine-4", "\"client\":\"" CLIENT "\",\"project\"");
	stop();
}
END_TEST

/* Starts haproxy as its example for several gateways has it, in front of those of the cluster. */
static void
start_haproxy_cluster(void)
{
	struct buf b;

	make_certificate();
	port = front_port();
	example(&b, "haproxy-cluster.cfg");
	replace_port(&b, "bind :", "443", "bind 127.0.0.1:", port);
	replace_path(&b, "/etc/haproxy/" NAME ".pem", "both.pem");
	replace_port(&b, "server gateway1 10.0.1.11:", "3000 check port 3001", "server gateway1 127.0.0.1:",
	    cluster_gateways[0].port);
	replace_port(&b, "server gateway2 10.0.2.12:", "3000 check port 3001", "server gateway2 127.0.0.1:",
	    cluster_gateways[1].port);
	for (unsigned g = 0; g < 2; g++) {
		char server[64], checked[96];

		snprintf(server, sizeof server, "127.0.0.1:%d", cluster_gateways[g].port);
		snprintf(checked, sizeof checked, "%s check port %d", server, cluster_gateways[g].admin_port);
		replace(&b, server, checked);
	}
	front_start_haproxy(b.data, port);
	buf_free(&b);
}

/* The number of requests that a gateway has answered for clients. */
static long
answered_by(unsigned g)
{
	struct reply *r = ask(cluster_gateways[g].admin_port, "GET", "/metrics", NULL, NULL);
	long n = 0;

	for (const char *p = r->body; (p = strstr(p, "\npersona_gateway_http_requests_total{")) != NULL;) {
		p = strchr(p, '}');
		n += atol(p + 2);
	}
	return n;
}

START_TEST(several_gateways_share_the_work_and_one_may_go)
{
	char *out, *id, path[200];

	cluster_open(2, false, "trusted_proxies: [127.0.0.1]\nallowed_hosts: [" NAME "]\n");
	start_haproxy_cluster();
	out = curl_has("-X POST -H 'Content-Type: application/json' -d '{\"name\":\"Ada\"}'", PERSONAS,
	    "\"name\":\"Ada\"");
	id = strstr(out, "\"id\":\"");
	ck_assert_ptr_nonnull(id);
	snprintf(path, sizeof path, PERSONAS "/%.36s", id + 6);
	free(out);
	for (int i = 0; i < 6; i++)
		free(curl_has("-H 'Cache-Control: no-cache'", path, "\"name\":\"Ada\""));
	for (unsigned g = 0; g < 2; g++)
		ck_assert_int_ge(answered_by(g), 2);
	/* Whether one ends in order or dies, no client is told. */
	cluster_stop(0);
	for (int i = 0; i < 6; i++)
		free(curl_has("-H 'Cache-Control: no-cache'", path, "\"name\":\"Ada\""));
	free(curl_has("-X DELETE -o /dev/null -w '%{http_code}'", path, "204"));
	front_stop();
	ck_assert_int_eq(program_stop(&cluster_gateways[1]), 0);
	ck_assert_int_eq(program_stop(&stage_sandbox), 0);
	postgres_free(cluster_database);
}
END_TEST

/* The suite. */
static Suite *
front_examples_suite(void)
{
	Suite *suite = suite_create("front examples");
	TCase *tcase = tcase_create("front examples");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, personas_come_and_go_through_the_proxy, 0, 2);
	tcase_add_loop_test(tcase, an_image_of_ten_mebibytes_passes, 0, 2);
	tcase_add_loop_test(tcase, events_come_piece_by_piece, 0, 2);
	tcase_add_loop_test(tcase, a_websocket_passes, 0, 2);
	tcase_add_test(tcase, nginx_names_the_host_of_the_target);
	if (TEST_POSTGRESQL && postgres_possible())
		tcase_add_test(tcase, several_gateways_share_the_work_and_one_may_go);
	tcase_add_test(tcase, bytes_pass_behind_a_proxy_header_through_a_local_socket);
	tcase_add_test(tcase, tls_of_the_gateway_passes_behind_a_proxy_header);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN_IF(front_possible(), front_examples_suite)
