#include "config.h"

#include "base/tls_talk.h"

#include <pthread.h>
#include <stdint.h>

#define TLS_TALK_HANDSHAKE 22 /* the type of such a record (RFC 8446, 5.1) */

static pthread_once_t tls_talk_once = PTHREAD_ONCE_INIT;
static int tls_talk_index; /* of the count, at each connection */

/* Makes a place for the count. */
static void
tls_talk_prepare(void)
{
	tls_talk_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

/* A record has come or gone, or a part of it was looked at. TLS 1.2 names the type in the
 * record's head, 1.3 inside. */
static void
tls_talk_on_message(int gone, int version, int part, const void *bytes, size_t len, SSL *ssl,
    void *arg)
{
	uintptr_t said;

	if (gone != 0 || len == 0 || (part != SSL3_RT_HEADER && part != SSL3_RT_INNER_CONTENT_TYPE) ||
	    *(const unsigned char *)bytes != TLS_TALK_HANDSHAKE || !SSL_is_init_finished(ssl))
		return;
	said = (uintptr_t)SSL_get_ex_data(ssl, tls_talk_index) + 1;
	SSL_set_ex_data(ssl, tls_talk_index, (void *)said);
	if (said > TLS_TALK_MAX) /* OpenSSL looks at nothing any more, not even at this record */
		SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
}

/* Limits a context. */
void
tls_talk_limit(SSL_CTX *ctx)
{
	pthread_once(&tls_talk_once, tls_talk_prepare);
	SSL_CTX_set_msg_callback(ctx, tls_talk_on_message);
}
