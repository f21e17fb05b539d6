#include "config.h"

#include "bluejay.h"
#include "scripted_stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A stop, limits, a full disk and a start with what is under way. */

/* ---- stopping ---- */

START_TEST(a_stop_with_everything_in_flight_leaves_nothing_behind)
{
	const char *id, *other;
	int fd[9];

	scripted_start("  timeouts: {total: 20s}\n  settle: {grace: 100ms}\n  retries: 1\n");
	id = create("a", "{\"name\":\"x\"}");
	other = create("a", "{\"name\":\"z\"}");
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	bluejay_rule("GET", LISTING, -1, BLUEJAY_HOLD, 0, NULL);
	fd[0] = begin("POST", "a", NULL, NULL, "{\"name\":\"looking\"}");
	bluejay_wait("GET", LISTING, 2);
	bluejay_rule("POST", CREATE, -1, BLUEJAY_HOLD, 0, NULL);
	bluejay_rule("PUT", UPDATE, -1, BLUEJAY_HOLD, 0, NULL);
	bluejay_rule("DELETE", GET, -1, BLUEJAY_HOLD, 0, NULL);
	bluejay_rule("GET", GET, -1, BLUEJAY_HOLD, 0, NULL);
	fd[1] = begin("POST", "a", NULL, NULL, "{\"name\":\"sending\"}");
	fd[2] = begin("POST", "a", NULL, NULL, "{\"name\":\"sending\"}");
	fd[3] = begin("POST", "a", NULL, NULL, "{\"name\":\"sending\",\"description\":\"behind\"}");
	fd[4] = begin("PUT", "a", id, NULL, "{\"name\":\"y\"}");
	bluejay_wait("PUT", UPDATE, 1);
	fd[5] = begin("DELETE", "a", id, NULL, NULL);
	fd[6] = begin("DELETE", "a", other, NULL, NULL);
	fd[7] = begin("GET", "a", NULL, NO_CACHE, NULL);
	fd[8] = begin("PUT", "a", "3c90c3cc-0d44-4b50-8888-8dd25736052a", NULL, "{\"name\":\"w\"}");
	bluejay_wait("POST", CREATE, 4);
	bluejay_wait("DELETE", GET, 1);
	call("GET", "plain", NULL, NULL, NULL);
	program_cut(&item_gateway);
	for (int i = 0; i < 9; i++)
		close(fd[i]);
	bluejay_forget();
	scripted_run();
	settled();
	ck_assert_str_eq(create("a", "{\"name\":\"looking\"}"), bluejay_id("looking"));
	scripted_stop();
}
END_TEST

START_TEST(a_drain_waits_for_a_create_whose_client_left)
{
	int fd;

	scripted_start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	close(fd);
	program_term(&item_gateway);
	ck_assert(raw_refused(item_gateway.port));
	bluejay_release();
	ck_assert_int_eq(program_wait(&item_gateway), 0);
	scripted_run();
	ck_assert_ptr_null(intent("id"));
	ck_assert_str_eq(create("a", "{\"name\":\"x\"}"), bluejay_id("x"));
	scripted_stop();
}
END_TEST

/* ---- limits ---- */

START_TEST(bodies_in_work_are_bounded_while_bluejay_stalls)
{
	static char body[300100];
	int fd[8], refused = 0, n;
	char head[256];

	scripted_start("  timeouts: {total: 20s}\nlimits: {buffers: 1MiB}\n");
	bluejay_rule("POST", CREATE, -1, BLUEJAY_HOLD, 0, NULL);
	for (int i = 0; i < 8; i++) {
		n = snprintf(body, sizeof body, "{\"name\":\"p%d\",\"description\":\"", i);
		memset(body + n, 'd', 300000);
		strcpy(body + n + 300000, "\"}");
		fd[i] = raw_connect(item_gateway.port);
		n = snprintf(head, sizeof head,
		    "POST /api/projects/plain/personas HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", strlen(body));
		raw_send(fd[i], head, (size_t)n);
		raw_send(fd[i], body, strlen(body));
	}
	bluejay_wait("POST", CREATE, 1);
	bluejay_forget();
	for (int i = 0; i < 8; i++) {
		struct reply *r = ask_end(fd[i]);

		ck_assert(r->status == 503 || r->status == 201);
		refused += r->status == 503;
	}
	ck_assert_int_gt(refused, 0);
	ck_assert_int_lt(refused, 8);
	ck_assert_uint_eq(bluejay_personas(NULL), (unsigned)(8 - refused));
	create("plain", "{\"name\":\"again\"}");
	scripted_stop();
}
END_TEST

/* ---- a full disk ---- */

/* Lets the gateway's files grow no more, or lets them grow again. */
static void
fill_disk(bool full)
{
	struct rlimit limit;

	ck_assert_int_eq(prlimit(item_gateway.pid, RLIMIT_FSIZE, NULL, &limit), 0);
	limit.rlim_cur = full ? 1 : limit.rlim_max;
	ck_assert_int_eq(prlimit(item_gateway.pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

START_TEST(a_full_disk_refuses_writes_before_they_are_sent)
{
	const char *id;

	scripted_start(SHORT);
	id = create("a", "{\"name\":\"x\"}");
	fill_disk(true);
	for (int i = 0; i < 2; i++) {
		expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"y\"}"), 503, NULL);
		expect_error(call("POST", "plain", NULL, KEY("k"), "{\"name\":\"y\"}"), 503, NULL);
		expect_error(call("PUT", "a", id, NULL, "{\"name\":\"z\"}"), 503, NULL);
		expect_error(call("PUT", "a", id, NULL, "{\"headers\":{}}"), 503, NULL);
		expect_error(call("DELETE", "a", id, NULL, NULL), 503, NULL);
		ck_assert_int_eq(call("GET", "a", id, NO_CACHE, NULL)->status, 200);
		bluejay_edit(id, "description", "changed");
		ck_assert_str_eq(described(), "changed");
	}
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	ck_assert_uint_eq(bluejay_count("PUT", UPDATE), 0);
	ck_assert_uint_eq(bluejay_count("DELETE", GET), 0);
	ck_assert_int_eq(ask(item_gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 503);
	fill_disk(false);
	create("a", "{\"name\":\"y\"}");
	ck_assert_int_eq(call("POST", "plain", NULL, KEY("k"), "{\"name\":\"y\"}")->status, 201);
	ck_assert_int_eq(call("PUT", "a", id, NULL, "{\"name\":\"z\"}")->status, 200);
	ck_assert_int_eq(ask(item_gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 200);
	scripted_stop();
}
END_TEST

START_TEST(a_create_that_a_full_disk_kept_from_the_record_is_recorded_later)
{
	struct reply *r;
	int fd;

	scripted_start(SHORT);
	listed("a");
	bluejay_rule("POST", CREATE, 1, BLUEJAY_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, _i == 0 ? NULL : KEY("k"), "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	fill_disk(true);
	bluejay_release();
	r = ask_end(fd);
	ck_assert_int_eq(r->status, 503);
	ck_assert_ptr_nonnull(strstr(r->body, "Bluejay has created"));
	if (_i == 2) {
		program_kill(&item_gateway);
		scripted_run();
	} else
		fill_disk(false);
	settled();
	r = call("POST", "a", NULL, _i == 0 ? NULL : KEY("k"), "{\"name\":\"x\"}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_str_eq(reply_string(r, "id"), bluejay_id("x"));
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	scripted_stop();
}
END_TEST

START_TEST(a_refused_create_that_a_full_disk_keeps_open_is_given_up_later)
{
	int fd;

	scripted_start(SHORT);
	listed("a");
	bluejay_rule("POST", CREATE, 1, BLUEJAY_HOLD_ANSWER, 422, "{\"detail\":[]}");
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	fill_disk(true);
	bluejay_release();
	ck_assert_int_eq(ask_end(fd)->status, 400);
	fill_disk(false);
	settled();
	create("a", "{\"name\":\"x\",\"description\":\"d\"}");
	scripted_stop();
}
END_TEST

START_TEST(changes_that_a_full_disk_kept_from_the_record_are_recorded_later)
{
	const char *id, *gone;
	struct reply *r;
	int a, b;

	/* the listing stands still for longer than SHORT has listings lag */
	scripted_start("  timeouts: {total: 4s}\n  retries: 1\n  settle: {grace: 4s}\n  cache: {fresh: 0s}\n");
	id = create("a", "{\"name\":\"x\"}");
	gone = create("a", "{\"name\":\"gone\"}");
	listed("a");
	bluejay_rule("PUT", UPDATE, 1, BLUEJAY_HOLD, 0, NULL);
	bluejay_rule("DELETE", GET, 1, BLUEJAY_HOLD, 0, NULL);
	a = begin("PUT", "a", id, NULL, "{\"name\":\"y\",\"headers\":{\"h\":\"1\"}}");
	b = begin("DELETE", "a", gone, NULL, NULL);
	bluejay_wait("PUT", UPDATE, 1);
	bluejay_wait("DELETE", GET, 1);
	bluejay_freeze(true);
	fill_disk(true);
	bluejay_release();
	ck_assert_int_eq(ask_end(a)->status, 503);
	ck_assert_int_eq(ask_end(b)->status, 503);
	fill_disk(false);
	settled();
	r = call("GET", "a", id, NULL, NULL);
	ck_assert_str_eq(reply_string(r, "name"), "y");
	ck_assert(json_object_object_get_ex(reply_json(r), "headers", NULL));
	ck_assert_int_eq(call("GET", "a", gone, NULL, NULL)->status, 404);
	ck_assert_int_eq(listed("a"), 1);
	bluejay_freeze(false);
	create("a", "{\"name\":\"x\"}");
	create("a", "{\"name\":\"gone\"}");
	scripted_stop();
}
END_TEST

/* ---- a start ---- */

START_TEST(records_follow_their_project_to_an_agent_and_are_missed_without_it)
{
	struct json_object *list, *value;
	char *log;

	bluejay_start();
	scripted_one_project("");
	scripted_run();
	create("p", "{\"name\":\"x\",\"headers\":{\"h\":\"1\"}}");
	ck_assert_int_eq(program_stop(&item_gateway), 0);
	scripted_one_project("agent_id: 1");
	scripted_run();
	list = reply_json(call("GET", "p", NULL, NULL, NULL));
	ck_assert_uint_eq(json_object_array_length(list), 1);
	ck_assert(json_object_object_get_ex(json_object_array_get_idx(list, 0), "headers", &value));
	ck_assert_int_eq(program_stop(&item_gateway), 0);
	scripted_one_project("agent_id: 2");
	scripted_run();
	ck_assert_int_eq(listed("p"), 0);
	log = program_log(&item_gateway);
	ck_assert_ptr_nonnull(strstr(log, "agent:1"));
	free(log);
	scripted_stop();
}
END_TEST

/* The suite. */
static Suite *
scripted_stop_suite(void)
{
	const TTest *const tests[] = {
	    a_stop_with_everything_in_flight_leaves_nothing_behind,
	    a_drain_waits_for_a_create_whose_client_left,
	    bodies_in_work_are_bounded_while_bluejay_stalls,
	    a_full_disk_refuses_writes_before_they_are_sent,
	    a_refused_create_that_a_full_disk_keeps_open_is_given_up_later,
	    changes_that_a_full_disk_kept_from_the_record_are_recorded_later,
	    records_follow_their_project_to_an_agent_and_are_missed_without_it,
	    NULL,
	};
	Suite *suite = suite_create("scripted stop");
	TCase *tcase = tcase_create("scripted stop");

	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; tests[i] != NULL; i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase,
	    a_create_that_a_full_disk_kept_from_the_record_is_recorded_later, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(scripted_stop_suite)
