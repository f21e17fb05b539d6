#include "config.h"

#include "stage.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Copies of what a running gateway keeps, and what clients see when one is put back.
 */
#define BACKUP_CREATE "/v1/create-customer-persona"
#define BACKUP_PATIENT \
	"  timeouts: {connect: 5s, first_byte: 40s, total: 60s}\n  settle: {grace: 300ms}\n"
#define BACKUP_ROUNDS 12
#define BACKUP_LANES 4     /* clients that create without a pause */
#define BACKUP_IDS 20000   /* creates of one test, at most */

static char said[8192]; /* by the last command */

/* A path in the test's folder; static, four at a time. */
static const char *
backup_path(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *p = paths[next++ % 4];

	snprintf(p, sizeof paths[0], "%s/%s", scratch_dir(), name);
	return p;
}

/* Runs `store` with these arguments; its exit code. */
static int __attribute__((format(printf, 1, 2)))
store(const char *fmt, ...)
{
	char args[1024], *out, *code;
	va_list ap;
	int status;

	va_start(ap, fmt);
	vsnprintf(args, sizeof args, fmt, ap);
	va_end(ap);
	out = shell("%s store %s 2>&1; echo $?", program_path(), args);
	snprintf(said, sizeof said, "store %s: %s", args, out);
	code = out + strlen(out) - 1; /* the exit code is the last line */
	while (code > out && code[-1] != '\n')
		code--;
	status = atoi(code);
	free(out);
	return status;
}

/* The same, and it must work. */
#define STORE_DONE(...) ck_assert_msg(store(__VA_ARGS__) == 0, "%s", said)

/* Copies the gateway's data. */
static void
backup(const char *name)
{
	STORE_DONE("backup --data-dir %s --to %s", stage_data(), backup_path(name));
}

/* Stops the gateway, puts a copy back, and starts it again. */
static void
back_to(const char *name)
{
	stage_kill_gateway();
	STORE_DONE("restore --data-dir %s --from %s --replace", stage_data(), backup_path(name));
	stage_start_gateway();
}

/* Creates personas until the pipe's reader is gone, and tells of each that was answered. */
static void
create_without_end(int lane, int out)
{
	char body[64], word[64];

	for (int k = 0;; k++) {
		struct reply *r;

		snprintf(body, sizeof body, "{\"name\":\"p%d.%d\"}", lane, k);
		r = call("POST", STAGE_PLAIN, body);
		if (r->status != 201)
			_exit(3);
		snprintf(word, sizeof word, "%-39s\n", reply_string(r, "id"));
		if (write(out, word, 40) != 40)
			_exit(0);
	}
}

/* Starts the clients; gives the end of the pipe that tells what was answered. */
static int
start_clients(pid_t *pids)
{
	int pipes[2];

	ck_assert_int_eq(pipe(pipes), 0);
	for (int lane = 0; lane < BACKUP_LANES; lane++) {
		pids[lane] = fork();
		ck_assert_int_ge(pids[lane], 0);
		if (pids[lane] == 0) {
			close(pipes[0]);
			create_without_end(lane, pipes[1]);
		}
	}
	close(pipes[1]);
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	return pipes[0];
}

/* Reads what was answered since; returns how many there are now. */
static int
hear(int in, char (*ids)[40], int known)
{
	while (known < BACKUP_IDS && read(in, ids[known], 40) == 40) {
		ids[known][strcspn(ids[known], " \n")] = '\0';
		known++;
	}
	return known;
}

/* Fails unless a gateway on the folder knows all these personas. */
static void
expect_known(const char *folder, char (*ids)[40], int count)
{
	const char *const args[] = {"serve", "--config", stage_config(), "--data-dir", folder,
	    "--listen", "127.0.0.1:0", "--admin-listen", "off", NULL};
	struct program p;
	struct reply *r;

	program_start(&p, args);
	r = ask(p.port, "GET", STAGE_PLAIN, NULL, NULL);
	ck_assert_int_eq(r->status, 200);
	for (int i = 0; i < count; i++)
		ck_assert_msg(strstr(r->body, ids[i]) != NULL, "%s of %d is not in the copy", ids[i], count);
	ck_assert_int_eq(program_stop(&p), 0);
}

/* Fails when a copy that was cut off passes for a whole one; between its last file and its
 * name it is one. */
static void
expect_cut(const char *path)
{
	int rc = store("verify --from %s.partial", path);
	char last[300];

	snprintf(last, sizeof last, "%s.partial/manifest.sha256", path);
	ck_assert_int_eq(rc, rc == 0 && access(last, F_OK) == 0 ? 0 : 1);
}

START_TEST(copies_under_load_hold_what_was_answered_before)
{
	static char ids[BACKUP_IDS][40];
	pid_t pids[BACKUP_LANES];
	int in, known = 0, before, cut = 0, status;
	char name[32], *out;

	stage_open(NULL, NULL);
	in = start_clients(pids);
	for (int round = 0; round < BACKUP_ROUNDS; round++) {
		EVENTUALLY((before = hear(in, ids, known)) > known);
		known = before;
		snprintf(name, sizeof name, "copy%d", round);
		/* killed at some moment, and then once more to the end */
		out = shell("timeout -s KILL 0.0%02d %s store backup --data-dir %s --to %s 2>&1; echo $?",
		    1 + round * 5, program_path(), stage_data(), backup_path(name));
		if (access(backup_path(name), F_OK) != 0) {
			cut++;
			expect_cut(backup_path(name));
			known = hear(in, ids, known);
			backup(name);
		}
		free(out);
		STORE_DONE("verify --from %s", backup_path(name));
		STORE_DONE("restore --from %s --data-dir %s", backup_path(name), backup_path("restored"));
		expect_known(backup_path("restored"), ids, known);
		free(shell("rm -rf %s", backup_path("restored")));
	}
	ck_assert_int_gt(cut, 0);
	close(in);
	for (int lane = 0; lane < BACKUP_LANES; lane++) {
		kill(pids[lane], SIGKILL);
		ck_assert_int_eq(waitpid(pids[lane], &status, 0), pids[lane]);
		ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) == 0); /* no create failed */
	}
	stage_close();
}
END_TEST

/* Counts how often the list shows a name. */
static int
listed(const char *path, const char *name)
{
	struct json_object *list = reply_json(call("GET", path, NULL));
	int n = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i), *v;

		n += json_object_object_get_ex(o, "name", &v) && strcmp(json_object_get_string(v), name) == 0;
	}
	return n;
}

/* Copies the data while Bluejay stands still, within a request that it has received. */
static void
backup_within(const char *name)
{
	kill(stage_sandbox.pid, SIGSTOP);
	backup(name);
	kill(stage_sandbox.pid, SIGCONT);
}

/* What clients did before and after the copy was made. */
struct yesterday {
	char *ann, *bob, *carl, *dora;
};

/* Creates, copies, and goes on. */
static void
live_a_day(struct yesterday *y)
{
	y->ann = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	y->bob = create(STAGE_DEMO, "{\"name\":\"bob\"}");
	y->carl = strdup(reply_string(call_with("POST", STAGE_DEMO, "Idempotency-Key: carl\r\n",
	    "{\"name\":\"carl\"}"), "id"));
	backup("yesterday");
	ck_assert_int_eq(call("PUT", below(STAGE_DEMO, y->ann), "{\"name\":\"anna\"}")->status, 200);
	ck_assert_int_eq(call("DELETE", below(STAGE_DEMO, y->bob), NULL)->status, 204);
	y->dora = create(STAGE_DEMO, "{\"name\":\"dora\",\"systemPrompt\":\"s\"}");
	ck_assert_int_eq(call_with("POST", STAGE_DEMO, "Idempotency-Key: eve\r\n",
	    "{\"name\":\"eve\"}")->status, 201);
}

/* Frees the ids. */
static void
forget_day(struct yesterday *y)
{
	free(y->ann);
	free(y->bob);
	free(y->carl);
	free(y->dora);
}

START_TEST(after_yesterdays_copy_nothing_is_doubled_and_no_name_lost)
{
	static const char *const firsts[] = {"dora", "anna", "eve"};
	struct yesterday y;
	struct reply *r;
	char body[64];

	stage_open(NULL, NULL);
	live_a_day(&y);
	back_to("yesterday");
	/* what was made or named since is known to the very first create */
	for (int i = 0; i < 3; i++) {
		const char *name = firsts[(i + _i) % 3];

		snprintf(body, sizeof body, "{\"name\":\"%s\"}", name);
		expect_error(call("POST", STAGE_DEMO, body), 409, NULL);
		ck_assert_int_eq(stage_has(name, NULL), 1);
	}
	/* a key from before gives its answer; one from after does not, and makes nothing */
	r = call_with("POST", STAGE_DEMO, "Idempotency-Key: carl\r\n", "{\"name\":\"carl\"}");
	ck_assert_int_eq(r->status, 201);
	ck_assert_str_eq(reply_string(r, "id"), y.carl);
	expect_error(call_with("POST", STAGE_DEMO, "Idempotency-Key: eve\r\n", "{\"name\":\"eve\"}"), 409, NULL);
	/* what clients know is found, what they deleted is gone, and the list is right */
	ck_assert_str_eq(reply_string(call("GET", below(STAGE_DEMO, y.dora), NULL), "systemPrompt"), "s");
	ck_assert_str_eq(reply_string(call("GET", below(STAGE_DEMO, y.ann), NULL), "name"), "anna");
	expect_error(call("GET", below(STAGE_DEMO, y.bob), NULL), 404, NULL);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(listed(STAGE_DEMO, firsts[i]), 1);
	ck_assert_int_eq(listed(STAGE_DEMO, "bob") + listed(STAGE_DEMO, "ann"), 0);
	/* names that became free are free */
	free(create(STAGE_DEMO, "{\"name\":\"bob\"}"));
	free(create(STAGE_DEMO, "{\"name\":\"ann\"}"));
	ck_assert_int_eq(stage_has("bob", NULL), 1);
	forget_day(&y);
	stage_close();
}
END_TEST

START_TEST(after_yesterdays_copy_no_rename_takes_a_name_that_came_since)
{
	struct yesterday y;
	struct reply *r;

	stage_open(NULL, NULL);
	live_a_day(&y);
	back_to("yesterday");
	r = call("PUT", below(STAGE_DEMO, y.carl), _i == 0 ? "{\"name\":\"dora\"}" : "{\"name\":\"anna\"}");
	ck_assert_msg(r->status == 409, "%d %s", r->status, r->body);
	ck_assert_int_eq(stage_has(_i == 0 ? "dora" : "anna", NULL), 1);
	ck_assert_str_eq(stage_member(y.carl, "name"), "carl");
	forget_day(&y);
	stage_close();
}
END_TEST

START_TEST(without_an_agent_what_came_since_is_unknown)
{
	char *ann, *dora;

	stage_open(NULL, NULL);
	ann = create(STAGE_PLAIN, "{\"name\":\"ann\"}");
	backup("yesterday");
	dora = create(STAGE_PLAIN, "{\"name\":\"dora\"}");
	back_to("yesterday");
	ck_assert_int_eq(call("GET", below(STAGE_PLAIN, ann), NULL)->status, 200);
	expect_error(call("GET", below(STAGE_PLAIN, dora), NULL), 404, NULL);
	ck_assert_int_eq(listed(STAGE_PLAIN, "dora"), 0);
	expect_error(call("POST", STAGE_PLAIN, "{\"name\":\"ann\"}"), 409, NULL);
	free(create(STAGE_PLAIN, "{\"name\":\"dora\"}")); /* docs/operations.md says so */
	ck_assert_int_eq(stage_has("dora", NULL), 2);
	free(ann);
	free(dora);
	stage_close();
}
END_TEST

START_TEST(a_create_under_way_in_a_copy_is_not_sent_again)
{
	const char *path = _i == 0 ? STAGE_DEMO : STAGE_PLAIN;
	struct reply *r;
	char *id;
	int fd;

	stage_open(BACKUP_PATIENT, NULL);
	ck_assert_int_eq(call("GET", path, NULL)->status, 200);
	stage_faults("{\"profile\":\"latency\",\"method\":\"POST\",\"delay_ms\":2000}");
	fd = call_start("POST", path, NULL, "{\"name\":\"ann\"}");
	EVENTUALLY(stage_received("POST", BACKUP_CREATE) == 1);
	backup_within("yesterday");
	r = ask_end(fd);
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	id = strdup(reply_string(r, "id"));
	stage_no_faults();
	back_to("yesterday");
	if (_i == 0) {
		EVENTUALLY(stage_unsettled() == 0);
		r = call("POST", path, "{\"name\":\"ann\"}"); /* as if nobody had been told */
		ck_assert_int_eq(r->status, 201);
		ck_assert_str_eq(reply_string(r, "id"), id);
		expect_error(call("POST", path, "{\"name\":\"ann\"}"), 409, NULL);
	} else {
		ck_assert_int_eq(stage_unsettled(), 1);
		expect_error(call("POST", path, "{\"name\":\"ann\"}"), 504, NULL);
	}
	ck_assert_int_eq(stage_has("ann", NULL), 1);
	ck_assert_int_eq(stage_received("POST", BACKUP_CREATE), 1);
	free(id);
	stage_close();
}
END_TEST

START_TEST(a_change_under_way_in_a_copy_is_not_sent_again)
{
	char *id;
	int fd;

	stage_open(BACKUP_PATIENT, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	stage_faults("{\"profile\":\"latency\",\"method\":\"PUT\",\"delay_ms\":2000}");
	fd = call_start("PUT", below(STAGE_DEMO, id), NULL, "{\"name\":\"bea\"}");
	EVENTUALLY(stage_received("PUT", "/v1/update-customer-persona/{persona_id}") == 1);
	backup_within("yesterday");
	ck_assert_int_eq(ask_end(fd)->status, 200);
	stage_no_faults();
	ck_assert_int_eq(call("PUT", below(STAGE_DEMO, id), "{\"name\":\"cleo\"}")->status, 200);
	back_to("yesterday");
	EVENTUALLY(stage_unsettled() == 0);
	ck_assert_str_eq(reply_string(call("GET", below(STAGE_DEMO, id), NULL), "name"), "cleo");
	ck_assert_str_eq(stage_member(id, "name"), "cleo");
	ck_assert_int_eq(stage_received("PUT", "/v1/update-customer-persona/{persona_id}"), 2);
	free(create(STAGE_DEMO, "{\"name\":\"bea\"}"));
	free(id);
	stage_close();
}
END_TEST

START_TEST(a_killed_gateways_store_is_copied_and_checked)
{
	char ids[1][40];

	stage_open(NULL, NULL);
	snprintf(ids[0], sizeof ids[0], "%s", reply_string(call("POST", STAGE_PLAIN, "{\"name\":\"ann\"}"), "id"));
	stage_kill_gateway();
	STORE_DONE("verify --data-dir %s", stage_data());
	backup("copy");
	STORE_DONE("restore --from %s --data-dir %s", backup_path("copy"), backup_path("restored"));
	expect_known(backup_path("restored"), ids, 1);
	stage_start_gateway();
	/* what runs is not restored into */
	ck_assert_int_eq(store("restore --from %s --data-dir %s --replace", backup_path("copy"),
	    stage_data()), 1);
	ck_assert_int_eq(call("GET", below(STAGE_PLAIN, ids[0]), NULL)->status, 200);
	stage_close();
}
END_TEST

START_TEST(a_restore_killed_at_any_moment_loses_nothing)
{
	char *target = strdup(backup_path("target"));
	const char *const args[] = {"serve", "--config", stage_config(), "--data-dir", target,
	    "--listen", "127.0.0.1:0", "--admin-listen", "off", NULL};
	char ids[1][40], mark[300], *out;
	struct program p;

	stage_open(NULL, NULL);
	snprintf(ids[0], sizeof ids[0], "%s", reply_string(call("POST", STAGE_PLAIN, "{\"name\":\"ann\"}"), "id"));
	backup("copy");
	free(create(STAGE_PLAIN, "{\"name\":\"bob\"}"));
	stage_kill_gateway();
	free(shell("cp -a %s %s", stage_data(), target));
	snprintf(mark, sizeof mark, "%s/restore-unfinished", target);
	for (int ms = 2; ms <= 60; ms += 3) {
		free(shell("timeout -s KILL 0.0%02d %s store restore --from %s --data-dir %s --replace 2>&1", ms,
		    program_path(), backup_path("copy"), target));
		if (access(mark, F_OK) == 0) { /* it was moving files: nobody serves without them */
			ck_assert_int_eq(program_fails(&p, args), 1);
			out = program_log(&p);
			ck_assert_ptr_nonnull(strstr(out, "store restore"));
			free(out);
		} else {
			expect_known(target, ids, 1); /* the one store or the other */
		}
	}
	STORE_DONE("restore --from %s --data-dir %s --replace", backup_path("copy"), target);
	ck_assert_int_ne(access(mark, F_OK), 0);
	expect_known(target, ids, 1);
	stage_start_gateway();
	free(target);
	stage_close();
}
END_TEST

START_TEST(the_file_says_which_store_is_meant)
{
	const char *mine, *other;

	stage_open(NULL, NULL);
	mine = scratch_file("mine.yaml", "data_dir: %s\nbluejay: {url: \"%s\", api_key: k}\n", stage_data(),
	    stage_sandbox.url[0]);
	other = scratch_file("other.yaml", "data_dir: %s\nbluejay: {url: \"http://127.0.0.1:1\", api_key: k}\n",
	    stage_data());
	STORE_DONE("backup --config %s --to %s", mine, backup_path("copy"));
	STORE_DONE("verify --config %s", mine);
	STORE_DONE("verify --config %s --from %s", mine, backup_path("copy"));
	ck_assert_int_eq(store("verify --config %s --from %s", other, backup_path("copy")), 1);
	ck_assert_ptr_nonnull(strstr(said, "--rebind"));
	ck_assert_int_eq(store("verify --config %s", scratch_file("bad.yaml", "nonsense: 1\n")), 1);
	ck_assert_ptr_nonnull(strstr(said, "bad.yaml:1:1"));
	ck_assert_ptr_nonnull(strstr(said, "--data-dir"));
	stage_close();
}
END_TEST

START_TEST(wrong_usage_is_told)
{
	static const char *const wrong[] = {"", "copy", "backup --data-dir x", "backup --to x",
	    "backup --to x --from y --data-dir z", "verify", "verify --from x --data-dir y",
	    "verify --from x --replace", "restore --data-dir x", "restore --from x", "--no-such", "verify x y",
	    "verify --to x --data-dir y", "backup --to x --data-dir y --data-dir z",
	    "backup --to x --to x --data-dir y"};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(store("%s", wrong[i]) == 2, "%s", wrong[i]);
	ck_assert_int_eq(store("backup --data-dir x --to ''"), 2);
	ck_assert_ptr_nonnull(strstr(said, "--to has an empty value"));
	ck_assert_int_eq(store("--help"), 0);
	ck_assert_int_eq(store("verify --data-dir /nowhere"), 1);
}
END_TEST

/* The suite. */
static Suite *
backup_suite(void)
{
	Suite *suite = suite_create("backup");
	TCase *tcase = tcase_create("backup");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, copies_under_load_hold_what_was_answered_before);
	tcase_add_loop_test(tcase, after_yesterdays_copy_nothing_is_doubled_and_no_name_lost, 0, 3);
	tcase_add_loop_test(tcase, after_yesterdays_copy_no_rename_takes_a_name_that_came_since, 0, 2);
	tcase_add_test(tcase, without_an_agent_what_came_since_is_unknown);
	tcase_add_loop_test(tcase, a_create_under_way_in_a_copy_is_not_sent_again, 0, 2);
	tcase_add_test(tcase, a_change_under_way_in_a_copy_is_not_sent_again);
	tcase_add_test(tcase, a_killed_gateways_store_is_copied_and_checked);
	tcase_add_test(tcase, a_restore_killed_at_any_moment_loses_nothing);
	tcase_add_test(tcase, the_file_says_which_store_is_meant);
	tcase_add_test(tcase, wrong_usage_is_told);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(backup_suite)
