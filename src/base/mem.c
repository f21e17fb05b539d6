#include "config.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Returns zeroed memory for count objects. */
void *
mem_zero(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

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

/* Formats into a fresh string. */
char *
mem_format(const char *fmt, ...)
{
	va_list ap;
	char *out;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&out, fmt, ap);
	va_end(ap);
	if (n < 0)
		mem_fail(0);
	return out;
}

/* Wipes and frees a secret. */
void
mem_wipe_free(char *secret)
{
	if (secret == NULL)
		return;
	explicit_bzero(secret, strlen(secret));
	free(secret);
}
