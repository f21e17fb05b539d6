#include "config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "bulk/bulk_reader.h"
#include "bulk_test.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX 64 /* bytes of a piece in these tests */

/* Appends what a reader gives: "<piece>@line ", "LONG@line ", "END", "WAIT", "why@line". */
static void
read_all(struct bulk_reader *r, struct buf *out)
{
	struct bulk_piece p;
	enum bulk_read got;

	for (;;) {
		got = bulk_reader_next(r, &p);
		if (got == BULK_READ_PIECE)
			buf_addf(out, "<%.*s>@%llu ", (int)p.len, p.text, (unsigned long long)p.line);
		else if (got == BULK_READ_LONG)
			buf_addf(out, "LONG@%llu ", (unsigned long long)p.line);
		else
			break;
	}
	if (got == BULK_READ_BROKEN)
		buf_addf(out, "%s@%llu", p.why, (unsigned long long)p.line);
	else
		buf_adds(out, got == BULK_READ_END ? "END" : "WAIT");
}

/* Reads a text whole. */
static char *
read_text(const char *text, size_t len, enum bulk_form form)
{
	int fd = text_file(text, len);
	struct bulk_reader *r = bulk_reader_new(fd, form, MAX);
	struct buf out;

	buf_init(&out, 0);
	read_all(r, &out);
	bulk_reader_free(r);
	close(fd);
	return buf_take(&out, NULL);
}

/* Fails unless a text is read so. */
static void
expect(const char *text, enum bulk_form form, const char *expected)
{
	char *got = read_text(text, strlen(text), form);

	ck_assert_msg(strcmp(got, expected) == 0, "%s\nis read as %s\nnot as  %s", text, got, expected);
	free(got);
}

START_TEST(lines_are_given_with_their_numbers)
{
	expect("{\"a\":1}\n{\"b\":2}\n", BULK_FORM_AUTO, "<{\"a\":1}>@1 <{\"b\":2}>@2 END");
	expect("{\"a\":1}\n\n  \n{\"b\":2}", BULK_FORM_AUTO, "<{\"a\":1}>@1 <{\"b\":2}>@4 END");
	expect("{\"a\":1}\r\n{\"b\":2}\r\n", BULK_FORM_AUTO, "<{\"a\":1}>@1 <{\"b\":2}>@2 END");
	expect("\xef\xbb\xbf{\"a\":1}\n", BULK_FORM_AUTO, "<{\"a\":1}>@1 END");
	expect("\n\n{\"a\":1}\n", BULK_FORM_AUTO, "<{\"a\":1}>@3 END");
	expect("", BULK_FORM_AUTO, "END");
	expect(" \n ", BULK_FORM_AUTO, "END");
}
END_TEST

START_TEST(a_broken_line_spoils_only_itself)
{
	expect("{\"a\":1}\n{\"b\n]\n{\"c\":3}\n", BULK_FORM_AUTO, "<{\"a\":1}>@1 <{\"b>@2 <]>@3 <{\"c\":3}>@4 END");
	expect("{\"a\":}\n{\"c\":3}\n", BULK_FORM_AUTO, "<{\"a\":}>@1 <{\"c\":3}>@2 END");
	expect("nonsense\n{\"c\":3}\n", BULK_FORM_LINES, "<nonsense>@1 <{\"c\":3}>@2 END");
}
END_TEST

START_TEST(a_long_line_is_passed_over)
{
	char *text = mem_format("{\"a\":1}\n{\"b\":\"%0300d\"}\n{\"c\":3}\n{\"d\":\"%0300d\"}", 1, 2);

	expect(text, BULK_FORM_AUTO, "<{\"a\":1}>@1 LONG@2 <{\"c\":3}>@3 LONG@4 END");
	free(text);
}
END_TEST

START_TEST(lists_are_taken_apart)
{
	expect("[]", BULK_FORM_AUTO, "END");
	expect("[{\"a\":1}]", BULK_FORM_AUTO, "<{\"a\":1}>@1 END");
	expect("[\n  {\"a\": [1, {\"]\": \"}\\\"]\"}]},\n  {\n\"b\": 2}\n]\n", BULK_FORM_AUTO,
	    "<{\"a\": [1, {\"]\": \"}\\\"]\"}]}>@2 <{\n\"b\": 2}>@3 END");
	expect("[1, \"x,y\", true , null]", BULK_FORM_AUTO, "<1>@1 <\"x,y\">@1 <true>@1 <null>@1 END");
	expect("[{\"a\":\"\xff\"},{\"b\":2}]", BULK_FORM_AUTO, "<{\"a\":\"\xff\"}>@1 <{\"b\":2}>@1 END");
}
END_TEST

START_TEST(an_object_around_the_list_is_passed_over)
{
	expect("{\"personas\":[{\"a\":1},{\"b\":2}]}", BULK_FORM_AUTO, "<{\"a\":1}>@1 <{\"b\":2}>@1 END");
	expect("{\n \"version\": 2, \"scenarios\": [{\"personas\": [9]}],\n \"personas\": [\n  {\"a\":1}\n ],\n"
	    " \"more\": \"[\" }\n", BULK_FORM_AUTO, "<{\"a\":1}>@4 END");
	expect("{\n}", BULK_FORM_AUTO, "it has no list \"personas\"@2");
	expect("{\n\"personas\": {}}", BULK_FORM_AUTO, "its member \"personas\" is not a list@2");
	expect("{\n\"personas\": [], \"personas\": []}", BULK_FORM_AUTO, "it has two lists \"personas\"@2");
	expect("{\"x\": 1,}", BULK_FORM_JSON, "a member's name is expected@1");
	expect("{\"x\" 1}", BULK_FORM_JSON, "a colon is expected@1");
	expect("{\"x\": 1 2}", BULK_FORM_JSON, "a comma or the end of the object is expected@1");
}
END_TEST

START_TEST(a_large_object_around_the_list_needs_no_memory)
{
	char *text = mem_format("{\"blob\":\"%0200000d\",\"personas\":[{\"a\":1},{\"b\":\"%0200000d\"},{\"c\":3}]}",
	    1, 2);

	expect(text, BULK_FORM_AUTO, "<{\"a\":1}>@1 LONG@1 <{\"c\":3}>@1 END");
	free(text);
}
END_TEST

START_TEST(what_is_no_list_is_refused_where_it_breaks)
{
	expect("[{\"a\":1}", BULK_FORM_AUTO, "<{\"a\":1}>@1 it ends too early@1");
	expect("[{\"a\":1},\n{\"b\"", BULK_FORM_AUTO, "<{\"a\":1}>@1 it ends within a persona@2");
	expect("[{\"a\":1},]", BULK_FORM_AUTO, "<{\"a\":1}>@1 a persona is expected@1");
	expect("[,]", BULK_FORM_AUTO, "a persona is expected@1");
	expect("[{\"a\":1} {\"b\":2}]", BULK_FORM_AUTO,
	    "<{\"a\":1}>@1 a comma or the end of the list is expected@1");
	expect("[{\"a\":1}]\nmore", BULK_FORM_AUTO, "<{\"a\":1}>@1 something follows its end@2");
	expect("name,description\n", BULK_FORM_AUTO,
	    "it is neither JSON lines nor JSON: it begins with neither { nor [@1");
	expect("\"x\"", BULK_FORM_JSON, "it is neither a list nor an object@1");
	expect("", BULK_FORM_JSON, "it is empty@1");
}
END_TEST

START_TEST(after_a_break_it_stays_broken)
{
	int fd = text_file("[,]", 3);
	struct bulk_reader *r = bulk_reader_new(fd, BULK_FORM_AUTO, MAX);
	struct bulk_piece p;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(bulk_reader_next(r, &p), BULK_READ_BROKEN);
		ck_assert_str_eq(p.why, "a persona is expected");
	}
	bulk_reader_free(r);
	close(fd);
}
END_TEST

/* A pipe that brings a text cut at one place gives what the whole text gives. */
static void
expect_cut(const char *text, size_t cut)
{
	char *whole = read_text(text, strlen(text), BULK_FORM_AUTO);
	struct bulk_reader *r;
	struct buf out;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	r = bulk_reader_new(fds[0], BULK_FORM_AUTO, MAX);
	buf_init(&out, 0);
	read_all(r, &out);
	ck_assert_str_eq(out.data, "WAIT");
	buf_clear(&out);
	if (cut > 0)
		ck_assert_int_eq(write(fds[1], text, cut), (ssize_t)cut);
	read_all(r, &out);
	ck_assert_msg(out.len >= 4 && strcmp(out.data + out.len - 4, "WAIT") == 0, "%s", out.data);
	out.len -= 4;
	ck_assert_int_eq(write(fds[1], text + cut, strlen(text) - cut), (ssize_t)(strlen(text) - cut));
	close(fds[1]);
	read_all(r, &out);
	ck_assert_msg(strcmp(out.data, whole) == 0, "cut at %zu: %s\nnot %s", cut, out.data, whole);
	bulk_reader_free(r);
	close(fds[0]);
	buf_free(&out);
	free(whole);
}

START_TEST(a_text_cut_anywhere_is_the_same_text)
{
	static const char *const texts[] = {"\xef\xbb\xbf{\"a\":1}\n\n{\"b\":\"\\\"\"}\n",
	    "[{\"a\":\"}\\\"\"}, 12 ,\n{\"b\":[1]}]\n",
	    "{\n\"x\": {\"personas\": 1},\n\"personas\": [{\"a\":1},2],\n \"y\": null}"};

	for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
		for (size_t cut = 0; cut < strlen(texts[t]); cut++)
			expect_cut(texts[t], cut);
}
END_TEST

START_TEST(places_in_the_file_are_told)
{
	const char *text = "[ {\"a\":1},\n{\"b\":2} ]";
	int fd = text_file(text, strlen(text));
	struct bulk_reader *r = bulk_reader_new(fd, BULK_FORM_AUTO, MAX);
	struct bulk_piece p;

	ck_assert_int_eq(bulk_reader_next(r, &p), BULK_READ_PIECE);
	ck_assert_int_eq(p.at, 2);
	ck_assert_int_eq(p.len, 7);
	ck_assert_int_eq(bulk_reader_next(r, &p), BULK_READ_PIECE);
	ck_assert_int_eq(p.at, 11);
	ck_assert_int_eq(bulk_reader_at(r), 18);
	bulk_reader_free(r);
	close(fd);
}
END_TEST

/* The peak of this process's memory, in KiB. */
static long
peak_kib(void)
{
	const char *status = file_text("/proc/self/status"), *at = strstr(status, "VmHWM:");

	ck_assert_ptr_nonnull(at);
	return atol(at + 6);
}

START_TEST(memory_does_not_grow_with_the_file)
{
	char path[] = "/tmp/bulk_test.XXXXXX", piece[1024];
	int fd = mkstemp(path);
	struct bulk_reader *r;
	struct bulk_piece p;
	long before, count = 0;

	unlink(path);
	memset(piece, 'x', sizeof piece);
	memcpy(piece, "[{\"a\":\"", 7);
	memcpy(piece + sizeof piece - 4, "\"}\n,", 4);
	ck_assert_int_eq(write(fd, piece, sizeof piece), (ssize_t)sizeof piece);
	piece[0] = ' ';
	for (int i = 0; i < 40000; i++)
		ck_assert_int_eq(write(fd, piece, sizeof piece), (ssize_t)sizeof piece);
	lseek(fd, 0, SEEK_SET);
	before = peak_kib();
	r = bulk_reader_new(fd, BULK_FORM_AUTO, 4096);
	while (bulk_reader_next(r, &p) == BULK_READ_PIECE)
		count++;
	ck_assert_int_eq(count, 40001);
	bulk_reader_free(r);
	close(fd);
	ck_assert_int_lt(peak_kib() - before, 2048);
}
END_TEST

/* The suite. */
Suite *
reader_suite(void)
{
	const TTest *const tests[] = {lines_are_given_with_their_numbers, a_broken_line_spoils_only_itself,
	    a_long_line_is_passed_over, lists_are_taken_apart, an_object_around_the_list_is_passed_over,
	    a_large_object_around_the_list_needs_no_memory, what_is_no_list_is_refused_where_it_breaks,
	    after_a_break_it_stays_broken, a_text_cut_anywhere_is_the_same_text,
	    places_in_the_file_are_told, memory_does_not_grow_with_the_file, NULL};

	return unit_suite("reader", tests);
}
