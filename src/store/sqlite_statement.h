#ifndef SQLITE_STATEMENT_H
#define SQLITE_STATEMENT_H

#include "store/store.h"

#include <sqlite3.h>

/*
 * One connection and its prepared statements. A statement is prepared at its
 * first use and kept. Functions return an SQLite result code; a statement that
 * was started must be ended with sqlite_end() before the transaction ends.
 */
enum sqlite_statement {
	/* transactions */
	SQL_BEGIN,
	SQL_BEGIN_READ,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_SAVEPOINT,
	SQL_RELEASE,
	SQL_ROLLBACK_TO,
	/* personas */
	SQL_PERSONA_GET,
	SQL_PERSONA_ANY,
	SQL_PERSONA_BY_SEQ,
	SQL_PERSONA_BY_UPSTREAM,
	SQL_PERSONA_LIST,
	SQL_PERSONA_PAGE,
	SQL_PERSONA_COUNT,
	SQL_PERSONA_HIDDEN,
	SQL_PERSONA_ELSEWHERE,
	SQL_PERSONA_SCOPES,
	SQL_PERSONA_SCOPE_COUNTS,
	SQL_PERSONA_UNCLAIMED,
	SQL_PERSONA_UNNAMED,
	SQL_PERSONA_KNOWN,
	SQL_PERSONA_ADD,
	SQL_PERSONA_WRITE,
	SQL_PERSONA_DATE,
	SQL_PERSONA_RENAME,
	SQL_PERSONA_SHOW,
	SQL_PERSONA_HIDE,
	SQL_PERSONA_CLAIM,
	SQL_PERSONA_DELETE,
	SQL_PERSONA_IN_BOTH,
	SQL_PERSONA_MOVE,
	SQL_PERSONA_PURGE,
	/* names */
	SQL_NAME_HOLDER,
	SQL_NAME_HOLD,
	SQL_NAME_FREE,
	SQL_NAME_PASS,
	SQL_NAME_NEXT,
	SQL_NAME_MOVE,
	SQL_NAME_LEAVE,
	/* intents */
	SQL_PROBE,
	SQL_INTENT_LIST,
	SQL_INTENT_BEHIND,
	SQL_INTENT_UP_TO,
	SQL_INTENT_COUNTS,
	SQL_INTENT_BY_ID,
	SQL_INTENT_BY_SEQ,
	SQL_INTENT_UNNAMED,
	SQL_INTENT_OF_PERSONA,
	SQL_INTENT_OF_TWIN,
	SQL_INTENT_ADD,
	SQL_INTENT_MARK,
	SQL_INTENT_TWIN,
	SQL_INTENT_DELETE,
	SQL_INTENT_MOVE,
	SQL_SCOPE_USED,
	/* idempotency keys */
	SQL_KEY_GET,
	SQL_KEY_ADD,
	SQL_KEY_ANSWER,
	SQL_KEY_DELETE,
	SQL_KEY_PURGE,
	/* tombstones */
	SQL_TOMBSTONE_LIST,
	SQL_TOMBSTONE_ELSEWHERE,
	SQL_TOMBSTONE_VERSION,
	SQL_TOMBSTONE_PUT,
	SQL_TOMBSTONE_DELETE,
	SQL_TOMBSTONE_COPY,
	SQL_TOMBSTONE_LEAVE,
	SQL_TOMBSTONE_PURGE,
	/* listings */
	SQL_LISTING_GET,
	SQL_LISTING_PUT,
	SQL_LISTING_DELETE,
	/* images */
	SQL_IMAGE_ADD,
	SQL_IMAGE_GET,
	SQL_IMAGE_LIST,
	SQL_IMAGE_DELETE,
	SQL_IMAGE_UNUSED,
	SQL_IMAGE_FILE,
	/* twins */
	SQL_TWIN_EXPECT,
	SQL_TWIN_OF_PERSONA,
	SQL_TWIN_BY_ID,
	SQL_TWIN_NOTE,
	SQL_TWIN_CLEAR,
	SQL_TWIN_PUT,
	SQL_TWIN_DROP,
	SQL_TWIN_ALL,
	SQL_TWIN_DUE,
	SQL_TWIN_ORPHANS,
	SQL_TWIN_MOVE,
	/* members, in memory only */
	SQL_HOLDER_GET,
	SQL_HOLDER_TAKE,
	SQL_HOLDER_TELL,
	SQL_CHANGE_ALL,
	SQL_CHANGE_LIST,
	SQL_CHANGE_FORGET,
	SQL_STATEMENT_COUNT
};

struct sqlite_conn {
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_STATEMENT_COUNT];
	struct store *_Atomic store; /* NULL: it has one member (sqlite_member.h) */
	unsigned member;             /* whose call is done */
	int64_t left_last[2];        /* the last intent told as left: another's, its own */
};

/* Frees the statements and closes the database. */
void sqlite_conn_close(struct sqlite_conn *);

/* The text of a statement. */
const char *sqlite_statement_text(enum sqlite_statement);

/* A value for a placeholder; they are numbered as in the call. */
struct sqlite_value {
	bool is_text;
	const char *text; /* NULL: SQL's null; must live until sqlite_end() */
	int64_t number;
	bool is_blob; /* the bytes at text, as many as number */
};

/* A text to bind. */
static inline struct sqlite_value
SQL_T(const char *text)
{
	return (struct sqlite_value){true, text, 0, false};
}

/* A number to bind. */
static inline struct sqlite_value
SQL_I(int64_t number)
{
	return (struct sqlite_value){false, NULL, number, false};
}

/* Bytes to bind. */
static inline struct sqlite_value
SQL_B(const char *bytes, size_t len)
{
	return (struct sqlite_value){true, bytes, (int64_t)len, true};
}

#define SQL_VALUES(...) \
	((const struct sqlite_value[]){__VA_ARGS__}), \
	    sizeof((const struct sqlite_value[]){__VA_ARGS__}) / sizeof(struct sqlite_value)

/* Starts a statement and makes its first step: SQLITE_ROW, SQLITE_DONE or an
 * error. The statement, for more steps and for columns, goes to *st, which may
 * be NULL only on an error. */
int sqlite_start(struct sqlite_conn *, enum sqlite_statement, sqlite3_stmt **st,
    const struct sqlite_value *, size_t count);

/* Ends a statement: SQLITE_OK after SQLITE_ROW and SQLITE_DONE, else rc again. */
int sqlite_end(sqlite3_stmt *, int rc);

/* Runs a statement that gives no rows: SQLITE_OK or an error. */
int sqlite_do(struct sqlite_conn *, enum sqlite_statement, const struct sqlite_value *,
    size_t count);

/* Runs a statement without placeholders. */
int sqlite_do_plain(struct sqlite_conn *, enum sqlite_statement);

/* Reads one number: *found tells whether there was a row. */
int sqlite_number(struct sqlite_conn *, enum sqlite_statement, const struct sqlite_value *,
    size_t count, bool *found, int64_t *number);

/* A column as a fresh string; NULL for SQL's null. */
char *sqlite_text(sqlite3_stmt *, int column);

#endif
