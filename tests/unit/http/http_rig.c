#include "config.h"

#include "http_rig.h"
#include "base/mem.h"
#include "certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RIG_WALL INT64_C(1769594400000)
#define RIG_TURNS 4
#ifndef RIG_SECURE
#define RIG_SECURE false
#endif

static const char *const no_names[] = {NULL};

/* Notes a request as text. */
static void
note_request(struct rig *rig, const struct http_request *r)
{
	buf_addf(&rig->seen, "%s %s path=%s query=%s host=%s minor=%d body=%d length=%lld",
	    r->method, r->target, r->path, r->query ? r->query : "-", r->host, r->minor,
	    r->has_body, (long long)r->length);
	for (size_t i = 0; i < r->field_count; i++)
		buf_addf(&rig->seen, " [%s=%s]", r->fields[i].name, r->fields[i].value);
	buf_addc(&rig->seen, '\n');
}

/* Counts ends. */
static void
on_end(void *arg, enum http_end how)
{
	struct rig *rig = arg;

	if (how == HTTP_SENT)
		rig->sent++;
	else
		rig->gone++;
}

/* A held exchange ends. */
static void
on_held_end(void *arg, enum http_end how)
{
	struct rig *rig = arg;

	rig->held = NULL;
	on_end(rig, how);
}

/* A collected body is here. */
static void
on_body(void *arg, struct http_exchange *ex, const char *body, size_t len)
{
	struct rig *rig = arg;

	ck_assert_int_eq(body[len], '\0');
	buf_adds(&rig->seen, "body=");
	buf_add(&rig->seen, body, len);
	buf_addc(&rig->seen, '\n');
	http_answer(ex, 200, NULL, body, len);
}

/* A piece of a streamed body is here. */
static void
on_piece(void *arg, struct http_exchange *ex, const char *piece, size_t len)
{
	struct rig *rig = arg;

	if (len == 0) {
		buf_adds(&rig->seen, "|end\n");
		http_answer(ex, 200, NULL, "streamed", 8);
		return;
	}
	rig->pieces++;
	if (!rig->quiet)
		buf_add(&rig->seen, piece, len);
	if (rig->pause) {
		rig->held = ex;
		http_exchange_pause(ex);
	}
}

/* The service of the rig. */
static void
serve(void *arg, struct http_exchange *ex)
{
	const struct http_request *r = http_exchange_request(ex);
	struct rig *rig = arg;

	note_request(rig, r);
	if (rig->service != NULL) {
		rig->service(rig, ex);
		return;
	}
	http_exchange_on_end(ex, on_end, rig);
	if (strcmp(r->path, "/echo") == 0) {
		http_exchange_collect(ex, 0, on_body, rig);
	} else if (strcmp(r->path, "/short") == 0) {
		http_exchange_collect(ex, 8, on_body, rig);
	} else if (strcmp(r->path, "/skip") == 0) {
		http_answer_error(ex, 404, "Nothing here");
	} else if (strcmp(r->path, "/hold") == 0) {
		http_exchange_on_end(ex, on_held_end, rig);
		rig->held = ex;
		rig->quiet = true;
		http_exchange_stream(ex, on_piece, rig);
		http_exchange_pause(ex);
	} else if (strcmp(r->path, "/stream") == 0) {
		http_exchange_stream(ex, on_piece, rig);
	} else if (strcmp(r->path, "/none") != 0) {
		http_answer(ex, 200, NULL, "hello", 5);
	}
}

/* Makes a certificate. */
void
rig_certify(struct rig *rig)
{
	struct certificate_wish wish = {0};
	struct certificate c;
	struct tls_settings settings = {0};
	enum tls_part part;
	struct fail f;

	if (rig->tls != NULL)
		return;
	certificate_make(&c, &wish);
	settings.certificate = c.pem;
	settings.key = c.key;
	rig->tls = tls_context_new(&settings, &part, &f);
	ck_assert_msg(rig->tls != NULL, "%s", f.text);
	certificate_free(&c);
}

/* Starts on an address. */
void
rig_start_at(struct rig *rig, const char *address)
{
	char secure[128];
	struct fail f;

	rig->secure |= RIG_SECURE;
	if (rig->secure)
		rig_certify(rig);
	if (rig->secure) {
		snprintf(secure, sizeof secure, "https://%s", address);
		address = secure;
	}
	rig->config.tls = rig->tls;
	rig->loop = loop_new_fake(RIG_WALL);
	if (rig->config.limits.head == 0)
		rig->config.limits = HTTP_LIMITS_DEFAULT;
	rig->config.allowed_hosts = no_names;
	rig->config.service = serve;
	rig->config.arg = rig;
	rig->server = http_server_new(rig->loop, &rig->config);
	ck_assert_msg(http_server_listen(rig->server, address, &f) == 0, "%s", f.text);
	snprintf(rig->address, sizeof rig->address, "%s", http_server_url(rig->server, 0));
}

/* Starts on a local socket. */
void
rig_start(struct rig *rig)
{
	char address[96];

	strcpy(rig->dir, "/tmp/http-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(rig->dir));
	snprintf(address, sizeof address, "unix:%s/s", rig->dir);
	rig_start_at(rig, address);
}

/* Frees everything. */
void
rig_stop(struct rig *rig)
{
	http_server_free(rig->server);
	loop_free(rig->loop);
	buf_free(&rig->seen);
	tls_context_unref(rig->tls);
	if (rig->dir[0] != '\0')
		ck_assert_int_eq(rmdir(rig->dir), 0);
}

/* Lets happen what can happen. */
void
rig_turn(struct rig *rig)
{
	for (int i = 0; i < RIG_TURNS; i++)
		loop_turn(rig->loop, false);
}

/* Connects. */
void
client_connect(struct client *c, struct rig *rig)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};
	bool local = strncmp(rig->address, "unix:", 5) == 0;
	int rc, one = 1;

	memset(c, 0, sizeof *c);
	c->rig = rig;
	c->fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	if (local) {
		strcpy(un.sun_path, rig->address + 5);
		rc = connect(c->fd, (struct sockaddr *)&un, sizeof un);
	} else {
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		in.sin_port = htons((uint16_t)atoi(strrchr(rig->address, ':') + 1));
		rc = connect(c->fd, (struct sockaddr *)&in, sizeof in);
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	}
	ck_assert_int_eq(rc, 0);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	rig_turn(rig);
}

/* Gives the kernel what TLS wants to send; true when nothing is left. */
static bool
client_push(struct client *c)
{
	char *bytes;
	long len = BIO_get_mem_data(c->sends, &bytes);
	ssize_t n;
	char taken[65536];

	for (; c->drips && len > 1; len--, bytes++) {
		ck_assert_int_eq(send(c->fd, bytes, 1, MSG_NOSIGNAL), 1);
		ck_assert_int_eq(BIO_read(c->sends, taken, 1), 1);
		rig_turn(c->rig);
	}
	len = BIO_get_mem_data(c->sends, &bytes);
	n = len > 0 ? send(c->fd, bytes, (size_t)len, MSG_NOSIGNAL) : 0;

	for (ssize_t left = n; left > 0;)
		left -= BIO_read(c->sends, taken, left < (ssize_t)sizeof taken ? (int)left : (int)sizeof taken);
	return len == n;
}

/* Begins TLS. */
bool
client_secure(struct client *c, void (*set_up)(SSL *))
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int done = -1;

	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	c->sends = BIO_new(BIO_s_mem());
	SSL_set0_wbio(c->ssl, c->sends);
	SSL_set0_rbio(c->ssl, BIO_new_socket(c->fd, BIO_NOCLOSE));
	if (set_up != NULL)
		set_up(c->ssl);
	for (int i = 0; done != 1 && i < 100; i++) {
		done = SSL_connect(c->ssl);
		if (done == 1 && c->hasty)
			return true;
		client_push(c);
		if (done != 1 && SSL_get_error(c->ssl, done) != SSL_ERROR_WANT_READ)
			return false;
		rig_turn(c->rig);
	}
	return done == 1;
}

/* The first bytes of a client. */
size_t
client_hello(char *bytes, size_t size)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	BIO *b = BIO_new(BIO_s_mem());
	int len;

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), b);
	SSL_connect(ssl);
	len = BIO_read(b, bytes, (int)size);
	ck_assert_int_gt(len, 0);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return (size_t)len;
}

/* Connects, with TLS where it is spoken. */
void
client_open(struct client *c, struct rig *rig)
{
	client_connect(c, rig);
	if (rig->secure)
		ck_assert(client_secure(c, NULL));
}

/* Hangs up. */
void
client_close(struct client *c)
{
	if (c->ssl != NULL && c->fd >= 0 && SSL_shutdown(c->ssl) >= 0)
		client_push(c);
	SSL_free(c->ssl);
	c->ssl = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	buf_free(&c->got);
	rig_turn(c->rig);
}

/* Reads as recv() does: 0 at an end in good order. */
ssize_t
client_recv(struct client *c, char *bytes, size_t len)
{
	int n, error, reason;

	if (c->ssl == NULL)
		return recv(c->fd, bytes, len, 0);
	errno = 0;
	n = SSL_read(c->ssl, bytes, (int)len);
	error = SSL_get_error(c->ssl, n);
	reason = errno;
	client_push(c); /* an alert */
	errno = reason;
	if (n > 0 || error == SSL_ERROR_ZERO_RETURN)
		return n;
	if (error == SSL_ERROR_WANT_READ)
		errno = EAGAIN;
	c->cut = error == SSL_ERROR_SSL && errno == 0;
	return c->cut ? 0 : -1;
}

/* Writes as send() does; with TLS one record at a time. */
ssize_t
client_put(struct client *c, const char *bytes, size_t len)
{
	int n;

	if (c->ssl == NULL)
		return send(c->fd, bytes, len, MSG_NOSIGNAL);
	if (!client_push(c))
		return -1;
	n = SSL_write(c->ssl, bytes, len < 16384 ? (int)len : 16384);
	client_push(c);
	return n;
}

/* Ends the sending side. */
void
client_finish(struct client *c)
{
	if (c->ssl != NULL && !c->ends)
		SSL_shutdown(c->ssl);
	c->ends = c->ssl != NULL && !client_push(c); /* the kernel takes no more for now */
	if (!c->ends)
		shutdown(c->fd, SHUT_WR);
}

/* Makes closing a reset. */
void
client_harden(struct client *c)
{
	struct linger hard = {1, 0};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	if (c->ssl != NULL)
		SSL_set_quiet_shutdown(c->ssl, 1);
}

/* Takes what the server has sent; true when anything came. */
static bool
client_take(struct client *c)
{
	char bytes[65536];
	ssize_t n;
	bool any = false;

	while (!c->deaf && !c->closed && (n = client_recv(c, bytes, sizeof bytes)) != -1) {
		any = true;
		if (n == 0)
			c->closed = true;
		else
			buf_add(&c->got, bytes, (size_t)n);
	}
	if (!c->deaf && !c->closed && errno != EAGAIN)
		c->closed = c->reset = any = true;
	return any;
}

/* Turns the loop and reads until nothing more comes. */
void
client_read(struct client *c)
{
	for (int quiet = 0, i = 0; quiet < 3 && i < 10000; i++) {
		loop_turn(c->rig->loop, false);
		if (c->ends)
			client_finish(c);
		else if (c->ssl != NULL)
			client_push(c);
		quiet = client_take(c) ? 0 : quiet + 1;
	}
}

/* Sends everything, reading meanwhile; stops when the server has hung up. */
void
client_send(struct client *c, const char *bytes, size_t len)
{
	for (int stuck = 0; len > 0 && !c->closed && stuck < 20;) {
		ssize_t n = client_put(c, bytes, len);

		stuck = n > 0 ? 0 : stuck + 1;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
		loop_turn(c->rig->loop, false);
		client_take(c);
	}
	client_read(c);
}

/* Sends a text. */
void
client_says(struct client *c, const char *text)
{
	client_send(c, text, strlen(text));
}

/* Ends the sending side. */
void
client_end(struct client *c)
{
	client_finish(c);
	client_read(c);
}

/* Finds the n-th answer; *end is where its head ends. */
static const char *
client_find(const struct client *c, unsigned n, const char **end)
{
	const char *p = c->got.data, *at;

	while (p != NULL && *p != '\0') {
		*end = strstr(p, "\r\n\r\n");
		ck_assert_msg(strncmp(p, "HTTP/1.1 ", 9) == 0, "no answer begins here: %s", p);
		ck_assert_ptr_nonnull(*end);
		*end += 4;
		if (n-- == 0)
			return p;
		at = strstr(p, "\r\nContent-Length: ");
		p = *end + (at != NULL && at < *end ? atol(at + 18) : 0);
	}
	return NULL;
}

/* The n-th status. */
int
client_status(const struct client *c, unsigned n)
{
	const char *end, *p = client_find(c, n, &end);

	return p != NULL ? atoi(p + 9) : 0;
}

/* The n-th body. */
const char *
client_body(const struct client *c, unsigned n)
{
	static char body[65536];
	const char *end, *p = client_find(c, n, &end), *at;
	size_t len;

	ck_assert_ptr_nonnull(p);
	at = strstr(p, "\r\nContent-Length: ");
	ck_assert(at != NULL && at < end);
	len = (size_t)atol(at + 18);
	ck_assert_uint_lt(len, sizeof body);
	ck_assert_uint_le(len, strlen(end));
	memcpy(body, end, len);
	body[len] = '\0';
	return body;
}

/* Whether a head holds a text. */
bool
client_has(const struct client *c, unsigned n, const char *text)
{
	const char *end, *p = client_find(c, n, &end), *at;

	ck_assert_ptr_nonnull(p);
	at = strstr(p, text);
	return at != NULL && at < end;
}

/* How many answers there are. */
unsigned
client_answers(const struct client *c)
{
	const char *end;
	unsigned n = 0;

	while (client_find(c, n, &end) != NULL)
		n++;
	return n;
}
