#include "config.h"

#include "bluejay.h"
#include "scripted_stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Creates: what becomes of one when an answer is lost, late, of another shape, or of another persona. */

/* ---- creates ---- */

START_TEST(the_first_create_of_an_agent_sees_the_same_persona_in_its_listing)
{
	scripted_start(SHORT);
	bluejay_make(1, "x", "", "");
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409,
	    "Persona with name \"x\" already exists");
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	scripted_stop();
}
END_TEST

START_TEST(a_create_that_went_through_unanswered_is_found_and_handed_out)
{
	struct reply *r;

	scripted_start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	r = call("POST", "a", NULL, NULL, "{\"name\":\"x\",\"headers\":{\"h\":\"1\"}}");
	ck_assert_int_eq(r->status, 201);
	ck_assert_str_eq(reply_string(r, "id"), bluejay_id("x"));
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	ck_assert_int_eq(listed("a"), 1);
	scripted_stop();
}
END_TEST

START_TEST(an_answer_with_an_id_means_that_the_persona_exists)
{
	static const char *const bodies[] = {
	    "{\"id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\"}",
	    "{\"id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\",\"name\":\"x\",\"created_at\":12}",
	    "{\"id\":7,\"name\":\"x\"}"};

	scripted_start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 200, bodies[_i]);
	ck_assert_int_ge(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}")->status, 500);
	settled();
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	scripted_stop();
}
END_TEST

START_TEST(an_answer_with_nothing_but_the_id_is_completed_by_the_personas_own_get)
{
	static const char *const names[] = {"a", "plain"};
	struct reply *r;

	scripted_start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_ID, 200, NULL);
	r = call("POST", names[_i], NULL, NULL, "{\"name\":\"x\",\"description\":\"d\"}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_str_eq(reply_string(r, "id"), bluejay_id("x"));
	ck_assert_str_eq(reply_string(r, "description"), "d");
	ck_assert_ptr_null(intent("id"));
	ck_assert_int_eq(listed(names[_i]), 1);
	scripted_stop();
}
END_TEST

START_TEST(a_persona_of_a_broken_shape_is_known_and_not_made_again)
{
	struct reply *r;

	scripted_start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_HOLD, 0, NULL);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 500, "{}");
	int fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	bluejay_edit(bluejay_id("x"), "created_at", "soon");
	bluejay_forget();
	r = ask_end(fd);
	ck_assert_int_eq(r->status, 201); /* as it was when it was made */
	ck_assert_int_ge(call("GET", "a", bluejay_id("x"), NO_CACHE, NULL)->status, 500);
	ck_assert_int_ge(call("GET", "a", bluejay_id("x"), NO_CACHE, NULL)->status, 500);
	bluejay_edit(bluejay_id("x"), "created_at", "2026-01-28T10:00:00Z");
	ck_assert_int_eq(call("GET", "a", bluejay_id("x"), NO_CACHE, NULL)->status, 200);
	scripted_stop();
}
END_TEST

START_TEST(a_namesake_with_another_body_is_left_to_the_operator)
{
	scripted_start(SHORT);
	listed("a");
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 500, "{}");
	bluejay_make(1, "x", "", "trimmed");
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\",\"systemPrompt\":\" trimmed \"}"), 504,
	    NULL);
	left_to_operator();
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	ck_assert_int_eq(listed("a"), 1);
	scripted_stop();
}
END_TEST

START_TEST(a_namesake_seen_before_the_answer_is_lost_is_remembered)
{
	int fd;

	scripted_start(SHORT);
	listed("a");
	bluejay_rule("POST", CREATE, 1, BLUEJAY_HOLD_CUT, 0, NULL);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\",\"systemPrompt\":\" trimmed \"}");
	bluejay_wait("POST", CREATE, 1);
	bluejay_make(1, "x", "", "trimmed");
	listed("a");
	bluejay_release();
	ck_assert_int_eq(ask_end(fd)->status, 504);
	left_to_operator();
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	scripted_stop();
}
END_TEST

START_TEST(a_persona_that_was_hidden_is_not_what_a_create_made)
{
	const char *id;

	scripted_start(SHORT);
	id = create("a", "{\"name\":\"x\"}");
	bluejay_rule("GET", GET, 1, BLUEJAY_ANSWER, 404, "{}");
	ck_assert_int_eq(call("GET", "a", id, NO_CACHE, NULL)->status, 404);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	ck_assert_str_ne(create("a", "{\"name\":\"x\"}"), id);
	ck_assert_int_eq(listed("a"), 2);
	scripted_stop();
}
END_TEST

START_TEST(a_create_proven_absent_is_sent_again_while_its_client_waits)
{
	scripted_start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 500, "{}");
	create("a", "{\"name\":\"x\"}");
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 2);
	ck_assert_uint_eq(bluejay_personas("x"), 1);
	scripted_stop();
}
END_TEST

START_TEST(a_create_proven_absent_is_not_sent_again_when_its_client_left)
{
	int fd;

	scripted_start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 500, "{}");
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("GET", LISTING, 2);
	close(fd);
	settled();
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	create("a", "{\"name\":\"x\"}");
	scripted_stop();
}
END_TEST

START_TEST(another_body_under_a_key_is_422_also_while_unsettled)
{
	int fd;

	scripted_start(SHORT);
	bluejay_freeze(true);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	fd = begin("POST", "a", NULL, KEY("k"), "{\"name\":\"x\"}");
	bluejay_wait("GET", LISTING, 2);
	expect_error(call("POST", "a", NULL, KEY("k"), "{\"name\":\"x\",\"description\":\"d\"}"), 422,
	    "This Idempotency-Key was used before with another request body");
	bluejay_freeze(false);
	ck_assert_int_eq(ask_end(fd)->status, 201);
	expect_error(call("POST", "a", NULL, KEY("k"), "{\"name\":\"x\",\"description\":\"d\"}"), 422,
	    NULL);
	scripted_stop();
}
END_TEST

START_TEST(an_answer_given_again_under_its_key_is_claimed)
{
	struct reply *r;
	int fd;

	scripted_start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, KEY("k"), "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	close(fd);
	bluejay_release();
	for (int i = 0; i < 2; i++) {
		r = call("POST", "a", NULL, KEY("k"), "{\"name\":\"x\"}");
		ck_assert_int_eq(r->status, 201);
		ck_assert_str_eq(reply_string(r, "id"), bluejay_id("x"));
	}
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	scripted_stop();
}
END_TEST

START_TEST(what_an_operator_adopts_is_the_answer_under_the_key)
{
	struct reply *r;
	char path[128], body[128];

	scripted_start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	ck_assert_int_eq(call("POST", "plain", NULL, KEY("k"), "{\"name\":\"x\"}")->status, 504);
	ck_assert_int_eq(call("POST", "plain", NULL, KEY("k"), "{\"name\":\"x\"}")->status, 504);
	snprintf(path, sizeof path, "/intents/%s/adopt", intent("id"));
	snprintf(body, sizeof body, "{\"personaId\":\"%s\"}", bluejay_id("x"));
	ck_assert_int_eq(ask(item_gateway.admin_port, "POST", path, NULL, body)->status, 200);
	r = call("POST", "plain", NULL, KEY("k"), "{\"name\":\"x\"}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_str_eq(reply_string(r, "id"), bluejay_id("x"));
	expect_error(call("POST", "plain", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	scripted_stop();
}
END_TEST

/* Creates a persona whose creator leaves before the answer. */
static void
create_unclaimed(void)
{
	int fd;

	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	close(fd);
	bluejay_release();
}

START_TEST(an_unclaimed_persona_is_inherited_once)
{
	scripted_start(SHORT);
	create_unclaimed();
	ck_assert_str_eq(create("a", "{\"name\":\"x\"}"), bluejay_id("x"));
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	scripted_stop();
}
END_TEST

START_TEST(an_unclaimed_persona_that_is_gone_is_not_inherited)
{
	const char *id;

	scripted_start(SHORT);
	create_unclaimed();
	while (listed("a") == 0)
		;
	bluejay_remove(bluejay_id("x"));
	id = create("a", "{\"name\":\"x\"}");
	ck_assert_str_eq(id, bluejay_id("x"));
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 2);
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	scripted_stop();
}
END_TEST

START_TEST(an_unclaimed_persona_that_was_renamed_frees_its_name)
{
	scripted_start(SHORT);
	create_unclaimed();
	while (listed("a") == 0)
		;
	bluejay_edit(bluejay_id("x"), "name", "y");
	create("a", "{\"name\":\"x\"}");
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 2);
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"y\"}"), 409, NULL);
	scripted_stop();
}
END_TEST

START_TEST(an_unclaimed_persona_that_was_changed_is_not_inherited)
{
	scripted_start(SHORT);
	create_unclaimed();
	for (int i = 0; listed("a") == 0 && i < 1000; i++)
		;
	bluejay_edit(bluejay_id("x"), "description", "changed");
	ck_assert_int_eq(listed("a"), 1);
	program_kill(&item_gateway);
	scripted_run();
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	scripted_stop();
}
END_TEST

START_TEST(a_create_cut_by_kill_is_found_after_the_restart)
{
	int fd;

	scripted_start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	program_kill(&item_gateway);
	close(fd);
	scripted_run();
	ck_assert_str_eq(create("a", "{\"name\":\"x\"}"), bluejay_id("x"));
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	scripted_stop();
}
END_TEST

START_TEST(an_old_answer_does_not_become_a_new_persona)
{
	static char body[256];
	const char *id;
	struct reply *r;

	scripted_start(SHORT);
	id = create(_i == 0 ? "plain" : "a", "{\"name\":\"x\"}");
	snprintf(body, sizeof body,
	    "{\"id\":\"%s\",\"name\":\"x\",\"description\":\"\",\"goal\":\"\","
	    "\"created_at\":\"2026-01-28T10:00:00Z\"}", id);
	if (_i == 2)
		ck_assert_int_eq(call("DELETE", "a", id, NULL, NULL)->status, 204);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 200, body);
	r = call("POST", _i == 0 ? "plain" : "a", NULL, NULL, "{\"name\":\"y\"}");
	ck_assert_msg(r->status >= 500, "%d %s", r->status, r->body);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 2);
	if (_i < 2) {
		ck_assert_str_eq(reply_string(call("GET", _i == 0 ? "plain" : "a", id, NULL, NULL), "name"),
		    "x");
		left_to_operator();
	}
	settled();
	scripted_stop();
}
END_TEST

/* The suite. */
static Suite *
scripted_suite(void)
{
	const TTest *const tests[] = {
	    the_first_create_of_an_agent_sees_the_same_persona_in_its_listing,
	    a_create_that_went_through_unanswered_is_found_and_handed_out,
	    a_persona_of_a_broken_shape_is_known_and_not_made_again,
	    a_namesake_with_another_body_is_left_to_the_operator,
	    a_namesake_seen_before_the_answer_is_lost_is_remembered,
	    a_persona_that_was_hidden_is_not_what_a_create_made,
	    a_create_proven_absent_is_sent_again_while_its_client_waits,
	    a_create_proven_absent_is_not_sent_again_when_its_client_left,
	    another_body_under_a_key_is_422_also_while_unsettled,
	    an_answer_given_again_under_its_key_is_claimed,
	    what_an_operator_adopts_is_the_answer_under_the_key,
	    an_unclaimed_persona_is_inherited_once,
	    an_unclaimed_persona_that_is_gone_is_not_inherited,
	    an_unclaimed_persona_that_was_renamed_frees_its_name,
	    an_unclaimed_persona_that_was_changed_is_not_inherited,
	    a_create_cut_by_kill_is_found_after_the_restart,
	    NULL,
	};
	Suite *suite = suite_create("scripted");
	TCase *tcase = tcase_create("scripted");

	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; tests[i] != NULL; i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, an_answer_with_an_id_means_that_the_persona_exists, 0, 3);
	tcase_add_loop_test(tcase,
	    an_answer_with_nothing_but_the_id_is_completed_by_the_personas_own_get, 0, 2);
	tcase_add_loop_test(tcase, an_old_answer_does_not_become_a_new_persona, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(scripted_suite)
