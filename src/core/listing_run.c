#include "config.h"

#include "base/mem.h"
#include "core/claim.h"
#include "core/gone.h"
#include "core/listing_delta.h"
#include "core/listing_impl.h"
#include "core/listing_known.h"
#include "core/listing_pages.h"
#include "core/peer_claims.h"
#include "core/peers.h"
#include "core/twin.h"
#include "core/twin_batch.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define LISTING_CHECKS_AT_ONCE 8
#define LISTING_CHECKS_MAX 200 /* own GETs in one run; further missing ones are believed to live */
#define LISTING_ASKS 10        /* questions to other scopes in one run */

/* One item of the answer, found by its id. */
struct listing_item {
	struct listed_item *seen; /* belongs to the answer */
	bool known, hidden;
	bool foreign; /* another scope knows it: no create of this one made it */
	UT_hash_handle hh;
};

/* One own record that is looked for with its own GET. */
struct listing_check {
	struct listing_run *run;
	size_t row;
	struct fetch_wait *wait;
	TAILQ_ENTRY(listing_check) link;
};

struct listing_run {
	struct listing *listing;
	struct gateway *gw;
	struct snapshot *snap;
	struct project project;
	uint64_t sequence;
	struct listing_pages *pages;
	struct store_call *store;
	uint64_t known_at;          /* when it was asked what is known */
	struct peer_claims *others; /* creates of other gateways; NULL: not asked for */
	struct twin_batch *batch;   /* what is adopted gets its twins */
	struct store_record *fresh; /* what is adopted */
	size_t fresh_count;
	struct listed *answer;
	uint64_t asked; /* when other scopes were asked what they know */
	unsigned asks;  /* how often they were, because of writes meanwhile */
	struct listing_item *items; /* hash by id */
	struct listing_item *pool;  /* the items' memory */
	struct listing_row *rows;
	size_t count;
	size_t *missing; /* rows that the answer does not show, or shows otherwise */
	size_t missing_count, missing_next;
	unsigned checking;
	bool complete;
	bool whole; /* the answer does not say that there is more */
	bool plain; /* so far the answer's text says nothing but what is known */
	uint64_t written; /* when the scope was last written, apart from what the run itself noted */
	enum listing_age age;
	bool doubted; /* so much is gone that the key is suspected: the answer proves nothing */
	struct result unasked; /* status 0: none; else why a check failed, and no further ones are made */
	int64_t deadline;
	TAILQ_HEAD(, listing_check) checks;
	struct loop_timer step; /* ends the run outside other callbacks */
	struct listing_waits waits;
};

/* When the run started, in the order of reads and writes. */
uint64_t
listing_run_sequence(const struct listing_run *run)
{
	return run->sequence;
}

/* Whose key it uses. */
const struct project *
listing_run_project(const struct listing_run *run)
{
	return &run->project;
}

/* Who waits for it. */
struct listing_waits *
listing_run_waits(struct listing_run *run)
{
	return &run->waits;
}

/* Ends whatever the run is doing and frees it; waiters are the caller's. */
void
listing_run_free(struct listing_run *run)
{
	struct listing_check *c;

	while ((c = TAILQ_FIRST(&run->checks)) != NULL) {
		TAILQ_REMOVE(&run->checks, c, link);
		fetch_leave(c->wait);
		free(c);
	}
	loop_timer_cancel(&run->step);
	if (run->pages != NULL)
		listing_pages_cancel(run->pages);
	if (run->store != NULL)
		store_cancel(run->store);
	peer_claims_end(run->others);
	if (run->batch != NULL)
		twin_batch_end(run->batch, false);
	for (size_t i = 0; i < run->fresh_count; i++)
		store_record_clear(&run->fresh[i]);
	free(run->fresh);
	HASH_CLEAR(hh, run->items);
	free(run->pool);
	listed_free(run->answer);
	for (size_t i = 0; i < run->count; i++) {
		store_record_clear(&run->rows[i].record);
		free(run->rows[i].body);
	}
	result_clear(&run->unasked);
	free(run->rows);
	free(run->missing);
	snapshot_unref(run->snap);
	free(run);
}

/* Ends the run with an error. */
static void
listing_run_fail(struct listing_run *run, struct result *trouble, bool down)
{
	struct listing_view view = {.trouble = trouble, .down = down};

	run->listing->finish(run->listing, run, &view);
	result_clear(trouble);
}

/* Order of a list: creation time, then the store's sequence. */
static int
listing_run_compare(const void *a, const void *b)
{
	const struct store_record *x = &((const struct listing_row *)a)->record;
	const struct store_record *y = &((const struct listing_row *)b)->record;

	if (x->created_ms != y->created_ms)
		return x->created_ms < y->created_ms ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* The answer says more than what is known. */
static void
listing_run_differs(struct listing_run *run)
{
	run->plain = false;
}

/* Whether a text says what is known, or only has other words for some items, which are
 * taken in. Who wants more than a recent listing wants a look. */
static bool
listing_run_knows(void *arg, const char *text, size_t len)
{
	const struct listing_run *run = arg;

	return run->age == LISTING_RECENT &&
	    (listing_known_is(run->listing, &run->project, text, len) ||
	        listing_delta(run->listing, &run->project, text, len, run->sequence));
}

/* The answer says what is known. */
static void
listing_run_again(struct listing_run *run)
{
	struct listing_view view = {.complete = true, .same = &run->listing->body};

	listing_known_again(run->listing, &run->project, run->sequence);
	run->listing->finish(run->listing, run, &view);
}

/* Where the items are in the rows, which are in order. NULL when not all are there as text. */
static struct listing_place *
listing_run_places(struct listing_run *run)
{
	struct listing_place *places = mem_zero(run->count + 1, sizeof *places);
	size_t found = 0;

	for (size_t i = 0; i < run->count; i++) {
		const struct store_record *record = &run->rows[i].record;
		struct listing_item *item;

		HASH_FIND_STR(run->items, record->upstream_id, item);
		if (item == NULL || !item->seen->alike || run->rows[i].body == NULL)
			break;
		places[item - run->pool] = (struct listing_place){mem_string(record->local_id), i};
		found++;
	}
	if (found == run->count)
		return places;
	for (size_t i = 0; i < run->count; i++)
		free(places[i].local_id);
	free(places);
	return NULL;
}

/* Keeps the text when all that it lists is what there is. The list that it gives is
 * remembered by who waits for it. */
static void
listing_run_keep_text(struct listing_run *run)
{
	struct listing_place *places;

	listing_known_forget(run->listing);
	if (!run->plain || !run->complete || run->count != run->answer->count ||
	    run->written != run->listing->epoch->written)
		return;
	places = listing_run_places(run);
	listing_known_keep(run->listing, run->answer->body, run->answer->len, run->count, run->sequence);
	run->answer->body = NULL;
	if (places == NULL)
		return;
	listing_known_places(run->listing, run->answer, places);
	run->answer = NULL;
}

/* Everything is known: drops the rows that are gone and tells the waiters. */
static void
listing_run_done(void *arg)
{
	struct listing_run *run = arg;
	struct listing_view view = {.complete = run->complete};
	struct result trouble;
	size_t n = 0;

	if (run->doubted) {
		gone_trouble(&trouble, run->project.resource);
		listing_run_fail(run, &trouble, false);
		return;
	}
	for (size_t i = 0; i < run->count; i++)
		if (run->rows[i].record.scope != NULL)
			run->rows[n++] = run->rows[i];
	run->count = n;
	if (n > 1)
		qsort(run->rows, n, sizeof *run->rows, listing_run_compare);
	listing_run_keep_text(run);
	view.unasked = run->unasked.status != 0 ? &run->unasked : NULL;
	view.rows = run->rows;
	view.count = n;
	run->listing->finish(run->listing, run, &view);
}

/* A row takes the state and the ready-made answer of its entry. */
static void
listing_run_take(const struct listing_run *run, struct listing_row *row,
    const struct shelf_entry *e)
{
	free(row->body);
	row->body = shelf_ready(e, &run->project) ? mem_copy(e->body, e->body_len) : NULL;
	row->body_len = row->body != NULL ? e->body_len : 0;
	memcpy(row->etag, e->etag, sizeof row->etag);
}

/* Puts a row's record on the shelf. */
static struct shelf_entry *
listing_run_shelve(struct listing_run *run, const struct listing_row *row)
{
	struct shelf_entry *e = shelf_find(run->gw->shelf, row->record.scope, row->record.local_id);
	struct store_record copy;

	if (e != NULL && e->record.version >= row->record.version)
		return e; /* shelf_put() would keep it as it is */
	store_record_copy(&copy, &row->record);
	return peers_put(run->gw, &copy, run->known_at);
}

/* Whether another gateway has written the item through another scope a moment ago, of which
 * this scope's record tells nothing. */
static bool
listing_run_is_risky(const struct listing_run *run, const struct shelf_entry *e)
{
	return run->project.resource->shared && peers_shared_lately(run->gw, e->record.upstream_id);
}

/* Whether a listing is not believed of an item that it shows: where other gateways write
 * too, what it shows may be what one of them has replaced. The item's own GET knows. */
static bool
listing_run_distrusts(const struct listing_run *run, const struct shelf_entry *e,
    struct sight *sight)
{
	if (!run->gw->shared)
		return false;
	return fetch_differs(e, sight) || listing_run_is_risky(run, e);
}

/* Has a row looked at by the item's own GET. */
static void
listing_run_look_at(struct listing_run *run, size_t row)
{
	listing_run_differs(run);
	run->missing[run->missing_count++] = row;
}

/* Takes in what the listing shows of an item, unless it is only late. */
static void
listing_run_look(struct listing_run *run, const struct listing_row *row, struct shelf_entry *e,
    struct listed_item *seen)
{
	struct sight sight;
	bool alone; /* nobody else has written meanwhile */

	listed_see(seen, &run->project, &sight);
	alone = run->written == run->listing->epoch->written;
	if (listing_run_distrusts(run, e, &sight))
		listing_run_look_at(run, (size_t)(row - run->rows));
	else if (fetch_is_late(run->gw, &run->project, e, &sight) ||
	    fetch_seen(run->gw, e, &sight, run->sequence) != 0)
		listing_run_differs(run);
	else if (seen->alike && e->seen_sequence == run->sequence)
		shelf_know(e, seen->text, seen->len);
	if (alone)
		run->written = run->listing->epoch->written;
	sight_clear(&sight);
}

/* The same; nothing is compared when it is in the words in which the item was seen last, and
 * no write came since. */
static void
listing_run_see(struct listing_run *run, const struct listing_row *row, struct shelf_entry *e,
    struct listed_item *seen)
{
	if (seen->alike && shelf_knows(e, &run->project, seen->text, seen->len) &&
	    !listing_run_is_risky(run, e))
		fetch_seen_again(run->gw, e, run->sequence);
	else
		listing_run_look(run, row, e, seen);
}

/* Takes in what the listing shows of a known record. */
static void
listing_run_show(struct listing_run *run, struct listing_row *row, struct listed_item *seen)
{
	struct shelf_entry *e = listing_run_shelve(run, row);

	if (e == NULL) {
		listing_run_differs(run);
		store_record_clear(&row->record); /* deleted meanwhile */
		return;
	}
	row->listed = true;
	shelf_pin(e);
	if (e->replaced_count > 0)
		shelf_show(e, &run->project, NULL, NULL); /* what is here may be newer */
	listing_run_see(run, row, e, seen);
	listing_run_take(run, row, e);
	shelf_unpin(e);
}

/* Starts more checks, or ends the run when none is left. */
static void listing_run_check(struct listing_run *);

/* Whether a record was made so recently that a listing may still lack it; one that another
 * gateway made, by the time that Bluejay gave it. */
static bool
listing_run_is_young(const struct listing_run *run, const struct shelf_entry *e)
{
	int64_t grace = run->snap->config->bluejay.settle_grace;

	if (run->gw->shared && e->made == 0)
		return !e->record.adopted && loop_wall(run->gw->loop) - e->record.created_ms < grace;
	return e->made != 0 && loop_now(run->gw->loop) - e->made < grace;
}

/* A missing record lives, or nobody knows: the listing lags or is not whole; or what it
 * shows of a record was not believed. */
static void
listing_run_miss(struct listing_run *run, struct listing_row *row, struct shelf_entry *e)
{
	if (!row->listed && !listing_run_is_young(run, e))
		run->complete = false;
	shelf_show(e, &run->project, NULL, NULL);
	listing_run_take(run, row, e);
}

/* Whether a missing record is believed to live without its own GET. */
static bool
listing_run_believes(const struct listing_run *run, const struct shelf_entry *e)
{
	if (run->unasked.status != 0 || run->missing_next > LISTING_CHECKS_MAX ||
	    loop_now(run->gw->loop) >= run->deadline)
		return true;
	return run->age != LISTING_CHECKED && fetch_fresh(run->gw, &run->project, e);
}

/* A missing record's own GET has answered. */
static void
listing_run_on_fetch(void *arg, const struct fetch_outcome *out)
{
	struct listing_check *c = arg;
	struct listing_run *run = c->run;
	struct listing_row *row = &run->rows[c->row];

	TAILQ_REMOVE(&run->checks, c, link);
	run->checking--;
	free(c);
	run->doubted = run->doubted || out->doubted;
	if (out->status == FETCH_GONE) {
		store_record_clear(&row->record);
	} else {
		if (out->status == FETCH_FAILED && run->unasked.status == 0)
			result_copy(&run->unasked, out->trouble);
		listing_run_miss(run, row, out->entry);
	}
	listing_run_check(run);
}

/* Looks for one missing record. */
static void
listing_run_check_one(struct listing_run *run, size_t index)
{
	struct listing_row *row = &run->rows[index];
	struct shelf_entry *e = listing_run_shelve(run, row);
	struct listing_check *c;

	if (e == NULL) {
		store_record_clear(&row->record);
		return;
	}
	if (listing_run_believes(run, e)) {
		listing_run_miss(run, row, e);
		return;
	}
	c = mem_zero(1, sizeof *c);
	c->run = run;
	c->row = index;
	TAILQ_INSERT_TAIL(&run->checks, c, link);
	run->checking++;
	c->wait = fetch_want(run->gw, &run->project, e, true, listing_run_on_fetch, c);
}

/* Keeps a bounded number of checks running. */
static void
listing_run_check(struct listing_run *run)
{
	while (run->missing_next < run->missing_count && run->checking < LISTING_CHECKS_AT_ONCE) {
		size_t index = run->missing[run->missing_next++];

		listing_run_check_one(run, index);
	}
	if (run->missing_next == run->missing_count && run->checking == 0 && !run->step.armed)
		loop_timer_set(&run->step, 0);
}

/* Adds rows for records just adopted. */
static void
listing_run_add_adopted(struct listing_run *run, struct store_record *records, size_t n)
{
	if (n == 0)
		return;
	run->rows = mem_resize(run->rows, (run->count + n) * sizeof *run->rows);
	run->missing = mem_resize(run->missing, (run->missing_count + n) * sizeof *run->missing);
	for (size_t i = 0; i < n; i++) {
		struct listing_row *row = &run->rows[run->count];
		struct listing_item *item;

		if (!project_shows(&run->project, &records[i]))
			continue;
		run->count++;
		memset(row, 0, sizeof *row);
		store_record_take(&row->record, &records[i]);
		shelf_unbury(run->gw->shelf, row->record.scope, row->record.local_id,
		    row->record.upstream_id);
		HASH_FIND_STR(run->items, row->record.upstream_id, item);
		if (item != NULL)
			listing_run_show(run, row, item->seen);
	}
}

/* The store has adopted what was new. */
static void
listing_run_on_adopted(void *arg, struct store_reply *reply)
{
	struct listing_run *run = arg;

	run->store = NULL;
	gateway_saw_store(run->gw, reply);
	if (run->batch != NULL)
		twin_batch_end(run->batch, reply->status == STORE_OK);
	run->batch = NULL;
	if (reply->status == STORE_OK) {
		run->listing->noted_ms = loop_wall(run->gw->loop);
		listing_run_add_adopted(run, reply->records, reply->record_count);
		if (reply->record_count > 0)
			log_info(run->gw->log, "adopted what was made in Bluejay",
			    LOG_S("scope", run->listing->scope), LOG_I("count", reply->record_count));
	}
	listing_run_check(run);
}

/* What an item of the listing becomes in the store. */
static bool
listing_run_record(struct listing_run *run, const struct listing_item *item, struct store_record *r)
{
	struct json_object *tree = listed_tree(item->seen);
	const char *name = resource_unique_name(run->project.resource, run->project.mapping, tree);

	memset(r, 0, sizeof *r);
	r->created_ms = resource_created(run->project.resource, tree,
	    loop_wall(run->gw->loop));
	r->scope = mem_string(run->listing->scope);
	r->local_id = item->hidden ? NULL : mem_string(item->seen->id); /* it comes back with its own */
	r->upstream_id = mem_string(item->seen->id);
	r->name = mem_string(name == NULL ? "" : name);
	r->updated_ms = r->created_ms;
	r->content = json_print(tree, NULL);
	r->content_ms = loop_wall(run->gw->loop);
	r->adopted = true;
	return true;
}

/* Marks what the store knows besides the records: what was deleted here is left
 * alone; what is hidden comes back, and no create made it. */
static void
listing_run_mark(struct listing_run *run, const struct store_reply *reply)
{
	struct listing_item *item;

	for (size_t i = 0; i < reply->tombstone_count; i++) {
		HASH_FIND_STR(run->items, reply->tombstones[i], item);
		if (item != NULL)
			item->known = true;
	}
	for (size_t i = 0; i < reply->hidden_count; i++) {
		HASH_FIND_STR(run->items, reply->hidden[i], item);
		if (item != NULL)
			item->hidden = true;
	}
}

/* Gives the store what is adopted. */
static void
listing_run_put(void *arg)
{
	struct listing_run *run = arg;

	run->store = store_adopt(run->gw->store, run->listing->scope, run->fresh, run->fresh_count,
	    loop_wall(run->gw->loop), listing_run_on_adopted, run);
}

/* Whether an item that the scope does not know is to be adopted, or to come back. No
 * create of the scope made what was hidden here, or what another scope knows. */
static bool
listing_run_is_new(struct listing_run *run, const struct listing_item *item)
{
	if (item->hidden)
		return true;
	if (run->project.resource->shared &&
	    shelf_is_buried(run->gw->shelf, run->listing->scope, item->seen->id))
		return false; /* deleted through another scope */
	if (!item->foreign &&
	    claim_match_listed(run->gw, &run->project, listed_tree(item->seen)) != CLAIM_NONE)
		return false;
	return run->project.adopts;
}

/* Adopts what nobody knows yet, in the order of the listing. */
static void
listing_run_adopt(struct listing_run *run)
{
	int64_t now = loop_now(run->gw->loop), deadline = now + (run->deadline - now) / 2;
	struct listing_item *item, *next;

	run->fresh = mem_zero(HASH_COUNT(run->items) + 1, sizeof *run->fresh);
	HASH_ITER(hh, run->items, item, next) {
		if (!item->known && listing_run_is_new(run, item))
			listing_run_record(run, item, &run->fresh[run->fresh_count++]);
	}
	claim_listed_end(run->gw, &run->project);
	if (run->fresh_count > 0 && twin_wanted(run->gw, &run->project))
		run->batch = twin_batch_start(run->gw, &run->project, run->fresh, run->fresh_count,
		    deadline, listing_run_put, run);
	else if (run->fresh_count > 0 ||
	    loop_wall(run->gw->loop) - run->listing->noted_ms > LISTING_NOTE_MS)
		listing_run_put(run);
	else
		listing_run_check(run);
}

/* It cannot be said what other scopes know: no create takes anything this time. */
static void
listing_run_disown(struct listing_run *run)
{
	struct listing_item *item, *next;

	run->complete = false;
	HASH_ITER(hh, run->items, item, next)
		item->foreign = true;
}

static void listing_run_ask_elsewhere(struct listing_run *);

/* Other scopes have said what they know. What was written meanwhile may be missing in
 * that: they are asked again. */
static void
listing_run_on_elsewhere(void *arg, struct store_reply *reply)
{
	struct listing_run *run = arg;
	struct listing_item *item;
	struct result trouble;

	run->store = NULL;
	if (reply->status != STORE_OK) {
		gateway_store_trouble(&trouble);
		listing_run_fail(run, &trouble, false);
		return;
	}
	if (run->listing->epoch->written > run->asked && ++run->asks < LISTING_ASKS) {
		listing_run_ask_elsewhere(run);
		return;
	}
	if (run->listing->epoch->written > run->asked)
		listing_run_disown(run);
	for (size_t i = 0; i < reply->tombstone_count; i++) {
		HASH_FIND_STR(run->items, reply->tombstones[i], item);
		if (item != NULL)
			item->foreign = true;
	}
	listing_run_adopt(run);
}

/* The listing is shared, and a create looks for what it made: what other scopes know
 * it did not make. */
static void
listing_run_ask_elsewhere(struct listing_run *run)
{
	run->asked = run->gw->sequence;
	run->store = store_elsewhere(run->gw->store, run->project.resource->prefix,
	    run->listing->scope, listing_run_on_elsewhere, run);
}

/* Makes a row of a record, with what the listing shows of it. */
static void
listing_run_compare_one(struct listing_run *run, struct store_record *record)
{
	struct listing_row *row = &run->rows[run->count];
	struct listing_item *item;

	HASH_FIND_STR(run->items, record->upstream_id, item);
	if (item != NULL)
		item->known = true;
	if (!project_shows(&run->project, record))
		return;
	store_record_take(&row->record, record);
	if (item != NULL) {
		listing_run_show(run, row, item->seen);
	} else {
		listing_run_look_at(run, run->count);
	}
	run->count++;
}

static void listing_run_ask_known(struct listing_run *);

/* Creates of other gateways are known; what is known of items is asked for again. */
static void
listing_run_on_others(void *arg, bool ok)
{
	struct listing_run *run = arg;
	struct result trouble;

	if (ok) {
		listing_run_ask_known(run);
		return;
	}
	gateway_store_trouble(&trouble);
	listing_run_fail(run, &trouble, false);
}

/* Marks one item as known. */
static void
listing_run_know(struct listing_run *run, const char *upstream_id)
{
	struct listing_item *item;

	HASH_FIND_STR(run->items, upstream_id, item);
	if (item != NULL)
		item->known = true;
}

/* Whether the listing shows what nobody knows, where a create of another gateway may
 * have made it and those were not asked for yet. */
static bool
listing_run_wants_others(struct listing_run *run, const struct store_reply *reply)
{
	struct listing_item *item, *next;

	if (!run->gw->shared || run->others != NULL)
		return false;
	for (size_t i = 0; i < reply->record_count; i++)
		listing_run_know(run, reply->records[i].upstream_id);
	for (size_t i = 0; i < reply->tombstone_count; i++)
		listing_run_know(run, reply->tombstones[i]);
	HASH_ITER(hh, run->items, item, next)
		if (!item->known)
			return true;
	return false;
}

/* The store has given what is known of the scope: compares. */
static void
listing_run_on_records(void *arg, struct store_reply *reply)
{
	struct listing_run *run = arg;
	struct result trouble;

	run->store = NULL;
	if (reply->status != STORE_OK) {
		gateway_store_trouble(&trouble);
		listing_run_fail(run, &trouble, false);
		return;
	}
	if (listing_run_wants_others(run, reply)) {
		run->others = peer_claims_ask(run->gw, &run->project, listing_run_on_others, run);
		return;
	}
	run->rows = mem_zero(reply->record_count + 1, sizeof *run->rows);
	run->missing = mem_zero(reply->record_count + 1, sizeof *run->missing);
	run->complete = run->whole;
	for (size_t i = 0; i < reply->record_count; i++)
		listing_run_compare_one(run, &reply->records[i]);
	listing_run_mark(run, reply);
	if (run->project.resource->shared && claim_is_looked_for(run->gw, &run->project))
		listing_run_ask_elsewhere(run);
	else
		listing_run_adopt(run);
}

/* Indexes the answer by id; entries without a proper id are left out and logged. */
static void
listing_run_index(struct listing_run *run)
{
	size_t n = run->answer->count, bad = 0;

	run->pool = mem_zero(n + 1, sizeof *run->pool);
	for (size_t i = 0; i < n; i++) {
		struct listing_item *item = &run->pool[i], *twin;
		const char *id = run->answer->items[i].id;

		item->seen = &run->answer->items[i];
		if (id == NULL) {
			bad++;
			continue;
		}
		HASH_FIND_STR(run->items, id, twin);
		if (twin == NULL)
			HASH_ADD_KEYPTR(hh, run->items, id, strlen(id), item);
	}
	if (bad > 0)
		log_warn(run->gw->log, "entries without an id in a listing",
		    LOG_S("scope", run->listing->scope), LOG_I("count", bad));
}

/* Asks the store what is known of the scope. */
static void
listing_run_ask_known(struct listing_run *run)
{
	run->known_at = run->gw->sequence;
	run->store = store_list(run->gw->store, run->listing->scope, listing_run_on_records, run);
}

/* What a failed listing means for a client. */
static void
listing_run_trouble(struct listing_run *run, const struct upstream_answer *a)
{
	struct result trouble;

	gateway_trouble(&trouble, a, &run->project);
	if ((trouble.status == 404 || trouble.status == 400) &&
	    resource_error_of(run->project.resource, a->status) == NULL) {
		result_clear(&trouble);
		if (run->project.resource->by_agent)
			result_error(&trouble, 502, "Bluejay does not know the agent of this project");
		else
			result_error(&trouble, 502, "Bluejay does not list its %s",
			    run->project.resource->plural);
	}
	listing_run_fail(run, &trouble, result_upstream_is_down(a));
}

/* The upstream has answered, with all parts. */
static void
listing_run_on_answer(void *arg, const struct listing_pages_end *end)
{
	struct listing_run *run = arg;

	const struct upstream_answer *a = end->answer;

	run->pages = NULL;
	if (end->known) {
		listing_run_again(run);
		return;
	}
	run->answer = end->items;
	run->whole = end->whole;
	if (a->outcome != UPSTREAM_ANSWER || a->status != 200) {
		listing_run_trouble(run, a);
		return;
	}
	if (run->answer == NULL) {
		struct result trouble;

		log_warn(run->gw->log, "a listing does not have the declared shape",
		    LOG_S("scope", run->listing->scope));
		gateway_trouble(&trouble, a, &run->project);
		listing_run_fail(run, &trouble, true);
		return;
	}
	run->plain = end->alike && a->body_len <= LISTING_KNOWN_MAX;
	if (run->plain)
		listed_keep(run->answer, a->body, a->body_len);
	listing_run_index(run);
	listing_run_ask_known(run);
}

/* Starts a run. */
struct listing_run *
listing_run_start(struct listing *l, const struct project *p, enum listing_age age)
{
	struct listing_run *run = mem_zero(1, sizeof *run);

	run->listing = l;
	run->gw = l->gw;
	run->snap = snapshot_ref(p->snap);
	run->project = *p;
	run->sequence = ++l->gw->sequence;
	run->written = l->epoch->written;
	run->age = age;
	result_init(&run->unasked);
	run->deadline = gateway_deadline(l->gw);
	TAILQ_INIT(&run->waits);
	TAILQ_INIT(&run->checks);
	loop_timer_init(&run->step, l->gw->loop, listing_run_done, run);
	run->pages = listing_pages_start(l->gw, &run->project, run->deadline, listing_run_knows,
	    listing_run_on_answer, run);
	return run;
}
