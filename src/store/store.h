#ifndef STORE_H
#define STORE_H

#include "base/fail.h"
#include "base/log.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the gateway itself must remember, behind one asynchronous interface: a
 * database on disk (SQLite) today, one across a network tomorrow. Every call is
 * one transaction with a meaning of its own, so that any engine can make it
 * atomic. JSON is opaque text here. Times are wall-clock milliseconds, given by
 * the caller.
 *
 * A port binds the store to one loop. A call copies its arguments and returns at
 * once; its callback runs on the port's loop, later, exactly once, never after
 * store_cancel(); the reply belongs to the store and is valid only during the
 * callback (store_record_take() moves a record out). A write's callback runs
 * after its commit is durable; writes of one port are done in the order of their
 * calls, and a read sees every write whose callback has run.
 */
struct store;
struct store_port;
struct store_call;
struct store_image; /* store_image.h */
struct store_twin;  /* store_twin.h */

struct store_options {
	const char *dir;     /* NULL: memory only, forgotten at close */
	const char *binding; /* the upstream this store belongs to, e.g. its URL; another one
	                        later is refused; NULL: any */
	bool rebind;         /* take the new binding instead of refusing */
	struct log *log;     /* may be NULL */

	/* A PostgreSQL database, and nothing of dir is used; NULL: none. The password is that of
	 * the URL when it is NULL. Neither is repeated in a sentence. */
	const char *url, *password;
	unsigned connections; /* for each port, besides one of the process; 0: STORE_CONNECTIONS */
};
#define STORE_CONNECTIONS 3

/* Opens or makes the store, migrates its schema, takes its lock. NULL with a
 * sentence: locked by another process, newer schema, other binding, damaged. */
struct store *store_open(const struct store_options *, struct fail *);
/* Finishes queued writes, joins the threads. Ports must be closed before. */
void store_close(struct store *);

/* NULL when the kernel refuses a descriptor. Close it before its loop is freed. */
struct store_port *store_port_open(struct store *, struct loop *);
/* Callbacks still due are never called; what was asked is still done. */
void store_port_close(struct store_port *);

/* Counts since the store was opened. */
struct store_stats {
	uint64_t reads;   /* calls answered, by kind */
	uint64_t writes;
	uint64_t commits; /* transactions that wrote: writes / commits is the size of a group */
	uint64_t refused; /* calls answered STORE_UNAVAILABLE */
	uint64_t queued;  /* calls waiting now */
	uint64_t members;    /* processes on the store, when this one's lease was last renewed */
	uint64_t reconnects; /* connections to a database made again after they were lost */
};
void store_stats(struct store *, struct store_stats *); /* from any thread */

/* A persona known here. Its scope is what owns names and membership:
 * "agent:123" or "project:shop". Strings belong to the struct. */
struct store_record {
	int64_t seq; /* order of arrival in the store */
	char *scope;
	char *local_id;
	char *upstream_id;
	char *name;
	int64_t created_ms;
	int64_t updated_ms;
	char *kept;    /* object: fields kept here; NULL: none */
	char *absent;  /* object: local field -> filler; NULL: none */
	char *content; /* last known upstream answer; NULL: never seen */
	int64_t content_ms; /* when content was last known to be current */
	bool adopted;   /* made upstream, found in a listing */
	bool unclaimed; /* its creator was never told its id */
	char *fingerprint; /* of the create that made it; NULL when adopted */
	int64_t version; /* grows with every write to the record */
};

/* An addition is an update that names what is added; all that is said of updates
 * holds for it. The values are in databases. */
enum store_operation { STORE_CREATE, STORE_UPDATE, STORE_DELETE, STORE_ADD };

enum store_intent_state {
	STORE_PENDING, /* recorded; being sent by this process, or found so after a crash */
	STORE_UNKNOWN, /* outcome unknown; being settled by looking */
	STORE_OPERATOR, /* nothing can be looked up: waits for adopt or forget */
	STORE_TWINNING  /* create: its twin in the local tool is being made; nothing was sent */
};

/* A write to the upstream, recorded before it is sent. Strings belong to the struct. */
struct store_intent {
	char *id; /* UUID, made by the caller */
	enum store_operation operation;
	enum store_intent_state state;
	char *scope;
	char *project;
	char *local_id;    /* update, delete; create: of the twin, NULL: the upstream id will be it */
	char *upstream_id; /* update, delete */
	char *name;        /* create: the name, NULL when names need not differ; update: the new
	                      name, NULL when it stays; held until settled or dropped */
	char *fingerprint; /* create: hash of the caller's body */
	char *sent;        /* the upstream body as it is sent; NULL for delete */
	char *kept;        /* update: the kept object as it will be; create: as given; NULL: none */
	char *absent;      /* create: local field -> filler; update: what will be left; NULL: none */
	int64_t created_ms;
	int64_t touched_ms; /* last change of state */
	char *key;      /* idempotency key with its scope; NULL: none */
	char *key_hash; /* hash of the raw body under that key */
	char *twin_digest; /* create begin: of what the twin will hold (store_twin.h); NULL: no twin */

	/* As the store knows it (store_member.h); not looked at in what a caller gives. */
	bool held;     /* by this process */
	bool orphaned; /* its holder's lease has run out: store_intent_take() */
	int64_t fence; /* grows each time that it is taken */
};

enum store_status {
	STORE_OK,
	STORE_NONE,            /* no such record or intent */
	STORE_NAME_TAKEN,      /* by a persona of the scope */
	STORE_UNSETTLED_SAME,  /* create: an equal create is unsettled (intents[0]) */
	STORE_UNSETTLED_OTHER, /* create, update: the name is held by an unsettled intent (create: with
	                          another body); update, delete: the persona has one (intents[0]) */
	STORE_UNCLAIMED,       /* create: an equal create made records[0], and nobody was told */
	STORE_KEY_ANSWER,      /* create: the key was answered before (text) */
	STORE_KEY_RUNNING,     /* create: the key's create is unsettled (intents[0]) */
	STORE_KEY_MISMATCH,    /* create: the key was used with another body */
	STORE_ID_TAKEN,        /* create settle: the upstream id is that of another create's persona */
	STORE_HELD,            /* intent take: another process holds it (intents[0]) */
	STORE_UNAVAILABLE      /* disk full, I/O error; nothing was changed (text says why, for the
	                          log). After an I/O error of a commit, a crash before the next
	                          write may show that it was done: as if its answer had been lost.
	                          So also when the connection to a database was lost with it under
	                          way, and could not be made again within seconds */
};

struct store_reply {
	enum store_status status;
	struct store_record *records;
	size_t record_count;
	struct store_intent *intents;
	size_t intent_count;
	char **tombstones; /* store_list: upstream ids deleted here; store_elsewhere: as it says */
	size_t tombstone_count;
	char **hidden; /* store_list: upstream ids of personas that are hidden */
	size_t hidden_count;
	struct store_image *images; /* store_image.h */
	size_t image_count;
	struct store_twin *twins; /* store_twin.h */
	size_t twin_count;
	char *bytes; /* of an image; NULL: none */
	size_t len;
	int64_t number; /* as the call says */
	char *text;     /* as the status says */
};

/* NULL where a call takes one: nobody wants to know. */
typedef void (*store_done_fn)(void *arg, struct store_reply *);

/* The callback will not be called; the work is still done. On the port's
 * thread, only while the callback is still due. */
void store_cancel(struct store_call *);

/* ---- reads ---- */

/* OK with records[0], or NONE (unknown, hidden or deleted). */
struct store_call *store_get(struct store_port *, const char *scope, const char *local_id,
    store_done_fn, void *arg);

/* OK with every visible record of the scope, by created_ms then seq, the ids of the
 * hidden and of the deleted ones; number is when the scope was last listed upstream
 * (0: never). */
struct store_call *store_list(struct store_port *, const char *scope, store_done_fn, void *arg);

/* OK with, in tombstones, the upstream ids of all that creates made, or that was
 * deleted, in other scopes that begin with the prefix. */
struct store_call *store_elsewhere(struct store_port *, const char *prefix, const char *scope,
    store_done_fn, void *arg);

/* OK with the first visible records of the scope, in the order of store_list(): at
 * most so many, and no more after their content and kept fields have so many bytes;
 * number counts all there are. */
struct store_call *store_page(struct store_port *, const char *scope, size_t max, size_t bytes,
    store_done_fn, void *arg);

/* OK with every intent there is, oldest first. */
struct store_call *store_intents(struct store_port *, store_done_fn, void *arg);

/* OK with one intent for every operation and state that some have: only these two are
 * set, created_ms of the oldest, and touched_ms, which says how many. */
struct store_call *store_intent_counts(struct store_port *, store_done_fn, void *arg);

/* ---- creates ---- */

struct store_create {
	const struct store_intent *intent; /* state PENDING; key and key_hash from it */
	int64_t now_ms;
	int64_t key_expires_ms;
	int64_t unclaimed_since_ms; /* older unclaimed personas are not inherited */
};

/* Records the intent and holds the name, or says why not. In this order: key
 * (ANSWER, RUNNING, MISMATCH); unsettled create of the same name (SAME when the
 * fingerprints are equal and not both have keys, else OTHER); a name held by a
 * rename (OTHER); a persona with the name: UNCLAIMED when it is unclaimed, has
 * the same fingerprint, is young enough (by created_ms) and this create has no
 * key, else NAME_TAKEN; else OK. Without a name (NULL) nothing is held: after the
 * key come an equal create that waits for an operator, or whose outcome another process
 * does not know (SAME, when not both have keys), and an equal create's persona called
 * "" (UNCLAIMED, as above); else OK. An UNCLAIMED reply claims nothing by itself: tell
 * the creator only after store_claim() said OK. */
struct store_call *store_create_begin(struct store_port *, const struct store_create *,
    store_done_fn, void *arg);

/* The persona exists: puts the record (or takes over one that was adopted under
 * the same upstream id, whose local id stays), drops the intent and its hold, keeps `answer` (the local
 * body; NULL: the key is forgotten) under the intent's key. OK with records[0]
 * as stored, in the scope that the intent has now. A tombstone of that id goes.
 * Of an adopted record, what was written to it since stays: its kept, if it has
 * some, and its name and content when content_ms is later. NONE when the intent
 * is gone already; ID_TAKEN, and nothing is changed, when a visible record that a
 * create made has the upstream id. */
struct store_call *store_create_settle(struct store_port *, const char *intent_id,
    const struct store_record *, const char *answer, store_done_fn, void *arg);

/* The creator of this persona is being told its id. OK for exactly one caller;
 * NONE when it was claimed already, or is not known. */
struct store_call *store_claim(struct store_port *, const char *scope, const char *local_id,
    store_done_fn, void *arg);

/* ---- updates and deletes ---- */

/* Records the intent; holds its new name, if it has one that is not the persona's
 * own. In this order: NONE; NAME_TAKEN, by another persona; UNSETTLED_OTHER: the
 * persona has an unsettled intent, or one of another persona holds the name; else
 * OK with records[0] as it is now. */
struct store_call *store_update_begin(struct store_port *, const struct store_intent *,
    store_done_fn, void *arg);

/* Done upstream: writes name, content, content_ms, kept, absent, updated_ms of
 * the record (found by scope and local_id), clears unclaimed, drops the intent,
 * frees the name that is no longer used. OK with records[0] as stored; NONE when
 * the record is gone or hidden (the intent goes all the same), or the intent is
 * gone already (nothing is written). With intent_id NULL it is a change of kept
 * fields alone: only kept and updated_ms are written, and UNSETTLED_OTHER is
 * answered while the persona has an unsettled intent, whose settling would undo
 * the change. */
struct store_call *store_update_settle(struct store_port *, const char *intent_id,
    const struct store_record *, store_done_fn, void *arg);

/* Records the intent. In this order: NONE, UNSETTLED_OTHER, OK with records[0]. */
struct store_call *store_delete_begin(struct store_port *, const struct store_intent *,
    store_done_fn, void *arg);

/* Gone upstream: the record goes, its name is free, a tombstone stays. NONE when
 * the intent is gone already. */
struct store_call *store_delete_settle(struct store_port *, const char *intent_id,
    int64_t now_ms, store_done_fn, void *arg);

/* ---- intents ---- */

/* For all that follows the begin of an intent: NONE also when another process has taken
 * it (store_member.h). */

/* Moves an intent to a state. OK or NONE. */
struct store_call *store_intent_mark(struct store_port *, const char *intent_id,
    enum store_intent_state, int64_t now_ms, store_done_fn, void *arg);

/* It did not happen: the intent, the name it holds and its key go. OK or NONE. */
struct store_call *store_intent_drop(struct store_port *, const char *intent_id,
    store_done_fn, void *arg);

/* ---- what the upstream showed ---- */

/* Personas found in a listing of the scope: unknown ones are adopted (local_id
 * NULL: the upstream id), hidden ones come back with what was kept, known and
 * tombstoned ones are left alone. Notes listed_ms for the scope. OK with the
 * adopted and returned records as stored. */
struct store_call *store_adopt(struct store_port *, const char *scope,
    const struct store_record *, size_t count, int64_t listed_ms, store_done_fn, void *arg);

/* What reads saw: for each record still at the given version, writes name,
 * content, content_ms, absent and updated_ms, and clears unclaimed when it is clear
 * there, unless it has an unsettled intent: such a read may have been before or
 * after the write. OK; number counts those written. */
struct store_call *store_refresh(struct store_port *, const struct store_record *, size_t count,
    store_done_fn, void *arg);

/* The upstream says 404: hides the record and frees its name. OK or NONE (also
 * when it is hidden already). */
struct store_call *store_hide(struct store_port *, const char *scope, const char *local_id,
    int64_t now_ms, store_done_fn, void *arg);

/* ---- housekeeping ---- */

/* Moves everything of one scope into another (a project that got an agent). A
 * persona known in both is joined into one record, which keeps what was kept.
 * OK; number counts the records moved. */
struct store_call *store_join_scopes(struct store_port *, const char *from, const char *to,
    store_done_fn, void *arg);

/* OK with one record for every scope that has visible personas, by scope: only scope is set,
 * and, when they are to be counted, seq, which says how many. Counting looks at each persona,
 * the names alone take one look for each scope. */
struct store_call *store_scopes(struct store_port *, bool counted, store_done_fn, void *arg);

/* Forgets expired keys, and tombstones and hidden records from before the moment
 * older_than_ms; what is unsettled stays. OK; number counts what went. */
struct store_call *store_purge(struct store_port *, int64_t now_ms, int64_t older_than_ms,
    store_done_fn, void *arg);

/* Writes something of no meaning, to find out whether writing is possible again. OK. */
struct store_call *store_probe(struct store_port *, int64_t now_ms, store_done_fn, void *arg);

/* ---- values ---- */

/* Moves the strings into *to and zeroes *from. */
void store_record_take(struct store_record *to, struct store_record *from);
/* Copies; what *to held before is not freed. */
void store_record_copy(struct store_record *to, const struct store_record *from);
void store_record_clear(struct store_record *); /* frees strings, zeroes */
void store_intent_copy(struct store_intent *to, const struct store_intent *from);
void store_intent_clear(struct store_intent *);

#endif
