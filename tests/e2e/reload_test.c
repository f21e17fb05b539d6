#include "config.h"

#include "load.h"
#include "stage.h"
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/*
 * The file is read again while requests run: SIGHUP and POST /reload.
 */

#define RELOAD_MS 10000 /* of reloads under load */
#define RELOAD_PLAIN "projects:\n  demo: {agent_id: 7}\n  plain: {}\n"
#define RELOAD_SHORT "  timeouts: {connect: 1s, first_byte: 2s, total: 5s}\n  settle: {grace: 300ms}\n"
#define RELOAD_OTHER_MAPPING "mapping: {persona: {fields: {name: name, " \
	"prompt: {to: goal, when_absent: \"\"}, description: {to: description, when_absent: \"\"}}}}\n"

/* Writes the gateway's file again: the end of its bluejay section, and the rest. */
static void
write_file(const char *settings, const char *rest)
{
	ck_assert_ptr_nonnull(scratch_file("gateway.yaml",
	    "bluejay:\n  url: %s\n  api_key: sandbox\n%s%s", stage_sandbox.url[0], settings, rest));
}

/* Asks for a reload. */
static struct reply *
reload(void)
{
	return ask(stage_gateway.admin_port, "POST", "/reload", NULL, "{}");
}

/* Writes the file and has it come into force. */
static struct reply *
reload_with(const char *settings, const char *rest)
{
	struct reply *r;

	write_file(settings, rest);
	r = reload();
	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	return r;
}

/* Whether the log has these words. */
static bool
logged(const char *words)
{
	char *log = program_log(&stage_gateway);
	bool has = strstr(log, words) != NULL;

	free(log);
	return has;
}

START_TEST(a_mapping_is_another_one_after_a_reload)
{
	const char *path = _i == 0 ? STAGE_DEMO : STAGE_PLAIN;
	const char *id;
	char *ann;

	stage_open(RELOAD_SHORT "  cache: {fresh: 1h}\n", NULL);
	ann = create(path, "{\"name\":\"ann\",\"systemPrompt\":\"p\"}");
	ck_assert_ptr_nonnull(strstr(call("GET", below(path, ann), NULL)->body, "\"systemPrompt\":\"p\""));
	ck_assert_ptr_nonnull(strstr(call("GET", path, NULL)->body, "\"systemPrompt\":\"p\""));
	reload_with(RELOAD_SHORT "  cache: {fresh: 1h}\n", RELOAD_PLAIN RELOAD_OTHER_MAPPING);
	ck_assert_ptr_nonnull(strstr(call("GET", below(path, ann), NULL)->body, "\"prompt\":\"p\""));
	ck_assert_ptr_nonnull(strstr(call("GET", path, NULL)->body, "\"prompt\":\"p\""));
	ck_assert_int_eq(call("PUT", below(path, ann), "{\"prompt\":\"q\"}")->status, 200);
	ck_assert_int_eq(stage_has("ann", &id), 1);
	ck_assert_str_eq(stage_member(id, "goal"), "q");
	free(ann);
	stage_close();
}
END_TEST

START_TEST(a_request_that_runs_keeps_what_it_began_with)
{
	struct reply *before, *after;
	char *ann;
	int was, is;

	stage_open(RELOAD_SHORT "  cache: {fresh: 0s}\n", NULL);
	ann = create(STAGE_DEMO, "{\"name\":\"ann\",\"systemPrompt\":\"p\"}");
	stage_faults("{\"profile\":\"latency\",\"method\":\"GET\",\"delay_ms\":700}");
	was = call_start("GET", below(STAGE_DEMO, ann), NULL, NULL);
	EVENTUALLY(stage_received("GET", "/v1/customer-persona/{persona_id}") == 1);
	reload_with("  timeouts: {connect: 500ms, first_byte: 2s, total: 4s}\n  cache: {fresh: 0s}\n",
	    RELOAD_PLAIN RELOAD_OTHER_MAPPING);
	is = call_start("GET", below(STAGE_DEMO, ann), NULL, NULL);
	before = ask_end(was);
	after = ask_end(is);
	ck_assert_int_eq(before->status, 200);
	ck_assert_msg(strstr(before->body, "\"systemPrompt\":\"p\"") != NULL, "%s", before->body);
	ck_assert_msg(strstr(after->body, "\"prompt\":\"p\"") != NULL, "%s", after->body);
	ck_assert_int_eq(stage_received("GET", "/v1/customer-persona/{persona_id}"), 2);
	free(ann);
	stage_close();
}
END_TEST

START_TEST(a_file_with_mistakes_changes_nothing)
{
	struct reply *r;
	char *ann;

	stage_open(NULL, NULL);
	ann = create(STAGE_DEMO, "{\"name\":\"ann\",\"systemPrompt\":\"p\"}");
	write_file("  retires: 3\n", RELOAD_PLAIN "drain: soon\n" RELOAD_OTHER_MAPPING);
	r = reload();
	ck_assert_int_eq(r->status, 400);
	ck_assert_str_eq(reply_string(r, "error"), "The configuration has mistakes");
	ck_assert_msg(strstr(r->body, "gateway.yaml:4:3: unknown key") != NULL, "%s", r->body);
	ck_assert_msg(strstr(r->body, "gateway.yaml:8:8: ") != NULL, "%s", r->body);
	EVENTUALLY(logged("gateway.yaml:4:3: unknown key"));
	EVENTUALLY(logged("what was in force stays"));
	ck_assert_ptr_nonnull(strstr(call("GET", below(STAGE_DEMO, ann), NULL)->body, "\"systemPrompt\":\"p\""));
	reload_with("", RELOAD_PLAIN);
	free(ann);
	stage_close();
}
END_TEST

START_TEST(a_hangup_reads_the_file)
{
	stage_open(NULL, NULL);
	ck_assert_int_eq(call("GET", "/api/projects/new/personas", NULL)->status, 404);
	write_file("", "projects: {new: {}}\n");
	kill(stage_gateway.pid, SIGHUP);
	EVENTUALLY(call("GET", "/api/projects/new/personas", NULL)->status == 200);
	expect_error(call("GET", STAGE_DEMO, NULL), 404, "Project not found");
	stage_close();
}
END_TEST

/* ---- at any time ---- */

static char pipe_path[300];

/* A thread: waits until the gateway begins to read its file, from a pipe, and hangs up then. */
static void *
hang_up_early(void *arg)
{
	FILE *f = fopen(pipe_path, "w"); /* waits for who reads */

	kill(stage_gateway.pid, SIGHUP);
	remove(pipe_path);
	scratch_file("pipe", "bluejay: {api_key: k}\ndrain: 1s\n"); /* for the second time */
	fputs("bluejay: {api_key: k}\n", f);
	fclose(f);
	return NULL;
}

START_TEST(a_hangup_before_the_start_is_over_is_kept)
{
	const char *const args[] = {"serve", "--config", pipe_path, "--sandbox", "--listen", "127.0.0.1:0",
	    "--admin-listen", "127.0.0.1:0", NULL};
	pthread_t thread;

	snprintf(pipe_path, sizeof pipe_path, "%.250s/pipe", scratch_dir());
	ck_assert_int_eq(mkfifo(pipe_path, 0600), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, hang_up_early, NULL), 0);
	program_start(&stage_gateway, args);
	pthread_join(thread, NULL);
	EVENTUALLY(logged("the configuration was reloaded"));
	ck_assert_int_eq(program_stop(&stage_gateway), 0);
}
END_TEST

START_TEST(a_hangup_at_the_end_is_no_other_end)
{
	const char *const args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", NULL};

	for (int i = 0; i < 3; i++) {
		siginfo_t info = {.si_pid = 0};

		program_start(&stage_gateway, args);
		program_term(&stage_gateway);
		while (info.si_pid == 0) {
			kill(stage_gateway.pid, SIGHUP);
			ck_assert_int_eq(waitid(P_PID, (id_t)stage_gateway.pid, &info,
			    WEXITED | WNOHANG | WNOWAIT), 0);
		}
		ck_assert_int_eq(program_wait(&stage_gateway), 0);
	}
}
END_TEST

/* ---- what follows ---- */

START_TEST(what_takes_a_restart_is_named_and_the_rest_comes_into_force)
{
	static const char rest[] = RELOAD_PLAIN "data_dir: elsewhere\nlog: {format: json}\n"
	                                        "cors: {origins: [\"http://a.example\"]}\nlimits: {body: 2KiB}\n"
	                                        "allowed_hosts: [gateway.example]\n";
	static char big[4000];
	struct reply *r;

	stage_open(NULL, NULL);
	memset(big, ' ', sizeof big - 1);
	r = call_with("GET", STAGE_DEMO, "Origin: http://a.example\r\n", NULL);
	ck_assert_ptr_null(reply_field(r, "Access-Control-Allow-Origin"));
	r = reload_with("", rest);
	ck_assert_ptr_nonnull(strstr(r->body, "{\"key\":\"log.format\",\"at\":\""));
	ck_assert_ptr_nonnull(strstr(r->body, "gateway.yaml:8:7: log.format\"}"));
	ck_assert_ptr_null(strstr(r->body, "data_dir")); /* the option wins over the file */
	ck_assert_ptr_null(strstr(r->body, "cors"));
	r = call_with("GET", STAGE_DEMO, "Origin: http://a.example\r\n", NULL);
	ck_assert_str_eq(reply_field(r, "Access-Control-Allow-Origin"), "http://a.example");
	ck_assert_int_eq(call("POST", STAGE_DEMO, big)->status, 413);
	/* named again as long as the file and the program differ */
	ck_assert_ptr_nonnull(strstr(reload()->body, "log.format"));
	ck_assert_ptr_null(strstr(reload_with("", RELOAD_PLAIN)->body, "log.format"));
	stage_close();
}
END_TEST

START_TEST(another_bluejay_takes_a_restart)
{
	struct reply *r;

	stage_open(NULL, NULL);
	scratch_file("gateway.yaml", "bluejay: {url: \"http://127.0.0.1:1\", api_key: sandbox}\n" RELOAD_PLAIN);
	r = reload();
	ck_assert_int_eq(r->status, 200);
	ck_assert_ptr_nonnull(strstr(r->body, "{\"key\":\"bluejay.url\",\"at\":\""));
	free(create(STAGE_DEMO, "{\"name\":\"ann\"}"));
	ck_assert_int_eq(stage_has("ann", NULL), 1);
	stage_close();
}
END_TEST

START_TEST(a_project_that_gets_an_agent_keeps_what_it_had)
{
	char *ann, *there;
	struct reply *r;

	stage_open(NULL, NULL);
	ann = create(STAGE_PLAIN, "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
	there = stage_make(9, "there", "");
	reload_with(RELOAD_SHORT, "projects:\n  plain: {agent_id: 9}\n");
	r = call("GET", STAGE_PLAIN, NULL);
	ck_assert_msg(strstr(r->body, ann) != NULL && strstr(r->body, there) != NULL, "%s", r->body);
	ck_assert_ptr_nonnull(strstr(call("GET", below(STAGE_PLAIN, ann), NULL)->body, "\"headers\":{\"A\":\"1\"}"));
	expect_error(call("POST", STAGE_PLAIN, "{\"name\":\"ann\"}"), 409, NULL);
	/* without the agent they are hidden with a warning, and come back with it */
	reload_with(RELOAD_SHORT, RELOAD_PLAIN);
	EVENTUALLY(logged("records are kept that no configured project shows"));
	ck_assert_int_eq(call("GET", below(STAGE_PLAIN, ann), NULL)->status, 404);
	reload_with(RELOAD_SHORT, "projects:\n  plain: {agent_id: 9}\n");
	ck_assert_int_eq(call("GET", below(STAGE_PLAIN, ann), NULL)->status, 200);
	free(ann);
	free(there);
	stage_close();
}
END_TEST

START_TEST(a_write_whose_project_is_back_is_settled)
{
	stage_open("  timeouts: {connect: 1s, first_byte: 1s, total: 1s}\n  settle: {grace: 300ms}\n", NULL);
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200);
	stage_faults("{\"profile\":\"errors-after\",\"percent\":100}");
	ck_assert_int_eq(call("POST", STAGE_DEMO, "{\"name\":\"bob\"}")->status, 504);
	stage_kill_gateway();
	write_file(RELOAD_SHORT, "projects: {plain: {}}\n");
	stage_start_gateway();
	stage_no_faults();
	ck_assert_int_eq(stage_unsettled(), 1);
	reload_with(RELOAD_SHORT, RELOAD_PLAIN);
	EVENTUALLY(stage_unsettled() == 0);
	ck_assert_int_eq(stage_has("bob", NULL), 1);
	stage_close();
}
END_TEST

START_TEST(what_is_passed_on_follows_the_file)
{
	char rest[400];

	stage_open(NULL, NULL);
	ck_assert_int_eq(call("GET", "/__sandbox/faults", NULL)->status, 404);
	snprintf(rest, sizeof rest, RELOAD_PLAIN "passthrough: {local: \"%s\"}\n", stage_sandbox.url[0]);
	reload_with("", rest);
	ck_assert_int_ne(call("GET", "/v1/ping", NULL)->status, 404);
	reload_with("", RELOAD_PLAIN);
	ck_assert_int_eq(call("GET", "/v1/ping", NULL)->status, 404);
	stage_close();
}
END_TEST

START_TEST(a_form_cannot_reload)
{
	stage_open(NULL, NULL);
	ck_assert_int_eq(ask(stage_gateway.admin_port, "POST", "/reload",
	    "Content-Type: application/x-www-form-urlencoded\r\n", "a=b")->status, 415);
	ck_assert_int_eq(ask(stage_gateway.admin_port, "GET", "/reload", NULL, NULL)->status, 405);
	stage_close();
}
END_TEST

/* ---- under load ---- */

START_TEST(no_request_fails_under_reloads)
{
	static const char *const settings[] = {
	    "  timeouts: {connect: 1s, first_byte: 2s, total: 5s}\n  cache: {fresh: 0s}\n",
	    "  timeouts: {connect: 2s, first_byte: 3s, total: 6s}\n  retries: 2\n  cache: {fresh: 1s}\n",
	    "  headers: {X-A: \"1\"}\n  max_in_flight: 20\n  cache: {fresh: 0s, size: 1KiB}\n"};
	static const char *const rests[] = {RELOAD_PLAIN,
	    RELOAD_PLAIN RELOAD_OTHER_MAPPING "client_timeouts: {idle: 20s}\n",
	    RELOAD_PLAIN "cors: {origins: [\"*\"]}\nlog: {level: warn}\nlimits: {head: 4KiB}\n"};
	struct load *l;
	unsigned reloads = 0;
	char *demo, *plain;
	int64_t until;

	stage_open(RELOAD_SHORT, NULL);
	demo = create(STAGE_DEMO, "{\"name\":\"demo\"}");
	plain = create(STAGE_PLAIN, "{\"name\":\"plain\"}");
	l = load_start(demo, plain, false);
	until = harness_now() + RELOAD_MS;
	for (; harness_now() < until; reloads++)
		reload_with(settings[reloads % 3], rests[reloads / 2 % 3]);
	load_end(l, "reloads", reloads);
	ck_assert_uint_gt(reloads, 50);
	free(demo);
	free(plain);
	stage_close();
}
END_TEST

/* The suite. */
static Suite *
reload_suite(void)
{
	Suite *suite = suite_create("reload");
	TCase *tcase = tcase_create("reload");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, a_mapping_is_another_one_after_a_reload, 0, 2);
	tcase_add_test(tcase, a_request_that_runs_keeps_what_it_began_with);
	tcase_add_test(tcase, a_file_with_mistakes_changes_nothing);
	tcase_add_test(tcase, a_hangup_reads_the_file);
	tcase_add_test(tcase, a_hangup_before_the_start_is_over_is_kept);
	tcase_add_test(tcase, a_hangup_at_the_end_is_no_other_end);
	tcase_add_test(tcase, what_takes_a_restart_is_named_and_the_rest_comes_into_force);
	tcase_add_test(tcase, another_bluejay_takes_a_restart);
	tcase_add_test(tcase, a_project_that_gets_an_agent_keeps_what_it_had);
	tcase_add_test(tcase, a_write_whose_project_is_back_is_settled);
	tcase_add_test(tcase, what_is_passed_on_follows_the_file);
	tcase_add_test(tcase, a_form_cannot_reload);
	tcase_add_test(tcase, no_request_fails_under_reloads);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(reload_suite)
