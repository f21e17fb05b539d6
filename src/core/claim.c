#include "config.h"

#include "core/claim.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define CLAIM_CLOCK_SKEW_MS (5 * 60 * 1000) /* how far the upstream's clock may be behind ours */

/* Begins to wait. */
void
claim_add(struct gateway *gw, struct claim *c)
{
	TAILQ_INSERT_TAIL(&gw->claims, c, link);
}

/* Waits no longer. */
void
claim_remove(struct gateway *gw, struct claim *c)
{
	TAILQ_REMOVE(&gw->claims, c, link);
	json_object_put(c->found);
	c->found = NULL;
	free(c->made_id);
	c->made_id = NULL;
}

/* Keeps what was found. */
void
claim_keep(struct claim *c, struct json_object *item, int64_t created_ms)
{
	json_object_get(item);
	json_object_put(c->found);
	c->found = item;
	c->found_ms = created_ms;
}

/* Whether a listing of a project may show what a create made: one of its scope, or
 * one that the scopes share. */
static bool
claim_concerns(const struct claim *c, const struct project *p)
{
	return strcmp(c->project->scope, p->scope) == 0 ||
	    (p->resource->shared && c->project->resource == p->resource);
}

/* The same, with the create's own key: another one may see another organisation. */
static bool
claim_sees(const struct claim *c, const struct project *p)
{
	return claim_concerns(c, p) && project_same_key(p, c->project->api_key);
}

/* Whether an item is called as the create's. */
static bool
claim_is_namesake(const struct claim *c, struct json_object *item)
{
	const char *name = resource_label(c->project->resource, c->project->mapping, item);

	return name != NULL && c->name != NULL && strcmp(name, c->name) == 0;
}

/* Whether an item made at this time is what a create made. */
static bool
claim_fits(const struct claim *c, struct json_object *item, const char *id, int64_t created)
{
	if (c->sent == NULL)
		return false;
	if (c->made_id != NULL)
		return id != NULL && strcmp(id, c->made_id) == 0;
	return created >= c->created_ms - CLAIM_CLOCK_SKEW_MS &&
	    resource_matches(c->project->resource, c->project->mapping, c->sent, item);
}

/* Notes an item that no create made as far as it shows: one that has a create's name
 * may be the create's all the same, changed by the upstream or from a clock that is
 * further off than is allowed for, and then another POST would double it. An older
 * one is of no account where names need not differ. */
static void
claim_note(struct gateway *gw, const struct project *p, struct json_object *item, int64_t created)
{
	struct claim *c;

	TAILQ_FOREACH(c, &gw->claims, link) {
		bool young = created >= c->created_ms - CLAIM_CLOCK_SKEW_MS;

		if (!(c->awaited || c->looking) || c->made_id != NULL || !claim_sees(c, p) ||
		    !claim_is_namesake(c, item))
			continue;
		c->namesake = c->namesake || young;
		c->elder = c->elder || (!young && p->resource->unique);
	}
}

/* Whether any create looks for something. */
bool
claim_is_looked_for(const struct gateway *gw, const struct project *p)
{
	const struct claim *c;

	TAILQ_FOREACH(c, &gw->claims, link)
		if (c->looking && claim_sees(c, p))
			return true;
	return false;
}

/* Whether an item may belong to a create whose answer is awaited. */
static bool
claim_is_awaited(const struct gateway *gw, const struct project *p, struct json_object *item,
    const char *id, int64_t created)
{
	const struct claim *c;

	TAILQ_FOREACH(c, &gw->claims, link)
		if (c->awaited && claim_concerns(c, p) && claim_fits(c, item, id, created))
			return true;
	return false;
}

/* Gives an item to the first create that looks for it and does not have an older one;
 * those that have to see the next are told so by `awaited`. Whether it fits any. */
static bool
claim_give(struct gateway *gw, const struct project *p, struct json_object *item, const char *id,
    int64_t created, bool awaited)
{
	struct claim *c;
	bool fits = false;

	TAILQ_FOREACH(c, &gw->claims, link) {
		if (!c->looking || !claim_sees(c, p) || !claim_fits(c, item, id, created))
			continue;
		fits = true;
		if (awaited) {
			c->withheld = true;
		} else if (c->found == NULL || created < c->found_ms) {
			claim_keep(c, item, created);
			break;
		}
	}
	return fits;
}

/* What a listing shows of a scope's creates. */
enum claim_match
claim_match_listed(struct gateway *gw, const struct project *p, struct json_object *item)
{
	const char *id = resource_id(p->resource, item);
	int64_t created = resource_created(p->resource, item, loop_wall(gw->loop));
	bool awaited, fits;

	awaited = claim_is_awaited(gw, p, item, id, created);
	fits = claim_give(gw, p, item, id, created, awaited);
	if (awaited)
		return CLAIM_WITHHELD;
	if (fits)
		return CLAIM_FOUND;
	claim_note(gw, p, item, created);
	return CLAIM_NONE;
}

/* Tells those that found theirs. */
void
claim_listed_end(struct gateway *gw, const struct project *p)
{
	struct claim *c, *next;

	for (c = TAILQ_FIRST(&gw->claims); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->looking && c->found != NULL && claim_sees(c, p))
			c->shown(c->arg);
	}
}
