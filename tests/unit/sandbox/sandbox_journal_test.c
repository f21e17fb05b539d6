#include "config.h"

#include "sandbox_test.h"
#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define HEAD \
	"{\"org_id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\",\"last_us\":1,\"deleted\":0}\n"

/* Opens the service on a journal, or says why that fails. */
static bool
open_on(struct rig *r, const char *journal, struct fail *fail)
{
	struct sandbox_options o = {.journal = journal};

	r->loop = loop_new_fake(RIG_WALL);
	r->service = sandbox_service_new(r->loop, &o, fail);
	if (r->service == NULL) {
		loop_free(r->loop);
		return false;
	}
	ck_assert_int_eq(sscanf(sandbox_service_url(r->service), "http://127.0.0.1:%d", &r->port),
	    1);
	return true;
}

/* Opens what must open. */
static void
reopen(struct rig *r, const char *journal)
{
	struct fail fail;

	ck_assert_msg(open_on(r, journal, &fail), "%s", fail.text);
}

/* Everything that the service keeps. */
static char *
state_of(struct rig *r)
{
	struct reply reply = fetch(r, "GET", "/__sandbox/state", NULL);
	char *text = mem_string(reply.body);

	reply_free(&reply);
	return text;
}

/* The size of a file. */
static long long
size_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return (long long)st.st_size;
}

/* Does some of everything. */
static void
fill(struct rig *r, char last[UUID_SIZE])
{
	char id[UUID_SIZE], path[128];
	struct reply reply;

	make_persona(r, 7, "\\u0000\\u0001\xf0\x9f\x98\x80\\n\\\"", id);
	make_persona(r, 7, "gone", id);
	snprintf(path, sizeof path, "/v1/customer-persona/%s", id);
	fetch_done(r, "DELETE", path, NULL);
	fetch_done(r, "POST", "/v1/create-customer-persona",
	    "{\"name\":\"none\",\"description\":\"\",\"goal\":\"\"}");
	make_persona(r, 7, "changed", last);
	snprintf(path, sizeof path, "/v1/update-customer-persona/%s", last);
	fetch_done(r, "PUT", path, "{\"goal\":\"new\"}");
	fetch_done(r, "POST", "/v1/create-community", "{\"title\":\"null\"}");
	reply = fetch(r, "POST", "/v1/create-community",
	    "{\"title\":\"t\",\"description\":\"d\",\"digital_human_ids\":[-1,9007199254740993]}");
	snprintf(path, sizeof path, "/v1/add-to-community/%s", dig_text(reply.json, "id"));
	reply_free(&reply);
	fetch_done(r, "PUT", path, "{\"digital_human_ids\":[5]}");
}

START_TEST(a_new_start_finds_everything_as_it_was)
{
	char *journal = scratch_file(), *before, *after, id[UUID_SIZE];
	struct reply list;
	struct rig r;

	reopen(&r, journal);
	fill(&r, id);
	before = state_of(&r);
	rig_close(&r);
	for (int i = 0; i < 2; i++) { /* from the changes, then from the compact file */
		reopen(&r, journal);
		after = state_of(&r);
		ck_assert_str_eq(after, before);
		ck_assert_ptr_nonnull(strstr(after, "\"deleted\":1"));
		free(after);
		list = fetch(&r, "GET", "/v1/customer-personas-by-agent/7", NULL);
		ck_assert_uint_eq(json_object_array_length(list.json), 2);
		ck_assert_str_eq(dig_text(list.json, "1.id"), id);
		reply_free(&list);
		rig_close(&r);
	}
	free(before);
	scratch_remove(journal);
}
END_TEST

START_TEST(times_go_on_increasing_after_a_start)
{
	char *journal = scratch_file(), id[UUID_SIZE], path[128];
	struct reply first, second;
	struct rig r;

	reopen(&r, journal);
	make_persona(&r, 7, "a", id);
	snprintf(path, sizeof path, "/v1/customer-persona/%s", id);
	first = fetch(&r, "DELETE", path, NULL);
	rig_close(&r);
	reopen(&r, journal);
	rig_close(&r);
	reopen(&r, journal);
	second = fetch(&r, "POST", "/v1/create-customer-persona",
	    "{\"name\":\"b\",\"description\":\"\",\"goal\":\"\"}");
	ck_assert_int_gt(
	    strcmp(dig_text(second.json, "created_at"), dig_text(first.json, "created_at")), 0);
	ck_assert_str_eq(dig_text(second.json, "org_id"), dig_text(first.json, "org_id"));
	reply_free(&first);
	reply_free(&second);
	rig_close(&r);
	scratch_remove(journal);
}
END_TEST

/* Reads a whole file. */
static char *
read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *bytes;

	*len = (size_t)size_of(path);
	bytes = mem_zero(1, *len + 1);
	ck_assert_uint_eq(fread(bytes, 1, *len, f), *len);
	fclose(f);
	return bytes;
}

/* Makes the file anew with these bytes. */
static void
write_file(const char *path, const char *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(a_torn_last_line_is_dropped_wherever_it_was_torn)
{
	char *journal = scratch_file(), *before, *whole, *after, id[UUID_SIZE];
	size_t kept, size;
	struct rig r;

	reopen(&r, journal);
	make_persona(&r, 7, "kept", id);
	before = state_of(&r);
	kept = (size_t)size_of(journal);
	make_persona(&r, 7, "torn", id);
	rig_close(&r);
	whole = read_file(journal, &size);
	for (size_t cut = kept; cut < size; cut += 11) {
		write_file(journal, whole, cut);
		reopen(&r, journal);
		after = state_of(&r);
		ck_assert_str_eq(after, before);
		free(after);
		make_persona(&r, 7, "later", id);
		rig_close(&r);
		reopen(&r, journal);
		after = state_of(&r);
		ck_assert_ptr_nonnull(strstr(after, "\"later\""));
		free(after);
		rig_close(&r);
	}
	free(before);
	free(whole);
	scratch_remove(journal);
}
END_TEST

START_TEST(a_file_that_is_no_journal_is_refused_and_left_alone)
{
	static const char *const bad[] = {
		"hello\n",
		"{}\n",
		"{\"reset\":true}\n",
		"{\"org_id\":\"x\",\"last_us\":1,\"deleted\":0}\n",
		HEAD
		"{\"persona\":{}}\n",
		HEAD
		"{\"community\":{\"id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052b\",\"created_us\":1,"
		"\"title\":\"t\",\"description\":null,\"digital_human_ids\":[\"1\"]}}\n",
		HEAD
		"\n{\"reset\":true}\n",
	};
	char *journal = scratch_file(), *left;
	struct fail fail;
	struct rig r;
	size_t len;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		write_file(journal, bad[i], strlen(bad[i]));
		ck_assert_msg(!open_on(&r, journal, &fail), "%s", bad[i]);
		ck_assert_ptr_nonnull(strstr(fail.text, journal));
		ck_assert_ptr_nonnull(strstr(fail.text, "line "));
		left = read_file(journal, &len);
		ck_assert_str_eq(left, bad[i]);
		free(left);
	}
	scratch_remove(journal);
}
END_TEST

START_TEST(a_journal_belongs_to_one_at_a_time)
{
	char *journal = scratch_file();
	struct rig first, second;
	struct fail fail;

	reopen(&first, journal);
	ck_assert(!open_on(&second, journal, &fail));
	ck_assert_ptr_nonnull(strstr(fail.text, "used by another program"));
	rig_close(&first);
	reopen(&second, journal);
	rig_close(&second);
	ck_assert(!open_on(&second, "/nonexistent/journal", &fail));
	ck_assert_ptr_nonnull(strstr(fail.text, "/nonexistent/journal"));
	scratch_remove(journal);
}
END_TEST

START_TEST(the_file_is_compacted_at_the_start_and_only_its_owner_reads_it)
{
	char *journal = scratch_file(), id[UUID_SIZE], path[128];
	struct stat st;
	struct rig r;
	long long before;

	reopen(&r, journal);
	make_persona(&r, 7, "a", id);
	snprintf(path, sizeof path, "/v1/update-customer-persona/%s", id);
	for (int i = 0; i < 50; i++)
		fetch_done(&r, "PUT", path, "{\"goal\":\"again\"}");
	rig_close(&r);
	before = size_of(journal);
	reopen(&r, journal);
	ck_assert_int_lt(size_of(journal) * 10, before);
	ck_assert_int_eq(stat(journal, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	rig_close(&r);
	scratch_remove(journal);
}
END_TEST

START_TEST(a_change_that_cannot_be_written_is_refused_and_undone)
{
	char *journal = scratch_file(), *before, *after, id[UUID_SIZE], path[128];
	struct rlimit limit, free_limit;
	struct reply reply;
	struct rig r;

	signal(SIGXFSZ, SIG_IGN);
	reopen(&r, journal);
	make_persona(&r, 7, "a", id);
	before = state_of(&r);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &free_limit), 0);
	limit = free_limit;
	limit.rlim_cur = (rlim_t)size_of(journal) + 20; /* room for a part of a line */
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	reply = fetch(&r, "POST", "/v1/create-customer-persona",
	    "{\"name\":\"b\",\"description\":\"\",\"goal\":\"\"}");
	ck_assert_int_eq(reply.status, 500);
	ck_assert_str_eq(reply.body, "{\"detail\":\"The sandbox cannot write its journal\"}");
	reply_free(&reply);
	snprintf(path, sizeof path, "/v1/customer-persona/%s", id);
	reply = fetch(&r, "DELETE", path, NULL);
	ck_assert_int_eq(reply.status, 500);
	reply_free(&reply);
	after = state_of(&r);
	ck_assert_str_eq(after, before);
	free(after);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &free_limit), 0);
	make_persona(&r, 7, "later", id);
	free(before);
	before = state_of(&r);
	rig_close(&r);
	reopen(&r, journal);
	after = state_of(&r);
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
	rig_close(&r);
	scratch_remove(journal);
}
END_TEST

START_TEST(a_reset_is_kept_too)
{
	char *journal = scratch_file(), *after, id[UUID_SIZE];
	struct rig r;

	reopen(&r, journal);
	fill(&r, id);
	fetch_done(&r, "POST", "/__sandbox/reset", NULL);
	make_persona(&r, 7, "only", id);
	rig_close(&r);
	reopen(&r, journal);
	after = state_of(&r);
	ck_assert_ptr_nonnull(strstr(after, "\"deleted\":0"));
	ck_assert_ptr_nonnull(strstr(after, "\"only\""));
	ck_assert_ptr_null(strstr(after, "\"changed\""));
	free(after);
	rig_close(&r);
	scratch_remove(journal);
}
END_TEST

/* The tests. */
Suite *
suite_journal(void)
{
	const TTest *const tests[] = {
		a_new_start_finds_everything_as_it_was,
		times_go_on_increasing_after_a_start,
		a_torn_last_line_is_dropped_wherever_it_was_torn,
		a_file_that_is_no_journal_is_refused_and_left_alone,
		a_journal_belongs_to_one_at_a_time,
		the_file_is_compacted_at_the_start_and_only_its_owner_reads_it,
		a_change_that_cannot_be_written_is_refused_and_undone,
		a_reset_is_kept_too,
		NULL,
	};

	return unit_suite("sandbox journal", tests);
}
