#include "config.h"

#include "sandbox_test.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define CREATE "/v1/create-customer-persona"
#define NEW_COMMUNITY "/v1/create-community"
#define NOBODY "3c90c3cc-0d44-4b50-8888-8dd25736052a"
#define INT_TEXT "Input should be a valid integer, unable to parse string as an integer"

#define NO_STRING "Input should be a valid string"

/* One mistake as the answer writes it. */
#define MISTAKE(type, loc, msg, input) \
	"{\"type\":\"" type "\",\"loc\":[" loc "],\"msg\":\"" msg "\",\"input\":" input "}"

/* Wants a 422 with exactly these mistakes. */
static void
expect(struct rig *r, const char *method, const char *path, const char *body, const char *mistakes)
{
	struct reply reply = fetch(r, method, path, body);
	char *wanted = mem_format("{\"detail\":[%s]}", mistakes);

	ck_assert_int_eq(reply.status, 422);
	ck_assert_str_eq(reply.body, wanted);
	schema_mistakes(reply.json);
	free(wanted);
	reply_free(&reply);
}

/* Wants a 422 for an id in the path. */
static void
expect_id(struct rig *r, const char *given, const char *shown, const char *why)
{
	char *path = mem_format("/v1/customer-persona/%s", given);
	char *mistake = mem_format("{\"type\":\"uuid_parsing\",\"loc\":[\"path\",\"persona_id\"],"
				   "\"msg\":\"Input should be a valid UUID, %s\",\"input\":\"%s\","
				   "\"ctx\":{\"error\":\"%s\"}}",
	    why, shown, why);

	expect(r, "GET", path, NULL, mistake);
	free(path);
	free(mistake);
}

START_TEST(all_mistakes_of_a_body_come_in_one_answer_in_the_schemas_order)
{
	struct rig r;

	rig_open(&r, NULL);
	expect(&r, "POST", CREATE, "{}",
	    MISTAKE("missing", "\"body\",\"name\"", "Field required", "{}") ","
	    MISTAKE("missing", "\"body\",\"description\"", "Field required", "{}") ","
	    MISTAKE("missing", "\"body\",\"goal\"", "Field required", "{}"));
	expect(&r, "POST", CREATE, "{\"goal\":[],\"name\":null,\"agent_id\":\"x\",\"q\":1}",
	    MISTAKE("int_parsing", "\"body\",\"agent_id\"", INT_TEXT, "\"x\"") ","
	    MISTAKE("string_type", "\"body\",\"name\"", NO_STRING, "null") ","
	    MISTAKE("missing", "\"body\",\"description\"", "Field required",
	        "{\"goal\":[],\"name\":null,\"agent_id\":\"x\",\"q\":1}") ","
	    MISTAKE("string_type", "\"body\",\"goal\"", "Input should be a valid string", "[]"));
	rig_close(&r);
}
END_TEST

START_TEST(a_body_that_is_no_object_is_one_mistake)
{
	static const char *const others[] = {"[1]", "\"x\"", "12", "true"};
	struct reply reply;
	struct rig r;

	rig_open(&r, NULL);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		char *mistake = mem_format("{\"type\":\"model_attributes_type\",\"loc\":[\"body\"],"
					   "\"msg\":\"Input should be a valid dictionary or object "
					   "to extract fields from\",\"input\":%s}",
		    others[i]);

		expect(&r, "POST", CREATE, others[i], mistake);
		free(mistake);
	}
	expect(&r, "POST", CREATE, "null",
	    MISTAKE("missing", "\"body\"", "Field required", "null"));
	expect(&r, "POST", CREATE, "", MISTAKE("missing", "\"body\"", "Field required", "null"));
	expect(&r, "POST", CREATE, NULL, MISTAKE("missing", "\"body\"", "Field required", "null"));
	expect(&r, "PUT", "/v1/update-customer-persona/" NOBODY, NULL,
	    MISTAKE("missing", "\"body\"", "Field required", "null"));
	reply = fetch(&r, "POST", CREATE, "{\"name\":");
	ck_assert_int_eq(reply.status, 422);
	schema_mistakes(reply.json);
	ck_assert_str_eq(dig_text(reply.json, "detail.0.type"), "json_invalid");
	ck_assert_str_eq(dig_text(reply.json, "detail.0.loc.0"), "body");
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "detail.0.loc.1")), 8);
	ck_assert_str_eq(dig_text(reply.json, "detail.0.msg"), "JSON decode error");
	ck_assert_int_eq(json_object_object_length(dig(reply.json, "detail.0.input")), 0);
	dig_text(reply.json, "detail.0.ctx.error");
	reply_free(&reply);
	rig_close(&r);
}
END_TEST

/* Posts a persona with a content type line of its own. */
static int
post_as(struct rig *r, const char *type_line)
{
	static const char body[] = "{\"name\":\"a\",\"description\":\"\",\"goal\":\"\"}";
	char *request = mem_format("POST " CREATE " HTTP/1.1\r\nHost: localhost\r\n"
				   "X-API-Key: sandbox\r\n%sContent-Length: %zu\r\n\r\n%s",
	    type_line, strlen(body), body);
	struct wire w;
	int status;

	wire_open(r, &w);
	wire_send(&w, request);
	wire_settle(&w);
	status = wire_status(&w);
	if (status == 422)
		ck_assert_ptr_nonnull(strstr(wire_body(&w), "\"model_attributes_type\""));
	wire_close(&w);
	free(request);
	return status;
}

START_TEST(a_body_of_another_type_is_not_read_as_json)
{
	struct rig r;

	rig_open(&r, NULL);
	ck_assert_int_eq(post_as(&r, ""), 200);
	ck_assert_int_eq(post_as(&r, "Content-Type: Application/JSON ; charset=utf-8\r\n"), 200);
	ck_assert_int_eq(post_as(&r, "Content-Type: application/geo+json\r\n"), 200);
	ck_assert_int_eq(post_as(&r, "Content-Type: text/plain\r\n"), 422);
	ck_assert_int_eq(post_as(&r, "Content-Type: application/x-www-form-urlencoded\r\n"), 422);
	ck_assert_int_eq(post_as(&r, "Content-Type: application/jsonp\r\n"), 422);
	ck_assert_int_eq(post_as(&r, "Content-Type: application/+json\r\n"), 422);
	rig_close(&r);
}
END_TEST

START_TEST(an_agent_id_is_read_as_leniently_as_pydantic_reads_it)
{
	static const char *const good[][2] = {{"7", "7"}, {"\"7\"", "7"}, {"\" +7 \"", "7"},
		{"7.0", "7"}, {"7e2", "700"}, {"\"7.00\"", "7"}, {"\"1_000\"", "1000"},
		{"true", "1"}, {"-0", "0"}, {"\"007\"", "7"},
		{"9223372036854775807", "9223372036854775807"}};
	static const char *const bad[][2] = {{"1.5", "int_from_float"}, {"\"x\"", "int_parsing"},
		{"\"\"", "int_parsing"}, {"\"1.5\"", "int_parsing"}, {"\"1.\"", "int_parsing"},
		{"\"1__0\"", "int_parsing"}, {"\"1_\"", "int_parsing"}, {"\"_1\"", "int_parsing"},
		{"\"--1\"", "int_parsing"}, {"\"0x1\"", "int_parsing"}, {"[]", "int_type"},
		{"{}", "int_type"}, {"9223372036854775808", "int_parsing_size"},
		{"1e300", "int_parsing_size"}, {"\"99999999999999999999999999999999999999\"",
		    "int_parsing_size"}};
	struct reply reply;
	struct rig r;

	rig_open(&r, NULL);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		char *body = mem_format(
		    "{\"agent_id\":%s,\"name\":\"n\",\"description\":\"\",\"goal\":\"\"}",
		    good[i][0]);
		char *list = mem_format("/v1/customer-personas-by-agent/%s", good[i][1]);

		fetch_done(&r, "POST", "/__sandbox/reset", NULL);
		reply = fetch(&r, "POST", CREATE, body);
		ck_assert_msg(reply.status == 200, "%s", good[i][0]);
		reply_free(&reply);
		reply = fetch(&r, "GET", list, NULL);
		ck_assert_msg(json_object_array_length(reply.json) == 1, "%s", good[i][0]);
		reply_free(&reply);
		free(body);
		free(list);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char *body = mem_format(
		    "{\"agent_id\":%s,\"name\":\"n\",\"description\":\"\",\"goal\":\"\"}",
		    bad[i][0]);

		reply = fetch(&r, "POST", CREATE, body);
		ck_assert_msg(reply.status == 422, "%s", bad[i][0]);
		schema_mistakes(reply.json);
		ck_assert_str_eq(dig_text(reply.json, "detail.0.type"), bad[i][1]);
		reply_free(&reply);
		free(body);
	}
	rig_close(&r);
}
END_TEST

START_TEST(an_id_that_is_no_uuid_is_explained)
{
	struct rig r;

	rig_open(&r, NULL);
	expect_id(&r, "x", "x", "invalid character: found `x` at 1");
	expect_id(&r, "%7Bx%7D", "{x}", "invalid character: found `x` at 2");
	expect_id(&r, "3c90c3cc", "3c90c3cc",
	    "invalid length: expected length 32 for simple format, found 8");
	expect_id(&r, "3c90c3cc0d44-4b50-8888-8dd25736052a", "3c90c3cc0d44-4b50-8888-8dd25736052a",
	    "invalid group count: expected 5, found 4");
	expect_id(&r, "3c90c3cc0-d44-4b50-8888-8dd25736052a",
	    "3c90c3cc0-d44-4b50-8888-8dd25736052a",
	    "invalid group length in group 0: expected 8, found 9");
	expect_id(&r, NOBODY "a", NOBODY "a",
	    "invalid group length in group 4: expected 12, found 13");
	expect_id(&r, "urn:uuid:abc", "urn:uuid:abc", "invalid group count: expected 5, found 1");
	expect_id(&r, "%FF", "\xef\xbf\xbd", "invalid character: found `?` at 1");
	rig_close(&r);
}
END_TEST

START_TEST(every_path_with_an_id_checks_it)
{
	static const char *const paths[][3] = {
		{"GET", "/v1/customer-persona/x", "persona_id"},
		{"DELETE", "/v1/customer-persona/x", "persona_id"},
		{"PUT", "/v1/update-customer-persona/x", "persona_id"},
		{"GET", "/v1/community/x", "community_id"},
		{"DELETE", "/v1/community/x", "community_id"},
		{"PUT", "/v1/update-community/x", "community_id"},
		{"PUT", "/v1/add-to-community/x", "community_id"},
	};
	struct rig r;

	rig_open(&r, NULL);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct reply reply = fetch(&r, paths[i][0], paths[i][1],
		    strcmp(paths[i][0], "PUT") == 0 ? "{\"digital_human_ids\":[]}" : NULL);

		ck_assert_int_eq(reply.status, 422);
		ck_assert_str_eq(dig_text(reply.json, "detail.0.type"), "uuid_parsing");
		ck_assert_str_eq(dig_text(reply.json, "detail.0.loc.0"), "path");
		ck_assert_str_eq(dig_text(reply.json, "detail.0.loc.1"), paths[i][2]);
		reply_free(&reply);
	}
	rig_close(&r);
}
END_TEST

START_TEST(numbers_in_path_and_query_are_checked)
{
	struct rig r;

	rig_open(&r, NULL);
	expect(&r, "GET", "/v1/customer-personas-by-agent/abc", NULL,
	    MISTAKE("int_parsing", "\"path\",\"agent_id\"", INT_TEXT, "\"abc\""));
	expect(&r, "GET", "/v1/customer-personas-by-agent/99999999999999999999", NULL,
	    MISTAKE("int_parsing_size", "\"path\",\"agent_id\"",
	        "Unable to parse input string as an integer, exceeded maximum size",
	        "\"99999999999999999999\""));
	expect(&r, "GET", "/v1/communities?digital_human_id=x&y=1", NULL,
	    MISTAKE("int_parsing", "\"query\",\"digital_human_id\"", INT_TEXT, "\"x\""));
	expect(&r, "GET", "/v1/communities?digital_human_id=", NULL,
	    MISTAKE("int_parsing", "\"query\",\"digital_human_id\"", INT_TEXT, "\"\""));
	rig_close(&r);
}
END_TEST

START_TEST(mistakes_of_header_path_and_body_come_together)
{
	static const char wanted[] =
	    "{\"detail\":["
	    MISTAKE("missing", "\"header\",\"X-API-Key\"", "Field required", "null") ","
	    "{\"type\":\"uuid_parsing\",\"loc\":[\"path\",\"persona_id\"],\"msg\":\"Input should "
	    "be a valid UUID, invalid character: found `x` at 1\",\"input\":\"x\",\"ctx\":"
	    "{\"error\":\"invalid character: found `x` at 1\"}},"
	    MISTAKE("string_type", "\"body\",\"name\"", "Input should be a valid string", "1") "]}";
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	wire_open(&r, &w);
	wire_send(&w, "PUT /v1/update-customer-persona/x HTTP/1.1\r\nHost: localhost\r\n"
	              "Content-Length: 10\r\n\r\n{\"name\":1}");
	wire_settle(&w);
	ck_assert_int_eq(wire_status(&w), 422);
	ck_assert_str_eq(wire_body(&w), wanted);
	wire_close(&w);
	rig_close(&r);
}
END_TEST

START_TEST(lists_are_checked_item_by_item)
{
	struct reply reply;
	struct buf b;
	struct rig r;

	rig_open(&r, NULL);
	expect(&r, "POST", NEW_COMMUNITY, "{\"title\":\"t\",\"digital_human_ids\":\"1\"}",
	    MISTAKE("list_type", "\"body\",\"digital_human_ids\"", "Input should be a valid list",
	        "\"1\""));
	expect(&r, "POST", NEW_COMMUNITY, "{\"digital_human_ids\":[1,\"x\",null,1.5]}",
	    MISTAKE("missing", "\"body\",\"title\"", "Field required",
	        "{\"digital_human_ids\":[1,\"x\",null,1.5]}") ","
	    MISTAKE("int_parsing", "\"body\",\"digital_human_ids\",1", INT_TEXT, "\"x\"") ","
	    MISTAKE("int_type", "\"body\",\"digital_human_ids\",2",
	        "Input should be a valid integer", "null") ","
	    MISTAKE("int_from_float", "\"body\",\"digital_human_ids\",3",
	        "Input should be a valid integer, got a number with a fractional part", "1.5"));
	expect(&r, "PUT", "/v1/add-to-community/" NOBODY, "{}",
	    MISTAKE("missing", "\"body\",\"digital_human_ids\"", "Field required", "{}"));
	expect(&r, "PUT", "/v1/add-to-community/" NOBODY, "{\"digital_human_ids\":null}",
	    MISTAKE("list_type", "\"body\",\"digital_human_ids\"", "Input should be a valid list",
	        "null"));
	buf_init(&b, 0);
	buf_adds(&b, "{\"title\":\"t\",\"digital_human_ids\":[0");
	for (int i = 0; i < 10000; i++)
		buf_addf(&b, ",%d", i);
	buf_adds(&b, "]}");
	reply = fetch(&r, "POST", NEW_COMMUNITY, b.data);
	ck_assert_int_eq(reply.status, 422);
	ck_assert_str_eq(dig_text(reply.json, "detail.0.type"), "too_long");
	reply_free(&reply);
	buf_free(&b);
	rig_close(&r);
}
END_TEST

/* The tests. */
Suite *
suite_mistakes(void)
{
	const TTest *const tests[] = {
		all_mistakes_of_a_body_come_in_one_answer_in_the_schemas_order,
		a_body_that_is_no_object_is_one_mistake,
		a_body_of_another_type_is_not_read_as_json,
		an_agent_id_is_read_as_leniently_as_pydantic_reads_it,
		an_id_that_is_no_uuid_is_explained,
		every_path_with_an_id_checks_it,
		numbers_in_path_and_query_are_checked,
		mistakes_of_header_path_and_body_come_together,
		lists_are_checked_item_by_item,
		NULL,
	};

	return unit_suite("sandbox mistakes", tests);
}
