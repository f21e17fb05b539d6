#include "config.h"

#include "store/sqlite_record.h"
#include "store/store_call.h"

#include <string.h>

/* Reads a row of PERSONA's columns. */
void
sqlite_record_read(sqlite3_stmt *st, struct store_record *r, bool *hidden)
{
	memset(r, 0, sizeof *r);
	r->seq = sqlite3_column_int64(st, 0);
	r->scope = sqlite_text(st, 1);
	r->local_id = sqlite_text(st, 2);
	r->upstream_id = sqlite_text(st, 3);
	r->name = sqlite_text(st, 4);
	r->created_ms = sqlite3_column_int64(st, 5);
	r->updated_ms = sqlite3_column_int64(st, 6);
	r->content_ms = sqlite3_column_int64(st, 7);
	r->adopted = sqlite3_column_int(st, 8) != 0;
	r->unclaimed = sqlite3_column_int(st, 9) != 0;
	r->version = sqlite3_column_int64(st, 10);
	if (hidden != NULL)
		*hidden = sqlite3_column_int(st, 11) != 0;
	r->fingerprint = sqlite_text(st, 12);
	r->kept = sqlite_text(st, 13);
	r->absent = sqlite_text(st, 14);
	r->content = sqlite_text(st, 15);
}

/* Finds one persona. */
int
sqlite_record_find(struct sqlite_conn *c, enum sqlite_statement which,
    const struct sqlite_value *values, size_t count, struct store_record *r, bool *hidden)
{
	sqlite3_stmt *st;
	int rc = sqlite_start(c, which, &st, values, count);

	memset(r, 0, sizeof *r);
	if (rc == SQLITE_ROW)
		sqlite_record_read(st, r, hidden);
	return sqlite_end(st, rc);
}

/* Finds a visible persona by its local id. */
int
sqlite_record_visible(struct sqlite_conn *c, const char *scope, const char *local_id,
    struct store_record *r)
{
	return sqlite_record_find(c, SQL_PERSONA_GET, SQL_VALUES(SQL_T(scope), SQL_T(local_id)), r,
	    NULL);
}

/* Finds a persona, also a hidden one, by its upstream id. */
int
sqlite_record_upstream(struct sqlite_conn *c, const char *scope, const char *upstream_id,
    struct store_record *r, bool *hidden)
{
	return sqlite_record_find(c, SQL_PERSONA_BY_UPSTREAM,
	    SQL_VALUES(SQL_T(scope), SQL_T(upstream_id)), r, hidden);
}

/* Adds a persona. */
int
sqlite_record_add(struct sqlite_conn *c, struct store_record *r)
{
	int rc = sqlite_do(c, SQL_PERSONA_ADD,
	    SQL_VALUES(SQL_T(r->scope), SQL_T(r->local_id), SQL_T(r->upstream_id), SQL_T(r->name),
	        SQL_I(r->created_ms), SQL_I(r->updated_ms), SQL_I(r->content_ms),
	        SQL_I(r->adopted), SQL_I(r->unclaimed), SQL_I(r->version), SQL_T(r->fingerprint),
	        SQL_T(r->kept), SQL_T(r->absent), SQL_T(r->content)));

	r->seq = 0;
	if (rc == SQLITE_OK && sqlite3_changes(c->db) > 0)
		r->seq = sqlite3_last_insert_rowid(c->db);
	return rc;
}

/* Writes a persona. */
int
sqlite_record_write(struct sqlite_conn *c, const struct store_record *was,
    struct store_record *now)
{
	int rc;

	now->version = was->version + 1;
	rc = sqlite_do(c, SQL_PERSONA_WRITE,
	    SQL_VALUES(SQL_I(was->seq), SQL_I(now->updated_ms), SQL_I(now->content_ms),
	        SQL_I(now->adopted), SQL_I(now->unclaimed), SQL_I(now->version),
	        SQL_T(now->fingerprint), SQL_T(now->kept), SQL_T(now->absent),
	        SQL_T(now->content)));
	if (rc == SQLITE_OK && strcmp(was->name, now->name) != 0)
		rc = sqlite_do(c, SQL_PERSONA_RENAME,
		    SQL_VALUES(SQL_I(was->seq), SQL_T(now->name)));
	if (rc == SQLITE_OK && was->created_ms != now->created_ms)
		rc = sqlite_do(c, SQL_PERSONA_DATE,
		    SQL_VALUES(SQL_I(was->seq), SQL_I(now->created_ms)));
	return rc;
}

/* Adds a persona to the reply. */
int
sqlite_record_reply(struct sqlite_conn *c, int64_t seq, struct store_reply *reply)
{
	struct store_record r;
	int rc = sqlite_record_find(c, SQL_PERSONA_BY_SEQ, SQL_VALUES(SQL_I(seq)), &r, NULL);

	if (rc == SQLITE_OK && r.seq != 0)
		store_reply_add_record(reply, &r);
	store_record_clear(&r);
	return rc;
}

/* Who holds a name. */
int
sqlite_name_holder(struct sqlite_conn *c, const char *scope, const char *name, int64_t *persona,
    int64_t *intent)
{
	sqlite3_stmt *st;
	int rc = sqlite_start(c, SQL_NAME_HOLDER, &st, SQL_VALUES(SQL_T(scope), SQL_T(name)));

	*persona = *intent = 0;
	if (rc == SQLITE_ROW) {
		*persona = sqlite3_column_int64(st, 0);
		*intent = sqlite3_column_int64(st, 1);
	}
	return sqlite_end(st, rc);
}

/* Holds a free name. */
int
sqlite_name_hold(struct sqlite_conn *c, const char *scope, const char *name, int64_t persona,
    int64_t intent)
{
	return sqlite_do(c, SQL_NAME_HOLD,
	    SQL_VALUES(SQL_T(scope), SQL_T(name), SQL_I(persona), SQL_I(intent)));
}

/* Frees a name for the next persona that has it. */
int
sqlite_name_free(struct sqlite_conn *c, const char *scope, const char *name, int64_t persona,
    int64_t intent)
{
	int rc = sqlite_do(c, SQL_NAME_FREE,
	    SQL_VALUES(SQL_T(scope), SQL_T(name), SQL_I(persona), SQL_I(intent)));

	if (rc != SQLITE_OK || sqlite3_changes(c->db) == 0)
		return rc;
	return sqlite_do(c, SQL_NAME_NEXT, SQL_VALUES(SQL_T(scope), SQL_T(name)));
}

/* Moves the holds after a write is known. */
int
sqlite_name_settle(struct sqlite_conn *c, int64_t intent, const char *held,
    const struct store_record *now, const char *was)
{
	int rc = SQLITE_OK;

	if (held != NULL && strcmp(held, now->name) == 0)
		rc = sqlite_do(c, SQL_NAME_PASS, SQL_VALUES(SQL_T(now->scope), SQL_T(held),
		    SQL_I(intent), SQL_I(now->seq)));
	else if (held != NULL)
		rc = sqlite_name_free(c, now->scope, held, 0, intent);
	if (rc == SQLITE_OK)
		rc = sqlite_name_hold(c, now->scope, now->name, now->seq, 0);
	if (rc == SQLITE_OK && was != NULL && strcmp(was, now->name) != 0)
		rc = sqlite_name_free(c, now->scope, was, now->seq, 0);
	return rc;
}
