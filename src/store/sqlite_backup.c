#include "config.h"

#include "store/sqlite_backup.h"
#include "base/mem.h"
#include "store/backup_file.h"
#include "store/backup_manifest.h"
#include "store/sqlite_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SQLITE_BACKUP_BUSY_MS 10000 /* how long a gateway that starts or stops is waited for */
#define SQLITE_BACKUP_STEPS 5000    /* of SQLite's machine, between two looks at the progress */
#define SQLITE_BACKUP_SYNC ((uint64_t)4 << 20) /* bytes: what lies in memory at most, so that
                                                  no write of a gateway waits behind all of it */

/* Opens a database file of a folder. */
static sqlite3 *
sqlite_backup_open_file(const char *dir, int flags, struct fail *f)
{
	char *path = mem_format("%s/" BACKUP_DATABASE, dir);
	sqlite3 *db = NULL;
	int rc;

	if (access(path, F_OK) < 0) {
		fail_set(f, "there is no store in %s: %s", dir, strerror(errno));
		free(path);
		return NULL;
	}
	rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	free(path);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db, SQLITE_BACKUP_BUSY_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;"
		    "PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return db;
	sqlite_schema_fail(db, dir, f);
	sqlite3_close(db);
	return NULL;
}

/* Opens a store for reading. */
sqlite3 *
sqlite_backup_open(const char *dir, int64_t *schema, struct fail *f)
{
	sqlite3 *db = sqlite_backup_open_file(dir, SQLITE_OPEN_READONLY, f);

	if (db == NULL || sqlite_schema_look(db, dir, schema, f) == 0)
		return db;
	sqlite3_close(db);
	return NULL;
}

/* Reads one number; 0 when it cannot be read. */
static int64_t
sqlite_backup_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t n = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* The size of a copy. */
uint64_t
sqlite_backup_size(sqlite3 *db)
{
	int64_t pages = sqlite_backup_number(db, "PRAGMA page_count") -
	    sqlite_backup_number(db, "PRAGMA freelist_count");

	return (uint64_t)pages * (uint64_t)sqlite_backup_number(db, "PRAGMA page_size");
}

/* Whether a store of that schema has images. */
static bool
sqlite_backup_has_images(sqlite3 *db)
{
	return sqlite_backup_number(db,
	    "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'image'") > 0;
}

/* The size of the images that are in files. */
uint64_t
sqlite_backup_images_size(sqlite3 *db)
{
	return sqlite_backup_has_images(db) ? (uint64_t)sqlite_backup_number(db,
	    "SELECT coalesce(sum(size), 0) FROM image WHERE data IS NULL") : 0;
}

/* A copy that grows. */
struct sqlite_backup_growth {
	const char *path;
	int fd;
	uint64_t before, synced;
	struct backup_meter *meter;
	struct fail *fail;
	bool stopped;
};

/* Tells how far it is, and has the disk follow. Not 0: ends the copying. */
static int
sqlite_backup_on_steps(void *arg)
{
	struct sqlite_backup_growth *g = arg;
	uint64_t size = g->path != NULL ? backup_file_size(g->path) : 0;

	if (size > g->synced + SQLITE_BACKUP_SYNC) {
		(void)fdatasync(g->fd); /* it is asked for once more at the end */
		g->synced = size;
	}
	g->meter->done = g->before + size;
	g->stopped = backup_meter_tell(g->meter, g->fail) < 0;
	return g->stopped;
}

/* Has SQLite copy. The progress' reason to end it wins over SQLite's. */
static int
sqlite_backup_run(sqlite3 *db, const char *where, struct sqlite_backup_growth *g, struct fail *f)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &st, NULL), code;

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 1, g->path, -1, SQLITE_STATIC);
	sqlite3_progress_handler(db, SQLITE_BACKUP_STEPS, sqlite_backup_on_steps, g);
	while (rc == SQLITE_OK || rc == SQLITE_ROW)
		rc = sqlite3_step(st);
	sqlite3_progress_handler(db, 0, NULL, NULL);
	code = sqlite3_errcode(db) & 0xff;
	if (rc != SQLITE_DONE && !g->stopped) {
		if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_BUSY)
			sqlite_schema_fail(db, where, f);
		else
			fail_set(f, "the store in %s cannot be copied to %s: %s", where, g->path,
			    sqlite3_errmsg(db));
	}
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* Copies the database. */
int
sqlite_backup_copy(sqlite3 *db, const char *where, const char *path, struct backup_meter *meter,
    struct fail *f)
{
	struct sqlite_backup_growth g = {.path = path, .before = meter->done, .meter = meter, .fail = f};
	int rc;

	/* SQLite takes an empty file, which has our mode and not its own. */
	g.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (g.fd < 0)
		return fail_set(f, "%s cannot be written: %s", path, strerror(errno));
	rc = sqlite_backup_run(db, where, &g, f);
	if (rc == 0 && fsync(g.fd) < 0)
		rc = fail_set(f, "%s cannot be written: %s", path, strerror(errno));
	if (close(g.fd) < 0 && rc == 0)
		rc = fail_set(f, "%s cannot be written: %s", path, strerror(errno));
	meter->done = g.before + backup_file_size(path);
	return rc;
}

/* Looks at everything. */
int
sqlite_backup_check(sqlite3 *db, const char *where, struct backup_meter *meter, struct fail *f)
{
	struct sqlite_backup_growth g = {.before = meter->done, .meter = meter, .fail = f};
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &st, NULL), good = -1;

	sqlite3_progress_handler(db, SQLITE_BACKUP_STEPS, sqlite_backup_on_steps, &g);
	if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		const char *word = (const char *)sqlite3_column_text(st, 0);

		if (word != NULL && strcmp(word, "ok") == 0)
			good = 0;
		else
			fail_set(f, "the store in %s is damaged: %s", where, word);
	} else if (!g.stopped) {
		sqlite_schema_fail(db, where, f);
	}
	sqlite3_progress_handler(db, 0, NULL, NULL);
	sqlite3_finalize(st);
	return good;
}

/* Reads whose the store is. */
static int
sqlite_backup_binding(sqlite3 *db, const char *where, char **binding, struct fail *f)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = 'binding'", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*binding = mem_string((const char *)sqlite3_column_text(st, 0));
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		sqlite_schema_fail(db, where, f);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

/* Reads what the store holds. */
int
sqlite_backup_facts(sqlite3 *db, const char *where, struct store_facts *facts, struct fail *f)
{
	facts->schema = sqlite_backup_number(db, "PRAGMA user_version");
	facts->personas = (uint64_t)sqlite_backup_number(db,
	    "SELECT count(*) FROM persona WHERE hidden_ms IS NULL");
	facts->unsettled = (uint64_t)sqlite_backup_number(db, "SELECT count(*) FROM intent");
	facts->images = sqlite_backup_has_images(db)
	    ? (uint64_t)sqlite_backup_number(db, "SELECT count(*) FROM image") : 0;
	return sqlite_backup_binding(db, where, &facts->binding, f);
}

/* Calls for each image. */
int
sqlite_backup_images(sqlite3 *db, const char *where, sqlite_backup_image_fn fn, void *arg,
    struct fail *f)
{
	sqlite3_stmt *st = NULL;
	int rc, good = 0;

	if (!sqlite_backup_has_images(db))
		return 0;
	rc = sqlite3_prepare_v2(db, "SELECT id, digest, size, project, data FROM image ORDER BY seq", -1,
	    &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	for (; rc == SQLITE_ROW && good == 0; rc = good == 0 ? sqlite3_step(st) : rc) {
		struct store_image i = {
		    .id = mem_string((const char *)sqlite3_column_text(st, 0)),
		    .digest = mem_string((const char *)sqlite3_column_text(st, 1)),
		    .size = sqlite3_column_int64(st, 2),
		    .project = mem_string((const char *)sqlite3_column_text(st, 3)),
		};

		if (sqlite3_column_type(st, 4) != SQLITE_NULL &&
		    sqlite3_column_bytes(st, 4) != i.size)
			good = fail_set(f, "the store in %s is damaged: image %s does not have its size",
			    where, i.id);
		else
			good = fn(arg, &i, sqlite3_column_blob(st, 4), f);
		store_image_clear(&i);
	}
	if (good == 0 && rc != SQLITE_DONE)
		good = sqlite_schema_fail(db, where, f);
	sqlite3_finalize(st);
	return good;
}

/* Whether an image is there. */
int
sqlite_backup_has_image(sqlite3 *db, const char *where, const char *id, struct fail *f)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT 1 FROM image WHERE id = ?1", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		sqlite_schema_fail(db, where, f);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

/* Takes images out of an open copy. */
static int
sqlite_backup_drop(sqlite3 *db, char *const *images, size_t count)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_OK;

	if (count > 0)
		rc = sqlite3_prepare_v2(db, "DELETE FROM image WHERE id = ?1", -1, &st, NULL);
	for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
		sqlite3_bind_text(st, 1, images[i], -1, SQLITE_STATIC);
		rc = sqlite3_step(st) == SQLITE_DONE ? sqlite3_reset(st) : SQLITE_ERROR;
	}
	sqlite3_finalize(st);
	return rc;
}

/* Changes a copy, which nobody else uses. */
int
sqlite_backup_adjust(const char *dir, char *const *images, size_t count, bool restored,
    struct fail *f)
{
	sqlite3 *db = sqlite_backup_open_file(dir, SQLITE_OPEN_READWRITE, f);
	int rc;

	if (db == NULL)
		return -1;
	rc = sqlite3_exec(db, "PRAGMA synchronous = FULL; BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite_backup_drop(db, images, count);
	if (rc == SQLITE_OK && restored)
		rc = sqlite3_exec(db, "DELETE FROM listing", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		fail_set(f, "the copy in %s cannot be written: %s", dir, sqlite3_errmsg(db));
	sqlite3_close(db);
	return rc == SQLITE_OK ? 0 : -1;
}
