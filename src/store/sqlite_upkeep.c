#include "config.h"

#include "base/mem.h"
#include "store/sqlite_operation.h"
#include "store/sqlite_record.h"

#include <stdlib.h>
#include <string.h>

/* Two records of one persona: in the scope that is left, and in the other. */
struct sqlite_pair {
	int64_t from, to;
};

/* Finds the personas that both scopes know; *pairs is the caller's. */
static int
sqlite_join_pairs(struct sqlite_conn *c, const struct store_call *call,
    struct sqlite_pair **pairs, size_t *count)
{
	sqlite3_stmt *st;
	int rc = sqlite_start(c, SQL_PERSONA_IN_BOTH, &st,
	    SQL_VALUES(SQL_T(call->scope), SQL_T(call->text)));

	*pairs = NULL;
	for (*count = 0; rc == SQLITE_ROW; rc = sqlite3_step(st)) {
		*pairs = mem_resize(*pairs, (*count + 1) * sizeof **pairs);
		(*pairs)[*count].from = sqlite3_column_int64(st, 0);
		(*pairs)[(*count)++].to = sqlite3_column_int64(st, 1);
	}
	return sqlite_end(st, rc);
}

/* Drops one of two records of a persona and gives the other what it knew. */
static int
sqlite_join_into(struct sqlite_conn *c, const struct store_record *stays, bool stays_hidden,
    const struct store_record *goes, bool goes_hidden)
{
	struct store_record now = *stays;
	int rc = sqlite_do(c, SQL_PERSONA_DELETE, SQL_VALUES(SQL_I(goes->seq)));

	if (rc == SQLITE_OK && !goes_hidden)
		rc = sqlite_name_free(c, goes->scope, goes->name, goes->seq, 0);
	if (now.kept == NULL)
		now.kept = goes->kept;
	if (now.absent == NULL)
		now.absent = goes->absent;
	if (goes->content_ms > now.content_ms) {
		now.name = goes->name;
		now.content = goes->content;
		now.content_ms = goes->content_ms;
		now.updated_ms = goes->updated_ms;
	}
	if (rc == SQLITE_OK)
		rc = sqlite_record_write(c, stays, &now);
	if (rc == SQLITE_OK && stays_hidden && !goes_hidden)
		rc = sqlite_do(c, SQL_PERSONA_SHOW, SQL_VALUES(SQL_I(stays->seq)));
	if (rc == SQLITE_OK && !(stays_hidden && goes_hidden))
		rc = sqlite_name_settle(c, 0, NULL, &now, stays->name);
	return rc;
}

/* Makes one record of two: the one that a create here made, else the one that
 * is in the scope already. */
static int
sqlite_join_pair(struct sqlite_conn *c, const struct sqlite_pair *pair)
{
	struct store_record from, to;
	bool from_hidden = false, to_hidden = false;
	int rc = sqlite_record_find(c, SQL_PERSONA_BY_SEQ, SQL_VALUES(SQL_I(pair->from)), &from,
	    &from_hidden);

	memset(&to, 0, sizeof to);
	if (rc == SQLITE_OK)
		rc = sqlite_record_find(c, SQL_PERSONA_BY_SEQ, SQL_VALUES(SQL_I(pair->to)), &to,
		    &to_hidden);
	if (rc == SQLITE_OK && to.adopted && !from.adopted)
		rc = sqlite_join_into(c, &from, from_hidden, &to, to_hidden);
	else if (rc == SQLITE_OK)
		rc = sqlite_join_into(c, &to, to_hidden, &from, from_hidden);
	store_record_clear(&from);
	store_record_clear(&to);
	return rc;
}

/* Moves everything of one scope into another. */
int
sqlite_join_scopes(struct sqlite_conn *c, struct store_call *call)
{
	static const enum sqlite_statement moves[] = {SQL_INTENT_MOVE, SQL_NAME_MOVE,
	    SQL_TOMBSTONE_COPY, SQL_TWIN_MOVE};
	static const enum sqlite_statement leaves[] = {SQL_NAME_LEAVE, SQL_TOMBSTONE_LEAVE,
	    SQL_LISTING_DELETE};
	const char *from = call->scope, *to = call->text;
	struct sqlite_pair *pairs;
	int64_t used = 0;
	size_t count;
	bool found;
	int rc;

	if (strcmp(from, to) == 0)
		return SQLITE_OK;
	rc = sqlite_number(c, SQL_SCOPE_USED, SQL_VALUES(SQL_T(from)), &found, &used);
	if (rc != SQLITE_OK || used == 0) /* as it is at nearly every start */
		return rc;
	rc = sqlite_join_pairs(c, call, &pairs, &count);
	for (size_t i = 0; i < count && rc == SQLITE_OK; i++)
		rc = sqlite_join_pair(c, &pairs[i]);
	free(pairs);
	if (rc == SQLITE_OK)
		rc = sqlite_do(c, SQL_PERSONA_MOVE, SQL_VALUES(SQL_T(from), SQL_T(to)));
	if (rc == SQLITE_OK)
		call->reply.number = sqlite3_changes(c->db);
	for (size_t i = 0; i < sizeof moves / sizeof moves[0] && rc == SQLITE_OK; i++)
		rc = sqlite_do(c, moves[i], SQL_VALUES(SQL_T(from), SQL_T(to)));
	for (size_t i = 0; i < sizeof leaves / sizeof leaves[0] && rc == SQLITE_OK; i++)
		rc = sqlite_do(c, leaves[i], SQL_VALUES(SQL_T(from)));
	return rc;
}

/* Forgets what is old. */
int
sqlite_purge(struct sqlite_conn *c, struct store_call *call)
{
	int rc = sqlite_do(c, SQL_KEY_PURGE, SQL_VALUES(SQL_I(call->now_ms)));

	call->reply.number = sqlite3_changes(c->db);
	if (rc == SQLITE_OK)
		rc = sqlite_do(c, SQL_TOMBSTONE_PURGE, SQL_VALUES(SQL_I(call->since_ms)));
	call->reply.number += sqlite3_changes(c->db);
	if (rc == SQLITE_OK)
		rc = sqlite_do(c, SQL_PERSONA_PURGE, SQL_VALUES(SQL_I(call->since_ms)));
	call->reply.number += sqlite3_changes(c->db);
	return rc;
}

/* Writes a row that nobody reads. */
int
sqlite_probe(struct sqlite_conn *c, struct store_call *call)
{
	return sqlite_do(c, SQL_PROBE, SQL_VALUES(SQL_I(call->now_ms)));
}
