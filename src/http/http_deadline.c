#include "config.h"

#include "http/http_deadline.h"

#include <stddef.h>

/* Ends what is due, then waits for the first that is not. */
static void
http_deadlines_on_timer(void *arg)
{
	struct http_deadlines *k = arg;
	int64_t now = loop_now(k->loop);
	struct http_deadline *d;

	while ((d = TAILQ_FIRST(&k->list)) != NULL && d->due <= now) {
		http_deadline_clear(d);
		k->fn(d->owner);
	}
	if (d != NULL)
		loop_timer_set(&k->timer, d->due - now);
}

/* Prepares a kind. */
void
http_deadlines_init(struct http_deadlines *k, struct loop *loop, int64_t ms,
    void (*fn)(void *owner))
{
	TAILQ_INIT(&k->list);
	k->loop = loop;
	k->ms = ms;
	k->fn = fn;
	loop_timer_init(&k->timer, loop, http_deadlines_on_timer, k);
}

/* Changes how long new ones last. */
void
http_deadlines_change(struct http_deadlines *k, int64_t ms)
{
	k->ms = ms;
}

/* Forgets the timer. */
void
http_deadlines_stop(struct http_deadlines *k)
{
	loop_timer_cancel(&k->timer);
}

/* Starts a deadline at its place in the list, which is the end of it unless longer ones
 * were started before a change. */
void
http_deadline_set(struct http_deadline *d, struct http_deadlines *k, void *owner)
{
	struct http_deadline *before;

	http_deadline_clear(d);
	if (k->ms <= 0)
		return;
	d->kind = k;
	d->owner = owner;
	d->due = loop_now(k->loop) + k->ms;
	before = TAILQ_LAST(&k->list, http_deadline_list);
	while (before != NULL && before->due > d->due)
		before = TAILQ_PREV(before, http_deadline_list, link);
	if (before != NULL)
		TAILQ_INSERT_AFTER(&k->list, before, d, link);
	else
		TAILQ_INSERT_HEAD(&k->list, d, link);
	if (!k->timer.armed || k->timer.due > d->due)
		loop_timer_set(&k->timer, k->ms);
}

/* Stops a deadline; fine when it does not run. */
void
http_deadline_clear(struct http_deadline *d)
{
	if (d->kind == NULL)
		return;
	TAILQ_REMOVE(&d->kind->list, d, link);
	d->kind = NULL;
}
