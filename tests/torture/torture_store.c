#include "config.h"

#include "base/loop.h"
#include "store/store.h"
#include "torture_compare.h"
#include "torture_database.h"
#include "torture_view.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* One question to the store. */
struct store_question {
	struct world *world;
	struct view *view;
	struct loop *loop;
	int project;
	size_t seen;
};

/* Compares a project's records with what Bluejay has. */
static void
store_on_list(void *arg, struct store_reply *reply)
{
	struct store_question *q = arg;

	loop_stop(q->loop);
	ck_assert_int_eq(reply->status, STORE_OK);
	q->seen = reply->record_count;
	for (size_t i = 0; i < reply->record_count; i++) {
		const struct store_record *r = &reply->records[i];
		const struct view_item *item = view_find(q->view, r->upstream_id);

		if (item == NULL || item->project != q->project)
			world_wrong(q->world, WRONG_RETURNED, "the store holds %s %s, Bluejay does not",
			    r->upstream_id, r->name);
		else if (strcmp(item->name, r->name) != 0)
			world_wrong(q->world, WRONG_CONTENT, "%s is %s in the store and %s in Bluejay", item->id,
			    r->name, item->name);
	}
}

/* Nothing is unsettled. */
static void
store_on_intents(void *arg, struct store_reply *reply)
{
	struct store_question *q = arg;

	loop_stop(q->loop);
	ck_assert_int_eq(reply->status, STORE_OK);
	if (reply->intent_count > 0)
		world_wrong(q->world, WRONG_ORPHAN, "%zu intents are left in the store",
		    reply->intent_count);
}

/* Compares one project. */
static void
store_compare_project(struct store_question *q, struct store_port *port, int project)
{
	const struct world_project *p = &q->world->projects[project];
	size_t there = 0;
	char scope[64];

	if (p->agent != 0)
		snprintf(scope, sizeof scope, "agent:%lld", (long long)p->agent);
	else
		snprintf(scope, sizeof scope, "project:%s", p->id);
	q->project = project;
	store_list(port, scope, store_on_list, q);
	loop_run(q->loop);
	for (size_t i = 0; i < q->view->count; i++)
		there += q->view->pool[i].project == project;
	if (q->seen != there)
		world_wrong(q->world, WRONG_LOST, "%s: %zu records in the store, %zu personas in Bluejay",
		    scope, q->seen, there);
}

/* Compares the store with what Bluejay has. */
void
compare_store(struct world *w)
{
	struct store_question q = {.world = w};
	struct store_options options = {.dir = w->data};
	struct store_port *port;
	struct store *store;
	struct view v;
	struct fail fail;
	char url[64];

	view_read(&v, w, 0);
	world_stop_gateways(w);
	snprintf(url, sizeof url, "http://127.0.0.1:%d", w->sandbox_port);
	options.binding = url;
	options.url = w->database != NULL ? database_url(w->database) : NULL;
	q.view = &v;
	q.loop = loop_new();
	store = store_open(&options, &fail);
	ck_assert_msg(store != NULL, "%s", fail.text);
	port = store_port_open(store, q.loop);
	for (int i = 0; i < WORLD_PROJECTS; i++)
		store_compare_project(&q, port, i);
	store_intents(port, store_on_intents, &q);
	loop_run(q.loop);
	store_port_close(port);
	store_close(store);
	loop_free(q.loop);
	view_free(&v);
}
