#include "config.h"

#include "front.h"
#include "front_cases.h"
#include "front_h2.h"
#include "harness.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * nginx and haproxy as Debian has them stand in front of the gateway, and get bytes that two
 * programs could understand differently. Each has two ways: one to the gateway, behind which
 * a server says what the gateway has understood, and one to such a server directly, which
 * says what the proxy has. Whatever a proxy lets through, the gateway refuses or understands
 * in the same way, and nothing that stands on a connection is ever taken for a part of
 * another request. The same holds for answers of the server behind. FRONT_SHOW=1 shows every
 * case.
 */

#define FRONTS 5
#define FRONTS_H2 2 /* those that speak HTTP/2 */
#define CHECK "GET /check HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

/* A way of running a proxy. */
static struct front {
	const char *name;
	int gateway, echo; /* ports, by where they lead */
} fronts[FRONTS] = {{"nginx", 0, 0}, {"nginx that streams", 0, 0}, {"nginx that minds little", 0, 0},
    {"haproxy", 0, 0}, {"haproxy that minds little", 0, 0}};

static struct front fronts_h2[FRONTS_H2] = {{"nginx", 0, 0}, {"haproxy", 0, 0}};

static struct program gateway;
static struct echo *tool, *direct; /* behind the gateway; behind the proxies */

/* Starts the gateway in front of its server. Who sends half a request waits briefly only. */
static void
start_gateway(void)
{
	const char *file = scratch_file("gateway.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	    "client_timeouts: {head: 400ms, body: 400ms, idle: 10s}\n"
	    "bluejay: {url: \"http://127.0.0.1:1\", api_key: key}\nprojects: {demo: {}}\n"
	    "passthrough:\n  local: http://127.0.0.1:%d\n", echo_port(tool));
	const char *const args[] = {"serve", "--config", file, NULL};

	program_start(&gateway, args);
}

/* Adds the two ways of one nginx. */
static void
add_nginx(char *text, size_t size, struct front *f, const char *how, const char *lines)
{
	const int to[] = {gateway.port, echo_port(direct)};
	int *const ports[] = {&f->gateway, &f->echo};

	for (int i = 0; i < 2; i++) {
		*ports[i] = front_port();
		snprintf(text + strlen(text), size - strlen(text),
		    "upstream u%d { server 127.0.0.1:%d; keepalive 4; }\n"
		    "server {\n  listen 127.0.0.1:%d%s;\n  server_name localhost;\n"
		    "  client_header_timeout 400ms;\n  client_body_timeout 400ms;\n  keepalive_timeout 1s;\n"
		    "  %s\n"
		    "  location / {\n    proxy_pass http://u%d;\n    proxy_http_version 1.1;\n"
		    "    proxy_set_header Connection \"\";\n    proxy_set_header Host $http_host;\n"
		    "    proxy_next_upstream off;\n  }\n}\n",
		    *ports[i], to[i], *ports[i], how, lines, *ports[i]);
	}
}

/* Adds the two ways of one haproxy. */
static void
add_haproxy(char *text, size_t size, struct front *f, const char *how, const char *lines)
{
	const int to[] = {gateway.port, echo_port(direct)};
	int *const ports[] = {&f->gateway, &f->echo};

	for (int i = 0; i < 2; i++) {
		*ports[i] = front_port();
		snprintf(text + strlen(text), size - strlen(text),
		    "frontend f%d\n    bind 127.0.0.1:%d%s\n%s    default_backend b%d\n"
		    "backend b%d\n    http-reuse always\n    server s 127.0.0.1:%d\n",
		    *ports[i], *ports[i], how, lines, *ports[i], *ports[i], to[i]);
	}
}

/* Starts everything. */
static void
start(void)
{
	char text[8192] = "", defaults[8192] = "defaults\n    mode http\n    timeout connect 2s\n"
	    "    timeout client 1s\n    timeout server 5s\n    timeout http-request 400ms\n";

	tool = echo_start();
	direct = echo_start();
	start_gateway();
	add_nginx(text, sizeof text, &fronts[0], "", "");
	add_nginx(text, sizeof text, &fronts[1], "", "proxy_request_buffering off;");
	add_nginx(text, sizeof text, &fronts[2], "", "underscores_in_headers on; "
	    "ignore_invalid_headers off; merge_slashes off; large_client_header_buffers 8 32k;");
	add_nginx(text, sizeof text, &fronts_h2[0], " http2", "");
	add_haproxy(defaults, sizeof defaults, &fronts[3], "", "");
	add_haproxy(defaults, sizeof defaults, &fronts_h2[1], " proto h2", "");
	add_haproxy(defaults, sizeof defaults, &fronts[4], "", "    option accept-invalid-http-request\n");
	front_start_nginx(text, fronts[0].gateway);
	front_start_haproxy(defaults, fronts[3].gateway);
}

/* Stops everything. */
static void
stop(void)
{
	front_stop();
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* Sends a case, and tells the statuses of its answers. Each answer of the server behind must
 * be about its own request: the n-th about the n-th. */
static const char *
send_case(const char *way, int port, const struct front_case *k, struct echo *behind, char **seen)
{
	static char text[2][128];
	static unsigned turn;
	char *statuses = text[turn++ % 2], *line;
	struct front_answers got;

	echo_clear(behind);
	front_send(port, k->bytes, k->len, FRONT_MARKER, &got);
	*seen = echo_seen(behind);
	statuses[0] = '\0';
	line = *seen;
	for (size_t i = 0; i < got.count; i++) {
		const struct front_answer *a = &got.list[i];
		size_t len = strcspn(line, "\n"), have = strlen(a->body);

		snprintf(statuses + strlen(statuses), 128 - strlen(statuses), "%s%d", i > 0 ? " " : "",
		    a->status);
		if (!a->echo)
			continue;
		ck_assert_msg(*line != '\0' && strncmp(line, a->body, have < len ? have : len) == 0,
		    "%s: %s: answer %zu is \"%s\", and the requests behind were\n%s", way, k->name, i,
		    a->body, *seen);
		line += len + 1;
	}
	return statuses;
}

/* Asks on a connection of its own, which may share those to the gateway with cases before. */
static void
send_check(const char *way, int port, const struct front_case *k, struct echo *behind)
{
	struct front_answers got;
	char *seen;

	echo_clear(behind);
	front_send(port, CHECK, sizeof CHECK - 1, NULL, &got);
	seen = echo_seen(behind);
	ck_assert_msg(got.count == 1 && got.list[0].status == 200 &&
	    strncmp(got.list[0].body, "GET /check 0:", 13) == 0 &&
	    strcmp(strchr(seen, '\n'), "\n") == 0 && strncmp(seen, "GET /check 0:", 13) == 0,
	    "%s: what comes after \"%s\" is disturbed: %d %s, behind it: %s", way, k->name,
	    got.count > 0 ? got.list[0].status : 0, got.count > 0 ? got.list[0].body : "", seen);
	free(seen);
}

/* Whether every line stands in the other text, in the same order. */
static bool
is_part(const char *lines, const char *all)
{
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n") + 1;

		while (*all != '\0' && strncmp(all, lines, len) != 0)
			all += strcspn(all, "\n") + 1;
		if (*all == '\0')
			return false;
		all += len;
		lines += len;
	}
	return true;
}

/* How many lines there are. */
static unsigned
lines_of(const char *text)
{
	unsigned n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* How many of the statuses are refusals. */
static unsigned
refusals(const char *statuses)
{
	unsigned n = 0;

	for (const char *p = statuses; *p != '\0'; p += strspn(p, " ")) {
		n += *p >= '4';
		p += strcspn(p, " ");
	}
	return n;
}

START_TEST(the_gateway_alone_answers_each_case_so)
{
	unsigned wrong = 0;

	start();
	for (size_t i = 0; i < front_case_count; i++) {
		const struct front_case *k = &front_cases[i];
		char *seen;
		const char *got = send_case("alone", gateway.port, k, tool, &seen);

		if (strcmp(got, k->direct) != 0) {
			fprintf(stderr, "%s: %s, not %s\n", k->name, got, k->direct);
			wrong++;
		}
		free(seen);
		send_check("alone", gateway.port, k, tool);
	}
	stop();
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(what_a_proxy_lets_through_is_understood_as_the_proxy_does)
{
	const struct front *f = &fronts[_i];
	unsigned passed = 0, refused = 0;

	start();
	for (size_t i = 0; i < front_case_count; i++) {
		const struct front_case *k = &front_cases[i];
		char *proxy, *ours;
		const char *through, *at_proxy;

		at_proxy = send_case(f->name, f->echo, k, direct, &proxy);
		through = send_case(f->name, f->gateway, k, tool, &ours);
		if (getenv("FRONT_SHOW") != NULL)
			fprintf(stderr, "%s: %s: %s; %s\n%s--\n%s", f->name, k->name, at_proxy, through, proxy,
			    ours);
		ck_assert_msg(is_part(ours, proxy), "%s: %s\nto the gateway (%s):\n%sby the proxy (%s):\n%s",
		    f->name, k->name, through, ours, at_proxy, proxy);
		/* One that is missing was refused, and with it what came behind on the connection. */
		ck_assert_msg(lines_of(ours) == lines_of(proxy) || refusals(through) > refusals(at_proxy) ||
		    strstr(k->bytes, "/api/") != NULL || strstr(k->bytes, "/API/") != NULL,
		    "%s: %s\nlost at the gateway (%s):\n%sby the proxy (%s):\n%s", f->name, k->name, through,
		    ours, at_proxy, proxy);
		passed += lines_of(proxy);
		refused += lines_of(proxy) - lines_of(ours);
		free(proxy);
		free(ours);
		send_check(f->name, f->gateway, k, tool);
	}
	stop();
	printf("%s: %u requests passed, %u of them refused by the gateway\n", f->name, passed, refused);
	ck_assert_uint_gt(passed, front_case_count); /* it did let most of them through */
}
END_TEST

/* Has the server behind answer so, and tells the statuses that the client got. Nobody may
 * get what belongs to no answer. */
static const char *
send_raw(const char *way, int port, const struct front_raw *k)
{
	static char statuses[128];
	struct front_answers got;
	char ask[128];

	if (getenv("FRONT_SHOW") != NULL)
		fprintf(stderr, "%s: %s\n", way, k->name);
	echo_say(tool, k->bytes, k->len, k->ends);
	snprintf(ask, sizeof ask, "%s /raw HTTP/1.1\r\nHost: localhost\r\n\r\n", k->method);
	front_send(port, ask, strlen(ask), FRONT_MARKER, &got);
	statuses[0] = '\0';
	for (size_t i = 0; i < got.count; i++) {
		const struct front_answer *a = &got.list[i];

		snprintf(statuses + strlen(statuses), sizeof statuses - strlen(statuses), "%s%d",
		    i > 0 ? " " : "", a->status);
		ck_assert_msg(strstr(a->body, FRONT_FORGED) == NULL, "%s: %s: %s", way, k->name, a->body);
		ck_assert_msg(!a->echo || (i == 1 && strncmp(a->body, "GET /marker ", 12) == 0),
		    "%s: %s: answer %zu is %s", way, k->name, i, a->body);
	}
	return statuses;
}

START_TEST(answers_are_told_apart_by_everybody)
{
	unsigned wrong = 0;

	start();
	for (size_t i = 0; i < front_raw_count; i++) {
		const struct front_raw *k = &front_raws[i];
		const char *got = send_raw("alone", gateway.port, k);

		if (strcmp(got, k->direct) != 0) {
			fprintf(stderr, "%s: %s, not %s\n", k->name, got, k->direct);
			wrong++;
		}
		for (int f = 0; f < FRONTS; f++) {
			got = send_raw(fronts[f].name, fronts[f].gateway, k);
			/* A proxy may have its own word for an answer that was cut. */
			ck_assert_msg(strncmp(got, k->direct, strlen(got)) == 0 || strncmp(got, "502", 3) == 0,
			    "%s: %s: %s, not %s", fronts[f].name, k->name, got, k->direct);
			for (int n = 0; n < 2; n++) { /* on each connection that is kept */
				const struct front_case about = {k->name, "", 0, ""};

				send_check(fronts[f].name, fronts[f].gateway, &about, tool);
			}
		}
	}
	stop();
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* Sends a case and its marker, which may overtake it, and tells what a server behind has
 * understood. */
static char *
send_h2(int port, const struct front_h2 *k, struct echo *behind)
{
	echo_clear(behind);
	front_h2_send(port, k);
	return echo_seen(behind);
}

/* Whether every line stands in the other text. */
static bool
is_within(const char *lines, const char *all)
{
	char line[4096];

	for (; *lines != '\0'; lines += strlen(line)) {
		snprintf(line, sizeof line, "%.*s", (int)strcspn(lines, "\n") + 1, lines);
		if (strstr(all, line) == NULL)
			return false;
	}
	return true;
}

START_TEST(http2_requests_are_understood_as_the_proxy_does)
{
	unsigned passed = 0;

	start();
	for (size_t i = 0; i < FRONTS_H2 * front_h2_count; i++) {
		const struct front *f = &fronts_h2[i / front_h2_count];
		const struct front_h2 *k = &front_h2s[i % front_h2_count];
		char *proxy = send_h2(f->echo, k, direct), *ours = send_h2(f->gateway, k, tool), *next;

		if (getenv("FRONT_SHOW") != NULL)
			fprintf(stderr, "%s: %s\n%s--\n%s", f->name, k->name, proxy, ours);
		ck_assert_msg(is_within(ours, proxy), "%s: %s\nto the gateway:\n%sby the proxy:\n%s", f->name,
		    k->name, ours, proxy);
		ck_assert_msg(strstr(ours, " /hidden ") == NULL, "%s: %s\n%s", f->name, k->name, ours);
		passed += lines_of(ours);
		free(proxy);
		free(ours);
		next = send_h2(f->gateway, &front_h2s[0], tool); /* on the connections that are kept */
		ck_assert_msg(lines_of(next) == 2 && strstr(next, "GET /a 0:") != NULL &&
		    strstr(next, "GET /marker 0:") != NULL, "%s: what comes after \"%s\" is disturbed: %s",
		    f->name, k->name, next);
		free(next);
	}
	stop();
	ck_assert_uint_gt(passed, FRONTS_H2 * front_h2_count / 2);
}
END_TEST

/* The suite. */
static Suite *
front_suite(void)
{
	Suite *suite = suite_create("front");
	TCase *tcase = tcase_create("front");

	tcase_set_timeout(tcase, 240);
	tcase_add_test(tcase, the_gateway_alone_answers_each_case_so);
	tcase_add_test(tcase, http2_requests_are_understood_as_the_proxy_does);
	tcase_add_test(tcase, answers_are_told_apart_by_everybody);
	tcase_add_loop_test(tcase, what_a_proxy_lets_through_is_understood_as_the_proxy_does, 0, FRONTS);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN_IF(front_possible(), front_suite)
