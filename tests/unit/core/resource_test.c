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

/* Reads declarations and expects a resource of this key. */
static struct resource **
declared(const char *text, size_t *count)
{
	struct diag_list diags = {0};
	struct yaml_node *section = yaml_node_read("x", text, strlen(text), NULL, NULL, &diags);
	struct resource **all = resource_read_all(section, count, &diags);

	ck_assert_uint_eq(diags.count, 0);
	yaml_node_free(section);
	return all;
}

/* Expects the id of an upstream thing; NULL: none. */
static void
expect_id(const struct resource *r, const char *text, const char *want)
{
	struct json_object *thing;
	const char *id;

	ck_assert(json_read(text, strlen(text), &thing, NULL));
	id = resource_id(r, thing);
	ck_assert_msg(want == NULL ? id == NULL : id != NULL && strcmp(id, want) == 0, "%s gave %s",
	    text, id != NULL ? id : "nothing");
	json_object_put(thing);
}

#define DECLARE(id) \
	"x-y: {list: \"GET /v1/x?p={project_id}\", read: \"GET /v1/x/{id}/y\", id: " id ", mapping: {}}\n"

START_TEST(ids_have_their_declared_form)
{
	static const char *const forms[] = {DECLARE("n"), DECLARE("{member: n, as: string}"),
	    DECLARE("{member: n, as: integer}"), DECLARE("{member: n, as: uuid}")};
	static const struct {
		const char *thing;
		const char *ids[4]; /* in the order of the forms */
	} rows[] = {
	    {"{\"n\":12}", {"12", NULL, "12", NULL}},
	    {"{\"n\":-5}", {"-5", NULL, "-5", NULL}},
	    {"{\"n\":\"a b\"}", {NULL, NULL, NULL, NULL}},
	    {"{\"n\":\"a/b\"}", {NULL, NULL, NULL, NULL}},
	    {"{\"n\":\"..\"}", {NULL, NULL, NULL, NULL}},
	    {"{\"n\":\"\"}", {NULL, NULL, NULL, NULL}},
	    {"{\"n\":\"a\\u0000b\"}", {NULL, NULL, NULL, NULL}},
	    {"{\"n\":\"h_7\"}", {"h_7", "h_7", NULL, NULL}},
	    {"{\"n\":1.5}", {NULL, NULL, NULL, NULL}},
	    {"{\"n\":null}", {NULL, NULL, NULL, NULL}},
	    {"{\"n\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\"}",
	        {"3c90c3cc-0d44-4b50-8888-8dd25736052a", "3c90c3cc-0d44-4b50-8888-8dd25736052a", NULL,
	            "3c90c3cc-0d44-4b50-8888-8dd25736052a"}},
	    {"{\"m\":1}", {NULL, NULL, NULL, NULL}},
	    {"[1]", {NULL, NULL, NULL, NULL}},
	};

	for (size_t f = 0; f < 4; f++) {
		size_t count;
		struct resource **all = declared(forms[f], &count);

		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
			expect_id(all[0], rows[i].thing, rows[i].ids[f]);
		resource_free_all(all, count);
	}
}
END_TEST

START_TEST(what_stands_in_a_path_is_encoded)
{
	size_t count;
	struct resource **all = declared(DECLARE("n"), &count);
	char *path = resource_path(&all[0]->list, "a b/\xC3\xA9?", 7, NULL);

	ck_assert_str_eq(path, "/v1/x?p=a%20b%2F%C3%A9%3F");
	free(path);
	path = resource_path(&all[0]->read, "p", 7, "1?x=2&");
	ck_assert_str_eq(path, "/v1/x/1%3Fx%3D2%26/y");
	free(path);
	path = resource_path(&resource_built_in("personas")->list, "p", 7, NULL);
	ck_assert_str_eq(path, "/v1/customer-personas-by-agent/7");
	free(path);
	path = resource_path_with("/v1/x?a=b", "next part", "c&d");
	ck_assert_str_eq(path, "/v1/x?a=b&next%20part=c%26d");
	free(path);
	path = resource_path_with("/v1/x", "n", "1");
	ck_assert_str_eq(path, "/v1/x?n=1");
	free(path);
	resource_free_all(all, count);
}
END_TEST

START_TEST(words_that_are_left_out_have_defaults)
{
	size_t count;
	struct resource **all = declared(DECLARE("n"), &count);
	const struct resource *r = all[0];

	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(r->key, "x-y");
	ck_assert_str_eq(r->noun, "x y");
	ck_assert_str_eq(r->title, "X y");
	ck_assert_str_eq(r->plural, "x ys");
	ck_assert_str_eq(r->id_member, "xYId");
	ck_assert_str_eq(r->prefix, "resource:x-y:");
	ck_assert(r->unfenced && r->shared && !r->by_agent && !r->unique);
	ck_assert_ptr_null(r->create.method);
	resource_free_all(all, count);
}
END_TEST

/* All tests of what the kinds of things differ in. */
Suite *
resource_suite(void)
{
	const TTest *const tests[] = {
	    a_scope_says_what_its_records_are,
	    ids_have_their_declared_form,
	    what_stands_in_a_path_is_encoded,
	    words_that_are_left_out_have_defaults,
	    numbers_are_compared_as_a_set,
	    a_name_is_wanted_where_it_is_mapped,
	    what_is_no_number_is_explained,
	    NULL,
	};

	return unit_suite("resource", tests);
}
