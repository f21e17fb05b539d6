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
	for (; *tests != NULL; tests++)
		tcase_add_loop_test(tcase, *tests, 0, FIXTURE_KINDS);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(create_suite, change_suite, seen_suite, upkeep_suite, port_suite, image_suite, twin_suite,
    random_suite, member_suite, durable_suite, sqlite_suite, schema_suite,
    backup_suite)
