#ifndef STORE_CALL_H
#define STORE_CALL_H

#include "store/store.h"
#include "store/store_image.h"
#include "store/store_twin.h"

#include <sys/queue.h>

/*
 * One call of the store on its way: what is asked, with its own copies of all
 * arguments, and the reply as it grows. The port makes it, an engine fills the
 * reply and hands it back with store_call_done(), the port's loop calls back
 * and frees it. Only these internals know its shape; an engine is asked by it.
 */
enum store_op {
	STORE_OP_GET,
	STORE_OP_LIST,
	STORE_OP_ELSEWHERE,
	STORE_OP_PAGE,
	STORE_OP_INTENTS,
	STORE_OP_INTENTS_LEFT,
	STORE_OP_INTENT_COUNTS,
	STORE_OP_SCOPES,
	STORE_OP_CREATE_BEGIN,
	STORE_OP_CREATE_SETTLE,
	STORE_OP_CLAIM,
	STORE_OP_UPDATE_BEGIN,
	STORE_OP_UPDATE_SETTLE,
	STORE_OP_DELETE_BEGIN,
	STORE_OP_DELETE_SETTLE,
	STORE_OP_INTENT_MARK,
	STORE_OP_INTENT_DROP,
	STORE_OP_INTENT_TAKE,
	STORE_OP_OUTDATE,
	STORE_OP_ADOPT,
	STORE_OP_REFRESH,
	STORE_OP_HIDE,
	STORE_OP_JOIN_SCOPES,
	STORE_OP_PURGE,
	STORE_OP_PROBE,
	STORE_OP_IMAGE_PUT,
	STORE_OP_IMAGE_GET,
	STORE_OP_IMAGE_LIST,
	STORE_OP_IMAGE_DELETE,
	STORE_OP_IMAGE_RELEASE,
	STORE_OP_TWIN_LOOK,
	STORE_OP_TWIN_OWNER,
	STORE_OP_TWIN_PAGE,
	STORE_OP_TWIN_NOTE,
	STORE_OP_TWIN_PUT,
	STORE_OP_TWIN_DROP,
	STORE_OP_COUNT
};

struct store_call {
	STAILQ_ENTRY(store_call) link; /* in the engine's queue, then in the port's */
	struct store_port *port;
	store_done_fn done;
	void *arg;
	bool cancelled; /* touched on the port's loop only */
	int64_t asked_at; /* for an engine that works on the port's loop: its clock */
	enum store_op op;

	/* what is asked; each operation uses some of them, the rest is zero */
	char *scope;                  /* join: from */
	char *id;                     /* a local id, or an intent's id */
	char *text;                   /* settle: the answer; join: to; elsewhere: the prefix */
	struct store_record *records; /* settle: one; adopt, refresh: count */
	size_t record_count;
	struct store_intent intent;   /* the begins */
	enum store_intent_state state;
	int64_t now_ms; /* adopt: listed_ms */
	int64_t key_expires_ms;
	int64_t since_ms; /* create: unclaimed_since_ms; purge: older_than_ms; twin pages: after;
	                     left: untouched */
	struct store_twin twin;   /* note, put */
	enum store_twin_pages pages;
	struct store_image image; /* put: what is stored; get, list, delete: project, id, role */
	char *bytes;              /* put: NULL once they are in a file */
	size_t len;     /* page: bytes at most */
	int64_t offset; /* get */
	size_t max;     /* get, twin pages, left; page: records */
	bool filed;     /* put: the file is written */
	bool counted;   /* scopes: their personas too */

	struct store_reply reply;
};
STAILQ_HEAD(store_calls, store_call);

/* Makes a call; its arguments follow, then store_submit(). */
struct store_call *store_call_new(struct store_port *, enum store_op, store_done_fn, void *arg);

/* Gives a call to the engine, and returns it. */
struct store_call *store_submit(struct store_call *);

/* True for operations that change nothing. */
bool store_call_reads(enum store_op);

/* Hands a call with its finished reply back, from any thread; the engine must
 * not touch it afterwards. */
void store_call_done(struct store_call *);

/* Empties the reply: OK and nothing in it. */
void store_reply_clear(struct store_reply *);

/* Appends, moving the strings into the reply and zeroing the argument. */
void store_reply_add_record(struct store_reply *, struct store_record *);
void store_reply_add_intent(struct store_reply *, struct store_intent *);
void store_reply_add_image(struct store_reply *, struct store_image *);
void store_reply_add_twin(struct store_reply *, struct store_twin *);
void store_reply_add_tombstone(struct store_reply *, const char *upstream_id); /* copies */
void store_reply_add_hidden(struct store_reply *, const char *upstream_id); /* copies */

/* Makes room for one more in an array that grows at powers of two. */
void *store_grow(void *array, size_t count, size_t size);

/* Empties the reply and makes it UNAVAILABLE with its reason. */
void store_reply_fail(struct store_reply *, const char *why);

#endif
