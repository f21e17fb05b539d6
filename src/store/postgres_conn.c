#include "config.h"

#include "store/postgres_conn.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "store/postgres_reply.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POSTGRES_CONN_ATTEMPT_MS 3000 /* for one host to take the connection */
#define POSTGRES_CONN_PAUSE_MS 50     /* after the first round of all hosts; doubled */
#define POSTGRES_CONN_PAUSE_MOST 1000
#define POSTGRES_CONN_WHY 512

enum postgres_conn_state { POSTGRES_CONN_OFF, POSTGRES_CONN_TRYING, POSTGRES_CONN_READY };

/* What was sent, in order. */
struct postgres_sent {
	STAILQ_ENTRY(postgres_sent) link;
	enum { POSTGRES_SENT_PREPARE, POSTGRES_SENT_STATEMENT, POSTGRES_SENT_SYNC } what;
	enum postgres_statement statement;
};

struct postgres_conn {
	struct loop *loop;
	const struct postgres_url *url;
	struct postgres_hosts *hosts;
	struct postgres_conn_owner owner;
	enum postgres_conn_state state;
	PGconn *pg;
	PostgresPollingStatusType poll; /* TRYING */
	struct event read, write;
	bool has_events, writes;
	struct loop_timer timer; /* TRYING: the attempt's end; OFF: the next attempt */
	struct postgres_host host;
	size_t tried;     /* hosts in this round */
	int64_t pause_ms; /* after it */
	bool prepared[POSTGRES_STATEMENT_COUNT];
	STAILQ_HEAD(, postgres_sent) sent;
	PGresult *refused; /* why the next statement could not be prepared */
	bool dropped;      /* lost; the timer tells it */
	char why[POSTGRES_CONN_WHY];
	int64_t ready_at;  /* when it was so last; 0: never */
	bool driven;       /* without pauses */
	bool *gone;        /* set when it is freed inside a callback */
};

static void postgres_conn_try(struct postgres_conn *);

/* Stops watching the socket. */
static void
postgres_conn_unwatch(struct postgres_conn *c)
{
	if (!c->has_events)
		return;
	event_del(&c->read);
	event_del(&c->write);
	c->has_events = c->writes = false;
}

/* Forgets the connection. */
static void
postgres_conn_close(struct postgres_conn *c)
{
	struct postgres_sent *s;

	postgres_conn_unwatch(c);
	while ((s = STAILQ_FIRST(&c->sent)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->sent, link);
		free(s);
	}
	PQclear(c->refused);
	c->refused = NULL;
	PQfinish(c->pg);
	c->pg = NULL;
	c->state = POSTGRES_CONN_OFF;
	memset(c->prepared, 0, sizeof c->prepared);
}

/* A pause of between half of it and all of it. */
static int64_t
postgres_conn_jitter(int64_t ms)
{
	uint32_t n;

	uuid_random(&n, sizeof n);
	return ms / 2 + n % (ms / 2 + 1);
}

/* Closes, and plans the next attempt: at once while there are other hosts, and when it has lasted. */
static void
postgres_conn_fail(struct postgres_conn *c, const char *why)
{
	bool lasted = c->state == POSTGRES_CONN_READY &&
	    loop_now(c->loop) - c->ready_at >= POSTGRES_CONN_PAUSE_MOST;
	int64_t ms = 0;

	snprintf(c->why, sizeof c->why, "%.*s", (int)strcspn(why, "\n"), why);
	postgres_conn_close(c);
	c->dropped = false;
	if (lasted) {
		c->tried = 0;
		c->pause_ms = POSTGRES_CONN_PAUSE_MS;
	} else if (++c->tried >= postgres_hosts_count(c->hosts)) {
		postgres_hosts_refresh(c->hosts);
		ms = postgres_conn_jitter(c->pause_ms);
		c->tried = 0;
		c->pause_ms *= 2;
		if (c->pause_ms > POSTGRES_CONN_PAUSE_MOST)
			c->pause_ms = POSTGRES_CONN_PAUSE_MOST;
	}
	loop_timer_set(&c->timer, c->driven ? 0 : ms);
	c->owner.lost(c->owner.arg, c->why);
}

/* Tells the owner that the connection is ready. */
static void
postgres_conn_start(struct postgres_conn *c)
{
	loop_timer_cancel(&c->timer);
	if (PQsetnonblocking(c->pg, 1) != 0 || PQenterPipelineMode(c->pg) != 1) {
		postgres_conn_fail(c, PQerrorMessage(c->pg));
		return;
	}
	postgres_hosts_good(c->hosts, &c->host);
	c->state = POSTGRES_CONN_READY;
	if (c->ready_at != 0)
		atomic_fetch_add(c->owner.again, 1);
	c->ready_at = loop_now(c->loop);
	c->owner.ready(c->owner.arg);
}

/* Takes what was sent first off the list; false when nothing was. */
static bool
postgres_conn_take(struct postgres_conn *c, struct postgres_sent *out)
{
	struct postgres_sent *s = STAILQ_FIRST(&c->sent);

	if (s == NULL)
		return false;
	*out = *s;
	STAILQ_REMOVE_HEAD(&c->sent, link);
	free(s);
	return true;
}

/* Hands one result on. True when it is kept, for the statement behind it. */
static bool
postgres_conn_result(struct postgres_conn *c, PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);
	struct postgres_sent *first = STAILQ_FIRST(&c->sent), s;
	PGresult *refused = c->refused;

	if (status == PGRES_PIPELINE_SYNC) {
		if (postgres_conn_take(c, &s))
			c->owner.synced(c->owner.arg);
	} else if (first != NULL && first->what == POSTGRES_SENT_SYNC) {
		c->owner.result(c->owner.arg, r); /* the commit itself failed */
	} else if (!postgres_conn_take(c, &s)) {
		return false;
	} else if (s.what == POSTGRES_SENT_PREPARE) {
		c->prepared[s.statement] = status == PGRES_COMMAND_OK ||
		    strcmp(postgres_reply_state(r), POSTGRES_STATE_PREPARED) == 0;
		if (status == PGRES_FATAL_ERROR)
			c->refused = r;
		return c->refused != NULL;
	} else {
		if (strcmp(postgres_reply_state(r), POSTGRES_STATE_FORGOTTEN) == 0)
			c->prepared[s.statement] = false;
		c->refused = NULL;
		c->owner.result(c->owner.arg, refused != NULL ? refused : r);
		PQclear(refused);
	}
	return false;
}

/* Whether an error ends the connection, though the server has not closed it yet. */
static bool
postgres_conn_ends(const PGresult *r)
{
	const char *state = postgres_reply_state(r);

	return strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0 ||
	    strcmp(state, "25006") == 0; /* a server that has become a standby */
}

/* Throws notifications away; true when there were some. */
static bool
postgres_conn_notified(struct postgres_conn *c)
{
	PGnotify *n;
	bool any = false;

	for (; (n = PQnotifies(c->pg)) != NULL; any = true)
		PQfreemem(n);
	return any;
}

/* Reads what has come. */
static void
postgres_conn_read(struct postgres_conn *c)
{
	bool gone = false, *outer = c->gone;
	unsigned nothing = 0;
	PGresult *r;

	if (PQconsumeInput(c->pg) == 0) {
		postgres_conn_fail(c, PQerrorMessage(c->pg));
		return;
	}
	c->gone = &gone;
	while (!gone && c->state == POSTGRES_CONN_READY && !STAILQ_EMPTY(&c->sent) &&
	    !PQisBusy(c->pg)) {
		r = PQgetResult(c->pg);
		if (r == NULL && ++nothing < 2)
			continue; /* between two statements */
		if (r == NULL)
			break;
		nothing = 0;
		if (postgres_conn_ends(r)) {
			char *why = mem_string(PQresultErrorMessage(r));

			postgres_conn_fail(c, why);
			free(why);
			PQclear(r);
		} else if (!postgres_conn_result(c, r)) {
			PQclear(r);
		}
	}
	if (gone) {
		if (outer != NULL)
			*outer = true;
		return;
	}
	c->gone = outer;
	if (c->state == POSTGRES_CONN_READY && PQstatus(c->pg) == CONNECTION_BAD)
		postgres_conn_fail(c, PQerrorMessage(c->pg));
	else if (c->state == POSTGRES_CONN_READY && postgres_conn_notified(c) &&
	    c->owner.notice != NULL)
		c->owner.notice(c->owner.arg);
}

/* Has the socket watched for what is waited for. */
static void
postgres_conn_on_socket(evutil_socket_t fd, short what, void *arg);

static void
postgres_conn_watch(struct postgres_conn *c, bool reads, bool writes)
{
	postgres_conn_unwatch(c);
	event_assign(&c->read, loop_base(c->loop), PQsocket(c->pg), EV_READ | EV_PERSIST,
	    postgres_conn_on_socket, c);
	event_assign(&c->write, loop_base(c->loop), PQsocket(c->pg), EV_WRITE | EV_PERSIST,
	    postgres_conn_on_socket, c);
	c->has_events = true;
	c->writes = writes;
	if (reads)
		event_add(&c->read, NULL);
	if (writes)
		event_add(&c->write, NULL);
}

/* Goes on with connecting. */
static void
postgres_conn_go_on(struct postgres_conn *c)
{
	c->poll = PQconnectPoll(c->pg);
	if (c->poll == PGRES_POLLING_FAILED) {
		postgres_conn_fail(c, PQerrorMessage(c->pg));
		return;
	}
	postgres_conn_watch(c, c->poll != PGRES_POLLING_WRITING, c->poll == PGRES_POLLING_WRITING);
	if (c->poll == PGRES_POLLING_OK)
		postgres_conn_start(c);
}

/* Something can be done with the socket. */
static void
postgres_conn_on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct postgres_conn *c = arg;
	bool gone = false;

	if (c->state == POSTGRES_CONN_TRYING) {
		postgres_conn_go_on(c);
		return;
	}
	c->gone = &gone;
	if (what & EV_READ)
		postgres_conn_read(c);
	if (gone)
		return;
	c->gone = NULL;
	if ((what & EV_WRITE) && c->state == POSTGRES_CONN_READY)
		postgres_conn_flush(c);
}

/* An attempt took too long, the pause is over, or a connection was dropped. */
static void
postgres_conn_on_timer(void *arg)
{
	struct postgres_conn *c = arg;
	char why[POSTGRES_CONN_WHY];

	if (c->dropped) {
		memcpy(why, c->why, sizeof why);
		postgres_conn_fail(c, why);
	} else if (c->state == POSTGRES_CONN_TRYING) {
		postgres_conn_fail(c, "the database does not answer");
	} else {
		postgres_conn_try(c);
	}
}

/* Begins an attempt with the next host. */
static void
postgres_conn_try(struct postgres_conn *c)
{
	postgres_hosts_get(c->hosts, c->tried, &c->host);
	c->pg = postgres_url_connect(c->url, c->host.name, c->host.address, c->host.port);
	c->state = POSTGRES_CONN_TRYING;
	if (PQstatus(c->pg) == CONNECTION_BAD) {
		postgres_conn_fail(c, PQerrorMessage(c->pg));
		return;
	}
	loop_timer_set(&c->timer, POSTGRES_CONN_ATTEMPT_MS);
	c->poll = PGRES_POLLING_WRITING;
	postgres_conn_watch(c, false, true);
}

/* Makes a connection that is off. */
struct postgres_conn *
postgres_conn_new(struct loop *l, const struct postgres_url *url, struct postgres_hosts *hosts,
    const struct postgres_conn_owner *owner)
{
	struct postgres_conn *c = mem_zero(1, sizeof *c);

	c->loop = l;
	c->url = url;
	c->hosts = hosts;
	c->owner = *owner;
	c->pause_ms = POSTGRES_CONN_PAUSE_MS;
	STAILQ_INIT(&c->sent);
	loop_timer_init(&c->timer, l, postgres_conn_on_timer, c);
	return c;
}

/* Frees it. */
void
postgres_conn_free(struct postgres_conn *c)
{
	if (c == NULL)
		return;
	if (c->gone != NULL)
		*c->gone = true;
	loop_timer_cancel(&c->timer);
	postgres_conn_close(c);
	free(c);
}

/* Begins to connect, from the loop: the owner is in the middle of something. */
void
postgres_conn_want(struct postgres_conn *c)
{
	if (c->state == POSTGRES_CONN_OFF && !c->timer.armed)
		loop_timer_set(&c->timer, 0);
}

/* Whether it can be used. */
bool
postgres_conn_is_ready(const struct postgres_conn *c)
{
	return c->state == POSTGRES_CONN_READY && !c->dropped;
}

/* Notes what was sent; a failure drops the connection. */
static void
postgres_conn_note(struct postgres_conn *c, int ok, int what, enum postgres_statement statement)
{
	struct postgres_sent *s = mem_zero(1, sizeof *s);

	s->what = what;
	s->statement = statement;
	STAILQ_INSERT_TAIL(&c->sent, s, link);
	if (ok != 1)
		postgres_conn_drop(c, PQerrorMessage(c->pg));
}

/* Sends a statement, and before its first use what prepares it. */
void
postgres_conn_send(struct postgres_conn *c, enum postgres_statement statement,
    const struct postgres_params *p)
{
	char name[24];

	snprintf(name, sizeof name, "gateway_%d", (int)statement);
	if (!c->prepared[statement]) {
		char *text = postgres_statement_text(statement);

		postgres_conn_note(c, PQsendPrepare(c->pg, name, text, 0, NULL),
		    POSTGRES_SENT_PREPARE, statement);
		c->prepared[statement] = true;
		free(text);
	}
	postgres_conn_note(c, PQsendQueryPrepared(c->pg, name, (int)p->count, p->values, p->lengths,
	    p->formats, 0), POSTGRES_SENT_STATEMENT, statement);
}

/* Ends a transaction. */
void
postgres_conn_sync(struct postgres_conn *c)
{
	postgres_conn_note(c, PQpipelineSync(c->pg), POSTGRES_SENT_SYNC, 0);
}

/* Writes to the socket what it takes. */
void
postgres_conn_flush(struct postgres_conn *c)
{
	int rest = PQflush(c->pg);

	if (rest < 0) {
		postgres_conn_drop(c, PQerrorMessage(c->pg));
	} else if (rest == 1 && !c->writes) {
		c->writes = true;
		event_add(&c->write, NULL);
	} else if (rest == 0 && c->writes) {
		c->writes = false;
		event_del(&c->write);
	}
}

/* Gives the connection up. */
void
postgres_conn_drop(struct postgres_conn *c, const char *why)
{
	if (c->dropped || c->state != POSTGRES_CONN_READY)
		return;
	snprintf(c->why, sizeof c->why, "%.*s", (int)strcspn(why, "\n"), why);
	c->dropped = true;
	loop_timer_set(&c->timer, 0);
}

/* Does without the loop what is to be done. */
void
postgres_conn_drive(struct postgres_conn *c, int ms)
{
	struct pollfd p = {.fd = -1};

	c->driven = true;
	if (c->timer.armed && (c->dropped || c->state == POSTGRES_CONN_OFF)) {
		loop_timer_cancel(&c->timer);
		postgres_conn_on_timer(c);
	}
	if (c->pg != NULL) {
		p.fd = PQsocket(c->pg);
		p.events = c->state == POSTGRES_CONN_READY || c->poll != PGRES_POLLING_WRITING
		    ? POLLIN : 0;
		p.events |= c->writes ? POLLOUT : 0;
	}
	if (poll(&p, p.fd >= 0, ms) > 0)
		postgres_conn_on_socket(p.fd, (short)((p.revents & POLLOUT ? EV_WRITE : 0) |
		    (p.revents & ~POLLOUT ? EV_READ : 0)), c);
}
