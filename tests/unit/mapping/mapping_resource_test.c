#include "config.h"

#include "base/buf.h"
#include "mapping_test.h"
#include "unit.h"

#include <string.h>

static struct yaml_node *document;

/* Reads the first declaration of a text, with the messages, sorted, one a line. */
static struct mapping_resource *
read_first(const char *text, struct buf *messages)
{
	struct diag_list diags = {0};
	struct mapping_resource *r;

	document = yaml_node_read("r.yaml", text, strlen(text), NULL, NULL, &diags);
	ck_assert_ptr_nonnull(document);
	r = mapping_resource_read(document->keys[0], document->items[0], false, &diags);
	buf_init(messages, 0);
	diag_sort(&diags);
	for (size_t i = 0; i < diags.count; i++) {
		char *line = diag_format(&diags.items[i]);

		buf_addf(messages, "%s\n", line);
		free(line);
	}
	diag_free(&diags);
	return r;
}

/* Expects these messages. */
static void
refused(const char *text, const char *want)
{
	struct buf messages;

	mapping_resource_free(read_first(text, &messages));
	ck_assert_str_eq(messages.data, want);
	buf_free(&messages);
	yaml_node_free(document);
}

START_TEST(a_short_declaration_has_defaults)
{
	struct buf messages;
	struct mapping_resource *r = read_first("digital-humans: {list: GET /v1/digital-humans}\n",
	    &messages);

	ck_assert_str_eq(r->noun, "digital human");
	ck_assert_str_eq(r->plural, "digital humans");
	ck_assert_ptr_null(r->name);
	ck_assert_ptr_null(r->items);
	ck_assert(!r->dated);
	ck_assert(r->open);
	ck_assert_str_eq(r->local[0].name, "id");
	ck_assert(r->local[0].built_in);
	ck_assert_ptr_null(r->local[1].name);
	ck_assert_str_eq(r->upstream[0].name, "id");
	ck_assert(r->upstream[0].never_null && r->upstream[0].set_there);
	mapping_resource_free(r);
	buf_free(&messages);
	yaml_node_free(document);
}
END_TEST

START_TEST(a_long_declaration_is_read_whole)
{
	static const char text[] =
	    "bots:\n"
	    "  noun: robot\n"
	    "  plural: robots of all kinds\n"
	    "  name: label\n"
	    "  id: bot_id\n"
	    "  created: made_at\n"
	    "  capabilities: [unique_names, updated_at]\n"
	    "  list: {call: GET /v1/bots, items: found, total: all, next: {member: more, parameter: at}}\n"
	    "  known:\n"
	    "    local: {label: {as: string, with: title}, size: integer, seen: {as: timestamp,\n"
	    "      read_only: true}, note: {as: string, not_on_create: true}}\n"
	    "    bluejay: {title: {as: string, required: true, never_null: true}, secret: {as: string,\n"
	    "      write_only: true}}\n";
	struct buf messages;
	struct mapping_resource *r = read_first(text, &messages);
	const struct mapping_known *known;

	ck_assert_str_eq(r->noun, "robot");
	ck_assert_str_eq(r->plural, "robots of all kinds");
	ck_assert_str_eq(r->name, "label");
	ck_assert_str_eq(r->items, "found");
	ck_assert(r->dated && !r->open);
	ck_assert_str_eq(r->envelope[0].name, "all");
	ck_assert_str_eq(r->envelope[1].name, "more");
	known = mapping_known_find(r->local, "label");
	ck_assert(known->always_given);
	ck_assert_str_eq(known->usual, "title");
	ck_assert_str_eq(mapping_known_find(r->local, "size")->type, "integer");
	ck_assert(mapping_known_find(r->local, "seen")->answer_only);
	ck_assert(mapping_known_find(r->local, "note")->no_create);
	ck_assert(mapping_known_find(r->local, "updatedAt")->built_in);
	ck_assert(mapping_known_find(r->upstream, "title")->required);
	ck_assert(mapping_known_find(r->upstream, "secret")->not_answered);
	ck_assert(mapping_known_find(r->upstream, "bot_id")->set_there);
	ck_assert_str_eq(mapping_known_find(r->upstream, "made_at")->type, "timestamp");
	mapping_resource_free(r);
	buf_free(&messages);
	yaml_node_free(document);
}
END_TEST

START_TEST(mistakes_say_their_place)
{
	refused("bots:\n  known: {locl: {}, bluejay: {a: strng, b: {}, c: {as: string, red_only: true}}}\n"
	        "  noun: []\n",
	    "r.yaml:2:11: unknown key \"locl\"; did you mean \"local\"?\n"
	    "r.yaml:2:34: unknown type \"strng\"; did you mean \"string\"?\n"
	    "r.yaml:2:41: \"b\" needs its type, such as as: string\n"
	    "r.yaml:2:64: unknown key \"red_only\"; did you mean \"read_only\"?\n"
	    "r.yaml:3:9: noun must be a text\n");
	refused("bots:\n  known: 5\n",
	    "r.yaml:2:10: known must be a map with local, bluejay or both\n");
	refused("bots:\n  known: {local: []}\n  list: {items: {}}\n",
	    "r.yaml:2:18: local must be a map of local fields to their types\n"
	    "r.yaml:3:17: items must be a text\n");
}
END_TEST

START_TEST(what_is_built_in_is_read_by_the_same_code)
{
	const struct mapping_resource *r = mapping_resource_built_in("personas");

	ck_assert_str_eq(r->noun, "persona");
	ck_assert_str_eq(r->plural, "personas");
	ck_assert_str_eq(r->name, "name");
	ck_assert(r->dated && !r->open);
	ck_assert_ptr_nonnull(yaml_node_get(r->defaults, "fields"));
	r = mapping_resource_built_in("communities");
	ck_assert_str_eq(r->plural, "communities");
	ck_assert_str_eq(r->items, "communities");
	ck_assert_ptr_null(r->name);
	ck_assert_ptr_null(mapping_resource_built_in("bots"));
}
END_TEST

/* Tests of the reading of declarations. */
Suite *
mapping_resource_suite(void)
{
	const TTest *const tests[] = {
	    a_short_declaration_has_defaults,
	    a_long_declaration_is_read_whole,
	    mistakes_say_their_place,
	    what_is_built_in_is_read_by_the_same_code,
	    NULL,
	};

	return unit_suite("mapping_resource", tests);
}
