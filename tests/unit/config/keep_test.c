#include "config.h"

#include "load_test.h"
#include "base/buf.h"
#include "config/config_keep.h"
#include "config/config_rules.h"

#include <stdio.h>
#include <string.h>

/* Notes a key, and where the file sets it. */
static void
note(void *arg, const struct config_key *key, const struct yaml_node *at)
{
	buf_addf(arg, "%s:%d:%d ", key->path, at != NULL ? at->line : 0, at != NULL ? at->column : 0);
}

/* What is named when one file follows another; the caller frees it and *now. */
static char *
keep(const char *running, const char *next, struct config **now)
{
	struct config *was = load(running, "");
	struct buf b;

	*now = load(next, "");
	buf_init(&b, 0);
	buf_adds(&b, "");
	config_keep(*now, was, note, &b);
	config_free(was);
	return buf_take(&b, NULL);
}

START_TEST(keys_that_take_a_restart_keep_their_values)
{
	struct config *now;
	char *named = keep(KEY "listen: [127.0.0.1:1, 127.0.0.1:2]\nlog: {file: a, level: warn}\n"
	    "admin_listen: off\n",
	    KEY "  url: https://other.example\nlisten: 127.0.0.1:1\n"
	    "log: {level: error, format: json}\ndata_dir: d\ndrain: 1s\n", &now);

	ck_assert_str_eq(named, "listen:4:1 admin_listen:0:0 data_dir:6:1 log.format:5:21 log.file:0:0 "
	    "bluejay.url:3:3 ");
	ck_assert_str_eq(now->listen[0], "127.0.0.1:1");
	ck_assert_str_eq(now->listen[1], "127.0.0.1:2");
	ck_assert_ptr_null(now->listen[2]);
	ck_assert_ptr_null(now->admin_listen);
	ck_assert(now->admin_listen_given);
	ck_assert_str_eq(now->log_file, "a");
	ck_assert_int_eq(now->log_format, 0);
	ck_assert_str_eq(now->bluejay.url, "https://api.getbluejay.ai");
	ck_assert_int_eq(now->log_level, 3); /* what can change has changed */
	ck_assert_int_eq(now->drain, 1000);
	free(named);
	config_free(now);
}
END_TEST

START_TEST(nothing_is_named_when_nothing_differs)
{
	static const char text[] = KEY "listen: [127.0.0.1:1, 127.0.0.1:2]\nlog: {file: a}\n";
	struct config *now;
	char *named = keep(text, text, &now);

	ck_assert(named == NULL || *named == '\0');
	free(named);
	config_free(now);
}
END_TEST

START_TEST(an_address_that_is_kept_still_needs_its_clients)
{
	struct diag_list diags = {0};
	struct config *now;

	free(keep(KEY "listen: 0.0.0.0:1\nlisten_without_tokens: true\n", KEY "listen: 127.0.0.1:1\n", &now));
	config_rules_kept(now, &diags);
	test_expect(&diags, "c.yaml: other machines can reach 0.0.0.0:1, and there are no clients: "
	    "whoever connects would use the key; " OPEN_REMEDY);
	config_free(now);
	free(keep(KEY "listen: 0.0.0.0:1\nlisten_without_tokens: true\n",
	    KEY "listen: 127.0.0.1:1\nlisten_without_tokens: true\n", &now));
	config_rules_kept(now, &diags);
	test_expect(&diags, "");
	config_free(now);
}
END_TEST

/* Whether a key is among those that worked, whose names are together in the argument. */
static bool
worked(void *arg, const char *key)
{
	return strstr(arg, key) != NULL;
}

START_TEST(of_the_keys_before_the_last_that_worked_is_kept)
{
	static const struct {
		const char *worked, *keys[4], *earlier;
	} cases[] = {
	    {"", {"one"}, NULL}, {"", {"one", "two"}, "one"}, {"one", {"one", "two", "three"}, "one"},
	    {"one two", {"one", "two", "three"}, "two"}, {"one", {"one", "two", "three", "four"}, "one"},
	    {"", {"one", "two", "three"}, "two"}, {"one", {"one", "two", "one"}, NULL},
	    {"one two", {"one", "two", "one"}, "two"}, {"one", {"one", "two", "two"}, "one"},
	    {"two", {"one", "two", "two"}, "one"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct config *running = NULL, *now;
		char text[300];

		for (size_t k = 0; k < 4 && cases[i].keys[k] != NULL; k++) {
			const char *key = cases[i].keys[k];

			snprintf(text, sizeof text, "bluejay: {api_key: %s}\nimages: {api_key: %s}\n"
			    "projects: {a: {api_key: %s}, b: {}}\n", key, key, key);
			now = load(text, "");
			if (running != NULL)
				config_keep_keys(now, running, worked, (char *)(uintptr_t)cases[i].worked);
			config_free(running);
			running = now;
		}
		if (cases[i].earlier == NULL) {
			ck_assert_msg(running->bluejay.earlier_key == NULL, "case %zu", i);
			ck_assert_ptr_null(running->images.earlier_key);
		} else {
			ck_assert_msg(running->bluejay.earlier_key != NULL, "case %zu", i);
			ck_assert_str_eq(running->bluejay.earlier_key, cases[i].earlier);
			ck_assert_str_eq(running->images.earlier_key, cases[i].earlier);
			ck_assert_str_eq(running->projects[0].earlier_key, cases[i].earlier);
		}
		ck_assert_ptr_null(running->projects[1].earlier_key);
		config_free(running);
	}
}
END_TEST

/* The suite. */
Suite *
keep_suite(void)
{
	const TTest *const tests[] = {keys_that_take_a_restart_keep_their_values,
	    nothing_is_named_when_nothing_differs, an_address_that_is_kept_still_needs_its_clients,
	    of_the_keys_before_the_last_that_worked_is_kept, NULL};

	return unit_suite("keep", tests);
}
