#include "config.h"

#include "load_test.h"
#include "config/config_find.h"

static const char several[] = KEY "projects:\n"
    "  zoo: {agent_id: 7, shared_agent: true}\n"
    "  ape: {agent_id: 3}\n"
    "  \"*\": {}\n"
    "  bee: {}\n"
    "  cow: {agent_id: 7, shared_agent: true}\n"
    "  ant: {agent_id: 9}\n"
    "  ant.1: {agent_id: 7, shared_agent: true}\n";

START_TEST(projects_are_found_by_id)
{
	struct config *c = load(several, "");

	for (size_t i = 0; i < c->project_count; i++)
		ck_assert_ptr_eq(config_find_project(c, c->projects[i].id), &c->projects[i]);
	ck_assert_ptr_null(config_find_project(c, ""));
	ck_assert_ptr_null(config_find_project(c, "an"));
	ck_assert_ptr_null(config_find_project(c, "ant."));
	ck_assert_ptr_null(config_find_project(c, "zoo "));
	config_free(c);
}
END_TEST

START_TEST(projects_of_an_agent_are_found_as_in_the_file)
{
	struct config *c = load(several, "");
	const struct config_project *p = config_find_agent(c, 7);

	ck_assert_str_eq(p->id, "zoo");
	p = config_find_agent_next(c, p);
	ck_assert_str_eq(p->id, "cow");
	p = config_find_agent_next(c, p);
	ck_assert_str_eq(p->id, "ant.1");
	ck_assert_ptr_null(config_find_agent_next(c, p));
	ck_assert_str_eq(config_find_agent(c, 3)->id, "ape");
	ck_assert_str_eq(config_find_agent(c, 9)->id, "ant");
	ck_assert_ptr_null(config_find_agent_next(c, config_find_agent(c, 9)));
	ck_assert_ptr_null(config_find_agent(c, 0));
	ck_assert_ptr_null(config_find_agent(c, 4));
	ck_assert_ptr_null(config_find_agent(c, 10));
	config_free(c);
}
END_TEST

/* The suite. */
Suite *
find_suite(void)
{
	const TTest *const tests[] = {projects_are_found_by_id,
	    projects_of_an_agent_are_found_as_in_the_file, NULL};

	return unit_suite("find", tests);
}
