#include "config.h"

#include "harness.h"
#include "unit.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * What 10,000 connections cost that wait for their next request, in memory of the process's
 * own (RssAnon), and that it is given back. Sanitizers keep freed memory, so a build with
 * them measures nothing here.
 */

#define CONNECTIONS 10000
#define EACH_BYTES 1024
#define ALL_KB (40 * 1024)
#define IDLE_KB 4096
#define ROUND_KB 1024      /* what a second round may add */
#define BODIES 300         /* at once */
#define BODY_LEN 100000
#define LEFT_KB (12 * 1024)
#define PATIENCE_MS 30000

#if defined(WITH_ASAN) || defined(WITH_FUZZING)
#define MEASURED 0
#else
#define MEASURED 1
#endif

static struct program gateway;

/* Milliseconds of a clock that only runs forward. */
static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Starts a gateway over its sandbox. */
static void
start(void)
{
	const char *const args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", NULL};

	program_start(&gateway, args);
}

/* Its own memory, in KiB. */
static long
memory(void)
{
	char *out = shell("sed -n 's/^RssAnon:[^0-9]*\\([0-9]*\\) kB$/\\1/p' /proc/%d/status",
	    (int)gateway.pid);
	long kb = atol(out);

	free(out);
	ck_assert_int_gt(kb, 0);
	return kb;
}

/* A number of the metrics of the local API. */
static long
metric(const char *name)
{
	char *out = shell("curl -s -m 10 http://127.0.0.1:%d/metrics | sed -n "
	    "'s/^persona_gateway_http_%s{listener=\"api\"} //p'", gateway.admin_port, name);
	long n = *out != '\0' ? atol(out) : -1;

	free(out);
	return n;
}

/* Waits until so many connections are open. */
static void
wait_open(long count)
{
	int64_t until = now() + PATIENCE_MS;

	while (metric("connections_open") != count)
		ck_assert_msg(now() < until, "%ld connections are open, not %ld",
		    metric("connections_open"), count);
}

/* Connects from one of several addresses of loopback, which have ports enough. */
static int
connect_from(int n)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(n % 8));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)gateway.port);
	ck_assert_msg(fd >= 0, "%s", strerror(errno));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

/* Has each connection make a request and wait for the next one. */
static void
open_all(int fds[CONNECTIONS])
{
	static const char get[] = "GET /api/projects/demo/personas HTTP/1.1\r\nHost: localhost\r\n"
	    "User-Agent: memory\r\nAccept: */*\r\n\r\n";
	char answer[2048];

	for (int i = 0; i < CONNECTIONS; i++) {
		fds[i] = connect_from(i);
		raw_send(fds[i], get, sizeof get - 1);
		ck_assert_int_gt(recv(fds[i], answer, sizeof answer, 0), 12); /* it is sent at once */
		ck_assert_int_eq(memcmp(answer, "HTTP/1.1 200", 12), 0);
	}
	wait_open(CONNECTIONS);
}

/* Closes all. */
static void
close_all(const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		close(fds[i]);
	wait_open(0);
}

START_TEST(waiting_connections_cost_little)
{
	int *fds = mem_zero(CONNECTIONS, sizeof *fds);
	long idle, first, second;

	start();
	ck_assert_int_eq(ask(gateway.port, "GET", "/api/projects/demo/personas", NULL, NULL)->status, 200);
	idle = memory();
	open_all(fds);
	first = memory();
	close_all(fds, CONNECTIONS);
	open_all(fds);
	second = memory();
	close_all(fds, CONNECTIONS);
	if (MEASURED) {
		printf("own memory: %ld KiB idle, %ld bytes for each of %d connections, %ld KiB together\n",
		    idle, (first - idle) * 1024 / CONNECTIONS, CONNECTIONS, first);
		ck_assert_int_lt(idle, IDLE_KB);
		ck_assert_int_lt((first - idle) * 1024 / CONNECTIONS, EACH_BYTES);
		ck_assert_int_lt(first, ALL_KB);
		ck_assert_int_lt(second, first + ROUND_KB);
	}
	free(fds);
	ck_assert_int_eq(program_stop(&gateway), 0);
}
END_TEST

START_TEST(memory_of_a_burst_is_given_back)
{
	static const char head[] = "POST /api/projects/demo/personas HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Type: application/json\r\nContent-Length: 100001\r\n\r\n";
	int64_t until = now() + PATIENCE_MS;
	char *body = mem_zero(1, BODY_LEN);
	int fds[BODIES];
	struct reply r;

	start();
	memset(body, ' ', BODY_LEN);
	for (int i = 0; i < BODIES; i++) {
		fds[i] = connect_from(i);
		raw_send(fds[i], head, sizeof head - 1);
		raw_send(fds[i], body, BODY_LEN);
	}
	while (metric("buffer_bytes") < (long)BODIES * BODY_LEN)
		ck_assert_msg(now() < until, "%ld bytes", metric("buffer_bytes"));
	if (MEASURED)
		ck_assert_int_gt(memory(), BODIES * (BODY_LEN / 1024));
	for (int i = 0; i < BODIES; i++) {
		raw_send(fds[i], "x", 1);
		raw_reply(fds[i], false, &r);
		ck_assert_int_eq(r.status, 400);
		free(r.body);
	}
	close_all(fds, BODIES);
	ck_assert_int_eq(metric("buffer_bytes"), 0);
	while (MEASURED && memory() > LEFT_KB) {
		ck_assert_msg(now() < until, "%ld KiB are left", memory());
		poll(NULL, 0, 200); /* looking costs time too, and it waits for a quiet moment */
	}
	free(body);
	ck_assert_int_eq(program_stop(&gateway), 0);
}
END_TEST

/* Whether so many descriptors may be had, here and in the gateway. */
static bool
descriptors_suffice(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < CONNECTIONS + 1024) {
		fprintf(stderr, "skipped: %d connections need a hard limit of %d open files (ulimit -Hn)\n",
		    CONNECTIONS, CONNECTIONS + 1024);
		return false;
	}
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* The suite. */
static Suite *
memory_suite(void)
{
	const TTest *const tests[] = {waiting_connections_cost_little,
	    memory_of_a_burst_is_given_back, NULL};

	return unit_suite("memory", tests);
}

UNIT_MAIN_IF(descriptors_suffice(), memory_suite)
