#include "config.h"

#include "http/http_conn.h"
#include "base/mem.h"
#include "http/http_budget.h"
#include "http/http_move.h"
#include "http/http_pump.h"
#include "http/http_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Puts a connection on the list of those to be run. */
static void
http_conn_queue(struct http_conn *c)
{
	c->queued = true;
	TAILQ_INSERT_TAIL(&c->hub->waking, c, waking);
	c->hub->waking_count++;
}

/* Takes it off that list. */
static void
http_conn_dequeue(struct http_conn *c)
{
	TAILQ_REMOVE(&c->hub->waking, c, waking);
	c->hub->waking_count--;
	c->queued = false;
}

/* How the connection ends for the client: in good order when nothing is left unsaid. */
static enum http_socket_end
http_conn_end(const struct http_conn *c)
{
	if (c->reset)
		return HTTP_SOCKET_RESET;
	return c->exchange != NULL || http_write_pending(c) > 0 ? HTTP_SOCKET_CUT
	                                                        : HTTP_SOCKET_ORDERLY;
}

/* Closes and frees. */
void
http_conn_close(struct http_conn *c)
{
	struct http_hub *hub = c->hub;

	c->state = HTTP_CONN_CLOSED;
	c->gone = true;
	if (c->interest != 0)
		event_del(&c->ev);
	http_socket_close(&c->sock, http_conn_end(c));
	http_deadline_clear(&c->reading);
	http_deadline_clear(&c->writing);
	if (c->queued)
		http_conn_dequeue(c);
	TAILQ_REMOVE(&hub->conns, c, link);
	hub->counts.open--;
	if (c->exchange != NULL)
		http_pump_end(c, HTTP_GONE);
	buf_free(&c->in);
	buf_free(&c->out);
	http_budget_note(c);
	free(c->proxy);
	free(c);
	hub->closed(hub);
}

/* ---- events ---- */

/* Keeps the input that was not used: the hub's scratch is for the next one. */
static void
http_conn_stash(struct http_conn *c)
{
	if (c->rlen == 0)
		buf_free(&c->in);
	else if (c->in.len == 0)
		c->gone = !buf_add(&c->in, c->rp, c->rlen);
	else
		buf_drain(&c->in, (size_t)(c->rp - c->in.data));
	c->rp = c->in.data;
}

/* Leaves nothing of what was read where it was read into. */
static void
http_conn_wipe(struct http_hub *hub)
{
	explicit_bzero(hub->scratch, hub->scratched);
	hub->scratched = 0;
}

/* What to wait for. While input cannot be used, it stays in the kernel, but
 * the client's end is watched for: edge-triggered, since unread input would
 * otherwise wake the loop for ever, and with EV_READ, since libevent reports a
 * reset as readable and writable only. */
static short
http_conn_wanted(const struct http_conn *c)
{
	short flags = c->blocked ? EV_WRITE : 0;
	bool read = true;

	if (c->eof)
		return flags;
	if (c->state == HTTP_CONN_TUNNEL) /* its end comes after what is still to be read */
		return (short)(flags | (c->exchange->paused ? EV_READ | EV_ET : EV_READ));
	if (c->state == HTTP_CONN_EXCHANGE)
		read = c->body_done ? c->rlen < HTTP_CONN_PIPELINE_MAX : http_pump_wants_body(c);
	return (short)(flags | (read ? EV_READ : EV_READ | EV_CLOSED | EV_ET));
}

static void http_conn_run(struct http_conn *c);

/* Whether input waits for which the loop does not wake. */
static bool
http_conn_holds(const struct http_conn *c)
{
	return c->sock.holds && (c->interest & (EV_READ | EV_ET)) == EV_READ;
}

/* Reads once; conn->rp and conn->rlen are then all the input that is here. */
static void
http_conn_read(struct http_conn *c, short what)
{
	size_t room = sizeof c->hub->scratch;
	ssize_t n;

	if (c->interest & EV_ET) {
		if (what & EV_CLOSED)
			c->eof = true;
		if (http_socket_failed(&c->sock))
			c->gone = true;
		return;
	}
	if (c->more || (c->state == HTTP_CONN_EXCHANGE && c->body_done))
		room = c->rlen < HTTP_CONN_PIPELINE_MAX ? HTTP_CONN_PIPELINE_MAX - c->rlen : 0;
	if (room == 0 || c->state == HTTP_CONN_OPENING)
		return;
	n = http_socket_recv(&c->sock, c->hub->scratch, room);
	if (n > 0) {
		c->hub->scratched = (size_t)n;
		c->hub->counts.received += (uint64_t)n;
	}
	if (n == HTTP_SOCKET_LATER && c->sock.wants_write)
		c->blocked = true;
	if (n == 0) {
		c->eof = true;
	} else if (n == HTTP_SOCKET_BROKEN) {
		c->gone = true;
	} else if (n > 0 && c->rlen == 0) {
		c->rp = c->hub->scratch;
		c->rlen = (size_t)n;
	} else if (n > 0) {
		if (!buf_add(&c->in, c->hub->scratch, (size_t)n))
			c->gone = true;
		c->rp = c->in.data;
		c->rlen = c->in.len;
	}
}

/* Nothing is left before the first byte of the client's own: TLS comes, or HTTP. */
static void
http_conn_begin(struct http_conn *c)
{
	if (!c->secure) {
		http_pump_idle(c);
		return;
	}
	c->state = HTTP_CONN_OPENING;
	if (c->reading.kind == NULL)
		http_deadline_set(&c->reading, &c->hub->head, c);
}

/* The connection begins with no PROXY header, or with a broken one. One that ends without
 * a byte is a proxy that looks whether somebody is there. */
static void
http_conn_unproxied(struct http_conn *c)
{
	struct http_hub *hub = c->hub;

	c->gone = true;
	if (c->proxy->have == 0)
		return;
	hub->counts.unproxied++;
	if (!hub->proxy_missed)
		log_warn(hub->config.log, "connections without a PROXY header are closed",
		    LOG_S("peer", c->peer));
	hub->proxy_missed = true;
}

/* Takes the PROXY header, before anything else looks at what the socket brings. */
static void
http_conn_take_proxy(struct http_conn *c)
{
	enum http_proxy_result r = http_proxy_take(c->proxy, c->sock.fd);
	const struct http_proxy_header *h = &c->proxy->header;

	if (r == HTTP_PROXY_BAD)
		http_conn_unproxied(c);
	if (r != HTTP_PROXY_DONE)
		return;
	c->hub->proxy_missed = false;
	c->veiled = h->client == HTTP_PROXY_UNKNOWN;
	if (h->client == HTTP_PROXY_ADDRESS)
		strcpy(c->peer, h->address);
	free(c->proxy);
	c->proxy = NULL;
	http_conn_begin(c);
}

/* The socket is ready for something. */
static void
http_conn_on_event(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *c = arg;

	if (what & EV_WRITE)
		c->blocked = false;
	if (c->state == HTTP_CONN_PROXY)
		http_conn_take_proxy(c);
	else if (what & (EV_READ | EV_CLOSED) || c->sock.wants_write)
		http_conn_read(c, what);
	http_conn_run(c);
}

/* Registers for what is wanted if that has changed. */
static void
http_conn_register(struct http_conn *c)
{
	short flags = http_conn_wanted(c);

	if (flags == c->interest)
		return;
	if (c->interest != 0)
		event_del(&c->ev);
	c->interest = flags;
	if (flags == 0)
		return;
	event_assign(&c->ev, loop_base(c->hub->loop), c->sock.fd, (short)(flags | EV_PERSIST),
	    http_conn_on_event, c);
	if (event_add(&c->ev, NULL) != 0) {
		c->interest = 0;
		c->gone = true;
	}
}

/* Does all that can be done now, then waits or closes. */
static void
http_conn_run(struct http_conn *c)
{
	static const struct timeval at_once = {0, 0};
	int turns = HTTP_CONN_TURNS;

	c->busy = true;
	while (turns > 0 && !c->gone && http_pump_step(c))
		turns--;
	c->busy = false;
	c->more = turns == 0;
	if (!c->gone)
		http_conn_stash(c);
	http_conn_wipe(c->hub);
	if (!c->gone && http_move_away(c))
		return;
	if (!c->gone)
		http_conn_register(c);
	http_budget_note(c);
	if (c->gone) {
		http_conn_close(c);
	} else if ((c->more || http_conn_holds(c)) && !c->queued) {
		/* As a timer of no time: an active event would keep the loop from polling. */
		http_conn_queue(c);
		event_add(&c->hub->later, &at_once);
	}
}

/* Runs the connections that were woken. */
static void
http_conn_on_later(evutil_socket_t fd, short what, void *arg)
{
	struct http_hub *hub = arg;
	struct http_conn *c;

	for (unsigned n = hub->waking_count; n > 0; n--) {
		if ((c = TAILQ_FIRST(&hub->waking)) == NULL)
			break;
		http_conn_dequeue(c);
		if (http_conn_holds(c))
			http_conn_read(c, EV_READ);
		http_conn_run(c);
	}
}

/* Wakes a connection that is not being run. */
void
http_conn_wake(struct http_conn *c)
{
	if (c->busy || c->queued)
		return;
	http_conn_queue(c);
	event_active(&c->hub->later, EV_TIMEOUT, 0);
}

/* ---- deadlines ---- */

/* Closes without a word: there is nothing to answer, or nobody who takes it. What the
 * client has not taken so far is thrown away, or the kernel would keep it for many minutes. */
static void
http_conn_expire(struct http_conn *c, enum http_timeout which)
{
	c->reset = c->reset || http_write_pending(c) > 0 || http_socket_unsent(&c->sock);
	c->hub->counts.timeouts[which]++;
	log_debug(c->hub->config.log, "connection timed out", LOG_S("peer", c->peer),
	    LOG_I("state", c->state));
	http_conn_close(c);
}

/* The client was silent between requests. */
static void
http_conn_on_idle(void *arg)
{
	http_conn_expire(arg, HTTP_TIMEOUT_IDLE);
}

/* The client does not take its answer. */
static void
http_conn_on_write(void *arg)
{
	http_conn_expire(arg, HTTP_TIMEOUT_WRITE);
}

/* What the client still sends does not end. */
static void
http_conn_on_linger(void *arg)
{
	http_conn_expire(arg, HTTP_TIMEOUT_LINGER);
}

/* The head did not come in time, or the handshake before it. */
static void
http_conn_on_head(void *arg)
{
	struct http_conn *c = arg;

	if (c->state == HTTP_CONN_PROXY) {
		http_conn_expire(c, HTTP_TIMEOUT_HEAD);
		return;
	}
	if (c->state == HTTP_CONN_OPENING) {
		http_conn_expire(c, HTTP_TIMEOUT_HANDSHAKE);
		return;
	}
	c->hub->counts.timeouts[HTTP_TIMEOUT_HEAD]++;
	http_pump_refuse(c, 408, "The request head did not arrive in time");
	http_conn_run(c);
}

/* The body did not come in time. */
static void
http_conn_on_body(void *arg)
{
	struct http_conn *c = arg;

	if (c->exchange == NULL) {
		http_conn_expire(c, HTTP_TIMEOUT_BODY);
		return;
	}
	c->hub->counts.timeouts[HTTP_TIMEOUT_BODY]++;
	http_pump_refuse(c, 408, "The request body did not arrive in time");
	http_conn_run(c);
}

/* ---- beginning and end ---- */

/* Reads ranges, which the configuration has checked; those that are none are nobody's. */
static void
http_conn_take_peers(struct http_peers *p, const char *const *ranges)
{
	size_t n = 0;

	free(p->list);
	p->list = NULL;
	p->count = 0;
	while (ranges != NULL && ranges[n] != NULL)
		n++;
	if (n == 0)
		return;
	p->list = mem_alloc(n * sizeof *p->list);
	for (size_t i = 0; i < n; i++)
		p->count += network_read(ranges[i], &p->list[p->count], NULL);
}

/* Prepares what the connections share. */
void
http_conn_setup(struct http_hub *hub, struct loop *loop, const struct http_server_config *config,
    void (*closed)(struct http_hub *))
{
	const struct http_limits *l = &config->limits;

	hub->loop = loop;
	hub->config = *config;
	hub->tls = tls_context_ref(config->tls);
	hub->closed = closed;
	http_conn_take_peers(&hub->trusted, config->trusted);
	http_conn_take_peers(&hub->proxy_headed, config->proxy_headed);
	TAILQ_INIT(&hub->conns);
	TAILQ_INIT(&hub->waking);
	evtimer_assign(&hub->later, loop_base(loop), http_conn_on_later, hub);
	http_deadlines_init(&hub->idle, loop, l->idle_ms, http_conn_on_idle);
	http_deadlines_init(&hub->first, loop, HTTP_CONN_FIRST_MS, http_conn_on_idle);
	http_deadlines_init(&hub->head, loop, l->head_ms, http_conn_on_head);
	http_deadlines_init(&hub->body, loop, l->body_ms, http_conn_on_body);
	http_deadlines_init(&hub->write, loop, l->write_ms, http_conn_on_write);
	http_deadlines_init(&hub->linger, loop, HTTP_CONN_LINGER_MS, http_conn_on_linger);
}

/* The most input that a connection keeps. */
static size_t
http_conn_room(const struct http_hub *hub)
{
	return hub->config.limits.head + 2 * sizeof hub->scratch;
}

/* Takes other settings. */
void
http_conn_configure(struct http_hub *hub, const struct http_server_config *config)
{
	const struct http_limits *l = &config->limits;
	struct http_conn *c;

	hub->config.limits = *l;
	hub->config.allowed_hosts = config->allowed_hosts;
	hub->config.cors = config->cors;
	http_conn_take_peers(&hub->trusted, config->trusted);
	http_conn_take_peers(&hub->proxy_headed, config->proxy_headed);
	if (config->tls != NULL) {
		tls_context_unref(hub->tls);
		hub->tls = tls_context_ref(config->tls);
	}
	http_deadlines_change(&hub->idle, l->idle_ms);
	http_deadlines_change(&hub->head, l->head_ms);
	http_deadlines_change(&hub->body, l->body_ms);
	http_deadlines_change(&hub->write, l->write_ms);
	TAILQ_FOREACH(c, &hub->conns, link)
		if (c->in.max < http_conn_room(hub))
			c->in.max = http_conn_room(hub);
}

/* Forgets timers and events. */
void
http_conn_teardown(struct http_hub *hub)
{
	event_del(&hub->later);
	free(hub->trusted.list);
	free(hub->proxy_headed.list);
	http_deadlines_stop(&hub->idle);
	http_deadlines_stop(&hub->first);
	http_deadlines_stop(&hub->head);
	http_deadlines_stop(&hub->body);
	http_deadlines_stop(&hub->write);
	http_deadlines_stop(&hub->linger);
	tls_context_unref(hub->tls);
}

/* Has an idle connection end. */
void
http_conn_retire(struct http_conn *c)
{
	if (c->serial > 0 && !http_socket_waiting(&c->sock))
		http_conn_close(c);
	else
		http_deadline_set(&c->reading, &c->hub->first, c);
}

/* Takes a descriptor over. */
void
http_conn_new(struct http_hub *hub, int fd, const char *peer, bool secure)
{
	struct http_conn *c = mem_zero(1, sizeof *c);

	c->hub = hub;
	c->secure = secure;
	c->gone = !http_socket_open(&c->sock, fd, secure ? hub->tls : NULL);
	snprintf(c->peer, sizeof c->peer, "%s", peer);
	buf_init(&c->in, http_conn_room(hub));
	c->in.secret = true;
	buf_init(&c->out, HTTP_CONN_OUT_MAX);
	TAILQ_INSERT_TAIL(&hub->conns, c, link);
	hub->counts.accepted++;
	hub->counts.open++;
	if (network_holds(hub->proxy_headed.list, hub->proxy_headed.count, peer)) {
		c->state = HTTP_CONN_PROXY;
		c->proxy = mem_zero(1, sizeof *c->proxy);
		http_deadline_set(&c->reading, &hub->head, c);
	} else {
		http_conn_begin(c);
	}
	http_conn_run(c);
}
