#include "config.h"

#include "core/fence.h"
#include "base/mem.h"
#include "core/listing.h"
#include "core/peers.h"

#include <stdlib.h>
#include <string.h>

struct fence {
	struct gateway *gw;
	struct project project;
	char *local_id;
	struct store_call *store;
	struct listing_wait *listing;
	bool listed; /* the listing was asked already */
	uint64_t asked; /* when the store was */
	fence_fn fn;
	void *arg;
};

/* Frees what runs and the fence. */
static void
fence_free(struct fence *f)
{
	if (f->store != NULL)
		store_cancel(f->store);
	if (f->listing != NULL)
		listing_leave(f->listing);
	free(f->local_id);
	free(f);
}

/* Answers and ends. */
static void
fence_finish(struct fence *f, enum fence_status status, struct shelf_entry *e,
    const struct result *trouble)
{
	if (e != NULL)
		shelf_pin(e);
	f->fn(f->arg, status, e, trouble);
	if (e != NULL)
		shelf_unpin(e);
	fence_free(f);
}

static void fence_ask_store(struct fence *);

/* The listing is known: what it showed is in the store now. */
static void
fence_on_listing(void *arg, const struct listing_view *view)
{
	struct fence *f = arg;

	f->listing = NULL;
	if (view->trouble != NULL)
		fence_finish(f, FENCE_FAILED, NULL, view->trouble);
	else
		fence_ask_store(f);
}

/* The store has answered. */
static void
fence_on_record(void *arg, struct store_reply *reply)
{
	struct fence *f = arg;
	struct result trouble;

	f->store = NULL;
	gateway_store_end(f->gw, f->project.trace);
	if (reply->status == STORE_OK && !project_shows(&f->project, &reply->records[0])) {
		fence_finish(f, FENCE_UNKNOWN, NULL, NULL);
	} else if (reply->status == STORE_OK) {
		struct shelf_entry *e = peers_put(f->gw, &reply->records[0], f->asked);

		fence_finish(f, e != NULL ? FENCE_KNOWN : FENCE_UNKNOWN, e, NULL);
	} else if (reply->status != STORE_NONE) {
		gateway_read_trouble(&trouble);
		fence_finish(f, FENCE_FAILED, NULL, &trouble);
		result_clear(&trouble);
	} else if (f->project.adopts && !f->listed &&
	    resource_id_ok(f->project.resource, f->local_id)) {
		f->listed = true;
		f->listing = listing_want(f->gw, &f->project, LISTING_RECENT, fence_on_listing, f);
	} else {
		fence_finish(f, FENCE_UNKNOWN, NULL, NULL);
	}
}

/* Asks the store for the record. */
static void
fence_ask_store(struct fence *f)
{
	gateway_store_begin(f->gw, f->project.trace);
	f->asked = f->gw->sequence;
	f->store = store_get(f->gw->store, f->project.scope, f->local_id, fence_on_record, f);
}

/* Finds an item of a project. */
struct fence *
fence_find(struct gateway *gw, const struct project *p, const char *local_id, fence_fn fn, void *arg)
{
	struct fence *f = mem_zero(1, sizeof *f);

	f->gw = gw;
	f->project = *p;
	f->local_id = mem_string(local_id);
	f->fn = fn;
	f->arg = arg;
	fence_ask_store(f);
	return f;
}

/* Forgets the question. */
void
fence_cancel(struct fence *f)
{
	fence_free(f);
}
