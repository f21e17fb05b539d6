#include "config.h"

#include "harness.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/*
 * How small and how quick the program is when nothing is asked of it. Sanitizers
 * change both, so a build with them measures nothing here.
 */

#define READY_MS 200
#define IDLE_KB 4096
#define STARTS 5
#define WARM_ROUNDS 100
#define ROUNDS 400    /* of six requests */
#define GROWTH_KB 512 /* deleted personas are remembered for a while, some hundred bytes each */

#if defined(WITH_ASAN) || defined(WITH_FUZZING)
#define MEASURED 0
#else
#define MEASURED 1
#endif

static struct program gateway;

/* Starts a gateway over its sandbox. */
static void
start(void)
{
	/* what /proc tells of its memory is for others only when core dumps are allowed */
	const char *const args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", "--config", scratch_file("gateway.yaml", "core_dumps: true\n"
	    "projects: {demo: {agent_id: 1}, \"*\": {}}\n"), NULL};

	program_start(&gateway, args);
}

/* Milliseconds of a clock that only runs forward. */
static long
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A number of /proc/PID/smaps_rollup, in KiB. */
static long
memory(const char *name)
{
	char *out = shell("sed -n 's/^%s: *\\([0-9]*\\) kB$/\\1/p' /proc/%d/smaps_rollup", name,
	    (int)gateway.pid);
	long kb = *out != '\0' ? atol(out) : -1;

	free(out);
	return kb;
}

/* How many descriptors it has open. */
static int
descriptors(void)
{
	char *out = shell("ls /proc/%d/fd | wc -l", (int)gateway.pid);
	int n = atoi(out);

	free(out);
	return n;
}

START_TEST(it_is_ready_soon)
{
	long best = -1;

	/* The best of some starts, since the machine may be doing something else. */
	for (int i = 0; i < STARTS && (best < 0 || best >= READY_MS); i++) {
		long begin = now(), took;

		start();
		took = now() - begin;
		best = best < 0 || took < best ? took : best;
		ck_assert_int_eq(program_stop(&gateway), 0);
	}
	if (MEASURED)
		ck_assert_int_lt(best, READY_MS);
}
END_TEST

START_TEST(it_is_small_when_idle)
{
	start();
	if (MEASURED) {
		ck_assert_int_gt(memory("Anonymous"), 0);
		ck_assert_int_lt(memory("Anonymous"), IDLE_KB);
	}
	ck_assert_int_eq(program_stop(&gateway), 0);
}
END_TEST

/* Lists, creates, reads, deletes and is refused, in projects of both kinds. */
static void
round_of_calls(int n)
{
	const char *project = n % 2 == 0 ? "demo" : "other";
	char body[64], path[64], one[128];

	snprintf(body, sizeof body, "{\"name\":\"n%d\",\"headers\":{\"A\":\"%d\"}}", n, n);
	snprintf(path, sizeof path, "/api/projects/%s/personas", project);
	ck_assert_int_eq(ask(gateway.port, "GET", path, NULL, NULL)->status, 200);
	snprintf(one, sizeof one, "%s/%s", path,
	    reply_string(ask(gateway.port, "POST", path, NULL, body), "id"));
	ck_assert_int_eq(ask(gateway.port, "GET", one, NULL, NULL)->status, 200);
	ck_assert_int_eq(ask(gateway.port, "DELETE", one, NULL, NULL)->status, 204);
	ck_assert_int_eq(ask(gateway.port, "GET", one, NULL, NULL)->status, 404);
	ck_assert_int_eq(ask(gateway.port, "PUT", one, NULL, "{\"name\":")->status, 400);
}

START_TEST(it_does_not_grow_with_the_number_of_requests)
{
	int fds, n = 0;
	long kb;

	start();
	while (n < WARM_ROUNDS)
		round_of_calls(n++);
	fds = descriptors();
	kb = memory("Anonymous");
	while (n < WARM_ROUNDS + ROUNDS)
		round_of_calls(n++);
	ck_assert_int_le(descriptors(), fds + 1); /* a connection may still be closing */
	if (MEASURED)
		ck_assert_int_lt(memory("Anonymous"), kb + GROWTH_KB);
	ck_assert_int_eq(program_stop(&gateway), 0);
}
END_TEST

/* What it costs to run. */
static Suite *
footprint_suite(void)
{
	const TTest *const tests[] = {it_is_ready_soon, it_is_small_when_idle,
	    it_does_not_grow_with_the_number_of_requests, NULL};

	return unit_suite("footprint", tests);
}

UNIT_MAIN(footprint_suite)
