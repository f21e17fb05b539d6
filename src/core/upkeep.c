#include "config.h"

#include "core/upkeep.h"
#include "core/resource_read.h"
#include "base/mem.h"
#include "config/config_find.h"

#include <stdlib.h>
#include <string.h>

#define UPKEEP_PURGE_MS (3600 * 1000)
#define UPKEEP_KEEP_MS ((int64_t)30 * 24 * 3600 * 1000) /* how long hidden and deleted items are remembered */

struct upkeep {
	struct gateway *gw;
	struct snapshot *snap; /* by which records are being joined; NULL: none are */
	unsigned joining;      /* scopes whose records are on their way to an agent */
	struct loop_timer joined; /* of no time: nothing had to move */
	loop_fn ready;
	void *arg;
	struct loop_timer purge;
	struct store_call *look; /* for records that nobody sees, by `shown`; */
	struct snapshot *shown;  /* both NULL: it is over */
	char **unseen;           /* scopes to warn of when their records are counted */
	size_t unseen_count;
};

/* One scope was looked through again. */
static void
upkeep_on_left(void *arg, struct store_reply *reply)
{
	struct upkeep *u = arg;

	if (reply->status == STORE_OK && reply->number > 0)
		log_info(u->gw->log, "the records of a project belong to its agent now",
		    LOG_I("count", reply->number));
}

/* Whether a project had its agent already. */
static bool
upkeep_had_agent(const struct snapshot *before, const struct config_project *p)
{
	const struct config_project *was =
	    before != NULL ? config_find_project(before->config, p->id) : NULL;

	return was != NULL && was->has_agent && was->agent_id == p->agent_id;
}

/* Begins to move the records of all projects that have an agent to those of the agent,
 * but not of those that had it before (NULL: none had); returns how many answers will come. */
static unsigned
upkeep_move(struct upkeep *u, struct snapshot *snap, const struct snapshot *before,
    store_done_fn done)
{
	const struct config *c = snap->config;
	unsigned count = 0;

	for (size_t i = 0; i < c->project_count; i++) {
		struct project p;
		char *old;

		if (!c->projects[i].has_agent || upkeep_had_agent(before, &c->projects[i]) ||
		    !snapshot_project(snap, c->projects[i].id, resource_built_in("personas"), &p))
			continue;
		old = mem_format("project:%s", p.id);
		store_join_scopes(u->gw->store, old, p.scope, done, u);
		free(old);
		count++;
	}
	return count;
}

/* Forgets what is old, and moves what was left behind; now and in an hour. */
static void
upkeep_purge(void *arg)
{
	struct upkeep *u = arg;
	int64_t wall = loop_wall(u->gw->loop);

	store_purge(u->gw->store, wall, wall - UPKEEP_KEEP_MS, NULL, NULL);
	if (u->snap == NULL)
		upkeep_move(u, u->gw->snap, NULL, upkeep_on_left);
	loop_timer_set(&u->purge, UPKEEP_PURGE_MS);
}

/* Whether a configured project shows the items of a scope. */
static bool
upkeep_is_shown(const struct upkeep *u, const char *scope)
{
	static const char project[] = "project:";
	const struct resource *resource = snapshot_resource_of_scope(u->gw->snap, scope);
	const char *owner = scope + (resource != NULL ? strlen(resource->prefix) : 0);
	const char *id = strncmp(owner, project, sizeof project - 1) == 0
	    ? owner + sizeof project - 1
	    : "";
	struct project p;

	return snapshot_project_of_scope(u->shown, scope, id, &p);
}

/* Ends the look for records that nobody sees. */
static void
upkeep_look_end(struct upkeep *u)
{
	for (size_t i = 0; i < u->unseen_count; i++)
		free(u->unseen[i]);
	free(u->unseen);
	u->unseen = NULL;
	u->unseen_count = 0;
	u->look = NULL;
	snapshot_unref(u->shown);
	u->shown = NULL;
}

static void upkeep_count_unseen(struct upkeep *u);

/* The records of the last scope of the list are counted: warns. */
static void
upkeep_on_counted(void *arg, struct store_reply *reply)
{
	struct upkeep *u = arg;
	char *scope = u->unseen[--u->unseen_count];

	if (reply->status == STORE_OK)
		log_warn(u->gw->log,
		    "records are kept that no configured project shows; they return with the "
		    "project or agent that they belong to",
		    LOG_S("scope", scope), LOG_I("count", reply->number));
	free(scope);
	upkeep_count_unseen(u);
}

/* Counts the records of the last scope of the list. */
static void
upkeep_count_unseen(struct upkeep *u)
{
	if (u->unseen_count == 0)
		upkeep_look_end(u);
	else
		u->look = store_page(u->gw->store, u->unseen[u->unseen_count - 1], 0, 0,
		    upkeep_on_counted, u);
}

/* The store has said which scopes it knows: notes those that nobody can see. */
static void
upkeep_on_scopes(void *arg, struct store_reply *reply)
{
	struct upkeep *u = arg;

	u->unseen = mem_zero(reply->record_count + 1, sizeof *u->unseen);
	for (size_t i = reply->record_count; i-- > 0;)
		if (!upkeep_is_shown(u, reply->records[i].scope))
			u->unseen[u->unseen_count++] = mem_string(reply->records[i].scope);
	upkeep_count_unseen(u);
}

/* Looks for records that nobody sees by the snapshot by which they were joined. Nobody
 * waits for it. */
static void
upkeep_look(struct upkeep *u)
{
	if (u->look != NULL)
		store_cancel(u->look);
	upkeep_look_end(u);
	u->shown = u->snap;
	u->snap = NULL;
	u->look = store_scopes(u->gw->store, false, upkeep_on_scopes, u);
}

/* All records are where they belong. */
static void
upkeep_joined(void *arg)
{
	struct upkeep *u = arg;

	if (!u->purge.armed)
		upkeep_purge(u);
	upkeep_look(u);
	u->ready(u->arg);
}

/* One more scope is done. */
static void
upkeep_on_joined(void *arg, struct store_reply *reply)
{
	struct upkeep *u = arg;

	gateway_saw_store(u->gw, reply);
	if (reply->status != STORE_OK)
		log_warn(u->gw->log,
		    "the records of a project could not be moved to its agent; it is tried again within an hour",
		    LOG_S("why", reply->text));
	else if (reply->number > 0)
		log_info(u->gw->log, "the records of a project belong to its agent now",
		    LOG_I("count", reply->number));
	if (--u->joining == 0)
		upkeep_joined(u);
}

/* Makes one that does nothing yet. */
struct upkeep *
upkeep_new(struct gateway *gw)
{
	struct upkeep *u = mem_zero(1, sizeof *u);

	u->gw = gw;
	loop_timer_init(&u->purge, gw->loop, upkeep_purge, u);
	loop_timer_init(&u->joined, gw->loop, upkeep_joined, u);
	return u;
}

/* Joins the records of projects that have an agent now to those of the agent. */
void
upkeep_join(struct upkeep *u, struct snapshot *snap, loop_fn ready, void *arg)
{
	u->snap = snapshot_ref(snap);
	u->ready = ready;
	u->arg = arg;
	u->joining = upkeep_move(u, snap, snap != u->gw->snap ? u->gw->snap : NULL,
	    upkeep_on_joined);
	if (u->joining == 0)
		loop_timer_set(&u->joined, 0);
}

/* Looks once more when no request of an earlier snapshot runs. */
void
upkeep_again(struct upkeep *u)
{
	loop_timer_set(&u->purge, gateway_patience(u->gw));
}

/* Stops. */
void
upkeep_free(struct upkeep *u)
{
	if (u == NULL)
		return;
	loop_timer_cancel(&u->purge);
	loop_timer_cancel(&u->joined);
	snapshot_unref(u->snap);
	upkeep_look_end(u);
	free(u);
}
