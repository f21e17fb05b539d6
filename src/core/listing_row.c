#include "config.h"

#include "core/listing_row.h"
#include "base/mem.h"
#include "core/listing_run_impl.h"
#include "core/peers.h"

#include <stdlib.h>
#include <string.h>

#define LISTING_CHECKS_AT_ONCE 8
#define LISTING_CHECKS_MAX 200 /* own GETs in one run; further missing ones are believed to live */

/* The answer says more than what is known. */
static void
listing_row_differs(struct listing_run *run)
{
	run->plain = false;
}

/* A row takes the state and the ready-made answer of its entry. */
static void
listing_row_take(const struct listing_run *run, struct listing_row *row,
    const struct shelf_entry *e)
{
	free(row->body);
	row->body = shelf_ready(e, &run->project) ? mem_copy(e->body, e->body_len) : NULL;
	row->body_len = row->body != NULL ? e->body_len : 0;
	memcpy(row->etag, e->etag, sizeof row->etag);
}

/* Puts a row's record on the shelf. */
static struct shelf_entry *
listing_row_shelve(struct listing_run *run, const struct listing_row *row)
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
listing_row_is_risky(const struct listing_run *run, const struct shelf_entry *e)
{
	return run->project.resource->shared && peers_shared_lately(run->gw, e->record.upstream_id);
}

/* Whether a listing is not believed of an item that it shows: where other gateways write
 * too, what it shows may be what one of them has replaced. The item's own GET knows. */
static bool
listing_row_distrusts(const struct listing_run *run, const struct shelf_entry *e,
    struct sight *sight)
{
	if (!run->gw->shared)
		return false;
	return fetch_differs(e, sight) || listing_row_is_risky(run, e);
}

/* Has a row looked at by the item's own GET. */
void
listing_row_look_at(struct listing_run *run, size_t row)
{
	listing_row_differs(run);
	run->missing[run->missing_count++] = row;
}

/* Takes in what the listing shows of an item, unless it is only late. */
static void
listing_row_look(struct listing_run *run, const struct listing_row *row, struct shelf_entry *e,
    struct listed_item *seen)
{
	struct sight sight;
	bool alone; /* nobody else has written meanwhile */

	listed_see(seen, &run->project, &sight);
	alone = run->written == run->listing->epoch->written;
	if (listing_row_distrusts(run, e, &sight))
		listing_row_look_at(run, (size_t)(row - run->rows));
	else if (fetch_is_late(run->gw, &run->project, e, &sight) ||
	    fetch_seen(run->gw, e, &sight, run->sequence) != 0)
		listing_row_differs(run);
	else if (seen->alike && e->seen_sequence == run->sequence)
		shelf_know(e, seen->text, seen->len);
	if (alone)
		run->written = run->listing->epoch->written;
	sight_clear(&sight);
}

/* The same; nothing is compared when it is in the words in which the item was seen last, and
 * no write came since. */
static void
listing_row_see(struct listing_run *run, const struct listing_row *row, struct shelf_entry *e,
    struct listed_item *seen)
{
	if (seen->alike && shelf_knows(e, &run->project, seen->text, seen->len) &&
	    !listing_row_is_risky(run, e))
		fetch_seen_again(run->gw, e, run->sequence);
	else
		listing_row_look(run, row, e, seen);
}

/* Takes in what the listing shows of a known record. */
void
listing_row_show(struct listing_run *run, struct listing_row *row, struct listed_item *seen)
{
	struct shelf_entry *e = listing_row_shelve(run, row);

	if (e == NULL) {
		listing_row_differs(run);
		store_record_clear(&row->record); /* deleted meanwhile */
		return;
	}
	row->listed = true;
	shelf_pin(e);
	if (e->replaced_count > 0)
		shelf_show(e, &run->project, NULL, NULL); /* what is here may be newer */
	listing_row_see(run, row, e, seen);
	listing_row_take(run, row, e);
	shelf_unpin(e);
}

/* Whether a record was made so recently that a listing may still lack it; one that another
 * gateway made, by the time that Bluejay gave it. */
static bool
listing_row_is_young(const struct listing_run *run, const struct shelf_entry *e)
{
	int64_t grace = run->snap->config->bluejay.settle_grace;

	if (run->gw->shared && e->made == 0)
		return !e->record.adopted && loop_wall(run->gw->loop) - e->record.created_ms < grace;
	return e->made != 0 && loop_now(run->gw->loop) - e->made < grace;
}

/* A missing record lives, or nobody knows: the listing lags or is not whole; or what it
 * shows of a record was not believed. */
static void
listing_row_miss(struct listing_run *run, struct listing_row *row, struct shelf_entry *e)
{
	if (!row->listed && !listing_row_is_young(run, e))
		run->complete = false;
	shelf_show(e, &run->project, NULL, NULL);
	listing_row_take(run, row, e);
}

/* Whether a missing record is believed to live without its own GET. */
static bool
listing_row_believes(const struct listing_run *run, const struct shelf_entry *e)
{
	if (run->unasked.status != 0 || run->missing_next > LISTING_CHECKS_MAX ||
	    loop_now(run->gw->loop) >= run->deadline)
		return true;
	return run->age != LISTING_CHECKED && fetch_fresh(run->gw, &run->project, e);
}

/* A missing record's own GET has answered. */
static void
listing_row_on_fetch(void *arg, const struct fetch_outcome *out)
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
		listing_row_miss(run, row, out->entry);
	}
	listing_row_check(run);
}

/* Looks for one missing record. */
static void
listing_row_check_one(struct listing_run *run, size_t index)
{
	struct listing_row *row = &run->rows[index];
	struct shelf_entry *e = listing_row_shelve(run, row);
	struct listing_check *c;

	if (e == NULL) {
		store_record_clear(&row->record);
		return;
	}
	if (listing_row_believes(run, e)) {
		listing_row_miss(run, row, e);
		return;
	}
	c = mem_zero(1, sizeof *c);
	c->run = run;
	c->row = index;
	TAILQ_INSERT_TAIL(&run->checks, c, link);
	run->checking++;
	c->wait = fetch_want(run->gw, &run->project, e, true, listing_row_on_fetch, c);
}

/* Keeps a bounded number of checks running. */
void
listing_row_check(struct listing_run *run)
{
	while (run->missing_next < run->missing_count && run->checking < LISTING_CHECKS_AT_ONCE) {
		size_t index = run->missing[run->missing_next++];

		listing_row_check_one(run, index);
	}
	if (run->missing_next == run->missing_count && run->checking == 0 && !run->step.armed)
		loop_timer_set(&run->step, 0);
}
