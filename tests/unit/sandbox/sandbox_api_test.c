#include "config.h"

#include "sandbox_test.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define NOBODY "3c90c3cc-0d44-4b50-8888-8dd25736052a"

/* Fetches and compares status and whole body. */
static void
expect(struct rig *r, const char *method, const char *path, const char *body, int status,
    const char *wanted)
{
	struct reply reply = fetch(r, method, path, body);

	ck_assert_int_eq(reply.status, status);
	ck_assert_str_eq(reply.body, wanted);
	reply_free(&reply);
}

START_TEST(a_created_persona_has_the_schemas_members_and_is_read_back_equal)
{
	struct reply made, read;
	struct rig r;
	char *path;

	rig_open(&r, NULL);
	made = fetch(&r, "POST", "/v1/create-customer-persona",
	    "{\"name\":\"Ann\",\"description\":\"\",\"goal\":\"buy\",\"agent_id\":7,\"zz\":[1]}");
	ck_assert_int_eq(made.status, 200);
	schema_persona(made.json);
	ck_assert_str_eq(dig_text(made.json, "name"), "Ann");
	ck_assert_str_eq(dig_text(made.json, "description"), "");
	ck_assert_str_eq(dig_text(made.json, "goal"), "buy");
	ck_assert_str_eq(dig_text(made.json, "created_at"), "2026-01-28T10:00:00.000001Z");
	path = mem_format("/v1/customer-persona/%s", dig_text(made.json, "id"));
	read = fetch(&r, "GET", path, NULL);
	ck_assert_int_eq(read.status, 200);
	ck_assert_str_eq(read.body, made.body);
	free(path);
	reply_free(&made);
	reply_free(&read);
	rig_close(&r);
}
END_TEST

START_TEST(text_comes_back_exactly_as_it_was_sent)
{
	static const char text[] = "\\u0000a\\u0001\xe2\x80\xa8 \\\"\\\\/ "
				   "\xf0\x9f\x91\xa9\xe2\x80\x8d"
				   "\xf0\x9f\x92\xbb \\ud83d\\ude00  ";
	static const char wanted[] = "\0a\1\xe2\x80\xa8 \"\\/ \xf0\x9f\x91\xa9\xe2\x80\x8d"
				     "\xf0\x9f\x92\xbb \xf0\x9f\x98\x80  ";
	struct json_object *v;
	struct reply reply;
	struct rig r;
	char *body;

	rig_open(&r, NULL);
	body = mem_format("{\"name\":\"%s\",\"description\":\"\",\"goal\":\"%s\"}", text, text);
	reply = fetch(&r, "POST", "/v1/create-customer-persona", body);
	ck_assert_int_eq(reply.status, 200);
	v = dig(reply.json, "goal");
	ck_assert_int_eq(json_object_get_string_len(v), sizeof wanted - 1);
	ck_assert_mem_eq(json_object_get_string(v), wanted, sizeof wanted);
	reply_free(&reply);
	free(body);
	rig_close(&r);
}
END_TEST

START_TEST(equal_names_are_two_personas_with_later_times)
{
	char one[UUID_SIZE], two[UUID_SIZE];
	struct reply list;
	struct rig r;

	rig_open(&r, NULL);
	make_persona(&r, 7, "Ann", one);
	make_persona(&r, 7, "Ann", two);
	ck_assert_str_ne(one, two);
	list = fetch(&r, "GET", "/v1/customer-personas-by-agent/7", NULL);
	ck_assert_uint_eq(json_object_array_length(list.json), 2);
	ck_assert_str_eq(dig_text(list.json, "0.id"), one);
	ck_assert_str_eq(dig_text(list.json, "1.id"), two);
	ck_assert_int_lt(
	    strcmp(dig_text(list.json, "0.created_at"), dig_text(list.json, "1.created_at")), 0);
	ck_assert_str_eq(dig_text(list.json, "0.org_id"), dig_text(list.json, "1.org_id"));
	reply_free(&list);
	rig_close(&r);
}
END_TEST

START_TEST(a_listing_holds_only_its_agents_personas_in_order_of_creation)
{
	char a[UUID_SIZE], b[UUID_SIZE], c[UUID_SIZE], path[128];
	struct reply reply;
	struct rig r;

	rig_open(&r, NULL);
	make_persona(&r, 7, "a", a);
	make_persona(&r, 8, "b", b);
	make_persona(&r, 7, "c", c);
	reply = fetch(&r, "POST", "/v1/create-customer-persona",
	    "{\"name\":\"none\",\"description\":\"\",\"goal\":\"\",\"agent_id\":null}");
	ck_assert_int_eq(reply.status, 200);
	reply_free(&reply);
	snprintf(path, sizeof path, "/v1/update-customer-persona/%s", a);
	reply = fetch(&r, "PUT", path, "{\"name\":\"later\"}");
	ck_assert_int_eq(reply.status, 200);
	reply_free(&reply);
	reply = fetch(&r, "GET", "/v1/customer-personas-by-agent/7", NULL);
	ck_assert_int_eq(reply.status, 200);
	ck_assert_uint_eq(json_object_array_length(reply.json), 2);
	schema_persona(dig(reply.json, "0"));
	ck_assert_str_eq(dig_text(reply.json, "0.name"), "later");
	ck_assert_str_eq(dig_text(reply.json, "1.id"), c);
	reply_free(&reply);
	expect(&r, "GET", "/v1/customer-personas-by-agent/0", NULL, 200, "[]");
	expect(&r, "GET", "/v1/customer-personas-by-agent/-9", NULL, 200, "[]");
	rig_close(&r);
}
END_TEST

START_TEST(an_update_changes_only_what_is_present_and_not_null)
{
	struct reply before, after;
	char id[UUID_SIZE], get[128], put[128];
	struct rig r;

	rig_open(&r, NULL);
	make_persona(&r, 7, "Ann", id);
	snprintf(get, sizeof get, "/v1/customer-persona/%s", id);
	snprintf(put, sizeof put, "/v1/update-customer-persona/%s", id);
	before = fetch(&r, "GET", get, NULL);
	expect(&r, "PUT", put, "{}", 200, before.body);
	expect(&r, "PUT", put, "{\"name\":null,\"description\":null,\"goal\":null,\"agent_id\":9}",
	    200, before.body);
	after = fetch(&r, "PUT", put, "{\"goal\":\"\",\"description\":\"new\",\"name\":null}");
	ck_assert_int_eq(after.status, 200);
	schema_persona(after.json);
	ck_assert_str_eq(dig_text(after.json, "name"), "Ann");
	ck_assert_str_eq(dig_text(after.json, "description"), "new");
	ck_assert_str_eq(dig_text(after.json, "goal"), "");
	ck_assert_str_eq(dig_text(after.json, "created_at"), dig_text(before.json, "created_at"));
	expect(&r, "GET", get, NULL, 200, after.body);
	reply_free(&before);
	reply_free(&after);
	rig_close(&r);
}
END_TEST

START_TEST(a_delete_answers_with_the_persona_and_then_there_is_none)
{
	struct reply before;
	char id[UUID_SIZE], path[128], put[128];
	struct rig r;

	rig_open(&r, NULL);
	make_persona(&r, 7, "Ann", id);
	snprintf(path, sizeof path, "/v1/customer-persona/%s", id);
	snprintf(put, sizeof put, "/v1/update-customer-persona/%s", id);
	before = fetch(&r, "GET", path, NULL);
	expect(&r, "DELETE", path, NULL, 200, before.body);
	expect(&r, "DELETE", path, NULL, 404, "{\"detail\":\"Customer persona not found\"}");
	expect(&r, "GET", path, NULL, 404, "{\"detail\":\"Customer persona not found\"}");
	expect(&r, "PUT", put, "{}", 404, "{\"detail\":\"Customer persona not found\"}");
	expect(&r, "GET", "/v1/customer-personas-by-agent/7", NULL, 200, "[]");
	reply_free(&before);
	rig_close(&r);
}
END_TEST

START_TEST(an_id_is_taken_in_every_form_of_a_uuid)
{
	char id[UUID_SIZE], path[128], upper[UUID_SIZE], plain[UUID_SIZE];
	struct reply reply;
	struct rig r;
	size_t n = 0;

	rig_open(&r, NULL);
	make_persona(&r, 7, "Ann", id);
	for (size_t i = 0; i < UUID_SIZE; i++) {
		upper[i] = (char)(id[i] >= 'a' ? id[i] - 32 : id[i]);
		if (id[i] != '-')
			plain[n++] = id[i];
	}
	for (int form = 0; form < 4; form++) {
		static const char *const forms[] = {"%s", "%s", "%%7B%s%%7D", "urn:uuid:%s"};
		char *given = form == 0 ? upper : form == 1 ? plain : id;
		char tail[80];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(tail, sizeof tail, forms[form], given);
#pragma GCC diagnostic pop
		snprintf(path, sizeof path, "/v1/customer-persona/%s", tail);
		reply = fetch(&r, "GET", path, NULL);
		ck_assert_int_eq(reply.status, 200);
		ck_assert_str_eq(dig_text(reply.json, "id"), id);
		reply_free(&reply);
	}
	rig_close(&r);
}
END_TEST

START_TEST(ping_answers)
{
	struct rig r;

	rig_open(&r, NULL);
	expect(&r, "GET", "/v1/ping", NULL, 200, "{\"message\":\"pong\"}");
	rig_close(&r);
}
END_TEST

START_TEST(unknown_paths_and_methods_answer_as_the_framework_does)
{
	struct reply reply;
	struct wire w;
	char allow[256];
	struct rig r;

	rig_open(&r, NULL);
	expect(&r, "GET", "/v1/nothing", NULL, 404, "{\"detail\":\"Not Found\"}");
	expect(&r, "GET", "/", NULL, 404, "{\"detail\":\"Not Found\"}");
	expect(&r, "GET", "/v1/customer-persona/", NULL, 404, "{\"detail\":\"Not Found\"}");
	expect(&r, "POST", "/v1/ping", "{}", 405, "{\"detail\":\"Method Not Allowed\"}");
	wire_open(&r, &w);
	wire_request(&w, "PUT", "/v1/customer-persona/" NOBODY, NULL);
	wire_settle(&w);
	ck_assert_int_eq(wire_status(&w), 405);
	ck_assert(wire_header(&w, "Allow", allow));
	ck_assert_str_eq(allow, "DELETE, GET");
	wire_close(&w);
	wire_open(&r, &w);
	wire_request(&w, "HEAD", "/v1/ping", NULL);
	wire_settle(&w);
	ck_assert_int_eq(wire_status(&w), 405);
	ck_assert(wire_header(&w, "Allow", allow));
	ck_assert_str_eq(allow, "GET");
	wire_close(&w);
	reply = fetch(&r, "GET", "/v1/customer-persona/" NOBODY, NULL);
	ck_assert_int_eq(reply.status, 404);
	reply_free(&reply);
	rig_close(&r);
}
END_TEST

/* Sends a head without a body and gives status and body. */
static int
raw_status(struct rig *r, const char *request, const char *wanted)
{
	struct wire w;
	int status;

	wire_open(r, &w);
	wire_send(&w, request);
	wire_settle(&w);
	status = wire_status(&w);
	ck_assert_str_eq(wire_body(&w), wanted);
	wire_close(&w);
	return status;
}

START_TEST(the_key_is_wanted_and_compared)
{
	static const char missing[] = "{\"detail\":[{\"type\":\"missing\",\"loc\":[\"header\","
				      "\"X-API-Key\"],\"msg\":\"Field required\",\"input\":null}]}";
	struct sandbox_options o = {.api_key = "k1"};
	struct rig r;

	rig_open(&r, &o);
	ck_assert_int_eq(raw_status(&r, "GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n",
	                     missing),
	    422);
	ck_assert_int_eq(raw_status(&r, "GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n"
	                                "X-API-Key: sandbox\r\n\r\n",
	                     "{\"detail\":\"Invalid API key\"}"),
	    401);
	ck_assert_int_eq(raw_status(&r, "GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n"
	                                "X-API-Key:\r\n\r\n",
	                     "{\"detail\":\"Invalid API key\"}"),
	    401);
	ck_assert_int_eq(raw_status(&r, "GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n"
	                                "x-api-key: k1\r\n\r\n",
	                     "{\"message\":\"pong\"}"),
	    200);
	/* With a wrong key the mistakes of the body are not told. */
	ck_assert_int_eq(raw_status(&r, "POST /v1/create-customer-persona HTTP/1.1\r\n"
	                                "Host: localhost\r\nX-API-Key: no\r\n"
	                                "Content-Length: 2\r\n\r\n{}",
	                     "{\"detail\":\"Invalid API key\"}"),
	    401);
	ck_assert_int_eq(raw_status(&r, "GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n",
	                     "{\"detail\":\"Not Found\"}"),
	    404);
	rig_close(&r);
}
END_TEST

START_TEST(answers_are_json_on_a_kept_connection)
{
	char type[256];
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	wire_open(&r, &w);
	for (int i = 0; i < 3; i++) {
		wire_request(&w, "GET", "/v1/communities", NULL);
		wire_settle(&w);
		ck_assert_int_eq(wire_status(&w), 200);
		ck_assert(wire_header(&w, "Content-Type", type));
		ck_assert_str_eq(type, "application/json");
		ck_assert_str_eq(wire_body(&w), "{\"communities\":[],\"total_count\":0}");
		ck_assert_int_eq(w.end, WIRE_OPEN);
		buf_clear(&w.in);
	}
	wire_close(&w);
	rig_close(&r);
}
END_TEST

START_TEST(a_large_listing_comes_whole)
{
	char *goal = mem_zero(1, 100001), *body;
	struct reply list;
	struct rig r;

	rig_open(&r, NULL);
	memset(goal, 'g', 100000);
	body = mem_format("{\"name\":\"n\",\"description\":\"\",\"goal\":\"%s\",\"agent_id\":7}",
	    goal);
	for (int i = 0; i < 20; i++)
		fetch_done(&r, "POST", "/v1/create-customer-persona", body);
	list = fetch(&r, "GET", "/v1/customer-personas-by-agent/7", NULL);
	ck_assert_uint_eq(json_object_array_length(list.json), 20);
	ck_assert_str_eq(dig_text(list.json, "19.goal"), goal);
	reply_free(&list);
	free(goal);
	free(body);
	rig_close(&r);
}
END_TEST

START_TEST(a_full_sandbox_says_so_and_keeps_what_it_has)
{
	char id[UUID_SIZE], path[128];
	struct sandbox_state *state;
	struct rig r;

	rig_open(&r, NULL);
	make_persona(&r, 7, "Ann", id);
	state = sandbox_service_state(r.service);
	sandbox_state_limit(state, 2 * sandbox_state_bytes(state) - 10);
	expect(&r, "POST", "/v1/create-customer-persona",
	    "{\"name\":\"Bob\",\"description\":\"long enough\",\"goal\":\"\"}", 507,
	    "{\"detail\":\"The sandbox is full\"}");
	snprintf(path, sizeof path, "/v1/customer-persona/%s", id);
	fetch_done(&r, "DELETE", path, NULL);
	ck_assert_uint_eq(sandbox_state_bytes(state), 0);
	make_persona(&r, 7, "Bob", id);
	rig_close(&r);
}
END_TEST

/* The tests. */
Suite *
suite_api(void)
{
	const TTest *const tests[] = {
		a_created_persona_has_the_schemas_members_and_is_read_back_equal,
		text_comes_back_exactly_as_it_was_sent,
		equal_names_are_two_personas_with_later_times,
		a_listing_holds_only_its_agents_personas_in_order_of_creation,
		an_update_changes_only_what_is_present_and_not_null,
		a_delete_answers_with_the_persona_and_then_there_is_none,
		an_id_is_taken_in_every_form_of_a_uuid,
		ping_answers,
		unknown_paths_and_methods_answer_as_the_framework_does,
		the_key_is_wanted_and_compared,
		answers_are_json_on_a_kept_connection,
		a_large_listing_comes_whole,
		a_full_sandbox_says_so_and_keeps_what_it_has,
		NULL,
	};

	return unit_suite("sandbox api", tests);
}
