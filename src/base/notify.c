#include "config.h"

#include "base/notify.h"
#include "base/mem.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct notify {
	int fd;
	struct sockaddr_un to;
	socklen_t len;
};

/* Prepares to tell. */
struct notify *
notify_open(const char *path)
{
	size_t len = path != NULL ? strlen(path) : 0;
	struct notify *n;

	if (len < 2 || len >= sizeof n->to.sun_path || (*path != '/' && *path != '@'))
		return NULL;
	n = mem_zero(1, sizeof *n);
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, path, len);
	if (*path == '@')
		n->to.sun_path[0] = '\0';
	n->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return n;
}

/* Frees it. */
void
notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	if (n->fd >= 0)
		close(n->fd);
	free(n);
}

/* Sends; a manager that cannot take it now is not waited for. */
static void
notify_send(struct notify *n, const char *text)
{
	if (n != NULL && n->fd >= 0)
		sendto(n->fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&n->to, n->len);
}

/* Clients are served. */
void
notify_ready(struct notify *n)
{
	notify_send(n, "READY=1\nSTATUS=serving");
}

/* The configuration is being read again; with the time, which Type=notify-reload needs. */
void
notify_reloading(struct notify *n)
{
	struct timespec ts;
	char text[100];

	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading the configuration",
	    (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	notify_send(n, text);
}

/* No new clients are served. */
void
notify_stopping(struct notify *n)
{
	notify_send(n, "STOPPING=1\nSTATUS=waiting for what runs");
}

/* The event loop turns. */
void
notify_alive(struct notify *n)
{
	notify_send(n, "WATCHDOG=1");
}

/* Reads what the watchdog wants. */
int64_t
notify_watchdog_ms(const char *usec, const char *watched, long pid)
{
	char *end;
	long long us;

	if (usec == NULL || *usec < '0' || *usec > '9')
		return 0;
	errno = 0;
	us = strtoll(usec, &end, 10);
	if (*end != '\0' || errno != 0 || us < 2000)
		return 0;
	if (watched != NULL && strtol(watched, NULL, 10) != pid)
		return 0;
	return us / 2000;
}
