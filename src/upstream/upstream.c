#include "config.h"

#include "upstream/upstream.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "upstream/allowance.h"
#include "upstream/breaker.h"
#include "upstream/retry.h"
#include "upstream/try.h"
#include "upstream/upstream_head.h"
#include "upstream/upstream_settings.h"
#include "upstream/upstream_ways.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define UPSTREAM_BUSY_MS 1000    /* what is told to a call that finds the queue full */
#define UPSTREAM_FAIR_PERCENT 50 /* of its time-out that a late try must have had to count as bad */

enum upstream_state {
	UPSTREAM_QUEUED,  /* wants a place among those in flight */
	UPSTREAM_WAITING, /* first in the queue, with a place, wants a token of the rate budget */
	UPSTREAM_TRYING,
	UPSTREAM_BACKING_OFF,
	UPSTREAM_PLACED,  /* a place was found; the callback is owed */
	UPSTREAM_HOLDING, /* the exchange that has the place runs */
	UPSTREAM_DONE     /* only the callback is owed */
};

struct upstream_call {
	struct upstream *owner;
	enum upstream_state state;
	char *method;
	struct site *site;
	struct upstream_head head;
	enum upstream_repeat repeat;
	bool fresh;
	bool unfit; /* key or path cannot stand in a request */
	int64_t deadline;
	size_t max_answer;
	upstream_done_fn done;
	upstream_place_fn placed; /* not NULL: only a place is wanted */
	bool judged;              /* the pass of the breaker was given back */
	void *arg;
	struct loop_timer timer; /* queued: the deadline; backing off: the next try */
	uint64_t pass;           /* of the breaker, while trying */
	int64_t begun_us;
	int64_t try_started;
	struct try *running;  /* the last try; it keeps the answer's bytes */
	struct upstream_answer answer;
	const char *why;           /* for the log, when there is no answer */
	TAILQ_ENTRY(upstream_call) link, all_link;
};

TAILQ_HEAD(upstream_calls, upstream_call);

struct upstream {
	struct loop *loop;
	struct log *log;
	struct upstream_ways ways;
	struct upstream_settings set;
	uint64_t random;
	struct allowance_member member; /* of what all clients of this upstream may do */
	struct upstream_calls all;
	struct upstream_calls queue; /* QUEUED and WAITING, in their order */
	struct upstream_calls ended; /* DONE */
	struct loop_timer budget;    /* when the first in the queue gets its token */
	struct loop_timer soon;      /* delivers what ended while nobody could be called */
	struct upstream_counts counts;
};

static void upstream_pump(struct upstream *);

/* ---- small helpers ---- */

/* The one place that changes a call's state. */
static void
upstream_set_state(struct upstream_call *c, enum upstream_state state)
{
	static const char *const names[] = {"queued", "waiting", "trying", "backing-off", "placed",
	    "holding", "done"};

	if (state == c->state)
		return;
	log_debug(c->owner->log, "upstream call state", LOG_S("request", c->head.id),
	    LOG_S("method", c->method), LOG_S("from", names[c->state]), LOG_S("to", names[state]),
	    LOG_I("tries", c->answer.tries));
	c->state = state;
}

/* Says when the breaker has changed. */
static void
upstream_note_breaker(struct upstream *u, const struct allowance_moved *moved)
{
	if (moved->to == moved->from)
		return;
	u->counts.opened += moved->to == UPSTREAM_BREAKER_OPEN;
	if (moved->to == UPSTREAM_BREAKER_OPEN)
		log_warn(u->log, "upstream breaker", LOG_S("from", breaker_name(moved->from)),
		    LOG_S("to", breaker_name(moved->to)), LOG_I("for_ms", moved->for_ms));
	else
		log_info(u->log, "upstream breaker", LOG_S("from", breaker_name(moved->from)),
		    LOG_S("to", breaker_name(moved->to)));
}

/* Has the breaker judge by what a call came to. */
static void
upstream_judge(struct upstream_call *c, enum breaker_verdict verdict)
{
	struct upstream *u = c->owner;
	struct allowance_moved moved;

	allowance_judge(&u->member, c->pass, verdict, loop_now(u->loop), &moved);
	upstream_note_breaker(u, &moved);
}

/* Takes a call off the queue. */
static void
upstream_unqueue(struct upstream_call *c)
{
	TAILQ_REMOVE(&c->owner->queue, c, link);
	c->owner->counts.queued--;
	loop_timer_cancel(&c->timer);
}

/* Puts a call into the queue: a new one at its end, a repeated one, which has
 * waited its turn before, at its front. If it cannot go at once it gives up at
 * its deadline. */
static void
upstream_enqueue(struct upstream_call *c)
{
	struct upstream *u = c->owner;

	if (c->answer.tries == 0)
		TAILQ_INSERT_TAIL(&u->queue, c, link);
	else
		TAILQ_INSERT_HEAD(&u->queue, c, link);
	u->counts.queued++;
	upstream_set_state(c, UPSTREAM_QUEUED);
	upstream_pump(u);
	if (c->state == UPSTREAM_QUEUED || c->state == UPSTREAM_WAITING)
		loop_timer_set(&c->timer, c->deadline - loop_now(u->loop));
}

/* ---- the end of a call ---- */

/* Frees a call that is on no list but the one of all. */
static void
upstream_call_free(struct upstream_call *c)
{
	if (c->owner->ways.old_count > 0)
		loop_timer_set(&c->owner->soon, 0);
	TAILQ_REMOVE(&c->owner->all, c, all_link);
	loop_timer_cancel(&c->timer);
	try_free(c->running);
	upstream_head_free(&c->head);
	site_release(c->site);
	free(c->method);
	free(c);
}

/* Counts a call by what it came to. */
static void
upstream_count(struct upstream_call *c)
{
	struct upstream_counts *n = &c->owner->counts;
	int hundreds = c->answer.status / 100;

	c->answer.took_us = loop_now_us(c->owner->loop) - c->begun_us;
	metric_observe(&n->took, c->answer.took_us);
	n->outcomes[c->answer.outcome]++;
	if (c->answer.outcome != UPSTREAM_ANSWER) {
		n->failures++;
		return;
	}
	n->answers++;
	n->statuses[hundreds >= 1 && hundreds <= 5 ? hundreds : 0]++;
	n->refused += c->answer.status == 429;
}

/* Ends a call with what its answer holds by now; the callback comes later. */
static void
upstream_finish(struct upstream_call *c)
{
	struct upstream *u = c->owner;

	upstream_set_state(c, UPSTREAM_DONE);
	loop_timer_cancel(&c->timer);
	upstream_count(c);
	TAILQ_INSERT_TAIL(&u->ended, c, link);
}

/* Ends a call that may not be tried now. If it was tried before, what that
 * came to says more than the refusal. */
static void
upstream_refuse(struct upstream_call *c, enum upstream_outcome outcome, int64_t retry_after)
{
	if (c->answer.tries == 0) {
		c->answer.outcome = outcome;
		c->answer.retry_after = retry_after;
	}
	upstream_finish(c);
}

/* The name of an outcome for logs and metrics. */
const char *
upstream_outcome_name(enum upstream_outcome outcome)
{
	static const char *const names[] = {"answer", "no-connect", "timeout", "broken",
	    "too-large", "open", "busy"};

	return names[outcome];
}

/* Calls back for one ended call and frees it, unless it holds a place. */
static void
upstream_deliver(struct upstream_call *c)
{
	enum upstream_outcome outcome = c->answer.outcome;

	TAILQ_REMOVE(&c->owner->ended, c, link);
	if (c->state == UPSTREAM_PLACED) {
		upstream_set_state(c, UPSTREAM_HOLDING);
		c->placed(c->arg, UPSTREAM_ANSWER, -1);
		return;
	}
	/* Refusals are many while the breaker is open, which has its own line. */
	if (outcome != UPSTREAM_ANSWER && outcome != UPSTREAM_OPEN)
		log_info(c->owner->log, "upstream call failed", LOG_S("request", c->head.id),
		    LOG_S("method", c->method), LOG_S("outcome", upstream_outcome_name(outcome)),
		    LOG_I("tries", c->answer.tries), LOG_S("why", c->why));
	if (c->answer.body == NULL)
		c->answer.body = "";
	c->answer.key = upstream_head_key(&c->head);
	if (c->placed != NULL)
		c->placed(c->arg, outcome, c->answer.retry_after);
	else
		c->done(c->arg, &c->answer);
	upstream_call_free(c);
}

/* Calls back for what has ended by now; what ends meanwhile comes later. Not
 * from upstream_start() and upstream_cancel(). */
static void
upstream_flush(struct upstream *u)
{
	struct upstream_call *c, *last = TAILQ_LAST(&u->ended, upstream_calls);
	unsigned n = 0;

	if (last == NULL)
		return;
	TAILQ_FOREACH(c, &u->ended, link)
		n++;
	while (n-- > 0 && (c = TAILQ_FIRST(&u->ended)) != NULL)
		upstream_deliver(c);
	if (!TAILQ_EMPTY(&u->ended))
		loop_timer_set(&u->soon, 0);
}

/* Delivers what ended while nobody could be called, and tidies up. */
static void
upstream_on_soon(void *arg)
{
	struct upstream *u = arg;

	upstream_ways_sweep(&u->ways);
	upstream_pump(u);
	upstream_flush(u);
}

/* ---- one try ---- */

/* Whether a time-out says something about the upstream, or only that its
 * caller had little time left. */
static bool
upstream_was_fair(const struct upstream_call *c, const struct try_result *r)
{
	const struct upstream *u = c->owner;
	int64_t limit = u->set.total_ms;

	if (!r->connected && u->set.connect_ms < limit)
		limit = u->set.connect_ms;
	if (r->connected && !r->heard && u->set.first_byte_ms < limit)
		limit = u->set.first_byte_ms;
	return (loop_now(u->loop) - c->try_started) * 100 >= limit * UPSTREAM_FAIR_PERCENT;
}

/* What a try says about the upstream's health. */
static enum breaker_verdict
upstream_verdict(const struct upstream_call *c, const struct try_result *r)
{
	switch (r->outcome) {
	case UPSTREAM_ANSWER:
		return r->status >= 500 ? BREAKER_BAD : BREAKER_GOOD;
	case UPSTREAM_TOO_LARGE:
		return BREAKER_GOOD;
	case UPSTREAM_TIMEOUT:
		return upstream_was_fair(c, r) ? BREAKER_BAD : BREAKER_NO_VERDICT;
	case UPSTREAM_BROKEN:
		return r->stale || r->old_version ? BREAKER_NO_VERDICT : BREAKER_BAD;
	case UPSTREAM_NO_CONNECT:
	case UPSTREAM_OPEN:
	case UPSTREAM_BUSY:
		break;
	}
	return BREAKER_BAD;
}

/* Gives back what a try had taken. */
static void
upstream_leave(struct upstream_call *c, enum breaker_verdict verdict)
{
	struct upstream *u = c->owner;
	struct allowance_moved moved;

	u->counts.in_flight--;
	allowance_give_back(&u->member, c->judged ? 0 : c->pass, verdict, loop_now(u->loop), &moved);
	upstream_note_breaker(u, &moved);
}

/* Keeps what a try came to as the call's answer for now. */
static void
upstream_keep(struct upstream_call *c, const struct try_result *r)
{
	struct upstream_answer *a = &c->answer;
	bool refused = r->outcome == UPSTREAM_ANSWER && r->status == 429;

	a->outcome = r->outcome;
	a->status = r->status;
	a->body = r->body;
	a->body_len = r->body_len;
	a->maybe_received |= !r->nothing_sent && !refused;
	a->retry_after = -1;
	if (r->retry_after != NULL && (r->status == 429 || r->status == 503))
		a->retry_after = retry_after_read(r->retry_after, loop_wall(c->owner->loop));
	c->why = r->why;
}

/* How long to wait before the next try; -1: there is none. */
static int64_t
upstream_next_try(struct upstream_call *c, const struct try_result *r)
{
	struct upstream *u = c->owner;
	struct retry_try t = {.outcome = r->outcome, .status = r->status,
	    .nothing_sent = r->nothing_sent, .whole_time = r->whole_time, .hopeless = r->hopeless};
	int64_t left = c->deadline - loop_now(u->loop);

	if (c->answer.tries >= u->set.retries || left <= 0 || !retry_allowed(c->repeat, &t))
		return -1;
	if (r->stale) {
		c->fresh = true;
		return 0;
	}
	return retry_wait(c->answer.retry_after, retry_backoff(c->answer.tries, &u->random), left);
}

/* Takes the earlier key when the key was refused; the refusal proves that nothing was done.
 * False when there is none, or it was taken before. */
static bool
upstream_fall_back(struct upstream_call *c, const struct try_result *r)
{
	if (r->outcome != UPSTREAM_ANSWER || r->status != 401 ||
	    c->deadline <= loop_now(c->owner->loop) || !upstream_head_fall_back(&c->head))
		return false;
	c->answer.fell_back = true;
	return true;
}

/* An upstream that turns out not to speak HTTP/2 is asked again, and from now on, in 1.1. */
static bool
upstream_step_down(struct upstream_call *c, const struct try_result *r)
{
	struct upstream *u = c->owner;

	if (!r->old_version || c->deadline <= loop_now(u->loop))
		return false;
	if (!u->ways.no_http2)
		log_plain(u->log, LOG_LEVEL_WARN, "the upstream does not speak HTTP/2; it is asked in HTTP/1.1");
	u->ways.no_http2 = true;
	return true;
}

/* A try has ended. */
static void
upstream_on_try(void *arg, const struct try_result *r)
{
	struct upstream_call *c = arg;
	struct upstream *u = c->owner;
	bool received = c->answer.maybe_received;
	int64_t wait;

	upstream_leave(c, upstream_verdict(c, r));
	upstream_keep(c, r);
	if (r->why != NULL)
		log_debug(u->log, "upstream try failed", LOG_S("request", c->head.id),
		    LOG_S("outcome", upstream_outcome_name(r->outcome)), LOG_S("why", r->why),
		    LOG_I("try", c->answer.tries));
	wait = upstream_next_try(c, r);
	if (upstream_fall_back(c, r)) {
		c->answer.maybe_received = received;
		wait = 0;
	}
	if (upstream_step_down(c, r))
		wait = 0;
	if (wait < 0) {
		upstream_finish(c);
	} else if (wait == 0) {
		upstream_enqueue(c);
	} else {
		upstream_set_state(c, UPSTREAM_BACKING_OFF);
		loop_timer_set(&c->timer, wait);
	}
	upstream_pump(u);
	upstream_flush(u);
}

/* Starts a try; place, pass and token are taken. */
static void
upstream_try(struct upstream_call *c)
{
	struct upstream *u = c->owner;
	int64_t now = loop_now(u->loop), left = c->deadline - now;
	struct try_request q = {.site = c->site, .text = c->head.text.data, .len = c->head.text.len,
	    .fields = c->head.fields, .fields_len = c->head.fields_len, .body = c->head.body,
	    .has_body = c->head.has_body, .once = c->repeat == UPSTREAM_ONCE,
	    .fresh = c->fresh, .first_byte_ms = u->set.first_byte_ms,
	    .total_ms = left < u->set.total_ms ? left : u->set.total_ms, .max_answer = c->max_answer};

	u->counts.in_flight++;
	u->counts.tries++;
	c->answer.tries++;
	c->try_started = now;
	try_free(c->running);
	c->why = NULL;
	c->answer.body = NULL;
	c->answer.body_len = 0;
	upstream_set_state(c, UPSTREAM_TRYING);
	c->running = try_start(upstream_ways_pick(&u->ways, c->repeat), &q, upstream_on_try, c);
	if (c->running == NULL) {
		c->answer.outcome = UPSTREAM_NO_CONNECT;
		c->why = "libcurl refused the request";
		upstream_leave(c, BREAKER_NO_VERDICT);
		upstream_finish(c);
	}
}

/* ---- the queue ---- */

/* Gives a place; pass and token are taken. */
static void
upstream_give_place(struct upstream_call *c)
{
	struct upstream *u = c->owner;

	u->counts.in_flight++;
	u->counts.tries++;
	upstream_set_state(c, UPSTREAM_PLACED);
	TAILQ_INSERT_TAIL(&u->ended, c, link);
}

/* Lets the first call of the queue go, or ends it; false when it must wait for a place
 * or for the rate budget, and with it all others. */
static bool
upstream_admit(struct upstream_call *c)
{
	struct upstream *u = c->owner;
	struct allowance_moved moved;
	int64_t wait = 0;
	enum allowance_entry entry =
	    allowance_enter(&u->member, loop_now(u->loop), c->deadline, &c->pass, &wait, &moved);

	upstream_note_breaker(u, &moved);
	if (entry == ALLOWANCE_FULL)
		return false;
	if (entry == ALLOWANCE_WAIT) {
		upstream_set_state(c, UPSTREAM_WAITING);
		if (!u->budget.armed)
			loop_timer_set(&u->budget, wait);
		return false;
	}
	upstream_unqueue(c);
	if (entry == ALLOWANCE_OPEN)
		upstream_refuse(c, UPSTREAM_OPEN, wait);
	else if (entry == ALLOWANCE_LATE)
		upstream_refuse(c, UPSTREAM_BUSY, wait > 0 ? wait : UPSTREAM_BUSY_MS);
	else if (c->placed != NULL)
		upstream_give_place(c);
	else
		upstream_try(c);
	return true;
}

/* Lets go what may go. */
static void
upstream_pump(struct upstream *u)
{
	struct upstream_call *c;

	while ((c = TAILQ_FIRST(&u->queue)) != NULL)
		if (!upstream_admit(c))
			break;
}

/* Another client of the upstream has given a place back. */
static void
upstream_on_place(void *arg)
{
	upstream_pump(arg);
	upstream_flush(arg);
}

/* The budget may have a token. */
static void
upstream_on_budget(void *arg)
{
	upstream_pump(arg);
	upstream_flush(arg);
}

/* A call's timer: its place did not come in time, or its back-off is over. */
static void
upstream_on_timer(void *arg)
{
	struct upstream_call *c = arg;
	struct upstream *u = c->owner;

	switch (c->state) {
	case UPSTREAM_QUEUED:
	case UPSTREAM_WAITING:
		upstream_unqueue(c);
		upstream_refuse(c, UPSTREAM_BUSY, UPSTREAM_BUSY_MS);
		break;
	case UPSTREAM_BACKING_OFF:
		upstream_enqueue(c);
		break;
	case UPSTREAM_TRYING:
	case UPSTREAM_PLACED:
	case UPSTREAM_HOLDING:
	case UPSTREAM_DONE:
		return;
	}
	upstream_pump(u);
	upstream_flush(u);
}

/* ---- calls ---- */

/* Whether a path names what it seems to: nothing in it ends the request line
 * or the path early. */
static bool
upstream_is_path(const char *s)
{
	if (*s != '/')
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f || *s == '#')
			return false;
	return true;
}

/* Copies a request. */
static struct upstream_call *
upstream_call_new(struct upstream *u, const struct upstream_request *q)
{
	struct upstream_call *c = mem_zero(1, sizeof *c);

	c->owner = u;
	c->state = UPSTREAM_QUEUED;
	c->method = mem_string(q->method);
	c->site = site_hold(u->set.site);
	c->unfit = !upstream_head_make(&c->head, c->site, q) || !upstream_is_path(q->path);
	c->answer.trace = q->trace;
	c->begun_us = loop_now_us(u->loop);
	c->repeat = q->repeat;
	c->fresh = q->fresh_connection;
	c->deadline = q->deadline;
	c->max_answer = q->max_answer > 0 ? q->max_answer : u->set.max_answer;
	c->answer.retry_after = -1;
	loop_timer_init(&c->timer, u->loop, upstream_on_timer, c);
	TAILQ_INSERT_TAIL(&u->all, c, all_link);
	return c;
}

/* Ends a new call at once if nothing needs to be asked. */
static bool
upstream_ends_at_once(struct upstream_call *c)
{
	struct upstream *u = c->owner;
	int64_t now = loop_now(u->loop), open = allowance_open_for(&u->member, now);

	if (c->unfit) {
		c->why = "the key or the path has a byte that it cannot hold";
		upstream_refuse(c, UPSTREAM_NO_CONNECT, -1);
	} else if (now >= c->deadline) {
		c->why = "the deadline had passed";
		upstream_refuse(c, UPSTREAM_TIMEOUT, -1);
	} else if (open > 0) {
		upstream_refuse(c, UPSTREAM_OPEN, open);
	} else {
		return false;
	}
	return true;
}

/* Sends a new call on its way. */
static void
upstream_launch(struct upstream_call *c)
{
	struct upstream *u = c->owner;

	u->counts.calls++;
	if (!upstream_ends_at_once(c))
		upstream_enqueue(c);
	if ((c->state == UPSTREAM_QUEUED || c->state == UPSTREAM_WAITING) &&
	    u->counts.queued > u->set.max_queue) {
		upstream_unqueue(c);
		upstream_refuse(c, UPSTREAM_BUSY, UPSTREAM_BUSY_MS);
	}
	if (!TAILQ_EMPTY(&u->ended))
		loop_timer_set(&u->soon, 0);
}

/* Starts a call. */
struct upstream_call *
upstream_start(struct upstream *u, const struct upstream_request *q, upstream_done_fn done,
    void *arg)
{
	struct upstream_call *c = upstream_call_new(u, q);

	c->done = done;
	c->arg = arg;
	upstream_launch(c);
	return c;
}

/* Wants a place. */
struct upstream_call *
upstream_place(struct upstream *u, const char *request_id, int64_t deadline,
    upstream_place_fn placed, void *arg)
{
	const struct upstream_request q = {.method = "PASS", .path = "/", .deadline = deadline,
	    .request_id = request_id};
	struct upstream_call *c = upstream_call_new(u, &q);

	c->placed = placed;
	c->arg = arg;
	upstream_launch(c);
	return c;
}

/* Judges by an exchange that still has its place. */
void
upstream_place_judge(struct upstream_call *c, bool well)
{
	c->judged = true;
	upstream_judge(c, well ? BREAKER_GOOD : BREAKER_BAD);
}

/* Takes a call out of whatever it is doing; it is on no list then but the one of all. */
static void
upstream_withdraw(struct upstream_call *c)
{
	switch (c->state) {
	case UPSTREAM_QUEUED:
	case UPSTREAM_WAITING:
		upstream_unqueue(c);
		break;
	case UPSTREAM_PLACED:
		TAILQ_REMOVE(&c->owner->ended, c, link);
		upstream_leave(c, BREAKER_NO_VERDICT);
		break;
	case UPSTREAM_TRYING:
	case UPSTREAM_HOLDING:
		upstream_leave(c, BREAKER_NO_VERDICT);
		break;
	case UPSTREAM_BACKING_OFF:
		break;
	case UPSTREAM_DONE:
		TAILQ_REMOVE(&c->owner->ended, c, link);
		break;
	}
}

/* Cancels a call. */
void
upstream_cancel(struct upstream_call *c)
{
	struct upstream *u = c->owner;

	upstream_withdraw(c);
	upstream_call_free(c);
	upstream_pump(u);
	if (!TAILQ_EMPTY(&u->ended))
		loop_timer_set(&u->soon, 0);
}

/* ---- the client ---- */

/* Makes a client. */
struct upstream *
upstream_new(struct loop *loop, const struct upstream_config *cfg, struct fail *f)
{
	struct upstream_ways ways;
	struct upstream *u;

	if (upstream_settings_check(cfg, f) < 0 || !upstream_ways_open(&ways, loop, cfg, f))
		return NULL;
	u = mem_zero(1, sizeof *u);
	u->loop = loop;
	u->log = cfg->log;
	u->ways = ways;
	upstream_settings_copy(&u->set, cfg);
	u->random = cfg->seed;
	if (u->random == 0)
		uuid_random(&u->random, sizeof u->random);
	u->member = (struct allowance_member){.loop = loop, .place = upstream_on_place, .arg = u};
	allowance_join(&u->member, cfg->with != NULL ? &cfg->with->member : NULL, &u->set,
	    loop_now(loop));
	TAILQ_INIT(&u->all);
	TAILQ_INIT(&u->queue);
	TAILQ_INIT(&u->ended);
	loop_timer_init(&u->budget, loop, upstream_on_budget, u);
	loop_timer_init(&u->soon, loop, upstream_on_soon, u);
	return u;
}

/* Takes other settings. */
int
upstream_adjust(struct upstream *u, const struct upstream_config *cfg, struct fail *f)
{
	struct upstream_ways next = {0};
	struct allowance_moved moved;

	if (upstream_settings_check(cfg, f) < 0 ||
	    (!upstream_settings_same_way(&u->set, cfg) && !upstream_ways_open(&next, u->loop, cfg, f)))
		return -1;
	if (next.http1 != NULL)
		upstream_ways_turn(&u->ways, &next);
	else
		upstream_ways_renew(&u->ways);
	u->ways.no_http2 = false;
	upstream_settings_change(&u->set, cfg);
	allowance_adjust(&u->member, &u->set, loop_now(u->loop), &moved);
	upstream_note_breaker(u, &moved);
	loop_timer_set(&u->soon, 0);
	return 0;
}

/* Cancels what runs and closes connections. */
void
upstream_free(struct upstream *u)
{
	struct upstream_call *c;

	if (u == NULL)
		return;
	while ((c = TAILQ_FIRST(&u->all)) != NULL) {
		upstream_withdraw(c);
		upstream_call_free(c);
	}
	loop_timer_cancel(&u->budget);
	loop_timer_cancel(&u->soon);
	upstream_ways_free(&u->ways);
	allowance_leave(&u->member);
	upstream_settings_clear(&u->set);
	free(u);
}

/* What has happened so far. */
void
upstream_counts(const struct upstream *u, struct upstream_counts *out)
{
	*out = u->counts;
	out->breaker = allowance_breaker(&((struct upstream *)(uintptr_t)u)->member);
}
