#ifndef BASE_OCTET_H
#define BASE_OCTET_H

#include <stdbool.h>

/* Classes of bytes in HTTP, as bits; one table look-up each. */
#define OCTET_TOKEN 1  /* tchar (RFC 9110, 5.6.2) */
#define OCTET_TEXT 2   /* HTAB, SP, VCHAR, obs-text: what a field value is made of (5.5) */
#define OCTET_TARGET 4 /* VCHAR but '#': a request target has no fragment (RFC 9112, 3.2) */
#define OCTET_METHOD 8 /* every registered method is made of these: A-Z and '-' */
#define OCTET_NAME 16  /* of a registered host name: letters, digits, '-', '.', '_' */
#define OCTET_ID 32    /* of an X-Request-Id that is taken over */
#define OCTET_SPACE 64 /* SP, HTAB */
#define OCTET_UNRESERVED 128 /* of a URI, where it never needs an escape (RFC 3986, 2.3) */

extern const unsigned char octet_class[256];

/* The byte in lower case if it may stand in a token, else 0. */
extern const unsigned char octet_lower[256];

/* Whether the byte is of one of the classes. */
static inline bool
octet_is(char c, unsigned classes)
{
	return (octet_class[(unsigned char)c] & classes) != 0;
}

/* The value of a hexadecimal digit, or -1. */
static inline int
octet_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
