#ifndef HTTP_SOCKET_H
#define HTTP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* A client's connected socket, non-blocking. All bytes from and to clients
 * pass through these functions and no others. */
struct http_socket {
	int fd;
};

#define HTTP_SOCKET_LATER (-1)  /* nothing can be done now: wait for the event */
#define HTTP_SOCKET_BROKEN (-2) /* the connection is of no use any more */

/* Bytes read, 0 when the peer has ended its side, or one of the above. */
ssize_t http_socket_recv(struct http_socket *, void *bytes, size_t len);

/* True when bytes wait to be read. */
bool http_socket_waiting(struct http_socket *);

/* Bytes taken, possibly fewer than given, or one of the above. */
ssize_t http_socket_send(struct http_socket *, const struct iovec *, int count);

/* True when the connection was reset; asked after an event that brought no bytes. */
bool http_socket_failed(struct http_socket *);

void http_socket_shutdown(struct http_socket *); /* ends our side, keeps reading */
void http_socket_close(struct http_socket *, bool reset);

#endif
