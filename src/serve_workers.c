#include "config.h"

#include "serve_workers.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/tls_context.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One loop. */
struct serve_worker {
	struct serve_workers *owner;
	struct loop *loop;
	struct gateway *gw;
	struct api *api;
	struct http_server *server;
	struct http_cors cors;
	pthread_t thread;
	bool runs;
};

struct serve_workers {
	struct loop *main;
	struct gateway *gw;
	struct log *log;
	unsigned count;
	struct serve_worker *workers; /* by the place of their gateways, from 1 */
	struct crew *crew;
	struct crew_round *apply, *ask; /* on their way */
	loop_fn taken, alive, drained;
	void *taken_arg, *alive_arg, *drained_arg;
	int64_t drain_ms;
	unsigned draining; /* that have not told */
};

/* ---- beginning ---- */

/* How many loops are wanted. */
unsigned
serve_workers_wanted(const struct config *c)
{
	cpu_set_t cores;
	int count = 1;

	if (c->workers > 0)
		return (unsigned)c->workers;
	if (sched_getaffinity(0, sizeof cores, &cores) == 0)
		count = CPU_COUNT(&cores);
	return (unsigned)(count < CONFIG_WORKERS_MAX ? count : CONFIG_WORKERS_MAX);
}

/* Makes one. */
static bool
serve_worker_make(struct serve_workers *w, struct serve_worker *one, struct api *api,
    struct fail *fail)
{
	one->owner = w;
	one->loop = loop_new();
	if (one->loop == NULL)
		return fail_set(fail, "the kernel gives no event loop") == 0;
	one->gw = crew_help(w->crew, one->loop, fail);
	if (one->gw != NULL)
		one->api = api_help(api, one->loop, one->gw, fail);
	return one->api != NULL;
}

/* Makes them. */
struct serve_workers *
serve_workers_new(unsigned count, struct loop *main, struct gateway *gw, struct api *api,
    struct log *log, struct fail *fail)
{
	struct serve_workers *w = mem_zero(1, sizeof *w);

	w->main = main;
	w->gw = gw;
	w->log = log;
	w->workers = mem_zero(count + 1, sizeof *w->workers);
	if (count > 0)
		w->crew = crew_new(gw);
	while (w->count < count) {
		if (!serve_worker_make(w, &w->workers[w->count++], api, fail)) {
			serve_workers_free(w);
			return NULL;
		}
	}
	return w;
}

/* A thread: its loop. */
static void *
serve_worker_run(void *arg)
{
	struct serve_worker *one = arg;

	http_server_on_thread(one->server);
	loop_run(one->loop);
	return NULL;
}

/* The settings of its server: pages of other origins are its own copy. */
static struct http_server_config
serve_worker_settings(struct serve_worker *one, const struct http_server_config *of_main)
{
	struct http_server_config hc = *of_main;

	if (hc.cors != NULL) {
		one->cors = *hc.cors;
		hc.cors = &one->cors;
	}
	hc.arg = one->api;
	return hc;
}

/* Lets one help and starts its thread. */
static bool
serve_worker_start(struct serve_worker *one, struct http_server *server,
    const struct http_server_config *of_main)
{
	struct http_server_config hc = serve_worker_settings(one, of_main);
	char name[16];

	one->server = http_server_new(one->loop, &hc);
	http_server_help(server, one->server);
	api_watch(one->api, one->server, NULL);
	one->runs = thread_start(&one->thread, 0, serve_worker_run, one) == 0;
	if (one->runs) {
		snprintf(name, sizeof name, "worker-%u", crew_place(one->gw));
		pthread_setname_np(one->thread, name);
	}
	return one->runs;
}

/* Starts the threads, which leave signals to the main one. */
bool
serve_workers_start(struct serve_workers *w, struct http_server *server,
    const struct http_server_config *of_main, struct fail *fail)
{
	bool ok = true;

	for (unsigned i = 0; i < w->count && ok; i++)
		ok = serve_worker_start(&w->workers[i], server, of_main);
	return ok || fail_set(fail, "the kernel gives no thread") == 0;
}

/* ---- other settings ---- */

/* What goes round with a reload. */
struct serve_workers_news {
	struct serve_workers *owner;
	struct snapshot *snap;
	struct http_server_config settings; /* of the main server */
	struct http_cors cors;              /* to which they point */
};

/* A worker takes the news, on its thread: what requests begin with is the new, all at once. */
static void
serve_workers_on_news(void *load, struct gateway *helper)
{
	struct serve_workers_news *n = load;
	struct serve_worker *one = &n->owner->workers[crew_place(helper) - 1];
	struct http_server_config hc = serve_worker_settings(one, &n->settings);
	struct fail fail;

	http_server_configure(one->server, &hc);
	if (crew_follow(one->gw, n->snap, &fail) != 0 || api_adjust(one->api, &fail) != 0)
		log_error(n->owner->log, "what is passed on goes its old way",
		    LOG_S("why", fail.text));
}

/* Frees the news. */
static void
serve_workers_free_news(void *load)
{
	struct serve_workers_news *n = load;

	tls_context_unref(n->settings.tls);
	snapshot_unref(n->snap);
	free(n);
}

static const struct crew_task serve_workers_news_task = {serve_workers_on_news,
    serve_workers_free_news};

/* All have taken the news. */
static void
serve_workers_on_taken(void *arg, void *load)
{
	struct serve_workers *w = arg;

	w->apply = NULL;
	w->taken(w->taken_arg);
}

/* Has them take the news. */
void
serve_workers_apply(struct serve_workers *w, struct snapshot *snap,
    const struct http_server_config *of_main, loop_fn taken, void *arg)
{
	struct serve_workers_news *n;

	if (w->count == 0) {
		taken(arg);
		return;
	}
	n = mem_zero(1, sizeof *n);
	n->owner = w;
	n->snap = snapshot_ref(snap);
	n->settings = *of_main;
	n->settings.tls = tls_context_ref(of_main->tls);
	if (of_main->cors != NULL) {
		n->cors = *of_main->cors;
		n->settings.cors = &n->cors;
	}
	w->taken = taken;
	w->taken_arg = arg;
	w->apply = crew_go_round(w->gw, &serve_workers_news_task, n, serve_workers_on_taken, w);
}

/* ---- signs of life ---- */

/* A worker's loop turns. */
static void
serve_workers_on_asked(void *load, struct gateway *helper)
{
}

static const struct crew_task serve_workers_ask_task = {serve_workers_on_asked, free};

/* All have answered. */
static void
serve_workers_on_alive(void *arg, void *load)
{
	struct serve_workers *w = arg;

	w->ask = NULL;
	w->alive(w->alive_arg);
}

/* Asks them. */
void
serve_workers_ask(struct serve_workers *w, loop_fn alive, void *arg)
{
	if (w->count == 0) {
		alive(arg);
		return;
	}
	w->alive = alive;
	w->alive_arg = arg;
	w->ask = crew_go_round(w->gw, &serve_workers_ask_task, NULL, serve_workers_on_alive, w);
}

/* ---- the end ---- */

/* The main loop hears that one is drained. */
static void
serve_workers_on_told(void *arg)
{
	struct serve_workers *w = arg;

	if (--w->draining == 0)
		w->drained(w->drained_arg);
}

/* Nothing is left. */
static void
serve_worker_on_drained(void *arg)
{
	struct serve_worker *one = arg;

	loop_post(one->owner->main, serve_workers_on_told, one->owner);
}

/* Drains one, on its thread. */
static void
serve_worker_on_drain(void *arg)
{
	struct serve_worker *one = arg;

	http_server_drain(one->server, one->owner->drain_ms, serve_worker_on_drained, one);
}

/* Drains all. */
void
serve_workers_drain(struct serve_workers *w, int64_t ms, loop_fn drained, void *arg)
{
	if (w->count == 0) {
		drained(arg);
		return;
	}
	w->drained = drained;
	w->drained_arg = arg;
	w->drain_ms = ms;
	w->draining = w->count;
	for (unsigned i = 0; i < w->count; i++)
		loop_post(w->workers[i].loop, serve_worker_on_drain, &w->workers[i]);
}

/* Ends one, on its thread. */
static void
serve_worker_on_stop(void *arg)
{
	struct serve_worker *one = arg;

	http_server_free(one->server);
	one->server = NULL;
	loop_stop(one->loop);
}

/* Ends the threads. */
void
serve_workers_stop(struct serve_workers *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < w->count; i++)
		if (w->workers[i].runs)
			loop_post(w->workers[i].loop, serve_worker_on_stop, &w->workers[i]);
	for (unsigned i = 0; i < w->count; i++)
		if (w->workers[i].runs)
			pthread_join(w->workers[i].thread, NULL);
	for (unsigned i = 0; i < w->count; i++)
		http_server_free(w->workers[i].server);
	if (w->apply != NULL)
		crew_round_cancel(w->apply);
	if (w->ask != NULL)
		crew_round_cancel(w->ask);
	w->apply = w->ask = NULL;
}

/* Delivers the last letters: those of the workers, what the main loop says to them, and
 * once more for what goes round. */
static void
serve_workers_settle(struct serve_workers *w)
{
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < w->count; i++)
			if (w->workers[i].loop != NULL)
				loop_deliver(w->workers[i].loop);
		loop_deliver(w->main);
	}
	for (unsigned i = 0; i < w->count; i++)
		if (w->workers[i].loop != NULL)
			loop_deliver(w->workers[i].loop);
}

/* Frees them. */
void
serve_workers_free(struct serve_workers *w)
{
	if (w == NULL)
		return;
	if (w->count > 0)
		serve_workers_settle(w);
	for (unsigned i = 0; i < w->count; i++) {
		api_free(w->workers[i].api);
		gateway_free(w->workers[i].gw);
		loop_free(w->workers[i].loop);
	}
	free(w->workers);
	crew_free(w->crew);
	free(w);
}
