#ifndef HTTP_WRITE_H
#define HTTP_WRITE_H

#include "http/http_conn.h"

/* The way out of a connection: bytes are queued in conn->out and offered to
 * the kernel; a broken connection only sets conn->gone. No callbacks. */

/* Queues bytes; a big piece is offered to the kernel at once and only what it
 * does not take is copied. */
void http_write_push(struct http_conn *, const void *bytes, size_t len);

/* Offers what is queued, unless the kernel has refused before. */
void http_write_flush(struct http_conn *);

/* Bytes queued that the kernel has not taken. */
size_t http_write_pending(const struct http_conn *);

#endif
