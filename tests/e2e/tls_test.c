#include "config.h"

#include "stage.h"
#include "tls_peer.h"
#include "tool.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * TLS to clients: the real program with certificates that the test makes.
 */

#define LIST "GET /api/projects/demo/personas HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define TOKEN "pgw_for_tests_and_nothing_else_0123456789abc"
#define BASIC "OnBnd19mb3JfdGVzdHNfYW5kX25vdGhpbmdfZWxzZV8wMTIzNDU2Nzg5YWJj" /* of ":" and the token */
#define LARGE ((size_t)24 << 20)
#define RELOADS 100
#define RELOAD_CLIENTS 3

static struct program gateway;
static struct certificate authority, server, other;

/* Writes a file that the gateway's user alone may read, and moves it into its place. */
static void
put(const char *name, const char *text)
{
	char path[300];
	const char *file = scratch_file("new.pem", "%s", text);

	snprintf(path, sizeof path, "%s/%s", scratch_dir(), name);
	ck_assert_int_eq(chmod(file, 0600), 0);
	ck_assert_int_eq(rename(file, path), 0);
}

/* Writes a certificate with its key. */
static void
put_pair(const struct certificate *c)
{
	put("cert.pem", c->pem);
	put("key.pem", c->key);
}

/* Starts a gateway with certificate and key; `in_tls` continues the section, `rest` the file. */
static void
start(const char *in_tls, const char *rest)
{
	static const struct certificate_wish ca = {.name = "authority", .authority = true};
	const struct certificate_wish first = {.issuer = &authority};
	const struct certificate_wish second = {.issuer = &authority, .name = "second.example"};
	const char *file;

	certificate_make(&authority, &ca);
	certificate_make(&server, &first);
	certificate_make(&other, &second);
	put_pair(&server);
	put("ca.pem", authority.pem);
	file = scratch_file("gateway.yaml", "listen: [127.0.0.1:0, \"http://127.0.0.1:0\"]\n"
	    "admin_listen: 127.0.0.1:0\ndata_dir: data\n"
	    "tls: {certificate: cert.pem, key: key.pem%s}\n%s", in_tls, rest);
	{
		const char *const args[] = {"serve", "--sandbox", "--config", file, NULL};

		program_start(&gateway, args);
	}
}

/* Ends it. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
	certificate_free(&authority);
	certificate_free(&server);
	certificate_free(&other);
}

/* A number on /metrics. */
static long
metric(const char *name)
{
	char *said = shell("curl -s http://127.0.0.1:%d/metrics | grep -F '%s '", gateway.admin_port, name);
	char *space = strrchr(said, ' ');
	long n = space != NULL ? atol(space) : -1;

	free(said);
	return n;
}

/* Asks for a reload. */
static struct reply *
reload(void)
{
	return ask(gateway.admin_port, "POST", "/reload", NULL, "{}");
}

/* Whether the log has these words. */
static bool
logged(const char *words)
{
	char *log = program_log(&gateway);
	bool has = strstr(log, words) != NULL;

	free(log);
	return has;
}

START_TEST(addresses_speak_what_they_say)
{
	struct tls_wish trusting = {.trust = &authority};
	struct reply *r;
	int plain;

	start("", "");
	ck_assert_int_eq(strncmp(gateway.url[0], "https://127.0.0.1:", 18), 0);
	ck_assert_int_eq(strncmp(gateway.url[1], "http://127.0.0.1:", 17), 0);
	ck_assert_int_eq(tls_ask(gateway.port, &trusting, LIST, NULL, 0), 200);
	plain = atoi(strrchr(gateway.url[1], ':') + 1);
	ck_assert_int_eq(ask(plain, "GET", "/api/projects/demo/personas", NULL, NULL)->status, 200);
	expect_error(ask(gateway.port, "GET", "/", NULL, NULL), 400,
	    "The client sent a plain request to a TLS port; use https");
	r = ask(gateway.admin_port, "GET", "/openapi.json", NULL, NULL);
	ck_assert_ptr_nonnull(strstr(r->body, gateway.url[0]));
	ck_assert_int_eq(metric("tls_handshakes_total{listener=\"api\"}"), 1);
	ck_assert_int_eq(metric("tls_handshakes_failed_total{listener=\"api\"}"), 1);
	ck_assert_int_gt(metric("tls_certificate_expiry_timestamp_seconds"), 1700000000);
	stop();
}
END_TEST

START_TEST(versions_and_protocols_are_chosen)
{
	static const struct {
		struct tls_wish wish;
		bool good;
	} cases[] = {
	    {{.min = TLS1_VERSION, .max = TLS1_1_VERSION}, false},
	    {{.max = TLS1_2_VERSION}, true},
	    {{.min = TLS1_3_VERSION}, true},
	    {{.alpn = "\2h2"}, false},
	    {{.alpn = "\2h2\10http/1.1"}, true},
	};

	start(_i == 1 ? ", min_version: 1.3" : "", "");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool good = cases[i].good && !(_i == 1 && cases[i].wish.max == TLS1_2_VERSION);

		ck_assert_int_eq(tls_ask(gateway.port, &cases[i].wish, LIST, NULL, 0), good ? 200 : 0);
	}
	stop();
}
END_TEST

START_TEST(curl_and_openssl_agree)
{
	char *said;

	start("", "");
	said = shell("curl -sS --cacert %s/ca.pem --resolve localhost:%d:127.0.0.1 -o /dev/null -w "
	    "'%%{http_code} %%{http_version}' https://localhost:%d/api/projects/demo/personas 2>&1",
	    scratch_dir(), gateway.port, gateway.port);
	ck_assert_str_eq(said, "200 1.1");
	free(said);
	said = shell("command -v openssl >/dev/null || { echo alert number 120; exit; }; "
	    "openssl s_client -connect 127.0.0.1:%d -alpn h2 </dev/null 2>&1 | grep -o 'alert number 120' | head -1",
	    gateway.port);
	ck_assert_str_eq(said, "alert number 120\n"); /* no_application_protocol */
	free(said);
	stop();
}
END_TEST

START_TEST(a_slow_handshake_is_cut)
{
	int fd, silent;

	start("", "client_timeouts: {head: 300ms}\n");
	fd = raw_connect(gateway.port);
	silent = raw_connect(gateway.port);
	raw_send(fd, "\x16\x03\x01", 3);
	ck_assert(raw_closed(fd));
	ck_assert(raw_closed(silent));
	close(fd);
	close(silent);
	EVENTUALLY(metric("http_timeouts_total{listener=\"api\",kind=\"handshake\"}") == 2);
	stop();
}
END_TEST

START_TEST(a_session_is_resumed_with_the_same_certificate_alone)
{
	struct tls_wish wish = {.max = TLS1_2_VERSION};
	struct tls_peer p;

	start("", "");
	if (_i == 1)
		wish = (struct tls_wish){.min = TLS1_3_VERSION};
	ck_assert(tls_peer_open(&p, gateway.port, &wish));
	ck_assert_int_eq(tls_peer_ask(&p, LIST, NULL, 0), 200); /* the ticket comes before the answer */
	wish.resume = SSL_get1_session(p.ssl);
	tls_peer_close(&p);
	ck_assert(tls_peer_open(&p, gateway.port, &wish));
	ck_assert_int_eq(SSL_session_reused(p.ssl), 1);
	ck_assert_int_eq(tls_peer_ask(&p, LIST, NULL, 0), 200);
	tls_peer_close(&p);
	ck_assert_int_eq(reload()->status, 200); /* nothing has changed */
	ck_assert(tls_peer_open(&p, gateway.port, &wish));
	ck_assert_int_eq(SSL_session_reused(p.ssl), 1);
	tls_peer_close(&p);
	put_pair(&other);
	ck_assert_int_eq(reload()->status, 200);
	ck_assert(tls_peer_open(&p, gateway.port, &wish));
	ck_assert_int_eq(SSL_session_reused(p.ssl), 0);
	ck_assert_int_eq(tls_peer_ask(&p, LIST, NULL, 0), 200);
	tls_peer_close(&p);
	SSL_SESSION_free(wish.resume);
	stop();
}
END_TEST

START_TEST(a_replaced_pair_is_taken_by_itself)
{
	struct tls_peer before;

	start("", "");
	ck_assert(tls_peer_open(&before, gateway.port, NULL));
	ck_assert_int_eq(tls_peer_ask(&before, LIST, NULL, 0), 200);
	ck_assert_str_eq(tls_shown(gateway.port), "localhost");
	put_pair(&other);
	EVENTUALLY(strcmp(tls_shown(gateway.port), "second.example") == 0);
	ck_assert_int_eq(tls_peer_ask(&before, LIST, NULL, 0), 200); /* goes on with the old one */
	tls_peer_close(&before);
	kill(gateway.pid, SIGHUP);
	EVENTUALLY(metric("config_reloads_total{outcome=\"taken\"}") >= 2);
	ck_assert_str_eq(tls_shown(gateway.port), "second.example");
	stop();
}
END_TEST

START_TEST(what_is_no_good_is_left)
{
	static const struct certificate_wish gone = {.name = "gone.example", .from_s = -7200, .to_s = -60};
	struct certificate old;
	struct reply *r;

	start("", "");
	put("key.pem", other.key); /* without its certificate */
	EVENTUALLY(metric("config_last_reload_ok") == 0);
	EVENTUALLY(logged("the file of tls.key does not belong to tls.certificate"));
	ck_assert_str_eq(tls_shown(gateway.port), "localhost");
	r = reload();
	ck_assert_int_eq(r->status, 400);
	ck_assert_msg(strstr(r->body, "gateway.yaml:4:35: the file of tls.key does not belong to") != NULL, "%s",
	    r->body);
	put("cert.pem", other.pem);
	EVENTUALLY(strcmp(tls_shown(gateway.port), "second.example") == 0);
	ck_assert_int_eq(metric("config_last_reload_ok"), 1);
	certificate_make(&old, &gone);
	put_pair(&old);
	r = reload();
	ck_assert_int_eq(r->status, 400);
	ck_assert_msg(strstr(r->body, "holds one that has expired, and does not take the place of") != NULL, "%s",
	    r->body);
	ck_assert_str_eq(tls_shown(gateway.port), "second.example");
	certificate_free(&old);
	ck_assert_int_eq(unlink(scratch_file("cert.pem", "x")), 0);
	ck_assert_int_eq(reload()->status, 400);
	ck_assert_str_eq(tls_shown(gateway.port), "second.example");
	put_pair(&server);
	ck_assert_int_eq(reload()->status, 200);
	ck_assert_str_eq(tls_shown(gateway.port), "localhost");
	stop();
}
END_TEST

START_TEST(a_bad_pair_stops_a_start_and_a_check)
{
	char *said, *path = realpath(program_path(), NULL);
	struct program p;

	start("", "");
	stop();
	certificate_make(&other, &(struct certificate_wish){0});
	put("key.pem", other.key);
	certificate_free(&other);
	said = shell("cd %s && '%s' check --sandbox --config gateway.yaml 2>&1; echo $?", scratch_dir(),
	    path);
	free(path);
	ck_assert_msg(strstr(said, "gateway.yaml:4:35: the file of tls.key does not belong to tls.certificate, whose "
	    "first certificate must be the server's own\n1\n") != NULL, "%s", said);
	free(said);
	{
		char file[300];
		const char *const args[] = {"serve", "--sandbox", "--config", file, NULL};

		snprintf(file, sizeof file, "%s/gateway.yaml", scratch_dir());
		ck_assert_int_eq(program_fails(&p, args), 1);
	}
}
END_TEST

/* One client of many: asks until it is told to end; its failures are in *failed. */
static void
run_client(bool keep, volatile int *over, volatile int *failed, volatile int *asked)
{
	struct tls_peer p = {0};

	while (!*over) {
		if (p.ssl == NULL && !tls_peer_open(&p, gateway.port, NULL)) {
			(*failed)++;
			continue;
		}
		if (tls_peer_ask(&p, LIST, NULL, 0) != 200)
			(*failed)++;
		(*asked)++;
		if (!keep)
			tls_peer_close(&p);
	}
	tls_peer_close(&p);
	_exit(0);
}

START_TEST(reloads_under_load_fail_no_request)
{
	volatile int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t clients[RELOAD_CLIENTS];
	int status;

	start("", "");
	for (int i = 0; i < RELOAD_CLIENTS; i++) {
		clients[i] = fork();
		if (clients[i] == 0)
			run_client(i == 0, &shared[0], &shared[1 + 2 * i], &shared[2 + 2 * i]);
	}
	for (int i = 0; i < RELOADS; i++) {
		put_pair(i % 2 == 0 ? &other : &server);
		ck_assert_int_eq(reload()->status, 200);
	}
	shared[0] = 1;
	for (int i = 0; i < RELOAD_CLIENTS; i++) {
		ck_assert_int_eq(waitpid(clients[i], &status, 0), clients[i]);
		ck_assert_int_eq(status, 0);
		ck_assert_int_eq(shared[1 + 2 * i], 0);
		ck_assert_int_gt(shared[2 + 2 * i], 0);
	}
	stop();
}
END_TEST

START_TEST(clients_show_certificates)
{
	const struct certificate_wish good = {.name = "client", .issuer = &authority};
	const struct certificate_wish late = {.name = "late", .issuer = &authority, .from_s = -7200, .to_s = -60};
	struct certificate mine, stranger, expired;
	bool optional = _i == 1;
	struct tls_wish w = {.max = TLS1_2_VERSION};

	scratch_file("token", TOKEN "\n");
	start(optional ? ", client_ca: ca.pem, client_certificates: optional" : ", client_ca: ca.pem",
	    "clients: [{name: ci, token_file: token}]\n");
	certificate_make(&mine, &good);
	certificate_make(&stranger, &(struct certificate_wish){.name = "stranger"});
	certificate_make(&expired, &late);
	for (int i = 0; i < 2; i++) { /* TLS 1.2 and 1.3, which refuses after its handshake */
		w = (struct tls_wish){.min = i == 1 ? TLS1_3_VERSION : 0, .max = i == 0 ? TLS1_2_VERSION : 0};
		ck_assert_int_eq(tls_ask(gateway.port, &w, LIST, NULL, 0), optional ? 401 : 0);
		w.own = &stranger;
		ck_assert_int_eq(tls_ask(gateway.port, &w, LIST, NULL, 0), 0);
		w.own = &expired;
		ck_assert_int_eq(tls_ask(gateway.port, &w, LIST, NULL, 0), 0);
		w.own = &mine;
		ck_assert_int_eq(tls_ask(gateway.port, &w, LIST, NULL, 0), 401); /* a token is needed beside it */
		ck_assert_int_eq(tls_ask(gateway.port, &w, "GET /api/projects/demo/personas HTTP/1.1\r\n"
		    "Host: localhost\r\nX-API-Key: " TOKEN "\r\n\r\n", NULL, 0), 200);
	}
	certificate_free(&mine);
	certificate_free(&stranger);
	certificate_free(&expired);
	stop();
}
END_TEST

START_TEST(a_page_that_came_without_tls_is_another_origin)
{
	static const struct {
		const char *scheme;
		int status;
	} cases[] = {{"https", 201}, {"http", 403}};
	char request[1024];

	scratch_file("token", TOKEN "\n");
	start("", "clients: [{name: ci, token_file: token}]\n");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(request, sizeof request, "POST /api/projects/demo/personas HTTP/1.1\r\n"
		    "Host: localhost:%d\r\nAuthorization: Basic " BASIC "\r\nOrigin: %s://localhost:%d\r\n"
		    "Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"name\":\"ann\"}", gateway.port,
		    cases[i].scheme, gateway.port);
		ck_assert_int_eq(tls_ask(gateway.port, NULL, request, NULL, 0), cases[i].status);
	}
	stop();
}
END_TEST

START_TEST(a_command_asks_over_tls)
{
	char *said;

	start("", "");
	said = shell("sed -i 's/^admin_listen.*/admin_listen: https:\\/\\/127.0.0.1:0/' %s/gateway.yaml", scratch_dir());
	free(said);
	ck_assert_int_eq(program_stop(&gateway), 0);
	{
		char file[300];
		const char *const args[] = {"serve", "--sandbox", "--config", file, NULL};

		snprintf(file, sizeof file, "%s/gateway.yaml", scratch_dir());
		gateway.admin_port = 0;
		program_start(&gateway, args);
	}
	said = shell("'%s' intents --admin https://localhost:%d --ca-file %s/ca.pem list 2>&1", program_path(),
	    gateway.admin_port, scratch_dir());
	ck_assert_str_eq(said, "nothing is unsettled\n");
	free(said);
	said = shell("'%s' intents --admin https://localhost:%d list 2>&1", program_path(), gateway.admin_port);
	ck_assert_msg(strstr(said, "--ca-file names one") != NULL, "%s", said);
	free(said);
	gateway.admin_port = 0; /* nothing waits for its log over plain HTTP */
	ck_assert_int_eq(program_stop(&gateway), 0);
	certificate_free(&authority);
	certificate_free(&server);
	certificate_free(&other);
}
END_TEST

/* Starts with a local tool that the test plays. */
static void
start_with_tool(void)
{
	char rest[100];

	snprintf(rest, sizeof rest, "passthrough: {local: \"http://127.0.0.1:%d\"}\n", tool_open());
	start("", rest);
}

/* Ends both. */
static void
stop_with_tool(void)
{
	stop();
	tool_close();
}

START_TEST(the_local_tool_hears_how_a_client_came)
{
	static const char ask_for[] = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct tls_peer p;
	char body[8], *head;
	int t;

	start_with_tool();
	ck_assert(tls_peer_open(&p, gateway.port, NULL));
	ck_assert(tls_peer_send(&p, ask_for, sizeof ask_for - 1));
	t = tool_accept();
	head = tool_head(t);
	ck_assert_str_eq(head_field(head, "x-forwarded-proto"), "https");
	ck_assert_ptr_nonnull(strstr(head_field(head, "forwarded"), "proto=https"));
	tool_say(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
	ck_assert_int_eq(tls_peer_ask(&p, "", body, sizeof body), 200);
	ck_assert_str_eq(body, "hi");
	tls_peer_close(&p);
	close(t);
	stop_with_tool();
}
END_TEST

START_TEST(a_websocket_runs_over_tls)
{
	static const char ask_for[] = "GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
	    "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
	struct tls_peer p;
	char got[8];
	int t;

	start_with_tool();
	ck_assert(tls_peer_open(&p, gateway.port, NULL));
	ck_assert(tls_peer_send(&p, ask_for, sizeof ask_for - 1));
	t = tool_accept();
	tool_head(t);
	tool_say(t, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
	ck_assert_int_eq(tls_peer_ask(&p, "", NULL, 0), 101);
	for (int i = 0; i < 3; i++) {
		ck_assert(tls_peer_send(&p, "\x81\x02hi", 4));
		ck_assert_str_eq(tool_bytes(t, 4), "\x81\x02" "hi");
		tool_say(t, "\x81\x02yo");
		ck_assert_uint_eq(tls_peer_read(&p, got, 4), 4);
		ck_assert_int_eq(memcmp(got, "\x81\x02yo", 4), 0);
	}
	if (_i == 0) { /* the tool ends: so is the client told */
		close(t);
		ck_assert_uint_eq(tls_peer_read(&p, got, 1), 0);
		ck_assert(!p.cut);
		tls_peer_close(&p);
	} else {
		tls_peer_close(&p);
		ck_assert(tool_hung_up(t));
		close(t);
	}
	stop_with_tool();
}
END_TEST

/* A client that sends a large body and reads a large answer; ends the process. */
static void
stream_both_ways(void)
{
	static char bytes[1 << 20];
	char head[200];
	struct tls_peer p;

	if (!tls_peer_open(&p, gateway.port, NULL))
		_exit(1);
	snprintf(head, sizeof head, "POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n"
	    "Content-Type: application/octet-stream\r\n\r\n", LARGE);
	if (!tls_peer_send(&p, head, strlen(head)))
		_exit(2);
	for (size_t sent = 0; sent < LARGE; sent += sizeof bytes)
		if (!tls_peer_send(&p, bytes, sizeof bytes))
			_exit(3);
	if (tls_peer_ask(&p, "", bytes, 1) != 200) /* until the kept part, which is nothing */
		_exit(4);
	tls_peer_close(&p);
	_exit(0);
}

START_TEST(large_bodies_stream_both_ways)
{
	char head[200];
	int t, status;
	pid_t child;

	start_with_tool();
	child = fork();
	if (child == 0)
		stream_both_ways();
	t = tool_accept();
	tool_head(t);
	ck_assert_uint_eq(swallow(t, LARGE), LARGE);
	snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", LARGE);
	tool_say(t, head);
	ck_assert_uint_eq(pour(t, LARGE), LARGE);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the client ended with %d", status);
	close(t);
	stop_with_tool();
}
END_TEST

START_TEST(an_answer_that_breaks_off_is_no_end)
{
	static const char ask_for[] = "GET /page HTTP/1.0\r\nHost: localhost\r\n\r\n";
	char got[4096] = "";
	struct tls_peer p;
	int t;

	start_with_tool();
	ck_assert(tls_peer_open(&p, gateway.port, NULL));
	ck_assert(tls_peer_send(&p, ask_for, sizeof ask_for - 1));
	t = tool_accept();
	tool_head(t);
	tool_say(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
	if (_i == 0)
		tool_say(t, "0\r\n\r\n");
	else
		tool_cut(t, true);
	tls_peer_read(&p, got, sizeof got - 1);
	ck_assert_int_eq(p.cut, _i == 1);
	if (_i == 0) {
		ck_assert_ptr_nonnull(strstr(got, "half"));
		close(t);
	}
	tls_peer_close(&p);
	stop_with_tool();
}
END_TEST

START_TEST(a_stop_lets_an_answer_end)
{
	static const char ask_for[] = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n";
	char body[8], end;
	struct tls_peer p;
	int t;

	start_with_tool();
	ck_assert(tls_peer_open(&p, gateway.port, NULL));
	ck_assert(tls_peer_send(&p, ask_for, sizeof ask_for - 1));
	t = tool_accept();
	tool_head(t);
	program_term(&gateway);
	ck_assert(raw_refused(gateway.port));
	tool_say(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
	ck_assert_int_eq(tls_peer_ask(&p, "", body, sizeof body), 200);
	ck_assert_str_eq(body, "hi");
	ck_assert_uint_eq(tls_peer_read(&p, &end, 1), 0);
	ck_assert(!p.cut);
	tls_peer_close(&p);
	close(t);
	ck_assert_int_eq(program_wait(&gateway), 0);
	tool_close();
}
END_TEST

/* The suite. */
static Suite *
tls_suite(void)
{
	Suite *s = suite_create("tls");
	TCase *t = tcase_create("tls");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, addresses_speak_what_they_say);
	tcase_add_loop_test(t, versions_and_protocols_are_chosen, 0, 2);
	tcase_add_test(t, curl_and_openssl_agree);
	tcase_add_test(t, a_slow_handshake_is_cut);
	tcase_add_loop_test(t, a_session_is_resumed_with_the_same_certificate_alone, 0, 2);
	tcase_add_test(t, a_replaced_pair_is_taken_by_itself);
	tcase_add_test(t, what_is_no_good_is_left);
	tcase_add_test(t, a_bad_pair_stops_a_start_and_a_check);
	tcase_add_test(t, reloads_under_load_fail_no_request);
	tcase_add_loop_test(t, clients_show_certificates, 0, 2);
	tcase_add_test(t, a_page_that_came_without_tls_is_another_origin);
	tcase_add_test(t, a_command_asks_over_tls);
	tcase_add_test(t, the_local_tool_hears_how_a_client_came);
	tcase_add_loop_test(t, a_websocket_runs_over_tls, 0, 2);
	tcase_add_test(t, large_bodies_stream_both_ways);
	tcase_add_loop_test(t, an_answer_that_breaks_off_is_no_end, 0, 2);
	tcase_add_test(t, a_stop_lets_an_answer_end);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(tls_suite)
