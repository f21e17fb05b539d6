#include "config.h"

#include "certificate.h"
#include "unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define HOUR 3600

/* What was written, as text. */
static char *
text_of(BIO *b)
{
	char *data, *text;
	long len = BIO_get_mem_data(b, &data);

	text = strndup(data, (size_t)len);
	BIO_free(b);
	return text;
}

/* Adds an extension. */
static void
extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	ck_assert_ptr_nonnull(e);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

/* Reads one, and its key. */
static X509 *
read_both(const struct certificate *c, EVP_PKEY **key)
{
	BIO *b = BIO_new_mem_buf(c->pem, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	b = BIO_new_mem_buf(c->key, -1);
	*key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	BIO_free(b);
	ck_assert(x != NULL && *key != NULL);
	return x;
}

/* Fills a certificate in. */
static void
fill(X509 *x, EVP_PKEY *key, const struct certificate_wish *w)
{
	static long serial;
	bool dated = w->from_s != 0 || w->to_s != 0;
	X509_NAME *name = X509_get_subject_name(x);
	const char *cn = w->name != NULL ? w->name : "localhost";
	char names[200];

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(x), dated ? w->from_s : -HOUR);
	X509_gmtime_adj(X509_getm_notAfter(x), dated ? w->to_s : 24 * HOUR);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_pubkey(x, key);
	extend(x, NID_basic_constraints, w->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	snprintf(names, sizeof names, "DNS:%s%s", cn, w->name == NULL ? ",IP:127.0.0.1" : "");
	extend(x, NID_subject_alt_name, names);
}

/* Makes one. */
void
certificate_make(struct certificate *c, const struct certificate_wish *w)
{
	EVP_PKEY *key = w->weak ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256"), *signer = key;
	X509 *x = X509_new(), *issuer = x;
	BIO *b;

	ck_assert(key != NULL && x != NULL);
	fill(x, key, w);
	if (w->issuer != NULL)
		issuer = read_both(w->issuer, &signer);
	X509_set_issuer_name(x, X509_get_subject_name(issuer));
	ck_assert_int_gt(X509_sign(x, signer, EVP_sha256()), 0);
	b = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(b, x);
	c->pem = text_of(b);
	b = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
	c->key = text_of(b);
	if (issuer != x) {
		X509_free(issuer);
		EVP_PKEY_free(signer);
	}
	X509_free(x);
	EVP_PKEY_free(key);
}

/* Frees it. */
void
certificate_free(struct certificate *c)
{
	free(c->pem);
	free(c->key);
	memset(c, 0, sizeof *c);
}

/* Shows it. */
void
certificate_use(SSL_CTX *ctx, const struct certificate *c)
{
	EVP_PKEY *key;
	X509 *x = read_both(c, &key);

	ck_assert_int_eq(SSL_CTX_use_certificate(ctx, x), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(ctx, key), 1);
	X509_free(x);
	EVP_PKEY_free(key);
}
