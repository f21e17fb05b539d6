#include "config.h"

#include "base/mem.h"
#include "base/uuid.h"
#include "core/create_impl.h"
#include "core/surplus.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define CREATION_PEER_MARGIN_MS 25 /* a name that another gateway holds is waited for until so soon
                                      before the first client's deadline */
#define CREATION_PEER_TELLING_MS 1000 /* how long another gateway may take to tell its client */
#define CREATION_PEER_TELLING_LOOKS 4
#define CREATION_PEER_SKEW_MS (5 * 60 * 1000) /* how far another clock may be off */

/* ---- another gateway's create is in the way ---- */

/* Waits until something happened to the intent, or for a while; then begins again. */
static void
creation_peer_wait(struct creation *c, const char *intent_id)
{
	peer_wait_start(&c->peer, intent_id);
}

/* It was waited for. */
void
creation_peer_on_wait(void *arg)
{
	struct creation *c = arg;
	struct result r;

	peer_wait_stop(&c->peer);
	if (!TAILQ_EMPTY(&c->joined) || c->late) {
		creation_begin(c);
		return;
	}
	result_error(&r, 503, "Nobody waits for this create any more");
	creation_refuse(c, &r);
}

/* The create of this process that has an intent; NULL: none. */
static struct creation *
creation_peer_of(const struct creation *c, const char *intent_id)
{
	struct creation *other;

	for (other = c->gw->creations; other != NULL; other = other->hh.next)
		if (other != c && other->intent.id != NULL && strcmp(other->intent.id, intent_id) == 0)
			return other;
	return NULL;
}

/* An equal create was taken over by this process meanwhile: its clients are those of that
 * one. False when it is over already. */
static bool
creation_peer_join(struct creation *c, const struct store_intent *in)
{
	struct creation *other = creation_peer_of(c, in->id);
	struct create_wait *w;
	struct result r;

	if (other == NULL || other->state == CREATION_DROPPING || other->state == CREATION_HANDING ||
	    c->late)
		return false;
	TAILQ_FOREACH(w, &c->joined, link)
		w->creation = other;
	TAILQ_CONCAT(&other->joined, &c->joined, link);
	result_error(&r, 503, "Nobody waits for this create any more");
	creation_refuse(c, &r);
	return true;
}

/* Remembers whose outcome is this one's, too. */
static void
creation_peer_follow(struct creation *c, const struct store_intent *in)
{
	if (c->followed == NULL || strcmp(c->followed, in->id) != 0) {
		free(c->followed);
		c->followed = mem_string(in->id);
		c->followed_ms = in->created_ms;
	}
}

/* Whether a name that another create or rename holds may be free, or taken, soon. */
static bool
creation_peer_is_passing(const struct creation *c, const struct store_intent *in)
{
	return (in->state == STORE_PENDING || in->state == STORE_TWINNING) &&
	    !TAILQ_EMPTY(&c->joined) &&
	    loop_now(c->gw->loop) + CREATION_PEER_MARGIN_MS < c->deadline;
}

/* The store names what is in the way: whether it is waited for. */
bool
creation_peer_meets(struct creation *c, const struct store_reply *reply)
{
	const struct store_intent *in = reply->intents;
	struct result r;

	if (!c->gw->shared || reply->intent_count == 0 || in->state == STORE_OPERATOR)
		return false;
	if (reply->status == STORE_UNSETTLED_OTHER && in->held)
		return false;
	if (reply->status == STORE_UNSETTLED_OTHER) {
		if (creation_peer_is_passing(c, in)) {
			creation_peer_wait(c, in->id);
			return true;
		}
		if (in->operation != STORE_CREATE || c->late || TAILQ_EMPTY(&c->joined))
			return false;
		create_wait_held(&r, TAILQ_FIRST(&c->joined));
		creation_refuse(c, &r);
		return true;
	}
	if (reply->status != STORE_UNSETTLED_SAME && reply->status != STORE_KEY_RUNNING)
		return false;
	creation_peer_follow(c, in);
	if (!in->held || !creation_peer_join(c, in))
		creation_peer_wait(c, in->id);
	return true;
}

/* ---- what it came to ---- */

/* What this create made, although it was given up, is nobody's: it goes. */
static void
creation_peer_clean(struct creation *c)
{
	if (c->late && c->claim.found != NULL)
		surplus_check(c->gw, &c->project, c->claim.found);
	c->late = false;
}

/* Whether a record is what the followed create made. */
static bool
creation_peer_fits(const struct creation *c, const struct store_record *r)
{
	if (r->fingerprint == NULL || strcmp(r->fingerprint, c->intent.fingerprint) != 0)
		return false;
	if (c->project.resource->unique)
		return strcmp(r->name, c->intent.name) == 0;
	return r->created_ms >= c->followed_ms - CREATION_PEER_SKEW_MS;
}

/* The record among those of the scope that the clients get: what this create made, or
 * what the one did that it followed, which came last. NULL: none. */
static struct store_record *
creation_peer_heir(const struct creation *c, struct store_reply *reply)
{
	struct store_record *heir = NULL;

	for (size_t i = 0; i < reply->record_count; i++) {
		struct store_record *r = &reply->records[i];

		if (c->late && strcmp(r->upstream_id, c->claim.made_id) == 0 && !r->adopted)
			return r;
		if (c->followed != NULL && creation_peer_fits(c, r) &&
		    (heir == NULL || r->seq > heir->seq))
			heir = r;
	}
	return heir;
}

/* Hands out a record, or, when it cannot be shown, says that the name is taken. */
static void
creation_peer_hand(struct creation *c, struct store_record *record)
{
	struct shelf_entry *e = peers_put(c->gw, record, c->asked);
	struct result r;

	if (e == NULL || shelf_show(e, &c->project, NULL, NULL) != 0) {
		result_name_taken(&r, c->project.resource, c->intent.name);
		creation_refuse(c, &r);
		return;
	}
	free(c->local_id);
	c->local_id = mem_string(e->record.local_id);
	result_body(&r, 201, mem_copy(e->body, e->body_len), e->body_len);
	creation_hand(c, &r, true);
	result_clear(&r);
}

/* The intent that was begun in vain is gone: the record is handed out. */
static void
creation_peer_on_dropped(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;
	struct store_record heir;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	store_record_take(&heir, &c->heir);
	creation_peer_hand(c, &heir);
}

/* Nothing is there for the clients: goes on with what the store said of the begin. */
static void
creation_peer_go_on(struct creation *c)
{
	struct result r;

	if (c->begun && c->late && c->claim.found != NULL) {
		c->late = false;
		creation_settle(c, true);
	} else if (c->begun) {
		c->late = false;
		creation_first(c);
	} else {
		creation_peer_clean(c);
		result_name_taken(&r, c->project.resource, c->intent.name);
		creation_refuse(c, &r);
	}
}

/* The store is away. What was made here is not forgotten because of it. */
static void
creation_peer_hold_out(struct creation *c)
{
	struct result r;

	gateway_store_trouble(&r);
	if (c->late && c->begun) {
		result_clear(&r);
		creation_peer_go_on(c);
	} else if (c->late) {
		create_wait_give_all(c, &r, false);
		result_clear(&r);
		creation_peer_wait(c, NULL);
	} else if (c->begun) {
		creation_drop(c, &r);
	} else {
		creation_refuse(c, &r);
	}
}

/* The records of the scope are known. */
static void
creation_peer_on_list(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;
	struct store_record *heir = creation_peer_heir(c, reply);

	c->store = NULL;
	if (reply->status != STORE_OK) {
		creation_peer_hold_out(c);
	} else if (heir == NULL) {
		creation_peer_go_on(c);
	} else if (c->begun) {
		creation_peer_clean(c);
		store_record_take(&c->heir, heir);
		c->store = store_intent_drop(c->gw->store, c->intent.id, creation_peer_on_dropped, c);
	} else {
		creation_peer_clean(c);
		creation_peer_hand(c, heir);
	}
}

/* Whether another gateway may be telling its client of an item at this moment: it is
 * waited for a moment, so that the item is not handed out twice. */
static bool
creation_peer_is_telling(struct creation *c, const struct store_record *r)
{
	const struct shelf_entry *e = shelf_find(c->gw->shelf, r->scope, r->local_id);

	return (e == NULL || e->made == 0) && c->telling < CREATION_PEER_TELLING_LOOKS &&
	    loop_wall(c->gw->loop) - r->content_ms < CREATION_PEER_TELLING_MS;
}

/* The store has answered a begin after another create was met, or after the intent of this
 * one was lost: whether what follows is done here. */
bool
creation_peer_over(struct creation *c, const struct store_reply *reply)
{
	bool begun = reply->status == STORE_OK, unique = c->project.resource->unique;

	if (!c->gw->shared)
		return false;
	c->begun = begun;
	if (reply->status == STORE_UNAVAILABLE && c->late)
		creation_peer_hold_out(c);
	if (reply->status == STORE_UNAVAILABLE)
		return c->late;
	if (reply->status == STORE_UNCLAIMED && creation_peer_is_telling(c, &reply->records[0])) {
		c->telling++;
		creation_peer_wait(c, NULL);
		return true;
	}
	if (c->followed == NULL && !c->late)
		return false;
	if ((begun && (!unique || c->late)) || reply->status == STORE_NAME_TAKEN) {
		c->store = store_list(c->gw->store, c->project.scope, creation_peer_on_list, c);
		return true;
	}
	if (!begun)
		creation_peer_clean(c);
	return false;
}

/* ---- the intent was taken over ---- */

/* Begins again, under another intent. */
static void
creation_peer_again(struct creation *c)
{
	char id[UUID_SIZE];

	creation_peer_follow(c, &c->intent);
	uuid_make(id);
	free(c->intent.id);
	c->intent.id = mem_string(id);
	free(c->intent.twin_digest); /* the twin is there, or goes with the intent that was lost */
	c->intent.twin_digest = NULL;
	c->intent.state = STORE_PENDING;
	creation_count(c, false);
	creation_begin(c);
}

/* What is to be recorded is under an intent that this gateway does not hold any more: it
 * was away so long that another one has taken it over. What that one makes of it is
 * waited for; then what was made here is recorded, or removed if nobody has it. */
bool
creation_peer_lost(struct creation *c)
{
	if (!c->gw->shared || c->late)
		return false;
	log_warn(c->gw->log, "another gateway has taken over a create that is answered only now",
	    LOG_S("intent", c->intent.id), LOG_S("scope", c->project.scope));
	peers_count_lost(c->gw);
	c->late = true;
	if (c->claim.made_id == NULL)
		c->claim.made_id = mem_string(resource_id(c->project.resource, c->claim.found));
	creation_peer_again(c);
	return true;
}

/* The store says whether the create is still this gateway's to send. */
static void
creation_peer_on_marked(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	if (reply->status == STORE_UNAVAILABLE)
		creation_look_later(c);
	else if (reply->status != STORE_OK)
		creation_peer_again(c);
	else if (c->claim.found == NULL)
		c->send(c);
	else if (!creation_settle(c, false))
		creation_look_later(c); /* a listing has shown it meanwhile */
}

/* Before the POST is sent again it is made sure that no other gateway has taken the create
 * over, and that one which does so later knows that it was. */
bool
creation_peer_resend(struct creation *c)
{
	if (!c->gw->shared)
		return false;
	c->store = store_intent_mark(c->gw->store, c->intent.id, STORE_PENDING,
	    loop_wall(c->gw->loop), creation_peer_on_marked, c);
	return true;
}

/* ---- what nobody was told of ---- */

/* The store says who may tell. */
static void
creation_peer_on_claimed(void *arg, struct store_reply *reply)
{
	struct creation *c = arg;
	struct result r;

	c->store = NULL;
	gateway_saw_store(c->gw, reply);
	result_move(&r, &c->trouble);
	if (reply->status == STORE_OK) {
		creation_hand(c, &r, false);
		result_clear(&r);
		return;
	}
	result_clear(&r);
	free(c->local_id);
	c->local_id = NULL;
	if (reply->status == STORE_NONE) {
		creation_begin(c); /* another was faster */
		return;
	}
	gateway_store_trouble(&r);
	creation_refuse(c, &r);
}

/* An item that nobody was told of is about to be handed out: only one gateway may. When
 * nobody waits any more it stays what it is, for the next equal create. */
bool
creation_peer_claim(struct creation *c, struct result *answer)
{
	if (!c->gw->shared || TAILQ_EMPTY(&c->joined))
		return false;
	result_move(&c->trouble, answer);
	c->store = store_claim(c->gw->store, c->project.scope, c->local_id, creation_peer_on_claimed, c);
	return true;
}
