#ifndef CORE_CREATE_IMPL_H
#define CORE_CREATE_IMPL_H

#include "core/claim.h"
#include "core/create.h"
#include "core/epoch.h"
#include "core/fetch.h"
#include "core/items.h"
#include "core/listing.h"
#include "core/names.h"
#include "core/peers.h"
#include "core/settle.h"
#include "core/twin_make.h"

/*
 * Shared by create.c (a client's request), creation.c (the create itself, which
 * outlives its clients: once sent it is settled, whoever leaves),
 * creation_outcome.c (recording what became of it, and looking for that),
 * creation_twin.c (its twin in the local tool, for a gateway that keeps them),
 * creation_peer.c (creates of other gateways on the same store that are in its way),
 * creation_state.c (its state and end) and create_wait.c (the clients that wait).
 */

#define CREATE_KEY_CONTRADICTED \
	"This Idempotency-Key was used before with another request body"

enum creation_state {
	CREATION_OPENING,   /* first create of a scope: the names upstream are read */
	CREATION_BEGINNING, /* the intent is being recorded */
	CREATION_TWINNING,  /* its twin in the local tool is being made */
	CREATION_SENDING,   /* the POST is on its way */
	CREATION_WAITING,   /* outcome unknown: time passes until the next look */
	CREATION_LOOKING,   /* outcome unknown: a listing is awaited */
	CREATION_SETTLING,  /* the item exists: being recorded */
	CREATION_DROPPING,  /* it did not happen: the intent is being removed */
	CREATION_HANDING    /* settled: the clients are being told */
};

struct create_wait;
TAILQ_HEAD(create_waits, create_wait);

struct creation {
	struct gateway *gw;
	struct snapshot *snap;
	struct project project;
	char *key; /* scope, newline, name; where names need not differ: the intent's id */
	enum creation_state state;
	struct store_intent intent;
	char *request;              /* the id of the one that began it; NULL: not known any more */
	struct claim claim;         /* what was sent, and the upstream item once it is known */
	int64_t deadline;           /* of the first client */
	struct settle settle;       /* WAITING, LOOKING */
	bool counted;               /* in gw->writes_running */
	bool checked;               /* BEGINNING: an item that might be handed out was read */
	bool alone;                 /* BEGINNING: no item is handed out, another one is made */
	bool made;                  /* Bluejay said that it made an item */
	bool drop_again;            /* WAITING: it did not happen, but the store could not note it */
	size_t weight;              /* its part of gw->unsettled_bytes */
	bool unclaimed;             /* HANDING: being told makes the item claimed */
	unsigned untold;            /* HANDING: clients whose answer is on its way */
	struct result trouble;      /* DROPPING: what the clients are told after it */
	char *local_id;             /* HANDING */
	struct json_object *twin;   /* what its twin is to hold; NULL: it has none, or it is not known */
	struct twin_make *make;     /* while the twin is made and noted */
	char *twin_id;              /* of the twin, while it is noted */
	bool twin_sure;             /* SETTLING: it was looked at */
	bool twin_as_it_is;         /* SETTLING: what is recorded after that */
	struct store_call *store;
	struct upstream_call *call;
	struct listing_wait *listing;
	struct names_wait *names;   /* OPENING: the names that are taken are listed first */
	struct fetch_wait *fetch;
	uint64_t asked;             /* BEGINNING: gateway.sequence when the store was */
	struct peer_wait peer;      /* BEGINNING: another gateway's create is waited for */
	char *followed;             /* the intent whose outcome is this one's, too; NULL: none */
	int64_t followed_ms;        /* when that one began, by its gateway's clock */
	unsigned telling;           /* BEGINNING: looks at an item that may be being told elsewhere */
	bool late;                  /* another gateway took the intent over; what is in the claim was
	                               made all the same */
	bool begun;                 /* BEGINNING: the store has the intent, while its records are read */
	struct store_record heir;   /* what is handed out when that intent is gone again */
	struct loop_timer timer;
	void (*send)(struct creation *); /* sends the POST (again) */
	struct create_waits joined; /* get the outcome */
	struct create_waits behind; /* another body or key under the same name: try again after it */
	UT_hash_handle hh;
};

enum create_wait_state { CREATE_WAIT_START, CREATE_WAIT_JOINED, CREATE_WAIT_BEHIND, CREATE_WAIT_DONE };

/* One client's create. */
struct create_wait {
	struct work work;
	struct gateway *gw;
	struct project project;
	enum create_wait_state state;
	struct creation *creation; /* JOINED, BEHIND; DONE while the creation is HANDING */
	struct json_object *body;
	char *name;
	char *fingerprint;
	char *key;      /* idempotency key with its scope; NULL: none */
	char *key_hash;
	struct loop_timer timer; /* START: first step; then: the client's deadline */
	int64_t deadline;
	void (*attempt)(struct create_wait *); /* tries (again) to join, wait or start */
	work_done_fn done;
	void *arg;
	TAILQ_ENTRY(create_wait) link;
};

/* Starts a create for its first client, which is joined to it. */
void creation_start(struct create_wait *);

/* Records the intent (again); and what follows when the store has it. */
void creation_begin(struct creation *);
void creation_first(struct creation *);

/* ---- creation_state.c ---- */

/* Whether the outcome of a sent create is being looked for. */
bool creation_is_unsettled(const struct creation *);

/* Whether the clients of a create are being told this item. */
bool creation_is_handing(const struct gateway *, const char *scope, const char *local_id);

void creation_set(struct creation *, enum creation_state);

/* Counts or uncounts a write that must not be cut by a stop. */
void creation_count(struct creation *, bool on);

/* Ends a create with the same error for every client; the result is used up. */
void creation_refuse(struct creation *, struct result *);

/* Hands the answer to the clients; `claim`: whoever is told it claims the item. */
void creation_hand(struct creation *, const struct result *, bool claim);

/* A joined client got the answer, or never will; the last one ends the hand-over. */
void creation_told(struct creation *, bool sent);

void creation_free(struct creation *); /* clients behind it are the caller's */

/* ---- creation_outcome.c ---- */

/* Records the item in the claim; false when it does not have the declared shape
 * and is not to be recorded as it is: it is looked for under its id then. */
bool creation_settle(struct creation *, bool as_it_is);

/* It certainly did not happen; the result, used up, is for the clients. */
void creation_drop(struct creation *, struct result *);

/* Nobody knows whether it happened. */
void creation_unknown(struct creation *, const char *why);

/* WAITING is over: looks, or records what is known. */
void creation_go_on(struct creation *);

/* The outcome is not known, or not recorded: there is another look, or attempt, later. */
void creation_look_later(struct creation *);

/* ---- creation_twin.c ---- */

/* Begins with what its twin is to hold, from the client's body; nothing without twins. */
void creation_twin_fill(struct creation *, struct json_object *body);
void creation_twin_free(struct creation *);

/* Makes the twin, notes its id, and sends the POST. */
void creation_twin(struct creation *);

/* Whether its twin is asked for first: then creation_settle() is called again, and what
 * is to follow it when it fails. */
bool creation_twin_check(struct creation *, bool as_it_is);

/* It is recorded or dropped: the twin is put right or removed. */
void creation_twin_over(struct creation *);

/* The local id that it will have, which is the twin's, or else Bluejay's. */
const char *creation_local_id(const struct creation *, const char *upstream_id);

/* ---- creation_peer.c: where other gateways write too ---- */

/* Of what the store answers to a begin: whether another gateway's create is in the way and
 * is waited for; then whether the outcome of one that was, or of this one under an intent
 * that was lost, is seen to here. */
bool creation_peer_meets(struct creation *, const struct store_reply *);
bool creation_peer_over(struct creation *, const struct store_reply *);
void creation_peer_on_wait(void *arg);

/* What is to be recorded is under an intent that another gateway has taken over: whether
 * that is seen to here. */
bool creation_peer_lost(struct creation *);

/* Whether the store is asked first before the POST is sent again. */
bool creation_peer_resend(struct creation *);

/* Whether the item (local_id) is claimed first before the answer, then used up, is given. */
bool creation_peer_claim(struct creation *, struct result *answer);

/* ---- create_wait.c: the clients of a create ---- */

/* Gives one client its result; it waits then to be told. */
void create_wait_give(struct create_wait *, struct result *);

/* Gives all joined clients a copy. They stay with the creation when `hand` is set. */
void create_wait_give_all(struct creation *, const struct result *, bool hand);

/* What a client is told while the name is held by an unsettled create. */
void create_wait_held(struct result *, const struct create_wait *);

/* Refuses those who stand behind an unsettled create. */
void create_wait_refuse_behind(struct creation *);

/* The client's deadline has come. */
void create_wait_expire(struct create_wait *);

/* Takes a client out of the creation's lists. */
void create_wait_detach(struct create_wait *);

/* Lets those behind a finished create try again, in their order. */
void create_wait_retry_all(struct create_waits *);

#endif
