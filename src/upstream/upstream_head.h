#ifndef UPSTREAM_HEAD_H
#define UPSTREAM_HEAD_H

#include "base/buf.h"
#include "upstream/site.h"
#include "upstream/upstream.h"

/* The text of one call's request, as HTTP/1.1 has it. */
struct upstream_head {
	struct buf text;   /* request line, Host, fields, Content-Length, an empty line, the body */
	size_t fields;     /* where the fields begin that are not the protocol's own, */
	size_t fields_len; /* and how much of the text they are, each with its line's end */
	size_t body;       /* where the body begins */
	bool has_body;     /* it may be empty */
	bool agent;        /* the first field is our User-Agent */
	size_t key;        /* where the key is; 0: there is none */
	size_t key_len;
	char *earlier;     /* the one to take its place; NULL: there is none, or none any more */
	char *id;          /* the value of X-Request-Id, for the log; NULL: none */
};

/* Writes the text of a request to a site; false when the key cannot stand in one. */
bool upstream_head_make(struct upstream_head *, const struct site *, const struct upstream_request *);

/* The key that is in it, as a string; NULL: none. The text can be sent no more. */
const char *upstream_head_key(struct upstream_head *);

/* Takes the earlier key, once; false when there is none. Not while the text is used. */
bool upstream_head_fall_back(struct upstream_head *);

/* Wipes and frees it. */
void upstream_head_free(struct upstream_head *);

#endif
