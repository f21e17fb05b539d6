#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdint.h>

#define DECIMAL_SIZE 21 /* bytes of a number as text, with sign and NUL */

/* Writes a number; gives where it begins in `text`. Printing it takes ten times as long. */
const char *decimal_text(char text[DECIMAL_SIZE], int64_t n);

#endif
