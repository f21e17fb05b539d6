#include "config.h"

#include "http/http_socket.h"
#include "http/http_tls.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the caller should make of errno. */
static ssize_t
http_socket_error(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? HTTP_SOCKET_LATER
	                                                                 : HTTP_SOCKET_BROKEN;
}

/* Takes a descriptor. */
bool
http_socket_open(struct http_socket *s, int fd, const struct tls_context *tls)
{
	*s = (struct http_socket){.fd = fd};
	return tls == NULL || http_tls_begin(s, tls);
}

/* Does what comes before HTTP. */
ssize_t
http_socket_greet(struct http_socket *s, const char **why)
{
	*why = NULL;
	return s->ssl != NULL ? http_tls_greet(s, why) : 0;
}

/* Reads what is there. */
ssize_t
http_socket_recv(struct http_socket *s, void *bytes, size_t len)
{
	ssize_t n;

	if (s->ssl != NULL)
		return http_tls_recv(s, bytes, len);
	n = recv(s->fd, bytes, len, 0);
	return n >= 0 ? n : http_socket_error();
}

/* Looks for bytes. */
bool
http_socket_waiting(struct http_socket *s)
{
	char c;

	return s->holds || recv(s->fd, &c, 1, MSG_PEEK) == 1;
}

/* Writes what fits. */
ssize_t
http_socket_send(struct http_socket *s, const struct iovec *iov, int count)
{
	struct msghdr msg;
	ssize_t n;

	if (s->ssl != NULL)
		return http_tls_send(s, iov, count);
	if (count == 1) {
		n = send(s->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
	} else {
		memset(&msg, 0, sizeof msg);
		msg.msg_iov = (struct iovec *)iov;
		msg.msg_iovlen = (size_t)count;
		n = sendmsg(s->fd, &msg, MSG_NOSIGNAL);
	}
	return n >= 0 ? n : http_socket_error();
}

/* Asks for a pending error. */
bool
http_socket_failed(struct http_socket *s)
{
	socklen_t len = sizeof(int);
	int error = 0;

	return getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0;
}

/* Asks what is on its way. */
bool
http_socket_unsent(struct http_socket *s)
{
	int bytes = 0;

	return ioctl(s->fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

/* Ends our side. */
ssize_t
http_socket_shutdown(struct http_socket *s)
{
	if (s->ssl != NULL && http_tls_finish(s) == HTTP_SOCKET_LATER)
		return HTTP_SOCKET_LATER;
	shutdown(s->fd, SHUT_WR);
	return 0;
}

/* Closes. */
void
http_socket_close(struct http_socket *s, enum http_socket_end how)
{
	struct linger hard = {1, 0};

	if (s->ssl != NULL && how == HTTP_SOCKET_ORDERLY)
		http_tls_finish(s); /* once more is no more */
	http_tls_free(s);
	if (how == HTTP_SOCKET_RESET)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(s->fd);
	s->fd = -1;
}
