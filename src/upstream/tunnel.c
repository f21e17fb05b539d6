#include "config.h"

#include "upstream/tunnel.h"
#include "base/buf.h"
#include "base/mem.h"
#include "upstream/answer_reader.h"
#include "upstream/curl_loop.h"
#include "upstream/url.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TUNNEL_OUT_MAX ((size_t)2 << 20) /* bytes that may wait: a request's head and the mark */
#define TUNNEL_READ 16384                /* bytes taken at a time */
#define TUNNEL_ROUNDS 8                  /* reads before others have their turn */

enum tunnel_state {
	TUNNEL_STARTING, /* begins when the loop turns */
	TUNNEL_CONNECTING,
	TUNNEL_REFUSED,  /* could not be opened; to be told when the loop turns */
	TUNNEL_OPEN
};

struct tunnel {
	struct curl_loop_job job; /* first: the job is the tunnel */
	struct loop *loop;
	/* A loop of its own: on a shared one libcurl takes a connection that is only
	 * connected for an idle one, and closes it when bytes arrive. */
	struct curl_loop *curl;
	const struct tunnel_events *events;
	void *arg;
	char *url;
	int64_t idle_ms, active; /* loop_now() of the last byte, either way */
	struct loop_timer soon, idle;
	enum tunnel_state state;
	CURLcode code; /* why it could not be opened */
	curl_socket_t fd;
	struct event read_ev, write_ev;
	bool reading, writing; /* what is registered */
	/* Bytes on their way out. TLS wants a write that was refused again as it was, so
	 * new bytes wait apart. */
	struct buf sending, waiting;
	size_t sent;    /* of `sending` */
	bool full;      /* the kernel took less than there was */
	bool wanted;    /* `room` is owed when all is sent */
	bool ended, shut; /* our side: to be ended, is ended */
	bool headed, paused, eof;
	struct answer_reader reader;
	char why[CURL_ERROR_SIZE];
};

/* ---- the end ---- */

/* Closes. */
void
tunnel_close(struct tunnel *t)
{
	if (t == NULL)
		return;
	if (t->reading)
		event_del(&t->read_ev);
	if (t->writing)
		event_del(&t->write_ev);
	loop_timer_cancel(&t->soon);
	loop_timer_cancel(&t->idle);
	if (t->curl != NULL) {
		curl_loop_cancel(t->curl, &t->job);
		curl_loop_give(t->curl, &t->job, false);
		curl_loop_free(t->curl);
	}
	answer_reader_free(&t->reader);
	buf_free(&t->sending);
	buf_free(&t->waiting);
	free(t->url);
	free(t);
}

/* Tells that it has failed, and closes. */
static void
tunnel_fail(struct tunnel *t, enum relay_end end, const char *why)
{
	t->events->end(t->arg, end, why);
	tunnel_close(t);
}

/* Nothing has moved for too long. */
static void
tunnel_on_idle(void *arg)
{
	struct tunnel *t = arg;
	int64_t left = t->active + t->idle_ms - loop_now(t->loop);

	if (left > 0)
		loop_timer_set(&t->idle, left);
	else
		tunnel_fail(t, RELAY_TIMEOUT, "no byte came or went for too long");
}

/* ---- bytes ---- */

/* Takes the next bytes to be sent; false when there are none. */
static bool
tunnel_next(struct tunnel *t)
{
	struct buf empty = t->sending;

	if (t->sent < t->sending.len)
		return true;
	buf_clear(&empty);
	t->sending = t->waiting;
	t->waiting = empty;
	t->sent = 0;
	return t->sending.len > 0;
}

/* Offers what waits; false when the connection is broken. */
static bool
tunnel_flush(struct tunnel *t)
{
	CURLcode code = CURLE_OK;
	size_t sent;

	while (code == CURLE_OK && tunnel_next(t)) {
		sent = 0;
		code = curl_easy_send(t->job.easy, t->sending.data + t->sent,
		    t->sending.len - t->sent, &sent);
		if (code == CURLE_OK) {
			t->sent += sent;
			t->active = loop_now(t->loop);
		}
	}
	t->full = code == CURLE_AGAIN;
	if (code == CURLE_OK) { /* most tunnels are silent most of the time */
		buf_free(&t->sending);
		buf_free(&t->waiting);
		t->sent = 0;
	}
	if (t->ended && code == CURLE_OK && !t->shut) {
		shutdown(t->fd, SHUT_WR);
		t->shut = true;
	}
	return code == CURLE_OK || code == CURLE_AGAIN;
}

/* Tells the head. */
static void
tunnel_tell_head(struct tunnel *t)
{
	const struct answer_head *head = &t->reader.head;
	struct wire_field *fields = answer_reader_fields(&t->reader);
	struct tunnel_head h = {.status = head->status, .fields = fields, .chunked = head->chunked,
	    .length = head->has_length && !head->chunked ? head->length : -1};

	t->headed = true;
	t->events->head(t->arg, &h);
	free(fields);
	buf_free(&t->reader.text);
}

/* Takes bytes that have come; false when they are no answer. */
static bool
tunnel_take(struct tunnel *t, const char *bytes, size_t len)
{
	size_t used = 0;

	if (!t->headed) {
		switch (answer_reader_feed(&t->reader, bytes, len, &used)) {
		case ANSWER_READ_MORE:
			return true;
		case ANSWER_READ_BAD:
			return false;
		case ANSWER_READ_HEAD:
			break;
		}
		tunnel_tell_head(t);
	}
	if (len > used) /* a pause comes too late for what was read together with the head */
		t->events->data(t->arg, bytes + used, len - used);
	return true;
}

/* The other side has ended its own; false when that is too early. */
static bool
tunnel_take_end(struct tunnel *t)
{
	t->eof = true;
	if (t->headed)
		t->events->data(t->arg, "", 0);
	return t->headed;
}

/* Reads what is there; false when the connection is broken. */
static bool
tunnel_read(struct tunnel *t)
{
	char bytes[TUNNEL_READ];
	CURLcode code;
	size_t n;

	for (int round = 0; round < TUNNEL_ROUNDS; round++) {
		if (t->paused || t->eof)
			return true;
		n = 0;
		code = curl_easy_recv(t->job.easy, bytes, sizeof bytes, &n);
		if (code == CURLE_AGAIN)
			return true;
		if (code != CURLE_OK)
			return false;
		t->active = loop_now(t->loop);
		if (n == 0)
			return tunnel_take_end(t);
		if (!tunnel_take(t, bytes, n))
			return false;
	}
	loop_timer_set(&t->soon, 0); /* TLS may keep more than the socket shows */
	return true;
}

/* Registers for what can happen next. */
static void
tunnel_register(struct tunnel *t)
{
	bool read = !t->paused && !t->eof;

	if (read && !t->reading)
		t->reading = event_add(&t->read_ev, NULL) == 0;
	else if (!read && t->reading)
		t->reading = event_del(&t->read_ev) != 0;
	if (t->full && !t->writing)
		t->writing = event_add(&t->write_ev, NULL) == 0;
	else if (!t->full && t->writing)
		t->writing = event_del(&t->write_ev) != 0;
}

/* Does all that can be done now. */
static void
tunnel_pump(struct tunnel *t)
{
	if (!tunnel_flush(t) || !tunnel_read(t)) {
		tunnel_fail(t, RELAY_BROKEN,
		    t->reader.why != NULL ? t->reader.why : "the connection broke");
		return;
	}
	if (t->wanted && !t->full) {
		t->wanted = false;
		t->events->room(t->arg);
	}
	tunnel_register(t);
}

/* The socket is ready for something. */
static void
tunnel_on_event(evutil_socket_t fd, short what, void *arg)
{
	tunnel_pump(arg);
}

/* ---- the start ---- */

/* The connection stands, or does not. What follows is not done in here, inside of
 * libcurl's loop, which may end with the tunnel. */
static void
tunnel_on_done(struct curl_loop_job *job, CURLcode code)
{
	struct tunnel *t = (struct tunnel *)(void *)job;
	struct event_base *base = loop_base(t->loop);

	if (code == CURLE_OK)
		code = curl_easy_getinfo(job->easy, CURLINFO_ACTIVESOCKET, &t->fd);
	t->code = code;
	t->state = code == CURLE_OK ? TUNNEL_OPEN : TUNNEL_REFUSED;
	if (t->state == TUNNEL_OPEN) {
		event_assign(&t->read_ev, base, t->fd, EV_READ | EV_PERSIST, tunnel_on_event, t);
		event_assign(&t->write_ev, base, t->fd, EV_WRITE | EV_PERSIST, tunnel_on_event, t);
	}
	loop_timer_set(&t->soon, 0);
}

/* Begins to connect. */
static void
tunnel_connect(struct tunnel *t)
{
	CURL *e = curl_loop_take(t->curl);

	t->state = TUNNEL_CONNECTING;
	t->job.easy = e;
	t->job.connect_only = true;
	t->job.done = tunnel_on_done;
	if (e == NULL || curl_easy_setopt(e, CURLOPT_URL, t->url) != CURLE_OK) {
		tunnel_fail(t, RELAY_NO_CONNECT, "libcurl refused the request");
		return;
	}
	curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->why);
	t->active = loop_now(t->loop);
	loop_timer_set(&t->idle, t->idle_ms);
	curl_loop_start(t->curl, &t->job);
}

/* The loop has turned. */
static void
tunnel_on_soon(void *arg)
{
	struct tunnel *t = arg;

	switch (t->state) {
	case TUNNEL_STARTING:
		tunnel_connect(t);
		return;
	case TUNNEL_CONNECTING:
		return;
	case TUNNEL_REFUSED:
		tunnel_fail(t, t->code == CURLE_OPERATION_TIMEDOUT ? RELAY_TIMEOUT : RELAY_NO_CONNECT,
		    t->why[0] != '\0' ? t->why : curl_easy_strerror(t->code));
		return;
	case TUNNEL_OPEN:
		break;
	}
	tunnel_pump(t);
}

/* Writes the request. */
static void
tunnel_request(struct tunnel *t, const char *method, const char *target,
    const struct wire_field *f)
{
	struct buf *b = &t->waiting;

	buf_addf(b, "%s %s HTTP/1.1\r\n", method, target);
	for (; f->name != NULL; f++) {
		buf_adds(b, f->name);
		buf_adds(b, ": ");
		buf_adds(b, f->value);
		buf_adds(b, "\r\n");
	}
	buf_adds(b, "Connection: Upgrade\r\n\r\n");
}

/* Opens a tunnel. */
struct tunnel *
tunnel_open(struct loop *loop, const struct relay_config *cfg, const char *method,
    const char *target, const struct wire_field *fields, const struct tunnel_events *events,
    void *arg)
{
	struct curl_loop_config below = {.proxy = cfg->proxy, .ca_file = cfg->ca_file,
	    .connect_ms = cfg->connect_ms, .max_idle = cfg->keep_s};
	struct tunnel *t = mem_zero(1, sizeof *t);

	t->loop = loop;
	t->events = events;
	t->arg = arg;
	t->idle_ms = cfg->idle_ms;
	t->url = mem_format("%.*s/", (int)url_origin(cfg->url), cfg->url);
	buf_init(&t->sending, TUNNEL_OUT_MAX);
	buf_init(&t->waiting, TUNNEL_OUT_MAX);
	t->sending.secret = t->waiting.secret = true; /* the caller's credentials go through them */
	answer_reader_init(&t->reader);
	t->reader.upgrade = true;
	loop_timer_init(&t->soon, loop, tunnel_on_soon, t);
	loop_timer_init(&t->idle, loop, tunnel_on_idle, t);
	tunnel_request(t, method, target, fields);
	t->curl = curl_loop_new(loop, &below, NULL);
	if (t->curl == NULL) {
		t->state = TUNNEL_REFUSED;
		t->code = CURLE_OUT_OF_MEMORY;
	}
	loop_timer_set(&t->soon, 0);
	return t;
}

/* Has what was done take effect. */
static void
tunnel_wake(struct tunnel *t)
{
	if (!t->soon.armed)
		loop_timer_set(&t->soon, 0);
}

/* Writes bytes. */
size_t
tunnel_write(struct tunnel *t, const char *bytes, size_t len)
{
	if (!buf_add(&t->waiting, bytes, len))
		abort(); /* the mark was not minded */
	t->wanted = true;
	tunnel_wake(t);
	return t->waiting.len + t->sending.len - t->sent;
}

/* Ends our side. */
void
tunnel_write_end(struct tunnel *t)
{
	t->ended = true;
	tunnel_wake(t);
}

/* Holds the other side back. */
void
tunnel_pause(struct tunnel *t)
{
	t->paused = true;
}

/* Lets it go on. */
void
tunnel_resume(struct tunnel *t)
{
	t->paused = false;
	tunnel_wake(t);
}
