#include "config.h"

#include "upstream/curl_way.h"
#include "base/buf.h"
#include "base/mem.h"
#include "upstream/answer_head.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURL_WAY_RESERVE_MAX (1 << 20) /* bytes of memory taken on the word of a Content-Length */
#define CURL_WAY_OWN_LINES 2          /* that keep libcurl from adding fields of its own */

struct curl_way {
	struct way base; /* first: the way is this */
	struct loop *loop;
	struct curl_loop *curl;
};

struct curl_try {
	struct try base; /* first: the try is this */
	struct curl_loop_job job;
	struct curl_loop *owner;
	try_done_fn done;
	void *arg;
	struct loop_timer first_byte;
	int64_t first_byte_ms;
	char *method, *target, *url; /* url: where it is not known by its site alone */
	struct curl_slist *lines;    /* one block with their text, which may hold a key */
	size_t lines_size;
	const char *body;
	size_t body_len, body_read;
	bool sent;  /* libcurl was about to send the request */
	bool twice; /* and once more */
	bool late;  /* no answer began in time */
	struct answer_head head;
	struct buf answer;
	bool too_large;
	char why[CURL_ERROR_SIZE];
	struct try_result result;
};

/* ---- the request, as libcurl asks for it ---- */

/* The connection is ready and the request is about to leave. From here on no
 * other connection may carry it: libcurl would send it again on finding a
 * kept-alive one dead, on a new one (sealed) or on another kept one (twice). */
static int
curl_way_on_send(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct curl_try *t = arg;

	if (t->sent) {
		t->twice = true;
		return CURL_PREREQFUNC_ABORT;
	}
	t->sent = t->job.sealed = true;
	loop_timer_set(&t->first_byte, t->first_byte_ms);
	return CURL_PREREQFUNC_OK;
}

/* Gives libcurl the next piece of the body. */
static size_t
curl_way_on_read(char *to, size_t size, size_t n, void *arg)
{
	struct curl_try *t = arg;
	size_t left = t->body_len - t->body_read;

	if (left > size * n)
		left = size * n;
	if (left > 0)
		memcpy(to, t->body + t->body_read, left);
	t->body_read += left;
	return left;
}

/* libcurl rewinds a body only to send it a second time: refused. */
static int
curl_way_on_seek(void *arg, curl_off_t offset, int origin)
{
	return CURL_SEEKFUNC_FAIL;
}

/* ---- the answer ---- */

/* A line of the answer's head, or of its trailers. Returning another number
 * than n ends the exchange. */
static size_t
curl_way_on_header(char *line, size_t size, size_t n, void *arg)
{
	struct curl_try *t = arg;
	struct answer_field f;

	loop_timer_cancel(&t->first_byte);
	return answer_head_line(&t->head, line, n, &f) == ANSWER_LINE_BAD ? 0 : n;
}

/* A piece of the answer's body. */
static size_t
curl_way_on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct curl_try *t = arg;

	if (t->head.has_length && !t->head.chunked && t->head.length <= CURL_WAY_RESERVE_MAX)
		buf_reserve(&t->answer, (size_t)t->head.length - t->answer.len);
	if (!buf_add(&t->answer, bytes, size * n)) {
		t->too_large = true;
		return 0;
	}
	return size * n;
}

/* ---- the end ---- */

/* Whether more bytes came than the answer's length said. libcurl takes the
 * length's worth and closes the connection. A kept-alive answer to a request
 * that was sent whole has no other reason to close, so a close tells. What was
 * taken may be the front half of the real answer. */
static bool
curl_way_has_excess(const struct curl_try *t)
{
	curl_off_t uploaded = 0;

	curl_easy_getinfo(t->job.easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
	return t->job.closed && t->head.http11 && !t->head.closing && t->head.has_length && !t->head.chunked &&
	    t->answer.len == (size_t)t->head.length && (size_t)uploaded == t->body_len;
}

/* Whether the answer is in HTTP/1.x where HTTP/2 was asked for: where it ends is told in
 * another way, which is not watched there (curl_way_has_excess). */
static bool
curl_way_is_old(const struct curl_try *t)
{
	return curl_loop_is_http2(t->owner) && t->head.begun && !t->head.http2;
}

/* Why a complete answer cannot be trusted; NULL: it can. */
static const char *
curl_way_doubt(const struct curl_try *t, long status)
{
	if (!t->head.complete) /* libcurl takes the end of the connection for the end of the head */
		return "the answer's head is cut short";
	if (status < 200 || status > 599)
		return "the status is not one of HTTP";
	if (t->head.encoded)
		return "the answer is compressed, unasked";
	if (curl_way_is_old(t))
		return "the answer is not in HTTP/2";
	if (curl_way_has_excess(t))
		return "the answer is longer than its Content-Length";
	return NULL;
}

/* Judges an exchange that did not end well. */
static void
curl_way_judge_failure(struct curl_try *t, struct try_result *r, CURLcode code)
{
	long connects = 0;

	if (code == CURLE_FILESIZE_EXCEEDED || t->too_large) {
		r->outcome = UPSTREAM_TOO_LARGE;
	} else if (code == CURLE_OPERATION_TIMEDOUT) {
		r->outcome = UPSTREAM_TIMEOUT;
		r->whole_time = t->sent && !t->late;
	} else if (!t->sent) {
		r->outcome = UPSTREAM_NO_CONNECT;
		r->hopeless = curl_loop_is_hopeless(code);
	} else {
		r->outcome = UPSTREAM_BROKEN;
		curl_easy_getinfo(t->job.easy, CURLINFO_NUM_CONNECTS, &connects);
		r->stale = !t->head.begun && (t->twice || t->job.refused || connects == 0);
	}
	if (t->head.ambiguous)
		r->why = "the answer's length is ambiguous";
	if (r->why == NULL)
		r->why = t->why[0] != '\0' ? t->why : curl_easy_strerror(code);
}

/* Fills in the result. */
static void
curl_way_judge(struct curl_try *t, CURLcode code)
{
	struct try_result *r = &t->result;
	long status = 0, request_size = 0;

	curl_easy_getinfo(t->job.easy, CURLINFO_REQUEST_SIZE, &request_size);
	r->connected = t->sent;
	r->heard = t->head.begun;
	/* What libcurl never began to send, or never got into the socket. */
	r->nothing_sent = !t->sent || (request_size == 0 && t->body_read == 0 && !t->head.begun);
	r->body = "";
	r->old_version = curl_way_is_old(t);
	if (code == CURLE_OK) {
		curl_easy_getinfo(t->job.easy, CURLINFO_RESPONSE_CODE, &status);
		r->why = curl_way_doubt(t, status);
	}
	if (code != CURLE_OK || r->why != NULL) {
		curl_way_judge_failure(t, r, code);
		return;
	}
	r->outcome = UPSTREAM_ANSWER;
	r->status = (int)status;
	r->retry_after = t->head.has_retry_after ? t->head.retry_after : NULL;
	if (t->answer.data != NULL)
		r->body = t->answer.data;
	r->body_len = t->answer.len;
}

/* Gives the easy handle back, without pointers into this try. */
static void
curl_way_release(struct curl_try *t, bool clean)
{
	CURL *e = t->job.easy;

	if (e == NULL)
		return;
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(e, CURLOPT_CURLU, NULL);
	curl_easy_setopt(e, CURLOPT_REQUEST_TARGET, NULL);
	curl_loop_give(t->owner, &t->job, clean);
}

/* The exchange has ended, one way or the other. */
static void
curl_way_end(struct curl_try *t, CURLcode code)
{
	loop_timer_cancel(&t->first_byte);
	curl_way_judge(t, code);
	curl_way_release(t, code == CURLE_OK);
	t->done(t->arg, &t->result);
}

/* libcurl has ended it. */
static void
curl_way_on_done(struct curl_loop_job *job, CURLcode code)
{
	curl_way_end((struct curl_try *)(void *)((char *)job - offsetof(struct curl_try, job)), code);
}

/* No answer has begun in time; libcurl has no such limit. */
static void
curl_way_on_late(void *arg)
{
	struct curl_try *t = arg;

	curl_loop_cancel(t->owner, &t->job);
	t->late = true;
	snprintf(t->why, sizeof t->why, "no answer began within %lld ms",
	    (long long)t->first_byte_ms);
	curl_way_end(t, CURLE_OPERATION_TIMEDOUT);
	/* t may be gone */
}

/* ---- the start ---- */

/* Sets what all tries have in common. */
static void
curl_way_prepare(CURL *e)
{
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, curl_way_on_send);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, curl_way_on_read);
	curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, curl_way_on_seek);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, curl_way_on_header);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, curl_way_on_body);
}

/* Writes the field lines in libcurl's form, where "Name;" is a field without a value and
 * "Name:" is no field, not even libcurl's own; those are for requests with a body. */
static void
curl_way_write_lines(struct curl_try *t, const struct try_request *q)
{
	static const char *const own[CURL_WAY_OWN_LINES] = {"Expect:", "Content-Type:"};
	const char *from = q->text + q->fields, *end = from + q->fields_len, *line;
	size_t count = CURL_WAY_OWN_LINES, n = 0, len;
	char *to;

	for (line = from; line < end; line = strstr(line, "\r\n") + 2)
		count++;
	t->lines_size = count * sizeof *t->lines + q->fields_len + sizeof "Content-Type:" * CURL_WAY_OWN_LINES;
	t->lines = mem_zero(1, t->lines_size);
	to = (char *)(t->lines + count);
	for (line = from; line < end; line += len + 2) {
		len = (size_t)(strstr(line, "\r\n") - line);
		t->lines[n++].data = to;
		memcpy(to, line, len);
		if (to[len - 1] == ':')
			to[len - 1] = ';';
		to += len + 1;
	}
	for (size_t i = 0; q->has_body && i < (t->body == NULL ? 2 : 1); i++) {
		t->lines[n++].data = to;
		to = stpcpy(to, own[i]) + 1;
	}
	for (size_t i = 0; i + 1 < n; i++)
		t->lines[i].next = &t->lines[i + 1];
}

/* Takes method and target out of the request line. */
static void
curl_way_read_line(struct curl_try *t, const struct try_request *q)
{
	const char *target = strchr(q->text, ' ') + 1;

	t->method = mem_copy(q->text, (size_t)(target - 1 - q->text));
	t->target = mem_copy(target, strcspn(target, " "));
}

/* Sets the method and where the body comes from. */
static void
curl_way_set_method(struct curl_try *t, const struct try_request *q)
{
	CURL *e = t->job.easy;

	if (q->has_body) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		/* From memory head and body leave in one piece; without a pointer
		 * libcurl asks curl_way_on_read(), and cannot rewind. */
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->once ? NULL : t->body);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len);
	} else {
		curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, t->method);
}

/* Sets where the request goes. */
static CURLcode
curl_way_set_url(struct curl_try *t, const char *origin)
{
	CURL *e = t->job.easy;
	CURLU *site = curl_loop_site(t->owner, origin, strlen(origin));

	if (site == NULL) {
		t->url = mem_join(origin, t->target);
		return curl_easy_setopt(e, CURLOPT_URL, t->url);
	}
	curl_easy_setopt(e, CURLOPT_CURLU, site);
	return curl_easy_setopt(e, CURLOPT_REQUEST_TARGET, t->target);
}

/* Sets what differs from request to request. */
static CURLcode
curl_way_set(struct curl_try *t, const struct try_request *q)
{
	CURL *e = t->job.easy;

	curl_way_read_line(t, q);
	curl_way_write_lines(t, q);
	curl_way_set_method(t, q);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->lines[0].data != NULL ? t->lines : NULL);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->why);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
	curl_easy_setopt(e, CURLOPT_READDATA, t);
	curl_easy_setopt(e, CURLOPT_SEEKDATA, t);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)q->total_ms);
	curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)q->max_answer);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, q->fresh ? 1L : 0L);
	return curl_way_set_url(t, q->site->origin);
}

/* Cancels if need be, and frees. */
static void
curl_way_cancel(struct try *base)
{
	struct curl_try *t = (struct curl_try *)(void *)base;

	loop_timer_cancel(&t->first_byte);
	curl_loop_cancel(t->owner, &t->job);
	curl_way_release(t, false);
	mem_wipe_free_bytes(t->lines, t->lines_size);
	buf_free(&t->answer);
	free(t->method);
	free(t->target);
	free(t->url);
	free(t);
}

/* Starts one exchange. */
static struct try *
curl_way_start(struct way *base, const struct try_request *q, try_done_fn done, void *arg)
{
	struct curl_way *w = (struct curl_way *)(void *)base;
	struct curl_try *t = mem_zero(1, sizeof *t);

	t->base.kind = base->kind;
	t->owner = w->curl;
	t->done = done;
	t->arg = arg;
	t->body = q->has_body && q->len > q->body ? q->text + q->body : NULL;
	t->body_len = q->len - q->body;
	t->first_byte_ms = q->first_byte_ms;
	buf_init(&t->answer, q->max_answer);
	loop_timer_init(&t->first_byte, w->loop, curl_way_on_late, t);
	t->job.done = curl_way_on_done;
	t->job.easy = curl_loop_take(w->curl);
	if (t->job.easy == NULL || curl_way_set(t, q) != CURLE_OK) {
		curl_way_cancel(&t->base);
		return NULL;
	}
	curl_loop_start(w->curl, &t->job);
	return &t->base;
}

/* ---- the way ---- */

/* Lets go of the handles that keep requests. */
static void
curl_way_renew(struct way *base)
{
	curl_loop_renew(((struct curl_way *)(void *)base)->curl);
}

/* Whether no try runs on it. */
static bool
curl_way_is_idle(const struct way *base)
{
	return curl_loop_is_idle(((const struct curl_way *)(const void *)base)->curl);
}

/* Closes it. */
static void
curl_way_free(struct way *base)
{
	struct curl_way *w = (struct curl_way *)(void *)base;

	curl_loop_free(w->curl);
	free(w);
}

/* Makes a way. */
struct way *
curl_way_new(struct loop *loop, const struct curl_loop_config *config, struct fail *f)
{
	static const struct way_kind kind = {.start = curl_way_start, .cancel = curl_way_cancel,
	    .renew = curl_way_renew, .is_idle = curl_way_is_idle, .free = curl_way_free};
	struct curl_loop_config below = *config;
	struct curl_way *w;
	struct curl_loop *curl;

	below.prepare = curl_way_prepare;
	curl = curl_loop_new(loop, &below, f);
	if (curl == NULL)
		return NULL;
	w = mem_zero(1, sizeof *w);
	w->base.kind = &kind;
	w->loop = loop;
	w->curl = curl;
	return &w->base;
}
