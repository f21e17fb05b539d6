#include "config.h"

#include "http/http_budget.h"

/* Bytes that are held: by this server exactly, by others to a step. */
static size_t
http_budget_held(const struct http_hub *hub)
{
	if (hub->team == NULL)
		return hub->held;
	return http_team_held(hub->team) + hub->held - hub->told;
}

/* Tells the team when that has changed by a step. */
static void
http_budget_tell(struct http_hub *hub)
{
	if (hub->held < hub->told + HTTP_TEAM_STEP && hub->told < hub->held + HTTP_TEAM_STEP)
		return;
	http_team_hold(hub->team, hub->held, hub->told);
	hub->told = hub->held;
}

/* Whether so many bytes more are within the limit. */
bool
http_budget_allows(const struct http_conn *c, size_t more)
{
	size_t max = c->hub->config.limits.buffers, held = http_budget_held(c->hub);

	return max == 0 || (held <= max && more <= max - held);
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
	if (c->hub->team != NULL)
		http_budget_tell(c->hub);
}
