#include "config.h"

#include "bluejay.h"
#include "localtool.h"
#include "mirror_stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is promised of twins while the local tool and Bluejay work, and while they fail. */

/* ---- everything works ---- */

START_TEST(a_personas_id_is_its_twins)
{
	const char *id, *upstream;
	struct reply *r;

	mirror_start();
	id = create("a", "{\"name\":\"ann\",\"systemPrompt\":\"p\",\"headers\":{\"A\":\"1\"},\"imageUrl\":\"no\"}");
	ck_assert(localtool_has("a", id));
	ck_assert_str_eq(localtool_value("a", id, "description"), "absent");
	ck_assert_str_eq(localtool_value("a", id, "headers"), "{\"A\":\"1\"}");
	ck_assert_str_eq(localtool_value("a", id, "imageUrl"), "absent");
	upstream = bluejay_id("ann");
	ck_assert_str_ne(upstream, id);
	r = call("GET", "a", id, NULL, NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_string(r, "id"), id);
	ck_assert_int_eq(status("GET", "a", upstream, NULL), 404);
	ck_assert_int_eq(status("GET", "b", id, NULL), 404);
	ck_assert(mirrored("a"));
	/* carried over before the answer */
	ck_assert_int_eq(status("PUT", "a", id, "{\"name\":\"bea\",\"description\":\"d\"}"), 200);
	ck_assert_str_eq(localtool_value("a", id, "name"), "\"bea\"");
	ck_assert_str_eq(localtool_value("a", id, "description"), "\"d\"");
	ck_assert_str_eq(bluejay_value(upstream, "name"), "bea");
	ck_assert_int_eq(status("PUT", "a", id, "{\"headers\":{},\"imageUrl\":\"x.png\"}"), 200);
	ck_assert_str_eq(localtool_value("a", id, "headers"), "{}");
	ck_assert_str_eq(localtool_value("a", id, "imageUrl"), "\"x.png\"");
	ck_assert_int_eq(status("DELETE", "a", id, NULL), 204);
	ck_assert(!localtool_has("a", id));
	ck_assert_uint_eq(bluejay_personas(NULL), 0);
	ck_assert_int_eq(status("DELETE", "a", id, NULL), 404);
	ck_assert_str_ne(create("a", "{\"name\":\"bea\"}"), id);
	create("plain", "{\"name\":\"bea\"}");
	ck_assert(mirrored("a"));
	ck_assert(mirrored("plain"));
	mirror_stop();
}
END_TEST

START_TEST(the_twin_comes_first)
{
	struct reply *r;
	int fd;

	mirror_start();
	localtool_rule("POST", TOOL, 1, LOCALTOOL_HOLD, 0);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"ann\"}");
	localtool_wait("POST", TOOL, 1);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	localtool_release();
	r = ask_end(fd);
	ck_assert_int_eq(r->status, 201);
	ck_assert_str_eq(reply_string(r, "id"), localtool_id("a", "ann"));
	/* what the gateway refuses itself never gets there */
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"ann\"}"), 409);
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"\"}"), 400);
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"x\",\"description\":1}"), 400);
	ck_assert_uint_eq(localtool_count("POST", TOOL), 1);
	mirror_stop();
}
END_TEST

START_TEST(a_client_that_leaves_before_the_post_leaves_nothing)
{
	int fd;

	mirror_start();
	localtool_rule("POST", TOOL, 1, LOCALTOOL_DO_HOLD, 0);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"ann\"}");
	UNTIL(localtool_personas("a", "ann") == 1);
	close(fd);
	UNTIL(logged("\"end\":\"gone\""));
	localtool_release();
	UNTIL(localtool_personas("a", NULL) == 0);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	mirror_stop();
}
END_TEST

START_TEST(creates_of_one_name_have_one_twin)
{
	const char *const body = "{\"name\":\"ann\"}", *const other = "{\"name\":\"ann\",\"headers\":{}}";
	struct reply *same, *first;
	int fds[3];

	mirror_start();
	localtool_rule("POST", TOOL, 1, LOCALTOOL_HOLD, 0);
	fds[0] = begin("POST", "a", NULL, NULL, body);
	localtool_wait("POST", TOOL, 1);
	fds[1] = begin("POST", "a", NULL, NULL, body);
	fds[2] = begin("POST", "a", NULL, NULL, other);
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200); /* both have arrived */
	localtool_release();
	first = ask_end(fds[0]);
	same = ask_end(fds[1]);
	ck_assert_int_eq(first->status, 201);
	ck_assert_int_eq(same->status, 201);
	ck_assert_str_eq(first->body, same->body);
	ck_assert_int_eq(ask_end(fds[2])->status, 409);
	ck_assert_uint_eq(localtool_count("POST", TOOL), 1);
	ck_assert(mirrored("a"));
	mirror_stop();
}
END_TEST

START_TEST(without_the_option_the_tool_is_not_asked)
{
	const char *id;

	bluejay_start();
	localtool_start();
	mirror_configure(false);
	mirror_run();
	id = create("a", "{\"name\":\"ann\"}");
	ck_assert_str_eq(id, bluejay_id("ann"));
	ck_assert_int_eq(status("PUT", "a", id, "{\"name\":\"bea\"}"), 200);
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200);
	ck_assert_int_eq(status("DELETE", "a", id, NULL), 204);
	ck_assert_uint_eq(localtool_count("GET", ""), 0);
	ck_assert_uint_eq(localtool_count("POST", ""), 0);
	ck_assert(!ready_says("local_tool"));
	mirror_stop();
}
END_TEST

START_TEST(a_key_gives_the_same_id_again)
{
	static const char key[] = "Idempotency-Key: k\r\n";
	static const char body[] = "{\"name\":\"ann\"}";
	struct reply *r, *again;

	mirror_start();
	r = ask(item_gateway.port, "POST", TOOL, key, body);
	ck_assert_int_eq(r->status, 201);
	again = ask(item_gateway.port, "POST", TOOL, key, body);
	ck_assert_int_eq(again->status, 201);
	ck_assert_str_eq(again->body, r->body);
	ck_assert_str_eq(reply_string(again, "id"), localtool_id("a", "ann"));
	mirror_stop();
}
END_TEST

/* ---- the local tool fails ---- */

START_TEST(a_tool_that_is_down_refuses_creates_only)
{
	const char *ann, *bob;

	mirror_start();
	ann = create("a", "{\"name\":\"ann\"}");
	bob = create("a", "{\"name\":\"bob\"}");
	localtool_down();
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"cid\"}"), 502,
	    "The local tool cannot be reached, and the persona must have its twin there first; "
	    "nothing was created");
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 2);
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200);
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"eve\",\"systemPrompt\":\"new\"}"), 200);
	ck_assert_int_eq(status("DELETE", "a", bob, NULL), 204);
	ck_assert_str_eq(localtool_value("a", ann, "name"), "\"ann\"");
	ck_assert(localtool_has("a", bob));
	ck_assert(ready_says("\"local_tool\":{\"ok\":false"));
	localtool_up();
	UNTIL(mirrored("a"));
	UNTIL(ready_says("\"local_tool\":{\"ok\":true}"));
	ck_assert_str_eq(localtool_value("a", ann, "systemPrompt"), "\"new\"");
	UNTIL(status("POST", "a", NULL, "{\"name\":\"cid\"}") == 201);
	ck_assert(mirrored("a"));
	mirror_stop();
}
END_TEST

START_TEST(what_a_down_tool_missed_survives_a_kill)
{
	const char *ann, *bob;

	mirror_start();
	ann = create("a", "{\"name\":\"ann\"}");
	bob = create("a", "{\"name\":\"bob\"}");
	localtool_down();
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"eve\"}"), 200);
	ck_assert_int_eq(status("DELETE", "a", bob, NULL), 204);
	mirror_kill_and_run();
	ck_assert(localtool_has("a", bob));
	localtool_up();
	UNTIL(mirrored("a"));
	ck_assert_str_eq(localtool_value("a", ann, "name"), "\"eve\"");
	mirror_stop();
}
END_TEST

START_TEST(a_tool_that_refuses_a_twin_refuses_the_create)
{
	static const struct {
		enum localtool_action action;
		int answer, status;
	} cases[] = {{LOCALTOOL_ANSWER, 500, 502}, {LOCALTOOL_ANSWER, 400, 502},
	    {LOCALTOOL_ANSWER, 404, 502}, {LOCALTOOL_CUT, 0, 502}};

	mirror_start();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		localtool_rule("POST", TOOL, -1, cases[i].action, cases[i].answer);
		expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"ann\"}"), cases[i].status, NULL);
		localtool_forget();
	}
	expect_error(call("POST", "elsewhere", NULL, NULL, "{\"name\":\"ann\"}"), 502,
	    "The local tool answered with status 500 when the persona's twin was to be made in it; "
	    "nothing was created. Has it a project of this id?");
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	UNTIL(status("POST", "a", NULL, "{\"name\":\"ann\"}") == 201);
	UNTIL(mirrored("a"));
	/* a project that the tool does not have holds up no other */
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof name, "e%d", i);
		bluejay_make(3, name, "", "p");
	}
	ck_assert_int_eq(status("GET", "elsewhere", NULL, NULL), 200);
	for (int i = 0; i < 30; i++) {
		char body[32];

		snprintf(body, sizeof body, "{\"name\":\"p%d\"}", i);
		create("a", body);
	}
	UNTIL(mirrored("a"));
	mirror_stop();
}
END_TEST

START_TEST(a_twin_whose_answer_was_lost_is_found)
{
	const char *id;

	mirror_start();
	localtool_rule("POST", TOOL, 1, LOCALTOOL_DO_CUT, 0);
	id = create("a", "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
	ck_assert(localtool_has("a", id));
	ck_assert_uint_eq(localtool_count("POST", TOOL), 2);
	ck_assert(mirrored("a"));
	ck_assert(!logged("local copy"));
	mirror_stop();
}
END_TEST

START_TEST(what_comes_late_is_removed)
{
	struct reply *r;

	mirror_start();
	localtool_rule("POST", TOOL, -1, LOCALTOOL_HOLD, 0);
	r = call("POST", "a", NULL, NULL, "{\"name\":\"ann\"}");
	ck_assert_int_eq(r->status, 503);
	ck_assert_ptr_nonnull(reply_field(r, "Retry-After"));
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	ck_assert_uint_eq(localtool_personas("a", NULL), 0);
	localtool_forget(); /* now it makes it */
	UNTIL(localtool_count("DELETE", TOOL) == 1);
	UNTIL(mirrored("a"));
	create("a", "{\"name\":\"ann\"}");
	ck_assert(mirrored("a"));
	mirror_stop();
}
END_TEST

/* ---- Bluejay fails ---- */

START_TEST(a_refused_create_leaves_no_twin)
{
	mirror_start();
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 422, "{\"detail\":[]}");
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"ann\"}"), 400);
	UNTIL(localtool_personas("a", NULL) == 0);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_CUT, 0, NULL);
	bluejay_rule("POST", CREATE, -1, BLUEJAY_ANSWER, 422, "{\"detail\":[]}");
	ck_assert_int_ne(status("POST", "a", NULL, "{\"name\":\"ann\"}"), 201);
	UNTIL(localtool_personas("a", NULL) == 0);
	ck_assert(mirrored("a"));
	mirror_stop();
}
END_TEST

START_TEST(an_unknown_outcome_keeps_the_twin)
{
	const char *id;

	mirror_start();
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	id = create("a", "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
	ck_assert_str_eq(id, localtool_id("a", "ann"));
	ck_assert(mirrored("a"));
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	mirror_stop();
}
END_TEST

START_TEST(a_dead_personas_old_answer_is_not_believed)
{
	static char old[512];
	const char *id;

	mirror_start();
	id = create("a", "{\"name\":\"ann\"}");
	snprintf(old, sizeof old, "{\"id\":\"%s\",\"name\":\"ann\",\"description\":\"\",\"goal\":\"\","
	    "\"created_at\":\"2026-01-01T00:00:00Z\"}", bluejay_id("ann"));
	ck_assert_int_eq(status("DELETE", "a", id, NULL), 204);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 200, old);
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"ann\"}"), 502);
	UNTIL(mirrored("a"));
	ck_assert_uint_eq(localtool_personas("a", NULL), 0);
	mirror_stop();
}
END_TEST

/* ---- names ---- */

START_TEST(what_the_tools_user_made_becomes_the_twin)
{
	static char mine[64];
	char copy[80];

	mirror_start();
	snprintf(mine, sizeof mine, "%s",
	    localtool_make("a", "{\"name\":\"ann\",\"systemPrompt\":\"mine\",\"description\":\"d\"}"));
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 422, "{\"detail\":[]}");
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"ann\",\"systemPrompt\":\"new\"}"), 400);
	UNTIL(logged("\"to\":\"dropping\""));
	ck_assert_str_eq(localtool_value("a", mine, "systemPrompt"), "\"mine\"");
	ck_assert_str_eq(create("a", "{\"name\":\"ann\",\"systemPrompt\":\"new\"}"), mine);
	UNTIL(strcmp(localtool_value("a", mine, "systemPrompt"), "\"new\"") == 0);
	ck_assert_str_eq(localtool_value("a", mine, "description"), "\"\"");
	snprintf(copy, sizeof copy, "ann (local copy %.8s)", mine);
	ck_assert_str_eq(localtool_value("a", localtool_id("a", copy), "systemPrompt"), "\"mine\"");
	ck_assert_str_eq(localtool_value("a", localtool_id("a", copy), "description"), "\"d\"");
	ck_assert_uint_eq(localtool_personas("a", NULL), 2);
	/* one that holds the same needs no copy */
	snprintf(mine, sizeof mine, "%s", localtool_make("a", "{\"name\":\"bob\"}"));
	ck_assert_str_eq(create("a", "{\"name\":\"bob\"}"), mine);
	ck_assert_int_eq(status("DELETE", "a", mine, NULL), 204);
	ck_assert(!localtool_has("a", mine));
	ck_assert_uint_eq(localtool_personas("a", NULL), 2);
	mirror_stop();
}
END_TEST

START_TEST(a_rename_to_a_name_of_the_tools_user_moves_that)
{
	static char mine[64];
	const char *id;

	mirror_start();
	id = create("a", "{\"name\":\"ann\"}");
	snprintf(mine, sizeof mine, "%s", localtool_make("a", "{\"name\":\"bob\",\"systemPrompt\":\"mine\"}"));
	ck_assert_int_eq(status("PUT", "a", id, "{\"name\":\"bob\"}"), 200);
	UNTIL(strcmp(localtool_value("a", id, "name"), "\"bob\"") == 0);
	ck_assert_str_eq(localtool_value("a", mine, "systemPrompt"), "\"mine\"");
	ck_assert_ptr_nonnull(strstr(localtool_value("a", mine, "name"), "bob (local copy "));
	mirror_stop();
}
END_TEST

START_TEST(twins_can_swap_their_names)
{
	const char *ann, *bob;

	mirror_start();
	ann = create("a", "{\"name\":\"ann\"}");
	bob = create("a", "{\"name\":\"bob\"}");
	localtool_rule("PUT", TOOL, -1, LOCALTOOL_ANSWER, 500);
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"x\"}"), 200);
	ck_assert_int_eq(status("PUT", "a", bob, "{\"name\":\"ann\"}"), 200);
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"bob\"}"), 200);
	ck_assert_str_eq(localtool_value("a", ann, "name"), "\"ann\"");
	localtool_forget();
	UNTIL(mirrored("a"));
	ck_assert_str_eq(localtool_value("a", ann, "name"), "\"bob\"");
	mirror_stop();
}
END_TEST

START_TEST(a_create_gets_the_name_of_a_twin_that_is_late)
{
	const char *ann, *next;

	mirror_start();
	ann = create("a", "{\"name\":\"ann\"}");
	localtool_rule("PUT", TOOL, 2, LOCALTOOL_ANSWER, 500); /* with its second try */
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"bob\"}"), 200);
	ck_assert_str_eq(localtool_value("a", ann, "name"), "\"ann\"");
	next = create("a", "{\"name\":\"ann\"}");
	ck_assert_str_ne(next, ann);
	UNTIL(mirrored("a"));
	/* and that of one whose removal is late */
	localtool_rule("DELETE", TOOL, 2, LOCALTOOL_ANSWER, 500);
	ck_assert_int_eq(status("DELETE", "a", next, NULL), 204);
	ck_assert_str_ne(create("a", "{\"name\":\"ann\"}"), next);
	UNTIL(mirrored("a"));
	mirror_stop();
}
END_TEST

/* The suite. */
static Suite *
mirror_suite(void)
{
	const TTest *const tests[] = {
	    a_personas_id_is_its_twins,
	    the_twin_comes_first,
	    a_client_that_leaves_before_the_post_leaves_nothing,
	    creates_of_one_name_have_one_twin,
	    without_the_option_the_tool_is_not_asked,
	    a_key_gives_the_same_id_again,
	    a_tool_that_is_down_refuses_creates_only,
	    what_a_down_tool_missed_survives_a_kill,
	    a_tool_that_refuses_a_twin_refuses_the_create,
	    a_twin_whose_answer_was_lost_is_found,
	    what_comes_late_is_removed,
	    a_refused_create_leaves_no_twin,
	    an_unknown_outcome_keeps_the_twin,
	    a_dead_personas_old_answer_is_not_believed,
	    what_the_tools_user_made_becomes_the_twin,
	    a_rename_to_a_name_of_the_tools_user_moves_that,
	    twins_can_swap_their_names,
	    a_create_gets_the_name_of_a_twin_that_is_late,
	    NULL,
	};

	return unit_suite_within("mirror", tests, 120, NULL);
}

UNIT_MAIN(mirror_suite)
