#include "config.h"

#include "store/sqlite_operation.h"
#include "store/sqlite_intent.h"
#include "store/sqlite_member.h"
#include "store/sqlite_record.h"

#include <string.h>

/* Records an intent for a persona, under the ids that the store knows. */
static int
sqlite_change_add(struct sqlite_conn *c, const struct store_intent *given,
    const struct store_record *r, int64_t *seq)
{
	struct store_intent i = *given;

	i.upstream_id = r->upstream_id;
	return sqlite_intent_add(c, &i, seq);
}

/* Begins an update of a persona that exists. */
static int
sqlite_update_try(struct sqlite_conn *c, struct store_call *call, const struct store_record *r)
{
	const struct store_intent *i = &call->intent;
	bool renames = i->name != NULL && strcmp(i->name, r->name) != 0, pending;
	int64_t persona = 0, holder = 0, seq;
	int rc = SQLITE_OK;

	if (renames)
		rc = sqlite_name_holder(c, i->scope, i->name, &persona, &holder);
	if (rc == SQLITE_OK && persona != 0 && persona != r->seq) {
		call->reply.status = STORE_NAME_TAKEN;
		return SQLITE_OK;
	}
	if (rc == SQLITE_OK)
		rc = sqlite_intent_pending(c, r, &call->reply, &pending);
	if (rc != SQLITE_OK || pending)
		return rc;
	if (holder != 0)
		return sqlite_intent_reply(c, holder, STORE_UNSETTLED_OTHER, &call->reply);
	rc = sqlite_change_add(c, i, r, &seq);
	if (rc == SQLITE_OK && renames)
		rc = sqlite_name_hold(c, i->scope, i->name, 0, seq);
	return rc;
}

/* Moves a record into the reply if that is still OK. */
static void
sqlite_change_reply(struct store_reply *reply, struct store_record *r, int rc)
{
	if (rc == SQLITE_OK && reply->status == STORE_OK)
		store_reply_add_record(reply, r);
}

/* Begins an update. */
int
sqlite_update_begin(struct sqlite_conn *c, struct store_call *call)
{
	struct store_record r;
	int rc = sqlite_record_visible(c, call->intent.scope, call->intent.local_id, &r);

	if (rc == SQLITE_OK && r.seq == 0)
		call->reply.status = STORE_NONE;
	else if (rc == SQLITE_OK)
		rc = sqlite_update_try(c, call, &r);
	sqlite_change_reply(&call->reply, &r, rc);
	store_record_clear(&r);
	return rc;
}

/* Writes a change of kept fields alone. */
static int
sqlite_update_keep(struct sqlite_conn *c, struct store_call *call)
{
	const struct store_record *given = &call->records[0];
	struct store_record was, now;
	bool pending = false;
	int rc = sqlite_record_visible(c, given->scope, given->local_id, &was);

	if (rc == SQLITE_OK && was.seq == 0)
		call->reply.status = STORE_NONE;
	else if (rc == SQLITE_OK)
		rc = sqlite_intent_pending(c, &was, &call->reply, &pending);
	if (rc == SQLITE_OK && was.seq != 0 && !pending) {
		now = was;
		now.kept = given->kept;
		now.updated_ms = given->updated_ms;
		now.unclaimed = false;
		rc = sqlite_record_write(c, &was, &now);
		if (rc == SQLITE_OK)
			rc = sqlite_record_reply(c, was.seq, &call->reply);
	}
	store_record_clear(&was);
	return rc;
}

/* Writes what an update did to a record, and moves the names. */
static int
sqlite_update_write(struct sqlite_conn *c, const struct store_record *was,
    const struct store_record *given, const struct store_intent *i, int64_t intent)
{
	struct store_record now = *was;
	int rc;

	if (given->name != NULL)
		now.name = given->name;
	now.content = given->content;
	now.content_ms = given->content_ms;
	now.kept = given->kept;
	now.absent = given->absent;
	now.updated_ms = given->updated_ms;
	now.unclaimed = false;
	rc = sqlite_record_write(c, was, &now);
	if (rc == SQLITE_OK)
		rc = sqlite_name_settle(c, intent, i->name, &now, was->name);
	return rc;
}

/* Settles an update whose intent is there. */
static int
sqlite_update_finish(struct sqlite_conn *c, struct store_call *call,
    const struct store_intent *i, int64_t intent)
{
	struct store_record was;
	int rc = sqlite_record_visible(c, i->scope, i->local_id, &was);

	if (rc == SQLITE_OK)
		rc = sqlite_intent_delete(c, intent);
	if (rc == SQLITE_OK && was.seq != 0) {
		rc = sqlite_update_write(c, &was, &call->records[0], i, intent);
		if (rc == SQLITE_OK)
			rc = sqlite_record_reply(c, was.seq, &call->reply);
	} else if (rc == SQLITE_OK) {
		call->reply.status = STORE_NONE;
		if (i->name != NULL)
			rc = sqlite_name_free(c, i->scope, i->name, 0, intent);
	}
	store_record_clear(&was);
	return rc;
}

/* Settles an update. */
int
sqlite_update_settle(struct sqlite_conn *c, struct store_call *call)
{
	struct store_intent i;
	int64_t intent;
	int rc;

	if (call->id == NULL)
		return sqlite_update_keep(c, call);
	rc = sqlite_intent_own(c, call->id, STORE_UPDATE, &i, &intent);
	if (rc == SQLITE_OK && intent == 0)
		call->reply.status = STORE_NONE;
	else if (rc == SQLITE_OK)
		rc = sqlite_update_finish(c, call, &i, intent);
	store_intent_clear(&i);
	return rc;
}

/* Begins a delete. */
int
sqlite_delete_begin(struct sqlite_conn *c, struct store_call *call)
{
	struct store_record r;
	bool pending = false;
	int64_t seq;
	int rc = sqlite_record_visible(c, call->intent.scope, call->intent.local_id, &r);

	if (rc == SQLITE_OK && r.seq == 0)
		call->reply.status = STORE_NONE;
	else if (rc == SQLITE_OK)
		rc = sqlite_intent_pending(c, &r, &call->reply, &pending);
	if (rc == SQLITE_OK && r.seq != 0 && !pending)
		rc = sqlite_change_add(c, &call->intent, &r, &seq);
	sqlite_change_reply(&call->reply, &r, rc);
	store_record_clear(&r);
	return rc;
}

/* Removes a record and buries its upstream id. */
static int
sqlite_delete_finish(struct sqlite_conn *c, const struct store_intent *i, int64_t intent,
    int64_t now_ms)
{
	struct store_record r;
	int rc = sqlite_record_upstream(c, i->scope, i->upstream_id, &r, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite_do(c, SQL_TOMBSTONE_PUT, SQL_VALUES(SQL_T(i->scope),
		    SQL_T(i->upstream_id), SQL_I(now_ms), SQL_I(r.version)));
	if (rc == SQLITE_OK)
		rc = sqlite_intent_delete(c, intent);
	if (rc == SQLITE_OK && r.seq != 0) {
		rc = sqlite_do(c, SQL_PERSONA_DELETE, SQL_VALUES(SQL_I(r.seq)));
		if (rc == SQLITE_OK)
			rc = sqlite_name_free(c, r.scope, r.name, r.seq, 0);
	}
	store_record_clear(&r);
	return rc;
}

/* Settles a delete. */
int
sqlite_delete_settle(struct sqlite_conn *c, struct store_call *call)
{
	struct store_intent i;
	int64_t intent;
	int rc = sqlite_intent_own(c, call->id, STORE_DELETE, &i, &intent);

	if (rc == SQLITE_OK && intent == 0)
		call->reply.status = STORE_NONE;
	else if (rc == SQLITE_OK)
		rc = sqlite_delete_finish(c, &i, intent, call->now_ms);
	store_intent_clear(&i);
	return rc;
}

/* Answers OK when the last statement changed something, else NONE. */
static int
sqlite_change_count(struct sqlite_conn *c, struct store_call *call, int rc)
{
	if (rc == SQLITE_OK && sqlite3_changes(c->db) == 0)
		call->reply.status = STORE_NONE;
	return rc;
}

/* Lets one caller claim a persona. */
int
sqlite_claim(struct sqlite_conn *c, struct store_call *call)
{
	return sqlite_change_count(c, call, sqlite_do(c, SQL_PERSONA_CLAIM,
	    SQL_VALUES(SQL_T(call->scope), SQL_T(call->id))));
}

/* Moves an intent to a state. */
int
sqlite_intent_mark(struct sqlite_conn *c, struct store_call *call)
{
	struct store_intent i;
	int64_t seq = 0;
	int rc = SQLITE_OK;

	if (c->store != NULL) { /* else it is held here */
		rc = sqlite_intent_find(c, SQL_INTENT_BY_ID, SQL_VALUES(SQL_T(call->id)), &i, &seq);
		if (seq != 0 && !sqlite_member_may(&i))
			call->reply.status = STORE_NONE;
		store_intent_clear(&i);
	}
	if (rc != SQLITE_OK || call->reply.status == STORE_NONE)
		return rc;
	return sqlite_change_count(c, call, sqlite_do(c, SQL_INTENT_MARK,
	    SQL_VALUES(SQL_T(call->id), SQL_I(call->state), SQL_I(call->now_ms))));
}

/* Forgets an intent with all that it holds. */
int
sqlite_intent_drop(struct sqlite_conn *c, struct store_call *call)
{
	struct store_intent i;
	int64_t seq;
	int rc = sqlite_intent_find(c, SQL_INTENT_BY_ID, SQL_VALUES(SQL_T(call->id)), &i, &seq);

	if (rc == SQLITE_OK && (seq == 0 || !sqlite_member_may(&i))) {
		call->reply.status = STORE_NONE;
	} else if (rc == SQLITE_OK) {
		rc = sqlite_intent_delete(c, seq);
		if (rc == SQLITE_OK && i.name != NULL)
			rc = sqlite_name_free(c, i.scope, i.name, 0, seq);
		if (rc == SQLITE_OK)
			rc = sqlite_key_settle(c, &i, seq, NULL);
	}
	store_intent_clear(&i);
	return rc;
}
