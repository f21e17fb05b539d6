#include "config.h"

#include "upstream/relay.h"
#include "base/buf.h"
#include "base/mem.h"
#include "upstream/answer_reader.h"
#include "upstream/curl_loop.h"
#include "upstream/url.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#define RELAY_BODY_MAX ((size_t)1 << 20) /* bytes of a request's body that may wait */
#define RELAY_OWN_LINES 2                /* that keep libcurl from adding fields of its own */

enum relay_state {
	RELAY_STARTING, /* begins when the loop turns */
	RELAY_RUNNING,
	RELAY_OVER
};

struct relay_call {
	struct curl_loop_job job; /* first: the job is the call */
	struct relay *owner;
	enum relay_state state;
	const struct relay_events *events;
	void *arg;
	char *method, *target;
	struct curl_slist *lines; /* one block with their text, which may hold a key */
	size_t lines_size;
	bool has_body, fresh;
	int64_t length;
	struct loop_timer soon; /* does what cannot be done inside of others' calls */
	struct loop_timer idle;
	int64_t active; /* loop_now() of the last byte, either way */
	bool sent;      /* libcurl was about to send the request */
	bool twice;     /* and once more */
	/* the request's body */
	struct buf body;
	size_t body_taken; /* of what is in `body` */
	bool body_ended, body_held; /* held: libcurl waits for more */
	/* the answer */
	struct answer_reader reader;
	bool paused, held;   /* held: libcurl keeps a piece until it is resumed */
	char why[CURL_ERROR_SIZE];
	TAILQ_ENTRY(relay_call) link;
};

struct relay {
	struct loop *loop;
	struct curl_loop *curl;
	char *url;        /* with a slash at its end */
	char *before;     /* what a proxy wants in front of the target; NULL: nothing */
	int64_t idle_ms;
	TAILQ_HEAD(, relay_call) calls;
};

/* A byte went one way or the other. */
static void
relay_touch(struct relay_call *c)
{
	c->active = loop_now(c->owner->loop);
}

/* Has relay_on_soon() look at the call. */
static void
relay_wake(struct relay_call *c)
{
	if (!c->soon.armed && c->state != RELAY_OVER)
		loop_timer_set(&c->soon, 0);
}

/* ---- the request, as libcurl asks for it ---- */

/* The connection is ready and the request is about to leave: once only, and on
 * no other connection (see curl_way.c). */
static int
relay_on_send(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct relay_call *c = arg;

	if (c->sent) {
		c->twice = true;
		return CURL_PREREQFUNC_ABORT;
	}
	c->sent = c->job.sealed = true;
	relay_touch(c);
	return CURL_PREREQFUNC_OK;
}

/* Gives libcurl the next piece of the body. */
static size_t
relay_on_read(char *to, size_t size, size_t n, void *arg)
{
	struct relay_call *c = arg;
	size_t left = c->body.len - c->body_taken;

	if (left == 0 && !c->body_ended) {
		c->body_held = true;
		return CURL_READFUNC_PAUSE;
	}
	if (left > size * n)
		left = size * n;
	if (left == 0)
		return 0;
	memcpy(to, c->body.data + c->body_taken, left);
	c->body_taken += left;
	relay_touch(c);
	if (c->body_taken == c->body.len) {
		buf_clear(&c->body);
		c->body_taken = 0;
		if (!c->body_ended)
			c->events->room(c->arg);
	}
	return left;
}

/* libcurl rewinds a body only to send it a second time: refused. */
static int
relay_on_seek(void *arg, curl_off_t offset, int origin)
{
	return CURL_SEEKFUNC_FAIL;
}

/* ---- the answer ---- */

/* Tells the final head. */
static void
relay_tell_head(struct relay_call *c)
{
	const struct answer_head *head = &c->reader.head;
	struct wire_field *fields = answer_reader_fields(&c->reader);
	struct relay_head h = {.status = head->status, .fields = fields, .length = -1};

	if (head->has_length && !head->chunked)
		h.length = head->length;
	c->events->head(c->arg, &h);
	free(fields);
	buf_free(&c->reader.text);
	if (c->body_held)
		relay_wake(c); /* libcurl may want no more of the body, but must be asked */
}

/* A line of the answer's head, or of its trailers. Returning another number
 * than n ends the exchange. */
static size_t
relay_on_header(char *line, size_t size, size_t n, void *arg)
{
	struct relay_call *c = arg;

	relay_touch(c);
	switch (answer_reader_line(&c->reader, line, n)) {
	case ANSWER_READ_HEAD:
		relay_tell_head(c);
		return n;
	case ANSWER_READ_MORE:
		return n;
	case ANSWER_READ_BAD:
		break;
	}
	return 0;
}

/* A piece of the answer's body. */
static size_t
relay_on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct relay_call *c = arg;

	if (!c->reader.head.complete)
		return 0;
	if (c->paused) {
		c->held = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	relay_touch(c);
	c->events->data(c->arg, bytes, size * n);
	return size * n;
}

/* ---- the end ---- */

/* Gives the easy handle back, without pointers into this call. */
static void
relay_release(struct relay_call *c, bool clean)
{
	CURL *e = c->job.easy;

	if (e == NULL)
		return;
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(e, CURLOPT_REQUEST_TARGET, NULL);
	curl_loop_give(c->owner->curl, &c->job, clean);
}

/* Frees a call that is not being run by libcurl. */
static void
relay_call_free(struct relay_call *c)
{
	TAILQ_REMOVE(&c->owner->calls, c, link);
	loop_timer_cancel(&c->soon);
	loop_timer_cancel(&c->idle);
	relay_release(c, false);
	mem_wipe_free_bytes(c->lines, c->lines_size);
	free(c->method);
	free(c->target);
	buf_free(&c->body);
	answer_reader_free(&c->reader);
	free(c);
}

/* Tells the end and frees. */
static void
relay_finish(struct relay_call *c, enum relay_end end, const char *why)
{
	c->state = RELAY_OVER;
	c->events->end(c->arg, end, why);
	relay_call_free(c);
}

/* Cancels. */
void
relay_cancel(struct relay_call *c)
{
	curl_loop_cancel(c->owner->curl, &c->job);
	relay_call_free(c);
}

/* Nothing has moved for too long. */
static void
relay_on_idle(void *arg)
{
	struct relay_call *c = arg;
	int64_t left = c->active + c->owner->idle_ms - loop_now(c->owner->loop);

	if (left > 0) {
		loop_timer_set(&c->idle, left);
		return;
	}
	curl_loop_cancel(c->owner->curl, &c->job);
	relay_finish(c, RELAY_TIMEOUT, "no byte came or went for too long");
}

/* Whether a kept-alive connection was found dead before any answer. */
static bool
relay_was_stale(const struct relay_call *c)
{
	long connects = 0;

	curl_easy_getinfo(c->job.easy, CURLINFO_NUM_CONNECTS, &connects);
	return c->sent && !c->reader.head.begun && (c->twice || c->job.refused || connects == 0);
}

/* Whether a request may go once more. */
static bool
relay_may_repeat(const struct relay_call *c)
{
	return !c->fresh && !c->has_body &&
	    (strcmp(c->method, "GET") == 0 || strcmp(c->method, "HEAD") == 0) && relay_was_stale(c);
}

/* What an exchange that libcurl has ended came to. */
static enum relay_end
relay_judge(struct relay_call *c, CURLcode code, const char **why)
{
	*why = c->reader.why;
	if (code == CURLE_OK && c->reader.head.complete)
		return RELAY_WHOLE;
	if (code == CURLE_OK && *why == NULL)
		*why = "the answer's head is cut short";
	if (*why == NULL)
		*why = c->why[0] != '\0' ? c->why : curl_easy_strerror(code);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return RELAY_TIMEOUT;
	return c->sent ? RELAY_BROKEN : RELAY_NO_CONNECT;
}

/* libcurl has ended it. */
static void
relay_on_done(struct curl_loop_job *job, CURLcode code)
{
	struct relay_call *c = (struct relay_call *)(void *)job;
	enum relay_end end;
	const char *why;

	if (code != CURLE_OK && relay_may_repeat(c)) {
		c->fresh = true;
		c->sent = c->twice = false;
		relay_release(c, false);
		c->state = RELAY_STARTING;
		relay_wake(c);
		return;
	}
	end = relay_judge(c, code, &why);
	relay_release(c, end == RELAY_WHOLE);
	relay_finish(c, end, why);
}

/* ---- the start ---- */

/* Sets what all calls have in common. */
static void
relay_prepare(CURL *e)
{
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, relay_on_send);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, relay_on_read);
	curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, relay_on_seek);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, relay_on_header);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, relay_on_body);
	curl_easy_setopt(e, CURLOPT_HTTP_CONTENT_DECODING, 0L);
}

/* Sets the method and whether there is a body. */
static void
relay_set_method(struct relay_call *c)
{
	CURL *e = c->job.easy;
	bool head = strcmp(c->method, "HEAD") == 0;

	curl_easy_setopt(e, CURLOPT_HTTPGET, 1L); /* forgets what was set for another request */
	if (head)
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	if (c->has_body && !head) {
		curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->length);
	}
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, head ? NULL : c->method);
}

/* Sets what differs from call to call. */
static CURLcode
relay_set(struct relay_call *c)
{
	CURL *e = c->job.easy;

	relay_set_method(c);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->lines);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->why);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, c);
	curl_easy_setopt(e, CURLOPT_READDATA, c);
	curl_easy_setopt(e, CURLOPT_SEEKDATA, c);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, c->fresh ? 1L : 0L);
	curl_easy_setopt(e, CURLOPT_REQUEST_TARGET, c->target);
	return curl_easy_setopt(e, CURLOPT_URL, c->owner->url);
}

/* Hands the call to libcurl. */
static void
relay_begin(struct relay_call *c)
{
	c->state = RELAY_RUNNING;
	c->why[0] = '\0';
	c->job.done = relay_on_done;
	c->job.easy = curl_loop_take(c->owner->curl);
	if (c->job.easy == NULL || relay_set(c) != CURLE_OK) {
		relay_finish(c, RELAY_NO_CONNECT, "libcurl refused the request");
		return;
	}
	relay_touch(c);
	loop_timer_set(&c->idle, c->owner->idle_ms);
	curl_loop_start(c->owner->curl, &c->job);
}

/* Lets go on what was held and may go on. */
static void
relay_unpause(struct relay_call *c)
{
	int paused = c->held && c->paused ? CURLPAUSE_RECV : 0;

	if (!c->held && !c->body_held)
		return;
	c->body_held = false;
	c->held = paused != 0;
	if (curl_loop_unpause(c->owner->curl, &c->job, paused) != CURLE_OK) {
		curl_loop_cancel(c->owner->curl, &c->job);
		relay_finish(c, RELAY_BROKEN,
		    c->reader.why != NULL ? c->reader.why : "libcurl could not go on");
	}
}

/* The loop has turned. */
static void
relay_on_soon(void *arg)
{
	struct relay_call *c = arg;

	if (c->state == RELAY_STARTING)
		relay_begin(c);
	else if (c->state == RELAY_RUNNING)
		relay_unpause(c);
}

/* Whether the caller's fields hold one. */
static bool
relay_has_field(const struct wire_field *f, const char *name)
{
	for (; f->name != NULL; f++)
		if (strcasecmp(f->name, name) == 0)
			return true;
	return false;
}

/* Writes the field lines in libcurl's form, where "Name;" is a field without a
 * value and "Name:" is no field, not even libcurl's own. */
static void
relay_write_lines(struct relay_call *c, const struct wire_field *fields)
{
	static const char *const own[RELAY_OWN_LINES] = {"Accept", "Expect"};
	size_t count = RELAY_OWN_LINES, size = 0, n = 0;
	const struct wire_field *f;
	char *p;

	for (f = fields; f->name != NULL; f++, count++)
		size += strlen(f->name) + strlen(f->value) + sizeof ": ";
	size += count * sizeof *c->lines + RELAY_OWN_LINES * sizeof "Accept:";
	c->lines = mem_zero(1, size);
	c->lines_size = size;
	p = (char *)(c->lines + count);
	for (f = fields; f->name != NULL; f++) {
		c->lines[n++].data = p;
		p = stpcpy(stpcpy(p, f->name), f->value[0] != '\0' ? ": " : ";");
		p = stpcpy(p, f->value) + 1;
	}
	for (size_t i = 0; i < RELAY_OWN_LINES; i++) {
		if (relay_has_field(fields, own[i]))
			continue;
		c->lines[n++].data = p;
		p = stpcpy(stpcpy(p, own[i]), ":") + 1;
	}
	for (size_t i = 0; i + 1 < n; i++)
		c->lines[i].next = &c->lines[i + 1];
}

/* Starts an exchange. */
struct relay_call *
relay_start(struct relay *r, const struct relay_request *q, const struct relay_events *events,
    void *arg)
{
	struct relay_call *c = mem_zero(1, sizeof *c);

	c->owner = r;
	c->events = events;
	c->arg = arg;
	c->method = mem_string(q->method);
	c->target = mem_format("%s%s", r->before != NULL ? r->before : "", q->target);
	c->has_body = q->has_body;
	c->length = q->length;
	c->fresh = q->fresh;
	relay_write_lines(c, q->fields);
	buf_init(&c->body, RELAY_BODY_MAX);
	answer_reader_init(&c->reader);
	loop_timer_init(&c->soon, r->loop, relay_on_soon, c);
	loop_timer_init(&c->idle, r->loop, relay_on_idle, c);
	TAILQ_INSERT_TAIL(&r->calls, c, link);
	relay_wake(c);
	return c;
}

/* Adds to the body. */
size_t
relay_write(struct relay_call *c, const char *bytes, size_t len)
{
	if (c->body_taken > 0) {
		buf_drain(&c->body, c->body_taken);
		c->body_taken = 0;
	}
	if (!buf_add(&c->body, bytes, len))
		abort(); /* the mark was not minded */
	if (c->body_held)
		relay_wake(c);
	return c->body.len;
}

/* Ends the body. */
void
relay_write_end(struct relay_call *c)
{
	c->body_ended = true;
	if (c->body_held)
		relay_wake(c);
}

/* Holds the answer back. */
void
relay_pause(struct relay_call *c)
{
	c->paused = true;
}

/* Lets it go on. */
void
relay_resume(struct relay_call *c)
{
	c->paused = false;
	if (c->held)
		relay_wake(c);
}

/* ---- the client ---- */

/* Makes a client. */
struct relay *
relay_new(struct loop *loop, const struct relay_config *cfg, struct fail *f)
{
	struct curl_loop_config below = {.proxy = cfg->proxy, .ca_file = cfg->ca_file,
	    .connect_ms = cfg->connect_ms, .max_idle = cfg->keep_s, .prepare = relay_prepare};
	struct curl_loop *curl;
	struct relay *r;
	int origin;

	if (url_check(cfg->url, f) < 0 || url_check_way(cfg->proxy, cfg->ca_file, f) < 0 ||
	    (curl = curl_loop_new(loop, &below, f)) == NULL)
		return NULL;
	r = mem_zero(1, sizeof *r);
	r->loop = loop;
	r->curl = curl;
	r->idle_ms = cfg->idle_ms;
	origin = (int)url_origin(cfg->url);
	r->url = mem_format("%.*s/", origin, cfg->url);
	if (cfg->proxy != NULL && strncasecmp(cfg->url, "http:", 5) == 0)
		r->before = mem_format("%.*s", origin, cfg->url);
	TAILQ_INIT(&r->calls);
	return r;
}

/* Keeps nothing. */
void
relay_renew(struct relay *r)
{
	curl_loop_renew(r->curl);
}

/* Cancels what runs and closes connections. */
void
relay_free(struct relay *r)
{
	if (r == NULL)
		return;
	while (!TAILQ_EMPTY(&r->calls))
		relay_cancel(TAILQ_FIRST(&r->calls));
	curl_loop_free(r->curl);
	free(r->url);
	free(r->before);
	free(r);
}
