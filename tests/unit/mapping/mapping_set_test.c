#include "config.h"

#include "base/buf.h"
#include "mapping/mapping_set.h"
#include "mapping_case.h"
#include "unit.h"

#include <string.h>

/* What differs for a project. */

/* Compiles a file's mappings of personas and expects these messages. */
static struct mapping_set *
compile(const char *text, const char *messages)
{
	struct diag_list diags = {0};
	struct yaml_node *file = yaml_node_read("c.yaml", text, strlen(text), NULL, NULL, &diags);
	struct mapping_set *set;
	struct buf b;
	char *all;

	ck_assert_ptr_nonnull(file);
	set = mapping_set_compile(mapping_resource_built_in("personas"), "persona",
	    yaml_node_get(yaml_node_get(file, "mapping"), "persona"), yaml_node_get(file, "projects"),
	    &diags);
	buf_init(&b, 0);
	diag_sort(&diags);
	for (size_t i = 0; i < diags.count; i++) {
		char *line = diag_format(&diags.items[i]);

		buf_addf(&b, "%s\n", line);
		free(line);
	}
	all = buf_take(&b, NULL);
	ck_assert_str_eq(all, messages);
	ck_assert((set == NULL) == (diags.errors > 0));
	free(all);
	diag_free(&diags);
	yaml_node_free(file);
	return set;
}

/* Expects what a create of a project becomes. */
static void
expect(const struct mapping_set *set, const char *project, const char *body,
    const char *upstream)
{
	struct mapping_request r;

	if (mapping_case_send(mapping_set_of(set, project), MAPPING_CREATE, body, upstream, &r))
		mapping_request_clear(&r);
}

#define FILE_HEAD \
	"mapping:\n" \
	"  persona:\n" \
	"    fields:\n" \
	"      name: name\n" \
	"      tone: traits.tone\n" \
	"      age: {to: traits.age, as: integer}\n" \
	"      createdAt: {to: created_at, read_only: true}\n" \
	"    constants: {description: d, goal: g, source: gateway}\n" \
	"    kept_here: [headers, imageUrl, description, systemPrompt]\n" \
	"projects:\n"

START_TEST(entries_take_the_place_of_those_with_their_key)
{
	struct mapping_set *set = compile(FILE_HEAD
	    "  shop:\n"
	    "    mapping: {persona: {fields: {tone: tone, age: ~, more: extra}, constants: {source: "
	    "shop}}}\n"
	    "  other: {}\n"
	    "  same:\n"
	    "    mapping: {persona: {fields: {tone: tone, age: ~, more: extra}, constants: {source: "
	    "shop}}}\n"
	    "  quoted:\n"
	    "    mapping: {persona: {fields: {tone: tone, age: ~, more: extra}, constants: {source: "
	    "\"shop\"}}}\n"
	    "  kept:\n"
	    "    mapping: {persona: {fields: {age: ~}, kept_here: [headers, imageUrl, description, "
	    "systemPrompt, age]}}\n",
	    "");
	static const char body[] = "{\"tone\":\"x\",\"age\":5,\"more\":1}";

	expect(set, NULL, body, "{\"traits\":{\"tone\":\"x\",\"age\":5},\"source\":\"gateway\"}");
	expect(set, "shop", body, "{\"tone\":\"x\",\"extra\":1,\"source\":\"shop\"}");
	expect(set, "kept", body, "{\"traits\":{\"tone\":\"x\"},\"source\":\"gateway\"}");
	ck_assert_ptr_eq(mapping_set_of(set, "other"), mapping_set_of(set, NULL));
	ck_assert_ptr_eq(mapping_set_of(set, "nowhere"), mapping_set_of(set, NULL));
	ck_assert_ptr_eq(mapping_set_of(set, "same"), mapping_set_of(set, "shop"));
	ck_assert_ptr_ne(mapping_set_of(set, "quoted"), mapping_set_of(set, "shop"));
	mapping_set_free(set);
}
END_TEST

START_TEST(what_differs_is_checked_with_the_rest)
{
	compile(FILE_HEAD
	    "  shop:\n"
	    "    mapping: {persona: {fields: {ton: ~, zzzz: ~, mood: traits.tone}}}\n"
	    "  b:\n"
	    "    mapping: {persona: {constants: {goal: ~}}}\n"
	    "  c:\n"
	    "    mapping: {persona: {fields: [], kept: [x]}}\n"
	    "  d:\n"
	    "    mapping: {persona: text}\n",
	    "c.yaml:12:34: there is no \"ton\" in fields to leave out; did you mean \"tone\"?\n"
	    "c.yaml:12:42: there is no \"zzzz\" in fields to leave out\n"
	    "c.yaml:12:51: \"tone\" (line 5) and \"mood\" (line 12) both go to \"traits.tone\"; "
	    "give each a Bluejay member of its own\n"
	    "c.yaml:14:24: Bluejay requires \"goal\" at create, and nothing gives it; add a field "
	    "such as systemPrompt: {to: goal, when_absent: \"\"}, or a constant\n"
	    "c.yaml:16:33: fields must be a map of local fields to Bluejay members, such as name: "
	    "name\n"
	    "c.yaml:16:37: unknown key \"kept\"; possible are fields, constants, templates, "
	    "kept_here\n"
	    "c.yaml:18:24: the mapping of personas must be a map of fields, constants, templates, "
	    "kept_here\n");
}
END_TEST

START_TEST(the_files_own_mistakes_come_once)
{
	compile("mapping:\n"
	        "  persona: {fields: {name: name, a: {too: b}}}\n"
	        "projects:\n"
	        "  shop: {mapping: {persona: {fields: {b: {to: }}}}}\n"
	        "  other: {mapping: {persona: {fields: {c: c}}}}\n",
	    "c.yaml:2:37: \"a\" needs to: with the Bluejay member it goes to\n"
	    "c.yaml:2:38: unknown key \"too\"; did you mean \"to\"?\n"
	    "c.yaml:4:42: \"b\" needs to: with the Bluejay member it goes to\n");
}
END_TEST

/* All tests of what differs for projects. */
Suite *
mapping_set_suite(void)
{
	const TTest *const tests[] = {
	    entries_take_the_place_of_those_with_their_key,
	    what_differs_is_checked_with_the_rest,
	    the_files_own_mistakes_come_once,
	    NULL,
	};

	return unit_suite("mapping_set", tests);
}
