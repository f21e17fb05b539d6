#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>

#define UUID_SIZE 37 /* 36 characters and the NUL */

#define UUID_BYTES 16

/* Writes a random version 4 UUID (RFC 9562) in lower case: of fresh bytes, or of random ones
 * that the caller has. */
void uuid_make(char out[UUID_SIZE]);
void uuid_of(const unsigned char random[UUID_BYTES], char out[UUID_SIZE]);

/* True for 8-4-4-4-12 hexadecimal digits, either case, nothing else. */
bool uuid_valid(const char *text, size_t len);

/* Fills bytes from the kernel's random source. */
void uuid_random(void *bytes, size_t len);

#endif
