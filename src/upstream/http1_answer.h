#ifndef UPSTREAM_HTTP1_ANSWER_H
#define UPSTREAM_HTTP1_ANSWER_H

#include "base/buf.h"
#include "base/chunked.h"
#include "upstream/answer_head.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads one answer in HTTP/1.x (RFC 9112), in pieces as they come: interim answers, head,
 * body, and where it ends (6.3). Strict: lines end with CRLF, what is not well-formed or
 * could end in two ways is refused. The same bytes give the same, however they are cut.
 */
enum http1_answer_state {
	HTTP1_ANSWER_STATUS, /* at a status line */
	HTTP1_ANSWER_FIELDS,
	HTTP1_ANSWER_LENGTH, /* a body of so many bytes, */
	HTTP1_ANSWER_CHUNKS, /* in chunks, */
	HTTP1_ANSWER_CLOSE,  /* up to the end of the connection */
	HTTP1_ANSWER_DONE
};

struct http1_answer {
	struct answer_head head;
	enum http1_answer_state state;
	struct buf body;
	const char *why; /* why it was refused */
	/* the rest is the reader's */
	bool excess; /* bytes came after its end */
	int64_t left;
	struct chunked chunked;
	struct buf line; /* what is here of a line that has not ended yet */
};

enum http1_read {
	HTTP1_READ_MORE,
	HTTP1_READ_WHOLE,
	HTTP1_READ_BAD,      /* `why` says why */
	HTTP1_READ_TOO_LARGE /* the body is, or says that it will be, longer than allowed */
};

/* Prepares for an answer, to another method than HEAD, with at most so many bytes of body. */
void http1_answer_init(struct http1_answer *, size_t max_body);
void http1_answer_free(struct http1_answer *);

/* Takes bytes. After WHOLE, more bytes are more than the answer: WHOLE again, or BAD. After
 * anything else but MORE nothing is to be fed. */
enum http1_read http1_answer_feed(struct http1_answer *, const char *bytes, size_t len);

/* The connection has ended, orderly; MORE is not given. */
enum http1_read http1_answer_end(struct http1_answer *);

/* Whether the connection of a whole answer may carry another request (9.3). */
bool http1_answer_keeps(const struct http1_answer *);

#endif
