#include "config.h"

#include "base/digest.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * No thread of the program makes a system call while it holds a lock: lockwatch.c looks,
 * while several event loops, the store and the log have all kinds of work.
 */

#define LOCKS_ROUNDS 20
#define LOCKS_FAILURES 5 /* more of them are answered late */
#define IMAGES "/api/projects/demo/images"
#define PNG "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
#define TOKEN "token-of-the-client-any"
#define BEARER "Authorization: Bearer " TOKEN "\r\n"

/* Starts both programs with the library that looks. */
static void
locks_open(const char *file)
{
	char sha[DIGEST_HEX_SIZE], more[300];

	digest_hex(TOKEN, strlen(TOKEN), sha);
	snprintf(more, sizeof more, "workers: 3\nclients:\n"
	    "  - {name: any, token_sha256: %s, admin: true, rate: {per_minute: 60000}}\n", sha);
	setenv("LOCKWATCH", file, 1);
	setenv("LD_PRELOAD", LOCKWATCH_LIBRARY, 1);
	stage_open("  cache: {fresh: 0s}\n  rate: {per_minute: 60000}\n", more);
	unsetenv("LD_PRELOAD");
	unsetenv("LOCKWATCH");
}

/* What a round of a client does. */
static void
locks_work(int n)
{
	char body[120], *id;
	struct reply *r;

	snprintf(body, sizeof body, "{\"name\":\"n%d\",\"description\":\"x\"}", n);
	r = call_with("POST", STAGE_DEMO, BEARER, body);
	ck_assert_int_eq(r->status, 201);
	id = strdup(reply_string(r, "id"));
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(call_with("GET", below(STAGE_DEMO, id), BEARER, NULL)->status, 200);
	ck_assert_int_eq(call_with("PUT", below(STAGE_DEMO, id), BEARER, "{\"description\":\"y\"}")->status, 200);
	ck_assert_int_eq(call_with("GET", STAGE_DEMO, BEARER, NULL)->status, 200);
	r = call_with("POST", IMAGES, BEARER, "{\"role\":\"r\",\"imageBase64\":\"" PNG "\"}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	snprintf(body, sizeof body, IMAGES "/%s", reply_string(r, "id"));
	ck_assert_int_eq(call_with("GET", body, BEARER, NULL)->status, 200);
	if (n < LOCKS_FAILURES)
		ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 401);
	ck_assert_int_eq(call_with("DELETE", below(STAGE_DEMO, id), BEARER, NULL)->status, 204);
	free(id);
}

START_TEST(no_lock_is_held_across_a_system_call)
{
	unsigned long locks, calls, held, programs = 0;
	char file[300], first[40];
	struct reply *r;
	FILE *f;

	snprintf(file, sizeof file, "%s/locks", scratch_dir());
	locks_open(file);
	for (int n = 0; n < LOCKS_ROUNDS; n++)
		locks_work(n);
	r = ask(stage_gateway.admin_port, "POST", "/reload", BEARER, "{}");
	ck_assert_int_eq(r->status, 200);
	ck_assert_int_eq(ask(stage_gateway.admin_port, "GET", "/metrics", BEARER, NULL)->status, 200);
	stage_close();
	f = fopen(file, "r");
	ck_assert_ptr_nonnull(f);
	while (fscanf(f, "%lu locks %lu calls %lu held %39s\n", &locks, &calls, &held, first) == 4) {
		ck_assert_msg(held == 0, "%lu of %lu calls with a lock, such as %s", held, calls, first);
		programs += locks > LOCKS_ROUNDS * 10 && calls > LOCKS_ROUNDS * 10;
	}
	fclose(f);
	ck_assert_uint_ge(programs, 1); /* the gateway, at least, was looked at */
}
END_TEST

/* Whether the library can be loaded; says why not. */
static bool
locks_possible(void)
{
#ifdef WITH_ASAN
	puts("skipped: the library that looks for locks cannot be loaded before a sanitizer's");
	return false;
#else
	return true;
#endif
}

/* The tests. */
static Suite *
locks_suite(void)
{
	const TTest *const tests[] = {no_lock_is_held_across_a_system_call, NULL};

	return unit_suite("locks", tests);
}

UNIT_MAIN_IF(locks_possible(), locks_suite)
