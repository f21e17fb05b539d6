#ifndef MAPPING_TEST_H
#define MAPPING_TEST_H

#include "mapping/mapping.h"

#include <check.h>

/* Compiles a section that must be good; NULL gives the default. */
struct mapping *mapping_test_compile(const char *section);
struct mapping *mapping_test_compile_of(const struct mapping_resource *, const char *section);

/* Compiles a section and expects these messages, one a line, sorted. */
void mapping_test_refused(const char *section, const char *messages);
void mapping_test_refused_of(const struct mapping_resource *, const char *section,
    const char *messages);

/* Reads a JSON text that must be good. */
struct json_object *mapping_test_json(const char *text);

/* Expects a tree to print as this text; NULL: that there is none. */
void mapping_test_prints(struct json_object *, const char *text);

Suite *mapping_answer_suite(void);
Suite *mapping_cases_suite(void);
Suite *mapping_community_suite(void);
Suite *mapping_compile_suite(void);
Suite *mapping_convert_suite(void);
Suite *mapping_convert_refuse_suite(void);
Suite *mapping_copy_suite(void);
Suite *mapping_drift_suite(void);
Suite *mapping_law_suite(void);
Suite *mapping_request_suite(void);
Suite *mapping_resource_suite(void);
Suite *mapping_round_suite(void);
Suite *mapping_set_suite(void);
Suite *mapping_template_suite(void);
Suite *mapping_walk_suite(void);
Suite *mapping_when_suite(void);

#endif
