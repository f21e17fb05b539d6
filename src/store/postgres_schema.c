#include "config.h"

#include "store/postgres_schema.h"
#include "base/mem.h"
#include "store/postgres_embedded.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POSTGRES_SCHEMA_CONNECT_MS 5000 /* for one host, at the start */

/* The lock that a migration takes, and enter() with other numbers: "PGWY". */
#define POSTGRES_SCHEMA_LOCK "SELECT pg_advisory_xact_lock(1346852697)"

struct postgres_file {
	const unsigned char *bytes;
	const size_t *len;
};

/*
 * Schema n is made from schema n - 1 by the files of entry n - 1. Entries are only added, and
 * the files of an entry stay as they were: new functions come in new files.
 */
#define POSTGRES_SCHEMA_FILES 16
static const struct postgres_file postgres_schema_steps[][POSTGRES_SCHEMA_FILES] = {
    {
        {postgres_tables_sql, &postgres_tables_sql_len},
        {postgres_answer_sql, &postgres_answer_sql_len},
        {postgres_name_sql, &postgres_name_sql_len},
        {postgres_member_sql, &postgres_member_sql_len},
        {postgres_create_sql, &postgres_create_sql_len},
        {postgres_change_sql, &postgres_change_sql_len},
        {postgres_seen_sql, &postgres_seen_sql_len},
        {postgres_image_sql, &postgres_image_sql_len},
        {postgres_twin_sql, &postgres_twin_sql_len},
        {postgres_upkeep_sql, &postgres_upkeep_sql_len},
    },
    {
        {postgres_left_sql, &postgres_left_sql_len},
    },
};
#define POSTGRES_SCHEMA_NEWEST \
	((int)(sizeof postgres_schema_steps / sizeof postgres_schema_steps[0]))

/* Says why something was refused. */
static int
postgres_schema_fail(const struct postgres_url *url, const PGresult *r, struct fail *f)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *words = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

	if (state != NULL && strcmp(state, "42501") == 0)
		return fail_set(f, "the user of store.url may not make or use the tables of the store "
		    "in %s (%s): make it the owner of the database", postgres_url_where(url), words);
	if (state != NULL && strcmp(state, "55P03") == 0)
		return fail_set(f, "the tables of the store in %s are locked: try again when what works on "
		    "them (persona-gateway store copy?) has ended", postgres_url_where(url));
	return fail_set(f, "the store in %s cannot be opened: %s", postgres_url_where(url),
	    words != NULL ? words : "the connection was lost");
}

/* Runs something that gives no rows. */
static int
postgres_schema_do(const struct postgres_url *url, PGconn *c, const char *sql, struct fail *f)
{
	PGresult *r = PQexec(c, sql);
	ExecStatusType status = PQresultStatus(r);
	int result = 0;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		result = postgres_schema_fail(url, r, f);
	PQclear(r);
	return result;
}

/* Reads one text; *text is the caller's, NULL when there is no row or it is null. */
static int
postgres_schema_read(const struct postgres_url *url, PGconn *c, const char *sql, char **text,
    struct fail *f)
{
	PGresult *r = PQexec(c, sql);
	int result = 0;

	*text = NULL;
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		result = postgres_schema_fail(url, r, f);
	else if (PQntuples(r) > 0 && !PQgetisnull(r, 0, 0))
		*text = mem_string(PQgetvalue(r, 0, 0));
	PQclear(r);
	return result;
}

/* Writes a value of the table meta. */
static int
postgres_schema_put(const struct postgres_url *url, PGconn *c, const char *name, const char *value,
    struct fail *f)
{
	const char *const values[] = {name, value};
	PGresult *r = PQexecParams(c, "INSERT INTO meta (name, value) VALUES ($1, $2)"
	    " ON CONFLICT (name) DO UPDATE SET value = excluded.value", 2, NULL, values, NULL, NULL, 0);
	int result = PQresultStatus(r) == PGRES_COMMAND_OK ? 0 : postgres_schema_fail(url, r, f);

	PQclear(r);
	return result;
}

/* Makes one schema from the one before. */
static int
postgres_schema_step(const struct postgres_url *url, PGconn *c, int step, struct fail *f)
{
	char number[16];

	for (const struct postgres_file *file = postgres_schema_steps[step - 1]; file->bytes != NULL;
	    file++) {
		char *sql = mem_copy(file->bytes, *file->len);
		int result = postgres_schema_do(url, c, sql, f);

		free(sql);
		if (result < 0)
			return -1;
	}
	snprintf(number, sizeof number, "%d", step);
	return postgres_schema_put(url, c, "schema", number, f);
}

/* Refuses a database that is not a store, or one of a newer program; gives its schema. */
static int
postgres_schema_look(const struct postgres_url *url, PGconn *c, int *schema, struct fail *f)
{
	const char *encoding = PQparameterStatus(c, "server_encoding");
	char *text;

	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return fail_set(f, "%s has the encoding %s, and the store needs UTF8: make a database "
		    "with ENCODING 'UTF8' TEMPLATE template0", postgres_url_where(url),
		    encoding != NULL ? encoding : "unknown");
	if (postgres_schema_read(url, c, "SELECT CASE WHEN to_regclass('meta') IS NOT NULL AND"
	    " to_regclass('hold') IS NOT NULL THEN 'store' WHEN EXISTS (SELECT FROM pg_class"
	    " WHERE relnamespace = quote_ident(current_schema())::regnamespace"
	    " AND relkind IN ('r', 'v', 'p'))"
	    " THEN 'other' ELSE 'empty' END", &text, f) < 0)
		return -1;
	*schema = 0;
	if (strcmp(text, "other") == 0) {
		free(text);
		return fail_set(f, "%s holds tables that are not a store of persona-gateway: give it a "
		    "database of its own", postgres_url_where(url));
	}
	if (strcmp(text, "empty") == 0) {
		free(text);
		return 0;
	}
	free(text);
	if (postgres_schema_read(url, c, "SELECT value FROM meta WHERE name = 'schema'", &text, f) < 0)
		return -1;
	*schema = text != NULL ? atoi(text) : 0;
	free(text);
	if (*schema <= POSTGRES_SCHEMA_NEWEST)
		return 0;
	return fail_set(f, "the store in %s was written by a newer persona-gateway (schema %d, this "
	    "program knows %d): use that version", postgres_url_where(url), *schema,
	    POSTGRES_SCHEMA_NEWEST);
}

/* Compares the binding with the one written, and writes it if that is wanted. */
static int
postgres_schema_bind(const struct postgres_url *url, PGconn *c, const char *binding, bool rebind,
    struct fail *f)
{
	char *old;
	int result = 0;

	if (binding == NULL)
		return 0;
	if (postgres_schema_read(url, c, "SELECT value FROM meta WHERE name = 'binding'", &old, f) < 0)
		return -1;
	if (old != NULL && strcmp(old, binding) != 0 && !rebind)
		result = fail_set(f, "the store in %s belongs to %s, not to %s: use another "
		    "database, or start once with --rebind", postgres_url_where(url), old, binding);
	else if (old == NULL || strcmp(old, binding) != 0)
		result = postgres_schema_put(url, c, "binding", binding, f);
	free(old);
	return result;
}

/*
 * Finds out whether this is a copy that was put back (pg_restore): the row "home" names the
 * table that it is in and the transaction that wrote it, and in a copy both are others. What
 * came to Bluejay since is then unknown, so every scope is to be listed before its first
 * create.
 */
static int
postgres_schema_home(const struct postgres_url *url, PGconn *c, struct fail *f)
{
	char *home;
	int result = postgres_schema_read(url, c, "SELECT value = tableoid || '/' || xmin FROM meta"
	    " WHERE name = 'home'", &home, f);

	if (result == 0 && home != NULL && strcmp(home, "f") == 0)
		result = postgres_schema_do(url, c, "DELETE FROM listing", f);
	if (result == 0 && (home == NULL || strcmp(home, "f") == 0))
		result = postgres_schema_do(url, c, "INSERT INTO meta (name, value) SELECT 'home',"
		    " 'meta'::regclass::oid || '/' || pg_current_xact_id()::xid"
		    " ON CONFLICT (name) DO UPDATE SET value = excluded.value", f);
	free(home);
	return result;
}

/* Does all of it inside a transaction. */
static int
postgres_schema_change(const struct postgres_url *url, PGconn *c, const char *binding, bool rebind,
    struct fail *f)
{
	int schema = 0;

	if (postgres_schema_do(url, c, "BEGIN; SET LOCAL client_min_messages = warning", f) < 0 ||
	    postgres_schema_do(url, c, POSTGRES_SCHEMA_LOCK, f) < 0 ||
	    postgres_schema_look(url, c, &schema, f) < 0)
		return -1;
	while (schema < POSTGRES_SCHEMA_NEWEST)
		if (postgres_schema_step(url, c, ++schema, f) < 0)
			return -1;
	if (postgres_schema_bind(url, c, binding, rebind, f) < 0 || postgres_schema_home(url, c, f) < 0)
		return -1;
	/* Whether the user has the right to write, and nobody has the tables alone. */
	if (postgres_schema_do(url, c, "SET LOCAL lock_timeout = '10s';"
	    " DELETE FROM member WHERE lease_until < now() - interval '1 day'",
	    f) < 0)
		return -1;
	return postgres_schema_do(url, c, "COMMIT", f);
}

/* Milliseconds of the monotonic clock. */
static int64_t
postgres_schema_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits until a connection stands, or not. */
static bool
postgres_schema_wait(PGconn *c)
{
	int64_t end = postgres_schema_now() + POSTGRES_SCHEMA_CONNECT_MS, left;
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;

	while (want != PGRES_POLLING_OK && want != PGRES_POLLING_FAILED &&
	    (left = end - postgres_schema_now()) > 0) {
		struct pollfd p = {.fd = PQsocket(c),
		    .events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT};

		if (poll(&p, 1, (int)left) > 0)
			want = PQconnectPoll(c);
	}
	return want == PGRES_POLLING_OK;
}

/* Connects to the first host that takes the connection; NULL with a sentence. */
PGconn *
postgres_schema_connect(const struct postgres_url *url, struct postgres_hosts *hosts, struct fail *f)
{
	for (size_t i = 0; i < postgres_hosts_count(hosts); i++) {
		struct postgres_host h;
		char *why;
		PGconn *c;

		postgres_hosts_get(hosts, i, &h);
		c = postgres_url_connect(url, h.name, h.address, h.port);
		if (PQstatus(c) != CONNECTION_BAD && postgres_schema_wait(c)) {
			postgres_hosts_good(hosts, &h);
			return c;
		}
		why = postgres_url_hide(url, PQerrorMessage(c));
		fail_set(f, "%s cannot be reached: %s", postgres_url_where(url),
		    *why != '\0' ? why : "it does not answer in time");
		free(why);
		PQfinish(c);
	}
	return NULL;
}

/* Opens the database. */
int
postgres_schema_open(const struct postgres_url *url, struct postgres_hosts *hosts,
    const char *binding, bool rebind, struct fail *f)
{
	PGconn *c = postgres_schema_connect(url, hosts, f);
	int result;

	if (c == NULL)
		return -1;
	result = postgres_schema_change(url, c, binding, rebind, f);
	PQfinish(c); /* what is not committed is undone */
	return result;
}
