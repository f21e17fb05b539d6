#include "config.h"

#include "http_rig.h"

UNIT_MAIN(http_budget_suite, http_conn_suite, http_report_suite, http_stream_suite, http_upgrade_suite)
