#include "config.h"

#include "harness.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/*
 * The local API's behaviour row by row, spoken to the real program over its
 * sandbox: once for a project with an agent, once for one without.
 */

static struct program gateway;
static const char *const projects[] = {"demo", "plain"};
static char base[64];

/* Starts one gateway for a test. */
static void
start(int which)
{
	const char *const args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", NULL};

	program_start(&gateway, args);
	snprintf(base, sizeof base, "/api/projects/%s/personas", projects[which]);
}

/* Ends it; it must end well. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* Sends a request below the collection. */
static struct reply *
call(const char *method, const char *id, const char *body)
{
	char path[256];

	snprintf(path, sizeof path, "%s%s%s", base, id != NULL ? "/" : "", id != NULL ? id : "");
	return ask(gateway.port, method, path, NULL, body);
}

/* Creates a persona and returns its id. */
static char *
create(const char *body)
{
	struct reply *r = call("POST", NULL, body);

	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	return strdup(reply_string(r, "id"));
}

/* Whether the answer's body has a member. */
static bool
has(const struct reply *r, const char *member)
{
	return json_object_object_get_ex(reply_json(r), member, NULL);
}

/* A member as compact JSON text. */
static const char *
text(const struct reply *r, const char *member)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(reply_json(r), member, &value))
		return "(absent)";
	return json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

START_TEST(create_echoes_everything)
{
	struct reply *r;

	start(_i);
	r = call("POST", NULL,
	    "{\"name\":\"impatient-user\",\"description\":\"quick\",\"systemPrompt\":\"Be brief.\","
	    "\"headers\":{\"X-User-Language\":\"en\"}}");
	ck_assert_int_eq(r->status, 201);
	ck_assert_str_eq(reply_field(r, "content-type"), "application/json; charset=utf-8");
	ck_assert_ptr_nonnull(reply_field(r, "x-request-id"));
	ck_assert_str_eq(text(r, "name"), "\"impatient-user\"");
	ck_assert_str_eq(text(r, "description"), "\"quick\"");
	ck_assert_str_eq(text(r, "systemPrompt"), "\"Be brief.\"");
	ck_assert_str_eq(text(r, "headers"), "{\"X-User-Language\":\"en\"}");
	ck_assert_str_eq(text(r, "createdAt"), text(r, "updatedAt"));
	ck_assert_uint_eq(strlen(reply_string(r, "createdAt")), 24);
	ck_assert_int_eq(reply_string(r, "createdAt")[19], '.');
	ck_assert_int_eq(reply_string(r, "createdAt")[23], 'Z');
	ck_assert_uint_eq(strlen(reply_string(r, "id")), 36);
	ck_assert(!has(r, "imageUrl"));
	ck_assert(!has(r, "goal"));
	ck_assert(!has(r, "org_id"));
	stop();
}
END_TEST

START_TEST(absent_and_empty_stay_different)
{
	char *bare, *empty;
	struct reply *r;

	start(_i);
	bare = create("{\"name\":\"bare\"}");
	empty = create("{\"name\":\"empty\",\"description\":\"\",\"systemPrompt\":\"\",\"headers\":{}}");
	for (int round = 0; round < 2; round++) {
		r = ask(gateway.port, "GET", base, round ? "Cache-Control: no-cache\r\n" : NULL, NULL);
		ck_assert_int_eq(r->status, 200);
		ck_assert_int_eq((int)json_object_array_length(reply_json(r)), 2);
		r = call("GET", bare, NULL);
		ck_assert_int_eq(r->status, 200);
		ck_assert(!has(r, "description") && !has(r, "systemPrompt") && !has(r, "headers") &&
		    !has(r, "imageUrl"));
		r = call("GET", empty, NULL);
		ck_assert_str_eq(text(r, "description"), "\"\"");
		ck_assert_str_eq(text(r, "systemPrompt"), "\"\"");
		ck_assert_str_eq(text(r, "headers"), "{}");
	}
	r = call("PUT", bare, "{\"description\":\"\"}");
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(text(r, "description"), "\"\"");
	ck_assert(!has(r, "systemPrompt"));
	r = call("GET", bare, NULL);
	ck_assert_str_eq(text(r, "description"), "\"\"");
	ck_assert(!has(r, "systemPrompt"));
	free(bare);
	free(empty);
	stop();
}
END_TEST

START_TEST(null_counts_as_absent_and_extras_are_ignored)
{
	struct reply *r;
	char *id;

	start(_i);
	r = call("POST", NULL,
	    "{\"name\":\"n\",\"description\":null,\"systemPrompt\":null,\"headers\":null,"
	    "\"id\":\"mine\",\"createdAt\":\"2001-01-01T00:00:00.000Z\",\"extra\":[1,{}],\"imageUrl\":\"x.png\"}");
	ck_assert_int_eq(r->status, 201);
	ck_assert_str_ne(reply_string(r, "id"), "mine");
	ck_assert_str_ne(reply_string(r, "createdAt"), "2001-01-01T00:00:00.000Z");
	ck_assert(!has(r, "extra") && !has(r, "description") && !has(r, "imageUrl") && !has(r, "headers"));
	id = strdup(reply_string(r, "id"));
	r = call("PUT", id, "{\"name\":null,\"description\":\"d\",\"id\":\"other\",\"zzz\":1}");
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(text(r, "name"), "\"n\"");
	ck_assert_str_eq(reply_string(r, "id"), id);
	ck_assert(!has(r, "zzz"));
	free(id);
	stop();
}
END_TEST

START_TEST(a_create_needs_a_name)
{
	start(_i);
	expect_error(call("POST", NULL, "{}"), 400, "Name is required");
	expect_error(call("POST", NULL, "{\"name\":null}"), 400, "Name is required");
	expect_error(call("POST", NULL, "{\"name\":\"\"}"), 400, "Name is required");
	expect_error(call("POST", NULL, "{\"name\":5}"), 400, "name must be a string");
	expect_error(call("POST", NULL, "{\"name\":\"x\",\"systemPrompt\":{}}"), 400,
	    "systemPrompt must be a string");
	expect_error(call("POST", NULL, "{\"name\":\"x\",\"headers\":[]}"), 400,
	    "headers must be an object");
	expect_error(call("POST", NULL, "[]"), 400, NULL);
	expect_error(call("POST", NULL, "not json"), 400,
	    "Request body is not valid JSON: unexpected byte (at offset 1)");
	expect_error(call("POST", NULL, "{\"name\":\"a\",\"name\":\"b\"}"), 400, NULL);
	expect_error(call("POST", NULL, ""), 400, NULL);
	ck_assert_str_eq(call("GET", NULL, NULL)->body, "[]");
	stop();
}
END_TEST

START_TEST(other_content_types_are_refused)
{
	start(_i);
	expect_error(ask(gateway.port, "POST", base,
	                 "Content-Type: application/x-www-form-urlencoded\r\n", "name=x"),
	    415, "Unsupported Media Type: application/x-www-form-urlencoded");
	expect_error(ask(gateway.port, "POST", base, "Content-Type:\r\n", "{\"name\":\"x\"}"), 415,
	    "Unsupported Media Type: none");
	ck_assert_int_eq(ask(gateway.port, "POST", base, "Content-Type: Application/JSON; charset=utf-8\r\n",
	                     "{\"name\":\"x\"}")->status, 201);
	stop();
}
END_TEST

START_TEST(names_are_unique_within_a_project)
{
	char *id;

	start(_i);
	id = create("{\"name\":\"bare\"}");
	expect_error(call("POST", NULL, "{\"name\":\"bare\"}"), 409,
	    "Persona with name \"bare\" already exists");
	free(create("{\"name\":\"Bare\"}"));
	free(create("{\"name\":\"  padded  \"}"));
	ck_assert_int_eq(ask(gateway.port, "POST", "/api/projects/elsewhere/personas", NULL,
	                     "{\"name\":\"bare\"}")->status, 201);
	free(create("{\"name\":\"qu\\\"ote\"}"));
	expect_error(call("POST", NULL, "{\"name\":\"qu\\\"ote\"}"), 409,
	    "Persona with name \"qu\"ote\" already exists");
	free(id);
	stop();
}
END_TEST

START_TEST(text_is_kept_byte_for_byte)
{
	static const char body[] =
	    "{\"name\":\"\\u0001 \\u2028 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb \\\"q\\\" \\\\ /\","
	    "\"systemPrompt\":\"tab\\t nl\\n \xc3\xa9 \\u0000 end\"}";
	struct reply *r;
	char *id;

	start(_i);
	id = create(body);
	r = ask(gateway.port, "GET", base, NULL, NULL);
	ck_assert_ptr_nonnull(strstr(r->body,
	    "\"name\":\"\\u0001 \xe2\x80\xa8 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb \\\"q\\\" \\\\ /\""));
	ck_assert_ptr_nonnull(strstr(r->body, "\"tab\\t nl\\n \xc3\xa9 \\u0000 end\""));
	free(id);
	stop();
}
END_TEST

START_TEST(large_prompts_are_kept_and_larger_bodies_refused)
{
	size_t big = 200 * 1024, over = (1 << 20) + 1;
	char *body = malloc(over + 64), *id;
	struct reply *r;

	start(_i);
	memcpy(body, "{\"name\":\"big\",\"systemPrompt\":\"", 30);
	memset(body + 30, 'x', big);
	strcpy(body + 30 + big, "\"}");
	id = create(body);
	r = call("GET", id, NULL);
	ck_assert_uint_eq(strlen(reply_string(r, "systemPrompt")), big);
	memcpy(body, "{\"name\":\"bi2\",\"systemPrompt\":\"", 30);
	memset(body + 30, 'x', over);
	strcpy(body + 30 + over, "\"}");
	expect_error(call("POST", NULL, body), 413, NULL);
	free(id);
	free(body);
	stop();
}
END_TEST

START_TEST(lists_are_oldest_first)
{
	char *first, *second, *third;
	struct json_object *list;

	start(_i);
	ck_assert_str_eq(call("GET", NULL, NULL)->body, "[]");
	first = create("{\"name\":\"c\"}");
	second = create("{\"name\":\"a\"}");
	third = create("{\"name\":\"b\"}");
	list = reply_json(call("GET", NULL, NULL));
	ck_assert_int_eq((int)json_object_array_length(list), 3);
	for (int i = 0; i < 3; i++) {
		struct json_object *id;

		json_object_object_get_ex(json_object_array_get_idx(list, (size_t)i), "id", &id);
		ck_assert_str_eq(json_object_get_string(id), i == 0 ? first : i == 1 ? second : third);
	}
	free(first);
	free(second);
	free(third);
	stop();
}
END_TEST

START_TEST(unknown_personas_are_not_found)
{
	static const char *const ids[] = {"nope", "11111111-2222-4333-8444-555555555555",
	    "..%2f..%2fetc", "%F0%9F%98%80", NULL};

	start(_i);
	for (int i = 0; ids[i] != NULL; i++) {
		expect_error(call("GET", ids[i], NULL), 404, "Persona not found");
		expect_error(call("PUT", ids[i], "{\"name\":\"x\"}"), 404, "Persona not found");
		expect_error(call("DELETE", ids[i], NULL), 404, "Persona not found");
	}
	expect_error(ask(gateway.port, "POST", "/api/projects/demo/personas/nope/generate-image", NULL, NULL),
	    404, "Persona not found");
	expect_error(call("GET", "a%00b", NULL), 400, NULL);
	expect_error(call("GET", "%zz", NULL), 400,
	    "The path holds \".\" or \"..\" as a segment, or an escape that is not allowed");
	expect_error(call("GET", "..", NULL), 400, NULL);
	stop();
}
END_TEST

START_TEST(updates_change_only_what_they_name)
{
	struct reply *r;
	char *id, *created, *updated;

	start(_i);
	id = create("{\"name\":\"n\",\"description\":\"d\",\"systemPrompt\":\"s\",\"headers\":{\"A\":\"1\",\"B\":\"2\"}}");
	r = call("GET", id, NULL);
	created = strdup(reply_string(r, "createdAt"));
	r = call("PUT", id, "{\"systemPrompt\":\"t\"}");
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(text(r, "systemPrompt"), "\"t\"");
	ck_assert_str_eq(text(r, "description"), "\"d\"");
	ck_assert_str_eq(reply_string(r, "createdAt"), created);
	ck_assert_int_gt(strcmp(reply_string(r, "updatedAt"), created), 0);
	r = call("PUT", id, "{\"headers\":{\"C\":\"3\"}}");
	ck_assert_str_eq(text(r, "headers"), "{\"C\":\"3\"}");
	r = call("PUT", id, "{\"headers\":{}}");
	ck_assert_str_eq(text(r, "headers"), "{}");
	r = call("PUT", id, "{\"imageUrl\":\"abc.png\"}");
	ck_assert_str_eq(text(r, "imageUrl"), "\"abc.png\"");
	updated = strdup(reply_string(r, "updatedAt"));
	r = call("PUT", id, "{}");
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(text(r, "imageUrl"), "\"abc.png\"");
	ck_assert_str_eq(text(r, "systemPrompt"), "\"t\"");
	ck_assert_int_gt(strcmp(reply_string(r, "updatedAt"), updated), 0);
	r = call("PUT", id, "{\"name\":\"n\"}");
	ck_assert_int_eq(r->status, 200);
	expect_error(call("PUT", id, "{\"name\":\"\"}"), 400, "Name is required");
	expect_error(call("PUT", id, "{\"description\":7}"), 400, "description must be a string");
	free(id);
	free(created);
	free(updated);
	stop();
}
END_TEST

START_TEST(renames_free_the_old_name_at_once)
{
	char *one, *two;
	struct reply *r;

	start(_i);
	one = create("{\"name\":\"one\"}");
	two = create("{\"name\":\"two\"}");
	expect_error(call("PUT", one, "{\"name\":\"two\"}"), 409,
	    "Persona with name \"two\" already exists");
	r = call("PUT", one, "{\"name\":\"uno\"}");
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(text(r, "name"), "\"uno\"");
	free(create("{\"name\":\"one\"}"));
	expect_error(call("POST", NULL, "{\"name\":\"uno\"}"), 409,
	    "Persona with name \"uno\" already exists");
	free(one);
	free(two);
	stop();
}
END_TEST

START_TEST(deletes_free_the_name_at_once)
{
	struct reply *r;
	char *id;

	start(_i);
	id = create("{\"name\":\"gone\"}");
	r = call("DELETE", id, NULL);
	ck_assert_int_eq(r->status, 204);
	ck_assert_uint_eq(r->len, 0);
	expect_error(call("DELETE", id, NULL), 404, "Persona not found");
	expect_error(call("GET", id, NULL), 404, "Persona not found");
	ck_assert_str_eq(call("GET", NULL, NULL)->body, "[]");
	free(create("{\"name\":\"gone\"}"));
	free(id);
	stop();
}
END_TEST

START_TEST(generate_image_checks_in_the_local_order)
{
	char *bare, *full, path[128];

	start(_i);
	bare = create("{\"name\":\"bare\"}");
	full = create("{\"name\":\"full\",\"systemPrompt\":\"s\"}");
	snprintf(path, sizeof path, "%s/generate-image", bare);
	expect_error(call("POST", path, NULL), 400,
	    "Persona must have a system prompt to generate an image");
	snprintf(path, sizeof path, "%s/generate-image", full);
	ck_assert_int_eq(call("POST", path, NULL)->status, 200); /* the sandbox draws */
	free(bare);
	free(full);
	stop();
}
END_TEST

START_TEST(other_methods_and_paths_are_named)
{
	struct reply *r;

	start(_i);
	r = call("PATCH", NULL, "{}");
	expect_error(r, 405, NULL);
	ck_assert_str_eq(reply_field(r, "allow"), "GET, HEAD, POST");
	expect_error(ask(gateway.port, "GET", "/nope", NULL, NULL), 404, NULL);
	r = call("HEAD", NULL, NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_field(r, "content-length"), "2");
	stop();
}
END_TEST

START_TEST(one_project_never_sees_anothers_personas)
{
	char *id, path[128];

	start(_i);
	id = create("{\"name\":\"mine\"}");
	snprintf(path, sizeof path, "/api/projects/stranger/personas/%s", id);
	expect_error(ask(gateway.port, "GET", path, NULL, NULL), 404, "Persona not found");
	expect_error(ask(gateway.port, "PUT", path, NULL, "{\"name\":\"x\"}"), 404, "Persona not found");
	expect_error(ask(gateway.port, "DELETE", path, NULL, NULL), 404, "Persona not found");
	ck_assert_int_eq(call("GET", id, NULL)->status, 200);
	free(id);
	stop();
}
END_TEST

/* The rows, each for both kinds of project. */
static Suite *
personas_suite(void)
{
	const TTest *const tests[] = {
	    create_echoes_everything,
	    absent_and_empty_stay_different,
	    null_counts_as_absent_and_extras_are_ignored,
	    a_create_needs_a_name,
	    other_content_types_are_refused,
	    names_are_unique_within_a_project,
	    text_is_kept_byte_for_byte,
	    large_prompts_are_kept_and_larger_bodies_refused,
	    lists_are_oldest_first,
	    unknown_personas_are_not_found,
	    updates_change_only_what_they_name,
	    renames_free_the_old_name_at_once,
	    deletes_free_the_name_at_once,
	    generate_image_checks_in_the_local_order,
	    other_methods_and_paths_are_named,
	    one_project_never_sees_anothers_personas,
	    NULL,
	};
	Suite *suite = suite_create("personas");
	TCase *tcase = tcase_create("personas");

	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; tests[i] != NULL; i++)
		tcase_add_loop_test(tcase, tests[i], 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(personas_suite)
