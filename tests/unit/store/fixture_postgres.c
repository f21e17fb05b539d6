#include "config.h"

#include "base/mem.h"
#include "postgres.h"
#include "store_fixture.h"
#include "store_suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The shared engine under test: a server for each test case, a database for each store. */
const struct fixture_kinds fixture_kinds = {FIXTURE_SHARED, FIXTURE_SHARED + 1};

static struct postgres *fixture_server;

/* Starts the server, in the process that the tests fork from. */
static void
fixture_start(void)
{
	fixture_server = postgres_new(NULL);
}

/* Ends it. */
static void
fixture_stop(void)
{
	if (getenv("STORE_TEST_LOG") != NULL) {
		char *log = postgres_log(fixture_server);

		fprintf(stderr, "%s", log);
		free(log);
	}
	postgres_free(fixture_server);
	fixture_server = NULL;
}

/* Has it run while the tests of a case do. */
void
fixture_prepare(TCase *tcase)
{
	tcase_add_unchecked_fixture(tcase, fixture_start, fixture_stop);
}

/* Opens a store. */
struct store *
fixture_store_open(const char *dir)
{
	struct store_options options = {.url = postgres_url(fixture_server, NULL, dir),
	    .binding = "https://upstream.example"};
	struct fail f;
	struct store *s = store_open(&options, &f);

	if (s == NULL)
		ck_abort_msg("%s", f.text);
	return s;
}

/* Makes a database, called after the process and how many it has made. */
void
fixture_place(int kind, char *dir, size_t size)
{
	static unsigned turn;

	snprintf(dir, size, "store_%ld_%u", (long)getpid(), turn++);
	postgres_make(fixture_server, dir);
}

/* Removes it. */
void
fixture_clean(const char *dir)
{
	free(postgres_sql(fixture_server, "postgres", "DROP DATABASE %s WITH (FORCE)", dir));
}

/* The URL. */
void
fixture_spec(const char *dir, char *spec, size_t size)
{
	snprintf(spec, size, "%s", postgres_url(fixture_server, NULL, dir));
}

/* Each counts what must not be; the same as of the embedded engine. */
static const char fixture_unsound[] =
    "SELECT (SELECT count(*) FROM hold h WHERE persona IS NOT NULL AND NOT EXISTS (SELECT FROM persona p"
    " WHERE p.seq = h.persona AND p.scope = h.scope AND p.name = h.name AND hidden_ms IS NULL))"
    " + (SELECT count(*) FROM hold h WHERE intent IS NOT NULL AND NOT EXISTS (SELECT FROM intent i"
    " WHERE i.seq = h.intent AND i.scope = h.scope AND i.name = h.name))"
    " + (SELECT count(*) FROM persona p WHERE hidden_ms IS NULL AND NOT EXISTS (SELECT FROM hold h"
    " WHERE h.scope = p.scope AND h.name = p.name))"
    " + (SELECT count(*) FROM intent i WHERE operation = 0 AND name IS NOT NULL AND NOT EXISTS"
    " (SELECT FROM hold h WHERE h.intent = i.seq))"
    " + (SELECT count(*) FROM key k WHERE intent IS NOT NULL AND NOT EXISTS (SELECT FROM intent i"
    " WHERE i.seq = k.intent AND i.key = k.key))"
    " + (SELECT count(*) FROM key WHERE intent IS NULL AND answer IS NULL)"
    " + (SELECT count(*) FROM image i WHERE size <> (SELECT coalesce(sum(length(data)), 0)"
    " FROM image_piece WHERE image = i.seq))";

/* Looks into the database of a closed store. */
void
fixture_assert_sound(const char *dir)
{
	long unsound = postgres_count(fixture_server, dir, "%s", fixture_unsound);

	ck_assert_int_eq(unsound, 0);
}
