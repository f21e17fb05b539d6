#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A Bluejay that keeps nothing, so that a create costs it no more than a read does, however
 * many there were: a persona with the id that is asked for, one with a fresh id and the name
 * that was sent on create, and for each agent the listing in the file that is called as its
 * number. Prints `listening on URL`. Usage: swift_upstream FOLDER-OF-LISTINGS
 */
#define SWIFT_CONNECTIONS 1024 /* descriptors above it are refused */
#define SWIFT_REQUEST_MAX 8192
#define SWIFT_PERSONA "{\"id\":\"%.*s\",\"created_at\":\"2023-11-07T05:31:56Z\",\"name\":\"%s%.*s\","   \
	"\"description\":\"A user who wants quick answers\",\"goal\":\"You are an impatient user who " \
	"values brevity and expects quick, concise responses.\",\"org_id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\"}"

struct swift_conn {
	size_t len;
	char text[SWIFT_REQUEST_MAX + 1];
};

static const char *swift_folder;
static unsigned swift_made;
static struct swift_conn *swift_conns[SWIFT_CONNECTIONS];

/* Ends the program with a sentence. */
static void
swift_die(const char *what)
{
	fprintf(stderr, "swift_upstream: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Sends all bytes; the peer reads, so waiting for it is no matter. */
static bool
swift_send(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* Answers with a JSON text. */
static bool
swift_answer(int fd, int status, const char *body, size_t len)
{
	char text[2048];
	int head = snprintf(text, sizeof text, "HTTP/1.1 %d OK\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n", status, len);

	if (len < sizeof text - (size_t)head) { /* in one piece */
		memcpy(text + head, body, len);
		return swift_send(fd, text, (size_t)head + len);
	}
	return swift_send(fd, text, (size_t)head) && swift_send(fd, body, len);
}

/* Answers with a persona. */
static bool
swift_persona(int fd, const char *id, int id_len, const char *prefix, const char *name, int name_len)
{
	char body[1024];
	int len = snprintf(body, sizeof body, SWIFT_PERSONA, id_len, id, prefix, name_len, name);

	return len < (int)sizeof body && swift_answer(fd, 200, body, (size_t)len);
}

/* Answers with an agent's listing. */
static bool
swift_listing(int fd, const char *agent)
{
	char path[512], *body;
	bool sent;
	long len;
	FILE *f;

	snprintf(path, sizeof path, "%s/%ld", swift_folder, atol(agent));
	if ((f = fopen(path, "r")) == NULL)
		return swift_answer(fd, 200, "[]", 2);
	if (fseek(f, 0, SEEK_END) != 0 || (len = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
		swift_die(path);
	body = malloc((size_t)len + 1);
	if (body == NULL || fread(body, 1, (size_t)len, f) != (size_t)len)
		swift_die(path);
	fclose(f);
	sent = swift_answer(fd, 200, body, (size_t)len);
	free(body);
	return sent;
}

/* Answers a create: the name is what stands in the body. */
static bool
swift_create(int fd, const char *body)
{
	const char *name = strstr(body, "\"name\":\"");
	char id[40];
	int len = snprintf(id, sizeof id, "%08x-1111-4000-8000-%012x", swift_made * 2654435761u, swift_made);

	swift_made++;
	if (name == NULL)
		return swift_answer(fd, 422, "{}", 2);
	name += 8;
	return swift_persona(fd, id, len, "", name, (int)strcspn(name, "\""));
}

/* Answers one request. */
static bool
swift_serve(int fd, const char *text, const char *body)
{
	static const char one[] = " /v1/customer-persona/", all[] = " /v1/customer-personas-by-agent/",
	    create[] = " /v1/create-customer-persona";
	const char *path = strchr(text, ' ');

	if (path == NULL)
		return false;
	if (strncmp(path, one, sizeof one - 1) == 0) {
		const char *id = path + sizeof one - 1;

		return swift_persona(fd, id, (int)strcspn(id, " ?"), "impatient-user-", id,
		    (int)strcspn(id, "- ?"));
	}
	if (strncmp(path, all, sizeof all - 1) == 0)
		return swift_listing(fd, path + sizeof all - 1);
	if (strncmp(path, create, sizeof create - 1) == 0)
		return swift_create(fd, body);
	return swift_answer(fd, 404, "{}", 2);
}

/* Serves what is whole; false when the connection is to be closed. */
static bool
swift_serve_all(int fd, struct swift_conn *c)
{
	for (;;) {
		char *end = strstr(c->text, "\r\n\r\n"), *length, left;
		size_t whole;

		if (end == NULL)
			return c->len < SWIFT_REQUEST_MAX;
		length = strcasestr(c->text, "\r\ncontent-length:");
		whole = (size_t)(end + 4 - c->text);
		if (length != NULL && length < end)
			whole += strtoul(length + 17, NULL, 10);
		if (whole > c->len)
			return whole <= SWIFT_REQUEST_MAX;
		left = c->text[whole];
		c->text[whole] = '\0';
		if (!swift_serve(fd, c->text, end + 4))
			return false;
		c->text[whole] = left;
		c->len -= whole;
		memmove(c->text, c->text + whole, c->len + 1);
	}
}

/* Takes what came on a connection. */
static void
swift_receive(int fd)
{
	struct swift_conn *c = swift_conns[fd];
	ssize_t n = recv(fd, c->text + c->len, SWIFT_REQUEST_MAX - c->len, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0) {
		c->len += (size_t)n;
		c->text[c->len] = '\0';
		if (swift_serve_all(fd, c))
			return;
	}
	close(fd);
	free(c);
	swift_conns[fd] = NULL;
}

/* Takes a new connection. */
static void
swift_accept(int listener, int epoll)
{
	struct epoll_event e = {.events = EPOLLIN};
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), one = 1;

	if (fd < 0)
		return;
	if (fd >= SWIFT_CONNECTIONS || (swift_conns[fd] = calloc(1, sizeof **swift_conns)) == NULL) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	e.data.fd = fd;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		swift_die("epoll_ctl");
}

/* Listens on a free port of loopback, and says where. */
static int
swift_listen(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 1024) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		swift_die("listen");
	printf("listening on http://127.0.0.1:%d\n", ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

/* Serves until it is ended. */
int
main(int argc, char **argv)
{
	struct epoll_event e = {.events = EPOLLIN}, ready[64];
	int listener, epoll, n;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER-OF-LISTINGS\n", argv[0]);
		return 2;
	}
	swift_folder = argv[1];
	listener = swift_listen();
	epoll = epoll_create1(EPOLL_CLOEXEC);
	e.data.fd = listener;
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e) < 0)
		swift_die("epoll");
	for (;;) {
		n = epoll_wait(epoll, ready, 64, -1);
		for (int i = 0; i < n; i++) {
			if (ready[i].data.fd == listener)
				swift_accept(listener, epoll);
			else
				swift_receive(ready[i].data.fd);
		}
	}
}
