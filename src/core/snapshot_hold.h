#ifndef CORE_SNAPSHOT_HOLD_H
#define CORE_SNAPSHOT_HOLD_H

#include "core/snapshot.h"

/*
 * References of one loop to a snapshot, for what comes with every request: however many they
 * are, they are one reference of the snapshot's own, which all loops count in the same
 * place. A hold belongs to the thread of its loop.
 */
struct snapshot_hold {
	struct snapshot *snap;
	unsigned refs;
};

/* A reference to a snapshot. While that is the one in force, *current is the hold of it,
 * and has one for itself; NULL: none yet. */
struct snapshot_hold *snapshot_hold_take(struct snapshot_hold **current, struct snapshot *,
    bool in_force);
void snapshot_hold_drop(struct snapshot_hold *); /* also of NULL */

#endif
