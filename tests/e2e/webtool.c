#include "config.h"

#include "webtool.h"
#include "base/base64.h"
#include "base/buf.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define WEBTOOL_BYTES 65536 /* of a request, of a file, and of what is noted */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int fd;
	char seen[WEBTOOL_BYTES];   /* the requests' first lines */
	char events[WEBTOOL_BYTES]; /* of the run, as they go over the wire */
} webtool = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .fd = -1};

/* What is answered always. */
static const struct webtool_answer {
	const char *request, *type, *body, *file;
} webtool_answers[] = {
    {"GET /", "text/html; charset=utf-8", NULL, "index.html"},
    {"GET /assets/client.css", "text/css", NULL, "client.css"},
    {"GET /assets/client.js", "text/javascript", NULL, "client.js"},
    {"GET /favicon.ico", "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>", NULL},
    {"GET /api/status", "application/json", "{\"status\":\"ok\"}", NULL},
    {"GET /api/projects", "application/json",
        "[{\"id\":\"demo\",\"name\":\"Shop\"},{\"id\":\"plain\",\"name\":\"Other\"}]", NULL},
    {"GET /api/projects/demo/scenarios", "application/json",
        "[{\"id\":\"s1\",\"name\":\"Return a kettle\"},{\"id\":\"s2\",\"name\":\"Ask twice\"}]", NULL},
    {"GET /api/projects/demo/connectors", "application/json", "[{},{}]", NULL},
    {"GET /api/projects/demo/evals", "application/json", "[{},{},{}]", NULL},
    {"GET /api/projects/demo/runs", "application/json", "[]", NULL},
    {"POST /api/projects/demo/runs", "application/json", "{\"id\":\"r1\"}", NULL},
    {"GET /api/projects/plain/scenarios", "application/json",
        "[{\"id\":\"s3\",\"name\":\"Close an account\"}]", NULL},
    {"GET /api/projects/plain/connectors", "application/json", "[]", NULL},
    {"GET /api/projects/plain/evals", "application/json", "[]", NULL},
    {"GET /api/projects/plain/runs", "application/json", "[]", NULL},
    {"GET /api/llm-providers", "application/json", "[{}]", NULL},
};

/* Reads a whole request; false at the end. */
static bool
webtool_read(int fd, char *bytes)
{
	size_t len = 0, want = 0;

	while (want == 0 || len < want) {
		ssize_t n = recv(fd, bytes + len, WEBTOOL_BYTES - 1 - len, 0);
		const char *end, *length;

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

/* Sends text. */
static bool
webtool_say(int fd, const char *text, size_t len)
{
	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* Sends the run's events as they come, until the other side is gone. */
static void
webtool_stream(int fd)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	                           "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
	char chunk[WEBTOOL_BYTES + 32];
	size_t sent = 0;
	bool open = webtool_say(fd, head, sizeof head - 1);

	while (open) {
		pthread_mutex_lock(&webtool.lock);
		while (webtool.events[sent] == '\0')
			pthread_cond_wait(&webtool.changed, &webtool.lock);
		snprintf(chunk, sizeof chunk, "%zx\r\n%s\r\n", strlen(webtool.events + sent),
		    webtool.events + sent);
		sent = strlen(webtool.events);
		pthread_mutex_unlock(&webtool.lock);
		open = webtool_say(fd, chunk, strlen(chunk));
	}
}

/* Takes a WebSocket's request (RFC 6455, 4.2.2). */
static bool
webtool_open_chat(int fd, const char *request)
{
	static const char field[] = "\r\nSec-WebSocket-Key: ";
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	const char *key = strcasestr(request, field);
	unsigned char hash[EVP_MAX_MD_SIZE];
	struct buf text;
	bool sent;

	if (key == NULL)
		return false;
	key += sizeof field - 1;
	buf_init(&text, 0);
	buf_add(&text, key, strcspn(key, "\r"));
	buf_adds(&text, guid);
	EVP_Digest(text.data, text.len, hash, NULL, EVP_sha1(), NULL);
	buf_clear(&text);
	buf_adds(&text, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	                "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
	base64_encode(&text, hash, 20);
	buf_adds(&text, "\r\n\r\n");
	sent = webtool_say(fd, text.data, text.len);
	buf_free(&text);
	return sent;
}

/* Says back what is said, frame by frame (5.2; short ones, as the test sends them), until
 * the other side leaves. */
static void
webtool_chat(int fd, const char *request)
{
	unsigned char frame[6 + 125], answer[2 + 125];
	bool open = webtool_open_chat(fd, request);

	while (open && recv(fd, frame, 6, MSG_WAITALL) == 6) {
		size_t len = frame[1] & 0x7f;

		if (len > 125 || (len > 0 && recv(fd, frame + 6, len, MSG_WAITALL) != (ssize_t)len))
			break;
		for (size_t i = 0; i < len; i++)
			answer[2 + i] = frame[6 + i] ^ frame[2 + i % 4];
		answer[0] = frame[0];
		answer[1] = (unsigned char)len;
		open = webtool_say(fd, (const char *)answer, 2 + len) && (frame[0] & 0xf) != 8;
	}
}

/* A file of the web client; the caller frees. */
static char *
webtool_file(const char *name)
{
	char path[512], *bytes = calloc(1, WEBTOOL_BYTES);
	FILE *f;

	snprintf(path, sizeof path, "%s/tests/e2e/webclient/%s", TEST_SRCDIR, name);
	f = fopen(path, "r");
	if (f != NULL) {
		bytes[fread(bytes, 1, WEBTOOL_BYTES - 1, f)] = '\0';
		fclose(f);
	}
	return bytes;
}

/* Answers what was asked for. */
static bool
webtool_answer(int fd, const char *request)
{
	const struct webtool_answer *a = NULL;
	const char *body = "{\"error\":\"Not found\"}";
	char head[256], *file = NULL;
	bool sent;
	int n;

	for (size_t i = 0; i < sizeof webtool_answers / sizeof *webtool_answers && a == NULL; i++)
		if (strcmp(webtool_answers[i].request, request) == 0)
			a = &webtool_answers[i];
	if (a != NULL)
		body = a->file != NULL ? (file = webtool_file(a->file)) : a->body;
	n = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
	    a != NULL ? "200 OK" : "404 Not Found", a != NULL ? a->type : "application/json",
	    strlen(body));
	sent = webtool_say(fd, head, (size_t)n) && webtool_say(fd, body, strlen(body));
	free(file);
	return sent;
}

/* Serves one connection. */
static void *
webtool_serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char *bytes = malloc(WEBTOOL_BYTES), method[16], target[512], request[600];
	bool open = true;

	while (open && webtool_read(fd, bytes)) {
		method[0] = target[0] = '\0';
		sscanf(bytes, "%15s %511s", method, target);
		snprintf(request, sizeof request, "%s %s", method, target);
		pthread_mutex_lock(&webtool.lock);
		strncat(webtool.seen, request, WEBTOOL_BYTES - strlen(webtool.seen) - 2);
		strcat(webtool.seen, "\n");
		pthread_mutex_unlock(&webtool.lock);
		if (strcmp(request, "GET /api/projects/demo/runs/r1/events") == 0) {
			webtool_stream(fd);
			break;
		}
		if (strcmp(request, "GET /api/projects/demo/chat") == 0) {
			webtool_chat(fd, bytes);
			break;
		}
		open = webtool_answer(fd, request);
	}
	close(fd);
	free(bytes);
	return NULL;
}

/* Accepts connections. */
static void *
webtool_accept(void *arg)
{
	pthread_t thread;
	int fd;

	(void)arg;
	do {
		do
			fd = accept4(webtool.fd, NULL, NULL, SOCK_CLOEXEC);
		while (fd < 0 && errno == EINTR);
		if (fd >= 0 &&
		    pthread_create(&thread, NULL, webtool_serve, (void *)(intptr_t)fd) == 0)
			pthread_detach(thread);
	} while (fd >= 0);
	return NULL;
}

/* Starts it. */
int
webtool_start(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;
	pthread_t thread;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	webtool.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(webtool.fd, 0);
	ck_assert_int_eq(bind(webtool.fd, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(webtool.fd, 64), 0);
	ck_assert_int_eq(getsockname(webtool.fd, (struct sockaddr *)&sin, &len), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, webtool_accept, NULL), 0);
	pthread_detach(thread);
	return ntohs(sin.sin_port);
}

/* Sends an event. */
void
webtool_event(const char *name, const char *data)
{
	size_t len;

	pthread_mutex_lock(&webtool.lock);
	len = strlen(webtool.events);
	if (name != NULL)
		len += (size_t)snprintf(webtool.events + len, sizeof webtool.events - len, "event: %s\n", name);
	snprintf(webtool.events + len, sizeof webtool.events - len, "data: %s\n\n", data);
	pthread_cond_broadcast(&webtool.changed);
	pthread_mutex_unlock(&webtool.lock);
}

/* What was asked for. */
const char *
webtool_seen(void)
{
	static char copy[WEBTOOL_BYTES];

	pthread_mutex_lock(&webtool.lock);
	strcpy(copy, webtool.seen);
	pthread_mutex_unlock(&webtool.lock);
	return copy;
}
