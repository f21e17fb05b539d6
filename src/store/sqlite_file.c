#include "config.h"

#include "store/sqlite_file.h"
#include "base/fd.h"
#include "base/mem.h"
#include "store/sqlite_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SQLITE_FILE_NAME "store.db"
#define SQLITE_FILE_BUSY_MS 2000 /* how long a person's own look at the file may hold a write up */

/* Makes entries of a folder durable. */
static int
sqlite_file_sync(const char *dir, struct fail *f)
{
	return fd_sync_folder(dir) == 0 ? 0
	    : fail_set(f, "the data folder %s cannot be used: %s", dir, strerror(errno));
}

/* The folder that holds this one. */
static char *
sqlite_file_above(const char *dir)
{
	char *above = mem_string(dir);
	size_t len = strlen(above);

	while (len > 1 && above[len - 1] == '/')
		len--;
	while (len > 0 && above[len - 1] != '/')
		len--;
	while (len > 1 && above[len - 1] == '/')
		len--;
	above[len] = '\0';
	if (len > 0)
		return above;
	free(above);
	return mem_string(".");
}

/* Makes a folder and, before it, those above it, if they are missing. */
static int
sqlite_file_make_dir(const char *dir, struct fail *f)
{
	char *above;
	int rc = mkdir(dir, 0700);

	if (rc < 0 && errno == EEXIST)
		return 0;
	above = sqlite_file_above(dir);
	if (rc < 0 && errno == ENOENT && strcmp(above, dir) != 0 && strcmp(above, ".") != 0) {
		if (sqlite_file_make_dir(above, f) < 0) {
			free(above);
			return -1;
		}
		rc = mkdir(dir, 0700);
		if (rc < 0 && errno == EEXIST)
			rc = 0;
	}
	if (rc < 0)
		fail_set(f, "the data folder %s cannot be made: %s", dir, strerror(errno));
	else
		(void)sqlite_file_sync(above, NULL); /* it may be closed to us, which is fine */
	free(above);
	return rc;
}

/* Says who holds the lock, as far as the file tells. */
static void
sqlite_file_locked(int fd, const char *dir, struct fail *f)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	long pid;

	text[n < 0 ? 0 : n] = '\0';
	pid = strtol(text, NULL, 10);
	if (pid > 0)
		fail_set(f, "the store in %s is in use by process %ld: stop that process, or use "
		    "another data_dir", dir, pid);
	else
		fail_set(f, "the store in %s is in use by another process: stop that process, or "
		    "use another data_dir", dir);
}

/* Makes the folder and takes its lock. */
int
sqlite_file_lock(const char *dir, struct fail *f)
{
	char *path;
	int fd;

	if (sqlite_file_make_dir(dir, f) < 0)
		return -1;
	path = mem_format("%s/lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	if (fd < 0)
		return fail_set(f, "the data folder %s cannot be used: %s", dir, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			sqlite_file_locked(fd, dir, f);
		else
			fail_set(f, "the store in %s cannot be locked: %s", dir, strerror(errno));
		close(fd);
		return -1;
	}
	/* Only a help for people: a full disk must not keep the store from opening. */
	if (ftruncate(fd, 0) == 0)
		dprintf(fd, "%ld\n", (long)getpid());
	return fd;
}

/* Opens the database and sets what holds for every connection. */
static sqlite3 *
sqlite_file_open(const char *path, const char *where, int flags, const char *settings,
    struct fail *f)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (db == NULL) {
		fail_set(f, "the store in %s cannot be opened: out of memory", where);
		return NULL;
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_extended_result_codes(db, 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db, SQLITE_FILE_BUSY_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* Else a statement whose parameter could be that of a partial index is compiled anew
	 * with each value, to the same plan. */
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, settings, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return db;
	sqlite_schema_fail(db, where, f);
	sqlite3_close(db);
	return NULL;
}

/* Opens the database for writing. Its cache holds the pages of a large group, which
 * would be written twice otherwise; an idle engine empties it. */
sqlite3 *
sqlite_file_open_writer(const char *dir, struct fail *f)
{
	static const char settings[] = "PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;"
	    "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;";
	char *path;
	sqlite3 *db;
	int fd;

	if (dir == NULL)
		return sqlite_file_open(":memory:", "memory",
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, settings, f);
	path = mem_format("%s/" SQLITE_FILE_NAME, dir);
	/* SQLite gives its other files the mode of this one. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		fail_set(f, "the store in %s cannot be opened: %s", dir, strerror(errno));
		free(path);
		return NULL;
	}
	close(fd);
	db = sqlite_file_open(path, dir, SQLITE_OPEN_READWRITE, settings, f);
	free(path);
	return db;
}

/* Takes the write-ahead log into use. Checkpoints are made by the engine, after
 * its answers, not by SQLite inside a commit. */
int
sqlite_file_prepare(sqlite3 *writer, const char *dir, struct fail *f)
{
	sqlite3_stmt *st = NULL;
	const char *mode = NULL;
	bool wal;

	if (dir == NULL)
		return 0;
	if (sqlite3_prepare_v2(writer, "PRAGMA journal_mode = WAL", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		mode = (const char *)sqlite3_column_text(st, 0);
	wal = mode != NULL && strcmp(mode, "wal") == 0;
	if (sqlite3_finalize(st) != SQLITE_OK)
		return sqlite_schema_fail(writer, dir, f);
	if (!wal)
		return fail_set(f, "the store in %s cannot use a write-ahead log: its file system "
		    "is not suited", dir);
	if (sqlite3_exec(writer, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
	    "PRAGMA journal_size_limit = 33554432;", NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_schema_fail(writer, dir, f);
	return sqlite_file_sync(dir, f);
}

/* Opens the database for reading. */
sqlite3 *
sqlite_file_open_reader(const char *dir, struct fail *f)
{
	char *path = mem_format("%s/" SQLITE_FILE_NAME, dir);
	sqlite3 *db = sqlite_file_open(path, dir, SQLITE_OPEN_READONLY,
	    "PRAGMA cache_size = -256; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;"
	    "PRAGMA trusted_schema = OFF; PRAGMA query_only = ON;", f);

	free(path);
	return db;
}
