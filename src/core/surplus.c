#include "config.h"

#include "core/surplus.h"
#include "base/mem.h"
#include "core/items.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

struct surplus {
	struct gateway *gw;
	struct snapshot *snap;
	struct project project;
	struct json_object *item;
	char *upstream_id, *local_id;
	struct store_call *store;
	struct work *work; /* deletes it */
	bool deleted;      /* it has given its result */
	struct loop_timer end;
	TAILQ_ENTRY(surplus) link;
};

/* Frees one. */
static void
surplus_free(struct surplus *s)
{
	loop_timer_cancel(&s->end);
	TAILQ_REMOVE(&s->gw->surplus, s, link);
	if (s->store != NULL)
		store_cancel(s->store);
	if (s->work != NULL && s->deleted)
		work_told(s->work, true);
	else if (s->work != NULL)
		work_cancel(s->work);
	json_object_put(s->item);
	snapshot_unref(s->snap);
	free(s->upstream_id);
	free(s->local_id);
	free(s);
}

/* It is over. */
static void
surplus_on_end(void *arg)
{
	surplus_free(arg);
}

/* It is deleted, or its delete will be settled like any other. */
static void
surplus_on_deleted(void *arg, struct result *r)
{
	struct surplus *s = arg;

	s->deleted = true;
	if (r->status != 204)
		log_error(s->gw->log, "what a create made too late could not be removed yet",
		    LOG_S("scope", s->project.scope), LOG_S("id", s->upstream_id),
		    LOG_I("status", r->status));
	loop_timer_set(&s->end, 0);
}

/* It is known now: deletes it. */
static void
surplus_delete(struct surplus *s)
{
	log_warn(s->gw->log, "what a create made after it was given up is removed",
	    LOG_S("scope", s->project.scope), LOG_S("id", s->upstream_id));
	s->work = item_delete(s->gw, &s->project, s->local_id, surplus_on_deleted, s);
}

/* The store is away: the item stays, as anything that is made elsewhere. */
static void
surplus_give_up(struct surplus *s)
{
	log_error(s->gw->log, "what a create made too late could not be removed",
	    LOG_S("scope", s->project.scope), LOG_S("id", s->upstream_id));
	surplus_free(s);
}

/* It is adopted, or something else has happened to it. */
static void
surplus_on_adopted(void *arg, struct store_reply *reply)
{
	struct surplus *s = arg;

	s->store = NULL;
	gateway_saw_store(s->gw, reply);
	if (reply->status == STORE_OK && reply->record_count > 0) {
		s->local_id = mem_string(reply->records[0].local_id);
		surplus_delete(s);
	} else if (reply->status == STORE_OK) {
		surplus_free(s);
	} else {
		surplus_give_up(s);
	}
}

/* Has it known. */
static void
surplus_adopt(struct surplus *s)
{
	const struct resource *resource = s->project.resource;
	const char *name = resource_unique_name(resource, s->project.mapping, s->item);
	int64_t wall = loop_wall(s->gw->loop);
	struct store_record r = {.scope = s->project.scope, .upstream_id = s->upstream_id,
	    .adopted = true, .content_ms = wall};

	r.local_id = s->upstream_id;
	r.name = mem_string(name != NULL ? name : "");
	r.created_ms = r.updated_ms = resource_created(resource, s->item, wall);
	r.content = json_print(s->item, NULL);
	s->store = store_adopt(s->gw->store, s->project.scope, &r, 1, 0, surplus_on_adopted, s);
	free(r.name);
	free(r.content);
}

/* The records of the scope are known. */
static void
surplus_on_list(void *arg, struct store_reply *reply)
{
	struct surplus *s = arg;

	s->store = NULL;
	for (size_t i = 0; i < reply->record_count; i++) {
		const struct store_record *r = &reply->records[i];

		if (strcmp(r->upstream_id, s->upstream_id) != 0)
			continue;
		if (!r->adopted) { /* it is what was recorded */
			surplus_free(s);
			return;
		}
		s->local_id = mem_string(r->local_id); /* a listing has shown it */
		surplus_delete(s);
		return;
	}
	if (reply->status == STORE_OK)
		surplus_adopt(s);
	else
		surplus_give_up(s);
}

/* Begins. */
void
surplus_check(struct gateway *gw, const struct project *p, struct json_object *item)
{
	struct surplus *s = mem_zero(1, sizeof *s);

	s->gw = gw;
	s->snap = snapshot_ref(p->snap);
	s->project = *p;
	s->project.trace = (struct trace_ref){0};
	s->project.adopts = true; /* for this one: it is to be seen */
	s->item = json_object_get(item);
	s->upstream_id = mem_string(resource_id(p->resource, item));
	loop_timer_init(&s->end, gw->loop, surplus_on_end, s);
	TAILQ_INSERT_TAIL(&gw->surplus, s, link);
	s->store = store_list(gw->store, p->scope, surplus_on_list, s);
}

/* Ends what runs; what is adopted by then stays, as anything that is made elsewhere. */
void
surplus_free_all(struct gateway *gw)
{
	while (!TAILQ_EMPTY(&gw->surplus))
		surplus_free(TAILQ_FIRST(&gw->surplus));
}
