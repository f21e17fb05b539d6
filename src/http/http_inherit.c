#include "config.h"

#include "http/http_inherit.h"
#include "base/mem.h"
#include "http/http_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTP_INHERIT_MAX 64 /* sockets; more than anybody hands over on purpose */

/* Reads a whole number that is not negative; -1 when the text is none. */
static long
http_inherit_number(const char *text)
{
	char *end;
	long n;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	n = strtol(text, &end, 10);
	return *end == '\0' && errno == 0 ? n : -1;
}

/* How many names a list holds. */
static size_t
http_inherit_names(const char *names)
{
	size_t n = 1;

	for (; *names != '\0'; names++)
		n += *names == ':';
	return n;
}

/* Whether a descriptor is what a server can accept from. */
static bool
http_inherit_listens(int fd)
{
	int type = 0, listens = 0;
	socklen_t len = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM)
		return false;
	len = sizeof listens;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens != 0;
}

/* Takes one descriptor. */
static int
http_inherit_one(struct http_inherit *in, int fd, const char *name, size_t len, struct fail *f)
{
	struct http_inherited *s = &in->sockets[in->count];
	int flags;

	if (!http_inherit_listens(fd))
		return fail_set(f, "descriptor %d of the service manager is no listening stream socket; a "
		    "socket unit needs ListenStream= and Accept=no", fd);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return fail_set(f, "descriptor %d of the service manager: %s", fd, strerror(errno));
	s->address = http_listen_address(fd);
	if (s->address == NULL)
		return fail_set(f, "descriptor %d of the service manager is neither an IP nor a local socket",
		    fd);
	s->fd = fd;
	s->name = mem_copy(name, len);
	in->count++;
	return 0;
}

/* Takes them all. */
int
http_inherit_take(struct http_inherit *in, const char *pid, const char *fds, const char *names,
    long self, int first, struct fail *f)
{
	long count = http_inherit_number(fds);

	if (fds == NULL || http_inherit_number(pid) != self || count == 0)
		return 0;
	if (count < 0 || count > HTTP_INHERIT_MAX)
		return fail_set(f, "LISTEN_FDS must be a number up to %d, not %s", HTTP_INHERIT_MAX, fds);
	if (names == NULL)
		names = "";
	if (*names != '\0' && http_inherit_names(names) != (size_t)count)
		return fail_set(f, "LISTEN_FDNAMES has %zu names for %ld sockets",
		    http_inherit_names(names), count);
	in->sockets = mem_zero((size_t)count, sizeof *in->sockets);
	for (long i = 0; i < count; i++) {
		size_t len = strcspn(names, ":");

		if (http_inherit_one(in, first + (int)i, names, len, f) != 0)
			return -1;
		names += len + (names[len] == ':');
	}
	return 0;
}

/* Closes and frees. */
void
http_inherit_clear(struct http_inherit *in)
{
	for (size_t i = 0; i < in->count; i++) {
		if (in->sockets[i].fd >= 0)
			close(in->sockets[i].fd);
		free(in->sockets[i].name);
		free(in->sockets[i].address);
	}
	free(in->sockets);
	*in = (struct http_inherit){0};
}
