#include "config.h"

#include "front.h"
#include "base/buf.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define ECHO_HEAD_MAX 200000
#define ECHO_SEEN_MAX (1 << 20)

struct echo {
	int fd, port;
	pthread_mutex_t lock;
	struct buf seen;
	const char *raw;
	size_t raw_len;
	bool raw_ends;
};

/* One connection. */
struct echo_conn {
	struct echo *echo;
	int fd;
	char bytes[65536];
	size_t at, len;
	char head[ECHO_HEAD_MAX];
	size_t body;
	uint32_t hash; /* of the body: FNV-1a */
};

/* The next byte, or -1. */
static int
echo_byte(struct echo_conn *c)
{
	ssize_t n;

	if (c->at == c->len) {
		n = recv(c->fd, c->bytes, sizeof c->bytes, 0);
		if (n <= 0)
			return -1;
		c->at = 0;
		c->len = (size_t)n;
	}
	return (unsigned char)c->bytes[c->at++];
}

/* Reads a line with its CRLF, which is left out; false at the end. */
static bool
echo_line(struct echo_conn *c, char *line, size_t size)
{
	size_t n = 0;
	int b;

	while ((b = echo_byte(c)) >= 0 && n + 1 < size) {
		line[n++] = (char)b;
		if (n >= 2 && line[n - 2] == '\r' && b == '\n') {
			line[n - 2] = '\0';
			return true;
		}
	}
	return false;
}

/* Reads a whole head. */
static bool
echo_head(struct echo_conn *c)
{
	size_t n = 0;

	for (;;) {
		if (!echo_line(c, c->head + n, sizeof c->head - n - 4))
			return false;
		if (c->head[n] == '\0')
			return n > 0;
		n += strlen(c->head + n);
		c->head[n++] = '\n';
		c->head[n] = '\0';
	}
}

/* The value of a field, from where to where; NULL without it. */
static const char *
echo_field(const struct echo_conn *c, const char *name, const char *after, size_t *len)
{
	size_t n = strlen(name);

	for (const char *p = after != NULL ? after : c->head; (p = strchr(p, '\n')) != NULL;) {
		p++;
		if (strncasecmp(p, name, n) != 0 || p[n] != ':')
			continue;
		p += n + 1 + strspn(p + n + 1, " \t");
		*len = strcspn(p, "\n");
		while (*len > 0 && (p[*len - 1] == ' ' || p[*len - 1] == '\t'))
			--*len;
		return p;
	}
	return NULL;
}

/* Takes bytes of the body. */
static bool
echo_take(struct echo_conn *c, size_t len)
{
	for (; len > 0; len--) {
		int b = echo_byte(c);

		if (b < 0)
			return false;
		c->hash = (c->hash ^ (uint32_t)b) * 16777619u;
		c->body++;
	}
	return true;
}

/* Reads a body. */
static bool
echo_body(struct echo_conn *c)
{
	char line[256];
	const char *v;
	size_t len;

	c->body = 0;
	c->hash = 2166136261u;
	if (echo_field(c, "transfer-encoding", NULL, &len) == NULL) {
		v = echo_field(c, "content-length", NULL, &len);
		return v == NULL || echo_take(c, strtoul(v, NULL, 10));
	}
	do {
		if (!echo_line(c, line, sizeof line))
			return false;
		len = strtoul(line, NULL, 16);
		if (!echo_take(c, len) || (len > 0 && !echo_line(c, line, sizeof line)))
			return false;
	} while (len > 0);
	do {
		if (!echo_line(c, line, sizeof line))
			return false;
	} while (line[0] != '\0');
	return true;
}

/* Adds all values of a field. */
static void
echo_probe(const struct echo_conn *c, const char *name, struct buf *b)
{
	const char *v = NULL;
	size_t len;

	buf_adds(b, " [");
	while ((v = echo_field(c, name, v, &len)) != NULL)
		buf_addf(b, "%.*s;", (int)len, v);
	buf_addc(b, ']');
}

/* Adds method and target. One in absolute form is the same as one without scheme and host. */
static void
echo_line_of(const char *head, size_t len, struct buf *b)
{
	const char *target = memchr(head, ' ', len), *host, *path, *end = head + len;

	host = target != NULL && strncasecmp(target + 1, "http://", 7) == 0 ? target + 8 : NULL;
	if (host == NULL) {
		buf_add(b, head, len);
		return;
	}
	for (path = host; path < end && *path != '/' && *path != '?'; path++)
		;
	buf_add(b, head, (size_t)(target + 1 - head));
	buf_adds(b, path < end && *path == '/' ? "" : "/");
	buf_add(b, path, (size_t)(end - path));
}

/* Answers as it was told; false when it then hangs up. */
static bool
echo_raw(struct echo_conn *c)
{
	struct echo *e = c->echo;
	const char *bytes;
	size_t len;
	bool ends;

	pthread_mutex_lock(&e->lock);
	bytes = e->raw;
	len = e->raw_len;
	ends = e->raw_ends;
	pthread_mutex_unlock(&e->lock);
	return send(c->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len && !ends;
}

/* Notes a request and answers it; false when the other side wants an end. */
static bool
echo_answer(struct echo_conn *c)
{
	size_t line = strcspn(c->head, "\n"), len = 0;
	const char *target, *close = echo_field(c, "connection", NULL, &len);
	struct buf text, out;
	bool keep = close == NULL || strncasecmp(close, "close", 5) != 0;
	bool raw;
	int status = 200;

	buf_init(&text, ECHO_SEEN_MAX);
	buf_init(&out, ECHO_SEEN_MAX);
	if (line > 9)
		line -= 9; /* without the version */
	echo_line_of(c->head, line, &text);
	buf_addf(&text, " %zu:%08x", c->body, c->hash);
	echo_probe(c, "x-probe", &text);
	echo_probe(c, "x_probe", &text);
	target = strchr(text.data, ' ') + 1;
	raw = strncmp(target, "/raw", 4) == 0;
	if (strncmp(target, "/204", 4) == 0 || strncmp(target, "/304", 4) == 0)
		status = target[1] == '2' ? 204 : 304;
	pthread_mutex_lock(&c->echo->lock);
	buf_addf(&c->echo->seen, "%s\n", text.data);
	pthread_mutex_unlock(&c->echo->lock);
	if (raw) {
		buf_free(&text);
		return echo_raw(c);
	}
	buf_addf(&out, "HTTP/1.1 %d Fine\r\nX-Echo: 1\r\n", status);
	if (status == 200)
		buf_addf(&out, "Content-Length: %zu\r\n", text.len);
	buf_adds(&out, keep ? "\r\n" : "Connection: close\r\n\r\n");
	if (status == 200 && strncmp(c->head, "HEAD ", 5) != 0)
		buf_add(&out, text.data, text.len);
	keep = send(c->fd, out.data, out.len, MSG_NOSIGNAL) == (ssize_t)out.len && keep;
	buf_free(&text);
	buf_free(&out);
	return keep;
}

/* Serves one connection. */
static void *
echo_serve(void *arg)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct echo_conn *c = arg;
	size_t len;

	while (echo_head(c)) {
		if (echo_field(c, "expect", NULL, &len) != NULL &&
		    send(c->fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL) < 0)
			break;
		if (!echo_body(c) || !echo_answer(c))
			break;
	}
	close(c->fd);
	free(c);
	return NULL;
}

/* Takes connections, until the process ends. */
static void *
echo_accept(void *arg)
{
	struct echo *e = arg;
	struct echo_conn *c;
	pthread_t thread;
	int fd;

	while ((fd = accept4(e->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		c = mem_zero(1, sizeof *c);
		c->echo = e;
		c->fd = fd;
		pthread_create(&thread, NULL, echo_serve, c);
		pthread_detach(thread);
	}
	return NULL;
}

/* Starts it. */
struct echo *
echo_start(void)
{
	struct echo *e = mem_zero(1, sizeof *e);
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;
	pthread_t thread;

	pthread_mutex_init(&e->lock, NULL);
	buf_init(&e->seen, ECHO_SEEN_MAX);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	e->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(e->fd, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(e->fd, 64), 0);
	ck_assert_int_eq(getsockname(e->fd, (struct sockaddr *)&sin, &len), 0);
	e->port = ntohs(sin.sin_port);
	ck_assert_int_eq(pthread_create(&thread, NULL, echo_accept, e), 0);
	pthread_detach(thread);
	return e;
}

/* Its port. */
int
echo_port(const struct echo *e)
{
	return e->port;
}

/* Forgets what came. */
void
echo_clear(struct echo *e)
{
	pthread_mutex_lock(&e->lock);
	buf_drain(&e->seen, e->seen.len);
	pthread_mutex_unlock(&e->lock);
}

/* What to answer. */
void
echo_say(struct echo *e, const char *bytes, size_t len, bool hang_up)
{
	pthread_mutex_lock(&e->lock);
	e->raw = bytes;
	e->raw_len = len;
	e->raw_ends = hang_up;
	pthread_mutex_unlock(&e->lock);
}

/* What came. */
char *
echo_seen(struct echo *e)
{
	char *text;

	pthread_mutex_lock(&e->lock);
	text = mem_copy(e->seen.len > 0 ? e->seen.data : "", e->seen.len);
	pthread_mutex_unlock(&e->lock);
	return text;
}
