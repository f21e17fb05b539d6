#ifndef SQLITE_RECORD_H
#define SQLITE_RECORD_H

#include "store/sqlite_statement.h"

/*
 * Rows of the tables persona, name and intent. Functions return SQLITE_OK or
 * an error; they run inside the caller's transaction.
 */

/* Reads the persona that a statement's row shows. */
void sqlite_record_read(sqlite3_stmt *, struct store_record *, bool *hidden);

/* Finds one persona; r->seq is 0 when there is none. `hidden` may be NULL. The
 * caller clears *r, also after an error. */
int sqlite_record_find(struct sqlite_conn *, enum sqlite_statement, const struct sqlite_value *,
    size_t count, struct store_record *r, bool *hidden);
int sqlite_record_visible(struct sqlite_conn *, const char *scope, const char *local_id,
    struct store_record *);
int sqlite_record_upstream(struct sqlite_conn *, const char *scope, const char *upstream_id,
    struct store_record *, bool *hidden);

/* Adds a persona without a name's hold and sets its seq, which stays 0 when its
 * scope knows one of its ids already. */
int sqlite_record_add(struct sqlite_conn *, struct store_record *);

/* Writes what differs from the row as it was, with a new version (put into *now
 * too); names' holds are not touched. */
int sqlite_record_write(struct sqlite_conn *, const struct store_record *was,
    struct store_record *now);

/* Adds the persona as the database has it to the reply's records. */
int sqlite_record_reply(struct sqlite_conn *, int64_t seq, struct store_reply *);

/* Who holds a name: both 0 when it is free. */
int sqlite_name_holder(struct sqlite_conn *, const char *scope, const char *name,
    int64_t *persona, int64_t *intent);

/* Holds a name that is free; does nothing when it is held. One of the two is 0. */
int sqlite_name_hold(struct sqlite_conn *, const char *scope, const char *name, int64_t persona,
    int64_t intent);

/* Frees a name if it is held so; then the oldest visible persona with that name
 * holds it. Call it when the persona has left the name. One of the two is 0. */
int sqlite_name_free(struct sqlite_conn *, const char *scope, const char *name, int64_t persona,
    int64_t intent);

/* Passes what the intent held to the persona `now`, or frees it when the persona
 * has another name; frees `was` (NULL: none), if the persona left that. */
int sqlite_name_settle(struct sqlite_conn *, int64_t intent, const char *held,
    const struct store_record *now, const char *was);

#endif
