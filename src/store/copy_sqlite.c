#include "config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "store/backup_file.h"
#include "store/backup_manifest.h"
#include "store/copy_side.h"
#include "store/image_file.h"
#include "store/sqlite_backup.h"
#include "store/sqlite_file.h"
#include "store/sqlite_schema.h"
#include "store/store_backup.h"
#include "store/store_image.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A store grows in this folder of its own; its files of images are where they will be. */
#define COPY_SQLITE_FOLDER "copying"

struct copy_sqlite {
	struct copy_side side;
	char *dir, *images;
	char *growing; /* the folder of the new database; NULL when there is none */
	int lock;
	sqlite3 *db;
	sqlite3_stmt *write; /* of the table that is written */
	char *taken;   /* the name of a file that goes along; NULL: none */
};

/* ---- reading ---- */

/* Appends the columns of a table. */
static void
copy_sqlite_columns(struct buf *b, const struct copy_table *t)
{
	for (unsigned i = 0; t->columns[i].name != NULL; i++)
		buf_addf(b, "%s%s", i > 0 ? ", " : "", t->columns[i].name);
}

/* Prepares a query: "SELECT … FROM table WHERE …"; NULL columns: count(*). */
static sqlite3_stmt *
copy_sqlite_query(struct copy_sqlite *s, const struct copy_table *t, bool count, struct fail *f)
{
	sqlite3_stmt *st = NULL;
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, "SELECT ");
	if (count)
		buf_adds(&b, "count(*)");
	else
		copy_sqlite_columns(&b, t);
	buf_addf(&b, " FROM %s", t->sqlite);
	if (t->where != NULL)
		buf_addf(&b, " WHERE %s", t->where);
	if (sqlite3_prepare_v2(s->db, b.data, -1, &st, NULL) != SQLITE_OK)
		sqlite_schema_fail(s->db, s->dir, f);
	buf_free(&b);
	return st;
}

/* Counts rows. */
static int
copy_sqlite_count(struct copy_side *side, const struct copy_table *t, uint64_t *rows, struct fail *f)
{
	struct copy_sqlite *s = (struct copy_sqlite *)side;
	sqlite3_stmt *st = copy_sqlite_query(s, t, true, f);
	int rc = st == NULL ? -1 : 0;

	if (rc == 0 && sqlite3_step(st) == SQLITE_ROW)
		*rows = (uint64_t)sqlite3_column_int64(st, 0);
	else if (rc == 0)
		rc = sqlite_schema_fail(s->db, s->dir, f);
	sqlite3_finalize(st);
	return rc;
}

/* Reads rows. */
static int
copy_sqlite_read(struct copy_side *side, const struct copy_table *t,
    int (*row)(void *arg, const struct copy_value *, struct fail *), void *arg, struct fail *f)
{
	struct copy_sqlite *s = (struct copy_sqlite *)side;
	sqlite3_stmt *st = copy_sqlite_query(s, t, false, f);
	struct copy_value values[COPY_COLUMNS_MAX];
	unsigned width = copy_table_width(t);
	int rc = st == NULL ? -1 : 0, step = SQLITE_DONE;

	while (rc == 0 && (step = sqlite3_step(st)) == SQLITE_ROW) {
		for (unsigned i = 0; i < width; i++) {
			values[i].text = (const char *)sqlite3_column_text(st, (int)i);
			values[i].len = (size_t)sqlite3_column_bytes(st, (int)i);
		}
		rc = row(arg, values, f);
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = sqlite_schema_fail(s->db, s->dir, f);
	sqlite3_finalize(st);
	return rc;
}

/* Reads an image's bytes: from its row, or else from its file. */
static int
copy_sqlite_read_image(struct copy_side *side, const struct copy_value *row, char **bytes, size_t *len,
    struct fail *f)
{
	struct copy_sqlite *s = (struct copy_sqlite *)side;
	const struct copy_table *t = copy_table_images();
	const char *id = row[copy_table_column(t, "id")].text;
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, "SELECT data FROM image WHERE id = ?1", -1, &st, NULL);

	*bytes = NULL;
	*len = (size_t)strtoull(row[copy_table_column(t, "size")].text, NULL, 10);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL) {
		*len = (size_t)sqlite3_column_bytes(st, 0);
		*bytes = mem_copy(sqlite3_column_blob(st, 0), *len);
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW)
		return sqlite_schema_fail(s->db, s->dir, f);
	if (*bytes == NULL)
		*bytes = image_file_read(s->images, id, (int64_t)*len, 0, len, f);
	return *bytes != NULL ? 0 : -1;
}

/* ---- writing ---- */

/* Begins a table: all of its rows are one transaction. */
static int
copy_sqlite_begin(struct copy_side *side, const struct copy_table *t, struct fail *f)
{
	struct copy_sqlite *s = (struct copy_sqlite *)side;
	struct buf b;
	int rc;

	buf_init(&b, 0);
	buf_addf(&b, "INSERT INTO %s (", t->sqlite);
	copy_sqlite_columns(&b, t);
	buf_adds(&b, ") VALUES (");
	for (unsigned i = 0; i < copy_table_width(t); i++)
		buf_adds(&b, i > 0 ? ", ?" : "?");
	buf_adds(&b, ")");
	rc = sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(s->db, b.data, -1, &s->write, NULL);
	buf_free(&b);
	return rc == SQLITE_OK ? 0 : sqlite_schema_fail(s->db, s->dir, f);
}

/* Writes a row; columns of numbers make numbers of texts. */
static int
copy_sqlite_write(struct copy_side *side, const struct copy_table *t, const struct copy_value *values,
    struct fail *f)
{
	struct copy_sqlite *s = (struct copy_sqlite *)side;
	int rc = SQLITE_OK;

	for (unsigned i = 0; i < copy_table_width(t) && rc == SQLITE_OK; i++)
		rc = values[i].text == NULL ? sqlite3_bind_null(s->write, (int)i + 1)
		    : sqlite3_bind_text(s->write, (int)i + 1, values[i].text, (int)values[i].len,
		          SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s->write);
	sqlite3_reset(s->write);
	return rc == SQLITE_DONE ? 0 : sqlite_schema_fail(s->db, s->dir, f);
}

/* Ends a table. */
static int
copy_sqlite_end(struct copy_side *side, const struct copy_table *t, struct fail *f)
{
	struct copy_sqlite *s = (struct copy_sqlite *)side;

	sqlite3_finalize(s->write);
	s->write = NULL;
	return sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? 0
	    : sqlite_schema_fail(s->db, s->dir, f);
}

/* Writes an image's file, unless an attempt that was cut off has done so. */
static int
copy_sqlite_write_file(struct copy_sqlite *s, const char *id, const char *bytes, size_t len,
    struct fail *f)
{
	size_t have = len;
	char *there = image_file_read(s->images, id, (int64_t)len, 0, &have, NULL);
	bool same = there != NULL && have == len && memcmp(there, bytes, len) == 0;

	free(there);
	if (same)
		return 0;
	image_file_remove(s->images, id);
	return image_file_write(s->images, id, bytes, len, f);
}

/* Writes an image's bytes, where the engine would put them. */
static int
copy_sqlite_write_image(struct copy_side *side, const struct copy_value *row, const char *bytes,
    size_t len, struct fail *f)
{
	struct copy_sqlite *s = (struct copy_sqlite *)side;
	const char *id = row[copy_table_column(copy_table_images(), "id")].text;
	sqlite3_stmt *st = NULL;
	int rc;

	if (len > STORE_IMAGE_INLINE)
		return copy_sqlite_write_file(s, id, bytes, len, f);
	rc = sqlite3_prepare_v2(s->db, "UPDATE image SET data = ?2 WHERE id = ?1", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob64(st, 2, bytes, len, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? 0 : sqlite_schema_fail(s->db, s->dir, f);
}

/* Whether a file, where there is one, is what was just copied: an attempt that was cut off at
 * its very end has left it. */
static int
copy_sqlite_check_taken(const char *path, const char *digest, struct fail *f)
{
	struct backup_meter meter = {0};
	char there[DIGEST_HEX_SIZE];

	if (!backup_file_exists(path))
		return 0;
	if (backup_file_digest(path, &meter, there, f) < 0)
		return -1;
	return strcmp(there, digest) == 0 ? 0
	    : fail_set(f, "there is %s already: a copy goes into an empty folder", path);
}

/* Takes a file along. It waits beside the new database. */
static int
copy_sqlite_take(struct copy_side *side, const char *path, const char *name,
    struct backup_meter *meter, struct fail *f)
{
	struct copy_sqlite *s = (struct copy_sqlite *)side;
	char *to = mem_format("%s/%s", s->growing, name), *end = mem_format("%s/%s", s->dir, name);
	char digest[DIGEST_HEX_SIZE];
	int rc;

	s->taken = mem_string(name);
	unlink(to); /* what was cut off */
	rc = backup_file_copy(path, to, false, meter, digest, f);
	if (rc == 0)
		rc = copy_sqlite_check_taken(end, digest, f);
	free(to);
	free(end);
	return rc;
}

/* Moves a file of the new store to where a gateway looks for it. */
static int
copy_sqlite_place(struct copy_sqlite *s, const char *name, struct fail *f)
{
	char *from = mem_format("%s/%s", s->growing, name), *to = mem_format("%s/%s", s->dir, name);
	int rc = rename(from, to);

	if (rc < 0)
		fail_set(f, "%s cannot be moved to %s: %s", from, to, strerror(errno));
	free(from);
	free(to);
	return rc;
}

/* Gives what is in a folder of the new store, and the folder, to the store's owner. */
static void
copy_sqlite_hand_over(const struct copy_sqlite *s, const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char *path = mem_format("%s/%s", folder, e->d_name);

		if (strcmp(e->d_name, "..") != 0)
			backup_file_hand_over(s->dir, path);
		free(path);
	}
	if (d != NULL)
		closedir(d);
}

/* Puts everything where a gateway looks for it, the database last: with it the store is there. */
static int
copy_sqlite_finish(struct copy_side *side, struct fail *f)
{
	struct copy_sqlite *s = (struct copy_sqlite *)side;
	char *lock;
	int rc = 0;

	sqlite3_close(s->db); /* which syncs it: it has no log beside it */
	s->db = NULL;
	copy_sqlite_hand_over(s, s->images);
	copy_sqlite_hand_over(s, s->growing);
	lock = mem_format("%s/lock", s->dir);
	backup_file_hand_over(s->dir, lock);
	free(lock);
	if (s->taken != NULL)
		rc = copy_sqlite_place(s, s->taken, f);
	if (rc == 0)
		rc = copy_sqlite_place(s, BACKUP_DATABASE, f);
	return rc == 0 ? backup_folder_sync(s->dir, f) : rc;
}

/* Removes the folder of a new database with what is in it. */
static void
copy_sqlite_sweep(struct copy_sqlite *s)
{
	static const char *const names[] = {"", "-journal", "-wal", "-shm"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *path = mem_format("%s/" BACKUP_DATABASE "%s", s->growing, names[i]);

		unlink(path);
		free(path);
	}
	if (s->taken != NULL) {
		char *path = mem_format("%s/%s", s->growing, s->taken);

		unlink(path);
		free(path);
	}
	rmdir(s->growing);
}

/* Closes it. */
static void
copy_sqlite_close(struct copy_side *side)
{
	struct copy_sqlite *s = (struct copy_sqlite *)side;

	sqlite3_finalize(s->write);
	sqlite3_close(s->db);
	if (s->growing != NULL)
		copy_sqlite_sweep(s);
	if (s->lock >= 0)
		close(s->lock);
	free(s->growing);
	free(s->taken);
	free(s->images);
	free(s->dir);
	free(s);
}

/* Makes the new database. */
static int
copy_sqlite_make(struct copy_sqlite *s, struct fail *f)
{
	s->growing = mem_format("%s/" COPY_SQLITE_FOLDER, s->dir);
	copy_sqlite_sweep(s); /* what was cut off */
	if (mkdir(s->growing, 0700) < 0 && errno != EEXIST)
		return fail_set(f, "%s cannot be made: %s", s->growing, strerror(errno));
	if (mkdir(s->images, 0700) < 0 && errno != EEXIST)
		return fail_set(f, "%s cannot be made: %s", s->images, strerror(errno));
	s->db = sqlite_file_open_writer(s->growing, f);
	return s->db == NULL ? -1 : sqlite_schema_open(s->db, s->dir, NULL, false, f);
}

/* Opens a store. */
struct copy_side *
copy_sqlite_open(const char *dir, bool writes, struct fail *f)
{
	struct copy_sqlite *s = mem_zero(1, sizeof *s);
	char *path = mem_format("%s/" BACKUP_DATABASE, dir);
	bool there = backup_file_exists(path);
	int64_t schema = 0;
	int rc = 0;

	s->side = (struct copy_side){NULL, NULL, copy_sqlite_count, copy_sqlite_read,
	    copy_sqlite_read_image, copy_sqlite_begin, copy_sqlite_write, copy_sqlite_end,
	    copy_sqlite_write_image, copy_sqlite_take, copy_sqlite_finish, copy_sqlite_close};
	s->dir = mem_string(dir);
	s->side.where = s->side.folder = s->dir;
	s->images = mem_format("%s/" BACKUP_IMAGES, dir);
	s->lock = -1;
	if (!writes && !there)
		rc = fail_set(f, "there is no store in %s", dir);
	else if (writes && there)
		rc = fail_set(f, "there is a store in %s already: a copy goes into an empty folder", dir);
	else if (store_restore_is_open(dir))
		rc = fail_set(f, "a restore into %s was cut off: finish it first", dir);
	if (rc == 0)
		rc = s->lock = sqlite_file_lock(dir, f);
	if (rc >= 0 && writes)
		rc = copy_sqlite_make(s, f);
	else if (rc >= 0)
		rc = (s->db = sqlite_backup_open(dir, &schema, f)) == NULL ? -1 : 0;
	if (rc >= 0 && !writes && schema < sqlite_schema_newest())
		rc = fail_set(f, "the store in %s is of an older program: start a gateway of this one on it "
		    "first", dir);
	free(path);
	if (rc >= 0)
		return &s->side;
	copy_sqlite_close(&s->side);
	return NULL;
}
