#ifndef UPSTREAM_HEAD_H
#define UPSTREAM_HEAD_H

#include "upstream/upstream.h"

#include <curl/curl.h>

/* The header lines of one call, as libcurl takes them. */
#define UPSTREAM_HEAD_OWN 9 /* beside those that the caller adds */
#define UPSTREAM_HEAD_MAX (UPSTREAM_HEAD_OWN + HEADER_MAX)

struct upstream_head {
	struct curl_slist lines[UPSTREAM_HEAD_MAX]; /* chained: the first is the list */
	size_t count;
	bool agent;    /* the first line is our User-Agent */
	size_t key;    /* the line with the key, */
	size_t before; /* and how much stands before it there; 0: there is no key */
	char *earlier; /* the line to take its place; NULL: there is none, or none any more */
	const char *id; /* the value of X-Request-Id, for the log; NULL: none */
};

/* Makes the lines of a request; false when the key cannot stand in one. */
bool upstream_head_make(struct upstream_head *, const struct upstream_request *);

/* The key that the lines hold; NULL: none. */
const char *upstream_head_key(const struct upstream_head *);

/* Takes the earlier key, once; false when there is none. Not while the lines are used. */
bool upstream_head_fall_back(struct upstream_head *);

/* Wipes and frees them. */
void upstream_head_free(struct upstream_head *);

#endif
