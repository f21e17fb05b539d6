#include "config.h"

#include "store_fixture.h"
#include "store_suites.h"

#include <string.h>

START_TEST(begin_records_everything_of_the_intent)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "Ada", "print", "key");
	const struct store_intent *got;

	fixture_begin(&f, _i);
	i.local_id = TEXT("twin");
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 0);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "twin"), STORE_NONE);
	store_intents(f.port, fixture_done, &f);
	fixture_wait(&f, f.done + 1);
	ck_assert_uint_eq(f.reply.intent_count, 1);
	got = &f.reply.intents[0];
	ck_assert_str_eq(got->id, "i1");
	ck_assert_int_eq(got->operation, STORE_CREATE);
	ck_assert_int_eq(got->state, STORE_PENDING);
	ck_assert_str_eq(got->scope, SCOPE);
	ck_assert_str_eq(got->project, "shop");
	ck_assert_str_eq(got->local_id, "twin");
	ck_assert_ptr_null(got->upstream_id);
	ck_assert_str_eq(got->name, "Ada");
	ck_assert_str_eq(got->fingerprint, "print");
	ck_assert_str_eq(got->sent, "{\"sent\":1}");
	ck_assert_str_eq(got->kept, "{\"headers\":{}}");
	ck_assert_str_eq(got->absent, "{\"description\":\"\"}");
	ck_assert_int_eq(got->created_ms, NOW_MS);
	ck_assert_int_eq(got->touched_ms, NOW_MS);
	ck_assert_str_eq(got->key, "key");
	ck_assert_str_eq(got->key_hash, "hash");
	fixture_end(&f);
}
END_TEST

START_TEST(settle_makes_the_record_and_drops_the_intent)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "Ada", "print", NULL);
	struct store_record r = fixture_record("up", "Ada");
	const struct store_record *got;

	fixture_begin(&f, _i);
	r.local_id = TEXT("here");
	r.kept = TEXT("{\"imageUrl\":null}");
	r.absent = TEXT("{\"goal\":\"\"}");
	r.fingerprint = TEXT("print");
	r.unclaimed = true;
	r.updated_ms = NOW_MS + 2;
	r.content_ms = NOW_MS + 3;
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, NULL), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 1);
	ck_assert_str_eq(f.reply.records[0].local_id, "here");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "here"), STORE_OK);
	got = &f.reply.records[0];
	ck_assert_int_gt(got->seq, 0);
	ck_assert_str_eq(got->scope, SCOPE);
	ck_assert_str_eq(got->upstream_id, "up");
	ck_assert_str_eq(got->name, "Ada");
	ck_assert_int_eq(got->created_ms, NOW_MS);
	ck_assert_int_eq(got->updated_ms, NOW_MS + 2);
	ck_assert_int_eq(got->content_ms, NOW_MS + 3);
	ck_assert_str_eq(got->kept, "{\"imageUrl\":null}");
	ck_assert_str_eq(got->absent, "{\"goal\":\"\"}");
	ck_assert_str_eq(got->content, "{\"goal\":\"\"}");
	ck_assert_str_eq(got->fingerprint, "print");
	ck_assert(!got->adopted);
	ck_assert(got->unclaimed);
	ck_assert_int_gt(got->version, 0);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, NULL), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_drop, "i1"), STORE_NONE);
	fixture_end(&f);
}
END_TEST

START_TEST(an_unsettled_name_joins_equal_creates_and_refuses_others)
{
	struct fixture f;
	struct store_intent plain = fixture_create("plain", "Ada", "print", NULL);
	struct store_intent keyed = fixture_create("keyed", "Bob", "print", "k1");
	struct store_intent i;

	fixture_begin(&f, _i);
	ck_assert_int_eq(fixture_create_begin(&f, &plain), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &keyed), STORE_OK);

	i = fixture_create("x", "Ada", "print", NULL);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_UNSETTLED_SAME);
	ck_assert_str_eq(f.reply.intents[0].id, "plain");
	i = fixture_create("x", "Ada", "print", "k2");
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_UNSETTLED_SAME);
	i = fixture_create("x", "Ada", "other", NULL);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_UNSETTLED_OTHER);
	ck_assert_str_eq(f.reply.intents[0].id, "plain");

	i = fixture_create("x", "Bob", "print", NULL);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_UNSETTLED_SAME);
	i = fixture_create("x", "Bob", "print", "k2");
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_UNSETTLED_OTHER);

	i = fixture_create("x", "Ada", "print", NULL);
	i.scope = TEXT("agent:2");
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(names_differ_by_any_byte)
{
	struct fixture f;

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "ada"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada "), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "A\xcc\x88" "da"), STORE_OK);
	fixture_persona(&f, "p2", "\xc3\x84" "da");
	ck_assert_int_eq(fixture_try_name(&f, "A\xcc\x88" "da"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "\xc3\x84" "da"), STORE_NAME_TAKEN);
	if (_i != FIXTURE_SHARED) { /* it takes UTF-8 alone, as JSON does */
		fixture_persona(&f, "p3", "\xff\xfe");
		ck_assert_int_eq(fixture_try_name(&f, "\xff\xfe"), STORE_NAME_TAKEN);
		ck_assert_int_eq(fixture_try_name(&f, "\xff"), STORE_OK);
	}
	fixture_persona(&f, "p4", "");
	ck_assert_int_eq(fixture_try_name(&f, ""), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(a_key_answers_runs_mismatches_and_expires)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "Ada", "print", "key"), other;
	struct store_create late = {.intent = &other, .key_expires_ms = NOW_MS + 9 * HOUR_MS};
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	other = fixture_create("i2", "Ada", "print", "key");
	ck_assert_int_eq(fixture_create_begin(&f, &other), STORE_KEY_RUNNING);
	ck_assert_str_eq(f.reply.intents[0].id, "i1");
	other.key_hash = TEXT("other hash");
	ck_assert_int_eq(fixture_create_begin(&f, &other), STORE_KEY_MISMATCH);
	/* the key goes before the name */
	other = fixture_create("i2", "Free", "other print", "key");
	ck_assert_int_eq(fixture_create_begin(&f, &other), STORE_KEY_RUNNING);
	/* a running key does not expire */
	late.now_ms = NOW_MS + 2 * HOUR_MS;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_begin, &late), STORE_KEY_RUNNING);

	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, "{\"id\":1}"), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &other), STORE_KEY_ANSWER);
	ck_assert_str_eq(f.reply.text, "{\"id\":1}");
	ck_assert_uint_eq(f.reply.intent_count, 0);
	other.key_hash = TEXT("other hash");
	ck_assert_int_eq(fixture_create_begin(&f, &other), STORE_KEY_MISMATCH);

	late.now_ms = NOW_MS + HOUR_MS - 1;
	other.key_hash = TEXT("hash");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_begin, &late), STORE_KEY_ANSWER);
	late.now_ms = NOW_MS + HOUR_MS;
	other.key_hash = TEXT("other hash");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_begin, &late), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_begin, &late), STORE_KEY_RUNNING);
	fixture_end(&f);
}
END_TEST

START_TEST(a_dropped_create_frees_its_name_and_its_key)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "Ada", "print", "key");

	fixture_begin(&f, _i);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_drop, "i1"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_drop, "i1"), STORE_NONE);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	i.id = TEXT("i2");
	i.key_hash = TEXT("other hash");
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(a_key_settled_without_answer_is_forgotten)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "Ada", "print", "key");
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, NULL), STORE_OK);
	i.key_hash = TEXT("other hash");
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

/* Makes an unclaimed persona. */
static void
unclaimed(struct fixture *f)
{
	struct store_intent i = fixture_create("i1", "Ada", "print", NULL);
	struct store_record r = fixture_record("p1", "Ada");

	r.fingerprint = TEXT("print");
	r.unclaimed = true;
	ck_assert_int_eq(fixture_create_begin(f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_create_settle, "i1", &r, NULL), STORE_OK);
}

START_TEST(only_an_equal_keyless_young_create_inherits)
{
	struct fixture f;
	struct store_intent i = fixture_create("i2", "Ada", "print", NULL);
	struct store_create create = {.intent = &i, .now_ms = NOW_MS};

	fixture_begin(&f, _i);
	unclaimed(&f);
	create.unclaimed_since_ms = NOW_MS;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_begin, &create), STORE_UNCLAIMED);
	ck_assert_str_eq(f.reply.records[0].local_id, "p1");
	create.unclaimed_since_ms = NOW_MS + 1;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_begin, &create), STORE_NAME_TAKEN);
	create.unclaimed_since_ms = NOW_MS;
	i.fingerprint = TEXT("other");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_begin, &create), STORE_NAME_TAKEN);
	i = fixture_create("i2", "Ada", "print", "key");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_begin, &create), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(a_persona_is_claimed_once)
{
	struct fixture f;
	struct store_intent i = fixture_create("i2", "Ada", "print", NULL);
	int64_t version;

	fixture_begin(&f, _i);
	unclaimed(&f);
	version = f.reply.records[0].version;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_claim, SCOPE, "p2"), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_claim, SCOPE, "p1"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_claim, SCOPE, "p1"), STORE_NONE);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_NAME_TAKEN);
	FIXTURE_CALL(&f, store_get, SCOPE, "p1");
	ck_assert(!f.reply.records[0].unclaimed);
	ck_assert_int_gt(f.reply.records[0].version, version);
	fixture_end(&f);
}
END_TEST

START_TEST(a_change_claims_a_persona)
{
	struct fixture f;
	struct store_intent i = fixture_create("i2", "Ada", "print", NULL);
	struct store_intent update = fixture_update("u1", "p1", NULL);
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	unclaimed(&f);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &update), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_UNCLAIMED);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

/* Begins a create of "Ada", then adopts a persona of that name, as a listing
 * shows it: p1, by an update of `kept` when that is given. */
static void
adopted_meanwhile(struct fixture *f, int64_t content_ms)
{
	struct store_intent i = fixture_create("i1", "Ada", "print", NULL);
	struct store_record r = fixture_record("p1", "Ada");

	ck_assert_int_eq(fixture_create_begin(f, &i), STORE_OK);
	r.content = TEXT("{\"listed\":1}");
	r.content_ms = content_ms;
	ck_assert_int_eq(FIXTURE_CALL(f, store_adopt, SCOPE, &r, 1, content_ms), STORE_OK);
	ck_assert_uint_eq(f->reply.record_count, 1);
}

START_TEST(creates_without_a_name_hold_nothing)
{
	struct fixture f;
	struct store_intent one = fixture_create("i1", NULL, "print", NULL);
	struct store_intent two = fixture_create("i2", NULL, "print", NULL);
	struct store_record r = fixture_record("p1", "");

	r.fingerprint = TEXT("print");
	r.unclaimed = true;
	fixture_begin(&f, _i);
	ck_assert_int_eq(fixture_create_begin(&f, &one), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &two), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, NULL), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].name, "");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_claim, SCOPE, "p1"), STORE_OK);
	r.local_id = r.upstream_id = TEXT("p2");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i2", &r, NULL), STORE_OK);
	fixture_assert_list(&f, SCOPE, "p1,p2");
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(a_nameless_create_inherits_or_waits_for_an_equal_one)
{
	struct fixture f;
	struct store_intent one = fixture_create("i1", NULL, "print", NULL);
	struct store_intent two = fixture_create("i2", NULL, "print", NULL);
	struct store_intent keyed = fixture_create("i3", NULL, "print", "key");
	struct store_create create = {.intent = &two, .now_ms = NOW_MS};
	struct store_record r = fixture_record("p1", "");

	r.fingerprint = TEXT("print");
	r.unclaimed = true;
	create.unclaimed_since_ms = NOW_MS + 1;
	fixture_begin(&f, _i);
	ck_assert_int_eq(fixture_create_begin(&f, &one), STORE_OK);
	FIXTURE_CALL(&f, store_intent_mark, "i1", STORE_OPERATOR, NOW_MS);
	ck_assert_int_eq(fixture_create_begin(&f, &two), STORE_UNSETTLED_SAME);
	ck_assert_str_eq(f.reply.intents[0].id, "i1");
	ck_assert_int_eq(fixture_create_begin(&f, &keyed), STORE_UNSETTLED_SAME);
	two.fingerprint = TEXT("other");
	ck_assert_int_eq(fixture_create_begin(&f, &two), STORE_OK);
	FIXTURE_CALL(&f, store_intent_drop, "i2");
	two.fingerprint = TEXT("print");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, NULL), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &two), STORE_UNCLAIMED);
	ck_assert_str_eq(f.reply.records[0].local_id, "p1");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_begin, &create), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &keyed), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(settle_does_not_take_another_creates_persona)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "Bob", "print", "key");
	struct store_record r = fixture_record("p1", "Bob");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, "{}"), STORE_ID_TAKEN);
	ck_assert_uint_eq(f.reply.record_count, 0);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].name, "Ada");
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "Bob"), STORE_UNSETTLED_OTHER);
	/* one that is hidden gives way: the upstream has it no more */
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, "{}"), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(settle_takes_over_what_was_adopted)
{
	struct fixture f;
	struct store_record r = fixture_record("p1", "Ada");
	int64_t seq, version;

	fixture_begin(&f, _i);
	adopted_meanwhile(&f, NOW_MS - 1);
	seq = f.reply.records[0].seq;
	version = f.reply.records[0].version;
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_UNSETTLED_OTHER);
	r.local_id = TEXT("twin");
	r.kept = TEXT("{\"k\":1}");
	r.absent = TEXT("{\"a\":\"\"}");
	r.fingerprint = TEXT("print");
	r.unclaimed = true;
	r.created_ms = NOW_MS - 5;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, NULL), STORE_OK);
	ck_assert_int_eq(f.reply.records[0].seq, seq);
	ck_assert_int_gt(f.reply.records[0].version, version);
	ck_assert_str_eq(f.reply.records[0].local_id, "p1"); /* clients may have seen it */
	ck_assert_str_eq(f.reply.records[0].upstream_id, "p1");
	ck_assert(!f.reply.records[0].adopted);
	ck_assert(f.reply.records[0].unclaimed);
	ck_assert_str_eq(f.reply.records[0].fingerprint, "print");
	ck_assert_str_eq(f.reply.records[0].kept, "{\"k\":1}");
	ck_assert_str_eq(f.reply.records[0].absent, "{\"a\":\"\"}");
	ck_assert_str_eq(f.reply.records[0].content, "{\"goal\":\"\"}");
	ck_assert_int_eq(f.reply.records[0].created_ms, NOW_MS - 5);
	fixture_assert_list(&f, SCOPE, "p1");
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(a_take_over_keeps_what_was_written_since)
{
	struct fixture f;
	struct store_intent update = fixture_update("u1", "p1", "Bea");
	struct store_record r = fixture_record("p1", "Bea");

	fixture_begin(&f, _i);
	adopted_meanwhile(&f, NOW_MS + 1);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &update), STORE_OK);
	r.kept = TEXT("{\"put\":1}");
	r.content = TEXT("{\"put\":2}");
	r.content_ms = NOW_MS + 2;
	r.updated_ms = NOW_MS + 2;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r), STORE_OK);
	r = fixture_record("p1", "Ada");
	r.kept = TEXT("{\"k\":1}");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, NULL), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].name, "Bea");
	ck_assert_str_eq(f.reply.records[0].kept, "{\"put\":1}");
	ck_assert_str_eq(f.reply.records[0].content, "{\"put\":2}");
	ck_assert_int_eq(f.reply.records[0].content_ms, NOW_MS + 2);
	ck_assert_int_eq(f.reply.records[0].updated_ms, NOW_MS + 2);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Bea"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(a_dropped_create_leaves_its_name_to_an_adopted_namesake)
{
	struct fixture f;

	fixture_begin(&f, _i);
	adopted_meanwhile(&f, NOW_MS);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_drop, "i1"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(settle_unburies_and_shows)
{
	struct fixture f;
	struct store_intent gone = fixture_delete("d1", "p1"), i;
	struct store_record r = fixture_record("p1", "Ada");
	int64_t version;

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	version = f.reply.records[0].version;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &gone), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	i = fixture_create("i2", "Ada", "print", NULL);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i2", &r, NULL), STORE_OK);
	ck_assert_int_gt(f.reply.records[0].version, version);
	fixture_assert_list(&f, SCOPE, "p1");
	ck_assert_uint_eq(f.reply.tombstone_count, 0);

	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i2", &r, NULL), STORE_OK);
	fixture_assert_list(&f, SCOPE, "p1");
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(settle_under_another_name_moves_the_hold)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "  Ada ", "print", NULL);
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, NULL), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "  Ada "), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

/* Tests of creates. */
Suite *
create_suite(void)
{
	const TTest *const tests[] = {
	    begin_records_everything_of_the_intent,
	    settle_makes_the_record_and_drops_the_intent,
	    an_unsettled_name_joins_equal_creates_and_refuses_others,
	    names_differ_by_any_byte,
	    a_key_answers_runs_mismatches_and_expires,
	    a_dropped_create_frees_its_name_and_its_key,
	    a_key_settled_without_answer_is_forgotten,
	    only_an_equal_keyless_young_create_inherits,
	    a_persona_is_claimed_once,
	    a_change_claims_a_persona,
	    settle_does_not_take_another_creates_persona,
    creates_without_a_name_hold_nothing,
    a_nameless_create_inherits_or_waits_for_an_equal_one,
	    settle_takes_over_what_was_adopted,
	    a_take_over_keeps_what_was_written_since,
	    a_dropped_create_leaves_its_name_to_an_adopted_namesake,
	    settle_unburies_and_shows,
	    settle_under_another_name_moves_the_hold,
	    NULL,
	};

	return store_suite("store create", tests);
}
