#include "config.h"

#include "core/listing_delta.h"
#include "base/mem.h"
#include "core/epoch.h"
#include "core/fetch.h"
#include "core/listing_known.h"

#include <stdlib.h>
#include <string.h>

#define LISTING_DELTA_ROOM 16 /* changed items at first */

/* An item in other words. */
struct listing_delta_item {
	size_t index;
	const char *text; /* in the listing */
	size_t len;
	struct shelf_entry *entry; /* pinned */
};

struct listing_delta {
	struct listing *listing;
	const struct project *project;
	const char *text;
	size_t len;
	uint64_t sequence;
	struct listing_delta_item *items; /* in the listing's order */
	size_t count, room;
	size_t *begins; /* of each item in the text, changed or not */
};

/* Whether a read item is one that can be taken in here: as declared, with the id of the one
 * that is known in its place, of an entry that is in memory with nothing to wait for. */
static struct shelf_entry *
listing_delta_entry(struct listing_delta *d, size_t index, struct sight *sight)
{
	const struct listing_text *known = &d->listing->known;
	struct gateway *gw = d->listing->gw;
	const char *id = sight_id(sight);
	struct shelf_entry *e;

	if (id == NULL || strcmp(id, known->listed->items[index].id) != 0)
		return NULL;
	e = shelf_find(gw->shelf, d->listing->scope, known->places[index].local_id);
	if (e == NULL || !shelf_ready(e, d->project) || fetch_is_late(gw, d->project, e, sight))
		return NULL;
	return e;
}

/* Notes an item in other words; false when it cannot be taken in here. */
static bool
listing_delta_add(struct listing_delta *d, size_t index, struct sight *sight)
{
	struct listing_delta_item *item;
	struct shelf_entry *e;

	if (!sight_copy_pieces(sight, d->project))
		return false;
	e = listing_delta_entry(d, index, sight);
	if (e != NULL) {
		if (d->count == d->room) {
			d->room = d->room == 0 ? LISTING_DELTA_ROOM : d->room * 2;
			d->items = mem_resize(d->items, d->room * sizeof *d->items);
		}
		item = &d->items[d->count++];
		*item = (struct listing_delta_item){index, sight->text, sight->len, e};
		shelf_pin(e);
	}
	sight_clear(sight);
	return e != NULL;
}

/* Goes through the text beside the one that is known; does nothing yet. */
static bool
listing_delta_compare(struct listing_delta *d)
{
	const struct listed *known = d->listing->known.listed;
	struct json_objects objects;
	struct sight sight;

	json_objects_begin(&objects, d->text, d->len);
	for (size_t i = 0; i < known->count; i++) {
		d->begins[i] = (size_t)(objects.p - d->text);
		if (json_objects_skip(&objects, known->items[i].text, known->items[i].len))
			continue;
		if (!json_objects_next(&objects, &sight.copied.pieces) || !listing_delta_add(d, i, &sight))
			return false;
	}
	return !objects.bad && !objects.more;
}

/* Takes in one item. */
static bool
listing_delta_take(struct listing_delta *d, const struct listing_delta_item *item)
{
	struct gateway *gw = d->listing->gw;
	struct sight sight;
	bool good;

	if (!sight_copy(&sight, d->project, item->text, item->len))
		return false;
	good = fetch_seen(gw, item->entry, &sight, d->sequence) == 0 &&
	    item->entry->seen_sequence == d->sequence;
	if (good)
		shelf_know(item->entry, item->text, item->len);
	sight_clear(&sight);
	return good;
}

/* Makes the remembered list anew: rows that did not change are copied from it. */
static void
listing_delta_list(struct listing_delta *d)
{
	struct listing *l = d->listing;
	struct shelf_entry **changed = mem_zero(l->known.items + 1, sizeof *changed);
	struct list_text text;
	struct list_body body;

	for (size_t i = 0; i < d->count; i++)
		changed[l->known.places[d->items[i].index].row] = d->items[i].entry;
	list_text_begin(&text);
	for (size_t row = 0; row < l->known.items; row++) {
		if (changed[row] == NULL)
			list_text_add_from(&text, &l->body, row);
		else
			list_text_add(&text, changed[row]->body, changed[row]->body_len,
			    changed[row]->etag);
	}
	free(changed);
	list_text_end(&text, &body);
	list_body_clear(&l->body);
	l->body = body;
}

/* The text takes the place of the one that was known. */
static void
listing_delta_know(struct listing_delta *d)
{
	struct listing_text *known = &d->listing->known;
	char *text = mem_copy(d->text, d->len);

	for (size_t i = 0; i < known->items; i++)
		known->listed->items[i].text = text + d->begins[i];
	for (size_t i = 0; i < d->count; i++)
		known->listed->items[d->items[i].index].len = d->items[i].len;
	free(known->text);
	known->text = text;
	known->len = d->len;
	known->written = d->listing->epoch->written; /* by what was just taken in, and nobody else */
}

/* Takes in what differs. What is known by then is forgotten should that fail. */
static bool
listing_delta_apply(struct listing_delta *d)
{
	for (size_t i = 0; i < d->count; i++) {
		if (!listing_delta_take(d, &d->items[i])) {
			listing_known_forget(d->listing);
			return false;
		}
	}
	listing_delta_list(d);
	listing_delta_know(d);
	return true;
}

/* Changes the remembered list by what a text says otherwise. */
bool
listing_delta(struct listing *l, const struct project *p, const char *text, size_t len,
    uint64_t sequence)
{
	struct listing_delta d = {.listing = l, .project = p, .text = text, .len = len,
	    .sequence = sequence};
	bool done;

	if (l->known.listed == NULL || len > LISTING_KNOWN_MAX || !listing_known_holds(l, p) ||
	    l->body.count != l->known.items || l->gw->bypassed > sequence || l->gw->shared)
		return false;
	d.begins = mem_zero(l->known.items + 1, sizeof *d.begins);
	done = listing_delta_compare(&d) && listing_delta_apply(&d);
	for (size_t i = 0; i < d.count; i++)
		shelf_unpin(d.items[i].entry);
	free(d.items);
	free(d.begins);
	return done;
}
