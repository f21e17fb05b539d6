#include "config.h"

#include "http/http_write.h"
#include "http/http_budget.h"

/* What is still queued. */
size_t
http_write_pending(const struct http_conn *c)
{
	return c->out.len - c->out_sent;
}

/* Keeps the write deadline: absolute for the bytes that waited when it began. */
static void
http_write_clock(struct http_conn *c)
{
	size_t pending = http_write_pending(c);

	if (pending == 0) {
		c->out_batch = 0;
		http_deadline_clear(&c->writing);
	} else if (c->blocked && c->out_batch == 0) {
		c->out_batch = pending;
		http_deadline_set(&c->writing, &c->hub->write, c);
	}
}

/* Offers the queue and then the bytes to the kernel; returns how many of the
 * bytes it took. */
static size_t
http_write_offer(struct http_conn *c, const char *bytes, size_t len)
{
	size_t pending = http_write_pending(c), taken;
	struct iovec iov[2] = {{NULL, pending}, {(void *)bytes, len}};
	ssize_t n;

	if (pending > 0) /* an empty queue has no memory to point into */
		iov[0].iov_base = c->out.data + c->out_sent;
	if (len == 0)
		n = http_socket_send(&c->sock, iov, 1);
	else if (pending == 0)
		n = http_socket_send(&c->sock, iov + 1, 1);
	else
		n = http_socket_send(&c->sock, iov, 2);
	if (n == HTTP_SOCKET_BROKEN) {
		c->gone = true;
		return 0;
	}
	taken = n > 0 ? (size_t)n : 0;
	c->hub->counts.sent += taken;
	c->blocked = taken < pending + len;
	c->out_batch -= taken < c->out_batch ? taken : c->out_batch;
	if (taken < pending) {
		c->out_sent += taken;
		return 0;
	}
	buf_free(&c->out);
	c->out_sent = 0;
	return taken - pending;
}

/* Queues bytes. */
void
http_write_push(struct http_conn *c, const void *bytes, size_t len)
{
	size_t taken = 0;

	if (c->gone || len == 0)
		return;
	c->pushed += len;
	if (len >= HTTP_CONN_DIRECT && !c->blocked)
		taken = http_write_offer(c, bytes, len);
	if (c->out_sent > c->out.len / 2) {
		buf_drain(&c->out, c->out_sent);
		c->out_sent = 0;
	}
	if (!buf_add(&c->out, (const char *)bytes + taken, len - taken))
		c->gone = true;
	http_budget_note(c);
	http_write_clock(c);
}

/* Offers the queue. */
void
http_write_flush(struct http_conn *c)
{
	if (c->gone || c->blocked || http_write_pending(c) == 0)
		return;
	http_write_offer(c, NULL, 0);
	http_write_clock(c);
}
