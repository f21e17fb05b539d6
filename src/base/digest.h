#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_SIZE 65 /* SHA-256 as lower-case hex, and the NUL */

/* SHA-256 of the bytes. */
void digest_hex(const void *bytes, size_t len, char out[DIGEST_HEX_SIZE]);

#endif
