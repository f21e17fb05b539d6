#include "config.h"

#include "store/sqlite_intent.h"
#include "store/sqlite_member.h"
#include "store/store_call.h"

#include <stdlib.h>
#include <string.h>

/* Reads a row of INTENT's columns. */
void
sqlite_intent_read(sqlite3_stmt *st, struct store_intent *i, int64_t *seq)
{
	memset(i, 0, sizeof *i);
	*seq = sqlite3_column_int64(st, 0);
	i->id = sqlite_text(st, 1);
	i->operation = (enum store_operation)sqlite3_column_int(st, 2);
	i->state = (enum store_intent_state)sqlite3_column_int(st, 3);
	i->scope = sqlite_text(st, 4);
	i->project = sqlite_text(st, 5);
	i->local_id = sqlite_text(st, 6);
	i->upstream_id = sqlite_text(st, 7);
	i->name = sqlite_text(st, 8);
	i->fingerprint = sqlite_text(st, 9);
	i->sent = sqlite_text(st, 10);
	i->kept = sqlite_text(st, 11);
	i->absent = sqlite_text(st, 12);
	i->created_ms = sqlite3_column_int64(st, 13);
	i->touched_ms = sqlite3_column_int64(st, 14);
	i->key = sqlite_text(st, 15);
	i->key_hash = sqlite_text(st, 16);
}

/* Finds one intent. */
int
sqlite_intent_find(struct sqlite_conn *c, enum sqlite_statement which,
    const struct sqlite_value *values, size_t count, struct store_intent *i, int64_t *seq)
{
	sqlite3_stmt *st;
	int rc = sqlite_start(c, which, &st, values, count);

	memset(i, 0, sizeof *i);
	*seq = 0;
	if (rc == SQLITE_ROW)
		sqlite_intent_read(st, i, seq);
	rc = sqlite_end(st, rc);
	return rc == SQLITE_OK ? sqlite_member_hold(c, i, *seq) : rc;
}

/* Finds an intent of one operation; an addition is found as an update. */
int
sqlite_intent_of(struct sqlite_conn *c, const char *id, enum store_operation operation,
    struct store_intent *i, int64_t *seq)
{
	int rc = sqlite_intent_find(c, SQL_INTENT_BY_ID, SQL_VALUES(SQL_T(id)), i, seq);
	enum store_operation is = i->operation == STORE_ADD ? STORE_UPDATE : i->operation;

	if (*seq != 0 && is != operation)
		*seq = 0;
	return rc;
}

/* Finds an intent that this member may settle. */
int
sqlite_intent_own(struct sqlite_conn *c, const char *id, enum store_operation operation,
    struct store_intent *i, int64_t *seq)
{
	int rc = sqlite_intent_of(c, id, operation, i, seq);

	if (!sqlite_member_may(i))
		*seq = 0;
	return rc;
}

/* Adds an intent. */
int
sqlite_intent_add(struct sqlite_conn *c, const struct store_intent *i, int64_t *seq)
{
	int rc = sqlite_do(c, SQL_INTENT_ADD,
	    SQL_VALUES(SQL_T(i->id), SQL_I(i->operation), SQL_I(i->state), SQL_T(i->scope),
	        SQL_T(i->project), SQL_T(i->local_id), SQL_T(i->upstream_id), SQL_T(i->name),
	        SQL_T(i->fingerprint), SQL_T(i->sent), SQL_T(i->kept), SQL_T(i->absent),
	        SQL_I(i->created_ms), SQL_I(i->touched_ms), SQL_T(i->key), SQL_T(i->key_hash)));

	*seq = sqlite3_last_insert_rowid(c->db);
	return rc;
}

/* Removes an intent. */
int
sqlite_intent_delete(struct sqlite_conn *c, int64_t seq)
{
	return sqlite_do(c, SQL_INTENT_DELETE, SQL_VALUES(SQL_I(seq)));
}

/* Answers with an intent and takes it over. */
static void
sqlite_intent_answer(struct store_reply *reply, enum store_status status, struct store_intent *i)
{
	reply->status = status;
	store_reply_add_intent(reply, i);
}

/* Answers with the persona's unsettled intent. */
int
sqlite_intent_pending(struct sqlite_conn *c, const struct store_record *r,
    struct store_reply *reply, bool *found)
{
	struct store_intent i;
	int64_t seq;
	int rc = sqlite_intent_find(c, SQL_INTENT_OF_PERSONA,
	    SQL_VALUES(SQL_T(r->scope), SQL_T(r->local_id)), &i, &seq);

	*found = seq != 0;
	if (*found && reply != NULL)
		sqlite_intent_answer(reply, STORE_UNSETTLED_OTHER, &i);
	store_intent_clear(&i);
	return rc;
}

/* Answers with an intent found by its number. */
int
sqlite_intent_reply(struct sqlite_conn *c, int64_t number, enum store_status status,
    struct store_reply *reply)
{
	struct store_intent i;
	int64_t seq;
	int rc = sqlite_intent_find(c, SQL_INTENT_BY_SEQ, SQL_VALUES(SQL_I(number)), &i, &seq);

	if (rc == SQLITE_OK && seq != 0)
		sqlite_intent_answer(reply, status, &i);
	store_intent_clear(&i);
	return rc == SQLITE_OK && seq == 0 ? SQLITE_CORRUPT : rc;
}

/* Decides by a key that was read. */
static int
sqlite_key_judge(struct sqlite_conn *c, bool same, int64_t intent, char **answer,
    struct store_reply *reply)
{
	if (!same) {
		reply->status = STORE_KEY_MISMATCH;
		return SQLITE_OK;
	}
	if (intent != 0)
		return sqlite_intent_reply(c, intent, STORE_KEY_RUNNING, reply);
	reply->status = STORE_KEY_ANSWER;
	reply->text = *answer;
	*answer = NULL;
	return SQLITE_OK;
}

/* Decides a create by its key. */
int
sqlite_key_decide(struct sqlite_conn *c, const struct store_intent *i, int64_t now_ms,
    struct store_reply *reply, bool *decided)
{
	sqlite3_stmt *st;
	int64_t intent = 0, expires = 0;
	bool found, same = false;
	char *answer = NULL;
	int rc = sqlite_start(c, SQL_KEY_GET, &st, SQL_VALUES(SQL_T(i->key)));

	*decided = false;
	found = rc == SQLITE_ROW;
	if (found) {
		const char *hash = (const char *)sqlite3_column_text(st, 0);

		same = hash != NULL && i->key_hash != NULL && strcmp(hash, i->key_hash) == 0;
		intent = sqlite3_column_int64(st, 1);
		answer = sqlite_text(st, 2);
		expires = sqlite3_column_int64(st, 3);
	}
	rc = sqlite_end(st, rc);
	if (rc == SQLITE_OK && found && intent == 0 && expires <= now_ms)
		rc = sqlite_do(c, SQL_KEY_DELETE, SQL_VALUES(SQL_T(i->key), SQL_I(0)));
	else if (rc == SQLITE_OK && found) {
		*decided = true;
		rc = sqlite_key_judge(c, same, intent, &answer, reply);
	}
	free(answer);
	return rc;
}

/* Notes a key as running. */
int
sqlite_key_add(struct sqlite_conn *c, const struct store_intent *i, int64_t intent,
    int64_t expires_ms)
{
	return sqlite_do(c, SQL_KEY_ADD,
	    SQL_VALUES(SQL_T(i->key), SQL_T(i->key_hash), SQL_I(intent), SQL_I(expires_ms)));
}

/* Keeps the answer or forgets the key. */
int
sqlite_key_settle(struct sqlite_conn *c, const struct store_intent *i, int64_t intent,
    const char *answer)
{
	if (i->key == NULL)
		return SQLITE_OK;
	if (answer == NULL)
		return sqlite_do(c, SQL_KEY_DELETE, SQL_VALUES(SQL_T(i->key), SQL_I(intent)));
	return sqlite_do(c, SQL_KEY_ANSWER,
	    SQL_VALUES(SQL_T(i->key), SQL_I(intent), SQL_T(answer)));
}
