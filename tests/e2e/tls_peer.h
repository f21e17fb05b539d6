#ifndef TLS_PEER_H
#define TLS_PEER_H

#include "certificate.h"
#include "harness.h"

#include <openssl/ssl.h>

/*
 * A client that speaks TLS to the program under test, with a blocking socket whose waits
 * are bounded.
 */
struct tls_peer {
	int fd;
	SSL *ssl;
	bool cut; /* the connection ended and TLS did not say so */
};

/* What it asks for; zeroed: whatever OpenSSL does. */
struct tls_wish {
	int min, max;                    /* versions, such as TLS1_2_VERSION */
	const char *alpn;                /* with a length byte before each name */
	const struct certificate *own;   /* what it shows */
	const struct certificate *trust; /* who must have signed what the server shows */
	SSL_SESSION *resume;
};

/* Connects; false when TLS is not agreed on (and closed then). */
bool tls_peer_open(struct tls_peer *, int port, const struct tls_wish *);
void tls_peer_close(struct tls_peer *);

/* Sends everything; false when the other side is gone. */
bool tls_peer_send(struct tls_peer *, const char *bytes, size_t len);
/* Reads so many bytes, or until the end; how many. */
size_t tls_peer_read(struct tls_peer *, char *bytes, size_t len);

/* One request on it: whole lines, then the answer with Content-Length or without a body.
 * The status; 0 without one. `body` (may be NULL) gets what fits, with a NUL. */
int tls_peer_ask(struct tls_peer *, const char *request, char *body, size_t size);

/* One request on a connection of its own; 0 also when there is none. */
int tls_ask(int port, const struct tls_wish *, const char *request, char *body, size_t size);

/* The common name of what the server shows; static. "" without a connection. */
const char *tls_shown(int port);

#endif
