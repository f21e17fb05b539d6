#include "config.h"

#include "store/postgres_writer.h"
#include "base/buf.h"
#include "base/mem.h"
#include "store/postgres_conn.h"
#include "store/postgres_reply.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POSTGRES_WRITER_CALLS 64   /* in a group, at most */
#define POSTGRES_WRITER_STEPS 1024 /* the same, unless one call alone has more */
#define POSTGRES_WRITER_TICK_MS 100
#define POSTGRES_WRITER_TAKEN 4    /* tries of one that met a row which must be unique */
#define POSTGRES_WRITER_AGAIN_MS 5 /* before a transaction that met another one is tried again */
#define POSTGRES_WRITER_LIST ((size_t)1 << 20) /* bytes of a list of scopes */

enum postgres_writer_state {
	POSTGRES_WRITER_IDLE,    /* nothing is under way on the connection */
	POSTGRES_WRITER_ASKING,  /* whether the group was done before */
	POSTGRES_WRITER_WRITING,
	POSTGRES_WRITER_PAUSING  /* before the group is tried again */
};

/* A call on its way. */
struct postgres_write {
	struct store_call *call;
	char key[UUID_SIZE];
	size_t steps;
};

struct postgres_writer {
	struct postgres_engine *engine;
	struct loop *loop;
	struct postgres_conn *conn;
	void (*wrote)(void *arg);
	void *arg;
	struct store_calls queue;

	struct postgres_write group[POSTGRES_WRITER_CALLS];
	size_t count;
	enum postgres_writer_state state;
	bool lost;      /* the connection was lost with the group under way: it may be done */
	bool found;     /* ASKING: a reply was kept */
	unsigned tries; /* of the group */
	size_t at, step; /* whose answer comes next; at is count for the last */
	bool entered;    /* WRITING: the answer of enter() has come */
	int64_t sent_at; /* the last that was sent, or answered */
	char state_code[6]; /* of the first error; "": none */
	size_t culprit;     /* the call that had it; count: none of them */
	char *why;          /* the same in words */
	struct loop_timer tick, again;
};

static void postgres_writer_pump(struct postgres_writer *);

/* Whether something is to be done. */
static bool
postgres_writer_busy(const struct postgres_writer *w)
{
	return w->count > 0 || !STAILQ_EMPTY(&w->queue);
}

/* Takes a call out of the group; the caller hands it back. */
static struct store_call *
postgres_writer_remove(struct postgres_writer *w, size_t at)
{
	struct store_call *call = w->group[at].call;

	w->count--;
	memmove(&w->group[at], &w->group[at + 1], (w->count - at) * sizeof w->group[0]);
	return call;
}

/* Refuses the whole group. */
static void
postgres_writer_refuse(struct postgres_writer *w, const char *why)
{
	while (w->count > 0)
		postgres_engine_refuse(w->engine, postgres_writer_remove(w, 0), why);
	w->lost = false;
	w->tries = 0;
}

/* Hands the whole group back. */
static void
postgres_writer_done(struct postgres_writer *w)
{
	bool wrote = false;

	while (w->count > 0) {
		struct store_call *call = postgres_writer_remove(w, 0);

		wrote = wrote || call->reply.status == STORE_OK;
		postgres_engine_done(w->engine, call);
	}
	w->lost = false;
	w->tries = 0;
	if (!wrote)
		return;
	atomic_fetch_add(&w->engine->commits, 1);
	w->wrote(w->arg);
}

/* Makes a group of what waits. A call without a step is done. */
static void
postgres_writer_gather(struct postgres_writer *w)
{
	struct store_call *call;
	size_t steps = 0, more;

	while (w->count < POSTGRES_WRITER_CALLS && (call = STAILQ_FIRST(&w->queue)) != NULL) {
		more = postgres_call_steps(call);
		if (w->count > 0 && steps + more > POSTGRES_WRITER_STEPS)
			break;
		STAILQ_REMOVE_HEAD(&w->queue, link);
		if (more == 0) {
			postgres_engine_done(w->engine, call);
			continue;
		}
		steps += more;
		w->group[w->count] = (struct postgres_write){.call = call, .steps = more};
		uuid_make(w->group[w->count].key);
		w->count++;
	}
}

/* Adds a text to a list as PostgreSQL writes an array. */
static void
postgres_writer_list(struct buf *b, const char *text)
{
	if (text == NULL)
		return;
	buf_adds(b, b->len > 1 ? ",\"" : "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *text);
	}
	buf_addc(b, '"');
}

/* Sends what begins the transaction: whose it is, and which scopes it is about. */
static void
postgres_writer_enter(struct postgres_writer *w)
{
	struct buf scopes = {.max = POSTGRES_WRITER_LIST}, intents = {.max = POSTGRES_WRITER_LIST};
	struct postgres_params p = {.count = 0};
	struct postgres_subject s;

	buf_addc(&scopes, '{');
	buf_addc(&intents, '{');
	for (size_t i = 0; i < w->count; i++) {
		const struct store_call *c = w->group[i].call;

		postgres_call_subject(c, &s);
		postgres_writer_list(&scopes, s.scopes[0]);
		postgres_writer_list(&scopes, s.scopes[1]);
		postgres_writer_list(&intents, s.intent);
		for (size_t k = 0; c->op == STORE_OP_REFRESH && k < c->record_count; k++)
			postgres_writer_list(&scopes, c->records[k].scope);
	}
	buf_addc(&scopes, '}');
	buf_addc(&intents, '}');
	postgres_param_text(&p, w->engine->member);
	postgres_param_text(&p, scopes.data);
	postgres_param_text(&p, intents.data);
	postgres_conn_send(w->conn, POSTGRES_ENTER, &p);
	buf_free(&scopes);
	buf_free(&intents);
}

/* Makes ready to read answers. */
static void
postgres_writer_expect(struct postgres_writer *w, enum postgres_writer_state state)
{
	w->state = state;
	w->at = w->step = 0;
	w->entered = w->found = false;
	w->state_code[0] = '\0';
	w->culprit = w->count;
	w->sent_at = loop_now(w->loop);
	for (size_t i = 0; i < w->count; i++)
		store_reply_clear(&w->group[i].call->reply);
}

/* Sends the group as one transaction. */
static void
postgres_writer_write(struct postgres_writer *w)
{
	struct postgres_params p;

	postgres_writer_expect(w, POSTGRES_WRITER_WRITING);
	postgres_writer_enter(w);
	for (size_t i = 0; i < w->count; i++)
		for (size_t k = 0; k < w->group[i].steps; k++) {
			enum postgres_statement which = postgres_call_step(w->group[i].call, k,
			    w->group[i].key, w->engine->member, &p);

			postgres_conn_send(w->conn, which, &p);
		}
	postgres_conn_sync(w->conn);
	postgres_conn_flush(w->conn);
}

/* Asks whether the group was done. */
static void
postgres_writer_ask(struct postgres_writer *w)
{
	struct postgres_params p;

	postgres_writer_expect(w, POSTGRES_WRITER_ASKING);
	for (size_t i = 0; i < w->count; i++) {
		p.count = 0;
		postgres_param_text(&p, w->group[i].key);
		postgres_conn_send(w->conn, POSTGRES_DONE_BEFORE, &p);
	}
	postgres_conn_sync(w->conn);
	postgres_conn_flush(w->conn);
}

/* Does what is to be done next. */
static void
postgres_writer_pump(struct postgres_writer *w)
{
	if (w->state != POSTGRES_WRITER_IDLE)
		return;
	if (w->count == 0 && postgres_conn_is_ready(w->conn))
		postgres_writer_gather(w);
	if (postgres_writer_busy(w) && !w->tick.armed)
		loop_timer_set(&w->tick, POSTGRES_WRITER_TICK_MS);
	if (!postgres_writer_busy(w))
		return;
	if (!postgres_conn_is_ready(w->conn))
		postgres_conn_want(w->conn);
	else if (w->count > 0 && w->lost)
		postgres_writer_ask(w);
	else if (w->count > 0)
		postgres_writer_write(w);
}

/* Whether the group has waited as long as it may. */
static bool
postgres_writer_is_late(const struct postgres_writer *w)
{
	return loop_now(w->loop) - w->group[0].call->asked_at >=
	    (w->lost ? POSTGRES_UNKNOWN_MS : POSTGRES_WAIT_MS);
}

/* The transaction ended with an error: it is tried again, or without the call that had it. */
static void
postgres_writer_failed(struct postgres_writer *w)
{
	/* A row that was there is seen by the next try, so many of these would be in vain. */
	bool taken = strcmp(w->state_code, POSTGRES_STATE_THERE) == 0;

	if (postgres_reply_may_try(w->state_code) && !postgres_writer_is_late(w) &&
	    ++w->tries < (taken ? POSTGRES_WRITER_TAKEN : POSTGRES_TRIES)) {
		if (taken || w->tries == 1)
			return; /* at once */
		w->state = POSTGRES_WRITER_PAUSING;
		loop_timer_set(&w->again, (int64_t)w->tries * POSTGRES_WRITER_AGAIN_MS);
		return;
	}
	w->tries = 0;
	if (w->culprit < w->count)
		postgres_engine_refuse(w->engine, postgres_writer_remove(w, w->culprit), w->why);
	else
		postgres_writer_refuse(w, w->why);
}

/* Everything that was sent is answered. */
static void
postgres_writer_on_synced(void *arg)
{
	struct postgres_writer *w = arg;
	bool asked = w->state == POSTGRES_WRITER_ASKING;

	w->state = POSTGRES_WRITER_IDLE;
	if (w->state_code[0] != '\0')
		postgres_writer_failed(w);
	else if (!asked || w->found)
		postgres_writer_done(w);
	else {
		postgres_writer_write(w);
		return;
	}
	postgres_writer_pump(w);
}

/* Notes the first error of a transaction. */
static void
postgres_writer_error(struct postgres_writer *w, const PGresult *r, size_t culprit)
{
	const char *state = postgres_reply_state(r);

	if (w->state_code[0] != '\0')
		return;
	memcpy(w->state_code, strlen(state) == 5 ? state : "XX000", 6);
	w->culprit = culprit;
	free(w->why);
	w->why = mem_string(postgres_reply_words(r));
}

/* One statement is answered. */
static void
postgres_writer_on_result(void *arg, const PGresult *r)
{
	struct postgres_writer *w = arg;
	bool fine = PQresultStatus(r) == PGRES_TUPLES_OK;
	size_t at = w->at;

	w->sent_at = loop_now(w->loop);
	if (w->state == POSTGRES_WRITER_WRITING && !w->entered) {
		w->entered = true;
		if (!fine)
			postgres_writer_error(w, r, w->count);
		return;
	}
	if (!fine)
		postgres_writer_error(w, r, w->state == POSTGRES_WRITER_WRITING ? at : w->count);
	if (at == w->count)
		return;
	if (fine && w->state == POSTGRES_WRITER_ASKING)
		w->found = w->found || PQntuples(r) > 0;
	if (fine)
		postgres_reply_read(&w->group[at].call->reply, r);
	if (w->state == POSTGRES_WRITER_ASKING || ++w->step == w->group[at].steps) {
		w->step = 0;
		w->at++;
	}
}

/* The connection is there. */
static void
postgres_writer_on_ready(void *arg)
{
	postgres_writer_pump(arg);
}

/* The connection is gone, and with it what is known of what was sent. */
static void
postgres_writer_on_lost(void *arg, const char *why)
{
	struct postgres_writer *w = arg;

	if (w->state == POSTGRES_WRITER_WRITING)
		w->lost = true;
	if (w->state != POSTGRES_WRITER_PAUSING)
		w->state = POSTGRES_WRITER_IDLE;
	free(w->why);
	w->why = mem_string(why);
}

/* Refuses what has waited too long, and gives a connection up that does not answer. */
static void
postgres_writer_on_tick(void *arg)
{
	struct postgres_writer *w = arg;
	int64_t now = loop_now(w->loop);
	const char *why = w->why != NULL ? w->why : "the database does not answer";
	struct store_call *call;

	while ((call = STAILQ_FIRST(&w->queue)) != NULL && now - call->asked_at >= POSTGRES_WAIT_MS) {
		STAILQ_REMOVE_HEAD(&w->queue, link);
		postgres_engine_refuse(w->engine, call, why);
	}
	if (w->state == POSTGRES_WRITER_IDLE && w->count > 0 && postgres_writer_is_late(w))
		postgres_writer_refuse(w, why);
	if ((w->state == POSTGRES_WRITER_ASKING || w->state == POSTGRES_WRITER_WRITING) &&
	    now - w->sent_at >= POSTGRES_ANSWER_MS)
		postgres_conn_drop(w->conn, "the database does not answer");
	if (postgres_writer_busy(w))
		loop_timer_set(&w->tick, POSTGRES_WRITER_TICK_MS);
	postgres_writer_pump(w);
}

/* The pause before the next try is over. */
static void
postgres_writer_on_again(void *arg)
{
	struct postgres_writer *w = arg;

	if (w->state == POSTGRES_WRITER_PAUSING)
		w->state = POSTGRES_WRITER_IDLE;
	postgres_writer_pump(w);
}

/* Makes the writer of a port. */
struct postgres_writer *
postgres_writer_new(struct postgres_engine *e, struct loop *l, void (*wrote)(void *arg), void *arg)
{
	struct postgres_writer *w = mem_zero(1, sizeof *w);
	struct postgres_conn_owner owner = {
	    .ready = postgres_writer_on_ready,
	    .result = postgres_writer_on_result,
	    .synced = postgres_writer_on_synced,
	    .lost = postgres_writer_on_lost,
	    .arg = w,
	    .again = &e->reconnects,
	};

	w->engine = e;
	w->loop = l;
	w->wrote = wrote;
	w->arg = arg;
	STAILQ_INIT(&w->queue);
	loop_timer_init(&w->tick, l, postgres_writer_on_tick, w);
	loop_timer_init(&w->again, l, postgres_writer_on_again, w);
	w->conn = postgres_conn_new(l, e->url, e->hosts, &owner);
	return w;
}

/* Refuses what is not done, and frees. */
void
postgres_writer_free(struct postgres_writer *w)
{
	struct store_call *call;

	loop_timer_cancel(&w->tick);
	loop_timer_cancel(&w->again);
	postgres_conn_free(w->conn);
	postgres_writer_refuse(w, "the gateway stops");
	while ((call = STAILQ_FIRST(&w->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&w->queue, link);
		postgres_engine_refuse(w->engine, call, "the gateway stops");
	}
	free(w->why);
	free(w);
}

/* Takes a call. */
void
postgres_writer_submit(struct postgres_writer *w, struct store_call *call)
{
	call->asked_at = loop_now(w->loop);
	STAILQ_INSERT_TAIL(&w->queue, call, link);
	postgres_writer_pump(w);
}

/* Does what was submitted. */
void
postgres_writer_finish(struct postgres_writer *w, int ms)
{
	struct timespec from, now;
	uint64_t done = 0;

	clock_gettime(CLOCK_MONOTONIC, &from);
	now = from;
	while (postgres_writer_busy(w) && (now.tv_sec - from.tv_sec) * 1000 +
	    (now.tv_nsec - from.tv_nsec) / 1000000 < ms) {
		postgres_conn_want(w->conn);
		postgres_conn_drive(w->conn, POSTGRES_WRITER_AGAIN_MS);
		postgres_writer_on_again(w);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (atomic_load(&w->engine->writes) != done)
			from = now;
		done = atomic_load(&w->engine->writes);
	}
}
