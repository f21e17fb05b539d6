#include "config.h"

#include "core/names.h"
#include "base/mem.h"
#include "core/listing.h"

#include <stdlib.h>

struct names_wait {
	struct gateway *gw;
	struct project project;
	struct store_call *store;
	struct listing_wait *listing;
	names_fn fn;
	void *arg;
};

/* Whether the names are known, or not kept apart, or cannot be listed. */
bool
names_known(struct gateway *gw, const struct project *p)
{
	return !p->listed || !p->resource->unique || listing_ever(gw, p->scope);
}

/* Tells who waits, and frees. */
static void
names_tell(struct names_wait *w, const struct result *trouble)
{
	names_fn fn = w->fn;
	void *arg = w->arg;

	free(w);
	fn(arg, trouble);
}

/* The names upstream are known now, or cannot be. */
static void
names_on_listing(void *arg, const struct listing_view *view)
{
	names_tell(arg, view->trouble);
}

/* The store says whether the scope was ever listed. */
static void
names_on_scope(void *arg, struct store_reply *reply)
{
	struct names_wait *w = arg;
	struct result r;

	w->store = NULL;
	if (reply->status != STORE_OK) {
		gateway_store_trouble(&r);
		names_tell(w, &r);
		result_clear(&r);
	} else if (reply->number != 0) {
		listing_set_ever(w->gw, w->project.scope);
		names_tell(w, NULL);
	} else {
		w->listing = listing_want(w->gw, &w->project, LISTING_RECENT, names_on_listing, w);
	}
}

/* Waits for the names of a project's scope. */
struct names_wait *
names_want(struct gateway *gw, const struct project *p, names_fn fn, void *arg)
{
	struct names_wait *w = mem_zero(1, sizeof *w);

	w->gw = gw;
	w->project = *p;
	w->fn = fn;
	w->arg = arg;
	w->store = store_list(gw->store, p->scope, names_on_scope, w);
	return w;
}

/* Stops waiting. */
void
names_leave(struct names_wait *w)
{
	if (w == NULL)
		return;
	if (w->store != NULL)
		store_cancel(w->store);
	if (w->listing != NULL)
		listing_leave(w->listing);
	free(w);
}
