#ifndef UPSTREAM_RELAY_H
#define UPSTREAM_RELAY_H

#include "base/fail.h"
#include "base/loop.h"
#include "upstream/wire_field.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Exchanges with one origin that are passed on as they are: the request's body
 * streams out, the answer streams in, of any length, with bounded buffers and
 * back-pressure both ways. No redirect is followed, no content decoded; chunks
 * are only framing and are taken off. It limits the time to connect and the time
 * without a byte in either direction, nothing else. One relay belongs to one loop.
 */
struct relay;
struct relay_call;

struct relay_config {
	const char *url;     /* scheme://host[:port]; a base is not used */
	const char *proxy;   /* NULL: none; the environment's is never used */
	const char *ca_file; /* NULL: the system's */
	int64_t connect_ms, idle_ms;
	long keep_s; /* an idle connection is used again for so many seconds */
};

/* Strings are copied. NULL with a sentence on failure. The program must ignore SIGPIPE. */
struct relay *relay_new(struct loop *, const struct relay_config *, struct fail *);
/* Cancels what runs. Not from inside a callback of this relay. */
void relay_free(struct relay *);

struct relay_request {
	const char *method;
	const char *target; /* what stands in the request line: a path with its query, or "*" */
	/* Ends with a NULL name; well-formed, without those that frame the body (but
	 * Content-Length: 0 without a body is fine) or belong to the connection. Only
	 * these are sent, with Host when they lack it. */
	const struct wire_field *fields;
	bool has_body;  /* not for HEAD */
	int64_t length; /* of the body; -1: not known, so it goes in chunks */
	bool fresh;     /* not on a kept-alive connection */
};

struct relay_head {
	int status; /* 200 to 599 */
	const struct wire_field *fields; /* in their order, repeated ones too; ends with a NULL name */
	int64_t length; /* what Content-Length says, of an answer to HEAD too; -1: nothing */
};

enum relay_end {
	RELAY_WHOLE,      /* the answer has come to its end */
	RELAY_NO_CONNECT, /* no connection could be made */
	RELAY_TIMEOUT,    /* to connect, or no byte for too long */
	RELAY_BROKEN      /* reset, closed, cut short, or not HTTP; before or after the head */
};

/* Keeps nothing of requests that are over: keys may be replaced by now. */
void relay_renew(struct relay *);

/*
 * Called on the loop, never before relay_start() returns. From `head`, `data` and
 * `room` all functions of the call may be called but relay_cancel().
 */
struct relay_events {
	void (*head)(void *arg, const struct relay_head *); /* once; valid during the call */
	void (*data)(void *arg, const char *bytes, size_t len);
	void (*room)(void *arg); /* the body written so far has been taken */
	/* Once, after everything else; the call is gone then. `why` is for the log. */
	void (*end)(void *arg, enum relay_end, const char *why);
};

/*
 * Starts an exchange; everything but the events is copied. A request that has a
 * body leaves at most once. A GET or HEAD without one that meets a dead kept-alive
 * connection, before anything of an answer, goes once more on a fresh one.
 */
struct relay_call *relay_start(struct relay *, const struct relay_request *,
    const struct relay_events *, void *arg);

/* Adds to the request's body; returns how many bytes wait to be sent. Stop at a
 * mark such as 64 KiB until `room`. */
size_t relay_write(struct relay_call *, const char *bytes, size_t len);
void relay_write_end(struct relay_call *);

/* Holds the answer's body back; a piece may be kept here meanwhile. */
void relay_pause(struct relay_call *);
void relay_resume(struct relay_call *);

/* Ends an exchange without a callback; its connection is closed unless it is over. */
void relay_cancel(struct relay_call *);

#endif
