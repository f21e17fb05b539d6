#include "config.h"

#include "http/http_server.h"
#include "base/mem.h"
#include "http/http_conn.h"
#include "http/http_listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct http_server {
	struct http_hub hub; /* first: the hub's callback leads back here */
	struct http_listen **listeners;
	size_t listener_count;
	struct http_server **helpers; /* in the order of the team; NULL: there are none */
	struct http_server *lead; /* whose listeners these connections come from; NULL: its own */
	bool full;   /* listeners are held until a connection closes */
	bool ending; /* being freed */
	loop_fn drained;
	void *drained_arg;
	struct loop_timer drain_timer; /* the end of the drain time */
	struct loop_timer drained_timer; /* of no time: brings the news later */
};

/* A connection on its way to the loop that serves it. */
struct http_server_gift {
	struct http_server *to;
	int fd;
	bool secure;
	char peer[INET6_ADDRSTRLEN];
};

/* Whether there are as many connections as there may be. A team of several is asked
 * again after it was told that somebody waits, so that none closes unseen. */
static bool
http_server_is_full(struct http_server *s)
{
	unsigned max = s->hub.config.limits.connections;
	struct http_team *team = s->hub.team;
	bool full;

	if (team == NULL)
		return max > 0 && s->hub.counts.open >= max;
	full = max > 0 && http_team_open(team) >= max;
	http_team_wait(team, full);
	return full && http_team_open(team) >= max;
}

/* Holds the listeners at the connection limit and lets them go below it. */
static void
http_server_balance(struct http_server *s)
{
	bool full = s->lead == NULL && http_server_is_full(s);

	if (full == s->full)
		return;
	s->full = full;
	s->hub.counts.held += full;
	for (size_t i = 0; i < s->listener_count; i++)
		http_listen_hold(s->listeners[i], full);
}

/* A connection of another loop is gone. */
static void
http_server_on_helped(void *arg)
{
	http_server_balance(arg);
}

/* A connection is gone. */
static void
http_server_on_closed(struct http_hub *hub)
{
	struct http_server *s = (struct http_server *)hub;
	bool wanted = hub->team != NULL && http_team_leave(hub->team, hub->team_place);

	if (s->ending)
		return;
	http_server_balance(s);
	if (wanted && s->lead != NULL)
		loop_post(s->lead->hub.loop, http_server_on_helped, s->lead);
	if (hub->draining && TAILQ_EMPTY(&hub->conns))
		loop_timer_set(&s->drained_timer, 0);
}

/* A connection that another loop has taken. */
static void
http_server_on_gift(void *arg)
{
	struct http_server_gift *g = arg;

	http_conn_new(&g->to->hub, g->fd, g->peer, g->secure);
	free(g);
}

/* Gives a connection to another loop. */
static void
http_server_give(struct http_server *to, int fd, const char *peer, bool secure)
{
	struct http_server_gift *g = mem_zero(1, sizeof *g);

	g->to = to;
	g->fd = fd;
	g->secure = secure;
	snprintf(g->peer, sizeof g->peer, "%s", peer);
	loop_post(to->hub.loop, http_server_on_gift, g);
}

/* A connection is there. */
static bool
http_server_on_accept(void *arg, const struct http_listen *l, int fd, const char *peer)
{
	struct http_server *s = arg;
	unsigned to = s->hub.team != NULL ? http_team_take(s->hub.team) : 0;

	if (to > 0)
		http_server_give(s->helpers[to - 1], fd, peer, http_listen_secure(l));
	else
		http_conn_new(&s->hub, fd, peer, http_listen_secure(l));
	http_server_balance(s);
	return !s->full;
}

/* Nothing is left. The server may be freed in the callback. */
static void
http_server_on_drained(void *arg)
{
	struct http_server *s = arg;
	loop_fn drained = s->drained;

	loop_timer_cancel(&s->drain_timer);
	s->drained = NULL; /* a connection that was on its way may come and go yet */
	if (drained != NULL)
		drained(s->drained_arg);
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

/* Tells the team whose thread this is. */
void
http_server_on_thread(struct http_server *s)
{
	http_team_clock(s->hub.team, s->hub.team_place);
}

/* Has another one help. */
void
http_server_help(struct http_server *s, struct http_server *helper)
{
	if (s->hub.team == NULL) {
		s->hub.team = http_team_new(&s->hub, s->hub.loop);
		http_server_on_thread(s);
		s->helpers = mem_zero(HTTP_TEAM_MAX, sizeof(struct http_server *));
	}
	helper->lead = s;
	helper->hub.team = http_team_ref(s->hub.team);
	helper->hub.team_place = http_team_add(s->hub.team, &helper->hub, helper->hub.loop);
	s->helpers[helper->hub.team_place - 1] = helper;
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
	if (s->hub.team != NULL)
		http_team_end(s->hub.team);
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
	if (s->hub.team != NULL)
		s->hub.team->servers[s->hub.team_place].self = NULL;
	http_team_unref(s->hub.team);
	free(s->helpers);
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

/* Adds what has been counted. */
void
http_server_counts_add(const struct http_server *s, struct http_server_counts *sum)
{
	struct http_server_counts c;

	http_server_counts(s, &c);
	sum->accepted += c.accepted;
	sum->accept_failures += c.accept_failures;
	sum->held += c.held;
	sum->unproxied += c.unproxied;
	sum->handshakes += c.handshakes;
	sum->handshakes_failed += c.handshakes_failed;
	sum->requests += c.requests;
	sum->received += c.received;
	sum->sent += c.sent;
	for (size_t i = 0; i < HTTP_TIMEOUTS; i++)
		sum->timeouts[i] += c.timeouts[i];
	sum->open += c.open;
	sum->pending += c.pending;
	sum->buffers += c.buffers;
}
