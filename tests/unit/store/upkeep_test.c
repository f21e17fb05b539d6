#include "config.h"

#include "store_fixture.h"
#include "store_suites.h"

#define SHOP "project:shop"

/* Begins and settles a create in the project's scope. */
static void
shop_persona(struct fixture *f, const char *local_id, const char *name)
{
	struct store_intent i = fixture_create("shop", name, "print", NULL);
	struct store_record r = fixture_record(local_id, name);

	i.scope = TEXT(SHOP);
	r.scope = TEXT(SHOP);
	r.kept = TEXT("{\"shop\":1}");
	r.fingerprint = TEXT("print");
	ck_assert_int_eq(fixture_create_begin(f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_create_settle, "shop", &r, NULL), STORE_OK);
}

START_TEST(joined_scopes_are_one)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "Pending", "print", NULL);
	struct store_intent gone = fixture_delete("d1", "p3");
	struct store_intent update = fixture_update("u1", "p2", "Newer");
	struct store_record r = fixture_record("p9", "Pending");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	shop_persona(&f, "p2", "Bob");
	shop_persona(&f, "p3", "Cy");
	shop_persona(&f, "p4", "Ada");
	gone.scope = TEXT(SHOP);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &gone), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	i.scope = TEXT(SHOP);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	update.scope = TEXT(SHOP);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &update), STORE_OK);

	ck_assert_int_eq(FIXTURE_CALL(&f, store_join_scopes, SHOP, SCOPE), STORE_OK);
	ck_assert_int_eq(f.reply.number, 2);
	fixture_assert_list(&f, SHOP, "");
	ck_assert_uint_eq(f.reply.tombstone_count, 0);
	fixture_assert_list(&f, SCOPE, "p1,p2,p4");
	ck_assert_uint_eq(f.reply.tombstone_count, 1);
	ck_assert_str_eq(f.reply.tombstones[0], "p3");
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "Bob"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "Newer"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(fixture_try_name(&f, "Pending"), STORE_UNSETTLED_OTHER);

	/* what was begun before settles in the scope where it is now */
	r.scope = TEXT(SHOP);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, NULL), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].scope, SCOPE);
	r = fixture_record("p2", "Newer");
	r.scope = TEXT(SHOP);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Bob"), STORE_OK);
	fixture_assert_list(&f, SCOPE, "p1,p2,p4,p9");
	/* namesakes of both scopes */
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

/* A scope without any persona may hold something that counts. */
START_TEST(what_is_left_of_a_scope_moves_too)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", NULL, "print", NULL), gone = fixture_delete("d1", "p3");

	fixture_begin(&f, _i);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_join_scopes, SHOP, SCOPE), STORE_OK);
	ck_assert_int_eq(f.reply.number, 0);
	i.scope = TEXT(SHOP);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_join_scopes, SHOP, SCOPE), STORE_OK);
	store_intents(f.port, fixture_done, &f);
	ck_assert_int_eq(fixture_wait(&f, f.done + 1), STORE_OK);
	ck_assert_uint_eq(f.reply.intent_count, 1);
	ck_assert_str_eq(f.reply.intents[0].scope, SCOPE);

	shop_persona(&f, "p3", "Cy");
	gone.scope = TEXT(SHOP);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &gone), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_join_scopes, SHOP, SCOPE), STORE_OK);
	fixture_assert_list(&f, SCOPE, "");
	ck_assert_uint_eq(f.reply.tombstone_count, 1);
	fixture_assert_list(&f, SHOP, "");
	ck_assert_uint_eq(f.reply.tombstone_count, 0);
	fixture_end(&f);
}
END_TEST

START_TEST(a_persona_of_both_scopes_becomes_one)
{
	struct fixture f;
	struct store_record listed[2] = {fixture_record("p1", "Anna"), fixture_record("p2", "Bob")};

	fixture_begin(&f, _i);
	shop_persona(&f, "p1", "Ada");
	listed[0].content_ms = NOW_MS + 5;
	listed[0].content = TEXT("{\"listed\":1}");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, listed, 2, NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SHOP, "p1", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_join_scopes, SHOP, SCOPE), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].kept, "{\"shop\":1}");
	ck_assert_str_eq(f.reply.records[0].content, "{\"listed\":1}");
	ck_assert_str_eq(f.reply.records[0].name, "Anna");
	ck_assert(!f.reply.records[0].adopted);
	fixture_assert_list(&f, SHOP, "");
	FIXTURE_CALL(&f, store_list, SCOPE);
	ck_assert_uint_eq(f.reply.record_count, 2);
	ck_assert_int_eq(fixture_try_name(&f, "Anna"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);

	/* the other way round: what the other scope made stays */
	listed[1].scope = TEXT(SHOP);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SHOP, listed, 1, NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_join_scopes, SHOP, SCOPE), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_OK);
	ck_assert(!f.reply.records[0].adopted);
	FIXTURE_CALL(&f, store_list, SCOPE);
	ck_assert_uint_eq(f.reply.record_count, 2);

	/* made in both: one record, with what only the other one kept */
	fixture_persona(&f, "p5", "Eve");
	shop_persona(&f, "p5", "Eve");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_join_scopes, SHOP, SCOPE), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p5"), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].kept, "{\"shop\":1}");
	ck_assert_int_eq(fixture_try_name(&f, "Eve"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(intents_of_one_persona_in_both_scopes_leave_no_hold_behind)
{
	struct fixture f;
	struct store_intent a = fixture_update("ua", "p1", "X"), b = fixture_update("ub", "p1", "Y");
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	shop_persona(&f, "p1", "Ada");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, &r, 1, NOW_MS), STORE_OK);
	a.scope = TEXT(SHOP);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &a), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &b), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_join_scopes, SHOP, SCOPE), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_drop, "ua"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "X"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Y"), STORE_UNSETTLED_OTHER);
	r.name = TEXT("Y");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "ub", &r), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Y"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(scopes_are_told_with_their_visible_personas)
{
	struct fixture f;

	fixture_begin(&f, _i);
	for (int counted = 0; counted < 2; counted++) {
		store_scopes(f.port, counted, fixture_done, &f);
		ck_assert_int_eq(fixture_wait(&f, f.done + 1), STORE_OK);
		ck_assert_uint_eq(f.reply.record_count, 0);
	}
	fixture_persona(&f, "p1", "Ada");
	fixture_persona(&f, "p2", "Bob");
	fixture_persona(&f, "p3", "Cy");
	shop_persona(&f, "p4", "Dee");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p3", NOW_MS), STORE_OK);
	store_scopes(f.port, true, fixture_done, &f);
	ck_assert_int_eq(fixture_wait(&f, f.done + 1), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 2);
	ck_assert_str_eq(f.reply.records[0].scope, SCOPE);
	ck_assert_int_eq(f.reply.records[0].seq, 2);
	ck_assert_str_eq(f.reply.records[1].scope, SHOP);
	ck_assert_int_eq(f.reply.records[1].seq, 1);
	store_scopes(f.port, false, fixture_done, &f);
	ck_assert_int_eq(fixture_wait(&f, f.done + 1), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 2);
	ck_assert_str_eq(f.reply.records[0].scope, SCOPE);
	ck_assert_str_eq(f.reply.records[1].scope, SHOP);
	fixture_end(&f);
}
END_TEST

START_TEST(a_scope_joined_with_itself_stays)
{
	struct fixture f;

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_join_scopes, SCOPE, SCOPE), STORE_OK);
	ck_assert_int_eq(f.reply.number, 0);
	fixture_assert_list(&f, SCOPE, "p1");
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(a_purge_forgets_what_is_old_and_settled)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "Ada", "print", "answered"), again;
	struct store_intent running = fixture_create("i2", "Bob", "print", "running");
	struct store_intent gone = fixture_delete("d1", "p2"), update = fixture_update("u1", "p4", "N");
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, "{}"), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &running), STORE_OK);
	fixture_persona(&f, "p2", "Cy");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &gone), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	fixture_persona(&f, "p3", "Dee");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p3", NOW_MS), STORE_OK);
	fixture_persona(&f, "p4", "Eve");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &update), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p4", NOW_MS), STORE_OK);

	ck_assert_int_eq(FIXTURE_CALL(&f, store_purge, NOW_MS + HOUR_MS - 1, NOW_MS), STORE_OK);
	ck_assert_int_eq(f.reply.number, 0);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_purge, NOW_MS + HOUR_MS, NOW_MS + 1), STORE_OK);
	ck_assert_int_eq(f.reply.number, 3);
	fixture_assert_list(&f, SCOPE, "p1");
	ck_assert_uint_eq(f.reply.tombstone_count, 0);
	again = fixture_create("i3", "Ada", "print", "answered");
	ck_assert_int_eq(fixture_create_begin(&f, &again), STORE_NAME_TAKEN);
	again = fixture_create("i3", "Bob", "print", "running");
	ck_assert_int_eq(fixture_create_begin(&f, &again), STORE_KEY_RUNNING);
	/* a forgotten tombstone lets the listing adopt; the hidden one comes back */
	r = fixture_record("p2", "Cy");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, &r, 1, NOW_MS), STORE_OK);
	ck_assert(f.reply.records[0].adopted);
	r = fixture_record("p4", "Eve");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, &r, 1, NOW_MS), STORE_OK);
	ck_assert(!f.reply.records[0].adopted);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r), STORE_OK);
	fixture_end(&f);
}
END_TEST

/* Tests of housekeeping. */
Suite *
upkeep_suite(void)
{
	const TTest *const tests[] = {
	    joined_scopes_are_one,
	    what_is_left_of_a_scope_moves_too,
	    a_persona_of_both_scopes_becomes_one,
	    scopes_are_told_with_their_visible_personas,
	    intents_of_one_persona_in_both_scopes_leave_no_hold_behind,
	    a_scope_joined_with_itself_stays,
	    a_purge_forgets_what_is_old_and_settled,
	    NULL,
	};

	return store_suite("store upkeep", tests);
}
