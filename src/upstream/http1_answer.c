#include "config.h"

#include "upstream/http1_answer.h"

#include <string.h>

#define HTTP1_ANSWER_VERSION "HTTP/1."
#define HTTP1_ANSWER_RESERVE_MAX (1 << 20) /* bytes of memory taken on the word of a length */

/* Prepares for an answer. */
void
http1_answer_init(struct http1_answer *a, size_t max_body)
{
	memset(a, 0, sizeof *a);
	buf_init(&a->body, max_body);
	buf_init(&a->line, ANSWER_HEAD_MAX);
}

/* Frees what it holds. */
void
http1_answer_free(struct http1_answer *a)
{
	buf_free(&a->body);
	buf_free(&a->line);
}

/* Refuses it. */
static enum http1_read
http1_answer_refuse(struct http1_answer *a, const char *why)
{
	a->why = why;
	return HTTP1_READ_BAD;
}

/* ---- the head ---- */

/* Whether a line, or its beginning, can be a status line (RFC 9112, 4). */
static bool
http1_answer_is_status(const char *line, size_t n)
{
	const size_t version = strlen(HTTP1_ANSWER_VERSION);

	if (memcmp(line, HTTP1_ANSWER_VERSION, n < version ? n : version) != 0)
		return false;
	return (n <= version || (line[version] >= '0' && line[version] <= '9')) &&
	    (n <= version + 1 || line[version + 1] == ' ');
}

/* A status line: an interim answer may have come before it. */
static enum http1_read
http1_answer_begin(struct http1_answer *a)
{
	if (a->state != HTTP1_ANSWER_STATUS)
		return http1_answer_refuse(a, "the answer's head is not well-formed");
	if (a->head.status == 101)
		return http1_answer_refuse(a, "the answer changes the protocol, unasked");
	if (a->head.status < 100 || a->head.status > 599)
		return http1_answer_refuse(a, "the status is not one of HTTP");
	a->state = HTTP1_ANSWER_FIELDS;
	return HTTP1_READ_MORE;
}

/* The final head has ended: how does the body (RFC 9112, 6.3)? */
static enum http1_read
http1_answer_begin_body(struct http1_answer *a)
{
	const struct answer_head *h = &a->head;

	if (h->status == 204 || h->status == 304) {
		a->state = HTTP1_ANSWER_DONE;
	} else if (h->chunked) {
		chunked_init(&a->chunked);
		a->state = HTTP1_ANSWER_CHUNKS;
	} else if (h->has_length) {
		if ((uint64_t)h->length > a->body.max)
			return HTTP1_READ_TOO_LARGE;
		a->left = h->length;
		a->state = h->length > 0 ? HTTP1_ANSWER_LENGTH : HTTP1_ANSWER_DONE;
		if (h->length > 0 && h->length <= HTTP1_ANSWER_RESERVE_MAX)
			buf_reserve(&a->body, (size_t)h->length);
	} else {
		a->state = HTTP1_ANSWER_CLOSE;
	}
	return HTTP1_READ_MORE;
}

/* A head, interim or final, has ended. */
static enum http1_read
http1_answer_end_head(struct http1_answer *a)
{
	if (a->state != HTTP1_ANSWER_FIELDS)
		return http1_answer_refuse(a, "the answer's head is not well-formed");
	if (a->head.complete)
		return http1_answer_begin_body(a);
	a->state = HTTP1_ANSWER_STATUS;
	return HTTP1_READ_MORE;
}

/* Takes a whole line of the head. */
static enum http1_read
http1_answer_line(struct http1_answer *a, const char *line, size_t n)
{
	struct answer_field f;

	if (n < 2 || line[n - 2] != '\r' ||
	    (a->state == HTTP1_ANSWER_STATUS && !http1_answer_is_status(line, n)))
		return http1_answer_refuse(a, "the answer is not well-formed HTTP/1");
	switch (answer_head_line(&a->head, line, n, &f)) {
	case ANSWER_LINE_STATUS:
		return http1_answer_begin(a);
	case ANSWER_LINE_FIELD:
		return HTTP1_READ_MORE;
	case ANSWER_LINE_END:
		return http1_answer_end_head(a);
	case ANSWER_LINE_ODD:
	case ANSWER_LINE_TRAILER:
		return http1_answer_refuse(a, "the answer's head is not well-formed");
	case ANSWER_LINE_BAD:
		break;
	}
	if (a->head.vast)
		return HTTP1_READ_TOO_LARGE;
	return http1_answer_refuse(a, a->head.ambiguous ? "the answer's length is ambiguous"
	                                                : "the answer's head is too large");
}

/* Keeps the beginning of a line whose end has not come. */
static enum http1_read
http1_answer_wait(struct http1_answer *a, const char *bytes, size_t n)
{
	if (!buf_add(&a->line, bytes, n) || a->head.bytes + a->line.len > ANSWER_HEAD_MAX)
		return http1_answer_refuse(a, "the answer's head is too large");
	if (a->state == HTTP1_ANSWER_STATUS && !http1_answer_is_status(a->line.data, a->line.len))
		return http1_answer_refuse(a, "the answer is not well-formed HTTP/1");
	return HTTP1_READ_MORE;
}

/* Takes a line that began in an earlier piece. */
static enum http1_read
http1_answer_rejoin(struct http1_answer *a, const char *bytes, size_t n)
{
	enum http1_read read;

	if (!buf_add(&a->line, bytes, n))
		return http1_answer_refuse(a, "the answer's head is too large");
	read = http1_answer_line(a, a->line.data, a->line.len);
	buf_clear(&a->line);
	return read;
}

/* Takes what belongs to the head; *used is how much that is. */
static enum http1_read
http1_answer_read_head(struct http1_answer *a, const char *bytes, size_t len, size_t *used)
{
	enum http1_read read = HTTP1_READ_MORE;
	const char *p = bytes, *end = bytes + len, *lf;

	while (p < end && a->state <= HTTP1_ANSWER_FIELDS && read == HTTP1_READ_MORE) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL)
			return http1_answer_wait(a, p, (size_t)(end - p));
		if (a->line.len > 0)
			read = http1_answer_rejoin(a, p, (size_t)(lf + 1 - p));
		else
			read = http1_answer_line(a, p, (size_t)(lf + 1 - p));
		p = lf + 1;
	}
	*used = (size_t)(p - bytes);
	return read;
}

/* ---- the body ---- */

/* Takes bytes of a body that comes in chunks; *used is how many belong to it. */
static enum http1_read
http1_answer_read_chunks(struct http1_answer *a, const char *bytes, size_t len, size_t *used)
{
	const char *piece;
	size_t n, piece_len;

	for (*used = 0;; *used += n) {
		switch (chunked_next(&a->chunked, bytes + *used, len - *used, &n, &piece, &piece_len)) {
		case CHUNKED_MORE:
			*used += n;
			return HTTP1_READ_MORE;
		case CHUNKED_DATA:
			if (!buf_add(&a->body, piece, piece_len))
				return HTTP1_READ_TOO_LARGE;
			break;
		case CHUNKED_END:
			*used += n;
			a->state = HTTP1_ANSWER_DONE;
			return HTTP1_READ_MORE;
		case CHUNKED_BAD:
			return http1_answer_refuse(a, "the answer's chunks are not well-formed");
		}
	}
}

/* Takes what belongs to the body; *used is how much that is. */
static enum http1_read
http1_answer_read_body(struct http1_answer *a, const char *bytes, size_t len, size_t *used)
{
	size_t n = len;

	*used = 0;
	if (a->state == HTTP1_ANSWER_DONE)
		return HTTP1_READ_MORE;
	if (a->state == HTTP1_ANSWER_CHUNKS)
		return http1_answer_read_chunks(a, bytes, len, used);
	if (a->state == HTTP1_ANSWER_LENGTH && (uint64_t)a->left < n)
		n = (size_t)a->left;
	if (!buf_add(&a->body, bytes, n))
		return HTTP1_READ_TOO_LARGE;
	if (a->state == HTTP1_ANSWER_LENGTH) {
		a->left -= (int64_t)n;
		if (a->left == 0)
			a->state = HTTP1_ANSWER_DONE;
	}
	*used = n;
	return HTTP1_READ_MORE;
}

/* Whether the body ends after so many bytes as were announced. */
static bool
http1_answer_has_length(const struct http1_answer *a)
{
	return a->head.has_length && !a->head.chunked && a->body.len == (size_t)a->head.length;
}

/* An answer has come to its end. More bytes than announced: what was taken may be the
 * front half of the real answer. */
static enum http1_read
http1_answer_finish(struct http1_answer *a, bool excess)
{
	a->excess = excess;
	if (excess && http1_answer_has_length(a))
		return http1_answer_refuse(a, "the answer is longer than its Content-Length");
	if (a->head.encoded)
		return http1_answer_refuse(a, "the answer is compressed, unasked");
	return HTTP1_READ_WHOLE;
}

/* Takes bytes. */
enum http1_read
http1_answer_feed(struct http1_answer *a, const char *bytes, size_t len)
{
	enum http1_read read = HTTP1_READ_MORE;
	size_t used = 0, more = 0;

	if (a->state <= HTTP1_ANSWER_FIELDS)
		read = http1_answer_read_head(a, bytes, len, &used);
	if (read != HTTP1_READ_MORE || a->state <= HTTP1_ANSWER_FIELDS)
		return read;
	read = http1_answer_read_body(a, bytes + used, len - used, &more);
	if (read != HTTP1_READ_MORE || a->state != HTTP1_ANSWER_DONE)
		return read;
	return http1_answer_finish(a, used + more < len);
}

/* The connection has ended. */
enum http1_read
http1_answer_end(struct http1_answer *a)
{
	if (a->state == HTTP1_ANSWER_CLOSE) {
		a->state = HTTP1_ANSWER_DONE;
		return http1_answer_finish(a, false);
	}
	if (a->state <= HTTP1_ANSWER_FIELDS)
		return http1_answer_refuse(a, a->head.begun ? "the answer's head is cut short"
		                                            : "the connection was closed without an answer");
	return http1_answer_refuse(a, "the answer is cut short");
}

/* Whether it is told in one way where it ends. That of 204 is its head, so one that
 * announces a body may have sent it. */
static bool
http1_answer_is_framed(const struct answer_head *h)
{
	if (h->status == 204)
		return !h->chunked && (!h->has_length || h->length == 0);
	return h->chunked ? !h->has_length : h->has_length || h->status == 304;
}

/* Whether its connection may go on. */
bool
http1_answer_keeps(const struct http1_answer *a)
{
	const struct answer_head *h = &a->head;

	return a->state == HTTP1_ANSWER_DONE && h->http11 && !h->closing && !a->excess &&
	    http1_answer_is_framed(h);
}
