#include "config.h"

#include "http/http_conn.h"
#include "http_rig.h"

#include <stdio.h>
#include <string.h>

#define BUDGET 200000
#define POST(n) "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: " #n "\r\n\r\n"

/* Starts a server whose connections may hold BUDGET bytes. */
static void
start(struct rig *rig)
{
	rig->config.limits = HTTP_LIMITS_DEFAULT;
	rig->config.limits.buffers = BUDGET;
	rig_start(rig);
}

/* What all connections hold. */
static size_t
held(const struct rig *rig)
{
	return ((const struct http_hub *)(const void *)rig->server)->held;
}

/* Sends a part of a body. */
static void
send_bytes(struct client *c, size_t n)
{
	static char bytes[BUDGET];

	memset(bytes, 'x', sizeof bytes);
	for (; n > 0; n -= n < sizeof bytes ? n : sizeof bytes)
		client_send(c, bytes, n < sizeof bytes ? n : sizeof bytes);
}

START_TEST(a_body_beyond_the_budget_is_refused_until_others_have_ended)
{
	struct rig rig = {0};
	struct client c[3];

	start(&rig);
	client_open(&c[0], &rig);
	client_says(&c[0], POST(120000));
	send_bytes(&c[0], 119999);
	ck_assert_uint_ge(held(&rig), 119999);
	client_open(&c[1], &rig);
	client_says(&c[1], POST(120000));
	send_bytes(&c[1], 120000);
	ck_assert_int_eq(client_status(&c[1], 0), 503);
	ck_assert(client_has(&c[1], 0, "\r\nRetry-After: "));
	ck_assert(client_has(&c[1], 0, "\r\nConnection: close\r\n"));
	ck_assert_uint_eq(rig.gone, 1);
	ck_assert_uint_lt(held(&rig), BUDGET);
	client_close(&c[0]);
	client_open(&c[2], &rig);
	client_says(&c[2], POST(60000));
	send_bytes(&c[2], 60000);
	ck_assert_int_eq(client_status(&c[2], 0), 200);
	client_close(&c[1]);
	client_close(&c[2]);
	ck_assert_uint_eq(held(&rig), 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_promised_length_takes_little_before_bytes_come)
{
	struct rig rig = {0};
	struct client c;

	start(&rig);
	client_open(&c, &rig);
	client_says(&c, POST(1000000) "x");
	ck_assert_uint_le(held(&rig), 65536);
	client_close(&c);
	ck_assert_uint_eq(held(&rig), 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(small_requests_go_on_while_the_budget_is_used_up)
{
	struct rig rig = {0};
	struct client big, small;

	start(&rig);
	client_open(&big, &rig);
	client_says(&big, POST(1000000));
	send_bytes(&big, 190000);
	client_open(&small, &rig);
	client_says(&small, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert_int_eq(client_status(&small, 0), 200);
	client_close(&small);
	client_close(&big);
	rig_stop(&rig);
}
END_TEST

/* Counts how exchanges end. */
static void
budget_on_end(void *arg, enum http_end end)
{
	struct rig *rig = arg;

	if (end == HTTP_SENT)
		rig->sent++;
	else
		rig->gone++;
}

/* Answers with more than the kernel takes at once. */
static void
serve_long(struct rig *rig, struct http_exchange *ex)
{
	static char text[BUDGET - 1];

	memset(text, 'y', sizeof text);
	http_exchange_on_end(ex, budget_on_end, rig);
	http_answer(ex, 200, NULL, text, sizeof text);
}

START_TEST(a_long_answer_without_room_becomes_a_503_and_is_not_told)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct rig rig = {.service = serve_long};
	struct client big, c;

	start(&rig);
	client_open(&big, &rig);
	rig.service = NULL;
	client_says(&big, POST(1000000));
	send_bytes(&big, 30000);
	rig.service = serve_long;
	client_open(&c, &rig);
	client_says(&c, get);
	ck_assert_int_eq(client_status(&c, 0), 503);
	ck_assert(client_has(&c, 0, "\r\nRetry-After: "));
	ck_assert_uint_eq(rig.sent, 0);
	ck_assert_uint_eq(rig.gone, 1);
	client_close(&big);
	client_says(&c, get);
	ck_assert_int_eq(client_status(&c, 1), 200);
	ck_assert_uint_eq(rig.sent, 1);
	client_close(&c);
	ck_assert_uint_eq(held(&rig), 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(answers_that_clients_do_not_read_count)
{
	struct rig rig = {.service = serve_long};
	struct client c[64];
	unsigned refused = 0;

	start(&rig);
	rig.config.limits.buffers = BUDGET;
	for (unsigned i = 0; i < 64; i++) {
		client_open(&c[i], &rig);
		c[i].deaf = true;
		for (unsigned n = 0; n < 16; n++)
			client_says(&c[i], "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
		ck_assert_uint_le(held(&rig), 2 * BUDGET + 65536);
	}
	for (unsigned i = 0; i < 64; i++) {
		c[i].deaf = false;
		client_read(&c[i]);
		refused += strstr(c[i].got.data, "HTTP/1.1 503") != NULL;
		client_close(&c[i]);
	}
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_eq(held(&rig), 0);
	rig_stop(&rig);
}
END_TEST

static struct http_exchange *kept;

/* Lets the body go and answers later. */
static void
on_kept_body(void *arg, struct http_exchange *ex, const char *body, size_t len)
{
	kept = ex;
	http_exchange_drop_body(ex);
}

/* Collects a body. */
static void
serve_kept(struct rig *rig, struct http_exchange *ex)
{
	http_exchange_collect(ex, 0, on_kept_body, rig);
}

START_TEST(a_body_that_was_let_go_counts_until_its_answer)
{
	struct rig rig = {.service = serve_kept};
	struct client c;

	start(&rig);
	client_open(&c, &rig);
	client_says(&c, POST(50000));
	send_bytes(&c, 50000);
	ck_assert_ptr_nonnull(kept);
	ck_assert_uint_ge(held(&rig), 50000);
	http_answer(kept, 200, NULL, "ok", 2);
	rig_turn(&rig);
	client_read(&c);
	ck_assert_int_eq(client_status(&c, 0), 200);
	ck_assert_uint_eq(held(&rig), 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* A service that wants to hold almost half of what there is for each request. */
static void
reserve_half(struct rig *rig, struct http_exchange *ex)
{
	if (!http_exchange_reserve(ex, BUDGET / 2 - 20000)) {
		http_answer_error(ex, 503, "full");
		return;
	}
	http_exchange_stream(ex, NULL, NULL);
	http_exchange_pause(ex);
}

START_TEST(what_a_service_holds_counts_until_the_exchange_is_over)
{
	struct rig rig = {.service = reserve_half};
	struct client c[3];
	size_t before;

	start(&rig);
	before = held(&rig);
	for (int i = 0; i < 3; i++) {
		client_open(&c[i], &rig);
		client_says(&c[i], POST(1));
	}
	ck_assert_uint_eq(c[0].got.len + c[1].got.len, 0);
	ck_assert_int_eq(client_status(&c[2], 0), 503);
	ck_assert_uint_ge(held(&rig), before + BUDGET - 40000);
	client_close(&c[2]);
	client_close(&c[0]);
	client_open(&c[2], &rig);
	client_says(&c[2], POST(1));
	ck_assert_uint_eq(c[2].got.len, 0);
	client_close(&c[1]);
	client_close(&c[2]);
	ck_assert_uint_eq(held(&rig), before);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_budget_suite(void)
{
	const TTest *const tests[] = {a_body_beyond_the_budget_is_refused_until_others_have_ended,
	    a_promised_length_takes_little_before_bytes_come,
	    small_requests_go_on_while_the_budget_is_used_up,
	    a_long_answer_without_room_becomes_a_503_and_is_not_told,
	    answers_that_clients_do_not_read_count, a_body_that_was_let_go_counts_until_its_answer,
	    what_a_service_holds_counts_until_the_exchange_is_over, NULL};

	return unit_suite("http budget", tests);
}
