#include "config.h"

#include "core/listing_known.h"
#include "base/mem.h"
#include "core/claim.h"
#include "core/drift.h"
#include "core/peers.h"

#include <stdlib.h>
#include <string.h>

/* What is seen again. */
struct listing_known_again {
	struct gateway *gw;
	uint64_t since, sequence;
};

/* Forgets the text. */
void
listing_known_forget(struct listing *l)
{
	for (size_t i = 0; l->known.places != NULL && i < l->known.items; i++)
		free(l->known.places[i].local_id);
	free(l->known.places);
	free(l->known.rows);
	listed_free(l->known.listed);
	free(l->known.text);
	memset(&l->known, 0, sizeof l->known);
}

/* Keeps a text. */
void
listing_known_keep(struct listing *l, char *text, size_t len, size_t items, uint64_t sequence)
{
	listing_known_forget(l);
	l->known.text = text;
	l->known.len = len;
	l->known.items = items;
	l->known.sequence = sequence;
	l->known.written = l->epoch->written;
}

/* Notes the items. */
void
listing_known_places(struct listing *l, struct listed *listed, struct listing_place *places)
{
	l->known.listed = listed;
	l->known.places = places;
	l->known.rows = mem_zero(listed->count + 1, sizeof *l->known.rows);
	for (size_t i = 0; i < listed->count; i++)
		l->known.rows[places[i].row] = i;
}

/* Whether nothing can have changed but the upstream. */
bool
listing_known_holds(const struct listing *l, const struct project *p)
{
	return l->known.text != NULL && l->body.body != NULL && l->body_made_by == p->generation &&
	    l->body_sequence >= l->known.sequence && l->known.written == l->epoch->written &&
	    loop_wall(l->gw->loop) - l->noted_ms <= LISTING_NOTE_MS && peers_told(l->gw) &&
	    !claim_is_looked_for(l->gw, p);
}

/* Compares a text. */
bool
listing_known_is(const struct listing *l, const struct project *p, const char *text, size_t len)
{
	return l->known.len == len && listing_known_holds(l, p) && memcmp(l->known.text, text, len) == 0;
}

/* An item of the scope: it was in the listing unless it was not seen since then. */
static void
listing_known_on_entry(void *arg, struct shelf_entry *e)
{
	const struct listing_known_again *again = arg;

	if (e->seen_sequence < again->since)
		return;
	fetch_seen_again(again->gw, e, again->sequence);
}

/* Sees all items again. */
void
listing_known_again(struct listing *l, const struct project *p, uint64_t sequence)
{
	struct listing_known_again again = {l->gw, l->known.sequence, sequence};

	drift_alike(l->gw->drift, p, l->known.items);
	shelf_walk(l->gw->shelf, l->scope, listing_known_on_entry, &again);
	l->body_at = loop_now(l->gw->loop);
	l->body_sequence = sequence;
}
