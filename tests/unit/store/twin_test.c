#include "config.h"

#include "store_fixture.h"
#include "store_suites.h"

#include <string.h>

/* Begins a create whose twin is being made. */
static void
begin(struct fixture *f, const char *id, const char *name)
{
	struct store_intent i = fixture_create(id, name, "print", NULL);

	i.state = STORE_TWINNING;
	i.twin_digest = TEXT("digest");
	ck_assert_int_eq(fixture_create_begin(f, &i), STORE_OK);
}

/* Notes the twin of a create. */
static enum store_status
note(struct fixture *f, const char *intent, const char *twin)
{
	return FIXTURE_CALL(f, store_twin_note, intent, twin, false, NOW_MS + 1);
}

/* What is known under an id. */
static void
look(struct fixture *f, const char *local_id, size_t twins, size_t records, size_t intents)
{
	ck_assert_int_eq(FIXTURE_CALL(f, store_twin_look, SCOPE, local_id), STORE_OK);
	ck_assert_uint_eq(f->reply.twin_count, twins);
	ck_assert_uint_eq(f->reply.record_count, records);
	ck_assert_uint_eq(f->reply.intent_count, intents);
}

/* The ids on a page, as one text with commas. */
static const char *
page(struct fixture *f, enum store_twin_pages kind, int64_t after, size_t max)
{
	static char text[512];

	text[0] = '\0';
	ck_assert_int_eq(FIXTURE_CALL(f, store_twin_page, kind, after, max), STORE_OK);
	for (size_t i = 0; i < f->reply.record_count; i++) {
		if (i > 0)
			strcat(text, ",");
		strcat(text, f->reply.records[i].local_id);
		ck_assert_str_eq(f->reply.records[i].scope, SCOPE);
	}
	return text;
}

/* Writes what is known of a twin. */
static void
put(struct fixture *f, const char *local_id, const char *twin_id, int64_t updated_ms)
{
	struct store_twin t = {.project = TEXT("shop"), .twin_id = TEXT(twin_id),
	    .scope = TEXT(SCOPE), .local_id = TEXT(local_id), .since_ms = NOW_MS,
	    .updated_ms = updated_ms};

	ck_assert_int_eq(FIXTURE_CALL(f, store_twin_put, &t), STORE_OK);
}

START_TEST(a_create_expects_its_twin_and_gets_its_id)
{
	struct fixture f;
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	begin(&f, "i1", "Ada");
	look(&f, "i1", 1, 0, 1);
	ck_assert_ptr_null(f.reply.twins[0].twin_id);
	ck_assert_str_eq(f.reply.twins[0].project, "shop");
	ck_assert_str_eq(f.reply.twins[0].name, "Ada");
	ck_assert_str_eq(f.reply.twins[0].digest, "digest");
	ck_assert_int_eq(f.reply.twins[0].since_ms, NOW_MS);
	ck_assert_int_eq(f.reply.intents[0].state, STORE_TWINNING);
	ck_assert_int_eq(note(&f, "i2", "t1"), STORE_NONE);
	ck_assert_int_eq(note(&f, "i1", "t1"), STORE_OK);
	look(&f, "i1", 0, 0, 1);
	look(&f, "t1", 1, 0, 1);
	ck_assert_str_eq(f.reply.twins[0].twin_id, "t1");
	ck_assert_int_eq(f.reply.intents[0].state, STORE_PENDING);
	ck_assert_str_eq(f.reply.intents[0].local_id, "t1");
	r.local_id = TEXT("t1");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i1", &r, NULL), STORE_OK);
	look(&f, "t1", 1, 1, 0);
	ck_assert_str_eq(f.reply.records[0].upstream_id, "p1");
	ck_assert_str_eq(page(&f, STORE_TWINS_ORPHANS, 0, 10), "");
	fixture_end(&f);
}
END_TEST

START_TEST(a_lost_twin_of_an_unknown_create_gets_another_id)
{
	struct fixture f;

	fixture_begin(&f, _i);
	begin(&f, "i1", "Ada");
	ck_assert_int_eq(note(&f, "i1", "t1"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_mark, "i1", STORE_UNKNOWN, NOW_MS), STORE_OK);
	ck_assert_int_eq(note(&f, "i1", "t2"), STORE_OK);
	look(&f, "t1", 0, 0, 0);
	look(&f, "t2", 1, 0, 1);
	ck_assert_int_eq(f.reply.intents[0].state, STORE_UNKNOWN);
	fixture_end(&f);
}
END_TEST

START_TEST(a_create_that_did_not_happen_leaves_its_twin_alone)
{
	struct fixture f;

	fixture_begin(&f, _i);
	begin(&f, "i1", "Ada");
	begin(&f, "i2", "Bob");
	ck_assert_int_eq(note(&f, "i1", "t1"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_drop, "i1"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_drop, "i2"), STORE_OK);
	look(&f, "t1", 1, 0, 0);
	look(&f, "i2", 1, 0, 0);
	ck_assert_str_eq(page(&f, STORE_TWINS_ORPHANS, 0, 10), "t1,i2");
	ck_assert_str_eq(page(&f, STORE_TWINS_ORPHANS, 0, 1), "t1");
	ck_assert_str_eq(page(&f, STORE_TWINS_ORPHANS, f.reply.records[0].seq, 1), "i2");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_twin_drop, SCOPE, "t1"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_twin_drop, SCOPE, "t1"), STORE_NONE);
	ck_assert_str_eq(page(&f, STORE_TWINS_ORPHANS, 0, 10), "i2");
	fixture_end(&f);
}
END_TEST

START_TEST(a_twin_belongs_to_one_persona)
{
	struct fixture f;

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	fixture_persona(&f, "p2", "Bob");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_twin_owner, "shop", "x", SCOPE), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_twin_owner, "shop", "p1", SCOPE), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].name, "Ada"); /* by its id, though not noted */
	ck_assert_uint_eq(f.reply.twin_count, 0);
	put(&f, "p1", "x", 5);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_twin_owner, "shop", "x", SCOPE), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].name, "Ada");
	ck_assert_int_eq(f.reply.twins[0].updated_ms, 5);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_twin_owner, "other", "x", SCOPE), STORE_NONE);
	put(&f, "p2", "x", 6);
	look(&f, "p1", 0, 1, 0);
	look(&f, "p2", 1, 1, 0);
	put(&f, "p2", "y", 7);
	look(&f, "p2", 1, 1, 0);
	ck_assert_str_eq(f.reply.twins[0].twin_id, "y");
	ck_assert_int_eq(f.reply.twins[0].updated_ms, 7);
	begin(&f, "i1", "Cid");
	ck_assert_int_eq(note(&f, "i1", "y"), STORE_ID_TAKEN);
	ck_assert_int_eq(note(&f, "i1", "p1"), STORE_ID_TAKEN); /* a persona's own */
	ck_assert_str_eq(page(&f, STORE_TWINS_ALL, 0, 10), "p1,p2");
	ck_assert_str_eq(page(&f, STORE_TWINS_DUE, 0, 10), "p1,p2");
	put(&f, "p2", "y", NOW_MS);
	ck_assert_str_eq(page(&f, STORE_TWINS_DUE, 0, 10), "p1");
	put(&f, "p1", "p1", NOW_MS);
	ck_assert_str_eq(page(&f, STORE_TWINS_DUE, 0, 10), "");
	fixture_end(&f);
}
END_TEST

START_TEST(a_deleted_personas_twin_is_without_one)
{
	struct fixture f;
	struct store_intent i = fixture_delete("d1", "p1");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	fixture_persona(&f, "p2", "Bob");
	put(&f, "p1", "p1", 1);
	put(&f, "p2", "p2", 1);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p2", NOW_MS), STORE_OK);
	ck_assert_str_eq(page(&f, STORE_TWINS_DUE, 0, 10), "p1,p2");
	put(&f, "p1", "p1", NOW_MS);
	ck_assert_str_eq(page(&f, STORE_TWINS_DUE, 0, 10), "p2"); /* hidden */
	ck_assert_int_eq(FIXTURE_CALL(&f, store_twin_drop, SCOPE, "p2"), STORE_OK);
	ck_assert_str_eq(page(&f, STORE_TWINS_DUE, 0, 10), "");
	put(&f, "p2", "p2", 1);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	look(&f, "p1", 1, 0, 0);
	look(&f, "p2", 1, 1, 0);
	ck_assert_int_eq(f.reply.number, 1);
	ck_assert_str_eq(page(&f, STORE_TWINS_ORPHANS, 0, 10), "p1");
	fixture_end(&f);
}
END_TEST

START_TEST(twins_move_with_their_personas)
{
	struct fixture f;

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	put(&f, "p1", "t1", 9);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_join_scopes, SCOPE, "agent:2"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_twin_owner, "shop", "t1", SCOPE), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].scope, "agent:2");
	ck_assert_str_eq(page(&f, STORE_TWINS_ORPHANS, 0, 10), "");
	fixture_end(&f);
}
END_TEST

START_TEST(twins_are_durable)
{
	struct fixture f;

	fixture_begin(&f, FIXTURE_LASTING);
	begin(&f, "i1", "Ada");
	begin(&f, "i2", "Bob");
	ck_assert_int_eq(note(&f, "i1", "t1"), STORE_OK);
	fixture_reopen(&f);
	look(&f, "t1", 1, 0, 1);
	look(&f, "i2", 1, 0, 1);
	ck_assert_int_eq(f.reply.intents[0].state, STORE_TWINNING);
	fixture_end(&f);
}
END_TEST

/* Tests of twins. */
Suite *
twin_suite(void)
{
	const TTest *const tests[] = {
	    a_create_expects_its_twin_and_gets_its_id,
	    a_lost_twin_of_an_unknown_create_gets_another_id,
	    a_create_that_did_not_happen_leaves_its_twin_alone,
	    a_twin_belongs_to_one_persona,
	    a_deleted_personas_twin_is_without_one,
	    twins_move_with_their_personas,
	    twins_are_durable,
	    NULL,
	};

	return store_suite("store twin", tests);
}
