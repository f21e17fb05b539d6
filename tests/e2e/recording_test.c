#include "config.h"

#include "bluejay.h"
#include "harness.h"
#include "unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Past requests, as the admin address shows them and `explain --request` prints them. */

#define PERSONAS "/api/projects/a/personas"
#define CREATE "/v1/create-customer-persona"
#define UPDATE "/v1/update-customer-persona/"
#define ONE "/v1/customer-persona/"
#define KEY "k3y-of-the-account"
#define SECRET "v3ry-s3cret-value"
#define OWN "0wn-s3cret-of-a-persona"
#define CONSTANT "c0nstant-s3cret"
#define OFF "Recording is off; recording.requests in the gateway's configuration switches it on"
#define UNKNOWN "No request with this id is remembered; the oldest are forgotten first"

static struct program gateway;
static const char *file;

/* Starts Bluejay and a gateway with this section. */
static void
start(const char *recording)
{
	const char *args[] = {"serve", "--config", NULL, NULL};

	setenv("E2E_SECRET", SECRET, 1);
	setenv("E2E_CONSTANT", CONSTANT, 1);
	bluejay_start();
	file = scratch_file("gateway.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	    "log: {level: debug, format: json}\n"
	    "projects: {a: {agent_id: 1}}\n"
	    "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: " KEY "\n  retries: 1\n"
	    "  headers: {X-Secret: \"${E2E_SECRET}\"}\n  forward_persona_headers: true\n"
	    "  cache: {fresh: 0s}\n"
	    "%s"
	    "mapping:\n  persona:\n    fields:\n"
	    "      name: name\n"
	    "      description: {to: description, when_absent: \"\"}\n"
	    "      systemPrompt: {to: goal, when_absent: \"\"}\n"
	    "      createdAt: {to: created_at, as: timestamp, read_only: true}\n"
	    "    constants:\n"
	    "      agent_id: ${project.agent_id}\n"
	    "      token: ${E2E_CONSTANT}\n",
	    bluejay_port(), recording);
	args[2] = file;
	program_start(&gateway, args);
}

/* Ends both; the gateway must end well, and its log holds nothing of what it keeps. */
static void
stop(void)
{
	static const char *const never[] = {KEY, SECRET, OWN, CONSTANT, "a-private-word"};
	char *log;

	ck_assert_int_eq(program_stop(&gateway), 0);
	log = program_log(&gateway);
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		ck_assert_msg(strstr(log, never[i]) == NULL, "the log holds %s", never[i]);
	free(log);
	bluejay_stop();
}

/* A request with an id of its own. */
static struct reply *
call(const char *request, const char *method, const char *path, const char *body)
{
	char field[200];

	snprintf(field, sizeof field, "X-Request-Id: %s\r\n%s", request,
	    body != NULL ? "Content-Type: application/json\r\n" : "");
	return ask(gateway.port, method, path, field, body);
}

/* Creates a persona; its path (static). */
static const char *
create(const char *request, const char *body)
{
	static char path[200];
	struct reply *r = call(request, "POST", PERSONAS, body);

	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	snprintf(path, sizeof path, PERSONAS "/%s", reply_string(r, "id"));
	return path;
}

/* Asks the admin address; nothing that it answers holds a secret. */
static struct reply *
admin(const char *path)
{
	static const char *const never[] = {KEY, SECRET, OWN, CONSTANT};
	struct reply *r = ask(gateway.admin_port, "GET", path, NULL, NULL);

	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		ck_assert_msg(strstr(r->body, never[i]) == NULL, "%s: %s", never[i], r->body);
	return r;
}

/* What is remembered of a request. */
static struct json_object *
record(const char *request)
{
	char path[200];
	struct reply *r;

	snprintf(path, sizeof path, "/requests/%s", request);
	r = admin(path);
	ck_assert_msg(r->status == 200, "%s: %d %s", request, r->status, r->body);
	return reply_json(r);
}

/* A member, however deep: keys and indexes with slashes between. */
static struct json_object *
at(struct json_object *o, const char *pointer)
{
	struct json_object *value = NULL;

	ck_assert_msg(json_pointer_get(o, pointer, &value) == 0, "no %s in %s", pointer,
	    json_object_to_json_string(o));
	return value;
}

/* Fails unless a member prints so. */
static void
expect(struct json_object *o, const char *pointer, const char *want)
{
	const char *got = json_object_to_json_string_ext(at(o, pointer),
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	ck_assert_msg(strcmp(got, want) == 0, "%s is %s, not %s", pointer, got, want);
}

/* Fails unless the list of fields has one that prints so. */
static void
expect_field(struct json_object *o, const char *list, const char *want)
{
	struct json_object *fields = at(o, list);

	for (size_t i = 0; i < json_object_array_length(fields); i++)
		if (strcmp(json_object_to_json_string_ext(json_object_array_get_idx(fields, i),
		        JSON_C_TO_STRING_PLAIN), want) == 0)
			return;
	ck_abort_msg("no %s in %s", want, json_object_to_json_string(fields));
}

/* How many requests are remembered. */
static size_t
remembered(void)
{
	struct reply *r = admin("/requests");

	ck_assert_int_eq(r->status, 200);
	return json_object_array_length(reply_json(r));
}

START_TEST(a_create_is_remembered_with_what_became_of_each_field)
{
	struct json_object *o;

	start("recording: {requests: 10}\n");
	create("make/1", "{\"name\":\"Ann\",\"systemPrompt\":\"a-private-word\",\"mood\":\"odd\","
	    "\"headers\":{\"X-Own\":\"" OWN "\"}}");
	o = record("make%2F1");
	expect(o, "/id", "\"make/1\"");
	expect(o, "/project", "\"a\"");
	expect(o, "/resource", "\"persona\"");
	expect(o, "/operation", "\"create\"");
	expect(o, "/status", "201");
	expect(o, "/whole", "true");
	expect(o, "/body/systemPrompt", "\"a-private-word\"");
	ck_assert_int_eq(strncmp(json_object_get_string(at(o, "/body/headers/X-Own")), "sha256:", 7), 0);
	ck_assert_int_eq(strncmp(json_object_get_string(at(o, "/answer/headers/X-Own")), "sha256:", 7), 0);
	ck_assert_uint_eq(json_object_array_length(at(o, "/calls")), 2); /* the agent's list comes first */
	expect(o, "/calls/0/method", "\"GET\"");
	expect(o, "/calls/1/method", "\"POST\"");
	ck_assert_ptr_nonnull(strstr(json_object_get_string(at(o, "/calls/1/url")), CREATE));
	expect(o, "/calls/1/body", "{\"name\":\"Ann\",\"description\":\"\",\"goal\":\"a-private-word\","
	    "\"agent_id\":1,\"token\":\"…\"}");
	expect(o, "/calls/1/outcome", "\"answer\"");
	expect(o, "/calls/1/status", "200");
	expect(o, "/calls/1/answer/goal", "\"a-private-word\"");
	expect(o, "/calls/1/headers/Content-Type", "\"application/json\"");
	expect(o, "/calls/1/headers/X-Request-Id", "\"make/1\"");
	expect(o, "/calls/1/headers/X-API-Key", "\"sha256:57f6fe11557e\"");
	ck_assert_int_eq(strncmp(json_object_get_string(at(o, "/calls/1/headers/X-Secret")), "sha256:", 7), 0);
	ck_assert_int_eq(strncmp(json_object_get_string(at(o, "/calls/1/headers/X-Own")), "sha256:", 7), 0);
	ck_assert_str_eq(bluejay_field("POST", CREATE, "X-Own"), OWN);
	ck_assert_str_eq(json_object_get_string(at(o, "/file")), file);
	expect_field(o, "/fields", "{\"local\":\"systemPrompt\",\"bluejay\":\"goal\",\"line\":19,\"column\":7,"
	    "\"what\":\"renamed\"}");
	expect_field(o, "/fields", "{\"local\":\"description\",\"bluejay\":\"description\",\"line\":18,"
	    "\"column\":7,\"what\":\"defaulted\",\"why\":\"absent, so when_absent is sent\"}");
	expect_field(o, "/fields", "{\"local\":null,\"bluejay\":\"token\",\"line\":23,\"column\":7,"
	    "\"what\":\"constant\"}");
	expect_field(o, "/fields", "{\"local\":\"mood\",\"bluejay\":null,\"line\":null,\"column\":null,"
	    "\"what\":\"dropped\",\"why\":\"no field of the mapping has it\"}");
	expect_field(o, "/answer_fields", "{\"local\":\"systemPrompt\",\"bluejay\":\"goal\",\"line\":19,"
	    "\"column\":7,\"what\":\"renamed\"}");
	stop();
}
END_TEST

START_TEST(updates_reads_and_lists_are_remembered)
{
	const char *path;
	struct json_object *o;

	start("recording: {requests: 10}\n");
	path = create("make", "{\"name\":\"Ann\"}");
	ck_assert_int_eq(call("change", "PUT", path, "{\"systemPrompt\":\"p\"}")->status, 200);
	o = record("change");
	expect(o, "/operation", "\"update\"");
	expect(o, "/calls/0/method", "\"PUT\"");
	expect(o, "/calls/0/body", "{\"goal\":\"p\"}");
	expect(o, "/answer/systemPrompt", "\"p\"");
	expect_field(o, "/fields", "{\"local\":\"systemPrompt\",\"bluejay\":\"goal\",\"line\":19,\"column\":7,"
	    "\"what\":\"renamed\"}");
	ck_assert_int_eq(call("read", "GET", path, NULL)->status, 200);
	o = record("read");
	expect(o, "/operation", "\"read\"");
	expect(o, "/body", "null");
	expect(o, "/fields", "[]");
	expect(o, "/calls/0/answer/goal", "\"p\"");
	expect(o, "/answer/systemPrompt", "\"p\"");
	expect_field(o, "/answer_fields", "{\"local\":\"systemPrompt\",\"bluejay\":\"goal\",\"line\":19,"
	    "\"column\":7,\"what\":\"renamed\"}");
	ck_assert_int_eq(call("list", "GET", PERSONAS, NULL)->status, 200);
	o = record("list");
	expect(o, "/operation", "\"list\"");
	expect(o, "/answer/0/systemPrompt", "\"p\"");
	expect_field(o, "/answer_fields", "{\"local\":\"systemPrompt\",\"bluejay\":\"goal\",\"line\":19,"
	    "\"column\":7,\"what\":\"renamed\"}");
	o = reply_json(admin("/requests"));
	ck_assert_uint_eq(json_object_array_length(o), 4);
	expect(o, "/0/id", "\"list\"");
	expect(o, "/3/id", "\"make\"");
	ck_assert_ptr_null(json_object_object_get(at(o, "/3"), "body"));
	stop();
}
END_TEST

START_TEST(what_fails_is_remembered_too)
{
	struct json_object *o;

	start("recording: {requests: 10}\n");
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 422,
	    "{\"detail\":[{\"loc\":[\"body\",\"goal\"],\"msg\":\"" KEY " " SECRET "\",\"type\":\"t\"}]}");
	ck_assert_int_ge(call("bad", "POST", PERSONAS, "{\"name\":\"Ann\"}")->status, 400);
	o = record("bad");
	expect(o, "/calls/1/status", "422");
	expect(o, "/calls/1/answer/detail/0/loc/1", "\"goal\"");
	expect(o, "/answer_fields", "[]");
	ck_assert_ptr_nonnull(at(o, "/answer/error"));
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 400, "<p>" KEY "</p>");
	ck_assert_int_ge(call("page", "POST", PERSONAS, "{\"name\":\"Ann\"}")->status, 400);
	ck_assert_int_eq(strncmp(json_object_get_string(at(record("page"), "/calls/0/answer")),
	    "<p>sha256:", 10), 0);
	ck_assert_int_eq(call("type", "POST", PERSONAS, "{\"name\":\"Ann\",\"systemPrompt\":1}")->status, 400);
	o = record("type");
	expect(o, "/status", "400");
	expect(o, "/body/systemPrompt", "1");
	expect(o, "/calls", "[]");
	expect(o, "/fields", "[]");
	stop();
}
END_TEST

START_TEST(the_number_is_bounded)
{
	start("recording: {requests: 2}\n");
	for (int i = 0; i < 5; i++) {
		char id[20];

		snprintf(id, sizeof id, "list-%d", i);
		ck_assert_int_eq(call(id, "GET", PERSONAS, NULL)->status, 200);
	}
	ck_assert_uint_eq(remembered(), 2);
	expect_error(admin("/requests/list-2"), 404, UNKNOWN);
	expect(record("list-3"), "/id", "\"list-3\"");
	stop();
}
END_TEST

START_TEST(the_bytes_are_bounded)
{
	size_t long_one = 40000, too_long = 70000;
	char *body = calloc(1, too_long + 100);
	size_t n;

	start("recording: {requests: 100, size: 64KiB}\n");
	for (int i = 0; i < 3; i++) {
		char id[20];

		snprintf(id, sizeof id, "make-%d", i);
		n = (size_t)sprintf(body, "{\"name\":\"%d\",\"other\":\"", i);
		memset(body + n, 'x', long_one);
		strcpy(body + n + long_one, "\"}");
		create(id, body);
	}
	ck_assert_uint_eq(remembered(), 1);
	expect(record("make-2"), "/whole", "true");
	n = (size_t)sprintf(body, "{\"name\":\"big\",\"other\":\"");
	memset(body + n, 'x', too_long);
	strcpy(body + n + too_long, "\"}");
	create("big", body);
	expect(record("big"), "/body", "null");
	expect(record("big"), "/whole", "false");
	expect(record("big"), "/status", "201");
	free(body);
	stop();
}
END_TEST

START_TEST(nothing_is_remembered_unless_the_file_says_so)
{
	char *log, *out;

	start("");
	create("make", "{\"name\":\"Ann\"}");
	expect_error(admin("/requests"), 404, OFF);
	expect_error(admin("/requests/make"), 404, OFF);
	out = shell("%s explain --request make --admin http://127.0.0.1:%d 2>&1; echo $?", program_path(),
	    gateway.admin_port);
	ck_assert_str_eq(out, "persona-gateway: " OFF "\n1\n");
	free(out);
	log = program_log(&gateway);
	ck_assert_ptr_null(strstr(log, "recording is on"));
	free(log);
	stop();
}
END_TEST

START_TEST(the_gateway_warns_when_it_is_on)
{
	char *log;

	start("recording: {requests: 1}\n");
	log = program_log(&gateway);
	ck_assert_ptr_nonnull(strstr(log, "\"level\":\"warn\",\"event\":\"recording is on"));
	free(log);
	expect_error(ask(gateway.port, "GET", "/requests", NULL, NULL), 404, "Not found");
	stop();
}
END_TEST

START_TEST(the_command_prints_both_ways)
{
	char *out, *want;

	start("recording: {requests: 10}\n");
	create("make/1", "{\"name\":\"Ann\",\"systemPrompt\":\"Hi.\"}");
	out = shell("%s explain --request make/1 --admin http://127.0.0.1:%d", program_path(),
	    gateway.admin_port);
	ck_assert_ptr_nonnull(strstr(out, "  make/1  project a: create of a persona\n\n"
	    "the local body\n{\"name\":\"Ann\",\"systemPrompt\":\"Hi.\"}\n"));
	ck_assert_ptr_nonnull(strstr(out, CREATE "\nAccept: application/json\n"));
	ck_assert_ptr_nonnull(strstr(out, "\n{\"name\":\"Ann\",\"description\":\"\",\"goal\":\"Hi.\","
	    "\"agent_id\":1,\"token\":\"…\"}\n\nBluejay's answer: status 200\n"));
	want = shell("printf 'what became of the body\n  name          name         copied     %s:17:7\n"
	    "  description   description  defaulted  %s:18:7  (absent, so when_absent is sent)\n"
	    "  systemPrompt  goal         renamed    %s:19:7\n"
	    "  -             agent_id     constant   %s:22:7\n"
	    "  -             token        constant   %s:23:7\n\n"
	    "what became of Bluejay'\"'\"'s answer\n  id            id           copied     built-in\n'",
	    file, file, file, file, file);
	ck_assert_msg(strstr(out, want) != NULL, "%s not in %s", want, out);
	ck_assert_ptr_nonnull(strstr(out, "\nthe local answer: status 201\n{\"id\":\""));
	free(out);
	free(want);
	out = shell("%s explain --request make/1 --json --admin http://127.0.0.1:%d", program_path(),
	    gateway.admin_port);
	want = shell("curl -s http://127.0.0.1:%d/requests/make%%2F1", gateway.admin_port);
	ck_assert_uint_eq(strlen(out), strlen(want) + 1);
	ck_assert_int_eq(strncmp(out, want, strlen(want)), 0);
	free(out);
	free(want);
	stop();
}
END_TEST

START_TEST(the_command_says_plainly_what_is_wrong)
{
	char *out;
	int port;

	start("recording: {requests: 10}\n");
	out = shell("%s explain --request none --admin http://127.0.0.1:%d 2>&1; echo $?", program_path(),
	    gateway.admin_port);
	ck_assert_str_eq(out, "persona-gateway: " UNKNOWN "\n1\n");
	free(out);
	out = shell("%s explain --request none --project a 2>&1; echo $?", program_path());
	ck_assert_str_eq(out, "persona-gateway explain: --request goes with --admin, --token-file, --ca-file and "
	    "--json alone (see persona-gateway explain --help)\n2\n");
	free(out);
	port = gateway.admin_port;
	stop();
	out = shell("%s explain --request none --admin http://127.0.0.1:%d 2>&1; echo $?", program_path(),
	    port);
	ck_assert_ptr_nonnull(strstr(out, "is it running"));
	ck_assert_ptr_nonnull(strstr(out, "\n1\n"));
	free(out);
}
END_TEST

START_TEST(a_reload_switches_it_and_forgets)
{
	start("recording: {requests: 10}\n");
	create("make", "{\"name\":\"Ann\"}");
	free(shell("sed -i '/^recording/d' %s", file));
	ck_assert_int_eq(ask(gateway.admin_port, "POST", "/reload", NULL, "{}")->status, 200);
	expect_error(admin("/requests/make"), 404, OFF);
	free(shell("sed -i 's/^projects:/recording: {requests: 10}\\nprojects:/' %s", file));
	ck_assert_int_eq(ask(gateway.admin_port, "POST", "/reload", NULL, "{}")->status, 200);
	ck_assert_uint_eq(remembered(), 0);
	create("again", "{\"name\":\"Bob\"}");
	free(shell("sed -i '1i # the lines are others now' %s", file));
	ck_assert_int_eq(ask(gateway.admin_port, "POST", "/reload", NULL, "{}")->status, 200);
	expect_field(record("again"), "/fields", "{\"local\":\"systemPrompt\",\"bluejay\":\"goal\","
	    "\"line\":19,\"column\":7,\"what\":\"defaulted\",\"why\":\"absent, so when_absent is sent\"}");
	stop();
}
END_TEST

/* Tests of what is remembered. */
static Suite *
recording_suite(void)
{
	const TTest *const tests[] = {
	    a_create_is_remembered_with_what_became_of_each_field,
	    updates_reads_and_lists_are_remembered,
	    what_fails_is_remembered_too,
	    the_number_is_bounded,
	    the_bytes_are_bounded,
	    nothing_is_remembered_unless_the_file_says_so,
	    the_gateway_warns_when_it_is_on,
	    a_reload_switches_it_and_forgets,
	    the_command_prints_both_ways,
	    the_command_says_plainly_what_is_wrong,
	    NULL,
	};

	return unit_suite("recording", tests);
}

UNIT_MAIN(recording_suite)
