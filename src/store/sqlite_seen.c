#include "config.h"

#include "base/mem.h"
#include "store/sqlite_operation.h"
#include "store/sqlite_intent.h"
#include "store/sqlite_member.h"
#include "store/sqlite_record.h"

#include <stdlib.h>
#include <string.h>

/* Reads one persona. */
int
sqlite_get(struct sqlite_conn *c, struct store_call *call)
{
	struct store_record r;
	int rc = sqlite_record_visible(c, call->scope, call->id, &r);

	if (rc == SQLITE_OK && r.seq == 0)
		call->reply.status = STORE_NONE;
	else if (rc == SQLITE_OK)
		store_reply_add_record(&call->reply, &r);
	store_record_clear(&r);
	return rc;
}

/* Reads upstream ids of a scope. */
static int
sqlite_list_ids(struct sqlite_conn *c, struct store_call *call, enum sqlite_statement which,
    void (*add)(struct store_reply *, const char *upstream_id))
{
	sqlite3_stmt *st;
	int rc = sqlite_start(c, which, &st, SQL_VALUES(SQL_T(call->scope)));

	for (; rc == SQLITE_ROW; rc = sqlite3_step(st))
		add(&call->reply, (const char *)sqlite3_column_text(st, 0));
	return sqlite_end(st, rc);
}

/* Reads the personas of a scope, its tombstones and when it was listed. */
int
sqlite_list(struct sqlite_conn *c, struct store_call *call)
{
	struct store_record r;
	sqlite3_stmt *st;
	bool found;
	int rc = sqlite_start(c, SQL_PERSONA_LIST, &st, SQL_VALUES(SQL_T(call->scope)));

	for (; rc == SQLITE_ROW; rc = sqlite3_step(st)) {
		sqlite_record_read(st, &r, NULL);
		store_reply_add_record(&call->reply, &r);
	}
	rc = sqlite_end(st, rc);
	if (rc == SQLITE_OK)
		rc = sqlite_list_ids(c, call, SQL_TOMBSTONE_LIST, store_reply_add_tombstone);
	if (rc == SQLITE_OK)
		rc = sqlite_list_ids(c, call, SQL_PERSONA_HIDDEN, store_reply_add_hidden);
	if (rc == SQLITE_OK)
		rc = sqlite_number(c, SQL_LISTING_GET, SQL_VALUES(SQL_T(call->scope)), &found,
		    &call->reply.number);
	return rc;
}

/* Reads what other scopes with the same beginning know. */
int
sqlite_elsewhere(struct sqlite_conn *c, struct store_call *call)
{
	static const enum sqlite_statement which[] = {SQL_PERSONA_ELSEWHERE,
	    SQL_TOMBSTONE_ELSEWHERE};
	char *end = mem_string(call->text);
	int rc = SQLITE_OK;

	end[strlen(end) - 1]++; /* behind every text that begins so */
	for (size_t i = 0; i < sizeof which / sizeof which[0] && rc == SQLITE_OK; i++) {
		sqlite3_stmt *st;

		rc = sqlite_start(c, which[i], &st,
		    SQL_VALUES(SQL_T(call->text), SQL_T(end), SQL_T(call->scope)));
		for (; rc == SQLITE_ROW; rc = sqlite3_step(st))
			store_reply_add_tombstone(&call->reply,
			    (const char *)sqlite3_column_text(st, 0));
		rc = sqlite_end(st, rc);
	}
	free(end);
	return rc;
}

/* Reads the first personas of a scope and counts all. */
int
sqlite_page(struct sqlite_conn *c, struct store_call *call)
{
	struct store_record r;
	sqlite3_stmt *st;
	size_t bytes = 0;
	bool found;
	int rc = sqlite_start(c, SQL_PERSONA_PAGE, &st,
	    SQL_VALUES(SQL_T(call->scope), SQL_I((int64_t)call->max)));

	for (; rc == SQLITE_ROW && bytes < call->len; rc = sqlite3_step(st)) {
		sqlite_record_read(st, &r, NULL);
		bytes += r.content != NULL ? strlen(r.content) : 0;
		bytes += r.kept != NULL ? strlen(r.kept) : 0;
		store_reply_add_record(&call->reply, &r);
	}
	rc = sqlite_end(st, rc);
	if (rc == SQLITE_OK)
		rc = sqlite_number(c, SQL_PERSONA_COUNT, SQL_VALUES(SQL_T(call->scope)), &found,
		    &call->reply.number);
	return rc;
}

/* Reads all intents. */
int
sqlite_intents(struct sqlite_conn *c, struct store_call *call)
{
	struct store_intent i;
	sqlite3_stmt *st;
	int64_t seq;
	int rc = sqlite_start(c, SQL_INTENT_LIST, &st, NULL, 0);

	for (; rc == SQLITE_ROW; rc = sqlite3_step(st)) {
		sqlite_intent_read(st, &i, &seq);
		sqlite_member_hold(c, &i, seq);
		store_reply_add_intent(&call->reply, &i);
	}
	return sqlite_end(st, rc);
}

/* Reads intents of others or its own on which nobody works, of a part of all of them. */
static int
sqlite_intents_left_in(struct sqlite_conn *c, struct store_call *call, bool own,
    enum sqlite_statement part, int64_t border)
{
	struct store_intent i;
	sqlite3_stmt *st;
	int64_t seq;
	int rc;

	if (call->reply.intent_count == call->max)
		return SQLITE_OK;
	rc = sqlite_start(c, part, &st, SQL_VALUES(SQL_I(border)));
	for (; rc == SQLITE_ROW && call->reply.intent_count < call->max; rc = sqlite3_step(st)) {
		sqlite_intent_read(st, &i, &seq);
		sqlite_member_hold(c, &i, seq);
		if (i.state != STORE_OPERATOR && i.held == own &&
		    (own ? i.touched_ms < call->since_ms : i.orphaned)) {
			store_reply_add_intent(&call->reply, &i);
			c->left_last[own] = seq;
		}
		store_intent_clear(&i);
	}
	return sqlite_end(st, rc);
}

/* Reads intents of others or its own on which nobody works, in turns: those behind the last
 * one that was read so come first. */
static int
sqlite_intents_left_of(struct sqlite_conn *c, struct store_call *call, bool own)
{
	int64_t last = c->left_last[own];
	int rc = sqlite_intents_left_in(c, call, own, SQL_INTENT_BEHIND, last);

	return rc == SQLITE_OK ? sqlite_intents_left_in(c, call, own, SQL_INTENT_UP_TO, last) : rc;
}

/* Reads intents on which nobody works. */
int
sqlite_intents_left(struct sqlite_conn *c, struct store_call *call)
{
	int rc = sqlite_intents_left_of(c, call, false);

	return rc == SQLITE_OK ? sqlite_intents_left_of(c, call, true) : rc;
}

/* Counts an intent among those of its kind. */
static void
sqlite_intent_count(struct store_reply *reply, struct store_intent *i)
{
	for (size_t n = 0; n < reply->intent_count; n++) {
		struct store_intent *of = &reply->intents[n];

		if (of->operation != i->operation || of->state != i->state)
			continue;
		of->touched_ms++;
		if (i->created_ms < of->created_ms)
			of->created_ms = i->created_ms;
		return;
	}
	i->touched_ms = 1;
	store_reply_add_intent(reply, i);
}

/* Counts the intents of every operation and state. */
int
sqlite_intent_counts(struct sqlite_conn *c, struct store_call *call)
{
	struct store_intent i;
	sqlite3_stmt *st;
	int rc = sqlite_start(c, SQL_INTENT_COUNTS, &st, NULL, 0);

	for (; rc == SQLITE_ROW; rc = sqlite3_step(st)) {
		memset(&i, 0, sizeof i);
		i.operation = (enum store_operation)sqlite3_column_int(st, 0);
		i.state = (enum store_intent_state)sqlite3_column_int(st, 1);
		i.created_ms = sqlite3_column_int64(st, 2);
		sqlite_intent_count(&call->reply, &i);
	}
	return sqlite_end(st, rc);
}

/* Names every scope that has personas, and counts them when that is wanted. */
int
sqlite_scopes(struct sqlite_conn *c, struct store_call *call)
{
	struct store_record r;
	sqlite3_stmt *st;
	int rc = sqlite_start(c, call->counted ? SQL_PERSONA_SCOPE_COUNTS : SQL_PERSONA_SCOPES, &st,
	    NULL, 0);

	for (; rc == SQLITE_ROW; rc = sqlite3_step(st)) {
		memset(&r, 0, sizeof r);
		r.scope = sqlite_text(st, 0);
		r.seq = sqlite3_column_int64(st, 1);
		store_reply_add_record(&call->reply, &r);
	}
	return sqlite_end(st, rc);
}

/* Brings a hidden persona back as the listing shows it, with what was kept. */
static int
sqlite_adopt_return(struct sqlite_conn *c, const char *scope, const struct store_record *shown,
    int64_t *seq)
{
	struct store_record was, now;
	int rc = sqlite_record_upstream(c, scope, shown->upstream_id, &was, NULL);

	now = was;
	*seq = was.seq;
	if (shown->name != NULL)
		now.name = shown->name;
	now.content = shown->content;
	now.content_ms = shown->content_ms;
	if (shown->updated_ms > was.updated_ms)
		now.updated_ms = shown->updated_ms;
	if (rc == SQLITE_OK)
		rc = sqlite_record_write(c, &was, &now);
	if (rc == SQLITE_OK)
		rc = sqlite_do(c, SQL_PERSONA_SHOW, SQL_VALUES(SQL_I(was.seq)));
	if (rc == SQLITE_OK)
		rc = sqlite_name_hold(c, now.scope, now.name, now.seq, 0);
	store_record_clear(&was);
	return rc;
}

/* Adopts a persona that the scope does not know: *seq stays 0 when its local id
 * belongs to another one. */
static int
sqlite_adopt_new(struct sqlite_conn *c, const char *scope, const struct store_record *shown,
    int64_t *seq)
{
	struct store_record now = *shown;
	int rc;

	now.scope = (char *)scope;
	if (now.local_id == NULL)
		now.local_id = now.upstream_id;
	if (now.name == NULL)
		now.name = (char *)"";
	now.adopted = true;
	now.unclaimed = false;
	now.fingerprint = NULL;
	now.version = 1;
	rc = sqlite_record_add(c, &now);
	*seq = now.seq;
	if (rc == SQLITE_OK && now.seq != 0)
		rc = sqlite_name_hold(c, scope, now.name, now.seq, 0);
	return rc;
}

/* Adopts or brings back one persona, unless it is known or was deleted here, or
 * cannot be told apart. */
static int
sqlite_adopt_one(struct sqlite_conn *c, const char *scope, const struct store_record *shown,
    struct store_reply *reply)
{
	int64_t hidden, version, seq = 0;
	bool known, buried;
	int rc;

	if (shown->upstream_id == NULL)
		return SQLITE_OK;
	rc = sqlite_number(c, SQL_PERSONA_KNOWN,
	    SQL_VALUES(SQL_T(scope), SQL_T(shown->upstream_id)), &known, &hidden);
	if (rc != SQLITE_OK || (known && hidden == 0))
		return rc;
	rc = sqlite_number(c, SQL_TOMBSTONE_VERSION,
	    SQL_VALUES(SQL_T(scope), SQL_T(shown->upstream_id)), &buried, &version);
	if (rc == SQLITE_OK && known && !buried)
		rc = sqlite_adopt_return(c, scope, shown, &seq);
	else if (rc == SQLITE_OK && !buried)
		rc = sqlite_adopt_new(c, scope, shown, &seq);
	if (rc == SQLITE_OK && seq != 0)
		rc = sqlite_record_reply(c, seq, reply);
	return rc;
}

/* Adopts what a listing showed. */
int
sqlite_adopt(struct sqlite_conn *c, struct store_call *call)
{
	int rc = sqlite_do(c, SQL_LISTING_PUT,
	    SQL_VALUES(SQL_T(call->scope), SQL_I(call->now_ms)));

	for (size_t i = 0; i < call->record_count && rc == SQLITE_OK; i++)
		rc = sqlite_adopt_one(c, call->scope, &call->records[i], &call->reply);
	return rc;
}

/* Writes what a read saw of one persona, if nothing came in between. */
static int
sqlite_refresh_one(struct sqlite_conn *c, const struct store_record *seen,
    struct store_reply *reply)
{
	struct store_record was, now;
	bool pending = false;
	int rc = sqlite_record_visible(c, seen->scope, seen->local_id, &was);

	if (rc == SQLITE_OK && was.seq != 0 && was.version == seen->version)
		rc = sqlite_intent_pending(c, &was, NULL, &pending);
	if (rc == SQLITE_OK && was.seq != 0 && was.version == seen->version && !pending) {
		now = was;
		if (seen->name != NULL)
			now.name = seen->name;
		now.content = seen->content;
		now.content_ms = seen->content_ms;
		now.absent = seen->absent;
		now.updated_ms = seen->updated_ms;
		now.unclaimed = was.unclaimed && seen->unclaimed;
		rc = sqlite_record_write(c, &was, &now);
		if (rc == SQLITE_OK && strcmp(was.name, now.name) != 0)
			rc = sqlite_name_settle(c, 0, NULL, &now, was.name);
		reply->number++;
	}
	store_record_clear(&was);
	return rc;
}

/* Writes what reads saw. */
int
sqlite_refresh(struct sqlite_conn *c, struct store_call *call)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < call->record_count && rc == SQLITE_OK; i++)
		rc = sqlite_refresh_one(c, &call->records[i], &call->reply);
	return rc;
}

/* Hides a persona and frees its name. */
int
sqlite_hide(struct sqlite_conn *c, struct store_call *call)
{
	struct store_record r;
	int rc = sqlite_record_visible(c, call->scope, call->id, &r);

	if (rc == SQLITE_OK && r.seq == 0) {
		call->reply.status = STORE_NONE;
	} else if (rc == SQLITE_OK) {
		rc = sqlite_do(c, SQL_PERSONA_HIDE,
		    SQL_VALUES(SQL_I(r.seq), SQL_I(call->now_ms)));
		if (rc == SQLITE_OK)
			rc = sqlite_name_free(c, r.scope, r.name, r.seq, 0);
	}
	store_record_clear(&r);
	return rc;
}
