#include "config.h"

#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/*
 * A disk that takes nothing more, while the gateway runs: a limit on the size of
 * its files, which the kernel answers like a full disk, comes and goes.
 */
#define DISK_NEARLY_NOTHING 4096

static const char *const disk_paths[] = {STAGE_DEMO, STAGE_PLAIN};

/* Lets the gateway's files grow to this size and no further. */
static void
disk_limit(rlim_t bytes)
{
	const struct rlimit limit = {bytes, RLIM_INFINITY};

	ck_assert_int_eq(prlimit(stage_gateway.pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

/* Fails unless a write is refused for now. */
static void
expect_refused(const struct reply *r)
{
	expect_error(r, 503, NULL);
	ck_assert_ptr_nonnull(reply_field(r, "retry-after"));
}

START_TEST(a_full_disk_refuses_writes_serves_reads_and_heals)
{
	const char *path = disk_paths[_i];
	struct reply *r;
	char *one, *two;

	stage_open(NULL, NULL);
	one = create(path, "{\"name\":\"one\",\"systemPrompt\":\"s\"}");
	two = create(path, "{\"name\":\"two\"}");
	disk_limit(DISK_NEARLY_NOTHING);
	expect_refused(call("POST", path, "{\"name\":\"three\"}"));
	expect_refused(call("PUT", below(path, one), "{\"name\":\"uno\"}"));
	expect_refused(call("PUT", below(path, one), "{\"headers\":{\"A\":\"1\"}}"));
	expect_refused(call("DELETE", below(path, two), NULL));
	ck_assert_int_eq(stage_has("three", NULL), 0);
	ck_assert_int_eq(stage_has("one", NULL), 1);
	ck_assert_int_eq(stage_has("two", NULL), 1);
	r = call_with("GET", below(path, one), "Cache-Control: no-cache\r\n", NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_string(r, "name"), "one");
	r = call_with("GET", path, "Cache-Control: no-cache\r\n", NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_int_eq((int)json_object_array_length(reply_json(r)), 2);
	r = ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL);
	ck_assert_int_eq(r->status, 503);

	disk_limit(RLIM_INFINITY);
	r = call("POST", path, "{\"name\":\"three\"}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_int_eq(call("PUT", below(path, one), "{\"name\":\"uno\"}")->status, 200);
	ck_assert_int_eq(call("DELETE", below(path, two), NULL)->status, 204);
	ck_assert_int_eq(ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 200);
	stage_kill_gateway();
	stage_start_gateway();
	r = call("GET", path, NULL);
	ck_assert_int_eq((int)json_object_array_length(reply_json(r)), 2);
	free(one);
	free(two);
	stage_close();
}
END_TEST

/* Whether the gateway says that it is ready. */
static bool
is_ready(void)
{
	return ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL)->status == 200;
}

START_TEST(readiness_comes_back_with_room_and_without_a_client)
{
	stage_open(NULL, NULL);
	disk_limit(DISK_NEARLY_NOTHING);
	expect_refused(call("POST", STAGE_DEMO, "{\"name\":\"one\"}"));
	ck_assert(!is_ready());
	harness_breathe();
	ck_assert(!is_ready());
	disk_limit(RLIM_INFINITY);
	EVENTUALLY(is_ready());
	stage_close();
}
END_TEST

/* The suite. */
static Suite *
disk_suite(void)
{
	Suite *suite = suite_create("disk");
	TCase *tcase = tcase_create("disk");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, a_full_disk_refuses_writes_serves_reads_and_heals, 0, 2);
	tcase_add_test(tcase, readiness_comes_back_with_room_and_without_a_client);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(disk_suite)
