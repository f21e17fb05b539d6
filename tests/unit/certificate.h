#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>

/*
 * Certificates for tests, made when they run. Whatever goes wrong fails the test.
 */
struct certificate {
	char *pem; /* of the certificate alone */
	char *key; /* PEM */
};

/* What a certificate is to be like. A zeroed one is signed by its own key. */
struct certificate_wish {
	const char *name;  /* common name, and a name in DNS; NULL: localhost, with 127.0.0.1 */
	const struct certificate *issuer; /* NULL: itself */
	bool authority;    /* may sign others */
	long from_s, to_s; /* from now; both 0: from an hour ago, for a day */
	bool weak;         /* RSA with 1,024 bits; otherwise P-256 */
};

void certificate_make(struct certificate *, const struct certificate_wish *);
void certificate_free(struct certificate *);

/* Has the connections of a context show it. */
void certificate_use(SSL_CTX *, const struct certificate *);

#endif
