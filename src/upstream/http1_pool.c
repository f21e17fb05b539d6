#include "config.h"

#include "upstream/http1_pool.h"
#include "base/mem.h"
#include "upstream/lately.h"

#include <stdlib.h>
#include <sys/queue.h>

#define HTTP1_POOL_SPARE 16 /* connections kept beyond those in use lately */

TAILQ_HEAD(http1_conns, http1_conn);

struct http1_pool {
	struct loop *loop;
	struct curl_loop *opener;
	struct curl_loop_config config; /* its strings are ours */
	char *proxy, *ca_file;
	int64_t max_idle, max_life;     /* ms */
	struct http1_conns idle;        /* the last one used first */
	unsigned idle_count, used;
	struct lately lately;
	struct loop_timer reaper; /* armed while some are idle, mostly */
};

/* ---- idle connections ---- */

/* Closes an idle one. */
static void
http1_pool_drop(struct http1_pool *p, struct http1_conn *c)
{
	TAILQ_REMOVE(&p->idle, c, link);
	p->idle_count--;
	http1_conn_close(c);
}

/* Something has come on an idle one: its end, bytes that nobody asked for, or what TLS says
 * to itself. */
static void
http1_pool_on_ready(void *arg, short what)
{
	struct http1_conn *c = arg;

	if (!http1_conn_is_quiet(c))
		http1_pool_drop(c->pool, c);
}

/* No time was set. */
static void
http1_pool_on_due(void *arg)
{
}

static const struct http1_conn_user http1_pool_user = {.ready = http1_pool_on_ready,
    .due = http1_pool_on_due};

/* Whether an idle connection is too old to carry anything. */
static bool
http1_pool_is_old(const struct http1_pool *p, const struct http1_conn *c, int64_t now)
{
	return now - c->idle_since >= p->max_idle || now - c->opened_at >= p->max_life;
}

/* Closes those that are too old, and comes back when the next one is. */
static void
http1_pool_on_reap(void *arg)
{
	struct http1_pool *p = arg;
	int64_t now = loop_now(p->loop);
	struct http1_conn *c;

	while ((c = TAILQ_LAST(&p->idle, http1_conns)) != NULL && now - c->idle_since >= p->max_idle)
		http1_pool_drop(p, c);
	if (c != NULL)
		loop_timer_set(&p->reaper, c->idle_since + p->max_idle - now);
}

/* ---- taking and giving ---- */

/* Notes how many are in use; gives how many connections there may be. */
static unsigned
http1_pool_note(struct http1_pool *p, int64_t now)
{
	return (unsigned)lately_note(&p->lately, p->used, now) + HTTP1_POOL_SPARE;
}

/* Gives a kept connection. Each is looked at: what has come while others had their turn
 * would be taken for the answer to what is asked now. */
struct http1_conn *
http1_pool_take(struct http1_pool *p, struct site *site, const struct http1_conn_user *user,
    void *arg)
{
	struct http1_conn *c, *next;
	int64_t now = loop_now(p->loop);

	for (c = TAILQ_FIRST(&p->idle); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->site != site)
			continue;
		if (!http1_pool_is_old(p, c, now) && http1_conn_is_quiet(c))
			break;
		http1_pool_drop(p, c);
	}
	if (c == NULL)
		return NULL;
	TAILQ_REMOVE(&p->idle, c, link);
	p->idle_count--;
	p->used++;
	http1_pool_note(p, now);
	http1_conn_set_user(c, user, arg);
	return c;
}

/* Opens another one. */
struct http1_conn *
http1_pool_open(struct http1_pool *p, struct site *site, const struct http1_conn_user *user, void *arg)
{
	struct http1_conn *c = http1_conn_open(p->loop, p->opener, &p->config, site, user, arg);

	if (c == NULL)
		return NULL;
	c->pool = p;
	p->used++;
	http1_pool_note(p, c->opened_at);
	return c;
}

/* Takes one back. */
void
http1_pool_give(struct http1_pool *p, struct http1_conn *c, bool keep)
{
	int64_t now = loop_now(p->loop);

	p->used--;
	if (!keep) {
		http1_conn_close(c);
		return;
	}
	http1_conn_set_user(c, &http1_pool_user, c);
	http1_conn_set_due(c, INT64_MAX);
	c->idle_since = now;
	TAILQ_INSERT_HEAD(&p->idle, c, link);
	p->idle_count++;
	if (p->used + p->idle_count > http1_pool_note(p, now))
		http1_pool_drop(p, TAILQ_LAST(&p->idle, http1_conns));
	if (!p->reaper.armed)
		loop_timer_set(&p->reaper, p->max_idle);
}

/* How many are in use. */
unsigned
http1_pool_used(const struct http1_pool *p)
{
	return p->used;
}

/* Its loop. */
struct loop *
http1_pool_loop(const struct http1_pool *p)
{
	return p->loop;
}

/* ---- the whole ---- */

/* Makes a pool. */
struct http1_pool *
http1_pool_new(struct loop *loop, const struct curl_loop_config *config, struct fail *f)
{
	struct curl_loop *opener = curl_loop_new(loop, config, f);
	struct http1_pool *p;

	if (opener == NULL)
		return NULL;
	p = mem_zero(1, sizeof *p);
	p->loop = loop;
	p->opener = opener;
	p->config = *config;
	p->config.proxy = p->proxy = mem_string(config->proxy);
	p->config.ca_file = p->ca_file = mem_string(config->ca_file);
	p->max_idle = (int64_t)config->max_idle * 1000;
	p->max_life = (int64_t)CURL_LOOP_MAX_LIFE_S * 1000;
	TAILQ_INIT(&p->idle);
	loop_timer_init(&p->reaper, loop, http1_pool_on_reap, p);
	return p;
}

/* Closes everything. */
void
http1_pool_free(struct http1_pool *p)
{
	struct http1_conn *c;

	if (p == NULL)
		return;
	loop_timer_cancel(&p->reaper);
	while ((c = TAILQ_FIRST(&p->idle)) != NULL)
		http1_pool_drop(p, c);
	curl_loop_free(p->opener);
	mem_wipe_free(p->proxy);
	free(p->ca_file);
	free(p);
}
