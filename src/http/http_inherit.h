#ifndef HTTP_INHERIT_H
#define HTTP_INHERIT_H

#include "base/fail.h"

#include <stddef.h>

/*
 * Listening sockets that a service manager opened and handed over, as sd_listen_fds(3)
 * describes it: LISTEN_FDS descriptors from HTTP_INHERIT_FIRST on are for the process
 * LISTEN_PID, and LISTEN_FDNAMES has a name for each, separated by colons.
 */
#define HTTP_INHERIT_FIRST 3

struct http_inherited {
	int fd;        /* non-blocking, closed on exec; -1 once somebody has it */
	char *name;    /* "" without one */
	char *address; /* as http_server_listen() takes it; "unix:@name" for an abstract one */
};

struct http_inherit {
	struct http_inherited *sockets;
	size_t count;
};

/* Takes what is for the process `self`, by the values of the three variables (each may be
 * NULL); nothing when it is for another. All zero before. -1 with a sentence when a
 * descriptor is no listening stream socket, or the variables contradict each other. Cleared
 * by the caller, also then. */
int http_inherit_take(struct http_inherit *, const char *pid, const char *fds, const char *names,
    long self, int first, struct fail *);

/* Closes those that nobody has, and frees. */
void http_inherit_clear(struct http_inherit *);

#endif
