#include "config.h"

#include "bluejay.h"
#include "harness.h"
#include "unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

/*
 * A Bluejay whose answers are not as declared: members more, members less, members of
 * another type. What can be served is served, and all of it is shown.
 */

#define GET "/v1/customer-persona/"
#define LISTING "/v1/customer-personas-by-agent/"
#define SECRET "s3cret-value"
#define NOT_UNDERSTOOD "Bluejay gave an answer that the gateway does not understand"

static struct program gateway;

/* Starts Bluejay and a gateway that reads a nested member. */
static void
start(void)
{
	const char *const args[] = {"serve", "--config", NULL, NULL};
	const char *argv[4];

	bluejay_start();
	memcpy(argv, args, sizeof args);
	argv[2] = scratch_file("drift.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	    "log: {level: debug, format: json}\n"
	    "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: good\n  retries: 1\n"
	    "  cache: {fresh: 0s, stale_if_error: 0s}\n"
	    "projects:\n  a: {agent_id: 1}\n  b: {agent_id: 2}\n"
	    "mapping:\n  persona:\n    fields:\n      name: name\n"
	    "      description: {to: description, when_absent: \"\"}\n"
	    "      systemPrompt: {to: goal, when_absent: \"\"}\n"
	    "      createdAt: {to: created_at, as: timestamp, read_only: true}\n"
	    "      tone: {to: traits.voice.tone, as: string}\n",
	    bluejay_port());
	program_start(&gateway, argv);
}

/* Ends both; the gateway must end well. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
	bluejay_stop();
}

/* A request on the personas of a project. */
static struct reply *
call(const char *method, const char *project, const char *id, const char *body)
{
	char path[256];

	snprintf(path, sizeof path, "/api/projects/%s/personas%s%s", project, id != NULL ? "/" : "",
	    id != NULL ? id : "");
	return ask(gateway.port, method, path, NULL, body);
}

/* A persona as declared, made in Bluejay. */
static const char *
persona(void)
{
	const char *id = bluejay_make(1, "n", "d", "g");

	bluejay_member(id, "org_id", "null");
	bluejay_member(id, "traits", "{\"voice\":{\"tone\":\"calm\"}}");
	return id;
}

/* What is shown of the personas. */
static struct json_object *
shown(void)
{
	struct reply *r = ask(gateway.admin_port, "GET", "/drift", NULL, NULL);
	struct json_object *resources;

	ck_assert_int_eq(r->status, 200);
	ck_assert_ptr_null(strstr(r->body, SECRET));
	ck_assert(json_object_object_get_ex(reply_json(r), "resources", &resources));
	ck_assert_uint_eq(json_object_array_length(resources), 1);
	return json_object_array_get_idx(resources, 0);
}

/* How often a difference was counted, 0 for never. */
static int
counted(const char *kind, const char *path)
{
	struct json_object *list = json_object_object_get(shown(), "differences"), *one;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		one = json_object_array_get_idx(list, i);
		if (strcmp(json_object_get_string(json_object_object_get(one, "kind")), kind) == 0 &&
		    strcmp(json_object_get_string(json_object_object_get(one, "path")), path) == 0)
			return json_object_get_int(json_object_object_get(one, "count"));
	}
	return 0;
}

/* A number that is shown of the personas. */
static int
number(const char *member)
{
	return json_object_get_int(json_object_object_get(shown(), member));
}

/* How many lines of the log say that answers differ, and hold a text. The log is whole once the
 * gateway has ended. */
static int
logged(const char *text)
{
	char *log = program_log(&gateway), *save = NULL;
	int n = 0;

	ck_assert_ptr_null(strstr(log, SECRET));
	for (char *line = strtok_r(log, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		n += strstr(line, "answers differ") != NULL && strstr(line, text) != NULL;
	free(log);
	return n;
}

START_TEST(answers_as_declared_and_empty_listings_show_nothing)
{
	const char *id;

	start();
	id = persona();
	ck_assert_int_eq(call("GET", "a", NULL, NULL)->status, 200);
	ck_assert_int_eq(call("GET", "a", id, NULL)->status, 200);
	ck_assert_str_eq(call("GET", "b", NULL, NULL)->body, "[]");
	ck_assert_int_eq(number("answers"), 3);
	ck_assert_int_eq(number("items"), 2);
	ck_assert_uint_eq(json_object_array_length(json_object_object_get(shown(), "differences")), 0);
	stop();
	ck_assert_int_eq(logged(""), 0);
}
END_TEST

START_TEST(members_more_and_less_break_nothing_and_are_shown)
{
	char before[1024];
	const char *id;

	start();
	id = persona();
	snprintf(before, sizeof before, "%s", call("GET", "a", id, NULL)->body);
	bluejay_member(id, "mood", "\"" SECRET "\"");
	bluejay_member(id, "traits", "{\"voice\":{\"tone\":\"calm\",\"pitch\":[\"" SECRET "\"]}}");
	bluejay_member(id, "org_id", NULL);
	ck_assert_str_eq(call("GET", "a", id, NULL)->body, before);
	ck_assert_int_eq(call("GET", "a", NULL, NULL)->status, 200);
	ck_assert_int_eq(call("PUT", "a", id, "{\"description\":\"e\"}")->status, 200);
	ck_assert_int_eq(counted("new", "mood"), 3);
	ck_assert_int_eq(counted("new", "traits.voice.pitch"), 3);
	ck_assert_int_eq(counted("missing", "org_id"), 3);
	ck_assert_ptr_nonnull(strstr(ask(gateway.admin_port, "GET", "/metrics", NULL, NULL)->body,
	    "\npersona_gateway_upstream_drift_total{resource=\"personas\",kind=\"new\","
	    "path=\"traits.voice.pitch\"} 3\n"));
	stop();
	ck_assert_int_eq(logged(""), 3);
	ck_assert_int_eq(logged("\"path\":\"traits.voice.pitch\""), 1);
	ck_assert_int_eq(logged("\"kind\":\"missing\""), 1);
}
END_TEST

START_TEST(nested_members_may_be_null_or_missing)
{
	const char *id;

	start();
	id = persona();
	bluejay_member(id, "traits", "{\"voice\":null}");
	ck_assert_int_eq(call("GET", "a", id, NULL)->status, 200);
	ck_assert_int_eq(json_object_array_length(json_object_object_get(shown(), "differences")), 0);
	bluejay_member(id, "traits", "{\"voice\":{}}");
	ck_assert_ptr_null(reply_string(call("GET", "a", id, NULL), "tone"));
	ck_assert_int_eq(counted("missing", "traits.voice.tone"), 1);
	bluejay_member(id, "traits", NULL);
	ck_assert_int_eq(call("GET", "a", id, NULL)->status, 200);
	ck_assert_int_eq(counted("missing", "traits"), 1);
	stop();
}
END_TEST

START_TEST(what_the_mapping_needs_in_another_type_is_502_and_shown)
{
	const char *id;

	start();
	id = persona();
	ck_assert_int_eq(call("GET", "a", id, NULL)->status, 200);
	bluejay_member(id, "traits", "{\"voice\":{\"tone\":5}}");
	expect_error(call("GET", "a", id, NULL), 502, NOT_UNDERSTOOD);
	ck_assert_int_eq(counted("retyped", "traits.voice.tone"), 1);
	bluejay_member(id, "traits", "\"" SECRET "\"");
	expect_error(call("GET", "a", id, NULL), 502, NOT_UNDERSTOOD);
	ck_assert_int_eq(counted("retyped", "traits"), 1);
	bluejay_member(id, "traits", "null");
	bluejay_member(id, "created_at", "\"" SECRET "\"");
	expect_error(call("GET", "a", id, NULL), 502, NOT_UNDERSTOOD);
	ck_assert_int_eq(counted("retyped", "created_at"), 1);
	bluejay_member(id, "created_at", "\"2026-01-28T10:00:00\"");
	bluejay_member(id, "name", "null");
	expect_error(call("GET", "a", id, NULL), 502, NOT_UNDERSTOOD);
	ck_assert_int_eq(counted("retyped", "name"), 1);
	bluejay_member(id, "name", "\"n\"");
	ck_assert_int_eq(call("GET", "a", id, NULL)->status, 200);
	stop();
	ck_assert_int_eq(logged(""), 4);
	ck_assert_int_eq(logged("\"declared\":\"a string\",\"seen\":\"an integer\""), 1);
}
END_TEST

START_TEST(answers_that_are_something_else_altogether_are_shown)
{
	start();
	bluejay_rule("GET", LISTING, 1, BLUEJAY_ANSWER, 200, "{\"personas\":[]}");
	expect_error(call("GET", "a", NULL, NULL), 502, NOT_UNDERSTOOD);
	ck_assert_int_eq(counted("retyped", "(list)"), 1);
	bluejay_rule("GET", LISTING, 1, BLUEJAY_ANSWER, 200, "[null,7]");
	ck_assert_int_eq(call("GET", "a", NULL, NULL)->status, 200);
	ck_assert_int_eq(counted("retyped", "(item)"), 2);
	bluejay_rule("GET", LISTING, 1, BLUEJAY_ANSWER, 200, "<html>");
	expect_error(call("GET", "a", NULL, NULL), 502, NOT_UNDERSTOOD);
	ck_assert_int_eq(number("answers"), 2);
	stop();
}
END_TEST

START_TEST(a_create_whose_answer_lacks_members_is_shown)
{
	struct reply *r;

	start();
	r = call("POST", "a", NULL, "{\"name\":\"made\"}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_int_eq(counted("missing", "org_id"), 1);
	ck_assert_int_eq(counted("missing", "traits"), 1);
	stop();
}
END_TEST

START_TEST(the_sandbox_answers_as_declared)
{
	const char *const args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0",
	    "--admin-listen", "127.0.0.1:0", NULL};
	char id[64];

	program_start(&gateway, args);
	snprintf(id, sizeof id, "%s",
	    reply_string(call("POST", "demo", NULL, "{\"name\":\"made\"}"), "id"));
	ck_assert_int_eq(call("GET", "demo", NULL, NULL)->status, 200);
	ck_assert_int_eq(call("PUT", "demo", id, "{\"name\":\"other\"}")->status, 200);
	ck_assert_int_ge(number("answers"), 2);
	ck_assert_uint_eq(json_object_array_length(json_object_object_get(shown(), "differences")), 0);
	ck_assert_int_eq(program_stop(&gateway), 0);
}
END_TEST

/* Tests of what is shown of an upstream that changes. */
static Suite *
drift_suite(void)
{
	const TTest *const tests[] = {
	    answers_as_declared_and_empty_listings_show_nothing,
	    members_more_and_less_break_nothing_and_are_shown,
	    nested_members_may_be_null_or_missing,
	    what_the_mapping_needs_in_another_type_is_502_and_shown,
	    answers_that_are_something_else_altogether_are_shown,
	    a_create_whose_answer_lacks_members_is_shown,
	    the_sandbox_answers_as_declared,
	    NULL,
	};

	return unit_suite("drift", tests);
}

UNIT_MAIN(drift_suite)
