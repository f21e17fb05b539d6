#ifndef BASE_TLS_CONTEXT_H
#define BASE_TLS_CONTEXT_H

#include "base/fail.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What a server shows of itself in TLS, and what it wants to see of clients: a
 * certificate with its key, the versions and ciphers, the authority of clients'
 * certificates. It does not change once it is made and may be used by several threads;
 * a connection keeps the one with which it began.
 *
 * TLS 1.2 and 1.3; of 1.2 only suites that are forward-secret and authenticate what they
 * encrypt (RFC 9325, 4.2); no renegotiation, no compression, no early data; ALPN
 * (RFC 7301) chooses http/1.1, a client that offers only others is refused, and one that
 * offers none is served.
 */
struct tls_context;

enum tls_clients {
	TLS_CLIENTS_OFF,      /* they are not asked for a certificate */
	TLS_CLIENTS_OPTIONAL, /* one that shows a certificate must show a valid one */
	TLS_CLIENTS_REQUIRED
};

struct tls_settings {
	const char *certificate; /* PEM: the server's own, then those that lead to its authority */
	const char *key;         /* PEM, not encrypted */
	const char *client_ca;   /* PEM; NULL without clients' certificates */
	enum tls_clients clients;
	bool only_1_3;
};

/* What of the settings is wrong. */
enum tls_part { TLS_PART_CERTIFICATE, TLS_PART_KEY, TLS_PART_CLIENT_CA };

/* The texts are not used after it. NULL with the part and a sentence that goes on after
 * the part's name, such as "holds no certificate". One that has expired is good here. */
struct tls_context *tls_context_new(const struct tls_settings *, enum tls_part *, struct fail *);
struct tls_context *tls_context_ref(struct tls_context *); /* NULL gives NULL */
void tls_context_unref(struct tls_context *);

/* A connection of a server, not begun; NULL when there is no memory. */
SSL *tls_context_connection(const struct tls_context *);

/* Whether both were made from the same settings. */
bool tls_context_same(const struct tls_context *, const struct tls_context *);

/* Seconds since 1970: from when the server's certificate is valid; when the first of
 * those that are sent along ends. */
int64_t tls_context_begins(const struct tls_context *);
int64_t tls_context_expires(const struct tls_context *);

#endif
