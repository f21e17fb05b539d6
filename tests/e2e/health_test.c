#include "config.h"

#include "stage.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* /healthz and /readyz, by the real program: nobody but the one who asks about its
 * health speaks to the gateway here. */

/* Asks /readyz; true when it has the status, and the text in its body. */
static bool
ready_is(int status, const char *text)
{
	struct reply *r = ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL);

	return r->status == status && strstr(r->body, text) != NULL;
}

/* Starts a gateway alone, with this upstream and key. */
static void
start(const char *url, const char *key)
{
	const char *args[] = {"serve", "--config", NULL, "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", NULL};

	args[2] = scratch_file("health.yaml",
	    "data_dir: health\nbluejay: {url: '%s', api_key: %s, timeouts: {connect: 1s, first_byte: 1s, "
	    "total: 2s}}\nprojects: {demo: {agent_id: 7}}\n", url, key);
	program_start(&stage_gateway, args);
}

START_TEST(while_all_is_well_bluejay_is_asked_once)
{
	struct reply *r;

	stage_open(NULL, NULL);
	r = ask(stage_gateway.admin_port, "GET", "/healthz", NULL, NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(r->body, "{\"alive\":true}");
	ck_assert_int_eq(stage_received("GET", "/v1/ping"), 0);
	EVENTUALLY(ready_is(200, "\"ready\":true") && stage_received("GET", "/v1/ping") == 1);
	for (int i = 0; i < 20; i++)
		ck_assert(ready_is(200, "{\"store\":{\"ok\":true},\"upstream\":{\"ok\":true},"
		    "\"key\":{\"ok\":true},\"personas\":{\"ok\":true},\"unsettled\":0,\"ready\":true}"));
	ck_assert_int_eq(stage_received("GET", "/v1/ping"), 1);
	stage_close();
}
END_TEST

START_TEST(a_wrong_key_shows_before_any_client_comes)
{
	const char *const sandbox[] = {"sandbox", NULL};

	program_start(&stage_sandbox, sandbox);
	start(stage_sandbox.url[0], "wrong");
	EVENTUALLY(ready_is(503, "\"key\":{\"ok\":false,\"why\":\"Bluejay refuses the API key\"}"));
	stage_close();
}
END_TEST

START_TEST(readiness_comes_back_with_bluejay)
{
	const char *sandbox[] = {"sandbox", "--listen", NULL, NULL};
	char listen[40];

	program_start(&stage_sandbox, (const char *const[]){"sandbox", NULL});
	snprintf(listen, sizeof listen, "127.0.0.1:%d", stage_sandbox.port);
	sandbox[2] = listen;
	start(stage_sandbox.url[0], "sandbox");
	ck_assert_int_eq(program_stop(&stage_sandbox), 0);
	EVENTUALLY(ready_is(503, "\"upstream\":{\"ok\":false,\"why\":\"Bluejay has not answered so far\"}"));
	program_start(&stage_sandbox, sandbox);
	EVENTUALLY(ready_is(200, "\"ready\":true"));
	ck_assert_int_eq(program_stop(&stage_sandbox), 0);
	for (int i = 0; i < 12; i++) /* opens the breaker */
		call_with("GET", STAGE_DEMO, "Cache-Control: no-cache\r\n", NULL);
	ck_assert(ready_is(503, "\"why\":\"Bluejay is failing; calls are held back\""));
	program_start(&stage_sandbox, sandbox);
	EVENTUALLY(ready_is(200, "\"ready\":true"));
	stage_close();
}
END_TEST

START_TEST(a_gateway_that_stops_is_not_ready)
{
	struct reply *r;
	int fd;

	stage_open("  timeouts: {connect: 5s, first_byte: 30s, total: 30s}\n", NULL);
	EVENTUALLY(ready_is(200, "\"ready\":true"));
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":2000}");
	fd = call_start("GET", STAGE_DEMO, "Cache-Control: no-cache\r\n", NULL);
	EVENTUALLY(stage_received("GET", "/v1/customer-personas-by-agent/{agent_id}") == 1);
	kill(stage_gateway.pid, SIGTERM);
	EVENTUALLY(ready_is(503, "\"serving\":{\"ok\":false,\"why\":\"the gateway stops\"}"));
	r = ask(stage_gateway.admin_port, "GET", "/metrics", NULL, NULL);
	ck_assert_ptr_nonnull(strstr(r->body, "persona_gateway_check_ok{check=\"serving\"} 0\n"));
	ck_assert_int_eq(ask_end(fd)->status, 200);
	stage_close();
}
END_TEST

/* Tests of health. */
static Suite *
health_suite(void)
{
	const TTest *const tests[] = {
	    while_all_is_well_bluejay_is_asked_once,
	    a_wrong_key_shows_before_any_client_comes,
	    readiness_comes_back_with_bluejay,
	    a_gateway_that_stops_is_not_ready,
	    NULL,
	};

	return unit_suite("health", tests);
}

UNIT_MAIN(health_suite)
