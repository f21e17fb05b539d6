#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include "http/http_message.h"

/*
 * A request head in two steps. The guard looks at each byte once, as it
 * arrives, and refuses what no head may hold (a CR or LF alone, control bytes,
 * a folded line, too many or too long lines); it keeps no bytes. When it has
 * seen the blank line, http_parse_head() takes the head apart in one go. The
 * outcome depends on the bytes only, never on how they were cut.
 */
struct http_guard {
	size_t seen;     /* bytes looked at; when done, the length of the head */
	size_t start;    /* where the request line begins: 2 after an empty line, else 0 */
	size_t line;     /* length of the request line without CRLF, once it is whole */
	unsigned fields; /* header lines begun */
	unsigned char state;
};

enum http_guard_result {
	HTTP_GUARD_MORE,
	HTTP_GUARD_DONE,
	HTTP_GUARD_BAD,       /* 400 */
	HTTP_GUARD_LONG_LINE, /* 414: the limit was reached within the request line */
	HTTP_GUARD_LONG,      /* 431: the limit was reached after it */
	HTTP_GUARD_MANY       /* 431: too many header lines */
};

/* A zeroed guard is ready. `head` is the first byte of the input and `len` all
 * that is here of it, the bytes of earlier calls included. One empty line
 * before the request line is tolerated (RFC 9112, 2.2). */
enum http_guard_result http_guard_feed(struct http_guard *, const char *head, size_t len,
    size_t max_bytes, unsigned max_fields);

/* True once a byte of the request itself has been seen. */
bool http_guard_begun(const struct http_guard *);

/* What the framing needs to know beside the request. */
struct http_head {
	struct http_request request; /* without serial and peer; id is NULL when none is good */
	bool keep_alive;             /* what version and Connection ask for */
	bool close_named;            /* the client said Connection: close */
	bool expect_continue;
	const char *why; /* a sentence when refused */
};

/* Bytes of scratch room that a request line of this length needs. */
#define HTTP_PARSE_ROOM(line) ((line) + 2)

/*
 * Takes a head apart in place. `head` starts with the request line, is what
 * the guard let through, and is followed by a byte that may be written;
 * `fields` has room for guard->fields, `room` for HTTP_PARSE_ROOM(guard->line).
 * The request points into all three. Returns 0, or the status to answer before
 * the connection is closed (400, 417, 501, 505).
 */
int http_parse_head(const struct http_guard *, char *head, struct http_field *fields, char *room,
    struct http_head *);

#endif
