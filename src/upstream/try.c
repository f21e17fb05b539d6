#include "config.h"

#include "upstream/try.h"

/* Starts one exchange. */
struct try *
try_start(struct way *w, const struct try_request *q, try_done_fn done, void *arg)
{
	return w->kind->start(w, q, done, arg);
}

/* Cancels if need be, and frees. */
void
try_free(struct try *t)
{
	if (t != NULL)
		t->kind->cancel(t);
}

/* Keeps nothing. */
void
way_renew(struct way *w)
{
	w->kind->renew(w);
}

/* Whether nobody is on it. */
bool
way_is_idle(const struct way *w)
{
	return w->kind->is_idle(w);
}

/* Closes it. */
void
way_free(struct way *w)
{
	if (w != NULL)
		w->kind->free(w);
}
