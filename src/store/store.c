#include "config.h"

#include "store/store.h"
#include "base/mem.h"
#include "store/store_call.h"
#include "store/store_member.h"

/* Copies records into a call. */
static void
store_call_records(struct store_call *c, const struct store_record *records, size_t count)
{
	c->records = mem_zero(count, sizeof *c->records);
	c->record_count = count;
	for (size_t i = 0; i < count; i++)
		store_record_copy(&c->records[i], &records[i]);
}

/* Reads one persona. */
struct store_call *
store_get(struct store_port *p, const char *scope, const char *local_id, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_GET, done, arg);

	c->scope = mem_string(scope);
	c->id = mem_string(local_id);
	return store_submit(c);
}

/* Reads the personas of a scope. */
struct store_call *
store_list(struct store_port *p, const char *scope, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_LIST, done, arg);

	c->scope = mem_string(scope);
	return store_submit(c);
}

/* Reads what other scopes know. */
struct store_call *
store_elsewhere(struct store_port *p, const char *prefix, const char *scope, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_ELSEWHERE, done, arg);

	c->text = mem_string(prefix);
	c->scope = mem_string(scope);
	return store_submit(c);
}

/* Reads the first personas of a scope. */
struct store_call *
store_page(struct store_port *p, const char *scope, size_t max, size_t bytes, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_PAGE, done, arg);

	c->scope = mem_string(scope);
	c->max = max;
	c->len = bytes;
	return store_submit(c);
}

/* Reads all intents. */
struct store_call *
store_intents(struct store_port *p, store_done_fn done, void *arg)
{
	return store_submit(store_call_new(p, STORE_OP_INTENTS, done, arg));
}

/* Counts the intents. */
struct store_call *
store_intent_counts(struct store_port *p, store_done_fn done, void *arg)
{
	return store_submit(store_call_new(p, STORE_OP_INTENT_COUNTS, done, arg));
}

/* Reads which scopes there are. */
struct store_call *
store_scopes(struct store_port *p, bool counted, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_SCOPES, done, arg);

	c->counted = counted;
	return store_submit(c);
}

/* Records the intent of a create. */
struct store_call *
store_create_begin(struct store_port *p, const struct store_create *create, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_CREATE_BEGIN, done, arg);

	store_intent_copy(&c->intent, create->intent);
	c->now_ms = create->now_ms;
	c->key_expires_ms = create->key_expires_ms;
	c->since_ms = create->unclaimed_since_ms;
	return store_submit(c);
}

/* Turns the intent of a create into a record. */
struct store_call *
store_create_settle(struct store_port *p, const char *intent_id, const struct store_record *record,
    const char *answer, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_CREATE_SETTLE, done, arg);

	c->id = mem_string(intent_id);
	c->text = mem_string(answer);
	store_call_records(c, record, 1);
	return store_submit(c);
}

/* Notes that the creator knows. */
struct store_call *
store_claim(struct store_port *p, const char *scope, const char *local_id, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_CLAIM, done, arg);

	c->scope = mem_string(scope);
	c->id = mem_string(local_id);
	return store_submit(c);
}

/* Records the intent of an update. */
struct store_call *
store_update_begin(struct store_port *p, const struct store_intent *intent, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_UPDATE_BEGIN, done, arg);

	store_intent_copy(&c->intent, intent);
	return store_submit(c);
}

/* Writes what an update did. */
struct store_call *
store_update_settle(struct store_port *p, const char *intent_id, const struct store_record *record,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_UPDATE_SETTLE, done, arg);

	c->id = mem_string(intent_id);
	store_call_records(c, record, 1);
	return store_submit(c);
}

/* Records the intent of a delete. */
struct store_call *
store_delete_begin(struct store_port *p, const struct store_intent *intent, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_DELETE_BEGIN, done, arg);

	store_intent_copy(&c->intent, intent);
	return store_submit(c);
}

/* Removes what was deleted. */
struct store_call *
store_delete_settle(struct store_port *p, const char *intent_id, int64_t now_ms,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_DELETE_SETTLE, done, arg);

	c->id = mem_string(intent_id);
	c->now_ms = now_ms;
	return store_submit(c);
}

/* Moves an intent to a state. */
struct store_call *
store_intent_mark(struct store_port *p, const char *intent_id, enum store_intent_state state,
    int64_t now_ms, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_INTENT_MARK, done, arg);

	c->id = mem_string(intent_id);
	c->state = state;
	c->now_ms = now_ms;
	return store_submit(c);
}

/* Forgets an intent. */
struct store_call *
store_intent_drop(struct store_port *p, const char *intent_id, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_INTENT_DROP, done, arg);

	c->id = mem_string(intent_id);
	return store_submit(c);
}

/* Reads intents on which nobody works. */
struct store_call *
store_intents_left(struct store_port *p, int64_t untouched_ms, size_t max, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_INTENTS_LEFT, done, arg);

	c->since_ms = untouched_ms;
	c->max = max;
	return store_submit(c);
}

/* Takes an intent over. */
struct store_call *
store_intent_take(struct store_port *p, const char *intent_id, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_INTENT_TAKE, done, arg);

	c->id = mem_string(intent_id);
	return store_submit(c);
}

/* Has other members believe nothing that they read before. */
struct store_call *
store_outdate(struct store_port *p, store_done_fn done, void *arg)
{
	return store_submit(store_call_new(p, STORE_OP_OUTDATE, done, arg));
}

/* Adopts what a listing showed. */
struct store_call *
store_adopt(struct store_port *p, const char *scope, const struct store_record *records,
    size_t count, int64_t listed_ms, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_ADOPT, done, arg);

	c->scope = mem_string(scope);
	c->now_ms = listed_ms;
	store_call_records(c, records, count);
	return store_submit(c);
}

/* Writes what reads saw. */
struct store_call *
store_refresh(struct store_port *p, const struct store_record *records, size_t count,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_REFRESH, done, arg);

	store_call_records(c, records, count);
	return store_submit(c);
}

/* Hides a persona that the upstream does not know. */
struct store_call *
store_hide(struct store_port *p, const char *scope, const char *local_id, int64_t now_ms,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_HIDE, done, arg);

	c->scope = mem_string(scope);
	c->id = mem_string(local_id);
	c->now_ms = now_ms;
	return store_submit(c);
}

/* Moves everything of a scope. */
struct store_call *
store_join_scopes(struct store_port *p, const char *from, const char *to, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_JOIN_SCOPES, done, arg);

	c->scope = mem_string(from);
	c->text = mem_string(to);
	return store_submit(c);
}

/* Forgets what is old. */
struct store_call *
store_purge(struct store_port *p, int64_t now_ms, int64_t older_than_ms, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_PURGE, done, arg);

	c->now_ms = now_ms;
	c->since_ms = older_than_ms;
	return store_submit(c);
}

/* Writes something that nobody reads. */
struct store_call *
store_probe(struct store_port *p, int64_t now_ms, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_PROBE, done, arg);

	c->now_ms = now_ms;
	return store_submit(c);
}
