#include "config.h"

#include "store/sqlite_member.h"
#include "base/mem.h"
#include "store/sqlite_intent.h"
#include "store/store_port.h"

#include <stdlib.h>

/*
 * member() is who writes, null as long as there is only one. What a record's reader would
 * not notice (when it was looked at last, who was told) is no change.
 */
static const char sqlite_member_schema[] =
    "CREATE TEMP TABLE holder (intent INTEGER PRIMARY KEY, member INTEGER, fence INTEGER);"
    "CREATE TEMP TABLE change (seq INTEGER PRIMARY KEY, member INTEGER, kind INTEGER,"
    " scope TEXT, local_id TEXT, upstream_id TEXT, intent_id TEXT);"
    "CREATE TEMP TRIGGER persona_made AFTER INSERT ON persona WHEN member() IS NOT NULL BEGIN"
    " INSERT INTO change (member, kind, scope, local_id, upstream_id)"
    " VALUES (member(), 0, new.scope, new.local_id, new.upstream_id); END;"
    "CREATE TEMP TRIGGER persona_gone AFTER DELETE ON persona WHEN member() IS NOT NULL BEGIN"
    " INSERT INTO change (member, kind, scope, local_id, upstream_id)"
    " VALUES (member(), 0, old.scope, old.local_id, old.upstream_id); END;"
    "CREATE TEMP TRIGGER persona_written AFTER UPDATE ON persona WHEN member() IS NOT NULL"
    " AND old.scope = new.scope AND (old.name <> new.name OR old.content IS NOT new.content"
    " OR old.kept IS NOT new.kept OR old.absent IS NOT new.absent"
    " OR old.hidden_ms IS NOT new.hidden_ms OR old.updated_ms <> new.updated_ms"
    " OR old.created_ms <> new.created_ms) BEGIN"
    " INSERT INTO change (member, kind, scope, local_id, upstream_id)"
    " VALUES (member(), 0, new.scope, new.local_id, new.upstream_id); END;"
    "CREATE TEMP TRIGGER persona_moved AFTER UPDATE OF scope ON persona"
    " WHEN member() IS NOT NULL AND old.scope <> new.scope BEGIN"
    " INSERT INTO change (member, kind, scope)"
    " VALUES (member(), 2, old.scope), (member(), 2, new.scope); END;"
    "CREATE TEMP TRIGGER intent_begun AFTER INSERT ON intent WHEN member() IS NOT NULL BEGIN"
    " INSERT INTO holder VALUES (new.seq, member(), 1);"
    " INSERT INTO change (member, kind, scope, local_id, intent_id)"
    " VALUES (member(), 1, new.scope, new.local_id, new.id); END;"
    "CREATE TEMP TRIGGER intent_marked AFTER UPDATE ON intent WHEN member() IS NOT NULL BEGIN"
    " INSERT INTO change (member, kind, scope, local_id, intent_id)"
    " VALUES (member(), 1, new.scope, new.local_id, new.id); END;"
    "CREATE TEMP TRIGGER intent_gone AFTER DELETE ON intent WHEN member() IS NOT NULL BEGIN"
    " DELETE FROM holder WHERE intent = old.seq;"
    " INSERT INTO change (member, kind, scope, local_id, intent_id)"
    " VALUES (member(), 1, old.scope, old.local_id, old.id); END;";

/* The member that writes, for the triggers. */
static void
sqlite_member_who(sqlite3_context *context, int count, sqlite3_value **values)
{
	const struct sqlite_conn *c = sqlite3_user_data(context);

	if (c->store != NULL)
		sqlite3_result_int(context, (int)c->member);
}

/* Makes the tables and triggers. */
int
sqlite_member_prepare(struct sqlite_conn *c)
{
	int rc = sqlite3_create_function(c->db, "member", 0, SQLITE_UTF8, c, sqlite_member_who,
	    NULL, NULL);

	return rc == SQLITE_OK ? sqlite3_exec(c->db, sqlite_member_schema, NULL, NULL, NULL) : rc;
}

/* Fills in who holds an intent. */
int
sqlite_member_hold(struct sqlite_conn *c, struct store_intent *i, int64_t seq)
{
	sqlite3_stmt *st;
	unsigned member = 0;
	int rc;

	i->held = true;
	i->fence = 1;
	if (c->store == NULL || seq == 0)
		return SQLITE_OK;
	rc = sqlite_start(c, SQL_HOLDER_GET, &st, SQL_VALUES(SQL_I(seq)));
	if (rc == SQLITE_ROW) {
		member = (unsigned)sqlite3_column_int(st, 0);
		i->fence = sqlite3_column_int64(st, 1);
	}
	i->held = member == c->member;
	i->orphaned = store_member_lapsed(c->store, member);
	return sqlite_end(st, rc);
}

/* Whether this member may settle or drop it. */
bool
sqlite_member_may(const struct store_intent *i)
{
	return i->held || i->state == STORE_OPERATOR;
}

/* Takes an intent over. */
int
sqlite_intent_take(struct sqlite_conn *c, struct store_call *call)
{
	struct store_intent i;
	int64_t seq;
	int rc = sqlite_intent_find(c, SQL_INTENT_BY_ID, SQL_VALUES(SQL_T(call->id)), &i, &seq);

	if (rc == SQLITE_OK && seq == 0) {
		call->reply.status = STORE_NONE;
	} else if (rc == SQLITE_OK && !i.held && !i.orphaned && i.state != STORE_OPERATOR) {
		call->reply.status = STORE_HELD;
	} else if (rc == SQLITE_OK && !i.held) {
		rc = sqlite_do(c, SQL_HOLDER_TAKE, SQL_VALUES(SQL_I(seq), SQL_I(c->member)));
		if (rc == SQLITE_OK)
			rc = sqlite_do(c, SQL_HOLDER_TELL, SQL_VALUES(SQL_I(seq)));
		if (rc == SQLITE_OK)
			rc = sqlite_member_hold(c, &i, seq);
	}
	if (rc == SQLITE_OK && seq != 0)
		store_reply_add_intent(&call->reply, &i);
	store_intent_clear(&i);
	return rc;
}

/* Has the others believe nothing that they read before. */
int
sqlite_outdate(struct sqlite_conn *c, struct store_call *call)
{
	return c->store != NULL ? sqlite_do_plain(c, SQL_CHANGE_ALL) : SQLITE_OK;
}

/* Tells the other members what has changed. */
void
sqlite_member_tell(struct sqlite_conn *c)
{
	sqlite3_stmt *st;
	int rc;

	if (c->store == NULL)
		return;
	for (rc = sqlite_start(c, SQL_CHANGE_LIST, &st, NULL, 0); rc == SQLITE_ROW;
	    rc = sqlite3_step(st)) {
		struct store_change change = {
		    .kind = (enum store_change_kind)sqlite3_column_int(st, 1),
		    .scope = sqlite_text(st, 2),
		    .local_id = sqlite_text(st, 3),
		    .upstream_id = sqlite_text(st, 4),
		    .intent_id = sqlite_text(st, 5),
		};

		store_tell(c->store, (unsigned)sqlite3_column_int(st, 0),
		    change.scope != NULL ? &change : NULL);
		free(change.scope);
		free(change.local_id);
		free(change.upstream_id);
		free(change.intent_id);
	}
	sqlite_end(st, rc);
	sqlite_do_plain(c, SQL_CHANGE_FORGET);
}
