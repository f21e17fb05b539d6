#ifndef HTTP_SOCKET_H
#define HTTP_SOCKET_H

#include "base/tls_context.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/*
 * A client's connected socket, non-blocking, plain or with TLS. All bytes from and to
 * clients pass through these functions and no others. An end that TLS did not announce
 * (no close_notify) is HTTP_SOCKET_BROKEN: somebody may have cut what was under way.
 */
struct http_socket {
	int fd;
	SSL *ssl;         /* NULL: plain */
	bool holds;       /* bytes, an end or an error wait here, for which no event comes */
	bool wants_write; /* reading, or the greeting, goes on when the socket can be written */
};

#define HTTP_SOCKET_LATER (-1)  /* nothing can be done now: wait for the event */
#define HTTP_SOCKET_BROKEN (-2) /* the connection is of no use any more */
#define HTTP_SOCKET_PLAIN (-3)  /* the client speaks without TLS; now the socket does, too */

/* Takes a descriptor; with TLS unless the context is NULL. False when there is no memory,
 * and the descriptor is then a plain socket's. */
bool http_socket_open(struct http_socket *, int fd, const struct tls_context *);

/* Does what comes before the first byte of HTTP: 0 when that is done, or one of the above,
 * BROKEN with a reason in English or NULL. Nothing may be received or sent before. */
ssize_t http_socket_greet(struct http_socket *, const char **why);

/* Bytes read, 0 when the peer has ended its side, LATER or BROKEN. */
ssize_t http_socket_recv(struct http_socket *, void *bytes, size_t len);

/* True when bytes wait to be read. */
bool http_socket_waiting(struct http_socket *);

/* Bytes taken, possibly fewer than given, LATER or BROKEN. Bytes that were not taken must
 * come first in the next call. */
ssize_t http_socket_send(struct http_socket *, const struct iovec *, int count);

/* True when the connection was reset; asked after an event that brought no bytes. */
bool http_socket_failed(struct http_socket *);

/* True when the peer has not taken all that was sent. */
bool http_socket_unsent(struct http_socket *);

/* Ends our side, keeps reading; LATER: to be asked again when the socket can be written. */
ssize_t http_socket_shutdown(struct http_socket *);

enum http_socket_end {
	HTTP_SOCKET_ORDERLY,
	HTTP_SOCKET_CUT,  /* without the word of TLS that all was said */
	HTTP_SOCKET_RESET /* throws away what the peer has not read */
};
void http_socket_close(struct http_socket *, enum http_socket_end);

#endif
