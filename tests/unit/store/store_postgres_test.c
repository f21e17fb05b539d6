#include "config.h"

#include "postgres.h"
#include "store_suites.h"

/* The same store on a PostgreSQL database. */
UNIT_MAIN_IF(postgres_possible(), create_suite, change_suite, seen_suite, upkeep_suite, port_suite,
    image_suite, twin_suite, random_suite, copy_suite)
