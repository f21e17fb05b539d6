#include "config.h"

#include "base/buf.h"
#include "base/loop.h"
#include "fuzz.h"
#include "http/http_conn.h"
#include "http/http_server.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Feeds one connection's bytes to a real server through a socket, whole and
 * cut in two. The service must see the same requests and bodies, the client
 * the same answers and the same end.
 */

#define FUZZ_TURNS 3 /* of the loop, enough for all that can happen */

struct play {
	struct buf seen; /* by the service */
	struct buf got;  /* by the client */
	bool closed;
};

static struct loop *loop;
static struct http_server *server;
static struct play *now;

/* Answers with the length of the body. */
static void
on_body(void *arg, struct http_exchange *ex, const char *body, size_t len)
{
	buf_add(&now->seen, body, len);
	http_answer(ex, 200, NULL, body, len);
}

/* Notes the body as it comes. */
static void
on_piece(void *arg, struct http_exchange *ex, const char *piece, size_t len)
{
	buf_add(&now->seen, piece, len);
	if (len > 0)
		return;
	http_answer_begin(ex, 200, NULL, -1, NULL, NULL);
	http_answer_write(ex, "piece", 5);
	http_answer_end(ex);
}

/* Notes the head; the method decides what is done with the body. */
static void
serve(void *arg, struct http_exchange *ex)
{
	const struct http_request *r = http_exchange_request(ex);

	buf_addf(&now->seen, "\n%s %s %s %s %s %d %lld %d\n", r->method, r->target, r->path,
	    r->query != NULL ? r->query : "-", r->host, r->minor, (long long)r->length,
	    (int)r->serial);
	for (size_t i = 0; i < r->field_count; i++)
		buf_addf(&now->seen, "%s: %s\n", r->fields[i].name, r->fields[i].value);
	if (r->method[0] == 'P')
		http_exchange_collect(ex, 1000, on_body, NULL);
	else if (r->method[0] == 'S')
		http_exchange_stream(ex, on_piece, NULL);
	else
		http_answer_error(ex, 404, "Nothing here");
}

/* Makes the server once. */
static void
prepare(void)
{
	static const char *const names[] = {NULL}, *const origins[] = {"http://page:1", NULL};
	static const struct http_cors cors = {.origins = origins, .max_age = 1, .methods = "GET",
	    .exposed = "Age", .refusal = "Not from there"};
	struct http_server_config config = {.limits = HTTP_LIMITS_DEFAULT, .allowed_hosts = names,
	    .cors = &cors, .service = serve};

	config.limits.head = 1000;
	config.limits.headers = 10;
	loop = loop_new_fake(0);
	server = http_server_new(loop, &config);
}

/* Lets the server work and takes what it sends. */
static void
settle(int fd)
{
	char bytes[4096];
	ssize_t n;

	for (int i = 0; i < FUZZ_TURNS && !now->closed; i++) {
		loop_turn(loop, false);
		while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0) {
			buf_add(&now->got, bytes, (size_t)n);
			i = 0;
		}
		now->closed = n == 0;
	}
}

/* Plays one connection. */
static void
play(struct play *p, const uint8_t *data, size_t size, size_t first)
{
	struct http_server_counts n;
	int fd[2];

	memset(p, 0, sizeof *p);
	now = p;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) != 0)
		abort();
	http_conn_new((struct http_hub *)server, fd[1], "fuzz", false);
	for (size_t part = 0; part < 2; part++) {
		size_t len = part == 0 ? first : size - first;

		while (len > 0 && !p->closed) {
			ssize_t sent = send(fd[0], data, len, MSG_NOSIGNAL);

			if (sent > 0) {
				data += sent;
				len -= (size_t)sent;
			}
			settle(fd[0]);
		}
	}
	close(fd[0]);
	for (int i = 0; i < FUZZ_TURNS; i++)
		loop_turn(loop, false);
	http_server_counts(server, &n);
	if (n.open != 0 || n.pending != 0)
		abort();
}

/* Finds a text in what follows `at`, NUL bytes included. */
static char *
find(const struct buf *b, const char *at, const char *text)
{
	return memmem(at, b->len - (size_t)(at - b->data), text, strlen(text));
}

/* Cuts every text out that begins and ends so. */
static void
strip(struct buf *b, const char *begin, const char *end)
{
	char *at = b->data, *stop;

	while (at != NULL && (at = find(b, at, begin)) != NULL &&
	    (stop = find(b, at, end)) != NULL) {
		stop += strlen(end);
		memmove(at, stop, b->len - (size_t)(stop - b->data) + 1);
		b->len -= (size_t)(stop - at);
	}
}

/* Cuts out what may differ: ids are random, and a client that waits for 100
 * Continue gets none when its body is here already. */
static void
strip_answers(struct buf *b)
{
	strip(b, "X-Request-Id: ", "\r\n");
	strip(b, "HTTP/1.1 100 Continue", "\r\n\r\n");
}

/* Whether two notes are equal. */
static bool
same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* A place to cut that depends on all bytes. */
static size_t
cut_of(const uint8_t *data, size_t size)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * 16777619u;
	return h % (size + 1);
}

/* One input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play whole, cut;

	if (loop == NULL)
		prepare();
	play(&whole, data, size, size);
	play(&cut, data, size, cut_of(data, size));
	strip_answers(&whole.got);
	strip_answers(&cut.got);
	if (!same(&whole.seen, &cut.seen) || !same(&whole.got, &cut.got) ||
	    whole.closed != cut.closed)
		abort();
	buf_free(&whole.seen);
	buf_free(&whole.got);
	buf_free(&cut.seen);
	buf_free(&cut.got);
	return 0;
}
