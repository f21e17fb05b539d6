#include "config.h"

#include "bluejay.h"
#include "localtool.h"
#include "mirror_stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Twins of personas that were made, or changed, elsewhere. */

/* ---- personas that were made elsewhere ---- */

START_TEST(adopted_personas_get_their_twin_first)
{
	const char *upstream, *id;
	struct reply *r;

	mirror_start();
	upstream = bluejay_make(1, "ann", "", "p");
	bluejay_make(1, "bob", "", "q");
	r = call("GET", "a", NULL, NULL, NULL);
	ck_assert_uint_eq(json_object_array_length(reply_json(r)), 2);
	ck_assert_ptr_null(strstr(r->body, upstream));
	UNTIL(mirrored("a"));
	id = localtool_id("a", "ann");
	ck_assert_int_eq(status("PUT", "a", id, "{\"systemPrompt\":\"n\"}"), 200);
	ck_assert_str_eq(bluejay_value(upstream, "goal"), "n");
	ck_assert(mirrored("a"));
	/* seen in the dashboard's edits and deletes, too */
	bluejay_edit(upstream, "name", "eve");
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200);
	UNTIL(strcmp(localtool_value("a", id, "name"), "\"eve\"") == 0);
	bluejay_remove(upstream);
	ck_assert_int_eq(status("GET", "a", id, NULL), 404);
	UNTIL(!localtool_has("a", id));
	ck_assert(mirrored("a"));
	mirror_stop();
}
END_TEST

/* Runs `store` on the gateway's data, in the test's folder. */
static void
store(const char *words)
{
	char *out = shell("P=\"$(realpath '%s')\"; cd '%s' && $P store %s 2>&1 || echo failed", program_path(),
	    scratch_dir(), words);

	ck_assert_msg(strstr(out, "failed") == NULL, "%s", out);
	free(out);
}

START_TEST(after_an_old_copy_twins_are_found_again)
{
	const char *ann, *dora, *bob;

	mirror_start();
	ann = create("a", "{\"name\":\"Ann\"}");
	bob = create("a", "{\"name\":\"Bob\"}");
	store("backup --data-dir data --to copy");
	dora = create("a", "{\"name\":\"Dora\",\"systemPrompt\":\"s\"}");
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"Anna\"}"), 200);
	ck_assert_int_eq(status("DELETE", "a", bob, NULL), 204);
	UNTIL(!localtool_has("a", bob));
	program_kill(&item_gateway);
	store("restore --from copy --data-dir data --replace");
	mirror_run();
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"Dora\"}"), 409);
	/* under the id that clients and runs know */
	ck_assert_str_eq(reply_string(call("GET", "a", dora, NULL, NULL), "name"), "Dora");
	ck_assert_str_eq(reply_string(call("GET", "a", ann, NULL, NULL), "name"), "Anna");
	ck_assert_int_eq(status("GET", "a", bob, NULL), 404);
	UNTIL(strcmp(localtool_id("a", "Dora"), dora) == 0 && strcmp(localtool_id("a", "Anna"), ann) == 0 &&
	    localtool_personas("a", "Bob") == 0);
	/* what was absent in the twin is empty in the adopted persona: the tool keeps a copy of it */
	ck_assert_uint_eq(localtool_personas("a", NULL), 3);
	mirror_stop();
}
END_TEST

START_TEST(two_of_one_name_have_twins)
{
	mirror_start();
	bluejay_make(1, "ann", "", "p");
	bluejay_make(1, "ann", "", "q");
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200);
	UNTIL(localtool_personas("a", NULL) == 2);
	ck_assert_uint_eq(localtool_personas("a", "ann"), 1);
	mirror_stop();
}
END_TEST

START_TEST(adopted_while_the_tool_is_down_they_have_another_id)
{
	static char upstream[64];
	char twin[64];

	mirror_start();
	localtool_down();
	snprintf(upstream, sizeof upstream, "%s", bluejay_make(1, "ann", "", "p"));
	ck_assert_ptr_nonnull(strstr(call("GET", "a", NULL, NULL, NULL)->body, upstream));
	localtool_up();
	UNTIL(localtool_personas("a", "ann") == 1);
	snprintf(twin, sizeof twin, "%s", localtool_id("a", "ann"));
	ck_assert_str_ne(twin, upstream);
	UNTIL(logged("a persona's twin in the local tool has another id than the persona"));
	/* the id that was seen stays */
	ck_assert_int_eq(status("GET", "a", upstream, NULL), 200);
	ck_assert_int_eq(status("PUT", "a", upstream, "{\"name\":\"bea\"}"), 200);
	UNTIL(strcmp(localtool_value("a", twin, "name"), "\"bea\"") == 0);
	mirror_kill_and_run();
	ck_assert_int_eq(status("GET", "a", upstream, NULL), 200);
	ck_assert_int_eq(status("DELETE", "a", upstream, NULL), 204);
	UNTIL(localtool_personas("a", NULL) == 0);
	mirror_stop();
}
END_TEST

START_TEST(adopted_while_the_tool_starts_they_have_their_twins_ids)
{
	int fd;

	mirror_start();
	localtool_down();
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof name, "p%d", i);
		bluejay_make(1, name, "", "p");
	}
	fd = begin("GET", "a", NULL, NULL, NULL);
	bluejay_wait("GET", LISTING, 1);
	localtool_up();
	ck_assert_int_eq(ask_end(fd)->status, 200);
	UNTIL(mirrored("a"));
	mirror_stop();
}
END_TEST

START_TEST(switched_on_later_all_get_twins)
{
	static char ids[40][64];

	bluejay_start();
	localtool_start();
	mirror_configure(false);
	mirror_run();
	for (int i = 0; i < 40; i++) {
		char body[64];

		snprintf(body, sizeof body, "{\"name\":\"p%d\",\"headers\":{\"N\":\"%d\"}}", i, i);
		snprintf(ids[i], sizeof ids[i], "%s", create(i % 2 == 0 ? "a" : "plain", body));
	}
	ck_assert_int_eq(program_stop(&item_gateway), 0);
	mirror_configure(true);
	mirror_run();
	UNTIL(localtool_personas("a", NULL) == 20 && localtool_personas("plain", NULL) == 20);
	for (int i = 0; i < 40; i++) {
		const char *project = i % 2 == 0 ? "a" : "plain";
		struct reply *r = call("GET", project, ids[i], NULL, NULL);

		ck_assert_int_eq(r->status, 200);
		ck_assert(is_twin(project, reply_json(r), localtool_id(project, reply_string(r, "name"))));
	}
	UNTIL(logged("personas have a twin under another id"));
	ck_assert(ready_says("\"twins_with_another_id\":40"));
	ck_assert_str_eq(create("a", "{\"name\":\"new\"}"), localtool_id("a", "new"));
	ck_assert_int_eq(status("DELETE", "a", ids[0], NULL), 204);
	UNTIL(localtool_personas("a", "p0") == 0);
	/* and off again: what has an id keeps it */
	ck_assert_int_eq(program_stop(&item_gateway), 0);
	mirror_configure(false);
	mirror_run();
	ck_assert_int_eq(status("GET", "a", localtool_id("a", "new"), NULL), 200);
	mirror_stop();
}
END_TEST

/* ---- changes in the local tool itself ---- */

START_TEST(the_tools_own_changes_are_put_right)
{
	static char id[64];

	mirror_start();
	snprintf(id, sizeof id, "%s", create("a", "{\"name\":\"ann\",\"systemPrompt\":\"p\"}"));
	localtool_edit("a", id, "{\"systemPrompt\":\"changed there\",\"description\":\"there\"}");
	mirror_kill_and_run();
	UNTIL(strcmp(localtool_value("a", id, "systemPrompt"), "\"p\"") == 0);
	ck_assert_str_eq(localtool_value("a", id, "description"), "\"\"");
	ck_assert_str_eq(bluejay_value(bluejay_id("ann"), "goal"), "p");
	/* a removed one is made again, under another id: the persona keeps its own */
	localtool_remove("a", id);
	ck_assert_int_eq(status("PUT", "a", id, "{\"systemPrompt\":\"q\"}"), 200);
	UNTIL(localtool_personas("a", "ann") == 1);
	ck_assert_str_ne(localtool_id("a", "ann"), id);
	ck_assert_int_eq(status("GET", "a", id, NULL), 200);
	UNTIL(logged("a persona's twin in the local tool has another id than the persona"));
	mirror_stop();
}
END_TEST

/* The suite. */
static Suite *
mirror_adopt_suite(void)
{
	const TTest *const tests[] = {
	    adopted_personas_get_their_twin_first,
	    after_an_old_copy_twins_are_found_again,
	    two_of_one_name_have_twins,
	    adopted_while_the_tool_is_down_they_have_another_id,
	    adopted_while_the_tool_starts_they_have_their_twins_ids,
	    switched_on_later_all_get_twins,
	    the_tools_own_changes_are_put_right,
	    NULL,
	};

	return unit_suite_within("mirror adopt", tests, 120, NULL);
}

UNIT_MAIN(mirror_adopt_suite)
