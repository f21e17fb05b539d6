#include "config.h"

#include "bulk/bulk_stop.h"
#include "base/mem.h"

#include <signal.h>
#include <stdlib.h>

static const int bulk_stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

#define BULK_STOP_SIGNALS (sizeof bulk_stop_signals / sizeof *bulk_stop_signals)

struct bulk_stop {
	struct event *events[BULK_STOP_SIGNALS];
	bool asked;
	void (*fn)(void *arg);
	void *arg;
};

/* Gives the signals back to what they always do. */
static void
bulk_stop_forget(struct bulk_stop *s)
{
	for (size_t i = 0; i < BULK_STOP_SIGNALS; i++) {
		if (s->events[i] != NULL)
			event_free(s->events[i]);
		s->events[i] = NULL;
	}
}

/* A signal has come. */
static void
bulk_stop_on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct bulk_stop *s = arg;

	s->asked = true;
	bulk_stop_forget(s);
	if (s->fn != NULL)
		s->fn(s->arg);
}

/* Listens to them. */
struct bulk_stop *
bulk_stop_new(struct loop *loop)
{
	struct bulk_stop *s = mem_zero(1, sizeof *s);
	struct sigaction before;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < BULK_STOP_SIGNALS; i++) {
		if (sigaction(bulk_stop_signals[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN)
			continue;
		s->events[i] = evsignal_new(loop_base(loop), bulk_stop_signals[i], bulk_stop_on_signal, s);
		if (s->events[i] != NULL)
			event_add(s->events[i], NULL);
	}
	return s;
}

/* Listens no more. */
void
bulk_stop_free(struct bulk_stop *s)
{
	if (s == NULL)
		return;
	bulk_stop_forget(s);
	free(s);
}

/* Whom to tell. */
void
bulk_stop_tell(struct bulk_stop *s, void (*fn)(void *arg), void *arg)
{
	s->fn = fn;
	s->arg = arg;
}

/* Whether one has come. */
bool
bulk_stop_asked(const struct bulk_stop *s)
{
	return s->asked;
}
