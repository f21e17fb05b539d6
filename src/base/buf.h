#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A growing byte buffer that refuses to pass its limit. The bytes are always
 * followed by a NUL that is not counted. After a refused append the buffer
 * keeps what it had and `full` stays true, so that a chain of appends may be
 * checked once at its end.
 */
struct buf {
	char *data; /* NULL while nothing was ever added */
	size_t len;
	size_t cap;
	size_t max; /* bytes; 0 in a zeroed struct means BUF_DEFAULT_MAX */
	bool full;
	bool secret; /* set after buf_init(): no copy of the bytes is left where they were */
};

#define BUF_DEFAULT_MAX ((size_t)64 << 20)

void buf_init(struct buf *, size_t max);
void buf_free(struct buf *);  /* also makes it empty and usable again */
void buf_clear(struct buf *); /* keeps the memory */
bool buf_add(struct buf *, const void *bytes, size_t len);
bool buf_adds(struct buf *, const char *s);
bool buf_addc(struct buf *, char c);
bool buf_addf(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_reserve(struct buf *, size_t more); /* room for `more` bytes after len */
void buf_drain(struct buf *, size_t n);      /* drops n bytes at the front */
size_t buf_grown(const struct buf *, size_t more); /* cap after so many more; `more` at most max */

/* Hands the bytes over as a NUL-terminated string (never NULL) and empties the
 * buffer; *len may be NULL. The caller frees. */
char *buf_take(struct buf *, size_t *len);

#endif
