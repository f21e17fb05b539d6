#ifndef HTTP_RIG_H
#define HTTP_RIG_H

#include "base/buf.h"
#include "base/loop.h"
#include "base/tls_context.h"
#include "http/http_server.h"

#include "unit.h"

/*
 * A server on a loop whose clock the test owns, and clients with raw sockets.
 * A local socket delivers bytes within the call that sends them, so a few
 * turns of the loop are enough for everything that can happen to happen.
 *
 * What the service does depends on the path:
 *   /echo   collects the body and answers with it
 *   /short  the same with a limit of 8 bytes
 *   /skip   answers 404 at once, whatever body there is
 *   /hold   keeps the exchange in rig->held and leaves the answer to the test
 *   /stream streams the body into rig->seen and answers when it has ended
 *   /none   forgets to handle the request
 *   others  answer 200 with "hello"
 * Everything that it sees is written to rig->seen.
 */
struct rig {
	struct loop *loop;
	struct http_server *server;
	struct http_server_config config;
	char dir[64];
	char address[96];
	struct buf seen;
	struct http_exchange *held;
	unsigned sent, gone; /* ends of exchanges */
	unsigned drained;
	unsigned pieces;     /* of streamed bodies */
	bool pause;          /* pause after each piece */
	bool secure;         /* clients speak TLS; always so in http_tls_test */
	struct tls_context *tls;
	bool quiet;          /* do not keep pieces in `seen` */
	void (*service)(struct rig *, struct http_exchange *); /* in place of the above */
};

struct client {
	struct rig *rig;
	int fd;
	SSL *ssl;   /* NULL: plain */
	BIO *sends; /* what TLS wants to send */
	struct buf got;
	bool closed; /* the server has ended the connection */
	bool reset;  /* ... with a reset */
	bool cut;    /* ... without TLS saying so */
	bool hasty;  /* ends the handshake together with what it says first */
	bool drips;  /* TLS bytes go one by one */
	bool ends;   /* ends its sending side once the kernel has everything */
	bool deaf;   /* does not read */
};

void rig_start(struct rig *);                            /* with default limits, unless set */
void rig_start_at(struct rig *, const char *address);    /* on another address */
void rig_stop(struct rig *);
void rig_turn(struct rig *);                             /* a few turns of the loop */

/* Makes the rig's certificate, if it has none. */
void rig_certify(struct rig *);

void client_open(struct client *, struct rig *);
void client_connect(struct client *, struct rig *); /* without TLS */
/* Begins TLS on a connected client and does what is needed for it; false when it fails.
 * `set_up` may change the connection before. */
bool client_secure(struct client *, void (*set_up)(SSL *));
/* The first bytes of a client that speaks TLS; returns how many. */
size_t client_hello(char *bytes, size_t size);
void client_close(struct client *);
/* As recv() and send() do, without turning the loop. */
ssize_t client_recv(struct client *, char *bytes, size_t len);
ssize_t client_put(struct client *, const char *bytes, size_t len);
void client_send(struct client *, const char *bytes, size_t len); /* then reads what comes */
void client_says(struct client *, const char *text);
void client_read(struct client *);
void client_harden(struct client *); /* makes closing a reset */
void client_finish(struct client *); /* ends the sending side */
void client_end(struct client *);    /* the same, then reads what comes */

/* The status of the n-th answer in got (100 Continue included), 0 when there is none. */
int client_status(const struct client *, unsigned n);
/* The body of the n-th answer, which must have a Content-Length. */
const char *client_body(const struct client *, unsigned n);
/* Whether the n-th answer's head holds the text. */
bool client_has(const struct client *, unsigned n, const char *text);
unsigned client_answers(const struct client *);

Suite *http_budget_suite(void);
Suite *http_conn_suite(void);
Suite *http_cors_suite(void);
Suite *http_cut_suite(void);
Suite *http_deadline_suite(void);
Suite *http_forwarded_suite(void);
Suite *http_inherit_suite(void);
Suite *http_listen_suite(void);
Suite *http_matrix_suite(void);
Suite *http_parse_suite(void);
Suite *http_proxy_suite(void);
Suite *http_report_suite(void);
Suite *http_route_suite(void);
Suite *http_stream_suite(void);
Suite *http_team_suite(void);
Suite *http_tls_suite(void);
Suite *http_upgrade_suite(void);

#endif
