#include "config.h"

#include "config_test.h"

#include <string.h>

START_TEST(entries_are_sorted_by_place_and_keep_their_order_in_one_place)
{
	struct diag_list diags = {0};

	diag_add(&diags, "b", 1, 1, "seven");
	diag_add(&diags, "a", 10, 1, "five");
	diag_add(&diags, "a", 9, 2, "three");
	diag_warn(&diags, "a", 9, 2, "four");
	diag_add(&diags, "a", 9, 1, "two");
	diag_add(&diags, "a", 0, 0, "one: %d", 1);
	diag_add(&diags, "a", 10, 1, "six");
	ck_assert_uint_eq(diags.count, 7);
	ck_assert_uint_eq(diags.errors, 6);
	test_expect(&diags,
	    "a: one: 1\n"
	    "a:9:1: two\n"
	    "a:9:2: three\n"
	    "a:9:2: warning: four\n"
	    "a:10:1: five\n"
	    "a:10:1: six\n"
	    "b:1:1: seven\n");
	ck_assert_uint_eq(diags.count, 0);
	ck_assert_uint_eq(diags.errors, 0);
}
END_TEST

START_TEST(the_nearest_word_is_found_when_it_is_a_likely_slip)
{
	static const char *const words[] = {"listen", "admin_listen", "api_key", "log", "url",
	    "first_byte", "data_dir"};
	static const char *const cases[][2] = {{"lisen", "listen"}, {"litsen", "listen"},
	    {"listn", "listen"}, {"Listen", "listen"}, {"apikey", "api_key"}, {"api-key",
	    "api_key"},
	    {"apiKey", "api_key"}, {"uri", "url"}, {"firstByte", "first_byte"},
	    {"adminlisten", "admin_listen"}, {"data-dir", "data_dir"}, {"logs", "log"},
	    {"tls", NULL}, {"x", NULL}, {"", NULL}, {"images", NULL}, {"zzzzzz", NULL}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = diag_nearest(cases[i][0], words, sizeof words / sizeof *words);

		ck_assert_msg((got == NULL) == (cases[i][1] == NULL) &&
		    (got == NULL || strcmp(got, cases[i][1]) == 0),
		    "%s gives %s", cases[i][0], got == NULL ? "nothing" : got);
	}
}
END_TEST

START_TEST(a_very_long_word_is_near_to_nothing)
{
	char word[4096];
	const char *self = word;

	memset(word, 'a', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	ck_assert_ptr_null(diag_nearest(word, &self, 1));
	self = "abc";
	ck_assert_ptr_null(diag_nearest(word, &self, 1));
	word[64] = '\0';
	self = word;
	ck_assert_ptr_eq(diag_nearest(word, &self, 1), word);
}
END_TEST

/* The suite. */
Suite *
diag_suite(void)
{
	const TTest *const tests[] = {
	    entries_are_sorted_by_place_and_keep_their_order_in_one_place,
	    the_nearest_word_is_found_when_it_is_a_likely_slip,
	    a_very_long_word_is_near_to_nothing, NULL};

	return unit_suite("diag", tests);
}
