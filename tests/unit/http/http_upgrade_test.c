#include "config.h"

#include "http/http_conn.h"
#include "http_rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD(more) "GET /up HTTP/1.1\r\nHost: localhost\r\n" more "\r\n"
#define ASKS HEAD("Connection: keep-alive, Upgrade\r\nUpgrade: echo\r\n")
#define ANSWER "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n"

static const struct http_field fields[] = {{"Upgrade", "echo"}, {NULL, NULL}};

/* What was waited for has been taken. */
static void
on_drained(void *arg)
{
	struct rig *rig = arg;

	rig->drained++;
}

/* The exchange is over. */
static void
on_end(void *arg, enum http_end how)
{
	struct rig *rig = arg;

	rig->held = NULL;
	if (how == HTTP_SENT)
		rig->sent++;
	else
		rig->gone++;
}

/* Notes what the client sends in the new protocol. */
static void
on_data(void *arg, struct http_exchange *ex, const char *piece, size_t len)
{
	struct rig *rig = arg;

	rig->pieces++;
	buf_add(&rig->seen, piece, len);
	if (len == 0)
		buf_adds(&rig->seen, "|end");
	if (rig->pause)
		http_exchange_pause(ex);
}

/* Changes the protocol at once when the client may ask for it. */
static void
upgrade(struct rig *rig, struct http_exchange *ex)
{
	const struct http_request *q = http_exchange_request(ex);

	buf_clear(&rig->seen);
	http_exchange_on_end(ex, on_end, rig);
	if (q->upgrade == NULL) {
		http_answer(ex, 200, NULL, "plain", 5);
		return;
	}
	ck_assert_str_eq(q->upgrade, "echo");
	rig->held = ex;
	http_answer_upgrade(ex, fields, on_data, rig, on_drained, rig);
}

/* Leaves the answer to the test. */
static void
hold(struct rig *rig, struct http_exchange *ex)
{
	buf_clear(&rig->seen);
	http_exchange_on_end(ex, on_end, rig);
	rig->held = ex;
	http_exchange_stream(ex, on_data, rig);
	http_exchange_pause(ex);
}

/* Opens a client whose connection has changed its protocol. */
static void
open_tunnel(struct rig *rig, struct client *c)
{
	client_open(c, rig);
	client_says(c, ASKS);
	ck_assert_ptr_nonnull(rig->held);
	ck_assert_int_eq(client_status(c, 0), 101);
	buf_clear(&c->got);
}

START_TEST(bytes_go_both_ways_as_they_are)
{
	struct rig rig = {.service = upgrade};
	struct client c;
	const char *end;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, ASKS "early");
	ck_assert_ptr_eq(strstr(c.got.data, ANSWER), c.got.data);
	ck_assert(client_has(&c, 0, "\r\nConnection: Upgrade\r\n"));
	ck_assert(client_has(&c, 0, "\r\nX-Request-Id: "));
	ck_assert(!client_has(&c, 0, "Content-Length"));
	ck_assert(!client_has(&c, 0, "Transfer-Encoding"));
	end = strstr(c.got.data, "\r\n\r\n") + 4;
	ck_assert_str_eq(end, "");
	ck_assert_str_eq(rig.seen.data, "early");
	client_says(&c, "GET / HTTP/1.1\r\n\r\n");
	ck_assert_str_eq(rig.seen.data, "earlyGET / HTTP/1.1\r\n\r\n");
	buf_clear(&c.got);
	http_answer_write(rig.held, "a\0b", 3);
	http_answer_write(rig.held, "cd", 2);
	client_read(&c);
	ck_assert_uint_eq(c.got.len, 5);
	ck_assert_int_eq(memcmp(c.got.data, "a\0bcd", 5), 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(it_does_not_matter_how_the_bytes_are_cut)
{
	static const char text[] = ASKS "one two three";
	struct rig rig = {.service = upgrade};

	rig_start(&rig);
	for (size_t cut = 0; cut < sizeof text; cut++) {
		struct client c;

		client_open(&c, &rig);
		client_send(&c, text, cut);
		client_send(&c, text + cut, sizeof text - 1 - cut);
		ck_assert_int_eq(client_status(&c, 0), 101);
		ck_assert_str_eq(rig.seen.data, "one two three");
		client_close(&c);
	}
	rig_stop(&rig);
}
END_TEST

START_TEST(an_upgrade_that_does_not_count_is_ignored)
{
	static const char *const plain[] = {
	    HEAD("Upgrade: echo\r\n"), HEAD("Connection: keep-alive\r\nUpgrade: echo\r\n"),
	    HEAD("Connection: upgraded\r\nUpgrade: echo\r\n"), HEAD("Connection: Upgrade\r\n"),
	    HEAD("Connection: Upgrade\r\nUpgrade: echo\r\nUpgrade: echo\r\n"),
	    "GET /up HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n"
	    "Content-Length: 1\r\n\r\nx",
	    "GET /up HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    "GET /up HTTP/1.0\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\n"};
	struct rig rig = {.service = upgrade};
	struct client c;

	rig_start(&rig);
	for (unsigned i = 0; i < sizeof plain / sizeof *plain; i++) {
		client_open(&c, &rig);
		client_says(&c, plain[i]);
		ck_assert_int_eq(client_status(&c, 0), 200);
		ck_assert_str_eq(client_body(&c, 0), "plain");
		client_close(&c);
	}
	rig_stop(&rig);
}
END_TEST

START_TEST(early_bytes_wait_for_the_answer)
{
	struct rig rig = {.service = hold};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, ASKS "early ");
	client_says(&c, "bytes");
	ck_assert_uint_eq(rig.pieces, 0);
	http_answer_upgrade(rig.held, fields, on_data, &rig, on_drained, &rig);
	ck_assert_uint_eq(rig.pieces, 0); /* not inside the call */
	client_read(&c);
	ck_assert_str_eq(rig.seen.data, "early bytes");
	client_close(&c);

	/* Refused, they are the next request. */
	client_open(&c, &rig);
	client_says(&c, ASKS "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	http_answer(rig.held, 400, NULL, "no", 2);
	client_read(&c);
	ck_assert_int_eq(client_status(&c, 0), 400);
	ck_assert_ptr_nonnull(rig.held);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(each_side_ends_its_own)
{
	struct rig rig = {.service = upgrade};
	struct client c;

	rig_start(&rig);
	open_tunnel(&rig, &c); /* the client first */
	client_says(&c, "last words");
	client_end(&c);
	ck_assert_str_eq(rig.seen.data, "last words|end");
	ck_assert(!c.closed);
	http_answer_write(rig.held, "answer", 6);
	client_read(&c);
	ck_assert_str_eq(c.got.data, "answer");
	ck_assert_uint_eq(rig.sent, 0);
	http_answer_end(rig.held);
	client_read(&c);
	ck_assert(c.closed && !c.reset);
	ck_assert_uint_eq(rig.sent, 1);
	client_close(&c);

	open_tunnel(&rig, &c); /* the service first */
	http_answer_write(rig.held, "bye", 3);
	http_answer_end(rig.held);
	client_read(&c);
	ck_assert_str_eq(c.got.data, "bye");
	ck_assert(c.closed && !c.reset);
	ck_assert_uint_eq(rig.sent, 1);
	ck_assert_int_eq(client_put(&c, "more", 4), 4);
	rig_turn(&rig);
	ck_assert_str_eq(rig.seen.data, "more");
	client_finish(&c);
	rig_turn(&rig);
	ck_assert_str_eq(rig.seen.data, "more|end");
	ck_assert_uint_eq(rig.sent, 2);
	ck_assert_uint_eq(rig.gone, 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_paused_tunnel_takes_nothing_and_loses_nothing)
{
	static char bytes[4 << 20];
	struct rig rig = {.service = upgrade, .pause = true};
	struct http_conn *hc;
	struct client c;
	size_t sent = 0;
	ssize_t n;

	rig_start(&rig);
	open_tunnel(&rig, &c);
	while ((n = client_put(&c, bytes, sizeof bytes - sent)) > 0) {
		sent += (size_t)n;
		rig_turn(&rig);
	}
	ck_assert_uint_lt(sent, sizeof bytes / 2);
	ck_assert_uint_eq(rig.pieces, 1);
	hc = TAILQ_FIRST(&((struct http_hub *)(void *)rig.server)->conns);
	ck_assert_uint_le(hc->in.len, HTTP_CONN_READ_MAX);
	client_finish(&c); /* its end waits behind the bytes */
	rig_turn(&rig);
	ck_assert_uint_eq(rig.gone, 0);
	rig.pause = false;
	http_exchange_resume(rig.held);
	client_read(&c);
	ck_assert_uint_eq(rig.seen.len, sent + 4);
	ck_assert_str_eq(rig.seen.data + sent, "|end");
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_waited_for_so_long)
{
	static char bytes[1 << 20];
	struct rig rig = {.service = upgrade};
	struct client c;
	size_t waiting;

	rig_start(&rig);
	open_tunnel(&rig, &c);
	c.deaf = true;
	waiting = http_answer_write(rig.held, bytes, sizeof bytes);
	ck_assert_uint_gt(waiting, 65536);
	client_read(&c);
	ck_assert_uint_eq(rig.drained, 0);
	c.deaf = false;
	client_read(&c);
	ck_assert_uint_eq(c.got.len, sizeof bytes);
	ck_assert_uint_eq(rig.drained, 1);
	c.deaf = true;
	http_answer_write(rig.held, bytes, sizeof bytes);
	client_read(&c);
	loop_fake_advance(rig.loop, 30001);
	ck_assert_uint_eq(rig.gone, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(silence_is_not_the_servers_concern)
{
	struct rig rig = {.service = upgrade};
	struct client c;

	rig_start(&rig);
	open_tunnel(&rig, &c);
	loop_fake_advance(rig.loop, 24 * 3600000);
	client_says(&c, "still here");
	ck_assert_str_eq(rig.seen.data, "still here");
	client_close(&c);
	ck_assert_str_eq(rig.seen.data, "still here|end");
	rig_stop(&rig);
}
END_TEST

START_TEST(a_reset_and_an_abort_are_seen_by_the_other)
{
	struct rig rig = {.service = upgrade};
	struct client c;

	for (unsigned i = 0; i < 2; i++) {
		memset(&rig, 0, sizeof rig);
		rig.service = upgrade;
		rig_start_at(&rig, "127.0.0.1:0"); /* a local socket knows no reset */
		open_tunnel(&rig, &c);
		if (i == 1)
			http_exchange_pause(rig.held);
		rig_turn(&rig);
		client_harden(&c);
		client_close(&c);
		for (int k = 0; k < 1000 && rig.gone == 0; k++)
			rig_turn(&rig);
		ck_assert_uint_eq(rig.gone, 1);
		open_tunnel(&rig, &c);
		http_answer_abort(rig.held);
		client_read(&c);
		ck_assert(c.closed && c.reset);
		ck_assert_uint_eq(rig.gone, 2);
		client_close(&c);
		rig_stop(&rig);
	}
}
END_TEST

START_TEST(a_stop_waits_for_tunnels_and_then_cuts_them)
{
	struct rig rig = {.service = upgrade};
	struct client c;

	rig_start(&rig);
	open_tunnel(&rig, &c);
	http_server_drain(rig.server, 5000, on_drained, &rig);
	loop_fake_advance(rig.loop, 4000);
	client_says(&c, "hello");
	ck_assert_str_eq(rig.seen.data, "hello");
	ck_assert_uint_eq(rig.drained, 0);
	loop_fake_advance(rig.loop, 1000);
	loop_fake_advance(rig.loop, 0);
	ck_assert_uint_eq(rig.gone, 1);
	ck_assert_uint_eq(rig.drained, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_upgrade_suite(void)
{
	const TTest *const tests[] = {bytes_go_both_ways_as_they_are,
	    it_does_not_matter_how_the_bytes_are_cut, an_upgrade_that_does_not_count_is_ignored,
	    early_bytes_wait_for_the_answer, each_side_ends_its_own,
	    a_paused_tunnel_takes_nothing_and_loses_nothing,
	    a_client_that_does_not_read_is_waited_for_so_long, silence_is_not_the_servers_concern,
	    a_reset_and_an_abort_are_seen_by_the_other, a_stop_waits_for_tunnels_and_then_cuts_them,
	    NULL};

	return unit_suite("http upgrade", tests);
}
