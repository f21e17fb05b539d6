#ifndef UPSTREAM_HTTP1_CONN_H
#define UPSTREAM_HTTP1_CONN_H

#include "base/loop.h"
#include "upstream/curl_loop.h"
#include "upstream/site.h"

#include <curl/curl.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

/*
 * One connection that libcurl opens: name look-up, TCP, a proxy's tunnel, TLS with all
 * that is checked there. Bytes go to and come from the socket itself when it is plain, and
 * through libcurl where there is TLS. It knows nothing of HTTP.
 *
 * The read event stays registered as long as the connection lives, and its timer is moved
 * only to be earlier: neither costs anything for each request.
 */
struct http1_conn;
struct http1_pool;

/* Called on the loop, never before a function of the connection returns, except that
 * http1_conn_close() may be called in them. */
struct http1_conn_user {
	/* It stands, or does not; once, for one that was opened. `why` is for the log. */
	void (*opened)(void *arg, CURLcode, const char *why);
	void (*ready)(void *arg, short what); /* EV_READ, EV_WRITE or both */
	void (*due)(void *arg);               /* the time that was set has come */
};

struct http1_conn {
	struct curl_loop_job job; /* first: the job is the connection */
	struct loop *loop;
	struct site *site;
	struct curl_loop *curl; /* with TLS: its own, for as long as it lives (see tunnel.c); else the
	                           one that opens it, and NULL once it is open */
	const struct http1_conn_user *user;
	void *arg;
	int fd; /* -1: not open */
	CURLcode code;
	bool owed;  /* to tell the user how opening it went */
	bool again; /* to tell the user to go on reading */
	bool drained; /* what was received last was all that was there */
	struct event read_ev, write_ev;
	bool writing; /* the write event is registered */
	struct loop_timer timer;
	int64_t due;  /* loop_now() at which the user wants to be called; INT64_MAX: not */
	char why[CURL_ERROR_SIZE];
	/* the pool's */
	struct http1_pool *pool;
	int64_t opened_at, idle_since;
	TAILQ_ENTRY(http1_conn) link;
};

/* Begins to open one; `opener` outlives it. NULL when libcurl refuses. `config` is what the
 * opener was made with. */
struct http1_conn *http1_conn_open(struct loop *, struct curl_loop *opener,
    const struct curl_loop_config *config, struct site *, const struct http1_conn_user *, void *arg);
/* Closes it, whatever its state. */
void http1_conn_close(struct http1_conn *);

/* Who is told from now on. */
void http1_conn_set_user(struct http1_conn *, const struct http1_conn_user *, void *arg);
/* When `due` is called; INT64_MAX: not. */
void http1_conn_set_due(struct http1_conn *, int64_t due);

#define HTTP1_CONN_AGAIN (-1)  /* not now: wait for the event */
#define HTTP1_CONN_BROKEN (-2) /* nothing more goes, or comes */

/* Sends bytes; after AGAIN the same ones must be offered again, when it is writable. Returns
 * how many were taken, at most HTTP1_CONN_RECORD with TLS, so that either all of them can be
 * read at the other end or none. */
#define HTTP1_CONN_RECORD 16384
ssize_t http1_conn_send(struct http1_conn *, const char *bytes, size_t len);
/* Has `ready` told about EV_WRITE, or no more. */
void http1_conn_want_write(struct http1_conn *, bool want);
/* Receives bytes; 0 at the orderly end. `size` is at least HTTP1_CONN_RECORD. */
ssize_t http1_conn_recv(struct http1_conn *, char *bytes, size_t size);
/* Whether what was received last was all that was there. With TLS only AGAIN says so. */
bool http1_conn_is_drained(const struct http1_conn *);
/* Has `ready` told about EV_READ soon, since receiving has stopped before all was there: what
 * TLS keeps shows at no socket. */
void http1_conn_read_on(struct http1_conn *);
/* Whether nothing has come on an idle one, its end neither. */
bool http1_conn_is_quiet(struct http1_conn *);

#endif
