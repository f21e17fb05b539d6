#include "config.h"

#include "http/http_pump.h"
#include "base/mem.h"
#include "http/http_budget.h"
#include "http/http_host.h"
#include "http/http_reporter.h"
#include "http/http_write.h"

#include <stdlib.h>
#include <string.h>

#define HTTP_PUMP_RESERVE 65535 /* bytes of memory taken on the word of a Content-Length */

/* ---- the end of an exchange ---- */

/* Tells the service that its exchange is over, and frees it. */
void
http_pump_end(struct http_conn *c, enum http_end how)
{
	struct http_exchange *ex = c->exchange;

	c->exchange = NULL;
	c->hub->counts.pending--;
	if (ex->end != NULL)
		ex->end(ex->end_arg, how);
	http_reporter_tell(c, ex, how);
	buf_free(&ex->body);
	free(ex->forwarded);
	mem_wipe_free_bytes(ex, ex->size);
}

/* From here on input is dropped, and the connection closed when the client has
 * read what is queued: closing with unread input would reset it under his eyes
 * (RFC 9112, 9.6). */
static void
http_pump_linger(struct http_conn *c)
{
	c->state = HTTP_CONN_LINGER;
	c->dropped = 0;
	http_deadline_set(&c->reading, &c->hub->linger, c);
}

/* Answers in place of the service, which is told that its exchange is over. */
void
http_pump_refuse(struct http_conn *c, int status, const char *why)
{
	struct http_exchange *ex = c->exchange;
	struct http_format head = {.status = status, .framing = HTTP_FRAMING_LENGTH, .close = true};
	struct buf body = {0};
	uint64_t pushed = c->pushed;
	size_t before = c->out.len;
	char id[UUID_SIZE];

	log_debug(c->hub->config.log, "request refused", LOG_I("status", status),
	    LOG_S("why", why), LOG_S("peer", c->peer));
	if (ex != NULL && ex->answer != HTTP_ANSWER_NONE) {
		c->gone = true;
		return;
	}
	http_format_error(&body, why);
	http_id_make(&c->hub->ids, id);
	head.id = ex != NULL && ex->head.request.id != NULL ? ex->head.request.id : id;
	head.date = http_format_date(&c->hub->date, loop_wall(c->hub->loop));
	head.fields = http_format_error_fields(status);
	head.length = (int64_t)body.len;
	head.cors = c->hub->config.cors;
	if (ex != NULL) {
		head.ask = ex->cors;
		head.beside = ex->fields_beside;
	}
	http_format_head(&c->out, &head, body.len);
	c->pushed += c->out.len - before;
	if (ex == NULL || ex->head.request.method == NULL ||
	    strcmp(ex->head.request.method, "HEAD") != 0)
		http_write_push(c, body.data, body.len);
	buf_free(&body);
	if (ex != NULL) {
		ex->refused = true;
		ex->status = status;
		ex->received += c->rlen; /* nobody takes it for anything else */
		http_write_flush(c);
		http_pump_end(c, HTTP_GONE);
	} else {
		http_write_flush(c);
		http_reporter_tell_refused(c, id, status, c->pushed - pushed);
	}
	http_pump_linger(c);
}

/* ---- the body of a request ---- */

/* Whether bytes of the body can be used now. */
bool
http_pump_wants_body(const struct http_conn *c)
{
	const struct http_exchange *ex = c->exchange;

	if (ex == NULL || ex->answer == HTTP_ANSWER_DONE || ex->mode == HTTP_EXCHANGE_COLLECT)
		return true;
	return ex->mode == HTTP_EXCHANGE_STREAM && !ex->paused;
}

/* Hands content to whoever wants it. */
static void
http_pump_deliver(struct http_conn *c, const char *piece, size_t len)
{
	struct http_exchange *ex = c->exchange;

	c->dropped += len;
	if (ex == NULL || ex->answer == HTTP_ANSWER_DONE)
		return;
	if (ex->mode == HTTP_EXCHANGE_COLLECT) {
		size_t whole = c->chunked ? 0 : (size_t)ex->head.request.length;

		if (!http_budget_allows_body(c, len)) {
			http_pump_refuse(c, 503, http_format_full);
			return;
		}
		if (whole > HTTP_PUMP_RESERVE)
			whole = HTTP_PUMP_RESERVE;
		if (ex->body.len == 0 && whole > 0)
			buf_reserve(&ex->body, whole);
		if (!buf_add(&ex->body, piece, len))
			http_pump_refuse(c, 413, "The body is too large");
		else
			http_budget_note(c);
	} else {
		ex->data(ex->body_arg, ex, piece, len);
	}
}

/* The chunked coding is broken. */
static void
http_pump_bad_chunk(struct http_conn *c)
{
	struct http_exchange *ex = c->exchange;

	if (ex != NULL && ex->answer == HTTP_ANSWER_DONE)
		c->rlen = 0; /* the answer still goes out whole, and is the last one */
	else
		http_pump_refuse(c, 400, "The chunked coding of the body is not well-formed");
}

/* Takes the next piece of the body out of the input. */
static void
http_pump_piece(struct http_conn *c)
{
	const char *piece = c->rp;
	size_t len = 0, used;

	if (!c->chunked) {
		used = (uint64_t)c->body_left < c->rlen ? (size_t)c->body_left : c->rlen;
		len = used;
		c->body_left -= (int64_t)used;
		c->body_done = c->body_left == 0;
	} else {
		switch (chunked_next(&c->chunk, c->rp, c->rlen, &used, &piece, &len)) {
		case CHUNKED_BAD:
			http_pump_bad_chunk(c);
			return;
		case CHUNKED_END:
			c->body_done = true;
			break;
		default:
			break;
		}
	}
	c->rp += used;
	c->rlen -= used;
	if (c->exchange != NULL)
		c->exchange->received += used;
	if (len > 0)
		http_pump_deliver(c, piece, len);
}

/* Keeps the body deadline: it runs while the client's bytes are waited for. A
 * streamed body, which may be long, gets a new one with every window. */
static void
http_pump_body_clock(struct http_conn *c)
{
	const struct http_exchange *ex = c->exchange;
	bool window = ex != NULL && ex->mode == HTTP_EXCHANGE_STREAM &&
	    ex->answer != HTTP_ANSWER_DONE && c->dropped >= HTTP_CONN_WINDOW;

	if (c->body_done || !http_pump_wants_body(c)) {
		http_deadline_clear(&c->reading);
	} else if (c->reading.kind == NULL || window) {
		http_deadline_set(&c->reading, &c->hub->body, c);
		if (window)
			c->dropped = 0;
	}
}

/* Tells the service that the body is whole. */
static void
http_pump_body_end(struct http_conn *c)
{
	struct http_exchange *ex = c->exchange;

	ex->told = true;
	ex->body_us = ex->head.request.has_body ? loop_now_us(c->hub->loop) : ex->begun_us;
	if (ex->mode == HTTP_EXCHANGE_COLLECT) {
		if (ex->body.data == NULL)
			buf_adds(&ex->body, "");
		ex->ready(ex->body_arg, ex, ex->body.data, ex->body.len);
	} else {
		ex->data(ex->body_arg, ex, "", 0);
	}
}

/* Moves the body on as far as input and service allow. */
static void
http_pump_body(struct http_conn *c)
{
	struct http_exchange *ex = c->exchange;

	while (!c->body_done && c->rlen > 0 && http_pump_wants_body(c)) {
		http_pump_piece(c);
		if (c->state != HTTP_CONN_EXCHANGE || c->gone)
			return;
	}
	http_pump_body_clock(c);
	if (c->body_done && !ex->told && ex->mode != HTTP_EXCHANGE_UNDECIDED &&
	    ex->answer != HTTP_ANSWER_DONE && !ex->paused)
		http_pump_body_end(c);
}

/* ---- the head of a request ---- */

/* Finds out who asks, and how: by the connection, or as a trusted proxy says. */
static int
http_pump_origin(struct http_conn *c, struct http_exchange *ex)
{
	const struct http_peers *trusted = &c->hub->trusted;
	struct http_request *r = &ex->head.request;
	struct http_forwarded said;
	int told;

	if (c->veiled || !network_holds(trusted->list, trusted->count, c->peer))
		return 0;
	told = http_forwarded_read(r, c->peer, trusted->list, trusted->count, &said, &ex->head.why);
	if (told <= 0)
		return told < 0 ? 400 : 0;
	ex->forwarded = mem_alloc(sizeof said);
	*ex->forwarded = said;
	r->peer = ex->forwarded->peer;
	if (said.chain[0] != '\0')
		r->chain = ex->forwarded->chain;
	if (said.scheme != NULL)
		r->scheme = said.scheme;
	if (said.host[0] != '\0')
		r->asked_host = ex->forwarded->host;
	return 0;
}

/* Copies the head into a new exchange and takes it apart there. */
static int
http_pump_parse(struct http_conn *c)
{
	struct http_guard *g = &c->guard;
	size_t len = g->seen - g->start;
	size_t size = sizeof(struct http_exchange) + g->fields * sizeof(struct http_field) + len + 1 +
	    HTTP_PARSE_ROOM(g->line);
	struct http_exchange *ex = mem_alloc(size);
	char *text = (char *)(ex->fields + g->fields);
	struct http_request *r = &ex->head.request;
	int status;

	memset(ex, 0, sizeof *ex);
	ex->size = size;
	ex->begun_us = loop_now_us(c->hub->loop);
	ex->received = g->seen;
	ex->pushed_before = c->pushed;
	memcpy(text, c->rp + g->start, len);
	text[len] = '\0';
	status = http_parse_head(g, text, ex->fields, text + len + 1, &ex->head);
	c->rp += g->seen;
	c->rlen -= g->seen;
	memset(g, 0, sizeof *g);
	if (r->id == NULL) {
		http_id_make(&c->hub->ids, ex->id);
		r->id = ex->id;
	}
	r->serial = ++c->serial;
	r->peer = r->near = c->peer;
	r->scheme = c->secure ? "https" : "http";
	r->asked_host = r->host;
	if (status == 0)
		status = http_pump_origin(c, ex);
	ex->conn = c;
	ex->keep = ex->head.keep_alive;
	ex->left = -1;
	c->exchange = ex;
	c->state = HTTP_CONN_EXCHANGE;
	c->chunked = r->length < 0;
	c->body_left = r->length;
	c->body_done = !r->has_body;
	c->dropped = 0;
	chunked_init(&c->chunk);
	c->hub->counts.pending++;
	return status;
}

/* What follows the service's first look at a request. */
static void
http_pump_started(struct http_conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct http_exchange *ex = c->exchange;

	if (ex->answer != HTTP_ANSWER_NONE)
		return;
	if (ex->mode == HTTP_EXCHANGE_UNDECIDED) {
		log_error(c->hub->config.log, "request left without an answer",
		    LOG_S("id", ex->head.request.id));
		http_pump_refuse(c, 500, "The request was not handled");
	} else if (ex->mode == HTTP_EXCHANGE_COLLECT && !c->chunked && !c->body_done &&
	    (uint64_t)ex->head.request.length > ex->max) {
		http_pump_refuse(c, 413, "The body is too large");
	} else if (ex->head.expect_continue) {
		ex->head.expect_continue = false;
		if (c->rlen == 0)
			http_write_push(c, go_on, sizeof go_on - 1);
	}
}

/* Hands a request to the service, unless it is a preflight. */
static void
http_pump_serve(struct http_conn *c, int preflight, const char *why)
{
	const struct http_server_config *cfg = &c->hub->config;

	c->hub->counts.requests++;
	if (preflight == 0)
		cfg->service(cfg->arg, c->exchange);
	else if (preflight == 204)
		http_answer(c->exchange, 204, NULL, NULL, 0);
	else
		http_answer_error(c->exchange, preflight, why);
	http_pump_started(c);
}

/* Whether a connection begins with the header of a proxy, of which nobody is expected. */
static bool
http_pump_is_unexpected(const struct http_conn *c)
{
	return c->serial == 0 && http_proxy_is_header(c->rp, c->rlen);
}

/* Refuses what is no request at all. */
static void
http_pump_refuse_bytes(struct http_conn *c, bool proxied)
{
	http_pump_refuse(c, 400, proxied ? "The connection begins with a PROXY protocol header, and "
	    "proxy_protocol in the gateway's configuration does not name the address that it comes from"
	    : "The request holds a byte that may not stand there");
}

/* Gives a whole head to the service, or refuses it. */
static void
http_pump_start(struct http_conn *c)
{
	const struct http_server_config *cfg = &c->hub->config;
	bool proxied = http_pump_is_unexpected(c);
	int status = http_pump_parse(c);
	struct http_exchange *ex = c->exchange;
	const char *host = ex->head.request.host, *why = NULL;
	int preflight = 0;

	http_deadline_clear(&c->reading);
	if (status == 0 && cfg->cors != NULL)
		preflight = http_cors_look(cfg->cors, &ex->head.request, &ex->cors, &why);
	if (status != 0 && proxied) {
		http_pump_refuse_bytes(c, true);
	} else if (status != 0) {
		http_pump_refuse(c, status, ex->head.why);
	} else if (cfg->allowed_hosts != NULL && host[0] != '\0' &&
	    !http_host_allowed(host, cfg->allowed_hosts)) {
		http_pump_refuse(c, 421, "This host name is not served here; allowed_hosts has those that are");
	} else {
		http_pump_serve(c, preflight, why);
	}
}

/* Looks for a whole head; false when more input is needed. */
static bool
http_pump_head(struct http_conn *c)
{
	const struct http_limits *max = &c->hub->config.limits;

	switch (http_guard_feed(&c->guard, c->rp, c->rlen, max->head, max->headers)) {
	case HTTP_GUARD_DONE:
		http_pump_start(c);
		return true;
	case HTTP_GUARD_BAD:
		http_pump_refuse_bytes(c, http_pump_is_unexpected(c));
		return true;
	case HTTP_GUARD_LONG_LINE:
		http_pump_refuse(c, 414, "The request line is too long");
		return true;
	case HTTP_GUARD_LONG:
		http_pump_refuse(c, 431, "The headers are too large");
		return true;
	case HTTP_GUARD_MANY:
		http_pump_refuse(c, 431, "There are too many headers");
		return true;
	default:
		break;
	}
	if (c->eof) {
		c->gone = true;
	} else if (c->state == HTTP_CONN_IDLE && http_guard_begun(&c->guard)) {
		c->state = HTTP_CONN_HEAD;
		http_deadline_set(&c->reading, &c->hub->head, c);
	}
	return false;
}

/* ---- the states ---- */

/* Waits until the connection can carry HTTP; false when more is needed for that. */
static bool
http_pump_open(struct http_conn *c)
{
	struct http_server_counts *counts = &c->hub->counts;
	const char *why;

	switch (http_socket_greet(&c->sock, &why)) {
	case 0:
		counts->handshakes++;
		http_pump_idle(c);
		if (c->hub->draining)
			http_conn_retire(c); /* its first request has a moment */
		return true;
	case HTTP_SOCKET_LATER:
		c->blocked = c->sock.wants_write;
		return false;
	case HTTP_SOCKET_PLAIN:
		counts->handshakes_failed++;
		http_pump_refuse(c, 400, "The client sent a plain request to a TLS port; use https");
		return true;
	default:
		counts->handshakes_failed++;
		log_debug(c->hub->config.log, "TLS could not be agreed on", LOG_S("peer", c->peer),
		    LOG_S("why", why != NULL ? why : "the client went away"));
		c->gone = true;
		return false;
	}
}

/* Waits for the next request. */
void
http_pump_idle(struct http_conn *c)
{
	c->state = HTTP_CONN_IDLE;
	http_deadline_set(&c->reading, c->hub->draining ? &c->hub->first : &c->hub->idle, c);
}

/* The answer is with the kernel: what comes next on this connection. */
static void
http_pump_finish(struct http_conn *c)
{
	bool more_expected = c->exchange->head.keep_alive || !c->body_done || c->rlen > 0;
	bool keep = c->exchange->keep && !c->eof;

	http_pump_end(c, c->exchange->replaced ? HTTP_GONE : HTTP_SENT);
	if (c->reset || (!keep && (!more_expected || c->eof)))
		c->gone = true;
	else if (!keep || c->hub->draining)
		http_pump_linger(c);
	else if (!c->body_done)
		c->state = HTTP_CONN_DRAIN;
	else
		http_pump_idle(c);
}

/* Moves an exchange on; false when it waits for somebody. */
static bool
http_pump_exchange(struct http_conn *c)
{
	struct http_exchange *ex = c->exchange;

	if (c->eof && ex->answer != HTTP_ANSWER_DONE) {
		c->gone = true;
		return false;
	}
	http_pump_body(c);
	if (c->state != HTTP_CONN_EXCHANGE)
		return true;
	http_write_flush(c);
	if (c->gone || http_write_pending(c) > 0)
		return false;
	if (ex->answer == HTTP_ANSWER_DONE) {
		http_pump_finish(c);
		return true;
	}
	if (ex->want_drained) {
		ex->want_drained = false;
		ex->drained(ex->drained_arg);
		return true;
	}
	return false;
}

/* Hands on what the client sends in another protocol; false when there is nothing. */
static bool
http_pump_tunnel_in(struct http_conn *c)
{
	struct http_exchange *ex = c->exchange;
	const char *piece = c->rp;
	size_t len = c->rlen;

	if (ex->paused || ex->told || (len == 0 && !c->eof))
		return false;
	c->rp += len;
	c->rlen = 0;
	ex->received += len;
	ex->told = len == 0;
	ex->data(ex->body_arg, ex, len > 0 ? piece : "", len);
	return true;
}

/* Ends our side, behind all that was sent; false when that has to wait. */
static bool
http_pump_shut(struct http_conn *c)
{
	if (!c->shut && http_socket_shutdown(&c->sock) == HTTP_SOCKET_LATER)
		c->blocked = true;
	else
		c->shut = true;
	return c->shut;
}

/* Moves a tunnel on, until both sides have ended; false when it waits for somebody. */
static bool
http_pump_tunnel(struct http_conn *c)
{
	struct http_exchange *ex = c->exchange;

	if (http_pump_tunnel_in(c))
		return !c->gone;
	http_write_flush(c);
	if (c->gone || http_write_pending(c) > 0)
		return false;
	if (ex->answer == HTTP_ANSWER_DONE && !http_pump_shut(c))
		return false;
	if (ex->answer == HTTP_ANSWER_DONE && ex->told) {
		http_pump_end(c, HTTP_SENT);
		c->gone = true;
		return false;
	}
	if (ex->want_drained) {
		ex->want_drained = false;
		ex->drained(ex->drained_arg);
		return true;
	}
	return false;
}

/* Drops the rest of a body; false when more is to come. */
static bool
http_pump_drain(struct http_conn *c)
{
	while (!c->body_done && c->rlen > 0 && !c->gone)
		http_pump_piece(c);
	if (c->eof)
		c->gone = true;
	http_pump_body_clock(c);
	if (c->body_done && !c->gone && c->hub->draining)
		http_pump_linger(c);
	else if (c->body_done && !c->gone)
		http_pump_idle(c);
	return c->body_done;
}

/* Sends what is left, ends our side, and drops input until the client's end. */
static void
http_pump_lingers(struct http_conn *c)
{
	c->dropped += c->rlen;
	c->rlen = 0;
	http_write_flush(c);
	if (c->gone || http_write_pending(c) > 0)
		return;
	if (!http_pump_shut(c))
		return;
	if (c->eof || c->dropped > HTTP_CONN_LINGER_MAX)
		c->gone = true;
}

/* One step of the connection's state; false when it can only wait. */
bool
http_pump_step(struct http_conn *c)
{
	switch ((enum http_conn_state)c->state) {
	case HTTP_CONN_PROXY:
		return false;
	case HTTP_CONN_OPENING:
		return http_pump_open(c);
	case HTTP_CONN_IDLE:
	case HTTP_CONN_HEAD:
		return http_pump_head(c);
	case HTTP_CONN_EXCHANGE:
		return http_pump_exchange(c);
	case HTTP_CONN_TUNNEL:
		return http_pump_tunnel(c);
	case HTTP_CONN_DRAIN:
		return http_pump_drain(c);
	case HTTP_CONN_LINGER:
		http_pump_lingers(c);
		return false;
	case HTTP_CONN_CLOSED:
		break;
	}
	return false;
}

