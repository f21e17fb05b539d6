#include "config.h"

#include "harness.h"
#include "unit.h"
#include "base/buf.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/*
 * A start and a reload take as long with 100,000 personas in the store as with none, and
 * a thousand projects with a large mapping hold nobody up. The best of some tries counts,
 * since the machine may be doing something else; sanitizers make everything slower, so a
 * build with them measures nothing here.
 */

#define PERSONAS 100000
#define TRIES 10
#define START_MS 50    /* what the store may add to a start */
#define RELOAD_MS 100  /* 50 on a machine with nothing else to do */
#define PROJECTS 1000
#define FIELDS 300

#if defined(WITH_ASAN) || defined(WITH_FUZZING)
#define MEASURED 0
#else
#define MEASURED 1
#endif

static struct program gateway;

/* Milliseconds of a clock that only runs forward. */
static long
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Starts with a file, and returns how long it took until the first answer, which the
 * store has to give. */
static long
start(const char *config, const char *data)
{
	const char *const args[] = {"serve", "--config", config, "--data-dir", data, "--listen",
	    "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};
	long begun = now();

	program_start(&gateway, args);
	expect_error(ask(gateway.port, "GET", "/api/projects/plain/personas/nobody", NULL, NULL), 404,
	    "Persona not found");
	return now() - begun;
}

/* The best of some starts; the last one runs on. */
static long
best_start(const char *config, const char *data)
{
	long best = -1;

	for (int i = 0; i < TRIES; i++) {
		long took;

		if (i > 0)
			ck_assert_int_eq(program_stop(&gateway), 0);
		took = start(config, data);
		best = best < 0 || took < best ? took : best;
	}
	return best;
}

/* Fills a store that the gateway has made and left: agent 7 and the project "plain" have
 * half of the personas each. */
static void
fill(const char *data)
{
	static const char sql[] =
	    "BEGIN;"
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
	    " INSERT INTO persona (seq, scope, local_id, upstream_id, name, created_ms, updated_ms,"
	    " content_ms, adopted, unclaimed, version, content)"
	    " SELECT i, CASE i %% 2 WHEN 0 THEN 'agent:7' ELSE 'project:plain' END,"
	    " printf('00000000-0000-4000-8000-%%012d', i), printf('00000000-0000-4000-8000-%%012d', i),"
	    " 'persona ' || i, i, i, i, 0, 0, i,"
	    " json_object('id', printf('00000000-0000-4000-8000-%%012d', i), 'name', 'persona ' || i,"
	    " 'goal', 'You are number ' || i || '.', 'description', '') FROM n;"
	    "INSERT INTO name (scope, name, persona) SELECT scope, name, seq FROM persona;"
	    "COMMIT;";
	char path[400], text[sizeof sql + 20], *why = NULL;
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/store.db", data);
	snprintf(text, sizeof text, sql, PERSONAS);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK, "%s", why);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* A file with two projects, and others and a mapping when there are to be many. */
static const char *
write_config(bool large)
{
	const char *path;
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, "bluejay: {url: \"http://127.0.0.1:9\", api_key: k}\n"
	    "projects:\n  demo: {agent_id: 7}\n  plain: {}\n");
	for (int i = 0; large && i < PROJECTS; i++)
		buf_addf(&b, "  project-%d: {agent_id: %d}\n", i, 1000 + i);
	buf_adds(&b, large ? "mapping:\n  persona:\n    fields:\n      name: name\n      description: {to: description, "
	    "when_absent: \"\"}\n      systemPrompt: {to: goal, when_absent: \"\"}\n" : "");
	for (int i = 0; large && i < FIELDS; i++)
		buf_addf(&b, i % 2 == 0 ? "      f%d: {to: traits.f%d, as: string}\n"
		    : "      f%d: {to: m%d, values: {calm: low, angry: high}}\n", i, i);
	path = scratch_file(large ? "large.yaml" : "small.yaml", "%s", b.data);
	buf_free(&b);
	return path;
}

/* The best of some reloads, in milliseconds. */
static long
best_reload(void)
{
	long best = -1;

	for (int i = 0; i < TRIES; i++) {
		long begun = now(), took;
		struct reply *r = ask(gateway.admin_port, "POST", "/reload", NULL, "{}");

		took = now() - begun;
		ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
		best = best < 0 || took < best ? took : best;
	}
	return best;
}

START_TEST(a_full_store_starts_and_reloads_like_an_empty_one)
{
	const char *small = write_config(false), *large = write_config(true);
	long empty, full, many, reload, reload_many;
	char data[300];

	snprintf(data, sizeof data, "%s/data", scratch_dir());
	empty = best_start(small, data);
	ck_assert_int_eq(program_stop(&gateway), 0);
	fill(data);
	full = best_start(small, data);
	reload = best_reload();
	ck_assert_int_eq(ask(gateway.port, "GET", "/api/projects", NULL, NULL)->status, 200);
	ck_assert_int_eq(program_stop(&gateway), 0);
	many = best_start(large, data);
	reload_many = best_reload();
	ck_assert_int_eq(program_stop(&gateway), 0);
	printf("start to first answer: %ld ms empty, %ld ms with %d personas, %ld ms with %d projects too; "
	    "reload: %ld ms, %ld ms\n", empty, full, PERSONAS, many, PROJECTS, reload, reload_many);
	if (!MEASURED)
		return;
	ck_assert_int_lt(full, empty + START_MS);
	ck_assert_int_lt(many, empty + 2 * START_MS);
	ck_assert_int_lt(reload, RELOAD_MS);
	ck_assert_int_lt(reload_many, RELOAD_MS);
}
END_TEST

/* The suite. */
static Suite *
start_suite(void)
{
	const TTest *const tests[] = {a_full_store_starts_and_reloads_like_an_empty_one, NULL};

	return unit_suite("start", tests);
}

UNIT_MAIN(start_suite)
