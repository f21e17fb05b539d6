#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Finding the end of a run of string bytes that need no care, eight at a time.
 * Inside this room only.
 */
#define JSON_SCAN_ONES UINT64_C(0x0101010101010101)
#define JSON_SCAN_TOPS UINT64_C(0x8080808080808080)

/* Whether one of the eight bytes is zero. */
static inline uint64_t
json_scan_zero(uint64_t x)
{
	return (x - JSON_SCAN_ONES) & ~x & JSON_SCAN_TOPS;
}

/* Whether a byte needs care: a quote, a backslash, a control byte, or one of `tops`. */
static inline int
json_scan_special(unsigned char c, unsigned char tops)
{
	return c == '"' || c == '\\' || c < 0x20 || (c & tops) != 0;
}

/* The first byte that needs care, or `end`. `tops` is 0x80 when bytes above
 * 0x7F need care too, else 0. */
static inline const char *
json_scan(const char *p, const char *end, unsigned char tops)
{
	uint64_t x;

	while (end - p >= 8) {
		memcpy(&x, p, sizeof x);
		if ((x & (tops * JSON_SCAN_ONES)) | json_scan_zero(x ^ ('"' * JSON_SCAN_ONES)) |
		    json_scan_zero(x ^ ('\\' * JSON_SCAN_ONES)) |
		    ((x - 0x20 * JSON_SCAN_ONES) & ~x & JSON_SCAN_TOPS))
			break;
		p += 8;
	}
	while (p < end && !json_scan_special((unsigned char)*p, tops))
		p++;
	return p;
}

#endif
