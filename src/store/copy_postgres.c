#include "config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "store/copy_side.h"
#include "store/postgres_hosts.h"
#include "store/postgres_schema.h"
#include "store/postgres_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPY_POSTGRES_PIECE ((size_t)256 << 10) /* bytes of an image in one row */
#define COPY_POSTGRES_CHUNK ((size_t)64 << 10)  /* of rows on their way */

struct copy_postgres {
	struct copy_side side;
	struct postgres_url *url;
	PGconn *conn;
	struct buf rows; /* that are not sent yet */
};

/* Says what went wrong, in the server's words. */
static int
copy_postgres_fail(struct copy_postgres *p, struct fail *f)
{
	char *why = mem_string(PQerrorMessage(p->conn));

	why[strcspn(why, "\n")] = '\0';
	fail_set(f, "%s: %s", p->side.where, *why != '\0' ? why : "the connection was lost");
	free(why);
	return -1;
}

/* Runs statements without rows. */
static int
copy_postgres_do(struct copy_postgres *p, const char *sql, struct fail *f)
{
	PGresult *r = PQexec(p->conn, sql);
	ExecStatusType status = PQresultStatus(r);

	PQclear(r);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN ? 0
	    : copy_postgres_fail(p, f);
}

/* Reads one number. */
static int
copy_postgres_number(struct copy_postgres *p, const char *sql, uint64_t *number, struct fail *f)
{
	PGresult *r = PQexec(p->conn, sql);
	int rc = 0;

	if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1)
		*number = strtoull(PQgetvalue(r, 0, 0), NULL, 10);
	else
		rc = copy_postgres_fail(p, f);
	PQclear(r);
	return rc;
}

/* ---- reading ---- */

/* Counts rows. */
static int
copy_postgres_count(struct copy_side *side, const struct copy_table *t, uint64_t *rows,
    struct fail *f)
{
	char *sql = mem_format("SELECT count(*) FROM %s WHERE %s", t->postgres,
	    t->where != NULL ? t->where : "true");
	int rc = copy_postgres_number((struct copy_postgres *)side, sql, rows, f);

	free(sql);
	return rc;
}

/* Appends the columns of a table, those of truth as numbers if they are read. */
static void
copy_postgres_columns(struct buf *b, const struct copy_table *t, bool read)
{
	for (unsigned i = 0; t->columns[i].name != NULL; i++)
		buf_addf(b, "%s%s%s", i > 0 ? ", " : "", t->columns[i].name,
		    read && t->columns[i].type == COPY_BOOL ? "::int" : "");
}

/* Takes the results of a query one row at a time. The connection is free again after it. */
static int
copy_postgres_rows(struct copy_postgres *p, unsigned width,
    int (*row)(void *arg, const struct copy_value *, struct fail *), void *arg, struct fail *f)
{
	struct copy_value values[COPY_COLUMNS_MAX];
	PGresult *r;
	int rc = 0;

	while ((r = PQgetResult(p->conn)) != NULL) {
		ExecStatusType status = PQresultStatus(r);

		if (rc == 0 && status == PGRES_SINGLE_TUPLE) {
			for (unsigned i = 0; i < width; i++) {
				values[i].len = (size_t)PQgetlength(r, 0, (int)i);
				values[i].text = PQgetisnull(r, 0, (int)i) ? NULL : PQgetvalue(r, 0, (int)i);
			}
			rc = row(arg, values, f);
		} else if (rc == 0 && status != PGRES_TUPLES_OK) {
			rc = copy_postgres_fail(p, f);
		}
		PQclear(r);
	}
	return rc;
}

/* Reads rows. */
static int
copy_postgres_read(struct copy_side *side, const struct copy_table *t,
    int (*row)(void *arg, const struct copy_value *, struct fail *), void *arg, struct fail *f)
{
	struct copy_postgres *p = (struct copy_postgres *)side;
	struct buf sql;
	int sent;

	buf_init(&sql, 0);
	buf_adds(&sql, "SELECT ");
	copy_postgres_columns(&sql, t, true);
	buf_addf(&sql, " FROM %s WHERE %s", t->postgres, t->where != NULL ? t->where : "true");
	sent = PQsendQuery(p->conn, sql.data) && PQsetSingleRowMode(p->conn);
	buf_free(&sql);
	return sent ? copy_postgres_rows(p, copy_table_width(t), row, arg, f)
	    : copy_postgres_fail(p, f);
}

/* Adds a piece of an image. */
static int
copy_postgres_piece(void *arg, const struct copy_value *values, struct fail *f)
{
	struct buf *b = arg;
	size_t len = 0;
	unsigned char *bytes = PQunescapeBytea((const unsigned char *)values[0].text, &len);
	bool added = bytes != NULL && buf_add(b, bytes, len);

	PQfreemem(bytes);
	return added ? 0 : fail_set(f, "an image is larger than a gateway takes");
}

/* Reads an image's bytes. */
static int
copy_postgres_read_image(struct copy_side *side, const struct copy_value *row, char **bytes,
    size_t *len, struct fail *f)
{
	struct copy_postgres *p = (struct copy_postgres *)side;
	const char *seq = row[copy_table_column(copy_table_images(), "seq")].text;
	struct buf b;
	int rc;

	buf_init(&b, 0);
	rc = PQsendQueryParams(p->conn, "SELECT data FROM image_piece WHERE image = $1 ORDER BY start", 1,
	         NULL, &seq, NULL, NULL, 0) && PQsetSingleRowMode(p->conn)
	    ? copy_postgres_rows(p, 1, copy_postgres_piece, &b, f) : copy_postgres_fail(p, f);
	if (rc == 0)
		*bytes = buf_take(&b, len);
	buf_free(&b);
	return rc;
}

/* ---- writing ---- */

/* Sends the rows that wait. */
static int
copy_postgres_flush(struct copy_postgres *p, struct fail *f)
{
	int rc = p->rows.len == 0 || PQputCopyData(p->conn, p->rows.data, (int)p->rows.len) == 1 ? 0
	    : copy_postgres_fail(p, f);

	buf_clear(&p->rows);
	return rc;
}

/* Begins rows that are sent as the server's COPY reads them. */
static int
copy_postgres_begin(struct copy_side *side, const struct copy_table *t, struct fail *f)
{
	struct copy_postgres *p = (struct copy_postgres *)side;
	struct buf sql;
	int rc;

	buf_init(&sql, 0);
	buf_addf(&sql, "COPY %s (", t->postgres);
	copy_postgres_columns(&sql, t, false);
	buf_addf(&sql, "%s) FROM STDIN", t->more != NULL ? t->more : "");
	rc = copy_postgres_do(p, sql.data, f);
	buf_free(&sql);
	return rc;
}

/* Appends a value as COPY reads it. */
static void
copy_postgres_escape(struct buf *b, const struct copy_value *v)
{
	if (v->text == NULL) {
		buf_adds(b, "\\N");
		return;
	}
	for (size_t i = 0; i < v->len; i++) {
		char c = v->text[i];

		switch (c) {
		case '\\':
			buf_adds(b, "\\\\");
			break;
		case '\n':
			buf_adds(b, "\\n");
			break;
		case '\r':
			buf_adds(b, "\\r");
			break;
		case '\t':
			buf_adds(b, "\\t");
			break;
		default:
			buf_addc(b, c);
		}
	}
}

/* Writes a row. */
static int
copy_postgres_write(struct copy_side *side, const struct copy_table *t,
    const struct copy_value *values, struct fail *f)
{
	struct copy_postgres *p = (struct copy_postgres *)side;

	for (unsigned i = 0; i < copy_table_width(t); i++) {
		if (i > 0)
			buf_addc(&p->rows, '\t');
		copy_postgres_escape(&p->rows, &values[i]);
	}
	buf_addf(&p->rows, "%s\n", t->more_values != NULL ? t->more_values : "");
	return p->rows.len < COPY_POSTGRES_CHUNK ? 0 : copy_postgres_flush(p, f);
}

/* Ends rows. */
static int
copy_postgres_end_rows(struct copy_postgres *p, struct fail *f)
{
	PGresult *r;
	int rc = copy_postgres_flush(p, f);

	if (rc == 0 && PQputCopyEnd(p->conn, NULL) != 1)
		rc = copy_postgres_fail(p, f);
	while ((r = PQgetResult(p->conn)) != NULL) {
		if (rc == 0 && PQresultStatus(r) != PGRES_COMMAND_OK)
			rc = copy_postgres_fail(p, f);
		PQclear(r);
	}
	return rc;
}

/* Ends a table; new rows will be numbered after these. */
static int
copy_postgres_end(struct copy_side *side, const struct copy_table *t, struct fail *f)
{
	struct copy_postgres *p = (struct copy_postgres *)side;
	char *sql;
	int rc = copy_postgres_end_rows(p, f);

	if (rc < 0 || !t->counted)
		return rc;
	sql = mem_format("SELECT setval(pg_get_serial_sequence('%s', 'seq'), coalesce(max(seq), 0) + 1,"
	    " false) FROM %s", t->postgres, t->postgres);
	rc = copy_postgres_do(p, sql, f);
	free(sql);
	return rc;
}

/* Writes an image's bytes. */
static int
copy_postgres_write_image(struct copy_side *side, const struct copy_value *row, const char *bytes,
    size_t len, struct fail *f)
{
	static const char hex[] = "0123456789abcdef";
	struct copy_postgres *p = (struct copy_postgres *)side;
	const char *seq = row[copy_table_column(copy_table_images(), "seq")].text;
	int rc = copy_postgres_do(p, "COPY image_piece (image, start, data) FROM STDIN", f);

	for (size_t at = 0; at < len && rc == 0; at += COPY_POSTGRES_PIECE) {
		size_t end = len - at < COPY_POSTGRES_PIECE ? len : at + COPY_POSTGRES_PIECE;

		buf_addf(&p->rows, "%s\t%zu\t\\\\x", seq, at);
		for (size_t i = at; i < end; i++) {
			buf_addc(&p->rows, hex[(unsigned char)bytes[i] >> 4]);
			buf_addc(&p->rows, hex[(unsigned char)bytes[i] & 15]);
		}
		buf_addc(&p->rows, '\n');
		rc = copy_postgres_flush(p, f);
	}
	return rc == 0 ? copy_postgres_end_rows(p, f) : rc;
}

/* Makes all of it be there, at once. */
static int
copy_postgres_finish(struct copy_side *side, struct fail *f)
{
	return copy_postgres_do((struct copy_postgres *)side,
	    "ALTER TABLE persona ENABLE TRIGGER USER; ALTER TABLE intent ENABLE TRIGGER USER; COMMIT", f);
}

/* Closes it; a transaction that did not end has not been. */
static void
copy_postgres_close(struct copy_side *side)
{
	struct copy_postgres *p = (struct copy_postgres *)side;

	PQfinish(p->conn);
	postgres_url_free(p->url);
	buf_free(&p->rows);
	free(p);
}

/* ---- opening ---- */

/* Keeps gateways away until the transaction ends: who wants to begin or to go on must write
 * to the table of members. */
static int
copy_postgres_lock(struct copy_postgres *p, struct fail *f)
{
	uint64_t members = 0;

	if (copy_postgres_do(p, "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL lock_timeout = '10s';"
	    " LOCK TABLE member IN SHARE ROW EXCLUSIVE MODE", f) < 0 ||
	    copy_postgres_number(p, "SELECT count(*) FROM member WHERE lease_until > clock_timestamp()",
	        &members, f) < 0)
		return -1;
	if (members == 0)
		return 0;
	return fail_set(f, "%llu gateway%s at work on %s: stop %s first (one that was killed counts for "
	    "ten seconds)", (unsigned long long)members, members == 1 ? " is" : "s are", p->side.where,
	    members == 1 ? "it" : "them");
}

/* Refuses a store that has anything. */
static int
copy_postgres_check_empty(struct copy_postgres *p, struct fail *f)
{
	for (const struct copy_table *t = copy_tables; t->what != NULL; t++) {
		uint64_t rows = 0;

		if (copy_postgres_count(&p->side, t, &rows, f) < 0)
			return -1;
		if (rows > 0)
			return fail_set(f, "%s holds a store already (%llu %s): a copy goes into an empty "
			    "database", p->side.where, (unsigned long long)rows, t->what);
	}
	/* What is copied is no change that anybody must be told of. */
	return copy_postgres_do(p,
	    "ALTER TABLE persona DISABLE TRIGGER USER; ALTER TABLE intent DISABLE TRIGGER USER", f);
}

/* Brings the tables to this program's schema, and makes them where they are written first. */
static int
copy_postgres_prepare(struct copy_postgres *p, struct postgres_hosts *hosts, bool writes,
    struct fail *f)
{
	uint64_t there = 0;

	if (copy_postgres_number(p, "SELECT count(to_regclass('hold'))", &there, f) < 0)
		return -1;
	if (!writes && there == 0)
		return fail_set(f, "there is no store in %s", p->side.where);
	return postgres_schema_open(p->url, hosts, NULL, false, f);
}

/* Connects as a gateway does. */
static int
copy_postgres_connect(struct copy_postgres *p, bool writes, struct fail *f)
{
	struct postgres_hosts *hosts = postgres_hosts_new(p->url, f);
	int rc = -1;

	if (hosts != NULL)
		p->conn = postgres_schema_connect(p->url, hosts, f);
	if (p->conn != NULL)
		rc = copy_postgres_prepare(p, hosts, writes, f);
	postgres_hosts_free(hosts);
	return rc == 0 ? copy_postgres_lock(p, f) : rc;
}

/* Opens a store. */
struct copy_side *
copy_postgres_open(const char *url, bool writes, struct fail *f)
{
	struct copy_postgres *p = mem_zero(1, sizeof *p);
	int rc = -1;

	p->side = (struct copy_side){NULL, NULL, copy_postgres_count, copy_postgres_read,
	    copy_postgres_read_image, copy_postgres_begin, copy_postgres_write, copy_postgres_end,
	    copy_postgres_write_image, NULL, copy_postgres_finish, copy_postgres_close};
	buf_init(&p->rows, 0);
	p->url = postgres_url_new(url, NULL, f);
	if (p->url != NULL)
		p->side.where = postgres_url_where(p->url);
	if (p->url != NULL && (*postgres_url_option(p->url, "password") != '\0' ||
	    *postgres_url_option(p->url, "sslpassword") != '\0'))
		fail_set(f, "a password on a command line can be read by others: PGPASSWORD, or a password file of "
		    "libpq, gives it");
	else if (p->url != NULL)
		rc = copy_postgres_connect(p, writes, f);
	if (rc == 0 && writes)
		rc = copy_postgres_check_empty(p, f);
	if (rc == 0)
		return &p->side;
	copy_postgres_close(&p->side);
	return NULL;
}
