#include "config.h"

#include "base/decimal.h"

/* Writes a number, from its end. */
const char *
decimal_text(char text[DECIMAL_SIZE], int64_t n)
{
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;
	char *at = text + DECIMAL_SIZE - 1;

	*at = '\0';
	do
		*--at = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (n < 0)
		*--at = '-';
	return at;
}
