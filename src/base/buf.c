#include "config.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 256

/* Prepares an empty buffer. */
void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof *b);
	b->max = max;
}

/* Makes it empty, without memory; limit and secrecy stay. */
static void
buf_reset(struct buf *b)
{
	bool secret = b->secret;

	buf_init(b, b->max);
	b->secret = secret;
}

/* Frees the memory and keeps the limit. */
void
buf_free(struct buf *b)
{
	if (b->secret)
		mem_wipe_free_bytes(b->data, b->cap);
	else
		free(b->data);
	buf_reset(b);
}

/* Forgets the bytes, not the memory. */
void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->full = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

/* The memory for so many bytes more and the NUL: doubled until it is enough. */
size_t
buf_grown(const struct buf *b, size_t more)
{
	size_t max = b->max ? b->max : BUF_DEFAULT_MAX;
	size_t cap = b->cap ? b->cap : BUF_FIRST;

	if (b->data != NULL && b->len + more < b->cap)
		return b->cap;
	while (cap <= b->len + more)
		cap *= 2;
	return cap > max + 1 ? max + 1 : cap;
}

/* Gives the bytes other memory; what was there is wiped. */
static void
buf_move(struct buf *b, size_t cap)
{
	char *data = mem_alloc(cap);

	if (b->data != NULL)
		memcpy(data, b->data, b->len + 1);
	mem_wipe_free_bytes(b->data, b->cap);
	b->data = data;
}

/* Makes room for more bytes and the NUL; false beyond the limit. */
bool
buf_reserve(struct buf *b, size_t more)
{
	size_t max = b->max ? b->max : BUF_DEFAULT_MAX;
	size_t cap;

	if (b->full || more > max || b->len > max - more) {
		b->full = true;
		return false;
	}
	cap = buf_grown(b, more);
	if (b->data != NULL && cap == b->cap)
		return true;
	if (b->secret)
		buf_move(b, cap);
	else
		b->data = mem_resize(b->data, cap);
	b->cap = cap;
	return true;
}

/* Appends bytes; mostly there is room. */
bool
buf_add(struct buf *b, const void *bytes, size_t len)
{
	if ((b->data == NULL || b->full || len >= b->cap - b->len) && !buf_reserve(b, len))
		return false;
	if (len > 0)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
	return true;
}

/* Appends a string. */
bool
buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

/* Appends one byte. */
bool
buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

/* Appends formatted text. */
bool
buf_addf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap, again;
	bool ok = false;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(small, sizeof small, fmt, ap);
	if (n >= 0 && (size_t)n < sizeof small) {
		ok = buf_add(b, small, (size_t)n);
	} else if (n >= 0 && buf_reserve(b, (size_t)n)) {
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
		ok = true;
	}
	va_end(again);
	va_end(ap);
	return ok;
}

/* Drops bytes at the front. */
void
buf_drain(struct buf *b, size_t n)
{
	if (n >= b->len) {
		buf_clear(b);
		return;
	}
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

/* Hands the bytes over. */
char *
buf_take(struct buf *b, size_t *len)
{
	char *out = b->data;

	if (out == NULL)
		out = mem_copy("", 0);
	if (len != NULL)
		*len = b->len;
	buf_reset(b);
	return out;
}
