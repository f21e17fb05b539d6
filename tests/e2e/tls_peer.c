#include "config.h"

#include "tls_peer.h"
#include "unit.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_S 20
#define HEAD_MAX 8192

/* Trusts one authority, and nobody else. */
static void
trust(SSL_CTX *ctx, const struct certificate *c)
{
	BIO *b = BIO_new_mem_buf(c->pem, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x);
	X509_free(x);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
}

/* What all its connections have. */
static SSL_CTX *
prepare(const struct tls_wish *w)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (w->min != 0)
		SSL_CTX_set_min_proto_version(ctx, w->min);
	if (w->max != 0)
		SSL_CTX_set_max_proto_version(ctx, w->max);
	if (w->max != 0 && w->max < TLS1_2_VERSION)
		SSL_CTX_set_security_level(ctx, 0);
	if (w->alpn != NULL)
		SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)w->alpn, (unsigned)strlen(w->alpn));
	if (w->own != NULL)
		certificate_use(ctx, w->own);
	if (w->trust != NULL)
		trust(ctx, w->trust);
	return ctx;
}

/* Connects. */
bool
tls_peer_open(struct tls_peer *p, int port, const struct tls_wish *wish)
{
	static const struct tls_wish anything = {0};
	const struct tls_wish *w = wish != NULL ? wish : &anything;
	struct timeval wait = {WAIT_S, 0};
	SSL_CTX *ctx = prepare(w);

	signal(SIGPIPE, SIG_IGN);
	memset(p, 0, sizeof *p);
	p->fd = raw_connect(port);
	setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	p->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(p->ssl, p->fd);
	if (w->trust != NULL)
		SSL_set1_host(p->ssl, "localhost");
	if (w->resume != NULL)
		SSL_set_session(p->ssl, w->resume);
	if (SSL_connect(p->ssl) == 1)
		return true;
	tls_peer_close(p);
	return false;
}

/* Hangs up. */
void
tls_peer_close(struct tls_peer *p)
{
	if (p->ssl == NULL)
		return;
	if (SSL_is_init_finished(p->ssl))
		SSL_shutdown(p->ssl);
	SSL_free(p->ssl);
	close(p->fd);
	p->ssl = NULL;
}

/* Sends. */
bool
tls_peer_send(struct tls_peer *p, const char *bytes, size_t len)
{
	return SSL_write(p->ssl, bytes, (int)len) == (int)len;
}

/* Reads. */
size_t
tls_peer_read(struct tls_peer *p, char *bytes, size_t len)
{
	size_t got = 0;

	while (got < len) {
		int n = SSL_read(p->ssl, bytes + got, (int)(len - got));

		if (n <= 0) {
			p->cut = SSL_get_error(p->ssl, n) != SSL_ERROR_ZERO_RETURN;
			break;
		}
		got += (size_t)n;
	}
	return got;
}

/* Reads a head, byte by byte; false at an end before it. */
static bool
read_head(struct tls_peer *p, char head[HEAD_MAX])
{
	size_t n = 0;

	while (n < HEAD_MAX - 1 && tls_peer_read(p, head + n, 1) == 1) {
		head[++n] = '\0';
		if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

/* Asks. */
int
tls_peer_ask(struct tls_peer *p, const char *request, char *body, size_t size)
{
	char head[HEAD_MAX], *at, rest[4096];
	size_t len = 0, kept;

	if (!tls_peer_send(p, request, strlen(request)) || !read_head(p, head))
		return 0;
	at = strcasestr(head, "\r\ncontent-length:");
	if (at != NULL)
		len = (size_t)atol(at + 17);
	kept = body == NULL ? 0 : len < size - 1 ? len : size - 1;
	if (body != NULL)
		body[kept] = '\0';
	if (kept > 0 && tls_peer_read(p, body, kept) != kept)
		return 0;
	for (len -= kept; len > 0;) {
		size_t n = tls_peer_read(p, rest, len < sizeof rest ? len : sizeof rest);

		if (n == 0)
			return 0;
		len -= n;
	}
	return atoi(head + 9);
}

/* Connects and asks. */
int
tls_ask(int port, const struct tls_wish *w, const char *request, char *body, size_t size)
{
	struct tls_peer p;
	int status;

	if (!tls_peer_open(&p, port, w))
		return 0;
	status = tls_peer_ask(&p, request, body, size);
	tls_peer_close(&p);
	return status;
}

/* The name on the certificate. */
const char *
tls_shown(int port)
{
	static char name[128];
	struct tls_peer p;

	name[0] = '\0';
	if (!tls_peer_open(&p, port, NULL))
		return name;
	X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(p.ssl)), NID_commonName,
	    name, sizeof name);
	tls_peer_close(&p);
	return name;
}
