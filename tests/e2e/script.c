#include "config.h"

#include "script.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define SCRIPT_BYTES 65536

struct script {
	script_fn fn;
	void *arg;
	int listener;
	int count;
	pthread_mutex_t lock; /* one request at a time */
};

static pthread_mutex_t script_gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t script_opened = PTHREAD_COND_INITIALIZER;
static bool script_open;

/* One connection. */
struct script_conn {
	struct script *script;
	int fd;
};

/* Reads a whole request into `bytes`; false at the end. */
static bool
script_read(int fd, char *bytes)
{
	size_t len = 0, want = 0;
	const char *end, *length;

	while (want == 0 || len < want) {
		ssize_t n = recv(fd, bytes + len, SCRIPT_BYTES - 1 - len, 0);

		if (n <= 0)
			return false;
		len += (size_t)n;
		bytes[len] = '\0';
		end = strstr(bytes, "\r\n\r\n");
		if (end == NULL)
			continue;
		length = strcasestr(bytes, "\r\ncontent-length:");
		want = (size_t)(end - bytes) + 4 +
		    (length != NULL && length < end ? (size_t)atoi(length + 17) : 0);
	}
	return true;
}

/* Takes a request apart and lets the test say what to do. */
static void
script_decide(struct script *s, char *bytes, struct script_reply *out)
{
	char method[16] = "", path[512] = "";
	struct script_request q = {.method = method, .path = path};

	sscanf(bytes, "%15s %511s", method, path);
	q.body = strstr(bytes, "\r\n\r\n") + 4;
	q.head = bytes;
	memset(out, 0, sizeof *out);
	pthread_mutex_lock(&s->lock);
	q.number = ++s->count;
	s->fn(s->arg, &q, out);
	pthread_mutex_unlock(&s->lock);
}

/* Lets held answers go. */
void
script_release(void)
{
	pthread_mutex_lock(&script_gate);
	script_open = true;
	pthread_cond_broadcast(&script_opened);
	pthread_mutex_unlock(&script_gate);
}

/* Waits until held answers may go. */
static void
script_hold(void)
{
	pthread_mutex_lock(&script_gate);
	while (!script_open)
		pthread_cond_wait(&script_opened, &script_gate);
	pthread_mutex_unlock(&script_gate);
}

/* Serves one connection. */
static void *
script_serve(void *arg)
{
	struct script_conn *c = arg;
	char *bytes = malloc(SCRIPT_BYTES), head[1024];
	struct script_reply r;

	while (script_read(c->fd, bytes)) {
		int n;

		script_decide(c->script, bytes, &r);
		if (r.act == SCRIPT_HANG) {
			while (recv(c->fd, bytes, SCRIPT_BYTES, 0) > 0)
				;
			break;
		}
		if (r.act == SCRIPT_RESET)
			break;
		if (r.act == SCRIPT_HOLD)
			script_hold();
		n = snprintf(head, sizeof head,
		    "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n", r.status,
		    r.fields != NULL ? r.fields : "", strlen(r.body));
		send(c->fd, head, (size_t)n, MSG_NOSIGNAL);
		send(c->fd, r.body, strlen(r.body), MSG_NOSIGNAL);
	}
	close(c->fd);
	free(bytes);
	free(c);
	return NULL;
}

/* Accepts connections. */
static void *
script_accept(void *arg)
{
	struct script *s = arg;
	pthread_t thread;

	for (;;) {
		struct script_conn *c = malloc(sizeof *c);

		c->script = s;
		do
			c->fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
		while (c->fd < 0 && errno == EINTR);
		if (c->fd < 0 || pthread_create(&thread, NULL, script_serve, c) != 0) {
			free(c);
			return NULL;
		}
		pthread_detach(thread);
	}
}

/* Starts it. */
int
script_start(script_fn fn, void *arg)
{
	static struct script s; /* one to a test; its threads end with the process */
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;
	pthread_t thread;

	s.fn = fn;
	s.arg = arg;
	pthread_mutex_init(&s.lock, NULL);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(s.listener, 0);
	ck_assert_int_eq(bind(s.listener, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(s.listener, 64), 0);
	ck_assert_int_eq(getsockname(s.listener, (struct sockaddr *)&sin, &len), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, script_accept, &s), 0);
	pthread_detach(thread);
	return ntohs(sin.sin_port);
}
