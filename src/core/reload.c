#include "config.h"

#include "core/reload.h"
#include "base/mem.h"
#include "core/change.h"
#include "core/clients.h"
#include "core/create.h"
#include "core/gateway_impl.h"
#include "core/resource_read.h"
#include "core/upkeep.h"

#include <stdlib.h>

/* One reload. */
struct reload {
	struct gateway *gw;
	struct snapshot *snap;
	gateway_reload_fn done;
	void *arg;
};

/* Frees a reload. */
static void
reload_end(struct reload *r)
{
	r->gw->reload = NULL;
	snapshot_unref(r->snap);
	free(r);
}

/* Goes on with a write that belonged to no project before, and does now. One that another
 * gateway left is seen when those are looked for (peers.h). */
static void
reload_wake(struct gateway *gw, struct snapshot *before, const struct store_intent *in)
{
	struct project p;

	if (!in->held || snapshot_project_of_scope(before, in->scope, in->project, &p) ||
	    !snapshot_project_of_scope(gw->snap, in->scope, in->project, &p))
		return;
	if (in->operation == STORE_CREATE)
		create_resume(gw, in);
	else
		change_resume(gw, in);
}

/* Forgets what memory holds of projects whose records belong to an agent from now on. */
static void
reload_forget_moved(struct gateway *gw, struct snapshot *before)
{
	const struct config *c = gw->snap->config;
	struct project was, is;

	for (size_t i = 0; i < c->project_count; i++) {
		const char *id = c->projects[i].id;

		if (snapshot_project(gw->snap, id, resource_built_in("personas"), &is) && is.has_agent &&
		    snapshot_project(before, id, resource_built_in("personas"), &was) && !was.has_agent)
			shelf_drop_scope(gw->shelf, was.scope);
	}
}

/* Puts the snapshot into force. */
static void
reload_swap(struct gateway *gw, struct snapshot *snap, const struct store_reply *unsettled)
{
	struct snapshot *before = gw->snap;

	snap->generation = ++gw->generations;
	if (gw->crew != NULL)
		snapshot_share(snap, gw->loop);
	gateway_set_snapshot(gw, snap);
	keyring_take(&gw->keyring, snap->config);
	reload_forget_moved(gw, before);
	shelf_resize(gw->shelf, (size_t)snap->config->bluejay.cache_size);
	gateway_record(gw);
	for (size_t i = 0; i < unsettled->intent_count; i++)
		reload_wake(gw, before, &unsettled->intents[i]);
	upkeep_again(gw->upkeep);
	snapshot_unref(before);
}

/* The store has told what is unsettled, or cannot. */
static void
reload_on_intents(void *arg, struct store_reply *reply)
{
	struct reload *r = arg;
	gateway_reload_fn done = r->done;
	void *done_arg = r->arg;
	struct fail fail;
	bool ok = clients_adjust(r->gw, r->snap, &fail) == 0;

	if (ok)
		reload_swap(r->gw, r->snap, reply);
	reload_end(r);
	done(done_arg, ok ? NULL : fail.text);
}

/* The records are where they belong; intents have moved with them. */
static void
reload_on_joined(void *arg)
{
	struct reload *r = arg;

	store_intents(r->gw->store, reload_on_intents, r);
}

/* Begins. */
void
gateway_reload(struct gateway *gw, struct snapshot *snap, gateway_reload_fn done, void *arg)
{
	struct reload *r = mem_zero(1, sizeof *r);

	r->gw = gw;
	r->snap = snapshot_ref(snap);
	r->done = done;
	r->arg = arg;
	gw->reload = r;
	upkeep_join(gw->upkeep, snap, reload_on_joined, r);
}

/* Forgets. */
void
reload_free(struct gateway *gw)
{
	if (gw->reload != NULL)
		reload_end(gw->reload);
}
