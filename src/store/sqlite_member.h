#ifndef SQLITE_MEMBER_H
#define SQLITE_MEMBER_H

#include "store/sqlite_statement.h"
#include "store/store_call.h"

/*
 * Several members of one store in memory (store_member.h), as tests have them: who holds
 * an intent and what has changed is kept in temporary tables that triggers fill. As long
 * as c->store is NULL there is one member, and nothing is kept.
 */

/* Makes the tables and triggers, before anything else is done with the connection. */
int sqlite_member_prepare(struct sqlite_conn *);

/* Fills in who holds an intent. */
int sqlite_member_hold(struct sqlite_conn *, struct store_intent *, int64_t seq);

/* Whether this member may settle or drop it. */
bool sqlite_member_may(const struct store_intent *);

/* Tells the other members what has changed since the last time, after a commit. */
void sqlite_member_tell(struct sqlite_conn *);

/* The operations. */
int sqlite_intent_take(struct sqlite_conn *, struct store_call *);
int sqlite_outdate(struct sqlite_conn *, struct store_call *);

#endif
