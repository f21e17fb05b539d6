#include "config.h"

#include "load.h"
#include "stage.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Several event loops: whichever of them has a connection, what was acknowledged on one
 * is what all of them answer from then on.
 */

#define WORKERS_LOOPS 3
#define WORKERS_LANES 6   /* connections: new ones go to the loop that has the fewest */
#define WORKERS_ROUNDS 60 /* of create, updates and delete */
#define WORKERS_UPDATES 4
#define WORKERS_READERS 2 /* processes that read all the time */

static int lanes[WORKERS_LANES];

/* Starts a gateway with several loops and a connection to each, twice. */
static void
workers_open(void)
{
	stage_open("  cache: {fresh: 1h}\n", "workers: 3\n");
	for (int i = 0; i < WORKERS_LANES; i++)
		lanes[i] = raw_connect(stage_gateway.port);
}

/* Ends it. */
static void
workers_close(void)
{
	for (int i = 0; i < WORKERS_LANES; i++)
		close(lanes[i]);
	stage_close();
}

/* One request on a kept connection; the caller frees the body. */
static void
workers_ask(int lane, const char *method, const char *path, const char *fields, const char *body,
    struct reply *r)
{
	char request[2000];

	snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", method, path,
	    fields != NULL ? fields : "", body != NULL ? strlen(body) : 0, body != NULL ? body : "");
	raw_send(lanes[lane], request, strlen(request));
	raw_reply(lanes[lane], false, r);
}

/* Counts loops whose answer does not have this status, or these words. */
static int
workers_stale(const char *path, int status, const char *words)
{
	int stale = 0;

	for (int lane = 0; lane < WORKERS_LANES; lane++) {
		struct reply r;

		workers_ask(lane, "GET", path, lane >= WORKERS_LANES / 2 ? "X-Round: 2\r\n" : NULL, NULL,
		    &r);
		stale += r.status != status || (words != NULL && strstr(r.body, words) == NULL);
		free(r.body);
	}
	return stale;
}

/* Reads a persona all the time, on connections of its own, until it is killed. */
static pid_t
workers_reader(const char *path)
{
	pid_t pid = fork();
	struct reply r;

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	for (int i = 0; i < WORKERS_LANES; i++)
		lanes[i] = raw_connect(stage_gateway.port);
	for (int i = 0;; i++) {
		workers_ask(i % WORKERS_LANES, "GET", path, i % 7 == 0 ? "Cache-Control: no-cache\r\n" : NULL,
		    NULL, &r);
		free(r.body);
	}
}

/* One persona, from its create to its delete; how often a loop answered with less than
 * what was acknowledged. */
static int
workers_live(const char *collection, int round)
{
	pid_t readers[WORKERS_READERS];
	char body[200], words[100];
	const char *path;
	struct reply r;
	int stale = 0;
	char *id;

	snprintf(body, sizeof body, "{\"name\":\"p%d\",\"description\":\"begin\"}", round);
	workers_ask(round % WORKERS_LANES, "POST", collection, NULL, body, &r);
	ck_assert_int_eq(r.status, 201);
	id = strdup(reply_string(&r, "id"));
	free(r.body);
	path = below(collection, id);
	stale += workers_stale(path, 200, "begin");
	for (int i = 0; i < WORKERS_READERS; i++)
		readers[i] = workers_reader(path);
	for (int n = 0; n < WORKERS_UPDATES; n++) {
		snprintf(body, sizeof body, "{\"description\":\"v%d of it\"}", n);
		snprintf(words, sizeof words, "v%d of it", n);
		workers_ask((round + n) % WORKERS_LANES, "PUT", path, NULL, body, &r);
		ck_assert_int_eq(r.status, 200);
		free(r.body);
		stale += workers_stale(path, 200, words);
		stale += workers_stale(collection, 200, words);
	}
	workers_ask((round + 1) % WORKERS_LANES, "DELETE", path, NULL, NULL, &r);
	ck_assert_int_eq(r.status, 204);
	free(r.body);
	stale += workers_stale(path, 404, NULL);
	for (int i = 0; i < WORKERS_READERS; i++) {
		kill(readers[i], SIGKILL);
		waitpid(readers[i], NULL, 0);
	}
	stale += workers_stale(path, 404, NULL);
	free(id);
	return stale;
}

START_TEST(what_was_acknowledged_is_what_every_loop_answers)
{
	static const char *const collections[] = {STAGE_DEMO, STAGE_PLAIN};
	int stale = 0;

	workers_open();
	for (int round = 0; round < WORKERS_ROUNDS; round++)
		stale += workers_live(collections[round % 2], round);
	ck_assert_int_eq(stale, 0);
	workers_close();
}
END_TEST

START_TEST(a_write_past_the_gateway_is_seen_by_every_loop)
{
	char path[200], body[100], words[60], *id;
	struct reply r;

	stage_open("  cache: {fresh: 1h}\n", "workers: 3\npassthrough: {bluejay: true}\n");
	for (int i = 0; i < WORKERS_LANES; i++)
		lanes[i] = raw_connect(stage_gateway.port);
	id = create(STAGE_DEMO, "{\"name\":\"a\",\"description\":\"begin\"}");
	for (int n = 0; n < 30; n++) {
		snprintf(path, sizeof path, "/v1/update-customer-persona/%s", id);
		snprintf(body, sizeof body, "{\"description\":\"past %d.\"}", n);
		snprintf(words, sizeof words, "past %d.", n);
		workers_ask(n % WORKERS_LANES, "PUT", path, NULL, body, &r);
		ck_assert_int_eq(r.status, 200);
		free(r.body);
		ck_assert_int_eq(workers_stale(below(STAGE_DEMO, id), 200, words), 0);
		ck_assert_int_eq(workers_stale(STAGE_DEMO, 200, words), 0);
	}
	free(id);
	workers_close();
}
END_TEST

START_TEST(equal_creates_on_all_loops_are_one)
{
	const char *text = "{\"name\":\"one\",\"description\":\"\"}";
	char request[400], *first = NULL;
	struct reply r;

	workers_open();
	snprintf(request, sizeof request, "POST " STAGE_DEMO " HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(text), text);
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":300}");
	for (int i = 0; i < WORKERS_LANES; i++)
		raw_send(lanes[i], request, strlen(request));
	for (int i = 0; i < WORKERS_LANES; i++) {
		raw_reply(lanes[i], false, &r);
		ck_assert_int_eq(r.status, 201);
		if (first == NULL)
			first = strdup(r.body);
		ck_assert_str_eq(r.body, first);
		free(r.body);
	}
	stage_no_faults();
	ck_assert_int_eq(stage_has("one", NULL), 1);
	free(first);
	workers_close();
}
END_TEST

START_TEST(equal_reads_on_all_loops_share_a_call)
{
	static const char route[] = "/v1/customer-persona/{persona_id}";
	char request[300], *id;
	struct reply r;
	int before;

	stage_open("  cache: {fresh: 0s}\n", "workers: 3\n");
	for (int i = 0; i < WORKERS_LANES; i++)
		lanes[i] = raw_connect(stage_gateway.port);
	id = create(STAGE_DEMO, "{\"name\":\"a\",\"description\":\"begin\"}");
	for (int n = 0; n < 3; n++)
		ck_assert_int_eq(workers_stale(below(STAGE_DEMO, id), 200, "begin"), 0);
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":700}");
	before = stage_received("GET", route);
	ck_assert_int_gt(before, 0);
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
	    below(STAGE_DEMO, id));
	for (int i = 0; i < WORKERS_LANES; i++)
		raw_send(lanes[i], request, strlen(request));
	for (int i = 0; i < WORKERS_LANES; i++) {
		raw_reply(lanes[i], false, &r);
		ck_assert_int_eq(r.status, 200);
		free(r.body);
	}
	/* two that look at the same moment may both ask */
	ck_assert_int_lt(stage_received("GET", route) - before, WORKERS_LOOPS);
	stage_no_faults();
	free(id);
	workers_close();
}
END_TEST

/* The threads of the gateway that serve clients beside the first. */
static int
workers_threads(void)
{
	char *out = shell("cat /proc/%d/task/*/comm | grep -c '^worker-'", (int)stage_gateway.pid);
	int count = atoi(out);

	free(out);
	return count;
}

START_TEST(all_loops_take_another_configuration_while_they_serve)
{
	char *demo, *plain;
	struct load *load;
	struct reply *r;

	workers_open();
	ck_assert_int_eq(workers_threads(), WORKERS_LOOPS - 1);
	demo = create(STAGE_DEMO, "{\"name\":\"a\"}");
	plain = create(STAGE_PLAIN, "{\"name\":\"a\"}");
	load = load_start(demo, plain, false);
	for (int n = 0; n < 20; n++) {
		scratch_file("gateway.yaml", "bluejay: {url: \"%s\", api_key: sandbox}\n"
		    "projects: {demo: {agent_id: 7}, plain: {}, p%d: {}}\nworkers: 3\n", stage_sandbox.url[0], n);
		r = ask(stage_gateway.admin_port, "POST", "/reload", NULL, "{}");
		ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
		for (int lane = 0; lane < WORKERS_LANES; lane++) {
			char path[60], gone[60];
			struct reply mine;

			snprintf(path, sizeof path, "/api/projects/p%d/personas", n);
			snprintf(gone, sizeof gone, "/api/projects/p%d/personas", n - 1);
			workers_ask(lane, "GET", path, NULL, NULL, &mine);
			ck_assert_int_eq(mine.status, 200);
			free(mine.body);
			workers_ask(lane, "GET", gone, NULL, NULL, &mine);
			ck_assert_int_eq(mine.status, 404);
			free(mine.body);
		}
	}
	load_end(load, "reloads of several loops", 20);
	free(demo);
	free(plain);
	workers_close();
}
END_TEST

/* Processor time of the gateway's loops so far, in nanoseconds: of the first, or the other. */
static long long
workers_spent(bool first)
{
	char *out = shell("cd /proc/%d/task && for t in *; do case $(cat $t/comm) in worker-1) o=$t;; esac; done; "
	    "cut -d' ' -f1 %s/schedstat", (int)stage_gateway.pid, first ? "$(basename $(dirname $PWD))" : "$o");
	long long spent = atoll(out);

	free(out);
	return spent;
}

/* Whether both loops took their part of the work of a moment: each at least a third of the
 * other's. */
static bool
workers_share(void)
{
	long long one = workers_spent(true), two = workers_spent(false);

	for (int i = 0; i < 50; i++)
		harness_breathe();
	one = workers_spent(true) - one;
	two = workers_spent(false) - two;
	return one > 0 && two > 0 && one < 3 * two && two < 3 * one;
}

START_TEST(connections_move_to_the_loop_that_has_less_to_do)
{
	pid_t pid;
	char *id;

	stage_open("  cache: {fresh: 1h}\n", "workers: 2\n");
	for (int i = 0; i < WORKERS_LANES; i++) /* in turn: one loop has the even ones */
		lanes[i] = raw_connect(stage_gateway.port);
	id = create(STAGE_DEMO, "{\"name\":\"a\"}");
	pid = fork();
	ck_assert_int_ge(pid, 0);
	for (int i = 0; pid == 0; i = (i + 2) % WORKERS_LANES) {
		struct reply r;

		workers_ask(i, "GET", below(STAGE_DEMO, id), NULL, NULL, &r);
		free(r.body);
	}
	EVENTUALLY(workers_share());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 1; i < WORKERS_LANES; i += 2) { /* those that nobody used still serve */
		struct reply r;

		workers_ask(i, "GET", below(STAGE_DEMO, id), NULL, NULL, &r);
		ck_assert_int_eq(r.status, 200);
		free(r.body);
	}
	free(id);
	workers_close();
}
END_TEST

START_TEST(a_stop_serves_what_every_loop_has_begun)
{
	struct reply r;

	workers_open();
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":500}");
	for (int i = 0; i < WORKERS_LANES; i++) {
		char request[300], body[60];

		snprintf(body, sizeof body, "{\"name\":\"n%d\",\"description\":\"\"}", i);
		snprintf(request, sizeof request, "POST " STAGE_DEMO " HTTP/1.1\r\nHost: localhost\r\n"
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
		raw_send(lanes[i], request, strlen(request));
	}
	EVENTUALLY(stage_received("POST", "/v1/create-customer-persona") == WORKERS_LANES);
	program_term(&stage_gateway);
	for (int i = 0; i < WORKERS_LANES; i++) {
		raw_reply(lanes[i], false, &r);
		ck_assert_int_eq(r.status, 201);
		ck_assert(raw_closed(lanes[i]));
		free(r.body);
		close(lanes[i]);
	}
	ck_assert_int_eq(program_wait(&stage_gateway), 0);
	ck_assert_int_eq(program_stop(&stage_sandbox), 0);
}
END_TEST

/* The tests. */
static Suite *
workers_suite(void)
{
	const TTest *const tests[] = {what_was_acknowledged_is_what_every_loop_answers,
	    a_write_past_the_gateway_is_seen_by_every_loop, equal_creates_on_all_loops_are_one,
	    equal_reads_on_all_loops_share_a_call,
	    all_loops_take_another_configuration_while_they_serve,
	    connections_move_to_the_loop_that_has_less_to_do,
	    a_stop_serves_what_every_loop_has_begun, NULL};

	return unit_suite("workers", tests);
}

UNIT_MAIN(workers_suite)
