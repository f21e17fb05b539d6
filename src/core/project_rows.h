#ifndef CORE_PROJECT_ROWS_H
#define CORE_PROJECT_ROWS_H

#include "core/snapshot.h"
#include "store/store.h"

/*
 * The projects that there are: those of the file, in its order, then, when the
 * file admits every id, those that the store knows, by id.
 */
#define PROJECT_ROWS_KNOWN 10000 /* projects from the store; more are left out */

struct project_row {
	const char *id, *name; /* belong to the snapshot or to the reply */
	bool configured;       /* has an entry of its own in the file */
	bool has_agent;
	int64_t agent_id;
	int64_t personas;      /* known here, when they were counted */
};

struct project_rows {
	struct project_row *items;
	size_t count;
	bool others; /* ids that are not listed are admitted too */
	bool cut;    /* the store knows more than were taken */
};

/* Makes the rows from the answer of store_scopes(). */
void project_rows_make(struct snapshot *, const struct store_reply *scopes,
    struct project_rows *);
void project_rows_free(struct project_rows *);

#endif
