#ifndef HTTP_BUDGET_H
#define HTTP_BUDGET_H

#include "http/http_conn.h"

/*
 * The bytes that the connections of a server hold together (limits.buffers):
 * input, bodies, answers. Each connection's part is counted anew after a change.
 */

#define HTTP_BUDGET_SMALL 16384 /* bytes of an answer that always goes out */

/* Whether the connections may hold so many bytes more. */
bool http_budget_allows(const struct http_conn *, size_t more);

/* Whether a body may grow by a piece. */
bool http_budget_allows_body(const struct http_conn *, size_t piece);

/* Counts what the connection holds now. */
void http_budget_note(struct http_conn *);

#endif
