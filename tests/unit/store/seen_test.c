#include "config.h"

#include "store_fixture.h"
#include "store_suites.h"

#include <stdio.h>

START_TEST(a_list_goes_by_creation_then_arrival)
{
	struct fixture f;
	struct store_record r[4] = {fixture_record("c", "C"), fixture_record("a", "A"),
	    fixture_record("b", "B"), fixture_record("d", "D")};

	fixture_begin(&f, _i);
	fixture_assert_list(&f, SCOPE, "");
	ck_assert_int_eq(f.reply.number, 0);
	r[1].created_ms = NOW_MS - 1;
	r[3].created_ms = NOW_MS - 2;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, r, 4, NOW_MS + 5), STORE_OK);
	fixture_assert_list(&f, SCOPE, "d,a,c,b");
	ck_assert_int_eq(f.reply.number, NOW_MS + 5);
	fixture_assert_list(&f, "agent:2", "");
	ck_assert_int_eq(f.reply.number, 0);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, "agent:2", "a"), STORE_NONE);
	/* an older listing that comes late does not turn the time back */
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, NULL, 0, NOW_MS), STORE_OK);
	fixture_assert_list(&f, SCOPE, "d,a,c,b");
	ck_assert_int_eq(f.reply.number, NOW_MS + 5);
	fixture_end(&f);
}
END_TEST

START_TEST(a_page_is_the_beginning_of_a_list)
{
	struct fixture f;
	struct store_record r[4] = {fixture_record("c", "C"), fixture_record("a", "A"),
	    fixture_record("b", "B"), fixture_record("d", "D")};

	fixture_begin(&f, _i);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_page, SCOPE, 2, 1000), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 0);
	ck_assert_int_eq(f.reply.number, 0);
	r[1].created_ms = NOW_MS - 1;
	r[1].kept = TEXT("{\"headers\":{}}");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, r, 4, NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "b", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_page, SCOPE, 2, 1000), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 2);
	ck_assert_str_eq(f.reply.records[0].local_id, "a");
	ck_assert_str_eq(f.reply.records[0].kept, "{\"headers\":{}}");
	ck_assert_str_eq(f.reply.records[1].local_id, "c");
	ck_assert_int_eq(f.reply.number, 3);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_page, SCOPE, 10, 1000), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 3);
	/* the first one reaches the bytes */
	ck_assert_int_eq(FIXTURE_CALL(&f, store_page, SCOPE, 10, 10), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 1);
	ck_assert_int_eq(f.reply.number, 3);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_page, "agent:2", 10, 1000), STORE_OK);
	ck_assert_int_eq(f.reply.number, 0);
	fixture_end(&f);
}
END_TEST

START_TEST(adoption_takes_unknown_personas_only)
{
	struct fixture f;
	struct store_record r[3] = {fixture_record("p1", "Other"), fixture_record("p2", "Bob"),
	    fixture_record("p3", "Cy")};
	struct store_intent gone = fixture_delete("d1", "p3");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	fixture_persona(&f, "p3", "Cy");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &gone), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	r[1].local_id = NULL;
	r[1].fingerprint = TEXT("ignored");
	r[1].unclaimed = true;
	r[1].scope = NULL;
	r[1].absent = TEXT("{\"d\":null}");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, r, 3, NOW_MS), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 1);
	ck_assert_str_eq(f.reply.records[0].local_id, "p2");
	ck_assert_str_eq(f.reply.records[0].scope, SCOPE);
	ck_assert(f.reply.records[0].adopted);
	ck_assert(!f.reply.records[0].unclaimed);
	ck_assert_ptr_null(f.reply.records[0].fingerprint);
	ck_assert_str_eq(f.reply.records[0].absent, "{\"d\":null}");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].name, "Ada");
	fixture_assert_list(&f, SCOPE, "p1,p2");
	ck_assert_int_eq(fixture_try_name(&f, "Bob"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "Other"), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(namesakes_are_listed_and_follow_each_other_as_holders)
{
	struct fixture f;
	struct store_record r[3] = {fixture_record("p1", "Ada"), fixture_record("p2", "Ada"),
	    fixture_record("p3", "Ada")};
	struct store_intent gone = fixture_delete("d1", "p2"), away = fixture_update("u1", "p3", "X");

	fixture_begin(&f, _i);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, r, 3, NOW_MS), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 3);
	fixture_assert_list(&f, SCOPE, "p1,p2,p3");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &gone), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &away), STORE_OK);
	r[2].name = TEXT("X");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r[2]), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	/* the hidden one comes back to its free name */
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, r, 1, NOW_MS), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 1);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(a_namesake_without_the_hold_frees_nothing)
{
	struct fixture f;
	struct store_record r[2] = {fixture_record("p1", "Ada"), fixture_record("p2", "Ada")};
	struct store_intent own = fixture_update("u1", "p2", "Ada");

	fixture_begin(&f, _i);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, r, 2, NOW_MS), STORE_OK);
	/* a namesake keeps its own name in an update */
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &own), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r[1]), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p2", NOW_MS), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(hidden_personas_come_back_with_what_was_kept)
{
	struct fixture f;
	struct store_intent update = fixture_update("u1", "p1", NULL);
	struct store_intent gone = fixture_delete("d1", "p1");
	struct store_record r = fixture_record("p1", "Ada");
	int64_t version;

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	r.kept = TEXT("{\"k\":1}");
	r.absent = TEXT("{\"a\":1}");
	r.updated_ms = NOW_MS + 50;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &update), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &r), STORE_OK);
	version = f.reply.records[0].version;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p9", NOW_MS), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &update), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &gone), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, NULL, &r), STORE_NONE);
	fixture_assert_list(&f, SCOPE, "");
	ck_assert_uint_eq(f.reply.tombstone_count, 0);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);

	r = fixture_record("p1", "Anna");
	r.content = TEXT("{\"seen\":1}");
	r.content_ms = NOW_MS + 60;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, &r, 1, NOW_MS), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 1);
	ck_assert_str_eq(f.reply.records[0].name, "Anna");
	ck_assert_str_eq(f.reply.records[0].content, "{\"seen\":1}");
	ck_assert_str_eq(f.reply.records[0].kept, "{\"k\":1}");
	ck_assert_str_eq(f.reply.records[0].absent, "{\"a\":1}");
	ck_assert_int_eq(f.reply.records[0].updated_ms, NOW_MS + 50);
	ck_assert(!f.reply.records[0].adopted);
	ck_assert_int_gt(f.reply.records[0].version, version + 1);
	ck_assert_int_eq(fixture_try_name(&f, "Anna"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(a_refresh_needs_the_version_that_was_read)
{
	struct fixture f;
	struct store_record r[3], held;
	struct store_intent update = fixture_update("u1", "p1", NULL);

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	fixture_persona(&f, "p2", "Bob");
	for (int i = 0; i < 3; i++) {
		r[i] = fixture_record(i == 0 ? "p1" : i == 1 ? "p2" : "p3", "Seen");
		r[i].content = TEXT("{\"seen\":1}");
		r[i].content_ms = NOW_MS + 1;
		r[i].updated_ms = NOW_MS + 2;
		r[i].absent = TEXT("{}");
		r[i].kept = TEXT("{\"ignored\":1}");
	}
	FIXTURE_CALL(&f, store_get, SCOPE, "p1");
	r[0].version = f.reply.records[0].version;
	FIXTURE_CALL(&f, store_get, SCOPE, "p2");
	r[1].version = f.reply.records[0].version + 1;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_refresh, r, 3), STORE_OK);
	ck_assert_int_eq(f.reply.number, 1);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_refresh, r, 3), STORE_OK);
	ck_assert_int_eq(f.reply.number, 0);
	FIXTURE_CALL(&f, store_get, SCOPE, "p1");
	ck_assert_str_eq(f.reply.records[0].name, "Seen");
	ck_assert_str_eq(f.reply.records[0].content, "{\"seen\":1}");
	ck_assert_str_eq(f.reply.records[0].absent, "{}");
	ck_assert_ptr_null(f.reply.records[0].kept);
	ck_assert_int_eq(f.reply.records[0].content_ms, NOW_MS + 1);
	ck_assert_int_eq(f.reply.records[0].updated_ms, NOW_MS + 2);
	ck_assert_int_gt(f.reply.records[0].version, r[0].version);
	r[0].version = f.reply.records[0].version;
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Seen"), STORE_NAME_TAKEN);
	FIXTURE_CALL(&f, store_get, SCOPE, "p2");
	ck_assert_str_eq(f.reply.records[0].name, "Bob");

	/* a read that may have been before or after an unsettled write */
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &update), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_refresh, r, 1), STORE_OK);
	ck_assert_int_eq(f.reply.number, 0);
	held = fixture_record("p1", "Seen");
	held.content = TEXT("{\"put\":1}");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, "u1", &held), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_refresh, r, 1), STORE_OK);
	ck_assert_int_eq(f.reply.number, 0);
	FIXTURE_CALL(&f, store_get, SCOPE, "p1");
	ck_assert_str_eq(f.reply.records[0].content, "{\"put\":1}");
	fixture_end(&f);
}
END_TEST

START_TEST(a_change_seen_ends_the_wait_for_the_creator)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "Ada", "print", NULL), again;
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	r.unclaimed = true;
	r.fingerprint = TEXT("print");
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, NULL), STORE_OK);
	r.version = f.reply.records[0].version;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_refresh, &r, 1), STORE_OK);
	again = fixture_create("i2", "Ada", "print", NULL);
	ck_assert_int_eq(fixture_create_begin(&f, &again), STORE_UNCLAIMED);
	r.version++;
	r.unclaimed = false;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_refresh, &r, 1), STORE_OK);
	ck_assert_int_eq(f.reply.number, 1);
	ck_assert_int_eq(fixture_create_begin(&f, &again), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(other_scopes_are_known_by_their_beginning)
{
	struct store_record shown[] = {fixture_record("p3", "C"), fixture_record("p4", "D")};
	struct fixture f;
	struct store_intent i;
	struct store_record r;

	fixture_begin(&f, _i);
	for (int k = 0; k < 4; k++) {
		static const char *const scopes[] = {"c:one", "c:two", "d:one", "c"};
		static const char *const ids[] = {"p1", "p2", "p5", "p6"};

		i = fixture_create(ids[k], NULL, "print", NULL);
		i.scope = TEXT(scopes[k]);
		r = fixture_record(ids[k], "");
		r.scope = TEXT(scopes[k]);
		ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
		ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, ids[k], &r, NULL), STORE_OK);
	}
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, "c:two", shown, 2, NOW_MS), STORE_OK);
	i = fixture_delete("i9", "p4");
	i.scope = TEXT("c:two");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "i9", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_elsewhere, "c:", "c:one"), STORE_OK);
	ck_assert_uint_eq(f.reply.tombstone_count, 2);
	ck_assert_str_eq(f.reply.tombstones[0], "p2"); /* made there; p3 was only adopted */
	ck_assert_str_eq(f.reply.tombstones[1], "p4"); /* deleted there */
	fixture_end(&f);
}
END_TEST

START_TEST(a_list_tells_what_is_hidden)
{
	struct fixture f;

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	fixture_persona(&f, "p2", "Bob");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p2", NOW_MS), STORE_OK);
	fixture_assert_list(&f, SCOPE, "p1");
	ck_assert_uint_eq(f.reply.hidden_count, 1);
	ck_assert_str_eq(f.reply.hidden[0], "p2");
	ck_assert_uint_eq(f.reply.tombstone_count, 0);
	fixture_end(&f);
}
END_TEST

START_TEST(a_refresh_of_an_earlier_life_is_not_written)
{
	struct fixture f;
	struct store_record old = fixture_record("p1", "Old"), r = fixture_record("p1", "Ada");
	struct store_intent gone = fixture_delete("d1", "p1"), i;

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	old.version = f.reply.records[0].version;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &gone), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	i = fixture_create("i2", "Ada", "print", NULL);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i2", &r, NULL), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_refresh, &old, 1), STORE_OK);
	ck_assert_int_eq(f.reply.number, 0);
	fixture_end(&f);
}
END_TEST

START_TEST(a_refresh_may_show_a_name_that_is_held)
{
	struct fixture f;
	struct store_record r = fixture_record("p2", "Ada");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	fixture_persona(&f, "p2", "Bob");
	r.version = f.reply.records[0].version;
	ck_assert_int_eq(FIXTURE_CALL(&f, store_refresh, &r, 1), STORE_OK);
	ck_assert_int_eq(f.reply.number, 1);
	ck_assert_int_eq(fixture_try_name(&f, "Bob"), STORE_OK);
	fixture_assert_list(&f, SCOPE, "p1,p2");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

START_TEST(a_thousand_records_are_listed_whole)
{
	static char ids[1000][16];
	static struct store_record r[1000];
	struct fixture f;

	fixture_begin(&f, _i);
	for (int i = 0; i < 1000; i++) {
		snprintf(ids[i], sizeof ids[i], "p%04d", i);
		r[i] = fixture_record(ids[i], ids[i]);
	}
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, r, 1000, NOW_MS), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 1000);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, r, 1000, NOW_MS), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 0);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_list, SCOPE), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_str_eq(f.reply.records[i].local_id, ids[i]);
	fixture_end(&f);
}
END_TEST

/* Tests of reads and of what the upstream showed. */
Suite *
seen_suite(void)
{
	const TTest *const tests[] = {
	    a_list_goes_by_creation_then_arrival,
	    a_page_is_the_beginning_of_a_list,
	    adoption_takes_unknown_personas_only,
	    namesakes_are_listed_and_follow_each_other_as_holders,
	    a_namesake_without_the_hold_frees_nothing,
	    hidden_personas_come_back_with_what_was_kept,
	    a_refresh_needs_the_version_that_was_read,
	    a_change_seen_ends_the_wait_for_the_creator,
	    a_list_tells_what_is_hidden,
    other_scopes_are_known_by_their_beginning,
	    a_refresh_of_an_earlier_life_is_not_written,
	    a_refresh_may_show_a_name_that_is_held,
	    a_thousand_records_are_listed_whole,
	    NULL,
	};

	return store_suite("store seen", tests);
}
