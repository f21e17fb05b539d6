#include "config.h"

#include "mapping_test.h"
#include "unit.h"

#include <string.h>

static const struct mapping_project shop = {"shop-bot", true, 123};
static const struct mapping_project bare = {"bare", false, 0};

static const char nested[] = "fields:\n"
                             "  name: name\n"
                             "  description: {to: description, when_absent: none}\n"
                             "  profile.tone: {to: traits.tone, as: string, when_absent: calm}\n"
                             "  profile.age: {to: traits.age, as: integer}\n"
                             "  profile.a\\.b: traits.deep.x\\.y\n"
                             "  tags: {to: labels, as: integers}\n"
                             "  weight: {to: weight, as: number}\n"
                             "  active: {to: active, as: boolean}\n"
                             "  extra: {to: extra, as: object, when_absent: {k: [1, true]}}\n"
                             "  born: {to: born, as: timestamp, lossy: true}\n"
                             "  createdAt: {to: created_at, read_only: true}\n"
                             "constants:\n"
                             "  goal: fixed\n"
                             "  meta.project: ${project.id}\n"
                             "  meta.agent: ${project.agent_id}\n"
                             "  meta.n: 1.50\n"
                             "  meta.big: 1E400\n"
                             "  meta.t: true\n"
                             "  meta.s: \"1\"\n"
                             "kept_here: [headers, profile.note]\n";

/* A request with everything that becomes of it. */
struct expectation {
	enum mapping_operation operation;
	const struct mapping_project *project;
	const char *local;
	const char *upstream, *kept, *absent, *given;
};

/* Makes a request and compares its parts. */
static void
expect(const struct mapping *m, const struct expectation *e)
{
	struct json_object *local = mapping_test_json(e->local);
	struct mapping_request r;
	struct fail fail = {""};

	if (mapping_request_make(m, e->operation, local, e->project, &r, &fail) != 0)
		ck_abort_msg("%s: %s", e->local, fail.text);
	json_object_put(local);
	mapping_test_prints(r.upstream, e->upstream);
	mapping_test_prints(r.kept, e->kept);
	mapping_test_prints(r.absent, e->absent);
	mapping_test_prints(r.given, e->given);
	mapping_request_clear(&r);
	ck_assert_ptr_null(r.upstream);
}

/* Makes a request that must be refused. */
static void
expect_refused(const struct mapping *m, enum mapping_operation operation, const char *text,
    const char *sentence)
{
	struct json_object *local = mapping_test_json(text);
	struct mapping_request r;
	struct fail fail = {""};

	if (mapping_request_make(m, operation, local, &shop, &r, &fail) != -1)
		ck_abort_msg("%s", text);
	ck_assert_str_eq(fail.text, sentence);
	ck_assert_ptr_null(r.upstream);
	json_object_put(local);
}

START_TEST(default_requests)
{
	static const struct expectation table[] = {
	    {MAPPING_CREATE, &shop, "{\"name\":\"a\"}",
	        "{\"name\":\"a\",\"description\":\"\",\"goal\":\"\",\"agent_id\":123}", "{}",
	        "{\"description\":\"\",\"systemPrompt\":\"\"}", "{\"name\":true}"},
	    {MAPPING_CREATE, &bare, "{\"name\":\"a\"}",
	        "{\"name\":\"a\",\"description\":\"\",\"goal\":\"\"}", "{}",
	        "{\"description\":\"\",\"systemPrompt\":\"\"}", "{\"name\":true}"},
	    /* empty is not absent, null is */
	    {MAPPING_CREATE, &bare, "{\"name\":\"a\",\"description\":\"\",\"systemPrompt\":null}",
	        "{\"name\":\"a\",\"description\":\"\",\"goal\":\"\"}", "{}",
	        "{\"systemPrompt\":\"\"}", "{\"name\":true,\"description\":true}"},
	    /* declared order, whatever the caller's */
	    {MAPPING_CREATE, &shop,
	        "{\"headers\":{\"X\":\"1\"},\"systemPrompt\":\"p\",\"description\":\"d\","
	        "\"name\":\"a\"}",
	        "{\"name\":\"a\",\"description\":\"d\",\"goal\":\"p\",\"agent_id\":123}",
	        "{\"headers\":{\"X\":\"1\"}}", "{}",
	        "{\"name\":true,\"description\":true,\"systemPrompt\":true}"},
	    /* built-in, read-only and unknown members are ignored, of whatever type */
	    {MAPPING_CREATE, &bare,
	        "{\"name\":\"a\",\"description\":\"d\",\"systemPrompt\":\"p\",\"id\":7,"
	        "\"createdAt\":false,\"updatedAt\":[],\"goal\":\"x\",\"agent_id\":9,\"more\":{}}",
	        "{\"name\":\"a\",\"description\":\"d\",\"goal\":\"p\"}", "{}", "{}",
	        "{\"name\":true,\"description\":true,\"systemPrompt\":true}"},
	    /* imageUrl is ignored at create, even a bad one */
	    {MAPPING_CREATE, &bare, "{\"name\":\"a\",\"imageUrl\":\"i\",\"headers\":{}}",
	        "{\"name\":\"a\",\"description\":\"\",\"goal\":\"\"}", "{\"headers\":{}}",
	        "{\"description\":\"\",\"systemPrompt\":\"\"}", "{\"name\":true}"},
	    {MAPPING_CREATE, &bare, "{\"name\":\"a\",\"imageUrl\":5}",
	        "{\"name\":\"a\",\"description\":\"\",\"goal\":\"\"}", "{}",
	        "{\"description\":\"\",\"systemPrompt\":\"\"}", "{\"name\":true}"},
	    /* no name is the caller's business */
	    {MAPPING_CREATE, &bare, "{}", "{\"description\":\"\",\"goal\":\"\"}", "{}",
	        "{\"description\":\"\",\"systemPrompt\":\"\"}", "{}"},
	    /* an update holds what was given and no constants */
	    {MAPPING_UPDATE, &shop, "{}", "{}", "{}", "{}", "{}"},
	    {MAPPING_UPDATE, &shop, "{\"systemPrompt\":\"p\"}", "{\"goal\":\"p\"}", "{}", "{}",
	        "{\"systemPrompt\":true}"},
	    {MAPPING_UPDATE, &shop, "{\"description\":\"\",\"name\":null}",
	        "{\"description\":\"\"}", "{}", "{}", "{\"description\":true}"},
	    {MAPPING_UPDATE, &shop, "{\"imageUrl\":\"i\",\"headers\":{\"b\":1,\"a\":null}}", "{}",
	        "{\"headers\":{\"b\":1,\"a\":null},\"imageUrl\":\"i\"}", "{}", "{}"},
	    {MAPPING_UPDATE, &shop, "{\"headers\":null,\"imageUrl\":null}", "{}", "{}", "{}", "{}"},
	    {MAPPING_UPDATE, &shop, "{\"systemPrompt\":\"a\\u0000\\u0001\\ud83d\\ude00\"}",
	        "{\"goal\":\"a\\u0000\\u0001\xF0\x9F\x98\x80\"}", "{}", "{}",
	        "{\"systemPrompt\":true}"},
	};
	struct mapping *m = mapping_test_compile(NULL);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		expect(m, &table[i]);
	mapping_free(m);
}
END_TEST

START_TEST(wrong_types_are_named_in_the_callers_words)
{
	static const struct {
		const char *local, *sentence;
	} table[] = {
	    {"{\"name\":5}", "name must be a string"},
	    {"{\"name\":\"a\",\"systemPrompt\":5}", "systemPrompt must be a string"},
	    {"{\"name\":\"a\",\"systemPrompt\":[\"x\"]}", "systemPrompt must be a string"},
	    {"{\"name\":\"a\",\"description\":false}", "description must be a string"},
	    {"{\"name\":\"a\",\"headers\":[]}", "headers must be an object"},
	    {"{\"name\":\"a\",\"headers\":\"x\"}", "headers must be an object"},
	    {"{\"name\":\"a\\u0000b\"}", "name must not hold U+0000"},
	};
	struct mapping *m = mapping_test_compile(NULL);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		expect_refused(m, MAPPING_CREATE, table[i].local, table[i].sentence);
		expect_refused(m, MAPPING_UPDATE, table[i].local, table[i].sentence);
	}
	expect_refused(m, MAPPING_UPDATE, "{\"imageUrl\":1}", "imageUrl must be a string");
	mapping_free(m);
}
END_TEST

START_TEST(nested_requests)
{
	static const struct expectation table[] = {
	    {MAPPING_CREATE, &shop,
	        "{\"name\":\"a\",\"description\":\"d\",\"profile\":{\"tone\":\"x\",\"age\":7,"
	        "\"a.b\":[null],"
	        "\"note\":{\"n\":1},\"other\":1},\"tags\":[1,-2],\"weight\":1.50,\"active\":false,"
	        "\"extra\":{},\"born\":\"2026-01-28T10:00:00+02:00\"}",
	        "{\"name\":\"a\",\"description\":\"d\",\"traits\":{\"tone\":\"x\",\"age\":7,"
	        "\"deep\":{\"x.y\":[null]}},\"labels\":[1,-2],\"weight\":1.50,\"active\":false,"
	        "\"extra\":{},\"born\":\"2026-01-28T08:00:00.000Z\",\"goal\":\"fixed\","
	        "\"meta\":{\"project\":\"shop-bot\",\"agent\":123,\"n\":1.50,\"big\":1E400,\"t\":true,"
	        "\"s\":\"1\"}}",
	        "{\"profile.note\":{\"n\":1}}", "{}",
	        "{\"name\":true,\"description\":true,\"profile.tone\":true,\"profile.age\":true,"
	        "\"profile.a\\\\.b\":true,\"tags\":true,\"weight\":true,\"active\":true,"
	        "\"extra\":true,"
	        "\"born\":true}"},
	    {MAPPING_CREATE, &bare, "{\"name\":\"a\",\"profile\":null}",
	        "{\"name\":\"a\",\"description\":\"none\",\"traits\":{\"tone\":\"calm\"},"
	        "\"extra\":{\"k\":[1,true]},\"goal\":\"fixed\",\"meta\":{\"project\":\"bare\","
	        "\"n\":1.50,\"big\":1E400,\"t\":true,\"s\":\"1\"}}",
	        "{}",
	        "{\"description\":\"none\",\"profile.tone\":\"calm\",\"extra\":{\"k\":[1,true]}}",
	        "{\"name\":true}"},
	    {MAPPING_UPDATE, &shop, "{\"profile\":{\"age\":12345678901234567890123,\"tone\":null}}",
	        "{\"traits\":{\"age\":12345678901234567890123}}", "{}", "{}",
	        "{\"profile.age\":true}"},
	    {MAPPING_UPDATE, &shop, "{\"profile\":{}}", "{}", "{\"profile\":{}}", "{}", "{}"},
	};
	struct mapping *m = mapping_test_compile(nested);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		expect(m, &table[i]);
	mapping_free(m);
}
END_TEST

START_TEST(nested_wrong_types_are_named_by_path)
{
	static const struct {
		const char *local, *sentence;
	} table[] = {
	    {"{\"profile\":{\"tone\":5}}", "profile.tone must be a string"},
	    {"{\"profile\":5}", "profile must be an object"},
	    {"{\"profile\":[]}", "profile must be an object"},
	    {"{\"profile\":{\"age\":1.5}}", "profile.age must be an integer"},
	    {"{\"profile\":{\"age\":1e2}}", "profile.age must be an integer"},
	    {"{\"profile\":{\"age\":\"1\"}}", "profile.age must be an integer"},
	    {"{\"tags\":1}", "tags must be a list of whole numbers"},
	    {"{\"tags\":[1,\"2\"]}", "tags must be a list of whole numbers"},
	    {"{\"tags\":[null]}", "tags must be a list of whole numbers"},
	    {"{\"weight\":\"1\"}", "weight must be a number"},
	    {"{\"active\":1}", "active must be true or false"},
	    {"{\"extra\":[]}", "extra must be an object"},
	    {"{\"born\":\"yesterday\"}", "born must be a time such as 2026-01-28T10:00:00.000Z"},
	    {"{\"born\":1}", "born must be a time such as 2026-01-28T10:00:00.000Z"},
	};
	struct mapping *m = mapping_test_compile(nested);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		expect_refused(m, MAPPING_UPDATE, table[i].local, table[i].sentence);
	mapping_free(m);
}
END_TEST

START_TEST(imageurl_with_a_place_upstream_is_still_ignored_at_create)
{
	static const char section[] = "fields:\n"
	                              "  name: name\n"
	                              "  imageUrl: {to: avatar, when_absent: \"-\"}\n"
	                              "constants: {goal: g, description: d}\n"
	                              "kept_here: []\n";
	static const struct expectation table[] = {
	    {MAPPING_CREATE, &shop, "{\"name\":\"a\",\"imageUrl\":\"i\"}",
	        "{\"name\":\"a\",\"avatar\":\"-\",\"goal\":\"g\",\"description\":\"d\"}", "{}",
	        "{\"imageUrl\":\"-\"}", "{\"name\":true}"},
	    {MAPPING_UPDATE, &shop, "{\"imageUrl\":\"i\"}", "{\"avatar\":\"i\"}", "{}", "{}",
	        "{\"imageUrl\":true}"},
	};
	struct mapping *m = mapping_test_compile(section);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		expect(m, &table[i]);
	mapping_free(m);
}
END_TEST

START_TEST(upstream_names_become_local_ones)
{
	static const struct {
		const char *upstream, *local;
	} table[] = {
	    {"name", "name"}, {"traits.tone", "profile.tone"}, {"traits.age", "profile.age"},
	    {"traits.deep", "profile.a\\.b"}, {"traits.deep.x\\.y", "profile.a\\.b"},
	    {"labels", "tags"}, {"labels.0", "tags"}, {"extra.k.0", "extra"}, {"traits", NULL},
	    {"goal", NULL}, {"created_at", NULL}, {"labelsx", NULL}, {"label", NULL}, {"", NULL},
	};
	struct mapping *m = mapping_test_compile(NULL);

	ck_assert_str_eq(mapping_local_name(m, "goal"), "systemPrompt");
	ck_assert_str_eq(mapping_local_name(m, "description"), "description");
	ck_assert_ptr_null(mapping_local_name(m, "agent_id"));
	ck_assert_ptr_null(mapping_local_name(m, "systemPrompt"));
	mapping_free(m);
	m = mapping_test_compile(nested);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const char *local = mapping_local_name(m, table[i].upstream);

		if (table[i].local == NULL)
			ck_assert_msg(local == NULL, "%s: %s", table[i].upstream, local);
		else
			ck_assert_str_eq(local, table[i].local);
	}
	mapping_free(m);
}
END_TEST

/* All tests of the way to Bluejay. */
Suite *
mapping_request_suite(void)
{
	const TTest *const tests[] = {
	    default_requests,
	    wrong_types_are_named_in_the_callers_words,
	    nested_requests,
	    nested_wrong_types_are_named_by_path,
	    imageurl_with_a_place_upstream_is_still_ignored_at_create,
	    upstream_names_become_local_ones,
	    NULL,
	};

	return unit_suite("mapping_request", tests);
}
