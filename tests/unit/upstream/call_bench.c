#include "config.h"

#include "call_bench.h"
#include "base/mem.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define BENCH_WALL INT64_C(1769594400000) /* 2026-01-28T10:00:00Z */

/* libevent complains, as when a descriptor was closed behind its back. */
static void
bench_on_warning(int severity, const char *text)
{
	ck_assert_msg(severity < EVENT_LOG_WARN, "libevent: %s", text);
}

/* Makes loop and server. */
void
bench_open(struct bench *b, bool fake_time)
{
	memset(b, 0, sizeof *b);
	signal(SIGPIPE, SIG_IGN);
	event_set_log_callback(bench_on_warning);
	b->fake_time = fake_time;
	b->loop = fake_time ? loop_new_fake(BENCH_WALL) : loop_new();
	ck_assert_ptr_nonnull(b->loop);
	b->server = fake_server_new(b->loop, NULL);
	b->config = (struct upstream_config){.url = fake_server_url(b->server), .connect_ms = 2000,
	    .first_byte_ms = 2000, .total_ms = 4000, .retries = 3, .max_in_flight = 16,
	    .max_queue = 16, .max_answer = 1 << 20, .seed = 7};
}

/* Makes the client. */
void
bench_client(struct bench *b)
{
	struct fail f = {""};

	b->client = upstream_new(b->loop, &b->config, &f);
	ck_assert_msg(b->client != NULL, "%s", f.text);
}

/* Ends all. */
void
bench_close(struct bench *b)
{
	upstream_free(b->client);
	fake_server_free(b->server);
	loop_free(b->loop);
}

/* A GET. */
struct upstream_request
bench_get(const struct bench *b)
{
	return (struct upstream_request){.method = "GET", .path = "/v1/things", .api_key = BENCH_KEY,
	    .repeat = UPSTREAM_SAFE, .deadline = loop_now(b->loop) + 5000};
}

/* A POST. */
struct upstream_request
bench_post(const struct bench *b)
{
	return (struct upstream_request){.method = "POST", .path = "/v1/create", .api_key = BENCH_KEY,
	    .body = "{\"name\":\"A\"}", .body_len = 12, .repeat = UPSTREAM_ONCE,
	    .deadline = loop_now(b->loop) + 5000};
}

/* Makes a text. */
char *
bench_text(size_t len)
{
	char *text = mem_alloc(len + 1);

	memset(text, 'x', len);
	text[0] = text[len - 1] = '"';
	text[len] = '\0';
	return text;
}

/* Keeps what a call came to. */
static void
bench_on_done(void *arg, const struct upstream_answer *a)
{
	struct bench_call *c = arg;

	c->callbacks++;
	c->order = ++c->bench->answered;
	c->answer = *a;
	ck_assert_ptr_nonnull(a->body);
	ck_assert_uint_eq(strlen(a->body), a->body_len);
	free(c->body);
	c->body = mem_copy(a->body, a->body_len);
	c->answer.body = c->body;
	c->call = NULL;
}

/* Starts a call. */
void
bench_start(struct bench *b, struct bench_call *c, const struct upstream_request *q)
{
	memset(c, 0, sizeof *c);
	c->bench = b;
	c->call = upstream_start(b->client, q, bench_on_done, c);
	ck_assert_uint_eq(c->callbacks, 0);
}

/* Frees what a call left. */
void
bench_forget(struct bench_call *c)
{
	free(c->body);
	c->body = NULL;
}

/* Time is up. */
static void
bench_guard_on_late(evutil_socket_t fd, short what, void *arg)
{
	struct bench_guard *g = arg;

	g->late = true;
}

/* Begins to wait; the guard runs on real time, whatever the loop's. */
void
bench_guard_begin(struct bench_guard *g, struct bench *b)
{
	struct timeval ten = {10, 0};

	g->bench = b;
	g->late = false;
	evtimer_assign(&g->ev, loop_base(b->loop), bench_guard_on_late, g);
	evtimer_add(&g->ev, &ten);
}

/* One turn. */
void
bench_guard_turn(struct bench_guard *g, const char *condition)
{
	ck_assert_msg(!g->late, "in vain: %s", condition);
	if (g->bench->fake_time)
		loop_fake_advance(g->bench->loop, 0); /* timers that are due, and descriptors */
	else
		loop_turn(g->bench->loop, true);
}

/* Ends waiting. */
void
bench_guard_end(struct bench_guard *g)
{
	evtimer_del(&g->ev);
}

/* Turns until nothing more happens: loopback delivers at once. */
void
bench_settle(struct bench *b)
{
	for (int i = 0; i < 50; i++) {
		if (b->fake_time)
			loop_fake_advance(b->loop, 0);
		else
			loop_turn(b->loop, false);
	}
}

/* How many turns the loop takes in 60 ms of real time in which nothing happens. */
unsigned
bench_spins(struct bench *b)
{
	struct timeval wait = {0, 60000};
	struct bench_guard g = {.bench = b};
	unsigned turns = 0;

	ck_assert(!b->fake_time);
	evtimer_assign(&g.ev, loop_base(b->loop), bench_guard_on_late, &g);
	evtimer_add(&g.ev, &wait);
	for (; !g.late; turns++)
		loop_turn(b->loop, true);
	return turns;
}

/* Starts one call and turns until it is answered. */
void
bench_run(struct bench *b, struct bench_call *c, const struct upstream_request *q)
{
	bench_start(b, c, q);
	bench_until(b, c->callbacks > 0);
	ck_assert_uint_eq(c->callbacks, 1);
}

/* Runs a long call that is refused early. */
void
bench_run_refused(struct bench *b, struct bench_call *c)
{
	struct upstream_request q = bench_post(b);
	char *text = bench_text(8u << 20);

	q.body = text;
	q.body_len = strlen(text);
	fake_server_push(b->server, &(struct fake_step){.when = FAKE_HEAD,
	    .bytes = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}"});
	bench_run(b, c, &q);
	ck_assert_int_eq(c->answer.outcome, UPSTREAM_ANSWER);
	ck_assert_int_eq(c->answer.status, 413);
	free(text);
}

/* Nothing runs, nothing waits. */
void
bench_idle(const struct bench *b)
{
	struct upstream_counts n;

	upstream_counts(b->client, &n);
	ck_assert_uint_eq(n.in_flight, 0);
	ck_assert_uint_eq(n.queued, 0);
}

/* Scripts an answer that never comes. */
void
bench_silence(struct bench *b)
{
	fake_server_push(b->server, &(struct fake_step){.after_ms = 600000});
}
