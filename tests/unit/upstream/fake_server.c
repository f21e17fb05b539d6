#include "config.h"

#include "fake_server.h"
#include "base/buf.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAKE_REQUESTS_MAX 1024

struct fake_item {
	struct fake_step step;
	char *bytes;
	STAILQ_ENTRY(fake_item) link;
};

struct fake_peer {
	struct fake_server *owner;
	unsigned number;
	int fd;
	SSL *ssl;
	struct event read_ev;
	struct buf in;
	struct fake_item *item; /* being carried out */
	size_t said;
	struct loop_timer timer;
	TAILQ_ENTRY(fake_peer) link;
};

struct fake_server {
	struct loop *loop;
	SSL_CTX *tls, *later_tls;
	int fd, port;
	char url[64];
	struct event accept_ev;
	STAILQ_HEAD(, fake_item) script;
	TAILQ_HEAD(, fake_peer) peers; /* newest first */
	unsigned connections, open, requests;
	char *texts[FAKE_REQUESTS_MAX];
	unsigned numbers[FAKE_REQUESTS_MAX];
};

static void fake_peer_go(struct fake_peer *);

/* Frees a step. */
static void
fake_item_free(struct fake_item *it)
{
	if (it == NULL)
		return;
	free(it->bytes);
	free(it);
}

/* Closes a connection, politely or with a reset. */
static void
fake_peer_close(struct fake_peer *p, bool reset)
{
	struct linger hard = {1, 0};

	if (reset)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	else if (p->ssl != NULL)
		SSL_shutdown(p->ssl);
	TAILQ_REMOVE(&p->owner->peers, p, link);
	p->owner->open--;
	loop_timer_cancel(&p->timer);
	event_del(&p->read_ev);
	SSL_free(p->ssl);
	close(p->fd);
	buf_free(&p->in);
	fake_item_free(p->item);
	free(p);
}

/* Sends bytes; what the socket's buffer does not take is dropped. */
static void
fake_peer_send(struct fake_peer *p, const char *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if (p->ssl != NULL)
			n = SSL_write(p->ssl, bytes, (int)len);
		else
			n = send(p->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

/* From here on the connection speaks TLS. */
static void
fake_peer_use_tls(struct fake_peer *p, SSL_CTX *ctx)
{
	p->ssl = SSL_new(ctx);
	SSL_set_fd(p->ssl, p->fd);
	SSL_set_accept_state(p->ssl);
}

/* The step has said all: close, or wait for the next request. */
static void
fake_peer_finish(struct fake_peer *p)
{
	enum fake_then then = p->item->step.then;

	fake_item_free(p->item);
	p->item = NULL;
	if (then == FAKE_TLS)
		fake_peer_use_tls(p, p->owner->later_tls);
	if (then == FAKE_CLOSE || then == FAKE_RESET)
		fake_peer_close(p, then == FAKE_RESET);
	else
		fake_peer_go(p);
}

/* Says the next part of the step. */
static void
fake_peer_say(void *arg)
{
	struct fake_peer *p = arg;
	struct fake_step *s = &p->item->step;

	if (s->drip_ms == 0) {
		fake_peer_send(p, p->item->bytes, s->len);
		fake_peer_finish(p);
		return;
	}
	if (p->said == s->len) {
		fake_peer_finish(p);
		return;
	}
	fake_peer_send(p, p->item->bytes + p->said++, 1);
	loop_timer_set(&p->timer, s->drip_ms);
}

/* Takes the next step of the script, or the usual answer. */
static struct fake_item *
fake_next(struct fake_server *f)
{
	struct fake_item *it = STAILQ_FIRST(&f->script);

	if (it == NULL) {
		fake_server_answer(f, 200, NULL, "{\"ok\":true}");
		it = STAILQ_FIRST(&f->script);
	}
	STAILQ_REMOVE_HEAD(&f->script, link);
	return it;
}

/* Begins a step. */
static void
fake_peer_begin(struct fake_peer *p)
{
	p->item = fake_next(p->owner);
	p->said = 0;
	if (p->item->step.after_ms > 0)
		loop_timer_set(&p->timer, p->item->step.after_ms);
	else
		fake_peer_say(p);
}

/* The length of the first request in the buffer, or 0 while it is not whole. */
static size_t
fake_peer_request(struct fake_peer *p, bool head_only)
{
	const char *end = p->in.len > 0 ? strstr(p->in.data, "\r\n\r\n") : NULL;
	const char *length;
	size_t n;

	if (end == NULL)
		return 0;
	n = (size_t)(end - p->in.data) + 4;
	length = strcasestr(p->in.data, "\r\nContent-Length:");
	if (length != NULL && length < end && !head_only)
		n += strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	return p->in.len >= n ? n : 0;
}

/* Looks for a request to serve. */
static void
fake_peer_go(struct fake_peer *p)
{
	struct fake_server *f = p->owner;
	struct fake_item *next = STAILQ_FIRST(&f->script);
	size_t n;

	if (p->item != NULL)
		return;
	n = fake_peer_request(p, next != NULL && next->step.when == FAKE_HEAD);
	if (n == 0)
		return;
	ck_assert_uint_lt(f->requests, FAKE_REQUESTS_MAX);
	f->numbers[f->requests] = p->number;
	f->texts[f->requests++] = mem_copy(p->in.data, n);
	buf_drain(&p->in, n);
	fake_peer_begin(p);
}

/* Reads what is there; false at the end of the connection. */
static bool
fake_peer_read(struct fake_peer *p)
{
	char bytes[65536];
	ssize_t n;

	for (;;) {
		if (p->ssl != NULL)
			n = SSL_read(p->ssl, bytes, sizeof bytes);
		else
			n = recv(p->fd, bytes, sizeof bytes, 0);
		if (n <= 0)
			break;
		buf_add(&p->in, bytes, (size_t)n);
	}
	if (p->ssl != NULL)
		return SSL_get_error(p->ssl, (int)n) == SSL_ERROR_WANT_READ;
	return n < 0;
}

/* A connection is readable. */
static void
fake_peer_on_read(evutil_socket_t fd, short what, void *arg)
{
	struct fake_peer *p = arg;

	if (!fake_peer_read(p))
		fake_peer_close(p, false);
	else
		fake_peer_go(p);
}

/* A client connects. */
static void
fake_on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct fake_server *f = arg;
	struct fake_item *next = STAILQ_FIRST(&f->script);
	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
	struct fake_peer *p;

	if (conn < 0)
		return;
	setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* what is said is there at once */
	p = mem_zero(1, sizeof *p);
	p->owner = f;
	p->number = ++f->connections;
	p->fd = conn;
	f->open++;
	if (f->tls != NULL)
		fake_peer_use_tls(p, f->tls);
	loop_timer_init(&p->timer, f->loop, fake_peer_say, p);
	event_assign(&p->read_ev, loop_base(f->loop), conn, EV_READ | EV_PERSIST, fake_peer_on_read, p);
	event_add(&p->read_ev, NULL);
	TAILQ_INSERT_HEAD(&f->peers, p, link);
	if (next != NULL && next->step.when == FAKE_ACCEPT)
		fake_peer_begin(p);
}

/* Listens on a free port of the loopback address. */
struct fake_server *
fake_server_new(struct loop *loop, SSL_CTX *tls)
{
	struct fake_server *f = mem_zero(1, sizeof *f);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;

	f->loop = loop;
	f->tls = tls;
	STAILQ_INIT(&f->script);
	TAILQ_INIT(&f->peers);
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(f->fd, (struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(listen(f->fd, 128), 0);
	ck_assert_int_eq(getsockname(f->fd, (struct sockaddr *)&a, &len), 0);
	f->port = ntohs(a.sin_port);
	snprintf(f->url, sizeof f->url, "%s://127.0.0.1:%d", tls != NULL ? "https" : "http", f->port);
	event_assign(&f->accept_ev, loop_base(loop), f->fd, EV_READ | EV_PERSIST, fake_on_accept, f);
	event_add(&f->accept_ev, NULL);
	return f;
}

/* Closes everything. */
void
fake_server_free(struct fake_server *f)
{
	struct fake_item *it;
	struct fake_peer *p;

	if (f == NULL)
		return;
	while ((p = TAILQ_FIRST(&f->peers)) != NULL)
		fake_peer_close(p, true);
	while ((it = STAILQ_FIRST(&f->script)) != NULL) {
		STAILQ_REMOVE_HEAD(&f->script, link);
		fake_item_free(it);
	}
	for (unsigned i = 0; i < f->requests; i++)
		free(f->texts[i]);
	event_del(&f->accept_ev);
	close(f->fd);
	free(f);
}

/* The port. */
int
fake_server_port(const struct fake_server *f)
{
	return f->port;
}

/* The base URL. */
const char *
fake_server_url(const struct fake_server *f)
{
	return f->url;
}

/* Adds a step. */
void
fake_server_push(struct fake_server *f, const struct fake_step *step)
{
	struct fake_item *it = mem_zero(1, sizeof *it);

	it->step = *step;
	if (step->bytes != NULL && step->len == 0)
		it->step.len = strlen(step->bytes);
	it->bytes = mem_copy(step->bytes != NULL ? step->bytes : "", it->step.len);
	STAILQ_INSERT_TAIL(&f->script, it, link);
}

/* Adds a well-formed answer. */
void
fake_server_answer(struct fake_server *f, int status, const char *fields, const char *body)
{
	char *text = mem_format("HTTP/1.1 %d Text\r\nContent-Length: %zu\r\n%s\r\n%s", status,
	    strlen(body), fields != NULL ? fields : "", body);

	fake_server_push(f, &(struct fake_step){.bytes = text});
	free(text);
}

/* Requests read so far. */
unsigned
fake_server_requests(const struct fake_server *f)
{
	return f->requests;
}

/* A request's text. */
const char *
fake_server_request(const struct fake_server *f, unsigned n)
{
	ck_assert_uint_lt(n, f->requests);
	return f->texts[n];
}

/* The connection that carried a request. */
unsigned
fake_server_request_peer(const struct fake_server *f, unsigned n)
{
	ck_assert_uint_lt(n, f->requests);
	return f->numbers[n];
}

/* Connections accepted in all. */
unsigned
fake_server_connections(const struct fake_server *f)
{
	return f->connections;
}

/* Connections still open. */
unsigned
fake_server_open(const struct fake_server *f)
{
	return f->open;
}

/* Says something unasked. */
void
fake_server_say(struct fake_server *f, const char *bytes)
{
	ck_assert_ptr_nonnull(TAILQ_FIRST(&f->peers));
	fake_peer_send(TAILQ_FIRST(&f->peers), bytes, strlen(bytes));
}

/* Changes keys. */
void
fake_server_change_keys(struct fake_server *f, unsigned times)
{
	struct fake_peer *p = TAILQ_FIRST(&f->peers);

	ck_assert_ptr_nonnull(p);
	for (; times > 0; times--) {
		ck_assert_int_eq(SSL_key_update(p->ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		ck_assert_int_eq(SSL_do_handshake(p->ssl), 1);
	}
}

/* Closes the newest connection. */
void
fake_server_hang_up(struct fake_server *f)
{
	ck_assert_ptr_nonnull(TAILQ_FIRST(&f->peers));
	fake_peer_close(TAILQ_FIRST(&f->peers), false);
}

/* The context for FAKE_TLS. */
void
fake_server_set_tls(struct fake_server *f, SSL_CTX *ctx)
{
	f->later_tls = ctx;
}
