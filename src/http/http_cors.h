#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "base/buf.h"
#include "http/http_message.h"

/*
 * Which web pages on other origins may read answers (Fetch standard, 3.3 "CORS
 * protocol"). The server puts its fields on every answer that it sends, whoever
 * made it, so no service knows of them: fields Access-Control-* of an answer that a
 * service gives are left out, and Vary is merged with the service's.
 */
struct http_cors {
	const char *const *origins; /* NULL-terminated, each in its normal form (base/origin.h) */
	bool any;                   /* every origin, in place of the list; never with credentials */
	bool credentials;           /* cookies and Authorization may be sent along */
	int64_t max_age;            /* seconds for which a browser may keep a preflight's answer */
	const char *methods;        /* "GET, POST": what may be asked for */
	const char *exposed;        /* "ETag, Age": fields that a script may read */
	const char *refusal;        /* what a preflight from another origin is told (403) */
};

/* What one request asks of it. The texts belong to the request. A zeroed one is of a
 * head that could not be read. */
struct http_cors_ask {
	const char *origin;  /* one that is allowed, as it came; else NULL */
	const char *headers; /* of a preflight that is granted: names asked for, or NULL */
	bool preflight;
};

#define HTTP_CORS_NAMES_MAX 64    /* header names that one preflight may ask for, ... */
#define HTTP_CORS_HEADERS_MAX 4096 /* ... and the bytes of all of them */

/* Looks at a request. The status of the answer when it is a preflight (204, or 400
 * and 403 with a sentence), else 0. */
int http_cors_look(const struct http_cors *, const struct http_request *, struct http_cors_ask *,
    const char **why);

/* Adds the lines of an answer, except Vary. */
void http_cors_add(struct buf *, const struct http_cors *, const struct http_cors_ask *);
/* Bytes of them and of Vary, at most. */
size_t http_cors_room(const struct http_cors *, const struct http_cors_ask *);

/* What an answer varies by, for Vary; NULL when by nothing. */
const char *http_cors_vary(const struct http_cors *, const struct http_cors_ask *);

/* Whether a field of a service's answer is left out. */
bool http_cors_owns(const char *name);

#endif
