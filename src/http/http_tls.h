#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "http/http_socket.h"

/* The TLS side of a socket: what http_socket.h promises, for sockets with `ssl`. */

/* Begins on a socket that has carried nothing; false when there is no memory. */
bool http_tls_begin(struct http_socket *, const struct tls_context *);
void http_tls_free(struct http_socket *);

ssize_t http_tls_greet(struct http_socket *, const char **why);
ssize_t http_tls_recv(struct http_socket *, void *bytes, size_t len);
ssize_t http_tls_send(struct http_socket *, const struct iovec *, int count);
ssize_t http_tls_finish(struct http_socket *); /* says that nothing more comes from us */

#endif
