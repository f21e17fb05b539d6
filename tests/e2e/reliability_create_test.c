#include "config.h"

#include "reliability_test.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CREATE_PATH "/v1/create-customer-persona"

static const char create_body[] =
    "{\"name\":\"ann\",\"description\":\"calm\",\"systemPrompt\":\"be brief\",\"headers\":{\"A\":\"1\"}}";

/* One fault and what becomes of a create that meets it. */
struct create_fault {
	const char *profile;
	int agent; /* status of a project with an agent */
	int plain; /* and of one without */
};

static const struct create_fault create_faults[] = {
    {"none", 201, 201},
    {"latency", 201, 201},
    {"jitter", 201, 201},
    {"rate-limit", 201, 201},
    {"errors-before", 201, 504},
    {"errors-after", 201, 504},
    {"reset-before", 201, 504},
    {"reset-after", 201, 504},
    {"stale-connection", 201, 201},
    {"truncated", 201, 504},
    {"wrong-length", 201, 504},
    {"garbage", 201, 504},
    {"drip", 201, 201},
    {"slow-after", 201, 504},
    {"lagging-lists", 201, 201},
};
#define CREATE_FAULTS (int)(sizeof create_faults / sizeof *create_faults)

/* An answer holds what was sent, and Bluejay has it once. */
static void
expect_created(const struct reply *r)
{
	const char *id;

	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_str_eq(reply_string(r, "name"), "ann");
	ck_assert_str_eq(reply_string(r, "description"), "calm");
	ck_assert_str_eq(reply_string(r, "systemPrompt"), "be brief");
	ck_assert_ptr_nonnull(strstr(r->body, "\"headers\":{\"A\":\"1\"}"));
	ck_assert_int_eq(stage_has("ann", &id), 1);
	ck_assert_str_eq(reply_string(r, "id"), id);
	ck_assert_str_eq(stage_member(id, "goal"), "be brief");
}

START_TEST(a_create_under_a_fault_exists_once)
{
	const struct create_fault *f = &create_faults[_i];
	struct reply *r;

	stage_open(NULL, NULL);
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200); /* a connection to be stale */
	stage_fault(f->profile, "POST", 1);
	r = call("POST", STAGE_DEMO, create_body);
	ck_assert_msg(r->status == f->agent, "%s: %d %s", f->profile, r->status, r->body);
	expect_created(r);
	expect_error(call("POST", STAGE_DEMO, create_body), 409,
	    "Persona with name \"ann\" already exists");
	ck_assert_int_eq(stage_unsettled(), 0);
	stage_close();
}
END_TEST

START_TEST(without_an_agent_only_what_is_certain_is_answered)
{
	const struct create_fault *f = &create_faults[_i];
	struct reply *r;

	stage_open("  timeouts: {connect: 1s, first_byte: 500ms, total: 4s}\n", NULL);
	ck_assert_int_eq(call("GET", STAGE_PLAIN, NULL)->status, 200);
	stage_fault(f->profile, "POST", 1);
	r = call("POST", STAGE_PLAIN, create_body);
	ck_assert_msg(r->status == f->plain, "%s: %d %s", f->profile, r->status, r->body);
	ck_assert_int_eq(stage_received("POST", CREATE_PATH), strcmp(f->profile, "rate-limit") == 0 ? 2 : 1);
	if (f->plain == 201)
		expect_created(r);
	else
		ck_assert_int_eq(stage_unsettled(), 1);
	stage_close();
}
END_TEST

/* Starts a create that Bluejay makes and answers with an error, and lets nothing be
 * looked up: its outcome stays open until stage_no_faults(). */
static int
start_open_create(const char *fields)
{
	int fd;

	stage_faults("{\"profile\":\"errors-after\",\"percent\":100}");
	fd = call_start("POST", STAGE_DEMO, fields, create_body);
	EVENTUALLY(stage_has("ann", NULL) == 1);
	EVENTUALLY(stage_received("GET", "/v1/customer-personas-by-agent/{agent_id}") > 1);
	return fd;
}

START_TEST(equal_creates_join_and_others_wait)
{
	struct reply *r;
	char *id;
	int one, two;

	stage_open(NULL, NULL);
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200);
	one = start_open_create(NULL);
	two = call_start("POST", STAGE_DEMO, NULL, create_body);
	r = call("POST", STAGE_DEMO, "{\"name\":\"ann\"}");
	expect_error(r, 503, "A create of persona \"ann\" with another body is not settled yet; try again later");
	ck_assert_int_ge(atoi(reply_field(r, "retry-after")), 1);
	stage_no_faults();
	r = ask_end(one);
	expect_created(r);
	id = strdup(reply_string(r, "id"));
	r = ask_end(two);
	expect_created(r);
	ck_assert_str_eq(reply_string(r, "id"), id);
	expect_error(call("POST", STAGE_DEMO, "{\"name\":\"ann\"}"), 409, NULL);
	expect_error(call("POST", STAGE_DEMO, create_body), 409, NULL);
	free(id);
	stage_close();
}
END_TEST

START_TEST(a_create_that_was_told_504_is_inherited_once)
{
	struct reply *r;
	bool killed = _i == 1;

	stage_open("  timeouts: {connect: 1s, first_byte: 1s, total: 1s}\n"
	    "  settle: {grace: 300ms}\n", NULL);
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200);
	r = ask_end(start_open_create(NULL));
	expect_error(r, 504, NULL);
	if (killed) {
		stage_kill_gateway();
		stage_start_gateway();
	}
	stage_no_faults();
	EVENTUALLY(stage_unsettled() == 0);
	expect_created(call("POST", STAGE_DEMO, create_body));
	expect_error(call("POST", STAGE_DEMO, create_body), 409, NULL);
	ck_assert_int_eq(stage_processed("POST", CREATE_PATH), 1);
	stage_close();
}
END_TEST

START_TEST(a_create_proven_absent_frees_its_name)
{
	stage_open("  timeouts: {connect: 1s, first_byte: 1s, total: 1s}\n"
	    "  settle: {grace: 1500ms}\n", NULL);
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200);
	stage_fault("reset-before", "POST", 1);
	expect_error(call("POST", STAGE_DEMO, create_body), 504, NULL);
	expect_error(call("POST", STAGE_DEMO, "{\"name\":\"ann\"}"), 503, NULL);
	EVENTUALLY(stage_unsettled() == 0);
	ck_assert_int_eq(stage_has("ann", NULL), 0);
	ck_assert_int_eq(stage_received("POST", CREATE_PATH), 1);
	ck_assert_int_eq(call("POST", STAGE_DEMO, "{\"name\":\"ann\"}")->status, 201);
	stage_close();
}
END_TEST

START_TEST(a_client_that_left_does_not_lose_its_create)
{
	int fd;

	stage_open(NULL, NULL);
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200);
	stage_faults("{\"profile\":\"latency\",\"method\":\"POST\",\"delay_ms\":200}");
	fd = call_start("POST", STAGE_DEMO, NULL, create_body);
	EVENTUALLY(stage_received("POST", CREATE_PATH) == 1);
	close(fd);
	EVENTUALLY(stage_has("ann", NULL) == 1);
	EVENTUALLY(stage_unsettled() == 0);
	expect_created(call("POST", STAGE_DEMO, create_body));
	expect_error(call("POST", STAGE_DEMO, create_body), 409, NULL);
	stage_close();
}
END_TEST

START_TEST(a_key_gives_the_same_answer)
{
	static const char key[] = "Idempotency-Key: one\r\n";
	struct reply *r;
	char *first;

	stage_open(NULL, NULL);
	r = call_with("POST", STAGE_DEMO, key, create_body);
	expect_created(r);
	first = strdup(r->body);
	for (int round = 0; round < 2; round++) {
		r = call_with("POST", STAGE_DEMO, key, create_body);
		ck_assert_int_eq(r->status, 201);
		ck_assert_str_eq(r->body, first);
		expect_error(call_with("POST", STAGE_DEMO, key, "{\"name\":\"bob\"}"), 422,
		    "This Idempotency-Key was used before with another request body");
		expect_error(call_with("POST", STAGE_DEMO, "Idempotency-Key: two\r\n", create_body), 409, NULL);
		stage_kill_gateway();
		stage_start_gateway();
	}
	ck_assert_int_eq(call_with("POST", "/api/projects/plain/personas", key, "{\"name\":\"bob\"}")->status,
	    201); /* another project's key */
	expect_error(call_with("POST", STAGE_DEMO, "Idempotency-Key: \r\n", create_body), 400, NULL);
	ck_assert_int_eq(stage_has("ann", NULL), 1);
	free(first);
	stage_close();
}
END_TEST

START_TEST(a_key_holds_while_its_create_runs_and_is_open)
{
	static const char key[] = "Idempotency-Key: one\r\n";
	struct reply *r;
	char *id;
	int one, two, three;

	stage_open(NULL, NULL);
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200);
	one = start_open_create(key);
	two = call_start("POST", STAGE_DEMO, key, create_body);
	three = call_start("POST", STAGE_DEMO, "Idempotency-Key: two\r\n", create_body);
	expect_error(ask_end(three), 503, NULL);
	expect_error(call_with("POST", STAGE_DEMO, key, "{\"name\":\"bob\"}"), 422, NULL);
	stage_no_faults();
	r = ask_end(one);
	expect_created(r);
	id = strdup(reply_string(r, "id"));
	ck_assert_str_eq(reply_string(ask_end(two), "id"), id);
	ck_assert_str_eq(reply_string(call_with("POST", STAGE_DEMO, key, create_body), "id"), id);
	free(id);
	stage_close();
}
END_TEST

START_TEST(creates_of_one_name_at_once_make_one_persona)
{
	int fds[8], made = 0, taken = 0;
	char body[64];

	stage_open(NULL, NULL);
	stage_faults("{\"profile\":\"latency\",\"delay_ms\":30}");
	for (int i = 0; i < 8; i++) {
		snprintf(body, sizeof body, "{\"name\":\"ann\",\"description\":\"%d\"}", i);
		fds[i] = call_start("POST", STAGE_DEMO, NULL, body);
	}
	for (int i = 0; i < 8; i++) {
		struct reply *r = ask_end(fds[i]);

		made += r->status == 201;
		taken += r->status == 409;
	}
	ck_assert_int_eq(made, 1);
	ck_assert_int_eq(taken, 7);
	ck_assert_int_eq(stage_has("ann", NULL), 1);
	stage_close();
}
END_TEST

START_TEST(a_refused_create_leaves_nothing)
{
	struct reply *r;

	stage_open("  timeouts: {connect: 500ms, first_byte: 500ms, total: 900ms}\n", NULL);
	stage_fault("rate-limit", "POST", 1);
	r = call("POST", STAGE_PLAIN, create_body);
	expect_error(r, 429, "Bluejay is limiting requests; try again later"); /* beyond the deadline */
	ck_assert_int_ge(atoi(reply_field(r, "retry-after")), 1);
	ck_assert_int_eq(stage_received("POST", CREATE_PATH), 1);
	ck_assert_int_eq(stage_unsettled(), 0);
	expect_created(call("POST", STAGE_PLAIN, create_body));
	stage_close();
}
END_TEST

/* The suite. */
Suite *
reliability_create_suite(void)
{
	Suite *suite = suite_create("reliability: creates");
	TCase *faults = tcase_create("faults"), *rest = tcase_create("rest");

	tcase_set_timeout(faults, 60);
	tcase_add_loop_test(faults, a_create_under_a_fault_exists_once, 0, CREATE_FAULTS);
	tcase_add_loop_test(faults, without_an_agent_only_what_is_certain_is_answered, 0, CREATE_FAULTS);
	suite_add_tcase(suite, faults);
	tcase_set_timeout(rest, 60);
	tcase_add_test(rest, equal_creates_join_and_others_wait);
	tcase_add_loop_test(rest, a_create_that_was_told_504_is_inherited_once, 0, 2);
	tcase_add_test(rest, a_create_proven_absent_frees_its_name);
	tcase_add_test(rest, a_client_that_left_does_not_lose_its_create);
	tcase_add_test(rest, a_key_gives_the_same_answer);
	tcase_add_test(rest, a_key_holds_while_its_create_runs_and_is_open);
	tcase_add_test(rest, creates_of_one_name_at_once_make_one_persona);
	tcase_add_test(rest, a_refused_create_leaves_nothing);
	suite_add_tcase(suite, rest);
	return suite;
}
