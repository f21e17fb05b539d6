#include "config.h"

#include "http/http_listen.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HTTP_LISTEN_BATCH 32     /* connections taken before others have their turn */
#define HTTP_LISTEN_REST_MS 100  /* after running out of descriptors */
#define HTTP_LISTEN_SECURE "https://" /* before an address: with TLS */
#define HTTP_LISTEN_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)
#define HTTP_LISTEN_MODE 0600    /* of a socket file when nothing is said */

struct http_listen {
	struct loop *loop;
	struct log *log;
	http_listen_fn fn;
	void *arg;
	int fd;
	bool secure;
	bool held, added;
	bool complained; /* of the shortage that lasts */
	uint64_t failures;
	struct event ev;
	struct loop_timer rest;
	char *url;
	char *path; /* of a local socket file of our own */
	dev_t dev;
	ino_t ino;
};

union http_listen_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage any;
};

/* Registers or removes the event as hold and rest say. */
static void
http_listen_update(struct http_listen *l)
{
	bool want = l->fd >= 0 && !l->held && !l->rest.armed;

	if (want && !l->added)
		event_add(&l->ev, NULL);
	else if (!want && l->added)
		event_del(&l->ev);
	l->added = want;
}

/* The rest is over. */
static void
http_listen_on_rest(void *arg)
{
	http_listen_update(arg);
}

/* The client's address as text. An IPv4 client of a socket that serves both families is
 * one of IPv4 (RFC 4291, 2.5.5.2). */
static void
http_listen_peer(const union http_listen_addr *a, char out[INET6_ADDRSTRLEN])
{
	strcpy(out, "unix");
	if (a->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->in.sin_addr, out, INET6_ADDRSTRLEN);
	else if (a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		inet_ntop(AF_INET, &a->in6.sin6_addr.s6_addr[12], out, INET6_ADDRSTRLEN);
	else if (a->sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &a->in6.sin6_addr, out, INET6_ADDRSTRLEN);
}

/* Nothing can be accepted for now, though clients wait. */
static void
http_listen_rest(struct http_listen *l, int error)
{
	if (!l->complained)
		log_warn(l->log, "cannot accept connections", LOG_S("reason", strerror(error)));
	l->complained = true;
	l->failures++;
	loop_timer_set(&l->rest, HTTP_LISTEN_REST_MS);
	http_listen_update(l);
}

/* Takes connections out of the kernel's queue. */
static void
http_listen_on_event(evutil_socket_t ignored, short what, void *arg)
{
	struct http_listen *l = arg;
	char peer[INET6_ADDRSTRLEN];
	union http_listen_addr a;
	socklen_t len;
	int fd;

	for (int i = 0; i < HTTP_LISTEN_BATCH && l->added; i++) {
		len = sizeof a;
		fd = accept4(l->fd, &a.sa, &len, HTTP_LISTEN_FLAGS);
		if (fd >= 0) {
			l->complained = false;
			http_listen_peer(&a, peer);
			if (!l->fn(l->arg, l, fd, peer))
				return;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			http_listen_rest(l, errno);
			return;
		}
		/* Other errors belong to a client that is gone already (accept(2)). */
	}
}

/* Reads "127.0.0.1:3000", "[::1]:3000" or "unix:/path". */
static int
http_listen_parse(const char *text, union http_listen_addr *a, socklen_t *len, struct fail *f)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	size_t n = colon != NULL ? (size_t)(colon - text) : 0;
	char *end;
	long port;

	memset(a, 0, sizeof *a);
	if (strncmp(text, "unix:", 5) == 0) {
		a->un.sun_family = AF_UNIX;
		*len = sizeof a->un;
		if (text[5] != '/' || strlen(text + 5) >= sizeof a->un.sun_path)
			return fail_set(f,
			    "%s: the path must be absolute and shorter than %zu bytes", text,
			    sizeof a->un.sun_path);
		strcpy(a->un.sun_path, text + 5);
		return 0;
	}
	if (n == 0 || n >= sizeof host || colon[1] < '0' || colon[1] > '9')
		return fail_set(f,
		    "%s is not an address such as 127.0.0.1:3000, [::1]:3000 or unix:/path", text);
	port = strtol(colon + 1, &end, 10);
	if (*end != '\0' || port > 65535)
		return fail_set(f, "%s: the port must be a number from 0 to 65535", text);
	memcpy(host, text, n);
	host[n] = '\0';
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons((uint16_t)port);
		*len = sizeof a->in6;
		if (inet_pton(AF_INET6, host + 1, &a->in6.sin6_addr) == 1)
			return 0;
	} else {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons((uint16_t)port);
		*len = sizeof a->in;
		if (inet_pton(AF_INET, host, &a->in.sin_addr) == 1)
			return 0;
	}
	return fail_set(f,
	    "%s: the part before the port must be an IPv4 address or [an IPv6 address]", text);
}

/* Removes a socket file on which nobody answers; other files stay. */
static int
http_listen_unstale(const union http_listen_addr *a, struct fail *f)
{
	const char *path = a->un.sun_path;
	struct stat st;
	int fd, error;

	if (lstat(path, &st) != 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return fail_set(f, "unix:%s: this file exists and is not a socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | HTTP_LISTEN_FLAGS, 0);
	if (fd < 0)
		return fail_set(f, "no socket: %s", strerror(errno));
	error = connect(fd, &a->sa, sizeof a->un) == 0 ? 0 : errno;
	close(fd);
	if (error == 0 || error == EAGAIN)
		return fail_set(f, "unix:%s: another program listens there", path);
	if (error != ECONNREFUSED)
		return fail_set(f, "unix:%s: %s", path, strerror(error));
	if (unlink(path) != 0 && errno != ENOENT)
		return fail_set(f, "unix:%s: %s", path, strerror(errno));
	return 0;
}

/* Makes the listening socket. */
static int
http_listen_socket(const char *text, const union http_listen_addr *a, socklen_t len,
    unsigned mode, struct fail *f)
{
	int one = 1, fd = socket(a->sa.sa_family, SOCK_STREAM | HTTP_LISTEN_FLAGS, 0);

	mode = mode != 0 ? mode : HTTP_LISTEN_MODE;
	if (fd < 0)
		return fail_set(f, "%s: %s", text, strerror(errno));
	if (a->sa.sa_family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (a->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	/* Linux makes the file with the permissions of the socket, less what the process's mask
	 * takes away: with none too many. Nobody can connect before listen(). */
	if ((a->sa.sa_family == AF_UNIX && fchmod(fd, mode) != 0) || bind(fd, &a->sa, len) != 0 ||
	    (a->sa.sa_family == AF_UNIX && chmod(a->un.sun_path, mode) != 0) ||
	    listen(fd, SOMAXCONN) != 0) {
		fail_set(f, "%s: %s%s", text, strerror(errno), errno == EACCES && a->sa.sa_family != AF_UNIX ?
		    " (ports below 1024 are root's; a service manager can hand one over)" : "");
		close(fd);
		return -1;
	}
	return fd;
}

/* Finds out what a listening socket is called. */
char *
http_listen_address(int fd)
{
	union http_listen_addr a;
	socklen_t len = sizeof a;
	char host[INET6_ADDRSTRLEN];

	memset(&a, 0, sizeof a);
	if (getsockname(fd, &a.sa, &len) != 0)
		return NULL;
	if (a.sa.sa_family == AF_UNIX && a.un.sun_path[0] == '\0') /* an abstract name, unix(7) */
		return mem_format("unix:@%s", a.un.sun_path + 1);
	if (a.sa.sa_family == AF_UNIX)
		return mem_format("unix:%s", a.un.sun_path);
	if (a.sa.sa_family == AF_INET) {
		http_listen_peer(&a, host);
		return mem_format("%s:%u", host, ntohs(a.in.sin_port));
	}
	if (a.sa.sa_family != AF_INET6)
		return NULL;
	inet_ntop(AF_INET6, &a.in6.sin6_addr, host, sizeof host);
	return mem_format("[%s]:%u", host, ntohs(a.in6.sin6_port));
}

/* Notes which file a local socket has. */
static void
http_listen_own_file(struct http_listen *l, const char *path)
{
	struct stat st;

	l->path = mem_string(path);
	if (stat(path, &st) == 0) {
		l->dev = st.st_dev;
		l->ino = st.st_ino;
	}
}

/* Makes a listener of a listening socket. */
struct http_listen *
http_listen_adopt(struct loop *loop, int fd, bool secure, struct log *log, http_listen_fn fn,
    void *arg)
{
	struct http_listen *l = mem_zero(1, sizeof *l);
	char *address = http_listen_address(fd);

	l->loop = loop;
	l->log = log;
	l->fn = fn;
	l->arg = arg;
	l->fd = fd;
	l->secure = secure;
	if (strncmp(address, "unix:", 5) == 0) {
		l->url = address;
	} else {
		int one = 1;

		/* Accepted sockets inherit it, which saves a call for each. */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		l->url = mem_format("%s://%s", secure ? "https" : "http", address);
		free(address);
	}
	loop_timer_init(&l->rest, loop, http_listen_on_rest, l);
	event_assign(&l->ev, loop_base(loop), fd, EV_READ | EV_PERSIST, http_listen_on_event, l);
	http_listen_update(l);
	return l;
}

/* Opens a listener. */
struct http_listen *
http_listen_open(struct loop *loop, const char *address, unsigned mode, struct log *log,
    http_listen_fn fn, void *arg, struct fail *f)
{
	union http_listen_addr a;
	struct http_listen *l;
	socklen_t len = 0;
	bool secure = strncmp(address, HTTP_LISTEN_SECURE, sizeof HTTP_LISTEN_SECURE - 1) == 0;
	int fd;

	if (secure)
		address += sizeof HTTP_LISTEN_SECURE - 1;
	if (http_listen_parse(address, &a, &len, f) != 0 ||
	    (a.sa.sa_family == AF_UNIX && http_listen_unstale(&a, f) != 0) ||
	    (fd = http_listen_socket(address, &a, len, mode, f)) < 0)
		return NULL;
	l = http_listen_adopt(loop, fd, secure, log, fn, arg);
	if (a.sa.sa_family == AF_UNIX)
		http_listen_own_file(l, a.un.sun_path);
	return l;
}

/* Stops listening. */
void
http_listen_close(struct http_listen *l)
{
	struct stat st;

	if (l->fd < 0)
		return;
	loop_timer_cancel(&l->rest);
	if (l->added)
		event_del(&l->ev);
	l->added = false;
	close(l->fd);
	l->fd = -1;
	if (l->path != NULL && lstat(l->path, &st) == 0 && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		unlink(l->path);
}

/* Frees a listener. */
void
http_listen_free(struct http_listen *l)
{
	http_listen_close(l);
	free(l->url);
	free(l->path);
	free(l);
}

/* Holds a listener or lets it go on. */
void
http_listen_hold(struct http_listen *l, bool hold)
{
	l->held = hold;
	http_listen_update(l);
}

/* The listener's name. */
const char *
http_listen_url(const struct http_listen *l)
{
	return l->url;
}

/* Whether it speaks TLS. */
bool
http_listen_secure(const struct http_listen *l)
{
	return l->secure;
}

/* Failures so far. */
uint64_t
http_listen_failures(const struct http_listen *l)
{
	return l->failures;
}
