#include "config.h"

#include "store_fixture.h"
#include "store_suites.h"

/* Makes a suite whose tests run for every kind of store. */
Suite *
store_suite(const char *name, const TTest *const *tests)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	fixture_prepare(tcase);
	for (; *tests != NULL; tests++)
		tcase_add_loop_test(tcase, *tests, fixture_kinds.first, fixture_kinds.end);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* Adds tests of stores on disk. */
void
store_suite_add_disk(Suite *suite, const char *name, const TTest *const *tests)
{
	TCase *tcase;

	if (fixture_kinds.first != FIXTURE_DISK)
		return;
	tcase = tcase_create(name);
	for (; *tests != NULL; tests++)
		tcase_add_test(tcase, *tests);
	suite_add_tcase(suite, tcase);
}
