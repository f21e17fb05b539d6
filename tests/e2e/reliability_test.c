#include "config.h"

#include "reliability_test.h"
#include "unit.h"

UNIT_MAIN(reliability_create_suite, reliability_operator_suite, reliability_change_suite,
    reliability_read_suite, reliability_share_suite)
