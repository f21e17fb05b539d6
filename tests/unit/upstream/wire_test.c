#include "config.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "call_bench.h"
#include "unit.h"
#include "upstream/curl_loop.h"
#include "upstream/curl_way.h"
#include "upstream/http1_way.h"
#include "upstream_suites.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define AGENT "User-Agent: persona-gateway/" PACKAGE_VERSION "\r\n"
#define ALWAYS "Accept: application/json\r\nAccept-Encoding: identity\r\n"

/* ---- what is sent ---- */

/* Runs one call and compares what arrived with the text wanted, %d being the port. */
static void
expect_request(struct bench *b, const struct upstream_request *q, const char *head,
    const char *rest)
{
	unsigned n = fake_server_requests(b->server);
	struct bench_call c;
	char *want;

	bench_run(b, &c, q);
	ck_assert_int_eq(c.answer.status, 200);
	want = mem_format("%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" AGENT "%s", head,
	    fake_server_port(b->server), rest);
	ck_assert_str_eq(fake_server_request(b->server, n), want);
	free(want);
	bench_forget(&c);
}

START_TEST(requests_hold_exactly_what_they_should)
{
	struct upstream_request q;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_get(&b);
	q.request_id = "req-1";
	expect_request(&b, &q, "GET /v1/things",
	    ALWAYS "X-API-Key: " BENCH_KEY "\r\nX-Request-Id: req-1\r\n\r\n");
	q = bench_post(&b);
	expect_request(&b, &q, "POST /v1/create", ALWAYS
	    "Content-Type: application/json\r\nX-API-Key: " BENCH_KEY
	    "\r\nContent-Length: 12\r\n\r\n{\"name\":\"A\"}");
	q.method = "PUT";
	q.repeat = UPSTREAM_SAFE;
	expect_request(&b, &q, "PUT /v1/create", ALWAYS
	    "Content-Type: application/json\r\nX-API-Key: " BENCH_KEY
	    "\r\nContent-Length: 12\r\n\r\n{\"name\":\"A\"}");
	q.body = NULL;
	expect_request(&b, &q, "PUT /v1/create",
	    ALWAYS "X-API-Key: " BENCH_KEY "\r\nContent-Length: 0\r\n\r\n");
	q = bench_get(&b);
	q.method = "DELETE";
	q.api_key = NULL;
	expect_request(&b, &q, "DELETE /v1/things", ALWAYS "\r\n");
	q = bench_get(&b); /* the handle's last request leaves nothing behind */
	expect_request(&b, &q, "GET /v1/things", ALWAYS "X-API-Key: " BENCH_KEY "\r\n\r\n");
	ck_assert_uint_eq(fake_server_connections(b.server), 1);
	bench_close(&b);
}
END_TEST

START_TEST(paths_go_out_as_they_are)
{
	struct upstream_request q;
	struct bench b;
	char *url;

	bench_open(&b, false);
	url = mem_format("%s/base//", fake_server_url(b.server));
	b.config.url = url;
	bench_client(&b);
	memset(url, 'x', strlen(url)); /* the client has its own copy */
	q = bench_get(&b);
	q.path = "/v1/a%2Fb/../c%20d?x=%7B%7D&y=1,2";
	expect_request(&b, &q, "GET /base/v1/a%2Fb/../c%20d?x=%7B%7D&y=1,2",
	    ALWAYS "X-API-Key: " BENCH_KEY "\r\n\r\n");
	free(url);
	bench_close(&b);
}
END_TEST

START_TEST(headers_of_the_caller_go_along)
{
	struct header_list list = {0};
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	const char *got;
	char value[16];

	bench_open(&b, false);
	bench_client(&b);
	ck_assert_int_eq(header_list_put(&list, "X-Tenant", "sh\xc3\xb6p"), HEADER_GOOD);
	ck_assert_int_eq(header_list_put(&list, "X-Blank", "  "), HEADER_GOOD);
	ck_assert_int_eq(header_list_put(&list, "X-Empty", ""), HEADER_GOOD);
	q = bench_get(&b);
	q.headers = &list;
	expect_request(&b, &q, "GET /v1/things", ALWAYS "X-API-Key: " BENCH_KEY
	    "\r\nX-Tenant: sh\xc3\xb6p\r\nX-Blank:\r\nX-Empty:\r\n\r\n");
	q.headers = NULL; /* the handle's last request leaves nothing behind */
	expect_request(&b, &q, "GET /v1/things", ALWAYS "X-API-Key: " BENCH_KEY "\r\n\r\n");
	header_list_clear(&list);
	ck_assert_int_eq(header_list_put(&list, "user-agent", "mine"), HEADER_GOOD);
	ck_assert_int_eq(header_list_put(&list, "Authorization", "Basic x"), HEADER_GOOD);
	ck_assert_int_eq(header_list_put(&list, "Cookie", "a=b"), HEADER_GOOD);
	q = bench_post(&b);
	q.headers = &list;
	bench_start(&b, &c, &q);
	header_list_clear(&list); /* they were copied */
	bench_until(&b, c.callbacks > 0);
	bench_forget(&c);
	got = fake_server_request(b.server, 2);
	ck_assert_ptr_null(strstr(got, "persona-gateway"));
	ck_assert_ptr_nonnull(strstr(got, "\r\nuser-agent: mine\r\nAuthorization: Basic x\r\n"
	    "Cookie: a=b\r\n"));
	for (int i = 0; i < HEADER_MAX; i++) {
		snprintf(value, sizeof value, "X-%d", i);
		ck_assert_int_eq(header_list_put(&list, value, value), HEADER_GOOD);
	}
	q = bench_get(&b);
	q.request_id = "req-1";
	q.headers = &list;
	bench_run(&b, &c, &q);
	bench_forget(&c);
	got = fake_server_request(b.server, 3);
	ck_assert_ptr_nonnull(strstr(got, "\r\nX-Request-Id: req-1\r\nX-0: X-0\r\n"));
	ck_assert_ptr_nonnull(strstr(got, "\r\nX-31: X-31\r\n\r\n"));
	header_list_clear(&list);
	bench_close(&b);
}
END_TEST

START_TEST(nothing_can_be_smuggled_into_a_request)
{
	static const char *const paths[] = {"", "v1/x", "//host/..\r\nX: y", "/a b", "/a\xc3\xa4", "/a#b", "/a\tb",
	    "/\x7f", "@other.example/"};
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		q = bench_get(&b);
		q.path = paths[i];
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_NO_CONNECT);
		ck_assert(!c.answer.maybe_received);
		bench_forget(&c);
	}
	q = bench_get(&b);
	q.api_key = "key\r\nX-Evil: 1";
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_NO_CONNECT);
	bench_forget(&c);
	ck_assert_uint_eq(fake_server_connections(b.server), 0);
	q = bench_get(&b);
	q.request_id = "id\nX-Evil: 1"; /* left out; the call goes on */
	expect_request(&b, &q, "GET /v1/things", ALWAYS "X-API-Key: " BENCH_KEY "\r\n\r\n");
	bench_close(&b);
}
END_TEST

START_TEST(everything_in_a_request_is_copied)
{
	char method[] = "POST", path[] = "/v1/create", key[] = "copied-key", id[] = "copied-id";
	char body[] = "{\"copied\":true}";
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_post(&b);
	q.method = method;
	q.path = path;
	q.api_key = key;
	q.request_id = id;
	q.body = body;
	q.body_len = strlen(body);
	bench_start(&b, &c, &q);
	memset(method, 'x', sizeof method);
	memset(path, 'x', sizeof path);
	memset(key, 'x', sizeof key);
	memset(id, 'x', sizeof id);
	memset(body, 'x', sizeof body);
	bench_until(&b, c.callbacks == 1);
	ck_assert_ptr_nonnull(strstr(fake_server_request(b.server, 0), "POST /v1/create HTTP"));
	ck_assert_ptr_nonnull(strstr(fake_server_request(b.server, 0), "X-API-Key: copied-key\r\n"));
	ck_assert_ptr_nonnull(strstr(fake_server_request(b.server, 0), "X-Request-Id: copied-id\r\n"));
	ck_assert_ptr_nonnull(strstr(fake_server_request(b.server, 0), "\r\n\r\n{\"copied\":true}"));
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(a_large_body_arrives_whole)
{
	struct buf body = {0};
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	while (body.len < (4u << 20))
		buf_addf(&body, "%zu,", body.len);
	q = bench_post(&b);
	q.body = body.data;
	q.body_len = body.len;
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.status, 200);
	ck_assert_str_eq(strstr(fake_server_request(b.server, 0), "\r\n\r\n") + 4, body.data);
	ck_assert_ptr_null(strcasestr(fake_server_request(b.server, 0), "\r\nExpect:"));
	bench_forget(&c);
	buf_free(&body);
	bench_close(&b);
}
END_TEST

/* ---- where it goes ---- */

START_TEST(a_redirect_is_an_answer_and_is_not_followed)
{
	struct fake_server *other;
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	char *field;

	bench_open(&b, false);
	bench_client(&b);
	other = fake_server_new(b.loop, NULL);
	field = mem_format("Location: %s/stolen\r\n", fake_server_url(other));
	for (int i = 0; i < 2; i++) {
		q = i == 0 ? bench_get(&b) : bench_post(&b);
		fake_server_answer(b.server, i == 0 ? 302 : 307, field, "{}");
		bench_run(&b, &c, &q);
		bench_settle(&b);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
		ck_assert_int_eq(c.answer.status, i == 0 ? 302 : 307);
		ck_assert_uint_eq(c.answer.tries, 1);
		bench_forget(&c);
	}
	ck_assert_uint_eq(fake_server_connections(other), 0);
	ck_assert_uint_eq(fake_server_requests(b.server), 2);
	free(field);
	fake_server_free(other);
	bench_close(&b);
}
END_TEST

START_TEST(the_proxy_of_the_environment_is_ignored)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY",
	    "HTTPS_PROXY", "ALL_PROXY"};
	struct fake_server *proxy;
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	proxy = fake_server_new(b.loop, NULL);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		setenv(names[i], fake_server_url(proxy), 1);
	bench_client(&b);
	q = bench_get(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.status, 200);
	ck_assert_uint_eq(fake_server_requests(b.server), 1);
	ck_assert_uint_eq(fake_server_connections(proxy), 0);
	bench_forget(&c);
	fake_server_free(proxy);
	bench_close(&b);
}
END_TEST

START_TEST(the_configured_proxy_is_used_whatever_the_environment_says)
{
	struct fake_server *proxy;
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	proxy = fake_server_new(b.loop, NULL);
	setenv("no_proxy", "*", 1);
	setenv("NO_PROXY", "127.0.0.1", 1);
	b.config.proxy = fake_server_url(proxy);
	b.config.url = "http://bluejay.invalid";
	bench_client(&b);
	q = bench_get(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.status, 200);
	ck_assert_int_eq(strncmp(fake_server_request(proxy, 0),
	                     "GET http://bluejay.invalid/v1/things HTTP/1.1\r\n", 46), 0);
	bench_forget(&c);
	fake_server_free(proxy);
	bench_close(&b);
}
END_TEST

START_TEST(a_proxy_that_refuses_the_tunnel_never_sees_the_key)
{
	struct fake_server *proxy;
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	proxy = fake_server_new(b.loop, NULL);
	b.config.proxy = fake_server_url(proxy);
	b.config.url = "https://bluejay.invalid";
	b.config.retries = 1;
	bench_client(&b);
	fake_server_answer(proxy, 403, NULL, "{\"error\":\"no\"}");
	q = bench_post(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_NO_CONNECT);
	ck_assert(!c.answer.maybe_received);
	ck_assert_uint_eq(fake_server_requests(proxy), 1);
	ck_assert_ptr_nonnull(strstr(fake_server_request(proxy, 0), "CONNECT bluejay.invalid:443 "));
	ck_assert_ptr_null(strstr(fake_server_request(proxy, 0), BENCH_KEY));
	bench_forget(&c);
	fake_server_free(proxy);
	bench_close(&b);
}
END_TEST

START_TEST(settings_that_cannot_work_are_refused_with_a_sentence)
{
	static const char *const urls[] = {"", "bluejay", "ftp://host", "file:///etc/passwd",
	    "http://", "https://user:secret@host", "https://host/?q=1", "https://host/#x",
	    "https://host:99999"};
	struct fail f;
	struct bench b;

	bench_open(&b, false);
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct upstream_config cfg = b.config;

		cfg.url = urls[i];
		f.text[0] = '\0';
		ck_assert_msg(upstream_new(b.loop, &cfg, &f) == NULL, "%s", urls[i]);
		ck_assert_str_ne(f.text, "");
		ck_assert_ptr_null(strstr(f.text, "secret"));
	}
	b.config.ca_file = "/nonexistent/ca.pem";
	ck_assert_ptr_null(upstream_new(b.loop, &b.config, &f));
	ck_assert_ptr_nonnull(strstr(f.text, "/nonexistent/ca.pem"));
	b.config.ca_file = NULL;
	b.config.proxy = "http://";
	ck_assert_ptr_null(upstream_new(b.loop, &b.config, &f));
	b.config.proxy = NULL;
	b.config.connect_ms = 0;
	ck_assert_ptr_null(upstream_new(b.loop, &b.config, &f));
	bench_close(&b);
}
END_TEST

/* ---- on which connection ---- */

START_TEST(connections_are_kept_alive_and_used_again)
{
	struct upstream_request q;
	struct bench_call c[3];
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_get(&b);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3; i++)
			bench_start(&b, &c[i], &q);
		bench_until(&b, b.answered == (unsigned)round * 3 + 3);
		for (int i = 0; i < 3; i++)
			bench_forget(&c[i]);
	}
	ck_assert_uint_eq(fake_server_connections(b.server), 3);
	ck_assert_uint_eq(fake_server_open(b.server), 3);
	bench_close(&b);
}
END_TEST

START_TEST(a_fresh_connection_is_fresh)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	for (unsigned i = 0; i < 4; i++) {
		q = i % 2 ? bench_post(&b) : bench_get(&b);
		q.fresh_connection = i % 2;
		bench_run(&b, &c, &q);
		bench_forget(&c);
	}
	ck_assert_uint_eq(fake_server_request_peer(b.server, 1), 2);
	ck_assert_uint_eq(fake_server_request_peer(b.server, 3), 3);
	bench_close(&b);
}
END_TEST

START_TEST(idle_connections_do_not_pile_up)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	for (unsigned i = 0; i < 60; i++) {
		q = bench_post(&b);
		q.fresh_connection = true;
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.status, 200);
		bench_forget(&c);
	}
	ck_assert_uint_eq(fake_server_connections(b.server), 60);
	bench_until(&b, fake_server_open(b.server) < 20);
	bench_close(&b);
}
END_TEST

START_TEST(the_connections_of_a_burst_serve_the_next_one)
{
	struct upstream_request q;
	struct bench_call c[40];
	struct bench b;

	bench_open(&b, false);
	b.config.max_in_flight = 40;
	bench_client(&b);
	q = bench_get(&b);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 40; i++)
			bench_start(&b, &c[i], &q);
		bench_until(&b, b.answered == (unsigned)round * 40 + 40);
		for (int i = 0; i < 40; i++)
			bench_forget(&c[i]);
	}
	ck_assert_uint_eq(fake_server_connections(b.server), 40);
	bench_close(&b);
}
END_TEST

START_TEST(a_connection_that_the_upstream_closed_is_not_used)
{
	struct upstream_request q;
	struct upstream_counts n;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	for (unsigned i = 0; i < 5; i++) {
		q = bench_post(&b);
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.status, 200);
		ck_assert_uint_eq(c.answer.tries, 1);
		bench_forget(&c);
		fake_server_hang_up(b.server);
		if (i % 2)
			bench_settle(&b); /* else the next call finds out by itself */
	}
	ck_assert_uint_eq(fake_server_connections(b.server), 5);
	ck_assert_uint_lt(bench_spins(&b), 5);
	upstream_counts(b.client, &n);
	ck_assert_uint_eq(n.tries, 5);
	bench_close(&b);
}
END_TEST

START_TEST(bytes_that_nobody_asked_for_are_no_answer)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_post(&b);
	bench_run(&b, &c, &q);
	bench_forget(&c);
	fake_server_say(b.server, "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nevil");
	bench_settle(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.status, 200);
	ck_assert_str_eq(c.body, "{\"ok\":true}");
	ck_assert_uint_eq(fake_server_request_peer(b.server, 1), 2);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

/* Keeps the outcome of a single try. */
static void
on_try(void *arg, const struct try_result *r)
{
	*(int *)arg = r->outcome == UPSTREAM_ANSWER ? r->status : -1;
}

/* One try below the level of calls. */
static void
run_try(struct bench *b, struct way *way, struct site *site)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct try_request q = {.site = site, .text = text, .len = sizeof text - 1,
	    .fields = sizeof text - 3, .body = sizeof text - 1,
	    .first_byte_ms = 2000, .total_ms = 4000, .max_answer = 1000};
	struct try *t;
	int status = 0;

	t = try_start(way, &q, on_try, &status);
	ck_assert_ptr_nonnull(t);
	bench_until(b, status != 0);
	ck_assert_int_eq(status, 200);
	try_free(t);
}

/* A timer that only sets a flag. */
static void
set_flag(void *arg)
{
	*(bool *)arg = true;
}

/* A connection is used again, and not after a while. */
static void
idle_too_long(struct way *(*make)(struct loop *, const struct curl_loop_config *, struct fail *))
{
	struct curl_loop_config cfg = {.connect_ms = 2000, .max_idle = 1};
	struct loop_timer wait;
	struct site *site;
	struct way *way;
	bool waited = false;
	struct fail f;
	struct bench b;

	ck_assert_int_lt(CURL_LOOP_MAX_IDLE_S, 60);
	bench_open(&b, false);
	site = site_new(fake_server_url(b.server));
	way = make(b.loop, &cfg, &f);
	ck_assert_ptr_nonnull(way);
	loop_timer_init(&wait, b.loop, set_flag, &waited);
	run_try(&b, way, site);
	run_try(&b, way, site);
	ck_assert_uint_eq(fake_server_connections(b.server), 1);
	loop_timer_set(&wait, 2100); /* libcurl counts whole seconds */
	bench_until(&b, waited);
	run_try(&b, way, site);
	ck_assert_uint_eq(fake_server_connections(b.server), 2);
	bench_until(&b, fake_server_open(b.server) == 1);
	way_free(way);
	site_release(site);
	bench_close(&b);
}

START_TEST(a_connection_that_was_idle_too_long_is_not_used)
{
	idle_too_long(http1_way_new);
}
END_TEST

START_TEST(neither_is_one_of_libcurls)
{
	idle_too_long(curl_way_new);
}
END_TEST

/* ---- names ---- */

static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t names_free = PTHREAD_COND_INITIALIZER;
static bool names_stuck;

int getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* Stands in front of the system's: one name is looked up for as long as the test likes. */
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
    struct addrinfo **res)
{
	int (*system_one)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (node != NULL && strcmp(node, "stuck.invalid") == 0) {
		pthread_mutex_lock(&names_lock);
		while (names_stuck)
			pthread_cond_wait(&names_free, &names_lock);
		pthread_mutex_unlock(&names_lock);
		return EAI_NONAME;
	}
	*(void **)&system_one = dlsym(RTLD_NEXT, "getaddrinfo");
	return system_one(node, service, hints, res);
}

START_TEST(a_stuck_name_lookup_blocks_nobody)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	int64_t begun;

	bench_open(&b, false);
	names_stuck = true;
	b.config.url = "http://stuck.invalid";
	b.config.connect_ms = 60;
	b.config.retries = 1;
	bench_client(&b);
	q = bench_post(&b);
	begun = loop_now(b.loop);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_TIMEOUT);
	ck_assert(!c.answer.maybe_received);
	bench_forget(&c);
	bench_start(&b, &c, &q);
	bench_settle(&b);
	upstream_cancel(c.call);
	bench_start(&b, &c, &q);
	upstream_free(b.client);
	b.client = NULL;
	ck_assert_int_lt(loop_now(b.loop) - begun, 2000);
	pthread_mutex_lock(&names_lock);
	names_stuck = false;
	pthread_cond_broadcast(&names_free);
	pthread_mutex_unlock(&names_lock);
	bench_close(&b);
}
END_TEST

START_TEST(a_name_that_does_not_exist_is_no_connection)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	b.config.url = "http://stuck.invalid"; /* not stuck now, only unknown */
	bench_client(&b);
	q = bench_post(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_NO_CONNECT);
	ck_assert(!c.answer.maybe_received);
	ck_assert_uint_eq(c.answer.tries, 3);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

/* ---- the log ---- */

START_TEST(the_log_names_states_and_never_the_key)
{
	static const char *const said[] = {"\"from\":\"queued\",\"to\":\"trying\"",
	    "\"from\":\"trying\",\"to\":\"backing-off\"", "\"from\":\"trying\",\"to\":\"done\"",
	    "\"request\":\"req-9\"", "\"outcome\":\"broken\""};
	int fd = memfd_create("log", MFD_CLOEXEC);
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	char *text;
	off_t len;

	bench_open(&b, false);
	b.config.log = log_new(fd, LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	bench_client(&b);
	q = bench_get(&b);
	q.request_id = "req-9";
	for (int i = 0; i < 3; i++)
		fake_server_push(b.server, &(struct fake_step){.bytes = BENCH_KEY "\r\n",
		    .then = FAKE_CLOSE});
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_BROKEN);
	bench_forget(&c);
	fake_server_answer(b.server, 401, "X-Echo: " BENCH_KEY "\r\n", BENCH_KEY);
	bench_run(&b, &c, &q);
	bench_forget(&c);
	q.api_key = BENCH_KEY "\n";
	bench_run(&b, &c, &q);
	bench_forget(&c);
	bench_close(&b);
	log_free(b.config.log);
	len = lseek(fd, 0, SEEK_END);
	text = mem_zero((size_t)len + 1, 1);
	ck_assert_int_eq(pread(fd, text, (size_t)len, 0), len);
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		ck_assert_msg(strstr(text, said[i]) != NULL, "%s in:\n%s", said[i], text);
	ck_assert_ptr_null(strstr(text, BENCH_KEY));
	free(text);
	close(fd);
}
END_TEST

/* All tests of this file. */
Suite *
wire_suite(void)
{
	const TTest *const tests[] = {
	    requests_hold_exactly_what_they_should,
	    paths_go_out_as_they_are,
	    headers_of_the_caller_go_along,
	    nothing_can_be_smuggled_into_a_request,
	    everything_in_a_request_is_copied,
	    a_large_body_arrives_whole,
	    a_redirect_is_an_answer_and_is_not_followed,
	    the_proxy_of_the_environment_is_ignored,
	    the_configured_proxy_is_used_whatever_the_environment_says,
	    a_proxy_that_refuses_the_tunnel_never_sees_the_key,
	    settings_that_cannot_work_are_refused_with_a_sentence,
	    connections_are_kept_alive_and_used_again,
	    a_fresh_connection_is_fresh,
	    idle_connections_do_not_pile_up,
	    the_connections_of_a_burst_serve_the_next_one,
	    a_connection_that_the_upstream_closed_is_not_used,
	    bytes_that_nobody_asked_for_are_no_answer,
	    a_connection_that_was_idle_too_long_is_not_used,
	    neither_is_one_of_libcurls,
	    a_stuck_name_lookup_blocks_nobody,
	    a_name_that_does_not_exist_is_no_connection,
	    the_log_names_states_and_never_the_key,
	    NULL,
	};

	return unit_suite("upstream wire", tests);
}
