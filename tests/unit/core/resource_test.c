#include "config.h"

#include "core/resource.h"
#include "core/resource_read.h"
#include "core/snapshot.h"
#include "core_test.h"
#include "json/json_read.h"
#include "mapping/mapping_resource.h"

#include <string.h>

/* Reads JSON, which must be some. */
static struct json_object *
tree(const char *text)
{
	struct json_object *o = NULL;

	ck_assert_msg(json_read(text, strlen(text), &o, NULL), "%s", text);
	return o;
}

/* The built-in mapping of communities. */
static struct mapping *
communities(const char *yaml)
{
	struct diag_list diags = {0};
	struct yaml_node *section = NULL;
	struct mapping *m;

	if (yaml != NULL)
		section = yaml_node_read("x", yaml, strlen(yaml), NULL, NULL, &diags);
	m = mapping_compile(mapping_resource_built_in("communities"), section, &diags);
	yaml_node_free(section);
	diag_free(&diags);
	ck_assert_ptr_nonnull(m);
	return m;
}

START_TEST(a_scope_says_what_its_records_are)
{
	struct config_source source = {.sandbox = true};
	struct diag_list diags = {0};
	struct snapshot *snap = snapshot_load(&source, &diags);

	ck_assert_ptr_eq(snapshot_resource_of_scope(snap, "agent:7"), resource_built_in("personas"));
	ck_assert_ptr_eq(snapshot_resource_of_scope(snap, "project:community"),
	    resource_built_in("personas"));
	ck_assert_ptr_eq(snapshot_resource_of_scope(snap, "community:project:shop"),
	    resource_built_in("communities"));
	ck_assert_ptr_null(snapshot_resource_of_scope(snap, "resource:bots:project:shop"));
	snapshot_unref(snap);
}
END_TEST

START_TEST(numbers_are_compared_as_a_set)
{
	static const struct {
		const char *sent, *there;
		bool matches, holds;
	} rows[] = {
	    {"{\"digital_human_ids\":[1,2]}", "{\"digital_human_ids\":[2,1]}", true, true},
	    {"{\"digital_human_ids\":[1,2,1]}", "{\"digital_human_ids\":[2,2,1]}", true, true},
	    {"{\"digital_human_ids\":[1]}", "{\"digital_human_ids\":[1,2]}", false, true},
	    {"{\"digital_human_ids\":[1,3]}", "{\"digital_human_ids\":[1,2]}", false, false},
	    {"{\"digital_human_ids\":[]}", "{\"digital_human_ids\":[]}", true, true},
	    {"{\"digital_human_ids\":[]}", "{}", true, true},
	    {"{\"digital_human_ids\":[1]}", "{}", false, false},
	    {"{\"digital_human_ids\":[1]}", "{\"digital_human_ids\":\"1\"}", false, false},
	    {"{\"digital_human_ids\":[9223372036854775807]}",
	        "{\"digital_human_ids\":[9223372036854775806]}", false, false},
	    {"{\"digital_human_ids\":[18446744073709551615]}",
	        "{\"digital_human_ids\":[18446744073709551615]}", true, true},
	    {"{\"title\":\"a\",\"digital_human_ids\":[2,1]}",
	        "{\"title\":\"a\",\"digital_human_ids\":[1,2]}", true, true},
	    {"{\"title\":\"a\",\"digital_human_ids\":[2,1]}",
	        "{\"title\":\"b\",\"digital_human_ids\":[1,2]}", false, true},
	    {"{\"title\":\"a\"}", "{\"title\":\"a\",\"digital_human_ids\":[1,2]}", true, false},
	};
	struct mapping *m = communities(NULL);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json_object *sent = tree(rows[i].sent), *there = tree(rows[i].there);

		ck_assert_msg(resource_matches(resource_built_in("communities"), m, sent, there) == rows[i].matches,
		    "%s %s", rows[i].sent, rows[i].there);
		if (strstr(rows[i].sent, "ids") != NULL)
			ck_assert_msg(resource_holds(resource_built_in("communities"), sent, there) == rows[i].holds,
			    "%s %s", rows[i].sent, rows[i].there);
		json_object_put(sent);
		json_object_put(there);
	}
	mapping_free(m);
}
END_TEST

START_TEST(a_name_is_wanted_where_it_is_mapped)
{
	struct mapping *usual = communities(NULL);
	struct mapping *other = communities("fields: {label: {to: title, when_absent: \"\"}}\n");
	struct json_object *body = tree("{\"title\":\"\"}"), *empty = tree("{}");
	struct fail fail;

	ck_assert_int_eq(resource_check_name(resource_built_in("communities"), usual, body, false, &fail), -1);
	ck_assert_str_eq(fail.text, "Title is required");
	ck_assert_int_eq(resource_check_name(resource_built_in("communities"), usual, empty, false, &fail), 0);
	ck_assert_int_eq(resource_check_name(resource_built_in("communities"), usual, empty, true, &fail), -1);
	ck_assert_int_eq(resource_check_name(resource_built_in("communities"), other, empty, true, &fail), 0);
	ck_assert_int_eq(resource_check_name(resource_built_in("communities"), other, body, true, &fail), 0);
	json_object_put(body);
	json_object_put(empty);
	mapping_free(usual);
	mapping_free(other);
}
END_TEST

START_TEST(what_is_no_number_is_explained)
{
	static const char first[] = "digitalHumanIds must be a list of whole numbers";
	static const char *const rows[][2] = {
	    {"{\"digitalHumanIds\":[1,\"x\"]}",
	        "digitalHumanIds must be a list of whole numbers, the ids of digital humans in Bluejay; "
	        "\"x\" is none"},
	    {"{\"digitalHumanIds\":[{\"a\":1}]}",
	        "digitalHumanIds must be a list of whole numbers, the ids of digital humans in Bluejay; "
	        "{\"a\":1} is none"},
	    {"{\"digitalHumanIds\":\"x\"}", first},
	    {"{\"digitalHumanIds\":[1]}", first},
	    {"{}", first},
	};
	struct mapping *m = communities(NULL);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json_object *body = tree(rows[i][0]);
		struct fail fail;

		fail_set(&fail, "%s", first);
		resource_explain(resource_built_in("communities"), m, body, &fail);
		ck_assert_str_eq(fail.text, rows[i][1]);
		fail_set(&fail, "title must be a string");
		resource_explain(resource_built_in("communities"), m, body, &fail);
		ck_assert_str_eq(fail.text, "title must be a string");
		json_object_put(body);
	}
	mapping_free(m);
}
END_TEST

/* All tests of what the kinds of things differ in. */
Suite *
resource_suite(void)
{
	const TTest *const tests[] = {
	    a_scope_says_what_its_records_are,
	    numbers_are_compared_as_a_set,
	    a_name_is_wanted_where_it_is_mapped,
	    what_is_no_number_is_explained,
	    NULL,
	};

	return unit_suite("resource", tests);
}
