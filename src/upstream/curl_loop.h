#ifndef UPSTREAM_CURL_LOOP_H
#define UPSTREAM_CURL_LOOP_H

#include "base/fail.h"
#include "base/loop.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/*
 * libcurl's multi interface on one struct loop: sockets, timers, connections
 * kept alive, a pool of easy handles whose standing options are set once. It
 * knows nothing of requests; a job is one easy handle that runs once.
 */
struct curl_loop;

struct curl_loop_config {
	const char *proxy;   /* NULL: none; the environment's is never used */
	const char *ca_file; /* NULL: the system's */
	int64_t connect_ms;
	long max_idle;       /* seconds; a connection idle for longer carries nothing any more */
	bool http2;          /* over TLS, many jobs on one connection; else HTTP/1.1 */
	bool public_only;    /* no connection to an address that is not public */
	void (*prepare)(CURL *); /* sets options of every new easy handle; may be NULL */
	struct curl_loop *with;  /* another one of the same thread, which outlives this one: names
	                            that were looked up and TLS sessions are shared; NULL: none */
};

/* The values used in earnest. Idle connections go before the upstream and
 * load balancers (60 s and up) drop them; a name is looked up again often
 * enough, and no connection lives so long, that a moved name is followed. */
#define CURL_LOOP_MAX_IDLE_S 45L
#define CURL_LOOP_MAX_LIFE_S 300L
#define CURL_LOOP_DNS_S 30L

struct curl_loop_job;
struct curl_loop_socket;

/* Called on the loop, outside of libcurl: handles may be added, removed and
 * freed, and the job's memory may go. */
typedef void (*curl_loop_done_fn)(struct curl_loop_job *, CURLcode);

enum curl_loop_job_state {
	CURL_LOOP_JOB_IDLE,
	CURL_LOOP_JOB_RUNNING,
	CURL_LOOP_JOB_ENDED, /* the callback is owed */
	CURL_LOOP_JOB_OPEN   /* its connection is there, and the owner's */
};

/* Zeroed by its owner, who sets easy and done. */
struct curl_loop_job {
	CURL *easy; /* from curl_loop_take() */
	curl_loop_done_fn done;
	bool connect_only; /* set by the owner, with CURLOPT_CONNECT_ONLY: when the connection
	                      stands, done is called, and it stays until a cancel */
	bool sealed; /* set by the owner: no further connection may be opened for it */
	bool refused; /* libcurl wanted one all the same; it ended the job */
	bool closed; /* libcurl closed the connection that carried this job; not known of HTTP/2 */
	/* the rest is curl_loop's */
	struct curl_loop *owner;
	unsigned renewals; /* of the loop, when it started */
	enum curl_loop_job_state state;
	CURLcode code;
	struct curl_loop_socket *socket;
	TAILQ_ENTRY(curl_loop_job) link;
};

struct curl_loop *curl_loop_new(struct loop *, const struct curl_loop_config *, struct fail *);
/* No job may be running. */
void curl_loop_free(struct curl_loop *);
/* Whether another attempt to connect would fail for the same reason. */
bool curl_loop_is_hopeless(CURLcode);
/* Whether it asks for HTTP/2. */
bool curl_loop_is_http2(const struct curl_loop *);
/* Whether every handle that was taken has been given back. */
bool curl_loop_is_idle(const struct curl_loop *);

/* An easy handle with the standing options; NULL when out of memory. The one
 * who takes it sets all options that a request needs, and gives it back when
 * it does not run. CURLOPT_PRIVATE and CURLOPT_OPENSOCKETDATA belong to curl_loop. */
CURL *curl_loop_take(struct curl_loop *);
/* Takes the job's handle back, if it has one; clean: the job went well. */
void curl_loop_give(struct curl_loop *, struct curl_loop_job *, bool clean);
/* Lets go of handles that have carried a request so far, those in use when they come back:
 * libcurl keeps requests in their buffers, with keys that may be replaced by now. */
void curl_loop_renew(struct curl_loop *);

/*
 * The first `len` bytes of a URL, which are its scheme, host and port, parsed for
 * CURLOPT_CURLU; path and query then go into CURLOPT_REQUEST_TARGET. So libcurl neither
 * takes the URL of each request apart nor prints it again, which costs it a fifth of a
 * request (7.88). NULL when the whole must be set as CURLOPT_URL: through a proxy, which
 * is told the whole, or while other requests go to another site. The caller has taken a
 * handle, and takes the option back before it gives it back.
 */
CURLU *curl_loop_site(struct curl_loop *, const char *url, size_t len);

/* Starts a job; done is called once, never before this returns, and not after
 * a cancel. Callbacks of the easy handle may run before this returns. */
void curl_loop_start(struct curl_loop *, struct curl_loop_job *);
/* Lets a job go on whose callbacks have paused it; `paused` names what stays
 * paused, as for curl_easy_pause(). Bytes that libcurl has kept are given to the
 * callbacks before this returns; done is called later. On an error the job can only
 * be cancelled. Not from callbacks of easy handles. */
CURLcode curl_loop_unpause(struct curl_loop *, struct curl_loop_job *, int paused);
/* The descriptor of an open job, whose events are the caller's from now on; -1: there is
 * none. It is closed when the job is cancelled. */
int curl_loop_descriptor(struct curl_loop *, struct curl_loop_job *);
/* Takes a job out, whatever its state. Not from callbacks of easy handles. */
void curl_loop_cancel(struct curl_loop *, struct curl_loop_job *);

#endif
