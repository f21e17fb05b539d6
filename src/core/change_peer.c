#include "config.h"

#include "base/mem.h"
#include "core/change_impl.h"

#include <stdlib.h>
#include <string.h>

/* Forgets what was made of the item as it was: the change begins again by finding it. */
static void
change_peer_reset(struct change *c)
{
	loop_timer_cancel(&c->timer);
	if (c->entry != NULL)
		shelf_unpin(c->entry);
	c->entry = NULL;
	json_object_put(c->sent);
	c->sent = NULL;
	json_object_put(c->item);
	c->item = NULL;
	store_intent_clear(&c->intent);
	change_count(c, false);
	loop_timer_set(&c->timer, c->deadline - loop_now(c->gw->loop));
}

/* The write that was waited for has moved, or it is time to look. */
void
change_peer_on_wait(void *arg)
{
	struct change *c = arg;

	peer_wait_stop(&c->peer);
	change_queue(c);
}

/* Another gateway's write to the item, or one that holds the name, is in the way: waits for
 * it as for one of this gateway. It leaves the line meanwhile: should the other one die, its
 * write is gone on with here, and comes first. */
bool
change_peer_meets(struct change *c, const struct store_reply *reply)
{
	const struct store_intent *in = reply->intents;
	bool own;

	if (!c->gw->shared || reply->status != STORE_UNSETTLED_OTHER || reply->intent_count == 0 ||
	    c->client != CHANGE_CLIENT_WAITS)
		return false;
	own = in->local_id != NULL && strcmp(in->local_id, c->local_id) == 0 &&
	    in->operation != STORE_CREATE;
	if (!own && (in->held || (in->state != STORE_PENDING && in->state != STORE_TWINNING)))
		return false;
	peer_wait_start(&c->peer, in->id);
	change_peer_reset(c);
	serial_leave(c->ticket);
	c->ticket = NULL;
	change_set(c, CHANGE_QUEUED);
	return true;
}

/* Whether two texts, which may be NULL, are the same. */
static bool
change_peer_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whether what is kept of the item is another than that from which the change was made. A
 * change of kept fields alone writes all of the record. */
static bool
change_peer_is_old(const struct change *c, const struct store_record *now)
{
	const struct store_record *was = &c->entry->record;

	if (c->operation == STORE_DELETE)
		return false;
	if (c->intent.sent == NULL && now->version != was->version)
		return true;
	return !change_peer_same(was->kept, now->kept) || !change_peer_same(was->absent, now->absent);
}

/* Looks whether Bluejay has what was sent, as for any change whose outcome is not known. */
static void
change_peer_look(struct change *c)
{
	store_intent_mark(c->gw->store, c->intent.id, STORE_UNKNOWN, loop_wall(c->gw->loop), NULL,
	    NULL);
	settle_start(&c->settle, loop_now(c->gw->loop), c->snap->config->bluejay.settle_grace);
	change_look_later(c);
}

/* A look has not shown it: the client of a change that came too late waits no longer. */
void
change_peer_doubt(struct change *c)
{
	struct result r;

	if (!c->late || c->settle.looks == 0)
		return;
	result_error(&r, 503,
	    "The gateway was held up, and another change of this %s came in between; read it again",
	    c->project.resource->noun);
	r.retry_after = 1000;
	change_give(c, &r);
}

/* The intent is recorded: whether the item has been written between its being read and
 * that. Then nothing is sent; the change is made anew, until its client's time is over. */
bool
change_peer_begun(struct change *c, const struct store_reply *reply)
{
	if (!c->gw->shared || reply->status != STORE_OK || reply->record_count == 0)
		return false;
	if (c->client == CHANGE_CLIENT_WAITS && change_peer_is_old(c, &reply->records[0])) {
		store_intent_drop(c->gw->store, c->intent.id, NULL, NULL);
		shelf_forget(c->gw->shelf, c->project.scope, c->local_id, c->intent.upstream_id);
		change_peer_reset(c);
		change_find(c);
	} else if (c->late) {
		change_peer_look(c);
	} else {
		return false;
	}
	return true;
}

/* What is to be recorded is under an intent that another gateway has taken over, since this
 * one was away for so long, or the item is gone. So the change begins again. What Bluejay
 * took is not sent a second time: others may have written the item since, before or after it
 * arrived, and once there is another intent the item's own GET says whether it is as the change
 * wants it. */
bool
change_peer_lost(struct change *c)
{
	if (!c->gw->shared || c->intent.id == NULL || c->client != CHANGE_CLIENT_WAITS ||
	    c->operation == STORE_DELETE)
		return false;
	log_warn(c->gw->log, "another gateway has taken over a change that is answered only now",
	    LOG_S("intent", c->intent.id), LOG_S("scope", c->project.scope));
	peers_count_lost(c->gw);
	c->late = c->late || c->intent.sent != NULL;
	c->deadline = gateway_deadline(c->gw);
	change_peer_reset(c);
	change_find(c);
	return true;
}
