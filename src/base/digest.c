#include "config.h"

#include "base/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A digest is OpenSSL's context; it has no members of ours. */
static EVP_MD_CTX *
digest_context(struct digest *d)
{
	return (EVP_MD_CTX *)d;
}

/* Writes bytes in hex. */
void
digest_print(const unsigned char *bytes, size_t n, char *out)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = hex[bytes[i] >> 4];
		out[2 * i + 1] = hex[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

/* SHA-256. */
void
digest_raw(const void *bytes, size_t len, unsigned char out[DIGEST_SIZE])
{
	unsigned n = 0;

	if (EVP_Digest(bytes, len, out, &n, EVP_sha256(), NULL) != 1 || n != DIGEST_SIZE)
		abort();
}

/* SHA-256, in hex. */
void
digest_hex(const void *bytes, size_t len, char out[DIGEST_HEX_SIZE])
{
	unsigned char md[DIGEST_SIZE];

	digest_raw(bytes, len, md);
	digest_print(md, sizeof md, out);
}

/* Begins. */
struct digest *
digest_begin(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	if (c == NULL || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1)
		abort();
	return (struct digest *)c;
}

/* Adds. */
void
digest_add(struct digest *d, const void *bytes, size_t len)
{
	if (EVP_DigestUpdate(digest_context(d), bytes, len) != 1)
		abort();
}

/* Ends. */
void
digest_end_raw(struct digest *d, unsigned char out[DIGEST_SIZE])
{
	unsigned n = 0;

	if (EVP_DigestFinal_ex(digest_context(d), out, &n) != 1 || n != DIGEST_SIZE)
		abort();
	EVP_MD_CTX_free(digest_context(d));
}

/* Ends, in hex. */
void
digest_end(struct digest *d, char out[DIGEST_HEX_SIZE])
{
	unsigned char md[DIGEST_SIZE];

	digest_end_raw(d, md);
	digest_print(md, sizeof md, out);
}

/* The beginning of the digest. */
void
digest_fingerprint(const char *secret, char out[DIGEST_FINGERPRINT_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(secret, strlen(secret), hex);
	snprintf(out, DIGEST_FINGERPRINT_SIZE, "sha256:%.12s", hex);
}
