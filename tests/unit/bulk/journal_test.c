#include "config.h"

#include "bulk/bulk_item.h"
#include "bulk/bulk_journal.h"
#include "bulk_test.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fail f;

/* A digest for a number. */
static const unsigned char *
digest(int n)
{
	static unsigned char out[BULK_DIGEST_SIZE];

	bulk_digest(&n, sizeof n, out);
	return out;
}

/* Opens the journal. */
static struct bulk_journal *
open_it(void)
{
	return bulk_journal_open(scratch_path("j"), false, "file", "site", &f);
}

/* Adds to the file. */
static void
append_text(const char *text)
{
	FILE *out = fopen(scratch_path("j"), "a");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

START_TEST(another_run_knows_what_is_done)
{
	struct bulk_journal *j = open_it();
	char run[64];

	ck_assert_msg(j != NULL, "%s", f.text);
	ck_assert_uint_eq(bulk_journal_count(j), 0);
	strcpy(run, bulk_journal_run(j));
	bulk_journal_add(j, digest(1), "created", "a\0b", 3, "id-1");
	bulk_journal_add(j, digest(2), "same", "c", 1, NULL);
	ck_assert_int_eq(bulk_journal_sync(j, &f), 0);
	bulk_journal_add(j, digest(3), "created", "not synced", 10, NULL);
	bulk_journal_close(j);
	j = open_it();
	ck_assert_msg(j != NULL, "%s", f.text);
	ck_assert_str_eq(bulk_journal_run(j), run);
	ck_assert_uint_eq(bulk_journal_count(j), 2);
	ck_assert(bulk_journal_has(j, digest(1)));
	ck_assert(bulk_journal_has(j, digest(2)));
	ck_assert(!bulk_journal_has(j, digest(3)));
	bulk_journal_close(j);
	ck_assert_ptr_nonnull(strstr(file_text(scratch_path("j")), "\"outcome\":\"created\",\"name\":\"a\\u0000b\","
	    "\"id\":\"id-1\"}\n"));
	scratch_remove();
}
END_TEST

START_TEST(the_run_is_on_the_disk_before_anything_else)
{
	struct bulk_journal *j = open_it();
	struct stat st;

	ck_assert_ptr_nonnull(strstr(file_text(scratch_path("j")), bulk_journal_run(j)));
	ck_assert_int_eq(stat(scratch_path("j"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	bulk_journal_close(j);
	scratch_remove();
}
END_TEST

START_TEST(a_crash_in_a_line_loses_that_line_alone)
{
	struct bulk_journal *j = open_it();
	struct stat st;
	off_t whole;

	bulk_journal_add(j, digest(1), "created", "a", 1, NULL);
	ck_assert_int_eq(bulk_journal_sync(j, &f), 0);
	stat(scratch_path("j"), &st);
	whole = st.st_size;
	bulk_journal_add(j, digest(2), "created", "b", 1, NULL);
	ck_assert_int_eq(bulk_journal_sync(j, &f), 0);
	bulk_journal_close(j);
	stat(scratch_path("j"), &st);
	for (off_t cut = st.st_size - 1; cut >= whole; cut--) {
		ck_assert_int_eq(truncate(scratch_path("j"), cut), 0);
		if (cut == whole) /* half a line that is not its own, but where one of its own was */
			append_text("{\"item\":\"");
		j = open_it();
		ck_assert_msg(j != NULL, "%s", f.text);
		ck_assert_uint_eq(bulk_journal_count(j), 1);
		bulk_journal_close(j);
	}
	j = open_it();
	bulk_journal_add(j, digest(3), "created", "c", 1, NULL);
	ck_assert_int_eq(bulk_journal_sync(j, &f), 0);
	bulk_journal_close(j);
	j = open_it();
	ck_assert_uint_eq(bulk_journal_count(j), 2);
	bulk_journal_close(j);
	scratch_remove();
}
END_TEST

START_TEST(what_is_not_its_own_stays_untouched)
{
	static const char *const texts[] = {"notes of mine, without an end", "{\"a\":1}\n{\"b\"", "{\"a\":1}\n",
	    "[1,2]\n", "\n\n"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		FILE *out = fopen(scratch_path("j"), "w");

		fputs(texts[i], out);
		fclose(out);
		if (strcmp(texts[i], "\n\n") != 0) {
			ck_assert_ptr_null(open_it());
			ck_assert_ptr_nonnull(strstr(f.text, "is not a journal of this program"));
			ck_assert_str_eq(file_text(scratch_path("j")), texts[i]);
		}
	}
	scratch_remove();
}
END_TEST

START_TEST(another_import_needs_another_journal)
{
	bulk_journal_close(open_it());
	ck_assert_ptr_null(bulk_journal_open(scratch_path("j"), false, "file", "other", &f));
	ck_assert_ptr_nonnull(strstr(f.text, "another journal"));
	ck_assert_ptr_null(bulk_journal_open(scratch_path("j"), false, "other", "site", &f));
	ck_assert_ptr_null(bulk_journal_open(scratch_path("no/j"), false, "file", "site", &f));
	ck_assert_ptr_nonnull(strstr(f.text, "cannot be opened: No such file"));
	scratch_remove();
}
END_TEST

START_TEST(one_run_at_a_time_uses_it)
{
	struct bulk_journal *j = open_it();

	ck_assert_ptr_null(open_it());
	ck_assert_ptr_nonnull(strstr(f.text, "is used by an import that runs"));
	bulk_journal_close(j);
	j = open_it();
	ck_assert_ptr_nonnull(j);
	bulk_journal_close(j);
	scratch_remove();
}
END_TEST

START_TEST(a_look_changes_nothing)
{
	struct bulk_journal *j = bulk_journal_open(scratch_path("j"), true, "file", "site", &f), *look;
	char before[4096];

	ck_assert_msg(j != NULL, "%s", f.text); /* there is none: nothing is done */
	ck_assert_uint_eq(bulk_journal_count(j), 0);
	bulk_journal_close(j);
	ck_assert_int_eq(access(scratch_path("j"), F_OK), -1);
	j = open_it();
	bulk_journal_add(j, digest(1), "created", "a", 1, NULL);
	ck_assert_int_eq(bulk_journal_sync(j, &f), 0);
	append_text("{\"item\":\"half a li");
	snprintf(before, sizeof before, "%s", file_text(scratch_path("j")));
	look = bulk_journal_open(scratch_path("j"), true, "file", "site", &f); /* also while one runs */
	ck_assert_msg(look != NULL, "%s", f.text);
	ck_assert(bulk_journal_has(look, digest(1)));
	bulk_journal_close(look);
	ck_assert_ptr_null(bulk_journal_open(scratch_path("j"), true, "file", "other", &f));
	bulk_journal_close(j);
	ck_assert_str_eq(file_text(scratch_path("j")), before);
	scratch_remove();
}
END_TEST

START_TEST(a_full_disk_is_told_and_loses_nothing_that_was_noted)
{
	struct bulk_journal *j = open_it();
	struct stat st;
	struct rlimit limit;
	int rc;

	bulk_journal_add(j, digest(1), "created", "a", 1, NULL);
	ck_assert_int_eq(bulk_journal_sync(j, &f), 0);
	stat(scratch_path("j"), &st);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	bulk_journal_add(j, digest(2), "created", "b", 1, NULL);
	limit.rlim_cur = (rlim_t)st.st_size + 10;
	setrlimit(RLIMIT_FSIZE, &limit); /* no assertion until it is gone: they write, too */
	rc = bulk_journal_sync(j, &f);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_int_eq(rc, -1);
	ck_assert_ptr_nonnull(strstr(f.text, "cannot be written: File too large"));
	ck_assert_int_eq(bulk_journal_sync(j, &f), -1); /* half a line may be there */
	bulk_journal_close(j);
	j = open_it();
	ck_assert_msg(j != NULL, "%s", f.text);
	ck_assert_uint_eq(bulk_journal_count(j), 1);
	bulk_journal_close(j);
	scratch_remove();
}
END_TEST

/* The suite. */
Suite *
journal_suite(void)
{
	const TTest *const tests[] = {another_run_knows_what_is_done,
	    the_run_is_on_the_disk_before_anything_else, a_crash_in_a_line_loses_that_line_alone,
	    what_is_not_its_own_stays_untouched, another_import_needs_another_journal,
	    one_run_at_a_time_uses_it, a_look_changes_nothing,
	    a_full_disk_is_told_and_loses_nothing_that_was_noted, NULL};

	return unit_suite("journal", tests);
}
