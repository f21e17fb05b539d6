#include "config.h"

#include "base/mem.h"
#include "core/change_impl.h"
#include "core/follow.h"
#include "core/gone.h"
#include "core/trail.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "store/store_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const change_names[] = {"queued", "finding", "reading", "beginning", "sending",
    "settling", "dropping", "waiting", "looking", "over"};

/* Moves to another state. */
void
change_set(struct change *c, enum change_state state)
{
	/* An id that is not known is the caller's words. */
	log_debug(c->gw->log, c->operation == STORE_DELETE ? "delete" : "update",
	    LOG_S("id", c->entry != NULL ? c->local_id : NULL), LOG_S("from", change_names[c->state]),
	    LOG_S("to", change_names[state]));
	c->state = state;
	if (state == CHANGE_BEGINNING || state == CHANGE_SETTLING || state == CHANGE_DROPPING)
		gateway_store_begin(c->gw, c->project.trace);
	else
		gateway_store_end(c->gw, c->project.trace);
}

/* Counts or uncounts a write that must not be cut by a stop. */
void
change_count(struct change *c, bool on)
{
	if (on && !c->counted)
		c->gw->writes_running++;
	else if (!on && c->counted)
		c->gw->writes_running--;
	c->counted = on;
}

/* Frees a change. */
void
change_free(struct change *c)
{
	change_count(c, false);
	TAILQ_REMOVE(&c->gw->changes, c, link);
	loop_timer_cancel(&c->timer);
	if (c->ticket != NULL)
		serial_leave(c->ticket);
	peer_wait_stop(&c->peer);
	if (c->fence != NULL)
		fence_cancel(c->fence);
	if (c->fetch != NULL)
		fetch_leave(c->fetch);
	names_leave(c->names);
	if (c->store != NULL)
		store_cancel(c->store);
	if (c->call != NULL)
		upstream_cancel(c->call);
	if (c->follow != NULL)
		twin_leave(c->follow);
	if (c->entry != NULL)
		shelf_unpin(c->entry);
	store_intent_clear(&c->intent);
	json_object_put(c->body);
	json_object_put(c->sent);
	json_object_put(c->item);
	result_clear(&c->trouble);
	snapshot_unref(c->snap);
	free(c->request);
	free(c->local_id);
	free(c);
}

/* The work is over: the next write to this item may go; frees when nobody holds it. */
void
change_over(struct change *c)
{
	change_count(c, false);
	peer_wait_stop(&c->peer);
	if (c->ticket != NULL)
		serial_leave(c->ticket);
	c->ticket = NULL;
	if (c->state != CHANGE_OVER)
		change_set(c, CHANGE_OVER);
	if (c->client == CHANGE_CLIENT_NONE)
		change_free(c);
}

/* Tells the client, if it still waits. */
void
change_give(struct change *c, struct result *r)
{
	if (c->client == CHANGE_CLIENT_WAITS) {
		c->client = CHANGE_CLIENT_GIVEN;
		c->done(c->arg, r);
	}
	result_clear(r);
}

/* Tells the client and ends. */
void
change_finish(struct change *c, struct result *r)
{
	change_give(c, r);
	change_over(c);
}

/* The twin has followed, or cannot for the moment. */
static void
change_on_followed(void *arg)
{
	struct change *c = arg;
	struct result r;

	c->follow = NULL;
	result_move(&r, &c->trouble);
	change_finish(c, &r);
}

/* It is recorded: tells the client and ends, when its twin, if there is one, has had the
 * time to follow. The next write to this item may go. */
static void
change_follow(struct change *c, struct result *r)
{
	c->follow = twin_follow(c->gw, c->project.scope, c->local_id, change_on_followed, c);
	if (c->follow == NULL) {
		change_finish(c, r);
		return;
	}
	result_move(&c->trouble, r);
	change_count(c, false);
	if (c->ticket != NULL)
		serial_leave(c->ticket);
	c->ticket = NULL;
}

/* Takes a written record onto the shelf, which remembers what it replaced. */
static struct shelf_entry *
change_written(struct change *c, struct store_record *record)
{
	char *old = mem_string(c->entry->record.content);
	struct shelf_entry *e = shelf_written(c->gw->shelf, record, ++c->gw->sequence);

	fetch_replaced(c->gw, &c->project, e, old);
	if (c->project.resource->shared)
		shelf_share(c->gw->shelf, e, c->gw->sequence);
	free(old);
	shelf_show(e, &c->project, NULL, NULL);
	return e;
}

/* Says what became of a change of which its client is not told, or was told that it is not
 * known. */
static void
change_trail(const struct change *c, bool done, bool shown)
{
	if (c->intent.id != NULL && (!shown || c->settle.looks > 0 || c->client == CHANGE_CLIENT_NONE))
		trail_settled(c->gw, &c->intent, c->request, c->local_id, done);
}

/* An update is recorded: the client gets the whole item. */
static void
change_on_updated(void *arg, struct store_reply *reply)
{
	struct change *c = arg;
	struct shelf_entry *e;
	struct result r;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	if (reply->status == STORE_NONE && change_peer_lost(c))
		return;
	if (reply->status == STORE_UNAVAILABLE) {
		gateway_store_trouble(&r);
		if (c->intent.id != NULL) {
			result_clear(&r);
			result_error(&r, 503,
			    "Bluejay has taken the update, but the gateway cannot record it at the moment; "
			    "it will as soon as it can");
			r.retry_after = 5000;
			r.doubt = true;
			change_give(c, &r);
			c->settle_again = true;
			c->later(c);
			return;
		}
	} else if (reply->status == STORE_UNSETTLED_OTHER) {
		result_error(&r, 503, "Another change is not settled yet; try again later");
		r.retry_after = 5000;
	} else if (reply->status != STORE_OK) {
		result_not_found(&r, c->project.resource);
	} else if (!shelf_ready(e = change_written(c, &reply->records[0]), &c->project)) {
		change_trail(c, true, false);
		result_error(&r, 502, "Bluejay gave an answer that the gateway does not understand");
	} else {
		change_trail(c, true, true);
		e->fetched = loop_now(c->gw->loop);
		epoch_touch(c->gw, c->project.scope);
		result_body(&r, 200, mem_copy(e->body, e->body_len), e->body_len);
		memcpy(r.etag, e->etag, sizeof r.etag);
		change_follow(c, &r);
		return;
	}
	change_finish(c, &r);
}

/* A delete is recorded. */
static void
change_on_deleted(void *arg, struct store_reply *reply)
{
	struct change *c = arg;
	struct result r;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	if (reply->status == STORE_UNAVAILABLE) {
		result_error(&r, 503,
		    "Bluejay has deleted the %s, but the gateway cannot record it at the moment; "
		    "it will as soon as it can", c->project.resource->noun);
		r.retry_after = 5000;
		r.doubt = true;
		change_give(c, &r);
		c->settle_again = true;
		c->later(c);
		return;
	}
	change_trail(c, true, true);
	c->gw->sequence++;
	shelf_bury(c->gw->shelf, c->project.scope, c->local_id, c->intent.upstream_id);
	if (c->project.resource->shared)
		shelf_bury_shared(c->gw->shelf, c->intent.upstream_id);
	if (c->project.resource->shared && c->project.adopts)
		epoch_bury(c->gw, c->project.resource, c->local_id, c->intent.upstream_id);
	if (c->project.resource->portraits)
		store_image_release(c->gw->store, c->project.scope, c->local_id, NULL, NULL);
	epoch_touch(c->gw, c->project.scope);
	result_init(&r);
	r.status = 204;
	change_follow(c, &r);
}

/* Fills what an update changes in the record. */
static void
change_fill_record(struct change *c, struct json_object *item, struct store_record *r)
{
	const char *name = resource_unique_name(c->project.resource, c->project.mapping, item);
	struct json_object *absent = NULL, *left;
	int64_t wall = loop_wall(c->gw->loop);
	bool changed;

	store_record_copy(r, &c->entry->record);
	free(r->content);
	r->content = json_print(item, NULL);
	r->content_ms = wall;
	if (name != NULL) {
		free(r->name);
		r->name = mem_string(name);
	}
	free(r->kept);
	r->kept = mem_string(c->intent.kept);
	free(r->absent);
	r->absent = NULL;
	if (c->intent.absent != NULL &&
	    json_read(c->intent.absent, strlen(c->intent.absent), &absent, NULL)) {
		left = mapping_absent_left(c->project.mapping, item, absent, &changed);
		r->absent = left == NULL ? NULL : json_print(left, NULL);
		json_object_put(left);
		json_object_put(absent);
	}
	r->updated_ms = wall > r->updated_ms ? wall : r->updated_ms + 1;
}

/* Done upstream: records it. */
void
change_settle(struct change *c, struct json_object *item)
{
	struct store_record r;

	change_set(c, CHANGE_SETTLING);
	change_count(c, true);
	c->settle_again = false;
	if (c->operation == STORE_DELETE) {
		c->store = store_delete_settle(c->gw->store, c->intent.id, loop_wall(c->gw->loop),
		    change_on_deleted, c);
		return;
	}
	json_object_get(item);
	json_object_put(c->item);
	c->item = item;
	gone_disproved(c->gw, c->project.scope, &c->entry->record, resource_organisation(item));
	change_fill_record(c, item, &r);
	c->store = store_update_settle(c->gw->store, c->intent.id, &r, change_on_updated, c);
	store_record_clear(&r);
}

/* The intent is gone: tells the client why. */
static void
change_on_dropped(void *arg, struct store_reply *reply)
{
	struct change *c = arg;
	struct result r;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	result_move(&r, &c->trouble);
	if (reply->status == STORE_UNAVAILABLE) {
		change_give(c, &r);
		c->drop_again = true;
		c->later(c);
		return;
	}
	change_trail(c, false, true);
	if (c->gone && c->entry != NULL && !c->entry->dead)
		gone_report(c->gw, c->entry);
	else if (c->entry != NULL && !c->entry->dead && c->settle.looks > 0)
		follow_refresh(c->gw, c->entry); /* what reads saw meanwhile was not stored */
	change_finish(c, &r);
}

/* It did not happen: removes the intent, then tells the client. */
void
change_drop(struct change *c, struct result *trouble, bool gone)
{
	change_set(c, CHANGE_DROPPING);
	c->gone = gone;
	c->drop_again = false;
	result_move(&c->trouble, trouble);
	c->store = store_intent_drop(c->gw->store, c->intent.id, change_on_dropped, c);
}
