#ifndef UPSTREAM_HTTP1_POOL_H
#define UPSTREAM_HTTP1_POOL_H

#include "base/fail.h"
#include "base/loop.h"
#include "upstream/http1_conn.h"
#include "upstream/site.h"

#include <stdbool.h>

/*
 * Connections that are kept alive between requests (RFC 9112, 9.3). One on which anything
 * comes while it is idle, its end included, is closed at once; so is one that was idle, or
 * has lived, for too long, and the oldest of more than were in use at once lately.
 */
struct http1_pool;

/* `config` says how connections are made and how long they may be idle; `prepare`, `http2`
 * and `with` are not used. Strings are copied. NULL with a sentence. */
struct http1_pool *http1_pool_new(struct loop *, const struct curl_loop_config *, struct fail *);
/* No connection may be in use. */
void http1_pool_free(struct http1_pool *);

/* A kept connection to a site, on which nothing has come since its last answer, not even its
 * end; or NULL. */
struct http1_conn *http1_pool_take(struct http1_pool *, struct site *,
    const struct http1_conn_user *, void *arg);
/* Begins to open another one; NULL when libcurl refuses. */
struct http1_conn *http1_pool_open(struct http1_pool *, struct site *,
    const struct http1_conn_user *, void *arg);

/* Puts one back: it may carry another request, or has to go. */
void http1_pool_give(struct http1_pool *, struct http1_conn *, bool keep);

/* How many are in use. */
unsigned http1_pool_used(const struct http1_pool *);
struct loop *http1_pool_loop(const struct http1_pool *);

#endif
