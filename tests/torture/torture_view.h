#ifndef TORTURE_VIEW_H
#define TORTURE_VIEW_H

#include "torture_lane.h"

#include <uthash.h>

/* What the simulated Bluejay has, and the gateway's lists beside it. */

struct view_item {
	const char *id, *name, *description, *goal;
	int project;                /* index; -1: of no project here */
	struct json_object *persona; /* as Bluejay has it */
	struct json_object *local;   /* as the gateway lists it; NULL: it does not */
	bool claimed;                /* a client's answers explain it */
	UT_hash_handle hh;
};

struct view {
	struct world *world;
	struct json_object *state;
	struct json_object *lists[WORLD_PROJECTS];
	struct view_item *pool, *items; /* by id */
	size_t count;
};

/* Reads everything; what a gateway lists and Bluejay has not is noted as wrong. */
void view_read(struct view *, struct world *, unsigned gateway);
void view_free(struct view *);
/* An item by its id; NULL: none. */
struct view_item *view_find(const struct view *, const char *id);

#endif
