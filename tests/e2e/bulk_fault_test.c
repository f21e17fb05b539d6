#include "config.h"

#include "bulk_rig.h"
#include "stage.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Starts the gateway again on the port that it had. */
static void
restart_gateway(void)
{
	char listen[64];
	const char *const args[] = {"serve", "--config", stage_config(), "--data-dir", stage_data(), "--listen",
	    listen, "--admin-listen", "off", NULL};

	snprintf(listen, sizeof listen, "127.0.0.1:%d", stage_gateway.port);
	program_start(&stage_gateway, args);
}

START_TEST(faults_of_every_kind_double_and_lose_nothing)
{
	const char *from = bulk_source("chaos.jsonl", 0, 199);

	stage_open(NULL, NULL);
	stage_faults("{\"profile\":\"chaos-no-lag\",\"seed\":11}");
	bulk_expect(0, "200 personas: ", "import --from %s --to %s --project demo --jobs 16", from, bulk_url());
	stage_no_faults();
	bulk_audit(200);
	bulk_expect(0, "200 the same, 0 different, 0 only in FROM, 0 only in TO", "diff %s %s --project demo", from,
	    bulk_url());
	stage_close();
}
END_TEST

START_TEST(a_killed_importer_goes_on_without_a_double_or_a_loss)
{
	const char *from = bulk_source("kill.jsonl", 0, 599);
	int killed = 0, before = -1;

	stage_open(NULL, NULL);
	stage_faults("{\"profile\":\"jitter\",\"percent\":50,\"delay_ms\":15}");
	srand(5);
	for (int round = 0; round < 12; round++) {
		int more = rand() % 100, held = bulk_held();
		pid_t pid = bulk_spawn("kill", "import --from %s --to %s --project demo --jobs 4 --journal %s", from,
		    bulk_url(), bulk_path("kj"));

		EVENTUALLY(bulk_held() >= (held + more < 590 ? held + more : 590));
		kill(pid, SIGKILL);
		killed += bulk_wait(pid) == -SIGKILL;
		ck_assert_int_ge(bulk_lines(bulk_path("kj"), "\"item\""), before);
		before = bulk_lines(bulk_path("kj"), "\"item\"");
	}
	ck_assert_int_gt(killed, 6);
	bulk_expect(0, "600 personas: ", "import --from %s --to %s --project demo --jobs 16 --journal %s", from,
	    bulk_url(), bulk_path("kj"));
	stage_no_faults();
	bulk_audit(600);
	ck_assert_int_eq(bulk_lines(bulk_path("kj"), "\"item\""), 600);
	bulk_expect(0, "600 done earlier", "import --from %s --to %s --project demo --journal %s", from, bulk_url(),
	    bulk_path("kj"));
	stage_close();
}
END_TEST

START_TEST(a_stop_ends_what_is_under_way_and_says_how_to_go_on)
{
	const char *from = bulk_source("stop.jsonl", 0, 249);
	char command[1024];
	pid_t pid;
	int done;

	stage_open(NULL, NULL);
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":30}");
	snprintf(command, sizeof command, "import --from %s --to %s --project demo --journal %s --report %s", from,
	    bulk_url(), bulk_path("sj"), bulk_path("sr"));
	pid = bulk_spawn("stop", "%s", command);
	EVENTUALLY(bulk_held() >= 40);
	kill(pid, SIGINT);
	ck_assert_int_eq(bulk_wait(pid), 1);
	done = bulk_held();
	ck_assert_int_lt(done, 250);
	ck_assert_int_eq(bulk_lines(bulk_path("sj"), "\"item\""), done); /* all that is there is noted */
	ck_assert_int_eq(bulk_lines(bulk_path("sr"), "\"outcome\":\"created\""), done);
	ck_assert_ptr_nonnull(strstr(bulk_output("stop"), "stopping; what is under way comes to its end first"));
	ck_assert_ptr_nonnull(strstr(bulk_output("stop"), "the same command goes on from here"));
	stage_no_faults();
	bulk_expect(0, "250 personas: ", "%s", command);
	bulk_audit(250);
	stage_close();
}
END_TEST

/* Whether a process is the program by now, and has a handler for SIGINT: it minds a stop. */
static bool
minds_stop(pid_t pid)
{
	char path[64], line[256];
	unsigned long caught = 0;
	bool program = false;
	FILE *in;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	in = fopen(path, "r");
	while (in != NULL && fgets(line, sizeof line, in) != NULL) {
		program |= strcmp(line, "Name:\tpersona-gateway\n") == 0;
		sscanf(line, "SigCgt: %lx", &caught);
	}
	if (in != NULL)
		fclose(in);
	return program && (caught & 1ul << (SIGINT - 1)) != 0;
}

START_TEST(a_stop_is_minded_while_it_waits)
{
	const char *file = bulk_source("wait.jsonl", 0, 1);
	int pipe_end;
	pid_t pid;

	/* For a server that is not there. */
	pid = bulk_spawn("wait", "import --from %s --to http://127.0.0.1:9 --project p", file);
	EVENTUALLY(minds_stop(pid));
	kill(pid, SIGTERM);
	ck_assert_int_eq(bulk_wait(pid), 1);
	ck_assert_ptr_nonnull(strstr(bulk_output("wait"), "persona-gateway: interrupted"));
	/* For a pipe that brings nothing. */
	ck_assert_int_eq(mkfifo(bulk_path("fifo"), 0600), 0);
	pipe_end = open(bulk_path("fifo"), O_RDWR);
	pid = bulk_spawn("fifo", "diff - %s <%s", file, bulk_path("fifo"));
	EVENTUALLY(minds_stop(pid));
	kill(pid, SIGINT);
	ck_assert_int_eq(bulk_wait(pid), 2);
	ck_assert_ptr_nonnull(strstr(bulk_output("fifo"), "standard input cannot be read: interrupted"));
	/* And between two personas of a pipe. */
	stage_open(NULL, NULL);
	pid = bulk_spawn("pipe", "import --from - --to %s --project demo <%s", bulk_url(), bulk_path("fifo"));
	ck_assert_int_gt(write(pipe_end, "{\"name\":\"persona 0\",\"description\":\"number 0\"}\n", 46), 0);
	EVENTUALLY(bulk_held() == 1);
	kill(pid, SIGINT);
	ck_assert_int_eq(bulk_wait(pid), 1);
	ck_assert_ptr_nonnull(strstr(bulk_output("pipe"), "1 persona: 1 created"));
	close(pipe_end);
	stage_close();
}
END_TEST

START_TEST(a_pipe_that_nobody_fills_or_empties_does_not_hold_a_signal_up)
{
	const char *from = bulk_source("stuck.jsonl", 0, 5999);
	pid_t pid;
	int end;

	/* Nobody has the other end of the source. */
	ck_assert_int_eq(mkfifo(bulk_path("empty"), 0600), 0);
	pid = bulk_spawn("empty", "diff %s %s", from, bulk_path("empty"));
	EVENTUALLY(minds_stop(pid));
	kill(pid, SIGTERM);
	ck_assert_int_eq(bulk_wait(pid), 2);
	ck_assert_ptr_nonnull(strstr(bulk_output("empty"), "empty cannot be read: interrupted"));
	/* Nobody reads what is written, more than a pipe takes: no loop turns then, and the second
	 * signal ends it. */
	ck_assert_int_eq(mkfifo(bulk_path("full"), 0600), 0);
	end = open(bulk_path("full"), O_RDWR);
	pid = bulk_spawn("full", "diff --json %s /dev/null --format jsonl >%s", from, bulk_path("full"));
	EVENTUALLY(minds_stop(pid));
	kill(pid, SIGTERM);
	EVENTUALLY(!minds_stop(pid)); /* the signal has come */
	kill(pid, SIGTERM);
	ck_assert_int_eq(bulk_wait(pid), -SIGTERM);
	close(end);
}
END_TEST

START_TEST(a_gateway_that_is_killed_is_waited_for)
{
	const char *from = bulk_source("away.jsonl", 0, 299);
	pid_t pid;

	stage_open(NULL, NULL);
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":10}");
	pid = bulk_spawn("away", "import --from %s --to %s --project demo --jobs 16 --journal %s", from, bulk_url(),
	    bulk_path("aj"));
	for (int held = 50; held < 250; held += 75) {
		EVENTUALLY(bulk_held() >= held);
		program_kill(&stage_gateway);
		restart_gateway();
	}
	ck_assert_msg(bulk_wait(pid) == 0, "%s", bulk_output("away"));
	stage_no_faults();
	bulk_audit(300);
	stage_close();
}
END_TEST

START_TEST(a_gateway_that_stays_away_ends_the_import)
{
	const char *from = bulk_source("gone.jsonl", 0, 149);
	pid_t pid;

	stage_open(NULL, NULL);
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":10}");
	pid = bulk_spawn("gone", "import --from %s --to %s --project demo --patience 1s", from, bulk_url());
	EVENTUALLY(bulk_held() >= 20);
	program_kill(&stage_gateway);
	ck_assert_int_eq(bulk_wait(pid), 1);
	ck_assert_ptr_nonnull(strstr(bulk_output("gone"), "ended early: no answer ("));
	ck_assert_ptr_nonnull(strstr(bulk_output("gone"), "the same command goes on; it finds what is done by its name"));
	restart_gateway();
	bulk_expect(0, "150 personas: ", "import --from %s --to %s --project demo", from, bulk_url());
	stage_no_faults();
	bulk_audit(150);
	stage_close();
}
END_TEST

START_TEST(a_journal_that_cannot_be_written_ends_the_import)
{
	const char *from = bulk_source("full.jsonl", 0, 299), *other;
	struct stat st;

	stage_open(NULL, NULL);
	/* As a full disk does: no file may grow beyond 4 KiB. */
	bulk_expect(1, "cannot be written: File too large", "--version >/dev/null; ulimit -f 8; "
	    "%s import --from %s --to %s --project demo --journal %s", program_path(), from, bulk_url(),
	    bulk_path("fj"));
	ck_assert_int_eq(stat(bulk_path("fj"), &st), 0);
	ck_assert_int_gt(bulk_held(), 0);
	bulk_expect(0, "300 personas: ", "import --from %s --to %s --project demo --journal %s", from, bulk_url(),
	    bulk_path("fj"));
	bulk_audit(300);
	other = bulk_source("no.journal", 0, 299);
	bulk_expect(1, "is not a journal of this program", "import --from %s --to %s --project demo --journal %s",
	    from, bulk_url(), other);
	ck_assert_int_eq(bulk_lines(other, "persona"), 300); /* and stays what it is */
	bulk_expect(1, "another import needs another journal",
	    "import --from %s --to %s --project plain --journal %s", from, bulk_url(), bulk_path("fj"));
	stage_close();
}
END_TEST

START_TEST(a_file_that_changes_meanwhile_is_told)
{
	const char *from = bulk_source("grow.jsonl", 0, 99);
	pid_t pid;
	FILE *out;

	stage_open(NULL, NULL);
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":20}");
	pid = bulk_spawn("grow", "import --from %s --to %s --project demo", from, bulk_url());
	EVENTUALLY(bulk_held() >= 10);
	out = fopen(from, "a");
	fputs("{\"name\":\"persona 100\",\"description\":\"number 100\"}\n", out);
	fclose(out);
	ck_assert_int_eq(bulk_wait(pid), 1);
	ck_assert_ptr_nonnull(strstr(bulk_output("grow"), "grow.jsonl has changed meanwhile; import it again"));
	stage_no_faults();
	bulk_expect(0, "101 personas: ", "import --from %s --to %s --project demo", from, bulk_url());
	bulk_audit(101);
	stage_close();
}
END_TEST

/* The suite. */
Suite *
bulk_fault_suite(void)
{
	const TTest *const tests[] = {faults_of_every_kind_double_and_lose_nothing,
	    a_killed_importer_goes_on_without_a_double_or_a_loss,
	    a_stop_ends_what_is_under_way_and_says_how_to_go_on, a_stop_is_minded_while_it_waits,
	    a_pipe_that_nobody_fills_or_empties_does_not_hold_a_signal_up, a_gateway_that_is_killed_is_waited_for,
	    a_gateway_that_stays_away_ends_the_import, a_journal_that_cannot_be_written_ends_the_import,
	    a_file_that_changes_meanwhile_is_told, NULL};

	return unit_suite("bulk with faults", tests);
}
