#include "config.h"

#include "upstream/http1_conn.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- events ---- */

/* The socket is ready for something. */
static void
http1_conn_on_event(evutil_socket_t fd, short what, void *arg)
{
	struct http1_conn *c = arg;

	c->user->ready(c->arg, what);
}

/* Tells how opening it went, that a time has come, or that there is more to read. */
static void
http1_conn_on_timer(void *arg)
{
	struct http1_conn *c = arg;
	int64_t left = c->due - loop_now(c->loop);

	if (c->due != INT64_MAX && left > 0)
		loop_timer_set(&c->timer, left);
	if (c->owed) {
		c->owed = false;
		c->user->opened(c->arg, c->code,
		    c->why[0] != '\0' ? c->why : curl_easy_strerror(c->code));
	} else if (c->due != INT64_MAX && left <= 0) {
		c->due = INT64_MAX;
		c->user->due(c->arg);
	} else if (c->again) {
		c->again = false;
		c->user->ready(c->arg, EV_READ);
	}
}

/* Reads on after others have had their turn. A plain socket tells by itself. */
void
http1_conn_read_on(struct http1_conn *c)
{
	if (!c->site->tls)
		return;
	c->again = true;
	loop_timer_set(&c->timer, 0);
}

/* Sets the time. A timer that fires earlier is left to do so. */
void
http1_conn_set_due(struct http1_conn *c, int64_t due)
{
	c->due = due;
	if (due == INT64_MAX || (c->timer.armed && c->timer.due <= due))
		return;
	loop_timer_set(&c->timer, due - loop_now(c->loop));
}

/* Sets who is told. */
void
http1_conn_set_user(struct http1_conn *c, const struct http1_conn_user *user, void *arg)
{
	c->user = user;
	c->arg = arg;
}

/* Registers for writing, or takes that back. */
void
http1_conn_want_write(struct http1_conn *c, bool want)
{
	if (want == c->writing)
		return;
	if (want)
		c->writing = event_add(&c->write_ev, NULL) == 0;
	else
		c->writing = event_del(&c->write_ev) != 0;
}

/* ---- opening ---- */

/* Takes the socket over from libcurl, all of it where it is plain. */
static CURLcode
http1_conn_adopt(struct http1_conn *c)
{
	struct event_base *base = loop_base(c->loop);

	c->fd = curl_loop_descriptor(c->curl, &c->job);
	if (!c->site->tls) {
		if (c->fd >= 0)
			c->fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
		curl_loop_cancel(c->curl, &c->job);
		curl_loop_give(c->curl, &c->job, true);
		c->curl = NULL;
	}
	if (c->fd < 0)
		return CURLE_COULDNT_CONNECT;
	event_assign(&c->read_ev, base, c->fd, EV_READ | EV_PERSIST, http1_conn_on_event, c);
	event_assign(&c->write_ev, base, c->fd, EV_WRITE | EV_PERSIST, http1_conn_on_event, c);
	return event_add(&c->read_ev, NULL) == 0 ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* libcurl is done. The user is not told in here, inside of libcurl's loop, which may end
 * with the connection. */
static void
http1_conn_on_done(struct curl_loop_job *job, CURLcode code)
{
	struct http1_conn *c = (struct http1_conn *)(void *)job;

	c->code = code == CURLE_OK ? http1_conn_adopt(c) : code;
	c->owed = true;
	loop_timer_set(&c->timer, 0);
}

/* Sets what differs from connection to connection. */
static bool
http1_conn_set(struct http1_conn *c)
{
	CURL *e = c->job.easy;

	return e != NULL && curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->why) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_URL, c->site->origin) == CURLE_OK;
}

/* Begins to open one. */
struct http1_conn *
http1_conn_open(struct loop *loop, struct curl_loop *opener, const struct curl_loop_config *config,
    struct site *site, const struct http1_conn_user *user, void *arg)
{
	struct curl_loop_config own = *config;
	struct http1_conn *c = mem_zero(1, sizeof *c);

	own.with = opener;
	c->loop = loop;
	c->site = site_hold(site);
	c->fd = -1;
	c->due = INT64_MAX;
	http1_conn_set_user(c, user, arg);
	loop_timer_init(&c->timer, loop, http1_conn_on_timer, c);
	c->job.done = http1_conn_on_done;
	c->job.connect_only = true;
	c->curl = site->tls ? curl_loop_new(loop, &own, NULL) : opener;
	if (c->curl != NULL)
		c->job.easy = curl_loop_take(c->curl);
	if (!http1_conn_set(c)) {
		http1_conn_close(c);
		return NULL;
	}
	c->opened_at = loop_now(loop);
	curl_loop_start(c->curl, &c->job);
	return c;
}

/* Closes it. */
void
http1_conn_close(struct http1_conn *c)
{
	loop_timer_cancel(&c->timer);
	if (c->fd >= 0) {
		event_del(&c->read_ev);
		if (c->writing)
			event_del(&c->write_ev);
	}
	if (c->curl != NULL) {
		curl_loop_cancel(c->curl, &c->job);
		curl_loop_give(c->curl, &c->job, false);
		if (c->site->tls)
			curl_loop_free(c->curl);
	} else if (c->fd >= 0) {
		close(c->fd);
	}
	site_release(c->site);
	free(c);
}

/* ---- bytes ---- */

/* What came of sending or receiving through libcurl. */
static ssize_t
http1_conn_came(CURLcode code, size_t n)
{
	if (code == CURLE_OK)
		return (ssize_t)n;
	return code == CURLE_AGAIN ? HTTP1_CONN_AGAIN : HTTP1_CONN_BROKEN;
}

/* What came of sending or receiving on the socket. */
static ssize_t
http1_conn_came_plain(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? HTTP1_CONN_AGAIN : HTTP1_CONN_BROKEN;
}

/* Sends bytes. */
ssize_t
http1_conn_send(struct http1_conn *c, const char *bytes, size_t len)
{
	size_t n = 0;
	CURLcode code;

	if (!c->site->tls)
		return http1_conn_came_plain(send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT));
	code = curl_easy_send(c->job.easy, bytes, len < HTTP1_CONN_RECORD ? len : HTTP1_CONN_RECORD, &n);
	return http1_conn_came(code, n);
}

/* Receives bytes. */
ssize_t
http1_conn_recv(struct http1_conn *c, char *bytes, size_t size)
{
	size_t n = 0;
	CURLcode code;

	if (!c->site->tls) {
		ssize_t came = http1_conn_came_plain(recv(c->fd, bytes, size, MSG_DONTWAIT));

		c->drained = came < (ssize_t)size;
		return came;
	}
	code = curl_easy_recv(c->job.easy, bytes, size, &n);
	c->drained = code == CURLE_AGAIN;
	return http1_conn_came(code, n);
}

/* Whether that was all. */
bool
http1_conn_is_drained(const struct http1_conn *c)
{
	return c->drained;
}

/* Whether an idle one is as it was left. What TLS says to itself, such as a ticket, is no
 * byte that has come. */
bool
http1_conn_is_quiet(struct http1_conn *c)
{
	char bytes[HTTP1_CONN_RECORD];

	return http1_conn_recv(c, bytes, sizeof bytes) == HTTP1_CONN_AGAIN;
}
