#include "config.h"

#include "mapping_test.h"
#include "unit.h"

#include <string.h>

/* Each message with its exact place and text. */

START_TEST(unknown_keys_name_the_nearest)
{
	mapping_test_refused("filds: {}\n"
	                     "constant: {}\n"
	                     "zzz: 1\n",
	    "m.yaml:1:1: unknown key \"filds\"; did you mean \"fields\"?\n"
	    "m.yaml:2:1: unknown key \"constant\"; did you mean \"constants\"?\n"
	    "m.yaml:3:1: unknown key \"zzz\"; possible are fields, constants, templates, "
	    "kept_here\n");
	mapping_test_refused("fields:\n"
	                     "  name: {too: name}\n"
	                     "  a: {to: a, red_only: true, as: strin, foo: 1}\n"
	                     "  b: {to: b, as: blob}\n"
	                     "  c: {to: c, as: [string]}\n",
	    "m.yaml:2:9: \"name\" needs to: with the Bluejay member it goes to\n"
	    "m.yaml:2:10: unknown key \"too\"; did you mean \"to\"?\n"
	    "m.yaml:3:14: unknown key \"red_only\"; did you mean \"read_only\"?\n"
	    "m.yaml:3:34: unknown type \"strin\"; did you mean \"string\"?\n"
	    "m.yaml:3:41: unknown key \"foo\"; possible are to, when_absent, omit_when, "
	    "read_only, write_only, lossy, when, as, values, default, each, fields, keyed_by, "
	    "valued_by, others\n"
	    "m.yaml:4:18: unknown type \"blob\"; possible are string, integer, number, "
	    "boolean, object, array, json, timestamp, integers\n"
	    "m.yaml:5:18: the type must be one of string, integer, number, boolean, "
	    "object, array, json, timestamp, integers\n");
}
END_TEST

START_TEST(parts_have_their_form)
{
	mapping_test_refused("fields: [a]\n"
	                     "constants: x\n"
	                     "kept_here: headers\n",
	    "m.yaml:1:9: fields must be a map of local fields to Bluejay members, such "
	    "as name: name\n"
	    "m.yaml:2:12: constants must be a map of Bluejay members to values; write {} "
	    "for none\n"
	    "m.yaml:3:12: kept_here must be a list of local fields, such as [headers, "
	    "imageUrl]; write [] for none\n");
	mapping_test_refused("just text\n",
	    "m.yaml:1:1: the mapping of personas must be a map of fields, constants, "
	    "templates, kept_here\n");
	mapping_test_refused("fields:\n"
	                     "  d: {to: dd, read_only: 5, lossy: maybe}\n"
	                     "  e:\n"
	                     "  f: [x]\n"
	                     "  g: {}\n"
	                     "  h: {to: }\n"
	                     "  i: {to: [x]}\n",
	    "m.yaml:2:26: read_only must be true or false\n"
	    "m.yaml:2:36: lossy must be true or false\n"
	    "m.yaml:3:5: \"e\" needs the Bluejay member it goes to; write e: name, or e: "
	    "{to: name}\n"
	    "m.yaml:4:6: \"f\" needs the Bluejay member it goes to; write f: name, or f: "
	    "{to: name}\n"
	    "m.yaml:5:6: \"g\" needs to: with the Bluejay member it goes to\n"
	    "m.yaml:6:6: \"h\" needs to: with the Bluejay member it goes to\n"
	    "m.yaml:7:11: a name is needed here, such as traits.tone\n");
}
END_TEST

START_TEST(required_members_cannot_lack_a_value)
{
	mapping_test_refused("fields: {}\n",
	    "m.yaml:1:1: a persona needs the field \"name\"; add name: name\n"
	    "m.yaml:1:1: Bluejay requires \"description\" at create, and nothing gives "
	    "it; add a field such as description: {to: description, when_absent: \"\"}, "
	    "or a constant\n"
	    "m.yaml:1:1: Bluejay requires \"goal\" at create, and nothing gives it; add "
	    "a field such as systemPrompt: {to: goal, when_absent: \"\"}, or a constant\n");
	mapping_test_refused("fields:\n"
	                     "  name: name\n",
	    "m.yaml:1:1: Bluejay requires \"description\" at create, and nothing gives "
	    "it; add a field such as description: {to: description, when_absent: \"\"}, "
	    "or a constant\n"
	    "m.yaml:1:1: Bluejay requires \"goal\" at create, and nothing gives it; add "
	    "a field such as systemPrompt: {to: goal, when_absent: \"\"}, or a constant\n");
	mapping_test_refused("fields:\n"
	                     "  name: who\n"
	                     "  description: description\n"
	                     "  systemPrompt: {to: goal, read_only: true}\n",
	    "m.yaml:1:1: Bluejay requires \"name\" at create, and nothing gives it; add "
	    "a field such as name: {to: name, when_absent: \"\"}, or a constant\n"
	    "m.yaml:3:3: Bluejay requires \"description\" at create, but the field "
	    "\"description\" may be absent; write description: {to: description, "
	    "when_absent: \"\"}\n"
	    "m.yaml:4:3: Bluejay requires \"goal\" at create, but the field "
	    "\"systemPrompt\" is read_only; write systemPrompt: {to: goal, when_absent: "
	    "\"\"}\n");
	mapping_test_refused("fields:\n"
	                     "  name: {to: name, read_only: true}\n"
	                     "constants: {description: d, goal: g}\n",
	    "m.yaml:2:3: a create needs \"name\", so it cannot be read_only\n");
	mapping_test_refused("fields:\n"
	                     "  title: name\n"
	                     "constants: {description: d, goal: g}\n",
	    "m.yaml:1:1: a persona needs the field \"name\"; add name: name\n");
	mapping_test_refused("kept_here: [name]\n"
	                     "fields:\n"
	                     "  a: name\n"
	                     "constants: {description: d, goal: g}\n",
	    "m.yaml:2:1: a persona needs the field \"name\"; add name: name\n");
}
END_TEST

START_TEST(two_declarations_for_one_place_name_both_lines)
{
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  description: {to: description, when_absent: \"\"}\n"
	                     "  systemPrompt: {to: goal, when_absent: \"\"}\n"
	                     "  summary: goal\n",
	    "m.yaml:5:3: \"systemPrompt\" (line 4) and \"summary\" (line 5) both go to "
	    "\"goal\"; give each a Bluejay member of its own\n");
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  headers: meta\n"
	                     "constants: {description: d, goal: g, name: x}\n"
	                     "kept_here: [imageUrl, headers, imageUrl]\n",
	    "m.yaml:4:38: \"name\" gets the field \"name\" (line 2) and a constant (line "
	    "4); keep one of them\n"
	    "m.yaml:5:23: \"headers\" is in fields (line 3) and in kept_here (line 5); "
	    "keep it in one of them\n"
	    "m.yaml:5:32: \"imageUrl\" stands in kept_here twice (line 5 and line 5); "
	    "keep one of them\n");
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  headers: {to: meta, as: object}\n"
	                     "constants: {description: d, goal: g}\n",
	    "m.yaml:3:3: \"headers\" is in fields (line 3) and in kept_here (built-in); "
	    "keep it in one of them (a part that the file leaves out keeps its built-in "
	    "entries)\n");
	mapping_test_refused("kept_here: [description]\n",
	    "m.yaml:1:13: \"description\" is in fields (built-in) and in kept_here (line "
	    "1); keep it in one of them (a part that the file leaves out keeps its "
	    "built-in entries)\n");
	mapping_test_refused("constants:\n"
	                     "  goal: x\n",
	    "m.yaml:2:3: \"goal\" gets the field \"systemPrompt\" (built-in) and a "
	    "constant (line 2); keep one of them (a part that the file leaves out keeps "
	    "its built-in entries)\n");
}
END_TEST

START_TEST(nothing_lies_inside_another)
{
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  profile: traits\n"
	                     "  profile.tone: tone\n"
	                     "  a: x.y\n"
	                     "  b: x.y.z\n"
	                     "  c\\.d: u\\.v\n"
	                     "  c: u\n"
	                     "constants: {description: d, goal: g, x: 1}\n"
	                     "kept_here: [p.q.r, p, s, s.t]\n",
	    "m.yaml:4:3: \"profile.tone\" (line 4) lies inside \"profile\" (line 3); "
	    "declare the whole or its parts, not both\n"
	    "m.yaml:6:3: \"x.y.z\" (line 6) lies inside \"x.y\" (line 5); declare the "
	    "whole or its parts, not both\n"
	    "m.yaml:9:38: \"x.y\" (line 5) lies inside \"x\" (line 9); declare the whole "
	    "or its parts, not both\n"
	    "m.yaml:9:38: \"x.y.z\" (line 6) lies inside \"x\" (line 9); declare the "
	    "whole or its parts, not both\n"
	    "m.yaml:10:20: \"p.q.r\" (line 10) lies inside \"p\" (line 10); declare the "
	    "whole or its parts, not both\n"
	    "m.yaml:10:26: \"s.t\" (line 10) lies inside \"s\" (line 10); declare the "
	    "whole or its parts, not both\n");
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  description.x: k\n"
	                     "  i: goal.x\n"
	                     "  headers.lang: l\n"
	                     "constants: {description: d, goal: g, agent_id.x: 1}\n"
	                     "kept_here: []\n",
	    "m.yaml:3:3: \"description\" is a string in the local API, so it has no "
	    "\"description.x\"\n"
	    "m.yaml:4:6: \"goal\" is a string in Bluejay, so it has no \"goal.x\"\n"
	    "m.yaml:6:38: \"agent_id\" is an integer in Bluejay, so it has no "
	    "\"agent_id.x\"\n");
}
END_TEST

START_TEST(built_in_members_are_not_declared)
{
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  id: uid\n"
	                     "  updatedAt: {to: modified, as: timestamp, read_only: "
	                     "true}\n"
	                     "kept_here: [id]\n",
	    "m.yaml:3:3: \"id\" is built in; leave it out of fields\n"
	    "m.yaml:4:3: \"updatedAt\" is built in; leave it out of fields\n"
	    "m.yaml:5:13: \"id\" is built in; leave it out of kept_here\n");
}
END_TEST

START_TEST(bluejays_own_members_go_one_way)
{
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  agent: agent_id\n"
	                     "  createdAt: created_at\n"
	                     "  owner: org_id\n"
	                     "  theirs: {to: id, read_only: true}\n"
	                     "constants: {description: d, goal: g, org_id: x}\n",
	    "m.yaml:3:10: Bluejay takes \"agent_id\" but never answers it, so a field "
	    "would lose its value; put it under constants, or add write_only: true\n"
	    "m.yaml:4:14: Bluejay sets \"created_at\" itself; add read_only: true\n"
	    "m.yaml:5:10: Bluejay sets \"org_id\" itself; add read_only: true\n"
	    "m.yaml:7:38: Bluejay sets \"org_id\" itself; leave it out\n"
	    "m.yaml:7:38: \"org_id\" gets the field \"owner\" (line 5) and a constant "
	    "(line 7); keep one of them\n");
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  agent: {to: agent_id, read_only: true}\n"
	                     "constants: {description: d, goal: g}\n",
	    "m.yaml:3:15: Bluejay takes \"agent_id\" but never answers it, so there is nothing "
	    "to read; leave the field out\n");
}
END_TEST

START_TEST(times_must_not_lose_their_form_unsaid)
{
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  born: {to: born, as: timestamp}\n"
	                     "  died: {to: died, as: timestamp, lossy: true}\n"
	                     "  createdAt: made\n"
	                     "constants: {description: d, goal: g}\n",
	    "m.yaml:3:24: a time does not come back in the form in which it was sent; "
	    "add read_only: true, or lossy: true to accept the form "
	    "2026-01-28T10:00:00.000Z\n"
	    "m.yaml:5:3: callers do not choose \"createdAt\"; add read_only: true\n");
}
END_TEST

START_TEST(types_agree_with_what_is_known)
{
	mapping_test_refused("fields:\n"
	                     "  name: {to: name, as: integer}\n"
	                     "  systemPrompt: {to: goal, as: json}\n"
	                     "  headers: description\n"
	                     "kept_here: []\n",
	    "m.yaml:2:24: \"name\" is a string in the local API, so as: integer is "
	    "wrong; leave it out\n"
	    "m.yaml:3:3: Bluejay requires \"goal\" at create, but the field "
	    "\"systemPrompt\" may be absent; write systemPrompt: {to: goal, when_absent: "
	    "\"\"}\n"
	    "m.yaml:3:32: \"systemPrompt\" is a string in the local API, so as: json is "
	    "wrong; leave it out\n"
	    "m.yaml:4:3: Bluejay requires \"description\" at create, but the field "
	    "\"headers\" may be absent; write headers: {to: description, when_absent: "
	    "\"\"}\n"
	    "m.yaml:4:12: \"description\" is a string in Bluejay, but \"headers\" is an "
	    "object; choose another member\n");
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  count: {to: description, as: integer, when_absent: 0}\n"
	                     "  at: {to: goal, as: timestamp, lossy: true, when_absent: "
	                     "\"2026-01-28T10:00:00Z\"}\n",
	    "m.yaml:3:32: \"description\" is a string in Bluejay, but \"count\" is an "
	    "integer; choose another member\n");
}
END_TEST

START_TEST(fillers_have_the_type_of_their_field)
{
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  a: {to: a, as: string, when_absent: 5}\n"
	                     "  b: {to: b, as: integer, when_absent: \"5\"}\n"
	                     "  c: {to: c, as: boolean, when_absent: yes}\n"
	                     "  d: {to: d, as: object, when_absent: []}\n"
	                     "  e: {to: e, as: integers, when_absent: [1, x]}\n"
	                     "  f: {to: f, when_absent: }\n"
	                     "  g: {to: g, when_absent: \"${project.id}\"}\n"
	                     "  h: {to: h, as: timestamp, lossy: true, when_absent: "
	                     "never}\n"
	                     "  i: {to: i, when_absent: .inf}\n"
	                     "  j: {to: j, when_absent: {a: [-.NaN, 1e999, .5e999]}}\n"
	                     "  k: {to: k, read_only: true, when_absent: \"\"}\n"
	                     "  l: {to: l, as: number, when_absent: true}\n"
	                     "  description: {to: description, when_absent: 0}\n"
	                     "constants: {goal: g}\n",
	    "m.yaml:3:39: when_absent must be a string, as \"a\" is\n"
	    "m.yaml:4:40: when_absent must be an integer, as \"b\" is\n"
	    "m.yaml:5:40: when_absent must be true or false, as \"c\" is\n"
	    "m.yaml:6:39: when_absent must be an object, as \"d\" is\n"
	    "m.yaml:7:41: when_absent must be a list of whole numbers, as \"e\" is\n"
	    "m.yaml:8:27: when_absent needs a value that is not null, such as \"\"; "
	    "without when_absent nothing is sent\n"
	    "m.yaml:9:27: ${project.…} is possible only as the whole value of a "
	    "constant\n"
	    "m.yaml:10:55: when_absent must be a time such as 2026-01-28T10:00:00.000Z, "
	    "as \"h\" is\n"
	    "m.yaml:11:27: JSON has no number for \".inf\"; write it in quotes for a "
	    "text\n"
	    "m.yaml:12:32: JSON has no number for \"-.NaN\"; write it in quotes for a "
	    "text\n"
	    "m.yaml:12:46: JSON has no number for \".5e999\"; write it in quotes for a "
	    "text\n"
	    "m.yaml:13:31: a read_only field is never sent, so when_absent does nothing; "
	    "keep one of them\n"
	    "m.yaml:14:39: when_absent must be a number, as \"l\" is\n"
	    "m.yaml:15:47: when_absent must be a string, as \"description\" is\n");
	mapping_test_refused("fields:\n"
	                     "  name: {to: name, when_absent: \"\"}\n"
	                     "  description: {to: description, when_absent: \"\"}\n"
	                     "  systemPrompt: {to: goal, when_absent: \"\"}\n"
	                     "  createdAt: {to: created_at, read_only: true}\n",
	    "m.yaml:2:20: warning: a persona always has a name, so when_absent does "
	    "nothing\n");
}
END_TEST

START_TEST(paths_have_one_form)
{
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  a..b: x\n"
	                     "  a\\b: y\n"
	                     "  c: x.\n"
	                     "  d: \".x\"\n"
	                     "  e: \"\"\n"
	                     "  f: \"a\\\\\"\n"
	                     "  g: a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q\n"
	                     "  h: ${project.id}\n"
	                     "  i: a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p\n"
	                     "constants: {description: d, goal: g, j..k: 1}\n"
	                     "kept_here: [\"x..y\", {}, [x]]\n",
	    "m.yaml:3:3: the path \"a..b\" has an empty part; write keys joined by dots, "
	    "and \\. for a dot in a key\n"
	    "m.yaml:4:3: the path \"a\\b\" has a backslash that is before neither a dot "
	    "nor a backslash; write keys joined by dots, and \\. for a dot in a key\n"
	    "m.yaml:5:6: the path \"x.\" has an empty part; write keys joined by dots, "
	    "and \\. for a dot in a key\n"
	    "m.yaml:6:6: the path \".x\" has an empty part; write keys joined by dots, "
	    "and \\. for a dot in a key\n"
	    "m.yaml:7:6: the path \"\" is empty; write keys joined by dots, and \\. for "
	    "a dot in a key\n"
	    "m.yaml:8:6: the path \"a\\\" has a backslash that is before neither a dot "
	    "nor a backslash; write keys joined by dots, and \\. for a dot in a key\n"
	    "m.yaml:9:6: the path \"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q\" has more than 16 "
	    "parts; write keys joined by dots, and \\. for a dot in a key\n"
	    "m.yaml:10:6: ${project.…} is possible only as the whole value of a "
	    "constant\n"
	    "m.yaml:12:38: the path \"j..k\" has an empty part; write keys joined by "
	    "dots, and \\. for a dot in a key\n"
	    "m.yaml:13:13: the path \"x..y\" has an empty part; write keys joined by "
	    "dots, and \\. for a dot in a key\n"
	    "m.yaml:13:21: a name is needed here, such as traits.tone\n"
	    "m.yaml:13:25: a name is needed here, such as traits.tone\n");
}
END_TEST

START_TEST(names_are_texts)
{
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  a: 5\n"
	                     "  b: {to: true}\n"
	                     "  c: {to: c, when: {field: 1.50, is: x}}\n"
	                     "  d: {to: d, when: ~}\n"
	                     "  e: {to: e, keyed_by: 7}\n"
	                     "  f: {to: f, keyed_by: k, valued_by: false}\n"
	                     "  g: \"5.true\"\n"
	                     "  5: h\n"
	                     "constants: {description: d, goal: g}\n"
	                     "kept_here: [headers, -1, null, \"-1\"]\n",
	    "m.yaml:3:6: the name of a member is needed here, and 5 is no text; write \"5\" in "
	    "quotes if that is its name\n"
	    "m.yaml:4:11: the name of a member is needed here, and true is no text; write \"true\" "
	    "in quotes if that is its name\n"
	    "m.yaml:5:28: the name of a member is needed here, and 1.50 is no text; write \"1.50\" "
	    "in quotes if that is its name\n"
	    "m.yaml:6:20: a name is needed here, such as traits.tone\n"
	    "m.yaml:7:24: the name of a member is needed here, and 7 is no text; write \"7\" in "
	    "quotes if that is its name\n"
	    "m.yaml:8:38: the name of a member is needed here, and false is no text; write "
	    "\"false\" in quotes if that is its name\n"
	    "m.yaml:12:22: the name of a member is needed here, and -1 is no text; write \"-1\" in "
	    "quotes if that is its name\n"
	    "m.yaml:12:26: a name is needed here, such as traits.tone\n");
}
END_TEST

START_TEST(constants_are_scalars_or_whole_references)
{
	mapping_test_refused("constants:\n"
	                     "  agent_id: ${project.agentid}\n"
	                     "  a: ${project.other_name}\n"
	                     "  b: x${project.id}\n"
	                     "  c: ${project.id}x\n"
	                     "  d: ${project.id}${project.id}\n"
	                     "  e: [1]\n"
	                     "  f: {}\n"
	                     "  g:\n"
	                     "  h: .inf\n"
	                     "  i: ${project.id\n",
	    "m.yaml:2:13: unknown value \"${project.agentid}\"; did you mean "
	    "\"${project.agent_id}\"?\n"
	    "m.yaml:3:6: unknown value \"${project.other_name}\"; possible are "
	    "${project.agent_id}, ${project.id}\n"
	    "m.yaml:4:6: ${project.…} must be the whole value of the constant\n"
	    "m.yaml:5:6: ${project.…} must be the whole value of the constant\n"
	    "m.yaml:6:6: ${project.…} must be the whole value of the constant\n"
	    "m.yaml:7:6: a constant is a text, a number, true or false; \"e\" is none\n"
	    "m.yaml:8:6: a constant is a text, a number, true or false; \"f\" is none\n"
	    "m.yaml:9:5: a constant is a text, a number, true or false; \"g\" is none\n"
	    "m.yaml:10:6: JSON has no number for \".inf\"; write it in quotes for a "
	    "text\n"
	    "m.yaml:11:6: ${project.…} must be the whole value of the constant\n");
	mapping_test_refused("fields: {name: name}\n"
	                     "constants:\n"
	                     "  agent_id: ${project.id}\n"
	                     "  goal: ${project.agent_id}\n"
	                     "  description: 5\n",
	    "m.yaml:3:13: \"agent_id\" must be an integer\n"
	    "m.yaml:4:9: \"goal\" must be a string\n"
	    "m.yaml:5:16: \"description\" must be a string\n");
	mapping_test_refused("constants:\n"
	                     "  agent_id: \"5\"\n",
	    "m.yaml:2:13: \"agent_id\" must be an integer\n");
}
END_TEST

START_TEST(what_would_be_dropped_is_said)
{
	mapping_test_refused("kept_here: [headers]\n",
	    "m.yaml:1:1: warning: \"imageUrl\" is neither in fields nor in kept_here, so "
	    "what callers give is dropped\n");
	mapping_test_refused("fields:\n"
	                     "  name: name\n"
	                     "  description: {to: description, when_absent: \"\"}\n"
	                     "  systmPrompt: {to: goal, when_absent: \"\"}\n",
	    "m.yaml:1:1: warning: \"systemPrompt\" is neither in fields nor in "
	    "kept_here, so what callers give is dropped\n"
	    "m.yaml:1:1: warning: answers will lack \"createdAt\"; add createdAt: {to: "
	    "created_at, as: timestamp, read_only: true}\n");
	mapping_test_refused("fields:\n"
	                     "  name: nam\n"
	                     "  headers.a: b\n"
	                     "constants: {name: n, description: d, goal: g}\n"
	                     "kept_here: [description, systemPrompt, createdAt, "
	                     "imageUrl.x]\n",
	    "m.yaml:2:9: warning: Bluejay is not known to have \"nam\"; did you mean "
	    "\"name\"?\n"
	    "m.yaml:5:40: callers do not choose \"createdAt\", so it cannot be kept "
	    "here; declare it under fields with read_only: true\n"
	    "m.yaml:5:51: \"imageUrl\" is a string in the local API, so it has no "
	    "\"imageUrl.x\"\n");
	mapping_test_refused("fields:\n"
	                     "  name: nme\n"
	                     "  headers.a: b\n"
	                     "  headers.c: d\n"
	                     "constants: {name: n, description: d, goal: g}\n"
	                     "kept_here: [description, systemPrompt, imageUrl]\n",
	    "m.yaml:1:1: warning: answers will lack \"createdAt\"; add createdAt: {to: "
	    "created_at, as: timestamp, read_only: true}\n"
	    "m.yaml:2:9: warning: Bluejay is not known to have \"nme\"; did you mean "
	    "\"name\"?\n");
}
END_TEST

/* Gives a variable that must never be repeated, and the end of a reference. */
static const char *
secret_env(void *arg, const char *name)
{
	return strcmp(name, "SECRET") == 0 ? "s3cr3t" : strcmp(name, "WHICH") == 0 ? "id" : NULL;
}

START_TEST(the_environment_is_not_repeated_and_makes_no_references)
{
	static const char section[] = "fields:\n"
	                              "  name: name\n"
	                              "  a: {to: a, as: \"${SECRET}\"}\n"
	                              "  b: ${SECRET}..x\n"
	                              "constants:\n"
	                              "  description: ${SECRET}${project.id}\n"
	                              "  goal: g\n"
	                              "  source: ${project.${WHICH}}\n";
	struct diag_list diags = {0};
	struct yaml_node *node;

	node = yaml_node_read("m.yaml", section, strlen(section), secret_env, NULL, &diags);
	ck_assert_ptr_nonnull(node);
	ck_assert_ptr_null(mapping_compile(mapping_resource_built_in("personas"), node, &diags));
	ck_assert_uint_eq(diags.errors, 4);
	for (size_t i = 0; i < diags.count; i++)
		ck_assert_ptr_null(strstr(diags.items[i].text, "s3cr3t"));
	yaml_node_free(node);
	diag_free(&diags);
}
END_TEST

START_TEST(good_sections_are_silent)
{
	mapping_test_refused("{}\n", "");
	mapping_test_refused("constants: {}\n", "");
	mapping_test_refused("constants: {agent_id: 5, source: \"${project.id}\"}\n", "");
	mapping_test_refused("constants: {extra.n: 1e2, extra.t: true, extra.s: \"\"}\n", "");
}
END_TEST

/* All tests of the compiler. */
Suite *
mapping_compile_suite(void)
{
	const TTest *const tests[] = {
	    unknown_keys_name_the_nearest,
	    parts_have_their_form,
	    required_members_cannot_lack_a_value,
	    two_declarations_for_one_place_name_both_lines,
	    nothing_lies_inside_another,
	    built_in_members_are_not_declared,
	    bluejays_own_members_go_one_way,
	    times_must_not_lose_their_form_unsaid,
	    types_agree_with_what_is_known,
	    fillers_have_the_type_of_their_field,
	    paths_have_one_form, names_are_texts,
	    constants_are_scalars_or_whole_references,
	    what_would_be_dropped_is_said,
	    the_environment_is_not_repeated_and_makes_no_references,
	    good_sections_are_silent,
	    NULL,
	};

	return unit_suite("mapping_compile", tests);
}
