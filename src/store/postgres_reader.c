#include "config.h"

#include "store/postgres_reader.h"
#include "base/mem.h"
#include "store/postgres_conn.h"
#include "store/postgres_reply.h"

#include <stdlib.h>
#include <string.h>

#define POSTGRES_READER_UNDER_WAY 64 /* on one connection, at most */
#define POSTGRES_READER_TICK_MS 100

/* A connection and what it was asked, in order. */
struct postgres_lane {
	struct postgres_reader *reader;
	struct postgres_conn *conn;
	struct store_calls sent;
	size_t count;
	int64_t heard_at; /* the last answer, or when the first was sent */
	char *error;      /* of the first that was sent: its own, or of what it waited for */
	bool again;       /* it may be asked again */
};

struct postgres_reader {
	struct postgres_engine *engine;
	struct loop *loop;
	struct store_calls queue;
	struct loop_timer tick;
	char *why; /* a connection could not be made; NULL: none */
	unsigned count;
	struct postgres_lane lanes[];
};

/* The ready connection with the fewest calls; NULL when none has room. */
static struct postgres_lane *
postgres_reader_lane(struct postgres_reader *r)
{
	struct postgres_lane *best = NULL;

	for (unsigned i = 0; i < r->count; i++) {
		struct postgres_lane *l = &r->lanes[i];

		if (postgres_conn_is_ready(l->conn) && l->count < POSTGRES_READER_UNDER_WAY &&
		    (best == NULL || l->count < best->count))
			best = l;
	}
	return best;
}

/* Has the next connection made: one more while all that there are have something to do. */
static void
postgres_reader_want(struct postgres_reader *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (!postgres_conn_is_ready(r->lanes[i].conn)) {
			postgres_conn_want(r->lanes[i].conn);
			return;
		}
		if (r->lanes[i].count == 0)
			return;
	}
}

/* Sends what waits. */
static void
postgres_reader_pump(struct postgres_reader *r)
{
	struct postgres_lane *l;
	struct postgres_params p;
	struct store_call *call;

	while ((call = STAILQ_FIRST(&r->queue)) != NULL) {
		enum postgres_statement which;

		postgres_reader_want(r);
		if ((l = postgres_reader_lane(r)) == NULL)
			break;
		STAILQ_REMOVE_HEAD(&r->queue, link);
		if (l->count++ == 0)
			l->heard_at = loop_now(r->loop);
		STAILQ_INSERT_TAIL(&l->sent, call, link);
		store_reply_clear(&call->reply);
		which = postgres_call_step(call, 0, NULL, r->engine->member, &p);
		postgres_conn_send(l->conn, which, &p);
		postgres_conn_sync(l->conn);
	}
	for (unsigned i = 0; i < r->count; i++)
		if (postgres_conn_is_ready(r->lanes[i].conn))
			postgres_conn_flush(r->lanes[i].conn);
}

/* A statement is answered. */
static void
postgres_reader_on_result(void *arg, const PGresult *result)
{
	struct postgres_lane *l = arg;
	struct store_call *call = STAILQ_FIRST(&l->sent);

	l->heard_at = loop_now(l->reader->loop);
	if (PQresultStatus(result) == PGRES_TUPLES_OK && call != NULL) {
		postgres_reply_read(&call->reply, result);
	} else if (l->error == NULL) {
		l->error = mem_string(postgres_reply_words(result));
		l->again = postgres_reply_may_try(postgres_reply_state(result));
	}
}

/* A call is over. */
static void
postgres_reader_on_synced(void *arg)
{
	struct postgres_lane *l = arg;
	struct postgres_reader *r = l->reader;
	struct store_call *call = STAILQ_FIRST(&l->sent);

	STAILQ_REMOVE_HEAD(&l->sent, link);
	l->count--;
	if (l->error == NULL)
		postgres_engine_done(r->engine, call);
	else if (l->again && loop_now(r->loop) - call->asked_at < POSTGRES_WAIT_MS)
		STAILQ_INSERT_HEAD(&r->queue, call, link);
	else
		postgres_engine_refuse(r->engine, call, l->error);
	free(l->error);
	l->error = NULL;
	postgres_reader_pump(r);
}

/* A connection is there. */
static void
postgres_reader_on_ready(void *arg)
{
	struct postgres_lane *l = arg;

	free(l->reader->why);
	l->reader->why = NULL;
	postgres_reader_pump(l->reader);
}

/* A connection is lost: what it was asked goes back to the front. */
static void
postgres_reader_on_lost(void *arg, const char *why)
{
	struct postgres_lane *l = arg;
	struct postgres_reader *r = l->reader;

	free(r->why);
	r->why = mem_string(why);
	free(l->error);
	l->error = NULL;
	STAILQ_CONCAT(&l->sent, &r->queue);
	STAILQ_CONCAT(&r->queue, &l->sent);
	l->count = 0;
	postgres_reader_pump(r);
}

/* Refuses what has waited too long, and gives connections up that do not answer. */
static void
postgres_reader_on_tick(void *arg)
{
	struct postgres_reader *r = arg;
	int64_t now = loop_now(r->loop);
	const char *why = r->why != NULL ? r->why : "the database does not answer";
	struct store_call *call;
	bool busy = false;

	while ((call = STAILQ_FIRST(&r->queue)) != NULL && now - call->asked_at >= POSTGRES_WAIT_MS) {
		STAILQ_REMOVE_HEAD(&r->queue, link);
		postgres_engine_refuse(r->engine, call, why);
	}
	for (unsigned i = 0; i < r->count; i++) {
		struct postgres_lane *l = &r->lanes[i];

		busy = busy || l->count > 0;
		if (l->count > 0 && now - l->heard_at >= POSTGRES_ANSWER_MS)
			postgres_conn_drop(l->conn, "the database does not answer");
	}
	if (busy || !STAILQ_EMPTY(&r->queue))
		loop_timer_set(&r->tick, POSTGRES_READER_TICK_MS);
	postgres_reader_pump(r);
}

/* Makes the reader of a port. */
struct postgres_reader *
postgres_reader_new(struct postgres_engine *e, struct loop *l, unsigned connections)
{
	struct postgres_reader *r = mem_zero(1, sizeof *r + connections * sizeof r->lanes[0]);

	r->engine = e;
	r->loop = l;
	r->count = connections;
	STAILQ_INIT(&r->queue);
	loop_timer_init(&r->tick, l, postgres_reader_on_tick, r);
	for (unsigned i = 0; i < connections; i++) {
		struct postgres_conn_owner owner = {
		    .ready = postgres_reader_on_ready,
		    .result = postgres_reader_on_result,
		    .synced = postgres_reader_on_synced,
		    .lost = postgres_reader_on_lost,
		    .arg = &r->lanes[i],
		    .again = &e->reconnects,
		};

		r->lanes[i].reader = r;
		STAILQ_INIT(&r->lanes[i].sent);
		r->lanes[i].conn = postgres_conn_new(l, e->url, e->hosts, &owner);
	}
	return r;
}

/* Refuses what is not answered, and frees. */
void
postgres_reader_free(struct postgres_reader *r)
{
	struct store_call *call;

	loop_timer_cancel(&r->tick);
	for (unsigned i = 0; i < r->count; i++) {
		postgres_conn_free(r->lanes[i].conn);
		STAILQ_CONCAT(&r->queue, &r->lanes[i].sent);
		free(r->lanes[i].error);
	}
	while ((call = STAILQ_FIRST(&r->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&r->queue, link);
		postgres_engine_refuse(r->engine, call, "the gateway stops");
	}
	free(r->why);
	free(r);
}

/* Takes a call. */
void
postgres_reader_submit(struct postgres_reader *r, struct store_call *call)
{
	call->asked_at = loop_now(r->loop);
	STAILQ_INSERT_TAIL(&r->queue, call, link);
	if (!r->tick.armed)
		loop_timer_set(&r->tick, POSTGRES_READER_TICK_MS);
	postgres_reader_pump(r);
}
