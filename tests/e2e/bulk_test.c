#include "config.h"

#include "bulk_rig.h"
#include "stage.h"
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MANY 2000

START_TEST(thousands_go_in_and_come_out_again)
{
	const char *from = bulk_source("many.jsonl", 0, MANY - 1);

	stage_open(NULL, NULL);
	bulk_expect(0, "dry run, nothing was written: 2000 personas: 2000 would be created in ",
	    "import --from %s --to %s --project demo --dry-run", from, bulk_url());
	bulk_audit(0);
	bulk_expect(0, "2000 personas: 2000 created in ",
	    "import --from %s --to %s --project demo --journal %s --report %s", from, bulk_url(),
	    bulk_path("j"), bulk_path("report"));
	bulk_audit(MANY);
	ck_assert_int_eq(bulk_lines(bulk_path("report"), "\"outcome\":\"created\""), MANY);
	ck_assert_int_eq(bulk_lines(bulk_path("j"), "\"outcome\":\"created\""), MANY);
	ck_assert_int_eq(stage_received("POST", "/v1/create-customer-persona"), MANY);

	bulk_expect(0, "2000 done earlier", "import --from %s --to %s --project demo --journal %s", from,
	    bulk_url(), bulk_path("j"));
	bulk_expect(0, "2000 unchanged", "import --from %s --to %s --project demo", from, bulk_url());
	bulk_expect(0, "2000 the same, 0 different", "diff %s %s/api/projects/demo", from, bulk_url());

	bulk_expect(0, "2000 personas of ", "export --from %s --project demo --to %s", bulk_url(),
	    bulk_path("e.jsonl"));
	ck_assert_int_eq(bulk_lines(bulk_path("e.jsonl"), "\"headers\":{\"X-Number\""), MANY);
	bulk_expect(0, NULL, "export --from %s --project demo --format json --to %s", bulk_url(),
	    bulk_path("e.json"));
	bulk_expect(0, "2000 the same", "diff --by id %s %s", bulk_path("e.jsonl"), bulk_path("e.json"));
	ck_assert_int_eq(stage_received("POST", "/v1/create-customer-persona"), MANY);

	stage_close();
}
END_TEST

/* The description of a persona of demo; static. */
static const char *
description(const char *name)
{
	struct json_object *list = reply_json(call("GET", STAGE_DEMO, NULL)), *value;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);

		if (strcmp(json_object_get_string(json_object_object_get(one, "name")), name) != 0)
			continue;
		return json_object_object_get_ex(one, "description", &value) ? json_object_get_string(value)
		                                                              : "absent";
	}
	return "gone";
}

/* Where a persona of demo is; static. */
static const char *
demo_url(const char *name)
{
	static char url[256];
	struct json_object *list = reply_json(call("GET", STAGE_DEMO, NULL));

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);

		if (strcmp(json_object_get_string(json_object_object_get(one, "name")), name) == 0)
			snprintf(url, sizeof url, "%s/%s", STAGE_DEMO,
			    json_object_get_string(json_object_object_get(one, "id")));
	}
	return url;
}

START_TEST(each_policy_does_what_it_says)
{
	const char *from = scratch_file("conflict.json", "{\n \"version\": 1,\n \"personas\": [\n"
	    "  {\"id\":\"x\",\"name\":\"ann\",\"description\":\"angry\"},\n  {\"name\":\"bob\"}\n ]\n}\n");

	stage_open(NULL, NULL);
	free(create(STAGE_DEMO, "{\"name\":\"ann\",\"description\":\"calm\"}"));
	bulk_expect(1, "line 4: \"ann\" failed: another persona has its name; differs in description\n"
	    "2 personas: 1 created, 1 failed in ", "import --from %s --to %s --project demo", from, bulk_url());
	ck_assert_str_eq(description("ann"), "calm");
	ck_assert_str_eq(description("bob"), "absent");
	bulk_expect(0, "line 4: \"ann\" skipped; differs in description\n2 personas: 1 unchanged, 1 skipped",
	    "import --on-conflict skip --from %s --to %s --project demo", from, bulk_url());
	bulk_expect(0, "line 4: \"ann\" would be skipped; differs in description\n"
	    "dry run, nothing was written: 2 personas: 1 unchanged, 1 would be skipped in ",
	    "import --on-conflict skip --dry-run --from %s --to %s --project demo", from, bulk_url());
	bulk_expect(1, "line 4: \"ann\" would fail: another persona has its name; differs in description\n"
	    "dry run, nothing was written: 2 personas: 1 unchanged, 1 would fail in ",
	    "import --dry-run --from %s --to %s --project demo", from, bulk_url());
	bulk_expect(0, "line 4: \"ann\" would be renamed to \"ann (2)\"",
	    "import --on-conflict rename --dry-run --from %s --to %s --project demo", from, bulk_url());
	bulk_expect(0, "line 4: \"ann\" would be updated; differs in description\n",
	    "import --on-conflict update --dry-run --from %s --to %s --project demo", from, bulk_url());
	ck_assert_str_eq(description("ann"), "calm");
	bulk_expect(0, "line 4: \"ann\" renamed to \"ann (2)\"\n2 personas: 1 renamed, 1 unchanged",
	    "import --on-conflict rename --from %s --to %s --project demo", from, bulk_url());
	bulk_expect(0, "2 personas: 2 unchanged", "import --on-conflict rename --from %s --to %s --project demo",
	    from, bulk_url());
	ck_assert_str_eq(description("ann (2)"), "angry");
	bulk_expect(0, "line 4: \"ann\" updated; differs in description\n2 personas: 1 updated, 1 unchanged",
	    "import --on-conflict update --from %s --to %s --project demo", from, bulk_url());
	ck_assert_str_eq(description("ann"), "angry");
	/* A rename that is refused is not told as one. */
	bulk_expect(1, "line 2: \"a\\u0000b\" failed: 400 name must not contain the character U+0000\n2 personas: ",
	    "import --jobs 1 --on-conflict rename --from %s --to %s --project demo", scratch_file("nul.jsonl",
	        "{\"name\":\"a\\u0000b\"}\n{\"name\":\"a\\u0000b\",\"description\":\"d\"}\n"), bulk_url());
	bulk_expect(1, "only in TO: \"ann (2)\"\n2 the same, 0 different, 0 only in FROM, 1 only in TO",
	    "diff %s %s --project demo", from, bulk_url());
	stage_close();
}
END_TEST

START_TEST(a_conflict_that_comes_up_meanwhile_is_settled_too)
{
	stage_open(NULL, NULL);
	/* Two importers of one file: each finds names taken that its listing did not show. */
	for (int round = 0; round < 2; round++) {
		const char *from = bulk_source("both.jsonl", round * 150, round * 150 + 149);
		pid_t a = bulk_spawn("a", "import --from %s --to %s --project demo --jobs 4", from, bulk_url());
		pid_t b = bulk_spawn("b", "import --from %s --to %s --project demo --jobs 4", from, bulk_url());

		ck_assert_msg(bulk_wait(a) == 0, "%s", bulk_output("a"));
		ck_assert_msg(bulk_wait(b) == 0, "%s", bulk_output("b"));
	}
	bulk_audit(300);
	stage_close();
}
END_TEST

START_TEST(a_difference_is_shown_by_member)
{
	const char *a = scratch_file("a.jsonl", "{\"id\":\"1\",\"name\":\"ann\",\"description\":\"\"}\n"
	    "{\"id\":\"2\",\"name\":\"bob\",\"systemPrompt\":\"p\\u001b[1m\",\"headers\":{\"A\":\"1\"}}\n");
	const char *b = scratch_file("b.json", "[{\"id\":\"9\",\"name\":\"ann\"},{\"name\":\"bob\","
	    "\"systemPrompt\":\"q\",\"headers\":{\"A\":\"2\"}},{\"name\":\"eve\"}]");

	bulk_expect(1, "\"ann\" differs\n  description\n    - \"\"\n    + absent\n"
	    "\"bob\" differs\n  systemPrompt\n    - \"p\\u001b[1m\"\n    + \"q\"\n"
	    "  headers\n    - {\"A\":\"1\"}\n    + {\"A\":\"2\"}\n"
	    "only in TO: \"eve\"\n0 the same, 2 different, 0 only in FROM, 1 only in TO\n", "diff %s %s", a, b);
	bulk_expect(1, "{\"kind\":\"differs\",\"name\":\"ann\",\"fromId\":\"1\",\"toId\":\"9\","
	    "\"differs\":{\"description\":{\"from\":\"\"}}}\n{\"kind\":\"differs\",\"name\":\"bob\",\"fromId\":\"2\","
	    "\"differs\":{\"systemPrompt\":{\"from\":\"p\\u001b[1m\",\"to\":\"q\"},\"headers\":{\"from\":{\"A\":\"1\"},"
	    "\"to\":{\"A\":\"2\"}}}}\n{\"kind\":\"only-to\",\"name\":\"eve\"}\n", "diff --json - %s <%s", b, a);
	bulk_expect(0, "2 the same", "diff %s - <%s", a, a);
	bulk_expect(2, "b.json, line 1: a persona has no id", "diff --by id %s %s", a, b);
	bulk_expect(2, "cannot be read: No such file", "diff %s %s.none", a, b);
	bulk_expect(2, "standard input can be only one", "diff - -");
}
END_TEST

START_TEST(a_broken_persona_spoils_only_itself)
{
	const char *from = bulk_path("broken.jsonl");
	FILE *out = fopen(from, "w");

	fputs("{\"name\":\"persona 0\",\"description\":\"number 0\"}\n{\"name\":\"\xff\"}\n{\"name\"\n\n", out);
	fputs("{\"name\":\"long\",\"systemPrompt\":\"", out);
	for (int i = 0; i < 5 << 20; i++)
		fputc('x', out);
	fputs("\"}\n{\"name\":\"persona 0\",\"description\":\"number 0\"}\n{\"name\":\"persona 0\"}\n", out);
	fputs("{\"name\":\"too long for it\",\"systemPrompt\":\"", out);
	for (int i = 0; i < 2 << 20; i++)
		fputc('x', out);
	fputs("\"}\n{\"name\":7}\n{\"name\":\"persona 1\",\"description\":\"number 1\"}", out);
	fclose(out);
	stage_open(NULL, NULL);
	bulk_expect(1, "9 personas: 2 created, 1 unchanged, 6 failed",
	    "import --from %s --to %s --project demo >%s 2>&1; cat %s; (exit 1)", from, bulk_url(),
	    bulk_path("o"), bulk_path("o"));
	ck_assert_int_eq(bulk_lines(bulk_path("o"), "line 2: a persona is not JSON: "), 1);
	ck_assert_int_eq(bulk_lines(bulk_path("o"), "line 3: a persona is not JSON: "), 1);
	ck_assert_int_eq(bulk_lines(bulk_path("o"), "line 5: a persona is longer than 4 MiB"), 1);
	ck_assert_int_eq(bulk_lines(bulk_path("o"), "line 7: \"persona 0\" failed: line 1 has its name"), 1);
	ck_assert_int_eq(bulk_lines(bulk_path("o"), "line 8: \"too long for it\" failed: 413 "), 1);
	ck_assert_int_eq(bulk_lines(bulk_path("o"), "line 9: a persona has no name"), 1);
	bulk_audit(2);
	bulk_expect(1, "ended early: the source cannot be read behind line 1: it is neither JSON lines nor JSON",
	    "import --from %s --to %s --project demo", scratch_file("x.csv", "name;prompt\n"), bulk_url());
	bulk_expect(1, "behind line 2: it ends within a persona", "import --from %s --to %s --project demo",
	    scratch_file("x.json", "[{\"name\":\"persona 1\",\"description\":\"number 1\"},\n{\"name\":"), bulk_url());
	bulk_audit(2);
	stage_close();
}
END_TEST

/* A file that is there and cannot be opened; its path. */
static const char *
a_socket(void)
{
	const char *path = bulk_path("socket");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	return path;
}

START_TEST(wrong_usage_is_2_and_says_why)
{
	bulk_expect(2, "--from and --to say", "import --to http://127.0.0.1:1");
	bulk_expect(2, "--to must be an http://", "import --from x --to y");
	bulk_expect(2, "--on-conflict must be fail, skip, update or rename",
	    "import --from x --to http://127.0.0.1:1 --on-conflict merge");
	bulk_expect(2, "--jobs must be from 1 to 64", "import --from x --to http://127.0.0.1:1 --jobs 0");
	bulk_expect(2, "--patience must be", "import --from x --to http://127.0.0.1:1 --patience soon");
	bulk_expect(2, "--format must be", "export --from http://127.0.0.1:1 --format xml");
	bulk_expect(2, "--from must be an http://", "export --from x");
	bulk_expect(2, "two sides", "diff x");
	bulk_expect(2, "--by must be", "diff --by age x y");
	bulk_expect(2, "--project is for a URL that does not end with a project",
	    "import --from x --to http://127.0.0.1:1/api/projects/a --project b");
	bulk_expect(2, "--project is for a URL", "export --from http://127.0.0.1:1/api/projects/a --project b");
	bulk_expect(2, "--project is for a URL", "diff x http://127.0.0.1:1/api/projects/a --project b");
	bulk_expect(2, "a word too many", "import --from x --to http://127.0.0.1:1 more");
	bulk_expect(1, "--project says which project", "import --from /dev/null --to http://127.0.0.1:1");
	bulk_expect(1, "cannot be read: No such file", "import --from /none --to http://127.0.0.1:1 --project p");
	bulk_expect(1, "cannot be read: No such device", "import --from %s --to http://127.0.0.1:1 --project p",
	    a_socket());
	bulk_expect(1, "is a folder", "import --from / --to http://127.0.0.1:1 --project p");
	bulk_expect(0, "usage: persona-gateway import", "import --help");
}
END_TEST

/* Reads what comes from a terminal until its program ends; returns how much. */
static size_t
read_terminal(int fd, char *to, size_t max)
{
	size_t len = 0;
	ssize_t n;

	while (len < max - 1 && (n = read(fd, to + len, max - 1 - len)) > 0)
		len += (size_t)n;
	to[len] = '\0';
	return len;
}

START_TEST(a_terminal_shows_a_bar_with_rate_and_remaining_time)
{
	static char shown[1 << 20];
	const char *from = bulk_source("bar.jsonl", 0, 119), *bar, *done;
	struct winsize size = {.ws_row = 24, .ws_col = 70};
	int terminal, side, status;
	pid_t pid;

	stage_open(NULL, NULL);
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":20}");
	terminal = posix_openpt(O_RDWR | O_NOCTTY);
	ck_assert_int_ge(terminal, 0);
	ck_assert_int_eq(grantpt(terminal), 0);
	ck_assert_int_eq(unlockpt(terminal), 0);
	side = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	ck_assert_int_eq(ioctl(side, TIOCSWINSZ, &size), 0);
	pid = fork();
	if (pid == 0) {
		dup2(side, STDOUT_FILENO);
		dup2(side, STDERR_FILENO);
		execl(program_path(), "persona-gateway", "import", "--from", from, "--to", bulk_url(), "--project",
		    "demo", "--jobs", "4", (char *)NULL);
		_exit(127);
	}
	close(side);
	read_terminal(terminal, shown, sizeof shown);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	bar = strstr(shown, "[#");
	ck_assert_msg(bar != NULL, "%s", shown);
	ck_assert_ptr_nonnull(strstr(bar, " %  "));
	ck_assert_ptr_nonnull(strstr(bar, "/s  0:0"));
	ck_assert_ptr_nonnull(strstr(bar, " left\r\033[K"));
	done = strstr(shown, "120 personas: 120 created");
	ck_assert_ptr_nonnull(done);
	ck_assert_int_eq(done[-1], 'K'); /* the bar is gone */
	ck_assert_ptr_null(strstr(done, "\033"));
	close(terminal);
	bulk_audit(120);
	stage_close();
}
END_TEST

START_TEST(a_project_is_imported_from_another_one)
{
	stage_open(NULL, NULL);
	bulk_expect(0, "300 created", "import --from %s --to %s --project demo", bulk_source("one.jsonl", 0, 299),
	    bulk_url());
	bulk_expect(0, "300 created", "import --from %s/api/projects/demo --to %s --project plain --jobs 32",
	    bulk_url(), bulk_url());
	bulk_expect(0, "300 the same", "diff %s/api/projects/demo %s/api/projects/plain", bulk_url(), bulk_url());
	stage_close();
}
END_TEST

START_TEST(a_pipe_is_imported_as_it_comes)
{
	stage_open(NULL, NULL);
	bulk_source("slow.jsonl", 0, 19);
	bulk_expect(0, "20 personas: 20 created", "--version >%s; (head -n 10 %s; sleep 0.3; tail -n 10 %s) | "
	    "%s import --from - --to %s --project demo", bulk_path("v"), bulk_path("slow.jsonl"),
	    bulk_path("slow.jsonl"), program_path(), bulk_url());
	bulk_audit(20);
	stage_close();
}
END_TEST

START_TEST(an_export_is_whole_or_not_there)
{
	struct stat st;

	stage_open(NULL, NULL);
	free(create(STAGE_DEMO, "{\"name\":\"ann\"}"));
	bulk_expect(0, "1 persona of ", "export --from %s --project demo --to %s", bulk_url(), bulk_path("e"));
	ck_assert_int_eq(stat(bulk_path("e"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	bulk_expect(1, "cannot be written: No such file", "export --from %s --project demo --to %s/none/e",
	    bulk_url(), scratch_dir());
	bulk_expect(0, "{\"id\":", "export --from %s --project demo --to /dev/stdout", bulk_url());
	program_kill(&stage_gateway);
	bulk_expect(1, "does not answer", "export --from %s --project demo --patience 0s --to %s", bulk_url(),
	    bulk_path("e"));
	ck_assert_int_eq(bulk_lines(bulk_path("e"), "\"name\":\"ann\""), 1);
	bulk_expect(1, "/api/projects/demo does not answer", "import --from %s --to %s --project demo --patience 0s",
	    bulk_path("e"), bulk_url());
	ck_assert_int_eq(program_stop(&stage_sandbox), 0);
}
END_TEST

START_TEST(a_report_spoils_no_file_and_is_for_its_owner)
{
	const char *from = bulk_source("r.jsonl", 0, 4), *copy = bulk_source("r2.jsonl", 0, 4);
	const char *report = bulk_path("r.report"), *journal = bulk_path("r.journal");
	struct stat st;

	stage_open(NULL, NULL);
	bulk_expect(1, "r.jsonl is the source or the journal itself",
	    "import --from %s --to %s --project demo --report %s", from, bulk_url(), from);
	bulk_expect(1, "the journal itself", "import --from %s --to %s --project demo --report %s --journal %s",
	    from, bulk_url(), journal, journal);
	bulk_expect(1, "is the source itself", "import --from %s --to %s --project demo --journal %s", from,
	    bulk_url(), from);
	ck_assert_int_eq(bulk_lines(from, "persona"), 5);
	bulk_audit(0);
	bulk_expect(0, "5 would be created", "import --from %s --to %s --project demo --dry-run --report %s",
	    from, bulk_url(), report);
	ck_assert_int_eq(bulk_lines(report, "\"outcome\":\"created\",\"dryRun\":true,\"name\":"), 5);
	ck_assert_int_eq(stat(report, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	bulk_expect(1, "/none cannot be read", "import --from /none --to %s --project demo --report %s",
	    bulk_url(), report);
	ck_assert_int_eq(bulk_lines(report, "dryRun"), 5); /* what could not begin leaves it alone */
	bulk_expect(0, "5 created", "import --from %s --to %s --project demo --journal %s --report %s", from,
	    bulk_url(), journal, report);
	bulk_audit(5);
	/* A dry run looks at the journal, and so says what the real one would do. */
	ck_assert_int_eq(call("DELETE", demo_url("persona 3"), NULL)->status, 204);
	bulk_expect(0, "5 done earlier", "import --from %s --to %s --project demo --journal %s --dry-run", from,
	    bulk_url(), journal);
	bulk_expect(0, "1 would be created, 4 unchanged in ", "import --from %s --to %s --project demo --dry-run",
	    copy, bulk_url());
	/* Programs read standard output, people standard error. */
	bulk_expect(0, "5\n", "import --from %s --to %s --project demo --report - --dry-run 2>%s | grep -c '^{.*}$'",
	    from, bulk_url(), bulk_path("r.people"));
	ck_assert_int_eq(bulk_lines(bulk_path("r.people"), "would be created"), 2);
	stage_close();
}
END_TEST

START_TEST(output_that_cannot_be_written_is_told)
{
	const char *from = bulk_source("o.jsonl", 0, 9), *says = "standard output cannot be written";

	stage_open(NULL, NULL);
	bulk_expect(1, says, "import --from %s --to %s --project demo --dry-run 2>&1 >/dev/full; (exit $?)", from, bulk_url());
	bulk_expect(1, says, "import --from %s --to %s --project demo 2>&1 >/dev/full; (exit $?)", from, bulk_url());
	bulk_audit(10); /* it is done all the same */
	bulk_expect(2, says, "diff --json %s /dev/null --format jsonl 2>&1 >/dev/full; (exit $?)", from);
	bulk_expect(1, says, "export --from %s --project demo 2>&1 >/dev/full; (exit $?)", bulk_url());
	bulk_expect(1, says, "config --defaults 2>&1 >/dev/full; (exit $?)");
	stage_close();
}
END_TEST

/* The suite. */
Suite *
bulk_suite(void)
{
	const TTest *const tests[] = {thousands_go_in_and_come_out_again, each_policy_does_what_it_says,
	    a_conflict_that_comes_up_meanwhile_is_settled_too, a_difference_is_shown_by_member,
	    a_broken_persona_spoils_only_itself, wrong_usage_is_2_and_says_why,
	    a_terminal_shows_a_bar_with_rate_and_remaining_time, a_project_is_imported_from_another_one,
	    a_report_spoils_no_file_and_is_for_its_owner, output_that_cannot_be_written_is_told,
	    a_pipe_is_imported_as_it_comes, an_export_is_whole_or_not_there, NULL};

	return unit_suite("bulk", tests);
}

UNIT_MAIN(bulk_suite, bulk_fault_suite, bulk_server_suite)
