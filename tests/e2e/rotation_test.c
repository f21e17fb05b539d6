#include "config.h"

#include "load.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Keys that follow each other while requests run: files that are watched, and the key
 * before a new one, which is used while the new one is refused.
 */

#define ROTATION_MS 10000 /* of rotations under load */
#define ROTATION_LOOK_MS 300
#define LATER "a-key-that-nobody-knows"

/* Whether the log has these words. */
static bool
logged(const char *words)
{
	char *log = program_log(&stage_gateway);
	bool has = strstr(log, words) != NULL;

	free(log);
	return has;
}

/* Whether the gateway has read its key files again so many times at least. */
static bool
read_again(unsigned times)
{
	char *log = program_log(&stage_gateway);
	unsigned n = 0;

	for (const char *s = log; (s = strstr(s, "the configuration was reloaded")) != NULL; s++)
		n++;
	free(log);
	return n >= times;
}

/* A gateway whose key, for Bluejay and for who draws, is in a file of the scratch folder. */
static void
open_with_key_file(const char *key)
{
	stage_open(NULL, NULL);
	stage_kill_gateway();
	ck_assert_ptr_nonnull(scratch_file("gateway.yaml",
	    "bluejay:\n  url: %s\n  api_key_file: %s\n  cache: {fresh: 0s}\n"
	    "projects:\n  demo: {agent_id: 7}\n  plain: {}\n"
	    "passthrough: {bluejay: true}\n"
	    "images: {api_key_file: %s, url: \"%s\"}\n",
	    stage_sandbox.url[0], key, key, stage_sandbox.url[0]));
	stage_start_gateway();
}

/* Lets the gateway look at its files once, as it does after its start; what is seen from
 * here on is seen because it watches. */
static void
let_it_look(void)
{
	for (int64_t until = harness_now() + ROTATION_LOOK_MS; harness_now() < until;)
		harness_breathe();
}

/* Puts a key into a file by renaming another one over it. */
static void
replace_key(const char *key)
{
	char from[300], to[300];

	snprintf(from, sizeof from, "%s", scratch_file("key.new", "%s\n", key));
	snprintf(to, sizeof to, "%.250s/key", scratch_dir());
	ck_assert_int_eq(rename(from, to), 0);
}

START_TEST(a_key_file_that_is_replaced_is_read_again)
{
	replace_key("wrong");
	open_with_key_file("key");
	ck_assert_int_ge(call("GET", STAGE_DEMO, NULL)->status, 500);
	if (_i == 0)
		replace_key("sandbox");
	else
		scratch_file("key", "sandbox\n"); /* in place */
	EVENTUALLY(call("GET", STAGE_DEMO, NULL)->status == 200);
	ck_assert(logged("a file of the configuration has changed"));
	stage_close();
}
END_TEST

START_TEST(a_key_behind_links_is_read_again)
{
	free(shell("cd %s && rm -rf mount && mkdir -p mount/v1 mount/v2 && echo wrong >mount/v1/key && "
	    "echo sandbox >mount/v2/key && ln -s v1 mount/..data && ln -s ..data/key mount/key",
	    scratch_dir()));
	open_with_key_file("mount/key");
	ck_assert_int_ge(call("GET", STAGE_DEMO, NULL)->status, 500);
	free(shell("cd %s/mount && ln -s v2 ..data_tmp && mv -T ..data_tmp ..data", scratch_dir()));
	EVENTUALLY(call("GET", STAGE_DEMO, NULL)->status == 200);
	stage_close();
}
END_TEST

START_TEST(a_key_anywhere_behind_links_is_read_again)
{
	/* the way to the key, and what makes another one of it */
	static const struct {
		const char *path, *links, *swap;
	} ways[] = {
	    {"mount/..data/key", "ln -s v1 mount/..data", "ln -s v2 mount/new && mv -T mount/new mount/..data"},
	    {"creds/key", "ln -s mount/v1 creds", "ln -s mount/v2 new && mv -T new creds"},
	    {"creds/../v1/key", "ln -s mount/v1 creds", "mv mount/v1 mount/old && mv mount/v2 mount/v1"},
	    {"outer/key", "ln -s \"$PWD/inner\" outer && ln -s mount/v1 inner", "ln -sfn mount/v2 inner"},
	    {"mount/now/key", "mv mount/v1 mount/now", "mv mount/now mount/v1 && mv mount/v2 mount/now"},
	};

	free(shell("cd %s && rm -rf mount creds outer inner && mkdir -p mount/v1 mount/v2 && echo wrong >mount/v1/key && "
	    "echo sandbox >mount/v2/key && %s", scratch_dir(), ways[_i].links));
	open_with_key_file(ways[_i].path);
	ck_assert_int_ge(call("GET", STAGE_DEMO, NULL)->status, 500);
	let_it_look();
	free(shell("cd %s && %s", scratch_dir(), ways[_i].swap));
	EVENTUALLY(call("GET", STAGE_DEMO, NULL)->status == 200);
	/* the new way is watched as the first one was */
	free(shell("cd %s && echo wrong >%s", scratch_dir(), ways[_i].path));
	EVENTUALLY(read_again(2));
	stage_close();
}
END_TEST

START_TEST(a_key_whose_folder_comes_back_is_read_again)
{
	free(shell("cd %s && rm -rf mount && mkdir -p mount/now mount/v2 && echo wrong >mount/now/key && "
	    "echo sandbox >mount/v2/key", scratch_dir()));
	open_with_key_file("mount/now/key");
	free(shell("rm -r %s/mount/now", scratch_dir()));
	EVENTUALLY(logged("was not reloaded"));
	let_it_look();
	free(shell("ln -s v2 %s/mount/now", scratch_dir()));
	EVENTUALLY(call("GET", STAGE_DEMO, NULL)->status == 200);
	stage_close();
}
END_TEST

START_TEST(a_key_file_whose_rights_change_is_read_again)
{
	char path[300];

	replace_key("sandbox");
	open_with_key_file("key");
	snprintf(path, sizeof path, "%.250s/key", scratch_dir());
	let_it_look();
	ck_assert_int_eq(chmod(path, 0400), 0);
	EVENTUALLY(read_again(1));
	stage_close();
}
END_TEST

START_TEST(a_key_file_brings_no_other_change_of_the_file)
{
	replace_key("wrong");
	open_with_key_file("key");
	scratch_file("gateway.yaml", "bluejay: {not even: yaml\n");
	replace_key("sandbox");
	EVENTUALLY(call("GET", STAGE_DEMO, NULL)->status == 200);
	stage_close();
}
END_TEST

START_TEST(a_new_key_that_is_refused_falls_back_to_the_one_before)
{
	struct reply *ready;
	char *ann, *bob;

	replace_key("sandbox");
	open_with_key_file("key");
	ann = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	replace_key("not-yet-known");
	EVENTUALLY(read_again(1));
	ck_assert_int_eq(call("GET", below(STAGE_DEMO, ann), NULL)->status, 200);
	bob = create(STAGE_DEMO, "{\"name\":\"bob\"}");
	ck_assert_int_eq(stage_has("bob", NULL), 1);
	ready = ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL);
	ck_assert_int_eq(ready->status, 200);
	ck_assert_msg(strstr(ready->body, "\"earlier_key_used\":true") != NULL, "%s", ready->body);
	EVENTUALLY(logged("the one before it is used"));
	ck_assert(!logged("not-yet-known"));
	/* the right one is written in the end */
	replace_key("sandbox");
	EVENTUALLY(read_again(2));
	ck_assert_int_eq(call("GET", below(STAGE_DEMO, ann), NULL)->status, 200);
	ready = ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL);
	ck_assert_ptr_null(strstr(ready->body, "earlier_key_used"));
	free(ann);
	free(bob);
	stage_close();
}
END_TEST

/* Whether /readyz says that the key before the new one is used. */
static bool
falls_back(void)
{
	struct reply *ready = ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL);

	ck_assert_msg(ready->status == 200, "%s", ready->body);
	return strstr(ready->body, "\"earlier_key_used\":true") != NULL;
}

START_TEST(a_key_that_worked_outlasts_others_that_do_not)
{
	char *ann;

	replace_key("sandbox");
	open_with_key_file("key");
	ann = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	for (unsigned i = 1; i <= 3; i++) {
		char key[40];

		snprintf(key, sizeof key, LATER "-%u", i);
		replace_key(key);
		EVENTUALLY(read_again(i));
		if (i != 2) /* of the second one the gateway never learns that it is refused */
			ck_assert_int_eq(call("GET", below(STAGE_DEMO, ann), NULL)->status, 200);
	}
	ck_assert(falls_back());
	ck_assert(!logged(LATER));
	free(ann);
	stage_close();
}
END_TEST

START_TEST(a_key_that_works_takes_the_place_of_the_one_before)
{
	char *ann;

	replace_key(LATER);
	open_with_key_file("key");
	replace_key("sandbox");
	EVENTUALLY(read_again(1));
	ann = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	ck_assert(!falls_back());
	replace_key(LATER "-2");
	EVENTUALLY(read_again(2));
	ck_assert_int_eq(call("GET", below(STAGE_DEMO, ann), NULL)->status, 200);
	ck_assert(falls_back());
	free(ann);
	stage_close();
}
END_TEST

START_TEST(what_is_passed_through_falls_back_as_well)
{
	static char body[100 << 10];
	const char *id;
	char path[200];

	replace_key("sandbox");
	open_with_key_file("key");
	free(create(STAGE_DEMO, "{\"name\":\"ann\"}"));
	ck_assert_int_eq(stage_has("ann", &id), 1);
	replace_key(LATER);
	EVENTUALLY(read_again(1));
	ck_assert_int_eq(call("GET", below("/v1/customer-persona", id), NULL)->status, 200);
	ck_assert(falls_back());
	snprintf(path, sizeof path, "/v1/update-customer-persona/%s", id);
	ck_assert_int_eq(call("PUT", path, "{\"description\":\"other\"}")->status, 200);
	ck_assert_str_eq(stage_member(id, "description"), "other");
	/* of a long body the beginning is gone by then */
	snprintf(body, sizeof body, "{\"description\":\"%*s\"}", (int)sizeof body - 30, "x");
	expect_error(call("PUT", path, body), 502, "Bluejay refused the gateway's API key");
	ck_assert_str_eq(stage_member(id, "description"), "other");
	stage_close();
}
END_TEST

START_TEST(who_draws_gets_the_key_before_the_refused_one)
{
	char path[200], *ann;

	replace_key("sandbox");
	open_with_key_file("key");
	ann = create(STAGE_DEMO, "{\"name\":\"ann\",\"systemPrompt\":\"p\"}");
	snprintf(path, sizeof path, "%s/generate-image", below(STAGE_DEMO, ann));
	for (unsigned i = 1; i <= 2; i++) {
		if (i == 1)
			ck_assert_int_eq(call("POST", path, "{}")->status, 200);
		replace_key(i == 1 ? LATER : LATER "-2");
		EVENTUALLY(read_again(i));
		ck_assert_int_eq(call("POST", path, "{}")->status, 200);
	}
	ck_assert(logged("the image provider refuses the new API key"));
	free(ann);
	stage_close();
}
END_TEST

/* ---- under load ---- */

START_TEST(no_request_fails_under_rotation)
{
	struct load *l;
	unsigned rotations = 0;
	char *demo, *plain;
	int64_t until;

	replace_key("sandbox");
	open_with_key_file("key");
	demo = create(STAGE_DEMO, "{\"name\":\"demo\",\"systemPrompt\":\"p\"}");
	plain = create(STAGE_PLAIN, "{\"name\":\"plain\"}");
	l = load_start(demo, plain, true);
	for (until = harness_now() + ROTATION_MS; harness_now() < until; rotations++) {
		/* two of three keys are not known yet, so that calls fall back */
		replace_key(rotations % 3 == 2 ? "sandbox" : rotations % 3 == 0 ? LATER : LATER "-2");
		harness_breathe();
	}
	load_end(l, "rotations", rotations);
	EVENTUALLY(logged("the one before it is used"));
	free(demo);
	free(plain);
	stage_close();
}
END_TEST

/* The suite. */
static Suite *
rotation_suite(void)
{
	Suite *suite = suite_create("rotation");
	TCase *tcase = tcase_create("rotation");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, a_key_file_that_is_replaced_is_read_again, 0, 2);
	tcase_add_test(tcase, a_key_behind_links_is_read_again);
	tcase_add_loop_test(tcase, a_key_anywhere_behind_links_is_read_again, 0, 5);
	tcase_add_test(tcase, a_key_whose_folder_comes_back_is_read_again);
	tcase_add_test(tcase, a_key_file_whose_rights_change_is_read_again);
	tcase_add_test(tcase, a_key_file_brings_no_other_change_of_the_file);
	tcase_add_test(tcase, a_new_key_that_is_refused_falls_back_to_the_one_before);
	tcase_add_test(tcase, a_key_that_worked_outlasts_others_that_do_not);
	tcase_add_test(tcase, a_key_that_works_takes_the_place_of_the_one_before);
	tcase_add_test(tcase, what_is_passed_through_falls_back_as_well);
	tcase_add_test(tcase, who_draws_gets_the_key_before_the_refused_one);
	tcase_add_test(tcase, no_request_fails_under_rotation);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(rotation_suite)
