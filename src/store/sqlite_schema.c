#include "config.h"

#include "store/sqlite_schema.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* In the file's header, so that another program's database is not taken for a
 * store: "PGWY". */
#define SQLITE_SCHEMA_APPLICATION 0x50475759

/*
 * Schema n is made from schema n - 1 by entry n - 1. Entries are never changed
 * once released, only added. A name has one holder at a time, a persona or an
 * intent; later personas of the same name (made upstream, adopted) hold nothing
 * until it is their turn. A tombstone remembers the version of what it buried,
 * so that versions keep growing when the id comes back.
 */
static const char *const sqlite_schema_steps[] = {
    ("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE persona ("
    " seq INTEGER PRIMARY KEY,"
    " scope TEXT NOT NULL,"
    " local_id TEXT NOT NULL,"
    " upstream_id TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL,"
    " content_ms INTEGER NOT NULL,"
    " adopted INTEGER NOT NULL,"
    " unclaimed INTEGER NOT NULL,"
    " version INTEGER NOT NULL,"
    " hidden_ms INTEGER,"
    " fingerprint TEXT,"
    " kept TEXT,"
    " absent TEXT,"
    " content TEXT);"
    "CREATE UNIQUE INDEX persona_local ON persona (scope, local_id);"
    "CREATE UNIQUE INDEX persona_upstream ON persona (scope, upstream_id);"
    "CREATE INDEX persona_order ON persona (scope, created_ms) WHERE hidden_ms IS NULL;"
    "CREATE INDEX persona_name ON persona (scope, name) WHERE hidden_ms IS NULL;"
    "CREATE INDEX persona_hidden ON persona (hidden_ms) WHERE hidden_ms IS NOT NULL;"
    "CREATE TABLE name ("
    " scope TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " persona INTEGER,"
    " intent INTEGER,"
    " PRIMARY KEY (scope, name),"
    " CHECK ((persona IS NULL) <> (intent IS NULL))) WITHOUT ROWID;"
    "CREATE TABLE intent ("
    " seq INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL,"
    " operation INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " scope TEXT NOT NULL,"
    " project TEXT,"
    " local_id TEXT,"
    " upstream_id TEXT,"
    " name TEXT,"
    " fingerprint TEXT,"
    " created_ms INTEGER NOT NULL,"
    " touched_ms INTEGER NOT NULL,"
    " key TEXT,"
    " key_hash TEXT,"
    " sent TEXT,"
    " kept TEXT,"
    " absent TEXT);"
    "CREATE UNIQUE INDEX intent_id ON intent (id);"
    "CREATE UNIQUE INDEX intent_persona ON intent (scope, local_id) WHERE operation <> 0;"
    "CREATE TABLE key ("
    " seq INTEGER PRIMARY KEY,"
    " key TEXT NOT NULL,"
    " hash TEXT NOT NULL,"
    " intent INTEGER,"
    " expires_ms INTEGER NOT NULL,"
    " answer TEXT);"
    "CREATE UNIQUE INDEX key_key ON key (key);"
    "CREATE INDEX key_expiry ON key (expires_ms) WHERE intent IS NULL;"
    "CREATE TABLE tombstone ("
    " scope TEXT NOT NULL,"
    " upstream_id TEXT NOT NULL,"
    " deleted_ms INTEGER NOT NULL,"
    " version INTEGER NOT NULL,"
    " PRIMARY KEY (scope, upstream_id)) WITHOUT ROWID;"
    "CREATE INDEX tombstone_age ON tombstone (deleted_ms);"
    "CREATE TABLE listing (scope TEXT PRIMARY KEY, listed_ms INTEGER NOT NULL) WITHOUT ROWID;"),

    /* Without data the bytes are in a file that is called as the id. */
    ("CREATE TABLE image ("
    " seq INTEGER PRIMARY KEY,"
    " project TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " role TEXT NOT NULL,"
    " type TEXT NOT NULL,"
    " filename TEXT,"
    " maker TEXT,"
    " digest TEXT NOT NULL,"
    " size INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " data BLOB);"
    "CREATE UNIQUE INDEX image_id ON image (id);"
    "CREATE INDEX image_role ON image (project, role);"
    "CREATE INDEX image_maker ON image (maker) WHERE maker IS NOT NULL;"),
    "CREATE INDEX persona_hidden_scope ON persona (scope, upstream_id)"
    " WHERE hidden_ms IS NOT NULL;",

    /* Without twin_id it may have been made: local_id is that of the create's intent. */
    ("CREATE TABLE twin ("
    " seq INTEGER PRIMARY KEY,"
    " project TEXT NOT NULL,"
    " twin_id TEXT,"
    " scope TEXT NOT NULL,"
    " local_id TEXT NOT NULL,"
    " name TEXT,"
    " digest TEXT,"
    " since_ms INTEGER NOT NULL,"
    " found INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX twin_id ON twin (project, twin_id) WHERE twin_id IS NOT NULL;"
    "CREATE UNIQUE INDEX twin_persona ON twin (scope, local_id);"
    "CREATE INDEX intent_twin ON intent (scope, local_id)"
    " WHERE operation = 0 AND local_id IS NOT NULL;"),

    /* What has no name is found by what its create was. */
    ("CREATE INDEX persona_unnamed ON persona (scope, fingerprint)"
    " WHERE name = '' AND unclaimed = 1 AND hidden_ms IS NULL;"
    "CREATE INDEX intent_unnamed ON intent (scope, fingerprint)"
    " WHERE operation = 0 AND name IS NULL;"),
};

/* The number of the newest schema. */
int
sqlite_schema_newest(void)
{
	return (int)(sizeof sqlite_schema_steps / sizeof sqlite_schema_steps[0]);
}

/* Says what an error means. */
int
sqlite_schema_fail(sqlite3 *db, const char *where, struct fail *f)
{
	int rc = sqlite3_errcode(db) & 0xff;

	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
		return fail_set(f, "the store in %s is damaged (%s): restore a backup, "
		    "or use another data_dir", where, sqlite3_errmsg(db));
	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return fail_set(f, "the store in %s is in use by another program (%s)", where,
		    sqlite3_errmsg(db));
	return fail_set(f, "the store in %s cannot be opened: %s", where, sqlite3_errmsg(db));
}

/* Reads one value of a query into *number or, as a fresh string, *text. Returns
 * SQLITE_ROW, SQLITE_DONE or an error. */
static int
sqlite_schema_read(sqlite3 *db, const char *sql, int64_t *number, char **text)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && number != NULL)
		*number = sqlite3_column_int64(st, 0);
	if (rc == SQLITE_ROW && text != NULL)
		*text = mem_string((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return rc;
}

/* Refuses what is not a store, or one of a newer program; gives its schema. */
int
sqlite_schema_look(sqlite3 *db, const char *where, int64_t *schema, struct fail *f)
{
	int64_t application, tables;

	if (sqlite_schema_read(db, "PRAGMA application_id", &application, NULL) != SQLITE_ROW ||
	    sqlite_schema_read(db, "PRAGMA user_version", schema, NULL) != SQLITE_ROW ||
	    sqlite_schema_read(db, "SELECT count(*) FROM sqlite_master", &tables, NULL) !=
	        SQLITE_ROW)
		return sqlite_schema_fail(db, where, f);
	if (application != SQLITE_SCHEMA_APPLICATION &&
	    (application != 0 || *schema != 0 || tables != 0))
		return fail_set(f, "the database in %s is not a store of persona-gateway: "
		    "use another data_dir", where);
	if (*schema > sqlite_schema_newest())
		return fail_set(f, "the store in %s was written by a newer persona-gateway "
		    "(schema %lld, this program knows %d): use that version, or restore a backup "
		    "from before the upgrade",
		    where, (long long)*schema, sqlite_schema_newest());
	return 0;
}

/* Makes one schema from the one before. */
static int
sqlite_schema_step(sqlite3 *db, int64_t step)
{
	char number[64];
	int rc = sqlite3_exec(db, sqlite_schema_steps[step - 1], NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_snprintf(sizeof number, number, "PRAGMA user_version = %lld", (long long)step);
	return sqlite3_exec(db, number, NULL, NULL, NULL);
}

/* Writes the binding. */
static int
sqlite_schema_bind(sqlite3 *db, const char *binding)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, "INSERT INTO meta (name, value) VALUES ('binding', ?1) "
	    "ON CONFLICT (name) DO UPDATE SET value = excluded.value", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 1, binding, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Compares the binding with the one written, and writes it if that is wanted. */
static int
sqlite_schema_check(sqlite3 *db, const char *where, const char *binding, bool rebind,
    struct fail *f)
{
	char *old = NULL;
	int rc, result = 0;

	if (binding == NULL)
		return 0;
	rc = sqlite_schema_read(db, "SELECT value FROM meta WHERE name = 'binding'", NULL, &old);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		result = sqlite_schema_fail(db, where, f);
	} else if (old != NULL && strcmp(old, binding) != 0 && !rebind) {
		result = fail_set(f, "the store in %s belongs to %s, not to %s: use another "
		    "data_dir, or start once with --rebind", where, old, binding);
	} else if (old == NULL || strcmp(old, binding) != 0) {
		if (sqlite_schema_bind(db, binding) != SQLITE_OK)
			result = sqlite_schema_fail(db, where, f);
	}
	free(old);
	return result;
}

/* Does all of it inside the transaction of sqlite_schema_open(). */
static int
sqlite_schema_change(sqlite3 *db, const char *where, const char *binding, bool rebind,
    struct fail *f)
{
	char mark[64];
	int64_t schema;

	if (sqlite_schema_look(db, where, &schema, f) < 0)
		return -1;
	if (schema == 0) {
		sqlite3_snprintf(sizeof mark, mark, "PRAGMA application_id = %d",
		    SQLITE_SCHEMA_APPLICATION);
		if (sqlite3_exec(db, mark, NULL, NULL, NULL) != SQLITE_OK)
			return sqlite_schema_fail(db, where, f);
	}
	while (schema < sqlite_schema_newest())
		if (sqlite_schema_step(db, ++schema) != SQLITE_OK)
			return sqlite_schema_fail(db, where, f);
	return sqlite_schema_check(db, where, binding, rebind, f);
}

/* Brings a database to the newest schema and checks whose it is. */
int
sqlite_schema_open(sqlite3 *db, const char *where, const char *binding, bool rebind,
    struct fail *f)
{
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_schema_fail(db, where, f);
	if (sqlite_schema_change(db, where, binding, rebind, f) < 0) {
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		return -1;
	}
	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
		sqlite_schema_fail(db, where, f);
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		return -1;
	}
	return 0;
}
