#include "config.h"

#include "core/snapshot_hold.h"
#include "base/mem.h"

#include <stdlib.h>

/* Makes one with one reference. */
static struct snapshot_hold *
snapshot_hold_new(struct snapshot *snap)
{
	struct snapshot_hold *h = mem_zero(1, sizeof *h);

	h->snap = snapshot_ref(snap);
	h->refs = 1;
	return h;
}

/* Takes a reference. */
struct snapshot_hold *
snapshot_hold_take(struct snapshot_hold **current, struct snapshot *snap, bool in_force)
{
	if (!in_force)
		return snapshot_hold_new(snap);
	if (*current == NULL || (*current)->snap != snap) {
		snapshot_hold_drop(*current);
		*current = snapshot_hold_new(snap);
	}
	(*current)->refs++;
	return *current;
}

/* Gives one back. */
void
snapshot_hold_drop(struct snapshot_hold *h)
{
	if (h == NULL || --h->refs > 0)
		return;
	snapshot_unref(h->snap);
	free(h);
}
