#include "config.h"

#include "reliability_test.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char operator_body[] = "{\"name\":\"ann\",\"description\":\"calm\",\"headers\":{\"A\":\"1\"}}";

/* Leaves a create without an agent open; `made`: Bluejay has its persona. */
static void
leave_open(bool made, const char *fields)
{
	struct reply *r;

	stage_open(NULL, NULL);
	stage_fault(made ? "errors-after" : "errors-before", "POST", 1);
	r = call_with("POST", STAGE_PLAIN, fields, operator_body);
	ck_assert_msg(r->status == 504, "%d %s", r->status, r->body);
	ck_assert_ptr_nonnull(strstr(r->body, "persona-gateway intents"));
	ck_assert_int_eq(stage_has("ann", NULL), made);
}

/* Runs `persona-gateway intents WORDS`; the caller frees the output, whose last
 * line is the exit code. */
static char *
intents(const char *words)
{
	return shell("'%s' intents --admin http://127.0.0.1:%d %s 2>&1; echo $?", program_path(),
	    stage_gateway.admin_port, words);
}

/* Runs it for the one intent that there is. */
static char *
decide(const char *action, const char *persona)
{
	char *list = intents("list"), words[128], *out;

	ck_assert_uint_ge(strlen(list), 36);
	snprintf(words, sizeof words, "%s %.36s %s", action, list, persona);
	out = intents(words);
	free(list);
	return out;
}

/* Whether /readyz says that so many writes wait for a person; it is ready all the same. */
static bool
shown(const char *text)
{
	struct reply *r = ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL);

	ck_assert_int_eq(r->status, 200);
	return strstr(r->body, text) != NULL;
}

START_TEST(readiness_names_what_waits_for_the_operator)
{
	leave_open(true, NULL);
	EVENTUALLY(shown("\"for_operator\":1,\"unsettled\":0,\"ready\":true}"));
	stage_kill_gateway();
	stage_start_gateway();
	ck_assert(shown("\"for_operator\":1,")); /* at once */
	free(decide("forget", ""));
	EVENTUALLY(!shown("for_operator"));
	stage_close();
}
END_TEST

START_TEST(an_open_create_is_listed_and_holds_its_name)
{
	char *list;

	leave_open(true, NULL);
	for (int round = 0; round < 2; round++) {
		list = intents("list");
		ck_assert_ptr_nonnull(strstr(list, "create"));
		ck_assert_ptr_nonnull(strstr(list, "operator"));
		ck_assert_ptr_nonnull(strstr(list, "plain  ann\n0\n"));
		free(list);
		expect_error(call("POST", STAGE_PLAIN, operator_body), 504, NULL);
		expect_error(call("POST", STAGE_PLAIN, "{\"name\":\"ann\"}"), 503, NULL);
		ck_assert_str_eq(call("GET", STAGE_PLAIN, NULL)->body, "[]");
		stage_kill_gateway();
		stage_start_gateway();
	}
	ck_assert_int_eq(stage_has("ann", NULL), 1);
	stage_close();
}
END_TEST

START_TEST(an_adopted_create_gets_its_persona)
{
	const char *key = _i == 1 ? "Idempotency-Key: one\r\n" : NULL, *id;
	struct reply *r;
	char *out;

	leave_open(true, key);
	stage_has("ann", &id);
	out = decide("adopt", id);
	ck_assert_ptr_nonnull(strstr(out, id));
	ck_assert_ptr_nonnull(strstr(out, "\n0\n"));
	free(out);
	ck_assert_int_eq(stage_unsettled(), 0);
	r = call("GET", STAGE_PLAIN, NULL);
	ck_assert_int_eq((int)json_object_array_length(reply_json(r)), 1);
	ck_assert_ptr_nonnull(strstr(r->body, "\"headers\":{\"A\":\"1\"}"));
	ck_assert_ptr_null(strstr(r->body, "systemPrompt")); /* absent, as it was sent */
	r = call_with("POST", STAGE_PLAIN, key, operator_body);
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_str_eq(reply_string(r, "id"), id);
	r = call_with("POST", STAGE_PLAIN, key, operator_body);
	ck_assert_int_eq(r->status, key != NULL ? 201 : 409);
	ck_assert_int_eq(stage_has("ann", NULL), 1);
	stage_close();
}
END_TEST

START_TEST(a_forgotten_create_frees_its_name)
{
	char *out;

	leave_open(false, NULL);
	out = decide("forget", "");
	ck_assert_str_eq(out, "forgotten\n0\n");
	free(out);
	out = intents("list");
	ck_assert_str_eq(out, "nothing is unsettled\n0\n");
	free(out);
	ck_assert_int_eq(call("POST", STAGE_PLAIN, operator_body)->status, 201);
	ck_assert_int_eq(stage_has("ann", NULL), 1);
	stage_close();
}
END_TEST

START_TEST(wrong_decisions_are_refused)
{
	static const char unknown[] = "11111111-2222-4333-8444-555555555555";
	char *out, *other, words[128];

	leave_open(true, NULL);
	out = decide("adopt", unknown);
	ck_assert_ptr_nonnull(strstr(out, "Persona not found"));
	ck_assert_ptr_nonnull(strstr(out, "\n1\n"));
	free(out);
	other = create(STAGE_PLAIN, "{\"name\":\"bob\"}");
	out = decide("adopt", other);
	ck_assert_ptr_nonnull(strstr(out, "known already"));
	free(out);
	snprintf(words, sizeof words, "forget %s", unknown);
	out = intents(words);
	ck_assert_ptr_nonnull(strstr(out, "No such intent"));
	free(out);
	out = intents("adopt x y");
	ck_assert_ptr_nonnull(strstr(out, "is not an id"));
	ck_assert_ptr_nonnull(strstr(out, "\n2\n"));
	free(out);
	ck_assert_int_eq(stage_unsettled(), 1);
	free(other);
	stage_close();
}
END_TEST

START_TEST(decisions_must_be_declared_as_json)
{
	static const char path[] = "/intents/11111111-2222-4333-8444-555555555555/forget";

	stage_open(NULL, NULL);
	expect_error(ask(stage_gateway.admin_port, "POST", path, NULL, NULL), 415, NULL);
	expect_error(ask(stage_gateway.admin_port, "POST", path, "Content-Type: text/plain\r\n", "{}"), 415,
	    NULL);
	expect_error(ask(stage_gateway.admin_port, "POST", path,
	                 "Content-Type: application/x-www-form-urlencoded\r\n", "a=b"),
	    415, NULL);
	expect_error(ask(stage_gateway.admin_port, "POST", path, NULL, "{}"), 404, NULL);
	expect_error(ask(stage_gateway.admin_port, "POST", path,
	                 "Content-Type: application/json; charset=utf-8\r\n", "{}"),
	    404, NULL);
	stage_close();
}
END_TEST

/* The suite. */
Suite *
reliability_operator_suite(void)
{
	Suite *suite = suite_create("reliability: what an operator decides");
	TCase *tcase = tcase_create("operator");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, readiness_names_what_waits_for_the_operator);
	tcase_add_test(tcase, an_open_create_is_listed_and_holds_its_name);
	tcase_add_loop_test(tcase, an_adopted_create_gets_its_persona, 0, 2);
	tcase_add_test(tcase, a_forgotten_create_frees_its_name);
	tcase_add_test(tcase, wrong_decisions_are_refused);
	tcase_add_test(tcase, decisions_must_be_declared_as_json);
	suite_add_tcase(suite, tcase);
	return suite;
}
