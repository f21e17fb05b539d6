#include "config.h"

#include "core/listed.h"
#include "core/resource_read.h"
#include "core_test.h"
#include "json/json_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is seen as text and what is seen as a tree answer everything alike. */

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define ID1 "0b6e5a3c-4a53-4d1f-9f57-3f0a8f9f2a11"
#define ID2 "0b6e5a3c-4a53-4d1f-9f57-3f0a8f9f2a12"
#define ONE(id, more) \
	"{\"id\":\"" id "\",\"created_at\":\"2026-01-28T09:00:00Z\",\"name\":\"n\",\"description\":\"\"," \
	"\"goal\":\"g\",\"org_id\":\"o\"" more "}"
#define OTHER(name, goal, org) \
	"{\"id\":\"" ID1 "\",\"created_at\":null,\"name\":" name ",\"description\":\"\",\"goal\":" goal ",\"org_id\":" org "}"

static struct project project;

/* Makes the default mapping of personas. */
static void
begin(void)
{
	struct diag_list diags = {0};

	project.resource = resource_built_in("personas");
	project.mapping = mapping_compile(mapping_resource_built_in("personas"), NULL, &diags);
	ck_assert_ptr_nonnull(project.mapping);
}

/* Frees it. */
static void
end(void)
{
	mapping_free((struct mapping *)project.mapping);
}

/* Reads JSON. */
static struct json_object *
json(const char *text)
{
	struct json_object *value;

	ck_assert_msg(json_read(text, strlen(text), &value, NULL), "%s", text);
	return value;
}

/* Whether two texts that may be NULL are the same. */
static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The same, of texts that are freed. */
static bool
same_freed(char *a, char *b)
{
	bool equal = same(a, b);

	free(a);
	free(b);
	return equal;
}

static const char *const texts[] = {ONE(ID1, ""), ONE(ID2, ""), OTHER("\"a\\\"b\"", "\"\"", "null"),
    OTHER("\"\\u0000\"", "\"x\\ny\"", "\"\\u0001\""), OTHER("\"n\"", "null", "\"o\""), OTHER("\"n\"", "\"\"", "\"\""),
    "{ \"org_id\":\"o\",\"goal\":\"g\",\"description\":\"\",\"name\":\"n\",\"created_at\":\"2026-01-28T10:00:00+01:00\","
    "\"id\":\"" ID1 "\" }"};

/* Compares what both ways say of one text, beside an older one. */
static void
compare(const char *text, const char *old, const char *absent)
{
	struct store_record r = {.local_id = (char *)"the-id", .absent = (char *)absent,
	    .kept = (char *)"{\"headers\":{\"a\":\"b\"}}", .updated_ms = 5000};
	char *left_a = NULL, *left_b = NULL;
	struct sight a, b;
	size_t len_a = 0, len_b = 0;

	ck_assert_msg(sight_copy(&a, &project, text, strlen(text)), "%s", text);
	sight_take(&b, &project, json(text));
	ck_assert(same(sight_id(&a), sight_id(&b)));
	ck_assert(same(sight_label(&a), sight_label(&b)));
	ck_assert(same(sight_unique_name(&a), sight_unique_name(&b)));
	ck_assert(same(sight_organisation(&a), sight_organisation(&b)));
	ck_assert(sight_is_read(&a, "x", NULL) && sight_is_read(&b, "x", NULL));
	ck_assert(same_freed(sight_print(&a), sight_print(&b)));
	ck_assert_int_eq(sight_prints(&a, old), sight_prints(&b, old));
	ck_assert_msg(sight_tells(&a, old) == sight_tells(&b, old), "%s\n%s", text, old);
	ck_assert(sight_absent_holds(&a, absent, &left_a) == sight_absent_holds(&b, absent, &left_b));
	ck_assert(same_freed(left_a, left_b));
	ck_assert(same_freed(sight_local(&a, &r, &len_a, NULL), sight_local(&b, &r, &len_b, NULL)));
	ck_assert_uint_eq(len_a, len_b);
	ck_assert(json_object_equal(sight_tree(&a), sight_tree(&b)));
	sight_clear(&a);
	sight_clear(&b);
}

START_TEST(texts_and_trees_say_the_same)
{
	static const char *const fillers[] = {NULL, "{\"description\":\"\"}", "{\"systemPrompt\":\"\"}",
	    "{\"systemPrompt\":\"g\",\"description\":\"\"}", "{\"gone\":1}"};

	begin();
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t k = 0; k < COUNT(texts); k++)
			for (size_t f = 0; f < COUNT(fillers); f++)
				compare(texts[i], texts[k], fillers[f]);
	compare(texts[0], NULL, NULL);
	compare(texts[0], "{}", NULL);
	compare(texts[0], "not JSON", NULL);
	end();
}
END_TEST

/* What a listing is taken for. */
struct taken {
	struct listed *list;
	bool alike;
	struct buf drift; /* what is shown of differences */
};

/* Takes a listing as texts, or as a tree. */
static struct taken
take(const char *text, bool as_text)
{
	struct loop *loop = loop_new_fake(INT64_C(1767225600000));
	FILE *lines = tmpfile();
	struct log *log = log_new(fileno(lines), LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	struct drift *drift = drift_new(loop, log);
	struct json_object *tree = NULL, *items;
	struct taken t = {.alike = false};

	if (as_text) {
		t.list = listed_read(drift, &project, text, strlen(text), &t.alike);
	} else if (json_read(text, strlen(text), &tree, NULL) &&
	    (items = drift_list(drift, &project, tree, &t.alike)) != NULL) {
		t.list = listed_new();
		listed_add(t.list, &project, items);
	}
	json_object_put(tree);
	buf_init(&t.drift, 0);
	drift_print(drift, &t.drift);
	drift_free(drift);
	log_free(log);
	fclose(lines);
	loop_free(loop);
	return t;
}

/* Frees it. */
static void
give_back(struct taken *t)
{
	listed_free(t->list);
	buf_free(&t->drift);
}

START_TEST(listings_are_taken_alike)
{
	static const struct {
		const char *text;
		bool taken; /* without a tree of the whole */
	} table[] = {
	    {"[]", true},
	    {"[" ONE(ID1, "") "]", true},
	    {" [ " ONE(ID1, "") " , " ONE(ID2, "") " ] ", true},
	    {"[" ONE(ID1, ",\"new\":1") "," ONE(ID2, "") "]", true},
	    {"[" ONE("7", "") "," ONE(ID2, "") "," ONE(ID2, "") "]", true},
	    {"[{},{\"id\":5}," ONE(ID1, "") "]", true},
	    {"[" OTHER("\"\\u00e9\"", "\"\"", "null") "]", true},
	    {"[" OTHER("5", "\"\"", "null") "," OTHER("null", "[]", "{}") "]", true},
	    {"[" ONE(ID1, ",\"id\":1") "]", false},
	    {"[" ONE(ID1, "") ",null]", false},
	    {"[" ONE(ID1, "") ",]", false},
	    {"[" ONE(ID1, "") "", false},
	    {"[" ONE(ID1, "") "]]", false},
	    {"[1]", false},
	    {"{\"items\":[]}", false},
	    {"null", false},
	    {"", false},
	};

	begin();
	for (size_t i = 0; i < COUNT(table); i++) {
		struct taken a = take(table[i].text, true), b = take(table[i].text, false);

		ck_assert_msg((a.list != NULL) == table[i].taken, "%s", table[i].text);
		if (a.list == NULL) {
			ck_assert_str_eq(a.drift.data, "{\"resources\":[]}"); /* nothing was counted */
		} else {
			ck_assert_str_eq(a.drift.data, b.drift.data);
			ck_assert(a.alike == b.alike && a.list->count == b.list->count);
			for (size_t k = 0; k < a.list->count; k++) {
				struct listed_item *x = &a.list->items[k], *y = &b.list->items[k];

				ck_assert(same(x->id, y->id));
				ck_assert(json_object_equal(listed_tree(x), listed_tree(y)));
			}
		}
		give_back(&a);
		give_back(&b);
	}
	end();
}
END_TEST

/* The suite. */
Suite *
sight_suite(void)
{
	const TTest *const tests[] = {texts_and_trees_say_the_same, listings_are_taken_alike, NULL};

	return unit_suite("core: sight", tests);
}
