#include "config.h"

#include "core/listing.h"
#include "base/mem.h"
#include "core/listing_impl.h"
#include "core/listing_known.h"
#include "core/peers.h"

#include <stdlib.h>
#include <string.h>

/* Lets a waiter wait for a run. */
static void
listing_join(struct listing_wait *w, struct listing_run *run)
{
	w->run = run;
	TAILQ_INSERT_TAIL(listing_run_waits(run), w, link);
}

/* Starts a run for those who wanted a later one, as far as they have the snapshot and
 * the key of the first; the others wait for the run after it. */
static void
listing_start_next(struct listing *l)
{
	struct listing_wait *w = TAILQ_FIRST(&l->next), *after;
	enum listing_age age = LISTING_NEW;

	if (w == NULL || l->run != NULL)
		return;
	TAILQ_FOREACH(after, &l->next, link)
		age = after->age > age ? after->age : age;
	l->run = listing_run_start(l, &w->project, age);
	for (; w != NULL; w = after) {
		after = TAILQ_NEXT(w, link);
		if (!project_same_snapshot(&w->project, listing_run_project(l->run)) ||
		    !project_same_key(&w->project, listing_run_project(l->run)->api_key))
			continue;
		TAILQ_REMOVE(&l->next, w, link);
		listing_join(w, l->run);
	}
}

/* A run is over. */
static void
listing_finish(struct listing *l, struct listing_run *run, const struct listing_view *view)
{
	struct listing_waits *waits = listing_run_waits(run);
	struct listing_wait *w;

	l->run = NULL;
	if (view->trouble == NULL) {
		l->done_at = loop_now(l->gw->loop);
		l->done_sequence = listing_run_sequence(run);
		l->ever = true;
	}
	while ((w = TAILQ_FIRST(waits)) != NULL) {
		TAILQ_REMOVE(waits, w, link);
		w->fn(w->arg, view);
		free(w);
	}
	listing_run_free(run);
	listing_start_next(l);
}

/* Finds the listing of a scope, making it when asked to. */
static struct listing *
listing_of(struct gateway *gw, const char *scope, bool make)
{
	struct listing *l;

	HASH_FIND_STR(gw->listings, scope, l);
	if (l != NULL || !make)
		return l;
	l = mem_zero(1, sizeof *l);
	l->gw = gw;
	l->scope = mem_string(scope);
	l->epoch = epoch_watch(gw, scope);
	l->finish = listing_finish;
	TAILQ_INIT(&l->next);
	TAILQ_INIT(&l->quick);
	HASH_ADD_KEYPTR(hh, gw->listings, l->scope, strlen(l->scope), l);
	return l;
}

/* Whether what a run showed, one that started at `sequence` and ended at `at`, is
 * still good enough. */
static bool
listing_young(const struct listing *l, uint64_t sequence, int64_t at)
{
	return at != 0 && sequence > l->epoch->written && peers_told(l->gw) &&
	    loop_now(l->gw->loop) - at < l->gw->snap->config->bluejay.cache_fresh;
}

/* Answers a waiter from what is remembered. */
static void
listing_on_now(void *arg)
{
	struct listing_wait *w = arg;
	struct listing_view view = {.complete = false};

	TAILQ_REMOVE(&w->listing->quick, w, link);
	w->fn(w->arg, &view);
	free(w);
}

/* Waits for a listing. */
struct listing_wait *
listing_want(struct gateway *gw, const struct project *p, enum listing_age age, listing_fn fn,
    void *arg)
{
	struct listing *l = listing_of(gw, p->scope, true);
	struct listing_wait *w = mem_zero(1, sizeof *w);

	w->listing = l;
	w->project = *p;
	w->age = age;
	w->fn = fn;
	w->arg = arg;
	loop_timer_init(&w->now, gw->loop, listing_on_now, w);
	if (age == LISTING_RECENT && listing_young(l, l->done_sequence, l->done_at)) {
		TAILQ_INSERT_TAIL(&l->quick, w, link);
		loop_timer_set(&w->now, 0);
	} else if (l->run != NULL && age == LISTING_RECENT &&
	    listing_run_sequence(l->run) > l->epoch->written && peers_told(gw) &&
	    project_same_snapshot(p, listing_run_project(l->run)) &&
	    project_same_key(p, listing_run_project(l->run)->api_key)) {
		gw->cache_joined++;
		listing_join(w, l->run);
	} else if (l->run != NULL) {
		TAILQ_INSERT_TAIL(&l->next, w, link);
	} else {
		l->run = listing_run_start(l, p, age);
		listing_join(w, l->run);
	}
	return w;
}

/* Stops waiting; a run that nobody waits for is ended. */
void
listing_leave(struct listing_wait *w)
{
	struct listing *l = w->listing;
	struct listing_run *run = w->run;

	if (run != NULL) {
		TAILQ_REMOVE(listing_run_waits(run), w, link);
	} else if (w->now.armed) {
		loop_timer_cancel(&w->now);
		TAILQ_REMOVE(&l->quick, w, link);
	} else {
		TAILQ_REMOVE(&l->next, w, link);
	}
	free(w);
	if (run != NULL && run == l->run && TAILQ_EMPTY(listing_run_waits(run)) &&
	    TAILQ_EMPTY(&l->next)) {
		l->run = NULL;
		listing_run_free(run);
	}
}

/* The remembered local list. */
const struct list_body *
listing_body(struct gateway *gw, const struct project *p)
{
	struct listing *l = listing_of(gw, p->scope, false);

	if (l == NULL || l->body.body == NULL || l->body_made_by != p->generation ||
	    !listing_young(l, l->body_sequence, l->body_at))
		return NULL;
	return &l->body;
}

/* The same, however old, unless a write is known that came later. */
const struct list_body *
listing_last_body(struct gateway *gw, const struct project *p, int64_t *age_ms)
{
	struct listing *l = listing_of(gw, p->scope, false);

	if (l == NULL || l->body.body == NULL || l->body_made_by != p->generation ||
	    l->body_sequence <= l->epoch->own)
		return NULL;
	*age_ms = loop_now(gw->loop) - l->body_at;
	return &l->body;
}

/* Remembers the local list that the last run showed. */
const struct list_body *
listing_keep_rows(struct gateway *gw, const struct project *p, const struct listing_view *view)
{
	struct listing *l = listing_of(gw, p->scope, true);
	struct list_text text;

	list_text_begin(&text);
	for (size_t i = 0; i < view->count; i++)
		list_text_add(&text, view->rows[i].body, view->rows[i].body_len, view->rows[i].etag);
	list_body_clear(&l->body);
	list_text_end(&text, &l->body);
	l->body_made_by = p->generation;
	l->body_at = loop_now(gw->loop);
	l->body_sequence = l->done_sequence;
	return &l->body;
}

/* Whether the scope was ever listed. */
bool
listing_ever(struct gateway *gw, const char *scope)
{
	return listing_of(gw, scope, true)->ever;
}

/* Notes that the store knows a listing from an earlier run. */
void
listing_set_ever(struct gateway *gw, const char *scope)
{
	listing_of(gw, scope, true)->ever = true;
}

/* Frees waiters of a kind. */
static void
listing_free_waits(struct listing_waits *waits)
{
	struct listing_wait *w;

	while ((w = TAILQ_FIRST(waits)) != NULL) {
		TAILQ_REMOVE(waits, w, link);
		loop_timer_cancel(&w->now);
		free(w);
	}
}

/* Cuts what runs and forgets everything. */
void
listing_free_all(struct gateway *gw)
{
	struct listing *l, *next;

	HASH_ITER(hh, gw->listings, l, next) {
		HASH_DEL(gw->listings, l);
		if (l->run != NULL) {
			listing_free_waits(listing_run_waits(l->run));
			listing_run_free(l->run);
		}
		listing_free_waits(&l->next);
		listing_free_waits(&l->quick);
		list_body_clear(&l->body);
		listing_known_forget(l);
		free(l->scope);
		free(l);
	}
}
