#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the UTF-8 sequence of a byte above 0x7F at `p` (The Unicode
 * Standard, table 3-7: no overlong forms, no surrogates, nothing above
 * U+10FFFF); 0 when it is none. */
static inline size_t
utf8_sequence(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t have = (size_t)(end - p), need;
	unsigned char low = 0x80, high = 0xBF;

	if (u[0] < 0xC2 || u[0] > 0xF4)
		return 0;
	need = u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : 4;
	if (u[0] == 0xE0)
		low = 0xA0;
	else if (u[0] == 0xED)
		high = 0x9F;
	else if (u[0] == 0xF0)
		low = 0x90;
	else if (u[0] == 0xF4)
		high = 0x8F;
	if (have < need || u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if (u[i] < 0x80 || u[i] > 0xBF)
			return 0;
	return need;
}

/* The length of the part in front that is UTF-8: len when all is. */
static inline size_t
utf8_span(const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	size_t n = 1;

	for (; p < end && n > 0; p += n)
		n = (unsigned char)*p < 0x80 ? 1 : utf8_sequence(p, end);
	return (size_t)(p - text);
}

#endif
