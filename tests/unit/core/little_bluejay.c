#include "config.h"

#include "little_bluejay.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "base/uuid.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <arpa/inet.h>
#include <check.h>
#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define LITTLE_MAX 64 /* personas, fates, held requests */

enum little_method { LITTLE_GET, LITTLE_POST, LITTLE_PUT, LITTLE_DELETE, LITTLE_METHODS };
static const char *const little_methods[] = {"GET", "POST", "PUT", "DELETE"};

struct little_peer {
	struct little_bluejay *bluejay;
	int fd;
	struct event ev;
	struct buf in;
	TAILQ_ENTRY(little_peer) link;
};

/* A request that waits for its release. */
struct little_held {
	struct little_peer *peer; /* NULL: its client left */
	enum little_method method;
	char *path, *body;
	char *answer; /* DO_HOLD: it is done */
};

struct little_bluejay {
	struct loop *loop;
	int fd;
	char url[64];
	struct event ev;
	TAILQ_HEAD(, little_peer) peers;
	struct json_object *personas[LITTLE_MAX];
	unsigned count;
	char *old_list; /* it lags */
	enum little_fate fates[LITTLE_METHODS][LITTLE_MAX];
	unsigned fate_count[LITTLE_METHODS];
	struct little_held held[LITTLE_MAX];
	unsigned held_count;
	unsigned asked[LITTLE_METHODS];
};

/* The place of a persona, or count. */
static unsigned
little_find(const struct little_bluejay *b, const char *id)
{
	unsigned i = 0;

	while (i < b->count && strcmp(json_get_string(b->personas[i], "id"), id) != 0)
		i++;
	return i;
}

/* Adds one that has these members. */
static struct json_object *
little_add(struct little_bluejay *b, struct json_object *sent)
{
	char id[UUID_SIZE], when[TIMESTAMP_SIZE];

	ck_assert_uint_lt(b->count, LITTLE_MAX);
	uuid_make(id);
	timestamp_format(loop_wall(b->loop), when);
	json_object_object_add(sent, "id", json_object_new_string(id));
	json_object_object_add(sent, "created_at", json_object_new_string(when));
	b->personas[b->count++] = sent;
	return sent;
}

/* Everything, as a listing. */
static char *
little_list(const struct little_bluejay *b)
{
	struct buf all;
	size_t len;

	buf_init(&all, 1 << 20);
	buf_addc(&all, '[');
	for (unsigned i = 0; i < b->count; i++)
		buf_addf(&all, "%s%s", i > 0 ? "," : "", json_object_to_json_string(b->personas[i]));
	buf_addc(&all, ']');
	return buf_take(&all, &len);
}

/* An answer's text. */
static char *
little_text(int status, const char *body)
{
	return mem_format("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    status, strlen(body), body);
}

/* Changes members. */
static void
little_merge(struct json_object *persona, const char *body)
{
	struct json_object *sent = NULL;

	ck_assert(json_read(body, strlen(body), &sent, NULL));
	json_object_object_foreach(sent, key, value)
		json_object_object_add(persona, key, json_object_get(value));
	json_object_put(sent);
}

/* Does what was asked; the answer. */
static char *
little_do(struct little_bluejay *b, enum little_method m, const char *path, const char *body)
{
	struct json_object *sent = NULL;
	const char *id = strrchr(path, '/') + 1;
	unsigned at = little_find(b, id);
	char *list, *text;

	if (m == LITTLE_POST) {
		ck_assert(json_read(body, strlen(body), &sent, NULL));
		return little_text(200, json_object_to_json_string(little_add(b, sent)));
	}
	if (m == LITTLE_GET && strstr(path, "by-agent") != NULL) {
		list = b->old_list != NULL ? mem_string(b->old_list) : little_list(b);
		text = little_text(200, list);
		free(list);
		return text;
	}
	if (at == b->count)
		return little_text(404, "{\"detail\":\"none\"}");
	if (m == LITTLE_DELETE) {
		json_object_put(b->personas[at]);
		memmove(&b->personas[at], &b->personas[at + 1],
		    (--b->count - at) * sizeof b->personas[0]);
		return little_text(200, "{}");
	}
	if (m == LITTLE_PUT)
		little_merge(b->personas[at], body);
	return little_text(200, json_object_to_json_string(b->personas[at]));
}

/* Ends a connection; what it asked for may still be done. */
static void
little_close(struct little_peer *p)
{
	struct little_bluejay *b = p->bluejay;

	for (unsigned i = 0; i < b->held_count; i++)
		if (b->held[i].peer == p)
			b->held[i].peer = NULL;
	TAILQ_REMOVE(&b->peers, p, link);
	event_del(&p->ev);
	close(p->fd);
	buf_free(&p->in);
	free(p);
}

/* Answers. */
static void
little_say(struct little_peer *p, const char *text)
{
	ck_assert_int_eq(send(p->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Serves a request. True while the connection lives. */
static bool
little_serve(struct little_peer *p, enum little_method m, const char *path, const char *body)
{
	struct little_bluejay *b = p->bluejay;
	bool has_fate = b->fate_count[m] > 0;
	enum little_fate fate = b->fates[m][0];
	struct little_held *h;
	char *answer = NULL;

	b->asked[m]++;
	if (has_fate)
		memmove(&b->fates[m][0], &b->fates[m][1], --b->fate_count[m] * sizeof fate);
	if (!has_fate || fate == LITTLE_DO_HOLD || fate == LITTLE_DO_LOSE)
		answer = little_do(b, m, path, body);
	if (has_fate && (fate == LITTLE_HOLD || fate == LITTLE_DO_HOLD)) {
		ck_assert_uint_lt(b->held_count, LITTLE_MAX);
		h = &b->held[b->held_count++];
		*h = (struct little_held){p, m, mem_string(path), mem_string(body), answer};
		return true;
	}
	if (!has_fate)
		little_say(p, answer);
	else
		little_close(p);
	free(answer);
	return !has_fate;
}

/* Takes the first request out of what has arrived. True when there may be more. */
static bool
little_take(struct little_peer *p)
{
	const char *end = p->in.len > 0 ? strstr(p->in.data, "\r\n\r\n") : NULL, *length;
	char method[16], path[512], *body;
	enum little_method m = LITTLE_GET;
	size_t head, n = 0;
	bool lives;

	if (end == NULL)
		return false;
	head = (size_t)(end - p->in.data) + 4;
	length = strcasestr(p->in.data, "\r\nContent-Length:");
	if (length != NULL && length < end)
		n = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	if (p->in.len < head + n)
		return false;
	ck_assert_int_eq(sscanf(p->in.data, "%15s %511s", method, path), 2);
	while (strcmp(little_methods[m], method) != 0)
		m++;
	body = mem_copy(p->in.data + head, n);
	buf_drain(&p->in, head + n);
	lives = little_serve(p, m, path, body);
	free(body);
	return lives;
}

/* A connection has something to say, or ends. */
static void
little_on_read(evutil_socket_t fd, short what, void *arg)
{
	struct little_peer *p = arg;
	char bytes[65536];
	ssize_t n = recv(fd, bytes, sizeof bytes, 0);

	if (n <= 0) {
		little_close(p);
		return;
	}
	buf_add(&p->in, bytes, (size_t)n);
	while (little_take(p))
		;
}

/* A client connects. */
static void
little_on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct little_bluejay *b = arg;
	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct little_peer *p;

	if (conn < 0)
		return;
	p = mem_zero(1, sizeof *p);
	p->bluejay = b;
	p->fd = conn;
	TAILQ_INSERT_HEAD(&b->peers, p, link);
	event_assign(&p->ev, loop_base(b->loop), conn, EV_READ | EV_PERSIST, little_on_read, p);
	event_add(&p->ev, NULL);
}

/* Listens. */
struct little_bluejay *
little_new(struct loop *loop)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct little_bluejay *b = mem_zero(1, sizeof *b);
	socklen_t len = sizeof a;

	b->loop = loop;
	TAILQ_INIT(&b->peers);
	b->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(b->fd, (struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(listen(b->fd, 64), 0);
	ck_assert_int_eq(getsockname(b->fd, (struct sockaddr *)&a, &len), 0);
	snprintf(b->url, sizeof b->url, "http://127.0.0.1:%d", ntohs(a.sin_port));
	event_assign(&b->ev, loop_base(loop), b->fd, EV_READ | EV_PERSIST, little_on_accept, b);
	event_add(&b->ev, NULL);
	return b;
}

/* Forgets a held request. */
static void
little_held_free(struct little_held *h)
{
	free(h->path);
	free(h->body);
	free(h->answer);
}

/* Closes everything. */
void
little_free(struct little_bluejay *b)
{
	while (!TAILQ_EMPTY(&b->peers))
		little_close(TAILQ_FIRST(&b->peers));
	for (unsigned i = 0; i < b->held_count; i++)
		little_held_free(&b->held[i]);
	for (unsigned i = 0; i < b->count; i++)
		json_object_put(b->personas[i]);
	event_del(&b->ev);
	close(b->fd);
	free(b->old_list);
	free(b);
}

/* Where it is. */
const char *
little_url(const struct little_bluejay *b)
{
	return b->url;
}

/* The place of a method. */
static enum little_method
little_method(const char *method)
{
	enum little_method m = LITTLE_GET;

	while (strcmp(little_methods[m], method) != 0)
		m++;
	return m;
}

/* Says what becomes of the next one. */
void
little_fate(struct little_bluejay *b, const char *method, enum little_fate fate)
{
	enum little_method m = little_method(method);

	ck_assert_uint_lt(b->fate_count[m], LITTLE_MAX);
	b->fates[m][b->fate_count[m]++] = fate;
}

/* Lets go of what is held. */
void
little_release(struct little_bluejay *b)
{
	for (unsigned i = 0; i < b->held_count; i++) {
		struct little_held *h = &b->held[i];

		if (h->answer == NULL)
			h->answer = little_do(b, h->method, h->path, h->body);
		if (h->peer != NULL)
			little_say(h->peer, h->answer);
		little_held_free(h);
	}
	b->held_count = 0;
}

/* Lists what it had. */
void
little_lag(struct little_bluejay *b, bool lags)
{
	free(b->old_list);
	b->old_list = lags ? little_list(b) : NULL;
}

/* Makes one. */
const char *
little_make(struct little_bluejay *b, const char *name)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string(name));
	json_object_object_add(o, "description", json_object_new_string("made there"));
	json_object_object_add(o, "goal", json_object_new_string("first"));
	return json_get_string(little_add(b, o), "id");
}

/* Changes one. */
void
little_change(struct little_bluejay *b, const char *id, const char *goal)
{
	ck_assert_uint_lt(little_find(b, id), b->count);
	json_object_object_add(b->personas[little_find(b, id)], "goal", json_object_new_string(goal));
}

/* How many there are. */
unsigned
little_count(const struct little_bluejay *b)
{
	return b->count;
}

/* How many of a name. */
unsigned
little_named(const struct little_bluejay *b, const char *name)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->count; i++)
		n += strcmp(json_get_string(b->personas[i], "name"), name) == 0;
	return n;
}

/* What one is to do. */
const char *
little_goal(const struct little_bluejay *b, const char *id)
{
	unsigned at = little_find(b, id);

	return at < b->count ? json_get_string(b->personas[at], "goal") : NULL;
}

/* Requests so far. */
unsigned
little_asked(const struct little_bluejay *b, const char *method)
{
	return b->asked[little_method(method)];
}

/* Requests that wait. */
unsigned
little_held(const struct little_bluejay *b)
{
	return b->held_count;
}
