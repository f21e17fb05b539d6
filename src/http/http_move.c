#include "config.h"

#include "http/http_move.h"
#include "base/mem.h"
#include "http/http_budget.h"
#include "http/http_pump.h"
#include "http/http_write.h"

#include <stdlib.h>

#define HTTP_MOVE_EVERY 16 /* requests between two questions whether it is time to look */

/* A connection on its way. */
struct http_move {
	struct http_team *team;
	unsigned to;
	struct http_conn *conn;
};

/* Whether nothing of a connection is under way, and something was: the first request is
 * served where the connection was given. */
static bool
http_move_is_free(const struct http_conn *c)
{
	return c->state == HTTP_CONN_IDLE && c->serial > 0 && c->rlen == 0 && c->in.len == 0 &&
	    http_write_pending(c) == 0 && !c->eof && !c->blocked && !c->more && !c->queued &&
	    !c->sock.holds && !c->sock.wants_write;
}

/* Takes a connection out of its loop. */
static void
http_move_out(struct http_conn *c)
{
	if (c->interest != 0)
		event_del(&c->ev);
	c->interest = 0;
	http_deadline_clear(&c->reading);
	http_deadline_clear(&c->writing);
	TAILQ_REMOVE(&c->hub->conns, c, link);
	c->hub->counts.open--;
	buf_free(&c->in);
	buf_free(&c->out);
	http_budget_note(c);
}

/* Puts it into another one. */
static void
http_move_in(struct http_hub *hub, struct http_conn *c)
{
	c->hub = hub;
	TAILQ_INSERT_TAIL(&hub->conns, c, link);
	hub->counts.open++;
	http_pump_idle(c);
	http_conn_wake(c);
}

/* A connection has come. Where nobody is left to take it, it ends as an idle one does. */
static void
http_move_on_letter(void *arg)
{
	struct http_move *m = arg;
	struct http_hub *hub = m->team->servers[m->to].self;

	if (hub != NULL) {
		http_move_in(hub, m->conn);
	} else {
		http_socket_close(&m->conn->sock, HTTP_SOCKET_ORDERLY);
		free(m->conn);
		http_team_leave(m->team, m->to);
	}
	http_team_unref(m->team);
	free(m);
}

/* Gives one away. */
bool
http_move_away(struct http_conn *c)
{
	struct http_hub *hub = c->hub;
	struct http_move *m;
	unsigned to;

	if (hub->team == NULL || !http_move_is_free(c) || hub->draining)
		return false;
	if (hub->counts.requests % HTTP_MOVE_EVERY == 0)
		http_team_look(hub->team, loop_now(hub->loop));
	if (!http_team_give(hub->team, hub->team_place, &to))
		return false;
	http_move_out(c);
	m = mem_zero(1, sizeof *m);
	m->team = http_team_ref(hub->team);
	m->to = to;
	m->conn = c;
	loop_post(hub->team->servers[to].loop, http_move_on_letter, m);
	hub->closed(hub);
	return true;
}
