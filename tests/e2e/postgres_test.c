#include "config.h"

#include "harness.h"
#include "postgres.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The servers that other tests run PostgreSQL on: that they keep and lose what they should,
 * let in whom they should, and leave nothing behind. psql is the client.
 */

/* What psql prints for a statement of who comes by a URL, errors too; the caller frees. */
static char *
by_url(const char *url, const char *sql)
{
	/* Files of the person who runs the test are none of its business. */
	return shell("HOME=/nonexistent %s/psql -X -A -t -q '%s' -c \"%s\" 2>&1", postgres_programs(), url, sql);
}

/* Fails unless psql prints a text among other things. */
static void
says(const char *url, const char *sql, const char *want)
{
	char *out = by_url(url, sql);

	ck_assert_msg(strstr(out, want) != NULL, "no %s in %s", want, out);
	free(out);
}

/* ---- tests ---- */

START_TEST(who_logs_in_owns_the_databases_but_makes_none)
{
	struct postgres *p = postgres_new(NULL);
	const char *url;

	postgres_make(p, "one");
	url = postgres_url(p, NULL, "one");
	says(url, "CREATE TABLE t (n int); INSERT INTO t VALUES (7); SELECT n FROM t", "7\n");
	says(url, "SELECT current_user, current_setting('is_superuser')", "gateway|off\n");
	says(url, "CREATE DATABASE two", "permission denied");
	says(url, "SELECT 'a' < 'B', 'a' < 'B' COLLATE \\\"C\\\"", "t|f\n");
	ck_assert_int_eq(postgres_count(p, "one", "SELECT n FROM t"), 7);
	postgres_free(p);
}
END_TEST

START_TEST(what_is_committed_outlives_a_kill)
{
	struct postgres *p = postgres_new(&(struct postgres_options){.fsync = true});
	int port = postgres_port(p);

	postgres_make(p, "one");
	free(postgres_sql(p, "one", "CREATE TABLE t AS SELECT 1 AS n"));
	ck_assert_int_eq(postgres_count(p, "one", "SELECT (current_setting('fsync') = 'on')::int"), 1);
	postgres_kill(p);
	ck_assert(raw_refused(port));
	postgres_start(p);
	ck_assert_int_eq(postgres_port(p), port);
	ck_assert_int_eq(postgres_count(p, "one", "SELECT count(*) FROM t"), 1);
	postgres_stop(p);
	ck_assert(raw_refused(port));
	postgres_start(p);
	ck_assert_int_eq(postgres_count(p, "one", "SELECT count(*) FROM t"), 1);
	postgres_free(p);
}
END_TEST

START_TEST(a_password_is_asked_for)
{
	struct postgres *p = postgres_new(&(struct postgres_options){.password = "s3cret"});
	char wrong[128];

	postgres_make(p, "one");
	says(postgres_url(p, NULL, "one"), "SELECT 5", "5\n");
	snprintf(wrong, sizeof wrong, "postgresql://gateway:other@127.0.0.1:%d/one", postgres_port(p));
	says(wrong, "SELECT 5", "password authentication failed");
	postgres_free(p);
}
END_TEST

START_TEST(tls_is_asked_for)
{
	struct postgres *p = postgres_new(&(struct postgres_options){.tls = true});
	char url[400];

	postgres_make(p, "one");
	snprintf(url, sizeof url, "%s?sslmode=disable", postgres_url(p, NULL, "one"));
	says(url, "SELECT 5", "no encryption");
	snprintf(url, sizeof url, "%s?sslmode=verify-full&sslrootcert=%s", postgres_url(p, NULL, "one"),
	    postgres_certificate(p));
	says(url, "SELECT 5 FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl", "5\n");
	postgres_free(p);
}
END_TEST

START_TEST(a_paused_server_hangs_and_goes_on)
{
	struct postgres *p = postgres_new(NULL);
	char url[300];
	char *out;

	postgres_make(p, "one");
	snprintf(url, sizeof url, "%s", postgres_url(p, NULL, "one"));
	postgres_pause(p);
	out = shell("timeout 1 %s/psql -X -A -t '%s' -c 'SELECT 5'; echo \"code $?\"", postgres_programs(),
	    url);
	ck_assert_str_eq(out, "code 124\n");
	free(out);
	postgres_resume(p);
	says(url, "SELECT 5", "5\n");
	postgres_free(p);
}
END_TEST

START_TEST(a_standby_takes_over_with_all_that_was_acknowledged)
{
	struct postgres *first = postgres_new(NULL), *second;
	char both[300];

	postgres_make(first, "one");
	free(postgres_sql(first, "one", "CREATE TABLE t (n int)"));
	second = postgres_standby(first, true);
	snprintf(both, sizeof both, "%s", postgres_url(first, second, "one"));
	free(postgres_sql(first, "one", "ALTER TABLE t OWNER TO gateway; INSERT INTO t VALUES (1), (2)"));
	says(postgres_url(second, NULL, "one"), "INSERT INTO t VALUES (3)", "read-only transaction");
	says(both, "SELECT count(*) FROM t", "2\n");
	postgres_kill(first);
	postgres_promote(second);
	ck_assert_int_eq(postgres_count(second, "one", "SELECT count(*) FROM t"), 2);
	says(both, "INSERT INTO t VALUES (3); SELECT count(*) FROM t", "3\n");
	postgres_rejoin(first, second, true); /* what was lost is made anew */
	says(both, "INSERT INTO t VALUES (4); SELECT count(*) FROM t", "4\n");
	says(postgres_url(first, NULL, "one"), "SELECT pg_is_in_recovery()", "t\n");
	postgres_alone(second);
	postgres_free(first);
	says(postgres_url(second, NULL, "one"), "INSERT INTO t VALUES (5); SELECT count(*) FROM t", "5\n");
	postgres_free(second);
}
END_TEST

START_TEST(a_dying_test_leaves_nothing)
{
	char path[128] = "";
	struct stat st;
	int fds[2], port;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct postgres *p = postgres_new(&(struct postgres_options){.tls = true});

		port = postgres_port(p);
		if (write(fds[1], &port, sizeof port) == sizeof port)
			dprintf(fds[1], "%s", postgres_certificate(p));
		kill(getpid(), SIGKILL);
	}
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], &port, sizeof port), sizeof port);
	ck_assert_int_gt(read(fds[0], path, sizeof path - 1), 0);
	close(fds[0]);
	*strrchr(path, '/') = '\0';
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(raw_refused(port));
	for (int i = 0; stat(path, &st) == 0 || errno != ENOENT; i++) {
		ck_assert_msg(i < 1000, "%s is still there", path);
		free(shell("sleep 0.01"));
	}
}
END_TEST

/* The suite. */
static Suite *
postgres_suite(void)
{
	const TTest *const tests[] = {
	    who_logs_in_owns_the_databases_but_makes_none,
	    what_is_committed_outlives_a_kill,
	    a_password_is_asked_for,
	    tls_is_asked_for,
	    a_paused_server_hangs_and_goes_on,
	    a_standby_takes_over_with_all_that_was_acknowledged,
	    a_dying_test_leaves_nothing,
	    NULL,
	};

	return unit_suite("postgres", tests);
}

UNIT_MAIN_IF(postgres_possible(), postgres_suite)
