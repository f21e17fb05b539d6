#include "config.h"

#include "base/buf.h"
#include "config/config_find.h"
#include "core/project_rows.h"
#include "core_test.h"

#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Makes the rows of projects and scopes, and expects them, one a line. */
static void
expect_rows(struct config_project *projects, size_t count, const char *const *scopes, const char *want)
{
	struct config config = {.projects = projects, .project_count = count};
	struct snapshot snap = {.config = &config};
	struct store_record records[8] = {0};
	struct store_reply reply = {.records = records};
	struct project_rows rows;
	struct buf b;
	char *got;

	for (; scopes[reply.record_count] != NULL; reply.record_count++) {
		records[reply.record_count].scope = (char *)(uintptr_t)scopes[reply.record_count];
		records[reply.record_count].seq = (int64_t)reply.record_count + 1;
	}
	config_find_prepare(&config);
	project_rows_make(&snap, &reply, &rows);
	buf_init(&b, 0);
	for (size_t i = 0; i < rows.count; i++)
		buf_addf(&b, "%s=%s %s %d\n", rows.items[i].id, rows.items[i].name,
		    rows.items[i].configured ? "file" : "store", (int)rows.items[i].personas);
	buf_adds(&b, rows.others ? "others" : "no others");
	got = buf_take(&b, NULL);
	ck_assert_str_eq(got, want);
	free(got);
	project_rows_free(&rows);
	free(config.by_id);
	free(config.by_agent);
}

static const char *const scopes[] = {"agent:7", "agent:8", "project:lab", "project:old", "project:plain",
    NULL};

START_TEST(the_file_alone_says_which_projects_there_are)
{
	struct config_project projects[] = {
	    {.id = (char[]){"shop"}, .name = (char[]){"The \"shop\""}, .has_agent = true, .agent_id = 8},
	    {.id = (char[]){"plain"}},
	    {.id = (char[]){"empty"}, .has_agent = true, .agent_id = 9}};

	expect_rows(projects, COUNT(projects), scopes,
	    "shop=The \"shop\" file 2\nplain=plain file 5\nempty=empty file 0\nno others");
}
END_TEST

START_TEST(when_every_id_is_admitted_those_with_personas_follow)
{
	struct config_project projects[] = {{.id = (char[]){"*"}}, {.id = (char[]){"old"}, .name = (char[]){"Old"}}};

	expect_rows(projects, COUNT(projects), scopes,
	    "old=Old file 4\nlab=lab store 3\nplain=plain store 5\nothers");
	expect_rows(projects, 1, scopes + 5, "others");
}
END_TEST

/* Tests of the list of projects. */
Suite *
project_rows_suite(void)
{
	const TTest *const tests[] = {
	    the_file_alone_says_which_projects_there_are,
	    when_every_id_is_admitted_those_with_personas_follow,
	    NULL,
	};

	return unit_suite("core project rows", tests);
}
