#include "config.h"

#include "sandbox/sandbox_service.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "http/http_server.h"
#include "sandbox/sandbox_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE_DRIP_PIECES 300 /* a dripped body comes in at most so many */

struct sandbox_service {
	struct loop *loop;
	struct log *log;
	struct http_server *server;
	struct sandbox_state *state;
	struct sandbox_faults faults;
	struct sandbox_tally tally;
	char *api_key;
};

/* One request, from its head to the end of its exchange. */
struct sandbox_call {
	struct sandbox_service *service;
	struct http_exchange *exchange;
	bool control;
	int route; /* -1: the answer was made when none was found */
	struct http_match match;
	struct sandbox_plan plan;
	const char *body;
	size_t len;
	struct sandbox_answer answer;
	size_t sent;     /* DRIP */
	int64_t dripped; /* the same: when the first piece was due */
	struct loop_timer timer;
	void (*step)(struct sandbox_call *); /* what the timer goes on with */
};

static const struct http_limits sandbox_service_limits = {
	.head = 16 << 10,
	.headers = 100,
	.body = 8 << 20,
	.connections = 1024,
	.buffers = 256 << 20,
	.head_ms = 10000,
	.body_ms = 30000,
	.idle_ms = 75000,
	.write_ms = 60000,
};

/* The timer goes on with the call. */
static void
sandbox_call_on_timer(void *arg)
{
	struct sandbox_call *c = arg;

	c->step(c);
}

/* Goes on with a step after some time. */
static void
sandbox_call_later(struct sandbox_call *c, int64_t ms, void (*step)(struct sandbox_call *))
{
	c->step = step;
	loop_timer_set(&c->timer, ms);
}

/* Sends an answer that is not the call's own. */
static void
sandbox_call_send(struct sandbox_call *c, int status, const char *type, const char *body,
    size_t len)
{
	struct http_field fields[] = {{"Content-Type", type}, {NULL, NULL}};

	http_answer(c->exchange, status, fields, body, len);
}

/* Sends the call's answer as it should be. */
static void
sandbox_call_answer(struct sandbox_call *c)
{
	const struct sandbox_answer *a = &c->answer;
	struct http_field fields[] = {{"Content-Type", a->type}, {NULL, NULL}, {NULL, NULL}};

	if (a->allow[0] != '\0')
		fields[1] = (struct http_field){"Allow", a->allow};
	http_answer(c->exchange, a->status, fields, a->body.data, a->body.len);
}

/* Refuses for now. */
static void
sandbox_call_rate_limit(struct sandbox_call *c)
{
	static const char body[] = "{\"detail\":\"Rate limit exceeded\"}";
	struct http_field fields[] = {{"Content-Type", "application/json"}, {"Retry-After", "1"},
		{NULL, NULL}};
	char date[TIMESTAMP_SIZE];

	timestamp_format_http(loop_wall(c->service->loop) + 2000, date);
	if (c->plan.detail & 1)
		fields[1].value = date;
	http_answer(c->exchange, 429, fields, body, sizeof body - 1);
}

/* Fails as the framework or a proxy in front of it does. */
static void
sandbox_call_error(struct sandbox_call *c)
{
	static const struct {
		int status;
		const char *type, *body;
	} errors[] = {
		{500, "text/plain; charset=utf-8", "Internal Server Error"},
		{502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>\n"},
		{503, "application/json", "{\"detail\":\"Service Unavailable\"}"},
	};
	size_t n = c->plan.detail % 3;

	sandbox_call_send(c, errors[n].status, errors[n].type, errors[n].body,
	    strlen(errors[n].body));
}

/* Begins the call's answer with a length that may be a lie. */
static void
sandbox_call_begin(struct sandbox_call *c, size_t length)
{
	struct http_field fields[] = {{"Content-Type", c->answer.type}, {NULL, NULL}};

	http_answer_begin(c->exchange, c->answer.status, fields, (int64_t)length, NULL, NULL);
}

/* Sends a part of the body and cuts the connection. */
static void
sandbox_call_truncated(struct sandbox_call *c)
{
	sandbox_call_begin(c, c->answer.body.len);
	http_answer_write(c->exchange, c->answer.body.data, c->answer.body.len / 2);
	http_answer_abort(c->exchange);
}

/* Ends an answer whose announced bytes never came. */
static void
sandbox_call_give_up(struct sandbox_call *c)
{
	http_answer_abort(c->exchange);
}

/* Announces another length than the body has. */
static void
sandbox_call_wrong_length(struct sandbox_call *c)
{
	const struct buf *body = &c->answer.body;
	size_t lie = 1 + (c->plan.detail >> 1) % 16;
	struct buf raw;

	if (c->plan.detail & 1) {
		sandbox_call_begin(c, body->len + lie);
		http_answer_write(c->exchange, body->data, body->len);
		sandbox_call_later(c, c->plan.hold_ms, sandbox_call_give_up);
		return;
	}
	buf_init(&raw, 0);
	buf_addf(&raw,
	    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
	    c->answer.status, c->answer.status == 200 ? "OK" : "Error", c->answer.type,
	    body->len > lie ? body->len - lie : 0);
	buf_add(&raw, body->data, body->len);
	http_answer_raw(c->exchange, raw.data, raw.len, false);
	buf_free(&raw);
}

/* Answers 200 with something else than the JSON. */
static void
sandbox_call_garbage(struct sandbox_call *c)
{
	static const char page[] = "<!doctype html><title>Bluejay</title><p>Please wait…</p>\n";
	const struct buf *body = &c->answer.body;
	uint64_t noise[8];

	switch (c->plan.detail % 4) {
	case 0:
		sandbox_call_send(c, 200, "text/html", page, sizeof page - 1);
		break;
	case 1:
		for (size_t i = 0; i < sizeof noise / sizeof *noise; i++)
			noise[i] = ~(c->plan.detail * (2 * i + 1));
		memset(noise, 0xff, 1); /* in no case UTF-8 */
		sandbox_call_send(c, 200, "application/json", (const char *)noise, sizeof noise);
		break;
	case 2:
		sandbox_call_send(c, 200, "application/json", body->data, body->len / 2);
		break;
	default:
		sandbox_call_send(c, 200, "application/json", "", 0);
	}
}

/* Sends what is due by now of a slow body: timers that are late do not make it slower. */
static void
sandbox_call_drip_piece(struct sandbox_call *c)
{
	const struct buf *body = &c->answer.body;
	size_t piece = (body->len + SERVICE_DRIP_PIECES - 1) / SERVICE_DRIP_PIECES;
	int64_t ticks = (loop_now(c->service->loop) - c->dripped) / c->plan.tick_ms;

	piece *= (size_t)ticks + 1 - c->sent / piece;
	if (piece > body->len - c->sent)
		piece = body->len - c->sent;
	http_answer_write(c->exchange, body->data + c->sent, piece);
	c->sent += piece;
	if (c->sent < body->len)
		sandbox_call_later(c, c->plan.tick_ms, sandbox_call_drip_piece);
	else
		http_answer_end(c->exchange);
}

/* Sends the head, then the body in small pieces. */
static void
sandbox_call_drip(struct sandbox_call *c)
{
	sandbox_call_begin(c, c->answer.body.len);
	c->dripped = loop_now(c->service->loop);
	sandbox_call_drip_piece(c);
}

/* Sends the answer, or what the fault makes of it. */
static void
sandbox_call_reply(struct sandbox_call *c)
{
	switch (c->plan.fault) {
	case SANDBOX_FAULT_ERROR_AFTER:
		sandbox_call_error(c);
		break;
	case SANDBOX_FAULT_RESET_AFTER:
		http_answer_raw(c->exchange, "", 0, true);
		break;
	case SANDBOX_FAULT_TRUNCATED:
		sandbox_call_truncated(c);
		break;
	case SANDBOX_FAULT_WRONG_LENGTH:
		sandbox_call_wrong_length(c);
		break;
	case SANDBOX_FAULT_GARBAGE:
		sandbox_call_garbage(c);
		break;
	case SANDBOX_FAULT_DRIP:
		sandbox_call_drip(c);
		break;
	case SANDBOX_FAULT_SLOW_AFTER:
		sandbox_call_later(c, c->plan.hold_ms, sandbox_call_answer);
		break;
	default:
		sandbox_call_answer(c);
	}
}

/* Processes the request. */
static void
sandbox_call_process(struct sandbox_call *c)
{
	const struct http_request *head = http_exchange_request(c->exchange);
	struct sandbox_service *s = c->service;
	struct sandbox_request r = {
		.key = http_request_field(head, "x-api-key"),
		.authorization = http_request_field(head, "authorization"),
		.content_type = http_request_field(head, "content-type"),
		.query = head->query,
		.body = c->body,
		.len = c->len,
		.lag_ms = c->plan.lag_ms,
	};

	if (c->control) {
		sandbox_control_answer(s->state, &s->faults, &s->tally, s->api_key, &c->match, &r,
		    &c->answer);
	} else {
		s->tally.processed[c->route]++;
		sandbox_api_answer(s->state, s->api_key, &c->match, &r, &c->answer);
	}
}

/* Meets the faults that keep a request from being processed, else processes it. */
static void
sandbox_call_start(struct sandbox_call *c)
{
	switch (c->plan.fault) {
	case SANDBOX_FAULT_RATE_LIMIT:
		sandbox_call_rate_limit(c);
		return;
	case SANDBOX_FAULT_ERROR_BEFORE:
		sandbox_call_error(c);
		return;
	case SANDBOX_FAULT_RESET_BEFORE:
		http_answer_raw(c->exchange, "", 0, true);
		return;
	case SANDBOX_FAULT_STALE:
		http_answer_raw(c->exchange, "", 0, false);
		return;
	default:
		break;
	}
	if (c->route >= 0)
		sandbox_call_process(c);
	sandbox_call_reply(c);
}

/* The body is here. */
static void
sandbox_call_on_body(void *arg, struct http_exchange *x, const char *body, size_t len)
{
	struct sandbox_call *c = arg;

	c->body = body;
	c->len = len;
	if (c->plan.delay_ms > 0)
		sandbox_call_later(c, c->plan.delay_ms, sandbox_call_start);
	else
		sandbox_call_start(c);
}

/* The exchange is over. */
static void
sandbox_call_on_end(void *arg, enum http_end end)
{
	struct sandbox_call *c = arg;

	loop_timer_cancel(&c->timer);
	sandbox_answer_free(&c->answer);
	free(c);
}

/* Looks a request up, counts it and decides what it meets. */
static void
sandbox_call_plan(struct sandbox_call *c, const struct http_request *head)
{
	struct sandbox_service *s = c->service;

	if (strncmp(head->path, SANDBOX_CONTROL_PREFIX, strlen(SANDBOX_CONTROL_PREFIX)) == 0) {
		c->control = true;
		c->route = sandbox_control_find(head->method, head->path, &c->match, &c->answer);
		return;
	}
	c->route = sandbox_api_find(head->method, head->path, &c->match, &c->answer);
	if (c->route >= 0)
		s->tally.received[c->route]++;
	else
		s->tally.unknown++;
	sandbox_faults_next(&s->faults, head->method, head->serial > 1, &c->plan);
	s->tally.faults[c->plan.fault]++;
	if (c->plan.fault != SANDBOX_FAULT_NONE)
		log_debug(s->log, "sandbox fault",
		    LOG_S("fault", sandbox_fault_name(c->plan.fault)),
		    LOG_S("method", head->method), LOG_S("id", head->id));
}

/* A request's head is here. */
static void
sandbox_service_on_request(void *arg, struct http_exchange *x)
{
	struct sandbox_call *c = mem_zero(1, sizeof *c);

	c->service = arg;
	c->exchange = x;
	sandbox_answer_init(&c->answer);
	loop_timer_init(&c->timer, c->service->loop, sandbox_call_on_timer, c);
	sandbox_call_plan(c, http_exchange_request(x));
	http_exchange_on_end(x, sandbox_call_on_end, c);
	http_exchange_collect(x,
	    sandbox_image_path(http_exchange_request(x)->path) ? SANDBOX_IMAGE_BODY_MAX : 0,
	    sandbox_call_on_body, c);
}

/* Makes the server and listens. */
static int
sandbox_service_listen(struct sandbox_service *s, const char *address, struct fail *fail)
{
	static const char *const no_hosts[] = {NULL};
	struct http_server_config cfg = {
		.limits = sandbox_service_limits,
		.allowed_hosts = no_hosts,
		.service = sandbox_service_on_request,
		.arg = s,
		.log = s->log,
	};

	s->server = http_server_new(s->loop, &cfg);
	return http_server_listen(s->server, address, fail);
}

/* Makes the service. */
struct sandbox_service *
sandbox_service_new(struct loop *l, const struct sandbox_options *o, struct fail *fail)
{
	struct sandbox_service *s = mem_zero(1, sizeof *s);

	s->loop = l;
	s->log = o->log;
	s->api_key = mem_string(o->api_key != NULL ? o->api_key : "sandbox");
	if (!sandbox_faults_choose(&s->faults, o->faults, o->seed)) {
		fail_set(fail, "there is no fault profile \"%s\"", o->faults);
		goto refused;
	}
	s->state = sandbox_state_open(l, o->journal, o->log, fail);
	if (s->state == NULL)
		goto refused;
	if (sandbox_service_listen(s, o->listen != NULL ? o->listen : "127.0.0.1:0", fail) != 0)
		goto refused;
	return s;
refused:
	sandbox_service_free(s);
	return NULL;
}

/* Frees the service. */
void
sandbox_service_free(struct sandbox_service *s)
{
	if (s == NULL)
		return;
	if (s->server != NULL)
		http_server_free(s->server);
	sandbox_state_free(s->state);
	mem_wipe_free(s->api_key);
	free(s);
}

/* Where it listens. */
const char *
sandbox_service_url(const struct sandbox_service *s)
{
	return http_server_url(s->server, 0);
}

/* What it keeps. */
struct sandbox_state *
sandbox_service_state(struct sandbox_service *s)
{
	return s->state;
}

/* Its faults. */
struct sandbox_faults *
sandbox_service_faults(struct sandbox_service *s)
{
	return &s->faults;
}

/* What it has counted. */
const struct sandbox_tally *
sandbox_service_tally(const struct sandbox_service *s)
{
	return &s->tally;
}
