#include "config.h"

#include "stage.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * What is left when the gateway is killed, stopped or started wrongly.
 */

#define RESTART_CREATE "/v1/create-customer-persona"

static const char *const restart_paths[] = {STAGE_DEMO, STAGE_PLAIN};

/* Kills the gateway and starts it again. */
static void
kill_and_start(void)
{
	stage_kill_gateway();
	stage_start_gateway();
}

/* Fails unless the program refuses to run, with this exit code and these words. */
static void
expect_refusal(const char *const args[], int code, const char *words)
{
	struct program p;
	char *log;
	int got = program_fails(&p, args);

	log = program_log(&p);
	ck_assert_msg(got == code, "exit code %d instead of %d: %s", got, code, log);
	ck_assert_msg(strstr(log, words) != NULL, "\"%s\" is not in: %s", words, log);
	free(log);
}

START_TEST(everything_survives_a_kill)
{
	const char *path = restart_paths[_i];
	char *one, *two, *gone, *list;

	stage_open(NULL, NULL);
	one = create(path, "{\"name\":\"one\",\"headers\":{\"A\":\"1\"}}");
	two = create(path, "{\"name\":\"two\",\"description\":\"\"}");
	gone = create(path, "{\"name\":\"gone\"}");
	ck_assert_int_eq(call("PUT", below(path, one), "{\"name\":\"uno\",\"imageUrl\":\"x.png\"}")->status, 200);
	ck_assert_int_eq(call("DELETE", below(path, gone), NULL)->status, 204);
	list = strdup(call("GET", path, NULL)->body);
	for (int round = 0; round < 3; round++) {
		kill_and_start();
		ck_assert_str_eq(call("GET", path, NULL)->body, list);
		ck_assert_ptr_nonnull(strstr(call("GET", below(path, one), NULL)->body, "\"imageUrl\":\"x.png\""));
		expect_error(call("POST", path, "{\"name\":\"uno\"}"), 409, NULL);
		expect_error(call("POST", path, "{\"name\":\"two\"}"), 409, NULL);
		expect_error(call("PUT", below(path, two), "{\"name\":\"uno\"}"), 409, NULL);
		expect_error(call("GET", below(path, gone), NULL), 404, NULL);
	}
	free(create(path, "{\"name\":\"one\"}"));
	free(create(path, "{\"name\":\"gone\"}"));
	free(one);
	free(two);
	free(gone);
	free(list);
	stage_close();
}
END_TEST

START_TEST(a_create_that_a_kill_cut_is_found)
{
	const char *id;
	struct reply *r;
	int fd;

	stage_open(NULL, NULL);
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200);
	/* Killed while the answer is on its way, or while the request is looked at. */
	stage_faults(_i == 0
	    ? "{\"profile\":\"slow-after\",\"percent\":100,\"method\":\"POST\",\"delay_ms\":900}"
	    : "{\"profile\":\"latency\",\"method\":\"POST\",\"delay_ms\":900}");
	fd = call_start("POST", STAGE_DEMO, NULL, "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
	EVENTUALLY(stage_received("POST", RESTART_CREATE) == 1);
	stage_kill_gateway();
	ck_assert_int_eq(ask_end(fd)->status, 0);
	stage_no_faults();
	stage_start_gateway();
	r = call("POST", STAGE_DEMO, "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_ptr_nonnull(strstr(r->body, "\"headers\":{\"A\":\"1\"}"));
	ck_assert_int_eq(stage_has("ann", &id), 1);
	ck_assert_str_eq(reply_string(r, "id"), id);
	expect_error(call("POST", STAGE_DEMO, "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}"), 409, NULL);
	ck_assert_int_eq(stage_unsettled(), 0);
	stage_close();
}
END_TEST

START_TEST(without_an_agent_a_cut_create_waits_for_the_operator)
{
	int fd;

	stage_open(NULL, NULL);
	stage_faults("{\"profile\":\"slow-after\",\"percent\":100,\"method\":\"POST\",\"delay_ms\":900}");
	fd = call_start("POST", STAGE_PLAIN, NULL, "{\"name\":\"ann\"}");
	EVENTUALLY(stage_has("ann", NULL) == 1);
	stage_kill_gateway();
	close(fd);
	stage_no_faults();
	stage_start_gateway();
	ck_assert_int_eq(stage_unsettled(), 1);
	expect_error(call("POST", STAGE_PLAIN, "{\"name\":\"ann\"}"), 504, NULL);
	ck_assert_int_eq(stage_has("ann", NULL), 1);
	stage_close();
}
END_TEST

START_TEST(a_change_that_a_kill_cut_is_settled)
{
	const char *path = restart_paths[_i / 2];
	bool delete = _i % 2 == 1;
	struct reply *r;
	char *id;
	int fd;

	stage_open(NULL, NULL);
	id = create(path, "{\"name\":\"ann\"}");
	stage_faults("{\"profile\":\"slow-after\",\"percent\":100,\"delay_ms\":900}");
	fd = call_start(delete ? "DELETE" : "PUT", below(path, id), NULL,
	    delete ? NULL : "{\"name\":\"bob\",\"headers\":{\"A\":\"1\"}}");
	EVENTUALLY(strcmp(stage_member(id, "name"), "ann") != 0);
	stage_kill_gateway();
	close(fd);
	stage_no_faults();
	stage_start_gateway();
	EVENTUALLY(stage_unsettled() == 0);
	r = call("GET", below(path, id), NULL);
	ck_assert_int_eq(r->status, delete ? 404 : 200);
	if (!delete)
		ck_assert_ptr_nonnull(strstr(r->body, "\"name\":\"bob\",\"headers\":{\"A\":\"1\"}"));
	free(create(path, "{\"name\":\"ann\"}"));
	free(id);
	stage_close();
}
END_TEST

START_TEST(what_is_open_is_settled_when_bluejay_is_back)
{
	char *id;

	stage_open("  timeouts: {connect: 1s, first_byte: 1s, total: 1s}\n"
	    "  settle: {grace: 200ms}\n", NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	stage_faults("{\"profile\":\"errors-after\",\"percent\":100}");
	ck_assert_int_eq(call("DELETE", below(STAGE_DEMO, id), NULL)->status / 100, 5);
	ck_assert_int_eq(call("POST", STAGE_DEMO, "{\"name\":\"bob\"}")->status, 504);
	kill_and_start(); /* Bluejay is still failing */
	ck_assert_int_eq(stage_unsettled(), 2);
	stage_no_faults();
	EVENTUALLY(stage_unsettled() == 0);
	expect_error(call("GET", below(STAGE_DEMO, id), NULL), 404, NULL);
	ck_assert_int_eq(call("POST", STAGE_DEMO, "{\"name\":\"bob\"}")->status, 201);
	ck_assert_int_eq(stage_has("bob", NULL), 1);
	free(id);
	stage_close();
}
END_TEST

START_TEST(a_second_program_on_the_data_is_refused)
{
	stage_open(NULL, NULL);
	free(create(STAGE_DEMO, "{\"name\":\"ann\"}"));
	{
		const char *const args[] = {"serve", "--config", stage_config(), "--data-dir", stage_data(),
		    "--listen", "127.0.0.1:0", "--admin-listen", "off", NULL};

		expect_refusal(args, 1, stage_data());
	}
	ck_assert_int_eq((int)json_object_array_length(reply_json(call("GET", STAGE_DEMO, NULL))), 1);
	stage_close();
}
END_TEST

START_TEST(records_of_another_bluejay_are_refused)
{
	const char *path;

	stage_open(NULL, NULL);
	ck_assert_int_eq(program_stop(&stage_gateway), 0);
	path = scratch_file("other.yaml", "bluejay: {url: \"http://127.0.0.1:1\", api_key: k}\n");
	{
		const char *const args[] = {"serve", "--config", path, "--data-dir", stage_data(), "--listen",
		    "127.0.0.1:0", "--admin-listen", "off", NULL};

		expect_refusal(args, 1, "--rebind");
	}
	{
		const char *const args[] = {"serve", "--config", path, "--data-dir", stage_data(), "--listen",
		    "127.0.0.1:0", "--admin-listen", "off", "--rebind", NULL};

		program_start(&stage_gateway, args);
	}
	stage_close();
}
END_TEST

START_TEST(mistakes_in_the_file_stop_the_start)
{
	static const struct {
		const char *text, *words;
	} files[] = {
	    {"bluejay:\n  api_key: k\n  retires: 3\n", "file.yaml:3:3: unknown key \"retires\""},
	    {"bluejay: {api_key: k}\nlisten: [\n", "file.yaml:"},
	    {"bluejay:\n  api_key: ${RESTART_TEST_NOT_SET}\n", "file.yaml:2:12: "},
	    {"bluejay: {api_key: k}\ndrain: soon\n", "file.yaml:2:8: "},
	    {"{}\n", "api_key"},
	};
	const char *path = scratch_file("file.yaml", "%s", files[_i].text);
	const char *const args[] = {"serve", "--config", path, "--data-dir", scratch_dir(), "--listen",
	    "127.0.0.1:0", NULL};

	expect_refusal(args, 1, files[_i].words);
}
END_TEST

START_TEST(other_obstacles_stop_the_start)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof sin;
	char address[32];

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(sin.sin_port));
	expect_refusal((const char *const[]){"serve", "--sandbox", "--listen", address, NULL}, 1, address);
	expect_refusal((const char *const[]){"serve", "--sandbox", "--listen", address, NULL}, 1,
	    "--listen chooses another");
	close(fd);
	expect_refusal((const char *const[]){"serve", "--config", "/nowhere/at/all.yaml", NULL}, 1,
	    "/nowhere/at/all.yaml");
	expect_refusal((const char *const[]){"serve", "--sandbox", "--listen", "127.0.0.1:0", "--data-dir",
	                   "/dev/null/data", NULL}, 1, "/dev/null/data");
}
END_TEST

START_TEST(wrong_usage_is_told)
{
	expect_refusal((const char *const[]){"serve", "--no-such-option", NULL}, 2, "--help");
	expect_refusal((const char *const[]){"serve", "extra", NULL}, 2, "extra");
	expect_refusal((const char *const[]){"serve", "--config", NULL}, 2, "--help");
	expect_refusal((const char *const[]){"no-such-command", NULL}, 2, "no-such-command");
	expect_refusal((const char *const[]){"sandbox", "--faults", "no-such-profile", NULL}, 2,
	    "no-such-profile");
}
END_TEST

START_TEST(a_stop_waits_for_what_is_running)
{
	struct reply *r;
	int create_fd, read_fd, idle;
	char *id, *log;

	stage_open(NULL, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	stage_faults("{\"profile\":\"latency\",\"delay_ms\":400}");
	idle = raw_connect(stage_gateway.port);
	create_fd = call_start("POST", STAGE_DEMO, NULL, "{\"name\":\"bob\"}");
	read_fd = call_start("GET", below(STAGE_DEMO, id), NULL, NULL);
	EVENTUALLY(stage_received("POST", RESTART_CREATE) == 2);
	EVENTUALLY(stage_received("GET", "/v1/customer-persona/{persona_id}") == 1);
	kill(stage_gateway.pid, SIGTERM);
	ck_assert(raw_closed(idle));
	r = ask_end(create_fd);
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_int_eq(ask_end(read_fd)->status, 200);
	close(idle);
	free(id);
	stage_close(); /* a second signal does no harm */
	log = program_log(&stage_gateway);
	ck_assert_ptr_nonnull(strstr(log, "stopping"));
	free(log);
}
END_TEST

START_TEST(a_stop_records_a_create_whose_client_left)
{
	int fd;

	stage_open(NULL, NULL);
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200);
	stage_faults("{\"profile\":\"latency\",\"method\":\"POST\",\"delay_ms\":300}");
	fd = call_start("POST", STAGE_DEMO, NULL, "{\"name\":\"ann\"}");
	EVENTUALLY(stage_received("POST", RESTART_CREATE) == 1);
	close(fd);
	ck_assert_int_eq(program_stop(&stage_gateway), 0);
	stage_faults("{\"profile\":\"errors-before\",\"percent\":100}"); /* nothing can be looked up */
	stage_start_gateway();
	ck_assert_int_eq(stage_unsettled(), 0);
	ck_assert_int_eq(call("POST", STAGE_DEMO, "{\"name\":\"ann\"}")->status, 201);
	stage_no_faults();
	ck_assert_int_eq(stage_has("ann", NULL), 1);
	stage_close();
}
END_TEST

/* The suite. */
static Suite *
restart_suite(void)
{
	Suite *suite = suite_create("restart");
	TCase *tcase = tcase_create("restart");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, everything_survives_a_kill, 0, 2);
	tcase_add_loop_test(tcase, a_create_that_a_kill_cut_is_found, 0, 2);
	tcase_add_test(tcase, without_an_agent_a_cut_create_waits_for_the_operator);
	tcase_add_loop_test(tcase, a_change_that_a_kill_cut_is_settled, 0, 4);
	tcase_add_test(tcase, what_is_open_is_settled_when_bluejay_is_back);
	tcase_add_test(tcase, a_second_program_on_the_data_is_refused);
	tcase_add_test(tcase, records_of_another_bluejay_are_refused);
	tcase_add_loop_test(tcase, mistakes_in_the_file_stop_the_start, 0, 5);
	tcase_add_test(tcase, other_obstacles_stop_the_start);
	tcase_add_test(tcase, wrong_usage_is_told);
	tcase_add_test(tcase, a_stop_waits_for_what_is_running);
	tcase_add_test(tcase, a_stop_records_a_create_whose_client_left);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(restart_suite)
