#include "config.h"

#include "core/probe.h"
#include "core/drift.h"
#include "base/mem.h"
#include "core/gateway_impl.h"
#include "json/json_read.h"

#include <stdlib.h>
#include <string.h>

#define PROBE_PATH_PING "/v1/ping"
#define PROBE_ANSWER_MAX ((size_t)64 << 20)

/* One key, and a project that uses it. */
struct probe_key {
	const char *api_key;
	const struct config_project *owner; /* whose own key it is; NULL: bluejay.api_key */
	const char *project;                /* one with an agent if there is one */
	bool has_agent;
};

struct probe {
	struct loop *loop;
	struct snapshot *snap;
	struct upstream *upstream;
	struct upstream_call *call;
	struct loop_timer next;
	int64_t end, began;
	probe_fn fn;
	probe_done_fn done;
	void *arg;

	struct probe_key *keys;
	size_t key_count, key; /* the key that is asked with */
	enum probe_question question;
	size_t resource;
	struct project project;
	char *path;    /* asked */
	char *item_id; /* of the first thing of the last listing; NULL: none */
	bool first;    /* nothing was reported of the key */

	struct probe_difference differences[PROBE_DIFFERENCES];
	size_t difference_count;
	unsigned beyond;
};

/* ---- the questions ---- */

/* The resource that a question is about. */
static const struct resource *
probe_resource(const struct probe *p)
{
	return p->snap->resources[p->resource].resource;
}

/* Notes the key of a configured project. */
static void
probe_add_key(struct probe *p, const struct config_project *project)
{
	const char *key = project->api_key != NULL ? project->api_key
	                                           : p->snap->config->bluejay.api_key;
	struct probe_key *k = p->keys;

	while (k < p->keys + p->key_count && strcmp(k->api_key, key) != 0)
		k++;
	if (k == p->keys + p->key_count) {
		p->key_count++;
		k->api_key = key;
		k->owner = project->api_key != NULL ? project : NULL;
		k->project = project->id;
	}
	if (project->api_key == NULL)
		k->owner = NULL;
	if (project->has_agent && !k->has_agent) {
		k->has_agent = true;
		k->project = project->id;
	}
}

/* Moves to the next question of the key. */
static void
probe_next_question(struct probe *p)
{
	if (p->question == PROBE_LIST) {
		p->question = PROBE_ITEM;
		return;
	}
	p->resource = p->question == PROBE_PING ? 0 : p->resource + 1;
	p->question = PROBE_LIST;
}

/* Moves to the next key. */
static void
probe_next_key(struct probe *p)
{
	p->key++;
	p->question = PROBE_PING;
	p->resource = 0;
	p->first = true;
}

/* Sets the project for the question. A project that stands for others is any of them. */
static bool
probe_set_project(struct probe *p)
{
	const struct probe_key *k = &p->keys[p->key];
	const char *id = strcmp(k->project, "*") == 0 ? "any" : k->project;

	return snapshot_project(p->snap, id, probe_resource(p), &p->project);
}

/* The path to ask for, which the caller frees; NULL with the reason when there is none. */
static char *
probe_path(const struct probe *p, const char **why)
{
	const struct resource *r = probe_resource(p);

	if (p->question == PROBE_PING)
		return mem_string(PROBE_PATH_PING);
	if (p->question == PROBE_LIST && p->project.listed)
		return project_path(&p->project, &r->list, NULL);
	if (p->question == PROBE_ITEM && p->item_id != NULL)
		return project_path(&p->project, &r->read, p->item_id);
	if (p->question == PROBE_ITEM)
		*why = "there is none";
	else
		*why = r->by_agent ? "no project with an agent uses this key"
		                   : "their declaration has no list";
	return NULL;
}

/* ---- the answers ---- */

/* Counts one difference. */
static void
probe_on_difference(void *arg, const struct mapping_drift *d)
{
	struct probe *p = arg;
	struct probe_difference *known = p->differences;
	const char *path = drift_shown(&p->project, d->path);

	while (known < p->differences + p->difference_count &&
	    (known->kind != d->kind || strcmp(known->path, path) != 0))
		known++;
	if (known == p->differences + PROBE_DIFFERENCES) {
		p->beyond++;
		return;
	}
	if (known == p->differences + p->difference_count) {
		p->difference_count++;
		memset(known, 0, sizeof *known);
		known->kind = d->kind;
		memcpy(known->path, path, strlen(path) + 1);
	}
	known->declared = d->declared;
	known->seen = d->seen;
	known->count++;
}

/* Remembers the id of a listing's first thing. */
static void
probe_keep_id(struct probe *p, struct json_object *items)
{
	const char *id = NULL;

	for (size_t i = 0; i < json_object_array_length(items) && id == NULL; i++)
		id = resource_id(p->project.resource, json_object_array_get_idx(items, i));
	p->item_id = mem_string(id);
}

/* Compares an answer whose status is 200. */
static void
probe_compare(struct probe *p, const struct upstream_answer *a, struct probe_report *r)
{
	struct json_object *root, *items;

	if (!json_read(a->body, a->body_len, &root, NULL))
		return;
	if (p->question == PROBE_LIST) {
		items = mapping_drift_list(p->project.mapping, root, probe_on_difference, p);
		r->understood = items != NULL;
		r->items = items == NULL ? 0 : json_object_array_length(items);
		if (items != NULL)
			probe_keep_id(p, items);
	} else {
		mapping_drift_item(p->project.mapping, root, probe_on_difference, p);
		r->understood = json_object_is_type(root, json_type_object);
		r->items = 1;
	}
	json_object_put(root);
}

/* Whether nothing is wrong. */
bool
probe_is_good(const struct probe_report *r)
{
	if (r->in_vain)
		return false;
	for (size_t i = 0; i < r->difference_count; i++)
		if (r->differences[i].kind != MAPPING_DRIFT_NEW)
			return false;
	return true;
}

/* Reports what came of the question. */
static void
probe_report(struct probe *p, struct probe_report *r)
{
	r->project = p->keys[p->key].owner != NULL ? p->keys[p->key].owner->id : NULL;
	r->first = p->first;
	r->question = p->question;
	r->resource = p->question == PROBE_PING ? NULL : probe_resource(p);
	r->differences = p->differences;
	r->difference_count = p->difference_count;
	r->beyond = p->beyond;
	p->first = false;
	p->fn(p->arg, r);
}

/* Bluejay has answered, or not. Where the ping is in vain the rest would be, too. */
static void
probe_on_answer(void *arg, const struct upstream_answer *a)
{
	struct probe *p = arg;
	struct probe_report r = {.path = p->path, .answer = a, .ms = loop_now(p->loop) - p->began};
	bool answered = a->outcome == UPSTREAM_ANSWER && a->status == 200;

	p->call = NULL;
	if (answered && p->question != PROBE_PING)
		probe_compare(p, a, &r);
	r.in_vain = !answered || (p->question != PROBE_PING && !r.understood);
	probe_report(p, &r);
	free(p->path);
	p->path = NULL;
	if (p->question == PROBE_PING && r.in_vain)
		probe_next_key(p);
	else
		probe_next_question(p);
	loop_timer_set(&p->next, 0);
}

/* Asks. */
static void
probe_ask(struct probe *p, char *path)
{
	const struct config *c = p->snap->config;
	struct upstream_request q = {
	    .method = "GET",
	    .path = path,
	    .api_key = p->keys[p->key].api_key,
	    .headers = &c->bluejay.headers,
	    .repeat = UPSTREAM_SAFE,
	};

	p->began = loop_now(p->loop);
	q.deadline = p->began + c->bluejay.total < p->end ? p->began + c->bluejay.total : p->end;
	p->path = path;
	p->call = upstream_start(p->upstream, &q, probe_on_answer, p);
}

/* Takes the next question: asks it, or says why not. */
static void
probe_on_next(void *arg)
{
	struct probe *p = arg;
	struct probe_report r = {.why = "its time is over", .in_vain = true};
	char *path;

	if (p->question != PROBE_PING && p->resource == p->snap->resource_count)
		probe_next_key(p);
	if (p->key == p->key_count) {
		p->done(p->arg);
		return;
	}
	p->difference_count = p->beyond = 0;
	if (p->question == PROBE_LIST) {
		free(p->item_id);
		p->item_id = NULL;
	}
	if (loop_now(p->loop) >= p->end) {
		probe_report(p, &r);
		probe_next_key(p);
		loop_timer_set(&p->next, 0);
		return;
	}
	probe_set_project(p);
	path = probe_path(p, &r.why);
	if (path != NULL) {
		probe_ask(p, path);
		return;
	}
	r.in_vain = false;
	probe_report(p, &r);
	probe_next_question(p);
	loop_timer_set(&p->next, 0);
}

/* ---- the whole ---- */

/* Makes the client, which asks once. */
static struct upstream *
probe_upstream(struct loop *loop, const struct config *c, const char *url, struct fail *fail)
{
	struct upstream_config u = {
	    .url = url != NULL ? url : c->bluejay.url,
	    .proxy = url != NULL ? NULL : c->bluejay.proxy,
	    .ca_file = c->bluejay.ca_file,
	    .connect_ms = c->bluejay.connect,
	    .first_byte_ms = c->bluejay.first_byte,
	    .total_ms = c->bluejay.total,
	    .retries = 1,
	    .max_in_flight = 1,
	    .max_queue = 1,
	    .max_answer = PROBE_ANSWER_MAX,
	};

	return upstream_new(loop, &u, fail);
}

/* Starts. */
struct probe *
probe_start(struct loop *loop, struct snapshot *snap, const char *url, probe_fn fn,
    probe_done_fn done, void *arg, struct fail *fail)
{
	const struct config *c = snap->config;
	struct upstream *up = probe_upstream(loop, c, url, fail);
	struct probe *p;

	if (up == NULL)
		return NULL;
	p = mem_zero(1, sizeof *p);
	p->loop = loop;
	p->snap = snap;
	p->upstream = up;
	p->fn = fn;
	p->done = done;
	p->arg = arg;
	p->first = true;
	p->end = loop_now(loop) + PROBE_TIME_MS;
	p->keys = mem_zero(c->project_count + 1, sizeof *p->keys);
	for (size_t i = 0; i < c->project_count; i++)
		probe_add_key(p, &c->projects[i]);
	loop_timer_init(&p->next, loop, probe_on_next, p);
	loop_timer_set(&p->next, 0);
	return p;
}

/* Frees it. */
void
probe_free(struct probe *p)
{
	if (p == NULL)
		return;
	loop_timer_cancel(&p->next);
	if (p->call != NULL)
		upstream_cancel(p->call);
	upstream_free(p->upstream);
	free(p->path);
	free(p->item_id);
	free(p->keys);
	free(p);
}
