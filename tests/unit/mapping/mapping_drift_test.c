#include "config.h"

#include "base/buf.h"
#include "mapping/mapping_drift.h"
#include "mapping_test.h"
#include "unit.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SECRET "s3cret-value"
#define PERSONA \
	"{\"id\":\"1\",\"created_at\":\"2026-01-28T10:00:00Z\",\"name\":\"" SECRET "\"," \
	"\"description\":null,\"goal\":\"g\",\"org_id\":\"2\"}"
#define NESTED \
	"fields:\n" \
	"  name: name\n" \
	"  description: {to: description, when_absent: \"\"}\n" \
	"  systemPrompt: {to: goal, when_absent: \"\"}\n" \
	"  profile.tone: {to: traits.voice.tone, as: string}\n" \
	"  profile.age: {to: traits.age, as: integer}\n" \
	"  dotted: {to: 'a\\.b', as: integers}\n" \
	"constants: {agent_id: \"${project.agent_id}\", source.kind: gateway}\n" \
	"kept_here: []\n"
#define NESTED_PERSONA \
	"{\"id\":\"1\",\"created_at\":null,\"name\":\"n\",\"description\":\"d\",\"goal\":\"g\"," \
	"\"org_id\":null,\"traits\":{\"voice\":{\"tone\":\"calm\"},\"age\":7},\"a.b\":[1,2]"

/* Writes one difference as a line. */
static void
note(void *arg, const struct mapping_drift *d)
{
	buf_addf(arg, "%s %s", mapping_drift_name(d->kind), d->path);
	if (d->declared != NULL)
		buf_addf(arg, ", %s", d->declared);
	if (d->seen != NULL)
		buf_addf(arg, ", not %s", d->seen);
	buf_addc(arg, '\n');
}

/* Compares an answer and expects these differences, one a line. */
static void
expect_of(const struct mapping *m, bool list, const char *answer, const char *want)
{
	struct json_object *value = mapping_test_json(answer);
	struct buf b;
	char *got;

	buf_init(&b, 0);
	if (list)
		mapping_drift_list(m, value, note, &b);
	else
		mapping_drift_item(m, value, note, &b);
	got = buf_take(&b, NULL);
	ck_assert_msg(strcmp(got, want) == 0, "%s\ngave\n%s\nnot\n%s", answer, got, want);
	free(got);
	json_object_put(value);
}

/* The same for a persona. */
static void
expect(const char *section, const char *answer, const char *want)
{
	struct mapping *m = mapping_test_compile(section);

	expect_of(m, false, answer, want);
	mapping_free(m);
}

START_TEST(an_answer_as_declared_has_no_difference)
{
	expect(NULL, PERSONA, "");
	expect(NESTED, NESTED_PERSONA "}", "");
	expect(NESTED, NESTED_PERSONA ",\"source\":{\"kind\":\"gateway\"}}", "");
	expect(NESTED, NESTED_PERSONA ",\"source\":null}", "");
}
END_TEST

START_TEST(missing_new_and_retyped_members_are_told_by_path)
{
	expect(NULL, "{\"id\":\"1\",\"name\":\"n\",\"description\":5,\"goal\":\"g\",\"org_id\":null,"
	             "\"mood\":\"" SECRET "\"}",
	    "missing created_at, a time such as 2026-01-28T10:00:00.000Z\n"
	    "retyped description, a string, not an integer\n"
	    "new mood, not a string\n");
	expect(NULL, "{}",
	    "missing created_at, a time such as 2026-01-28T10:00:00.000Z\n"
	    "missing description, a string\n"
	    "missing goal, a string\n"
	    "missing id, a string\n"
	    "missing name, a string\n"
	    "missing org_id, a string\n");
}
END_TEST

START_TEST(a_form_that_the_mapping_cannot_read_is_retyped)
{
	expect(NULL, "{\"id\":\"1\",\"created_at\":\"yesterday\",\"name\":\"n\",\"description\":1.5,"
	             "\"goal\":[],\"org_id\":{}}",
	    "retyped created_at, a time such as 2026-01-28T10:00:00.000Z, not a string\n"
	    "retyped description, a string, not a number\n"
	    "retyped goal, a string, not an array\n"
	    "retyped org_id, a string, not an object\n");
}
END_TEST

START_TEST(null_is_a_difference_only_where_it_is_excluded)
{
	expect(NULL, "{\"id\":null,\"created_at\":null,\"name\":null,\"description\":null,"
	             "\"goal\":null,\"org_id\":null}",
	    "retyped id, a string, not null\n"
	    "retyped name, a string, not null\n");
}
END_TEST

START_TEST(nested_members_are_compared_where_they_lie)
{
	expect(NESTED, "{\"id\":\"1\",\"created_at\":null,\"name\":\"n\",\"description\":\"d\","
	               "\"goal\":\"g\",\"org_id\":null,\"a.b\":[\"1\"],\"c.d\":1,"
	               "\"traits\":{\"voice\":{\"tone\":true,\"x\\\\y\":0},\"new\":{\"in\":1}}}",
	    "retyped a\\.b, a list of whole numbers, not an array\n"
	    "missing traits.age, an integer\n"
	    "retyped traits.voice.tone, a string, not true or false\n"
	    "new traits.voice.x\\\\y, not an integer\n"
	    "new traits.new, not an object\n"
	    "new c\\.d, not an integer\n");
	expect(NESTED, "{\"id\":\"1\",\"created_at\":null,\"name\":\"n\",\"description\":\"d\","
	               "\"goal\":\"g\",\"org_id\":null,\"a.b\":null,\"traits\":[]}",
	    "retyped traits, an object, not an array\n");
	expect(NESTED, "{\"id\":\"1\",\"created_at\":null,\"name\":\"n\",\"description\":\"d\","
	               "\"goal\":\"g\",\"org_id\":null,\"a.b\":null}",
	    "missing traits, an object\n");
	expect(NESTED, NESTED_PERSONA ",\"source\":\"gateway\"}",
	    "retyped source, an object, not a string\n");
}
END_TEST

#define PARTS \
	"fields:\n" \
	"  name: name\n" \
	"  description: {to: description, when_absent: \"\"}\n" \
	"  systemPrompt: {to: goal, when_absent: \"\"}\n" \
	"  steps: {to: steps, as: array, each: {fields: {say: {to: text, as: string},\n" \
	"    wait: {to: time.wait, as: integer}}, others: refuse}}\n" \
	"  scores: {to: scores, as: object, each: {as: number}}\n" \
	"  mood: {to: mood, values: {calm: low, angry: high}}\n" \
	"  limit: {to: limit, values: {low: 1, high: 2}, when_absent: 0}\n" \
	"  token: {to: token, write_only: true, lossy: true}\n" \
	"kept_here: []\n"
#define PARTS_PERSONA \
	"{\"id\":\"1\",\"created_at\":null,\"name\":\"n\",\"description\":\"d\",\"goal\":\"g\"," \
	"\"org_id\":null,"

START_TEST(parts_of_lists_and_objects_are_compared_too)
{
	expect(PARTS, PARTS_PERSONA "\"steps\":[{\"text\":\"t\",\"time\":{\"wait\":1}},{},null],"
	              "\"scores\":{\"a\":1,\"b\":2.5},\"mood\":\"low\",\"limit\":2}",
	    "");
	expect(PARTS, PARTS_PERSONA "\"steps\":[],\"scores\":{},\"mood\":null,\"limit\":0}", "");
	expect(PARTS, PARTS_PERSONA "\"steps\":[{\"text\":5},{\"time\":{\"wait\":\"1\",\"x\":0}},7,"
	              "{\"y\":true}],\"scores\":{\"" SECRET "\":\"1\"},\"mood\":\"medium\","
	              "\"limit\":3,\"token\":1}",
	    "retyped limit, a value that the mapping can read, not an integer\n"
	    "retyped mood, a value that the mapping can read, not a string\n"
	    "retyped scores.*, a number, not a string\n"
	    "retyped steps[].text, a string, not an integer\n"
	    "retyped steps[].time.wait, an integer, not a string\n"
	    "new steps[].time.x, not an integer\n"
	    "retyped steps[], an object, not an integer\n"
	    "new steps[].y, not true or false\n");
	expect(PARTS, PARTS_PERSONA "\"steps\":{},\"scores\":[],\"mood\":1}",
	    "missing limit, an integer\n"
	    "retyped mood, a string, not an integer\n"
	    "retyped scores, an object, not an array\n"
	    "retyped steps, an array, not an object\n");
}
END_TEST

START_TEST(what_bluejay_is_known_never_to_answer_is_new)
{
	expect(NULL, "{\"id\":\"1\",\"created_at\":null,\"name\":\"n\",\"description\":\"d\","
	             "\"goal\":\"g\",\"org_id\":null,\"agent_id\":5}",
	    "new agent_id, not an integer\n");
}
END_TEST

START_TEST(places_of_templates_and_of_fields_with_conditions_are_known)
{
	static const char section[] =
	    "fields:\n"
	    "  name: name\n"
	    "  kind: kind\n"
	    "  a: {to: text, when: {field: kind, is: x}, each: string}\n"
	    "  b: {to: text, when: {field: kind, is: y}, each: integer}\n"
	    "constants: {description: d, goal: g}\n"
	    "templates: {intro: \"Hi {who}\"}\n"
	    "kept_here: []\n";
	static const char head[] = "{\"id\":\"1\",\"created_at\":null,\"name\":\"n\","
	                           "\"description\":\"d\",\"goal\":\"g\",\"org_id\":null,"
	                           "\"kind\":\"x\"";
	char answer[300];

	snprintf(answer, sizeof answer, "%s,\"text\":\"any\",\"intro\":\"Hi A\"}", head);
	expect(section, answer, "");
	snprintf(answer, sizeof answer, "%s}", head);
	expect(section, answer, "missing intro\n");
}
END_TEST

START_TEST(what_is_no_object_is_told_as_a_whole)
{
	expect(NULL, "[]", "retyped (item), an object, not an array\n");
	expect(NULL, "null", "retyped (item), an object, not null\n");
}
END_TEST

START_TEST(listings_are_compared_with_all_their_things)
{
	struct mapping *m = mapping_test_compile(NULL);

	expect_of(m, true, "[]", "");
	expect_of(m, true, "[" PERSONA "," PERSONA "]", "");
	expect_of(m, true, "[" PERSONA ",{\"id\":\"1\",\"created_at\":null,\"name\":\"n\","
	                   "\"description\":\"d\",\"goal\":\"g\"},null,7]",
	    "missing org_id, a string\n"
	    "retyped (item), an object, not null\n"
	    "retyped (item), an object, not an integer\n");
	expect_of(m, true, "{\"personas\":[]}", "retyped (list), an array, not an object\n");
	expect_of(m, true, "null", "retyped (list), an array, not null\n");
	mapping_free(m);
}
END_TEST

#define COMMUNITY \
	"{\"id\":\"1\",\"title\":\"t\",\"description\":null,\"digital_human_ids\":[1]," \
	"\"created_at\":\"2026-01-28T10:00:00Z\"}"

START_TEST(an_envelope_is_compared_too)
{
	struct mapping *m = mapping_test_compile_of(mapping_resource_built_in("communities"), NULL);

	expect_of(m, true, "{\"communities\":[" COMMUNITY "],\"total_count\":1}", "");
	expect_of(m, true, "{\"communities\":[],\"total_count\":0}", "");
	expect_of(m, true, "{\"communities\":[{}],\"total_count\":\"1\",\"next\":null}",
	    "missing created_at, a time such as 2026-01-28T10:00:00.000Z\n"
	    "missing description, a string\n"
	    "missing digital_human_ids, a list of whole numbers\n"
	    "missing id, a string\n"
	    "missing title, a string\n"
	    "retyped (list).total_count, an integer, not a string\n"
	    "new (list).next, not null\n");
	expect_of(m, true, "{\"items\":[]}",
	    "missing (list).communities, an array\n"
	    "missing (list).total_count, an integer\n"
	    "new (list).items, not an array\n");
	expect_of(m, true, "{\"communities\":{},\"total_count\":null}",
	    "retyped (list).communities, an array, not an object\n"
	    "retyped (list).total_count, an integer, not null\n");
	expect_of(m, true, "[]", "retyped (list), an object, not an array\n");
	mapping_free(m);
}
END_TEST

START_TEST(the_things_of_a_listing_are_found_whatever_differs)
{
	struct mapping *persona = mapping_test_compile(NULL);
	struct mapping *community = mapping_test_compile_of(mapping_resource_built_in("communities"), NULL);
	struct json_object *bare = mapping_test_json("[1]");
	struct json_object *enveloped = mapping_test_json("{\"communities\":[2],\"more\":3}");
	struct buf b;

	buf_init(&b, 0);
	ck_assert_ptr_eq(mapping_drift_list(persona, bare, note, &b), bare);
	ck_assert_ptr_null(mapping_drift_list(persona, enveloped, note, &b));
	ck_assert_ptr_null(mapping_drift_list(community, bare, note, &b));
	mapping_test_prints(mapping_drift_list(community, enveloped, note, &b), "[2]");
	buf_free(&b);
	json_object_put(bare);
	json_object_put(enveloped);
	mapping_free(persona);
	mapping_free(community);
}
END_TEST

/* Keeps the last path. */
static void
keep_path(void *arg, const struct mapping_drift *d)
{
	ck_assert_uint_lt(strlen(d->path), MAPPING_DRIFT_PATH_SIZE);
	strcpy(arg, d->path);
}

START_TEST(a_long_path_is_cut_before_a_whole_character)
{
	struct mapping *m = mapping_test_compile(NULL);
	char key[1024], path[MAPPING_DRIFT_PATH_SIZE], json[2048];

	for (size_t len = 100; len < 160; len++) {
		struct json_object *value;
		size_t n = 0;

		while (n < len)
			n += (size_t)sprintf(key + n, "%s", n % 5 == 0 ? "\xC3\xA9" : "xyz");
		snprintf(json, sizeof json,
		    "{\"id\":\"1\",\"created_at\":null,\"name\":\"n\",\"description\":\"\",\"goal\":\"\","
		    "\"org_id\":null,\"%s\":1}",
		    key);
		value = mapping_test_json(json);
		path[0] = '\0';
		mapping_drift_item(m, value, keep_path, path);
		json_object_put(value);
		if (n < MAPPING_DRIFT_PATH_SIZE) {
			ck_assert_str_eq(path, key);
			continue;
		}
		n = strlen(path) - 3;
		ck_assert_str_eq(path + n, "\xE2\x80\xA6");
		ck_assert_mem_eq(path, key, n);
		ck_assert_uint_ge(n, MAPPING_DRIFT_PATH_SIZE - 5);
		ck_assert((key[n] & 0xC0) != 0x80);
	}
	mapping_free(m);
}
END_TEST

/* ---- answers that were changed by chance ---- */

#define ROUNDS 3000
#define MEMBERS 8

static uint64_t seed;

/* The next number of xorshift64. */
static unsigned
any(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % below;
}

/* A member of the answer in the test below, where it lies and what it must be. */
static const struct member {
	const char *object; /* NULL: the top */
	const char *key, *path, *good, *declared;
} members[MEMBERS] = {
    {NULL, "a.b", "a\\.b", "[3]", "a list of whole numbers"},
    {NULL, "created_at", "created_at", "\"2026-01-01T00:00:00\"",
        "a time such as 2026-01-28T10:00:00.000Z"},
    {NULL, "description", "description", "\"d\"", "a string"},
    {NULL, "goal", "goal", "\"" SECRET "\"", "a string"},
    {NULL, "id", "id", "\"1\"", "a string"},
    {NULL, "name", "name", "\"n\"", "a string"},
    {NULL, "org_id", "org_id", "\"o\"", "a string"},
    {"traits", "age", "traits.age", "41", "an integer"},
};

static const struct {
	const char *json, *seen;
} bad[] = {{"true", "true or false"}, {"1.5", "a number"}, {"{\"" SECRET "\":1}", "an object"}};

/* Gives a member a state by chance: as declared, missing, or of another type; notes what
 * must be told. */
static void
put_member(struct json_object *top, struct json_object *traits, const struct member *m,
    struct buf *want)
{
	struct json_object *into = m->object == NULL ? top : traits;
	unsigned which = any(sizeof bad / sizeof *bad);

	switch (any(4)) {
	case 0:
		buf_addf(want, "missing %s, %s\n", m->path, m->declared);
		break;
	case 1:
		buf_addf(want, "retyped %s, %s, not %s\n", m->path, m->declared, bad[which].seen);
		json_object_object_add(into, m->key, mapping_test_json(bad[which].json));
		break;
	default:
		json_object_object_add(into, m->key, mapping_test_json(m->good));
		break;
	}
}

/* Sets members by chance, walked in the order in which differences are told. */
static struct json_object *
any_answer(struct buf *want)
{
	struct json_object *top = json_object_new_object(), *traits = json_object_new_object();
	struct json_object *voice = json_object_new_object();
	bool added = any(3) == 0;

	for (size_t i = 0; i < MEMBERS; i++)
		put_member(top, traits, &members[i], want);
	json_object_object_add(voice, "tone", json_object_new_string("calm"));
	json_object_object_add(traits, "voice", voice);
	if (any(3) == 0) {
		json_object_object_add(traits, "extra", mapping_test_json("[\"" SECRET "\"]"));
		buf_adds(want, "new traits.extra, not an array\n");
	}
	json_object_object_add(top, "traits", traits);
	if (added) {
		json_object_object_add(top, "extra", json_object_new_string(SECRET));
		buf_adds(want, "new extra, not a string\n");
	}
	return top;
}

START_TEST(exactly_what_was_changed_by_chance_is_told)
{
	struct mapping *m = mapping_test_compile(NESTED);

	seed = UINT64_C(0x5EED0000000D217F);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct json_object *answer;
		struct buf want, got;

		buf_init(&want, 0);
		buf_init(&got, 0);
		buf_addc(&want, '\n');
		buf_addc(&got, '\n');
		answer = any_answer(&want);
		mapping_drift_item(m, answer, note, &got);
		ck_assert_msg(strcmp(got.data, want.data) == 0, "round %u: %s\ngave%snot%s", i,
		    json_object_to_json_string(answer), got.data, want.data);
		ck_assert_ptr_null(strstr(got.data, SECRET));
		buf_free(&want);
		buf_free(&got);
		json_object_put(answer);
	}
	mapping_free(m);
}
END_TEST

/* Tests of the comparison of answers with what is declared. */
Suite *
mapping_drift_suite(void)
{
	const TTest *const tests[] = {
	    an_answer_as_declared_has_no_difference,
	    missing_new_and_retyped_members_are_told_by_path,
	    a_form_that_the_mapping_cannot_read_is_retyped,
	    null_is_a_difference_only_where_it_is_excluded,
	    nested_members_are_compared_where_they_lie,
	    parts_of_lists_and_objects_are_compared_too,
	    what_bluejay_is_known_never_to_answer_is_new,
	    places_of_templates_and_of_fields_with_conditions_are_known,
	    what_is_no_object_is_told_as_a_whole,
	    listings_are_compared_with_all_their_things,
	    an_envelope_is_compared_too,
	    the_things_of_a_listing_are_found_whatever_differs,
	    a_long_path_is_cut_before_a_whole_character,
	    exactly_what_was_changed_by_chance_is_told,
	    NULL,
	};

	return unit_suite("mapping drift", tests);
}
