#include "config.h"

#include "core/twin_body.h"
#include "core_test.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

/* Reads JSON; the caller puts it. */
static struct json_object *
read_json(const char *text)
{
	struct json_object *o = NULL;

	ck_assert_msg(json_read(text, strlen(text), &o, NULL), "%s", text);
	return o;
}

/* Fails unless a value prints so, and puts it. */
static void
expect(struct json_object *o, const char *text)
{
	char *got = json_print(o, NULL);

	ck_assert_str_eq(got, text);
	free(got);
	json_object_put(o);
}

START_TEST(a_twin_holds_the_fields_that_the_tool_keeps)
{
	struct json_object *local = read_json("{\"id\":\"i\",\"name\":\"ann\",\"description\":null,"
	    "\"headers\":{\"A\":\"1\"},\"language\":\"en\",\"imageUrl\":\"x.png\",\"createdAt\":\"c\"}");

	expect(twin_body(local),
	    "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"},\"imageUrl\":\"x.png\"}");
	expect(twin_body_named(local, "bob"),
	    "{\"name\":\"bob\",\"headers\":{\"A\":\"1\"},\"imageUrl\":\"x.png\"}");
	json_object_put(local);
}
END_TEST

START_TEST(a_change_holds_what_differs)
{
	static const struct {
		const char *body, *twin, *change;
	} cases[] = {
	    {"{\"name\":\"a\"}", "{\"name\":\"a\",\"id\":\"i\",\"updatedAt\":\"u\"}", "{}"},
	    {"{\"name\":\"a\"}", "{\"name\":\"b\"}", "{\"name\":\"a\"}"},
	    {"{\"name\":\"a\",\"description\":\"\"}", "{\"name\":\"a\"}", "{\"description\":\"\"}"},
	    {"{\"name\":\"a\"}", "{\"name\":\"a\",\"description\":\"\",\"headers\":{}}", "{}"},
	    {"{\"name\":\"a\"}", "{\"name\":\"a\",\"description\":\"d\",\"headers\":{\"A\":\"1\"}}",
	        "{\"description\":\"\",\"headers\":{}}"},
	    {"{\"name\":\"a\",\"headers\":{\"A\":\"1\",\"B\":\"2\"}}",
	        "{\"name\":\"a\",\"headers\":{\"B\":\"2\",\"A\":\"1\"}}", "{}"},
	    {"{\"name\":\"a\",\"headers\":{\"A\":\"1\"}}",
	        "{\"name\":\"a\",\"headers\":{\"A\":\"1\",\"B\":\"2\"}}", "{\"headers\":{\"A\":\"1\"}}"},
	    {"{\"name\":\"a\",\"imageUrl\":\"x\"}", "{\"name\":\"a\",\"systemPrompt\":\"p\"}",
	        "{\"systemPrompt\":\"\",\"imageUrl\":\"x\"}"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json_object *body = read_json(cases[i].body), *twin = read_json(cases[i].twin);

		ck_assert_int_eq(twin_body_shown(body, twin), strcmp(cases[i].change, "{}") == 0);
		expect(twin_body_change(body, twin), cases[i].change);
		json_object_put(body);
		json_object_put(twin);
	}
}
END_TEST

START_TEST(what_was_made_here_is_known_again)
{
	struct json_object *body = read_json("{\"name\":\"a\",\"imageUrl\":\"x\",\"description\":\"d\"}");
	struct json_object *twin = read_json("{\"id\":\"i\",\"name\":\"a\",\"description\":\"d\","
	    "\"createdAt\":\"2026-01-28T10:00:00.000Z\"}");
	const int64_t made = INT64_C(1769594400000);
	char digest[DIGEST_HEX_SIZE];

	twin_body_digest(body, digest);
	ck_assert(twin_body_is_made(twin, digest, made));
	ck_assert(!twin_body_is_made(twin, digest, made + 1));
	ck_assert(!twin_body_is_made(twin, NULL, 0));
	json_object_object_add(twin, "description", json_object_new_string("other"));
	ck_assert(!twin_body_is_made(twin, digest, 0));
	json_object_object_add(twin, "description", json_object_new_string("d"));
	json_object_object_del(twin, "createdAt");
	ck_assert(!twin_body_is_made(twin, digest, 0));
	json_object_put(body);
	json_object_put(twin);
}
END_TEST

START_TEST(another_name_tells_why)
{
	char *name = twin_body_other_name("ann", "local copy", "0123456789");

	ck_assert_str_eq(name, "ann (local copy 01234567)");
	free(name);
	name = twin_body_other_name("ann", "", "0123456789");
	ck_assert_str_eq(name, "ann (01234567)");
	free(name);
}
END_TEST

/* The suite. */
Suite *
twin_suite(void)
{
	const TTest *const tests[] = {a_twin_holds_the_fields_that_the_tool_keeps,
	    a_change_holds_what_differs, what_was_made_here_is_known_again, another_name_tells_why, NULL};

	return unit_suite("core: twin", tests);
}
