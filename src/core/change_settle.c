#include "config.h"

#include "core/change_impl.h"
#include "core/connector.h"

#include <stdlib.h>
#include <string.h>

/* Waits for the next look. */
void
change_look_later(struct change *c)
{
	change_peer_doubt(c);
	change_set(c, CHANGE_WAITING);
	change_count(c, false);
	loop_timer_set(&c->timer, settle_delay(&c->settle, loop_now(c->gw->loop)));
}

/* Nobody knows whether it happened: it is looked for. */
void
change_unknown(struct change *c, const char *why)
{
	struct result r;

	log_warn(c->gw->log,
	    c->operation == STORE_DELETE ? "the outcome of a delete is not known"
	                                 : "the outcome of an update is not known",
	    LOG_S("intent", c->intent.id), LOG_S("id", c->local_id), LOG_S("why", why));
	store_intent_mark(c->gw->store, c->intent.id, STORE_UNKNOWN, loop_wall(c->gw->loop), NULL,
	    NULL);
	settle_start(&c->settle, loop_now(c->gw->loop), c->snap->config->bluejay.settle_grace);
	result_error(&r, 502, "Bluejay gave an answer that the gateway does not understand");
	change_give(c, &r);
	change_look_later(c);
}

/* The look showed the state before the change: believed after the grace time. */
static void
change_not_yet(struct change *c)
{
	struct result r;

	if (!settle_absent(&c->settle, loop_now(c->gw->loop))) {
		change_look_later(c);
		return;
	}
	log_info(c->gw->log, "a change did not happen upstream", LOG_S("intent", c->intent.id));
	result_error(&r, 502, "Bluejay did not take the change");
	change_drop(c, &r, false);
}

/* Whether the item is as the change wants it. */
static bool
change_is_done(const struct change *c, struct json_object *item)
{
	const struct resource *resource = c->project.resource;

	if (c->operation == STORE_DELETE || c->sent == NULL)
		return false;
	if (c->operation == STORE_ADD)
		return resource_holds(resource, c->sent, item);
	return resource_matches(resource, c->project.mapping, c->sent, item);
}

/* The item is there: is it as the change wants it? */
static void
change_judge(struct change *c, struct json_object *item)
{
	if (change_is_done(c, item))
		change_settle(c, item);
	else
		change_not_yet(c);
}

/* The item's own GET has answered. */
static void
change_on_look(void *arg, const struct upstream_answer *a)
{
	struct change *c = arg;
	struct json_object *item = NULL;
	struct result r;

	c->call = NULL;
	gateway_saw_answer(c->gw, a);
	if (a->outcome == UPSTREAM_ANSWER && a->status == 404) {
		if (c->operation == STORE_DELETE) {
			change_settle(c, NULL);
			return;
		}
		result_not_found(&r, c->project.resource);
		change_drop(c, &r, true);
		return;
	}
	if (a->outcome == UPSTREAM_ANSWER && a->status == 200 &&
	    (item = gateway_read_item(c->gw, &c->project, a, NULL)) != NULL)
		change_judge(c, item);
	else
		change_look_later(c);
	json_object_put(item);
}

/* Time for a look, or for recording what is known. */
void
change_on_timer_waiting(struct change *c)
{
	struct upstream_request q;
	struct result r;
	char *path;

	if (c->settle_again) {
		change_settle(c, c->item);
		return;
	}
	if (c->drop_again) {
		result_error(&r, 502, "Bluejay did not take the change");
		change_drop(c, &r, c->gone);
		return;
	}
	change_set(c, CHANGE_LOOKING);
	path = project_path(&c->project, &c->project.resource->read,
	    c->entry->record.upstream_id);
	gateway_request(c->gw, &c->project, &q, "GET", path);
	c->call = connector_start(c->gw, &c->project, &q, c->entry->record.kept, change_on_look, c);
	free(path);
}

/* Leaves a change to the operator. */
bool
change_let_go(struct gateway *gw, const char *intent_id)
{
	struct change *c;

	TAILQ_FOREACH(c, &gw->changes, link) {
		if (c->intent.id == NULL || strcmp(c->intent.id, intent_id) != 0)
			continue;
		if (c->state != CHANGE_WAITING && c->state != CHANGE_LOOKING)
			return false;
		loop_timer_cancel(&c->timer);
		if (c->call != NULL)
			upstream_cancel(c->call);
		c->call = NULL;
		change_over(c);
		return true;
	}
	return true;
}

/* How many outcomes are being looked for. */
unsigned
change_unsettled(const struct gateway *gw)
{
	const struct change *c;
	unsigned n = 0;

	TAILQ_FOREACH(c, &gw->changes, link)
		n += c->state == CHANGE_WAITING || c->state == CHANGE_LOOKING ||
		    (c->state != CHANGE_OVER && c->settle.looks > 0) || /* being recorded or dropped */
		    (c->intent.id != NULL && c->state <= CHANGE_FINDING); /* of an earlier run */
	return n;
}
