#include "config.h"

#include "base/log.h"
#include "base/log_line.h"
#include "base/log_writer.h"
#include "base/mem.h"
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

Suite *log_suite(void);

/* The line of an event with one field, without the time before it. */
static const char *
line_of(bool json, const char *value)
{
	const struct log_field fields[] = {LOG_S("k", value), LOG_END};
	static struct log_line l;

	log_line_make(&l, json, 0, LOG_LEVEL_WARN, "e", fields);
	ck_assert_int_eq(l.text[l.len - 1], '\n');
	l.text[l.len - 1] = '\0';
	return strstr(l.text, "warn");
}

START_TEST(a_line_is_one_object_whatever_a_value_holds)
{
	ck_assert_str_eq(line_of(true, "a\"b\\c\n\t\x7f"),
	    "warn\",\"event\":\"e\",\"k\":\"a\\\"b\\\\c\\u000a\\u0009\\u007f\"}");
	ck_assert_str_eq(line_of(true, "é€😀"), "warn\",\"event\":\"e\",\"k\":\"é€😀\"}");
	/* a lone byte, too long a form, a surrogate, a C1 control, a character that ends early */
	ck_assert_str_eq(line_of(true, "\xff|\xc0\xaf|\xed\xa0\x80|\xc2\x9b|\xe2\x82"),
	    "warn\",\"event\":\"e\",\"k\":\"\\ufffd|\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd|"
	    "\\ufffd\\ufffd|\\ufffd\\ufffd\"}");
}
END_TEST

START_TEST(text_for_a_terminal_is_quoted_where_it_could_mislead)
{
	ck_assert_str_eq(line_of(false, "plain-1.2:3/x"), "warn  e k=plain-1.2:3/x");
	ck_assert_str_eq(line_of(false, ""), "warn  e k=\"\"");
	ck_assert_str_eq(line_of(false, "a b"), "warn  e k=\"a b\"");
	ck_assert_str_eq(line_of(false, "a=b"), "warn  e k=\"a=b\"");
	ck_assert_str_eq(line_of(false, "\x1b[2J"), "warn  e k=\"\\u001b[2J\"");
	ck_assert_str_eq(line_of(false, "\xc2\x9b"), "warn  e k=\"\\ufffd\\ufffd\"");
}
END_TEST

START_TEST(numbers_and_times_have_their_form)
{
	const struct log_field fields[] = {LOG_I("a", 0), LOG_I("b", -3), LOG_I("c", INT64_MIN),
	    LOG_MS("d", 0), LOG_MS("e", 7), LOG_MS("f", 1234567), LOG_MS("g", -1), LOG_END};
	struct log_line l;

	log_line_make(&l, true, 1700000000123, LOG_LEVEL_INFO, "n", fields);
	l.text[l.len] = '\0';
	ck_assert_str_eq(l.text,
	    "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\",\"event\":\"n\",\"a\":0,"
	    "\"b\":-3,\"c\":-9223372036854775808,\"d\":0.000,\"e\":0.007,\"f\":1234.567,"
	    "\"g\":-0.001}\n");
}
END_TEST

START_TEST(a_line_that_is_too_long_stays_well_formed)
{
	char longer[LOG_LINE_MAX + 100];
	struct log_line l;

	for (int shift = 0; shift < 8; shift++) { /* the cut comes at every place of an escape */
		const struct log_field fields[] = {LOG_S("pad", "xxxxxxxx" + shift),
		    LOG_S("text", longer), LOG_S("more", "is left out"), LOG_END};

		memset(longer, '\n', sizeof longer - 1);
		longer[sizeof longer - 1] = '\0';
		log_line_make(&l, true, 0, LOG_LEVEL_INFO, "long", fields);
		ck_assert_uint_le(l.len, LOG_LINE_SIZE);
		ck_assert(memcmp(l.text + l.len - 9, "\\u000a\"}\n", 9) == 0);
	}
}
END_TEST

/* Reads what is in a pipe within a bound; fails when nothing comes. */
static size_t
drain(int fd, char *out, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	ck_assert_int_eq(poll(&p, 1, 10000), 1);
	n = read(fd, out, size - 1);
	ck_assert_int_gt(n, 0);
	out[n] = '\0';
	return (size_t)n;
}

START_TEST(lines_below_the_level_are_not_written)
{
	char out[1024];
	struct log *l;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	l = log_new(fds[1], LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	ck_assert(!log_wants(l, LOG_LEVEL_DEBUG) && log_wants(l, LOG_LEVEL_INFO));
	ck_assert(!log_wants(NULL, LOG_LEVEL_ERROR));
	log_debug(l, "not shown", LOG_I("n", 1));
	log_info(l, "shown", LOG_I("n", 2));
	drain(fds[0], out, sizeof out);
	ck_assert_ptr_null(strstr(out, "not shown"));
	ck_assert_ptr_nonnull(strstr(out, "\"event\":\"shown\",\"n\":2}\n"));
	log_free(l);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* How often a text stands in another. */
static unsigned
occurrences(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

/* How many lines were dropped, by the lines that tell it. */
static uint64_t
told(const char *text)
{
	uint64_t n = 0;

	while ((text = strstr(text, "log lines were dropped")) != NULL) {
		text = strstr(text, "\"lines\":");
		if (text == NULL)
			break;
		n += strtoull(text + 8, NULL, 10);
	}
	return n;
}

START_TEST(a_reader_that_stops_makes_nobody_wait_and_is_told_what_it_missed)
{
	static char out[4 << 20];
	unsigned written = 0;
	uint64_t dropped;
	struct fail fail;
	struct log *l;
	size_t len = 0;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	l = log_new(fds[1], LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	ck_assert_int_eq(log_start(l, &fail), 0);
	/* The pipe takes 64 KiB and the writer two buffers; this is more than all of them. */
	for (; written < 40000; written++)
		log_info(l, "a line of some length, so that the buffers are full soon",
		    LOG_I("n", written));
	dropped = log_dropped(l);
	ck_assert_uint_gt(dropped, 0);
	ck_assert_uint_lt(dropped, written);
	do
		len += drain(fds[0], out + len, sizeof out - len);
	while (out[len - 1] != '\n' || told(out) < dropped);
	ck_assert_uint_eq(told(out), dropped);
	ck_assert_uint_eq(occurrences(out, "a line of some length"), written - dropped);
	log_free(l);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(a_reader_that_never_comes_back_does_not_hold_up_the_end)
{
	char fill[4096] = "";
	struct fail fail;
	struct log *l;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	while (write(fds[1], fill, sizeof fill) > 0)
		;
	fcntl(fds[1], F_SETFL, 0);
	l = log_new(fds[1], LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	ck_assert_int_eq(log_start(l, &fail), 0);
	log_plain(l, LOG_LEVEL_ERROR, "nobody reads this");
	log_free(l); /* comes back */
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* What a file holds. */
static char *
contents(const char *path)
{
	static char out[65536];
	FILE *f = fopen(path, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(out, 1, sizeof out - 1, f);
	out[n] = '\0';
	fclose(f);
	return out;
}

START_TEST(a_file_that_was_moved_away_is_opened_again)
{
	char dir[] = "/tmp/log_testXXXXXX", path[64], moved[64];
	struct fail fail;
	struct log *l;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/log", dir);
	snprintf(moved, sizeof moved, "%s/log.1", dir);
	l = log_new_file(path, LOG_LEVEL_INFO, LOG_FORMAT_AUTO, &fail);
	ck_assert_ptr_nonnull(l);
	ck_assert_int_eq(log_start(l, &fail), 0);
	log_plain(l, LOG_LEVEL_INFO, "before");
	ck_assert_int_eq(rename(path, moved), 0);
	log_reopen(l);
	for (int i = 0; access(path, F_OK) != 0; i++) { /* made by the writer */
		ck_assert_int_lt(i, 10000);
		poll(NULL, 0, 1);
	}
	log_plain(l, LOG_LEVEL_INFO, "after");
	log_free(l);
	ck_assert_ptr_nonnull(strstr(contents(path), "\"event\":\"after\""));
	/* What was logged before the file was opened again is in one of the two. */
	ck_assert(strstr(contents(path), "before") != NULL ||
	    strstr(contents(moved), "before") != NULL);
	unlink(path);
	unlink(moved);
	rmdir(dir);
	ck_assert_ptr_null(log_new_file("/nowhere/at/all", LOG_LEVEL_INFO, LOG_FORMAT_AUTO, &fail));
	ck_assert_str_eq(fail.text,
	    "log.file /nowhere/at/all cannot be written: No such file or directory");
}
END_TEST

START_TEST(a_disk_without_room_costs_lines_and_nothing_else)
{
	int fd = open("/dev/full", O_WRONLY);
	struct fail fail;
	struct log *l;

	ck_assert_int_ge(fd, 0);
	l = log_new(fd, LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	ck_assert_int_eq(log_start(l, &fail), 0);
	log_plain(l, LOG_LEVEL_ERROR, "lost");
	for (int i = 0; log_dropped(l) != 1; i++) {
		ck_assert_int_lt(i, 10000);
		poll(NULL, 0, 1);
	}
	log_free(l);
	close(fd);
}
END_TEST

/* Has the process write files of at most so many bytes. */
static void
limit_files(rlim_t bytes)
{
	struct rlimit r;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

START_TEST(a_line_that_was_cut_spoils_no_other)
{
	char dir[] = "/tmp/log_testXXXXXX", path[64], *all;
	struct fail fail;
	struct log *l;
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/log", dir);
	f = fopen(path, "w"); /* as a process leaves it that was killed */
	fputs("{\"tim", f);
	fclose(f);
	signal(SIGXFSZ, SIG_IGN);
	l = log_new_file(path, LOG_LEVEL_INFO, LOG_FORMAT_JSON, &fail);
	ck_assert_ptr_nonnull(l);
	ck_assert_int_eq(log_start(l, &fail), 0);
	limit_files(20);
	log_plain(l, LOG_LEVEL_ERROR, "lost");
	for (int i = 0; log_dropped(l) != 1; i++) {
		ck_assert_int_lt(i, 10000);
		poll(NULL, 0, 1);
	}
	limit_files(RLIM_INFINITY);
	log_plain(l, LOG_LEVEL_ERROR, "after");
	log_free(l);
	all = contents(path);
	ck_assert_msg(strncmp(all, "{\"tim\n{\"time\":\"20", 17) == 0, "%s", all);
	ck_assert_msg(all[20] == '\n' && strncmp(all + 21, "{\"time\":\"", 9) == 0, "%s", all);
	ck_assert_ptr_null(strstr(all, "lost"));
	ck_assert_ptr_nonnull(strstr(all, "\"event\":\"after\"}\n{"));
	ck_assert_ptr_nonnull(strstr(all, "log lines were dropped"));
	unlink(path);
	rmdir(dir);
}
END_TEST

/* Tests of the log. */
Suite *
log_suite(void)
{
	const TTest *const tests[] = {
	    a_line_is_one_object_whatever_a_value_holds,
	    text_for_a_terminal_is_quoted_where_it_could_mislead,
	    numbers_and_times_have_their_form,
	    a_line_that_is_too_long_stays_well_formed,
	    lines_below_the_level_are_not_written,
	    a_reader_that_stops_makes_nobody_wait_and_is_told_what_it_missed,
	    a_reader_that_never_comes_back_does_not_hold_up_the_end,
	    a_file_that_was_moved_away_is_opened_again,
	    a_disk_without_room_costs_lines_and_nothing_else,
	    a_line_that_was_cut_spoils_no_other,
	    NULL,
	};

	return unit_suite("log", tests);
}
