#include "config.h"

#include "http_corpus.h"
#include "http_rig.h"

#include <stdio.h>
#include <string.h>

/* Plays one case and checks what came of it. */
static void
play(struct rig *rig, const struct http_case *k)
{
	struct http_server_counts before, after;
	struct client c;

	http_server_counts(rig->server, &before);
	client_open(&c, rig);
	client_send(&c, k->bytes, k->len);
	http_server_counts(rig->server, &after);
	ck_assert_msg(client_status(&c, 0) == k->status, "%s: %d, not %d", k->name,
	    client_status(&c, 0), k->status);
	ck_assert_msg(after.requests - before.requests == k->requests, "%s: %d requests, not %u",
	    k->name, (int)(after.requests - before.requests), k->requests);
	ck_assert_msg(c.closed == k->closed && !c.reset, "%s: closed %d, reset %d", k->name,
	    c.closed, c.reset);
	if (k->status >= 400 && k->closed) {
		ck_assert_msg(client_answers(&c) == 1, "%s: %u answers", k->name,
		    client_answers(&c));
		ck_assert_msg(client_has(&c, 0, "\r\nConnection: close\r\n"), "%s", k->name);
		ck_assert_msg(client_has(&c, 0, "Content-Type: application/json; charset=utf-8"),
		    "%s", k->name);
		ck_assert_msg(strncmp(client_body(&c, 0), "{\"error\":\"", 10) == 0, "%s", k->name);
	}
	client_close(&c);
	http_server_counts(rig->server, &after);
	ck_assert_msg(after.open == 0 && after.pending == 0, "%s: left open", k->name);
}

START_TEST(every_row_of_the_matrix)
{
	struct rig rig = {0};

	rig_start(&rig);
	for (const struct http_case *k = http_corpus; k->name != NULL; k++)
		play(&rig, k);
	rig_stop(&rig);
}
END_TEST

/* Cases whose refusal must not wait for the rest of the head. */
START_TEST(bad_bytes_are_refused_when_they_arrive)
{
	static const struct {
		const char *bytes;
		size_t len;
		int status;
	} cases[] = {
	    {"\x16", 1, 400},
	    {"\n", 1, 400},
	    {"GET / HTTP/1.1\n", 15, 400},
	    {"GET / HTTP/1.1\rX", 16, 400},
	    {"GET /\0", 6, 400},
	    {"GET / HTTP/1.1\r\n ", 17, 400},
	    {"GET / HTTP/1.1\r\nA: \x7f", 20, 400},
	    {"GET / HTTP/1.1\r\nA: \x0b", 20, 400},
	    {"\r\n\r", 3, 400},
	};
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		client_open(&c, &rig);
		client_send(&c, cases[i].bytes, cases[i].len - 1);
		ck_assert_uint_eq(c.got.len, 0);
		client_send(&c, cases[i].bytes + cases[i].len - 1, 1);
		ck_assert_int_eq(client_status(&c, 0), cases[i].status);
		ck_assert(c.closed);
		client_close(&c);
	}
	rig_stop(&rig);
}
END_TEST

START_TEST(what_the_service_sees)
{
	static const struct {
		const char *request, *seen;
	} cases[] = {
	    {"GET /a%20b?c=d?e HTTP/1.1\r\nHOST:  localhost:1 \r\nX-A:\tb c \r\n\r\n",
	        "GET /a%20b?c=d?e path=/a%20b query=c=d?e host=localhost:1 minor=1 body=0 length=0"
	        " [host=localhost:1] [x-a=b c]\n"},
	    {"GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n",
	        "GET http://localhost path=/ query=- host=localhost minor=1 body=0 length=0"
	        " [host=localhost]\n"},
	    {"GET http://localhost?q HTTP/1.1\r\nHost: localhost\r\n\r\n",
	        "GET http://localhost?q path=/ query=q host=localhost minor=1 body=0 length=0"
	        " [host=localhost]\n"},
	    {"GET http://LOCALHOST:8/x/y?q HTTP/1.0\r\n\r\n",
	        "GET http://LOCALHOST:8/x/y?q path=/x/y query=q host=LOCALHOST:8 minor=0 body=0"
	        " length=0\n"},
	    {"OPTIONS http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n",
	        "OPTIONS http://localhost path=* query=- host=localhost minor=1 body=0 length=0"
	        " [host=localhost]\n"},
	    {"POST /stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
	     "3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n",
	        "POST /stream path=/stream query=- host=localhost minor=1 body=1 length=-1"
	        " [host=localhost] [transfer-encoding=chunked]\nabc|end\n"},
	    {"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
	        "POST /echo path=/echo query=- host=localhost minor=1 body=1 length=3"
	        " [host=localhost] [content-length=3]\nbody=abc\n"},
	    {"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
	        "POST /echo path=/echo query=- host=localhost minor=1 body=0 length=0"
	        " [host=localhost] [content-length=0]\nbody=\n"},
	};
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		client_open(&c, &rig);
		client_says(&c, cases[i].request);
		ck_assert_str_eq(rig.seen.data, cases[i].seen);
		buf_clear(&rig.seen);
		client_close(&c);
	}
	rig_stop(&rig);
}
END_TEST

/* The matrix of hosts with names of one's own. */
START_TEST(allowed_hosts_are_names_for_any_port_or_with_one)
{
	static const char *const names[] = {"gw.example", "10.0.0.5:3000", NULL};
	static const struct {
		const char *host;
		int status;
	} cases[] = {
	    {"gw.example", 200},
	    {"GW.Example:8080", 200},
	    {"gw.example.evil", 421},
	    {"x.gw.example", 421},
	    {"10.0.0.5:3000", 200},
	    {"10.0.0.5", 421},
	    {"10.0.0.5:3001", 421},
	    {"localhost", 200},
	};
	struct rig rig = {0};
	char request[128];
	struct client c;

	rig_start(&rig);
	http_server_free(rig.server);
	rig.config.allowed_hosts = names;
	rig.server = http_server_new(rig.loop, &rig.config);
	ck_assert_int_eq(http_server_listen(rig.server, rig.address, NULL), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		client_open(&c, &rig);
		snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
		    cases[i].host);
		client_says(&c, request);
		ck_assert_msg(client_status(&c, 0) == cases[i].status, "%s", cases[i].host);
		client_close(&c);
	}
	rig_stop(&rig);
}
END_TEST

START_TEST(without_a_list_any_host_is_taken)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	http_server_free(rig.server);
	rig.config.allowed_hosts = NULL;
	rig.server = http_server_new(rig.loop, &rig.config);
	ck_assert_int_eq(http_server_listen(rig.server, rig.address, NULL), 0);
	client_open(&c, &rig);
	client_says(&c, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
	ck_assert_int_eq(client_status(&c, 0), 200);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_matrix_suite(void)
{
	const TTest *const tests[] = {every_row_of_the_matrix,
	    bad_bytes_are_refused_when_they_arrive, what_the_service_sees,
	    allowed_hosts_are_names_for_any_port_or_with_one, without_a_list_any_host_is_taken,
	    NULL};

	return unit_suite("http matrix", tests);
}
