#ifndef CALL_BENCH_H
#define CALL_BENCH_H

#include "base/loop.h"
#include "fake_server.h"
#include "upstream/upstream.h"

#include <check.h>
#include <stdbool.h>

/* What the tests of calls share: a loop, a scripted server, a client, and
 * places in which the answers end up. */

#define BENCH_KEY "secret-key-0123456789"
#define JITTER_MAX 101 /* the longest first back-off, and a millisecond */

struct bench {
	struct loop *loop;
	bool fake_time;
	struct fake_server *server;
	struct upstream_config config; /* change it before bench_client() */
	struct upstream *client;
	unsigned answered; /* callbacks so far, of all calls */
};

/* One call and what came of it. */
struct bench_call {
	struct bench *bench;
	struct upstream_call *call;
	unsigned callbacks;
	unsigned order; /* the how-manieth callback it was, from 1 */
	struct upstream_answer answer;
	char *body;
};

/* Loop and server; short time-outs, three tries, everything else wide open. */
void bench_open(struct bench *, bool fake_time);
void bench_client(struct bench *); /* makes the client */
void bench_close(struct bench *);  /* ends all */

/* A GET of /v1/things, to be changed as needed; its deadline is in 5 s. */
struct upstream_request bench_get(const struct bench *);
/* A POST of a small body, UPSTREAM_ONCE. */
struct upstream_request bench_post(const struct bench *);
/* A JSON text of so many bytes; the caller frees. */
char *bench_text(size_t len);

void bench_start(struct bench *, struct bench_call *, const struct upstream_request *);
void bench_forget(struct bench_call *); /* frees what it left */

/* Turns the loop until the condition holds; fails the test after 10 s. */
#define bench_until(b, condition)                                           \
	do {                                                                \
		struct bench_guard guard_;                                  \
		bench_guard_begin(&guard_, (b));                            \
		while (!(condition))                                        \
			bench_guard_turn(&guard_, #condition);              \
		bench_guard_end(&guard_);                                   \
	} while (0)

struct bench_guard {
	struct bench *bench;
	struct event ev;
	bool late;
};
void bench_guard_begin(struct bench_guard *, struct bench *);
void bench_guard_turn(struct bench_guard *, const char *condition);
void bench_guard_end(struct bench_guard *);

/* Turns the loop without waiting until nothing more happens. */
void bench_settle(struct bench *);

/* How many turns the loop takes in 60 ms of real time in which nothing happens. */
unsigned bench_spins(struct bench *);

/* Scripts an answer that never comes. */
void bench_silence(struct bench *);

/* Asserts that no call of the client is in flight or queued. */
void bench_idle(const struct bench *);

/* Starts one call and turns until it is answered. */
void bench_run(struct bench *, struct bench_call *, const struct upstream_request *);

/* Runs a POST of 8 MiB that is answered with 413 when its head has come. */
void bench_run_refused(struct bench *, struct bench_call *);

#endif
