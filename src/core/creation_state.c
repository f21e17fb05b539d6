#include "config.h"

#include "core/create_impl.h"
#include "core/follow.h"

#include <stdlib.h>
#include <string.h>

static const char *const creation_names[] = {"opening", "beginning", "twinning", "sending",
    "waiting", "looking", "settling", "dropping", "handing"};

/* Whether the outcome of a sent create is being looked for. */
bool
creation_is_unsettled(const struct creation *c)
{
	return c->state == CREATION_WAITING || c->state == CREATION_LOOKING;
}

/* Whether an item is being told to those who created it. */
bool
creation_is_handing(const struct gateway *gw, const char *scope, const char *local_id)
{
	const struct creation *c;

	for (c = gw->creations; c != NULL; c = c->hh.next)
		if (c->state == CREATION_HANDING && c->local_id != NULL &&
		    strcmp(c->local_id, local_id) == 0 && strcmp(c->project.scope, scope) == 0)
			return true;
	return false;
}

/* Counts the bytes of what is unsettled. */
static void
creation_weigh(struct creation *c, bool on)
{
	size_t now = on && c->intent.sent != NULL ? strlen(c->intent.sent) : 0;

	c->gw->unsettled_bytes += now - c->weight;
	c->weight = now;
}

/* Moves to another state. */
void
creation_set(struct creation *c, enum creation_state state)
{
	log_debug(c->gw->log, "create", LOG_S("intent", c->intent.id),
	    LOG_S("from", creation_names[c->state]), LOG_S("to", creation_names[state]));
	c->state = state;
	if (state == CREATION_BEGINNING || state == CREATION_SETTLING || state == CREATION_DROPPING)
		gateway_store_begin(c->gw, c->project.trace);
	else
		gateway_store_end(c->gw, c->project.trace);
	c->claim.awaited = state == CREATION_SENDING || state == CREATION_SETTLING;
	c->claim.looking = creation_is_unsettled(c);
	creation_weigh(c, creation_is_unsettled(c));
}

/* Counts or uncounts a write that must not be cut by a stop. */
void
creation_count(struct creation *c, bool on)
{
	if (on && !c->counted)
		c->gw->writes_running++;
	else if (!on && c->counted)
		c->gw->writes_running--;
	c->counted = on;
}

/* Frees a create; clients behind it are the caller's. */
void
creation_free(struct creation *c)
{
	creation_count(c, false);
	creation_weigh(c, false);
	HASH_DEL(c->gw->creations, c);
	loop_timer_cancel(&c->timer);
	if (c->store != NULL)
		store_cancel(c->store);
	if (c->call != NULL)
		upstream_cancel(c->call);
	if (c->listing != NULL)
		listing_leave(c->listing);
	names_leave(c->names);
	if (c->fetch != NULL)
		fetch_leave(c->fetch);
	creation_twin_free(c);
	peer_wait_stop(&c->peer);
	free(c->followed);
	store_record_clear(&c->heir);
	free(c->twin_id);
	store_intent_clear(&c->intent);
	claim_remove(c->gw, &c->claim);
	json_object_put(c->claim.sent);
	result_clear(&c->trouble);
	snapshot_unref(c->snap);
	free(c->request);
	free(c->local_id);
	free(c->key);
	free(c);
}

/* Ends a create: those behind it try again. */
static void
creation_end(struct creation *c)
{
	struct create_waits behind = TAILQ_HEAD_INITIALIZER(behind);

	TAILQ_CONCAT(&behind, &c->behind, link);
	creation_free(c);
	create_wait_retry_all(&behind);
}

/* Ends a create with the same error for every client. */
void
creation_refuse(struct creation *c, struct result *trouble)
{
	create_wait_give_all(c, trouble, false);
	result_clear(trouble);
	creation_end(c);
}

/* A client was told, or could not be. */
void
creation_told(struct creation *c, bool sent)
{
	if (sent && c->unclaimed) {
		c->unclaimed = false;
		follow_claim(c->gw, c->project.scope, c->local_id);
	}
	if (--c->untold == 0)
		creation_end(c);
}

/* Hands the answer to the clients and waits until they were told. */
void
creation_hand(struct creation *c, const struct result *result, bool claim)
{
	struct create_wait *w;

	creation_set(c, CREATION_HANDING);
	creation_count(c, false);
	c->unclaimed = claim;
	c->untold = 1; /* this function, so that the last client's word cannot end it meanwhile */
	TAILQ_FOREACH(w, &c->joined, link)
		c->untold++;
	create_wait_give_all(c, result, true);
	if (--c->untold == 0)
		creation_end(c);
}
