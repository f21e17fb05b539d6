#ifndef MAPPING_CASES_H
#define MAPPING_CASES_H

#include "mapping/mapping.h"

/*
 * Tests of the mapping that stand in the file beside it ("mapping_tests"): a
 * body, an operation, and what must become of it.
 */
struct mapping_cases {
	/* The mapping of a resource ("persona", "community") for a project (NULL:
	 * what the file says for all); NULL for none of that name. */
	const struct mapping *(*mapping)(void *arg, const char *resource, const char *project);
	/* What ${project.…} stands for; false when there is no such project. The id
	 * is the caller's. */
	bool (*project)(void *arg, const char *id, struct mapping_project *out);
	void *arg;
};

/* Runs the tests of a section (NULL: none). What is wrong in them, and each
 * difference, becomes a mistake at the test's place. */
void mapping_cases_run(const struct mapping_cases *, const struct yaml_node *section,
    struct diag_list *);

#endif
