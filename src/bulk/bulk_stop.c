#include "config.h"

#include "bulk/bulk_stop.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const int bulk_stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

#define BULK_STOP_SIGNALS (sizeof bulk_stop_signals / sizeof *bulk_stop_signals)

/* What the handler needs: a program has one stop at a time. */
static struct sigaction bulk_stop_before[BULK_STOP_SIGNALS];
static int bulk_stop_pipe[2] = {-1, -1};

struct bulk_stop {
	struct event *readable; /* the handler's word */
	bool asked;
	void (*fn)(void *arg);
	void *arg;
};

/* Gives the signals back to what they did before. */
static void
bulk_stop_forget(void)
{
	for (size_t i = 0; i < BULK_STOP_SIGNALS; i++)
		sigaction(bulk_stop_signals[i], &bulk_stop_before[i], NULL);
}

/* The first signal. The next one must end the program even where no loop turns, as while a
 * pipe takes nothing that is written to it: the signals are given back here. */
static void
bulk_stop_on_signal(int sig)
{
	int saved = errno;

	bulk_stop_forget();
	(void)!write(bulk_stop_pipe[1], "", 1);
	errno = saved;
}

/* The loop hears of it. */
static void
bulk_stop_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct bulk_stop *s = arg;

	s->asked = true;
	event_del(s->readable);
	if (s->fn != NULL)
		s->fn(s->arg);
}

/* Has the first signal tell the loop. */
static void
bulk_stop_listen(void)
{
	struct sigaction stop = {.sa_handler = bulk_stop_on_signal, .sa_flags = SA_RESTART};

	for (size_t i = 0; i < BULK_STOP_SIGNALS; i++)
		sigaction(bulk_stop_signals[i], NULL, &bulk_stop_before[i]);
	for (size_t i = 0; i < BULK_STOP_SIGNALS; i++)
		if (bulk_stop_before[i].sa_handler != SIG_IGN)
			sigaction(bulk_stop_signals[i], &stop, NULL);
}

/* Listens to them. */
struct bulk_stop *
bulk_stop_new(struct loop *loop)
{
	struct bulk_stop *s = mem_zero(1, sizeof *s);

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (pipe2(bulk_stop_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return s; /* signals do what they always do */
	s->readable = event_new(loop_base(loop), bulk_stop_pipe[0], EV_READ, bulk_stop_on_readable, s);
	if (s->readable != NULL) {
		bulk_stop_listen();
		event_add(s->readable, NULL);
	}
	return s;
}

/* Listens no more. */
void
bulk_stop_free(struct bulk_stop *s)
{
	if (s == NULL)
		return;
	if (s->readable != NULL) {
		bulk_stop_forget();
		event_free(s->readable);
	}
	for (int i = 0; i < 2; i++) {
		if (bulk_stop_pipe[i] >= 0)
			close(bulk_stop_pipe[i]);
		bulk_stop_pipe[i] = -1;
	}
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
