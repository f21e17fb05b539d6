#ifndef CORE_CHANGE_IMPL_H
#define CORE_CHANGE_IMPL_H

#include "core/change.h"
#include "core/epoch.h"
#include "core/fence.h"
#include "core/fetch.h"
#include "core/items.h"
#include "core/names.h"
#include "core/peers.h"
#include "core/settle.h"
#include "core/twin.h"

/*
 * Shared by change.c (the steps of an update, addition or delete up to its answer),
 * change_request.c (what the client's body becomes), change_peer.c (writes of other
 * gateways on the same store that are in its way),
 * change_settle.c (looking, when the outcome is unknown) and change_record.c
 * (recording the outcome and telling the client).
 */

enum change_state {
	CHANGE_QUEUED,    /* other writes to this item come first */
	CHANGE_FINDING,   /* the fence is asked */
	CHANGE_READING,   /* an update of kept fields alone: is the item still there? Or a
	                     rename: which names are taken? */
	CHANGE_BEGINNING, /* the intent is being recorded */
	CHANGE_SENDING,
	CHANGE_SETTLING,  /* done upstream: being recorded */
	CHANGE_DROPPING,  /* did not happen: the intent is being removed */
	CHANGE_WAITING,   /* outcome unknown: time passes until the next look */
	CHANGE_LOOKING,   /* outcome unknown: the item's own GET is awaited */
	CHANGE_OVER
};

enum change_client { CHANGE_CLIENT_WAITS, CHANGE_CLIENT_GIVEN, CHANGE_CLIENT_NONE };

struct change {
	struct work work; /* first: the client's handle */
	struct gateway *gw;
	struct snapshot *snap;
	struct project project;
	enum store_operation operation;
	enum change_state state;
	enum change_client client;
	char *local_id;
	struct json_object *body; /* update, addition: what the client sent; NULL when resumed */
	struct json_object *sent; /* the same: what goes upstream */
	struct json_object *item; /* SETTLING: the outcome of these */
	struct shelf_entry *entry; /* pinned, once known; of an earlier run's intent maybe never */
	struct store_intent intent; /* id NULL: none recorded */
	char *request;              /* the id of the one that began it; NULL: not known any more */
	struct result trouble;      /* DROPPING, or while its twin follows: what the client is told then */
	struct settle settle;
	bool counted;
	bool gone;                  /* DROPPING: the upstream says 404: the record is hidden after it */
	bool settle_again, drop_again; /* WAITING: known, but the store could not note it */
	struct serial_ticket *ticket;
	struct fence *fence;
	struct fetch_wait *fetch;
	struct names_wait *names;
	struct store_call *store;
	struct upstream_call *call;
	struct peer_wait peer;      /* QUEUED: another gateway's write comes first */
	bool late;                  /* another gateway took the intent over; this one is its second */
	struct twin_wait *follow;   /* SETTLING: recorded; its twin follows before the client is told */
	struct loop_timer timer;    /* QUEUED, FINDING, READING: deadline; WAITING: next look */
	int64_t deadline;
	void (*later)(struct change *); /* the store cannot record the outcome now: tries again later */
	work_done_fn done;
	void *arg;
	TAILQ_ENTRY(change) link;
};

/* change_request.c */

/* Translates the client's body into what is sent (in the intent; NULL: nothing), kept
 * and absent; -1 with a sentence for the client. */
int change_translate(struct change *, struct fail *);

/* change_record.c: the state, the client, and recording the outcome */
void change_set(struct change *, enum change_state);
void change_count(struct change *, bool on);
void change_give(struct change *, struct result *);   /* tells the client, if it still waits */
void change_over(struct change *);                    /* leaves the line; frees when nobody holds it */
void change_finish(struct change *, struct result *); /* both */
void change_free(struct change *);
void change_settle(struct change *, struct json_object *item); /* NULL for a delete */
void change_drop(struct change *, struct result *trouble, bool gone);

/* change.c */
void change_find(struct change *); /* asks whether the item belongs to the project */
void change_queue(struct change *); /* enters the line of those that write the item */

/* change_peer.c: of what the store answers to a begin, whether another gateway's write is in
 * the way and is waited for; whether there is something to be done first when it is
 * recorded; and whether an intent that was lost is seen to */
bool change_peer_meets(struct change *, const struct store_reply *);
bool change_peer_begun(struct change *, const struct store_reply *);
bool change_peer_lost(struct change *);
void change_peer_doubt(struct change *); /* the outcome is not known after a look */
void change_peer_on_wait(void *arg);

/* change_settle.c */
void change_unknown(struct change *, const char *why);
void change_look_later(struct change *);
void change_on_timer_waiting(struct change *);

#endif
