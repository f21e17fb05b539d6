#include "config.h"

#include "upstream_suites.h"

#include "unit.h"

UNIT_MAIN(pure_suite, outcome_suite, repeat_suite, limits_suite, guards_suite, wire_suite, tls_suite,
    http1_answer_suite, pool_suite, relay_suite, tunnel_suite, address_suite)
