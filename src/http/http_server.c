#include "config.h"

#include "http/http_server.h"
#include "base/mem.h"
#include "http/http_conn.h"
#include "http/http_listen.h"

#include <stdlib.h>
#include <unistd.h>

struct http_server {
	struct http_hub hub; /* first: the hub's callback leads back here */
	struct http_listen **listeners;
	size_t listener_count;
	bool full;   /* listeners are held until a connection closes */
	bool ending; /* being freed */
	loop_fn drained;
	void *drained_arg;
	struct loop_timer drain_timer; /* the end of the drain time */
	struct loop_timer drained_timer; /* of no time: brings the news later */
};

/* Holds the listeners at the connection limit and lets them go below it. */
static void
http_server_balance(struct http_server *s)
{
	unsigned max = s->hub.config.limits.connections;
	bool full = max > 0 && s->hub.counts.open >= max;

	if (full == s->full)
		return;
	s->full = full;
	s->hub.counts.held += full;
	for (size_t i = 0; i < s->listener_count; i++)
		http_listen_hold(s->listeners[i], full);
}

/* A connection is gone. */
static void
http_server_on_closed(struct http_hub *hub)
{
	struct http_server *s = (struct http_server *)hub;

	if (s->ending)
		return;
	http_server_balance(s);
	if (hub->draining && TAILQ_EMPTY(&hub->conns))
		loop_timer_set(&s->drained_timer, 0);
}

/* A connection is there. */
static bool
http_server_on_accept(void *arg, const struct http_listen *l, int fd, const char *peer)
{
	struct http_server *s = arg;

	http_conn_new(&s->hub, fd, peer, http_listen_secure(l));
	http_server_balance(s);
	return !s->full;
}

/* Nothing is left. The server may be freed in the callback. */
static void
http_server_on_drained(void *arg)
{
	struct http_server *s = arg;

	loop_timer_cancel(&s->drain_timer);
	s->drained(s->drained_arg);
}

/* Cuts every connection. */
static void
http_server_cut(struct http_server *s)
{
	struct http_conn *c;

	while ((c = TAILQ_FIRST(&s->hub.conns)) != NULL)
		http_conn_close(c);
}

/* The drain time is over. */
static void
http_server_on_drain_end(void *arg)
{
	http_server_cut(arg);
}

/* Makes a server without listeners. */
struct http_server *
http_server_new(struct loop *loop, const struct http_server_config *config)
{
	struct http_server *s = mem_zero(1, sizeof *s);

	http_conn_setup(&s->hub, loop, config, http_server_on_closed);
	loop_timer_init(&s->drain_timer, loop, http_server_on_drain_end, s);
	loop_timer_init(&s->drained_timer, loop, http_server_on_drained, s);
	return s;
}

/* Takes other settings. */
void
http_server_configure(struct http_server *s, const struct http_server_config *config)
{
	http_conn_configure(&s->hub, config);
	http_server_balance(s);
}

/* Adds a listener. */
static void
http_server_add(struct http_server *s, struct http_listen *l)
{
	s->listeners = mem_resize(s->listeners,
	    (s->listener_count + 1) * sizeof(struct http_listen *));
	s->listeners[s->listener_count++] = l;
	http_listen_hold(l, s->full);
}

/* Opens a listener. */
int
http_server_listen(struct http_server *s, const char *address, struct fail *f)
{
	struct http_listen *l = http_listen_open(s->hub.loop, address, s->hub.config.socket_mode,
	    s->hub.config.log, http_server_on_accept, s, f);

	if (l == NULL)
		return -1;
	if (http_listen_secure(l) && s->hub.tls == NULL) {
		http_listen_free(l);
		return fail_set(f, "%s: there is no certificate for TLS", address);
	}
	http_server_add(s, l);
	return 0;
}

/* Takes a listening socket. */
void
http_server_adopt(struct http_server *s, int fd, bool secure)
{
	http_server_add(s, http_listen_adopt(s->hub.loop, fd, secure, s->hub.config.log,
	    http_server_on_accept, s));
}

/* The name of a listener. */
const char *
http_server_url(const struct http_server *s, size_t n)
{
	return n < s->listener_count ? http_listen_url(s->listeners[n]) : NULL;
}

/* Begins to stop. */
void
http_server_drain(struct http_server *s, int64_t ms, loop_fn drained, void *arg)
{
	struct http_conn *c, *next;

	s->hub.draining = true;
	s->drained = drained;
	s->drained_arg = arg;
	for (size_t i = 0; i < s->listener_count; i++)
		http_listen_close(s->listeners[i]);
	for (c = TAILQ_FIRST(&s->hub.conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->state <= HTTP_CONN_IDLE && !c->busy && !c->queued)
			http_conn_retire(c); /* a queued one has requests left in its input */
	}
	if (TAILQ_EMPTY(&s->hub.conns))
		loop_timer_set(&s->drained_timer, 0);
	else
		loop_timer_set(&s->drain_timer, ms);
}

/* Cuts and frees everything. */
void
http_server_free(struct http_server *s)
{
	if (s == NULL)
		return;
	s->ending = true;
	http_server_cut(s);
	loop_timer_cancel(&s->drain_timer);
	loop_timer_cancel(&s->drained_timer);
	for (size_t i = 0; i < s->listener_count; i++)
		http_listen_free(s->listeners[i]);
	free(s->listeners);
	http_conn_teardown(&s->hub);
	free(s);
}

/* What has been counted. */
void
http_server_counts(const struct http_server *s, struct http_server_counts *out)
{
	*out = s->hub.counts;
	out->buffers = s->hub.held;
	for (size_t i = 0; i < s->listener_count; i++)
		out->accept_failures += http_listen_failures(s->listeners[i]);
}
