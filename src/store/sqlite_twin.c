#include "config.h"

#include "base/mem.h"
#include "store/sqlite_intent.h"
#include "store/sqlite_operation.h"
#include "store/sqlite_record.h"
#include "store/sqlite_twin.h"

#include <string.h>

/* Reads a row of TWIN's columns. */
static void
sqlite_twin_read(sqlite3_stmt *st, struct store_twin *t)
{
	memset(t, 0, sizeof *t);
	t->seq = sqlite3_column_int64(st, 0);
	t->project = sqlite_text(st, 1);
	t->twin_id = sqlite_text(st, 2);
	t->scope = sqlite_text(st, 3);
	t->local_id = sqlite_text(st, 4);
	t->name = sqlite_text(st, 5);
	t->digest = sqlite_text(st, 6);
	t->since_ms = sqlite3_column_int64(st, 7);
	t->found = sqlite3_column_int(st, 8) != 0;
	t->updated_ms = sqlite3_column_int64(st, 9);
}

/* Finds one twin; t->seq is 0 when there is none. The caller clears *t. */
static int
sqlite_twin_find(struct sqlite_conn *c, enum sqlite_statement which, const char *a, const char *b,
    struct store_twin *t)
{
	sqlite3_stmt *st;
	int rc = sqlite_start(c, which, &st, SQL_VALUES(SQL_T(a), SQL_T(b)));

	memset(t, 0, sizeof *t);
	if (rc == SQLITE_ROW)
		sqlite_twin_read(st, t);
	return sqlite_end(st, rc);
}

/* Notes a twin that is to be made. */
int
sqlite_twin_expect(struct sqlite_conn *c, const struct store_intent *i)
{
	return sqlite_do(c, SQL_TWIN_EXPECT,
	    SQL_VALUES(SQL_T(i->project), SQL_T(i->scope), SQL_T(i->id), SQL_T(i->name),
	        SQL_T(i->twin_digest), SQL_I(i->created_ms)));
}

/* Adds the persona of a local id to the reply, also a hidden one. */
static int
sqlite_twin_persona(struct sqlite_conn *c, const char *scope, const char *local_id,
    struct store_reply *reply)
{
	struct store_record r;
	bool hidden = false;
	int rc = sqlite_record_find(c, SQL_PERSONA_ANY, SQL_VALUES(SQL_T(scope), SQL_T(local_id)),
	    &r, &hidden);

	if (rc == SQLITE_OK && r.seq != 0) {
		reply->number = hidden;
		store_reply_add_record(reply, &r);
	}
	store_record_clear(&r);
	return rc;
}

/* Adds the create that is on its way to a local id, or has this id itself, to the reply. */
static int
sqlite_twin_create(struct sqlite_conn *c, const struct store_call *call, struct store_reply *reply)
{
	struct store_intent i;
	int64_t seq;
	int rc = sqlite_intent_find(c, SQL_INTENT_OF_TWIN,
	    SQL_VALUES(SQL_T(call->scope), SQL_T(call->id)), &i, &seq);

	if (rc == SQLITE_OK && seq == 0) {
		store_intent_clear(&i);
		rc = sqlite_intent_of(c, call->id, STORE_CREATE, &i, &seq);
	}
	if (rc == SQLITE_OK && seq != 0)
		store_reply_add_intent(reply, &i);
	store_intent_clear(&i);
	return rc;
}

/* Reads what is known under a persona's id. */
int
sqlite_twin_look(struct sqlite_conn *c, struct store_call *call)
{
	struct store_twin t;
	int rc = sqlite_twin_find(c, SQL_TWIN_OF_PERSONA, call->scope, call->id, &t);

	if (rc == SQLITE_OK && t.seq != 0)
		store_reply_add_twin(&call->reply, &t);
	store_twin_clear(&t);
	if (rc == SQLITE_OK)
		rc = sqlite_twin_persona(c, call->scope, call->id, &call->reply);
	return rc == SQLITE_OK ? sqlite_twin_create(c, call, &call->reply) : rc;
}

/* Reads whose twin this is. A twin that was not noted yet is known by its id. */
int
sqlite_twin_owner(struct sqlite_conn *c, struct store_call *call)
{
	struct store_twin t;
	int rc = sqlite_twin_find(c, SQL_TWIN_BY_ID, call->text, call->id, &t);

	if (rc == SQLITE_OK)
		rc = sqlite_twin_persona(c, t.seq != 0 ? t.scope : call->scope,
		    t.seq != 0 ? t.local_id : call->id, &call->reply);
	if (rc == SQLITE_OK && t.seq != 0)
		store_reply_add_twin(&call->reply, &t);
	else if (rc == SQLITE_OK && call->reply.record_count == 0)
		call->reply.status = STORE_NONE;
	store_twin_clear(&t);
	return rc;
}

/* Whether an id is that of another create's or persona's twin, or of another persona. */
static int
sqlite_twin_taken(struct sqlite_conn *c, const struct store_intent *i, const char *was,
    const char *id, bool *taken)
{
	struct store_record r;
	struct store_twin t;
	int rc = sqlite_twin_find(c, SQL_TWIN_BY_ID, i->project, id, &t);

	*taken = t.seq != 0 && strcmp(t.local_id, was) != 0;
	store_twin_clear(&t);
	if (rc != SQLITE_OK || *taken)
		return rc;
	rc = sqlite_record_find(c, SQL_PERSONA_ANY, SQL_VALUES(SQL_T(i->scope), SQL_T(id)), &r, NULL);
	*taken = r.seq != 0;
	store_record_clear(&r);
	return rc;
}

/* Writes the id of a create's twin, unless it is another's. */
static int
sqlite_twin_note_as(struct sqlite_conn *c, struct store_call *call, const struct store_intent *i)
{
	const char *was = i->local_id != NULL ? i->local_id : i->id, *id = call->twin.twin_id;
	bool taken;
	int rc = sqlite_twin_taken(c, i, was, id, &taken);

	if (rc == SQLITE_OK && taken) {
		call->reply.status = STORE_ID_TAKEN;
		return rc;
	}
	if (rc == SQLITE_OK)
		rc = sqlite_do(c, SQL_TWIN_NOTE, SQL_VALUES(SQL_T(i->scope), SQL_T(was), SQL_T(id),
		    SQL_I(call->twin.found)));
	if (rc == SQLITE_OK)
		rc = sqlite_do(c, SQL_INTENT_TWIN, SQL_VALUES(SQL_T(call->id), SQL_T(id),
		    SQL_I(i->state == STORE_TWINNING ? STORE_PENDING : i->state),
		    SQL_I(call->now_ms)));
	return rc;
}

/* Notes the twin of a create. */
int
sqlite_twin_note(struct sqlite_conn *c, struct store_call *call)
{
	struct store_intent i;
	int64_t seq;
	int rc = sqlite_intent_own(c, call->id, STORE_CREATE, &i, &seq);

	if (rc == SQLITE_OK && seq == 0)
		call->reply.status = STORE_NONE;
	else if (rc == SQLITE_OK)
		rc = sqlite_twin_note_as(c, call, &i);
	store_intent_clear(&i);
	return rc;
}

/* Writes what is known of a twin. */
int
sqlite_twin_put(struct sqlite_conn *c, struct store_call *call)
{
	const struct store_twin *t = &call->twin;
	int rc = sqlite_do(c, SQL_TWIN_CLEAR, SQL_VALUES(SQL_T(t->project), SQL_T(t->twin_id),
	    SQL_T(t->scope), SQL_T(t->local_id)));

	if (rc == SQLITE_OK)
		rc = sqlite_do(c, SQL_TWIN_PUT, SQL_VALUES(SQL_T(t->project), SQL_T(t->twin_id),
		    SQL_T(t->scope), SQL_T(t->local_id), SQL_I(t->since_ms), SQL_I(t->found),
		    SQL_I(t->updated_ms)));
	return rc;
}

/* Forgets a twin. */
int
sqlite_twin_drop(struct sqlite_conn *c, struct store_call *call)
{
	int rc = sqlite_do(c, SQL_TWIN_DROP, SQL_VALUES(SQL_T(call->scope), SQL_T(call->id)));

	if (rc == SQLITE_OK && sqlite3_changes(c->db) == 0)
		call->reply.status = STORE_NONE;
	return rc;
}

/* Reads a page. */
int
sqlite_twin_page(struct sqlite_conn *c, struct store_call *call)
{
	static const enum sqlite_statement pages[] = {[STORE_TWINS_ALL] = SQL_TWIN_ALL,
	    [STORE_TWINS_DUE] = SQL_TWIN_DUE, [STORE_TWINS_ORPHANS] = SQL_TWIN_ORPHANS};
	struct store_record r;
	sqlite3_stmt *st;
	int rc = sqlite_start(c, pages[call->pages], &st,
	    SQL_VALUES(SQL_I(call->since_ms), SQL_I((int64_t)call->max)));

	for (; rc == SQLITE_ROW; rc = sqlite3_step(st)) {
		memset(&r, 0, sizeof r);
		r.seq = sqlite3_column_int64(st, 0);
		r.scope = sqlite_text(st, 1);
		r.local_id = sqlite_text(st, 2);
		store_reply_add_record(&call->reply, &r);
	}
	return sqlite_end(st, rc);
}
