#include "config.h"

#include "core_test.h"

UNIT_MAIN(pure_suite, result_suite, shelf_suite)
