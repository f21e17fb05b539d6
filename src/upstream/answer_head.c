#include "config.h"

#include "upstream/answer_head.h"
#include "base/octet.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define ANSWER_HEAD_DIGITS 18 /* of a length: more may not fit 63 bits */

/* Whether a field has this name. */
bool
answer_field_is(const struct answer_field *f, const char *name)
{
	return f->name_len == strlen(name) && strncasecmp(f->name, name, f->name_len) == 0;
}

/* Whether a list of tokens holds this one. */
bool
answer_field_has(const struct answer_field *f, const char *token)
{
	const char *v = f->value, *end = v + f->value_len, *start;
	size_t want = strlen(token);

	while (v < end) {
		while (v < end && (*v == ',' || *v == ' ' || *v == '\t'))
			v++;
		for (start = v; v < end && *v != ',' && *v != ' ' && *v != '\t'; v++)
			;
		if ((size_t)(v - start) == want && strncasecmp(start, token, want) == 0)
			return true;
	}
	return false;
}

/* Takes a field line apart; false when it is none. */
static bool
answer_head_split(const char *line, size_t n, struct answer_field *f)
{
	const char *p = line, *end = line + n;

	while (end > line && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	while (p < end && octet_is(*p, OCTET_TOKEN))
		p++;
	if (p == line || p == end || *p != ':')
		return false;
	f->name = line;
	f->name_len = (size_t)(p - line);
	for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
		;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	f->value = p;
	f->value_len = (size_t)(end - p);
	while (p < end && octet_is(*p, OCTET_TEXT))
		p++;
	return p == end;
}

/* Reads Content-Length (RFC 9112, 6.3). */
static void
answer_head_read_length(struct answer_head *h, const struct answer_field *f)
{
	int64_t n = 0;
	size_t digits = 0;

	while (digits < f->value_len && isdigit((unsigned char)f->value[digits]))
		digits++;
	h->vast |= digits > ANSWER_HEAD_DIGITS && digits == f->value_len;
	h->ambiguous |= digits == 0 || digits > ANSWER_HEAD_DIGITS || digits < f->value_len;
	for (size_t i = 0; i < digits && !h->ambiguous; i++)
		n = n * 10 + (f->value[i] - '0');
	h->ambiguous |= h->has_length && h->length != n;
	h->has_length = true;
	h->length = n;
}

/* Whether this may follow a status, up to the line's end: nothing, or a space and a text
 * (RFC 9112, 4). */
static bool
answer_head_is_reason(const char *p, size_t n)
{
	const char *end = p + n;

	while (end > p && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	if (p < end && *p != ' ')
		return false;
	while (p < end && octet_is(*p, OCTET_TEXT))
		p++;
	return p == end;
}

/* A status line begins a head; an earlier, interim one is forgotten. */
static void
answer_head_read_status(struct answer_head *h, const char *line, size_t n)
{
	const char *code = line + 9;

	h->status = 0;
	h->http11 = n > 8 && strncmp(line, "HTTP/1.1", 8) == 0;
	h->http2 = n > 7 && strncmp(line, "HTTP/2 ", 7) == 0; /* as libcurl writes it */
	if (h->http2)
		code = line + 7;
	n = n > (size_t)(code - line) ? n - (size_t)(code - line) : 0;
	h->interim = n > 0 && code[0] == '1';
	h->closing = h->chunked = h->has_length = h->encoded = h->has_retry_after = false;
	if (n > 3 && isdigit((unsigned char)code[0]) && isdigit((unsigned char)code[1]) &&
	    isdigit((unsigned char)code[2]) && answer_head_is_reason(code + 3, n - 3))
		h->status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + code[2] - '0';
}

/* Keeps the time to wait. */
static void
answer_head_keep_retry_after(struct answer_head *h, const struct answer_field *f)
{
	size_t len = f->value_len < sizeof h->retry_after ? f->value_len : sizeof h->retry_after - 1;

	h->has_retry_after = true;
	memcpy(h->retry_after, f->value, len);
	h->retry_after[len] = '\0';
}

/* Notes the fields that say where the answer and its connection end, and those that are
 * kept. */
static void
answer_head_read_field(struct answer_head *h, const struct answer_field *f)
{
	if (answer_field_is(f, "Content-Length")) {
		answer_head_read_length(h, f);
	} else if (answer_field_is(f, "Transfer-Encoding")) {
		h->ambiguous |= h->chunked || f->value_len != 7 ||
		    strncasecmp(f->value, "chunked", 7) != 0;
		h->chunked = true;
	} else if (answer_field_is(f, "Connection") || answer_field_is(f, "Proxy-Connection")) {
		h->closing |= answer_field_has(f, "close");
	} else if (answer_field_is(f, "Content-Encoding")) {
		h->encoded |= f->value_len > 0 && !answer_field_has(f, "identity");
	} else if (answer_field_is(f, "Retry-After")) {
		answer_head_keep_retry_after(h, f);
	}
}

/* Takes the next line. */
enum answer_line
answer_head_line(struct answer_head *h, const char *line, size_t n, struct answer_field *f)
{
	h->begun = true;
	h->bytes += n;
	if (h->bytes > ANSWER_HEAD_MAX)
		return ANSWER_LINE_BAD;
	if (h->complete)
		return ANSWER_LINE_TRAILER;
	if (n > 5 && strncmp(line, "HTTP/", 5) == 0) {
		answer_head_read_status(h, line, n);
		return ANSWER_LINE_STATUS;
	}
	if (n <= 2 && (line[0] == '\r' || line[0] == '\n')) {
		h->complete = !h->interim;
		return ANSWER_LINE_END;
	}
	if (!answer_head_split(line, n, f))
		return ANSWER_LINE_ODD;
	answer_head_read_field(h, f);
	return h->ambiguous ? ANSWER_LINE_BAD : ANSWER_LINE_FIELD;
}
