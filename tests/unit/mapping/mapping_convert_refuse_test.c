#include "config.h"

#include "base/mem.h"
#include "mapping_test.h"
#include "unit.h"

/* What the constructs refuse when the file is loaded: each message with its place. */

/* Compiles these fields, which begin at line 3, and expects the messages. */
static void
refused(const char *fields, const char *messages)
{
	char *section = mem_format("fields:\n  name: name\n%s"
	                           "  createdAt: {to: created_at, as: timestamp, read_only: true}\n"
	                           "constants: {description: d, goal: g}\n"
	                           "kept_here: [headers, imageUrl, description, systemPrompt]\n",
	    fields);

	mapping_test_refused(section, messages);
	free(section);
}

START_TEST(two_values_do_not_become_one)
{
	refused("  mood:\n"
	        "    to: tone\n"
	        "    values:\n"
	        "      calm: low\n"
	        "      mild: low\n",
	    "m.yaml:7:7: \"calm\" (line 6) and \"mild\" (line 7) both become \"low\", so it would "
	    "come back as \"calm\" for both; give each a value of its own, or add lossy: true\n");
	refused("  pace: {to: pace, values: {slow: 1, late: 1.0}}\n",
	    "m.yaml:3:38: \"slow\" (line 3) and \"late\" (line 3) both become \"1.0\", so it would "
	    "come back as \"slow\" for both; give each a value of its own, or add lossy: true\n");
	refused("  a: {to: a, values: {x: 1, y: 1}, lossy: true}\n"
	        "  b: {to: b, values: {x: 1, y: 1}, write_only: true}\n",
	    "");
}
END_TEST

START_TEST(values_have_their_form)
{
	refused("  a: {to: a, values: [x]}\n"
	        "  b: {to: b, values: {}}\n"
	        "  c: {to: c, values: {x: [1]}}\n"
	        "  d: {to: d, values: {x: }}\n"
	        "  e: {to: e, values: {x: y}, default: z}\n"
	        "  f: {to: f, values: {x: y}, default: x}\n"
	        "  g: {to: g, values: {x: y}, default: x, others: keep}\n"
	        "  h: {to: h, values: {x: y}, others: kep}\n"
	        "  i: {to: i, default: x, others: keep, valued_by: y}\n"
	        "  j: {to: j, as: string, values: {1: y}}\n"
	        "  k: {to: description, values: {x: 1}}\n",
	    "m.yaml:3:22: values must be a map from local values to Bluejay's, such as {calm: low, "
	    "angry: high}\n"
	    "m.yaml:4:22: values must be a map from local values to Bluejay's, such as {calm: low, "
	    "angry: high}\n"
	    "m.yaml:5:26: values go from a text, a number, true or false to another; write {calm: "
	    "low, angry: high}\n"
	    "m.yaml:6:26: values go from a text, a number, true or false to another; write {calm: "
	    "low, angry: high}\n"
	    "m.yaml:7:39: default must be one of the local values that are named, so that it can "
	    "come back: \"x\"\n"
	    "m.yaml:8:39: with default, a value that is not named comes back as \"x\"; add lossy: "
	    "true to accept that, or others: keep to send it as it is\n"
	    "m.yaml:9:39: with default, a value that is not named comes back as \"x\"; add lossy: "
	    "true to accept that, or others: keep to send it as it is\n"
	    "m.yaml:9:42: default (line 9) and others (line 9) say different things of the values "
	    "that are not named; keep one of them\n"
	    "m.yaml:10:38: unknown word for others \"kep\"; did you mean \"keep\"?\n"
	    "m.yaml:11:14: default means nothing without values; add it, or leave default out\n"
	    "m.yaml:11:26: others means nothing without values or fields; add it, or leave others "
	    "out\n"
	    "m.yaml:11:40: valued_by means nothing without keyed_by; add it, or leave valued_by "
	    "out\n"
	    "m.yaml:12:35: this value must be a string, as \"j\" is; write it in quotes\n"
	    "m.yaml:13:36: this value must be a string, as \"description\" is; write it in quotes\n"
	    "m.yaml:15:13: \"description\" gets the field \"k\" (line 13) and a constant (line "
	    "15); keep one of them\n");
}
END_TEST

START_TEST(one_value_has_one_form)
{
	refused("  a: {to: a, values: {x: y}, each: string}\n"
	        "  b: {to: b, each: string, fields: {x: y}}\n"
	        "  c: {to: c, values: {x: y}, keyed_by: z}\n"
	        "  d: {to: d, as: string, fields: {x: y}}\n"
	        "  e: {to: e, as: string, each: string}\n"
	        "  f: {to: f, each: }\n"
	        "  g: {to: g, each: [string]}\n"
	        "  h: {to: h, each: strng}\n"
	        "  i: {to: i, each: {to: x}}\n"
	        "  j: {to: j, keyed_by: k, valued_by: k}\n"
	        "  k: {to: k, keyed_by: []}\n"
	        "  l: {to: l, fields: []}\n"
	        "  m: {to: m, fields: {x: y}, others: dropp}\n"
	        "  n: {to: n, fields: {x: y}, others: drop}\n",
	    "m.yaml:3:30: values (line 3) and each (line 3) say different things of one value; keep "
	    "one of them, or put the other inside each\n"
	    "m.yaml:4:28: fields (line 4) and each (line 4) say different things of one value; "
	    "keep one of them, or put the other inside each\n"
	    "m.yaml:5:30: values (line 5) and keyed_by (line 5) say different things of one value; "
	    "keep one of them, or put the other inside each\n"
	    "m.yaml:6:18: fields make an object, so as: string is wrong; leave it out\n"
	    "m.yaml:7:18: each and keyed_by are for lists and objects; write as: array or as: "
	    "object\n"
	    "m.yaml:8:20: each needs what its elements are: a type such as each: integer, or a map "
	    "such as each: {values: {calm: low}}\n"
	    "m.yaml:9:20: each needs what its elements are: a type such as each: integer, or a map "
	    "such as each: {values: {calm: low}}\n"
	    "m.yaml:10:20: unknown type \"strng\"; did you mean \"string\"?\n"
	    "m.yaml:11:21: unknown key \"to\"; possible are as, values, default, each, fields, "
	    "keyed_by, valued_by, others\n"
	    "m.yaml:12:38: the key and the value cannot be the same member; name another one\n"
	    "m.yaml:13:24: keyed_by needs the name of a member of the list's elements, such as "
	    "keyed_by: name\n"
	    "m.yaml:14:22: fields must be a map of local members to Bluejay's, such as {title: "
	    "label}\n"
	    "m.yaml:15:38: unknown word for others \"dropp\"; did you mean \"drop\"?\n"
	    "m.yaml:16:38: members that are dropped do not come back; write others: keep or "
	    "refuse, or add lossy: true to the field\n");
}
END_TEST

START_TEST(what_lies_inside_is_checked_as_well)
{
	refused("  steps:\n"
	        "    to: steps\n"
	        "    each:\n"
	        "      fields:\n"
	        "        a: x\n"
	        "        b: x\n"
	        "        c: {to: y, when_absent: \"\"}\n"
	        "        d: {to: z, as: timestamp}\n"
	        "        e: {to: w, omit_when: \"\"}\n"
	        "        f: y.g\n"
	        "        name: {to: name, as: integer}\n"
	        "  times: {to: times, each: timestamp}\n",
	    "m.yaml:8:9: \"a\" (line 7) and \"b\" (line 8) both go to \"x\"; give each a Bluejay "
	    "member of its own\n"
	    "m.yaml:9:20: inside a list or object nothing remembers that \"c\" was absent, so it "
	    "would come back as the value sent for it; add lossy: true to accept that, or leave "
	    "when_absent out\n"
	    "m.yaml:10:24: a time does not come back in the form in which it was sent; add "
	    "read_only: true, or lossy: true to accept the form 2026-01-28T10:00:00.000Z\n"
	    "m.yaml:11:20: inside a list or object nothing remembers a value that is not sent; add "
	    "lossy: true to accept that, or leave omit_when out\n"
	    "m.yaml:12:9: \"y.g\" (line 12) lies inside \"y\" (line 9); declare the whole or its "
	    "parts, not both\n"
	    "m.yaml:14:28: a time does not come back in the form in which it was sent; add "
	    "read_only: true to the field, or lossy: true to accept the form "
	    "2026-01-28T10:00:00.000Z\n");
}
END_TEST

START_TEST(two_types_are_told_for_two_sides)
{
	refused("  a: {to: a, as: {local: integer}}\n"
	        "  b: {to: b, as: {local: integer, bluejay: boolean}}\n"
	        "  c: {to: c, as: {local: string, bluejay: string}}\n"
	        "  d: {to: d, as: {local: strin, upstream: string}}\n"
	        "  e: {to: goal, as: {local: string, bluejay: integer}}\n"
	        "  systemPrompt: {to: p, as: {local: integer, bluejay: string}}\n"
	        "  f: {to: f, as: {local: object, bluejay: string}}\n",
	    "m.yaml:3:18: as needs one type, or one for each side: {local: integer, bluejay: "
	    "string}\n"
	    "m.yaml:4:18: an integer cannot become true or false and come back; possible are "
	    "string with integer, number or boolean\n"
	    "m.yaml:5:18: a string cannot become a string and come back; possible are string with "
	    "integer, number or boolean\n"
	    "m.yaml:6:18: as needs one type, or one for each side: {local: integer, bluejay: "
	    "string}\n"
	    "m.yaml:6:33: unknown key \"upstream\"; possible are local, bluejay\n"
	    "m.yaml:7:21: \"goal\" is a string in Bluejay, but \"e\" is an integer; choose another "
	    "member\n"
	    "m.yaml:8:29: \"systemPrompt\" is a string in the local API, so it cannot be an integer "
	    "here\n"
	    "m.yaml:9:18: an object cannot become a string and come back; possible are string with "
	    "integer, number or boolean\n"
	    "m.yaml:11:29: \"goal\" gets the field \"e\" (line 7) and a constant (line 11); keep "
	    "one of them\n"
	    "m.yaml:12:45: \"systemPrompt\" is in fields (line 8) and in kept_here (line 12); keep "
	    "it in one of them\n");
}
END_TEST

START_TEST(known_members_keep_their_types)
{
	refused("  headers: {to: extra, as: array, each: string}\n"
	        "  imageUrl: {to: pic, each: string}\n"
	        "  x: {to: agent_id, write_only: true, values: {a: b}}\n"
	        "  y: {to: org_id, read_only: true, each: string}\n",
	    "m.yaml:3:28: \"headers\" is an object in the local API, so it cannot be an array "
	    "here\n"
	    "m.yaml:4:18: \"imageUrl\" is a string in the local API, so it cannot be an array "
	    "here\n"
	    "m.yaml:5:51: this value must be an integer, as \"agent_id\" is\n"
	    "m.yaml:6:11: \"org_id\" is a string in Bluejay, but \"y\" is an array; choose another "
	    "member\n"
	    "m.yaml:9:13: \"headers\" is in fields (line 3) and in kept_here (line 9); keep it in "
	    "one of them\n"
	    "m.yaml:9:22: \"imageUrl\" is in fields (line 4) and in kept_here (line 9); keep it in "
	    "one of them\n");
}
END_TEST

START_TEST(one_way_and_omitted_fields_are_checked)
{
	refused("  a: {to: a, read_only: true, write_only: true}\n"
	        "  b: {to: b, read_only: true, omit_when: \"\"}\n"
	        "  c: {to: c, as: integer, omit_when: \"\"}\n"
	        "  d: {to: d, omit_when: }\n"
	        "  e: {to: e, each: integer, when_absent: [x]}\n"
	        "  f: {to: f, write_only: maybe}\n"
	        "  createdAt2: {to: created_at, write_only: true}\n",
	    "m.yaml:3:31: a field that is read_only and write_only goes nowhere; keep one of them\n"
	    "m.yaml:4:31: a read_only field is never sent, so omit_when does nothing; keep one of "
	    "them\n"
	    "m.yaml:5:38: omit_when must be an integer, as \"c\" is\n"
	    "m.yaml:6:25: omit_when needs a value that is not null, such as \"\"; without omit_when "
	    "nothing is left out\n"
	    "m.yaml:7:42: when_absent[0] must be an integer\n"
	    "m.yaml:8:26: write_only must be true or false\n"
	    "m.yaml:9:20: Bluejay sets \"created_at\" itself; add read_only: true\n"
	    "m.yaml:10:3: \"createdAt2\" (line 9) and \"createdAt\" (line 10) both go to "
	    "\"created_at\"; give each a Bluejay member of its own\n");
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  description: {to: description, when_absent: \"\", omit_when: \"\"}\n"
	                     "  systemPrompt: {to: goal, when_absent: \"\"}\n"
	                     "  createdAt: {to: created_at, read_only: true}\n",
	    "m.yaml:3:51: Bluejay requires \"description\" at create, so it cannot be left out; "
	    "leave omit_when out\n");
}
END_TEST

/* All tests of what is refused at load. */
Suite *
mapping_convert_refuse_suite(void)
{
	const TTest *const tests[] = {
	    two_values_do_not_become_one,
	    values_have_their_form,
	    one_value_has_one_form,
	    what_lies_inside_is_checked_as_well,
	    two_types_are_told_for_two_sides,
	    known_members_keep_their_types,
	    one_way_and_omitted_fields_are_checked,
	    NULL,
	};

	return unit_suite("mapping_convert_refuse", tests);
}
