#ifndef CORE_CLAIM_H
#define CORE_CLAIM_H

#include "core/gateway_impl.h"

/*
 * What unsettled creates wait for in a listing: an item that nobody knows, with
 * every field as it was sent, made not before the create; or the one whose id the
 * upstream has named already. A listing that several scopes share may show what
 * any of their creates made.
 */
enum claim_match {
	CLAIM_NONE,     /* no create sent this: to be adopted */
	CLAIM_WITHHELD, /* belongs to a create whose answer is still awaited: not to be adopted now */
	CLAIM_FOUND     /* may be what an unsettled create made: kept for it */
};

/* Inside the create that waits. */
struct claim {
	const struct project *project;
	const char *name;          /* of the item; NULL: none */
	struct json_object *sent;  /* NULL: matches nothing */
	int64_t created_ms;        /* wall time of the create */
	char *made_id;             /* the upstream said that it made this one; NULL: it did not say */
	bool awaited;              /* sent, and the answer is awaited or being recorded */
	bool looking;              /* the outcome is unknown: what matches is kept in found */
	struct json_object *found; /* the oldest that matched; belongs to the claim */
	int64_t found_ms;
	bool withheld;             /* what matched may belong to another create: it will be seen */
	bool namesake;             /* one of this name and time, but with another body, was seen */
	bool elder;                /* one of this name from before the create was seen */
	loop_fn shown;             /* called after a listing that has filled found */
	void *arg;
	TAILQ_ENTRY(claim) link;
};

/* The claim's members are filled; it stays where it is until it is removed. */
void claim_add(struct gateway *, struct claim *);
void claim_remove(struct gateway *, struct claim *); /* releases found and made_id, not sent */

/* Takes an item as found; a reference is taken. */
void claim_keep(struct claim *, struct json_object *item, int64_t created_ms);

/* Whether any create looks for something in a listing of the project. */
bool claim_is_looked_for(const struct gateway *, const struct project *);

/* Asked by a listing of the project for every item that nobody knows. */
enum claim_match claim_match_listed(struct gateway *, const struct project *,
    struct json_object *item);

/* The listing has shown everything: claims that found theirs are told. They must
 * not touch the listing from inside `shown`. */
void claim_listed_end(struct gateway *, const struct project *);

#endif
