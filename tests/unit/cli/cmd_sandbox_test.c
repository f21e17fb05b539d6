#include "config.h"

#include "cli/cmd_sandbox.h"
#include "cli_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Runs the command to its end; up to three arguments. */
static int
run(const char *a, const char *b, const char *c, struct buf *out, struct buf *err)
{
	const char *args[] = {"sandbox", a, b, c, NULL};
	struct run r;

	run_start(&r, cmd_sandbox, args);
	return run_end(&r, out, err);
}

START_TEST(sandbox_help_names_every_option_and_profile)
{
	static const char *const words[] = {"usage:", "--listen", "--faults", "--seed", "--api-key",
		"--journal", "chaos-no-lag", "reset-after", "lagging-lists"};
	struct buf out, err;

	buf_init(&out, 0);
	buf_init(&err, 0);
	ck_assert_int_eq(run("--help", NULL, NULL, &out, &err), 0);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		ck_assert_msg(strstr(out.data, words[i]) != NULL, "%s", words[i]);
	ck_assert_str_eq(err.data, "");
	buf_free(&out);
	buf_free(&err);
}
END_TEST

START_TEST(sandbox_wrong_usage_is_2_and_names_the_mistake)
{
	static const char *const bad[][3] = {{"--bogus", NULL, "--bogus"}, {"-x", NULL, "-x"},
		{"more", NULL, "more"}, {"--seed", "x", "whole number"},
		{"--seed", "-1", "whole number"},
		{"--seed", "99999999999999999999", "whole number"},
		{"--faults", "nonsense", "nonsense"}, {"--faults", NULL, "--faults"},
		{"--api-key", "", "needs a key"}};
	struct buf out, err;

	buf_init(&out, 0);
	buf_init(&err, 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(run(bad[i][0], bad[i][1], NULL, &out, &err), 2);
		ck_assert_str_eq(out.data, "");
		ck_assert_msg(strstr(err.data, bad[i][2]) != NULL, "%s", err.data);
		ck_assert_ptr_nonnull(strstr(err.data, "--help"));
	}
	buf_free(&out);
	buf_free(&err);
}
END_TEST

START_TEST(sandbox_failure_is_1_with_a_sentence)
{
	struct buf out, err;

	buf_init(&out, 0);
	buf_init(&err, 0);
	ck_assert_int_eq(run("--listen", "0.0.0.0:0", NULL, &out, &err), 1);
	ck_assert_ptr_nonnull(strstr(err.data, "loopback only"));
	ck_assert_int_eq(run("--journal", "/nonexistent/x", NULL, &out, &err), 1);
	ck_assert_ptr_nonnull(strstr(err.data, "/nonexistent/x"));
	ck_assert_str_eq(out.data, "");
	buf_free(&out);
	buf_free(&err);
}
END_TEST

/* Sends one ping with a key; gives the status. */
static int
ping(int port, const char *key)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	char bytes[512];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status = 0;
	ssize_t n;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	snprintf(bytes, sizeof bytes,
	    "GET /v1/ping HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n\r\n", key);
	ck_assert_int_eq(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), (ssize_t)strlen(bytes));
	n = read(fd, bytes, sizeof bytes - 1);
	ck_assert_int_gt(n, 0);
	bytes[n] = '\0';
	ck_assert_int_eq(sscanf(bytes, "HTTP/1.1 %d", &status), 1);
	close(fd);
	return status;
}

START_TEST(sandbox_says_where_it_listens_and_ends_on_a_signal)
{
	const char *args[] = {"sandbox", "--api-key", "k", "--faults=errors-before", "--seed=0",
		NULL};
	const int signals[] = {SIGTERM, SIGINT};
	struct buf out, err;
	char line[128];
	int port, errors = 0;
	struct run r;

	buf_init(&out, 0);
	buf_init(&err, 0);
	for (int i = 0; i < 2; i++) {
		run_start(&r, cmd_sandbox, args);
		run_line(&r, line, sizeof line);
		ck_assert_msg(sscanf(line, "listening on http://127.0.0.1:%d", &port) == 1, "%s",
		    line);
		for (int n = 0; n < 30; n++)
			errors += ping(port, "k") >= 500;
		kill(r.pid, signals[i]);
		ck_assert_int_eq(run_end(&r, &out, &err), 0);
		ck_assert_str_eq(out.data, "");
	}
	ck_assert_int_gt(errors, 4);
	ck_assert_int_lt(errors, 40);
	ck_assert_int_eq(errors % 2, 0); /* both runs met the same */
	buf_free(&out);
	buf_free(&err);
}
END_TEST

/* The tests. */
Suite *
suite_cmd_sandbox(void)
{
	const TTest *const tests[] = {
		sandbox_help_names_every_option_and_profile,
		sandbox_wrong_usage_is_2_and_names_the_mistake,
		sandbox_failure_is_1_with_a_sentence,
		sandbox_says_where_it_listens_and_ends_on_a_signal,
		NULL,
	};

	return unit_suite("sandbox command", tests);
}
