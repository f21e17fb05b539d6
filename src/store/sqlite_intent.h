#ifndef SQLITE_INTENT_H
#define SQLITE_INTENT_H

#include "store/sqlite_statement.h"

/*
 * Rows of the tables intent and key. Functions return SQLITE_OK or an error;
 * they run inside the caller's transaction.
 */

/* Reads the intent that a statement's row shows, and its seq. */
void sqlite_intent_read(sqlite3_stmt *, struct store_intent *, int64_t *seq);

/* Finds one intent; *seq is 0 when there is none. The caller clears *i, also
 * after an error. */
int sqlite_intent_find(struct sqlite_conn *, enum sqlite_statement, const struct sqlite_value *,
    size_t count, struct store_intent *i, int64_t *seq);

/* Finds an intent by its id, if it is of that operation. */
int sqlite_intent_of(struct sqlite_conn *, const char *id, enum store_operation,
    struct store_intent *, int64_t *seq);

/* The same, if this member may settle it. */
int sqlite_intent_own(struct sqlite_conn *, const char *id, enum store_operation,
    struct store_intent *, int64_t *seq);

/* Adds an intent; *seq becomes its number. */
int sqlite_intent_add(struct sqlite_conn *, const struct store_intent *, int64_t *seq);

/* Removes an intent. */
int sqlite_intent_delete(struct sqlite_conn *, int64_t seq);

/* Answers UNSETTLED_OTHER with the persona's unsettled update or delete, if it
 * has one: then *found. */
int sqlite_intent_pending(struct sqlite_conn *, const struct store_record *,
    struct store_reply *, bool *found);

/* Answers with this status and the intent. */
int sqlite_intent_reply(struct sqlite_conn *, int64_t seq, enum store_status,
    struct store_reply *);

/* Decides a create by its idempotency key, if that was used before: then
 * *decided, and the reply says what came of it. An expired key is forgotten. */
int sqlite_key_decide(struct sqlite_conn *, const struct store_intent *, int64_t now_ms,
    struct store_reply *, bool *decided);

/* Notes that the key's create is under way. */
int sqlite_key_add(struct sqlite_conn *, const struct store_intent *, int64_t intent,
    int64_t expires_ms);

/* Keeps the answer under the intent's key; NULL, or no key: forgets it. */
int sqlite_key_settle(struct sqlite_conn *, const struct store_intent *, int64_t intent,
    const char *answer);

#endif
