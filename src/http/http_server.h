#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/fail.h"
#include "base/log.h"
#include "base/loop.h"
#include "http/http_cors.h"
#include "http/http_message.h"
#include "http/http_report.h"

/*
 * Listeners and connections of one loop, or the connections of several. The server parses strictly
 * (RFC 9112; what two parsers could read differently is 400 and the connection
 * closed), keeps connections alive, answers pipelined requests in order (one
 * exchange at a time per connection: the next head is parsed after the answer),
 * and sees a client that goes away while its answer is pending. A client that
 * ends only its sending side before it has the answer counts as gone: the two
 * cannot be told apart.
 *
 * No callback ever runs inside a call of this interface, except the end
 * callbacks in http_server_free(). The server may not be freed, nor the loop
 * turned, inside a callback (the drained callback of http_server_drain() may
 * free it).
 */
struct http_server;
struct http_exchange;

/* Called with a parsed head. Before it returns, the service must have called
 * exactly one of http_exchange_collect(), http_exchange_stream(), or
 * http_answer() / http_answer_begin(). */
typedef void (*http_service_fn)(void *arg, struct http_exchange *);

struct http_server_config {
	struct http_limits limits;
	const char *const *allowed_hosts; /* NULL-terminated, beside loopback names; others get 421.
	                                     NULL: any Host */
	const struct http_cors *cors;     /* NULL: off, and OPTIONS is the service's */
	/* Ranges as of base/network.h, NULL-terminated; NULL: none. */
	const char *const *trusted;     /* whose Forwarded and X-Forwarded fields are believed */
	const char *const *proxy_headed; /* whose connections begin with a PROXY header */
	unsigned socket_mode; /* permissions of the files of local sockets; 0: 0600 */
	struct tls_context *tls; /* for listeners with https://; the server shares it */
	http_service_fn service;
	http_report_fn report; /* gets the same argument; NULL: nobody wants to know */
	void *arg;
	struct log *log; /* may be NULL */
};

/* The config is copied, the ranges too; allowed_hosts and cors must outlive the server. */
struct http_server *http_server_new(struct loop *, const struct http_server_config *);

/* Takes other limits, hosts, origins and ranges for what comes from now on, whose times apply to
 * what begins from now on; the rest of the config stays. Another tls
 * is for connections that begin from now on; NULL keeps the one that is there. Open connections stay, also
 * those beyond a lower limit. Both lists must outlive the server as before; the earlier
 * ones are not used any more. */
void http_server_configure(struct http_server *, const struct http_server_config *);

/* Adds a listener: "127.0.0.1:3000", "[::1]:3000" or "unix:/path"; port 0 picks
 * a free one. "https://127.0.0.1:3000" speaks TLS. -1 with a sentence on failure. */
int http_server_listen(struct http_server *, const char *address, struct fail *);

/* The same of a listening socket that somebody else has made, see http_inherit.h. The server
 * owns the descriptor, and leaves the file of a local socket where it is. A secure one speaks
 * TLS. */
void http_server_adopt(struct http_server *, int fd, bool secure);

/* Has a server of another loop serve connections of these listeners: each new one goes to
 * the server that has the fewest, and limits.connections and limits.buffers (to 64 KiB for
 * each server) are for all of them together. While one loop takes more processor time than
 * another, connections move between them, each between two requests. Call it before the first
 * listener is opened and before the other loop runs, on the thread of the first; the other
 * server is freed first. */
void http_server_help(struct http_server *, struct http_server *helper);

/* The calling thread is that of a server that helps. */
void http_server_on_thread(struct http_server *);

/* "http://127.0.0.1:3000" with the real port, "https://…" with TLS, or "unix:/path", of the n-th
 * listener; NULL beyond the last. Belongs to the server. */
const char *http_server_url(const struct http_server *, size_t n);

/* Stops accepting, closes idle connections, lets running exchanges end (their
 * answers say Connection: close). A request that has come but was not read yet is served,
 * and a connection that has brought none so far has a second for its first. `drained` is
 * called on the loop, later, once nothing is left or after `ms`, when what is left is cut.
 * Call once. */
void http_server_drain(struct http_server *, int64_t ms, loop_fn drained, void *arg);

/* Cuts everything; every pending exchange ends with HTTP_GONE before this returns. */
void http_server_free(struct http_server *);

/* What a connection was closed, or a request refused, for. */
enum http_timeout {
	HTTP_TIMEOUT_IDLE,
	HTTP_TIMEOUT_HEAD,
	HTTP_TIMEOUT_BODY,
	HTTP_TIMEOUT_WRITE,
	HTTP_TIMEOUT_LINGER, /* the rest of an unwanted request did not end */
	HTTP_TIMEOUT_HANDSHAKE, /* TLS was not agreed on */
	HTTP_TIMEOUTS
};

struct http_server_counts {
	uint64_t accepted;
	uint64_t accept_failures; /* no descriptor or memory for a client that waited */
	uint64_t held;            /* times that limits.connections was reached */
	uint64_t unproxied;       /* connections closed for a PROXY header that was none */
	uint64_t handshakes;        /* connections on which TLS was agreed on */
	uint64_t handshakes_failed; /* ... or not, those that were out of time aside */
	uint64_t requests;        /* given to the service */
	uint64_t received, sent;  /* bytes */
	uint64_t timeouts[HTTP_TIMEOUTS];
	unsigned open;
	unsigned pending; /* exchanges not yet answered */
	size_t buffers;   /* bytes that all connections hold */
};
void http_server_counts(const struct http_server *, struct http_server_counts *);
/* Adds them to those of others. */
void http_server_counts_add(const struct http_server *, struct http_server_counts *);

/* ---- one exchange: a request and its answer ---- */

const struct http_request *http_exchange_request(const struct http_exchange *);

/* Something of the service's own that its report gets; NULL at first. It must live
 * until then. */
void http_exchange_set_note(struct http_exchange *, void *note);
void *http_exchange_note(const struct http_exchange *);

/* Fields that go on the answer beside its own, whoever makes it; they end with a NULL
 * name and must live as long as the exchange. */
void http_exchange_set_fields(struct http_exchange *, const struct http_field *);

/* Collects the body. `ready` gets it (NUL-terminated, owned by the exchange,
 * "" when there is none), after this call has returned. Beyond max bytes the
 * server answers 413 itself and closes; `ready` is then never called (but the
 * end callback is, with HTTP_GONE). 0 means limits.body. */
typedef void (*http_body_fn)(void *arg, struct http_exchange *, const char *body, size_t len);
void http_exchange_collect(struct http_exchange *, size_t max, http_body_fn ready, void *arg);
/* Frees the collected body before the exchange ends. It still counts towards
 * limits.buffers, for what the service made of it. */
void http_exchange_drop_body(struct http_exchange *);

/* Says how many bytes the service is going to hold for the exchange, such as those on
 * their way to another server; they count towards limits.buffers until its end. False,
 * and nothing is counted, when there is no room: then answer 503. */
bool http_exchange_reserve(struct http_exchange *, size_t bytes);

/* Streams the body: `data` gets pieces, then once with len 0 at the end. After
 * http_exchange_pause() no data comes until http_exchange_resume(), and none
 * after the answer is complete. */
typedef void (*http_data_fn)(void *arg, struct http_exchange *, const char *piece, size_t len);
void http_exchange_stream(struct http_exchange *, http_data_fn data, void *arg);
void http_exchange_pause(struct http_exchange *);
void http_exchange_resume(struct http_exchange *);

/* Called exactly once when the exchange is over; the exchange must not be used
 * after it. HTTP_GONE can come while the answer is still being worked on: that
 * is the moment to cancel. Never called inside another call on the exchange. */
typedef void (*http_end_fn)(void *arg, enum http_end);
void http_exchange_on_end(struct http_exchange *, http_end_fn, void *arg);

/* Answers in one piece; everything is copied. Adds Date (unless given),
 * X-Request-Id, Content-Length, Connection where needed; HEAD, 204 and 304 send
 * no body (Content-Length of HEAD is that of the body given). `fields` ends with
 * a NULL name, may be NULL. Of the fields, those that frame the message or
 * belong to the connection are left out, so an upstream's may be passed on as
 * they are, and so is one with a byte that could begin a new line; Connection:
 * close is done. Content-Type is the caller's. An unread body is drained or the
 * connection closed. Must be called at most once. */
void http_answer(struct http_exchange *, int status, const struct http_field *fields,
    const char *body, size_t len);

/* `{"error":"<sentence>"}`; the sentence is plain ASCII without quotes or backslashes. */
void http_answer_error(struct http_exchange *, int status, const char *sentence);

/* Answers in pieces: begin (length -1 means chunked, or close-delimited for
 * HTTP/1.0), any number of writes, end. write returns the bytes still waiting
 * for the client; `drained` (may be NULL) is called when they fall to zero, not
 * after the end. Small pieces are gathered until the loop turns, so compare what
 * waits with a mark such as 64 KiB, not with zero. Beyond a declared length
 * nothing is sent; an end before it cuts the connection. */
void http_answer_begin(struct http_exchange *, int status, const struct http_field *fields,
    int64_t length, loop_fn drained, void *arg);
size_t http_answer_write(struct http_exchange *, const char *bytes, size_t len);
void http_answer_end(struct http_exchange *);
/* Ends a begun answer that cannot be finished: the connection is cut so that
 * the client sees it was not whole. Also in place of any answer. HTTP_GONE. */
void http_answer_abort(struct http_exchange *);

/* Answers 101 and hands the connection over, for a request whose `upgrade` is set: what
 * follows is another protocol (RFC 9110, 7.8). The fields must name it in Upgrade;
 * Connection: Upgrade is added. `data` gets what the client sends, what came right
 * behind its request included, then once len 0 when it has ended its side; pause and
 * resume work as with a streamed body. http_answer_write() sends bytes as they are,
 * and http_answer_end() ends our side. The exchange is over (HTTP_SENT) when both have
 * ended. Only the client's taking of bytes is limited in time (write_ms), so the
 * service must watch for silence. A stop that drains waits for it as for others. */
void http_answer_upgrade(struct http_exchange *, const struct http_field *fields, http_data_fn data,
    void *data_arg, loop_fn drained, void *arg);

/* For simulating a bad server: in place of http_answer(), sends the bytes (any,
 * or none) as they are and ends the connection once the kernel has them: with
 * an orderly close, or with a reset (then the client may lose some of them).
 * The end callback comes as after any other answer. */
void http_answer_raw(struct http_exchange *, const char *bytes, size_t len, bool reset);

#endif
