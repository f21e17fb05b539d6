#include "config.h"

#include "exposition.h"
#include "stage.h"
#include "unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* GET /metrics, by the real program. */

#define ROUTE "route=\"/api/projects/:project/personas"
#define JSON "{\"name\":\"%s\",\"systemPrompt\":\"x\"}"

/* Scrapes and reads. */
static void
scrape(void)
{
	struct reply *r = ask(stage_gateway.admin_port, "GET", "/metrics", NULL, NULL);

	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_field(r, "content-type"), "text/plain; version=0.0.4; charset=utf-8");
	exposition_read(r->body);
}

/* The value of a series now. */
static double
now(const char *name, const char *labels)
{
	scrape();
	return exposition_value(name, labels);
}

START_TEST(requests_are_counted_by_method_route_and_status)
{
	char *id;

	stage_open(NULL, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"a\"}");
	ck_assert_int_eq(call("POST", STAGE_DEMO, "{\"name\":\"a\"}")->status, 409);
	ck_assert_int_eq(call("GET", below(STAGE_DEMO, id), NULL)->status, 200);
	ck_assert_int_eq(call("GET", STAGE_PLAIN "/nobody", NULL)->status, 404);
	ck_assert_int_eq(call("GET", "/api/projects/unknown/personas", NULL)->status, 404);
	ck_assert_int_eq(call("GET", "/nowhere/at/all", NULL)->status, 404);
	ck_assert_int_eq(call("WHATEVER", "/nowhere/at/all", NULL)->status, 404);
	ck_assert_int_eq(call("PUT", STAGE_DEMO, "{}")->status, 405);
	scrape();
	ck_assert(exposition_value("persona_gateway_http_requests_total",
	    "method=\"POST\"," ROUTE "\",code=\"201\"") == 1);
	ck_assert(exposition_value("persona_gateway_http_requests_total",
	    "method=\"POST\"," ROUTE "\",code=\"409\"") == 1);
	ck_assert(exposition_value("persona_gateway_http_requests_total",
	    "method=\"GET\"," ROUTE "/:id\",code=\"200\"") == 1);
	ck_assert(exposition_value("persona_gateway_http_requests_total",
	    "method=\"GET\"," ROUTE "/:id\",code=\"404\"") == 1);
	ck_assert(exposition_value("persona_gateway_http_requests_total",
	    "method=\"GET\",route=\"none\",code=\"404\"") == 1);
	ck_assert(exposition_value("persona_gateway_http_requests_total",
	    "method=\"other\",route=\"none\",code=\"404\"") == 1);
	ck_assert(exposition_value("persona_gateway_http_request_duration_seconds_count",
	    "method=\"POST\"," ROUTE "\"") == 2);
	ck_assert(exposition_value("persona_gateway_project_requests_total",
	    "project=\"demo\",code=\"2xx\"") == 2);
	ck_assert(exposition_value("persona_gateway_project_requests_total",
	    "project=\"demo\",code=\"4xx\"") == 1);
	ck_assert(exposition_value("persona_gateway_project_requests_total",
	    "project=\"plain\",code=\"4xx\"") == 1);
	ck_assert_uint_eq(exposition_count("persona_gateway_project_requests_total"), 3);
	ck_assert(now("persona_gateway_http_requests_total",
	    "method=\"GET\",route=\"/metrics\",code=\"200\"") == 1);
	free(id);
	stage_close();
}
END_TEST

START_TEST(nobody_can_make_the_page_grow)
{
	char path[120], method[40];

	stage_open(NULL, "  \"*\": {}\n");
	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof path, "/api/projects/any-%d/personas/p%d?q=%d", i, i, i);
		snprintf(method, sizeof method, "ANY-%c", 'A' + i % 26);
		ck_assert_int_eq(call("GET", path, NULL)->status, 404);
		ck_assert_int_eq(call(method, path + 4, NULL)->status, 404);
	}
	scrape();
	ck_assert(exposition_value("persona_gateway_project_requests_total",
	    "project=\"other\",code=\"4xx\"") == 40);
	ck_assert_uint_eq(exposition_count("persona_gateway_project_requests_total"), 1);
	ck_assert(exposition_value("persona_gateway_http_requests_total",
	    "method=\"other\",route=\"none\",code=\"404\"") == 40);
	ck_assert_uint_eq(exposition_count("persona_gateway_http_requests_total"), 2);
	stage_close();
}
END_TEST

START_TEST(upstream_calls_are_counted_by_what_they_came_to)
{
	stage_open("  timeouts: {connect: 1s, first_byte: 1s, total: 5s}\n  cache: {fresh: 0s}\n", NULL);
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200);
	scrape();
	ck_assert(exposition_value("persona_gateway_upstream_calls_total", "upstream=\"bluejay\"") == 1);
	ck_assert(exposition_value("persona_gateway_upstream_outcomes_total",
	    "upstream=\"bluejay\",outcome=\"2xx\"") == 1);
	ck_assert(exposition_value("persona_gateway_upstream_call_duration_seconds_count",
	    "upstream=\"bluejay\"") == 1);
	stage_fault("errors-before", NULL, 1);
	ck_assert_int_eq(call_with("GET", STAGE_DEMO, "Cache-Control: no-cache\r\n", NULL)->status, 200);
	scrape();
	ck_assert(exposition_value("persona_gateway_upstream_calls_total", "upstream=\"bluejay\"") == 2);
	ck_assert(exposition_value("persona_gateway_upstream_tries_total", "upstream=\"bluejay\"") == 3);
	ck_assert_int_eq(program_stop(&stage_sandbox), 0);
	for (int i = 0; i < 12; i++)
		call_with("GET", STAGE_DEMO, "Cache-Control: no-cache\r\n", NULL);
	scrape();
	ck_assert(exposition_value("persona_gateway_upstream_outcomes_total",
	    "upstream=\"bluejay\",outcome=\"no-connect\"") > 0);
	ck_assert(exposition_value("persona_gateway_upstream_breaker_opened_total",
	    "upstream=\"bluejay\"") >= 1);
	ck_assert(exposition_value("persona_gateway_upstream_breaker_state",
	    "upstream=\"bluejay\",state=\"closed\"") == 0);
	ck_assert(exposition_value("persona_gateway_check_ok", "check=\"upstream\"") == 0);
	ck_assert_int_eq(program_stop(&stage_gateway), 0);
}
END_TEST

START_TEST(cache_store_and_connections_are_counted)
{
	char *id;
	double kept;
	int fd;

	stage_open("  cache: {fresh: 1h}\n", NULL);
	id = create(STAGE_DEMO, "{\"name\":\"a\"}");
	call("GET", below(STAGE_DEMO, id), NULL);
	call("GET", below(STAGE_DEMO, id), NULL);
	call_with("GET", below(STAGE_DEMO, id), "Cache-Control: no-cache\r\n", NULL);
	fd = raw_connect(stage_gateway.port);
	EVENTUALLY(now("persona_gateway_http_connections_open", "listener=\"api\"") == 1);
	ck_assert(exposition_value("persona_gateway_cache_reads_total", "result=\"hit\"") == 2);
	ck_assert(exposition_value("persona_gateway_cache_reads_total", "result=\"miss\"") == 1);
	kept = exposition_value("persona_gateway_cache_entries", "");
	ck_assert_msg(kept >= 1 && kept <= program_loops(), "%g entries", kept); /* a copy for each loop */
	ck_assert(exposition_value("persona_gateway_cache_bytes", "") > 0);
	ck_assert(exposition_value("persona_gateway_store_commits_total", "") >= 2);
	ck_assert(exposition_value("persona_gateway_store_members", "") == 1);
	ck_assert(exposition_value("persona_gateway_store_reconnects_total", "") == 0);
	ck_assert(exposition_value("persona_gateway_http_connections_accepted_total",
	    "listener=\"api\"") == 5);
	ck_assert(exposition_value("persona_gateway_http_requests_in_flight", "listener=\"admin\"") == 1);
	ck_assert(exposition_value("persona_gateway_http_received_bytes_total", "listener=\"api\"") > 300);
	ck_assert(exposition_value("persona_gateway_http_sent_bytes_total", "listener=\"api\"") > 600);
	ck_assert(exposition_value("process_resident_memory_bytes", "") > 1e6);
	ck_assert(exposition_value("process_open_fds", "") > 5);
	ck_assert(exposition_value("process_start_time_seconds", "") > 1.7e9);
	ck_assert(exposition_value("persona_gateway_build_info",
	    "version=\"" PACKAGE_VERSION "\"") == 1);
	close(fd);
	free(id);
	stage_close();
}
END_TEST

START_TEST(unsettled_writes_are_counted_by_state)
{
	const char *operator= "operation=\"create\",state=\"operator\"";

	stage_open(NULL, NULL);
	ck_assert(now("persona_gateway_intents", operator) == 0);
	stage_fault("reset-after", "POST", 1);
	ck_assert_int_eq(call("POST", STAGE_PLAIN, "{\"name\":\"lost\"}")->status, 504);
	EVENTUALLY(now("persona_gateway_intents", operator) == 1);
	ck_assert(exposition_value("persona_gateway_intent_oldest_age_seconds", "") > 0);
	stage_kill_gateway();
	stage_start_gateway();
	ck_assert(now("persona_gateway_intents", operator) == 1);
	stage_close();
}
END_TEST

START_TEST(drift_is_counted_by_path)
{
	stage_open(NULL, NULL);
	scrape();
	ck_assert(exposition_has("persona_gateway_upstream_drift_total"));
	stage_close();
}
END_TEST

/* Every name that begins like one of ours in a file must be shown by the program. */
static void
expect_names(const char *file)
{
	char *text = shell("cat '%s/%s'", TEST_SRCDIR, file);
	unsigned seen = 0;

	ck_assert_uint_gt(strlen(text), 100);
	for (const char *p = text; (p = strstr(p, "persona_gateway_")) != NULL; seen++) {
		size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789_");
		char name[128];

		snprintf(name, sizeof name, "%.*s", (int)n, p);
		ck_assert_msg(exposition_has(name), "%s uses %s, which does not exist", file, name);
		p += n;
	}
	ck_assert_uint_gt(seen, 10);
	free(text);
}

START_TEST(the_examples_use_only_what_exists)
{
	struct json_object *dashboard;
	char *text;

	stage_open(NULL, NULL);
	scrape();
	expect_names("conf/prometheus-alerts.yaml");
	expect_names("conf/grafana-dashboard.json");
	expect_names("docs/operations.md");
	text = shell("cat '%s/conf/grafana-dashboard.json'", TEST_SRCDIR);
	dashboard = json_tokener_parse(text);
	ck_assert_msg(dashboard != NULL, "the dashboard is not JSON");
	json_object_put(dashboard);
	free(text);
	stage_close();
}
END_TEST

/* Whether Prometheus' own tool is on this machine. */
static bool
have_promtool(void)
{
	char *where = shell("command -v promtool || true");
	bool have = *where != '\0';

	free(where);
	if (!have)
		fprintf(stderr, "skipped: promtool is not here; Debian's package is prometheus\n");
	return have;
}

/* Fails unless promtool finds nothing wrong. */
static void
expect_promtool(const char *command, const char *file)
{
	char *said = shell("promtool %s '%s/%s' >%s/said 2>&1 || cat %s/said", command, TEST_SRCDIR, file,
	    scratch_dir(), scratch_dir());

	ck_assert_msg(*said == '\0', "%s", said);
	free(said);
}

START_TEST(prometheus_own_tool_finds_nothing_wrong)
{
	char *said;

	if (!have_promtool())
		return;
	stage_open(NULL, NULL);
	free(create(STAGE_DEMO, "{\"name\":\"a\"}"));
	said = shell("curl -s http://127.0.0.1:%d/metrics | promtool check metrics 2>&1; echo $?",
	    stage_gateway.admin_port);
	ck_assert_str_eq(said, "0\n");
	free(said);
	expect_promtool("check rules", "conf/prometheus-alerts.yaml");
	expect_promtool("test rules", "tests/e2e/alerts.yaml");
	stage_close();
}
END_TEST

/* Tests of metrics. */
static Suite *
metrics_suite(void)
{
	const TTest *const tests[] = {
	    requests_are_counted_by_method_route_and_status,
	    nobody_can_make_the_page_grow,
	    upstream_calls_are_counted_by_what_they_came_to,
	    cache_store_and_connections_are_counted,
	    unsettled_writes_are_counted_by_state,
	    drift_is_counted_by_path,
	    the_examples_use_only_what_exists,
	    prometheus_own_tool_finds_nothing_wrong,
	    NULL,
	};

	return unit_suite("metrics", tests);
}

UNIT_MAIN(metrics_suite)
