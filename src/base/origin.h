#ifndef BASE_ORIGIN_H
#define BASE_ORIGIN_H

#include <stdbool.h>

/*
 * The origin of a web page as text (RFC 6454, 6.2): scheme "://" host [":" port].
 * In its normal form scheme and host are in lower case, an IPv6 address is in its
 * shortest form, and a port that the scheme means anyway is left out, so that two
 * origins are the same when their texts are.
 */
#define ORIGIN_SIZE 320 /* bytes of a normal form at most, its NUL included */

/* Writes the normal form of an origin; false for what is none, such as "null", a
 * URL with a path (even "/"), and names beyond ASCII, which browsers write as xn--. */
bool origin_normal(const char *text, char out[ORIGIN_SIZE]);

#endif
