#include "config.h"

#include "store_fixture.h"
#include "store_suites.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <stdio.h>

/* The embedded engine under test, on disk and in memory. */
const struct fixture_kinds fixture_kinds = {FIXTURE_DISK, FIXTURE_SHARED};

/* Nothing to start. */
void
fixture_prepare(TCase *tcase)
{
}

/* Opens a store. */
struct store *
fixture_store_open(const char *dir)
{
	struct store_options options = {.dir = dir, .binding = "https://upstream.example"};
	struct fail f;
	struct store *s = store_open(&options, &f);

	if (s == NULL)
		ck_abort_msg("%s", f.text);
	return s;
}

/* Each counts what must not be. */
static const char *const fixture_unsound[] = {
    "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    /* holds whose holder is gone, hidden, or has another name */
    "SELECT count(*) FROM name n WHERE persona IS NOT NULL AND NOT EXISTS (SELECT 1 FROM persona p"
    " WHERE p.seq = n.persona AND p.scope = n.scope AND p.name = n.name AND hidden_ms IS NULL)",
    "SELECT count(*) FROM name n WHERE intent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM intent i"
    " WHERE i.seq = n.intent AND i.scope = n.scope AND i.name = n.name)",
    /* visible personas whose name nobody holds */
    "SELECT count(*) FROM persona p WHERE hidden_ms IS NULL AND NOT EXISTS (SELECT 1 FROM name n"
    " WHERE n.scope = p.scope AND n.name = p.name)",
    /* unsettled creates without a hold */
    "SELECT count(*) FROM intent i WHERE operation = 0 AND name IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM name n WHERE n.intent = i.seq)",
    "SELECT count(*) FROM key k WHERE intent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM intent i"
    " WHERE i.seq = k.intent AND i.key = k.key)",
    "SELECT count(*) FROM key WHERE intent IS NULL AND answer IS NULL",
};

/* A folder, or nothing for a store in memory. */
void
fixture_place(int kind, char *dir, size_t size)
{
	if (kind == FIXTURE_DISK)
		fixture_make_dir(dir, size);
}

/* Removes the folder. */
void
fixture_clean(const char *dir)
{
	fixture_remove_dir(dir);
}

/* The folder. */
void
fixture_spec(const char *dir, char *spec, size_t size)
{
	snprintf(spec, size, "sqlite:%s", dir);
}

/* Looks into the database of a closed store. */
void
fixture_assert_sound(const char *dir)
{
	char *path = mem_format("%s/store.db", dir);
	sqlite3_stmt *st;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof fixture_unsound / sizeof fixture_unsound[0]; i++) {
		ck_assert_int_eq(sqlite3_prepare_v2(db, fixture_unsound[i], -1, &st, NULL),
		    SQLITE_OK);
		ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
		ck_assert_msg(sqlite3_column_int(st, 0) == 0, "%d: %s",
		    sqlite3_column_int(st, 0), fixture_unsound[i]);
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
	free(path);
}
