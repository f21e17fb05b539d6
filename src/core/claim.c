#include "config.h"

#include "core/claim.h"
#include "base/timestamp.h"
#include "json/json_text.h"

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
}

/* Whether a persona made at this time can be what a create made. */
static bool
claim_fits(const struct claim *c, const char *scope, struct json_object *persona, int64_t created)
{
	return (c->awaited || c->looking) && c->sent != NULL && strcmp(c->scope, scope) == 0 &&
	    created >= c->created_ms - CLAIM_CLOCK_SKEW_MS &&
	    mapping_sent_matches(c->mapping, c->sent, persona);
}

/* What a listing shows of a scope's creates. */
enum claim_match
claim_match_listed(struct gateway *gw, const char *scope, struct json_object *persona)
{
	enum claim_match match = CLAIM_NONE;
	const char *text = json_get_string(persona, "created_at");
	struct claim *c;
	int64_t created;

	if (text == NULL || !timestamp_parse(text, strlen(text), &created))
		created = loop_wall(gw->loop);
	TAILQ_FOREACH(c, &gw->claims, link) {
		if (!claim_fits(c, scope, persona, created))
			continue;
		if (!c->looking) {
			match = CLAIM_WITHHELD;
			continue;
		}
		if (c->found == NULL || created < c->found_ms) {
			json_object_put(c->found);
			c->found = json_object_get(persona);
			c->found_ms = created;
		}
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
