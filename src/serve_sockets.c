#include "config.h"

#include "serve_sockets.h"
#include "base/mem.h"
#include "config/config_tls.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVE_SOCKETS_ADMIN "admin"

/* Whether a socket is the admin address. */
static bool
serve_sockets_is_admin(const struct http_inherited *s)
{
	return strcmp(s->name, SERVE_SOCKETS_ADMIN) == 0;
}

/* Sorts the addresses. */
static int
serve_sockets_sort(struct serve_sockets *k, struct fail *fail)
{
	size_t clients = 0;

	k->clients = mem_zero(k->all.count + 1, sizeof *k->clients);
	for (size_t i = 0; i < k->all.count; i++) {
		const struct http_inherited *s = &k->all.sockets[i];

		if (!serve_sockets_is_admin(s))
			k->clients[clients++] = s->address;
		else if (k->admin == NULL)
			k->admin = s->address;
		else
			return fail_set(fail, "the service manager gives two sockets named \""
			    SERVE_SOCKETS_ADMIN "\" (%s, %s); there is one admin address", k->admin,
			    s->address);
	}
	if (clients == 0) {
		free(k->clients);
		k->clients = NULL;
	}
	return 0;
}

/* Takes what the environment tells of. */
int
serve_sockets_take(struct serve_sockets *k, struct fail *fail)
{
	int result = http_inherit_take(&k->all, getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
	    getenv("LISTEN_FDNAMES"), (long)getpid(), HTTP_INHERIT_FIRST, fail);

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return result == 0 ? serve_sockets_sort(k, fail) : -1;
}

/* Frees what is left. */
void
serve_sockets_clear(struct serve_sockets *k)
{
	http_inherit_clear(&k->all);
	free(k->clients);
	k->clients = NULL;
}

/* Hands sockets over. */
void
serve_sockets_open(struct serve_sockets *k, struct http_server *server, bool admin,
    char *const *addresses)
{
	for (size_t i = 0; i < k->all.count; i++) {
		struct http_inherited *s = &k->all.sockets[i];

		if (serve_sockets_is_admin(s) != admin || s->fd < 0)
			continue;
		http_server_adopt(server, s->fd, config_tls_speaks(*addresses++));
		s->fd = -1;
	}
}
