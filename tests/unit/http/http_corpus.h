#ifndef HTTP_CORPUS_H
#define HTTP_CORPUS_H

#include <stdbool.h>
#include <stddef.h>

/* Inputs of one connection and what must come of them. */
struct http_case {
	const char *name;
	const char *bytes;
	size_t len;
	int status;         /* of the first answer; 0: none */
	unsigned requests;  /* that the service gets to see */
	bool closed;        /* whether the server hangs up by itself */
};

extern const struct http_case http_corpus[]; /* ends with a NULL name */

#endif
