#include "config.h"

#include "base/mem.h"
#include "core/claim.h"
#include "core/gone.h"
#include "core/listing_delta.h"
#include "core/listing_known.h"
#include "core/listing_row.h"
#include "core/listing_run_impl.h"
#include "core/twin.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define LISTING_ASKS 10 /* questions to other scopes in one run */

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
			listing_row_show(run, row, item->seen);
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
	listing_row_check(run);
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
		listing_row_check(run);
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
		listing_row_show(run, row, item->seen);
	} else {
		listing_row_look_at(run, run->count);
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
