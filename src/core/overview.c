#include "config.h"

#include "base/mem.h"
#include "core/crew.h"
#include "core/errand.h"
#include "core/fence.h"
#include "core/fetch.h"
#include "core/items.h"
#include "core/listing.h"
#include "core/peers.h"
#include "core/refresher.h"

#include <stdlib.h>
#include <string.h>

#define OVERVIEW_READS_AT_ONCE 8           /* no-cache without a listing: own GETs at a time */
#define OVERVIEW_REFRESH_MS 30000          /* without a listing: contents older than this are read again */

/* A list of a project's items. */
struct overview {
	struct work work;
	struct gateway *gw;
	struct project project;
	bool no_cache;
	struct loop_timer timer; /* first step, outside the caller's stack; then the deadline */
	bool started;
	struct listing_wait *listing;
	struct store_call *store;
	uint64_t asked; /* when it was */
	struct result trouble; /* why the listing failed, while an old list is tried */
	bool second;           /* a recent listing was known, but not its list: a new one runs */
	struct overview_row *rows; /* no-cache without a listing: the items to read */
	size_t count, next;
	unsigned reading;
	TAILQ_HEAD(, overview_read) reads;
	work_done_fn done;
	void *arg;
};

/* One item of such a list. */
struct overview_row {
	char *id;
	char *body; /* NULL: not read yet, or gone */
	size_t len;
	char etag[RESULT_ETAG_SIZE];
};

struct overview_read {
	struct overview *overview;
	struct overview_row *row;
	struct fence *fence; /* while the item is not in memory */
	struct fetch_wait *wait;
	TAILQ_ENTRY(overview_read) link;
};

/* Ends whatever a list waits for. */
static void
overview_leave(struct overview *o)
{
	struct overview_read *r;

	if (o->listing != NULL)
		listing_leave(o->listing);
	o->listing = NULL;
	if (o->store != NULL)
		store_cancel(o->store);
	o->store = NULL;
	while ((r = TAILQ_FIRST(&o->reads)) != NULL) {
		TAILQ_REMOVE(&o->reads, r, link);
		if (r->fence != NULL)
			fence_cancel(r->fence);
		if (r->wait != NULL)
			fetch_leave(r->wait);
		free(r);
	}
}

/* Frees a list. */
static void
overview_free(struct overview *o)
{
	loop_timer_cancel(&o->timer);
	overview_leave(o);
	for (size_t i = 0; i < o->count; i++) {
		free(o->rows[i].id);
		free(o->rows[i].body);
	}
	free(o->rows);
	result_clear(&o->trouble);
	free(o);
}

/* The client is gone. */
static void
overview_cancel(struct work *w)
{
	overview_free((struct overview *)w);
}

/* The answer went out. */
static void
overview_told(struct work *w, bool sent)
{
	overview_free((struct overview *)w);
}

static const struct work_ops overview_ops = {overview_cancel, overview_told};

/* Gives the result. */
static void
overview_give(struct overview *o, struct result *result)
{
	loop_timer_cancel(&o->timer);
	o->done(o->arg, result);
	result_clear(result);
}

/* Gives a remembered list. */
static void
overview_give_known(struct overview *o, const struct list_body *known, const char *cache)
{
	struct result result;

	result_body(&result, 200, mem_copy(known->body, known->len), known->len);
	memcpy(result.etag, known->etag, sizeof result.etag);
	result.cache = cache;
	overview_give(o, &result);
}

/* Gives a list that is made. */
static void
overview_give_text(struct overview *o, struct list_text *text, const char *cache, int64_t age)
{
	struct list_body list;
	struct result result;

	list_text_end(text, &list);
	result_body(&result, 200, list.body, list.len);
	memcpy(result.etag, list.etag, sizeof result.etag);
	list.body = NULL;
	list_body_clear(&list);
	result.cache = cache;
	result.age = age;
	overview_give(o, &result);
}

/* The store is away: the list as it was known last may be given, and says so. False when
 * there is none that is young enough, or the client wants a new one. */
static bool
overview_give_last(struct overview *o)
{
	const struct list_body *last;
	struct result result;
	int64_t age = 0;

	if (o->no_cache || peers_told(o->gw))
		return false;
	last = listing_last_body(o->gw, &o->project, &age);
	if (last == NULL || age >= o->gw->snap->config->bluejay.cache_stale)
		return false;
	o->gw->cache_stale++;
	result_body(&result, 200, mem_copy(last->body, last->len), last->len);
	memcpy(result.etag, last->etag, sizeof result.etag);
	result.cache = "stale";
	result.age = age / 1000;
	overview_give(o, &result);
	return true;
}

/* Asks the store for the records. */
static void
overview_list(struct overview *o, store_done_fn done)
{
	gateway_store_begin(o->gw, o->project.trace);
	o->asked = o->gw->sequence;
	o->store = store_list(o->gw->store, o->project.scope, done, o);
}

/* Makes a list from the store's records. */
static void
overview_from_records(struct overview *o, struct store_reply *reply, struct list_text *t)
{
	list_text_begin(t);
	for (size_t i = 0; i < reply->record_count; i++) {
		struct shelf_entry *e;

		if (!project_shows(&o->project, &reply->records[i]))
			continue;
		e = peers_put(o->gw, &reply->records[i], o->asked);
		if (e != NULL && shelf_show(e, &o->project, NULL, NULL) == 0)
			list_text_add(t, e->body, e->body_len, e->etag);
		if (e != NULL && !o->project.listed &&
		    (loop_wall(o->gw->loop) - e->record.content_ms > OVERVIEW_REFRESH_MS ||
		        fetch_outdated(o->gw, e)))
			refresher_add(o->gw->refresher, &o->project, e->record.local_id);
	}
}

/* The listing failed; the store has given the last known state. */
static void
overview_on_old(void *arg, struct store_reply *reply)
{
	struct overview *o = arg;
	int64_t age = loop_wall(o->gw->loop) - reply->number;
	struct list_text text;

	o->store = NULL;
	gateway_store_end(o->gw, o->project.trace);
	if (reply->status != STORE_OK || reply->number == 0 ||
	    age >= o->gw->snap->config->bluejay.cache_stale) {
		struct result result;

		result_move(&result, &o->trouble);
		overview_give(o, &result);
		return;
	}
	overview_from_records(o, reply, &text);
	o->gw->cache_stale++;
	overview_give_text(o, &text, "stale", age > 0 ? age / 1000 : 0);
}

/* The listing is known, or could not be had. */
static void
overview_on_listing(void *arg, const struct listing_view *view)
{
	struct overview *o = arg;

	o->listing = NULL;
	if (view->same != NULL) {
		overview_give_known(o, view->same, "miss");
	} else if (view->trouble == NULL && view->rows == NULL && !o->second) {
		const struct list_body *known = listing_body(o->gw, &o->project);

		o->second = true;
		if (known != NULL)
			overview_give_known(o, known, "hit");
		else
			o->listing = listing_want(o->gw, &o->project, LISTING_NEW,
			    overview_on_listing, o);
	} else if (view->trouble == NULL && view->unasked != NULL && o->no_cache) {
		struct result result;

		result_copy(&result, view->unasked);
		overview_give(o, &result);
	} else if (view->trouble == NULL) {
		overview_give_known(o, listing_keep_rows(o->gw, &o->project, view), "miss");
	} else if (view->down && !o->no_cache) {
		result_copy(&o->trouble, view->trouble);
		overview_list(o, overview_on_old);
	} else if (!overview_give_last(o)) {
		struct result result;

		result_copy(&result, view->trouble);
		overview_give(o, &result);
	}
}

/* Without a listing: the record is the list. */
static void
overview_on_own(void *arg, struct store_reply *reply)
{
	struct overview *o = arg;
	struct list_text text;
	struct result result;

	o->store = NULL;
	gateway_store_end(o->gw, o->project.trace);
	if (reply->status != STORE_OK) {
		gateway_store_trouble(&result);
		overview_give(o, &result);
		return;
	}
	overview_from_records(o, reply, &text);
	overview_give_text(o, &text, NULL, -1);
}

/* Answers from the record. */
static void
overview_ask_store(struct overview *o)
{
	overview_list(o, overview_on_own);
}

static void overview_read_more(struct overview *);

/* A read has ended, with trouble or without (NULL). */
static void
overview_end_read(struct overview_read *r, const struct result *trouble)
{
	struct overview *o = r->overview;

	TAILQ_REMOVE(&o->reads, r, link);
	free(r);
	o->reading--;
	if (trouble != NULL && o->trouble.status == 0)
		result_copy(&o->trouble, trouble);
	overview_read_more(o);
}

/* One item was read. */
static void
overview_on_read(void *arg, const struct fetch_outcome *out)
{
	struct overview_read *r = arg;

	r->wait = NULL;
	if (out->status == FETCH_OK) {
		r->row->body = mem_copy(out->entry->body, out->entry->body_len);
		r->row->len = out->entry->body_len;
		memcpy(r->row->etag, out->entry->etag, sizeof r->row->etag);
	}
	overview_end_read(r, out->status == FETCH_FAILED ? out->trouble : NULL);
}

/* The item's record is known, or there is none any more. */
static void
overview_on_fence(void *arg, enum fence_status status, struct shelf_entry *e,
    const struct result *trouble)
{
	struct overview_read *r = arg;
	struct overview *o = r->overview;

	r->fence = NULL;
	if (status == FENCE_KNOWN)
		r->wait = fetch_want(o->gw, &o->project, e, false, overview_on_read, r);
	else
		overview_end_read(r, status == FENCE_FAILED ? trouble : NULL);
}

/* Starts a read. The record may have left the memory since the list was known. */
static void
overview_read(struct overview *o, struct overview_row *row)
{
	struct shelf_entry *e = shelf_find(o->gw->shelf, o->project.scope, row->id);
	struct overview_read *r = mem_zero(1, sizeof *r);

	r->overview = o;
	r->row = row;
	TAILQ_INSERT_TAIL(&o->reads, r, link);
	o->reading++;
	if (e != NULL)
		r->wait = fetch_want(o->gw, &o->project, e, false, overview_on_read, r);
	else
		r->fence = fence_find(o->gw, &o->project, row->id, overview_on_fence, r);
}

/* Every item was read: gives the list. */
static void
overview_give_rows(struct overview *o)
{
	struct list_text text;

	list_text_begin(&text);
	for (size_t i = 0; i < o->count; i++)
		list_text_add(&text, o->rows[i].body, o->rows[i].len, o->rows[i].etag);
	overview_give_text(o, &text, NULL, -1);
}

/* Keeps a few reads running; answers after the last. */
static void
overview_read_more(struct overview *o)
{
	while (o->next < o->count && o->reading < OVERVIEW_READS_AT_ONCE && o->trouble.status == 0)
		overview_read(o, &o->rows[o->next++]);
	if (o->reading > 0)
		return;
	if (o->trouble.status != 0) {
		struct result result;

		result_move(&result, &o->trouble);
		overview_give(o, &result);
	} else {
		overview_give_rows(o);
	}
}

/* Without a listing and with no-cache: every item is read before the answer. */
static void
overview_on_known(void *arg, struct store_reply *reply)
{
	struct overview *o = arg;
	struct result result;

	o->store = NULL;
	gateway_store_end(o->gw, o->project.trace);
	if (reply->status != STORE_OK) {
		gateway_store_trouble(&result);
		overview_give(o, &result);
		return;
	}
	o->rows = mem_zero(reply->record_count + 1, sizeof *o->rows);
	for (size_t i = 0; i < reply->record_count; i++) {
		o->rows[o->count++].id = mem_string(reply->records[i].local_id);
		peers_put(o->gw, &reply->records[i], o->asked);
	}
	overview_read_more(o);
}

/* The time of the client is over: what is shared may go on for others. */
static void
overview_expire(struct overview *o)
{
	struct result result;

	overview_leave(o);
	result_clear(&o->trouble);
	result_error(&result, 504, "Bluejay did not answer in time");
	if (o->no_cache) {
		overview_give(o, &result);
	} else {
		result_move(&o->trouble, &result);
		overview_list(o, overview_on_old);
	}
}

/* First step. */
static void
overview_start(struct overview *o)
{
	const struct list_body *known;

	crew_catch_up(o->gw);
	if (!o->project.listed) {
		if (o->no_cache)
			overview_list(o, overview_on_known);
		else
			overview_ask_store(o);
		return;
	}
	if (peers_away(o->gw) && overview_give_last(o))
		return;
	known = o->no_cache ? NULL : listing_body(o->gw, &o->project);
	if (known != NULL) {
		o->gw->cache_hits++;
		overview_give_known(o, known, "hit");
		return;
	}
	o->gw->cache_misses++;
	o->listing = listing_want(o->gw, &o->project, o->no_cache ? LISTING_CHECKED : LISTING_RECENT,
	    overview_on_listing, o);
}

/* The first step, then the deadline. */
static void
overview_on_timer(void *arg)
{
	struct overview *o = arg;

	if (o->started) {
		overview_expire(o);
		return;
	}
	o->started = true;
	loop_timer_set(&o->timer, gateway_patience(o->gw));
	overview_start(o);
}

/* Lists a project's items. */
struct work *
item_list(struct gateway *gw, const struct project *p, bool no_cache, work_done_fn done, void *arg)
{
	const struct errand_order order = {.kind = ERRAND_LIST, .project = p, .no_cache = no_cache};
	struct overview *o;

	if (crew_owner(gw) != NULL)
		return errand_send(gw, crew_owner(gw), &order, done, arg);
	o = mem_zero(1, sizeof *o);
	o->work.ops = &overview_ops;
	o->gw = gw;
	o->project = *p;
	o->no_cache = no_cache;
	o->done = done;
	o->arg = arg;
	result_init(&o->trouble);
	TAILQ_INIT(&o->reads);
	loop_timer_init(&o->timer, gw->loop, overview_on_timer, o);
	loop_timer_set(&o->timer, 0);
	return &o->work;
}
