#include "config.h"

#include "upstream/http1_way.h"
#include "base/mem.h"
#include "upstream/http1_answer.h"
#include "upstream/http1_pool.h"

#include <stdlib.h>

#define HTTP1_TRY_ROUNDS 16  /* reads before others have their turn */
#define HTTP1_TRY_READ 32768 /* bytes taken at a time */

struct http1_way {
	struct way base; /* first: the way is this */
	struct http1_pool *pool;
};

struct http1_try {
	struct try base; /* first: the try is this */
	struct http1_pool *pool;
	struct http1_conn *conn; /* NULL: over */
	try_done_fn done;
	void *arg;
	const char *text;
	size_t len, sent;
	int64_t first_byte_ms, first_byte_due, total_ms, total_due;
	bool kept;      /* the connection had carried others */
	bool begun;     /* sending has begun */
	bool blocked;   /* the connection has taken less than there was */
	bool deaf;      /* the connection takes nothing any more; it may still have an answer */
	bool touched;   /* a byte of an answer has come */
	struct http1_answer answer;
	char *why;      /* a sentence that was made for the log; NULL: none */
	struct try_result result;
};

static const struct way_kind http1_way_kind;

/* ---- the end ---- */

/* Fills in what every end has, lets go of the connection, and tells. The try may be gone
 * then. */
static void
http1_try_end(struct http1_try *t, enum upstream_outcome outcome, const char *why)
{
	struct try_result *r = &t->result;
	struct http1_conn *c = t->conn;

	r->outcome = outcome;
	r->why = why;
	r->connected = t->begun;
	r->heard = t->answer.head.begun;
	/* With TLS a part may have been taken of what was not: a record, which means nothing
	 * until it is whole. Nothing is proven then. */
	r->nothing_sent = !t->begun || (t->sent == 0 && !t->touched && !(t->blocked && c->site->tls));
	r->body = "";
	if (outcome == UPSTREAM_ANSWER) {
		r->status = t->answer.head.status;
		r->retry_after = t->answer.head.has_retry_after ? t->answer.head.retry_after : NULL;
		if (t->answer.body.data != NULL)
			r->body = t->answer.body.data;
		r->body_len = t->answer.body.len;
	}
	t->conn = NULL;
	http1_conn_want_write(c, false);
	http1_pool_give(t->pool, c, outcome == UPSTREAM_ANSWER && t->sent == t->len &&
	    http1_answer_keeps(&t->answer));
	t->done(t->arg, r);
}

/* It has failed once sending had begun. */
static void
http1_try_break(struct http1_try *t, const char *why)
{
	t->result.stale = t->kept && !t->touched;
	http1_try_end(t, UPSTREAM_BROKEN, why);
}

/* What was read says how it goes on; false when the try is over. */
static bool
http1_try_judge(struct http1_try *t, enum http1_read read)
{
	switch (read) {
	case HTTP1_READ_MORE:
		return true;
	case HTTP1_READ_WHOLE:
		http1_try_end(t, UPSTREAM_ANSWER, NULL);
		break;
	case HTTP1_READ_BAD:
		http1_try_break(t, t->answer.why);
		break;
	case HTTP1_READ_TOO_LARGE:
		http1_try_end(t, UPSTREAM_TOO_LARGE, "the answer is too large");
		break;
	}
	return false;
}

/* ---- what happens ---- */

/* Sends what is left. A connection that takes nothing any more may have been closed behind
 * an early answer, so what it has is read; its end will show. */
static void
http1_try_send(struct http1_try *t)
{
	ssize_t n = 0;

	while (t->sent < t->len && n >= 0 && !t->deaf) {
		n = http1_conn_send(t->conn, t->text + t->sent, t->len - t->sent);
		if (n >= 0)
			t->sent += (size_t)n;
	}
	t->deaf |= n == HTTP1_CONN_BROKEN;
	t->blocked |= n == HTTP1_CONN_AGAIN;
	http1_conn_want_write(t->conn, n == HTTP1_CONN_AGAIN);
}

/* Reads what is here; false when the try is over. */
static bool
http1_try_read(struct http1_try *t)
{
	char bytes[HTTP1_TRY_READ];
	bool begun = t->answer.head.begun;
	int round;
	ssize_t n;

	for (round = 0; round < HTTP1_TRY_ROUNDS; round++) {
		n = http1_conn_recv(t->conn, bytes, sizeof bytes);
		if (n == HTTP1_CONN_AGAIN)
			break;
		if (n == HTTP1_CONN_BROKEN) {
			http1_try_break(t, "the connection broke");
			return false;
		}
		t->touched |= n > 0;
		if (!http1_try_judge(t, n > 0 ? http1_answer_feed(&t->answer, bytes, (size_t)n)
		                              : http1_answer_end(&t->answer)))
			return false;
		if (http1_conn_is_drained(t->conn))
			break;
	}
	if (round == HTTP1_TRY_ROUNDS)
		http1_conn_read_on(t->conn);
	if (!begun && t->answer.head.begun)
		http1_conn_set_due(t->conn, t->total_due);
	return true;
}

/* Bytes or an end that came before anything was asked: whatever it is, it is no answer. */
static bool
http1_try_is_quiet(struct http1_try *t)
{
	if (http1_conn_is_quiet(t->conn))
		return true;
	http1_try_end(t, UPSTREAM_BROKEN, "something came before anything was asked");
	return false;
}

/* The connection is ready for something. */
static void
http1_try_on_ready(void *arg, short what)
{
	struct http1_try *t = arg;

	if (!t->begun) {
		http1_try_is_quiet(t);
		return;
	}
	if ((what & EV_READ) != 0 && !http1_try_read(t))
		return;
	if ((what & EV_WRITE) != 0)
		http1_try_send(t);
}

/* The connection is there: the request begins to leave. */
static void
http1_try_begin(struct http1_try *t)
{
	int64_t now = loop_now(http1_pool_loop(t->pool));

	t->begun = true;
	t->first_byte_due = now + t->first_byte_ms;
	http1_conn_set_due(t->conn, t->first_byte_due < t->total_due ? t->first_byte_due : t->total_due);
	http1_try_send(t);
}

/* The connection stands, or does not. */
static void
http1_try_on_opened(void *arg, CURLcode code, const char *why)
{
	struct http1_try *t = arg;

	if (code == CURLE_OK) {
		if (http1_try_is_quiet(t))
			http1_try_begin(t);
	} else {
		t->why = mem_string(why); /* the connection goes before this is told */
		t->result.hopeless = curl_loop_is_hopeless(code);
		http1_try_end(t, code == CURLE_OPERATION_TIMEDOUT ? UPSTREAM_TIMEOUT : UPSTREAM_NO_CONNECT,
		    t->why);
	}
}

/* No answer began in time, or the whole took too long. */
static void
http1_try_on_due(void *arg)
{
	struct http1_try *t = arg;
	bool whole = loop_now(http1_pool_loop(t->pool)) >= t->total_due;

	t->result.whole_time = t->begun && whole;
	if (whole)
		t->why = mem_format("%s within %lld ms", t->begun ? "no whole answer came"
		                                                  : "there was no connection", (long long)t->total_ms);
	else
		t->why = mem_format("no answer began within %lld ms", (long long)t->first_byte_ms);
	http1_try_end(t, UPSTREAM_TIMEOUT, t->why);
}

static const struct http1_conn_user http1_try_user = {.opened = http1_try_on_opened,
    .ready = http1_try_on_ready, .due = http1_try_on_due};

/* ---- the start ---- */

/* Cancels if need be, and frees. */
static void
http1_try_cancel(struct try *base)
{
	struct http1_try *t = (struct http1_try *)(void *)base;

	if (t->conn != NULL)
		http1_pool_give(t->pool, t->conn, false);
	http1_answer_free(&t->answer);
	free(t->why);
	free(t);
}

/* Starts one exchange. */
static struct try *
http1_try_start(struct way *base, const struct try_request *q, try_done_fn done, void *arg)
{
	struct http1_pool *pool = ((struct http1_way *)(void *)base)->pool;
	struct http1_try *t = mem_zero(1, sizeof *t);

	t->base.kind = &http1_way_kind;
	t->pool = pool;
	t->done = done;
	t->arg = arg;
	t->text = q->text;
	t->len = q->len;
	t->first_byte_ms = q->first_byte_ms;
	t->total_ms = q->total_ms;
	t->total_due = loop_now(http1_pool_loop(pool)) + q->total_ms;
	http1_answer_init(&t->answer, q->max_answer);
	if (!q->fresh)
		t->conn = http1_pool_take(pool, q->site, &http1_try_user, t);
	t->kept = t->conn != NULL;
	if (t->kept) {
		http1_try_begin(t);
		return &t->base;
	}
	t->conn = http1_pool_open(pool, q->site, &http1_try_user, t);
	if (t->conn == NULL) {
		http1_try_cancel(&t->base);
		return NULL;
	}
	http1_conn_set_due(t->conn, t->total_due);
	return &t->base;
}

/* ---- the way ---- */

/* Requests leave nothing behind on it. */
static void
http1_way_renew(struct way *base)
{
}

/* Whether no try runs on it. */
static bool
http1_way_is_idle(const struct way *base)
{
	return http1_pool_used(((const struct http1_way *)(const void *)base)->pool) == 0;
}

/* Closes it. */
static void
http1_way_free(struct way *base)
{
	struct http1_way *w = (struct http1_way *)(void *)base;

	http1_pool_free(w->pool);
	free(w);
}

static const struct way_kind http1_way_kind = {.start = http1_try_start, .cancel = http1_try_cancel,
    .renew = http1_way_renew, .is_idle = http1_way_is_idle, .free = http1_way_free};

/* Makes a way. */
struct way *
http1_way_new(struct loop *loop, const struct curl_loop_config *config, struct fail *f)
{
	struct http1_pool *pool = http1_pool_new(loop, config, f);
	struct http1_way *w;

	if (pool == NULL)
		return NULL;
	w = mem_zero(1, sizeof *w);
	w->base.kind = &http1_way_kind;
	w->pool = pool;
	return &w->base;
}
