#include "config.h"

#include "base/chunked.h"
#include "base/octet.h"

#include <stdbool.h>

#define CHUNKED_DIGITS 16

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
chunked_init(struct chunked *k)
{
	k->left = 0;
	k->credit = CHUNKED_CREDIT;
	k->digits = 0;
	k->state = CHUNK_SIZE;
}

/* Goes on if the byte is the one that must come now. */
static bool
chunked_want(struct chunked *k, char c, char wanted, int next)
{
	k->state = (unsigned char)next;
	return c == wanted;
}

/* A byte that may end the size or an extension: ';' or CR. */
static bool
chunked_size_end(struct chunked *k, char c)
{
	k->state = c == ';' ? CHUNK_EXT : CHUNK_SIZE_LF;
	return c == ';' || c == '\r';
}

/* A byte of the size line after its first digits. */
static bool
chunked_extension(struct chunked *k, char c)
{
	bool token = octet_is(c, OCTET_TOKEN);

	switch (k->state) {
	case CHUNK_EXT:
		k->state = CHUNK_EXT_NAME;
		return token;
	case CHUNK_EXT_NAME:
		if (token)
			return true;
		if (c != '=')
			return chunked_size_end(k, c);
		k->state = CHUNK_EXT_VALUE;
		return true;
	case CHUNK_EXT_VALUE:
		k->state = c == '"' ? CHUNK_EXT_QUOTED : CHUNK_EXT_TOKEN;
		return token || c == '"';
	case CHUNK_EXT_TOKEN:
		return token || chunked_size_end(k, c);
	case CHUNK_EXT_QUOTED:
		if (c == '"')
			k->state = CHUNK_EXT_END;
		else if (c == '\\')
			k->state = CHUNK_EXT_ESCAPE;
		return octet_is(c, OCTET_TEXT);
	case CHUNK_EXT_ESCAPE:
		k->state = CHUNK_EXT_QUOTED;
		return octet_is(c, OCTET_TEXT);
	default: /* CHUNK_EXT_END */
		return chunked_size_end(k, c);
	}
}

/* A byte of the size. */
static bool
chunked_size(struct chunked *k, char c)
{
	int digit = octet_hex(c);

	if (digit < 0)
		return k->digits > 0 && chunked_size_end(k, c);
	if (++k->digits > CHUNKED_DIGITS || k->left > (uint64_t)INT64_MAX >> 4)
		return false;
	k->left = k->left << 4 | (unsigned)digit;
	return true;
}

/* A byte of the trailer section. */
static bool
chunked_trailer(struct chunked *k, char c)
{
	switch (k->state) {
	case CHUNK_TRAILER:
		k->state = c == '\r' ? CHUNK_END_LF : CHUNK_TRAILER_NAME;
		return c == '\r' || octet_is(c, OCTET_TOKEN);
	case CHUNK_TRAILER_NAME:
		if (c != ':')
			return octet_is(c, OCTET_TOKEN);
		k->state = CHUNK_TRAILER_VALUE;
		return true;
	case CHUNK_TRAILER_VALUE:
		if (c != '\r')
			return octet_is(c, OCTET_TEXT);
		k->state = CHUNK_TRAILER_LF;
		return true;
	case CHUNK_TRAILER_LF:
		return chunked_want(k, c, '\n', CHUNK_TRAILER);
	default: /* CHUNK_END_LF */
		return chunked_want(k, c, '\n', CHUNK_DONE);
	}
}

/* One byte of framing; false refuses it. */
static bool
chunked_step(struct chunked *k, char c)
{
	if (k->credit-- == 0)
		return false;
	switch (k->state) {
	case CHUNK_SIZE:
		return chunked_size(k, c);
	case CHUNK_SIZE_LF:
		k->digits = 0;
		return chunked_want(k, c, '\n', k->left > 0 ? CHUNK_DATA : CHUNK_TRAILER);
	case CHUNK_DATA_CR:
		return chunked_want(k, c, '\r', CHUNK_DATA_LF);
	case CHUNK_DATA_LF:
		return chunked_want(k, c, '\n', CHUNK_SIZE);
	case CHUNK_TRAILER:
	case CHUNK_TRAILER_NAME:
	case CHUNK_TRAILER_VALUE:
	case CHUNK_TRAILER_LF:
	case CHUNK_END_LF:
		return chunked_trailer(k, c);
	default:
		return chunked_extension(k, c);
	}
}

/* Takes content out of the input. */
static size_t
chunked_content(struct chunked *k, size_t here)
{
	size_t n = k->left < here ? (size_t)k->left : here;

	k->left -= n;
	if (k->left == 0)
		k->state = CHUNK_DATA_CR;
	if (n >= CHUNKED_CREDIT || k->credit + n * CHUNKED_EARN >= CHUNKED_CREDIT)
		k->credit = CHUNKED_CREDIT;
	else
		k->credit += (unsigned)n * CHUNKED_EARN;
	return n;
}

/* Decodes up to the next piece. */
enum chunked_result
chunked_next(struct chunked *k, const char *in, size_t in_len, size_t *used,
    const char **piece, size_t *len)
{
	size_t i = 0;

	while (k->state != CHUNK_DONE) {
		if (i == in_len) {
			*used = i;
			return CHUNKED_MORE;
		}
		if (k->state == CHUNK_DATA) {
			*piece = in + i;
			*len = chunked_content(k, in_len - i);
			*used = i + *len;
			return CHUNKED_DATA;
		}
		if (!chunked_step(k, in[i++])) {
			*used = i;
			return CHUNKED_BAD;
		}
	}
	*used = i;
	return CHUNKED_END;
}
