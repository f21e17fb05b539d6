#include "config.h"

#include "base/tls_ticket.h"
#include "base/mem.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TLS_TICKET_NAME 16
#define TLS_TICKET_KEY 32

/* One key, and since when it makes tickets. */
struct tls_ticket_key {
	unsigned char name[TLS_TICKET_NAME]; /* as tickets show it */
	unsigned char cipher[TLS_TICKET_KEY], mac[TLS_TICKET_KEY];
	int64_t since;
	bool good; /* it was made */
};

/* The key in use and the one before. */
struct tls_tickets {
	pthread_mutex_t lock; /* several loops may use one context */
	int64_t (*now)(void);
	struct tls_ticket_key current, before;
};

static pthread_once_t tls_ticket_once = PTHREAD_ONCE_INIT;
static int tls_ticket_index = -1; /* where a context has its keys */

/* The machine's seconds. */
static int64_t
tls_ticket_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Wipes the keys of a context that is freed. */
static void
tls_ticket_on_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	struct tls_tickets *t = ptr;

	if (t == NULL)
		return;
	pthread_mutex_destroy(&t->lock);
	OPENSSL_cleanse(t, sizeof *t);
	free(t);
}

/* Finds the place in a context. */
static void
tls_ticket_prepare(void)
{
	tls_ticket_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, tls_ticket_on_free);
}

/* Makes a key. */
static void
tls_ticket_make(struct tls_ticket_key *k, int64_t now)
{
	k->since = now;
	k->good = RAND_bytes(k->name, sizeof k->name) == 1 &&
	    RAND_priv_bytes(k->cipher, sizeof k->cipher) == 1 &&
	    RAND_priv_bytes(k->mac, sizeof k->mac) == 1;
}

/* Whether a key makes tickets at this time. */
static bool
tls_ticket_is_young(const struct tls_ticket_key *k, int64_t now)
{
	return k->good && now - k->since < TLS_TICKET_ROTATE_S;
}

/* Brings the keys to the present, with one that was made; with the lock. */
static void
tls_ticket_rotate(struct tls_tickets *t, const struct tls_ticket_key *made, int64_t now)
{
	if (t->before.good && now - t->before.since >= 2 * TLS_TICKET_ROTATE_S)
		OPENSSL_cleanse(&t->before, sizeof t->before);
	if (tls_ticket_is_young(&t->current, now))
		return;
	OPENSSL_cleanse(&t->before, sizeof t->before);
	if (t->current.good && now - t->current.since < 2 * TLS_TICKET_ROTATE_S)
		t->before = t->current;
	t->current = *made;
}

/* Takes the lock, with keys of the present. A key is made without it: that may ask the kernel. */
static void
tls_ticket_lock(struct tls_tickets *t)
{
	struct tls_ticket_key made = {.good = false};
	int64_t now = t->now();

	pthread_mutex_lock(&t->lock);
	if (!tls_ticket_is_young(&t->current, now)) {
		pthread_mutex_unlock(&t->lock);
		tls_ticket_make(&made, now);
		pthread_mutex_lock(&t->lock);
	}
	tls_ticket_rotate(t, &made, now);
	OPENSSL_cleanse(&made, sizeof made);
}

/* Finds the key for a new ticket, or by the name that a ticket shows; false without one. */
static bool
tls_ticket_find(struct tls_tickets *t, const unsigned char *name, struct tls_ticket_key *out,
    bool *late)
{
	const struct tls_ticket_key *found = NULL;

	tls_ticket_lock(t);
	if (name == NULL || memcmp(name, t->current.name, TLS_TICKET_NAME) == 0)
		found = &t->current;
	else if (memcmp(name, t->before.name, TLS_TICKET_NAME) == 0)
		found = &t->before;
	*late = found == &t->before;
	if (found != NULL)
		*out = *found;
	pthread_mutex_unlock(&t->lock);
	return found != NULL && out->good;
}

/* Sets the ciphers of a ticket up; false when they refuse. */
static bool
tls_ticket_set_up(const struct tls_ticket_key *k, unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int encrypt)
{
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)k->mac, sizeof k->mac),
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
	    OSSL_PARAM_construct_end()};

	return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv, encrypt) == 1 &&
	    EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* Chooses the key of a ticket (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)): 0 goes without
 * one, 2 wants a newer one made. */
static int
tls_ticket_on_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int encrypt)
{
	struct tls_tickets *t = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tls_ticket_index);
	struct tls_ticket_key key;
	bool late, good;

	if (!tls_ticket_find(t, encrypt ? NULL : name, &key, &late))
		return 0;
	if (encrypt)
		memcpy(name, key.name, sizeof key.name);
	good = (!encrypt || RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1) &&
	    tls_ticket_set_up(&key, iv, cipher, mac, encrypt);
	OPENSSL_cleanse(&key, sizeof key);
	if (!good)
		return -1;
	return late ? 2 : 1;
}

/* A ticket was read, or none came. A certificate of the client is not checked again with it,
 * so one that has ended meanwhile makes the ticket worthless: it must be shown anew. */
static SSL_TICKET_RETURN
tls_ticket_on_session(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t len,
    SSL_TICKET_STATUS status, void *arg)
{
	X509 *shown = session != NULL ? SSL_SESSION_get0_peer(session) : NULL;

	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (shown != NULL && X509_cmp_current_time(X509_get0_notAfter(shown)) <= 0)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/* Gives a context its keys. */
int
tls_ticket_use(SSL_CTX *ctx, int64_t (*now)(void))
{
	struct tls_tickets *t;

	pthread_once(&tls_ticket_once, tls_ticket_prepare);
	t = mem_zero(1, sizeof *t);
	pthread_mutex_init(&t->lock, NULL);
	t->now = now != NULL ? now : tls_ticket_clock;
	if (SSL_CTX_set_ex_data(ctx, tls_ticket_index, t) != 1) {
		tls_ticket_on_free(NULL, t, NULL, 0, 0, NULL);
		return -1;
	}
	SSL_CTX_set_timeout(ctx, 2 * TLS_TICKET_ROTATE_S);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, tls_ticket_on_key);
	SSL_CTX_set_session_ticket_cb(ctx, NULL, tls_ticket_on_session, NULL);
	return 0;
}
