#include "config.h"

#include "store_suites.h"

/* The store on the embedded engine. */
UNIT_MAIN(create_suite, change_suite, seen_suite, upkeep_suite, port_suite, image_suite, twin_suite,
    random_suite, member_suite, durable_suite, sqlite_suite, schema_suite,
    backup_suite, copy_suite)
