#include "config.h"

#include "sandbox_test.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

START_TEST(the_state_shows_everything_with_its_agent)
{
	char one[UUID_SIZE], two[UUID_SIZE], path[128];
	struct reply reply;
	struct rig r;

	rig_open(&r, NULL);
	make_persona(&r, 7, "Ann", one);
	make_persona(&r, 8, "Bob", two);
	fetch_done(&r, "POST", "/v1/create-customer-persona",
	    "{\"name\":\"Cyd\",\"description\":\"\",\"goal\":\"\"}");
	fetch_done(&r, "POST", "/v1/create-community", "{\"title\":\"t\"}");
	snprintf(path, sizeof path, "/v1/customer-persona/%s", one);
	fetch_done(&r, "DELETE", path, NULL);
	reply = fetch(&r, "GET", "/__sandbox/state", NULL);
	ck_assert_int_eq(reply.status, 200);
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "deleted")), 1);
	ck_assert_uint_eq(json_object_array_length(dig(reply.json, "personas")), 2);
	ck_assert_str_eq(dig_text(reply.json, "personas.0.id"), two);
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "personas.0.agent_id")), 8);
	ck_assert_ptr_null(dig(reply.json, "personas.1.agent_id"));
	ck_assert_str_eq(dig_text(reply.json, "personas.1.org_id"), dig_text(reply.json, "org_id"));
	ck_assert_uint_eq(json_object_array_length(dig(reply.json, "communities")), 1);
	schema_community(dig(reply.json, "communities.0"));
	reply_free(&reply);
	rig_close(&r);
}
END_TEST

START_TEST(requests_are_counted_by_path_and_by_whether_they_were_processed)
{
	char id[UUID_SIZE];
	struct reply reply;
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	make_persona(&r, 7, "Ann", id);
	reply = fetch(&r, "POST", "/v1/create-customer-persona", "{}");
	reply_free(&reply);
	reply = fetch(&r, "GET", "/v1/nothing", NULL);
	reply_free(&reply);
	rig_faults(&r, "reset-before", 1);
	wire_open(&r, &w);
	wire_request(&w, "POST", "/v1/create-customer-persona", "{}");
	wire_settle(&w);
	wire_close(&w);
	reply = fetch(&r, "GET", "/__sandbox/requests", NULL);
	ck_assert_int_eq(reply.status, 200);
	ck_assert_uint_eq(json_object_array_length(dig(reply.json, "requests")), 14);
	ck_assert_str_eq(dig_text(reply.json, "requests.1.path"), "/v1/create-customer-persona");
	ck_assert_str_eq(dig_text(reply.json, "requests.1.method"), "POST");
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "requests.1.received")), 3);
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "requests.1.processed")), 2);
	ck_assert_str_eq(dig_text(reply.json, "requests.3.path"),
	    "/v1/customer-persona/{persona_id}");
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "requests.3.received")), 0);
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "unknown")), 1);
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "faults.reset-before")), 1);
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "faults.reset-after")), 0);
	reply_free(&reply);
	rig_close(&r);
}
END_TEST

START_TEST(faults_are_switched_at_run_time)
{
	struct sandbox_faults *f;
	struct reply reply;
	struct rig r;

	rig_open(&r, NULL);
	f = sandbox_service_faults(r.service);
	reply = fetch(&r, "POST", "/__sandbox/faults",
	    "{\"profile\":\"errors\",\"seed\":42,\"percent\":100,\"count\":1,\"method\":\"GET\","
	    "\"delay_ms\":5}");
	ck_assert_int_eq(reply.status, 200);
	ck_assert_str_eq(dig_text(reply.json, "profile"), "errors");
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "seed")), 42);
	reply_free(&reply);
	ck_assert_str_eq(sandbox_faults_name(f), "errors");
	ck_assert_uint_eq(f->seed, 42);
	ck_assert_int_eq(f->percent, 100);
	ck_assert_int_eq(f->count, 1);
	ck_assert_int_eq(f->delay_ms, 5);
	ck_assert_str_eq(f->method, "GET");
	fetch_done(&r, "POST", "/v1/create-community", "{\"title\":\"t\"}");
	reply = fetch(&r, "GET", "/v1/ping", NULL);
	ck_assert_int_ge(reply.status, 500);
	reply_free(&reply);
	fetch_done(&r, "GET", "/v1/ping", NULL);
	reply = fetch(&r, "GET", "/__sandbox/faults", NULL);
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "count")), 0);
	ck_assert_int_eq(json_object_get_int(dig(reply.json, "number")), 3);
	ck_assert_str_eq(dig_text(reply.json, "profiles.0.name"), "none");
	reply_free(&reply);
	fetch_done(&r, "POST", "/__sandbox/faults", "{\"profile\":\"none\"}");
	ck_assert_int_eq(f->percent, -1);
	ck_assert_str_eq(f->method, "");
	rig_close(&r);
}
END_TEST

START_TEST(faults_are_taken_from_a_plain_curl)
{
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	wire_open(&r, &w);
	wire_send(&w, "POST /__sandbox/faults HTTP/1.1\r\nHost: localhost\r\nX-API-Key: sandbox\r\n"
	              "Content-Type: application/x-www-form-urlencoded\r\n"
	              "Content-Length: 19\r\n\r\n{\"profile\":\"chaos\"}");
	wire_settle(&w);
	ck_assert_int_eq(wire_status(&w), 200);
	ck_assert_str_eq(sandbox_faults_name(sandbox_service_faults(r.service)), "chaos");
	wire_close(&w);
	rig_close(&r);
}
END_TEST

START_TEST(wrong_faults_change_nothing)
{
	static const char *const bad[] = {"{\"profile\":\"nonsense\"}", "{}", "[]", "{\"seed\":1}",
		"{\"profile\":\"chaos\",\"percent\":101}", "{\"profile\":\"chaos\",\"count\":-1}",
		"{\"profile\":\"chaos\",\"method\":\"get\"}",
		"{\"profile\":\"chaos\",\"delay_ms\":60001}",
		"{\"profile\":\"chaos\",\"seed\":\"x\"}",
		"{\"profile\":\"chaos\",\"seed\":-1}", "{", "",
		"{\"profile\":\"latency\",\"delay\":[1,2]}", "{\"profile\":\"chaos\",\"\\\"\\n\":1}"};
	struct rig r;

	rig_open(&r, NULL);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct reply reply = fetch(&r, "POST", "/__sandbox/faults", bad[i]);

		ck_assert_msg(reply.status == 422, "%s", bad[i]);
		schema_mistakes(reply.json);
		reply_free(&reply);
		ck_assert_str_eq(sandbox_faults_name(sandbox_service_faults(r.service)), "none");
	}
	rig_close(&r);
}
END_TEST

START_TEST(a_reset_forgets_everything_but_the_organisation)
{
	struct reply before, after;
	char id[UUID_SIZE], path[128];
	struct rig r;

	rig_open(&r, NULL);
	make_persona(&r, 7, "Ann", id);
	fetch_done(&r, "POST", "/v1/create-community", "{\"title\":\"t\"}");
	before = fetch(&r, "GET", "/__sandbox/state", NULL);
	rig_faults(&r, "lagging-lists", 1);
	make_persona(&r, 7, "Bob", id);
	snprintf(path, sizeof path, "/v1/customer-persona/%s", id);
	fetch_done(&r, "DELETE", path, NULL);
	fetch_done(&r, "POST", "/__sandbox/reset", NULL);
	after = fetch(&r, "GET", "/__sandbox/state", NULL);
	ck_assert_str_eq(dig_text(after.json, "org_id"), dig_text(before.json, "org_id"));
	ck_assert_uint_eq(json_object_array_length(dig(after.json, "personas")), 0);
	ck_assert_uint_eq(json_object_array_length(dig(after.json, "communities")), 0);
	ck_assert_int_eq(json_object_get_int(dig(after.json, "deleted")), 0);
	ck_assert_uint_eq(sandbox_service_tally(r.service)->received[1], 0);
	ck_assert_uint_eq(sandbox_service_faults(r.service)->number, 0);
	ck_assert_uint_eq(sandbox_state_bytes(sandbox_service_state(r.service)), 0);
	reply_free(&before);
	reply_free(&after);
	rig_close(&r);
}
END_TEST

START_TEST(control_paths_want_the_key_and_meet_no_fault)
{
	static const char *const paths[] = {"state", "requests", "faults"};
	char request[256];
	struct reply reply;
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	rig_faults(&r, "reset-before", 3);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		snprintf(request, sizeof request,
		    "GET /__sandbox/%s HTTP/1.1\r\nHost: localhost\r\nX-API-Key: no\r\n\r\n"
		    "GET /__sandbox/%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
		    paths[i], paths[i]);
		wire_open(&r, &w);
		wire_send(&w, request);
		wire_settle(&w);
		ck_assert_int_eq(wire_status(&w), 401);
		ck_assert_ptr_nonnull(strstr(w.in.data, "HTTP/1.1 422"));
		wire_close(&w);
	}
	reply = fetch(&r, "GET", "/__sandbox/nothing", NULL);
	ck_assert_int_eq(reply.status, 404);
	reply_free(&reply);
	reply = fetch(&r, "GET", "/__sandbox/reset", NULL);
	ck_assert_int_eq(reply.status, 405);
	reply_free(&reply);
	ck_assert_uint_eq(sandbox_service_faults(r.service)->number, 0);
	rig_close(&r);
}
END_TEST

/* The tests. */
Suite *
suite_control(void)
{
	const TTest *const tests[] = {
		the_state_shows_everything_with_its_agent,
		requests_are_counted_by_path_and_by_whether_they_were_processed,
		faults_are_switched_at_run_time,
		faults_are_taken_from_a_plain_curl,
		wrong_faults_change_nothing,
		a_reset_forgets_everything_but_the_organisation,
		control_paths_want_the_key_and_meet_no_fault,
		NULL,
	};

	return unit_suite("sandbox control", tests);
}
