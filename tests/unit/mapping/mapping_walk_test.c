#include "config.h"

#include "base/buf.h"
#include "mapping_test.h"
#include "unit.h"

#include <string.h>

/* Walks a mapping and expects these members, one a line. */
static void
expect_walk(const char *section, const char *want)
{
	static const char *const origins[] = {"mapped", "kept", "made"};
	struct mapping *m = mapping_test_compile(section);
	struct mapping_declared d;
	struct buf b;
	char *got;

	buf_init(&b, 0);
	for (size_t i = 0; mapping_declared(m, i, &d); i++)
		buf_addf(&b, "%s %s %s %s%s%s %d:%d\n", d.local,
		    d.upstream != NULL ? d.upstream : "-", origins[d.origin], d.type,
		    d.read_only ? " read_only" : "", d.not_on_create ? " not_on_create" : "", d.line,
		    d.column);
	got = buf_take(&b, NULL);
	ck_assert_str_eq(got, want);
	free(got);
	mapping_free(m);
}

START_TEST(the_default_is_walked_in_the_order_of_an_answer)
{
	expect_walk(NULL,
	    "id - made string read_only 0:0\n"
	    "name name mapped string 0:0\n"
	    "description description mapped string 0:0\n"
	    "systemPrompt goal mapped string 0:0\n"
	    "headers - kept object 0:0\n"
	    "imageUrl - kept string not_on_create 0:0\n"
	    "createdAt created_at mapped timestamp read_only not_on_create 0:0\n"
	    "updatedAt - made timestamp read_only 0:0\n");
}
END_TEST

START_TEST(declarations_of_the_file_say_where_they_stand)
{
	expect_walk("fields:\n"
	            "  createdAt: {to: created_at, as: timestamp, read_only: true}\n"
	            "  name: name\n"
	            "  description: {to: description, when_absent: \"\"}\n"
	            "  systemPrompt: {to: goal, when_absent: \"\"}\n"
	            "  profile.age: {to: traits.age, as: integer}\n"
	            "kept_here: [headers, imageUrl, note]\n",
	    "id - made string read_only 0:0\n"
	    "name name mapped string 3:3\n"
	    "description description mapped string 4:3\n"
	    "systemPrompt goal mapped string 5:3\n"
	    "profile.age traits.age mapped integer 6:3\n"
	    "headers - kept object 7:13\n"
	    "imageUrl - kept string not_on_create 7:22\n"
	    "note - kept json 7:32\n"
	    "createdAt created_at mapped timestamp read_only not_on_create 2:3\n"
	    "updatedAt - made timestamp read_only 0:0\n");
}
END_TEST

START_TEST(a_mapping_that_keeps_nothing_is_walked_to_its_end)
{
	expect_walk("fields:\n"
	            "  name: name\n"
	            "  description: {to: description, when_absent: \"\"}\n"
	            "  systemPrompt: {to: goal, when_absent: \"\"}\n"
	            "kept_here: []\n",
	    "id - made string read_only 0:0\n"
	    "name name mapped string 2:3\n"
	    "description description mapped string 3:3\n"
	    "systemPrompt goal mapped string 4:3\n"
	    "updatedAt - made timestamp read_only 0:0\n");
}
END_TEST

START_TEST(values_are_found_where_they_are_declared)
{
	struct mapping *m = mapping_test_compile("fields:\n"
	                                         "  name: name\n"
	                                         "  description: {to: description, when_absent: \"\"}\n"
	                                         "  systemPrompt: {to: goal, when_absent: \"\"}\n"
	                                         "  profile.a\\.b: {to: traits.age, as: integer}\n");
	struct json_object *local = mapping_test_json(
	    "{\"id\":\"i\",\"name\":\"n\",\"profile\":{\"a.b\":7},\"headers\":{\"X\":\"y\"}}");
	static const char *const want[] = {"\"i\"", "\"n\"", NULL, NULL, "7", "{\"X\":\"y\"}", NULL,
	    NULL};
	struct mapping_declared d;
	size_t i;

	for (i = 0; mapping_declared(m, i, &d); i++)
		mapping_test_prints(mapping_declared_value(&d, local), want[i]);
	ck_assert_uint_eq(i, sizeof want / sizeof *want);
	json_object_put(local);
	mapping_free(m);
}
END_TEST

/* Tests of the walk over what is declared. */
Suite *
mapping_walk_suite(void)
{
	const TTest *const tests[] = {
	    the_default_is_walked_in_the_order_of_an_answer,
	    declarations_of_the_file_say_where_they_stand,
	    a_mapping_that_keeps_nothing_is_walked_to_its_end,
	    values_are_found_where_they_are_declared,
	    NULL,
	};

	return unit_suite("mapping walk", tests);
}
