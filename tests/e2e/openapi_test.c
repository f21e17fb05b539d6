#include "config.h"

#include "harness.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* The description of what is served, read by a public validator: the command
 * validate-api of npm's @seriousme/openapi-schema-validator. */

/* Whether it is on this machine. */
static bool
validator_found(void)
{
	return system("command -v validate-api >/dev/null 2>&1") == 0;
}

/* Starts a gateway with this end of its file, and has its description read. */
static void
validate(const char *more, const char *expected)
{
	const char *path, *config = scratch_file("gateway.yaml", "data_dir: openapi\n%s", more);
	const char *const args[] = {"serve", "--sandbox", "--config", config, "--listen",
	    "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};
	struct program gateway;
	struct reply *r;
	char *said;

	program_start(&gateway, args);
	r = ask(gateway.admin_port, "GET", "/openapi.json", NULL, NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_ptr_nonnull(strstr(r->body, expected));
	path = scratch_file("openapi.json", "%s", r->body);
	said = shell("validate-api %s 2>&1", path);
	ck_assert_msg(strstr(said, "\"valid\": true") != NULL, "%s", said);
	free(said);
	ck_assert_int_eq(program_stop(&gateway), 0);
}

START_TEST(the_description_is_valid)
{
	validate("", "\"systemPrompt\"");
	validate("mapping:\n"
	         "  persona:\n"
	         "    fields:\n"
	         "      name: name\n"
	         "      a/b.~c: {to: description, when_absent: \"\"}\n"
	         "      systemPrompt: {to: goal, when_absent: \"\"}\n"
	         "    kept_here: [headers, imageUrl, \"x y.z\", any]\n",
	    "\"~c\"");
	validate("passthrough: {bluejay: true}\n", "\"/v1/{path}\"");
}
END_TEST

START_TEST(the_validator_would_say_so)
{
	char *said = shell("validate-api %s 2>&1",
	    scratch_file("wrong.json", "%s", "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"t\",\"version\":\"1\"},"
	                                     "\"paths\":{\"x\":{}}}"));

	ck_assert_msg(strstr(said, "\"valid\": false") != NULL, "%s", said);
	free(said);
}
END_TEST

/* The suite. */
static Suite *
openapi_suite(void)
{
	const TTest *const tests[] = {the_description_is_valid, the_validator_would_say_so, NULL};

	return unit_suite("openapi", tests);
}

UNIT_MAIN_IF(validator_found(), openapi_suite)
