#include "config.h"

#include "store/sqlite_statement.h"
#include "base/mem.h"

#include <string.h>

/* The columns of a persona, in the order that sqlite_record_read() expects. */
#define PERSONA                                                                          \
	"SELECT seq, scope, local_id, upstream_id, name, created_ms, updated_ms,"        \
	" content_ms, adopted, unclaimed, version, hidden_ms IS NOT NULL, fingerprint,"  \
	" kept, absent, content FROM persona "

/* The columns of an intent, in the order that sqlite_intent_read() expects. */
#define INTENT                                                                           \
	"SELECT seq, id, operation, state, scope, project, local_id, upstream_id, name," \
	" fingerprint, sent, kept, absent, created_ms, touched_ms, key, key_hash"        \
	" FROM intent "

/* The columns of an image, in the order that sqlite_image_read() expects. */
#define IMAGE                                                                            \
	"SELECT project, id, role, type, filename, maker, digest, size, created_ms FROM image "

/* The columns of a twin, in the order that sqlite_twin_read() expects. */
#define TWIN                                                                             \
	"SELECT seq, project, twin_id, scope, local_id, name, digest, since_ms, found,"  \
	" updated_ms FROM twin "

/*
 * Every statement there is. A holder of 0 stands for none, so that names and
 * keys need no second form of a statement. A record is written by up to four
 * statements, because an UPDATE rewrites each index whose columns it sets. A plus
 * before a column keeps the planner from an index that fits less well.
 */
static const char *const sqlite_statement_texts[SQL_STATEMENT_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_SAVEPOINT] = "SAVEPOINT one",
    [SQL_RELEASE] = "RELEASE one",
    [SQL_ROLLBACK_TO] = "ROLLBACK TO one",

    [SQL_PERSONA_GET] = PERSONA "WHERE scope = ?1 AND local_id = ?2 AND hidden_ms IS NULL",
    [SQL_PERSONA_ANY] = PERSONA "WHERE scope = ?1 AND local_id = ?2",
    [SQL_PERSONA_BY_SEQ] = PERSONA "WHERE seq = ?1",
    [SQL_PERSONA_BY_UPSTREAM] = PERSONA "WHERE scope = ?1 AND upstream_id = ?2",
    [SQL_PERSONA_LIST] =
        PERSONA "WHERE scope = ?1 AND hidden_ms IS NULL ORDER BY created_ms, seq",
    [SQL_PERSONA_PAGE] = PERSONA
        "WHERE scope = ?1 AND hidden_ms IS NULL ORDER BY created_ms, seq LIMIT ?2",
    [SQL_PERSONA_COUNT] = "SELECT count(*) FROM persona WHERE scope = ?1 AND hidden_ms IS NULL",
    [SQL_PERSONA_HIDDEN] =
        "SELECT upstream_id FROM persona WHERE hidden_ms IS NOT NULL AND scope = ?1",
    [SQL_PERSONA_ELSEWHERE] = "SELECT upstream_id FROM persona"
                              " WHERE scope >= ?1 AND scope < ?2 AND scope <> ?3 AND adopted = 0",
    /* From one scope to the next by the index, past all that is between. */
    [SQL_PERSONA_SCOPES] =
        "WITH RECURSIVE s (scope) AS (SELECT min(scope) FROM persona WHERE hidden_ms IS NULL"
        " UNION ALL SELECT (SELECT min(p.scope) FROM persona p WHERE p.hidden_ms IS NULL"
        " AND p.scope > s.scope) FROM s WHERE s.scope IS NOT NULL)"
        " SELECT scope, 0 FROM s WHERE scope IS NOT NULL",
    [SQL_PERSONA_SCOPE_COUNTS] =
        "SELECT scope, count(*) FROM persona WHERE hidden_ms IS NULL GROUP BY scope"
        " ORDER BY scope",
    [SQL_PERSONA_UNCLAIMED] =
        PERSONA "WHERE scope = ?1 AND name = ?2 AND hidden_ms IS NULL AND unclaimed = 1"
                " AND fingerprint = ?3 AND +created_ms >= ?4 ORDER BY seq LIMIT 1",
    [SQL_PERSONA_UNNAMED] =
        PERSONA "WHERE scope = ?1 AND name = '' AND hidden_ms IS NULL AND unclaimed = 1"
                " AND fingerprint = ?2 AND +created_ms >= ?3 ORDER BY seq LIMIT 1",
    [SQL_PERSONA_KNOWN] = "SELECT hidden_ms IS NOT NULL FROM persona"
                          " WHERE scope = ?1 AND upstream_id = ?2",
    [SQL_PERSONA_ADD] =
        "INSERT INTO persona (scope, local_id, upstream_id, name, created_ms, updated_ms,"
        " content_ms, adopted, unclaimed, version, fingerprint, kept, absent, content)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        " ON CONFLICT DO NOTHING",
    [SQL_PERSONA_WRITE] =
        "UPDATE persona SET updated_ms = ?2, content_ms = ?3, adopted = ?4, unclaimed = ?5,"
        " version = ?6, fingerprint = ?7, kept = ?8, absent = ?9, content = ?10"
        " WHERE seq = ?1",
    [SQL_PERSONA_DATE] = "UPDATE persona SET created_ms = ?2 WHERE seq = ?1",
    [SQL_PERSONA_RENAME] = "UPDATE persona SET name = ?2 WHERE seq = ?1",
    [SQL_PERSONA_SHOW] = "UPDATE persona SET hidden_ms = NULL WHERE seq = ?1",
    [SQL_PERSONA_HIDE] =
        "UPDATE persona SET hidden_ms = ?2, version = version + 1 WHERE seq = ?1",
    [SQL_PERSONA_CLAIM] = "UPDATE persona SET unclaimed = 0, version = version + 1"
                          " WHERE scope = ?1 AND local_id = ?2 AND unclaimed = 1",
    [SQL_PERSONA_DELETE] = "DELETE FROM persona WHERE seq = ?1",
    [SQL_PERSONA_IN_BOTH] = "SELECT a.seq, b.seq FROM persona a JOIN persona b"
                            " ON b.scope = ?2 AND b.upstream_id = a.upstream_id"
                            " WHERE a.scope = ?1",
    [SQL_PERSONA_MOVE] = "UPDATE OR IGNORE persona SET scope = ?2, version = version + 1"
                         " WHERE scope = ?1",
    [SQL_PERSONA_PURGE] =
        "DELETE FROM persona WHERE hidden_ms IS NOT NULL AND hidden_ms < ?1"
        " AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.scope = persona.scope"
        " AND i.local_id = persona.local_id AND i.operation <> 0)",

    [SQL_NAME_HOLDER] = "SELECT ifnull(persona, 0), ifnull(intent, 0) FROM name"
                        " WHERE scope = ?1 AND name = ?2",
    [SQL_NAME_HOLD] = "INSERT INTO name (scope, name, persona, intent)"
                      " VALUES (?1, ?2, nullif(?3, 0), nullif(?4, 0)) ON CONFLICT DO NOTHING",
    [SQL_NAME_FREE] = "DELETE FROM name WHERE scope = ?1 AND name = ?2"
                      " AND persona IS nullif(?3, 0) AND intent IS nullif(?4, 0)",
    [SQL_NAME_PASS] = "UPDATE name SET persona = ?4, intent = NULL"
                      " WHERE scope = ?1 AND name = ?2 AND intent = ?3",
    [SQL_NAME_NEXT] = "INSERT INTO name (scope, name, persona) SELECT scope, name, seq"
                      " FROM persona WHERE scope = ?1 AND name = ?2 AND hidden_ms IS NULL"
                      " ORDER BY seq LIMIT 1",
    [SQL_NAME_MOVE] =
        "INSERT OR IGNORE INTO name (scope, name, persona, intent)"
        " SELECT ?2, n.name, n.persona, n.intent FROM name n WHERE n.scope = ?1"
        " AND (EXISTS (SELECT 1 FROM persona p WHERE p.seq = n.persona AND p.scope = ?2)"
        " OR EXISTS (SELECT 1 FROM intent i WHERE i.seq = n.intent AND i.scope = ?2))",
    [SQL_NAME_LEAVE] = "DELETE FROM name WHERE scope = ?1",

    [SQL_PROBE] = "INSERT INTO meta (name, value) VALUES ('probe', ?1)"
                  " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    [SQL_INTENT_LIST] = INTENT "ORDER BY seq",
    [SQL_INTENT_BEHIND] = INTENT "WHERE seq > ?1 ORDER BY seq",
    [SQL_INTENT_UP_TO] = INTENT "WHERE seq <= ?1 ORDER BY seq",
    [SQL_INTENT_COUNTS] = "SELECT operation, state, created_ms FROM intent",
    [SQL_INTENT_BY_ID] = INTENT "WHERE id = ?1",
    [SQL_INTENT_BY_SEQ] = INTENT "WHERE seq = ?1",
    [SQL_INTENT_UNNAMED] = INTENT "WHERE scope = ?1 AND fingerprint = ?2 AND name IS NULL"
                                  " AND operation = 0 AND state = ?3 ORDER BY seq LIMIT 1",
    [SQL_INTENT_OF_PERSONA] =
        INTENT "WHERE scope = ?1 AND local_id = ?2 AND operation <> 0",
    [SQL_INTENT_OF_TWIN] =
        INTENT "WHERE scope = ?1 AND local_id = ?2 AND operation = 0",
    [SQL_INTENT_ADD] =
        "INSERT INTO intent (id, operation, state, scope, project, local_id, upstream_id,"
        " name, fingerprint, sent, kept, absent, created_ms, touched_ms, key, key_hash)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    [SQL_INTENT_MARK] = "UPDATE intent SET state = ?2, touched_ms = ?3 WHERE id = ?1",
    [SQL_INTENT_TWIN] =
        "UPDATE intent SET local_id = ?2, state = ?3, touched_ms = ?4 WHERE id = ?1",
    [SQL_INTENT_DELETE] = "DELETE FROM intent WHERE seq = ?1",
    [SQL_INTENT_MOVE] = "UPDATE OR IGNORE intent SET scope = ?2 WHERE scope = ?1",
    [SQL_SCOPE_USED] = "SELECT EXISTS (SELECT 1 FROM persona WHERE scope = ?1)"
                       " OR EXISTS (SELECT 1 FROM name WHERE scope = ?1)"
                       " OR EXISTS (SELECT 1 FROM tombstone WHERE scope = ?1)"
                       " OR EXISTS (SELECT 1 FROM twin WHERE scope = ?1)"
                       " OR EXISTS (SELECT 1 FROM listing WHERE scope = ?1)"
                       " OR EXISTS (SELECT 1 FROM intent WHERE scope = ?1)",

    [SQL_KEY_GET] = "SELECT hash, ifnull(intent, 0), answer, expires_ms FROM key"
                    " WHERE key = ?1",
    [SQL_KEY_ADD] =
        "INSERT INTO key (key, hash, intent, expires_ms) VALUES (?1, ?2, ?3, ?4)",
    [SQL_KEY_ANSWER] =
        "UPDATE key SET intent = NULL, answer = ?3 WHERE key = ?1 AND intent = ?2",
    [SQL_KEY_DELETE] = "DELETE FROM key WHERE key = ?1 AND intent IS nullif(?2, 0)",
    [SQL_KEY_PURGE] = "DELETE FROM key WHERE intent IS NULL AND expires_ms <= ?1",

    [SQL_TOMBSTONE_LIST] = "SELECT upstream_id FROM tombstone WHERE scope = ?1",
    [SQL_TOMBSTONE_ELSEWHERE] = "SELECT upstream_id FROM tombstone"
                                " WHERE scope >= ?1 AND scope < ?2 AND scope <> ?3",
    [SQL_TOMBSTONE_VERSION] =
        "SELECT version FROM tombstone WHERE scope = ?1 AND upstream_id = ?2",
    [SQL_TOMBSTONE_PUT] =
        "INSERT INTO tombstone (scope, upstream_id, deleted_ms, version)"
        " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (scope, upstream_id) DO UPDATE"
        " SET deleted_ms = excluded.deleted_ms, version = max(version, excluded.version)",
    [SQL_TOMBSTONE_DELETE] = "DELETE FROM tombstone WHERE scope = ?1 AND upstream_id = ?2",
    [SQL_TOMBSTONE_COPY] =
        "INSERT OR IGNORE INTO tombstone (scope, upstream_id, deleted_ms, version)"
        " SELECT ?2, upstream_id, deleted_ms, version FROM tombstone WHERE scope = ?1",
    [SQL_TOMBSTONE_LEAVE] = "DELETE FROM tombstone WHERE scope = ?1",
    [SQL_TOMBSTONE_PURGE] = "DELETE FROM tombstone WHERE deleted_ms < ?1",

    [SQL_LISTING_GET] = "SELECT listed_ms FROM listing WHERE scope = ?1",
    [SQL_LISTING_PUT] =
        "INSERT INTO listing (scope, listed_ms) VALUES (?1, ?2) ON CONFLICT (scope)"
        " DO UPDATE SET listed_ms = max(listed_ms, excluded.listed_ms)",
    [SQL_LISTING_DELETE] = "DELETE FROM listing WHERE scope = ?1",

    [SQL_IMAGE_ADD] =
        "INSERT INTO image (project, id, role, type, filename, maker, digest, size, created_ms,"
        " data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [SQL_IMAGE_GET] =
        "SELECT project, id, role, type, filename, maker, digest, size, created_ms, data"
        " FROM image WHERE id = ?2 AND project = ?1",
    [SQL_IMAGE_LIST] = IMAGE "WHERE project = ?1 AND role = ?2 ORDER BY seq",
    [SQL_IMAGE_DELETE] = "DELETE FROM image WHERE id = ?1",
    [SQL_IMAGE_UNUSED] =
        IMAGE "WHERE maker = ?1"
        " AND NOT EXISTS (SELECT 1 FROM persona p WHERE p.scope = ?2"
        " AND instr(p.kept, image.id) > 0)"
        " AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.scope = ?2 AND i.operation <> 0"
        " AND instr(i.kept, image.id) > 0)",
    [SQL_IMAGE_FILE] = "SELECT 1 FROM image WHERE id = ?1 AND data IS NULL",

    [SQL_TWIN_EXPECT] =
        "INSERT INTO twin (project, scope, local_id, name, digest, since_ms, found, updated_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0)",
    [SQL_TWIN_OF_PERSONA] = TWIN "WHERE scope = ?1 AND local_id = ?2",
    [SQL_TWIN_BY_ID] = TWIN "WHERE project = ?1 AND twin_id = ?2",
    [SQL_TWIN_NOTE] = "UPDATE twin SET twin_id = ?3, local_id = ?3, found = ?4, updated_ms = 0"
                      " WHERE scope = ?1 AND local_id = ?2",
    [SQL_TWIN_CLEAR] = "DELETE FROM twin WHERE project = ?1 AND twin_id = ?2"
                       " AND (scope <> ?3 OR local_id <> ?4)",
    [SQL_TWIN_PUT] =
        "INSERT INTO twin (project, twin_id, scope, local_id, since_ms, found, updated_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (scope, local_id) DO UPDATE"
        " SET project = excluded.project, twin_id = excluded.twin_id, found = excluded.found,"
        " updated_ms = excluded.updated_ms",
    [SQL_TWIN_DROP] = "DELETE FROM twin WHERE scope = ?1 AND local_id = ?2",
    [SQL_TWIN_ALL] =
        "SELECT seq, scope, local_id FROM persona WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    [SQL_TWIN_DUE] =
        "SELECT p.seq, p.scope, p.local_id FROM persona p LEFT JOIN twin t"
        " ON t.scope = p.scope AND t.local_id = p.local_id WHERE p.seq > ?1"
        " AND CASE WHEN t.seq IS NULL THEN p.hidden_ms IS NULL"
        " ELSE p.hidden_ms IS NOT NULL OR t.updated_ms <> p.updated_ms END"
        " ORDER BY p.seq LIMIT ?2",
    [SQL_TWIN_ORPHANS] =
        "SELECT seq, scope, local_id FROM twin WHERE seq > ?1 AND NOT EXISTS"
        " (SELECT 1 FROM persona p WHERE p.scope = twin.scope AND p.local_id = twin.local_id)"
        " ORDER BY seq LIMIT ?2",
    [SQL_TWIN_MOVE] = "UPDATE OR REPLACE twin SET scope = ?2 WHERE scope = ?1",

    [SQL_HOLDER_GET] = "SELECT member, fence FROM temp.holder WHERE intent = ?1",
    [SQL_HOLDER_TAKE] =
        "INSERT INTO temp.holder (intent, member, fence) VALUES (?1, ?2, 2)"
        " ON CONFLICT (intent) DO UPDATE SET member = excluded.member, fence = fence + 1",
    [SQL_HOLDER_TELL] =
        "INSERT INTO temp.change (member, kind, scope, local_id, intent_id)"
        " SELECT member(), 1, scope, local_id, id FROM intent WHERE seq = ?1",
    [SQL_CHANGE_ALL] = "INSERT INTO temp.change (member, kind) VALUES (member(), 2)",
    [SQL_CHANGE_LIST] = "SELECT member, kind, scope, local_id, upstream_id, intent_id"
                        " FROM temp.change ORDER BY seq",
    [SQL_CHANGE_FORGET] = "DELETE FROM temp.change",
};

/* The text of a statement. */
const char *
sqlite_statement_text(enum sqlite_statement which)
{
	return sqlite_statement_texts[which];
}

/* Frees the statements and closes the database. */
void
sqlite_conn_close(struct sqlite_conn *c)
{
	for (size_t i = 0; i < SQL_STATEMENT_COUNT; i++)
		sqlite3_finalize(c->statements[i]);
	sqlite3_close(c->db);
	memset(c, 0, sizeof *c);
}

/* Binds the values to their placeholders. */
static int
sqlite_bind(sqlite3_stmt *st, const struct sqlite_value *values, size_t count)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
		int at = (int)i + 1;

		if (!values[i].is_text)
			rc = sqlite3_bind_int64(st, at, values[i].number);
		else if (values[i].text == NULL)
			rc = sqlite3_bind_null(st, at);
		else if (values[i].is_blob)
			rc = sqlite3_bind_blob64(st, at, values[i].text,
			    (sqlite3_uint64)values[i].number, SQLITE_STATIC);
		else
			rc = sqlite3_bind_text(st, at, values[i].text, -1, SQLITE_STATIC);
	}
	return rc;
}

/* Prepares a statement if need be, binds it and makes its first step. */
int
sqlite_start(struct sqlite_conn *c, enum sqlite_statement which, sqlite3_stmt **st,
    const struct sqlite_value *values, size_t count)
{
	int rc = SQLITE_OK;

	if (c->statements[which] == NULL)
		rc = sqlite3_prepare_v3(c->db, sqlite_statement_texts[which], -1,
		    SQLITE_PREPARE_PERSISTENT, &c->statements[which], NULL);
	*st = c->statements[which];
	if (rc == SQLITE_OK)
		rc = sqlite_bind(*st, values, count);
	return rc == SQLITE_OK ? sqlite3_step(*st) : rc;
}

/* Ends a statement and lets go of what was bound. */
int
sqlite_end(sqlite3_stmt *st, int rc)
{
	if (st != NULL) {
		sqlite3_reset(st);
		sqlite3_clear_bindings(st);
	}
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Runs a statement that gives no rows. */
int
sqlite_do(struct sqlite_conn *c, enum sqlite_statement which, const struct sqlite_value *values,
    size_t count)
{
	sqlite3_stmt *st;
	int rc = sqlite_start(c, which, &st, values, count);

	return sqlite_end(st, rc);
}

/* Runs a statement without placeholders. */
int
sqlite_do_plain(struct sqlite_conn *c, enum sqlite_statement which)
{
	return sqlite_do(c, which, NULL, 0);
}

/* Reads one number. */
int
sqlite_number(struct sqlite_conn *c, enum sqlite_statement which,
    const struct sqlite_value *values, size_t count, bool *found, int64_t *number)
{
	sqlite3_stmt *st;
	int rc = sqlite_start(c, which, &st, values, count);

	*found = rc == SQLITE_ROW;
	*number = *found ? sqlite3_column_int64(st, 0) : 0;
	return sqlite_end(st, rc);
}

/* Copies a text column. */
char *
sqlite_text(sqlite3_stmt *st, int column)
{
	const void *text = sqlite3_column_text(st, column);

	return text == NULL ? NULL : mem_copy(text, (size_t)sqlite3_column_bytes(st, column));
}
