#ifndef UPSTREAM_CURL_TRY_H
#define UPSTREAM_CURL_TRY_H

#include "upstream/curl_loop.h"
#include "upstream/upstream.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One HTTP exchange on a curl_loop: one request that leaves at most once, and
 * what came back, judged. libcurl's own resend on a dead kept-alive connection
 * is off for every method.
 */
struct curl_try;

/* The `prepare` of the curl_loop_config on which tries run. */
void curl_try_prepare(CURL *);

struct curl_try_request {
	const char *method;
	const char *url;
	struct curl_slist *headers; /* not copied: valid until curl_try_free() */
	const char *body;           /* not copied either; NULL: none */
	size_t body_len;
	bool once;                  /* libcurl gets the body in a way that cannot be sent twice */
	bool fresh;                 /* not on a kept-alive connection */
	int64_t first_byte_ms;      /* from the start of sending to the first line of the answer */
	int64_t total_ms;           /* everything, name look-up included */
	size_t max_answer;          /* bytes of the body */
};

struct curl_try_result {
	enum upstream_outcome outcome; /* never OPEN or BUSY */
	bool nothing_sent; /* proven: no byte of the request went out */
	bool connected;    /* there was a connection and sending began */
	bool heard;        /* at least the first line of an answer came */
	bool stale;        /* a kept-alive connection was found dead before any answer */
	bool whole_time;   /* TIMEOUT: total_ms had passed */
	bool old_version;  /* BROKEN, since HTTP/2 was asked for, and the answer came in HTTP/1.x */
	bool hopeless;     /* NO_CONNECT for a reason that stays, as a refused certificate */
	int status;        /* ANSWER only */
	const char *retry_after; /* the field's text; NULL: none */
	const char *body;        /* NUL-terminated, "" without an answer */
	size_t body_len;
	const char *why; /* for the log: libcurl's sentence, without anything secret */
};

/* The result lives until curl_try_free(), which may be called in here. */
typedef void (*curl_try_done_fn)(void *arg, const struct curl_try_result *);

/* Starts; done is called once, never before this returns. NULL when libcurl
 * refuses the request (a URL that it cannot read, no memory): nothing was sent. */
struct curl_try *curl_try_start(struct curl_loop *, struct loop *,
    const struct curl_try_request *, curl_try_done_fn, void *arg);

/* Cancels if it still runs; no callback then. NULL is fine. */
void curl_try_free(struct curl_try *);

#endif
