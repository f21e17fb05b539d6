#ifndef STORE_SUITES_H
#define STORE_SUITES_H

#include "unit.h"

/* Runs each test once for every kind of store: _i is an enum fixture_kind. */
Suite *store_suite(const char *name, const TTest *const *tests);
/* Adds tests of stores on disk, where the program has such. */
void store_suite_add_disk(Suite *, const char *name, const TTest *const *tests);
/* Readies what the engine under test needs, before and after the tests. */
void fixture_prepare(TCase *);

Suite *create_suite(void);
Suite *change_suite(void);
Suite *seen_suite(void);
Suite *upkeep_suite(void);
Suite *port_suite(void);
Suite *image_suite(void);
Suite *backup_suite(void);
Suite *copy_suite(void);
Suite *twin_suite(void);
Suite *random_suite(void);
Suite *durable_suite(void);
Suite *member_suite(void);
Suite *schema_suite(void);
Suite *sqlite_suite(void);

#endif
