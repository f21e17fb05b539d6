#include "config.h"

#include "tool.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOOL_WAIT_MS 30000 /* longer than anything here should take */
#define TOOL_STUCK_MS 300  /* a side that takes nothing for so long takes no more */

static int tool_fd = -1;

/* Waits until something can be done with a descriptor; false after the time. */
static bool
tool_ready(int fd, short what, int ms)
{
	struct pollfd p = {.fd = fd, .events = what};
	int n;

	do
		n = poll(&p, 1, ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Listens. */
int
tool_open(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	tool_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(tool_fd, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(tool_fd, 64), 0);
	ck_assert_int_eq(getsockname(tool_fd, (struct sockaddr *)&sin, &len), 0);
	return ntohs(sin.sin_port);
}

/* Listens no more. */
void
tool_close(void)
{
	close(tool_fd);
	tool_fd = -1;
}

/* Takes a connection. */
int
tool_accept(void)
{
	int fd;

	ck_assert_msg(tool_ready(tool_fd, POLLIN, TOOL_WAIT_MS), "nobody calls the tool");
	fd = accept4(tool_fd, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Whether a connection waits. */
bool
tool_is_called(void)
{
	return tool_ready(tool_fd, POLLIN, 0);
}

/* The next of some places for a text. */
static char *
tool_place(size_t *size)
{
	static char places[4][70000];
	static unsigned turn;

	*size = sizeof places[0];
	return places[turn++ % 4];
}

/* Reads a head. */
char *
tool_head(int fd)
{
	size_t size, n = 0;
	char *head = tool_place(&size);

	do {
		ck_assert_msg(tool_ready(fd, POLLIN, TOOL_WAIT_MS), "no head comes");
		ck_assert_msg(recv(fd, head + n, 1, 0) == 1, "the head ends early: %.*s", (int)n, head);
		n++;
		ck_assert_uint_lt(n, size);
	} while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0);
	head[n] = '\0';
	return head;
}

/* Reads some bytes. */
char *
tool_bytes(int fd, size_t len)
{
	size_t size, n = 0;
	char *bytes = tool_place(&size);

	ck_assert_uint_lt(len, size);
	while (n < len) {
		ssize_t got;

		ck_assert_msg(tool_ready(fd, POLLIN, TOOL_WAIT_MS), "only %zu bytes come", n);
		got = recv(fd, bytes + n, len - n, 0);
		ck_assert_msg(got > 0, "the connection ends after %zu bytes", n);
		n += (size_t)got;
	}
	bytes[n] = '\0';
	return bytes;
}

/* Says something. */
void
tool_say(int fd, const char *text)
{
	size_t len = strlen(text);

	ck_assert_int_eq(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* Whether the other side is gone. */
bool
tool_hung_up(int fd)
{
	char c;

	return tool_ready(fd, POLLIN, TOOL_WAIT_MS) && recv(fd, &c, 1, 0) <= 0;
}

/* Ends a connection. */
void
tool_cut(int fd, bool reset)
{
	struct linger hard = {1, 0};

	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(fd);
}

/* Finds a field. */
const char *
head_field(const char *head, const char *name)
{
	static char value[4096];
	size_t len = strlen(name);

	for (const char *p = strstr(head, "\r\n"); p != NULL; p = strstr(p, "\r\n")) {
		p += 2;
		if (strncasecmp(p, name, len) != 0 || p[len] != ':')
			continue;
		p += len + 1;
		p += strspn(p, " ");
		snprintf(value, sizeof value, "%.*s", (int)strcspn(p, "\r"), p);
		return value;
	}
	return NULL;
}

/* Counts. */
unsigned
times(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strcasestr(text, part)) != NULL; text += strlen(part))
		n++;
	return n;
}

/* Reads and drops. */
size_t
swallow(int fd, size_t len)
{
	static char junk[65536];
	size_t n = 0, want;
	ssize_t got;

	while (len == 0 || n < len) {
		want = len == 0 || len - n > sizeof junk ? sizeof junk : len - n;
		if (!tool_ready(fd, POLLIN, TOOL_WAIT_MS) || (got = recv(fd, junk, want, 0)) <= 0)
			break;
		n += (size_t)got;
	}
	return n;
}

/* Sends. */
size_t
pour(int fd, size_t len)
{
	static char bytes[65536];
	size_t n = 0, piece;
	ssize_t sent;

	while (n < len && tool_ready(fd, POLLOUT, TOOL_STUCK_MS)) {
		piece = len - n < sizeof bytes ? len - n : sizeof bytes;
		sent = send(fd, bytes, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EAGAIN)
			continue;
		if (sent <= 0)
			break;
		n += (size_t)sent;
	}
	return n;
}

/* Reads the peak from /proc. */
long
peak_of(int pid)
{
	char path[64], line[256];
	long peak = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			peak = atol(line + 6);
	fclose(f);
	ck_assert_int_gt(peak, 0);
	return peak;
}
