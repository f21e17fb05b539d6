#include "config.h"

#include "http_rig.h"

UNIT_MAIN(http_budget_suite, http_parse_suite, http_report_suite, http_matrix_suite, http_cut_suite,
    http_conn_suite, http_cors_suite, http_deadline_suite, http_forwarded_suite, http_proxy_suite,
    http_stream_suite, http_team_suite, http_tls_suite, http_upgrade_suite, http_inherit_suite, http_listen_suite, http_route_suite)
