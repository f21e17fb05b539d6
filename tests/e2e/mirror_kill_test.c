#include "config.h"

#include "bluejay.h"
#include "localtool.h"
#include "mirror_stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Twins while the gateway is killed, and what an operator makes of them. */

/* ---- the gateway is killed ---- */

START_TEST(killed_before_the_twins_id_is_known)
{
	int fd;

	mirror_start();
	localtool_rule("POST", TOOL, 1, _i == 0 ? LOCALTOOL_HOLD : LOCALTOOL_DO_HOLD, 0);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"ann\",\"systemPrompt\":\"p\"}");
	localtool_wait("POST", TOOL, 1);
	program_kill(&item_gateway);
	close(fd);
	mirror_run();
	if (_i == 0)
		localtool_release(); /* it comes to be while nobody waits */
	UNTIL(localtool_count("DELETE", TOOL) == 1);
	UNTIL(mirrored("a"));
	ck_assert_uint_eq(localtool_personas("a", NULL), 0);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	localtool_release();
	create("a", "{\"name\":\"ann\"}");
	ck_assert(mirrored("a"));
	mirror_stop();
}
END_TEST

START_TEST(killed_before_the_twins_id_is_known_a_client_comes_again)
{
	const char *id;
	int fd;

	mirror_start();
	localtool_rule("POST", TOOL, 1, LOCALTOOL_DO_HOLD, 0);
	localtool_rule("GET", TOOL, -1, LOCALTOOL_ANSWER, 500); /* nothing is removed yet */
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"ann\"}");
	UNTIL(localtool_personas("a", "ann") == 1);
	program_kill(&item_gateway);
	close(fd);
	localtool_release();
	mirror_run();
	localtool_forget();
	id = create("a", "{\"name\":\"ann\"}");
	UNTIL(mirrored("a"));
	ck_assert_int_eq(status("GET", "a", id, NULL), 200);
	mirror_stop();
}
END_TEST

START_TEST(killed_while_bluejay_creates)
{
	static char twin[64];
	const char *id;
	int fd;

	mirror_start();
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200);
	bluejay_rule("POST", CREATE, 1, _i == 0 ? BLUEJAY_HOLD_CUT : BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
	bluejay_wait("POST", CREATE, 1);
	snprintf(twin, sizeof twin, "%s", localtool_id("a", "ann"));
	program_kill(&item_gateway);
	close(fd);
	bluejay_release();
	if (_i == 2)
		localtool_remove("a", twin); /* nobody was told its id */
	mirror_run();
	if (_i == 0) { /* it did not happen */
		UNTIL(localtool_personas("a", NULL) == 0);
	} else {
		id = create("a", "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
		ck_assert_int_eq(strcmp(id, twin) == 0, _i == 1);
		ck_assert_uint_eq(bluejay_personas("ann"), 1);
	}
	UNTIL(mirrored("a"));
	mirror_stop();
}
END_TEST

START_TEST(killed_while_the_twin_follows)
{
	const char *id;
	int fd;

	mirror_start();
	id = create("a", "{\"name\":\"ann\"}");
	UNTIL(localtool_count("GET", TOOL) > 0);
	localtool_rule(_i == 0 ? "PUT" : "DELETE", TOOL, 1, LOCALTOOL_CUT, 0);
	localtool_rule(_i == 0 ? "PUT" : "DELETE", TOOL, -1, LOCALTOOL_HOLD, 0);
	fd = _i == 0 ? begin("PUT", "a", id, NULL, "{\"name\":\"bea\"}") : begin("DELETE", "a", id, NULL, NULL);
	localtool_wait(_i == 0 ? "PUT" : "DELETE", TOOL, 1);
	mirror_kill_and_run();
	close(fd);
	localtool_forget();
	UNTIL(mirrored("a"));
	ck_assert_uint_eq(localtool_personas("a", NULL), _i == 0 ? 1 : 0);
	mirror_stop();
}
END_TEST

START_TEST(a_slow_tool_does_not_hold_a_client_for_long)
{
	const char *id;
	struct timespec from, to;

	mirror_start();
	id = create("a", "{\"name\":\"ann\"}");
	localtool_rule("PUT", TOOL, -1, LOCALTOOL_HOLD, 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	ck_assert_int_eq(status("PUT", "a", id, "{\"name\":\"bea\"}"), 200);
	clock_gettime(CLOCK_MONOTONIC, &to);
	ck_assert_int_lt(to.tv_sec - from.tv_sec, 3);
	localtool_forget();
	UNTIL(mirrored("a"));
	mirror_stop();
}
END_TEST

/* ---- the operator ---- */

START_TEST(an_operator_settles_with_the_twins_id)
{
	static char twin[64], upstream[64];
	char path[128], body[128];
	struct reply *r;

	mirror_start();
	bluejay_rule("POST", CREATE, -1, BLUEJAY_DO_CUT, 0, NULL);
	ck_assert_int_eq(status("POST", "plain", NULL, "{\"name\":\"ann\"}"), 504);
	ck_assert_int_eq(status("POST", "plain", NULL, "{\"name\":\"bob\"}"), 504);
	snprintf(twin, sizeof twin, "%s", localtool_id("plain", "ann"));
	snprintf(upstream, sizeof upstream, "%s", bluejay_id("ann"));
	ck_assert_uint_eq(localtool_personas("plain", NULL), 2);
	r = ask(item_gateway.admin_port, "GET", "/intents", NULL, NULL);
	ck_assert_uint_eq(json_object_array_length(reply_json(r)), 2);
	for (size_t i = 0; i < 2; i++) {
		struct json_object *one = json_object_array_get_idx(reply_json(r), i), *id, *name;

		json_object_object_get_ex(one, "id", &id);
		json_object_object_get_ex(one, "name", &name);
		ck_assert(!json_object_object_get_ex(one, "personaId", NULL));
		snprintf(path, sizeof path, "/intents/%s/%s", json_object_get_string(id),
		    strcmp(json_object_get_string(name), "ann") == 0 ? "adopt" : "forget");
		snprintf(body, sizeof body, "{\"personaId\":\"%s\"}", upstream);
		ck_assert_int_lt(ask(item_gateway.admin_port, "POST", path, NULL, body)->status, 300);
	}
	ck_assert_int_eq(status("GET", "plain", twin, NULL), 200);
	UNTIL(mirrored("plain"));
	ck_assert_uint_eq(localtool_personas("plain", NULL), 1);
	mirror_stop();
}
END_TEST

/* The suite. */
static Suite *
mirror_kill_suite(void)
{
	const TTest *const tests[] = {
	    killed_before_the_twins_id_is_known_a_client_comes_again,
	    a_slow_tool_does_not_hold_a_client_for_long,
	    an_operator_settles_with_the_twins_id,
	    NULL,
	};
	TCase *tcase;
	Suite *suite = unit_suite_within("mirror kill", tests, 120, &tcase);

	tcase_add_loop_test(tcase, killed_before_the_twins_id_is_known, 0, 2);
	tcase_add_loop_test(tcase, killed_while_bluejay_creates, 0, 3);
	tcase_add_loop_test(tcase, killed_while_the_twin_follows, 0, 2);
	return suite;
}

UNIT_MAIN(mirror_kill_suite)
