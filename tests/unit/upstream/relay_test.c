#include "config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "call_bench.h"
#include "unit.h"
#include "upstream/relay.h"
#include "upstream_suites.h"

#include <stdio.h>
#include <string.h>

#define IDLE_MS 60000
#define WHOLE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* One exchange and what came of it. */
struct passage {
	struct relay_call *call;
	unsigned heads, ends, rooms;
	int status;
	int64_t length;
	struct buf fields; /* "name=value|" for each */
	struct buf body;
	bool pause; /* after each piece */
	unsigned pieces;
	enum relay_end end;
	char why[256];
};

struct rig {
	struct bench b;
	struct relay *relay;
	struct passage p;
};

static const struct wire_field no_fields[] = {{NULL, NULL}};

/* The head is here. */
static void
on_head(void *arg, const struct relay_head *h)
{
	struct passage *p = arg;

	p->heads++;
	p->status = h->status;
	p->length = h->length;
	for (const struct wire_field *f = h->fields; f->name != NULL; f++)
		buf_addf(&p->fields, "%s=%s|", f->name, f->value);
}

/* A piece is here. */
static void
on_data(void *arg, const char *bytes, size_t len)
{
	struct passage *p = arg;

	ck_assert_uint_eq(p->heads, 1);
	ck_assert_uint_eq(p->ends, 0);
	p->pieces++;
	buf_add(&p->body, bytes, len);
	if (p->pause)
		relay_pause(p->call);
}

/* There is room. */
static void
on_room(void *arg)
{
	struct passage *p = arg;

	p->rooms++;
}

/* It is over. */
static void
on_end(void *arg, enum relay_end end, const char *why)
{
	struct passage *p = arg;

	p->ends++;
	p->end = end;
	p->call = NULL;
	snprintf(p->why, sizeof p->why, "%s", why != NULL ? why : "");
}

static const struct relay_events events = {on_head, on_data, on_room, on_end};

/* Makes loop, server and relay. */
static void
rig_open(struct rig *r, bool fake_time)
{
	struct relay_config cfg = {.connect_ms = 5000, .idle_ms = IDLE_MS, .keep_s = 45};
	struct fail f = {""};

	memset(r, 0, sizeof *r);
	bench_open(&r->b, fake_time);
	cfg.url = fake_server_url(r->b.server);
	r->relay = relay_new(r->b.loop, &cfg, &f);
	ck_assert_msg(r->relay != NULL, "%s", f.text);
}

/* Forgets what an exchange left. */
static void
rig_forget(struct rig *r)
{
	buf_free(&r->p.fields);
	buf_free(&r->p.body);
	memset(&r->p, 0, sizeof r->p);
}

/* Ends all. */
static void
rig_close(struct rig *r)
{
	rig_forget(r);
	relay_free(r->relay);
	bench_close(&r->b);
}

/* Starts an exchange. */
static void
start(struct rig *r, const char *method, const char *target, const struct wire_field *fields,
    int64_t length)
{
	const struct relay_request q = {.method = method, .target = target, .fields = fields,
	    .has_body = length != 0, .length = length};

	rig_forget(r);
	r->p.call = relay_start(r->relay, &q, &events, &r->p);
	ck_assert_uint_eq(r->p.heads + r->p.ends, 0);
}

/* Starts one without a body and turns until it is over. */
static void
run(struct rig *r, const char *method, const char *target)
{
	start(r, method, target, no_fields, 0);
	bench_until(&r->b, r->p.ends > 0);
}

/* What a request looked like. */
static const char *
request(const struct rig *r, unsigned n)
{
	return fake_server_request(r->b.server, n);
}

/* Scripts bytes. */
static void
say(struct rig *r, const char *bytes, enum fake_then then)
{
	fake_server_push(r->b.server, &(struct fake_step){.bytes = bytes, .then = then});
}

START_TEST(an_answer_comes_as_it_is)
{
	struct rig r;

	rig_open(&r, false);
	say(&r, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Nope\r\nSet-Cookie: a=1\r\n"
	        "X-Empty:\r\nset-cookie:  b=2 \r\nContent-Encoding: gzip\r\n"
	        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n",
	    FAKE_KEEP);
	run(&r, "GET", "/");
	ck_assert_int_eq(r.p.end, RELAY_WHOLE);
	ck_assert_int_eq(r.p.status, 404);
	ck_assert_int_eq(r.p.length, -1);
	ck_assert_str_eq(r.p.fields.data,
	    "Set-Cookie=a=1|X-Empty=|set-cookie=b=2|Content-Encoding=gzip|Transfer-Encoding=chunked|");
	ck_assert_str_eq(r.p.body.data, "abcdefg");
	say(&r, WHOLE, FAKE_KEEP);
	run(&r, "GET", "/");
	ck_assert_int_eq(r.p.length, 2);
	ck_assert_str_eq(r.p.body.data, "ok");
	ck_assert_uint_eq(fake_server_connections(r.b.server), 1);
	rig_close(&r);
}
END_TEST

START_TEST(answers_without_a_body)
{
	static const struct {
		const char *method, *bytes;
		int status;
		int64_t length;
	} rows[] = {
	    {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7777\r\n\r\n", 200, 7777},
	    {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, -1},
	    {"GET", "HTTP/1.1 304 Not\r\nETag: \"x\"\r\nContent-Length: 9\r\n\r\n", 304, 9},
	    {"DELETE", "HTTP/1.1 204 No\r\n\r\n", 204, -1},
	    {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, 0},
	};
	struct rig r;

	rig_open(&r, false);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		say(&r, rows[i].bytes, FAKE_KEEP);
		run(&r, rows[i].method, "/");
		ck_assert_int_eq(r.p.end, RELAY_WHOLE);
		ck_assert_int_eq(r.p.status, rows[i].status);
		ck_assert_int_eq(r.p.length, rows[i].length);
		ck_assert_uint_eq(r.p.pieces, 0);
	}
	ck_assert_uint_eq(fake_server_connections(r.b.server), 1);
	rig_close(&r);
}
END_TEST

START_TEST(a_request_goes_as_it_is)
{
	static const struct wire_field fields[] = {{"Host", "example.org:81"}, {"x-empty", ""},
	    {"cookie", "a=1"}, {"cookie", "b=2"}, {"user-agent", "me"}, {NULL, NULL}};
	static const char target[] = "//a/./b/../%2e%2E/c%zz;x=\"|^`{}<>\\?q=%20&[]?";
	struct rig r;

	rig_open(&r, false);
	start(&r, "PROPFIND", target, fields, 0);
	bench_until(&r.b, r.p.ends > 0);
	ck_assert_int_eq(r.p.end, RELAY_WHOLE);
	ck_assert_str_eq(request(&r, 0),
	    "PROPFIND //a/./b/../%2e%2E/c%zz;x=\"|^`{}<>\\?q=%20&[]? HTTP/1.1\r\n"
	    "Host: example.org:81\r\nx-empty:\r\ncookie: a=1\r\ncookie: b=2\r\nuser-agent: me\r\n\r\n");
	run(&r, "OPTIONS", "*");
	ck_assert_ptr_eq(strstr(request(&r, 1), "OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:"),
	    request(&r, 1));
	rig_close(&r);
}
END_TEST

START_TEST(a_body_of_known_length_streams)
{
	struct rig r;

	rig_open(&r, false);
	start(&r, "PUT", "/", no_fields, 6);
	ck_assert_uint_eq(relay_write(r.p.call, "ab", 2), 2);
	bench_until(&r.b, r.p.rooms == 1);
	bench_settle(&r.b);
	ck_assert_uint_eq(fake_server_requests(r.b.server), 0);
	relay_write(r.p.call, "cd", 2);
	ck_assert_uint_eq(relay_write(r.p.call, "ef", 2), 4);
	relay_write_end(r.p.call);
	bench_until(&r.b, r.p.ends > 0);
	ck_assert_int_eq(r.p.end, RELAY_WHOLE);
	ck_assert_ptr_nonnull(strstr(request(&r, 0), "\r\nContent-Length: 6\r\n"));
	ck_assert_ptr_null(strstr(request(&r, 0), "Expect"));
	ck_assert_str_eq(strstr(request(&r, 0), "\r\n\r\n") + 4, "abcdef");
	rig_close(&r);
}
END_TEST

START_TEST(a_body_of_unknown_length_goes_in_chunks)
{
	struct rig r;

	rig_open(&r, false);
	fake_server_push(r.b.server, &(struct fake_step){.bytes = WHOLE, .when = FAKE_HEAD});
	start(&r, "GET", "/", no_fields, -1); /* any method may have one */
	relay_write(r.p.call, "abc", 3);
	relay_write_end(r.p.call);
	bench_until(&r.b, r.p.ends > 0);
	ck_assert_int_eq(r.p.end, RELAY_WHOLE);
	ck_assert_ptr_nonnull(strstr(request(&r, 0), "GET / HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(request(&r, 0), "\r\nTransfer-Encoding: chunked\r\n"));
	/* The rest is what the server takes for the next request. */
	fake_server_push(r.b.server, &(struct fake_step){.when = FAKE_HEAD, .then = FAKE_CLOSE});
	rig_close(&r);
}
END_TEST

START_TEST(a_paused_answer_waits_and_loses_nothing)
{
	static char big[300000];
	struct rig r;
	char *text;

	rig_open(&r, false);
	memset(big, 'x', sizeof big - 1);
	text = mem_format("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", sizeof big - 1, big);
	fake_server_push(r.b.server, &(struct fake_step){.bytes = text});
	free(text);
	start(&r, "GET", "/", no_fields, 0);
	r.p.pause = true;
	bench_until(&r.b, r.p.pieces == 1);
	bench_settle(&r.b);
	for (unsigned i = 1; i < 5; i++) { /* one piece for each resume */
		ck_assert_uint_eq(r.p.pieces, i);
		relay_resume(r.p.call);
		ck_assert_uint_eq(r.p.pieces, i);
		bench_until(&r.b, r.p.pieces > i);
		bench_settle(&r.b);
	}
	ck_assert_uint_le(r.p.body.len, 5 * 16384);
	ck_assert_uint_eq(fake_server_open(r.b.server), 1); /* what arrived meanwhile is no offence */
	ck_assert_uint_lt(bench_spins(&r.b), 5);
	r.p.pause = false;
	relay_resume(r.p.call);
	bench_until(&r.b, r.p.ends > 0);
	ck_assert_int_eq(r.p.end, RELAY_WHOLE);
	ck_assert_uint_eq(r.p.body.len, sizeof big - 1);
	ck_assert_int_eq(memcmp(r.p.body.data, big, sizeof big - 1), 0);
	rig_close(&r);
}
END_TEST

START_TEST(bytes_that_come_while_all_is_paused_are_kept)
{
	struct rig r;

	rig_open(&r, false);
	fake_server_push(r.b.server, &(struct fake_step){.when = FAKE_HEAD,
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"});
	start(&r, "POST", "/", no_fields, 4); /* whose body does not come */
	r.p.pause = true;
	bench_until(&r.b, r.p.pieces == 1);
	fake_server_say(r.b.server, "def");
	bench_settle(&r.b);
	fake_server_say(r.b.server, "ghi");
	bench_settle(&r.b);
	ck_assert_uint_eq(r.p.pieces, 1);
	ck_assert_uint_eq(fake_server_open(r.b.server), 1);
	r.p.pause = false;
	relay_resume(r.p.call);
	bench_until(&r.b, r.p.body.len == 9);
	relay_write(r.p.call, "rest", 4);
	relay_write_end(r.p.call);
	bench_until(&r.b, r.p.ends > 0);
	ck_assert_int_eq(r.p.end, RELAY_WHOLE);
	ck_assert_str_eq(r.p.body.data, "abcdefghi");
	rig_close(&r);
}
END_TEST

START_TEST(an_early_refusal_ends_the_upload)
{
	static const char *const refusals[] = {
	    "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno",
	    "HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
	    "HTTP/1.1 413 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"};
	struct rig r;

	rig_open(&r, false);
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		fake_server_push(r.b.server, &(struct fake_step){.when = FAKE_HEAD, .bytes = refusals[i]});
		start(&r, "POST", "/", no_fields, 1000);
		relay_write(r.p.call, "abc", 3); /* and no more */
		bench_until(&r.b, r.p.ends > 0);
		ck_assert_int_eq(r.p.end, RELAY_WHOLE);
		ck_assert_int_eq(r.p.status, 413);
		ck_assert_str_eq(r.p.body.data, "no");
		bench_until(&r.b, fake_server_open(r.b.server) == 0);
	}
	rig_close(&r);
}
END_TEST

START_TEST(a_read_that_meets_a_dead_connection_goes_once_more)
{
	struct rig r;

	rig_open(&r, false);
	for (int i = 0; i < 2; i++) {
		say(&r, WHOLE, FAKE_KEEP);
		run(&r, "GET", "/");
		say(&r, NULL, i == 0 ? FAKE_CLOSE : FAKE_RESET);
		say(&r, WHOLE, FAKE_CLOSE);
		run(&r, i == 0 ? "GET" : "HEAD", "/again");
		ck_assert_int_eq(r.p.end, RELAY_WHOLE);
		ck_assert_uint_eq(fake_server_requests(r.b.server), 3 * (unsigned)(i + 1));
	}
	say(&r, NULL, FAKE_CLOSE); /* a new connection that dies is no reason */
	run(&r, "GET", "/");
	ck_assert_int_eq(r.p.end, RELAY_BROKEN);
	ck_assert_uint_eq(fake_server_requests(r.b.server), 7);
	rig_close(&r);
}
END_TEST

START_TEST(a_write_leaves_at_most_once)
{
	static const char *const methods[] = {"POST", "DELETE", "PUT"};
	struct rig r;

	rig_open(&r, false);
	for (unsigned i = 0; i < 3; i++) {
		say(&r, WHOLE, FAKE_KEEP);
		run(&r, "GET", "/");
		say(&r, NULL, FAKE_CLOSE);
		start(&r, methods[i], "/", no_fields, i == 1 ? 0 : 3);
		if (i != 1)
			relay_write(r.p.call, "abc", 3);
		relay_write_end(r.p.call);
		bench_until(&r.b, r.p.ends > 0);
		ck_assert_int_eq(r.p.end, RELAY_BROKEN);
		ck_assert_uint_eq(fake_server_requests(r.b.server), 2 * (i + 1));
	}
	rig_close(&r);
}
END_TEST

START_TEST(answers_that_are_none_are_refused_before_their_head_is_told)
{
	static const char *const heads[] = {
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
	    "HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\nok",
	    "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
	    "HTTP/1.1 200 OK\r\nSpace : a\r\nContent-Length: 2\r\n\r\nok",
	    "HTTP/1.1 200 OK\r\nX-Control: a\x01z\r\nContent-Length: 2\r\n\r\nok",
	    "HTTP/1.1 200 OK\r\nno field\r\nContent-Length: 2\r\n\r\nok",
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw",
	    "HTTP/1.1 700 What\r\nContent-Length: 2\r\n\r\nok",
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "not HTTP at all\r\n\r\n", "",
	};
	struct rig r;

	rig_open(&r, false);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		say(&r, heads[i], FAKE_CLOSE);
		run(&r, "GET", "/");
		ck_assert_msg(r.p.end == RELAY_BROKEN && r.p.heads == 0, "case %zu: %d, %u heads", i,
		    r.p.end, r.p.heads);
		ck_assert_uint_gt(strlen(r.p.why), 0);
	}
	rig_close(&r);
}
END_TEST

START_TEST(an_answer_cut_short_is_told)
{
	static const struct fake_step cut[] = {
	    {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .then = FAKE_CLOSE},
	    {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .then = FAKE_RESET},
	    {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
	        .then = FAKE_CLOSE},
	    {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
	        .then = FAKE_KEEP},
	};
	struct rig r;

	rig_open(&r, false);
	for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
		fake_server_push(r.b.server, &cut[i]);
		run(&r, "GET", "/");
		ck_assert_msg(r.p.end == RELAY_BROKEN && r.p.heads == 1, "case %zu: %d", i, r.p.end);
	}
	say(&r, "HTTP/1.1 200 OK\r\n\r\nto the end", FAKE_CLOSE);
	run(&r, "GET", "/");
	ck_assert_int_eq(r.p.end, RELAY_WHOLE);
	ck_assert_str_eq(r.p.body.data, "to the end");
	rig_close(&r);
}
END_TEST

START_TEST(old_HTTP_does_not_make_later_requests_old)
{
	struct rig r;

	rig_open(&r, false);
	say(&r, "HTTP/1.0 200 OK\r\n\r\nold", FAKE_CLOSE);
	run(&r, "GET", "/");
	ck_assert_int_eq(r.p.end, RELAY_WHOLE);
	run(&r, "GET", "/");
	ck_assert_int_eq(strncmp(request(&r, 1), "GET / HTTP/1.1\r\n", 16), 0);
	say(&r, "HTTP/1.0 200 OK\r\n\r\nold", FAKE_CLOSE);
	run(&r, "GET", "/");
	fake_server_push(r.b.server, &(struct fake_step){.bytes = WHOLE, .when = FAKE_HEAD});
	start(&r, "POST", "/", no_fields, -1);
	relay_write_end(r.p.call);
	bench_until(&r.b, r.p.ends > 0);
	ck_assert_int_eq(r.p.end, RELAY_WHOLE);
	ck_assert_ptr_nonnull(strstr(request(&r, 3), "\r\nTransfer-Encoding: chunked\r\n"));
	rig_close(&r);
}
END_TEST

START_TEST(silence_ends_an_exchange_and_nothing_else_does)
{
	struct rig r;

	rig_open(&r, true);
	fake_server_push(r.b.server, &(struct fake_step){.after_ms = 10 * IDLE_MS});
	start(&r, "GET", "/", no_fields, 0);
	bench_until(&r.b, fake_server_requests(r.b.server) == 1);
	loop_fake_advance(r.b.loop, IDLE_MS - 1);
	ck_assert_uint_eq(r.p.ends, 0);
	loop_fake_advance(r.b.loop, 1);
	ck_assert_uint_eq(r.p.ends, 1);
	ck_assert_int_eq(r.p.end, RELAY_TIMEOUT);
	ck_assert_uint_eq(r.p.heads, 0);
	bench_until(&r.b, fake_server_open(r.b.server) == 0);

	say(&r, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", FAKE_KEEP);
	start(&r, "GET", "/", no_fields, 0);
	bench_until(&r.b, r.p.heads == 1);
	for (unsigned i = 1; i <= 5; i++) { /* five times as long as silence may last */
		loop_fake_advance(r.b.loop, IDLE_MS - 1);
		fake_server_say(r.b.server, "x");
		bench_until(&r.b, r.p.body.len == i);
	}
	loop_fake_advance(r.b.loop, IDLE_MS);
	ck_assert_int_eq(r.p.end, RELAY_TIMEOUT);
	ck_assert_uint_eq(r.p.ends, 1);
	rig_close(&r);
}
END_TEST

START_TEST(nobody_listens)
{
	struct relay_config cfg = {.url = "http://127.0.0.1:1", .connect_ms = 5000,
	    .idle_ms = IDLE_MS, .keep_s = 45};
	struct fail f;
	struct rig r;

	rig_open(&r, false);
	relay_free(r.relay);
	r.relay = relay_new(r.b.loop, &cfg, &f);
	run(&r, "GET", "/");
	ck_assert_int_eq(r.p.end, RELAY_NO_CONNECT);
	start(&r, "POST", "/", no_fields, -1);
	bench_until(&r.b, r.p.ends > 0);
	ck_assert_int_eq(r.p.end, RELAY_NO_CONNECT);
	rig_close(&r);
}
END_TEST

START_TEST(a_cancel_closes_the_connection_and_calls_nobody)
{
	struct rig r;

	rig_open(&r, false);
	start(&r, "GET", "/", no_fields, 0);
	relay_cancel(r.p.call); /* before anything has happened */
	bench_settle(&r.b);
	ck_assert_uint_eq(fake_server_connections(r.b.server), 0);
	bench_silence(&r.b);
	start(&r, "GET", "/", no_fields, 0);
	bench_until(&r.b, fake_server_requests(r.b.server) == 1);
	relay_cancel(r.p.call);
	bench_until(&r.b, fake_server_open(r.b.server) == 0);
	say(&r, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", FAKE_KEEP);
	start(&r, "GET", "/", no_fields, 0);
	r.p.pause = true;
	bench_until(&r.b, r.p.pieces == 1);
	relay_cancel(r.p.call);
	bench_until(&r.b, fake_server_open(r.b.server) == 0);
	ck_assert_uint_eq(r.p.ends, 0);
	start(&r, "GET", "/", no_fields, 0); /* left to relay_free() */
	rig_close(&r);
}
END_TEST

START_TEST(only_an_origin_is_taken)
{
	static const char *const wrong[] = {"ftp://127.0.0.1", "127.0.0.1", "http://u@127.0.0.1",
	    "http://127.0.0.1/?q"};
	struct relay_config cfg = {.connect_ms = 5000, .idle_ms = IDLE_MS, .keep_s = 45};
	struct fail f;
	struct rig r;

	rig_open(&r, false);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		cfg.url = wrong[i];
		ck_assert_ptr_null(relay_new(r.b.loop, &cfg, &f));
	}
	rig_close(&r);
}
END_TEST

/* Exchanges that are passed on. */
Suite *
relay_suite(void)
{
	const TTest *const tests[] = {an_answer_comes_as_it_is, answers_without_a_body,
	    a_request_goes_as_it_is, a_body_of_known_length_streams,
	    a_body_of_unknown_length_goes_in_chunks, a_paused_answer_waits_and_loses_nothing,
	    bytes_that_come_while_all_is_paused_are_kept, an_early_refusal_ends_the_upload,
	    a_read_that_meets_a_dead_connection_goes_once_more, a_write_leaves_at_most_once,
	    answers_that_are_none_are_refused_before_their_head_is_told, an_answer_cut_short_is_told,
	    old_HTTP_does_not_make_later_requests_old,
	    silence_ends_an_exchange_and_nothing_else_does, nobody_listens,
	    a_cancel_closes_the_connection_and_calls_nobody, only_an_origin_is_taken, NULL};

	return unit_suite("relay", tests);
}
