#include "config.h"

#include "core/peer_claims.h"
#include "base/mem.h"
#include "core/claim.h"
#include "json/json_read.h"

#include <stdlib.h>
#include <string.h>

/* One create of another gateway. */
struct peer_claim {
	struct claim claim;
	struct project project;
	char *name;
	struct json_object *sent;
};

struct peer_claims {
	struct gateway *gw;
	struct snapshot *snap;
	struct project project; /* of the listing */
	struct store_call *store;
	struct peer_claim *claims;
	size_t count;
	peer_claims_fn done;
	void *arg;
};

/* Nobody tells such a claim anything. */
static void
peer_claims_on_shown(void *arg)
{
	(void)arg;
}

/* Whether an intent may have made what a listing of the project shows. */
static bool
peer_claims_concerns(const struct peer_claims *p, const struct store_intent *in)
{
	if (in->operation != STORE_CREATE || in->held || in->state == STORE_OPERATOR ||
	    in->sent == NULL)
		return false;
	if (strcmp(in->scope, p->project.scope) == 0)
		return true;
	return p->project.resource->shared &&
	    snapshot_resource_of_scope(p->snap, in->scope) == p->project.resource;
}

/* Adds an intent to the claims. */
static void
peer_claims_add(struct peer_claims *p, const struct store_intent *in)
{
	struct peer_claim *c = &p->claims[p->count];

	if (!peer_claims_concerns(p, in) ||
	    !json_read(in->sent, strlen(in->sent), &c->sent, NULL))
		return;
	p->count++;
	if (!snapshot_project_of_scope(p->snap, in->scope, in->project, &c->project))
		c->project = p->project;
	c->name = mem_string(in->name != NULL
	        ? in->name
	        : resource_label(c->project.resource, c->project.mapping, c->sent));
	c->claim = (struct claim){.project = &c->project, .name = c->name, .sent = c->sent,
	    .created_ms = in->created_ms, .awaited = true, .shown = peer_claims_on_shown};
	claim_add(p->gw, &c->claim);
}

/* The intents are known. */
static void
peer_claims_on_intents(void *arg, struct store_reply *reply)
{
	struct peer_claims *p = arg;

	p->store = NULL;
	p->claims = mem_zero(reply->intent_count + 1, sizeof *p->claims);
	for (size_t i = 0; i < reply->intent_count; i++)
		peer_claims_add(p, &reply->intents[i]);
	p->done(p->arg, reply->status == STORE_OK);
}

/* Asks. */
struct peer_claims *
peer_claims_ask(struct gateway *gw, const struct project *project, peer_claims_fn done, void *arg)
{
	struct peer_claims *p = mem_zero(1, sizeof *p);

	p->gw = gw;
	p->snap = snapshot_ref(project->snap);
	p->project = *project;
	p->done = done;
	p->arg = arg;
	p->store = store_intents(gw->store, peer_claims_on_intents, p);
	return p;
}

/* Forgets them. */
void
peer_claims_end(struct peer_claims *p)
{
	if (p == NULL)
		return;
	if (p->store != NULL)
		store_cancel(p->store);
	for (size_t i = 0; i < p->count; i++) {
		claim_remove(p->gw, &p->claims[i].claim);
		json_object_put(p->claims[i].sent);
		free(p->claims[i].name);
	}
	free(p->claims);
	snapshot_unref(p->snap);
	free(p);
}
