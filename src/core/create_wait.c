#include "config.h"

#include "core/create_impl.h"

#include <stdlib.h>

#define CREATE_WAIT_RETRY_AFTER_MS 5000 /* told to clients that stand behind an unsettled create */

/* Takes a client out of the creation's lists. */
void
create_wait_detach(struct create_wait *w)
{
	if (w->state == CREATE_WAIT_JOINED)
		TAILQ_REMOVE(&w->creation->joined, w, link);
	else if (w->state == CREATE_WAIT_BEHIND)
		TAILQ_REMOVE(&w->creation->behind, w, link);
}

/* Gives one client its result. */
void
create_wait_give(struct create_wait *w, struct result *result)
{
	create_wait_detach(w);
	loop_timer_cancel(&w->timer);
	w->state = CREATE_WAIT_DONE;
	w->creation = NULL;
	w->done(w->arg, result);
	result_clear(result);
}

/* Gives every joined client a copy. */
void
create_wait_give_all(struct creation *c, const struct result *result, bool hand)
{
	struct create_waits mine = TAILQ_HEAD_INITIALIZER(mine);
	struct create_wait *w;

	TAILQ_CONCAT(&mine, &c->joined, link);
	TAILQ_FOREACH(w, &mine, link) {
		loop_timer_cancel(&w->timer);
		w->state = CREATE_WAIT_DONE;
		w->creation = hand ? c : NULL;
	}
	while ((w = TAILQ_FIRST(&mine)) != NULL) {
		struct result copy;

		TAILQ_REMOVE(&mine, w, link);
		result_copy(&copy, result);
		w->done(w->arg, &copy);
		result_clear(&copy);
	}
}

/* What a client is told while the name is held by an unsettled create. */
void
create_wait_held(struct result *r, const struct create_wait *w)
{
	result_error(r, 503,
	    "A create of %s \"%s\" with another body is not settled yet; try again later",
	    w->project.resource->noun, w->name);
	r->retry_after = CREATE_WAIT_RETRY_AFTER_MS;
}

/* Refuses those who stand behind. */
void
create_wait_refuse_behind(struct creation *c)
{
	struct create_wait *w;
	struct result r;

	while ((w = TAILQ_FIRST(&c->behind)) != NULL) {
		create_wait_held(&r, w);
		create_wait_give(w, &r);
	}
}

/* The client's deadline has come. */
void
create_wait_expire(struct create_wait *w)
{
	struct result r;

	if (w->state == CREATE_WAIT_BEHIND)
		create_wait_held(&r, w);
	else
		result_error(&r, 504,
		    "It is not known yet whether Bluejay created this %s; the gateway keeps looking. "
		    "Send the same request again to learn the outcome (an Idempotency-Key makes this exact)",
		    w->project.resource->noun);
	create_wait_give(w, &r);
}

/* Lets waiting clients try again, in their order. */
void
create_wait_retry_all(struct create_waits *waits)
{
	struct create_wait *w;

	while ((w = TAILQ_FIRST(waits)) != NULL) {
		TAILQ_REMOVE(waits, w, link);
		w->state = CREATE_WAIT_START;
		w->creation = NULL;
		w->attempt(w);
	}
}
