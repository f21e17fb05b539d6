#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>

#define UUID_SIZE 37 /* 36 characters and the NUL */

/* Writes a random version 4 UUID (RFC 9562) in lower case. */
void uuid_make(char out[UUID_SIZE]);

/* True for 8-4-4-4-12 hexadecimal digits, either case, nothing else. */
bool uuid_valid(const char *text, size_t len);

/* Fills bytes from the kernel's random source. */
void uuid_random(void *bytes, size_t len);

#endif
