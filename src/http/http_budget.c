#include "config.h"

#include "http/http_budget.h"

/* Whether so many bytes more are within the limit. */
bool
http_budget_allows(const struct http_conn *c, size_t more)
{
	size_t max = c->hub->config.limits.buffers;

	return max == 0 || (c->hub->held <= max && more <= max - c->hub->held);
}

/* Whether a body may grow; one that is too long anyway is refused for that. */
bool
http_budget_allows_body(const struct http_conn *c, size_t piece)
{
	const struct buf *b = &c->exchange->body;

	return piece > b->max || http_budget_allows(c, buf_grown(b, piece) - b->cap);
}

/* Counts a connection anew. */
void
http_budget_note(struct http_conn *c)
{
	const struct http_exchange *ex = c->exchange;
	size_t now = c->in.cap + c->out.cap;

	if (ex != NULL)
		now += ex->body.cap + ex->dropped + ex->reserved;
	c->hub->held += now - c->held;
	c->held = now;
}
