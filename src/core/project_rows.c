#include "config.h"

#include "core/project_rows.h"
#include "core/resource_read.h"
#include "base/mem.h"
#include "config/config_find.h"

#include <stdlib.h>
#include <string.h>

static const char project_rows_prefix[] = "project:";

/* How many personas of a scope the store knows. */
static int64_t
project_rows_personas(const struct store_reply *scopes, const char *scope)
{
	size_t from = 0, to = scopes->record_count;

	while (from < to) { /* they are sorted */
		size_t half = from + (to - from) / 2;
		int order = strcmp(scopes->records[half].scope, scope);

		if (order == 0)
			return scopes->records[half].seq;
		if (order < 0)
			from = half + 1;
		else
			to = half;
	}
	return 0;
}

/* Adds a project of the file. */
static void
project_rows_add(struct snapshot *snap, const struct config_project *c,
    const struct store_reply *scopes, struct project_rows *out)
{
	struct project p;

	if (!snapshot_project(snap, c->id, resource_built_in("personas"), &p))
		return;
	out->items[out->count++] = (struct project_row){.id = c->id,
	    .name = c->name != NULL ? c->name : c->id,
	    .configured = true, .has_agent = c->has_agent, .agent_id = c->agent_id,
	    .personas = project_rows_personas(scopes, p.scope)};
}

/* Whether the file has this project. */
static bool
project_rows_is_configured(struct snapshot *snap, const char *id)
{
	return config_find_project(snap->config, id) != NULL;
}

/* Adds the projects that only the store knows. */
static void
project_rows_add_known(struct snapshot *snap, const struct store_reply *scopes,
    struct project_rows *out)
{
	size_t known = 0;

	for (size_t i = 0; i < scopes->record_count; i++) {
		const struct store_record *r = &scopes->records[i];
		const char *id = r->scope + sizeof project_rows_prefix - 1;

		if (strncmp(r->scope, project_rows_prefix, sizeof project_rows_prefix - 1) != 0 ||
		    project_rows_is_configured(snap, id))
			continue;
		if (known++ >= PROJECT_ROWS_KNOWN) {
			out->cut = true;
			return;
		}
		out->items[out->count++] =
		    (struct project_row){.id = id, .name = id, .personas = r->seq};
	}
}

/* Makes the rows. */
void
project_rows_make(struct snapshot *snap, const struct store_reply *scopes,
    struct project_rows *out)
{
	const struct config *c = snap->config;

	memset(out, 0, sizeof *out);
	out->items = mem_zero(c->project_count + scopes->record_count + 1, sizeof *out->items);
	for (size_t i = 0; i < c->project_count; i++) {
		if (strcmp(c->projects[i].id, "*") == 0)
			out->others = true;
		else
			project_rows_add(snap, &c->projects[i], scopes, out);
	}
	if (out->others)
		project_rows_add_known(snap, scopes, out);
}

/* Frees the rows. */
void
project_rows_free(struct project_rows *rows)
{
	free(rows->items);
	memset(rows, 0, sizeof *rows);
}
