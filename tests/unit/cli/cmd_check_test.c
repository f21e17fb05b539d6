#include "config.h"

#include "cli_test.h"

#include "base/mem.h"
#include "cli/cmd_check.h"
#include "config/yaml_node.h"
#include "core/snapshot.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SAMPLE TEST_SRCDIR "/conf/persona-gateway.yaml"

static char path[64];

/* Removes the file of the test. */
static void
forget(void)
{
	unlink(path);
}

/* Writes the file of the test. */
static const char *
given(const char *text)
{
	FILE *file;
	int fd;

	if (path[0] == '\0') {
		strcpy(path, "/tmp/persona-gateway-check-XXXXXX");
		fd = mkstemp(path);
		ck_assert_int_ge(fd, 0);
		close(fd);
		atexit(forget);
	}
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	return path;
}

/* Checks a file and compares everything; "F" at the beginning of a line stands
 * for the file. */
static void
check(const char *file, bool sandbox, int code, const char *out_text, const char *err_lines)
{
	char *out, *err, *expected = mem_string("");
	size_t out_len, err_len;
	FILE *to_out = open_memstream(&out, &out_len), *to_err = open_memstream(&err, &err_len);

	for (const char *s = err_lines; *s != '\0';) {
		int len = (int)strcspn(s, "\n") + 1;
		char *next = mem_format("%s%s%.*s", expected, s[0] == 'F' ? file : "",
		    s[0] == 'F' ? len - 1 : len, s[0] == 'F' ? s + 1 : s);

		free(expected);
		expected = next;
		s += len;
	}
	ck_assert_int_eq(cmd_check(file, sandbox, false, to_out, to_err), code);
	fclose(to_out);
	fclose(to_err);
	ck_assert_str_eq(err, expected);
	ck_assert_str_eq(out, out_text);
	free(expected);
	free(out);
	free(err);
}

/* The line of a file on which a text begins. */
static int
line_of(const char *name, const char *text)
{
	FILE *file = fopen(name, "r");
	char line[512];
	int n = 1;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file) != NULL && strstr(line, text) == NULL)
		n++;
	fclose(file);
	return n;
}

START_TEST(the_sample_is_good)
{
	char *unset = mem_format("F:%d:12: the environment variable BLUEJAY_API_KEY is not set; set it, "
	    "or write ${BLUEJAY_API_KEY:-default}\n", line_of(SAMPLE, "  api_key: ${"));

	setenv("BLUEJAY_API_KEY", "k3y", 1);
	check(SAMPLE, false, 0, "ok\n", "");
	unsetenv("BLUEJAY_API_KEY");
	check(SAMPLE, true, 0, "ok\n", "");
	check(NULL, true, 0, "ok\n", "");
	check(SAMPLE, false, 1, "", unset);
	free(unset);
}
END_TEST

START_TEST(mistakes_of_the_file_and_of_its_mapping_come_in_the_order_of_the_file)
{
	check(given("mapping:\n"
		    "  persona:\n"
		    "    feelds: {}\n"
		    "  community: {fields: {name: title}}\n"
		    "drain: 5\n"
		    "store: {kind: x}\n"
		    "lisen: 1\n"),
	    true, 1, "",
	    "F:3:5: unknown key \"feelds\"; did you mean \"fields\"?\n"
	    "F:4:24: Bluejay requires \"title\" at create, but the field \"name\" may be absent; "
	    "write name: {to: title, when_absent: \"\"}\n"
	    "F:5:8: drain needs a unit: write 5s or 5ms\n"
	    "F:6:15: store.kind must be sqlite or postgresql, not \"x\"\n"
	    "F:7:1: unknown key \"lisen\"; did you mean \"listen\"?\n");
	check(given("mapping: {persona: {feelds: {}}}\n"), true, 1, "",
	    "F:1:21: unknown key \"feelds\"; did you mean \"fields\"?\n");
}
END_TEST

START_TEST(tests_beside_the_mapping_run)
{
	static const char head[] =
	    "projects:\n"
	    "  shop: {agent_id: 7, mapping: {persona: {fields: {tone: traits.tone}}}}\n"
	    "mapping_tests:\n"
	    "  - {project: shop, operation: create, body: {name: A, tone: x}, expect: {name: A,\n"
	    "     traits: {tone: x}, description: \"\", goal: \"\", agent_id: 7}}\n"
	    "  - {resource: community, operation: create, body: {title: T}, expect: {title: T}}\n";
	char *wrong;

	check(given(head), true, 0, "ok\n", "");
	wrong = mem_format("%s  - name: wrong\n    operation: update\n    body: {tone: x}\n"
	                   "    expect: {tone: x}\n", head);
	check(given(wrong), true, 1, "",
	    "F:7:5: mapping test \"wrong\": tone is missing, not \"x\"\n");
	free(wrong);
}
END_TEST

START_TEST(projects_that_share_an_agent_map_alike)
{
	check(given("projects:\n"
		    "  a: {agent_id: 5, shared_agent: true}\n"
		    "  b: {agent_id: 5, shared_agent: true, mapping: {persona: {fields: {x: x}}}}\n"
		    "  c: {agent_id: 6, mapping: {persona: {fields: {x: x}}}}\n"),
	    true, 1, "",
	    "F:3:3: project \"b\" (line 3) shares its agent with project \"a\" (line 2), so what its "
	    "mapping.persona says must be the same\n");
}
END_TEST

START_TEST(warnings_do_not_fail)
{
	setenv("KEY", "k3y", 1);
	check(given("bluejay: {url: 'http://bluejay.example.com', api_key: \"${KEY}\"}\n"),
	    false, 0, "ok\n",
	    "F:1:16: warning: bluejay.url is not https: the key travels unencrypted\n");
}
END_TEST

START_TEST(a_missing_file_is_a_mistake)
{
	check("/nonexistent.yaml", true, 1, "",
	    "F: cannot read the file: No such file or directory\n");
}
END_TEST

START_TEST(an_answer_that_cannot_be_written_is_a_failure)
{
	FILE *full = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(full);
	ck_assert_int_eq(cmd_check(NULL, true, false, full, stderr), 1);
	fclose(full);
}
END_TEST

START_TEST(a_failed_load_leaves_nothing)
{
	struct config_source source = {.file = given("drain: 5\n"), .sandbox = true};
	struct diag_list diags = {0};
	struct snapshot *snap;

	ck_assert_ptr_null(snapshot_load(&source, &diags));
	diag_free(&diags);
	given("drain: 5s\n");
	snap = snapshot_load(&source, &diags);
	ck_assert_ptr_nonnull(snap);
	ck_assert_uint_eq(snap->resource_count, 2);
	ck_assert_ptr_nonnull(snapshot_mapping(snap, snapshot_resource(snap, "personas"), NULL));
	ck_assert_ptr_nonnull(snapshot_mapping(snap, snapshot_resource(snap, "communities"), NULL));
	snapshot_unref(snap);
}
END_TEST

/* Whether two trees hold the same. */
static bool
same(const struct yaml_node *a, const struct yaml_node *b)
{
	if (a->kind != b->kind || a->count != b->count)
		return false;
	if (a->kind == YAML_SCALAR)
		return a->quoted == b->quoted && strcmp(a->text, b->text) == 0;
	for (size_t i = 0; i < a->count; i++)
		if (!same(a->items[i], b->items[i]) ||
		    (a->kind == YAML_MAP && strcmp(a->keys[i]->text, b->keys[i]->text) != 0))
			return false;
	return true;
}

/* Fails when a section is not what a resource has built in. */
static void
expect_built_in(const struct mapping_resource *resource, const struct yaml_node *section)
{
	ck_assert(same(resource->defaults, section));
}

START_TEST(the_sample_shows_the_mappings_that_are_built_in)
{
	struct config_source source = {.file = SAMPLE, .sandbox = true};
	struct diag_list diags = {0};
	struct snapshot *snap = snapshot_load(&source, &diags);

	ck_assert_uint_eq(diags.count, 0);
	expect_built_in(mapping_resource_built_in("personas"), snap->config->mapping_persona);
	expect_built_in(mapping_resource_built_in("communities"), snap->config->mapping_community);
	snapshot_unref(snap);
}
END_TEST

/* The suite. */
Suite *
suite_cmd_check(void)
{
	const TTest *const tests[] = {the_sample_is_good,
	    mistakes_of_the_file_and_of_its_mapping_come_in_the_order_of_the_file,
	    tests_beside_the_mapping_run, projects_that_share_an_agent_map_alike, warnings_do_not_fail, a_missing_file_is_a_mistake,
	    an_answer_that_cannot_be_written_is_a_failure, a_failed_load_leaves_nothing,
	    the_sample_shows_the_mappings_that_are_built_in, NULL};

	return unit_suite("cmd_check", tests);
}
