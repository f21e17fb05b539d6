#include "config.h"

#include "reliability_test.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_CACHE "Cache-Control: no-cache\r\n"

/* How many personas the project shows. */
static int
listed(void)
{
	struct reply *r = call_with("GET", STAGE_DEMO, NO_CACHE, NULL);

	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	return (int)json_object_array_length(reply_json(r));
}

START_TEST(what_was_made_in_bluejay_is_adopted)
{
	char *id, *other;
	struct reply *r;

	stage_open(NULL, NULL);
	id = stage_make(STAGE_AGENT, "ann", "made there");
	r = call("GET", below(STAGE_DEMO, id), NULL); /* by its id, before any list */
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_string(r, "name"), "ann");
	ck_assert_str_eq(reply_string(r, "systemPrompt"), "");
	ck_assert_str_eq(reply_string(r, "updatedAt"), reply_string(r, "createdAt"));
	ck_assert_int_eq(listed(), 1);
	expect_error(call("POST", STAGE_DEMO, "{\"name\":\"ann\"}"), 409, NULL);
	other = stage_make(STAGE_AGENT, "bob", "");
	ck_assert_int_eq(listed(), 2);
	ck_assert_int_eq(call("PUT", below(STAGE_DEMO, id), "{\"name\":\"eve\",\"headers\":{\"A\":\"1\"}}")->status, 200);
	expect_error(call("PUT", below(STAGE_DEMO, id), "{\"name\":\"bob\"}"), 409, NULL);
	ck_assert_str_eq(stage_member(id, "name"), "eve");
	ck_assert_int_eq(call("DELETE", below(STAGE_DEMO, other), NULL)->status, 204);
	ck_assert_str_eq(stage_member(other, "name"), "(absent)");
	ck_assert_int_eq(listed(), 1);
	free(id);
	free(other);
	stage_close();
}
END_TEST

START_TEST(names_made_in_bluejay_count_from_the_first_create)
{
	char *id;

	stage_open(NULL, NULL);
	id = stage_make(STAGE_AGENT, "ann", "");
	expect_error(call("POST", STAGE_DEMO, "{\"name\":\"ann\"}"), 409, NULL);
	ck_assert_int_eq(stage_has("ann", NULL), 1);
	free(id);
	stage_close();
}
END_TEST

START_TEST(twins_made_in_bluejay_are_both_shown)
{
	char *one, *two;
	struct reply *r;

	stage_open(NULL, NULL);
	one = stage_make(STAGE_AGENT, "twin", "");
	two = stage_make(STAGE_AGENT, "twin", "");
	ck_assert_int_eq(listed(), 2);
	r = call("GET", STAGE_DEMO, NULL);
	ck_assert_ptr_nonnull(strstr(r->body, one));
	ck_assert_ptr_nonnull(strstr(r->body, two));
	expect_error(call("POST", STAGE_DEMO, "{\"name\":\"twin\"}"), 409, NULL);
	ck_assert_int_eq(call("DELETE", below(STAGE_DEMO, one), NULL)->status, 204);
	expect_error(call("POST", STAGE_DEMO, "{\"name\":\"twin\"}"), 409, NULL); /* the other has it */
	ck_assert_int_eq(call("DELETE", below(STAGE_DEMO, two), NULL)->status, 204);
	ck_assert_int_eq(call("POST", STAGE_DEMO, "{\"name\":\"twin\"}")->status, 201);
	free(one);
	free(two);
	stage_close();
}
END_TEST

START_TEST(edits_made_in_bluejay_are_seen)
{
	const char *path = _i == 0 ? STAGE_DEMO : STAGE_PLAIN;
	struct reply *r;
	char *id, *updated;

	stage_open(NULL, NULL);
	id = create(path, "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
	updated = strdup(reply_string(call("GET", below(path, id), NULL), "updatedAt"));
	r = call("GET", below(path, id), NULL);
	ck_assert_ptr_null(strstr(r->body, "description"));
	r = stage_bluejay("PUT", below("/v1/update-customer-persona", id),
	    "{\"name\":\"anna\",\"description\":\"filled there\"}");
	ck_assert_int_eq(r->status, 200);
	r = call("GET", below(path, id), NULL);
	ck_assert_str_eq(reply_string(r, "name"), "anna");
	ck_assert_str_eq(reply_string(r, "description"), "filled there");
	ck_assert_ptr_null(strstr(r->body, "systemPrompt"));
	ck_assert_ptr_nonnull(strstr(r->body, "\"headers\":{\"A\":\"1\"}"));
	ck_assert_int_gt(strcmp(reply_string(r, "updatedAt"), updated), 0);
	/* Its old name is free as soon as the store has noted what was seen. */
	EVENTUALLY(call("GET", below(path, id), NULL)->status == 200 &&
	    call("POST", path, "{\"name\":\"ann\"}")->status == 201);
	expect_error(call("POST", path, "{\"name\":\"anna\"}"), 409, NULL);
	free(id);
	free(updated);
	stage_close();
}
END_TEST

START_TEST(deletes_made_in_bluejay_are_believed)
{
	char *ids[6], body[32];

	stage_open(NULL, NULL);
	for (int i = 0; i < 6; i++) {
		snprintf(body, sizeof body, "{\"name\":\"p%d\"}", i);
		ids[i] = create(STAGE_DEMO, body);
	}
	ck_assert_int_eq(listed(), 6);
	if (_i == 1) { /* one that stays proves the key of the next start */
		stage_kill_gateway();
		stage_start_gateway();
	}
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(stage_bluejay("DELETE", below("/v1/customer-persona", ids[i]), NULL)->status, 200);
	ck_assert_int_eq(listed(), 1);
	for (int i = 0; i < 5; i++) {
		expect_error(call("GET", below(STAGE_DEMO, ids[i]), NULL), 404, NULL);
		snprintf(body, sizeof body, "{\"name\":\"p%d\"}", i);
		free(create(STAGE_DEMO, body));
	}
	ck_assert_int_eq(listed(), 6);
	ck_assert_int_eq(ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 200);
	for (int i = 0; i < 6; i++)
		free(ids[i]);
	stage_close();
}
END_TEST

START_TEST(another_accounts_key_hides_nothing)
{
	const char *const other[] = {"sandbox", NULL};
	struct program elsewhere;
	struct reply *r;
	char *ids[4], body[64], config[256], data[256];

	stage_open(NULL, NULL);
	for (int i = 0; i < 4; i++) {
		snprintf(body, sizeof body, "{\"name\":\"p%d\",\"headers\":{\"A\":\"%d\"}}", i, i);
		ids[i] = create(STAGE_DEMO, body);
	}
	ck_assert_int_eq(program_stop(&stage_gateway), 0);
	program_start(&elsewhere, other);
	snprintf(config, sizeof config, "%s",
	    scratch_file("elsewhere.yaml", "bluejay:\n  url: %s\n  api_key: sandbox\n  cache: {fresh: 0s}\n"
	        "projects:\n  demo: {agent_id: %d}\n", elsewhere.url[0], STAGE_AGENT));
	snprintf(data, sizeof data, "%s", stage_data());
	{
		const char *const args[] = {"serve", "--config", config, "--data-dir", data, "--rebind",
		    "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};

		program_start(&stage_gateway, args);
	}
	call("GET", STAGE_DEMO, NULL);
	r = ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL);
	ck_assert_int_eq(r->status, 503);
	ck_assert_ptr_nonnull(strstr(r->body, "\"personas\":{\"ok\":false"));
	free(create(STAGE_DEMO, "{\"name\":\"stranger\"}"));
	call("GET", STAGE_DEMO, NULL);
	ck_assert_int_eq(program_stop(&stage_gateway), 0);
	{
		const char *const args[] = {"serve", "--config", stage_config(), "--data-dir", data, "--rebind",
		    "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};

		program_start(&stage_gateway, args);
	}
	for (int i = 0; i < 4; i++) {
		r = call("GET", below(STAGE_DEMO, ids[i]), NULL);
		ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
		ck_assert_ptr_nonnull(strstr(r->body, "\"headers\""));
		free(ids[i]);
	}
	ck_assert_int_eq(listed(), 4);
	ck_assert_int_eq(program_stop(&elsewhere), 0);
	stage_close();
}
END_TEST

START_TEST(another_agents_personas_are_out_of_reach)
{
	static const char unknown[] = "11111111-2222-4333-8444-555555555555";
	char *id, *plain;

	stage_open(NULL, NULL);
	id = stage_make(STAGE_AGENT + 1, "theirs", "secret");
	plain = create(STAGE_PLAIN, "{\"name\":\"mine\"}");
	for (int i = 0; i < 3; i++) {
		const char *target = i == 0 ? id : i == 1 ? plain : unknown;

		expect_error(call("GET", below(STAGE_DEMO, target), NULL), 404, "Persona not found");
		expect_error(call("PUT", below(STAGE_DEMO, target), "{\"name\":\"x\"}"), 404, "Persona not found");
		expect_error(call("DELETE", below(STAGE_DEMO, target), NULL), 404, "Persona not found");
	}
	expect_error(call("GET", below(STAGE_PLAIN, id), NULL), 404, "Persona not found");
	ck_assert_str_eq(stage_member(id, "name"), "theirs");
	ck_assert_str_eq(stage_member(plain, "name"), "mine");
	ck_assert_int_eq(listed(), 0);
	ck_assert_int_eq(stage_received("GET", "/v1/customer-persona/{persona_id}"), 0);
	ck_assert_int_eq(stage_received("DELETE", "/v1/customer-persona/{persona_id}"), 0);
	free(id);
	free(plain);
	stage_close();
}
END_TEST

/* The suite. */
Suite *
reliability_share_suite(void)
{
	Suite *suite = suite_create("reliability: what others do in Bluejay");
	TCase *tcase = tcase_create("share");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, what_was_made_in_bluejay_is_adopted);
	tcase_add_test(tcase, names_made_in_bluejay_count_from_the_first_create);
	tcase_add_test(tcase, twins_made_in_bluejay_are_both_shown);
	tcase_add_loop_test(tcase, edits_made_in_bluejay_are_seen, 0, 2);
	tcase_add_loop_test(tcase, deletes_made_in_bluejay_are_believed, 0, 2);
	tcase_add_test(tcase, another_accounts_key_hides_nothing);
	tcase_add_test(tcase, another_agents_personas_are_out_of_reach);
	suite_add_tcase(suite, tcase);
	return suite;
}
