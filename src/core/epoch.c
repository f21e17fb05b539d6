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

/* Notes a write of a resource that scopes share. */
static void
epoch_touch_shared(struct gateway *gw, const struct resource *resource)
{
	for (struct epoch *e = gw->epochs; e != NULL; e = e->hh.next)
		if (snapshot_resource_of_scope(gw->snap, e->scope) == resource)
			e->written = gw->sequence;
}

/* Notes a write. */
void
epoch_touch(struct gateway *gw, const char *scope)
{
	const struct resource *resource = snapshot_resource_of_scope(gw->snap, scope);
	struct epoch *e;

	gw->sequence++;
	HASH_FIND_STR(gw->epochs, scope, e);
	if (resource != NULL && resource->shared)
		epoch_touch_shared(gw, resource);
	else if (e != NULL)
		e->written = gw->sequence;
}

/* Notes a write that may have changed any scope. */
void
epoch_touch_all(struct gateway *gw)
{
	struct epoch *e, *next;

	gw->sequence++;
	HASH_ITER(hh, gw->epochs, e, next)
		e->written = gw->sequence;
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
