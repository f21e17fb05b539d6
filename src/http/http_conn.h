#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include "base/buf.h"
#include "base/chunked.h"
#include "base/network.h"
#include "http/http_deadline.h"
#include "http/http_format.h"
#include "http/http_forwarded.h"
#include "http/http_id.h"
#include "http/http_parse.h"
#include "http/http_proxy.h"
#include "http/http_server.h"
#include "http/http_socket.h"
#include "http/http_team.h"

#include <sys/queue.h>

/*
 * One client's connection and the exchange on it: shared by the files of this
 * room only. Calls of the public interface only change these structures and
 * wake the connection; every callback into the service comes while the loop
 * runs the connection, so none runs inside a call of the service's.
 */

#define HTTP_CONN_READ_MAX 65536        /* bytes taken by one read */
#define HTTP_CONN_PIPELINE_MAX 16384    /* bytes of further requests kept while one is answered */
#define HTTP_CONN_TURNS 64              /* steps of one connection before others have their turn */
#define HTTP_CONN_DIRECT 16384          /* pieces this long go to the kernel without a copy */
#define HTTP_CONN_DRAIN_MAX 262144      /* unread body that is dropped to keep the connection */
#define HTTP_CONN_LINGER_MAX (32 << 20) /* bytes dropped after the last answer ... */
#define HTTP_CONN_LINGER_MS 5000        /* ... and for how long */
#define HTTP_CONN_FIRST_MS 1000         /* for a first or waiting request, once the server drains */
#define HTTP_CONN_WINDOW 65536          /* a streamed body: so many bytes in every body_ms */
#define HTTP_CONN_OUT_MAX (1 << 30)     /* answer bytes queued for one client */

struct http_conn;
TAILQ_HEAD(http_conn_list, http_conn);

/* Some of the clients. */
struct http_peers {
	struct network *list;
	size_t count;
};

/* What all connections of a server share. */
struct http_hub {
	struct loop *loop;
	struct http_server_config config;
	struct http_peers trusted, proxy_headed;
	bool proxy_missed; /* the log has been told of a PROXY header that was none */
	struct http_server_counts counts;
	struct http_conn_list conns;
	struct http_conn_list waking; /* to be run by `later` */
	unsigned waking_count;
	size_t held; /* bytes in the buffers of all connections */
	struct http_team *team; /* NULL: this is the only loop */
	unsigned team_place;
	size_t told; /* of `held`, what the team knows */
	struct event later;
	struct tls_context *tls; /* of connections that begin now; NULL: none is secure */
	struct http_deadlines idle, first, head, body, write, linger;
	struct http_ids ids;
	struct http_date date;
	bool draining;
	void (*closed)(struct http_hub *); /* a connection is gone; called last */
	char scratch[HTTP_CONN_READ_MAX];  /* what one read brings; of the one being run */
	size_t scratched; /* bytes of it that hold something */
};

enum http_conn_state {
	HTTP_CONN_PROXY,    /* within the PROXY header, before anything else */
	HTTP_CONN_OPENING,  /* before HTTP: the handshake of TLS */
	HTTP_CONN_IDLE,     /* before the first byte of a request */
	HTTP_CONN_HEAD,     /* within a head */
	HTTP_CONN_EXCHANGE, /* the service has the request */
	HTTP_CONN_TUNNEL,   /* the protocol was changed: the service has all bytes */
	HTTP_CONN_DRAIN,    /* answered; the rest of the body is dropped */
	HTTP_CONN_LINGER,   /* the last answer goes out; all input is dropped */
	HTTP_CONN_CLOSED
};

struct http_conn {
	struct http_hub *hub;
	struct http_socket sock;
	struct event ev;
	short interest; /* flags that ev is registered with, 0 for none */
	unsigned char state;
	bool busy;    /* being run just now */
	bool queued;  /* in hub->waking */
	bool more;    /* input was left for another turn of the loop */
	bool eof;     /* the client has ended its side */
	bool gone;    /* to be cut when it is next run */
	bool blocked; /* the kernel takes no more bytes for now */
	bool shut;    /* our side is ended */
	bool reset;   /* cut with a reset */
	bool secure;  /* with TLS */
	bool chunked;
	bool body_done;
	bool veiled; /* a proxy passes on somebody of whom it does not say who: what the requests
	                say of others is not believed, whoever the proxy is */
	char *rp; /* input not yet used: in hub->scratch or in `in` */
	size_t rlen;
	struct buf in; /* secret: heads hold tokens */
	struct http_guard guard;
	int64_t body_left; /* when not chunked */
	struct chunked chunk;
	size_t dropped; /* bytes drained or lingered over; of a stream, bytes in this window */
	struct buf out;
	size_t out_sent;  /* bytes of `out` that the kernel has */
	size_t out_batch; /* of the rest, those that the running write deadline is for */
	struct http_deadline reading, writing;
	struct http_exchange *exchange;
	uint64_t serial;
	size_t held; /* its part of hub->held */
	uint64_t pushed; /* bytes of answers so far, those that wait included */
	TAILQ_ENTRY(http_conn) link, waking;
	struct http_proxy *proxy; /* in HTTP_CONN_PROXY */
	char peer[NETWORK_TEXT_SIZE];
};

enum http_exchange_mode { HTTP_EXCHANGE_UNDECIDED, HTTP_EXCHANGE_COLLECT, HTTP_EXCHANGE_STREAM };
enum http_answer_state { HTTP_ANSWER_NONE, HTTP_ANSWER_BEGUN, HTTP_ANSWER_DONE };

/* One block: the structure, then the fields, the head, and its scratch room. It is wiped
 * at its end, since heads hold tokens. */
struct http_exchange {
	size_t size;
	struct http_conn *conn;
	struct http_head head;
	unsigned char mode;
	unsigned char answer;
	bool told;     /* the body's end was told */
	bool paused;
	bool keep;     /* another request may follow */
	bool chunked;  /* answer framing: chunks */
	bool bodyless; /* answer: HEAD, 204, 304 */
	bool want_drained;
	bool replaced; /* the service's answer was too large for now: a 503 went instead */
	bool refused;  /* the server answered in place of the service */
	int status;    /* of the answer; 0: none yet */
	void *note;
	const struct http_field *fields_beside; /* of the answer; NULL: none */
	uint64_t received, pushed_before; /* bytes */
	int64_t begun_us, body_us, answer_us; /* loop_now_us(); 0: not yet */
	struct http_cors_ask cors;
	struct http_forwarded *forwarded; /* NULL: nobody that is trusted says anything */
	int64_t left; /* of an answer of declared length; -1 when not declared */
	size_t max;   /* of a collected body */
	struct buf body;
	size_t dropped; /* bytes of a body that the service has let go */
	size_t reserved; /* bytes that the service holds */
	http_body_fn ready;
	http_data_fn data;
	void *body_arg;
	http_end_fn end;
	void *end_arg;
	loop_fn drained;
	void *drained_arg;
	char id[UUID_SIZE];
	struct http_field fields[];
};

/* Prepares what the connections of a server share; the rest of the hub is zero. */
void http_conn_setup(struct http_hub *, struct loop *, const struct http_server_config *,
    void (*closed)(struct http_hub *));
/* Takes other settings; service, report, their argument and the log stay. */
void http_conn_configure(struct http_hub *, const struct http_server_config *);
void http_conn_teardown(struct http_hub *); /* when no connection is left */

/* Takes over a connected, non-blocking descriptor; a secure one speaks TLS. */
void http_conn_new(struct http_hub *, int fd, const char *peer, bool secure);

/* Has the connection run soon; not inside this call. */
void http_conn_wake(struct http_conn *);

/* The server drains: closes an idle connection, unless the kernel has a request of it, or
 * its first may be on the way. */
void http_conn_retire(struct http_conn *);

/* Closes at once; a running exchange ends with HTTP_GONE inside this call. Not
 * from inside a callback of the same connection. */
void http_conn_close(struct http_conn *);

#endif
