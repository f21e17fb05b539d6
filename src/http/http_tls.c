#include "config.h"

#include "http/http_tls.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define HTTP_TLS_PIECE (1 << 30) /* bytes given to OpenSSL at once: it counts with int */
#define HTTP_TLS_READS 64        /* records taken before others have their turn: one may hold a byte */

/* ---- OpenSSL's way to the kernel: its own would raise SIGPIPE ---- */

static pthread_once_t http_tls_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *http_tls_method;

/* The descriptor. */
static int
http_tls_fd(BIO *b)
{
	return (int)(intptr_t)BIO_get_data(b);
}

/* Whether the kernel says "later". */
static bool
http_tls_later(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* Reads from the kernel. */
static int
http_tls_on_read(BIO *b, char *bytes, int len)
{
	ssize_t n = recv(http_tls_fd(b), bytes, (size_t)len, 0);

	BIO_clear_retry_flags(b);
	if (n < 0 && http_tls_later())
		BIO_set_retry_read(b);
	return (int)n;
}

/* Writes to the kernel. */
static int
http_tls_on_write(BIO *b, const char *bytes, int len)
{
	ssize_t n = send(http_tls_fd(b), bytes, (size_t)len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(b);
	if (n < 0 && http_tls_later())
		BIO_set_retry_write(b);
	return (int)n;
}

/* Everything else: nothing is held back that could be flushed. */
static long
http_tls_on_control(BIO *b, int what, long n, void *arg)
{
	return what == BIO_CTRL_FLUSH;
}

/* Makes the method once. */
static void
http_tls_prepare(void)
{
	http_tls_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client");
	if (http_tls_method == NULL)
		return;
	BIO_meth_set_read(http_tls_method, http_tls_on_read);
	BIO_meth_set_write(http_tls_method, http_tls_on_write);
	BIO_meth_set_ctrl(http_tls_method, http_tls_on_control);
}

/* ---- a connection ---- */

/* Begins. */
bool
http_tls_begin(struct http_socket *s, const struct tls_context *tls)
{
	BIO *b = NULL;

	pthread_once(&http_tls_once, http_tls_prepare);
	s->ssl = tls_context_connection(tls);
	if (s->ssl != NULL && http_tls_method != NULL)
		b = BIO_new(http_tls_method);
	if (b == NULL) {
		http_tls_free(s);
		return false;
	}
	BIO_set_data(b, (void *)(intptr_t)s->fd);
	BIO_set_init(b, 1);
	SSL_set_bio(s->ssl, b, b);
	return true;
}

/* Forgets. */
void
http_tls_free(struct http_socket *s)
{
	SSL_free(s->ssl);
	s->ssl = NULL;
	s->holds = s->wants_write = false;
}

/* What the caller should make of OpenSSL's error. */
static ssize_t
http_tls_error(struct http_socket *s, int result)
{
	int error = SSL_get_error(s->ssl, result);

	s->wants_write = error == SSL_ERROR_WANT_WRITE;
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return HTTP_SOCKET_LATER;
	return error == SSL_ERROR_ZERO_RETURN ? 0 : HTTP_SOCKET_BROKEN;
}

/* Whether a client speaks without TLS: its first byte, which stays where it is, is a
 * letter of a method. A TLS record begins with 22 (RFC 8446, 5.1). 0 when nothing is
 * there yet, -1 when nothing comes. */
static int
http_tls_is_plain(const struct http_socket *s, bool *plain)
{
	unsigned char first;
	ssize_t n = recv(s->fd, &first, 1, MSG_PEEK);

	if (n < 0)
		return http_tls_later() ? 0 : -1;
	*plain = n > 0 && isalpha(first);
	return n > 0 ? 1 : -1;
}

/* Looks at the first byte, once; 0 when TLS may go on. */
static ssize_t
http_tls_look(struct http_socket *s)
{
	bool plain = false;
	int here;

	if (!SSL_in_before(s->ssl))
		return 0;
	here = http_tls_is_plain(s, &plain);
	if (here <= 0)
		return here == 0 ? HTTP_SOCKET_LATER : HTTP_SOCKET_BROKEN;
	if (!plain)
		return 0;
	http_tls_free(s);
	return HTTP_SOCKET_PLAIN;
}

/* Goes on with the handshake. */
ssize_t
http_tls_greet(struct http_socket *s, const char **why)
{
	ssize_t result = http_tls_look(s);
	int done;

	if (result != 0)
		return result;
	ERR_clear_error();
	done = SSL_accept(s->ssl);
	if (done == 1) {
		s->wants_write = false;
		s->holds = true; /* the request may have come along */
		return 0;
	}
	result = http_tls_error(s, done);
	if (result == HTTP_SOCKET_LATER)
		return result;
	if (ERR_peek_last_error() != 0)
		*why = ERR_reason_error_string(ERR_peek_last_error());
	return HTTP_SOCKET_BROKEN;
}

/* Reads what is there, as far as there is room and a call may take. An end or error behind
 * bytes is told by the next call. */
ssize_t
http_tls_recv(struct http_socket *s, void *bytes, size_t len)
{
	size_t got = 0;
	ssize_t result = 0;

	ERR_clear_error();
	s->wants_write = false;
	for (int reads = 0; reads < HTTP_TLS_READS && got < len; reads++) {
		size_t room = len - got < HTTP_TLS_PIECE ? len - got : HTTP_TLS_PIECE;
		int n = SSL_read(s->ssl, (char *)bytes + got, (int)room);

		if (n <= 0) {
			result = http_tls_error(s, n);
			break;
		}
		got += (size_t)n;
	}
	s->holds = result != HTTP_SOCKET_LATER;
	return got > 0 ? (ssize_t)got : result;
}

/* Writes one stretch; how much of it went, or an error when nothing did. */
static ssize_t
http_tls_write(struct http_socket *s, const char *bytes, size_t len)
{
	size_t sent = 0;

	while (sent < len) {
		size_t piece = len - sent < HTTP_TLS_PIECE ? len - sent : HTTP_TLS_PIECE;
		int n = SSL_write(s->ssl, bytes + sent, (int)piece);

		if (n <= 0) {
			ssize_t result = http_tls_error(s, n);

			s->wants_write = false; /* who writes waits for that anyway */
			if (result != HTTP_SOCKET_LATER)
				return HTTP_SOCKET_BROKEN;
			return sent > 0 ? (ssize_t)sent : HTTP_SOCKET_LATER;
		}
		sent += (size_t)n;
	}
	return (ssize_t)sent;
}

/* Writes what fits. OpenSSL may hold a record that the kernel did not take: the next call
 * must begin with the same bytes, as it does when they were not counted as taken. */
ssize_t
http_tls_send(struct http_socket *s, const struct iovec *iov, int count)
{
	ssize_t sent = 0;

	ERR_clear_error();
	for (int i = 0; i < count; i++) {
		ssize_t n = http_tls_write(s, iov[i].iov_base, iov[i].iov_len);

		if (n == HTTP_SOCKET_BROKEN)
			return n;
		if (n > 0)
			sent += n;
		if (n < (ssize_t)iov[i].iov_len)
			break;
	}
	return sent > 0 ? sent : HTTP_SOCKET_LATER;
}

/* Sends close_notify (RFC 8446, 6.1). */
ssize_t
http_tls_finish(struct http_socket *s)
{
	int result;

	if (!SSL_is_init_finished(s->ssl))
		return HTTP_SOCKET_BROKEN;
	ERR_clear_error();
	result = SSL_shutdown(s->ssl);
	if (result >= 0)
		return 0;
	return http_tls_error(s, result) == HTTP_SOCKET_LATER ? HTTP_SOCKET_LATER
	                                                      : HTTP_SOCKET_BROKEN;
}
