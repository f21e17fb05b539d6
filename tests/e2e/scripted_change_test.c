#include "config.h"

#include "bluejay.h"
#include "scripted_stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Other accounts, updates and deletes, and what old answers do not undo. */

/* ---- another account ---- */

START_TEST(another_account_hides_nothing_and_proves_no_absence)
{
	struct reply *r;
	char name[32];
	int fd;

	scripted_start(SHORT);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "{\"name\":\"p%d\"}", i);
		create("a", name);
	}
	ck_assert_int_eq(program_stop(&item_gateway), 0);
	scripted_run();
	bluejay_rule("POST", CREATE, 1, BLUEJAY_HOLD_CUT, 0, NULL);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 6);
	bluejay_other_account(true);
	bluejay_release();
	r = call("GET", "a", NULL, NO_CACHE, NULL);
	ck_assert_msg(r->status == 502, "%d %s", r->status, r->body);
	ck_assert_int_eq(ask(item_gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 503);
	ck_assert_int_eq(ask_end(fd)->status, 504);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 6);
	ck_assert_str_eq(intent("name"), "x");
	bluejay_other_account(false);
	ck_assert_int_eq(listed("a"), 5);
	ck_assert_int_eq(ask(item_gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 200);
	settled();
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 6);
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"p0\"}"), 409, NULL);
	scripted_stop();
}
END_TEST

START_TEST(personas_removed_in_bulk_go_when_the_listing_shows_others)
{
	char body[48], name[16];

	scripted_start(SHORT);
	for (int i = 0; i < 8; i++) {
		snprintf(body, sizeof body, "{\"name\":\"p%d\"}", i);
		create("a", body);
	}
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "p%d", i);
		bluejay_remove(bluejay_id(name));
	}
	ck_assert_int_eq(listed("a"), 2);
	ck_assert_int_eq(ask(item_gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 200);
	for (int i = 0; i < 6; i++) {
		snprintf(body, sizeof body, "{\"name\":\"p%d\"}", i);
		create("a", body);
	}
	ck_assert_int_eq(listed("a"), 8);
	scripted_stop();
}
END_TEST

START_TEST(one_project_with_a_wrong_key_does_not_hurt_its_twin)
{
	int fd, other;

	scripted_start(SHORT);
	create("a", "{\"name\":\"x\"}");
	bluejay_key("good");
	bluejay_rule("GET", LISTING, 1, BLUEJAY_HOLD, 0, NULL);
	fd = begin("GET", "twin", NULL, NO_CACHE, NULL);
	bluejay_wait("GET", LISTING, 2);
	other = begin("GET", "a", NULL, NULL, NULL);
	(void)ask(item_gateway.admin_port, "GET", "/readyz", NULL, NULL);
	bluejay_release();
	ck_assert_int_eq(ask_end(fd)->status, 502);
	ck_assert_int_eq(ask_end(other)->status, 200);
	bluejay_rule("GET", GET, 1, BLUEJAY_HOLD, 0, NULL);
	fd = begin("GET", "twin", bluejay_id("x"), NO_CACHE, NULL);
	bluejay_wait("GET", GET, 1);
	other = begin("GET", "a", bluejay_id("x"), NULL, NULL);
	(void)ask(item_gateway.admin_port, "GET", "/readyz", NULL, NULL);
	bluejay_release();
	ck_assert_int_eq(ask_end(fd)->status, 502);
	ck_assert_int_eq(ask_end(other)->status, 200);
	scripted_stop();
}
END_TEST

/* ---- updates and deletes ---- */

START_TEST(an_update_answered_with_another_shape_is_settled_by_looking)
{
	struct reply *r;
	const char *id;

	scripted_start(SHORT);
	id = create("a", "{\"name\":\"x\"}");
	bluejay_rule("PUT", UPDATE, 1, BLUEJAY_DO_ANSWER, 200, "{}");
	ck_assert_int_eq(call("PUT", "a", id, NULL, "{\"name\":\"y\",\"headers\":{\"h\":\"1\"}}")->status,
	    502);
	settled();
	r = call("GET", "a", id, NULL, NULL);
	ck_assert_str_eq(reply_string(r, "name"), "y");
	ck_assert(json_object_object_get_ex(reply_json(r), "headers", NULL));
	create("a", "{\"name\":\"x\"}");
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"y\"}"), 409, NULL);
	scripted_stop();
}
END_TEST

START_TEST(a_read_of_another_shape_is_refused_every_time)
{
	static const char *const bodies[] = {"{}", "[]",
	    "{\"id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\",\"name\":\"x\"}"};
	const char *id;

	scripted_start(SHORT);
	id = create("a", "{\"name\":\"x\",\"description\":\"d\"}");
	bluejay_rule("GET", GET, 2, BLUEJAY_ANSWER, 200, bodies[_i]);
	ck_assert_int_eq(call("GET", "a", id, NO_CACHE, NULL)->status, 502);
	ck_assert_int_eq(call("GET", "a", id, NO_CACHE, NULL)->status, 502);
	ck_assert_str_eq(reply_string(call("GET", "a", id, NO_CACHE, NULL), "description"), "d");
	scripted_stop();
}
END_TEST

START_TEST(an_old_listing_does_not_undo_an_update)
{
	const char *id;

	scripted_start(SHORT);
	id = create("a", "{\"name\":\"x\",\"description\":\"old\"}");
	bluejay_freeze(true);
	ck_assert_int_eq(call("PUT", "a", id, NULL, "{\"name\":\"y\",\"description\":\"new\"}")->status, 200);
	ck_assert_str_eq(described(), "new");
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"y\"}"), 409, NULL);
	bluejay_freeze(false);
	ck_assert_str_eq(described(), "new");
	bluejay_edit(id, "description", "newest");
	ck_assert_str_eq(described(), "newest");
	scripted_stop();
}
END_TEST

START_TEST(a_rename_of_unknown_outcome_holds_both_names)
{
	const char *id;

	scripted_start(SHORT);
	id = create("a", "{\"name\":\"x\"}");
	bluejay_rule("PUT", UPDATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	bluejay_rule("GET", GET, 1, BLUEJAY_HOLD, 0, NULL);
	ck_assert_int_eq(call("PUT", "a", id, NULL, "{\"name\":\"y\"}")->status, 502);
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"y\"}"), 503, NULL);
	bluejay_release();
	settled();
	create("a", "{\"name\":\"x\"}");
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"y\"}"), 409, NULL);
	scripted_stop();
}
END_TEST

START_TEST(a_delete_cut_half_way_stays_deleted_under_an_old_listing)
{
	const char *id;

	scripted_start(SHORT);
	id = create("a", "{\"name\":\"x\"}");
	ck_assert_int_eq(listed("a"), 1);
	bluejay_freeze(true);
	bluejay_rule("DELETE", GET, 1, BLUEJAY_DO_CUT, 0, NULL);
	ck_assert_int_eq(call("DELETE", "a", id, NULL, NULL)->status, 502);
	settled();
	ck_assert_int_eq(listed("a"), 0);
	ck_assert_int_eq(call("GET", "a", id, NO_CACHE, NULL)->status, 404);
	program_kill(&item_gateway);
	scripted_run();
	ck_assert_int_eq(listed("a"), 0);
	create("a", "{\"name\":\"x\"}");
	scripted_stop();
}
END_TEST

START_TEST(changes_cut_by_kill_are_settled_after_the_restart)
{
	const char *renamed, *removed, *kept;
	struct reply *r;
	int a, b, c;

	scripted_start(SHORT);
	renamed = create("a", "{\"name\":\"x\"}");
	removed = create("a", "{\"name\":\"gone\"}");
	kept = create("a", "{\"name\":\"kept\"}");
	bluejay_rule("PUT", UPDATE, 1, BLUEJAY_DO_HOLD, 0, NULL);
	bluejay_rule("DELETE", GET, 1, BLUEJAY_DO_HOLD, 0, NULL);
	bluejay_rule("DELETE", GET, 1, BLUEJAY_HOLD_CUT, 0, NULL);
	a = begin("PUT", "a", renamed, NULL, "{\"name\":\"y\",\"headers\":{\"h\":\"1\"}}");
	b = begin("DELETE", "a", removed, NULL, NULL);
	bluejay_wait("DELETE", GET, 1);
	c = begin("DELETE", "a", kept, NULL, NULL);
	bluejay_wait("DELETE", GET, 2);
	bluejay_wait("PUT", UPDATE, 1);
	program_kill(&item_gateway);
	close(a);
	close(b);
	close(c);
	bluejay_release();
	scripted_run();
	settled();
	r = call("GET", "a", renamed, NULL, NULL);
	ck_assert_str_eq(reply_string(r, "name"), "y");
	ck_assert(json_object_object_get_ex(reply_json(r), "headers", NULL));
	ck_assert_int_eq(call("GET", "a", removed, NULL, NULL)->status, 404);
	ck_assert_int_eq(call("GET", "a", kept, NULL, NULL)->status, 200);
	ck_assert_int_eq(listed("a"), 2);
	create("a", "{\"name\":\"x\"}");
	create("a", "{\"name\":\"gone\"}");
	scripted_stop();
}
END_TEST

START_TEST(a_fetch_in_flight_does_not_bring_back_what_a_write_changed)
{
	const char *id;
	int fd;

	scripted_start(SHORT);
	id = create("a", "{\"name\":\"x\",\"description\":\"old\"}");
	bluejay_rule("GET", GET, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("GET", "a", id, NO_CACHE, NULL);
	bluejay_wait("GET", GET, 1);
	ck_assert_int_eq(call("PUT", "a", id, NULL, "{\"description\":\"new\"}")->status, 200);
	bluejay_release();
	ck_assert_str_eq(reply_string(ask_end(fd), "description"), "new");
	ck_assert_str_eq(reply_string(call("GET", "a", id, NULL, NULL), "description"), "new");
	bluejay_rule("GET", GET, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("GET", "a", id, NO_CACHE, NULL);
	bluejay_wait("GET", GET, 3);
	ck_assert_int_eq(call("DELETE", "a", id, NULL, NULL)->status, 204);
	bluejay_release();
	ck_assert_int_eq(ask_end(fd)->status, 404);
	ck_assert_int_eq(listed("a"), 0);
	scripted_stop();
}
END_TEST

START_TEST(a_listing_in_flight_does_not_bring_back_what_a_write_changed)
{
	const char *id, *made;
	int fd;

	scripted_start(SHORT);
	id = create("a", "{\"name\":\"x\",\"description\":\"old\"}");
	bluejay_rule("GET", LISTING, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("GET", "a", NULL, NO_CACHE, NULL);
	bluejay_wait("GET", LISTING, 2);
	ck_assert_int_eq(call("PUT", "a", id, NULL, "{\"description\":\"new\"}")->status, 200);
	bluejay_release();
	ck_assert_int_eq(ask_end(fd)->status, 200);
	ck_assert_str_eq(described(), "new");
	bluejay_rule("GET", LISTING, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("GET", "a", NULL, NO_CACHE, NULL);
	bluejay_wait("GET", LISTING, 4);
	made = create("a", "{\"name\":\"y\"}");
	ck_assert_int_eq(call("DELETE", "a", id, NULL, NULL)->status, 204);
	bluejay_release();
	ck_assert_int_eq(ask_end(fd)->status, 200);
	ck_assert_int_eq(listed("a"), 1);
	ck_assert_int_eq(call("GET", "a", made, NULL, NULL)->status, 200);
	ck_assert_int_eq(call("GET", "a", id, NULL, NULL)->status, 404);
	scripted_stop();
}
END_TEST

START_TEST(a_list_without_cache_is_read_whole_however_little_is_kept)
{
	struct json_object *list, *value;
	char text[64];
	struct reply *r;

	scripted_start("  cache: {size: 0B}\n");
	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof text, "{\"name\":\"p%d\"}", i);
		create("plain", text);
	}
	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof text, "p%d", i);
		bluejay_edit(bluejay_id(text), "description", "changed");
	}
	bluejay_remove(bluejay_id("p7"));
	r = call("GET", "plain", NULL, NO_CACHE, NULL);
	ck_assert_int_eq(r->status, 200);
	list = reply_json(r);
	ck_assert_uint_eq(json_object_array_length(list), 19);
	for (size_t i = 0; i < 19; i++) {
		ck_assert(json_object_object_get_ex(json_object_array_get_idx(list, i), "description",
		    &value));
		ck_assert_str_eq(json_object_get_string(value), "changed");
	}
	scripted_stop();
}
END_TEST

/* The suite. */
static Suite *
scripted_change_suite(void)
{
	const TTest *const tests[] = {
	    another_account_hides_nothing_and_proves_no_absence,
	    personas_removed_in_bulk_go_when_the_listing_shows_others,
	    one_project_with_a_wrong_key_does_not_hurt_its_twin,
	    an_update_answered_with_another_shape_is_settled_by_looking,
	    an_old_listing_does_not_undo_an_update,
	    a_rename_of_unknown_outcome_holds_both_names,
	    a_delete_cut_half_way_stays_deleted_under_an_old_listing,
	    changes_cut_by_kill_are_settled_after_the_restart,
	    a_fetch_in_flight_does_not_bring_back_what_a_write_changed,
	    a_listing_in_flight_does_not_bring_back_what_a_write_changed,
	    a_list_without_cache_is_read_whole_however_little_is_kept,
	    NULL,
	};
	TCase *tcase;
	Suite *suite = unit_suite_within("scripted change", tests, 60, &tcase);

	tcase_add_loop_test(tcase, a_read_of_another_shape_is_refused_every_time, 0, 3);
	return suite;
}

UNIT_MAIN(scripted_change_suite)
