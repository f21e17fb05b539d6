#include "config.h"

#include "bulk/bulk_diff.h"
#include "bulk/bulk_index.h"
#include "bulk/bulk_item.h"
#include "bulk/bulk_plan.h"
#include "bulk_test.h"
#include "json/json_text.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TARGET                                                                            \
	"[{\"id\":\"1\",\"name\":\"ann\",\"description\":\"calm\"},"                      \
	"{\"id\":\"2\",\"name\":\"bob\",\"systemPrompt\":\"p\",\"headers\":{\"X\":\"1\"},\"tone\":\"low\"}]"

static struct bulk_plan *plan;
static uint64_t line;

/* A plan for a target. */
static void
begin(enum bulk_policy policy, const char *target)
{
	struct fail f;
	struct bulk_index *ix =
	    bulk_index_read(text_file(target, strlen(target)), BULK_FORM_AUTO, "name", "T", &f);

	ck_assert_msg(ix != NULL, "%s", f.text);
	plan = bulk_plan_new(policy);
	bulk_plan_set_target(plan, ix);
	line = 0;
}

/* What becomes of the next persona of the source: "create BODY", "update 1 BODY: members",
 * "nothing", "skip: members", "refuse WHY: members"; static. */
static const char *
plans(const char *text)
{
	static const char *const words[] = {"create", "update", "nothing", "skip", "refuse"};
	static char out[1024];
	struct bulk_item item;
	struct bulk_decision d;
	struct fail f;
	uint64_t before;
	bool same, writes;
	char *body;
	int n;

	ck_assert_msg(bulk_item_read(&item, text, strlen(text), &f), "%s", f.text);
	item.line = ++line;
	before = bulk_plan_meet(plan, &item, &same);
	ck_assert(bulk_plan_decide(plan, &item, before, same, &d, &f));
	writes = d.todo == BULK_TODO_CREATE || d.todo == BULK_TODO_UPDATE;
	body = json_print(d.body, NULL);
	n = snprintf(out, sizeof out, "%s%s%s%s%s%s%s", words[d.todo],
	    d.todo == BULK_TODO_UPDATE ? " " : "", d.todo == BULK_TODO_UPDATE ? d.id : "",
	    writes ? " " : "", writes ? body : "", d.todo == BULK_TODO_REFUSE ? " " : "",
	    d.todo == BULK_TODO_REFUSE ? d.why.text : "");
	for (unsigned i = 0; i < d.differ.count && !d.renamed; i++)
		n += snprintf(out + n, sizeof out - (size_t)n, "%s%s", i == 0 ? ": " : ",", d.differ.names[i]);
	free(body);
	bulk_decision_clear(&d);
	bulk_item_clear(&item);
	return out;
}

START_TEST(what_is_new_is_created_without_what_each_side_makes)
{
	begin(BULK_POLICY_FAIL, TARGET);
	ck_assert_str_eq(plans("{\"id\":\"9\",\"name\":\"eve\",\"description\":null,\"systemPrompt\":\"\","
	    "\"imageUrl\":\"x.png\",\"createdAt\":\"c\",\"updatedAt\":\"u\"}"),
	    "create {\"name\":\"eve\",\"systemPrompt\":\"\"}");
	bulk_plan_free(plan);
}
END_TEST

START_TEST(what_is_there_is_left)
{
	begin(BULK_POLICY_FAIL, TARGET);
	ck_assert_str_eq(plans("{\"description\":\"calm\",\"name\":\"ann\",\"id\":\"7\"}"), "nothing");
	ck_assert_str_eq(plans("{\"name\":\"bob\",\"headers\":{\"X\":\"1\"},\"tone\":\"low\",\"systemPrompt\":\"p\","
	    "\"unknown\":1}"), "nothing");
	bulk_plan_free(plan);
}
END_TEST

START_TEST(each_policy_settles_a_conflict)
{
	const char *ann = "{\"name\":\"ann\",\"description\":\"angry\",\"systemPrompt\":\"q\"}";

	begin(BULK_POLICY_FAIL, TARGET);
	ck_assert_str_eq(plans(ann), "refuse another persona has its name: description,systemPrompt");
	bulk_plan_free(plan);
	begin(BULK_POLICY_SKIP, TARGET);
	ck_assert_str_eq(plans(ann), "skip: description,systemPrompt");
	bulk_plan_free(plan);
	begin(BULK_POLICY_UPDATE, TARGET);
	ck_assert_str_eq(plans(ann), "update 1 {\"name\":\"ann\",\"description\":\"angry\",\"systemPrompt\":\"q\"}"
	    ": description,systemPrompt");
	bulk_plan_free(plan);
	begin(BULK_POLICY_RENAME, TARGET);
	ck_assert_str_eq(plans(ann), "create {\"name\":\"ann (2)\",\"description\":\"angry\",\"systemPrompt\":\"q\"}");
	bulk_plan_free(plan);
}
END_TEST

START_TEST(an_update_that_could_write_nothing_is_skipped)
{
	begin(BULK_POLICY_UPDATE, TARGET);
	ck_assert_str_eq(plans("{\"name\":\"ann\"}"), "skip: description");
	ck_assert_str_eq(plans("{\"name\":\"bob\",\"headers\":{},\"systemPrompt\":\"p\"}"),
	    "update 2 {\"name\":\"bob\",\"headers\":{},\"systemPrompt\":\"p\"}: headers,tone");
	bulk_plan_free(plan);
}
END_TEST

START_TEST(a_member_that_the_target_shows_nowhere_is_not_compared)
{
	begin(BULK_POLICY_SKIP, TARGET);
	ck_assert_str_eq(plans("{\"name\":\"ann\",\"description\":\"calm\",\"colour\":\"red\"}"), "nothing");
	bulk_plan_free(plan);
	begin(BULK_POLICY_SKIP, TARGET);
	ck_assert_str_eq(plans("{\"name\":\"ann\",\"description\":\"calm\",\"tone\":\"red\"}"), "skip: tone");
	bulk_plan_free(plan);
}
END_TEST

START_TEST(a_target_with_more_members_than_are_remembered_is_compared_whole)
{
	char target[4096] = "[{\"name\":\"x\"";
	size_t n = strlen(target);

	for (int i = 0; i < 70; i++)
		n += (size_t)snprintf(target + n, sizeof target - n, ",\"m%d\":%d", i, i);
	snprintf(target + n, sizeof target - n, "},{\"id\":\"2\",\"name\":\"ann\"}]");
	begin(BULK_POLICY_UPDATE, target);
	ck_assert_str_eq(plans("{\"name\":\"ann\",\"m69\":1}"), "update 2 {\"name\":\"ann\",\"m69\":1}: m69");
	bulk_plan_free(plan);
}
END_TEST

START_TEST(a_rename_finds_a_free_name_and_its_own_again)
{
	begin(BULK_POLICY_RENAME, "[{\"id\":\"1\",\"name\":\"x\",\"description\":\"a\"},"
	    "{\"id\":\"2\",\"name\":\"x (2)\",\"description\":\"b\"},"
	    "{\"id\":\"3\",\"name\":\"x (3)\",\"description\":\"c\"}]");
	ck_assert_str_eq(plans("{\"name\":\"x\",\"description\":\"c\"}"), "nothing");
	ck_assert_str_eq(plans("{\"name\":\"x\",\"description\":\"d\"}"),
	    "create {\"name\":\"x (4)\",\"description\":\"d\"}");
	ck_assert_str_eq(plans("{\"name\":\"x (4)\",\"description\":\"e\"}"),
	    "create {\"name\":\"x (4) (2)\",\"description\":\"e\"}");
	bulk_plan_free(plan);
}
END_TEST

START_TEST(names_within_the_source_are_given_once)
{
	begin(BULK_POLICY_SKIP, "[]");
	ck_assert_str_eq(plans("{\"name\":\"x\",\"description\":\"a\"}"),
	    "create {\"name\":\"x\",\"description\":\"a\"}");
	ck_assert_str_eq(plans("{\"name\":\"x\",\"description\":\"a\"}"), "nothing");
	ck_assert_str_eq(plans("{\"name\":\"x\",\"description\":\"b\"}"), "refuse line 1 has its name");
	ck_assert_str_eq(plans("{\"name\":\"X\",\"description\":\"b\"}"),
	    "create {\"name\":\"X\",\"description\":\"b\"}");
	ck_assert_str_eq(plans("{\"name\":\"x\\u0000y\"}"), "create {\"name\":\"x\\u0000y\"}");
	ck_assert_str_eq(plans("{\"name\":\"x\\u0000z\"}"), "create {\"name\":\"x\\u0000z\"}");
	bulk_plan_free(plan);
	begin(BULK_POLICY_RENAME, "[]");
	plans("{\"name\":\"x\",\"description\":\"a\"}");
	ck_assert_str_eq(plans("{\"name\":\"x\",\"description\":\"b\"}"),
	    "create {\"name\":\"x (2)\",\"description\":\"b\"}");
	ck_assert_str_eq(plans("{\"name\":\"x\",\"description\":\"c\"}"),
	    "create {\"name\":\"x (3)\",\"description\":\"c\"}");
	ck_assert_str_eq(plans("{\"name\":\"x (3)\",\"description\":\"c\"}"), "nothing");
	bulk_plan_free(plan);
}
END_TEST

START_TEST(what_is_no_persona_is_refused)
{
	static const char *const bad[][2] = {{"{", "is not JSON: unexpected end at byte 2"},
	    {"[]", "is not an object"},
	    {"{\"name\":\"\xff\"}", "is not JSON"}, {"{\"name\":\"a\",\"name\":\"b\"}", "is not JSON"},
	    {"{\"name\":\"\\ud800\"}", "is not JSON"}};
	struct bulk_item item;
	struct fail f;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert(!bulk_item_read(&item, bad[i][0], strlen(bad[i][0]), &f));
		ck_assert_msg(strncmp(f.text, bad[i][1], strlen(bad[i][1])) == 0, "%s: %s", bad[i][0], f.text);
	}
}
END_TEST

START_TEST(one_without_a_name_is_only_one_of_many)
{
	static const char *const texts[] = {"{}", "{\"name\":null}", "{\"name\":\"\"}", "{\"name\":7}"};
	struct bulk_item item;
	struct fail f;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		ck_assert_msg(bulk_item_read(&item, texts[i], strlen(texts[i]), &f), "%s", f.text);
		ck_assert_uint_eq(item.name_len, 0);
		ck_assert_str_eq(item.name, "");
		bulk_item_clear(&item);
	}
	begin(BULK_POLICY_FAIL, "[{\"id\":\"1\",\"name\":\"\"},{\"id\":\"2\"},{\"id\":\"3\",\"name\":\"ann\"}]");
	ck_assert_str_eq(plans("{\"name\":\"ann\"}"), "nothing");
	ck_assert_str_eq(plans("{\"name\":\"bob\"}"), "create {\"name\":\"bob\"}");
	bulk_plan_free(plan);
}
END_TEST

START_TEST(a_target_that_cannot_be_read_has_no_index)
{
	static const char *const bad[][2] = {{"[{\"name\":\"a\"},7]", "T, line 1: a persona is not an object"},
	    {"[{\"name\":\"a\"}", "T cannot be read: it ends too early (line 1)"}};
	struct fail f;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_ptr_null(bulk_index_read(text_file(bad[i][0], strlen(bad[i][0])), BULK_FORM_AUTO,
		    "name", "T", &f));
		ck_assert_str_eq(f.text, bad[i][1]);
	}
	ck_assert_ptr_null(bulk_index_read(text_file("[{\"name\":\"a\"}]", 14), BULK_FORM_AUTO, "id", "T", &f));
	ck_assert_str_eq(f.text, "T, line 1: a persona has no id");
}
END_TEST

START_TEST(a_file_that_changes_is_noticed)
{
	const char *text = "[{\"name\":\"ann\",\"description\":\"a\"}]";
	int fd = text_file(text, strlen(text));
	struct fail f;
	struct bulk_index *ix = bulk_index_read(fd, BULK_FORM_AUTO, "name", "T", &f);
	struct bulk_item item;

	ck_assert_ptr_nonnull(ix);
	ck_assert(bulk_index_load(ix, bulk_index_find(ix, "ann", 3), &item, &f));
	bulk_item_clear(&item);
	ck_assert_int_eq(pwrite(fd, "bob", 3, 10), 3);
	ck_assert(!bulk_index_load(ix, bulk_index_find(ix, "ann", 3), &item, &f));
	ck_assert_str_eq(f.text, "T has changed while it was read");
	ck_assert_int_eq(ftruncate(fd, 12), 0);
	ck_assert(!bulk_index_load(ix, bulk_index_find(ix, "ann", 3), &item, &f));
	bulk_index_free(ix);
}
END_TEST

static char story[1024];

/* Notes a difference. */
static void
on_diff(void *arg, const struct bulk_diff_told *t)
{
	static const char *const kinds[] = {"<", ">", "!", "*"};
	const struct bulk_item *item = t->left != NULL ? t->left : t->right;
	size_t n = strlen(story);

	n += (size_t)snprintf(story + n, sizeof story - n, "%s%s", kinds[t->kind], item->name);
	for (unsigned i = 0; t->differ != NULL && i < t->differ->count; i++)
		n += (size_t)snprintf(story + n, sizeof story - n, ".%s", t->differ->names[i]);
	snprintf(story + n, sizeof story - n, " ");
}

/* What two texts differ in. */
static const char *
diff(const char *left, const char *right, const char *by)
{
	struct fail f;
	struct bulk_index *l = bulk_index_read(text_file(left, strlen(left)), BULK_FORM_AUTO, by, "L", &f);
	struct bulk_index *r = bulk_index_read(text_file(right, strlen(right)), BULK_FORM_AUTO, by, "R", &f);
	struct bulk_diff_counts n;

	ck_assert_ptr_nonnull(l);
	ck_assert_ptr_nonnull(r);
	story[0] = '\0';
	ck_assert_int_eq(bulk_diff(l, r, on_diff, NULL, &n, &f), 0);
	bulk_index_free(l);
	bulk_index_free(r);
	snprintf(story + strlen(story), 64, "%d=", (int)n.same);
	return story;
}

START_TEST(two_sides_are_compared_member_by_member)
{
	const char *l = "[{\"id\":\"1\",\"name\":\"a\",\"description\":\"\"},{\"id\":\"2\",\"name\":\"b\"},"
	    "{\"id\":\"3\",\"name\":\"c\",\"headers\":{\"x\":\"1\",\"y\":\"2\"}}]";
	const char *r = "{\"id\":\"9\",\"name\":\"c\",\"headers\":{\"y\":\"2\",\"x\":\"1\"},\"createdAt\":\"t\"}\n"
	    "{\"id\":\"1\",\"name\":\"a\"}\n{\"id\":\"2\",\"name\":\"d\"}\n";

	ck_assert_str_eq(diff(l, r, "name"), "!a.description <b >d 1=");
	ck_assert_str_eq(diff(l, r, "id"), "!a.description !b.name <c >c 0=");
	ck_assert_str_eq(diff(l, l, "name"), "3=");
	ck_assert_str_eq(diff("[]", "[]", "name"), "0=");
	ck_assert_str_eq(diff("[{\"name\":\"\",\"description\":\"d\"},{\"name\":\"a\"}]",
	    "[{\"name\":\"a\"},{\"name\":\"\"}]", "name"), "!.description 1=");
	ck_assert_str_eq(diff("[{\"name\":\"a\"},{\"name\":\"a\"}]", "[{\"name\":\"a\"}]", "name"), "*a 1=");
}
END_TEST

/* The suite. */
Suite *
plan_suite(void)
{
	const TTest *const tests[] = {what_is_new_is_created_without_what_each_side_makes,
	    what_is_there_is_left, each_policy_settles_a_conflict,
	    an_update_that_could_write_nothing_is_skipped,
	    a_member_that_the_target_shows_nowhere_is_not_compared,
	    a_target_with_more_members_than_are_remembered_is_compared_whole,
	    a_rename_finds_a_free_name_and_its_own_again, names_within_the_source_are_given_once,
	    what_is_no_persona_is_refused, one_without_a_name_is_only_one_of_many, a_target_that_cannot_be_read_has_no_index,
	    a_file_that_changes_is_noticed, two_sides_are_compared_member_by_member, NULL};

	return unit_suite("plan", tests);
}
