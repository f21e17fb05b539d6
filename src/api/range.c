#include "config.h"

#include "api/range.h"

#include <ctype.h>
#include <stddef.h>
#include <strings.h>

#define RANGE_DIGITS 18 /* more could overflow; no image is so long */

/* Reads a number; -1 without one. */
static int64_t
range_number(const char **p)
{
	int64_t n = 0;
	int digits = 0;

	for (; isdigit((unsigned char)**p); (*p)++)
		if (++digits <= RANGE_DIGITS)
			n = n * 10 + (**p - '0');
	if (digits > RANGE_DIGITS)
		return INT64_MAX;
	return digits > 0 ? n : -1;
}

/* Reads a Range field. */
enum range
range_read(const char *field, int64_t size, int64_t *first, int64_t *last)
{
	const char *p = field;

	if (field == NULL || strncasecmp(p, "bytes=", 6) != 0)
		return RANGE_WHOLE;
	p += 6;
	*first = range_number(&p);
	if (*p++ != '-')
		return RANGE_WHOLE;
	*last = range_number(&p);
	if (*p != '\0' || (*first < 0 && *last < 0) || (*last >= 0 && *first > *last))
		return RANGE_WHOLE;
	if (*first < 0) { /* the last so many bytes */
		if (*last == 0 || size == 0)
			return RANGE_NONE_SUCH;
		*first = *last < size ? size - *last : 0;
		*last = size - 1;
		return RANGE_PART;
	}
	if (*first >= size)
		return RANGE_NONE_SUCH;
	if (*last < 0 || *last >= size)
		*last = size - 1;
	return RANGE_PART;
}
