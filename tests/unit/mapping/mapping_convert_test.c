#include "config.h"

#include "base/mem.h"
#include "mapping_case.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* What each construct makes of a body, and what comes back of that. */

#define MOOD "  mood: {to: tone, values: {calm: low, angry: high}}\n"

START_TEST(values_have_their_pair)
{
	mapping_case_both_ways(MOOD, "{\"mood\":\"angry\"}", "{\"tone\":\"high\"}");
	mapping_case_both_ways(MOOD, "{}", "{}");
	mapping_case_refused(MOOD, "{\"mood\":\"low\"}", "mood must be one of \"calm\", \"angry\"");
	mapping_case_refused(MOOD, "{\"mood\":[\"calm\"]}", "mood must be one of \"calm\", \"angry\"");
	mapping_case_answered(MOOD, "{\"tone\":\"calm\"}", "tone must be one of \"low\", \"high\"");
	mapping_case_answered(MOOD, "{\"tone\":null}", "{}");
	mapping_case_both_ways("  level: {to: level, values: {1: low, true: \"on\", \"2\": two}}\n",
	    "{\"level\":\"2\"}", "{\"level\":\"two\"}");
	mapping_case_both_ways("  level: {to: level, values: {1: low, true: \"on\", \"2\": two}}\n",
	    "{\"level\":true}", "{\"level\":\"on\"}");
	mapping_case_both_ways("  on: {to: state, values: {true: 1, false: 0}}\n", "{\"on\":false}",
	    "{\"state\":0}");
	mapping_case_refused("  on: {to: state, values: {true: 1, false: 0}}\n", "{\"on\":1}",
	    "on must be one of true, false");
}
END_TEST

START_TEST(numbers_of_bluejay_are_known_however_they_are_written)
{
	static const char named[] = "  pace: {to: pace, values: {slow: 1, fast: 1.5}}\n";
	static const char open[] = "  n: {to: n, values: {1: 2}, others: keep}\n";

	mapping_case_sent(named, "{\"pace\":\"slow\"}", "{\"pace\":1}");
	mapping_case_answered(named, "{\"pace\":1.0}", "{\"pace\":\"slow\"}");
	mapping_case_answered(named, "{\"pace\":15e-1}", "{\"pace\":\"fast\"}");
	mapping_case_answered(named, "{\"pace\":1.1}", "pace must be one of 1, 1.5");
	mapping_case_answered(named, "{\"pace\":\"1\"}", "pace must be one of 1, 1.5");
	mapping_case_answered(open, "{\"n\":2}", "{\"n\":1}");
	mapping_case_refused(open, "{\"n\":2}", "n must not be 2, which stands for 1");
	mapping_case_answered("  p: {to: p, values: {a: 1, b: 1.0}, lossy: true}\n", "{\"p\":2}",
	    "p must be one of 1");
}
END_TEST

START_TEST(other_values_do_what_the_file_says)
{
	static const char keep[] =
	    "  mood: {to: tone, values: {calm: low, angry: high}, others: keep}\n";
	static const char fallback[] = "  mood: {to: tone, values: {calm: low, angry: high}, "
	                               "default: calm, lossy: true}\n";

	mapping_case_both_ways(keep, "{\"mood\":\"calm\"}", "{\"tone\":\"low\"}");
	mapping_case_both_ways(keep, "{\"mood\":\"odd\"}", "{\"tone\":\"odd\"}");
	mapping_case_refused(keep, "{\"mood\":\"low\"}", "mood must not be \"low\", which stands for \"calm\"");
	mapping_case_refused(keep, "{\"mood\":5}", "mood must be a string");
	mapping_case_answered(keep, "{\"tone\":\"angry\"}",
	    "tone must not be \"angry\", which stands for \"high\"");
	mapping_case_sent(fallback, "{\"mood\":\"odd\"}", "{\"tone\":\"low\"}");
	mapping_case_answered(fallback, "{\"tone\":\"odd\"}", "{\"mood\":\"calm\"}");
	mapping_case_answered(fallback, "{\"tone\":\"high\"}", "{\"mood\":\"angry\"}");
	mapping_case_answered("  mood: {to: tone, values: {calm: low, mild: low}, lossy: true}\n",
	    "{\"tone\":\"low\"}", "{\"mood\":\"calm\"}");
	mapping_case_answered("  mood: {to: tone, read_only: true, values: {calm: low}, default: calm}\n",
	    "{\"tone\":\"x\"}", "{\"mood\":\"calm\"}");
}
END_TEST

START_TEST(a_filler_beside_the_values_is_no_value)
{
	static const char fields[] =
	    "  mood: {to: tone, values: {calm: low, angry: high}, when_absent: none}\n";

	mapping_case_both_ways(fields, "{}", "{\"tone\":\"none\"}");
	mapping_case_both_ways(fields, "{\"mood\":\"calm\"}", "{\"tone\":\"low\"}");
	mapping_case_answered(fields, "{\"tone\":\"none\"}", "{}");
	mapping_case_answered(fields, "{\"tone\":\"odd\"}", "tone must be one of \"low\", \"high\"");
}
END_TEST

START_TEST(elements_go_one_by_one)
{
	mapping_case_both_ways("  tags: {to: labels, each: string}\n", "{\"tags\":[]}", "{\"labels\":[]}");
	mapping_case_both_ways("  tags: {to: labels, each: string}\n", "{\"tags\":[\"a\",null,\"\"]}",
	    "{\"labels\":[\"a\",null,\"\"]}");
	mapping_case_refused("  tags: {to: labels, each: string}\n", "{\"tags\":[\"a\",5]}",
	    "tags[1] must be a string");
	mapping_case_refused("  tags: {to: labels, each: string}\n", "{\"tags\":{}}", "tags must be an array");
	mapping_case_answered("  tags: {to: labels, each: string}\n", "{\"labels\":[[]]}",
	    "labels[0] must be a string");
	mapping_case_both_ways("  moods: {to: tones, each: {values: {calm: low, angry: high}}}\n",
	    "{\"moods\":[\"angry\",\"calm\"]}", "{\"tones\":[\"high\",\"low\"]}");
	mapping_case_both_ways("  grid: {to: grid, each: {each: integer}}\n", "{\"grid\":[[1],[],[2,3]]}",
	    "{\"grid\":[[1],[],[2,3]]}");
	mapping_case_refused("  grid: {to: grid, each: {each: integer}}\n", "{\"grid\":[[1],[2,\"3\"]]}",
	    "grid[1][1] must be an integer");
	mapping_case_both_ways("  moods: {to: tones, as: object, each: {values: {calm: low}}}\n",
	    "{\"moods\":{\"z\":\"calm\",\"a\":null}}", "{\"tones\":{\"z\":\"low\",\"a\":null}}");
	mapping_case_refused("  moods: {to: tones, as: object, each: {values: {calm: low}}}\n",
	    "{\"moods\":{\"a\":\"low\"}}", "moods.a must be one of \"calm\"");
	mapping_case_refused("  moods: {to: tones, as: object, each: string}\n", "{\"moods\":[]}",
	    "moods must be an object");
	mapping_case_both_ways("  headers: {to: extra, each: string}\n", "{\"headers\":{\"a\":\"b\"}}",
	    "{\"extra\":{\"a\":\"b\"}}");
}
END_TEST

#define STEPS \
	"  steps:\n" \
	"    to: script.steps\n" \
	"    each:\n" \
	"      fields:\n" \
	"        first_name: firstName\n" \
	"        wait: {to: timing.delay_ms, as: integer}\n" \
	"        mood: {to: tone, values: {calm: low, angry: high}}\n" \
	"        tags: {to: labels, each: {fields: {t: text}}}\n"

START_TEST(objects_have_fields_of_their_own)
{
	mapping_case_both_ways(STEPS, "{\"steps\":[{\"first_name\":\"A\",\"wait\":10,\"mood\":\"calm\"}]}",
	    "{\"script\":{\"steps\":[{\"firstName\":\"A\",\"timing\":{\"delay_ms\":10},"
	    "\"tone\":\"low\"}]}}");
	mapping_case_both_ways(STEPS,
	    "{\"steps\":[{\"more\":{},\"mood\":null,\"tags\":[{\"t\":[],\"n\":1},{}],\"x\":null},"
	    "{}]}",
	    "{\"script\":{\"steps\":[{\"more\":{},\"tone\":null,\"labels\":[{\"text\":[],\"n\":1},"
	    "{}],\"x\":null},{}]}}");
	mapping_case_refused(STEPS, "{\"steps\":[{},{\"wait\":\"10\"}]}", "steps[1].wait must be an integer");
	mapping_case_refused(STEPS, "{\"steps\":[{\"tags\":[{},7]}]}", "steps[0].tags[1] must be an object");
	mapping_case_refused(STEPS, "{\"steps\":[{\"firstName\":\"A\"}]}",
	    "steps[0].firstName has no place in Bluejay: another field goes there");
	mapping_case_answered(STEPS, "{\"script\":{\"steps\":[{\"timing\":{\"delay_ms\":1.5}}]}}",
	    "script.steps[0].timing.delay_ms must be an integer");
	mapping_case_answered(STEPS, "{\"script\":{\"steps\":[{\"timing\":5}]}}",
	    "script.steps[0].timing must be an object");
	mapping_case_answered(STEPS, "{\"script\":{\"steps\":[{\"new\":1,\"first_name\":2}]}}",
	    "{\"steps\":[{\"new\":1}]}");
	mapping_case_both_ways("  profile: {to: traits, fields: {tone: voice, deep.a: b, deep.c: up.d}}\n",
	    "{\"profile\":{\"deep\":{\"a\":1,\"c\":2,\"e\":3},\"tone\":\"x\",\"f\":[]}}",
	    "{\"traits\":{\"b\":1,\"up\":{\"d\":2},\"deep\":{\"e\":3},\"voice\":\"x\",\"f\":[]}}");
	mapping_case_both_ways("  profile: {to: traits, fields: {tone: voice, deep.a: b}}\n",
	    "{\"profile\":{}}", "{\"traits\":{}}");
	mapping_case_both_ways("  profile: {to: traits, fields: {tone: voice, deep.a: b}}\n",
	    "{\"profile\":{\"deep\":{}}}", "{\"traits\":{\"deep\":{}}}");
	mapping_case_both_ways("  p: {to: q, fields: {x: deep.a}}\n", "{\"p\":{\"deep\":{\"e\":3},\"x\":1}}",
	    "{\"q\":{\"deep\":{\"e\":3,\"a\":1}}}");
	mapping_case_refused("  p: {to: q, fields: {x: deep.a}}\n", "{\"p\":{\"deep\":{\"a\":3}}}",
	    "p.deep.a has no place in Bluejay: another field goes there");
	mapping_case_refused("  p: {to: q, fields: {x: deep.a}}\n", "{\"p\":{\"deep\":{}}}",
	    "p.deep has no place in Bluejay: another field goes there");
	mapping_case_refused("  profile: {to: traits, fields: {deep.a: b}}\n", "{\"profile\":{\"deep\":null}}",
	    "profile.deep must be an object");
	mapping_case_answered("  profile: {to: traits, fields: {deep.a: b}}\n",
	    "{\"traits\":{\"deep\":null,\"b\":1}}", "{\"profile\":{\"deep\":{\"a\":1}}}");
	mapping_case_answered("  p: {to: q, fields: {x: deep.a}}\n", "{\"q\":{\"deep\":{},\"y\":1}}",
	    "{\"p\":{\"y\":1}}");
	mapping_case_refused("  profile: {to: traits, fields: {deep.a: b}}\n", "{\"profile\":{\"deep\":[]}}",
	    "profile.deep must be an object");
}
END_TEST

START_TEST(members_without_a_field_do_what_the_file_says)
{
	static const char refuse[] = "  p: {to: q, fields: {a: b}, others: refuse}\n";
	static const char drop[] = "  p: {to: q, fields: {a: b}, others: drop, lossy: true}\n";

	mapping_case_both_ways(refuse, "{\"p\":{\"a\":1}}", "{\"q\":{\"b\":1}}");
	mapping_case_refused(refuse, "{\"p\":{\"a\":1,\"c\":2}}", "p.c is not known here");
	mapping_case_answered(refuse, "{\"q\":{\"b\":1,\"c\":2}}", "{\"p\":{\"a\":1}}");
	mapping_case_sent(drop, "{\"p\":{\"a\":1,\"c\":2}}", "{\"q\":{\"b\":1}}");
	mapping_case_answered(drop, "{\"q\":{\"c\":1,\"b\":2}}", "{\"p\":{\"a\":2}}");
	mapping_case_sent("  p: {to: q, lossy: true, fields: {a: {to: b, omit_when: \"\"}, c: {to: d, "
	     "when_absent: 0}, e: {to: f, read_only: true}}}\n",
	    "{\"p\":{\"a\":\"\",\"e\":1}}", "{\"q\":{\"d\":0}}");
	mapping_case_answered("  p: {to: q, fields: {a: {to: b, write_only: true}, e: {to: f, read_only: "
	         "true}}}\n",
	    "{\"q\":{\"b\":1,\"f\":2}}", "{\"p\":{\"e\":2}}");
	mapping_case_both_ways("  p: {to: q, fields: {m: {to: t, values: {x: y}, when_absent: none}}}\n",
	    "{\"p\":{}}", "{\"q\":{\"t\":\"none\"}}");
}
END_TEST

START_TEST(lists_turn_into_objects_by_key)
{
	static const char keyed[] = "  variables: {to: vars, keyed_by: name}\n";
	static const char pairs[] =
	    "  variables: {to: vars, keyed_by: name, valued_by: value, each: integer}\n";
	static const char inverse[] =
	    "  variables: {to: vars, as: object, keyed_by: key, each: {fields: {v: value}}}\n";

	mapping_case_both_ways(keyed, "{\"variables\":[{\"name\":\"b\",\"x\":1},{\"name\":\"\"}]}",
	    "{\"vars\":{\"b\":{\"x\":1},\"\":{}}}");
	mapping_case_both_ways(keyed, "{\"variables\":[]}", "{\"vars\":{}}");
	mapping_case_both_ways(pairs, "{\"variables\":[{\"name\":\"b\",\"value\":1},{\"name\":\"a\","
	                 "\"value\":null}]}", "{\"vars\":{\"b\":1,\"a\":null}}");
	mapping_case_both_ways(inverse, "{\"variables\":{\"b\":{\"v\":1},\"a\":{}}}",
	    "{\"vars\":[{\"key\":\"b\",\"value\":1},{\"key\":\"a\"}]}");
	mapping_case_refused(keyed, "{\"variables\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
	    "variables[1].name must not be \"a\" a second time");
	mapping_case_refused(keyed, "{\"variables\":[{\"name\":5}]}", "variables[0].name must be a string");
	mapping_case_refused(keyed, "{\"variables\":[{}]}", "variables[0].name must be a string");
	mapping_case_refused(keyed, "{\"variables\":[null]}", "variables[0] must be an object with \"name\"");
	mapping_case_refused(keyed, "{\"variables\":[{\"name\":\"a\\u0000b\"}]}",
	    "variables[0].name must not hold U+0000");
	mapping_case_refused(keyed, "{\"variables\":{}}", "variables must be an array");
	mapping_case_refused(pairs, "{\"variables\":[{\"name\":\"a\",\"value\":1,\"unit\":2}]}",
	    "variables[0].unit has no place; only \"name\" and \"value\" have one");
	mapping_case_refused(pairs, "{\"variables\":[{\"name\":\"a\"}]}",
	    "variables[0] must have \"value\"");
	mapping_case_refused(inverse, "{\"variables\":{\"b\":{\"key\":1}}}",
	    "variables.b.key has no place, as the key goes there");
	mapping_case_answered(keyed, "{\"vars\":{\"a\":5}}", "vars.a must be an object");
	mapping_case_answered(inverse, "{\"vars\":[{\"key\":\"a\"},{\"key\":\"a\"}]}",
	    "vars[1].key must not be \"a\" a second time");
}
END_TEST

START_TEST(numbers_turn_into_their_own_text)
{
	static const char digits[] = "  age: {to: age, as: {local: integer, bluejay: string}}\n";
	static const char back[] = "  rate: {to: rate, as: {local: string, bluejay: number}}\n";
	static const char flag[] = "  on: {to: on, as: {local: boolean, bluejay: string}}\n";

	mapping_case_both_ways(digits, "{\"age\":12345678901234567890123}",
	    "{\"age\":\"12345678901234567890123\"}");
	mapping_case_refused(digits, "{\"age\":1.0}", "age must be an integer");
	mapping_case_answered(digits, "{\"age\":\"05\"}", "age must be a string such as \"5\"");
	mapping_case_answered(digits, "{\"age\":5}", "age must be a string such as \"5\"");
	mapping_case_both_ways(back, "{\"rate\":\"1.50e2\"}", "{\"rate\":1.50e2}");
	mapping_case_refused(back, "{\"rate\":\" 1\"}", "rate must be a string such as \"1.5\"");
	mapping_case_refused(back, "{\"rate\":\"true\"}", "rate must be a string such as \"1.5\"");
	mapping_case_refused(back, "{\"rate\":\"\"}", "rate must be a string such as \"1.5\"");
	mapping_case_both_ways(flag, "{\"on\":false}", "{\"on\":\"false\"}");
}
END_TEST

START_TEST(values_that_a_create_omits_are_remembered)
{
	static const char fields[] = "  tags: {to: labels, omit_when: []}\n"
	                             "  note: {to: note, omit_when: \"\"}\n";
	struct mapping *m = mapping_case_compile(fields);
	struct json_object *later = mapping_test_json("{\"labels\":[1]}");
	struct mapping_request r;

	mapping_case_both_ways(fields, "{\"tags\":[],\"note\":\"\"}", "{}");
	mapping_case_both_ways(fields, "{\"tags\":[1],\"note\":\"x\"}", "{\"labels\":[1],\"note\":\"x\"}");
	mapping_case_both_ways(fields, "{}", "{}");
	ck_assert(mapping_case_send(m, MAPPING_CREATE, "{\"tags\":[],\"note\":\"\"}", "{}", &r));
	mapping_test_prints(r.kept, "{\"tags\":[],\"note\":\"\"}");
	mapping_case_receive(m, later, r.absent, r.kept, "{\"tags\":[1],\"note\":\"\"}");
	mapping_request_clear(&r);
	ck_assert(mapping_case_send(m, MAPPING_UPDATE, "{\"tags\":[]}", "{\"labels\":[]}", &r));
	mapping_test_prints(r.kept, "{}");
	mapping_request_clear(&r);
	json_object_put(later);
	mapping_free(m);
}
END_TEST

START_TEST(empty_objects_around_fields_are_remembered)
{
	static const char fields[] = "  a.b.c: x.y\n"
	                             "  a.b.d: z\n"
	                             "  p.q: p.q\n";

	mapping_case_both_ways(fields, "{\"a\":{\"b\":{}},\"p\":{}}", "{}");
	mapping_case_both_ways(fields, "{\"a\":{}}", "{}");
	mapping_case_both_ways(fields, "{\"a\":{\"b\":{\"d\":1}},\"p\":{}}", "{\"z\":1}");
	mapping_case_both_ways(fields, "{\"a\":{\"b\":{\"c\":{}}}}", "{\"x\":{\"y\":{}}}");
}
END_TEST

START_TEST(fields_may_go_one_way)
{
	static const char fields[] = "  secret: {to: pin, write_only: true}\n"
	                             "  state: {to: state, read_only: true}\n"
	                             "  agent: {to: agent_id, write_only: true}\n";
	struct mapping *m = mapping_case_compile(fields);
	struct json_object *none = mapping_test_json("{}");
	struct mapping_request r;

	mapping_case_sent(fields, "{\"secret\":\"1\",\"state\":2,\"agent\":5}", "{\"pin\":\"1\",\"agent_id\":5}");
	mapping_case_answered(fields, "{\"pin\":\"1\",\"state\":2,\"agent_id\":5}", "{\"state\":2}");
	ck_assert(mapping_case_send(m, MAPPING_CREATE, "{\"secret\":\"1\"}", "{\"pin\":\"1\"}", &r));
	ck_assert(mapping_sent_matches(m, r.upstream, none));
	mapping_request_clear(&r);
	json_object_put(none);
	mapping_free(m);
}
END_TEST

START_TEST(digits_texts_and_order_stay_as_they_are)
{
	static const char any[] = "  any: {to: there.any}\n  list: {to: list, each: {fields: {k: v}}}\n";
	static const char values[] =
	    "{\"any\":{\"z\":18446744073709551615,\"a\":-9223372036854775808,"
	    "\"m\":123456789012345678901234567890,\"d\":1.10,\"e\":1E+2,\"n\":-0,\"t\":0.1e-7,"
	    "\"s\":\"\xC3\xA9\\u0000\xF0\x9F\x98\x80\",\"l\":[],\"o\":{},\"x\":null,\"q\":\"\"}}";
	static const char elements[] =
	    "{\"list\":[{\"z\":-0.0,\"k\":1e400,\"a\":{}},{\"k\":[],\"b\":null},{\"k\":\"\"},"
	    "{\"k\":{}},{\"k\":null},{},null]}";

	mapping_case_both_ways(any, values,
	    "{\"there\":{\"any\":{\"z\":18446744073709551615,\"a\":-9223372036854775808,"
	    "\"m\":123456789012345678901234567890,\"d\":1.10,\"e\":1E+2,\"n\":-0,\"t\":0.1e-7,"
	    "\"s\":\"\xC3\xA9\\u0000\xF0\x9F\x98\x80\",\"l\":[],\"o\":{},\"x\":null,\"q\":\"\"}}}");
	mapping_case_both_ways(any, elements,
	    "{\"list\":[{\"z\":-0.0,\"v\":1e400,\"a\":{}},{\"v\":[],\"b\":null},{\"v\":\"\"},"
	    "{\"v\":{}},{\"v\":null},{},null]}");
}
END_TEST

START_TEST(a_long_path_is_cut_and_nothing_else)
{
	char key[400], body[500], *sentence;

	memset(key, 'k', sizeof key - 1);
	key[sizeof key - 1] = '\0';
	snprintf(body, sizeof body, "{\"m\":{\"%s\":5}}", key);
	sentence = mem_format("m.%.254s must be a string", key);
	mapping_case_refused("  m: {to: m, as: object, each: string}\n", body, sentence);
	free(sentence);
}
END_TEST

/* All tests of what the constructs do. */
Suite *
mapping_convert_suite(void)
{
	const TTest *const tests[] = {
	    values_have_their_pair,
	    numbers_of_bluejay_are_known_however_they_are_written, other_values_do_what_the_file_says,
	    a_filler_beside_the_values_is_no_value,
	    elements_go_one_by_one,
	    objects_have_fields_of_their_own,
	    members_without_a_field_do_what_the_file_says,
	    lists_turn_into_objects_by_key,
	    numbers_turn_into_their_own_text,
	    values_that_a_create_omits_are_remembered,
	    empty_objects_around_fields_are_remembered,
	    fields_may_go_one_way,
	    digits_texts_and_order_stay_as_they_are,
	    a_long_path_is_cut_and_nothing_else,
	    NULL,
	};

	return unit_suite("mapping_convert", tests);
}
