#ifndef UPSTREAM_H
#define UPSTREAM_H

#include "base/fail.h"
#include "base/header.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metric.h"
#include "base/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One call to Bluejay: deadline, retries, rate budget, breaker, cap in flight; each
 * try is an exchange on the event loop (try.h). One client belongs to one loop;
 * those of several loops may share what is allowed. Nothing here knows what a
 * persona is.
 */
struct upstream;
struct upstream_call;

#define UPSTREAM_FILES 3 /* descriptors of a call in flight, at most: libcurl has two beside a connection with TLS */

struct upstream_config {
	const char *url;     /* scheme://host[:port][/base] */
	const char *proxy;   /* NULL: none; the environment's is never used */
	const char *ca_file; /* NULL: the system's */
	int64_t connect_ms, first_byte_ms, total_ms;
	unsigned retries; /* tries in all */
	unsigned rate_per_minute; /* 0: no budget */
	unsigned max_in_flight;
	unsigned max_queue;       /* calls waiting for a place; beyond: UPSTREAM_BUSY */
	size_t max_answer;        /* bytes of one answer's body */
	bool http2;               /* over TLS, for calls that may be repeated; UPSTREAM_ONCE takes 1.1 */
	bool public_only;         /* connects to public addresses only, whatever a name says */
	struct log *log;          /* may be NULL */
	struct upstream *with;    /* another client of the same upstream, in another loop: calls in
	                             flight, the rate and the breaker are one; NULL: none */
	uint64_t seed;            /* of the jitter; 0: from the kernel */
};

/* Strings are copied. NULL with a sentence on failure. The program must ignore
 * SIGPIPE: OpenSSL writes to connections that may have been closed. */
struct upstream *upstream_new(struct loop *, const struct upstream_config *, struct fail *);
/* Cancels what runs (no callbacks) and closes connections. Not from inside a
 * callback of this client. */
void upstream_free(struct upstream *);

/* Other settings from now on; log and seed stay. Queue, breaker, counts and, unless the
 * budget is another one, the rate go on; a breaker is closed when the URL is another one.
 * Calls that run end as they began, on their connections; a repeated try goes where its
 * call was to go. -1 with a sentence, and nothing has changed. Not from inside a callback
 * of this client. */
int upstream_adjust(struct upstream *, const struct upstream_config *, struct fail *);

/* How a call may be repeated. */
enum upstream_repeat {
	UPSTREAM_SAFE, /* GET, PUT, DELETE: up to `retries` tries within the deadline */
	UPSTREAM_ONCE  /* create: repeated only when provably nothing was sent, or on 429 */
};

struct upstream_request {
	const char *method; /* "GET", "POST", "PUT", "DELETE" */
	const char *path;   /* "/v1/…", already percent-encoded */
	const char *api_key; /* NULL: none is sent */
	const char *earlier_key; /* tried once when api_key is refused with 401; NULL: none is */
	const char *key_field; /* what stands before the key in its line; NULL: "X-API-Key: " */
	const char *accept;    /* media types; NULL: application/json */
	const char *body; /* NULL: none */
	const char *body_type; /* media type; NULL: application/json */
	size_t body_len;
	enum upstream_repeat repeat;
	bool fresh_connection; /* never a reused keep-alive connection */
	int64_t deadline;      /* loop_now() based; all tries and waits end before it */
	size_t max_answer;     /* 0: the config's */
	const char *request_id; /* sent as X-Request-Id; NULL: none */
	const struct header_list *headers; /* sent along, User-Agent in place of ours; NULL: none */
	const char *traceparent, *tracestate; /* sent as they are; NULL or "": none */
	struct trace_ref trace; /* for whom it is; comes back with the answer */
};

/* Tells each header field with which such a call is made, but those that the transport
 * adds. Values may be secret; strings are valid during the call. */
typedef void (*upstream_field_fn)(void *arg, const char *name, const char *value);
void upstream_fields(const struct upstream_request *, upstream_field_fn, void *arg);

enum upstream_outcome {
	UPSTREAM_ANSWER,     /* a complete HTTP answer: look at status and body */
	UPSTREAM_NO_CONNECT, /* no connection could be made; nothing was sent */
	UPSTREAM_TIMEOUT,    /* connect, first byte, total or the deadline */
	UPSTREAM_BROKEN,     /* reset, closed, truncated, or not HTTP */
	UPSTREAM_TOO_LARGE,  /* the answer exceeds max_answer */
	UPSTREAM_OPEN,       /* the breaker is open; nothing was sent */
	UPSTREAM_BUSY        /* queue full, or no place or rate budget before the deadline; nothing was sent */
};
#define UPSTREAM_OUTCOMES (UPSTREAM_BUSY + 1)
const char *upstream_outcome_name(enum upstream_outcome); /* "no-connect" */

struct upstream_answer {
	enum upstream_outcome outcome;
	bool maybe_received; /* false only when it is proven that the upstream acted on no try:
	                        nothing was sent, or it refused with 429 */
	bool fell_back;      /* api_key was refused, and earlier_key tried in its place */
	const char *key;     /* the one that was sent last, valid during the callback; NULL: none */
	int status;          /* UPSTREAM_ANSWER only */
	const char *body;    /* NUL-terminated, valid during the callback only */
	size_t body_len;
	int64_t retry_after; /* ms until it may be asked again (429, 503, OPEN, BUSY); -1: not said */
	struct trace_ref trace; /* the request's */
	int64_t took_us;     /* from its start */
	unsigned tries;      /* with a retry that could not start, the outcome is the last try's */
};

/* Called on the loop exactly once, never before upstream_start() returns, and
 * not after upstream_cancel(). */
typedef void (*upstream_done_fn)(void *arg, const struct upstream_answer *);

/* Everything in the request is copied. The returned call is valid until its
 * callback is called or it is cancelled. */
struct upstream_call *upstream_start(struct upstream *, const struct upstream_request *,
    upstream_done_fn, void *arg);
void upstream_cancel(struct upstream_call *);

/*
 * A place among the calls in flight, for an exchange that runs elsewhere. It waits
 * its turn, takes a token of the rate budget and is held back by the breaker, as a
 * call is. `placed` is called like upstream_done_fn, with UPSTREAM_ANSWER when the
 * exchange may start; with another outcome the place is gone. upstream_cancel()
 * ends the waiting, and after it too.
 */
typedef void (*upstream_place_fn)(void *arg, enum upstream_outcome, int64_t retry_after);
struct upstream_call *upstream_place(struct upstream *, const char *request_id, int64_t deadline,
    upstream_place_fn placed, void *arg);
/* Tells, once at most, what the exchange says about the upstream's health. */
void upstream_place_judge(struct upstream_call *, bool well);

enum upstream_breaker { UPSTREAM_BREAKER_CLOSED, UPSTREAM_BREAKER_OPEN, UPSTREAM_BREAKER_PROBING };

struct upstream_counts {
	uint64_t calls, tries, answers, failures;
	uint64_t outcomes[UPSTREAM_OUTCOMES]; /* of calls; those with an answer also by status: */
	uint64_t statuses[6];                 /* the hundreds: [2] is 2xx; [0] what is no status */
	uint64_t refused;                     /* answers 429, which are among the 4xx */
	uint64_t opened;                      /* times that the breaker opened */
	struct metric_histogram took;         /* calls, from start to answer */
	unsigned in_flight, queued;
	enum upstream_breaker breaker;
};
void upstream_counts(const struct upstream *, struct upstream_counts *);
/* Adds those of another client of the same upstream. */
void upstream_counts_sum(struct upstream_counts *, const struct upstream_counts *more);

#endif
