#ifndef BULK_SEND_H
#define BULK_SEND_H

#include "bulk/bulk_site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One write, sent until there is an answer that says what became of it. It may be repeated
 * without fear: an update says the same again, and of a create a gateway knows the
 * Idempotency-Key, and every server the name.
 */
enum bulk_sent {
	BULK_SENT_DONE,
	BULK_SENT_TAKEN,   /* the name is another's, or our own from an earlier try (`unsure`) */
	BULK_SENT_GONE,    /* the persona to update is not there any more */
	BULK_SENT_REFUSED, /* this one, for good */
	BULK_SENT_DENIED,  /* and it would refuse every other: a token, a project */
	BULK_SENT_AWAY,    /* patience has run out, and not with this one alone */
	BULK_SENT_LEFT     /* a stop came first */
};

struct bulk_sent_result {
	enum bulk_sent what;
	bool unsure;     /* an earlier try may have done it */
	const char *id;  /* DONE: of the persona; may be NULL */
	const char *why; /* a sentence, unless it is DONE */
};
typedef void (*bulk_sent_fn)(void *arg, const struct bulk_sent_result *);

/* What all writes of a run share. */
struct bulk_pace {
	struct loop *loop;
	struct bulk_site *site;
	int64_t last_end;   /* when one came to an end */
	int64_t held_until; /* the server wants to be left alone until then */
	bool stopping;      /* nothing is tried again */
};

struct bulk_send_what {
	const char *method, *id; /* "POST", or "PUT" and the persona's */
	const char *body;
	size_t len;
	const char *key; /* the Idempotency-Key; NULL: none */
};

/* Everything is copied. `done` is called once, never before this returns; the send is gone then. */
struct bulk_send;
struct bulk_send *bulk_send_start(struct bulk_pace *, const struct bulk_send_what *, bulk_sent_fn done,
    void *arg);

/* A stop: what waits ends as LEFT, soon; what is at the server is waited for. */
void bulk_send_hurry(struct bulk_send *);

/* Ends it without a word. */
void bulk_send_cancel(struct bulk_send *);

#endif
