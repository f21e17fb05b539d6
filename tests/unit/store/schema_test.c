#include "config.h"

#include "store_fixture.h"
#include "store_suites.h"
#include "base/mem.h"
#include "store/sqlite_schema.h"
#include "store/store_backup.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/*
 * Stores as earlier versions of the program have left them. What is written here is
 * what those versions wrote; it is not changed when the schema is.
 */
#define OLDEST 1
#define NEWEST 5 /* that a program has written; each later one gets its fixture here */

static const char *const steps[NEWEST] = {
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE persona (seq INTEGER PRIMARY KEY, scope TEXT NOT NULL, local_id TEXT NOT NULL,"
    " upstream_id TEXT NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL, content_ms INTEGER NOT NULL, adopted INTEGER NOT NULL,"
    " unclaimed INTEGER NOT NULL, version INTEGER NOT NULL, hidden_ms INTEGER, fingerprint TEXT,"
    " kept TEXT, absent TEXT, content TEXT);"
    "CREATE UNIQUE INDEX persona_local ON persona (scope, local_id);"
    "CREATE UNIQUE INDEX persona_upstream ON persona (scope, upstream_id);"
    "CREATE INDEX persona_order ON persona (scope, created_ms) WHERE hidden_ms IS NULL;"
    "CREATE INDEX persona_name ON persona (scope, name) WHERE hidden_ms IS NULL;"
    "CREATE INDEX persona_hidden ON persona (hidden_ms) WHERE hidden_ms IS NOT NULL;"
    "CREATE TABLE name (scope TEXT NOT NULL, name TEXT NOT NULL, persona INTEGER, intent INTEGER,"
    " PRIMARY KEY (scope, name), CHECK ((persona IS NULL) <> (intent IS NULL))) WITHOUT ROWID;"
    "CREATE TABLE intent (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, operation INTEGER NOT NULL,"
    " state INTEGER NOT NULL, scope TEXT NOT NULL, project TEXT, local_id TEXT, upstream_id TEXT,"
    " name TEXT, fingerprint TEXT, created_ms INTEGER NOT NULL, touched_ms INTEGER NOT NULL,"
    " key TEXT, key_hash TEXT, sent TEXT, kept TEXT, absent TEXT);"
    "CREATE UNIQUE INDEX intent_id ON intent (id);"
    "CREATE UNIQUE INDEX intent_persona ON intent (scope, local_id) WHERE operation <> 0;"
    "CREATE TABLE key (seq INTEGER PRIMARY KEY, key TEXT NOT NULL, hash TEXT NOT NULL,"
    " intent INTEGER, expires_ms INTEGER NOT NULL, answer TEXT);"
    "CREATE UNIQUE INDEX key_key ON key (key);"
    "CREATE INDEX key_expiry ON key (expires_ms) WHERE intent IS NULL;"
    "CREATE TABLE tombstone (scope TEXT NOT NULL, upstream_id TEXT NOT NULL,"
    " deleted_ms INTEGER NOT NULL, version INTEGER NOT NULL,"
    " PRIMARY KEY (scope, upstream_id)) WITHOUT ROWID;"
    "CREATE INDEX tombstone_age ON tombstone (deleted_ms);"
    "CREATE TABLE listing (scope TEXT PRIMARY KEY, listed_ms INTEGER NOT NULL) WITHOUT ROWID;",

    "CREATE TABLE image (seq INTEGER PRIMARY KEY, project TEXT NOT NULL, id TEXT NOT NULL,"
    " role TEXT NOT NULL, type TEXT NOT NULL, filename TEXT, maker TEXT, digest TEXT NOT NULL,"
    " size INTEGER NOT NULL, created_ms INTEGER NOT NULL, data BLOB);"
    "CREATE UNIQUE INDEX image_id ON image (id);"
    "CREATE INDEX image_role ON image (project, role);"
    "CREATE INDEX image_maker ON image (maker) WHERE maker IS NOT NULL;",

    "CREATE INDEX persona_hidden_scope ON persona (scope, upstream_id) WHERE hidden_ms IS NOT NULL;",

    "CREATE TABLE twin (seq INTEGER PRIMARY KEY, project TEXT NOT NULL, twin_id TEXT,"
    " scope TEXT NOT NULL, local_id TEXT NOT NULL, name TEXT, digest TEXT,"
    " since_ms INTEGER NOT NULL, found INTEGER NOT NULL, updated_ms INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX twin_id ON twin (project, twin_id) WHERE twin_id IS NOT NULL;"
    "CREATE UNIQUE INDEX twin_persona ON twin (scope, local_id);"
    "CREATE INDEX intent_twin ON intent (scope, local_id) WHERE operation = 0 AND local_id IS NOT NULL;",

    "CREATE INDEX persona_unnamed ON persona (scope, fingerprint)"
    " WHERE name = '' AND unclaimed = 1 AND hidden_ms IS NULL;"
    "CREATE INDEX intent_unnamed ON intent (scope, fingerprint) WHERE operation = 0 AND name IS NULL;",
};

/* What such a store held: two personas, one of them hidden, a create and a rename under
 * way, an answered key, something deleted. */
static const char rows[] =
    "INSERT INTO meta VALUES ('binding', 'https://upstream.example');"
    "INSERT INTO persona VALUES (1, 'agent:1', 'p1', 'p1', 'Ada', 100, 200, 200, 0, 0, 3, NULL,"
    " 'print', '{\"headers\":{\"A\":\"1\"}}', '{\"description\":\"\"}', '{\"goal\":\"\"}');"
    "INSERT INTO persona VALUES (2, 'agent:1', 'p2', 'p2', 'Hid', 100, 200, 200, 1, 0, 1, 5,"
    " NULL, NULL, NULL, NULL);"
    "INSERT INTO name VALUES ('agent:1', 'Ada', 1, NULL), ('agent:1', 'Open', NULL, 1),"
    " ('agent:1', 'Renamed', NULL, 2);"
    "INSERT INTO intent VALUES (1, 'i1', 0, 1, 'agent:1', 'shop', NULL, NULL, 'Open', 'print', 100,"
    " 100, 'running', 'hash', '{\"sent\":1}', NULL, NULL);"
    "INSERT INTO intent VALUES (2, 'u1', 1, 1, 'agent:1', 'shop', 'p1', 'p1', 'Renamed', NULL, 100,"
    " 100, NULL, NULL, '{\"sent\":2}', NULL, NULL);"
    "INSERT INTO key VALUES (1, 'running', 'hash', 1, 99999999999999, NULL),"
    " (2, 'answered', 'hash', NULL, 99999999999999, '{\"a\":1}');"
    "INSERT INTO tombstone VALUES ('agent:1', 'gone', 100, 7);"
    "INSERT INTO listing VALUES ('agent:1', 1234);";
static const char image_row[] =
    "INSERT INTO image VALUES (1, 'shop', 'a.png', 'r', 'image/png', NULL, NULL,"
    " '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae', 3, 100, CAST('foo' AS BLOB));";
static const char twin_row[] =
    "INSERT INTO twin VALUES (1, 'shop', 't1', 'agent:1', 'p1', 'Ada', NULL, 100, 0, 200);";

/* Runs SQL. */
static void
run(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s: %s", sql, why);
}

/* Opens a store's database beside it. */
static sqlite3 *
database(const char *dir)
{
	char *path = mem_format("%s/store.db", dir);
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	free(path);
	return db;
}

/* Makes the store of an earlier version. */
static void
old_store(const char *dir, int schema)
{
	sqlite3 *db = database(dir);
	char number[64];

	run(db, "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x50475759; BEGIN");
	for (int i = 0; i < schema; i++)
		run(db, steps[i]);
	run(db, rows);
	if (schema >= 2)
		run(db, image_row);
	if (schema >= 4)
		run(db, twin_row);
	snprintf(number, sizeof number, "PRAGMA user_version = %d; COMMIT", schema);
	run(db, number);
	sqlite3_close(db);
}

/* All that a query gives, as one text with lines; the caller frees. */
static char *
text_of(sqlite3 *db, const char *sql)
{
	char *all = mem_string("");
	sqlite3_stmt *st;

	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		char *more = mem_format("%s%s\n", all, (const char *)sqlite3_column_text(st, 0));

		free(all);
		all = more;
	}
	sqlite3_finalize(st);
	return all;
}

/* The schema of a store as one text, without regard to spaces; the caller frees. */
static char *
schema_of(const char *dir)
{
	sqlite3 *db = database(dir);
	char *all = text_of(db, "SELECT type || ' ' || name || ' ' || replace(replace(replace(sql, ' ', ''),"
	    " char(10), ''), char(9), '') FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name");

	sqlite3_close(db);
	return all;
}

/* Opens a folder's store as a fixture, which does not remove it. */
static void
open_fixture(struct fixture *f, const char *dir)
{
	memset(f, 0, sizeof *f);
	f->loop = loop_new_fake(NOW_MS);
	f->store = fixture_store_open(dir);
	f->port = store_port_open(f->store, f->loop);
}

/* Closes it. */
static void
close_fixture(struct fixture *f)
{
	fixture_clear(f);
	store_port_close(f->port);
	store_close(f->store);
	loop_free(f->loop);
}

/* Fails unless the store has what the earlier one had. */
static void
expect_rows(const char *dir, int schema, int64_t listed_ms)
{
	struct store_intent running = fixture_create("x1", "Open", "print", "running");
	struct store_intent answered = fixture_create("x2", "Other", "print", "answered");
	struct fixture f;

	open_fixture(&f, dir);
	fixture_assert_list(&f, SCOPE, "p1");
	ck_assert_int_eq(f.reply.number, listed_ms);
	ck_assert_str_eq(f.reply.records[0].kept, "{\"headers\":{\"A\":\"1\"}}");
	ck_assert_str_eq(f.reply.records[0].absent, "{\"description\":\"\"}");
	ck_assert_int_eq(f.reply.records[0].version, 3);
	ck_assert_uint_eq(f.reply.tombstone_count, 1);
	ck_assert_uint_eq(f.reply.hidden_count, 1);
	ck_assert_int_eq(fixture_create_begin(&f, &running), STORE_KEY_RUNNING);
	ck_assert_int_eq(fixture_create_begin(&f, &answered), STORE_KEY_ANSWER);
	ck_assert_str_eq(f.reply.text, "{\"a\":1}");
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(&f, "Renamed"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(fixture_try_name(&f, "Hid"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_get, "shop", "a.png", 0, 9),
	    schema >= 2 ? STORE_OK : STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_twin_look, SCOPE, "p1"), STORE_OK);
	ck_assert_uint_eq(f.reply.twin_count, schema >= 4 ? 1 : 0);
	close_fixture(&f);
	fixture_assert_sound(dir);
}

START_TEST(the_fixtures_are_all_there)
{
	ck_assert_int_eq(NEWEST, sqlite_schema_newest());
}
END_TEST

START_TEST(a_store_of_an_earlier_version_is_taken_over)
{
	char dir[64], fresh[64], *got, *want;

	fixture_make_dir(dir, sizeof dir);
	fixture_make_dir(fresh, sizeof fresh);
	old_store(dir, _i);
	expect_rows(dir, _i, 1234);
	store_close(fixture_store_open(fresh));
	got = schema_of(dir);
	want = schema_of(fresh);
	ck_assert_str_eq(got, want); /* as if it had been made by this version */
	free(got);
	free(want);
	expect_rows(dir, _i, 1234);
	fixture_remove_dir(dir);
	fixture_remove_dir(fresh);
}
END_TEST

/* The number of a store's schema. */
static int
number_of(const char *dir)
{
	sqlite3 *db = database(dir);
	char *text = text_of(db, "PRAGMA user_version");
	int number = atoi(text);

	free(text);
	sqlite3_close(db);
	return number;
}

START_TEST(an_upgrade_that_fails_changes_nothing)
{
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	const struct rlimit little = {1000, RLIM_INFINITY};
	char dir[64], *before, *after;
	struct store_options options = {.dir = dir};
	struct fail f;

	fixture_make_dir(dir, sizeof dir);
	old_store(dir, _i);
	before = schema_of(dir);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
	ck_assert_ptr_null(store_open(&options, &f));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_msg(strstr(f.text, dir) != NULL, "%s", f.text);
	ck_assert_int_eq(number_of(dir), _i);
	after = schema_of(dir);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	expect_rows(dir, _i, 1234);
	fixture_remove_dir(dir);
}
END_TEST

START_TEST(an_upgrade_that_stumbles_is_undone)
{
	struct store_options options = {0};
	char dir[64], *before, *after;
	struct fail f;
	sqlite3 *db;

	fixture_make_dir(dir, sizeof dir);
	options.dir = dir;
	old_store(dir, 1);
	db = database(dir);
	run(db, "CREATE TABLE twin (in_the_way)"); /* the fourth step cannot be done */
	sqlite3_close(db);
	before = schema_of(dir);
	ck_assert_ptr_null(store_open(&options, &f));
	ck_assert_int_eq(number_of(dir), 1);
	after = schema_of(dir);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	fixture_remove_dir(dir);
}
END_TEST

START_TEST(a_backup_is_the_way_back)
{
	char dir[64], scratch[64], *copy, *back, number[64];
	struct store_backup_options o = {.journal = "journal", .program = "test", .now_ms = NOW_MS};
	struct store_options options = {0};
	struct store_facts facts;
	struct fail f;
	sqlite3 *db;

	fixture_make_dir(dir, sizeof dir);
	fixture_make_dir(scratch, sizeof scratch);
	copy = mem_format("%s/copy", scratch);
	back = mem_format("%s/back", scratch);
	old_store(dir, _i);
	o.from = dir;
	o.to = copy;
	ck_assert_int_eq(store_backup_make(&o, &facts, &f), 0);
	ck_assert_int_eq(facts.schema, _i); /* copying is no upgrade */
	store_facts_clear(&facts);
	ck_assert_int_eq(number_of(copy), _i);
	/* the upgrade, and a program that does not know it */
	store_close(fixture_store_open(dir));
	db = database(dir);
	snprintf(number, sizeof number, "PRAGMA user_version = %d", sqlite_schema_newest() + 1);
	run(db, number);
	sqlite3_close(db);
	options.dir = dir;
	ck_assert_ptr_null(store_open(&options, &f));
	ck_assert_msg(strstr(f.text, "backup from before the upgrade") != NULL, "%s", f.text);
	ck_assert_int_eq(number_of(dir), sqlite_schema_newest() + 1);
	o.from = copy;
	o.to = back;
	if (store_restore(&o, &facts, &f) < 0)
		ck_abort_msg("%s", f.text);
	store_facts_clear(&facts);
	ck_assert_int_eq(number_of(back), _i);
	expect_rows(back, _i, 0);
	fixture_remove_dir(scratch);
	fixture_remove_dir(dir);
	free(copy);
	free(back);
}
END_TEST

/* Tests of upgrades; _i is the schema that is found. */
Suite *
schema_suite(void)
{
	Suite *suite = suite_create("store schema");
	TCase *tcase = tcase_create("store schema");

	tcase_add_test(tcase, the_fixtures_are_all_there);
	tcase_add_loop_test(tcase, a_store_of_an_earlier_version_is_taken_over, OLDEST, NEWEST + 1);
	tcase_add_loop_test(tcase, an_upgrade_that_fails_changes_nothing, OLDEST, NEWEST);
	tcase_add_test(tcase, an_upgrade_that_stumbles_is_undone);
	tcase_add_loop_test(tcase, a_backup_is_the_way_back, OLDEST, NEWEST + 1);
	suite_add_tcase(suite, tcase);
	return suite;
}
