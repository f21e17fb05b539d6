#ifndef SERVE_SOCKETS_H
#define SERVE_SOCKETS_H

#include "http/http_inherit.h"
#include "http/http_server.h"

/*
 * Sockets that a service manager opened before the program started, and keeps open while
 * it is started again. The one that is named "admin" is the admin address, all others are
 * for clients, whatever their names are.
 */
struct serve_sockets {
	struct http_inherit all;
	const char **clients; /* addresses, ending with NULL; NULL: there are none */
	const char *admin;    /* address; NULL: there is none */
};

/* Takes them, and the variables that tell of them out of the environment. All zero before;
 * -1 with a sentence when they cannot be used. Cleared by the caller, also then. */
int serve_sockets_take(struct serve_sockets *, struct fail *);
void serve_sockets_clear(struct serve_sockets *);

/* Hands those for clients, or the admin's, to a server. The addresses are theirs in the
 * configuration, which says there whether they speak TLS. */
void serve_sockets_open(struct serve_sockets *, struct http_server *, bool admin,
    char *const *addresses);

#endif
