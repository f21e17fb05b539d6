#include "config.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEM_SMALL 1024 /* bytes */

/* Ends the process: nothing sensible can go on without memory. */
static void
mem_fail(size_t size)
{
	fprintf(stderr, "persona-gateway: out of memory (%zu bytes wanted)\n", size);
	abort();
}

/* Returns uninitialised memory. */
void *
mem_alloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (p == NULL)
		mem_fail(size);
	return p;
}

/* Returns zeroed memory for count objects. glibc serves malloc() from a cache of the
 * thread's, and calloc() not: for what is small, clearing it here is cheaper. The compiler
 * must not see whence it comes: it would make one calloc() of both. */
void *
mem_zero(size_t count, size_t size)
{
	void *p;

	if (count < MEM_SMALL && size < MEM_SMALL && count * size > 0 && count * size <= MEM_SMALL) {
		p = mem_alloc(count * size);
		__asm__("" : "+r"(p));
		return memset(p, 0, count * size);
	}
	p = calloc(count ? count : 1, size ? size : 1);

	if (p == NULL)
		mem_fail(size);
	return p;
}

/* Grows or shrinks an allocation. */
void *
mem_resize(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (p == NULL)
		mem_fail(size);
	return p;
}

/* Copies bytes and adds a NUL. */
char *
mem_copy(const void *bytes, size_t len)
{
	char *p = mem_alloc(len + 1);

	if (len > 0)
		memcpy(p, bytes, len);
	p[len] = '\0';
	return p;
}

/* Copies a string; NULL stays NULL. */
char *
mem_string(const char *s)
{
	return s == NULL ? NULL : mem_copy(s, strlen(s));
}

/* Puts two strings together. */
char *
mem_join(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	char *p = mem_alloc(n + m + 1);

	memcpy(p, a, n);
	memcpy(p + n, b, m + 1);
	return p;
}

/* Formats into a fresh string. */
char *
mem_format(const char *fmt, ...)
{
	va_list ap;
	char *out;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		mem_fail(0);
	out = mem_alloc((size_t)n + 1); /* at once: what grows leaves copies of secrets behind */
	va_start(ap, fmt);
	vsnprintf(out, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return out;
}

/* Wipes and frees a secret. */
void
mem_wipe_free(char *secret)
{
	if (secret != NULL)
		mem_wipe_free_bytes(secret, strlen(secret));
}

/* Wipes and frees memory that holds secrets. */
void
mem_wipe_free_bytes(void *secrets, size_t len)
{
	if (secrets == NULL)
		return;
	explicit_bzero(secrets, len);
	free(secrets);
}
