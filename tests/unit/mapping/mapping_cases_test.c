#include "config.h"

#include "base/buf.h"
#include "mapping/mapping_cases.h"
#include "mapping_test.h"
#include "unit.h"

#include <string.h>

/* Tests that stand in the file. */

static const char section[] = "fields:\n"
                              "  name: name\n"
                              "  systemPrompt: {to: goal, when_absent: \"\"}\n"
                              "  steps: {to: script, each: {fields: {t: title}}}\n"
                              "constants: {description: d, agent_id: \"${project.agent_id}\"}\n"
                              "kept_here: [headers]\n";

/* Gives one mapping for personas. */
static const struct mapping *
find_mapping(void *arg, const char *resource, const char *project)
{
	return strcmp(resource, "persona") == 0 ? arg : NULL;
}

/* Knows one project. */
static bool
find_project(void *arg, const char *id, struct mapping_project *out)
{
	out->has_agent = true;
	out->agent_id = 7;
	return strcmp(id, "shop") == 0;
}

/* A variable that must never be repeated. */
static const char *
secret_env(void *arg, const char *name)
{
	return "s3cr3t";
}

/* Runs tests and expects these messages, one a line. */
static void
run(const char *tests, const char *messages)
{
	struct mapping *m = mapping_test_compile(section);
	const struct mapping_cases cases = {find_mapping, find_project, m};
	struct diag_list diags = {0};
	struct yaml_node *node = yaml_node_read("t.yaml", tests, strlen(tests), secret_env, NULL,
	    &diags);
	struct buf b;
	char *all;

	ck_assert_ptr_nonnull(node);
	mapping_cases_run(&cases, node, &diags);
	buf_init(&b, 0);
	for (size_t i = 0; i < diags.count; i++) {
		char *line = diag_format(&diags.items[i]);

		buf_addf(&b, "%s\n", line);
		free(line);
	}
	all = buf_take(&b, NULL);
	ck_assert_str_eq(all, messages);
	free(all);
	diag_free(&diags);
	yaml_node_free(node);
	mapping_free(m);
}

START_TEST(good_tests_are_silent)
{
	run("- operation: create\n"
	    "  body: {name: Ann, headers: {a: b}}\n"
	    "  expect: {name: Ann, goal: \"\", description: d}\n"
	    "  kept: {headers: {a: b}}\n"
	    "- {name: an agent, project: shop, operation: create, body: {name: A}, expect: {agent_id: "
	    "7, name: A, goal: \"\", description: d}}\n"
	    "- {operation: update, body: {systemPrompt: x}, expect: {goal: x}}\n"
	    "- {operation: create, body: {name: 5}, error: name must be a string}\n"
	    "- {operation: read, body: {name: A, goal: g, script: [{title: 1.50}]}, expect: {name: A, "
	    "systemPrompt: g, steps: [{t: 1.50}]}}\n"
	    "- {operation: read, body: {id: u, name: A}, kept: {headers: {}}, expect: {id: u, name: "
	    "A, headers: {}, updatedAt: \"1970-01-01T00:00:00.000Z\"}}\n"
	    "- {operation: read, body: {name: 5}, error: name must be a string}\n"
	    "- operation: update\n"
	    "  body: |\n"
	    "    {\"steps\": [{\"t\": 123456789012345678901234567890}]}\n"
	    "  expect: '{\"script\": [{\"title\": 123456789012345678901234567890}]}'\n",
	    "");
}
END_TEST

START_TEST(each_difference_is_told_by_path)
{
	run("- operation: create\n"
	    "  body: {name: Ann, steps: [{t: 1}, {t: 2}], headers: {}}\n"
	    "  expect: {name: Bob, goal: g, more: 1, script: [{title: 1.0}, {title: 2, x: 1}, {}]}\n"
	    "  kept: {headers: {x: 1}, imageUrl: u}\n"
	    "- {name: refused, operation: create, body: {name: 5}, expect: {}}\n"
	    "- {name: not refused, operation: update, body: {name: Ann}, error: no}\n"
	    "- {operation: create, body: {name: 5}, error: name must be a number}\n"
	    "- {operation: read, body: {name: A, goal: null}, expect: {name: A, systemPrompt: \"\"}}\n",
	    "t.yaml:1:3: mapping test 1: name is \"Ann\", not \"Bob\"\n"
	    "t.yaml:1:3: mapping test 1: goal is \"\", not \"g\"\n"
	    "t.yaml:1:3: mapping test 1: more is missing, not 1\n"
	    "t.yaml:1:3: mapping test 1: script[0].title is 1, not 1.0\n"
	    "t.yaml:1:3: mapping test 1: script[1].x is missing, not 1\n"
	    "t.yaml:1:3: mapping test 1: script[2] is missing, not {}\n"
	    "t.yaml:1:3: mapping test 1: description is \"d\", and nothing was expected there\n"
	    "t.yaml:1:3: mapping test 1: of what is kept here, headers.x is missing, not 1\n"
	    "t.yaml:1:3: mapping test 1: of what is kept here, imageUrl is missing, not \"u\"\n"
	    "t.yaml:5:3: mapping test \"refused\": the body is refused: name must be a string\n"
	    "t.yaml:6:3: mapping test \"not refused\": the body is not refused; it becomes "
	    "{\"name\":\"Ann\"}\n"
	    "t.yaml:7:3: mapping test 4: the error is \"name must be a string\", not \"name must be a "
	    "number\"\n"
	    "t.yaml:8:3: mapping test 5: systemPrompt is missing, not \"\"\n");
}
END_TEST

START_TEST(a_test_has_its_form)
{
	run("- text\n"
	    "- {}\n"
	    "- {operation: delete, body: {}, expect: {}}\n"
	    "- {operation: create, body: {}, expect: {}, error: x}\n"
	    "- {operation: create, body: [1], expect: {}}\n"
	    "- {operation: create, body: '{\"a\":}', expect: {}}\n"
	    "- {operation: create, body: {}, expct: {}, error: [x]}\n"
	    "- {operation: create, resource: thing, body: {}, expect: {}}\n"
	    "- {operation: create, project: nowhere, body: {}, expect: {}}\n"
	    "- {operation: create, body: {}, error: x, kept: {}}\n"
	    "- {operation: create, body: '[1]', expect: 'null', name: [x]}\n",
	    "t.yaml:1:3: a mapping test is a map such as {operation: create, body: {name: Ann}, "
	    "expect: {name: Ann}}\n"
	    "t.yaml:2:3: mapping test 2 needs operation: create, update or read\n"
	    "t.yaml:2:3: mapping test 2 needs body and what becomes of it: expect (an object) or "
	    "error (a sentence)\n"
	    "t.yaml:3:15: unknown operation \"delete\"; possible are create, update, read\n"
	    "t.yaml:4:3: mapping test 4 needs body and what becomes of it: expect (an object) or "
	    "error (a sentence)\n"
	    "t.yaml:5:29: body must be a map, or an object as a text of JSON\n"
	    "t.yaml:6:29: body is not JSON: unexpected byte (after 5 bytes)\n"
	    "t.yaml:7:33: unknown key \"expct\"; did you mean \"expect\"?\n"
	    "t.yaml:7:51: error must be a text\n"
	    "t.yaml:8:33: unknown resource \"thing\"; possible are persona, community and those that the "
	    "file declares\n"
	    "t.yaml:9:32: there is no project \"nowhere\" in the file\n"
	    "t.yaml:10:43: kept means nothing beside error; leave it out\n"
	    "t.yaml:11:58: name must be a text\n"
	    "t.yaml:11:29: body must be an object, in this text of JSON, too\n"
	    "t.yaml:11:44: expect must be an object, in this text of JSON, too\n");
	run("{}\n", "t.yaml:1:1: mapping_tests must be a list of tests; each has operation, body, and "
	            "expect or error\n");
}
END_TEST

START_TEST(the_environment_is_not_shown)
{
	static const char with_secret[] =
	    "fields: {name: name}\n"
	    "constants: {description: d, goal: g, token: \"${TOKEN}\"}\n";
	struct diag_list diags = {0};
	struct yaml_node *node = yaml_node_read("m.yaml", with_secret, strlen(with_secret),
	    secret_env, NULL, &diags);
	struct mapping *m = mapping_compile(mapping_resource_built_in("personas"), node, &diags);
	const struct mapping_cases cases = {find_mapping, find_project, m};
	struct yaml_node *tests;
	static const char text[] =
	    "- {operation: create, body: {name: A}, expect: {name: A, token: \"…\", goal: g, "
	    "description: d}}\n"
	    "- {operation: create, body: {name: A}, expect: {name: A, goal: g, description: d}}\n"
	    "- {operation: create, body: {name: \"${X}\"}, expect: {name: A}}\n";

	diag_free(&diags);
	tests = yaml_node_read("t.yaml", text, strlen(text), secret_env, NULL, &diags);
	mapping_cases_run(&cases, tests, &diags);
	ck_assert_uint_eq(diags.count, 2);
	ck_assert_str_eq(diags.items[0].text,
	    "mapping test 2: token is \"…\", and nothing was expected there");
	ck_assert_str_eq(diags.items[1].text,
	    "a test does not depend on the environment; write the value itself (what a constant "
	    "takes from there shows as \"…\")");
	diag_free(&diags);
	yaml_node_free(tests);
	yaml_node_free(node);
	mapping_free(m);
}
END_TEST

/* All tests of tests. */
Suite *
mapping_cases_suite(void)
{
	const TTest *const tests[] = {
	    good_tests_are_silent,
	    each_difference_is_told_by_path,
	    a_test_has_its_form,
	    the_environment_is_not_shown,
	    NULL,
	};

	return unit_suite("mapping_cases", tests);
}
