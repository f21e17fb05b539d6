#include "config.h"

#include "mapping_copy_check.h"
#include "mapping_test.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define UPDATED INT64_C(1769594400000) /* 2026-01-28T10:00:00Z */
#define UPDATED_TEXT "\"updatedAt\":\"2026-01-28T10:00:00.000Z\"}"

static const char nested[] = "fields:\n"
                             "  createdAt: {to: created_at, read_only: true}\n"
                             "  name: name\n"
                             "  profile.tone: {to: traits.tone, as: string, when_absent: calm}\n"
                             "  profile.seen: {to: traits.seen, as: timestamp, read_only: true}\n"
                             "  profile.n: {to: traits.n, as: number, when_absent: 1.5}\n"
                             "  tags: {to: labels, as: integers}\n"
                             "  owner: {to: org_id, read_only: true}\n"
                             "  born: {to: born, as: timestamp, lossy: true}\n"
                             "constants: {goal: g, description: d, source: gateway}\n"
                             "kept_here: [headers, profile.note]\n";

/* An upstream persona with what was recorded, and its local form or the error. */
struct expectation {
	const char *upstream, *absent, *kept;
	const char *local; /* without its end, the updatedAt */
	const char *error;
};

/* Reads a JSON text, or gives NULL for none. */
static struct json_object *
maybe_json(const char *text)
{
	return text == NULL ? NULL : mapping_test_json(text);
}

/* Makes an answer and compares it. */
static void
expect(const struct mapping *m, const struct expectation *e)
{
	struct json_object *upstream = mapping_test_json(e->upstream), *out;
	struct json_object *absent = maybe_json(e->absent), *kept = maybe_json(e->kept);
	struct fail fail = {""};
	char whole[1024];
	unsigned copied = 0;

	ck_assert_msg(mapping_copy_check_tree(m, upstream, absent, kept, &copied), "%s", e->upstream);
	if (mapping_answer_make(m, upstream, "the-id", absent, kept, UPDATED, &out, &fail) != 0) {
		ck_assert_msg(e->error != NULL, "%s: %s", e->upstream, fail.text);
		ck_assert_str_eq(fail.text, e->error);
		ck_assert_ptr_null(out);
	} else {
		ck_assert_msg(e->error == NULL, "%s", e->upstream);
		snprintf(whole, sizeof whole, "%s" UPDATED_TEXT, e->local);
		json_object_put(upstream);
		upstream = NULL;
		mapping_test_prints(out, whole);
	}
	json_object_put(upstream);
	json_object_put(absent);
	json_object_put(kept);
	json_object_put(out);
}

START_TEST(default_answers)
{
	static const char full[] = "{\"goal\":\"p\",\"org_id\":\"o\",\"id\":\"other\","
	                           "\"created_at\":\"2026-01-28T09:00:00\","
	                           "\"description\":\"d\",\"name\":\"a\",\"agent_id\":5}";
	static const struct expectation table[] = {
	    {full, NULL, NULL,
	        "{\"id\":\"the-id\",\"name\":\"a\",\"description\":\"d\",\"systemPrompt\":\"p\","
	        "\"createdAt\":\"2026-01-28T09:00:00.000Z\",", NULL},
	    {full, "{\"description\":\"\",\"systemPrompt\":\"\"}",
	        "{\"imageUrl\":\"i\",\"headers\":{\"b\":1,\"a\":2},\"name\":\"not this\",\"z\":1}",
	        "{\"id\":\"the-id\",\"name\":\"a\",\"description\":\"d\",\"systemPrompt\":\"p\","
	        "\"headers\":{\"b\":1,\"a\":2},\"imageUrl\":\"i\","
	        "\"createdAt\":\"2026-01-28T09:00:00.000Z\",", NULL},
	    /* absent while the filler stands, empty when it was given so */
	    {"{\"name\":\"a\",\"description\":\"\",\"goal\":\"\"}",
	        "{\"description\":\"\",\"systemPrompt\":\"\"}", NULL,
	        "{\"id\":\"the-id\",\"name\":\"a\",", NULL},
	    {"{\"name\":\"a\",\"description\":\"\",\"goal\":\"\"}", "{\"systemPrompt\":\"\"}", NULL,
	        "{\"id\":\"the-id\",\"name\":\"a\",\"description\":\"\",", NULL},
	    {"{\"name\":\"a\",\"description\":\"\",\"goal\":\"\"}", NULL, NULL,
	        "{\"id\":\"the-id\",\"name\":\"a\",\"description\":\"\",\"systemPrompt\":\"\",",
	        NULL},
	    /* the filler counts as it was recorded, not as it is configured today */
	    {"{\"name\":\"a\",\"description\":\"-\",\"goal\":\"\"}",
	        "{\"description\":\"-\",\"systemPrompt\":\"-\"}", NULL,
	        "{\"id\":\"the-id\",\"name\":\"a\",\"systemPrompt\":\"\",", NULL},
	    /* null is absent, in the answer and in what was kept */
	    {"{\"name\":\"a\",\"description\":null,\"goal\":null,\"created_at\":null}", "{}",
	        "{\"headers\":null}", "{\"id\":\"the-id\",\"name\":\"a\",", NULL},
	    {"{}", NULL, NULL, "{\"id\":\"the-id\",", NULL},
	    {"[]", NULL, NULL, NULL, "the persona must be an object"},
	    {"null", NULL, NULL, NULL, "the persona must be an object"},
	    {"{\"name\":5}", NULL, NULL, NULL, "name must be a string"},
	    {"{\"name\":\"a\",\"goal\":{}}", NULL, NULL, NULL, "goal must be a string"},
	    {"{\"created_at\":\"soon\"}", NULL, NULL, NULL,
	        "created_at must be a time such as 2026-01-28T10:00:00.000Z"},
	    {"{\"created_at\":\"9999-12-31T23:59:59-00:01\"}", NULL, NULL, NULL,
	        "created_at must be a time such as 2026-01-28T10:00:00.000Z"},
	    {"{\"created_at\":\"0001-01-01T00:00:00+00:01\"}", NULL, NULL, NULL,
	        "created_at must be a time such as 2026-01-28T10:00:00.000Z"},
	    {"{\"created_at\":1769594400}", NULL, NULL, NULL,
	        "created_at must be a time such as 2026-01-28T10:00:00.000Z"},
	    {"{\"created_at\":\"2026-01-28T09:00:00Z\\u0000\"}", NULL, NULL, NULL,
	        "created_at must be a time such as 2026-01-28T10:00:00.000Z"},
	};
	struct mapping *m = mapping_test_compile(NULL);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		expect(m, &table[i]);
	mapping_free(m);
}
END_TEST

START_TEST(times_have_the_local_form)
{
	static const char *const times[][2] = {
	    {"2026-01-28T10:00:00Z", "2026-01-28T10:00:00.000Z"},
	    {"2026-01-28T10:00:00", "2026-01-28T10:00:00.000Z"},
	    {"2026-01-28T10:00:00.123456", "2026-01-28T10:00:00.123Z"},
	    {"2026-01-28T10:00:00.5+00:00", "2026-01-28T10:00:00.500Z"},
	    {"2026-01-28T10:00:00+02:00", "2026-01-28T08:00:00.000Z"},
	    {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
	    {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
	};
	struct mapping *m = mapping_test_compile(NULL);
	char upstream[100], local[100];

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct expectation e = {.upstream = upstream, .local = local};

		snprintf(upstream, sizeof upstream, "{\"created_at\":\"%s\"}", times[i][0]);
		snprintf(local, sizeof local, "{\"id\":\"the-id\",\"createdAt\":\"%s\",",
		    times[i][1]);
		expect(m, &e);
	}
	mapping_free(m);
}
END_TEST

START_TEST(nested_answers)
{
	static const struct expectation table[] = {
	    {"{\"created_at\":\"2026-01-28T09:00:00Z\",\"name\":\"a\",\"org_id\":\"o\","
	        "\"labels\":[3],"
	     "\"traits\":{\"n\":2,\"tone\":\"x\",\"seen\":\"2026-01-28T09:00:00Z\",\"more\":1}}",
	        NULL, "{\"headers\":{},\"profile.note\":[1],\"profile\":{\"note\":2}}",
	        "{\"id\":\"the-id\",\"name\":\"a\",\"profile\":{\"tone\":\"x\",\"n\":2,"
	        "\"note\":[1],"
	        "\"seen\":\"2026-01-28T09:00:00.000Z\"},\"tags\":[3],\"headers\":{},"
	        "\"createdAt\":\"2026-01-28T09:00:00.000Z\",\"owner\":\"o\",", NULL},
	    {"{\"name\":\"a\",\"traits\":{\"tone\":\"calm\",\"n\":1.50}}",
	        "{\"profile.tone\":\"calm\",\"profile.n\":1.5}", NULL,
	        "{\"id\":\"the-id\",\"name\":\"a\",", NULL},
	    {"{\"traits\":null}", NULL, NULL, "{\"id\":\"the-id\",", NULL},
	    {"{\"traits\":[]}", NULL, NULL, NULL, "traits must be an object"},
	    {"{\"traits\":{\"tone\":1}}", NULL, NULL, NULL, "traits.tone must be a string"},
	    {"{\"labels\":[1.5]}", NULL, NULL, NULL, "labels must be a list of whole numbers"},
	};
	struct mapping *m = mapping_test_compile(nested);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		expect(m, &table[i]);
	mapping_free(m);
}
END_TEST

START_TEST(absent_holds_until_the_first_other_value)
{
	static const struct {
		const char *upstream, *absent, *left;
		bool changed;
	} table[] = {
	    {"{\"description\":\"\",\"goal\":\"\"}", "{\"description\":\"\",\"systemPrompt\":\"\"}",
	        "{\"description\":\"\",\"systemPrompt\":\"\"}", false},
	    {"{\"description\":\"\",\"goal\":\"x\"}", "{\"description\":\"\","
	        "\"systemPrompt\":\"\"}",
	        "{\"description\":\"\"}", true},
	    {"{\"description\":\"y\",\"goal\":\"x\"}", "{\"description\":\"\","
	        "\"systemPrompt\":\"\"}",
	        NULL, true},
	    {"{\"description\":null}", "{\"description\":\"\"}", NULL, true},
	    {"{\"goal\":\"x\"}", "{\"description\":\"\"}", "{\"description\":\"\"}", false},
	    {"{\"goal\":\"-\"}", "{\"systemPrompt\":\"-\"}", "{\"systemPrompt\":\"-\"}", false},
	    {"{\"goal\":\"x\"}", "{\"gone\":\"\"}", "{\"gone\":\"\"}", false},
	    {"{\"goal\":\"x\"}", "{}", NULL, false},
	    {"{\"goal\":\"x\"}", NULL, NULL, false},
	    {"null", "{\"systemPrompt\":\"\"}", "{\"systemPrompt\":\"\"}", false},
	};
	struct mapping *m = mapping_test_compile(NULL);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct json_object *upstream = mapping_test_json(table[i].upstream);
		struct json_object *absent = maybe_json(table[i].absent), *left;
		bool changed;

		left = mapping_absent_left(m, upstream, absent, &changed);
		json_object_put(absent);
		json_object_put(upstream);
		mapping_test_prints(left, table[i].left);
		ck_assert_int_eq(changed, table[i].changed);
		json_object_put(left);
	}
	mapping_free(m);
}
END_TEST

START_TEST(sent_bodies_are_recognised)
{
	static const struct {
		const char *sent, *upstream;
		bool matches;
	} table[] = {
	    {"{\"name\":\"a\",\"traits\":{\"tone\":\"x\",\"n\":1e2},\"goal\":\"g\","
	        "\"source\":\"gateway\"}",
	        "{\"id\":\"1\",\"name\":\"a\",\"traits\":{\"n\":100.0,\"tone\":\"x\",\"more\":1},"
	        "\"goal\":\"other\"}", true},
	    {"{\"name\":\"a\"}", "{\"name\":\"b\"}", false},
	    {"{\"name\":\"a\"}", "{\"name\":null}", false},
	    {"{\"name\":\"a\"}", "{}", false},
	    {"{\"name\":\"a\",\"traits\":{\"tone\":\"x\"}}", "{\"name\":\"a\"}", false},
	    {"{\"name\":\"a\",\"traits\":{\"tone\":\"x\"}}", "{\"name\":\"a\","
	        "\"traits\":1}", false},
	    {"{\"name\":\"a\",\"traits\":{\"tone\":\"x\"}}",
	        "{\"name\":\"a\",\"traits\":{\"tone\":\"X\"}}", false},
	    {"{\"labels\":[1,2]}", "{\"labels\":[2,1]}", false},
	    {"{\"labels\":[9007199254740993]}", "{\"labels\":[9007199254740992]}", false},
	    {"{\"labels\":[12345678901234567890123]}", "{\"labels\":[12345678901234567890124]}",
	        false},
	    {"{\"born\":\"2026-01-28T10:00:00.000Z\"}", "{\"born\":\"2026-01-28T11:00:00+01:00\"}",
	        true},
	    {"{\"born\":\"2026-01-28T10:00:00.000Z\"}", "{\"born\":\"2026-01-28T10:00:00.001Z\"}",
	        false},
	    /* a member that is no longer mapped counts when it is answered */
	    {"{\"name\":\"a\",\"old\":1,\"deep\":{\"old\":1}}", "{\"name\":\"a\"}", true},
	    {"{\"name\":\"a\",\"old\":1}", "{\"name\":\"a\",\"old\":2}", false},
	    {"{\"name\":\"a\",\"deep\":{\"old\":1}}", "{\"name\":\"a\","
	        "\"deep\":{\"old\":2}}", false},
	    {"{\"name\":\"a\",\"deep\":{\"old\":1}}", "{\"name\":\"a\","
	        "\"deep\":{\"old\":1}}", true},
	    {"{}", "{\"name\":\"a\"}", true},
	    {"{\"name\":\"a\"}", "null", false},
	    {"[]", "{}", false},
	};
	struct mapping *m = mapping_test_compile(nested);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct json_object *sent = mapping_test_json(table[i].sent);
		struct json_object *upstream = mapping_test_json(table[i].upstream);

		ck_assert_msg(mapping_sent_matches(m, sent, upstream) == table[i].matches, "%s %s",
		    table[i].sent, table[i].upstream);
		json_object_put(sent);
		json_object_put(upstream);
	}
	mapping_free(m);
}
END_TEST

START_TEST(default_body_matches_without_agent)
{
	struct json_object *sent = mapping_test_json(
	    "{\"name\":\"a\",\"description\":\"\",\"goal\":\"\",\"agent_id\":5}");
	struct json_object *same = mapping_test_json("{\"id\":\"1\",\"name\":\"a\",\"goal\":\"\","
	                                             "\"description\":\"\",\"created_at\":null}");
	struct json_object *other = mapping_test_json("{\"id\":\"1\",\"name\":\"a\",\"goal\":\"x\","
	                                              "\"description\":\"\",\"created_at\":null}");
	struct mapping *m = mapping_test_compile(NULL);

	ck_assert(mapping_sent_matches(m, sent, same));
	ck_assert(!mapping_sent_matches(m, sent, other));
	mapping_free(m);
	json_object_put(sent);
	json_object_put(same);
	json_object_put(other);
}
END_TEST

START_TEST(names_are_read_where_they_are_mapped)
{
	static const struct {
		const char *upstream, *name;
	} table[] = {
	    {"{\"who\":{\"title\":\"a b\"},\"name\":\"n\"}", "a b"},
	    {"{\"who\":{\"title\":\"\"}}", ""},
	    {"{\"who\":{\"title\":\"a\\u0000b\"}}", NULL},
	    {"{\"who\":{\"title\":5}}", NULL},
	    {"{\"who\":{\"title\":null}}", NULL},
	    {"{\"who\":5}", NULL},
	    {"{\"name\":\"n\"}", NULL},
	    {"null", NULL},
	};
	struct mapping *m = mapping_test_compile("fields: {name: who.title}\n"
	                                         "constants: {name: n, goal: g, description: d}\n");

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct json_object *upstream = mapping_test_json(table[i].upstream);
		const char *name = mapping_persona_name(m, upstream);

		if (table[i].name == NULL)
			ck_assert_msg(name == NULL, "%s", table[i].upstream);
		else
			ck_assert_str_eq(name, table[i].name);
		json_object_put(upstream);
	}
	mapping_free(m);
}
END_TEST

/* All tests of the way back. */
Suite *
mapping_answer_suite(void)
{
	const TTest *const tests[] = {
	    default_answers,
	    times_have_the_local_form,
	    nested_answers,
	    absent_holds_until_the_first_other_value,
	    sent_bodies_are_recognised,
	    default_body_matches_without_agent,
	    names_are_read_where_they_are_mapped,
	    NULL,
	};

	return unit_suite("mapping_answer", tests);
}
