#include "config.h"

#include "base/mem.h"
#include "store_fixture.h"
#include "store_suites.h"
#include "store/sqlite_file.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_statement.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is particular to the engine on SQLite. */

/* Opens a store that must be refused; the sentence is the result. */
static const char *
refused(const char *dir, const char *binding)
{
	static struct fail f;
	struct store_options options = {.dir = dir, .binding = binding};

	f.text[0] = '\0';
	ck_assert_ptr_null(store_open(&options, &f));
	return f.text;
}

/* Opens a store and closes it again. */
static void
open_once(const char *dir, const char *binding, bool rebind)
{
	struct store_options options = {.dir = dir, .binding = binding, .rebind = rebind};
	struct fail f;
	struct store *s = store_open(&options, &f);

	ck_assert_msg(s != NULL, "%s", f.text);
	store_close(s);
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

/* Runs SQL. */
static void
run(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s: %s", sql, why);
}

/* Writes a file of a folder. */
static void
write_file(const char *dir, const char *name, const void *bytes, size_t len)
{
	char *path = mem_format("%s/%s", dir, name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
	fclose(file);
	free(path);
}

/* Reads a file of a folder. */
static char *
read_file(const char *dir, const char *name, size_t *len)
{
	char *path = mem_format("%s/%s", dir, name), *bytes;
	FILE *file = fopen(path, "r");
	struct stat st;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	*len = (size_t)st.st_size;
	bytes = mem_alloc(*len);
	ck_assert_uint_eq(fread(bytes, 1, *len, file), *len);
	fclose(file);
	free(path);
	return bytes;
}

START_TEST(a_second_opener_is_refused_with_the_first_ones_pid)
{
	struct fixture f;
	char pid[32];
	const char *why;

	fixture_begin(&f, FIXTURE_DISK);
	snprintf(pid, sizeof pid, "process %ld", (long)getpid());
	why = refused(f.dir, NULL);
	ck_assert_msg(strstr(why, pid) != NULL && strstr(why, f.dir) != NULL, "%s", why);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_NONE);
	fixture_reopen(&f);
	fixture_end(&f);
}
END_TEST

START_TEST(folder_and_files_are_the_owners_alone)
{
	static const char *const files[] = {"lock", "store.db", "store.db-wal", "store.db-shm"};
	char dir[64], *deep;
	struct stat st;
	struct store *s;

	fixture_make_dir(dir, sizeof dir);
	deep = mem_format("%s/a/b/", dir);
	umask(022);
	s = fixture_store_open(deep);
	ck_assert_int_eq(stat(deep, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0700);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char *path = mem_format("%s%s", deep, files[i]);

		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_int_eq(st.st_mode & 0777, 0600);
		free(path);
	}
	store_close(s);
	fixture_remove_dir(deep);
	free(deep);
	deep = mem_format("%s/a", dir);
	fixture_remove_dir(deep);
	free(deep);
	fixture_remove_dir(dir);
}
END_TEST

START_TEST(a_folder_that_cannot_be_is_refused)
{
	char dir[64], *path;

	fixture_make_dir(dir, sizeof dir);
	write_file(dir, "file", "x", 1);
	path = mem_format("%s/file", dir);
	ck_assert_ptr_nonnull(strstr(refused(path, NULL), path));
	free(path);
	path = mem_format("%s/file/below", dir);
	ck_assert_ptr_nonnull(strstr(refused(path, NULL), path));
	free(path);
	fixture_remove_dir(dir);
}
END_TEST

START_TEST(a_store_belongs_to_one_upstream)
{
	char dir[64];
	const char *why;

	fixture_make_dir(dir, sizeof dir);
	open_once(dir, NULL, false);
	open_once(dir, "https://a.example", false);
	open_once(dir, "https://a.example", false);
	open_once(dir, NULL, false);
	why = refused(dir, "https://b.example");
	ck_assert_msg(strstr(why, "https://a.example") != NULL &&
	    strstr(why, "https://b.example") != NULL && strstr(why, "--rebind") != NULL &&
	    strstr(why, "data_dir") != NULL, "%s", why);
	open_once(dir, "https://a.example", false);
	open_once(dir, "https://b.example", true);
	ck_assert_ptr_nonnull(strstr(refused(dir, "https://a.example"), "https://b.example"));
	fixture_remove_dir(dir);
}
END_TEST

START_TEST(a_newer_schema_and_other_databases_are_refused)
{
	char dir[64], sql[64];
	sqlite3 *db;

	fixture_make_dir(dir, sizeof dir);
	open_once(dir, NULL, false);
	db = database(dir);
	snprintf(sql, sizeof sql, "PRAGMA user_version = %d", sqlite_schema_newest() + 1);
	run(db, sql);
	sqlite3_close(db);
	ck_assert_ptr_nonnull(strstr(refused(dir, NULL), "newer"));
	db = database(dir);
	run(db, "PRAGMA user_version = 1");
	run(db, "PRAGMA application_id = 1");
	sqlite3_close(db);
	ck_assert_ptr_nonnull(strstr(refused(dir, NULL), "not a store"));
	fixture_remove_dir(dir);
}
END_TEST

START_TEST(a_damaged_store_is_refused)
{
	char dir[64], noise[8192], *bytes;
	size_t len;

	fixture_make_dir(dir, sizeof dir);
	memset(noise, 'n', sizeof noise);
	write_file(dir, "store.db", noise, sizeof noise);
	ck_assert_ptr_nonnull(strstr(refused(dir, NULL), "damaged"));
	fixture_remove_dir(dir);

	fixture_make_dir(dir, sizeof dir);
	open_once(dir, NULL, false);
	bytes = read_file(dir, "store.db", &len);
	memset(bytes + 100, 0xff, 200);
	write_file(dir, "store.db", bytes, len);
	free(bytes);
	ck_assert_ptr_nonnull(strstr(refused(dir, NULL), "damaged"));
	fixture_remove_dir(dir);
}
END_TEST

/* Counts replies that are OK. */
static void
count_ok(void *arg, struct store_reply *reply)
{
	ck_assert_int_eq(reply->status, STORE_OK);
	++*(int *)arg;
}

START_TEST(waiting_writes_share_a_commit)
{
	struct fixture f;
	struct store_stats before, after;
	struct store_intent i;
	struct store_create create = {.intent = &i};
	sqlite3 *db;
	char id[16];
	int ok = 0;

	fixture_begin(&f, FIXTURE_DISK);
	store_stats(f.store, &before);
	db = database(f.dir);
	run(db, "BEGIN IMMEDIATE");
	for (int k = 0; k < 64; k++) {
		snprintf(id, sizeof id, "i%d", k);
		i = fixture_create(id, id, "print", NULL);
		store_create_begin(f.port, &create, count_ok, &ok);
	}
	run(db, "ROLLBACK");
	sqlite3_close(db);
	while (ok < 64)
		loop_turn(f.loop, true);
	store_stats(f.store, &after);
	ck_assert_uint_eq(after.writes - before.writes, 64);
	ck_assert_uint_ge(after.commits - before.commits, 1);
	/* the first may have been taken alone */
	ck_assert_uint_le(after.commits - before.commits, 2);
	fixture_end(&f);
}
END_TEST

START_TEST(one_failing_write_leaves_its_group_alone)
{
	struct fixture f;
	struct store_intent good = fixture_create("i1", "Ada", "print", NULL);
	struct store_intent bad = fixture_create("bad", "Bob", "print", "key");
	struct store_create first = {.intent = &good}, second = {.intent = &bad};
	sqlite3 *db;
	int ok = 0;

	fixture_begin(&f, FIXTURE_DISK);
	db = database(f.dir);
	run(db, "BEGIN IMMEDIATE");
	store_create_begin(f.port, &first, count_ok, &ok);
	/* a fault of the caller, seen by the database after half of the work */
	bad.key_hash = NULL;
	store_create_begin(f.port, &second, fixture_done, &f);
	good = fixture_create("i2", "Cy", "print", NULL);
	store_create_begin(f.port, &first, count_ok, &ok);
	run(db, "ROLLBACK");
	sqlite3_close(db);
	fixture_wait(&f, 1);
	ck_assert_int_eq(f.reply.status, STORE_UNAVAILABLE);
	while (ok < 2)
		loop_turn(f.loop, true);
	ck_assert_int_eq(fixture_try_name(&f, "Bob"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(fixture_try_name(&f, "Cy"), STORE_UNSETTLED_OTHER);
	fixture_end(&f);
}
END_TEST

/* The begin of a delete, whose reply holds the persona. */
static void
one_record(void *arg, struct store_reply *reply)
{
	ck_assert_uint_eq(reply->record_count, 1);
	count_ok(arg, reply);
}

START_TEST(a_full_database_undoes_only_what_did_not_fit)
{
	static char ids[400][16], content[2000];
	static struct store_record big[400];
	struct fixture f;
	struct store_intent i;
	struct store_create create = {.intent = &i};
	struct store_intent gone = fixture_delete("d1", "p2");
	sqlite3 *db;
	int ok = 0;

	memset(content, 'x', sizeof content - 1);
	for (int k = 0; k < 400; k++) {
		snprintf(ids[k], sizeof ids[k], "b%d", k);
		big[k] = fixture_record(ids[k], ids[k]);
		big[k].content = content;
	}
	fixture_begin(&f, FIXTURE_DISK);
	db = database(f.dir);
	/* in the same group; a deleted row must be whole again */
	fixture_persona(&f, "p1", "Ada");
	fixture_persona(&f, "p2", "Dee");
	run(db, "CREATE TRIGGER full BEFORE INSERT ON persona WHEN NEW.local_id = 'b300'"
	    " BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END");
	run(db, "BEGIN IMMEDIATE");
	store_hide(f.port, SCOPE, "p1", NOW_MS, count_ok, &ok);
	store_delete_begin(f.port, &gone, one_record, &ok);
	i = fixture_create("i1", "Bob", "print", NULL);
	store_create_begin(f.port, &create, count_ok, &ok);
	store_adopt(f.port, SCOPE, big, 400, NOW_MS, fixture_done, &f);
	i = fixture_create("i2", "Cy", "print", NULL);
	store_create_begin(f.port, &create, count_ok, &ok);
	run(db, "ROLLBACK");
	fixture_wait(&f, f.done + 1);
	ck_assert_int_eq(f.reply.status, STORE_UNAVAILABLE);
	while (ok < 4)
		loop_turn(f.loop, true);
	fixture_assert_list(&f, SCOPE, "p2");
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(&f, "Bob"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(fixture_try_name(&f, "Cy"), STORE_UNSETTLED_OTHER);
	run(db, "DROP TRIGGER full");
	sqlite3_close(db);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, big, 400, NOW_MS), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 400);
	fixture_end(&f);
}
END_TEST

/* Makes personas one commit at a time, then dies with its log on disk. */
static void
leave_a_log(const char *dir, int count)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct fixture f = {.done = 0};
		char id[16];

		f.loop = loop_new_fake(NOW_MS);
		f.store = fixture_store_open(dir);
		f.port = store_port_open(f.store, f.loop);
		for (int k = 0; k < count; k++) {
			snprintf(id, sizeof id, "p%02d", k);
			fixture_persona(&f, id, id);
		}
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}

/* Opens a copy of a store with this log: it holds the first so many personas, and
 * perhaps the next one's intent; and it can be written. Returns how many. */
static int
open_with_log(const char *db, size_t db_len, const char *wal, size_t wal_len)
{
	struct fixture f = {.done = 0};
	int count;

	fixture_make_dir(f.dir, sizeof f.dir);
	write_file(f.dir, "store.db", db, db_len);
	write_file(f.dir, "store.db-wal", wal, wal_len);
	f.loop = loop_new_fake(NOW_MS);
	f.store = fixture_store_open(f.dir);
	f.port = store_port_open(f.store, f.loop);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_list, SCOPE), STORE_OK);
	count = (int)f.reply.record_count;
	for (int k = 0; k < count; k++) {
		char id[16];

		snprintf(id, sizeof id, "p%02d", k);
		ck_assert_str_eq(f.reply.records[k].local_id, id);
	}
	fixture_persona(&f, "after", "after");
	fixture_end(&f);
	return count;
}

START_TEST(a_cut_log_holds_a_prefix_of_history)
{
	enum { COUNT = 12 };
	char dir[64], *db, *wal;
	size_t db_len, wal_len, cut;
	int count, before = 0;

	fixture_make_dir(dir, sizeof dir);
	leave_a_log(dir, COUNT);
	db = read_file(dir, "store.db", &db_len);
	wal = read_file(dir, "store.db-wal", &wal_len);
	ck_assert_uint_gt(wal_len, 20 * 4096);
	for (cut = 0; cut < wal_len; cut += wal_len / 40 + 13) {
		count = open_with_log(db, db_len, wal, cut);
		ck_assert_int_ge(count, before);
		before = count;
	}
	ck_assert_int_eq(open_with_log(db, db_len, wal, 31), 0);
	ck_assert_int_eq(open_with_log(db, db_len, wal, wal_len - 1), COUNT - 1);
	ck_assert_int_eq(open_with_log(db, db_len, wal, wal_len), COUNT);
	/* a damaged byte ends history there */
	wal[wal_len / 2] ^= 0x40;
	count = open_with_log(db, db_len, wal, wal_len);
	ck_assert_int_gt(count, 0);
	ck_assert_int_lt(count, COUNT);
	free(db);
	free(wal);
	fixture_remove_dir(dir);
}
END_TEST

/* Statements that may read a whole table or index: of intents, which are few, and for the
 * page of the admin address. */
static bool
may_scan(int which)
{
	return which == SQL_INTENT_LIST || which == SQL_INTENT_COUNTS || which == SQL_INTENT_MOVE ||
	    which == SQL_SCOPE_USED || which == SQL_PERSONA_SCOPE_COUNTS;
}

/* Whether a step of a plan goes through everything: what a statement has found itself so
 * far, called "s", does not count. */
static bool
scans(const char *detail)
{
	return (strstr(detail, "SCAN") != NULL && strcmp(detail, "SCAN s") != 0) ||
	    strstr(detail, "AUTOMATIC") != NULL;
}

START_TEST(every_look_up_has_an_index)
{
	char dir[64];
	sqlite3_stmt *st;
	sqlite3 *db;

	fixture_make_dir(dir, sizeof dir);
	open_once(dir, NULL, false);
	db = database(dir);
	for (int k = SQL_ROLLBACK_TO + 1; k < SQL_HOLDER_GET; k++) { /* those in memory only follow */
		const char *text = sqlite_statement_text((enum sqlite_statement)k);
		char *sql = mem_format("EXPLAIN QUERY PLAN %s", text);

		ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
		while (sqlite3_step(st) == SQLITE_ROW) {
			const char *detail = (const char *)sqlite3_column_text(st, 3);

			ck_assert_msg(may_scan(k) || !scans(detail), "%s: %s", text, detail);
			ck_assert_msg(strstr(detail, "TEMP B-TREE") == NULL, "%s: %s", text,
			    detail);
		}
		sqlite3_finalize(st);
		free(sql);
	}
	sqlite3_close(db);
	fixture_remove_dir(dir);
}
END_TEST

START_TEST(no_statement_is_compiled_for_each_value)
{
	struct sqlite_conn c;
	char dir[64], name[16];
	struct fail f;

	memset(&c, 0, sizeof c);
	fixture_make_dir(dir, sizeof dir);
	open_once(dir, NULL, false);
	c.db = sqlite_file_open_writer(dir, &f);
	ck_assert_ptr_nonnull(c.db);
	for (int round = 0; round < 2; round++)
		for (int k = SQL_ROLLBACK_TO + 1; k < SQL_HOLDER_GET; k++) {
			sqlite3_stmt *st;
			int rc;

			snprintf(name, sizeof name, "%d", round);
			rc = sqlite_start(&c, (enum sqlite_statement)k, &st,
			    SQL_VALUES(SQL_T(name)));
			ck_assert_msg(st != NULL, "%s: %s", sqlite_statement_text((enum sqlite_statement)k),
			    sqlite3_errmsg(c.db));
			sqlite_end(st, rc);
			ck_assert_msg(sqlite3_stmt_status(st, SQLITE_STMTSTATUS_REPREPARE, 0) == 0, "%s",
			    sqlite_statement_text((enum sqlite_statement)k));
		}
	sqlite_conn_close(&c);
	fixture_remove_dir(dir);
}
END_TEST

/* The size of a file of a folder. */
static off_t
file_size(const char *dir, const char *name)
{
	char *path = mem_format("%s/%s", dir, name);
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	free(path);
	return st.st_size;
}

START_TEST(a_long_log_is_written_back_in_a_quiet_moment)
{
	struct fixture f;
	char id[16];
	off_t before;

	fixture_begin(&f, FIXTURE_DISK);
	before = file_size(f.dir, "store.db");
	for (int k = 0; k < 150; k++) {
		snprintf(id, sizeof id, "p%d", k);
		fixture_persona(&f, id, id);
	}
	ck_assert_int_gt(file_size(f.dir, "store.db-wal"), 1000 * 4096);
	/* a read now and then does not disturb the quiet */
	for (int k = 0; file_size(f.dir, "store.db") == before; k++) {
		ck_assert_int_lt(k, 1000000);
		FIXTURE_CALL(&f, store_get, SCOPE, "p1");
	}
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(a_log_that_grows_too_long_is_written_back_at_once)
{
	static char content[16000], ids[600][32];
	static struct store_record big[600];
	struct fixture f;

	memset(content, 'x', sizeof content - 1);
	fixture_begin(&f, FIXTURE_DISK);
	for (int round = 0; round < 6; round++) {
		for (int k = 0; k < 600; k++) {
			snprintf(ids[k], sizeof ids[k], "p%d.%d", round, k);
			big[k] = fixture_record(ids[k], ids[k]);
			big[k].content = content;
		}
		ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, big, 600, NOW_MS), STORE_OK);
	}
	/* it is written back after the answer: the last of it may still be on its way */
	for (int k = 0; file_size(f.dir, "store.db") <= 30 << 20; k++) {
		ck_assert_int_lt(k, 1000000);
		FIXTURE_CALL(&f, store_get, SCOPE, "p0.0");
	}
	ck_assert_int_lt(file_size(f.dir, "store.db-wal"), 50 << 20);
	fixture_end(&f);
}
END_TEST

/* Tests of the embedded engine. */
Suite *
sqlite_suite(void)
{
	const TTest *const tests[] = {
	    a_second_opener_is_refused_with_the_first_ones_pid,
	    folder_and_files_are_the_owners_alone,
	    a_folder_that_cannot_be_is_refused,
	    a_store_belongs_to_one_upstream,
	    a_newer_schema_and_other_databases_are_refused,
	    a_damaged_store_is_refused,
	    waiting_writes_share_a_commit,
	    one_failing_write_leaves_its_group_alone,
	    a_full_database_undoes_only_what_did_not_fit,
	    a_cut_log_holds_a_prefix_of_history,
	    every_look_up_has_an_index,
	    no_statement_is_compiled_for_each_value,
	    a_long_log_is_written_back_in_a_quiet_moment,
	    a_log_that_grows_too_long_is_written_back_at_once,
	    NULL,
	};

	return unit_suite("store sqlite", tests);
}
