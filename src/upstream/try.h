#ifndef UPSTREAM_TRY_H
#define UPSTREAM_TRY_H

#include "upstream/site.h"
#include "upstream/upstream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One HTTP exchange: one request that leaves at most once, and what came back, judged.
 * It runs on a way, which keeps connections: http1_way.h speaks HTTP/1.1 on connections
 * that libcurl opens, curl_way.h leaves all to libcurl.
 */
struct try;
struct way;

struct try_request {
	struct site *site;
	/* The whole request as HTTP/1.1 has it, and in it the field lines that are not the
	 * protocol's own, each with its CRLF, and the body. Not copied: valid until try_free(). */
	const char *text;
	size_t len, fields, fields_len, body;
	bool has_body; /* it may still be empty */
	bool once;     /* it may be sent only once, whatever happens */
	bool fresh;    /* not on a kept-alive connection */
	int64_t first_byte_ms; /* from the start of sending to the first line of the answer */
	int64_t total_ms;      /* everything, name look-up included */
	size_t max_answer;     /* bytes of the body */
};

struct try_result {
	enum upstream_outcome outcome; /* never OPEN or BUSY */
	bool nothing_sent; /* proven: nothing of the request went out that could be acted on */
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
	const char *why; /* for the log: a sentence without anything secret */
};

/* The result lives until try_free(), which may be called in here. */
typedef void (*try_done_fn)(void *arg, const struct try_result *);

/* What the ways have in common; each begins with a struct way, and its tries with a struct try. */
struct way_kind {
	struct try *(*start)(struct way *, const struct try_request *, try_done_fn, void *arg);
	void (*cancel)(struct try *);
	void (*renew)(struct way *);
	bool (*is_idle)(const struct way *);
	void (*free)(struct way *);
};

struct way {
	const struct way_kind *kind;
};

struct try {
	const struct way_kind *kind;
};

/* Starts; done is called once, never before this returns. NULL when the request is
 * refused (a URL that cannot be read, no memory): nothing was sent. */
struct try *try_start(struct way *, const struct try_request *, try_done_fn, void *arg);

/* Cancels if it still runs, without a callback, and frees. NULL is fine. */
void try_free(struct try *);

/* Keeps nothing of requests that are over: keys may be replaced by now. */
void way_renew(struct way *);
/* Whether no try runs on it. */
bool way_is_idle(const struct way *);
/* Closes its connections; no try may be running. NULL is fine. */
void way_free(struct way *);

#endif
