#include "config.h"

#include "core/epoch.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Remembers a scope. */
const struct epoch *
epoch_watch(struct gateway *gw, const char *scope)
{
	struct epoch *e;

	HASH_FIND_STR(gw->epochs, scope, e);
	if (e != NULL)
		return e;
	e = mem_zero(1, sizeof *e);
	e->scope = mem_string(scope);
	HASH_ADD_KEYPTR(hh, gw->epochs, e->scope, strlen(e->scope), e);
	return e;
}

/* Outdates a scope. */
static void
epoch_outdate(const struct gateway *gw, struct epoch *e, bool own)
{
	e->written = gw->sequence;
	if (own)
		e->own = gw->sequence;
}

/* Outdates a scope, and all that share its items. */
static void
epoch_outdate_scope(struct gateway *gw, const char *scope, bool own)
{
	const struct resource *resource = snapshot_resource_of_scope(gw->snap, scope);
	struct epoch *e;

	gw->sequence++;
	HASH_FIND_STR(gw->epochs, scope, e);
	if (resource == NULL || !resource->shared) {
		if (e != NULL)
			epoch_outdate(gw, e, own);
		return;
	}
	for (e = gw->epochs; e != NULL; e = e->hh.next)
		if (snapshot_resource_of_scope(gw->snap, e->scope) == resource)
			epoch_outdate(gw, e, own);
}

/* Notes a write. */
void
epoch_touch(struct gateway *gw, const char *scope)
{
	epoch_outdate_scope(gw, scope, true);
}

/* Notes a difference that was only seen. */
void
epoch_see(struct gateway *gw, const char *scope)
{
	epoch_outdate_scope(gw, scope, false);
}

/* Notes a write that may have changed any scope. */
void
epoch_touch_all(struct gateway *gw)
{
	struct epoch *e, *next;

	gw->sequence++;
	HASH_ITER(hh, gw->epochs, e, next)
		epoch_outdate(gw, e, true);
}

/* Buries an item in every scope that is watched. */
void
epoch_bury(struct gateway *gw, const struct resource *resource, const char *local_id,
    const char *upstream_id)
{
	for (const struct epoch *e = gw->epochs; e != NULL; e = e->hh.next)
		if (snapshot_resource_of_scope(gw->snap, e->scope) == resource)
			shelf_bury(gw->shelf, e->scope, local_id, upstream_id);
}

/* Forgets every scope. */
void
epoch_free_all(struct gateway *gw)
{
	struct epoch *e, *next;

	HASH_ITER(hh, gw->epochs, e, next) {
		HASH_DEL(gw->epochs, e);
		free(e->scope);
		free(e);
	}
}
