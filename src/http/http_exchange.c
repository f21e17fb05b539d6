#include "config.h"

#include "http/http_budget.h"
#include "http/http_conn.h"
#include "http/http_format.h"
#include "http/http_write.h"

#include <assert.h>
#include <string.h>

/* The request of an exchange. */
const struct http_request *
http_exchange_request(const struct http_exchange *ex)
{
	return &ex->head.request;
}

/* Attaches something of the service's. */
void
http_exchange_set_note(struct http_exchange *ex, void *note)
{
	ex->note = note;
}

/* What was attached. */
void *
http_exchange_note(const struct http_exchange *ex)
{
	return ex->note;
}

/* Attaches fields of the answer. */
void
http_exchange_set_fields(struct http_exchange *ex, const struct http_field *fields)
{
	ex->fields_beside = fields;
}

/* Has the body collected. */
void
http_exchange_collect(struct http_exchange *ex, size_t max, http_body_fn ready, void *arg)
{
	assert(ex->mode == HTTP_EXCHANGE_UNDECIDED);
	ex->mode = HTTP_EXCHANGE_COLLECT;
	ex->max = max != 0 ? max : ex->conn->hub->config.limits.body;
	buf_init(&ex->body, ex->max);
	if (ex->head.request.length > 0 && (uint64_t)ex->head.request.length < ex->max)
		ex->body.max = (size_t)ex->head.request.length; /* no memory beyond what comes */
	ex->ready = ready;
	ex->body_arg = arg;
	http_conn_wake(ex->conn);
}

/* Frees the collected body. */
void
http_exchange_drop_body(struct http_exchange *ex)
{
	ex->dropped += ex->body.cap;
	buf_free(&ex->body);
}

/* Counts what the service holds. */
bool
http_exchange_reserve(struct http_exchange *ex, size_t bytes)
{
	if (!http_budget_allows(ex->conn, bytes))
		return false;
	ex->reserved += bytes;
	http_budget_note(ex->conn);
	return true;
}

/* Has the body streamed. */
void
http_exchange_stream(struct http_exchange *ex, http_data_fn data, void *arg)
{
	assert(ex->mode == HTTP_EXCHANGE_UNDECIDED);
	ex->mode = HTTP_EXCHANGE_STREAM;
	ex->data = data;
	ex->body_arg = arg;
	http_conn_wake(ex->conn);
}

/* Holds the body back. */
void
http_exchange_pause(struct http_exchange *ex)
{
	ex->paused = true;
}

/* Lets the body go on. */
void
http_exchange_resume(struct http_exchange *ex)
{
	ex->paused = false;
	http_conn_wake(ex->conn);
}

/* Names who is told of the end. */
void
http_exchange_on_end(struct http_exchange *ex, http_end_fn end, void *arg)
{
	ex->end = end;
	ex->end_arg = arg;
}

/* Whether what is left of the body may be dropped to keep the connection. A
 * client that waits for 100 Continue may send it or not: that cannot be told. */
static bool
http_exchange_droppable(const struct http_exchange *ex)
{
	const struct http_conn *c = ex->conn;

	if (c->body_done)
		return true;
	if (c->chunked || ex->head.expect_continue)
		return false;
	return c->body_left <= HTTP_CONN_DRAIN_MAX;
}

/* Queues the head of an answer. */
static void
http_answer_head(struct http_exchange *ex, int status, const struct http_field *fields,
    enum http_framing framing, int64_t length, size_t more)
{
	struct http_conn *c = ex->conn;
	struct http_format h = {.status = status, .fields = fields, .beside = ex->fields_beside,
	    .framing = framing, .length = length};
	size_t before = c->out.len;

	ex->status = status;
	ex->answer_us = loop_now_us(c->hub->loop);
	if (http_format_close(fields) || c->hub->draining || framing == HTTP_FRAMING_CLOSE)
		ex->keep = false;
	ex->bodyless = status == 204 || status == 304 ||
	    strcmp(ex->head.request.method, "HEAD") == 0;
	h.id = ex->head.request.id;
	h.date = http_format_date(&c->hub->date, loop_wall(c->hub->loop));
	h.close = !ex->keep;
	h.upgrade = status == 101;
	h.keep_alive = ex->head.request.minor == 0;
	h.cors = c->hub->config.cors;
	h.ask = ex->cors;
	if (!http_format_head(&c->out, &h, ex->bodyless ? 0 : more))
		c->gone = true;
	c->pushed += c->out.len - before;
}

/* Answers that there is no room for the answer itself. */
static void
http_answer_full(struct http_exchange *ex)
{
	ex->replaced = ex->refused = true;
	http_answer_error(ex, 503, http_format_full);
}

/* Answers in one piece. */
void
http_answer(struct http_exchange *ex, int status, const struct http_field *fields,
    const char *body, size_t len)
{
	struct http_conn *c = ex->conn;
	bool none = status == 204 || status == 304;

	assert(ex->answer == HTTP_ANSWER_NONE);
	ex->dropped = 0; /* the work is done */
	http_budget_note(c);
	if (len > HTTP_BUDGET_SMALL && !http_budget_allows(c, len)) {
		http_answer_full(ex);
		return;
	}
	if (!http_exchange_droppable(ex))
		ex->keep = false;
	http_answer_head(ex, status, fields, none ? HTTP_FRAMING_NONE : HTTP_FRAMING_LENGTH,
	    (int64_t)len, len < HTTP_CONN_DIRECT ? len : 0);
	if (!ex->bodyless)
		http_write_push(c, body, len);
	ex->answer = HTTP_ANSWER_DONE;
	http_conn_wake(c);
}

/* Answers with a sentence. */
void
http_answer_error(struct http_exchange *ex, int status, const char *sentence)
{
	struct buf b = {0};

	http_format_error(&b, sentence);
	http_answer(ex, status, http_format_error_fields(status), b.data, b.len);
	buf_free(&b);
}

/* Begins an answer in pieces. */
void
http_answer_begin(struct http_exchange *ex, int status, const struct http_field *fields,
    int64_t length, loop_fn drained, void *arg)
{
	enum http_framing framing = HTTP_FRAMING_LENGTH;

	assert(ex->answer == HTTP_ANSWER_NONE);
	if (status == 204 || status == 304)
		framing = HTTP_FRAMING_NONE;
	else if (length < 0)
		framing = ex->head.request.minor == 1 ? HTTP_FRAMING_CHUNKED : HTTP_FRAMING_CLOSE;
	if (!http_exchange_droppable(ex))
		ex->keep = false;
	http_answer_head(ex, status, fields, framing, length, 0);
	ex->answer = HTTP_ANSWER_BEGUN;
	ex->chunked = framing == HTTP_FRAMING_CHUNKED;
	ex->left = framing == HTTP_FRAMING_LENGTH ? length : -1;
	ex->drained = drained;
	ex->drained_arg = arg;
	http_conn_wake(ex->conn);
}

/* Changes the protocol. */
void
http_answer_upgrade(struct http_exchange *ex, const struct http_field *fields, http_data_fn data,
    void *data_arg, loop_fn drained, void *arg)
{
	struct http_conn *c = ex->conn;

	assert(ex->answer == HTTP_ANSWER_NONE && ex->head.request.upgrade != NULL);
	http_answer_head(ex, 101, fields, HTTP_FRAMING_NONE, 0, 0);
	ex->answer = HTTP_ANSWER_BEGUN;
	ex->mode = HTTP_EXCHANGE_STREAM;
	ex->data = data;
	ex->body_arg = data_arg;
	ex->drained = drained;
	ex->drained_arg = arg;
	ex->paused = ex->told = false;
	http_deadline_clear(&c->reading);
	c->state = HTTP_CONN_TUNNEL;
	http_conn_wake(c);
}

/* Sends a piece. */
size_t
http_answer_write(struct http_exchange *ex, const char *bytes, size_t len)
{
	struct http_conn *c = ex->conn;
	char line[20];
	size_t pending;

	assert(ex->answer == HTTP_ANSWER_BEGUN);
	if (ex->bodyless || c->gone)
		return 0;
	if (ex->left >= 0 && (uint64_t)ex->left < len)
		len = (size_t)ex->left; /* more than was promised would be the next answer */
	if (ex->left >= 0)
		ex->left -= (int64_t)len;
	if (len > 0 && ex->chunked)
		http_write_push(c, line, http_format_chunk(line, len));
	if (len > 0)
		http_write_push(c, bytes, len);
	if (len > 0 && ex->chunked)
		http_write_push(c, "\r\n", 2);
	if (http_write_pending(c) >= HTTP_CONN_DIRECT)
		http_write_flush(c);
	http_conn_wake(c);
	pending = c->gone ? 0 : http_write_pending(c);
	if (pending > 0 && ex->drained != NULL)
		ex->want_drained = true;
	return pending;
}

/* Ends an answer in pieces. */
void
http_answer_end(struct http_exchange *ex)
{
	struct http_conn *c = ex->conn;

	assert(ex->answer == HTTP_ANSWER_BEGUN);
	if (ex->left > 0 && !ex->bodyless) {
		http_answer_abort(ex);
		return;
	}
	if (ex->chunked && !ex->bodyless)
		http_write_push(c, "0\r\n\r\n", 5);
	if (!http_exchange_droppable(ex))
		ex->keep = false;
	ex->answer = HTTP_ANSWER_DONE;
	http_conn_wake(c);
}

/* Cuts an answer. What is queued is offered once; where only the end of the
 * connection marks the end of the body, a reset shows that it is not whole. */
void
http_answer_abort(struct http_exchange *ex)
{
	struct http_conn *c = ex->conn;

	http_write_flush(c);
	if (ex->answer == HTTP_ANSWER_BEGUN && ex->left < 0 && !ex->chunked && !ex->bodyless)
		c->reset = true;
	ex->answer = HTTP_ANSWER_DONE;
	c->gone = true;
	http_conn_wake(c);
}

/* Sends bytes as they are and ends the connection. */
void
http_answer_raw(struct http_exchange *ex, const char *bytes, size_t len, bool reset)
{
	struct http_conn *c = ex->conn;

	assert(ex->answer == HTTP_ANSWER_NONE);
	if (len > 0)
		http_write_push(c, bytes, len);
	ex->keep = false;
	ex->answer = HTTP_ANSWER_DONE;
	c->reset = reset;
	http_conn_wake(c);
}
