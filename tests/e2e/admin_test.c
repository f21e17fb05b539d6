#include "config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* What the admin address shows, spoken to the real program. */

#define LISTING "/v1/customer-personas-by-agent/{agent_id}"
#define ONE "/v1/customer-persona/{persona_id}"
#define LONG_PROMPT 204800 /* bytes */

/* Asks the admin address. */
static struct reply *
look(const char *path)
{
	return ask(stage_gateway.admin_port, "GET", path, NULL, NULL);
}

/* A member of an object; fails without it. */
static struct json_object *
in(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	ck_assert_msg(json_object_object_get_ex(object, key, &value), "no %s", key);
	return value;
}

/* Whether an object has a member. */
static bool
has(struct json_object *object, const char *key)
{
	return json_object_object_get_ex(object, key, NULL);
}

/* A string in an object. */
static const char *
text(struct json_object *object, const char *key)
{
	return json_object_get_string(in(object, key));
}

/* The state of the gateway. */
static struct json_object *
overview(void)
{
	struct reply *r = look("/overview");

	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	return reply_json(r);
}

/* What is shown of a project. */
static struct json_object *
personas(const char *project)
{
	struct reply *r;
	char path[200];

	snprintf(path, sizeof path, "/projects/%s/personas", project);
	r = look(path);
	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	return reply_json(r);
}

/* The n-th persona that is shown of a project. */
static struct json_object *
persona(const char *project, size_t n)
{
	struct json_object *one =
	    json_object_array_get_idx(in(personas(project), "personas"), n);

	ck_assert_ptr_nonnull(one);
	return one;
}

/* Has the gateway read a project's list. */
static struct reply *
refresh(const char *project)
{
	char path[200];

	snprintf(path, sizeof path, "/projects/%s/refresh", project);
	return ask(stage_gateway.admin_port, "POST", path, NULL, "{}");
}

START_TEST(the_page_is_served_with_everything_that_keeps_it_alone)
{
	static const char *const files[][2] = {{"/", "text/html; charset=utf-8"},
	    {"/page.css", "text/css; charset=utf-8"},
	    {"/page.js", "text/javascript; charset=utf-8"}, {"/page.svg", "image/svg+xml"}};
	static const char *const fields[][2] = {{"x-content-type-options", "nosniff"},
	    {"x-frame-options", "DENY"}, {"referrer-policy", "no-referrer"},
	    {"cache-control", "no-cache"}};

	stage_open(NULL, NULL);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct reply *r = look(files[i][0]);
		char field[120];
		size_t len = r->len;

		ck_assert_int_eq(r->status, 200);
		ck_assert_str_eq(reply_field(r, "content-type"), files[i][1]);
		for (size_t j = 0; j < sizeof fields / sizeof *fields; j++)
			ck_assert_str_eq(reply_field(r, fields[j][0]), fields[j][1]);
		ck_assert_ptr_nonnull(strstr(reply_field(r, "content-security-policy"),
		    "default-src 'none'; script-src 'self'; style-src 'self';"));
		ck_assert_ptr_nonnull(strstr(reply_field(r, "content-security-policy"),
		    "frame-ancestors 'none'"));
		ck_assert_ptr_null(strstr(r->body, "innerHTML"));
		ck_assert_ptr_null(strstr(r->body, "https://"));
		snprintf(field, sizeof field, "If-None-Match: %s\r\n", reply_field(r, "etag"));
		r = ask(stage_gateway.admin_port, "GET", files[i][0], field, NULL);
		ck_assert_int_eq(r->status, 304);
		ck_assert_ptr_nonnull(reply_field(r, "content-security-policy"));
		r = ask(stage_gateway.admin_port, "HEAD", files[i][0], NULL, NULL);
		ck_assert_int_eq(r->status, 200);
		ck_assert_int_eq(atoi(reply_field(r, "content-length")), (int)len);
		r = ask(stage_gateway.admin_port, "POST", files[i][0], NULL, "{}");
		expect_error(r, 405, "Method not allowed");
		ck_assert_str_eq(reply_field(r, "allow"), "GET, HEAD");
		expect_error(ask(stage_gateway.port, "GET", files[i][0], NULL, NULL), 404, NULL);
	}
	expect_error(look("/page.txt"), 404, "Not found");
	expect_error(look("/projects"), 404, "Not found");
	stage_close();
}
END_TEST

START_TEST(the_overview_tells_projects_fields_and_state)
{
	struct json_object *o, *list;

	stage_open(NULL, NULL);
	free(create(STAGE_PLAIN, "{\"name\":\"a\"}"));
	o = overview();
	list = in(o, "projects");
	ck_assert_str_eq(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN),
	    "[{\"id\":\"demo\",\"name\":\"demo\",\"configured\":true,\"agentId\":7,\"personas\":0},"
	    "{\"id\":\"plain\",\"name\":\"plain\",\"configured\":true,\"personas\":1}]");
	ck_assert(!json_object_get_boolean(in(o, "otherProjects")));
	list = in(o, "fields");
	ck_assert_str_eq(json_object_to_json_string_ext(json_object_array_get_idx(list, 3),
	    JSON_C_TO_STRING_PLAIN),
	    "{\"field\":\"systemPrompt\",\"lives\":\"bluejay\",\"bluejay\":\"goal\","
	    "\"type\":\"string\",\"readOnly\":false}");
	ck_assert_str_eq(text(json_object_array_get_idx(list, 4), "lives"), "kept");
	ck_assert_str_eq(text(json_object_array_get_idx(list, 0), "lives"), "made");
	ck_assert_str_eq(text(in(o, "upstream"), "host"), "127.0.0.1");
	ck_assert_str_eq(text(in(o, "upstream"), "breaker"), "closed");
	ck_assert(!json_object_get_boolean(in(in(o, "upstream"), "simulated")));
	ck_assert_int_eq(json_object_get_int(in(in(o, "upstream"), "calls")), 1);
	ck_assert(json_object_get_boolean(in(in(o, "store"), "writable")));
	ck_assert(!json_object_get_boolean(in(in(o, "portraits"), "provider")));
	ck_assert_int_eq(json_object_get_int(in(o, "unsettled")), 0);
	/* the key of this gateway is "sandbox" */
	ck_assert_ptr_null(strstr(look("/overview")->body, "sandbox"));
	stage_close();
}
END_TEST

START_TEST(fields_of_the_file_say_where_they_are_declared)
{
	struct json_object *list;

	stage_open(NULL,
	    "mapping:\n"
	    "  persona:\n"
	    "    fields:\n"
	    "      name: name\n"
	    "      description: {to: description, when_absent: \"\"}\n"
	    "      systemPrompt: {to: goal, when_absent: \"\"}\n"
	    "      createdAt: {to: created_at, as: timestamp, read_only: true}\n"
	    "    kept_here: [headers, imageUrl, tone.voice]\n");
	free(create(STAGE_DEMO, "{\"name\":\"a\",\"tone\":{\"voice\":[1,\"low\"]}}"));
	list = in(overview(), "fields");
	ck_assert_str_eq(json_object_to_json_string_ext(json_object_array_get_idx(list, 6),
	    JSON_C_TO_STRING_PLAIN),
	    "{\"field\":\"tone.voice\",\"lives\":\"kept\",\"type\":\"json\",\"readOnly\":false,"
	    "\"line\":17,\"column\":36}");
	ck_assert_str_eq(text(in(persona("demo", 0), "values"), "tone.voice"), "[1,\"low\"]");
	stage_close();
}
END_TEST

START_TEST(personas_are_told_as_text_with_what_is_absent_left_out)
{
	static const char hostile[] = "</script><script>alert(1)</script>\\\"'&\\u202e\\u0001";
	struct json_object *one, *values;
	struct buf body;
	char *id;

	stage_open(NULL, NULL);
	buf_init(&body, 0);
	buf_addf(&body, "{\"name\":\"%s\",\"description\":\"\",\"headers\":{\"X\":\"<b>\"}}", hostile);
	id = create(STAGE_DEMO, body.data);
	one = persona("demo", 0);
	ck_assert_str_eq(text(one, "id"), id);
	ck_assert(!json_object_get_boolean(in(one, "adopted")));
	ck_assert(!has(one, "unsettled"));
	values = in(one, "values");
	ck_assert_str_eq(text(values, "name"),
	    "</script><script>alert(1)</script>\"'&\xe2\x80\xae\x01");
	ck_assert_str_eq(text(values, "description"), "");
	ck_assert_str_eq(text(values, "headers"), "{\"X\":\"<b>\"}");
	ck_assert(!has(values, "systemPrompt"));
	ck_assert(!has(values, "imageUrl"));
	ck_assert_int_eq(json_object_object_length(in(one, "lengths")), 0);
	free(id);
	/* a long one is cut between two characters */
	buf_clear(&body);
	buf_adds(&body, "{\"name\":\"long\",\"systemPrompt\":\"x");
	for (size_t i = 0; i < LONG_PROMPT / 2; i++)
		buf_adds(&body, "\xc3\xa9");
	buf_adds(&body, "\"}");
	free(create(STAGE_DEMO, body.data));
	one = persona("demo", 1);
	ck_assert_int_eq(json_object_get_string_len(in(in(one, "values"), "systemPrompt")), 1999);
	ck_assert_int_eq(json_object_get_int(in(in(one, "lengths"), "systemPrompt")),
	    LONG_PROMPT + 1);
	ck_assert(!has(in(one, "lengths"), "name"));
	buf_free(&body);
	stage_close();
}
END_TEST

START_TEST(what_was_made_in_bluejay_is_told_apart)
{
	char *id;

	stage_open(NULL, NULL);
	id = stage_make(STAGE_AGENT, "from the dashboard", "");
	ck_assert_int_eq(json_object_get_int(in(personas("demo"), "total")), 0);
	ck_assert_int_eq(refresh("demo")->status, 204);
	ck_assert_str_eq(text(persona("demo", 0), "id"), id);
	ck_assert(json_object_get_boolean(in(persona("demo", 0), "adopted")));
	free(id);
	stage_close();
}
END_TEST

START_TEST(a_write_without_an_outcome_is_shown)
{
	struct json_object *one, *writes;
	char *id;
	int fd;

	stage_open("  timeouts: {connect: 1s, first_byte: 5s, total: 10s}\n  settle: {grace: 300ms}\n", NULL);
	id = create(STAGE_PLAIN, "{\"name\":\"a\"}");
	stage_fault("slow-after", "PUT", 1);
	fd = call_start("PUT", below(STAGE_PLAIN, id), NULL, "{\"description\":\"new\"}");
	EVENTUALLY(json_object_array_length(in(personas("plain"), "writes")) == 1);
	one = persona("plain", 0);
	ck_assert_str_eq(text(one, "unsettled"), "update");
	writes = in(personas("plain"), "writes");
	ck_assert_str_eq(text(json_object_array_get_idx(writes, 0), "operation"), "update");
	ck_assert_uint_eq(json_object_array_length(in(personas("demo"), "writes")), 0);
	stage_no_faults();
	ask_end(fd);
	EVENTUALLY(json_object_array_length(in(personas("plain"), "writes")) == 0);
	free(id);
	stage_close();
}
END_TEST

START_TEST(a_long_list_is_cut_and_says_how_long_it_is)
{
	char body[60];

	stage_open(NULL, NULL);
	for (int i = 0; i < 203; i++) {
		snprintf(body, sizeof body, "{\"name\":\"p%d\"}", i);
		free(create(STAGE_PLAIN, body));
	}
	ck_assert_int_eq(json_object_get_int(in(personas("plain"), "total")), 203);
	ck_assert_uint_eq(json_object_array_length(in(personas("plain"), "personas")), 200);
	ck_assert_str_eq(text(in(persona("plain", 0), "values"), "name"), "p0");
	stage_close();
}
END_TEST

START_TEST(looking_asks_bluejay_nothing_and_the_button_once)
{
	int lists, ones, all;

	stage_open("  timeouts: {connect: 1s, first_byte: 1s, total: 5s}\n  cache: {fresh: 1h}\n", NULL);
	free(create(STAGE_DEMO, "{\"name\":\"a\"}"));
	free(create(STAGE_PLAIN, "{\"name\":\"a\"}"));
	lists = stage_received("GET", LISTING);
	ones = stage_received("GET", ONE);
	all = json_object_get_int(in(in(overview(), "upstream"), "calls"));
	for (int i = 0; i < 50; i++) {
		personas("demo");
		personas("plain");
		look("/");
	}
	ck_assert_int_eq(json_object_get_int(in(in(overview(), "upstream"), "calls")), all);
	ck_assert_int_eq(stage_received("GET", LISTING), lists);
	ck_assert_int_eq(stage_received("GET", ONE), ones);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(refresh("demo")->status, 204);
	ck_assert_int_eq(stage_received("GET", LISTING), lists + 1);
	stage_close();
}
END_TEST

START_TEST(the_button_says_when_bluejay_is_down)
{
	static const char *const types[] = {"Content-Type: text/plain\r\n",
	    "Content-Type: application/x-www-form-urlencoded\r\n"};

	stage_open(NULL, NULL);
	free(create(STAGE_DEMO, "{\"name\":\"a\"}"));
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		expect_error(ask(stage_gateway.admin_port, "POST", "/projects/demo/refresh", types[i],
		    "{}"), 415, "Send Content-Type: application/json");
	expect_error(look("/projects/demo/refresh"), 405, NULL);
	expect_error(refresh("nobody"), 404, "Project not found");
	stage_fault("errors-before", NULL, 1000);
	/* never listed: there is no last known state to stay */
	ck_assert_int_ge(refresh("demo")->status, 500);
	stage_no_faults();
	EVENTUALLY(refresh("demo")->status == 204);
	stage_fault("errors-before", NULL, 1000);
	expect_error(refresh("demo"), 503, "Bluejay does not answer; the last known state stays");
	EVENTUALLY((refresh("demo"),
	    strcmp(text(in(overview(), "upstream"), "breaker"), "closed") != 0));
	ck_assert_str_eq(text(in(persona("demo", 0), "values"), "name"), "a");
	stage_no_faults();
	stage_close();
}
END_TEST

/* A small picture. */
#define PICTURE "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

START_TEST(images_are_those_of_the_project)
{
	struct reply *r;
	char path[200], etag[60], field[220];

	stage_open(NULL, NULL);
	r = call("POST", "/api/projects/demo/images",
	    "{\"imageBase64\":\"" PICTURE "\",\"role\":\"r\"}");
	snprintf(path, sizeof path, "/projects/demo/images/%s", reply_string(r, "id"));
	r = look(path);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_field(r, "content-type"), "image/png");
	ck_assert_str_eq(reply_field(r, "x-content-type-options"), "nosniff");
	ck_assert(memcmp(r->body, "\x89PNG", 4) == 0);
	snprintf(etag, sizeof etag, "%s", reply_field(r, "etag"));
	snprintf(field, sizeof field, "If-None-Match: %s\r\n", etag);
	ck_assert_int_eq(ask(stage_gateway.admin_port, "GET", path, field, NULL)->status, 304);
	ck_assert_int_eq(ask(stage_gateway.admin_port, "HEAD", path, NULL, NULL)->status, 200);
	expect_error(ask(stage_gateway.admin_port, "DELETE", path, NULL, NULL), 405, NULL);
	memcpy(path + 10, "else", 4);
	expect_error(look(path), 404, "Project not found");
	snprintf(field, sizeof field, "/projects/plain/images/%s", path + 22);
	expect_error(look(field), 404, "Image not found");
	expect_error(look("/projects/demo/images/..%2f..%2fpersonas.db"), 404, "Image not found");
	stage_close();
}
END_TEST

START_TEST(the_description_names_the_real_addresses)
{
	struct json_object *d, *servers;
	struct reply *r;
	char field[100], url[100];

	stage_open(NULL, NULL);
	r = look("/openapi.json");
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_field(r, "content-type"), "application/json; charset=utf-8");
	ck_assert_ptr_nonnull(strstr(r->body, "\n  \"openapi\": \"3.1.0\",\n")); /* set for people */
	d = reply_json(r);
	servers = in(d, "servers");
	snprintf(url, sizeof url, "http://127.0.0.1:%d", stage_gateway.port);
	ck_assert_uint_eq(json_object_array_length(servers), 1);
	ck_assert_str_eq(text(json_object_array_get_idx(servers, 0), "url"), url);
	servers = in(in(in(d, "paths"), "/overview"), "servers");
	snprintf(url, sizeof url, "http://127.0.0.1:%d", stage_gateway.admin_port);
	ck_assert_str_eq(text(json_object_array_get_idx(servers, 0), "url"), url);
	ck_assert(!has(in(in(d, "paths"), "/api/projects/{project}/personas"), "servers"));
	snprintf(field, sizeof field, "If-None-Match: %s\r\n", reply_field(r, "etag"));
	ck_assert_int_eq(ask(stage_gateway.admin_port, "GET", "/openapi.json", field, NULL)->status,
	    304);
	expect_error(ask(stage_gateway.port, "GET", "/openapi.json", NULL, NULL), 404, NULL);
	stage_close();
}
END_TEST

START_TEST(projects_are_those_of_the_file_and_hosts_those_of_this_machine)
{
	static const char *const paths[] = {"/", "/overview", "/projects/demo/personas",
	    "/projects/demo/images/a.png"};
	struct reply *r;

	stage_open(NULL, NULL);
	expect_error(look("/projects/nobody/personas"), 404, "Project not found");
	expect_error(look("/projects/agent:7/personas"), 404, "Project not found");
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct reply refused;
		char head[200];
		int fd = raw_connect(stage_gateway.admin_port);

		snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: evil.example\r\n\r\n", paths[i]);
		raw_send(fd, head, strlen(head));
		raw_reply(fd, false, &refused);
		ck_assert_int_eq(refused.status, 421);
		free(refused.body);
		r = ask(stage_gateway.admin_port, "HEAD", paths[i], NULL, NULL);
		ck_assert_int_eq(r->status, i == 3 ? 404 : 200);
		expect_error(ask(stage_gateway.admin_port, "PUT", paths[i], NULL, "{}"), 405, NULL);
	}
	stage_close();
}
END_TEST

/* Tests of the admin address. */
static Suite *
admin_suite(void)
{
	const TTest *const tests[] = {
	    the_page_is_served_with_everything_that_keeps_it_alone,
	    the_overview_tells_projects_fields_and_state,
	    fields_of_the_file_say_where_they_are_declared,
	    personas_are_told_as_text_with_what_is_absent_left_out,
	    what_was_made_in_bluejay_is_told_apart,
	    a_write_without_an_outcome_is_shown,
	    a_long_list_is_cut_and_says_how_long_it_is,
	    looking_asks_bluejay_nothing_and_the_button_once,
	    the_button_says_when_bluejay_is_down,
	    images_are_those_of_the_project,
	    the_description_names_the_real_addresses,
	    projects_are_those_of_the_file_and_hosts_those_of_this_machine,
	    NULL,
	};

	return unit_suite("admin", tests);
}

UNIT_MAIN(admin_suite)
