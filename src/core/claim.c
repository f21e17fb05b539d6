#include "config.h"

#include "core/claim.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "json/json_text.h"

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

/* Whether an item is called as the create's. */
static bool
claim_is_namesake(const struct claim *c, struct json_object *item)
{
	const char *name = mapping_persona_name(c->mapping, item);

	return name != NULL && strcmp(name, c->name) == 0;
}

/* Whether an item made at this time can be what a create made. One that only has
 * its name is noted: it may be the create's all the same, changed by the upstream or
 * from a clock that is further off than is allowed for, and then another POST would
 * double it. */
static bool
claim_fits(struct claim *c, struct json_object *item, const char *id, int64_t created)
{
	bool young = created >= c->created_ms - CLAIM_CLOCK_SKEW_MS;

	if (c->made_id != NULL)
		return id != NULL && strcmp(id, c->made_id) == 0;
	if (young && mapping_sent_matches(c->mapping, c->sent, item))
		return true;
	if (claim_is_namesake(c, item)) {
		c->namesake = c->namesake || young;
		c->elder = c->elder || !young;
	}
	return false;
}

/* What a listing shows of a scope's creates. */
enum claim_match
claim_match_listed(struct gateway *gw, const char *scope, struct json_object *item)
{
	enum claim_match match = CLAIM_NONE;
	const char *text = json_get_string(item, "created_at");
	const char *id = json_get_string(item, "id");
	struct claim *c;
	int64_t created;

	if (text == NULL || !timestamp_parse(text, strlen(text), &created))
		created = loop_wall(gw->loop);
	TAILQ_FOREACH(c, &gw->claims, link) {
		if (!(c->awaited || c->looking) || c->sent == NULL || strcmp(c->scope, scope) != 0 ||
		    !claim_fits(c, item, id, created))
			continue;
		if (!c->looking) {
			match = CLAIM_WITHHELD;
			continue;
		}
		if (c->found == NULL || created < c->found_ms)
			claim_keep(c, item, created);
		return CLAIM_FOUND;
	}
	return match;
}

/* Tells those that found theirs. */
void
claim_listed_end(struct gateway *gw, const char *scope)
{
	struct claim *c, *next;

	for (c = TAILQ_FIRST(&gw->claims); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->looking && c->found != NULL && strcmp(c->scope, scope) == 0)
			c->shown(c->arg);
	}
}
