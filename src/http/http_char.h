#ifndef HTTP_CHAR_H
#define HTTP_CHAR_H

#include <stdbool.h>

/* Classes of bytes in HTTP, as bits; one table look-up each. */
#define HTTP_CHAR_TOKEN 1  /* tchar (RFC 9110, 5.6.2) */
#define HTTP_CHAR_TEXT 2   /* HTAB, SP, VCHAR, obs-text: what a field value is made of (5.5) */
#define HTTP_CHAR_TARGET 4 /* VCHAR but '#': a request target has no fragment (RFC 9112, 3.2) */
#define HTTP_CHAR_METHOD 8 /* every registered method is made of these: A-Z and '-' */
#define HTTP_CHAR_NAME 16  /* of a registered host name: letters, digits, '-', '.', '_' */
#define HTTP_CHAR_ID 32    /* of an X-Request-Id that is taken over */
#define HTTP_CHAR_SPACE 64 /* SP, HTAB */

extern const unsigned char http_char_class[256];

/* The byte in lower case if it may stand in a token, else 0. */
extern const unsigned char http_char_lower[256];

/* Whether the byte is of one of the classes. */
static inline bool
http_char_is(char c, unsigned classes)
{
	return (http_char_class[(unsigned char)c] & classes) != 0;
}

/* The value of a hexadecimal digit, or -1. */
static inline int
http_char_hex(char c)
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
