#include "config.h"

#include "base/uuid.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Fills bytes from the kernel. */
void
uuid_random(void *bytes, size_t len)
{
	unsigned char *p = bytes;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno != EINTR)
			abort();
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

/* Writes a UUID of random bytes. */
void
uuid_of(const unsigned char random[UUID_BYTES], char out[UUID_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char b[UUID_BYTES];
	char *p = out;

	memcpy(b, random, sizeof b);
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (int i = 0; i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[b[i] >> 4];
		*p++ = hex[b[i] & 15];
	}
	*p = '\0';
}

/* Writes a fresh one. */
void
uuid_make(char out[UUID_SIZE])
{
	unsigned char random[UUID_BYTES];

	uuid_random(random, sizeof random);
	uuid_of(random, out);
}

/* Checks the form. */
bool
uuid_valid(const char *text, size_t len)
{
	if (len != UUID_SIZE - 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}
