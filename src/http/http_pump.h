#ifndef HTTP_PUMP_H
#define HTTP_PUMP_H

#include "http/http_conn.h"

/*
 * The states of a connection: what it makes of the input in conn->rp and
 * conn->rlen, and of what the service has done meanwhile. Nothing here frees
 * the connection: what has to be cut is marked gone.
 */

/* Begins to wait for a request. */
void http_pump_idle(struct http_conn *);

/* Takes one step; false when there is nothing to do before the next event. */
bool http_pump_step(struct http_conn *);

/* Whether bytes of the request body can be used now. */
bool http_pump_wants_body(const struct http_conn *);

/* Answers in place of the service, whose exchange ends with HTTP_GONE; when its
 * answer has begun, the connection is only marked gone. */
void http_pump_refuse(struct http_conn *, int status, const char *why);

/* Ends the exchange: calls its end callback, frees it. */
void http_pump_end(struct http_conn *, enum http_end);

#endif
