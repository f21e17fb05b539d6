#ifndef HTTP_FORMAT_H
#define HTTP_FORMAT_H

#include "base/buf.h"
#include "base/timestamp.h"
#include "http/http_cors.h"
#include "http/http_message.h"

/* How the end of an answer's body is marked. */
enum http_framing {
	HTTP_FRAMING_NONE,    /* no body and no length: 1xx, 204, 304 */
	HTTP_FRAMING_LENGTH,  /* Content-Length */
	HTTP_FRAMING_CHUNKED, /* Transfer-Encoding: chunked */
	HTTP_FRAMING_CLOSE    /* the end of the connection: HTTP/1.0 */
};

/* The Date of answers, written anew when the second changes. Zeroed is ready. */
struct http_date {
	int64_t second;
	char text[TIMESTAMP_SIZE];
};
const char *http_format_date(struct http_date *, int64_t wall_ms);

/* What the head of an answer says. */
struct http_format {
	int status;
	const struct http_field *fields; /* ends with a NULL name; may be NULL */
	const struct http_field *beside; /* the same */
	const char *id;
	const char *date; /* left out when the fields hold one */
	enum http_framing framing;
	int64_t length;
	bool close;
	bool keep_alive; /* to be said aloud: HTTP/1.0 */
	bool upgrade;    /* 101: the connection changes its protocol */
	const struct http_cors *cors; /* NULL: off */
	struct http_cors_ask ask;
};

/*
 * Adds status line and header lines, and makes room for `more` bytes after
 * them. Of the caller's fields, those that belong to the connection or are
 * added here are left out (Connection, Keep-Alive, Proxy-Connection,
 * Transfer-Encoding, Content-Length, X-Request-Id; with cors Access-Control-*),
 * and so is one that is not well-formed: no value can begin a new line. False when
 * the buffer is full.
 */
bool http_format_head(struct buf *, const struct http_format *, size_t more);

/* Whether the fields hold Connection: close. */
bool http_format_close(const struct http_field *fields);

/* `{"error":"<sentence>"}` as a body, and the fields that go with it: 503 says when
 * to try again. */
bool http_format_error(struct buf *, const char *sentence);
const struct http_field *http_format_error_fields(int status);

/* The sentence when limits.buffers is reached. */
extern const char http_format_full[];

/* The line before a chunk of len bytes; returns its length. */
size_t http_format_chunk(char out[20], size_t len);

#endif
