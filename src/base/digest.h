#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_SIZE 65 /* SHA-256 as lower-case hex, and the NUL */

#define DIGEST_SIZE 32     /* its bytes */

/* SHA-256 of the bytes. */
void digest_hex(const void *bytes, size_t len, char out[DIGEST_HEX_SIZE]);
void digest_raw(const void *bytes, size_t len, unsigned char out[DIGEST_SIZE]);

/* Writes bytes as lower-case hex, 2 * n characters and the NUL. */
void digest_print(const unsigned char *bytes, size_t n, char *out);

/* SHA-256 of bytes that come in pieces: begun, added to, and ended, which frees it. */
struct digest;
struct digest *digest_begin(void);
void digest_add(struct digest *, const void *bytes, size_t len);
void digest_end(struct digest *, char out[DIGEST_HEX_SIZE]);
void digest_end_raw(struct digest *, unsigned char out[DIGEST_SIZE]);

#define DIGEST_FINGERPRINT_SIZE 20 /* "sha256:", 12 hex digits, and the NUL */

/* What is shown in the place of a secret, so that two can be told apart. */
void digest_fingerprint(const char *secret, char out[DIGEST_FINGERPRINT_SIZE]);

#endif
