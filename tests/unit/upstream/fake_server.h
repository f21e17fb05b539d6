#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include "base/loop.h"

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A scripted HTTP server on raw sockets and the test's own loop: it does
 * exactly what the script says, right or wrong. One step is used up by each
 * request, in the order of their arrival over all connections; when the script
 * is empty every request gets a 200 with {"ok":true}.
 */
struct fake_server;

enum fake_when {
	FAKE_WHOLE, /* after the whole request */
	FAKE_HEAD,  /* after the request's head; its body is not read */
	FAKE_ACCEPT /* at once on a new connection, before anything is read */
};

enum fake_then {
	FAKE_KEEP,
	FAKE_CLOSE,
	FAKE_RESET,
	FAKE_TLS /* what follows on the connection is TLS, as within a proxy's tunnel */
};

struct fake_step {
	const char *bytes;  /* what is sent; NULL: nothing */
	size_t len;         /* 0: the string's length */
	enum fake_when when;
	enum fake_then then; /* after the bytes */
	int64_t after_ms;    /* before the bytes */
	int64_t drip_ms;     /* between single bytes; 0: all at once */
};

struct fake_server *fake_server_new(struct loop *, SSL_CTX *); /* NULL: without TLS */
void fake_server_free(struct fake_server *);
int fake_server_port(const struct fake_server *);
const char *fake_server_url(const struct fake_server *); /* http:// or https://, 127.0.0.1 */

/* Adds a step; the bytes are copied. */
void fake_server_push(struct fake_server *, const struct fake_step *);
/* Adds a well-formed answer; `fields` are whole lines with CRLF or NULL. */
void fake_server_answer(struct fake_server *, int status, const char *fields, const char *body);

/* Requests read so far: whole ones, and heads of FAKE_HEAD. */
unsigned fake_server_requests(const struct fake_server *);
const char *fake_server_request(const struct fake_server *, unsigned n);      /* its text */
unsigned fake_server_request_peer(const struct fake_server *, unsigned n);    /* the connection's number, from 1 */
unsigned fake_server_connections(const struct fake_server *);                 /* accepted in all */
unsigned fake_server_open(const struct fake_server *);                        /* still open */

/* The context for FAKE_TLS. */
void fake_server_set_tls(struct fake_server *, SSL_CTX *);

/* Says something on the newest connection, changes the keys of its TLS so often, or closes
 * it, unasked. */
void fake_server_say(struct fake_server *, const char *bytes);
void fake_server_change_keys(struct fake_server *, unsigned times);
void fake_server_hang_up(struct fake_server *);

#endif
