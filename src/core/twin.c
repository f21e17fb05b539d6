#include "config.h"

#include "base/mem.h"
#include "core/twin_impl.h"

#include <stdlib.h>
#include <string.h>

#define TWINS_AT_ONCE 4            /* twins that are looked at */
#define TWINS_QUEUE 1000           /* those that wait; what goes beyond is found by comparing */
#define TWINS_PAGE 32              /* records compared at a time */
#define TWINS_WAIT_MS 1000         /* how long a client waits for a twin to follow */
#define TWINS_AGAIN_MIN_MS 500     /* until what could not be done is tried again; doubles */
#define TWINS_AGAIN_MAX_MS 60000
#define TWINS_BROKEN_MS 10000 /* how long a project that answers with an error is left alone */
#define TWINS_CHECK_MS (10 * 60 * 1000) /* between two looks at every twin */

enum twins_step { TWINS_RESTING, TWINS_PERSONAS, TWINS_LEFT };

/* A name in a set. */
struct twin_name {
	char *key;
	int64_t until; /* loop_now(), of a broken project */
	UT_hash_handle hh;
};

struct twins {
	struct gateway *gw;
	struct twin_job *jobs; /* all, by key */
	TAILQ_HEAD(, twin_job) queue;
	unsigned running;
	struct loop_timer step;  /* starts jobs outside of their callbacks */
	struct loop_timer rest;  /* RESTING: until the next round */
	enum twins_step round;
	bool all;          /* this round asks for every twin, else for those that are due */
	bool checked;      /* such a round has come to its end */
	int64_t checked_at;
	bool failed;       /* something could not be done in this round, or since */
	bool cut;          /* this round was */
	bool down;         /* RESTING: since the local tool does not work */
	int64_t again_ms;
	int64_t after;     /* the last seq of the page */
	struct store_call *page;
	struct twin_name *others; /* personas whose twin has another id */
	struct twin_name *broken; /* projects that answered with an error a moment ago */
};

/* Whether items have twins. */
bool
twin_wanted(const struct gateway *gw, const struct project *p)
{
	return gw->tool != NULL && p->resource->twins;
}

/* Puts a name into a set, or takes it out. */
static void
twins_mark(struct twin_name **set, const char *key, bool in)
{
	struct twin_name *n;

	HASH_FIND_STR(*set, key, n);
	if (in && n == NULL) {
		n = mem_zero(1, sizeof *n);
		n->key = mem_string(key);
		HASH_ADD_KEYPTR(hh, *set, n->key, strlen(n->key), n);
	} else if (!in && n != NULL) {
		HASH_DEL(*set, n);
		free(n->key);
		free(n);
	}
}

/* Empties a set. */
static void
twins_unmark_all(struct twin_name **set)
{
	while (*set != NULL)
		twins_mark(set, (*set)->key, false);
}

/* Keeps count of twins with another id. */
void
twin_saw(struct gateway *gw, const char *scope, const char *local_id, bool other)
{
	char *key = gateway_key(scope, local_id);

	twins_mark(&gw->twins->others, key, other);
	free(key);
}

/* Whether a project is left alone. */
bool
twin_is_broken(struct gateway *gw, const char *project)
{
	struct twin_name *n;

	HASH_FIND_STR(gw->twins->broken, project, n);
	if (n == NULL || loop_now(gw->loop) < n->until)
		return n != NULL;
	twins_mark(&gw->twins->broken, project, false);
	return false;
}

/* Leaves a project alone. */
void
twin_broke(struct gateway *gw, const char *project)
{
	struct twin_name *n;

	twins_mark(&gw->twins->broken, project, true);
	HASH_FIND_STR(gw->twins->broken, project, n);
	n->until = loop_now(gw->loop) + TWINS_BROKEN_MS;
}

/* Whether twins wait for the local tool. */
bool
twins_late(const struct gateway *gw)
{
	return gw->twins != NULL && gw->twins->down;
}

/* How many there are. */
unsigned
twins_other(const struct gateway *gw)
{
	return gw->twins != NULL ? HASH_COUNT(gw->twins->others) : 0;
}

/* ---- jobs ---- */

/* Tells those who wait for a job. */
static void
twins_tell(struct twin_job *j)
{
	struct twin_wait *w;

	while ((w = TAILQ_FIRST(&j->waits)) != NULL) {
		TAILQ_REMOVE(&j->waits, w, link);
		w->job = NULL;
		loop_timer_set(&w->timer, 0);
	}
}

/* Frees a job; who waits for it is told. */
static void
twins_free_job(struct twins *t, struct twin_job *j)
{
	twins_tell(j);
	twin_job_stop(j);
	if (j->running)
		t->running--;
	else
		TAILQ_REMOVE(&t->queue, j, link);
	HASH_DEL(t->jobs, j);
	free(j->key);
	free(j->scope);
	free(j->local_id);
	free(j);
}

/* Rests until the next round. */
static void
twins_rest(struct twins *t)
{
	int64_t now = loop_now(t->gw->loop), ms = TWINS_CHECK_MS;

	t->round = TWINS_RESTING;
	if (t->failed) {
		ms = t->again_ms;
		t->again_ms = t->again_ms * 2 < TWINS_AGAIN_MAX_MS ? t->again_ms * 2 : TWINS_AGAIN_MAX_MS;
	} else {
		t->again_ms = TWINS_AGAIN_MIN_MS;
		if (t->checked && t->checked_at + TWINS_CHECK_MS > now)
			ms = t->checked_at + TWINS_CHECK_MS - now;
	}
	loop_timer_set(&t->rest, ms);
}

/* The local tool does not work: nothing more is asked of it for a while. What is to be
 * done will be found by comparing. */
static void
twins_go_down(struct twins *t)
{
	struct twin_job *j;

	if (t->down && t->round == TWINS_RESTING)
		return;
	if (!t->down)
		log_plain(t->gw->log, LOG_LEVEL_WARN,
		    "the local tool does not work; personas' twins follow later");
	t->down = t->failed = t->cut = true;
	if (t->page != NULL)
		store_cancel(t->page);
	t->page = NULL;
	while ((j = TAILQ_FIRST(&t->queue)) != NULL)
		twins_free_job(t, j);
	twins_rest(t);
}

/* A job is over. */
static void
twins_end_job(struct twin_job *j, enum twin_job_end end)
{
	struct twins *t = j->gw->twins;
	bool rests = t->round == TWINS_RESTING && t->failed; /* until what could not be done is tried */

	if (end == TWIN_JOB_DONE && t->down) {
		log_plain(t->gw->log, LOG_LEVEL_INFO, "the local tool works again");
		t->down = false;
	}
	if (end == TWIN_JOB_LATER && !t->failed)
		log_warn(t->gw->log, "personas' twins cannot be put right at the moment",
		    LOG_S("id", j->local_id), LOG_S("scope", j->scope));
	t->failed = t->failed || end == TWIN_JOB_LATER;
	if (end == TWIN_JOB_DONE && j->again) {
		twin_job_stop(j);
		j->again = j->running = false;
		t->running--;
		TAILQ_INSERT_HEAD(&t->queue, j, link);
	} else {
		twins_free_job(t, j);
	}
	if (end == TWIN_JOB_DOWN)
		twins_go_down(t);
	else if (end == TWIN_JOB_LATER && t->round == TWINS_RESTING && !rests)
		twins_rest(t);
	loop_timer_set(&t->step, 0);
}

/* Makes a job for a local id, unless there is one; `front`: it comes first. NULL: too many. */
static struct twin_job *
twins_job(struct twins *t, const char *scope, const char *local_id, bool check, bool front)
{
	char *key = gateway_key(scope, local_id);
	struct twin_job *j;

	HASH_FIND_STR(t->jobs, key, j);
	if (j != NULL) {
		free(key);
		j->again = j->running;
		j->check = j->check || check;
		if (front && !j->running) {
			TAILQ_REMOVE(&t->queue, j, link);
			TAILQ_INSERT_HEAD(&t->queue, j, link);
		}
		return j;
	}
	if (HASH_COUNT(t->jobs) >= TWINS_QUEUE) {
		free(key);
		return NULL;
	}
	j = mem_zero(1, sizeof *j);
	j->gw = t->gw;
	j->key = key;
	j->scope = mem_string(scope);
	j->local_id = mem_string(local_id);
	j->check = check;
	j->end = twins_end_job;
	TAILQ_INIT(&j->waits);
	HASH_ADD_KEYPTR(hh, t->jobs, j->key, strlen(j->key), j);
	if (front)
		TAILQ_INSERT_HEAD(&t->queue, j, link);
	else
		TAILQ_INSERT_TAIL(&t->queue, j, link);
	loop_timer_set(&t->step, 0);
	return j;
}

/* ---- rounds ---- */

/* The round has come to its end. */
static void
twins_end_round(struct twins *t)
{
	if (t->all && !t->cut) {
		if (twins_other(t->gw) > 0)
			log_warn(t->gw->log,
			    "personas have a twin under another id in the local tool; runs there do not "
			    "find them under the persona's id",
			    LOG_I("count", twins_other(t->gw)));
		t->checked = true;
		t->checked_at = loop_now(t->gw->loop);
	}
	twins_rest(t);
}

/* Whether what a scope has can have twins. */
static bool
twins_has(const struct gateway *gw, const char *scope)
{
	const struct resource *resource = snapshot_resource_of_scope(gw->snap, scope);

	return resource != NULL && resource->twins;
}

/* A page of what is to be compared. */
static void
twins_on_page(void *arg, struct store_reply *reply)
{
	struct twins *t = arg;

	t->page = NULL;
	for (size_t i = 0; i < reply->record_count; i++) {
		const struct store_record *r = &reply->records[i];

		t->after = r->seq;
		if (twins_has(t->gw, r->scope) && twins_job(t, r->scope, r->local_id,
		        t->all && t->round == TWINS_PERSONAS, false) == NULL)
			t->failed = t->cut = true;
	}
	if (reply->status != STORE_OK)
		t->failed = t->cut = true;
	if (reply->status != STORE_OK || reply->record_count < TWINS_PAGE) {
		t->after = 0;
		t->round = t->round == TWINS_PERSONAS ? TWINS_LEFT : TWINS_RESTING;
		if (t->round == TWINS_RESTING)
			twins_end_round(t);
	}
	loop_timer_set(&t->step, 0);
}

/* Starts jobs while there is room, and reads the next page when none is left. */
static void
twins_on_step(void *arg)
{
	struct twins *t = arg;
	struct twin_job *j;

	while (t->running < TWINS_AT_ONCE && (j = TAILQ_FIRST(&t->queue)) != NULL) {
		TAILQ_REMOVE(&t->queue, j, link);
		j->running = true;
		t->running++;
		twin_job_start(j);
	}
	if (t->round != TWINS_RESTING && t->page == NULL && t->running == 0)
		t->page = store_twin_page(t->gw->store,
		    t->round == TWINS_LEFT ? STORE_TWINS_ORPHANS
		    : t->all               ? STORE_TWINS_ALL
		                           : STORE_TWINS_DUE,
		    t->after, TWINS_PAGE, twins_on_page, t);
}

/* Begins a round. */
static void
twins_on_rest(void *arg)
{
	struct twins *t = arg;

	t->failed = t->cut = false;
	t->all = !t->checked || loop_now(t->gw->loop) >= t->checked_at + TWINS_CHECK_MS;
	t->round = TWINS_PERSONAS;
	t->after = 0;
	twins_on_step(t);
}

/* ---- what others say ---- */

/* Something is due somewhere. */
void
twin_seek(struct gateway *gw)
{
	struct twins *t = gw->twins;

	if (t == NULL || t->failed)
		return;
	t->failed = true;
	if (t->round == TWINS_RESTING)
		twins_rest(t);
}

/* Something was written. */
void
twin_touch(struct gateway *gw, const char *scope, const char *local_id)
{
	struct twins *t = gw->twins;

	if (t == NULL || !twins_has(gw, scope))
		return;
	if (t->down || twins_job(t, scope, local_id, false, true) == NULL)
		twin_seek(gw);
}

/* Something changed a twin. */
void
twin_check(struct gateway *gw, const char *scope, const char *local_id)
{
	struct twins *t = gw->twins;

	if (t == NULL || (!t->down && twins_job(t, scope, local_id, true, true) != NULL))
		return;
	t->checked = false;
	twin_seek(gw);
}

/* It was waited long enough, or it has followed. */
static void
twin_wait_on_timer(void *arg)
{
	struct twin_wait *w = arg;
	loop_fn fn = w->fn;
	void *fn_arg = w->arg;

	twin_leave(w);
	fn(fn_arg);
}

/* Waits. */
struct twin_wait *
twin_follow(struct gateway *gw, const char *scope, const char *local_id, loop_fn fn, void *arg)
{
	struct twins *t = gw->twins;
	char *key = gateway_key(scope, local_id);
	struct twin_job *j = NULL;
	struct twin_wait *w;

	twin_touch(gw, scope, local_id);
	if (t != NULL)
		HASH_FIND_STR(t->jobs, key, j);
	free(key);
	if (j == NULL)
		return NULL;
	w = mem_zero(1, sizeof *w);
	w->job = j;
	w->fn = fn;
	w->arg = arg;
	loop_timer_init(&w->timer, gw->loop, twin_wait_on_timer, w);
	loop_timer_set(&w->timer, TWINS_WAIT_MS);
	TAILQ_INSERT_TAIL(&j->waits, w, link);
	return w;
}

/* Waits no longer. */
void
twin_leave(struct twin_wait *w)
{
	if (w->job != NULL)
		TAILQ_REMOVE(&w->job->waits, w, link);
	loop_timer_cancel(&w->timer);
	free(w);
}

/* Begins. */
void
twins_start(struct gateway *gw)
{
	struct twins *t;

	if (gw->tool == NULL)
		return;
	t = gw->twins = mem_zero(1, sizeof *t);
	t->gw = gw;
	t->again_ms = TWINS_AGAIN_MIN_MS;
	TAILQ_INIT(&t->queue);
	loop_timer_init(&t->step, gw->loop, twins_on_step, t);
	loop_timer_init(&t->rest, gw->loop, twins_on_rest, t);
	loop_timer_set(&t->rest, 0);
}

/* Ends what runs. */
void
twins_free(struct gateway *gw)
{
	struct twins *t = gw->twins;
	struct twin_job *j, *next;

	if (t == NULL)
		return;
	HASH_ITER(hh, t->jobs, j, next)
		twins_free_job(t, j);
	twins_unmark_all(&t->others);
	twins_unmark_all(&t->broken);
	if (t->page != NULL)
		store_cancel(t->page);
	loop_timer_cancel(&t->step);
	loop_timer_cancel(&t->rest);
	free(t);
	gw->twins = NULL;
}
