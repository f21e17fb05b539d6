#include "config.h"

#include "core_test.h"

UNIT_MAIN(connector_suite, drift_suite, image_suite, peers_lease_suite, peers_suite, peers_write_suite,
    portrait_suite, project_rows_suite, pure_suite, recorder_suite, resource_suite, result_suite,
    shelf_suite, sight_suite, snapshot_suite, twin_suite)
