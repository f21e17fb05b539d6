#include "config.h"

#include "http/http_chunk.h"
#include "http/http_char.h"

#include <stdbool.h>

#define HTTP_CHUNK_DIGITS 16

enum {
	CHUNK_SIZE,       /* at a digit of the size, or after the first of them */
	CHUNK_EXT,        /* at the first byte of an extension's name */
	CHUNK_EXT_NAME,   /* within it */
	CHUNK_EXT_VALUE,  /* at the first byte of its value */
	CHUNK_EXT_TOKEN,  /* within a value that is a token */
	CHUNK_EXT_QUOTED, /* within quotes */
	CHUNK_EXT_ESCAPE, /* after a backslash within quotes */
	CHUNK_EXT_END,    /* after the closing quote */
	CHUNK_SIZE_LF,    /* the CR after size and extensions */
	CHUNK_DATA,
	CHUNK_DATA_CR, /* the CRLF after the content */
	CHUNK_DATA_LF,
	CHUNK_TRAILER, /* at the first byte of a trailer line, or of the last line */
	CHUNK_TRAILER_NAME,
	CHUNK_TRAILER_VALUE,
	CHUNK_TRAILER_LF,
	CHUNK_END_LF,
	CHUNK_DONE
};

/* Prepares for the first size line. */
void
http_chunk_init(struct http_chunk *k)
{
	k->left = 0;
	k->credit = HTTP_CHUNK_CREDIT;
	k->digits = 0;
	k->state = CHUNK_SIZE;
}

/* Goes on if the byte is the one that must come now. */
static bool
http_chunk_want(struct http_chunk *k, char c, char wanted, int next)
{
	k->state = (unsigned char)next;
	return c == wanted;
}

/* A byte that may end the size or an extension: ';' or CR. */
static bool
http_chunk_size_end(struct http_chunk *k, char c)
{
	k->state = c == ';' ? CHUNK_EXT : CHUNK_SIZE_LF;
	return c == ';' || c == '\r';
}

/* A byte of the size line after its first digits. */
static bool
http_chunk_extension(struct http_chunk *k, char c)
{
	bool token = http_char_is(c, HTTP_CHAR_TOKEN);

	switch (k->state) {
	case CHUNK_EXT:
		k->state = CHUNK_EXT_NAME;
		return token;
	case CHUNK_EXT_NAME:
		if (token)
			return true;
		if (c != '=')
			return http_chunk_size_end(k, c);
		k->state = CHUNK_EXT_VALUE;
		return true;
	case CHUNK_EXT_VALUE:
		k->state = c == '"' ? CHUNK_EXT_QUOTED : CHUNK_EXT_TOKEN;
		return token || c == '"';
	case CHUNK_EXT_TOKEN:
		return token || http_chunk_size_end(k, c);
	case CHUNK_EXT_QUOTED:
		if (c == '"')
			k->state = CHUNK_EXT_END;
		else if (c == '\\')
			k->state = CHUNK_EXT_ESCAPE;
		return http_char_is(c, HTTP_CHAR_TEXT);
	case CHUNK_EXT_ESCAPE:
		k->state = CHUNK_EXT_QUOTED;
		return http_char_is(c, HTTP_CHAR_TEXT);
	default: /* CHUNK_EXT_END */
		return http_chunk_size_end(k, c);
	}
}

/* A byte of the size. */
static bool
http_chunk_size(struct http_chunk *k, char c)
{
	int digit = http_char_hex(c);

	if (digit < 0)
		return k->digits > 0 && http_chunk_size_end(k, c);
	if (++k->digits > HTTP_CHUNK_DIGITS || k->left > (uint64_t)INT64_MAX >> 4)
		return false;
	k->left = k->left << 4 | (unsigned)digit;
	return true;
}

/* A byte of the trailer section. */
static bool
http_chunk_trailer(struct http_chunk *k, char c)
{
	switch (k->state) {
	case CHUNK_TRAILER:
		k->state = c == '\r' ? CHUNK_END_LF : CHUNK_TRAILER_NAME;
		return c == '\r' || http_char_is(c, HTTP_CHAR_TOKEN);
	case CHUNK_TRAILER_NAME:
		if (c != ':')
			return http_char_is(c, HTTP_CHAR_TOKEN);
		k->state = CHUNK_TRAILER_VALUE;
		return true;
	case CHUNK_TRAILER_VALUE:
		if (c != '\r')
			return http_char_is(c, HTTP_CHAR_TEXT);
		k->state = CHUNK_TRAILER_LF;
		return true;
	case CHUNK_TRAILER_LF:
		return http_chunk_want(k, c, '\n', CHUNK_TRAILER);
	default: /* CHUNK_END_LF */
		return http_chunk_want(k, c, '\n', CHUNK_DONE);
	}
}

/* One byte of framing; false refuses it. */
static bool
http_chunk_step(struct http_chunk *k, char c)
{
	if (k->credit-- == 0)
		return false;
	switch (k->state) {
	case CHUNK_SIZE:
		return http_chunk_size(k, c);
	case CHUNK_SIZE_LF:
		k->digits = 0;
		return http_chunk_want(k, c, '\n', k->left > 0 ? CHUNK_DATA : CHUNK_TRAILER);
	case CHUNK_DATA_CR:
		return http_chunk_want(k, c, '\r', CHUNK_DATA_LF);
	case CHUNK_DATA_LF:
		return http_chunk_want(k, c, '\n', CHUNK_SIZE);
	case CHUNK_TRAILER:
	case CHUNK_TRAILER_NAME:
	case CHUNK_TRAILER_VALUE:
	case CHUNK_TRAILER_LF:
	case CHUNK_END_LF:
		return http_chunk_trailer(k, c);
	default:
		return http_chunk_extension(k, c);
	}
}

/* Takes content out of the input. */
static size_t
http_chunk_content(struct http_chunk *k, size_t here)
{
	size_t n = k->left < here ? (size_t)k->left : here;

	k->left -= n;
	if (k->left == 0)
		k->state = CHUNK_DATA_CR;
	if (n >= HTTP_CHUNK_CREDIT || k->credit + n * HTTP_CHUNK_EARN >= HTTP_CHUNK_CREDIT)
		k->credit = HTTP_CHUNK_CREDIT;
	else
		k->credit += (unsigned)n * HTTP_CHUNK_EARN;
	return n;
}

/* Decodes up to the next piece. */
enum http_chunk_result
http_chunk_next(struct http_chunk *k, const char *in, size_t in_len, size_t *used,
    const char **piece, size_t *len)
{
	size_t i = 0;

	while (k->state != CHUNK_DONE) {
		if (i == in_len) {
			*used = i;
			return HTTP_CHUNK_MORE;
		}
		if (k->state == CHUNK_DATA) {
			*piece = in + i;
			*len = http_chunk_content(k, in_len - i);
			*used = i + *len;
			return HTTP_CHUNK_DATA;
		}
		if (!http_chunk_step(k, in[i++])) {
			*used = i;
			return HTTP_CHUNK_BAD;
		}
	}
	*used = i;
	return HTTP_CHUNK_END;
}
