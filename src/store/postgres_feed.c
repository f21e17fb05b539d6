#include "config.h"

#include "store/postgres_feed.h"
#include "base/mem.h"
#include "store/postgres_conn.h"
#include "store/postgres_reply.h"
#include "store/store_member.h"
#include "store/store_port.h"

#include <stdlib.h>
#include <string.h>

#define POSTGRES_FEED_LOOK_MS 50   /* between two looks */
#define POSTGRES_FEED_HINT_MS 50   /* between two hints: each wakes every other member */
#define POSTGRES_FEED_RENEW_MS (STORE_LEASE_MS / 3)
#define POSTGRES_FEED_MARGIN_MS 500 /* of a lease, for clocks that differ in speed */
#define POSTGRES_FEED_LATE_MS 60000 /* without a look: changes are forgotten after minutes */
#define POSTGRES_FEED_ANSWER_MS 3000 /* until the connection is given up */
#define POSTGRES_FEED_LEAVE_MS 10
#define POSTGRES_FEED_LEAVE_TIMES 50

/* What is under way on the connection, one at a time. */
enum postgres_feed_state {
	POSTGRES_FEED_IDLE,
	POSTGRES_FEED_LISTENING,
	POSTGRES_FEED_RENEWING,
	POSTGRES_FEED_LOOKING,
	POSTGRES_FEED_HINTING,
	POSTGRES_FEED_LEAVING,
	POSTGRES_FEED_LEFT
};

struct postgres_feed {
	struct postgres_engine *engine;
	struct store_port *port;
	struct loop *loop;
	struct postgres_conn *conn;
	enum postgres_feed_state state;
	bool failed;       /* what is under way */
	bool hints;        /* this process has changed something */
	bool noticed;      /* another one has, since the last look was asked for */
	int64_t hinted_at;
	int64_t asked_at;  /* what is under way, or was last */
	int64_t looked_at; /* the last look that was answered; 0: none on this connection */
	int64_t renewed_at;
	char *snapshot; /* up to which all was told; NULL: not known */
	struct loop_timer tick;
};

/* Sends a statement; what it answers comes to the feed's functions. */
static void
postgres_feed_ask(struct postgres_feed *f, enum postgres_feed_state state,
    enum postgres_statement which, const struct postgres_params *p)
{
	f->state = state;
	f->failed = false;
	f->asked_at = loop_now(f->loop);
	postgres_conn_send(f->conn, which, p);
	postgres_conn_sync(f->conn);
	postgres_conn_flush(f->conn);
}

/* Asks for what is due. */
static void
postgres_feed_pump(struct postgres_feed *f)
{
	struct postgres_params p = {.count = 0};
	int64_t now = loop_now(f->loop);

	if (f->state != POSTGRES_FEED_IDLE || !postgres_conn_is_ready(f->conn))
		return;
	if (f->renewed_at == 0 || now - f->renewed_at >= POSTGRES_FEED_RENEW_MS) {
		postgres_param_text(&p, f->engine->member);
		postgres_param_number(&p, STORE_LEASE_MS);
		postgres_feed_ask(f, POSTGRES_FEED_RENEWING, POSTGRES_RENEW, &p);
	} else if (f->hints && atomic_load(&f->engine->members) != 1 &&
	    now - f->hinted_at >= POSTGRES_FEED_HINT_MS) {
		f->hints = false;
		f->hinted_at = now;
		postgres_feed_ask(f, POSTGRES_FEED_HINTING, POSTGRES_HINT, &p);
	} else if (f->noticed || now - f->asked_at >= POSTGRES_FEED_LOOK_MS || f->looked_at == 0) {
		f->noticed = false;
		postgres_param_text(&p, f->engine->member);
		postgres_param_text(&p, f->snapshot != NULL ? f->snapshot : "");
		postgres_feed_ask(f, POSTGRES_FEED_LOOKING, POSTGRES_CHANGES, &p);
	}
}

/* Tells what other members have changed: a row for each, or one row without a kind. */
static void
postgres_feed_tell(struct postgres_feed *f, const PGresult *r)
{
	bool late = f->snapshot == NULL || f->looked_at == 0 ||
	    f->asked_at - f->looked_at > POSTGRES_FEED_LATE_MS;

	if (late)
		store_port_tell(f->port, NULL);
	for (int row = 0; row < PQntuples(r) && !late; row++) {
		const char *kind = postgres_reply_field(r, row, 1);
		struct store_change c = {
		    .kind = STORE_CHANGED_SCOPE,
		    .scope = (char *)(uintptr_t)postgres_reply_field(r, row, 2),
		    .local_id = (char *)(uintptr_t)postgres_reply_field(r, row, 3),
		    .upstream_id = (char *)(uintptr_t)postgres_reply_field(r, row, 4),
		    .intent_id = (char *)(uintptr_t)postgres_reply_field(r, row, 5),
		};

		if (kind == NULL)
			continue;
		if (strcmp(kind, "all") == 0) {
			store_port_tell(f->port, NULL);
			continue;
		}
		if (strcmp(kind, "record") == 0)
			c.kind = STORE_CHANGED_RECORD;
		else if (strcmp(kind, "intent") == 0)
			c.kind = STORE_CHANGED_INTENT;
		store_port_tell(f->port, &c);
	}
	free(f->snapshot);
	f->snapshot = PQntuples(r) > 0 ? mem_string(postgres_reply_field(r, 0, 0)) : NULL;
	f->looked_at = f->asked_at;
}

/* A statement is answered. */
static void
postgres_feed_on_result(void *arg, const PGresult *r)
{
	struct postgres_feed *f = arg;
	ExecStatusType status = PQresultStatus(r);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		f->failed = true;
	else if (f->state == POSTGRES_FEED_LOOKING)
		postgres_feed_tell(f, r);
	else if (f->state == POSTGRES_FEED_RENEWING && PQntuples(r) == 1)
		atomic_store(&f->engine->members, strtoull(PQgetvalue(r, 0, 0), NULL, 10));
}

/* It is over: what was learned counts from when it was asked. */
static void
postgres_feed_on_synced(void *arg)
{
	struct postgres_feed *f = arg;
	enum postgres_feed_state was = f->state;

	f->state = was == POSTGRES_FEED_LEAVING ? POSTGRES_FEED_LEFT : POSTGRES_FEED_IDLE;
	if (f->failed) {
		postgres_conn_drop(f->conn, "the database refused what keeps the gateway's lease");
		return;
	}
	if (was == POSTGRES_FEED_RENEWING) {
		f->renewed_at = f->asked_at;
		atomic_store(&f->engine->lease_until,
		    f->asked_at + STORE_LEASE_MS - POSTGRES_FEED_MARGIN_MS);
	} else if (was == POSTGRES_FEED_LOOKING) {
		store_port_flush(f->port);
		atomic_store(&f->engine->current_at, f->looked_at);
	}
	postgres_feed_pump(f);
}

/* The connection is there: it listens first. What changed before it did comes from the
 * snapshot, unless another server may be behind the connection. */
static void
postgres_feed_on_ready(void *arg)
{
	struct postgres_feed *f = arg;
	struct postgres_params p = {.count = 0};

	f->looked_at = f->renewed_at = 0;
	postgres_feed_ask(f, POSTGRES_FEED_LISTENING, POSTGRES_LISTEN, &p);
}

/* The connection is lost. */
static void
postgres_feed_on_lost(void *arg, const char *why)
{
	struct postgres_feed *f = arg;

	f->state = POSTGRES_FEED_IDLE;
	f->looked_at = 0;
}

/* The database hints that something has changed. */
static void
postgres_feed_on_notice(void *arg)
{
	struct postgres_feed *f = arg;

	f->noticed = true;
	postgres_feed_pump(f);
}

/* Looks again, and gives a connection up that does not answer. */
static void
postgres_feed_on_tick(void *arg)
{
	struct postgres_feed *f = arg;

	loop_timer_set(&f->tick, POSTGRES_FEED_LOOK_MS);
	if (f->state != POSTGRES_FEED_IDLE &&
	    loop_now(f->loop) - f->asked_at >= POSTGRES_FEED_ANSWER_MS)
		postgres_conn_drop(f->conn, "the database does not answer");
	postgres_conn_want(f->conn);
	postgres_feed_pump(f);
}

/* Makes the feed of a port. */
struct postgres_feed *
postgres_feed_new(struct postgres_engine *e, struct store_port *port, struct loop *l)
{
	struct postgres_feed *f = mem_zero(1, sizeof *f);
	struct postgres_conn_owner owner = {
	    .ready = postgres_feed_on_ready,
	    .result = postgres_feed_on_result,
	    .synced = postgres_feed_on_synced,
	    .lost = postgres_feed_on_lost,
	    .notice = postgres_feed_on_notice,
	    .arg = f,
	    .again = &e->reconnects,
	};

	f->engine = e;
	f->port = port;
	f->loop = l;
	loop_timer_init(&f->tick, l, postgres_feed_on_tick, f);
	f->conn = postgres_conn_new(l, e->url, e->hosts, &owner);
	loop_timer_set(&f->tick, POSTGRES_FEED_LOOK_MS);
	postgres_conn_want(f->conn);
	return f;
}

/* Gives the lease back, and frees. */
void
postgres_feed_free(struct postgres_feed *f)
{
	struct postgres_params p = {.count = 0};

	for (int i = 0; i < POSTGRES_FEED_LEAVE_TIMES && postgres_conn_is_ready(f->conn) &&
	    f->state != POSTGRES_FEED_LEFT; i++) {
		f->renewed_at = loop_now(f->loop); /* nothing else is due any more */
		f->asked_at = f->looked_at = f->renewed_at;
		f->hints = f->noticed = false;
		if (f->state == POSTGRES_FEED_IDLE) {
			postgres_param_text(&p, f->engine->member);
			postgres_feed_ask(f, POSTGRES_FEED_LEAVING, POSTGRES_LEAVE, &p);
		}
		postgres_conn_drive(f->conn, POSTGRES_FEED_LEAVE_MS);
	}
	loop_timer_cancel(&f->tick);
	postgres_conn_free(f->conn);
	free(f->snapshot);
	free(f);
}

/* Hints at a change, soon. */
void
postgres_feed_hint(struct postgres_feed *f)
{
	f->hints = true;
	postgres_feed_pump(f);
}
