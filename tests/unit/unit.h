#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

#define UNIT_SKIPPED 77 /* the exit code that says so to make check */

/* Runs the suites given and turns failures into an exit code. */
#define UNIT_MAIN(...) UNIT_MAIN_IF(true, __VA_ARGS__)

/* The same for a program that is skipped on a machine where it cannot run. */
#define UNIT_MAIN_IF(possible, ...)                                                 \
	int main(void)                                                              \
	{                                                                           \
		Suite *(*const suites[])(void) = {__VA_ARGS__};                     \
		SRunner *runner;                                                    \
		int failed;                                                         \
                                                                                    \
		if (!(possible))                                                    \
			return UNIT_SKIPPED;                                        \
		runner = srunner_create(NULL);                                      \
		for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)         \
			srunner_add_suite(runner, suites[i]());                     \
		srunner_run_all(runner, CK_NORMAL);                                 \
		failed = srunner_ntests_failed(runner);                             \
		srunner_free(runner);                                               \
		return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                   \
	}

/* Makes a suite of one test case from a NULL-terminated list of tests, each of which may take so
 * long; *tcase (may be NULL) takes more of them. */
static inline Suite *
unit_suite_within(const char *name, const TTest *const *tests, double seconds, TCase **tcase)
{
	Suite *suite = suite_create(name);
	TCase *one = tcase_create(name);

	tcase_set_timeout(one, seconds);
	for (; *tests != NULL; tests++)
		tcase_add_test(one, *tests);
	suite_add_tcase(suite, one);
	if (tcase != NULL)
		*tcase = one;
	return suite;
}

/* The same with a minute. */
static inline Suite *
unit_suite(const char *name, const TTest *const *tests)
{
	return unit_suite_within(name, tests, 60, NULL);
}

#endif
