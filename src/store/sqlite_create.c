#include "config.h"

#include "store/sqlite_operation.h"
#include "store/sqlite_intent.h"
#include "store/sqlite_record.h"
#include "store/sqlite_twin.h"

#include <string.h>

/* True for equal texts; NULL equals nothing. */
static bool
sqlite_create_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Answers for a name that an unsettled intent holds: an equal create may join a
 * create, unless both have keys, since different keys never join each other. */
static int
sqlite_create_unsettled(struct sqlite_conn *c, const struct store_intent *i, int64_t holder,
    struct store_reply *reply)
{
	int rc = sqlite_intent_reply(c, holder, STORE_UNSETTLED_OTHER, reply);
	const struct store_intent *other = reply->intents;

	if (rc == SQLITE_OK && other->operation == STORE_CREATE &&
	    sqlite_create_same(other->fingerprint, i->fingerprint) &&
	    (other->key == NULL || i->key == NULL))
		reply->status = STORE_UNSETTLED_SAME;
	return rc;
}

/* Answers with a persona that was found unclaimed, if there is one. */
static int
sqlite_create_inherit(struct sqlite_conn *c, enum sqlite_statement which,
    const struct sqlite_value *values, size_t count, struct store_reply *reply)
{
	struct store_record r;
	int rc = sqlite_record_find(c, which, values, count, &r, NULL);

	if (rc == SQLITE_OK && r.seq != 0) {
		reply->status = STORE_UNCLAIMED;
		store_reply_add_record(reply, &r);
	}
	store_record_clear(&r);
	return rc;
}

/* Answers for a name that a persona holds. */
static int
sqlite_create_taken(struct sqlite_conn *c, const struct store_call *call,
    struct store_reply *reply)
{
	const struct store_intent *i = &call->intent;

	reply->status = STORE_NAME_TAKEN;
	if (i->key != NULL)
		return SQLITE_OK;
	return sqlite_create_inherit(c, SQL_PERSONA_UNCLAIMED,
	    SQL_VALUES(SQL_T(i->scope), SQL_T(i->name), SQL_T(i->fingerprint),
	        SQL_I(call->since_ms)), reply);
}

/* Records the intent of a create, holds its name and key, and expects its twin. */
static int
sqlite_create_add(struct sqlite_conn *c, const struct store_call *call)
{
	const struct store_intent *i = &call->intent;
	int64_t seq;
	int rc = sqlite_intent_add(c, i, &seq);

	if (rc == SQLITE_OK && i->name != NULL)
		rc = sqlite_name_hold(c, i->scope, i->name, 0, seq);
	if (rc == SQLITE_OK && i->key != NULL)
		rc = sqlite_key_add(c, i, seq, call->key_expires_ms);
	if (rc == SQLITE_OK && i->twin_digest != NULL)
		rc = sqlite_twin_expect(c, i);
	return rc;
}

/* Finds an equal create without a name that waits for an operator, or whose outcome another
 * member does not know. */
static int
sqlite_create_left(struct sqlite_conn *c, const struct store_intent *i, struct store_intent *left,
    int64_t *seq)
{
	int rc = sqlite_intent_find(c, SQL_INTENT_UNNAMED,
	    SQL_VALUES(SQL_T(i->scope), SQL_T(i->fingerprint), SQL_I(STORE_OPERATOR)), left, seq);

	if (rc != SQLITE_OK || *seq != 0 || c->store == NULL)
		return rc;
	store_intent_clear(left);
	rc = sqlite_intent_find(c, SQL_INTENT_UNNAMED,
	    SQL_VALUES(SQL_T(i->scope), SQL_T(i->fingerprint), SQL_I(STORE_UNKNOWN)), left, seq);
	if (left->held)
		*seq = 0;
	return rc;
}

/* Begins a create without a name, unless an equal one is in the way. */
static int
sqlite_create_unnamed(struct sqlite_conn *c, const struct store_call *call,
    struct store_reply *reply)
{
	const struct store_intent *i = &call->intent;
	struct store_intent left;
	int64_t seq;
	int rc = sqlite_create_left(c, i, &left, &seq);

	if (rc == SQLITE_OK && seq != 0 && (left.key == NULL || i->key == NULL)) {
		reply->status = STORE_UNSETTLED_SAME;
		store_reply_add_intent(reply, &left);
	}
	store_intent_clear(&left);
	if (rc == SQLITE_OK && reply->status == STORE_OK && i->key == NULL)
		rc = sqlite_create_inherit(c, SQL_PERSONA_UNNAMED,
		    SQL_VALUES(SQL_T(i->scope), SQL_T(i->fingerprint), SQL_I(call->since_ms)),
		    reply);
	if (rc == SQLITE_OK && reply->status == STORE_OK)
		rc = sqlite_create_add(c, call);
	return rc;
}

/* Begins a create, or says why not. */
int
sqlite_create_begin(struct sqlite_conn *c, struct store_call *call)
{
	const struct store_intent *i = &call->intent;
	int64_t persona, intent;
	bool decided = false;
	int rc = SQLITE_OK;

	if (i->key != NULL)
		rc = sqlite_key_decide(c, i, call->now_ms, &call->reply, &decided);
	if (rc != SQLITE_OK || decided)
		return rc;
	if (i->name == NULL)
		return sqlite_create_unnamed(c, call, &call->reply);
	rc = sqlite_name_holder(c, i->scope, i->name, &persona, &intent);
	if (rc != SQLITE_OK)
		return rc;
	if (intent != 0)
		return sqlite_create_unsettled(c, i, intent, &call->reply);
	if (persona != 0)
		return sqlite_create_taken(c, call, &call->reply);
	return sqlite_create_add(c, call);
}

/* The version that a persona of this id goes on from; its tombstone goes. */
static int
sqlite_create_unbury(struct sqlite_conn *c, const char *scope, const char *upstream_id,
    int64_t *version)
{
	bool found;
	int rc = sqlite_number(c, SQL_TOMBSTONE_VERSION,
	    SQL_VALUES(SQL_T(scope), SQL_T(upstream_id)), &found, version);

	if (rc == SQLITE_OK && found)
		rc = sqlite_do(c, SQL_TOMBSTONE_DELETE,
		    SQL_VALUES(SQL_T(scope), SQL_T(upstream_id)));
	return rc;
}

/* Writes a create's record over one that is there under the same upstream id, whose
 * local id clients may have seen. The strings of *now are borrowed from `was` and `made`. */
static int
sqlite_create_take_over(struct sqlite_conn *c, const struct store_record *was, bool hidden,
    const struct store_record *made, struct store_record *now)
{
	int rc;

	*now = *was;
	now->created_ms = made->created_ms;
	now->adopted = false;
	now->unclaimed = made->unclaimed;
	now->fingerprint = made->fingerprint;
	now->absent = made->absent;
	if (was->kept == NULL)
		now->kept = made->kept;
	if (made->content_ms >= was->content_ms) {
		now->name = made->name;
		now->content = made->content;
		now->content_ms = made->content_ms;
		now->updated_ms = made->updated_ms;
	}
	rc = sqlite_record_write(c, was, now);
	if (rc == SQLITE_OK && hidden)
		rc = sqlite_do(c, SQL_PERSONA_SHOW, SQL_VALUES(SQL_I(was->seq)));
	return rc;
}

/* Adds the record of a create. */
static int
sqlite_create_put(struct sqlite_conn *c, const struct store_record *made, int64_t version,
    struct store_record *now)
{
	int rc;

	*now = *made;
	now->version = version + 1;
	now->adopted = false;
	rc = sqlite_record_add(c, now);
	return rc == SQLITE_OK && now->seq == 0 ? SQLITE_CONSTRAINT_UNIQUE : rc;
}

/* Puts the record of a create and moves what its intent held, unless the upstream
 * id is taken. */
static int
sqlite_create_finish(struct sqlite_conn *c, const struct store_call *call,
    const struct store_intent *i, int64_t intent, int64_t *seq, bool *taken)
{
	struct store_record made = call->records[0], was, now;
	int64_t version = 0;
	bool hidden = false;
	int rc;

	made.scope = i->scope;
	if (made.local_id == NULL)
		made.local_id = made.upstream_id;
	if (made.name == NULL)
		made.name = i->name != NULL ? i->name : (char *)"";
	*seq = 0;
	rc = sqlite_record_upstream(c, made.scope, made.upstream_id, &was, &hidden);
	if (rc == SQLITE_OK && was.seq != 0 && !was.adopted && !hidden) {
		*taken = true;
		store_record_clear(&was);
		return rc;
	}
	if (rc == SQLITE_OK)
		rc = sqlite_create_unbury(c, made.scope, made.upstream_id, &version);
	if (rc == SQLITE_OK && was.seq != 0)
		rc = sqlite_create_take_over(c, &was, hidden, &made, &now);
	else if (rc == SQLITE_OK)
		rc = sqlite_create_put(c, &made, version, &now);
	if (rc == SQLITE_OK)
		rc = sqlite_intent_delete(c, intent);
	if (rc == SQLITE_OK)
		rc = sqlite_name_settle(c, intent, i->name, &now, was.name);
	if (rc == SQLITE_OK)
		rc = sqlite_key_settle(c, i, intent, call->text);
	*seq = rc == SQLITE_OK ? now.seq : 0;
	store_record_clear(&was);
	return rc;
}

/* Turns the intent of a create into a record. */
int
sqlite_create_settle(struct sqlite_conn *c, struct store_call *call)
{
	struct store_intent i;
	int64_t intent, seq;
	bool taken = false;
	int rc = sqlite_intent_own(c, call->id, STORE_CREATE, &i, &intent);

	if (rc == SQLITE_OK && intent == 0) {
		call->reply.status = STORE_NONE;
	} else if (rc == SQLITE_OK) {
		rc = sqlite_create_finish(c, call, &i, intent, &seq, &taken);
		if (taken)
			call->reply.status = STORE_ID_TAKEN;
		else if (rc == SQLITE_OK)
			rc = sqlite_record_reply(c, seq, &call->reply);
	}
	store_intent_clear(&i);
	return rc;
}
