#include "config.h"

#include "exposition.h"
#include "harness.h"
#include "unit.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * Clients that are slow on purpose. All times of a connection are absolute: whoever sends a
 * byte now and then is cut off as soon as who sends nothing. Each client here would go on
 * for ever; what is asserted is when the gateway ends it, and that it counts why.
 */

#define HEAD_MS 700
#define BODY_MS 1100
#define IDLE_MS 1500
#define LINGER_MS 5000 /* after a refusal; no key changes it */
#define PATIENCE_MS 12000 /* how much later than due an end may be seen on a busy machine */
#define TICK_MS 30
#define MANY 400

#define PERSONAS "/api/projects/demo/personas"
#define GET "GET /api/projects HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define POST "POST " PERSONAS " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

enum kind { IDLE, HEAD, BODY, WRITE, LINGER, NONE };
static const char *const kinds[] = {"idle", "head", "body", "write", "linger"};
static const int64_t due[] = {IDLE_MS, HEAD_MS, BODY_MS, BODY_MS, LINGER_MS, 0};

enum how {
	READS,  /* notices the end when it reads */
	HALF,   /* the same, but ends its own side at once */
	DEAF,   /* reads nothing */
	PUSHES, /* notices that it cannot send any more */
};

/* A client and what it does for ever. */
struct slow {
	const char *name;
	const char *first; /* sent at once */
	const char *drip;  /* sent again and again; NULL: nothing */
	int answers;       /* that it gets; the last one has this status: */
	int status;        /* 0: no answer */
	enum kind kind;    /* why it is ended */
	enum how how;
	int fd;
	int64_t begun, ended;
	char got[4096];
	size_t len;
};

static struct program gateway;

/* Milliseconds of a clock that only runs forward. */
static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Starts a gateway over its sandbox with short times and these limits. */
static void
start(const char *limits)
{
	const char *config = scratch_file("slow.yaml",
	    "client_timeouts: {head: %dms, body: %dms, idle: %dms}\n%s", HEAD_MS, BODY_MS, IDLE_MS, limits);
	const char *const args[] = {"serve", "--sandbox", "--config", config, "--data-dir", scratch_dir(),
	    "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};

	program_start(&gateway, args);
}

/* A number of the gateway's metrics, of the local API. */
static int
metric(const char *name, const char *label)
{
	struct reply *r = ask(gateway.admin_port, "GET", "/metrics", NULL, NULL);
	char labels[80];

	ck_assert_int_eq(r->status, 200);
	exposition_read(r->body);
	snprintf(labels, sizeof labels, "listener=\"api\"%s", label);
	return (int)exposition_value(name, labels);
}

/* How many were ended for a reason. */
static int
timeouts(enum kind kind)
{
	char label[40];

	snprintf(label, sizeof label, ",kind=\"%s\"", kinds[kind]);
	return metric("persona_gateway_http_timeouts_total", label);
}

/* Connects and sends what comes first. */
static void
begin(struct slow *s)
{
	int one = 1, little = 2048;

	s->begun = now();
	s->fd = raw_connect(gateway.port);
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (s->how == DEAF)
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
	raw_send(s->fd, s->first, strlen(s->first));
	if (s->how == HALF)
		shutdown(s->fd, SHUT_WR);
}

/* Notes that the gateway has ended it. */
static void
note_end(struct slow *s)
{
	s->ended = now();
}

/* Takes what has come. */
static void
take(struct slow *s, short events)
{
	ssize_t n;

	if (s->how == DEAF) {
		if (events & (POLLERR | POLLHUP))
			note_end(s);
		return;
	}
	n = recv(s->fd, s->got + s->len, sizeof s->got - 1 - s->len, MSG_DONTWAIT);
	if (n > 0)
		s->len += (size_t)n;
	else if (s->how != PUSHES && (n == 0 || (errno != EAGAIN && errno != EINTR)))
		note_end(s);
}

/* Sends a little more. */
static void
drip(struct slow *s)
{
	if (s->drip == NULL || s->ended != 0)
		return;
	if (send(s->fd, s->drip, strlen(s->drip), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && s->how == PUSHES &&
	    errno != EAGAIN)
		note_end(s);
}

/* Plays all clients at once until each is ended, or the time is over. */
static void
play(struct slow *all, size_t count)
{
	struct pollfd *fds = mem_zero(count, sizeof *fds);
	int64_t until = now() + LINGER_MS + PATIENCE_MS, next = now() + TICK_MS;
	size_t left = count;

	while (left > 0 && now() < until) {
		int64_t wait = next - now();

		left = 0;
		for (size_t i = 0; i < count; i++) {
			bool watch = all[i].ended == 0;

			left += watch;
			/* A client that only pushes has read the end already. */
			fds[i].fd = watch && !(all[i].how == PUSHES && all[i].len > 0) ? all[i].fd : -1;
			fds[i].events = all[i].how == DEAF ? 0 : POLLIN;
		}
		poll(fds, count, wait > 0 ? (int)wait : 0);
		for (size_t i = 0; i < count; i++)
			if (fds[i].fd >= 0 && fds[i].revents != 0)
				take(&all[i], fds[i].revents);
		if (now() < next)
			continue;
		next = now() + TICK_MS;
		for (size_t i = 0; i < count; i++)
			drip(&all[i]);
	}
	free(fds);
}

/* Fails unless a client was ended in time and told what it should be. */
static void
check(struct slow *s)
{
	int64_t took = s->ended - s->begun;
	int answers = 0, status = 0;

	ck_assert_msg(s->ended != 0, "%s: never ended", s->name);
	ck_assert_msg(took >= due[s->kind], "%s: ended after %d ms", s->name, (int)took);
	ck_assert_msg(took < due[s->kind] + PATIENCE_MS, "%s: ended after %d ms", s->name, (int)took);
	s->got[s->len] = '\0';
	for (const char *p = s->got; (p = strstr(p, "HTTP/1.1 ")) != NULL; p++, answers++)
		status = atoi(p + 9);
	ck_assert_msg(answers == s->answers && status == s->status, "%s: %s", s->name, s->got);
	close(s->fd);
}

#define CLIENT(n, f, d, a, s, k, h) \
	{.name = n, .first = f, .drip = d, .answers = a, .status = s, .kind = k, .how = h}

static struct slow clients[] = {
    CLIENT("a head in single bytes", "GET / HTTP/1.1\r\nHost: localhost\r\nX: ", "a", 1, 408, HEAD, READS),
    CLIENT("a request line in single bytes", "GET /", "a", 1, 408, HEAD, READS),
    CLIENT("a head that stops", "GET / HTTP/1.1\r\nHo", NULL, 1, 408, HEAD, READS),
    CLIENT("header lines one by one", "GET / HTTP/1.1\r\nHost: localhost\r\n", "A: b\r\n", 1, 408, HEAD, READS),
    CLIENT("a second head in single bytes", GET "GET /", "a", 2, 408, HEAD, READS),
    CLIENT("a second head that stops", GET "G", NULL, 2, 408, HEAD, READS),
    CLIENT("a body in single bytes", POST "Content-Length: 99999\r\n\r\n", "x", 1, 408, BODY, READS),
    CLIENT("a body that stops", POST "Content-Length: 9\r\n\r\n{", NULL, 1, 408, BODY, READS),
    CLIENT("a body that is announced", POST "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", NULL, 2, 408,
        BODY, READS),
    CLIENT("chunks of a byte", POST "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", 1, 408, BODY, READS),
    CLIENT("a chunk extension", POST "Transfer-Encoding: chunked\r\n\r\n5;", "a", 1, 408, BODY, READS),
    CLIENT("a chunk that never comes", POST "Transfer-Encoding: chunked\r\n\r\n", NULL, 1, 408, BODY, READS),
    CLIENT("trailers in single bytes", POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: ", "a", 1, 408,
        BODY, READS),
    CLIENT("trailer lines one by one", POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", "A: b\r\n", 1,
        408, BODY, READS),
    CLIENT("a body that nobody wants", "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n",
        "x", 1, 404, BODY, READS),
    CLIENT("a body behind another request", GET POST "Content-Length: 9999\r\n\r\n", "x", 2, 408, BODY, READS),
    CLIENT("nothing", "", NULL, 0, 0, IDLE, READS),
    CLIENT("an empty line", "\r\n", NULL, 0, 0, IDLE, READS),
    CLIENT("nothing after an answer", GET, NULL, 1, 200, IDLE, READS),
    CLIENT("an empty line after an answer", GET "\r\n", NULL, 1, 200, IDLE, READS),
    CLIENT("nothing, and never anything", "", NULL, 0, 0, NONE, HALF),
    CLIENT("the beginning of a head, and never more", "GET /", NULL, 0, 0, NONE, HALF),
    CLIENT("half of a body, and never more", POST "Content-Length: 9\r\n\r\n{", NULL, 0, 0, NONE,
        HALF),
    CLIENT("bytes behind a refusal", "BAD\r\n\r\n", "x", 1, 400, LINGER, PUSHES),
    CLIENT("a body behind a refusal", POST "Content-Length: 99999999\r\n\r\n", "x", 1, 413, LINGER,
        PUSHES),
};
#define CLIENTS (sizeof clients / sizeof *clients)

START_TEST(every_slow_client_is_ended_in_time)
{
	int want[NONE + 1] = {0};

	start("");
	for (size_t i = 0; i < CLIENTS; i++) {
		begin(&clients[i]);
		want[clients[i].kind]++;
	}
	play(clients, CLIENTS);
	for (size_t i = 0; i < CLIENTS; i++)
		check(&clients[i]);
	for (enum kind k = IDLE; k < NONE; k++)
		ck_assert_msg(timeouts(k) == want[k], "%s: %d counted, not %d", kinds[k], timeouts(k), want[k]);
	ck_assert_int_eq(metric("persona_gateway_http_connections_open", ""), 0);
	ck_assert_int_eq(metric("persona_gateway_http_requests_in_flight", ""), 0);
	ck_assert_int_eq(metric("persona_gateway_http_buffer_bytes", ""), 0);
	ck_assert_int_eq(program_stop(&gateway), 0);
}
END_TEST

/* Uploads a picture that no kernel's buffer holds; its request line. Static. */
static const char *
upload(void)
{
	static char request[400];
	size_t len = 9 << 20;
	char *bytes = mem_zero(1, len), *body;
	struct reply *r;
	struct buf b;

	memcpy(bytes, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
	buf_init(&b, 0);
	buf_adds(&b, "{\"role\":\"r\",\"imageBase64\":\"");
	base64_encode(&b, bytes, len);
	buf_adds(&b, "\"}");
	body = buf_take(&b, NULL);
	r = ask(gateway.port, "POST", "/api/projects/demo/images", NULL, body);
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	snprintf(request, sizeof request, "GET /api/projects/demo/images/%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
	    reply_string(r, "id"));
	free(bytes);
	free(body);
	return request;
}

/* Makes a persona whose answer is longer than what a client takes unasked. */
static void
make_long_persona(void)
{
	struct buf b;
	char *body;

	buf_init(&b, 0);
	buf_adds(&b, "{\"name\":\"long\",\"systemPrompt\":\"");
	for (int i = 0; i < 20000; i++)
		buf_adds(&b, "0123456789");
	buf_adds(&b, "\"}");
	body = buf_take(&b, NULL);
	ck_assert_int_eq(ask(gateway.port, "POST", PERSONAS, NULL, body)->status, 201);
	free(body);
}

/* Who takes nothing is cut by a reset: an ordinary end would leave megabytes with the kernel
 * for as long as the client likes. So it is with an answer that is all with the kernel. */
START_TEST(who_does_not_read_is_cut)
{
	struct slow deaf[5] = {{.name = "reads nothing"}, {.name = "reads nothing and asks for more"},
	    {.name = "reads nothing and sends bytes"}, {.name = "reads nothing of many answers"},
	    {.name = "reads nothing of a short answer",
	        .first = "GET " PERSONAS " HTTP/1.1\r\nHost: localhost\r\n\r\n"}};
	static char many[60000];
	size_t len = 0;

	start("");
	deaf[0].first = upload();
	for (size_t i = 0; i < 3; i++)
		deaf[i].first = deaf[0].first;
	deaf[1].drip = GET;
	deaf[2].drip = "x";
	while (len + strlen(deaf[0].first) < sizeof many)
		len += (size_t)snprintf(many + len, sizeof many - len, "%s", deaf[0].first);
	deaf[3].first = many;
	make_long_persona();
	for (size_t i = 0; i < 5; i++) {
		deaf[i].kind = i < 4 ? WRITE : IDLE;
		deaf[i].how = DEAF;
		begin(&deaf[i]);
	}
	play(deaf, 5);
	for (size_t i = 0; i < 5; i++)
		check(&deaf[i]);
	ck_assert_int_eq(timeouts(WRITE), 4);
	ck_assert_int_eq(timeouts(IDLE), 1);
	ck_assert_int_eq(metric("persona_gateway_http_connections_open", ""), 0);
	ck_assert_int_eq(metric("persona_gateway_http_buffer_bytes", ""), 0);
	ck_assert_int_eq(program_stop(&gateway), 0);
}
END_TEST

/* Asks once, which must not take long; returns how long. */
static int64_t
ask_now(void)
{
	int64_t begun = now();

	ck_assert_int_eq(ask(gateway.port, "GET", "/api/projects", NULL, NULL)->status, 200);
	return now() - begun;
}

START_TEST(many_slow_clients_do_not_keep_others_waiting)
{
	struct slow *all = mem_zero(MANY, sizeof *all);
	int64_t took;

	start("");
	for (size_t i = 0; i < MANY; i++) {
		all[i] = clients[i % 2 == 0 ? 0 : 6]; /* heads and bodies in single bytes */
		all[i].len = 0;
		begin(&all[i]);
	}
	took = ask_now();
	ck_assert_msg(took < HEAD_MS, "%d ms", (int)took);
	play(all, MANY);
	for (size_t i = 0; i < MANY; i++)
		check(&all[i]);
	ck_assert_int_eq(timeouts(HEAD), MANY / 2);
	ck_assert_int_eq(timeouts(BODY), MANY / 2);
	free(all);
	ck_assert_int_eq(program_stop(&gateway), 0);
}
END_TEST

/* At the limit of connections new clients wait in the kernel, and no longer than the slow
 * ones may take. */
START_TEST(slow_clients_hold_all_places_only_for_their_time)
{
	struct slow all[8];
	int64_t took;

	start("limits: {connections: 8}\n");
	for (size_t i = 0; i < 8; i++) {
		all[i] = clients[0];
		begin(&all[i]);
	}
	took = ask_now();
	ck_assert_msg(took < HEAD_MS + PATIENCE_MS, "%d ms", (int)took);
	play(all, 8);
	for (size_t i = 0; i < 8; i++)
		check(&all[i]);
	ck_assert_int_ge(metric("persona_gateway_http_connection_limit_reached_total", ""), 1);
	ck_assert_int_eq(program_stop(&gateway), 0);
}
END_TEST

/* The suite. */
static Suite *
slow_suite(void)
{
	const TTest *const tests[] = {every_slow_client_is_ended_in_time, who_does_not_read_is_cut,
	    many_slow_clients_do_not_keep_others_waiting,
	    slow_clients_hold_all_places_only_for_their_time, NULL};

	return unit_suite("slow", tests);
}

UNIT_MAIN(slow_suite)
