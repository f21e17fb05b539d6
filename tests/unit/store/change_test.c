#include "config.h"

#include "store_fixture.h"
#include "store_suites.h"

START_TEST(update_begin_answers_in_its_order)
{
	struct fixture f;
	struct store_intent i, other;

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	fixture_persona(&f, "p2", "Bob");
	fixture_persona(&f, "p3", "Cy");
	i = fixture_update("u0", "p9", "Bob");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_NONE);
	i = fixture_update("u1", "p1", "Bob");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_NAME_TAKEN);
	i = fixture_update("u1", "p1", "Ann");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].name, "Ada");
	/* a taken name comes before the persona's own intent */
	i = fixture_update("u2", "p1", "Bob");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_NAME_TAKEN);
	i = fixture_update("u2", "p1", "New");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_UNSETTLED_OTHER);
	ck_assert_uint_eq(f.reply.record_count, 0);
	ck_assert_str_eq(f.reply.intents[0].id, "u1");
	i = fixture_update("u2", "p1", "Ann");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_UNSETTLED_OTHER);
	ck_assert_str_eq(f.reply.intents[0].id, "u1");
	/* a name that another intent holds: an update's, a create's */
	i = fixture_update("u2", "p2", "Ann");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_UNSETTLED_OTHER);
	ck_assert_str_eq(f.reply.intents[0].id, "u1");
	other = fixture_create("i1", "Dee", "print", NULL);
	ck_assert_int_eq(fixture_create_begin(&f, &other), STORE_OK);
	i = fixture_update("u2", "p2", "Dee");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_UNSETTLED_OTHER);
	ck_assert_str_eq(f.reply.intents[0].id, "i1");
	/* its own intent comes before another's hold */
	i = fixture_update("u2", "p1", "Dee");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_UNSETTLED_OTHER);
	ck_assert_str_eq(f.reply.intents[0].id, "u1");
	/* no name, or its own */
	i = fixture_update("u2", "p2", NULL);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_OK);
	i = fixture_update("u3", "p3", "Cy");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(update_settle_writes_its_fields)
{
	struct fixture f;
	struct store_intent i = fixture_update("u1", "p1", NULL);
	struct store_record r = fixture_record("p1", "Ada");
	int64_t version;

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	version = f.reply.records[0].version;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_OK);
	ck_assert_int_eq(f.reply.records[0].version, version);
	r.content = TEXT("{\"new\":1}");
	r.content_ms = NOW_MS + 1;
	r.updated_ms = NOW_MS + 2;
	r.created_ms = 5;
	r.kept = TEXT("{\"k\":1}");
	r.absent = TEXT("{\"a\":1}");
	r.upstream_id = TEXT("ignored");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].content, "{\"new\":1}");
	ck_assert_int_eq(f.reply.records[0].content_ms, NOW_MS + 1);
	ck_assert_int_eq(f.reply.records[0].updated_ms, NOW_MS + 2);
	ck_assert_int_eq(f.reply.records[0].created_ms, NOW_MS);
	ck_assert_str_eq(f.reply.records[0].kept, "{\"k\":1}");
	ck_assert_str_eq(f.reply.records[0].absent, "{\"a\":1}");
	ck_assert_str_eq(f.reply.records[0].upstream_id, "p1");
	ck_assert_str_eq(f.reply.records[0].fingerprint, "print");
	ck_assert_int_gt(f.reply.records[0].version, version);
	/* the intent is gone: nothing is written a second time */
	r.content = TEXT("{\"late\":1}");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].content, "{\"new\":1}");
	fixture_end(&f);
}
END_TEST

START_TEST(a_rename_holds_both_names_until_it_is_known)
{
	struct fixture f;
	struct store_intent i = fixture_update("u1", "p1", "Bea");
	struct store_record r = fixture_record("p1", "Bea");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "Bea"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(f.reply.intents[0].operation, STORE_UPDATE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_mark, "u1", STORE_UNKNOWN, NOW_MS + 7),
	    STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Bea"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(f.reply.intents[0].state, STORE_UNKNOWN);
	ck_assert_int_eq(f.reply.intents[0].touched_ms, NOW_MS + 7);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].name, "Bea");
	ck_assert_int_eq(fixture_try_name(&f, "Bea"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(a_dropped_rename_keeps_the_old_name)
{
	struct fixture f;
	struct store_intent i = fixture_update("u1", "p1", "Bea");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_drop, "u1"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Bea"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(renames_follow_each_other_down_a_chain)
{
	struct fixture f;
	struct store_intent a = fixture_update("ua", "pa", "X"), b = fixture_update("ub", "pb", "A");
	struct store_record r;

	fixture_begin(&f, _i);
	fixture_persona(&f, "pa", "A");
	fixture_persona(&f, "pb", "B");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &a), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &b), STORE_NAME_TAKEN);
	r = fixture_record("pa", "X");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "ua", &r), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &b), STORE_OK);
	/* back to its first name, while the other one is on its way there */
	a = fixture_update("ua", "pa", "A");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &a), STORE_UNSETTLED_OTHER);
	r = fixture_record("pb", "A");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "ub", &r), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &a), STORE_NAME_TAKEN);
	a = fixture_update("ua", "pa", "B");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &a), STORE_OK);
	r = fixture_record("pa", "B");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "ua", &r), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "A"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "B"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "X"), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(a_rename_that_came_out_otherwise_frees_what_it_held)
{
	struct fixture f;
	struct store_intent i = fixture_update("u1", "p1", "Bea");
	struct store_record r = fixture_record("p1", "Cleo");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Bea"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Cleo"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(settling_an_update_of_a_hidden_persona_drops_the_intent)
{
	struct fixture f;
	struct store_intent i = fixture_update("u1", "p1", "Bea");
	struct store_record r = fixture_record("p1", "Bea");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r), STORE_NONE);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Bea"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_drop, "u1"), STORE_NONE);
	fixture_end(&f);
}
END_TEST

START_TEST(kept_fields_change_alone)
{
	struct fixture f;
	struct store_intent i = fixture_update("u1", "p1", NULL);
	struct store_record r = fixture_record("p1", "ignored");
	int64_t version;

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	version = f.reply.records[0].version;
	r.kept = TEXT("{\"k\":1}");
	r.content = NULL;
	r.updated_ms = NOW_MS + 9;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, NULL, &r), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].kept, "{\"k\":1}");
	ck_assert_str_eq(f.reply.records[0].name, "Ada");
	ck_assert_str_eq(f.reply.records[0].content, "{\"goal\":\"\"}");
	ck_assert_int_eq(f.reply.records[0].updated_ms, NOW_MS + 9);
	ck_assert_int_gt(f.reply.records[0].version, version);
	/* an unsettled update would undo it */
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_OK);
	r.kept = TEXT("{\"k\":2}");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, NULL, &r), STORE_UNSETTLED_OTHER);
	ck_assert_str_eq(f.reply.intents[0].id, "u1");
	FIXTURE_CALL(&f, store_get, SCOPE, "p1");
	ck_assert_str_eq(f.reply.records[0].kept, "{\"k\":1}");
	r.local_id = TEXT("p2");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, NULL, &r), STORE_NONE);
	fixture_end(&f);
}
END_TEST

START_TEST(delete_answers_in_its_order_and_buries)
{
	struct fixture f;
	struct store_intent update = fixture_update("u1", "p1", NULL);
	struct store_intent i = fixture_delete("d1", "p1"), again = fixture_delete("d2", "p1");
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &i), STORE_NONE);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &update), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &i), STORE_UNSETTLED_OTHER);
	ck_assert_str_eq(f.reply.intents[0].id, "u1");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &i), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].local_id, "p1");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &again), STORE_UNSETTLED_OTHER);
	ck_assert_str_eq(f.reply.intents[0].id, "d1");
	ck_assert_str_eq(f.reply.intents[0].upstream_id, "p1");
	update = fixture_update("u2", "p1", NULL);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &update), STORE_UNSETTLED_OTHER);
	/* until it is known, the persona is there and has its name */
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_NONE);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	fixture_assert_list(&f, SCOPE, "");
	ck_assert_uint_eq(f.reply.tombstone_count, 1);
	ck_assert_str_eq(f.reply.tombstones[0], "p1");
	fixture_end(&f);
}
END_TEST

START_TEST(a_dropped_delete_leaves_the_persona)
{
	struct fixture f;
	struct store_intent i = fixture_delete("d1", "p1");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_drop, "d1"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_NONE);
	fixture_assert_list(&f, SCOPE, "p1");
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(a_delete_removes_what_was_hidden_meanwhile)
{
	struct fixture f;
	struct store_intent i = fixture_delete("d1", "p1");
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, &r, 1, NOW_MS), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 0);
	fixture_assert_list(&f, SCOPE, "");
	fixture_end(&f);
}
END_TEST

START_TEST(an_addition_is_settled_as_an_update)
{
	struct fixture f;
	struct store_intent i = fixture_update("i1", "p1", NULL);
	struct store_record r = fixture_record("p1", "Ada");

	i.operation = STORE_ADD;
	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &i), STORE_OK);
	store_intents(f.port, fixture_done, &f);
	fixture_wait(&f, f.done + 1);
	ck_assert_int_eq(f.reply.intents[0].operation, STORE_ADD);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "i1", NOW_MS), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "i1", &r), STORE_OK);
	store_intents(f.port, fixture_done, &f);
	fixture_wait(&f, f.done + 1);
	ck_assert_uint_eq(f.reply.intent_count, 0);
	fixture_end(&f);
}
END_TEST

START_TEST(a_settle_of_another_kind_finds_nothing)
{
	struct fixture f;
	struct store_intent i = fixture_delete("d1", "p1");
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "d1", &r), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "d1", &r, NULL), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(intents_are_marked_and_listed_oldest_first)
{
	struct fixture f;
	struct store_intent a = fixture_create("a", "A", "p", NULL), b = fixture_create("b", "B", "p",
	    NULL);

	fixture_begin(&f, _i);
	ck_assert_int_eq(fixture_create_begin(&f, &b), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &a), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_mark, "c", STORE_UNKNOWN, 1), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_mark, "b", STORE_OPERATOR, NOW_MS + 1),
	    STORE_OK);
	store_intents(f.port, fixture_done, &f);
	fixture_wait(&f, f.done + 1);
	ck_assert_uint_eq(f.reply.intent_count, 2);
	ck_assert_str_eq(f.reply.intents[0].id, "b");
	ck_assert_int_eq(f.reply.intents[0].state, STORE_OPERATOR);
	ck_assert_int_eq(f.reply.intents[0].touched_ms, NOW_MS + 1);
	ck_assert_int_eq(f.reply.intents[0].created_ms, NOW_MS);
	ck_assert_str_eq(f.reply.intents[1].id, "a");
	ck_assert_int_eq(f.reply.intents[1].state, STORE_PENDING);
	fixture_end(&f);
}
END_TEST

START_TEST(intents_are_counted_by_operation_and_state)
{
	struct store_intent a = fixture_create("a", "A", "p", NULL);
	struct store_intent b = fixture_create("b", "B", "p", NULL);
	struct store_intent c = fixture_create("c", "C", "p", NULL);
	struct store_intent d = fixture_delete("d", "p1");
	struct fixture f;

	fixture_begin(&f, _i);
	ck_assert_int_eq(f.reply.intent_count, 0);
	fixture_persona(&f, "p1", "Ada");
	b.created_ms = NOW_MS - 5;
	ck_assert_int_eq(fixture_create_begin(&f, &a), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &b), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &c), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &d), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_mark, "c", STORE_OPERATOR, NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_probe, NOW_MS), STORE_OK); /* changes nothing */
	store_intent_counts(f.port, fixture_done, &f);
	fixture_wait(&f, f.done + 1);
	ck_assert_uint_eq(f.reply.intent_count, 3);
	ck_assert_int_eq(f.reply.intents[0].operation, STORE_CREATE);
	ck_assert_int_eq(f.reply.intents[0].state, STORE_PENDING);
	ck_assert_int_eq(f.reply.intents[0].touched_ms, 2);
	ck_assert_int_eq(f.reply.intents[0].created_ms, NOW_MS - 5);
	ck_assert_int_eq(f.reply.intents[1].state, STORE_OPERATOR);
	ck_assert_int_eq(f.reply.intents[1].touched_ms, 1);
	ck_assert_int_eq(f.reply.intents[2].operation, STORE_DELETE);
	fixture_end(&f);
}
END_TEST

/* Tests of updates, deletes and intents. */
Suite *
change_suite(void)
{
	const TTest *const tests[] = {
	    update_begin_answers_in_its_order,
	    update_settle_writes_its_fields,
	    a_rename_holds_both_names_until_it_is_known,
	    a_dropped_rename_keeps_the_old_name,
	    renames_follow_each_other_down_a_chain,
	    a_rename_that_came_out_otherwise_frees_what_it_held,
	    settling_an_update_of_a_hidden_persona_drops_the_intent,
	    kept_fields_change_alone,
	    delete_answers_in_its_order_and_buries,
	    a_dropped_delete_leaves_the_persona,
	    a_delete_removes_what_was_hidden_meanwhile,
	    a_settle_of_another_kind_finds_nothing,
    an_addition_is_settled_as_an_update,
	    intents_are_marked_and_listed_oldest_first,
	    intents_are_counted_by_operation_and_state,
	    NULL,
	};

	return store_suite("store change", tests);
}
