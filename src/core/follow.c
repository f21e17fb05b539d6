#include "config.h"

#include "core/follow.h"
#include "base/mem.h"
#include "core/twin.h"

#include <stdlib.h>
#include <string.h>

#define FOLLOW_AGAIN_MS 1000 /* between attempts at a claim while the store cannot be written */

struct follow {
	struct gateway *gw;
	char *scope, *local_id;
	int64_t version; /* of the entry's record when it was noted */
	bool claims;
	struct loop_timer again; /* claims: the store could not note it */
	TAILQ_ENTRY(follow) link;
};

static void follow_claim_again(void *);

/* Makes a note. */
static struct follow *
follow_new(struct gateway *gw, const char *scope, const char *local_id, int64_t version)
{
	struct follow *f = mem_zero(1, sizeof *f);

	f->gw = gw;
	f->scope = mem_string(scope);
	f->local_id = mem_string(local_id);
	f->version = version;
	loop_timer_init(&f->again, gw->loop, follow_claim_again, f);
	TAILQ_INSERT_TAIL(&gw->follows, f, link);
	return f;
}

/* Frees a note. */
static void
follow_free(struct follow *f)
{
	TAILQ_REMOVE(&f->gw->follows, f, link);
	loop_timer_cancel(&f->again);
	free(f->scope);
	free(f->local_id);
	free(f);
}

/* The record as the store has it: newer than the entry's, or it is left alone. */
static void
follow_on_reread(void *arg, struct store_reply *reply)
{
	struct gateway *gw = arg;

	if (reply->status == STORE_OK)
		shelf_put(gw->shelf, &reply->records[0]);
}

/* The record was refreshed. When it was not, because the store has another
 * version, that one is read. */
static void
follow_on_refreshed(void *arg, struct store_reply *reply)
{
	struct follow *f = arg;
	struct shelf_entry *e = shelf_find(f->gw->shelf, f->scope, f->local_id);

	gateway_saw_store(f->gw, reply);
	if (reply->status == STORE_OK && reply->number == 1)
		twin_touch(f->gw, f->scope, f->local_id);
	if (reply->status == STORE_OK && e != NULL && e->record.version == f->version) {
		if (reply->number == 1)
			e->record.version++;
		else if (f->gw->shared)
			e->behind = true; /* another gateway wrote it */
		else
			store_get(f->gw->store, f->scope, f->local_id, follow_on_reread, f->gw);
	}
	follow_free(f);
}

/* Keeps in the store what a read saw. */
void
follow_refresh(struct gateway *gw, const struct shelf_entry *e)
{
	struct follow *f = follow_new(gw, e->record.scope, e->record.local_id, e->record.version);

	store_refresh(gw->store, &e->record, 1, follow_on_refreshed, f);
}

/* The store has noted the claim. */
static void
follow_on_claimed(void *arg, struct store_reply *reply)
{
	struct follow *f = arg;
	struct shelf_entry *e = shelf_find(f->gw->shelf, f->scope, f->local_id);

	gateway_saw_store(f->gw, reply);
	if (reply->status == STORE_UNAVAILABLE) {
		loop_timer_set(&f->again, FOLLOW_AGAIN_MS);
		return;
	}
	if (reply->status == STORE_OK && e != NULL && e->record.unclaimed) {
		e->record.unclaimed = false;
		e->record.version++;
	}
	follow_free(f);
}

/* Asks the store to note it. */
static void
follow_claim_again(void *arg)
{
	struct follow *f = arg;

	store_claim(f->gw->store, f->scope, f->local_id, follow_on_claimed, f);
}

/* Notes that an item's id was told. */
void
follow_claim(struct gateway *gw, const char *scope, const char *local_id)
{
	struct follow *f = follow_new(gw, scope, local_id, 0);

	f->claims = true;
	follow_claim_again(f);
}

/* Whether a claim is on its way. */
bool
follow_is_claiming(const struct gateway *gw, const char *scope, const char *local_id)
{
	const struct follow *f;

	TAILQ_FOREACH(f, &gw->follows, link)
		if (f->claims && strcmp(f->local_id, local_id) == 0 && strcmp(f->scope, scope) == 0)
			return true;
	return false;
}

/* Frees the rest. */
void
follow_free_all(struct gateway *gw)
{
	while (!TAILQ_EMPTY(&gw->follows))
		follow_free(TAILQ_FIRST(&gw->follows));
}
