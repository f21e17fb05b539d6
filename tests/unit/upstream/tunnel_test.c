#include "config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "call_bench.h"
#include "unit.h"
#include "upstream/answer_reader.h"
#include "upstream/tunnel.h"
#include "upstream_suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MS 60000
#define SWITCHED "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"

/* A tunnel and what came of it. */
struct passage {
	struct bench b;
	struct tunnel *tunnel;
	unsigned heads, ends, rooms, pieces;
	int status;
	int64_t length;
	bool chunked, ended;
	struct buf fields, bytes;
	bool pause; /* after each piece */
	enum relay_end end;
};

static const struct wire_field ask[] = {{"Host", "tool"}, {"Upgrade", "x"}, {NULL, NULL}};

/* The head is here. */
static void
on_head(void *arg, const struct tunnel_head *h)
{
	struct passage *p = arg;

	p->heads++;
	p->status = h->status;
	p->length = h->length;
	p->chunked = h->chunked;
	for (const struct wire_field *f = h->fields; f->name != NULL; f++)
		buf_addf(&p->fields, "%s=%s|", f->name, f->value);
}

/* Bytes are here, or the end. */
static void
on_data(void *arg, const char *bytes, size_t len)
{
	struct passage *p = arg;

	ck_assert_uint_eq(p->heads, 1);
	ck_assert(!p->ended);
	p->pieces++;
	p->ended = len == 0;
	buf_add(&p->bytes, bytes, len);
	if (p->pause)
		tunnel_pause(p->tunnel);
}

/* All is sent. */
static void
on_room(void *arg)
{
	struct passage *p = arg;

	p->rooms++;
}

/* It has failed. */
static void
on_end(void *arg, enum relay_end end, const char *why)
{
	struct passage *p = arg;

	ck_assert_ptr_nonnull(why);
	p->ends++;
	p->end = end;
	p->tunnel = NULL;
}

static const struct tunnel_events events = {on_head, on_data, on_room, on_end};

/* Asks. */
static void
start(struct passage *p)
{
	struct relay_config cfg = {.url = fake_server_url(p->b.server), .connect_ms = 5000,
	    .idle_ms = IDLE_MS, .keep_s = 3};

	buf_free(&p->fields);
	buf_free(&p->bytes);
	p->heads = p->ends = p->rooms = p->pieces = 0;
	p->ended = p->pause = false;
	p->tunnel = tunnel_open(p->b.loop, &cfg, "GET", "/chat?a=%zz", ask, &events, p);
	ck_assert_uint_eq(p->heads + p->ends, 0);
}

/* Makes loop and server. */
static void
open_all(struct passage *p, bool fake_time)
{
	memset(p, 0, sizeof *p);
	bench_open(&p->b, fake_time);
}

/* Ends all. */
static void
close_all(struct passage *p)
{
	tunnel_close(p->tunnel);
	buf_free(&p->fields);
	buf_free(&p->bytes);
	bench_close(&p->b);
}

/* Scripts bytes. */
static void
say(struct passage *p, const char *bytes, enum fake_then then)
{
	fake_server_push(p->b.server, &(struct fake_step){.bytes = bytes, .then = then});
}

START_TEST(bytes_go_both_ways_after_the_change)
{
	struct passage p;

	open_all(&p, false);
	say(&p, SWITCHED "early", FAKE_KEEP);
	start(&p);
	bench_until(&p.b, p.pieces > 0);
	ck_assert_str_eq(fake_server_request(p.b.server, 0), "GET /chat?a=%zz HTTP/1.1\r\nHost: tool\r\n"
	                                                    "Upgrade: x\r\nConnection: Upgrade\r\n\r\n");
	ck_assert_int_eq(p.status, 101);
	ck_assert_str_eq(p.fields.data, "Connection=Upgrade|Upgrade=x|");
	ck_assert_str_eq(p.bytes.data, "early");
	say(&p, " answer", FAKE_KEEP);
	ck_assert_uint_eq(tunnel_write(p.tunnel, "hello\r\n", 7), 7);
	ck_assert_uint_eq(tunnel_write(p.tunnel, "\r\n", 2), 9);
	ck_assert_uint_eq(p.rooms, 0);
	bench_until(&p.b, p.bytes.len == 12);
	ck_assert_str_eq(p.bytes.data, "early answer");
	ck_assert_str_eq(fake_server_request(p.b.server, 1), "hello\r\n\r\n");
	ck_assert_uint_eq(p.rooms, 1);
	fake_server_hang_up(p.b.server);
	bench_until(&p.b, p.ended);
	ck_assert_uint_eq(p.ends, 0);
	ck_assert_uint_lt(bench_spins(&p.b), 5);
	close_all(&p);
}
END_TEST

START_TEST(our_end_is_told)
{
	struct passage p;

	open_all(&p, false);
	say(&p, SWITCHED, FAKE_KEEP);
	start(&p);
	bench_until(&p.b, p.heads > 0);
	say(&p, NULL, FAKE_KEEP);
	tunnel_write(p.tunnel, "last\r\n\r\n", 8);
	bench_until(&p.b, fake_server_requests(p.b.server) == 2);
	tunnel_write_end(p.tunnel);
	bench_until(&p.b, fake_server_open(p.b.server) == 0); /* it has seen our end and closes */
	bench_until(&p.b, p.ended);
	ck_assert_uint_eq(p.ends, 0);
	close_all(&p);
}
END_TEST

START_TEST(an_ordinary_answer_is_told_with_how_it_ends)
{
	static const struct {
		const char *bytes, *rest;
		int status;
		bool chunked;
		int64_t length;
	} rows[] = {
	    {"HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno", "no", 400, false, 2},
	    {"HTTP/1.1 103 H\r\nA: b\r\n\r\nHTTP/1.1 426 U\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	        "0\r\n\r\n", 426, true, -1},
	    {"HTTP/1.0 200 OK\r\n\r\nto the end", "to the end", 200, false, -1},
	};
	struct passage p;

	open_all(&p, false);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		say(&p, rows[i].bytes, FAKE_CLOSE);
		start(&p);
		bench_until(&p.b, p.ended);
		ck_assert_int_eq(p.status, rows[i].status);
		ck_assert_int_eq(p.chunked, rows[i].chunked);
		ck_assert_int_eq(p.length, rows[i].length);
		ck_assert_str_eq(p.bytes.data, rows[i].rest);
		tunnel_close(p.tunnel);
	}
	p.tunnel = NULL;
	close_all(&p);
}
END_TEST

START_TEST(what_is_no_answer_is_refused)
{
	static const char *const heads[] = {
	    "", "HTTP/1.1 101 S\r\nUpgrade: x\r\n", "HTTP/1.1 101 S\nUpgrade: x\n\n", "garbage\r\n\r\n",
	    "HTTP/1.0 101 S\r\nUpgrade: x\r\n\r\n", "HTTP/2 101 S\r\n\r\n", "\r\nHTTP/1.1 101 S\r\n\r\n",
	    "HTTP/1.1 101 S\r\nUpgrade: x\r\n y\r\n\r\n", "HTTP/1.1 101 S\r\nUpgrade : x\r\n\r\n",
	    "HTTP/1.1 200 S\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
	    "HTTP/1.1 99 S\r\n\r\n", "HTTP/1.1 1011 S\r\n\r\n", "HTTP/1.1 101 S\r\nX: \x01\r\n\r\n"};
	struct passage p;
	char *large = mem_zero(1, 70000);

	open_all(&p, false);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		say(&p, heads[i], FAKE_CLOSE);
		start(&p);
		bench_until(&p.b, p.ends > 0);
		ck_assert_msg(p.end == RELAY_BROKEN && p.heads == 0, "case %zu: %d", i, p.end);
	}
	memset(large, 'x', 69999);
	memcpy(large, "HTTP/1.1 101 ", 13);
	say(&p, large, FAKE_KEEP);
	start(&p);
	bench_until(&p.b, p.ends > 0);
	ck_assert_int_eq(p.end, RELAY_BROKEN);
	free(large);
	close_all(&p);
}
END_TEST

START_TEST(a_paused_tunnel_waits_and_loses_nothing)
{
	static char big[300000];
	struct passage p;
	char *text;

	open_all(&p, false);
	memset(big, 'x', sizeof big - 1);
	text = mem_format("%s%s", SWITCHED, big);
	say(&p, text, FAKE_CLOSE);
	free(text);
	start(&p);
	p.pause = true;
	for (unsigned i = 1; i < 5; i++) {
		bench_until(&p.b, p.pieces == i);
		bench_settle(&p.b);
		ck_assert_uint_eq(p.pieces, i);
		tunnel_resume(p.tunnel);
		ck_assert_uint_eq(p.pieces, i);
	}
	bench_until(&p.b, p.pieces == 5);
	ck_assert_uint_lt(bench_spins(&p.b), 5);
	p.pause = false;
	tunnel_resume(p.tunnel);
	bench_until(&p.b, p.ended);
	ck_assert_str_eq(p.bytes.data, big);
	close_all(&p);
}
END_TEST

START_TEST(silence_and_refusal_end_it)
{
	struct relay_config cfg = {.url = "http://127.0.0.1:1", .connect_ms = 5000,
	    .idle_ms = IDLE_MS, .keep_s = 3};
	struct passage p;

	open_all(&p, true);
	say(&p, SWITCHED, FAKE_KEEP);
	start(&p);
	bench_until(&p.b, p.heads == 1);
	for (unsigned i = 1; i <= 3; i++) {
		loop_fake_advance(p.b.loop, IDLE_MS - 1);
		fake_server_say(p.b.server, "x");
		bench_until(&p.b, p.pieces == i);
	}
	loop_fake_advance(p.b.loop, IDLE_MS);
	ck_assert_uint_eq(p.ends, 1);
	ck_assert_int_eq(p.end, RELAY_TIMEOUT);
	bench_until(&p.b, fake_server_open(p.b.server) == 0);
	say(&p, SWITCHED, FAKE_KEEP);
	start(&p);
	bench_until(&p.b, p.heads == 1);
	say(&p, "bye", FAKE_RESET);
	tunnel_write(p.tunnel, "\r\n\r\n", 4);
	bench_until(&p.b, p.ends == 1);
	ck_assert_int_eq(p.end, RELAY_BROKEN);
	p.ends = 0;
	p.tunnel = tunnel_open(p.b.loop, &cfg, "GET", "/", ask, &events, &p);
	bench_until(&p.b, p.ends == 1);
	ck_assert_int_eq(p.end, RELAY_NO_CONNECT);
	close_all(&p);
}
END_TEST

START_TEST(it_can_be_closed_at_any_time)
{
	struct passage p;

	open_all(&p, false);
	start(&p);
	tunnel_close(p.tunnel);
	for (int turns = 0; turns < 12; turns++) {
		say(&p, SWITCHED, FAKE_KEEP);
		start(&p);
		for (int i = 0; i < turns; i++)
			loop_turn(p.b.loop, false);
		tunnel_close(p.tunnel);
		bench_settle(&p.b);
		bench_until(&p.b, fake_server_open(p.b.server) == 0);
	}
	ck_assert_uint_eq(p.ends, 0);
	p.tunnel = NULL;
	close_all(&p);
}
END_TEST

START_TEST(a_head_is_read_alike_however_it_is_cut)
{
	static const char text[] = "HTTP/1.1 100 C\r\nA: 1\r\n\r\nHTTP/1.1 101 S\r\nA: 2\r\nB:\r\n\r\nrest";

	for (size_t cut = 0; cut < sizeof text; cut++) {
		struct answer_reader r;
		struct wire_field *f;
		size_t used = 0, more = 0;

		answer_reader_init(&r);
		r.upgrade = true;
		if (answer_reader_feed(&r, text, cut, &used) == ANSWER_READ_MORE) {
			ck_assert_uint_eq(used, cut);
			ck_assert_int_eq(answer_reader_feed(&r, text + cut, sizeof text - 1 - cut, &more),
			    ANSWER_READ_HEAD);
		}
		ck_assert_str_eq(text + used + more, "rest");
		f = answer_reader_fields(&r);
		ck_assert_int_eq(r.head.status, 101);
		ck_assert_str_eq(f[0].value, "2");
		ck_assert_str_eq(f[1].name, "B");
		ck_assert_ptr_null(f[2].name);
		free(f);
		answer_reader_free(&r);
	}
}
END_TEST

/* Connections that change their protocol. */
Suite *
tunnel_suite(void)
{
	const TTest *const tests[] = {bytes_go_both_ways_after_the_change,
	    our_end_is_told, an_ordinary_answer_is_told_with_how_it_ends,
	    what_is_no_answer_is_refused, a_paused_tunnel_waits_and_loses_nothing,
	    silence_and_refusal_end_it, it_can_be_closed_at_any_time,
	    a_head_is_read_alike_however_it_is_cut, NULL};

	return unit_suite("tunnel", tests);
}
