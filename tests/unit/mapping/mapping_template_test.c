#include "config.h"

#include "mapping_case.h"
#include "unit.h"

/* Texts that are put together from local fields. */

#define TWO_WAYS \
	"fields: {name: name}\n" \
	"constants: {description: d}\n" \
	"templates:\n" \
	"  goal:\n" \
	"    template: \"{systemPrompt}\\n\\nSpeak {language}.\"\n" \
	"    when_absent: {systemPrompt: \"\", language: English}\n" \
	"kept_here: []\n"

START_TEST(fields_come_back_out_of_their_text)
{
	mapping_case_both_ways(TWO_WAYS,
	    "{\"systemPrompt\":\"Be kind.\",\"language\":\"Welsh\"}",
	    "{\"goal\":\"Be kind.\\n\\nSpeak Welsh.\"}");
	mapping_case_both_ways(TWO_WAYS, "{\"systemPrompt\":\"x\"}",
	    "{\"goal\":\"x\\n\\nSpeak English.\"}");
	mapping_case_both_ways(TWO_WAYS, "{\"language\":\"a. b.\"}",
	    "{\"goal\":\"\\n\\nSpeak a. b..\"}");
	mapping_case_both_ways(TWO_WAYS, "{\"systemPrompt\":\"\",\"language\":\"English\"}",
	    "{\"goal\":\"\\n\\nSpeak English.\"}");
	mapping_case_both_ways(TWO_WAYS, "{}", "{\"goal\":\"\\n\\nSpeak English.\"}");
	mapping_case_both_ways(TWO_WAYS, "{\"systemPrompt\":\"\\u0000\xC3\xA9\",\"language\":\"\"}",
	    "{\"goal\":\"\\u0000\xC3\xA9\\n\\nSpeak .\"}");
	mapping_case_refused(TWO_WAYS,
	    "{\"systemPrompt\":\"x\\n\\nSpeak up\",\"language\":\"Welsh\"}",
	    "systemPrompt must not hold \"\n\nSpeak \", which ends it in Bluejay's text");
	mapping_case_refused(TWO_WAYS, "{\"systemPrompt\":5}", "systemPrompt must be a string");
	mapping_case_answered(TWO_WAYS, "{\"goal\":\"other\"}",
	    "goal must be a string with \"\\n\\nSpeak \" between systemPrompt and language");
	mapping_case_answered(TWO_WAYS, "{\"goal\":null}", "{}");
}
END_TEST

START_TEST(a_field_may_have_the_template)
{
	static const char section[] =
	    "fields:\n"
	    "  name: name\n"
	    "  systemPrompt: {to: goal, template: \"{systemPrompt} Speak {language}.\", when_absent: "
	    "{systemPrompt: \"\", language: English}}\n"
	    "constants: {description: d}\n"
	    "kept_here: []\n";

	mapping_case_both_ways(section, "{\"systemPrompt\":\"x\",\"language\":\"Welsh\"}",
	    "{\"goal\":\"x Speak Welsh.\"}");
	mapping_case_both_ways(section, "{}", "{\"goal\":\" Speak English.\"}");
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  createdAt: {to: created_at, read_only: true}\n"
	                     "  prompt: {to: text, template: \"{a} {b}\"}\n"
	                     "  c: {template: \"{c}\"}\n"
	                     "  d: {to: d, template: [x], as: string}\n"
	                     "constants: {description: d, goal: g}\n",
	    "m.yaml:4:3: the template does not hold {prompt}; write it under templates: {text: …}, "
	    "which needs no field\n"
	    "m.yaml:5:6: \"c\" needs to: with the Bluejay member it goes to\n"
	    "m.yaml:6:6: \"d\" needs a text with local fields in braces, such as \"Speak "
	    "{language}.\"\n"
	    "m.yaml:6:29: unknown key \"as\"; possible are to, template, when_absent, lossy\n");
}
END_TEST

START_TEST(an_end_that_looks_like_a_beginning_is_refused)
{
	static const char section[] = "fields: {name: name}\n"
	                              "constants: {description: d, goal: g}\n"
	                              "templates: {t: \"{a}xx{b}\"}\n"
	                              "kept_here: []\n";

	mapping_case_both_ways(section, "{\"a\":\"y\",\"b\":\"x\"}", "{\"t\":\"yxxx\"}");
	mapping_case_refused(section, "{\"a\":\"yx\",\"b\":\"\"}",
	    "a must not hold \"xx\", which ends it in Bluejay's text");
	mapping_case_refused(section, "{\"a\":\"y\"}",
	    "b must be given with a, since they are one text in Bluejay");
	mapping_case_both_ways(section, "{}", "{}");
}
END_TEST

START_TEST(one_field_stands_between_two_texts)
{
	static const char section[] = "fields: {name: name}\n"
	                              "constants: {description: d, goal: g}\n"
	                              "templates: {t: \"{{<{a}>}}\"}\n"
	                              "kept_here: []\n";

	mapping_case_both_ways(section, "{\"a\":\">}\"}", "{\"t\":\"{<>}>}\"}");
	mapping_case_answered(section, "{\"t\":\"{<\"}",
	    "t must be a string that begins with \"{<\" and ends with \">}\"");
	mapping_case_answered(section, "{\"t\":5}",
	    "t must be a string that begins with \"{<\" and ends with \">}\"");
}
END_TEST

START_TEST(an_update_gives_the_whole_text)
{
	struct mapping *m = mapping_case_compile(TWO_WAYS);
	struct json_object *edited, *left, *absent;
	struct mapping_request r;
	bool changed;

	ck_assert(!mapping_case_send(m, MAPPING_UPDATE, "{\"language\":\"x\"}",
	    "systemPrompt must be given with language, since they are one text in Bluejay", &r));
	ck_assert(mapping_case_send(m, MAPPING_UPDATE, "{}", "{}", &r));
	mapping_request_clear(&r);
	ck_assert(mapping_case_send(m, MAPPING_UPDATE,
	    "{\"systemPrompt\":\"x\",\"language\":\"y\"}", "{\"goal\":\"x\\n\\nSpeak y.\"}", &r));
	mapping_test_prints(r.given, "{\"name\":true,\"systemPrompt\":true,\"language\":true}");
	mapping_request_clear(&r);
	absent = mapping_test_json("{\"systemPrompt\":\"\",\"language\":\"English\"}");
	edited = mapping_test_json("{\"goal\":\"Hi\\n\\nSpeak English.\"}");
	left = mapping_absent_left(m, edited, absent, &changed);
	ck_assert(changed);
	mapping_test_prints(left, "{\"language\":\"English\"}");
	mapping_case_receive(m, edited, left, NULL, "{\"systemPrompt\":\"Hi\"}");
	ck_assert_str_eq(mapping_local_name(m, "goal"), "systemPrompt");
	json_object_put(left);
	json_object_put(edited);
	json_object_put(absent);
	mapping_free(m);
}
END_TEST

START_TEST(fields_with_a_place_of_their_own_need_no_inverse)
{
	static const char section[] =
	    "fields: {name: name, role: {to: role, as: string}}\n"
	    "constants: {description: d}\n"
	    "templates:\n"
	    "  goal: {template: \"{role}{note}\", when_absent: {role: \"\", note: \"\"}}\n"
	    "kept_here: [note]\n";

	mapping_case_both_ways(section, "{\"role\":\"a\",\"note\":\"bc\"}",
	    "{\"role\":\"a\",\"goal\":\"abc\"}");
	mapping_case_answered(section, "{\"goal\":\"anything\",\"role\":\"x\"}", "{\"role\":\"x\"}");
	mapping_case_answered("fields: {name: name}\n"
	                      "constants: {description: d, goal: g}\n"
	                      "templates: {t: {template: \"{a}{b}\", lossy: true}}\n",
	    "{\"t\":\"ab\"}", "{}");
}
END_TEST

START_TEST(templates_are_checked)
{
	mapping_test_refused(
	    "fields:\n"
	    "  name: name\n"
	    "  age: {to: age, as: integer}\n"
	    "  createdAt: {to: created_at, read_only: true}\n"
	    "constants: {description: d, c: 1}\n"
	    "templates:\n"
	    "  goal: \"{name} {language}\"\n"
	    "  a: \"{x}{y}\"\n"
	    "  b: text\n"
	    "  c: \"{k} {l}\"\n"
	    "  d: \"{open\"\n"
	    "  e: \"{a..b}\"\n"
	    "  f: \"{m} {m}\"\n"
	    "  g: \"{age}\"\n"
	    "  h: \"{createdAt}\"\n"
	    "  i: \"{headers}\"\n"
	    "  j: {template: \"{n}\", when_absent: {o: x, n: 5}}\n"
	    "  k: {template: \"{p}\", when_absent: 5}\n"
	    "  l: {templat: \"{p}\"}\n"
	    "  m: [x]\n"
	    "  agent_id: \"{q}\"\n"
	    "  org_id: \"{r}\"\n"
	    "  n: \"{id}\"\n"
	    "  age: \"{s}\"\n"
	    "  o: \"${project.id}{t}\"\n"
	    "  p: \"{ {u} }\"\n"
	    "  q: \"{v} {{x}\"\n"
	    "  r: \"{w} a\"\n"
	    "  s: \"{w} b\"\n",
	    "m.yaml:7:3: Bluejay requires \"goal\" at create, but \"language\" may be absent, and "
	    "then there is no text; add when_absent: {language: \"\"}\n"
	    "m.yaml:8:6: {x} and {y} stand side by side, so they could not be told apart when they "
	    "are read; put a text between them, give both a place of their own (in fields or "
	    "kept_here), or add lossy: true\n"
	    "m.yaml:9:6: there is no field in this text; write one in braces, such as {language}, "
	    "or put it under constants\n"
	    "m.yaml:10:3: \"c\" gets a constant (line 5) and a template (line 10); keep one of "
	    "them\n"
	    "m.yaml:11:6: the brace before \"open\" is not closed; write {language}, or {{ for a "
	    "brace\n"
	    "m.yaml:12:6: the path \"a..b\" has an empty part; write a local field in braces, such "
	    "as {language}\n"
	    "m.yaml:13:6: {m} stands there twice; keep one of them\n"
	    "m.yaml:14:6: \"age\" (line 3) is an integer, and a template holds strings; name "
	    "another field\n"
	    "m.yaml:15:6: callers do not choose \"createdAt\", so no request holds it; name another "
	    "field\n"
	    "m.yaml:16:6: \"headers\" is an object in the local API, and a template holds strings; "
	    "name another field\n"
	    "m.yaml:17:38: unknown field of the template \"o\"; possible are n\n"
	    "m.yaml:17:47: when_absent must be a string, as \"n\" is\n"
	    "m.yaml:18:37: when_absent must be a map from fields of the template to texts, such as "
	    "{language: English}\n"
	    "m.yaml:19:6: \"l\" needs a text with local fields in braces, such as \"Speak "
	    "{language}.\"\n"
	    "m.yaml:19:7: unknown key \"templat\"; did you mean \"template\"?\n"
	    "m.yaml:20:6: \"m\" needs a text with local fields in braces, such as \"Speak "
	    "{language}.\"\n"
	    "m.yaml:21:3: \"agent_id\" is an integer in Bluejay, and a template is a string; choose "
	    "another member\n"
	    "m.yaml:22:3: Bluejay sets \"org_id\" itself; leave it out\n"
	    "m.yaml:23:6: callers do not choose \"id\", so no request holds it; name another field\n"
	    "m.yaml:24:3: \"age\" gets the field \"age\" (line 3) and a template (line 24); keep "
	    "one of them\n"
	    "m.yaml:25:6: ${project.…} is possible only as the whole value of a constant\n"
	    "m.yaml:26:6: \"{ {u}\" holds a brace inside braces; write {language}, or {{ for a "
	    "brace\n"
	    "m.yaml:27:6: the brace after \"{v} {{x\" closes nothing; write {language}, or }} for a "
	    "brace\n"
	    "m.yaml:29:3: \"w\" would be read out of two templates (line 28 and line 29), which may "
	    "say different things; keep it in one of them, or give it a place of its own in fields "
	    "or kept_here\n");
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  createdAt: {to: created_at, read_only: true}\n"
	                     "constants: {description: d}\n"
	                     "templates:\n"
	                     "  goal: \"{name} {language}\"\n"
	                     "kept_here: [description, systemPrompt, headers, imageUrl]\n",
	    "m.yaml:6:3: Bluejay requires \"goal\" at create, but \"language\" may be absent, and "
	    "then there is no text; add when_absent: {language: \"\"}\n");
	mapping_test_refused("templates: [x]\n",
	    "m.yaml:1:12: templates must be a map of Bluejay members to texts, such as goal: "
	    "\"Speak {language}.\"\n");
}
END_TEST

/* All tests of templates. */
Suite *
mapping_template_suite(void)
{
	const TTest *const tests[] = {
	    fields_come_back_out_of_their_text,
	    a_field_may_have_the_template,
	    an_end_that_looks_like_a_beginning_is_refused,
	    one_field_stands_between_two_texts,
	    an_update_gives_the_whole_text,
	    fields_with_a_place_of_their_own_need_no_inverse,
	    templates_are_checked,
	    NULL,
	};

	return unit_suite("mapping_template", tests);
}
