#include "config.h"

#include "harness.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* The list of projects, by the real program. */

#define PROJECTS "/api/projects"

static struct program gateway;

/* Starts a gateway over its sandbox with these projects in its file; NULL: no file. */
static void
start(const char *projects)
{
	const char *args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", NULL, NULL, NULL};

	if (projects != NULL) {
		args[6] = "--config";
		args[7] = scratch_file("gateway.yaml", "%s", projects);
	}
	program_start(&gateway, args);
}

/* Ends it; it must end well. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* Makes a persona in a project. */
static void
create(const char *project)
{
	char path[200];

	snprintf(path, sizeof path, PROJECTS "/%s/personas", project);
	ck_assert_int_eq(ask(gateway.port, "POST", path, NULL, "{\"name\":\"a\"}")->status, 201);
}

/* Expects this list. */
static void
expect_list(const char *want)
{
	struct reply *r = ask(gateway.port, "GET", PROJECTS, NULL, NULL);

	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_field(r, "content-type"), "application/json; charset=utf-8");
	ck_assert_str_eq(r->body, want);
}

START_TEST(the_projects_of_the_file_are_listed_in_its_order)
{
	start("data_dir: projects-1\nprojects:\n  shop: {agent_id: 8, name: 'The \"shop\" <1>'}\n"
	      "  plain: {}\n  a: {agent_id: 9}\n");
	create("plain");
	expect_list("[{\"id\":\"shop\",\"name\":\"The \\\"shop\\\" <1>\"},{\"id\":\"plain\","
	            "\"name\":\"plain\"},{\"id\":\"a\",\"name\":\"a\"}]");
	expect_error(ask(gateway.port, "GET", PROJECTS "/other/personas", NULL, NULL), 404,
	    "Project not found");
	stop();
}
END_TEST

START_TEST(projects_that_hold_personas_follow_when_every_id_is_admitted)
{
	start(NULL);
	expect_list("[{\"id\":\"demo\",\"name\":\"demo\"}]");
	create("z%20%22");
	create("lab");
	create("demo");
	expect_list("[{\"id\":\"demo\",\"name\":\"demo\"},{\"id\":\"lab\",\"name\":\"lab\"},"
	            "{\"id\":\"z \\\"\",\"name\":\"z \\\"\"}]");
	stop();
}
END_TEST

START_TEST(the_list_is_read_only_and_can_be_asked_for_again)
{
	static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH"};
	char etag[80], field[120];
	struct reply *r;

	start(NULL);
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		r = ask(gateway.port, methods[i], PROJECTS, NULL, "{}");
		expect_error(r, 405, "Method not allowed");
		ck_assert_str_eq(reply_field(r, "allow"), "GET, HEAD");
	}
	expect_error(ask(gateway.port, "GET", PROJECTS "/", NULL, NULL), 404, "Not found");
	r = ask(gateway.port, "HEAD", PROJECTS, NULL, NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_field(r, "content-length"), "29");
	snprintf(etag, sizeof etag, "%s", reply_field(r, "etag"));
	snprintf(field, sizeof field, "If-None-Match: %s\r\n", etag);
	ck_assert_int_eq(ask(gateway.port, "GET", PROJECTS, field, NULL)->status, 304);
	create("lab");
	ck_assert_int_eq(ask(gateway.port, "GET", PROJECTS, field, NULL)->status, 200);
	stop();
}
END_TEST

/* Tests of the list of projects. */
static Suite *
projects_suite(void)
{
	const TTest *const tests[] = {
	    the_projects_of_the_file_are_listed_in_its_order,
	    projects_that_hold_personas_follow_when_every_id_is_admitted,
	    the_list_is_read_only_and_can_be_asked_for_again,
	    NULL,
	};

	return unit_suite("projects", tests);
}

UNIT_MAIN(projects_suite)
