#include "config.h"

#include "mapping_case.h"
#include "unit.h"

#include <stdio.h>

/* Conditions. */

#define KINDS \
	"  kind: {to: type, values: {voice: v, text: t}}\n" \
	"  voicePrompt: {to: prompt, when: {field: kind, is: voice}}\n" \
	"  textPrompt: {to: prompt, when: {field: kind, is: text}}\n"

START_TEST(one_place_serves_two_fields_that_exclude_each_other)
{
	mapping_case_both_ways(KINDS, "{\"kind\":\"voice\",\"voicePrompt\":\"x\"}",
	    "{\"type\":\"v\",\"prompt\":\"x\"}");
	mapping_case_both_ways(KINDS, "{\"kind\":\"text\",\"textPrompt\":\"x\"}",
	    "{\"type\":\"t\",\"prompt\":\"x\"}");
	mapping_case_both_ways(KINDS, "{\"kind\":\"text\"}", "{\"type\":\"t\"}");
	mapping_case_refused(KINDS, "{\"kind\":\"voice\",\"textPrompt\":\"x\"}",
	    "textPrompt must be left out unless kind is \"text\"");
	mapping_case_refused(KINDS, "{\"textPrompt\":\"x\"}",
	    "textPrompt must be left out unless kind is \"text\"");
	mapping_case_answered(KINDS, "{\"type\":\"v\",\"prompt\":\"x\"}",
	    "{\"kind\":\"voice\",\"voicePrompt\":\"x\"}");
	mapping_case_answered(KINDS, "{\"prompt\":\"x\"}", "{}");
	mapping_case_answered(KINDS, "{\"type\":\"odd\",\"prompt\":\"x\"}",
	    "type must be one of \"v\", \"t\"");
}
END_TEST

START_TEST(an_update_says_on_what_it_depends)
{
	struct mapping *m = mapping_case_compile(KINDS);
	struct mapping_request r;

	ck_assert(!mapping_case_send(m, MAPPING_UPDATE, "{\"textPrompt\":\"x\"}",
	    "kind must be given with textPrompt, which decides what becomes of it", &r));
	ck_assert(!mapping_case_send(m, MAPPING_UPDATE, "{\"kind\":\"voice\",\"textPrompt\":\"x\"}",
	    "textPrompt must be left out unless kind is \"text\"", &r));
	ck_assert(mapping_case_send(m, MAPPING_UPDATE, "{\"kind\":\"text\",\"textPrompt\":\"x\"}",
	    "{\"type\":\"t\",\"prompt\":\"x\"}", &r));
	mapping_request_clear(&r);
	ck_assert(mapping_case_send(m, MAPPING_UPDATE, "{\"kind\":\"text\"}", "{\"type\":\"t\"}",
	    &r));
	mapping_request_clear(&r);
	mapping_free(m);
}
END_TEST

START_TEST(presence_is_a_condition)
{
	static const char fields[] = "  voice: voice\n"
	                             "  speed: {to: speed, when: {field: voice, present: true}}\n"
	                             "  pitch: {to: pitch, when: voice, lossy: true}\n"
	                             "  fill: {to: fill, when: voice, when_absent: 1}\n";

	mapping_case_both_ways(fields, "{\"voice\":\"x\",\"speed\":2,\"pitch\":3,\"fill\":4}",
	    "{\"voice\":\"x\",\"speed\":2,\"pitch\":3,\"fill\":4}");
	mapping_case_both_ways(fields, "{\"voice\":\"x\"}", "{\"voice\":\"x\",\"fill\":1}");
	mapping_case_both_ways(fields, "{}", "{}");
	mapping_case_refused(fields, "{\"speed\":2}", "speed must be left out unless voice is given");
	mapping_case_sent(fields, "{\"pitch\":3}", "{}");
	mapping_case_answered(fields, "{\"speed\":2}", "{}");
}
END_TEST

START_TEST(an_absent_field_that_has_a_filler_holds_no_condition)
{
	static const char fields[] = "  kind: {to: type, when_absent: text}\n"
	                             "  prompt: {to: prompt, when: {field: kind, is: text}}\n";

	mapping_case_both_ways(fields, "{}", "{\"type\":\"text\"}");
	mapping_case_refused(fields, "{\"prompt\":1}",
	    "prompt must be left out unless kind is \"text\"");
	mapping_case_both_ways(fields, "{\"kind\":\"text\",\"prompt\":1}",
	    "{\"type\":\"text\",\"prompt\":1}");
}
END_TEST

START_TEST(constants_have_conditions)
{
	static const char section[] =
	    "fields: {name: name, kind: type, voice: voice}\n"
	    "constants:\n"
	    "  description: d\n"
	    "  goal: g\n"
	    "  channel: {value: phone, when: {field: kind, is: voice}}\n"
	    "  silent: {value: true, when: {field: voice, present: false}}\n"
	    "  project: {value: \"${project.id}\", when: headers}\n"
	    "kept_here: [headers]\n";

	mapping_case_sent(section, "{}", "{\"silent\":true}");
	mapping_case_sent(section, "{\"kind\":\"voice\",\"voice\":\"a\",\"headers\":{}}",
	    "{\"type\":\"voice\",\"voice\":\"a\",\"channel\":\"phone\",\"project\":\"shop\"}");
}
END_TEST

/* Compiles these fields, which begin at line 3, and expects the messages. */
static void
refused(const char *fields, const char *constants, const char *messages)
{
	char section[2048];

	snprintf(section, sizeof section,
	    "fields:\n  name: name\n%s"
	    "  createdAt: {to: created_at, as: timestamp, read_only: true}\n"
	    "constants: {description: d%s}\n"
	    "kept_here: [headers, imageUrl, description, systemPrompt]\n", fields, constants);
	mapping_test_refused(section, messages);
}

START_TEST(conditions_are_checked)
{
	refused("  a: {to: a, when: {field: b, is: 1}}\n"
	        "  b: {to: b, as: string, when: {field: c, present: true}}\n"
	        "  c: {to: c, write_only: true}\n"
	        "  d: {to: d, when: {field: d, present: true}}\n"
	        "  e: {to: e, when: {field: createdAt, present: true}}\n"
	        "  f: {to: f, when: {field: nothing, is: 1}}\n"
	        "  g: {to: g, when: {field: k, present: false}}\n"
	        "  h: {to: h, when: {feld: k, is: 1, present: true}}\n"
	        "  i: {to: i, when: {field: k, is: }}\n"
	        "  j: {to: j, when: {field: k, present: maybe}}\n"
	        "  k: {to: k, values: {x: y}}\n"
	        "  l: {to: l, when: {field: k, is: z}}\n"
	        "  m: {to: m, when: headers}\n"
	        "  n: {to: n, fields: {o: {to: o, when: k}}}\n"
	        "  p: {to: p, when: [x]}\n"
	        "  r:\n"
	        "    to: r\n"
	        "    when:\n"
	        "      field: k\n"
	        "      is: z\n"
	        "  s: {to: s, when: {field: k, is: x, present: true}}\n", ", goal: g, q: {value: 1, when: {field: x, is: 1}}",
	    "m.yaml:3:28: \"b\" (line 4) has a condition itself; name a field that has none\n"
	    "m.yaml:4:40: \"c\" (line 5) is write_only, so no answer tells it\n"
	    "m.yaml:6:28: a field cannot be its own condition; without one, \"d\" is sent when it "
	    "is given\n"
	    "m.yaml:7:28: \"createdAt\" (line 24) is read_only, so no request holds it\n"
	    "m.yaml:8:28: \"nothing\" is not under fields, so it is not known from Bluejay's "
	    "answer; add it there\n"
	    "m.yaml:9:40: an update that leaves \"k\" out does not say that it is absent, so "
	    "present: false is possible only for constants\n"
	    "m.yaml:10:20: when needs a local field and what must hold of it: {field: kind, is: "
	    "voice} or {field: kind, present: true}\n"
	    "m.yaml:10:21: unknown key \"feld\"; did you mean \"field\"?\n"
	    "m.yaml:11:35: null counts as absent; write present: false instead of is\n"
	    "m.yaml:12:40: present must be true or false\n"
	    "m.yaml:14:35: this never holds: k must be one of \"x\"\n"
	    "m.yaml:15:20: \"headers\" is not under fields, so it is not known from Bluejay's "
	    "answer; add it there\n"
	    "m.yaml:16:34: a condition is possible only for fields of the persona itself\n"
	    "m.yaml:17:20: a name is needed here, such as traits.tone\n"
	    "m.yaml:22:11: this never holds: k must be one of \"x\"\n"
	    "m.yaml:23:38: is and present say different things of one field; keep one of them\n"
	    "m.yaml:25:66: \"x\" is not under fields, so it is not known from Bluejay's answer; add "
	    "it there\n");
	mapping_test_refused("fields:\n"
	                     "  name: {to: name, when: kind}\n"
	                     "  kind: kind\n"
	                     "  createdAt: {to: created_at, read_only: true}\n"
	                     "constants: {description: d, goal: g}\n",
	    "m.yaml:2:20: a create needs \"name\", so it cannot have a condition\n");
}
END_TEST

START_TEST(one_place_is_shared_only_by_fields_that_exclude_each_other)
{
	refused("  kind: kind\n"
	        "  a: {to: p, when: {field: kind, is: x}}\n"
	        "  b: {to: p, when: {field: kind, is: x}}\n"
	        "  c: {to: p, when: {field: kind, present: true}}\n"
	        "  d: {to: q, when: {field: kind, is: x}}\n"
	        "  e: {to: q, when: {field: kind, is: y}}\n"
	        "  f: q\n", ", goal: g",
	    "m.yaml:5:3: \"a\" (line 4) and \"b\" (line 5) both go to \"p\"; give each a Bluejay "
	    "member of its own\n"
	    "m.yaml:6:3: \"a\" (line 4) and \"c\" (line 6) both go to \"p\"; give each a Bluejay "
	    "member of its own\n"
	    "m.yaml:6:3: \"b\" (line 5) and \"c\" (line 6) both go to \"p\"; give each a Bluejay "
	    "member of its own\n"
	    "m.yaml:9:3: \"d\" (line 7) and \"f\" (line 9) both go to \"q\"; give each a Bluejay "
	    "member of its own\n"
	    "m.yaml:9:3: \"e\" (line 8) and \"f\" (line 9) both go to \"q\"; give each a Bluejay "
	    "member of its own\n");
}
END_TEST

START_TEST(what_bluejay_requires_is_covered)
{
	static const char both[] = "  kind: {to: kind, values: {x: x, y: y}}\n"
	                           "  a: {to: goal, when_absent: \"\", when: {field: kind, is: x}}\n"
	                           "  b: {to: goal, when_absent: \"\", when: {field: kind, is: y}}\n";

	refused(both, ", goal: {value: \"\", when: {field: kind, present: false}}", "");
	refused(both, "",
	    "m.yaml:5:40: Bluejay requires \"goal\" at create, and it gets a value only under "
	    "conditions that do not cover everything; add a constant for the rest, such as goal: "
	    "{value: \"\", when: {field: kind, present: false}}\n");
	refused("  kind: {to: kind, values: {x: x, y: y, z: z}}\n"
	        "  a: {to: goal, when_absent: \"\", when: {field: kind, is: x}}\n",
	    ", goal: {value: \"\", when: {field: kind, present: false}}",
	    "m.yaml:4:40: Bluejay requires \"goal\" at create, and it gets a value only under "
	    "conditions that do not cover everything; add a constant for the rest, such as goal: "
	    "{value: \"\", when: {field: kind, present: false}}\n");
	refused("  kind: kind\n"
	        "  a: {to: goal, when_absent: \"\", when: kind}\n",
	    ", goal: {value: \"\", when: {field: kind, present: false}}", "");
	refused("  a: {to: goal, when_absent: \"\", when: {field: name, present: true}}\n", "", "");
}
END_TEST

/* All tests of conditions. */
Suite *
mapping_when_suite(void)
{
	const TTest *const tests[] = {
	    one_place_serves_two_fields_that_exclude_each_other,
	    an_update_says_on_what_it_depends,
	    presence_is_a_condition,
	    an_absent_field_that_has_a_filler_holds_no_condition,
	    constants_have_conditions,
	    conditions_are_checked,
	    one_place_is_shared_only_by_fields_that_exclude_each_other,
	    what_bluejay_requires_is_covered,
	    NULL,
	};

	return unit_suite("mapping_when", tests);
}
