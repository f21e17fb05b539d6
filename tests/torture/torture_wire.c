#include "config.h"

#include "torture_wire.h"
#include "base/buf.h"
#include "base/mem.h"
#include "json/json_read.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WIRE_ANSWER_MAX ((size_t)64 << 20)

/* Milliseconds of a clock that only runs forward. */
int64_t
wire_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits until something can be done with the socket; false after the time. */
static bool
wire_wait(const struct wire *w, short events)
{
	struct pollfd p = {.fd = w->fd, .events = events};
	int64_t left;

	while ((left = w->until - wire_now()) > 0) {
		int n = poll(&p, 1, (int)left);

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
	return false;
}

/* Closes the socket. */
void
wire_abort(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* Connects. */
static bool
wire_connect(struct wire *w, int port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->fd >= 0 && connect(w->fd, (struct sockaddr *)&sin, sizeof sin) == 0)
		return true;
	wire_abort(w);
	return false;
}

/* Sends bytes; what the peer makes of them shows when the answer is read. */
static void
wire_write(const struct wire *w, const char *bytes, size_t len)
{
	while (len > 0 && wire_wait(w, POLLOUT)) {
		ssize_t n = send(w->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

/* Sends a request. */
void
wire_send(struct wire *w, int port, const char *method, const char *path, const char *fields,
    const char *body, int64_t within_ms)
{
	struct buf b;

	w->started = wire_now();
	w->until = w->started + within_ms;
	if (!wire_connect(w, port))
		return;
	buf_init(&b, 0);
	buf_addf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s", method, path,
	    fields != NULL ? fields : "");
	if (body != NULL)
		buf_addf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
	buf_adds(&b, "\r\n");
	if (body != NULL)
		buf_adds(&b, body);
	wire_write(w, b.data, b.len);
	buf_free(&b);
}

/* The end of the head in what was read; 0: not there yet. */
static size_t
wire_head_end(const struct buf *b)
{
	const char *end = b->data == NULL ? NULL : strstr(b->data, "\r\n\r\n");

	return end == NULL ? 0 : (size_t)(end - b->data) + 4;
}

/* Bytes that the whole answer has; 0: not known yet. */
static size_t
wire_expected(const struct buf *b)
{
	size_t head = wire_head_end(b);
	const char *length;

	if (head == 0)
		return 0;
	if (strncmp(b->data, "HTTP/1.1 204", 12) == 0 || strncmp(b->data, "HTTP/1.1 304", 12) == 0)
		return head;
	length = strcasestr(b->data, "\r\ncontent-length:");
	if (length == NULL || length > b->data + head)
		return SIZE_MAX; /* not what this server does */
	return head + (size_t)atoll(length + 17);
}

/* Takes the answer apart. */
static void
wire_take(struct wire_answer *a, struct buf *b)
{
	size_t head = wire_head_end(b), whole = wire_expected(b);

	a->outcome = WIRE_ANSWERED;
	a->status = atoi(b->data + 9);
	a->head = mem_copy(b->data, head);
	a->len = whole - head;
	a->body = mem_copy(b->data + head, a->len);
	if (a->len == 0 || !json_read(a->body, a->len, &a->json, NULL))
		a->json = NULL;
}

/* Waits for the answer. */
void
wire_receive(struct wire *w, struct wire_answer *a)
{
	size_t expected = 0;
	struct buf b;

	memset(a, 0, sizeof *a);
	a->outcome = WIRE_REFUSED;
	if (w->fd < 0)
		return;
	buf_init(&b, WIRE_ANSWER_MAX);
	a->outcome = WIRE_HUNG;
	while (expected == 0 || b.len < expected) {
		char bytes[16384];
		ssize_t n;

		if (!wire_wait(w, POLLIN))
			break;
		n = recv(w->fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0) {
			a->outcome = WIRE_DROPPED;
			break;
		}
		buf_add(&b, bytes, (size_t)n);
		expected = wire_expected(&b);
	}
	a->ms = wire_now() - w->started;
	if (expected != 0 && b.len >= expected)
		wire_take(a, &b);
	buf_free(&b);
	wire_abort(w);
}

/* Sends and waits. */
void
wire_ask(int port, const char *method, const char *path, const char *fields, const char *body,
    int64_t within_ms, struct wire_answer *a)
{
	struct wire w;

	wire_send(&w, port, method, path, fields, body, within_ms);
	wire_receive(&w, a);
}

/* Frees an answer's parts. */
void
wire_clear(struct wire_answer *a)
{
	free(a->head);
	free(a->body);
	json_object_put(a->json);
	memset(a, 0, sizeof *a);
}

/* The value of a field. */
bool
wire_field(const struct wire_answer *a, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);

	for (const char *p = a->head; p != NULL && (p = strstr(p, "\r\n")) != NULL;) {
		p += 2;
		if (strncasecmp(p, name, len) != 0 || p[len] != ':')
			continue;
		p += len + 1;
		p += strspn(p, " ");
		snprintf(out, size, "%.*s", (int)strcspn(p, "\r"), p);
		return true;
	}
	return false;
}
