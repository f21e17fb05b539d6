#ifndef BASE_TLS_TALK_H
#define BASE_TLS_TALK_H

#include <openssl/ssl.h>

/*
 * Who speaks TLS may go on talking about keys behind the handshake, without end: key updates
 * (RFC 8446, 4.6.3), tickets, wishes for a renegotiation. Each costs more here than there, and
 * OpenSSL reads on as long as more comes, so that one connection could keep a loop from all
 * others. With a limit TLS_TALK_MAX such records are taken of each connection; then it counts
 * as ended, and reading it fails.
 */
#define TLS_TALK_MAX 64

/* Limits connections that begin with the context from now on. */
void tls_talk_limit(SSL_CTX *);

#endif
