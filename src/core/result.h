#ifndef CORE_RESULT_H
#define CORE_RESULT_H

#include "core/resource.h"
#include "mapping/mapping.h"
#include "upstream/upstream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULT_ETAG_LENGTH 34 /* quotes, 32 hex digits */
#define RESULT_ETAG_SIZE (RESULT_ETAG_LENGTH + 2) /* a NUL, too */

/* What an operation gives back for the client. */
struct result {
	int status;
	char *body; /* JSON text; NULL: none */
	size_t len;
	int64_t retry_after; /* ms; -1: not said */
	char etag[RESULT_ETAG_SIZE]; /* with its quotes; "": none */
	const char *cache; /* "hit", "miss" or "stale"; NULL: does not apply */
	int64_t age;       /* seconds, of a stale answer; -1 otherwise */
	bool doubt;        /* of an error: what was asked for is done all the same, or may be */
};

void result_init(struct result *);
void result_clear(struct result *);
void result_move(struct result *to, struct result *from);
void result_copy(struct result *to, const struct result *from);

/* An error with its sentence, in the local API's form. */
void result_error(struct result *, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* 404: there is no such thing, or it is none of the project's. */
void result_not_found(struct result *, const struct resource *);

/* 409: another one has this name. */
void result_name_taken(struct result *, const struct resource *, const char *name);

/* A body that the result takes over. */
void result_body(struct result *, int status, char *body, size_t len);

/* Writes the entity tag of a body. */
void result_etag(const char *body, size_t len, char out[RESULT_ETAG_SIZE]);

/*
 * The error table of the product: what a client is told when the upstream did
 * not answer 2xx as hoped. Nothing of the upstream's own text is passed on; its
 * validation errors are told in our words, with the local fields' names.
 */
void result_from_upstream(struct result *, const struct upstream_answer *, const struct resource *,
    const struct mapping *);

/* True for outcomes after which a stale copy may be served: no connection,
 * time-out, broken, 5xx, open breaker, full queue. */
bool result_upstream_is_down(const struct upstream_answer *);

#endif
