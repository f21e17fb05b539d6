#include "config.h"

#include "sandbox/sandbox.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/thread.h"
#include "sandbox/sandbox_service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SANDBOX_STACK ((size_t)256 << 10)

struct sandbox {
	struct loop *loop;
	struct sandbox_service *service;
	pthread_t thread;
};

/* True for addresses that only this machine reaches. */
static bool
sandbox_is_local(const char *address)
{
	const char *colon = strrchr(address, ':');
	struct in_addr a;
	char host[16];
	size_t len;

	if (strncmp(address, "unix:", 5) == 0 || strncmp(address, "[::1]:", 6) == 0)
		return true;
	if (colon == NULL || (len = (size_t)(colon - address)) >= sizeof host)
		return false;
	memcpy(host, address, len);
	host[len] = '\0';
	return inet_pton(AF_INET, host, &a) == 1 && ntohl(a.s_addr) >> 24 == 127;
}

/* The sandbox's thread. */
static void *
sandbox_run(void *arg)
{
	struct sandbox *s = arg;

	pthread_setname_np(pthread_self(), "sandbox");
	loop_run(s->loop);
	return NULL;
}

/* Frees what the thread used. */
static void
sandbox_free(struct sandbox *s)
{
	sandbox_service_free(s->service);
	loop_free(s->loop);
	free(s);
}

/* Starts a sandbox. The service is made here and then belongs to the thread. */
struct sandbox *
sandbox_start(const struct sandbox_options *o, struct fail *fail)
{
	struct sandbox *s;
	int err;

	if (o->listen != NULL && !sandbox_is_local(o->listen)) {
		fail_set(fail,
		    "the sandbox listens on loopback only (127.0.0.1:PORT, [::1]:PORT or "
		    "unix:PATH), not on %s",
		    o->listen);
		return NULL;
	}
	s = mem_zero(1, sizeof *s);
	s->loop = loop_new();
	if (s->loop == NULL) {
		fail_set(fail, "the kernel gives no event loop");
		goto refused;
	}
	s->service = sandbox_service_new(s->loop, o, fail);
	if (s->service == NULL)
		goto refused;
	err = thread_start(&s->thread, SANDBOX_STACK, sandbox_run, s);
	if (err != 0) {
		fail_set(fail, "cannot start the sandbox's thread: %s", strerror(err));
		goto refused;
	}
	return s;
refused:
	sandbox_free(s);
	return NULL;
}

/* Where it listens. */
const char *
sandbox_url(const struct sandbox *s)
{
	return sandbox_service_url(s->service);
}

/* Ends a sandbox. */
void
sandbox_stop(struct sandbox *s)
{
	if (s == NULL)
		return;
	loop_stop(s->loop);
	pthread_join(s->thread, NULL);
	sandbox_free(s);
}
