#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_SIZE 65 /* SHA-256 as lower-case hex, and the NUL */

/* SHA-256 of the bytes. */
void digest_hex(const void *bytes, size_t len, char out[DIGEST_HEX_SIZE]);

/* SHA-256 of bytes that come in pieces: begun, added to, and ended, which frees it. */
struct digest;
struct digest *digest_begin(void);
void digest_add(struct digest *, const void *bytes, size_t len);
void digest_end(struct digest *, char out[DIGEST_HEX_SIZE]);

#define DIGEST_FINGERPRINT_SIZE 20 /* "sha256:", 12 hex digits, and the NUL */

/* What is shown in the place of a secret, so that two can be told apart. */
void digest_fingerprint(const char *secret, char out[DIGEST_FINGERPRINT_SIZE]);

#endif
