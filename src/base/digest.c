#include "config.h"

#include "base/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SHA-256, in hex. */
void
digest_hex(const void *bytes, size_t len, char out[DIGEST_HEX_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_Digest(bytes, len, md, &n, EVP_sha256(), NULL) != 1 || n != 32)
		abort();
	for (unsigned i = 0; i < n; i++) {
		out[2 * i] = hex[md[i] >> 4];
		out[2 * i + 1] = hex[md[i] & 15];
	}
	out[64] = '\0';
}

/* The beginning of the digest. */
void
digest_fingerprint(const char *secret, char out[DIGEST_FINGERPRINT_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(secret, strlen(secret), hex);
	snprintf(out, DIGEST_FINGERPRINT_SIZE, "sha256:%.12s", hex);
}
