#include "config.h"

#include "mapping_copy_check.h"
#include "mapping_test.h"
#include "unit.h"

/* A resource without a unique name and without updatedAt. */

static const struct mapping_project project = {"shop", true, 123};

/* Expects what a request becomes, or the sentence that refuses it. */
static void
request(const struct mapping *m, enum mapping_operation operation, const char *body,
    const char *expected)
{
	struct json_object *local = mapping_test_json(body);
	struct mapping_request r;
	struct fail fail;

	if (mapping_request_make(m, operation, local, &project, &r, &fail) == 0) {
		mapping_test_prints(r.upstream, expected);
		mapping_test_prints(r.kept, "{}");
		mapping_test_prints(r.absent, "{}");
		mapping_request_clear(&r);
	} else
		ck_assert_str_eq(fail.text, expected);
	json_object_put(local);
}

/* Expects what an answer becomes, or the sentence for the log. */
static void
answer(const struct mapping *m, const char *body, const char *expected)
{
	struct json_object *upstream = mapping_test_json(body), *out;
	unsigned copied = 0;
	struct fail fail;

	ck_assert(mapping_copy_check_tree(m, upstream, NULL, NULL, &copied));
	if (mapping_answer_make(m, upstream, "c1", NULL, NULL, 0, &out, &fail) == 0) {
		mapping_test_prints(out, expected);
		json_object_put(out);
	} else
		ck_assert_str_eq(fail.text, expected);
	json_object_put(upstream);
}

START_TEST(a_community_goes_to_bluejay_and_back)
{
	struct mapping *m = mapping_test_compile_of(mapping_resource_built_in("communities"), NULL);

	request(m, MAPPING_CREATE,
	    "{\"digitalHumanIds\":[1,18446744073709551615],\"title\":\"T\",\"id\":\"x\","
	    "\"createdAt\":\"y\",\"description\":\"\",\"more\":1}",
	    "{\"title\":\"T\",\"description\":\"\","
	    "\"digital_human_ids\":[1,18446744073709551615]}");
	request(m, MAPPING_CREATE, "{\"title\":\"T\"}", "{\"title\":\"T\"}");
	request(m, MAPPING_UPDATE, "{\"digitalHumanIds\":[]}", "{\"digital_human_ids\":[]}");
	request(m, MAPPING_UPDATE, "{\"title\":null}", "{}");
	request(m, MAPPING_CREATE, "{\"title\":5}", "title must be a string");
	request(m, MAPPING_CREATE, "{\"title\":\"T\",\"digitalHumanIds\":[\"1\"]}",
	    "digitalHumanIds must be a list of whole numbers");
	answer(m,
	    "{\"id\":\"u\",\"title\":\"T\",\"created_at\":\"2023-11-07T05:31:56Z\","
	    "\"description\":null,\"digital_human_ids\":[1],\"new\":2}",
	    "{\"id\":\"c1\",\"title\":\"T\",\"digitalHumanIds\":[1],"
	    "\"createdAt\":\"2023-11-07T05:31:56.000Z\"}");
	answer(m, "{\"title\":\"T\",\"digital_human_ids\":[1.5]}",
	    "digital_human_ids must be a list of whole numbers");
	answer(m, "[]", "the community must be an object");
	mapping_free(m);
}
END_TEST

START_TEST(it_has_no_name_and_no_date_of_its_own)
{
	struct mapping_declared last;
	struct mapping *m = mapping_test_compile_of(mapping_resource_built_in("communities"),
	    "fields: {title: title, name: name}\n");
	struct json_object *upstream = mapping_test_json("{\"title\":\"T\",\"name\":\"n\"}");

	ck_assert_ptr_null(mapping_persona_name(m, upstream));
	ck_assert_str_eq(mapping_local_name(m, "title"), "title");
	ck_assert(mapping_declared(m, 2, &last));
	ck_assert_str_eq(last.local, "name");
	ck_assert(!mapping_declared(m, 3, &last));
	json_object_put(upstream);
	mapping_free(m);
}
END_TEST

START_TEST(messages_speak_of_communities)
{
	const struct mapping_resource *r = mapping_resource_built_in("communities");

	mapping_test_refused_of(r, "text\n",
	    "m.yaml:1:1: the mapping of communities must be a map of fields, constants, "
	    "templates, kept_here\n");
	mapping_test_refused_of(r, "fields:\n  heading: title\n",
	    "m.yaml:2:3: Bluejay requires \"title\" at create, but the field \"heading\" may be "
	    "absent; write heading: {to: title, when_absent: \"\"}\n");
	mapping_test_refused_of(r, "fields: {}\n",
	    "m.yaml:1:1: Bluejay requires \"title\" at create, and nothing gives it; add a field "
	    "such as title: {to: title, when_absent: \"\"}, or a constant\n");
	mapping_test_refused_of(r,
	    "fields:\n"
	    "  title: {to: title, when_absent: \"\"}\n"
	    "  digitalHumanIds: {to: digital_human_id, as: integers}\n"
	    "kept_here: [description]\n",
	    "m.yaml:1:1: warning: answers will lack \"createdAt\"; add createdAt: {to: "
	    "created_at, as: timestamp, read_only: true}\n"
	    "m.yaml:2:22: warning: a community always has a title, so when_absent does "
	    "nothing\n"
	    "m.yaml:3:25: warning: Bluejay is not known to have \"digital_human_id\"; did you "
	    "mean \"digital_human_ids\"?\n");
	mapping_test_refused_of(r,
	    "fields:\n"
	    "  title: {to: title, read_only: true}\n"
	    "  digitalHumanIds: {to: digital_human_ids, as: json}\n"
	    "  description: created_at\n",
	    "m.yaml:2:3: a create needs \"title\", so it cannot be read_only\n"
	    "m.yaml:3:48: \"digitalHumanIds\" is a list of whole numbers in the local API, so as: "
	    "json is wrong; leave it out\n"
	    "m.yaml:4:16: Bluejay sets \"created_at\" itself; add read_only: true\n");
}
END_TEST

/* All tests of the mapping of communities. */
Suite *
mapping_community_suite(void)
{
	const TTest *const tests[] = {
	    a_community_goes_to_bluejay_and_back,
	    it_has_no_name_and_no_date_of_its_own,
	    messages_speak_of_communities,
	    NULL,
	};

	return unit_suite("mapping_community", tests);
}
