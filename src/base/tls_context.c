#include "config.h"

#include "base/tls_context.h"
#include "base/mem.h"
#include "base/tls_talk.h"
#include "base/tls_ticket.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TLS_CONTEXT_CHAIN_MAX 10 /* certificates in one file */
#define TLS_CONTEXT_IDENTITY 32  /* bytes of SHA-256, and of OpenSSL's session context */

static const char tls_context_suites[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

struct tls_context {
	SSL_CTX *ctx;
	atomic_uint refs;
	int64_t begins, expires;
	unsigned char identity[TLS_CONTEXT_IDENTITY]; /* of the settings */
};

/* One under construction. */
struct tls_maker {
	const struct tls_settings *settings;
	struct tls_context *tls;
	enum tls_part *at;
	struct fail *fail;
};

/* Notes what is wrong; with OpenSSL's reason when it has one. */
static int
tls_context_refuse(struct tls_maker *m, enum tls_part at, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	*m->at = at;
	return fail_set(m->fail, "%s%s%s", what, reason != NULL ? ": " : "",
	    reason != NULL ? reason : "");
}

/* The end of a certificate's time, or its beginning, in seconds since 1970. */
static int64_t
tls_context_seconds(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* A text without its secrets' own copy: OpenSSL reads it where it is. */
static BIO *
tls_context_text(const char *text)
{
	ERR_clear_error();
	return BIO_new_mem_buf(text, -1);
}

/* The next certificate of a text; NULL at its end, or with *bad for what is none. */
static X509 *
tls_context_next(BIO *text, bool *bad)
{
	X509 *x = PEM_read_bio_X509(text, NULL, NULL, NULL);
	unsigned long error = ERR_peek_last_error();

	*bad = x == NULL && !(ERR_GET_LIB(error) == ERR_LIB_PEM &&
	    ERR_GET_REASON(error) == PEM_R_NO_START_LINE);
	if (!*bad)
		ERR_clear_error();
	return x;
}

/* Takes one certificate: the first is the server's own, others go along with it. */
static int
tls_context_take_certificate(struct tls_maker *m, X509 *x, unsigned n)
{
	int64_t expires = tls_context_seconds(X509_get0_notAfter(x));
	struct tls_context *tls = m->tls;
	int taken;

	if (n == 0)
		tls->begins = tls_context_seconds(X509_get0_notBefore(x));
	if (n == 0 || expires < tls->expires)
		tls->expires = expires;
	taken = n == 0 ? SSL_CTX_use_certificate(tls->ctx, x) : (int)SSL_CTX_add1_chain_cert(tls->ctx, x);
	if (taken == 1)
		return 0;
	return tls_context_refuse(m, TLS_PART_CERTIFICATE, "holds a certificate that cannot be used");
}

/* Takes the server's certificates. */
static int
tls_context_take_chain(struct tls_maker *m)
{
	BIO *text = tls_context_text(m->settings->certificate);
	unsigned n = 0;
	int result = 0;
	bool bad = false;
	X509 *x;

	while (result == 0 && (x = tls_context_next(text, &bad)) != NULL) {
		if (n == TLS_CONTEXT_CHAIN_MAX)
			result = tls_context_refuse(m, TLS_PART_CERTIFICATE,
			    "holds too many certificates; it should hold the server's own and those "
			    "that lead to its authority");
		else
			result = tls_context_take_certificate(m, x, n++);
		X509_free(x);
	}
	BIO_free(text);
	if (result == 0 && bad)
		return tls_context_refuse(m, TLS_PART_CERTIFICATE, "holds a certificate that is broken");
	if (result == 0 && n == 0)
		return tls_context_refuse(m, TLS_PART_CERTIFICATE,
		    "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
	return result;
}

/* Asked for the password of a key: there is none. */
static int
tls_context_no_password(char *password, int size, int writing, void *arg)
{
	return 0;
}

/* Takes the server's key. */
static int
tls_context_take_key(struct tls_maker *m)
{
	BIO *text = tls_context_text(m->settings->key);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, tls_context_no_password, NULL);
	X509 *own = SSL_CTX_get0_certificate(m->tls->ctx);
	int result = 0;

	BIO_free(text);
	if (key == NULL) {
		bool locked = strstr(m->settings->key, "ENCRYPTED") != NULL;

		ERR_clear_error();
		return tls_context_refuse(m, TLS_PART_KEY, locked ?
		    "is encrypted, and nobody is there to give its password; write it without one "
		    "(openssl pkey -in FILE -out NEW)" :
		    "holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
	}
	if (X509_check_private_key(own, key) != 1) {
		ERR_clear_error();
		result = tls_context_refuse(m, TLS_PART_KEY, "does not belong to tls.certificate, whose "
		    "first certificate must be the server's own");
	} else if (SSL_CTX_use_PrivateKey(m->tls->ctx, key) != 1) {
		result = tls_context_refuse(m, TLS_PART_KEY, "cannot be used");
	}
	EVP_PKEY_free(key);
	return result;
}

/* Trusts one authority of clients. */
static bool
tls_context_trust(struct tls_maker *m, X509 *x)
{
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(m->tls->ctx), x) == 1 &&
	    SSL_CTX_add_client_CA(m->tls->ctx, x) == 1;
}

/* Takes the authorities of clients' certificates. */
static int
tls_context_take_clients(struct tls_maker *m)
{
	int mode = SSL_VERIFY_PEER;
	bool bad = false, good = true;
	unsigned n = 0;
	BIO *text;
	X509 *x;

	if (m->settings->clients == TLS_CLIENTS_OFF)
		return 0;
	text = tls_context_text(m->settings->client_ca);
	while (good && (x = tls_context_next(text, &bad)) != NULL) {
		good = tls_context_trust(m, x);
		X509_free(x);
		n++;
	}
	BIO_free(text);
	if (bad || !good)
		return tls_context_refuse(m, TLS_PART_CLIENT_CA, "holds a certificate that cannot be used");
	if (n == 0)
		return tls_context_refuse(m, TLS_PART_CLIENT_CA,
		    "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
	if (m->settings->clients == TLS_CLIENTS_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(m->tls->ctx, mode, NULL);
	return 0;
}

/* Chooses the protocol above TLS: the client's list has a length byte before each name. */
static int
tls_context_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned inlen, void *arg)
{
	static const char http[] = "http/1.1";

	for (unsigned i = 0; i < inlen && i + 1U + in[i] <= inlen; i += 1U + in[i]) {
		if (in[i] != sizeof http - 1 || memcmp(in + i + 1, http, sizeof http - 1) != 0)
			continue;
		*out = in + i + 1;
		*outlen = in[i];
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol (RFC 7301, 3.2) */
}

/* Remembers what it was made from, which also keeps a session of other settings from
 * being resumed. */
static bool
tls_context_identify(struct tls_maker *m)
{
	const struct tls_settings *s = m->settings;
	const char *texts[] = {s->certificate, s->key, s->client_ca != NULL ? s->client_ca : ""};
	unsigned char rules[] = {(unsigned char)s->clients, s->only_1_3};
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(md, rules, sizeof rules) == 1;

	for (size_t i = 0; good && i < sizeof texts / sizeof *texts; i++)
		good = EVP_DigestUpdate(md, texts[i], strlen(texts[i]) + 1) == 1;
	good = good && EVP_DigestFinal_ex(md, m->tls->identity, NULL) == 1;
	EVP_MD_CTX_free(md);
	return good && SSL_CTX_set_session_id_context(m->tls->ctx, m->tls->identity,
	    sizeof m->tls->identity) == 1;
}

/* Sets the rules of every connection; -1 when there is no memory. */
static int
tls_context_set_rules(struct tls_maker *m)
{
	int min = m->settings->only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
	SSL_CTX *ctx = m->tls->ctx = SSL_CTX_new(TLS_server_method());

	ERR_clear_error();
	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, min) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, tls_context_suites) != 1 ||
	    tls_ticket_use(ctx, NULL) != 0 || !tls_context_identify(m))
		return tls_context_refuse(m, TLS_PART_CERTIFICATE, "cannot be used");
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
	    SSL_OP_CLEANSE_PLAINTEXT); /* tokens come in it */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets only */
	SSL_CTX_set_alpn_select_cb(ctx, tls_context_on_alpn, NULL);
	tls_talk_limit(ctx);
	return 0;
}

/* Makes one. */
struct tls_context *
tls_context_new(const struct tls_settings *settings, enum tls_part *at, struct fail *fail)
{
	struct tls_context *tls = mem_zero(1, sizeof *tls);
	struct tls_maker m = {settings, tls, at, fail};
	int result;

	atomic_init(&tls->refs, 1);
	result = tls_context_set_rules(&m);
	if (result == 0)
		result = tls_context_take_chain(&m);
	if (result == 0)
		result = tls_context_take_key(&m);
	if (result == 0)
		result = tls_context_take_clients(&m);
	ERR_clear_error();
	if (result == 0)
		return tls;
	tls_context_unref(tls);
	return NULL;
}

/* Shares it. */
struct tls_context *
tls_context_ref(struct tls_context *tls)
{
	if (tls != NULL)
		atomic_fetch_add(&tls->refs, 1);
	return tls;
}

/* Lets go of it; connections keep what they need. */
void
tls_context_unref(struct tls_context *tls)
{
	if (tls == NULL || atomic_fetch_sub(&tls->refs, 1) > 1)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}

/* A new connection. */
SSL *
tls_context_connection(const struct tls_context *tls)
{
	SSL *ssl = SSL_new(tls->ctx);

	if (ssl != NULL)
		SSL_set_accept_state(ssl);
	return ssl;
}

/* Compares two. */
bool
tls_context_same(const struct tls_context *a, const struct tls_context *b)
{
	return memcmp(a->identity, b->identity, sizeof a->identity) == 0;
}

/* Since when it is valid. */
int64_t
tls_context_begins(const struct tls_context *tls)
{
	return tls->begins;
}

/* Until when it is valid. */
int64_t
tls_context_expires(const struct tls_context *tls)
{
	return tls->expires;
}
