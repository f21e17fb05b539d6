#include "config.h"

#include "core/inspect.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "config/config_address.h"
#include "core/counts.h"
#include "core/gateway_impl.h"
#include "core/inspect_print.h"
#include "core/intent_print.h"
#include "core/resource_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define INSPECT_MAX ((size_t)64 << 20) /* bytes of an answer */

/* A look at the gateway, or at a project. */
struct inspect {
	struct work work;
	struct gateway *gw;
	struct project project;
	struct store_record *records; /* personas, while the intents are read */
	size_t count;
	int64_t total;
	struct crew_round *round;
	struct gateway_counts helpers; /* what they have counted */
	struct store_call *store;
	work_done_fn done;
	void *arg;
};

/* Ends what it waits for and frees it. */
static void
inspect_free(struct inspect *w)
{
	if (w->round != NULL)
		crew_round_cancel(w->round);
	if (w->store != NULL)
		store_cancel(w->store);
	for (size_t i = 0; i < w->count; i++)
		store_record_clear(&w->records[i]);
	free(w->records);
	free(w);
}

/* The client is gone. */
static void
inspect_cancel(struct work *w)
{
	inspect_free((struct inspect *)w);
}

/* The client was told. */
static void
inspect_told(struct work *w, bool sent)
{
	inspect_free((struct inspect *)w);
}

static const struct work_ops inspect_ops = {inspect_cancel, inspect_told};

/* Makes a look. */
static struct inspect *
inspect_new(struct gateway *gw, work_done_fn done, void *arg)
{
	struct inspect *w = mem_zero(1, sizeof *w);

	w->work.ops = &inspect_ops;
	w->gw = gw;
	w->done = done;
	w->arg = arg;
	return w;
}

/* Gives the result. */
static void
inspect_give(struct inspect *w, struct result *r)
{
	w->done(w->arg, r);
	result_clear(r);
}

/* Gives a body. */
static void
inspect_give_body(struct inspect *w, struct buf *b)
{
	struct result r;
	size_t len;
	char *body = buf_take(b, &len);

	result_body(&r, 200, body, len);
	result_etag(body, len, r.etag);
	inspect_give(w, &r);
}

/* Adds what the helpers have counted. */
static void
inspect_add_helpers(struct gateway_health *h, const struct gateway_counts *more)
{
	upstream_counts_sum(&h->upstream, &more->bluejay);
	h->cache_hits += more->cache_hits;
	h->cache_misses += more->cache_misses;
	h->cache_stale += more->cache_stale;
	h->cache_joined += more->cache_joined;
}

/* The store has counted: gives the state of the gateway. */
static void
inspect_on_scopes(void *arg, struct store_reply *reply)
{
	struct inspect *w = arg;
	struct snapshot *snap = w->gw->snap;
	char *host = config_address_url_host(snap->config->bluejay.url);
	bool readable = reply->status == STORE_OK;
	char started[TIMESTAMP_SIZE];
	struct project_rows rows;
	struct gateway_health h;
	struct buf b;

	w->store = NULL;
	gateway_health(w->gw, &h);
	inspect_add_helpers(&h, &w->helpers);
	timestamp_format(w->gw->started_wall, started);
	buf_init(&b, INSPECT_MAX);
	buf_addf(&b, "{\"version\":\"%s\",\"startedAt\":\"%s\",", PACKAGE_VERSION, started);
	inspect_print_health(&b, &h, host, w->gw->simulated, readable);
	project_rows_make(snap, reply, &rows);
	buf_addc(&b, ',');
	inspect_print_projects(&b, &rows, readable);
	project_rows_free(&rows);
	buf_adds(&b, ",\"fields\":");
	inspect_print_fields(&b,
	    snapshot_mapping(snap, resource_built_in("personas"), NULL));
	buf_addc(&b, '}');
	free(host);
	inspect_give_body(w, &b);
}

/* The helpers have counted. */
static void
inspect_on_helpers(void *arg, void *load)
{
	struct inspect *w = arg;

	w->round = NULL;
	w->helpers = *(struct gateway_counts *)load;
	w->store = store_scopes(w->gw->store, true, inspect_on_scopes, w);
}

/* Looks at the gateway. */
struct work *
inspect_gateway(struct gateway *gw, work_done_fn done, void *arg)
{
	struct inspect *w = inspect_new(gw, done, arg);

	if (crew_has_helpers(gw))
		w->round = counts_of_helpers(gw, inspect_on_helpers, w);
	else
		w->store = store_scopes(gw->store, true, inspect_on_scopes, w);
	return &w->work;
}

/* Adds the project's unsettled writes. */
static void
inspect_add_writes(struct inspect *w, struct buf *b, const struct store_reply *reply)
{
	bool first = true;

	buf_adds(b, ",\"writes\":[");
	for (size_t i = 0; i < reply->intent_count; i++) {
		if (strcmp(reply->intents[i].scope, w->project.scope) != 0)
			continue;
		intent_print(b, first, w->gw->snap, &reply->intents[i]);
		first = false;
	}
	buf_addc(b, ']');
}

/* Everything is known: gives the project. */
static void
inspect_on_intents(void *arg, struct store_reply *reply)
{
	struct inspect *w = arg;
	struct result r;
	struct buf b;

	w->store = NULL;
	if (reply->status != STORE_OK) {
		gateway_read_trouble(&r);
		inspect_give(w, &r);
		return;
	}
	buf_init(&b, INSPECT_MAX);
	buf_adds(&b, "{\"project\":");
	json_add_string(&b, w->project.id, strlen(w->project.id));
	buf_addf(&b, ",\"total\":%lld,\"personas\":[", (long long)w->total);
	for (size_t i = 0; i < w->count; i++) {
		if (i > 0)
			buf_addc(&b, ',');
		inspect_print_persona(&b, w->project.mapping, &w->records[i], reply->intents,
		    reply->intent_count);
	}
	buf_addc(&b, ']');
	inspect_add_writes(w, &b, reply);
	buf_addc(&b, '}');
	inspect_give_body(w, &b);
}

/* The personas are known: asks which writes are unsettled. */
static void
inspect_on_page(void *arg, struct store_reply *reply)
{
	struct inspect *w = arg;
	struct result r;

	w->store = NULL;
	if (reply->status != STORE_OK) {
		gateway_read_trouble(&r);
		inspect_give(w, &r);
		return;
	}
	w->total = reply->number;
	w->records = mem_zero(reply->record_count + 1, sizeof *w->records);
	for (; w->count < reply->record_count; w->count++)
		store_record_take(&w->records[w->count], &reply->records[w->count]);
	w->store = store_intents(w->gw->store, inspect_on_intents, w);
}

/* Looks at a project. */
struct work *
inspect_personas(struct gateway *gw, const struct project *p, work_done_fn done, void *arg)
{
	struct inspect *w = inspect_new(gw, done, arg);

	w->project = *p;
	w->store = store_page(gw->store, p->scope, INSPECT_PERSONAS, INSPECT_BYTES, inspect_on_page,
	    w);
	return &w->work;
}
