#include "config.h"

#include "base/base64.h"
#include "base/buf.h"
#include "cluster_stage.h"
#include "json/json_text.h"
#include "stage.h"
#include "unit.h"

#include <json-c/json_object.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Several gateways on one PostgreSQL, as their clients meet them: what is true at one of
 * them is true at all, and what one was at when it died another finishes.
 */

#define FRESH "Cache-Control: no-cache\r\n"
#define STALE_MS 250    /* how long another gateway may show what was */
#define TAKEN_MS 40000  /* lease, a look for what is orphaned, and settling, on a busy machine */
#define NAMES 12
#define BURST 6

/* A create's body. */
static const char *
body_of(const char *name, const char *description)
{
	static char bodies[4][256];
	static unsigned turn;
	char *body = bodies[turn++ % 4];

	snprintf(body, sizeof bodies[0], "{\"name\":\"%s\",\"description\":\"%s\"}", name, description);
	return body;
}

/* Creates at a gateway; the id, which the caller frees. */
static char *
create_at(unsigned gateway, const char *path, const char *name)
{
	struct reply *r = cluster_call(gateway, "POST", path, NULL, body_of(name, "first"));

	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	return strdup(reply_string(r, "id"));
}

/* What a gateway shows of a persona's description. Static. */
static const char *
description_at(unsigned gateway, const char *id, const char *fields)
{
	struct reply *r = cluster_call(gateway, "GET", below(STAGE_DEMO, id), fields, NULL);

	return r->status == 200 ? reply_string(r, "description") : "(none)";
}

/* Changes it at a gateway. */
static void
describe_at(unsigned gateway, const char *id, const char *description)
{
	char body[128];
	struct reply *r;

	snprintf(body, sizeof body, "{\"description\":\"%s\"}", description);
	r = cluster_call(gateway, "PUT", below(STAGE_DEMO, id), NULL, body);
	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
}

/* Lets a time pass since a moment. */
static void
pass_since(int64_t moment, int64_t ms)
{
	while (harness_now() <= moment + ms)
		poll(NULL, 0, 5);
}

/* Fails unless a condition becomes true in the time that a take-over may need. */
#define TAKEN_OVER(condition)                                                             \
	do {                                                                              \
		int64_t until = harness_now() + TAKEN_MS;                                   \
		bool ok;                                                                  \
                                                                                          \
		while (!(ok = (condition)) && harness_now() < until)                        \
			harness_breathe();                                                  \
		ck_assert_msg(ok, "never: %s", #condition);                               \
	} while (0)

/* ---- agreement ---- */

START_TEST(one_name_is_one_persona_whoever_is_asked)
{
	cluster_open(4, false, NULL);
	for (int n = 0; n < NAMES; n++) {
		int fds[CLUSTER_MAX], made = 0;
		char name[32], description[32];

		snprintf(name, sizeof name, "name-%d", n);
		for (unsigned g = 0; g < CLUSTER_MAX; g++) {
			snprintf(description, sizeof description, "by %u", n % 2 == 0 ? g : 0);
			fds[g] = cluster_send(g, "POST", STAGE_DEMO, NULL, body_of(name, description));
		}
		for (unsigned g = 0; g < CLUSTER_MAX; g++) {
			struct reply *r = ask_end(fds[g]);
			const char *id;

			ck_assert_int_eq(stage_has(name, &id), 1);
			if (r->status == 201)
				ck_assert_str_eq(reply_string(r, "id"), id);
			else /* it is taken, or on its way to be */
				ck_assert_msg(r->status == 409 ||
				    (r->status == 503 && reply_field(r, "retry-after") != NULL), "%d %s",
				    r->status, r->body);
			made += r->status == 201;
		}
		ck_assert_int_ge(made, 1);
		if (n % 2 == 0) /* four different ones */
			ck_assert_int_eq(made, 1);
	}
	for (unsigned g = 0; g < CLUSTER_MAX; g++)
		ck_assert_uint_eq(json_object_array_length(reply_json(
		    cluster_call(g, "GET", STAGE_DEMO, FRESH, NULL))), NAMES);
	cluster_close();
}
END_TEST

START_TEST(an_id_belongs_to_one_project_at_every_gateway)
{
	char *id, *other;

	cluster_open(2, false, NULL);
	id = create_at(0, STAGE_DEMO, "Ada");
	other = create_at(1, STAGE_PLAIN, "Ada");
	for (unsigned g = 0; g < 2; g++) {
		expect_error(cluster_call(g, "GET", below(STAGE_PLAIN, id), NULL, NULL), 404, NULL);
		expect_error(cluster_call(g, "PUT", below(STAGE_PLAIN, id), NULL, "{\"description\":\"x\"}"),
		    404, NULL);
		expect_error(cluster_call(g, "DELETE", below(STAGE_PLAIN, id), NULL, NULL), 404, NULL);
		expect_error(cluster_call(g, "GET", below(STAGE_DEMO, other), NULL, NULL), 404, NULL);
		ck_assert_str_eq(description_at(g, id, NULL), "first");
	}
	free(id);
	free(other);
	cluster_close();
}
END_TEST

START_TEST(a_key_is_answered_by_another_gateway_than_the_first)
{
	static const char key[] = "Idempotency-Key: one\r\n";
	struct reply *first, *again;

	cluster_open(2, false, NULL);
	first = cluster_call(0, "POST", STAGE_DEMO, key, body_of("Ada", "d"));
	ck_assert_int_eq(first->status, 201);
	again = cluster_call(1, "POST", STAGE_DEMO, key, body_of("Ada", "d"));
	ck_assert_int_eq(again->status, 201);
	ck_assert_str_eq(again->body, first->body);
	expect_error(cluster_call(1, "POST", STAGE_DEMO, key, body_of("Ada", "other")), 422, NULL);
	ck_assert_int_eq(stage_has("Ada", NULL), 1);
	cluster_close();
}
END_TEST

START_TEST(an_image_uploaded_here_is_served_there)
{
	static const char images[] = "/api/projects/demo/images";
	const size_t len = 300000;
	unsigned char *bytes = malloc(len);
	struct buf b;
	struct reply *r;
	char *id;

	cluster_open(2, false, NULL);
	memcpy(bytes, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
	for (size_t i = 16; i < len; i++)
		bytes[i] = (unsigned char)(i * 31 + i / 509);
	buf_init(&b, 1 << 20);
	buf_adds(&b, "{\"role\":\"r\",\"imageBase64\":\"");
	base64_encode(&b, bytes, len);
	buf_adds(&b, "\"}");
	r = cluster_call(0, "POST", images, NULL, b.data);
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	id = strdup(reply_string(r, "id"));
	r = cluster_call(1, "GET", below(images, id), NULL, NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_uint_eq(r->len, len);
	ck_assert(memcmp(r->body, bytes, len) == 0);
	r = cluster_call(1, "GET", below(images, id), "Range: bytes=262140-262149\r\n", NULL);
	ck_assert_int_eq(r->status, 206);
	ck_assert_uint_eq(r->len, 10);
	ck_assert(memcmp(r->body, bytes + 262140, 10) == 0);
	ck_assert_ptr_nonnull(strstr(cluster_call(1, "GET", "/api/projects/demo/images?role=r", NULL,
	    NULL)->body, id));
	expect_error(cluster_call(1, "GET", below("/api/projects/plain/images", id), NULL, NULL), 404,
	    NULL);
	ck_assert_int_eq(cluster_call(1, "DELETE", below(images, id), NULL, NULL)->status, 204);
	expect_error(cluster_call(0, "GET", below(images, id), NULL, NULL), 404, NULL);
	buf_free(&b);
	free(bytes);
	free(id);
	cluster_close();
}
END_TEST

START_TEST(a_write_here_is_visible_there)
{
	char *id, *gone;

	cluster_open(2, false, NULL);
	id = create_at(0, STAGE_DEMO, "Ada");
	gone = create_at(0, STAGE_DEMO, "Bob");
	for (int n = 0; n < 8; n++) {
		unsigned here = (unsigned)n % 2, there = 1 - here;
		char text[32];
		int64_t told;

		snprintf(text, sizeof text, "text %d", n);
		description_at(there, id, NULL); /* in its memory */
		describe_at(here, id, text);
		told = harness_now();
		if (n < 4) {
			ck_assert_str_eq(description_at(there, id, FRESH), text);
			continue;
		}
		pass_since(told, STALE_MS);
		ck_assert_str_eq(description_at(there, id, NULL), text);
	}
	description_at(1, gone, NULL);
	ck_assert_int_eq(cluster_call(0, "DELETE", below(STAGE_DEMO, gone), NULL, NULL)->status, 204);
	expect_error(cluster_call(1, "GET", below(STAGE_DEMO, gone), FRESH, NULL), 404, NULL);
	pass_since(harness_now(), STALE_MS);
	expect_error(cluster_call(1, "GET", below(STAGE_DEMO, gone), NULL, NULL), 404, NULL);
	ck_assert_uint_eq(json_object_array_length(reply_json(
	    cluster_call(1, "GET", STAGE_DEMO, NULL, NULL))), 1);
	free(id);
	free(gone);
	cluster_close();
}
END_TEST

/* ---- one dies ---- */

START_TEST(what_a_killed_gateway_was_at_another_finishes)
{
	struct reply *r;
	const char *id;
	char *was;
	int fd, update;

	cluster_open(2, false, NULL);
	was = create_at(0, STAGE_DEMO, "Bob");
	stage_faults("{\"profile\":\"slow-after\",\"percent\":100,\"delay_ms\":3000}");
	fd = cluster_send(0, "POST", STAGE_DEMO, NULL, body_of("Ada", "d"));
	update = cluster_send(0, "PUT", below(STAGE_DEMO, was), NULL, "{\"description\":\"second\"}");
	EVENTUALLY(stage_has("Ada", NULL) == 1);
	EVENTUALLY(strcmp(stage_member(was, "description"), "second") == 0);
	cluster_kill(0);
	ck_assert_int_eq(ask_end(fd)->status, 0);
	ck_assert_int_eq(ask_end(update)->status, 0);
	stage_no_faults();
	/* Until then nobody knows, and nobody makes a second one. */
	r = cluster_call(1, "POST", STAGE_DEMO, NULL, body_of("Ada", "other"));
	ck_assert_msg(r->status == 409 || r->status == 503 || r->status == 504, "%d %s", r->status, r->body);
	TAKEN_OVER(strcmp(reply_string(cluster_call(1, "GET", below(STAGE_DEMO, was), FRESH, NULL),
	    "description"), "second") == 0);
	TAKEN_OVER((r = cluster_call(1, "POST", STAGE_DEMO, NULL, body_of("Ada", "d")))->status == 201);
	ck_assert_int_eq(stage_has("Ada", &id), 1);
	ck_assert_str_eq(reply_string(r, "id"), id);
	cluster_start(0);
	ck_assert_str_eq(description_at(0, id, FRESH), "d");
	expect_error(cluster_call(0, "POST", STAGE_DEMO, NULL, body_of("Ada", "d")), 409, NULL);
	/* The update shows before it is settled; until then the next one is told to wait. */
	TAKEN_OVER((r = cluster_call(0, "PUT", below(STAGE_DEMO, was), NULL,
	    "{\"description\":\"third\"}"))->status == 200);
	ck_assert_str_eq(reply_string(r, "description"), "third");
	free(was);
	cluster_close();
}
END_TEST

START_TEST(a_gateway_that_ends_in_order_leaves_nothing_to_wait_for)
{
	char *id;

	cluster_open(2, false, NULL);
	id = create_at(0, STAGE_DEMO, "Ada");
	cluster_stop(0);
	describe_at(1, id, "second");
	cluster_start(0);
	ck_assert_str_eq(description_at(0, id, NULL), "second");
	free(id);
	cluster_close();
}
END_TEST

/* ---- the database is away ---- */

/* Names of creates that were answered 201, and how many answers there were. */
struct told {
	char names[256][32];
	unsigned made, refused, open;
};

/* Sends creates to all gateways, lets something happen while they are on their way, and
 * reads what they were answered. */
static void
burst(struct told *t, unsigned gateways, unsigned *serial, void (*meanwhile)(void))
{
	int fds[BURST * CLUSTER_MAX];
	char names[BURST * CLUSTER_MAX][32];

	for (unsigned i = 0; i < BURST * gateways; i++) {
		snprintf(names[i], sizeof names[i], "load-%u", (*serial)++);
		fds[i] = cluster_send(i % gateways, "POST", STAGE_DEMO, NULL, body_of(names[i], "d"));
	}
	if (meanwhile != NULL)
		meanwhile();
	for (unsigned i = 0; i < BURST * gateways; i++) {
		struct reply *r = ask_end(fds[i]);

		if (r->status == 201) {
			ck_assert_uint_lt(t->made, 256);
			strcpy(t->names[t->made++], names[i]);
		} else if (r->status == 503) {
			ck_assert_ptr_nonnull(reply_field(r, "retry-after"));
			t->refused++;
		} else {
			ck_assert_msg(r->status == 504, "%d %s", r->status, r->body);
			t->open++;
		}
	}
}

/* Every name that was told is there once, at Bluejay and at every gateway. */
static void
assert_told(const struct told *t, unsigned gateways)
{
	for (unsigned g = 0; g < gateways; g++) {
		struct json_object *list = reply_json(cluster_call(g, "GET", STAGE_DEMO, FRESH, NULL));

		for (unsigned i = 0; i < t->made; i++) {
			unsigned shown = 0;

			for (size_t k = 0; k < json_object_array_length(list); k++)
				shown += strcmp(json_get_string(json_object_array_get_idx(list, k), "name"),
				    t->names[i]) == 0;
			ck_assert_msg(shown == 1, "%s is shown %u times by gateway %u", t->names[i], shown, g);
			ck_assert_msg(stage_has(t->names[i], NULL) == 1, "%s is there %d times", t->names[i],
			    stage_has(t->names[i], NULL));
		}
	}
}

/* How many writes are unsettled, by the list of the first gateway; -1: it does not say. */
static int
unsettled(void)
{
	struct reply *r = ask(cluster_gateways[0].admin_port, "GET", "/intents", NULL, NULL);

	return r->status == 200 ? (int)json_object_array_length(reply_json(r)) : -1;
}

/* Whether all gateways take creates again. */
static bool
all_create(unsigned gateways, unsigned *serial)
{
	char name[32];

	for (unsigned g = 0; g < gateways; g++) {
		snprintf(name, sizeof name, "again-%u", (*serial)++);
		if (cluster_ready(g) != 200 ||
		    cluster_call(g, "POST", STAGE_DEMO, NULL, body_of(name, "d"))->status != 201)
			return false;
	}
	return true;
}

/* The database dies. */
static void
database_dies(void)
{
	postgres_kill(cluster_database);
}

START_TEST(a_database_that_is_away_is_told_and_waited_for)
{
	struct told t = {.made = 0};
	unsigned serial = 0;
	char *id;

	cluster_open(2, false, NULL);
	id = create_at(0, STAGE_DEMO, "Ada");
	burst(&t, 2, &serial, NULL);
	ck_assert_uint_eq(t.made, 2 * BURST);
	burst(&t, 2, &serial, database_dies);
	burst(&t, 2, &serial, NULL); /* nobody is there */
	ck_assert_uint_ge(t.refused, 2 * BURST);
	for (unsigned g = 0; g < 2; g++) {
		struct reply *r;

		EVENTUALLY(cluster_ready(g) == 503);
		r = ask(cluster_gateways[g].admin_port, "GET", "/readyz", NULL, NULL);
		ck_assert_msg(strstr(r->body, "database") != NULL || strstr(r->body, "store") != NULL, "%s",
		    r->body);
		ck_assert_int_eq(ask(cluster_gateways[g].admin_port, "GET", "/healthz", NULL, NULL)->status,
		    200);
	}
	postgres_start(cluster_database);
	TAKEN_OVER(all_create(2, &serial));
	TAKEN_OVER(unsettled() == 0);
	assert_told(&t, 2);
	ck_assert_str_eq(description_at(1, id, FRESH), "first");
	free(id);
	cluster_close();
}
END_TEST

/* The first server dies, and the standby takes over. */
static void
standby_takes_over(void)
{
	struct postgres *dead = cluster_database;

	postgres_kill(dead);
	postgres_promote(cluster_standby);
	cluster_database = cluster_standby;
	cluster_standby = dead;
}

START_TEST(nothing_that_was_told_is_lost_in_a_fail_over)
{
	struct told t = {.made = 0};
	unsigned serial = 0;

	cluster_open(2, true, NULL);
	burst(&t, 2, &serial, NULL);
	burst(&t, 2, &serial, standby_takes_over);
	burst(&t, 2, &serial, NULL);
	TAKEN_OVER(all_create(2, &serial));
	burst(&t, 2, &serial, NULL);
	ck_assert_uint_ge(t.made, 4 * BURST);
	TAKEN_OVER(unsettled() == 0);
	assert_told(&t, 2);
	cluster_close();
}
END_TEST

START_TEST(a_database_that_hangs_holds_nobody_up_for_long)
{
	unsigned serial = 0;
	int64_t asked;
	struct reply *r;

	cluster_open(2, false, NULL);
	ck_assert(all_create(2, &serial));
	postgres_pause(cluster_database);
	asked = harness_now();
	r = cluster_call(0, "POST", STAGE_DEMO, NULL, body_of("Ada", "d"));
	ck_assert_msg(r->status == 503 || r->status == 504, "%d %s", r->status, r->body);
	ck_assert_int_lt(harness_now() - asked, 12000);
	postgres_resume(cluster_database);
	TAKEN_OVER(all_create(2, &serial));
	TAKEN_OVER(unsettled() == 0);
	ck_assert_int_le(stage_has("Ada", NULL), 1);
	cluster_close();
}
END_TEST

/* ---- back-ups ---- */

/* Runs a program of PostgreSQL's on the gateways' database, with a dump in the scratch folder. */
static void
with_dump(const char *program, const char *options)
{
	char *said = shell("cd %s && %s/%s %s '%s' 2>&1", scratch_dir(), postgres_programs(), program,
	    options, postgres_url(cluster_database, NULL, "gateway"));

	ck_assert_str_eq(said, "");
	free(said);
}

START_TEST(after_yesterdays_dump_nothing_is_doubled)
{
	static const char *const firsts[] = {"dora", "anna", "eve"};
	char *ann, *bob;

	cluster_open(2, false, NULL);
	ann = create_at(0, STAGE_DEMO, "ann");
	bob = create_at(1, STAGE_DEMO, "bob");
	cluster_stop(0);
	free(postgres_sql(cluster_database, "gateway", "VACUUM (FREEZE, FULL) meta"));
	cluster_start(0); /* on what is no copy */
	ck_assert_int_eq(postgres_count(cluster_database, "gateway", "SELECT count(*) FROM listing"), 1);
	with_dump("pg_dump", "-Fc -f dump -d");
	ck_assert_int_eq(cluster_call(0, "PUT", below(STAGE_DEMO, ann), NULL, "{\"name\":\"anna\"}")->status,
	    200);
	ck_assert_int_eq(cluster_call(0, "DELETE", below(STAGE_DEMO, bob), NULL, NULL)->status, 204);
	free(create_at(0, STAGE_DEMO, "dora"));
	free(create_at(1, STAGE_DEMO, "eve"));
	cluster_stop(0);
	cluster_stop(1);
	free(postgres_sql(cluster_database, "postgres", "DROP DATABASE gateway"));
	postgres_make(cluster_database, "gateway");
	with_dump("pg_restore", "dump -d");
	cluster_start(0);
	cluster_start(1);
	/* what was made or named since is known to the very first create */
	for (unsigned i = 0; i < 3; i++) {
		const char *name = firsts[(i + (unsigned)_i) % 3];

		ck_assert_int_eq(cluster_call(i % 2, "POST", STAGE_DEMO, NULL, body_of(name, "again"))->status,
		    409);
		ck_assert_int_eq(stage_has(name, NULL), 1);
	}
	ck_assert_int_eq(cluster_call(1, "GET", below(STAGE_DEMO, bob), NULL, NULL)->status, 404);
	free(create_at(1, STAGE_DEMO, "ann"));
	free(create_at(0, STAGE_DEMO, "bob"));
	free(ann);
	free(bob);
	cluster_close();
}
END_TEST

/* The suite. */
static Suite *
cluster_suite(void)
{
	Suite *suite = suite_create("cluster");
	TCase *tcase = tcase_create("cluster");

	tcase_set_timeout(tcase, 180);
	tcase_add_test(tcase, one_name_is_one_persona_whoever_is_asked);
	tcase_add_test(tcase, an_id_belongs_to_one_project_at_every_gateway);
	tcase_add_test(tcase, a_key_is_answered_by_another_gateway_than_the_first);
	tcase_add_test(tcase, an_image_uploaded_here_is_served_there);
	tcase_add_test(tcase, a_write_here_is_visible_there);
	tcase_add_test(tcase, what_a_killed_gateway_was_at_another_finishes);
	tcase_add_test(tcase, a_gateway_that_ends_in_order_leaves_nothing_to_wait_for);
	tcase_add_test(tcase, a_database_that_is_away_is_told_and_waited_for);
	tcase_add_test(tcase, nothing_that_was_told_is_lost_in_a_fail_over);
	tcase_add_test(tcase, a_database_that_hangs_holds_nobody_up_for_long);
	tcase_add_loop_test(tcase, after_yesterdays_dump_nothing_is_doubled, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN_IF(postgres_possible(), cluster_suite)
