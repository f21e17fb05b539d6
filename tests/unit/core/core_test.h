#ifndef CORE_TEST_H
#define CORE_TEST_H

#include "base/loop.h"
#include "unit.h"

Suite *connector_suite(void);
Suite *drift_suite(void);
Suite *image_suite(void);
Suite *peers_lease_suite(void);
Suite *peers_suite(void);
Suite *peers_write_suite(void);
Suite *portrait_suite(void);
Suite *project_rows_suite(void);
Suite *pure_suite(void);
Suite *recorder_suite(void);
Suite *resource_suite(void);
Suite *result_suite(void);
Suite *shelf_suite(void);
Suite *sight_suite(void);
Suite *snapshot_suite(void);
Suite *twin_suite(void);

#endif
