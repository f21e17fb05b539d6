#include "config.h"

#include "reliability_test.h"
#include "script.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANGE_GET "/v1/customer-persona/{persona_id}"
#define CHANGE_PUT "/v1/update-customer-persona/{persona_id}"

static const char *const change_paths[] = {STAGE_DEMO, STAGE_PLAIN};

/* A name in the answer of a persona's own GET. */
static void
expect_name(const char *path, const char *id, const char *name)
{
	struct reply *r = call("GET", below(path, id), NULL);

	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	ck_assert_str_eq(reply_string(r, "name"), name);
}

static const char *const change_faults[] = {"rate-limit", "errors-before", "errors-after",
    "reset-before", "reset-after", "truncated", "stale-connection"};
#define CHANGE_FAULTS (int)(sizeof change_faults / sizeof *change_faults)

START_TEST(what_is_safe_is_tried_again)
{
	const char *fault = change_faults[_i];
	struct reply *r;
	char *id;

	stage_open(NULL, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	stage_fault(fault, "GET", 1);
	r = call_with("GET", below(STAGE_DEMO, id), "Cache-Control: no-cache\r\n", NULL);
	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	ck_assert_str_eq(reply_field(r, "x-cache"), "miss");
	stage_fault(fault, "PUT", 1);
	r = call("PUT", below(STAGE_DEMO, id), "{\"name\":\"bob\",\"description\":\"new\"}");
	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	ck_assert_str_eq(reply_string(r, "description"), "new");
	ck_assert_str_eq(stage_member(id, "name"), "bob");
	stage_fault(fault, "DELETE", 1);
	r = call("DELETE", below(STAGE_DEMO, id), NULL);
	ck_assert_msg(r->status == 204, "%d %s", r->status, r->body);
	ck_assert_str_eq(stage_member(id, "name"), "(absent)");
	ck_assert_int_eq(stage_unsettled(), 0);
	free(id);
	stage_close();
}
END_TEST

START_TEST(garbage_leaves_an_update_open_until_it_is_seen)
{
	char *id;

	stage_open(NULL, NULL);
	id = create(change_paths[_i], "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
	stage_fault("garbage", "PUT", 1);
	expect_error(call("PUT", below(change_paths[_i], id), "{\"name\":\"bob\",\"headers\":{\"B\":\"2\"}}"), 502,
	    NULL);
	EVENTUALLY(stage_unsettled() == 0);
	expect_name(change_paths[_i], id, "bob");
	ck_assert_ptr_nonnull(
	    strstr(call("GET", below(change_paths[_i], id), NULL)->body, "\"headers\":{\"B\":\"2\"}"));
	free(create(change_paths[_i], "{\"name\":\"ann\"}"));
	expect_error(call("POST", change_paths[_i], "{\"name\":\"bob\"}"), 409, NULL);
	free(id);
	stage_close();
}
END_TEST

/* Leaves a rename open: no answer is usable until stage_no_faults(). */
static char *
leave_renamed(const char *profile, bool taken)
{
	char *id, json[100];
	struct reply *r;

	stage_open("  timeouts: {connect: 1s, first_byte: 1s, total: 1s}\n"
	    "  settle: {grace: 300ms}\n"
	    "  cache: {fresh: 0s}\n", NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	snprintf(json, sizeof json, "{\"profile\":\"%s\",\"percent\":100}", profile);
	stage_faults(json);
	r = call("PUT", below(STAGE_DEMO, id), "{\"name\":\"bob\"}");
	ck_assert_msg(r->status == 502 || r->status == 504, "%d %s", r->status, r->body);
	ck_assert_str_eq(stage_member(id, "name"), taken ? "bob" : "ann");
	ck_assert_int_eq(stage_unsettled(), 1);
	return id;
}

START_TEST(an_open_rename_holds_both_names)
{
	bool taken = _i == 1;
	struct reply *r;
	char *id = leave_renamed(taken ? "errors-after" : "errors-before", taken);

	expect_error(call("POST", STAGE_DEMO, "{\"name\":\"ann\"}"), 409, NULL);
	expect_error(call("POST", STAGE_DEMO, "{\"name\":\"bob\"}"), 503, NULL);
	stage_no_faults();
	EVENTUALLY(stage_unsettled() == 0);
	expect_name(STAGE_DEMO, id, taken ? "bob" : "ann");
	EVENTUALLY((r = call("POST", STAGE_DEMO, taken ? "{\"name\":\"ann\"}" : "{\"name\":\"bob\"}"))->status != 503);
	ck_assert_int_eq(r->status, 201);
	expect_error(call("POST", STAGE_DEMO, taken ? "{\"name\":\"bob\"}" : "{\"name\":\"ann\"}"), 409, NULL);
	free(id);
	stage_close();
}
END_TEST

START_TEST(other_writes_wait_for_an_open_one)
{
	char *id = leave_renamed("errors-after", true);

	expect_error(call("PUT", below(STAGE_DEMO, id), "{\"description\":\"later\"}"), 503, NULL);
	expect_error(call("DELETE", below(STAGE_DEMO, id), NULL), 503, NULL);
	stage_no_faults();
	EVENTUALLY(call("PUT", below(STAGE_DEMO, id), "{\"description\":\"later\"}")->status == 200);
	expect_name(STAGE_DEMO, id, "bob");
	ck_assert_str_eq(stage_member(id, "description"), "later");
	free(id);
	stage_close();
}
END_TEST

START_TEST(an_open_delete_is_settled_by_looking)
{
	char *id;

	stage_open("  timeouts: {connect: 1s, first_byte: 1s, total: 1500ms}\n"
	    "  settle: {grace: 300ms}\n", NULL);
	id = create(change_paths[_i], "{\"name\":\"ann\"}");
	stage_faults("{\"profile\":\"errors-after\",\"percent\":100}");
	ck_assert_int_eq(call("DELETE", below(change_paths[_i], id), NULL)->status / 100, 5);
	stage_no_faults();
	EVENTUALLY(stage_unsettled() == 0);
	expect_error(call("GET", below(change_paths[_i], id), NULL), 404, "Persona not found");
	ck_assert_str_eq(call("GET", change_paths[_i], NULL)->body, "[]");
	free(create(change_paths[_i], "{\"name\":\"ann\"}"));
	free(id);
	stage_close();
}
END_TEST

START_TEST(what_is_gone_in_bluejay_is_deleted)
{
	char *id;

	stage_open(NULL, NULL);
	id = create(change_paths[_i], "{\"name\":\"ann\"}");
	ck_assert_int_eq(stage_bluejay("DELETE", below("/v1/customer-persona", id), NULL)->status, 200);
	ck_assert_int_eq(call("DELETE", below(change_paths[_i], id), NULL)->status, 204);
	expect_error(call("DELETE", below(change_paths[_i], id), NULL), 404, "Persona not found");
	free(create(change_paths[_i], "{\"name\":\"ann\"}"));
	free(id);
	stage_close();
}
END_TEST

START_TEST(what_is_gone_in_bluejay_cannot_be_updated)
{
	char *id;

	stage_open(NULL, NULL);
	id = create(change_paths[_i], "{\"name\":\"ann\"}");
	ck_assert_int_eq(stage_bluejay("DELETE", below("/v1/customer-persona", id), NULL)->status, 200);
	expect_error(call("PUT", below(change_paths[_i], id), "{\"name\":\"bob\"}"), 404, "Persona not found");
	expect_error(call("GET", below(change_paths[_i], id), NULL), 404, "Persona not found");
	free(create(change_paths[_i], "{\"name\":\"ann\"}"));
	free(create(change_paths[_i], "{\"name\":\"bob\"}"));
	free(id);
	stage_close();
}
END_TEST

START_TEST(kept_fields_alone_do_not_write_to_bluejay)
{
	char *id;

	stage_open(NULL, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	ck_assert_int_eq(call("PUT", below(STAGE_DEMO, id), "{\"headers\":{\"A\":\"1\"}}")->status, 200);
	ck_assert_int_eq(call("PUT", below(STAGE_DEMO, id), "{}")->status, 200);
	ck_assert_int_eq(stage_received("PUT", CHANGE_PUT), 0);
	free(id);
	stage_close();
}
END_TEST

START_TEST(a_client_that_left_does_not_stop_its_update)
{
	char *id;
	int fd;

	stage_open(NULL, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	stage_faults("{\"profile\":\"latency\",\"method\":\"PUT\",\"delay_ms\":150}");
	fd = call_start("PUT", below(STAGE_DEMO, id), NULL, "{\"name\":\"bob\"}");
	EVENTUALLY(stage_received("PUT", CHANGE_PUT) == 1);
	close(fd);
	EVENTUALLY(stage_unsettled() == 0);
	expect_name(STAGE_DEMO, id, "bob");
	ck_assert_str_eq(stage_member(id, "name"), "bob");
	free(id);
	stage_close();
}
END_TEST

/* An upstream whose first PUT is done without an answer, and whose further ones
 * are refused: with 429, and, when looked at, it shows what was done. */
struct refusing {
	char name[32];
	int puts;
};

/* What it answers. */
static void
refusing_upstream(void *arg, const struct script_request *q, struct script_reply *out)
{
	struct refusing *r = arg;
	char one[300];

	out->act = SCRIPT_ANSWER;
	out->status = 200;
	if (strcmp(q->method, "PUT") == 0) {
		snprintf(r->name, sizeof r->name, "bob");
		if (r->puts++ == 0) {
			out->act = SCRIPT_RESET;
		} else {
			out->status = 429;
			out->fields = "Retry-After: 1\r\n";
		}
		return;
	}
	snprintf(one, sizeof one,
	    "{\"id\":\"11111111-2222-4333-8444-555555555555\",\"name\":\"%s\",\"description\":\"\","
	    "\"goal\":\"\",\"created_at\":\"2026-01-01T00:00:00Z\"}", r->name);
	if (strstr(q->path, "by-agent") != NULL)
		snprintf(out->body, sizeof out->body, "[%s]", one);
	else
		snprintf(out->body, sizeof out->body, "%s", one);
}

/* Starts the gateway alone, on a scripted upstream. */
static void
open_on_script(script_fn fn, void *arg, const char *settings)
{
	const char *path = scratch_file("gateway.yaml",
	    "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: k\n%s"
	    "projects:\n  demo: {agent_id: 7}\n  plain: {}\n",
	    script_start(fn, arg), settings);
	char data[256];
	const char *const args[] = {"serve", "--config", path, "--data-dir", data, "--listen",
	    "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};

	snprintf(data, sizeof data, "%.200s/data", scratch_dir());
	program_start(&stage_gateway, args);
}

START_TEST(a_refusal_does_not_hide_an_earlier_try)
{
	static const char id[] = "11111111-2222-4333-8444-555555555555";
	struct refusing upstream = {.name = "ann"};

	open_on_script(refusing_upstream, &upstream,
	    "  timeouts: {total: 3s}\n  settle: {grace: 300ms}\n  cache: {fresh: 0s}\n");
	expect_name(STAGE_DEMO, id, "ann");
	expect_error(call("PUT", below(STAGE_DEMO, id), "{\"name\":\"bob\"}"), 502, NULL);
	EVENTUALLY(stage_unsettled() == 0);
	expect_name(STAGE_DEMO, id, "bob");
	ck_assert_int_eq(program_stop(&stage_gateway), 0);
}
END_TEST

/* The suite. */
Suite *
reliability_change_suite(void)
{
	Suite *suite = suite_create("reliability: updates and deletes");
	TCase *tcase = tcase_create("changes");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, what_is_safe_is_tried_again, 0, CHANGE_FAULTS);
	tcase_add_loop_test(tcase, garbage_leaves_an_update_open_until_it_is_seen, 0, 2);
	tcase_add_loop_test(tcase, an_open_rename_holds_both_names, 0, 2);
	tcase_add_test(tcase, other_writes_wait_for_an_open_one);
	tcase_add_loop_test(tcase, an_open_delete_is_settled_by_looking, 0, 2);
	tcase_add_loop_test(tcase, what_is_gone_in_bluejay_is_deleted, 0, 2);
	tcase_add_loop_test(tcase, what_is_gone_in_bluejay_cannot_be_updated, 0, 2);
	tcase_add_test(tcase, kept_fields_alone_do_not_write_to_bluejay);
	tcase_add_test(tcase, a_client_that_left_does_not_stop_its_update);
	tcase_add_test(tcase, a_refusal_does_not_hide_an_earlier_try);
	suite_add_tcase(suite, tcase);
	return suite;
}
