#include "config.h"

#include "harness.h"
#include "bluejay.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * What the gateway makes of an upstream that does exactly what a test wants: cuts
 * connections after the work is done, shows old listings, holds answers back, or
 * turns out to be another account.
 */

#define CREATE "/v1/create-customer-persona"
#define GET "/v1/customer-persona/"
#define UPDATE "/v1/update-customer-persona/"
#define LISTING "/v1/customer-personas-by-agent/"
#define NO_CACHE "Cache-Control: no-cache\r\n"
#define KEY(k) "Idempotency-Key: " k "\r\n"

static struct program gateway;
static char config[256];

/* Starts the program, again if need be, on the same data. */
static void
run(void)
{
	const char *const args[] = {"serve", "--config", config, NULL};

	program_start(&gateway, args);
}

/* Starts Bluejay and a gateway; `more` are lines of the section bluejay. */
static void
start(const char *more)
{
	bluejay_start();
	snprintf(config, sizeof config, "%s",
	    scratch_file("gateway.yaml",
	        "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	        "log: {level: debug, format: json}\n"
	        "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: good\n%s"
	        "projects:\n"
	        "  a: {agent_id: 1, shared_agent: true}\n"
	        "  twin: {agent_id: 1, shared_agent: true, api_key: other}\n"
	        "  \"*\": {}\n",
	        bluejay_port(), more));
	run();
}

/* Ends both; the gateway must end well. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
	bluejay_stop();
}

/* The settings of most tests: short times, no second tries, no cache. */
#define SHORT \
	"  timeouts: {total: 4s}\n  retries: 1\n  settle: {grace: 300ms}\n  cache: {fresh: 0s}\n"

/* A request on the personas of a project. */
static struct reply *
call(const char *method, const char *project, const char *id, const char *fields, const char *body)
{
	char path[256];

	snprintf(path, sizeof path, "/api/projects/%s/personas%s%s", project, id != NULL ? "/" : "",
	    id != NULL ? id : "");
	return ask(gateway.port, method, path, fields, body);
}

/* Sends a request and leaves its answer for later. */
static int
begin(const char *method, const char *project, const char *id, const char *fields, const char *body)
{
	int fd = raw_connect(gateway.port), n;
	char text[4096];

	n = snprintf(text, sizeof text,
	    "%s /api/projects/%s/personas%s%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s",
	    method, project, id != NULL ? "/" : "", id != NULL ? id : "",
	    body != NULL ? strlen(body) : 0, fields != NULL ? fields : "", body != NULL ? body : "");
	raw_send(fd, text, (size_t)n);
	return fd;
}

/* The answer of a request that was begun. */
static struct reply *
end(int fd)
{
	static struct reply replies[4];
	static unsigned turn;
	struct reply *r = &replies[turn++ % 4];

	free(r->body);
	raw_reply(fd, false, r);
	close(fd);
	return r;
}

/* Creates a persona that must come to be; returns its id (static). */
static const char *
create(const char *project, const char *body)
{
	static char ids[8][64];
	static unsigned turn;
	struct reply *r = call("POST", project, NULL, NULL, body);
	char *id = ids[turn++ % 8];

	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	snprintf(id, sizeof ids[0], "%s", reply_string(r, "id"));
	return id;
}

/* How many personas the gateway lists. */
static int
listed(const char *project)
{
	struct reply *r = call("GET", project, NULL, NO_CACHE, NULL);

	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	return (int)json_object_array_length(reply_json(r));
}

/* How many writes of the gateway are unsettled. */
static int
unsettled(void)
{
	struct json_object *n;

	ck_assert(json_object_object_get_ex(
	    reply_json(ask(gateway.admin_port, "GET", "/readyz", NULL, NULL)), "unsettled", &n));
	return json_object_get_int(n);
}

/* Waits until the gateway has nothing unsettled. */
static void
settled(void)
{
	EVENTUALLY(unsettled() == 0);
}

/* What the operator sees of the only intent; NULL when there is none. */
static const char *
intent(const char *member)
{
	struct json_object *list =
	    reply_json(ask(gateway.admin_port, "GET", "/intents", NULL, NULL)), *value;

	if (json_object_array_length(list) == 0)
		return NULL;
	ck_assert_uint_eq(json_object_array_length(list), 1);
	ck_assert(json_object_object_get_ex(json_object_array_get_idx(list, 0), member, &value));
	return json_object_get_string(value);
}

/* Whether the only intent is in this state. */
static bool
intent_is(const char *wanted)
{
	const char *state = intent("state");

	return state != NULL && strcmp(state, wanted) == 0;
}

/* Waits until the only intent is with the operator. */
static void
left_to_operator(void)
{
	EVENTUALLY(intent_is("operator"));
}

/* ---- creates ---- */

START_TEST(the_first_create_of_an_agent_sees_the_same_persona_in_its_listing)
{
	start(SHORT);
	bluejay_make(1, "x", "", "");
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409,
	    "Persona with name \"x\" already exists");
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	stop();
}
END_TEST

START_TEST(a_create_that_went_through_unanswered_is_found_and_handed_out)
{
	struct reply *r;

	start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	r = call("POST", "a", NULL, NULL, "{\"name\":\"x\",\"headers\":{\"h\":\"1\"}}");
	ck_assert_int_eq(r->status, 201);
	ck_assert_str_eq(reply_string(r, "id"), bluejay_id("x"));
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	ck_assert_int_eq(listed("a"), 1);
	stop();
}
END_TEST

START_TEST(an_answer_with_an_id_means_that_the_persona_exists)
{
	static const char *const bodies[] = {
	    "{\"id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\"}",
	    "{\"id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\",\"name\":\"x\",\"created_at\":12}",
	    "{\"id\":7,\"name\":\"x\"}"};

	start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 200, bodies[_i]);
	ck_assert_int_ge(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}")->status, 500);
	settled();
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	stop();
}
END_TEST

START_TEST(an_answer_with_nothing_but_the_id_is_completed_by_the_personas_own_get)
{
	static const char *const names[] = {"a", "plain"};
	struct reply *r;

	start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_ID, 200, NULL);
	r = call("POST", names[_i], NULL, NULL, "{\"name\":\"x\",\"description\":\"d\"}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_str_eq(reply_string(r, "id"), bluejay_id("x"));
	ck_assert_str_eq(reply_string(r, "description"), "d");
	ck_assert_ptr_null(intent("id"));
	ck_assert_int_eq(listed(names[_i]), 1);
	stop();
}
END_TEST

START_TEST(a_persona_of_a_broken_shape_is_known_and_not_made_again)
{
	struct reply *r;

	start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_HOLD, 0, NULL);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 500, "{}");
	int fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	bluejay_edit(bluejay_id("x"), "created_at", "soon");
	bluejay_forget();
	r = end(fd);
	ck_assert_int_eq(r->status, 201); /* as it was when it was made */
	ck_assert_int_ge(call("GET", "a", bluejay_id("x"), NO_CACHE, NULL)->status, 500);
	ck_assert_int_ge(call("GET", "a", bluejay_id("x"), NO_CACHE, NULL)->status, 500);
	bluejay_edit(bluejay_id("x"), "created_at", "2026-01-28T10:00:00Z");
	ck_assert_int_eq(call("GET", "a", bluejay_id("x"), NO_CACHE, NULL)->status, 200);
	stop();
}
END_TEST

START_TEST(a_namesake_with_another_body_is_left_to_the_operator)
{
	start(SHORT);
	listed("a");
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 500, "{}");
	bluejay_make(1, "x", "", "trimmed");
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\",\"systemPrompt\":\" trimmed \"}"), 504,
	    NULL);
	left_to_operator();
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	ck_assert_int_eq(listed("a"), 1);
	stop();
}
END_TEST

START_TEST(a_namesake_seen_before_the_answer_is_lost_is_remembered)
{
	int fd;

	start(SHORT);
	listed("a");
	bluejay_rule("POST", CREATE, 1, BLUEJAY_HOLD_CUT, 0, NULL);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\",\"systemPrompt\":\" trimmed \"}");
	bluejay_wait("POST", CREATE, 1);
	bluejay_make(1, "x", "", "trimmed");
	listed("a");
	bluejay_release();
	ck_assert_int_eq(end(fd)->status, 504);
	left_to_operator();
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	stop();
}
END_TEST

START_TEST(a_persona_that_was_hidden_is_not_what_a_create_made)
{
	const char *id;

	start(SHORT);
	id = create("a", "{\"name\":\"x\"}");
	bluejay_rule("GET", GET, 1, BLUEJAY_ANSWER, 404, "{}");
	ck_assert_int_eq(call("GET", "a", id, NO_CACHE, NULL)->status, 404);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	ck_assert_str_ne(create("a", "{\"name\":\"x\"}"), id);
	ck_assert_int_eq(listed("a"), 2);
	stop();
}
END_TEST

START_TEST(a_create_proven_absent_is_sent_again_while_its_client_waits)
{
	start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 500, "{}");
	create("a", "{\"name\":\"x\"}");
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 2);
	ck_assert_uint_eq(bluejay_personas("x"), 1);
	stop();
}
END_TEST

START_TEST(a_create_proven_absent_is_not_sent_again_when_its_client_left)
{
	int fd;

	start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 500, "{}");
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("GET", LISTING, 2);
	close(fd);
	settled();
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	create("a", "{\"name\":\"x\"}");
	stop();
}
END_TEST

START_TEST(another_body_under_a_key_is_422_also_while_unsettled)
{
	int fd;

	start(SHORT);
	bluejay_freeze(true);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	fd = begin("POST", "a", NULL, KEY("k"), "{\"name\":\"x\"}");
	bluejay_wait("GET", LISTING, 2);
	expect_error(call("POST", "a", NULL, KEY("k"), "{\"name\":\"x\",\"description\":\"d\"}"), 422,
	    "This Idempotency-Key was used before with another request body");
	bluejay_freeze(false);
	ck_assert_int_eq(end(fd)->status, 201);
	expect_error(call("POST", "a", NULL, KEY("k"), "{\"name\":\"x\",\"description\":\"d\"}"), 422,
	    NULL);
	stop();
}
END_TEST

START_TEST(an_answer_given_again_under_its_key_is_claimed)
{
	struct reply *r;
	int fd;

	start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, KEY("k"), "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	close(fd);
	bluejay_release();
	for (int i = 0; i < 2; i++) {
		r = call("POST", "a", NULL, KEY("k"), "{\"name\":\"x\"}");
		ck_assert_int_eq(r->status, 201);
		ck_assert_str_eq(reply_string(r, "id"), bluejay_id("x"));
	}
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	stop();
}
END_TEST

START_TEST(what_an_operator_adopts_is_the_answer_under_the_key)
{
	struct reply *r;
	char path[128], body[128];

	start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	ck_assert_int_eq(call("POST", "plain", NULL, KEY("k"), "{\"name\":\"x\"}")->status, 504);
	ck_assert_int_eq(call("POST", "plain", NULL, KEY("k"), "{\"name\":\"x\"}")->status, 504);
	snprintf(path, sizeof path, "/intents/%s/adopt", intent("id"));
	snprintf(body, sizeof body, "{\"personaId\":\"%s\"}", bluejay_id("x"));
	ck_assert_int_eq(ask(gateway.admin_port, "POST", path, NULL, body)->status, 200);
	r = call("POST", "plain", NULL, KEY("k"), "{\"name\":\"x\"}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_str_eq(reply_string(r, "id"), bluejay_id("x"));
	expect_error(call("POST", "plain", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	stop();
}
END_TEST

/* Creates a persona whose creator leaves before the answer. */
static void
create_unclaimed(void)
{
	int fd;

	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	close(fd);
	bluejay_release();
}

START_TEST(an_unclaimed_persona_is_inherited_once)
{
	start(SHORT);
	create_unclaimed();
	ck_assert_str_eq(create("a", "{\"name\":\"x\"}"), bluejay_id("x"));
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	stop();
}
END_TEST

START_TEST(an_unclaimed_persona_that_is_gone_is_not_inherited)
{
	const char *id;

	start(SHORT);
	create_unclaimed();
	while (listed("a") == 0)
		;
	bluejay_remove(bluejay_id("x"));
	id = create("a", "{\"name\":\"x\"}");
	ck_assert_str_eq(id, bluejay_id("x"));
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 2);
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	stop();
}
END_TEST

START_TEST(an_unclaimed_persona_that_was_renamed_frees_its_name)
{
	start(SHORT);
	create_unclaimed();
	while (listed("a") == 0)
		;
	bluejay_edit(bluejay_id("x"), "name", "y");
	create("a", "{\"name\":\"x\"}");
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 2);
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"y\"}"), 409, NULL);
	stop();
}
END_TEST

START_TEST(an_unclaimed_persona_that_was_changed_is_not_inherited)
{
	start(SHORT);
	create_unclaimed();
	for (int i = 0; listed("a") == 0 && i < 1000; i++)
		;
	bluejay_edit(bluejay_id("x"), "description", "changed");
	ck_assert_int_eq(listed("a"), 1);
	program_kill(&gateway);
	run();
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	stop();
}
END_TEST

START_TEST(a_create_cut_by_kill_is_found_after_the_restart)
{
	int fd;

	start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	program_kill(&gateway);
	close(fd);
	run();
	ck_assert_str_eq(create("a", "{\"name\":\"x\"}"), bluejay_id("x"));
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	stop();
}
END_TEST

START_TEST(an_old_answer_does_not_become_a_new_persona)
{
	static char body[256];
	const char *id;
	struct reply *r;

	start(SHORT);
	id = create(_i == 0 ? "plain" : "a", "{\"name\":\"x\"}");
	snprintf(body, sizeof body,
	    "{\"id\":\"%s\",\"name\":\"x\",\"description\":\"\",\"goal\":\"\","
	    "\"created_at\":\"2026-01-28T10:00:00Z\"}", id);
	if (_i == 2)
		ck_assert_int_eq(call("DELETE", "a", id, NULL, NULL)->status, 204);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 200, body);
	r = call("POST", _i == 0 ? "plain" : "a", NULL, NULL, "{\"name\":\"y\"}");
	ck_assert_msg(r->status >= 500, "%d %s", r->status, r->body);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 2);
	if (_i < 2) {
		ck_assert_str_eq(reply_string(call("GET", _i == 0 ? "plain" : "a", id, NULL, NULL), "name"),
		    "x");
		left_to_operator();
	}
	settled();
	stop();
}
END_TEST

/* ---- another account ---- */

START_TEST(another_account_hides_nothing_and_proves_no_absence)
{
	struct reply *r;
	char name[32];
	int fd;

	start(SHORT);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "{\"name\":\"p%d\"}", i);
		create("a", name);
	}
	ck_assert_int_eq(program_stop(&gateway), 0);
	run();
	bluejay_rule("POST", CREATE, 1, BLUEJAY_HOLD_CUT, 0, NULL);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 6);
	bluejay_other_account(true);
	bluejay_release();
	r = call("GET", "a", NULL, NO_CACHE, NULL);
	ck_assert_msg(r->status == 502, "%d %s", r->status, r->body);
	ck_assert_int_eq(ask(gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 503);
	ck_assert_int_eq(end(fd)->status, 504);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 6);
	ck_assert_str_eq(intent("name"), "x");
	bluejay_other_account(false);
	ck_assert_int_eq(listed("a"), 5);
	ck_assert_int_eq(ask(gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 200);
	settled();
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 6);
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"p0\"}"), 409, NULL);
	stop();
}
END_TEST

START_TEST(personas_removed_in_bulk_go_when_the_listing_shows_others)
{
	char body[48], name[16];

	start(SHORT);
	for (int i = 0; i < 8; i++) {
		snprintf(body, sizeof body, "{\"name\":\"p%d\"}", i);
		create("a", body);
	}
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "p%d", i);
		bluejay_remove(bluejay_id(name));
	}
	ck_assert_int_eq(listed("a"), 2);
	ck_assert_int_eq(ask(gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 200);
	for (int i = 0; i < 6; i++) {
		snprintf(body, sizeof body, "{\"name\":\"p%d\"}", i);
		create("a", body);
	}
	ck_assert_int_eq(listed("a"), 8);
	stop();
}
END_TEST

START_TEST(one_project_with_a_wrong_key_does_not_hurt_its_twin)
{
	int fd, other;

	start(SHORT);
	create("a", "{\"name\":\"x\"}");
	bluejay_key("good");
	bluejay_rule("GET", LISTING, 1, BLUEJAY_HOLD, 0, NULL);
	fd = begin("GET", "twin", NULL, NO_CACHE, NULL);
	bluejay_wait("GET", LISTING, 2);
	other = begin("GET", "a", NULL, NULL, NULL);
	(void)ask(gateway.admin_port, "GET", "/readyz", NULL, NULL);
	bluejay_release();
	ck_assert_int_eq(end(fd)->status, 502);
	ck_assert_int_eq(end(other)->status, 200);
	bluejay_rule("GET", GET, 1, BLUEJAY_HOLD, 0, NULL);
	fd = begin("GET", "twin", bluejay_id("x"), NO_CACHE, NULL);
	bluejay_wait("GET", GET, 1);
	other = begin("GET", "a", bluejay_id("x"), NULL, NULL);
	(void)ask(gateway.admin_port, "GET", "/readyz", NULL, NULL);
	bluejay_release();
	ck_assert_int_eq(end(fd)->status, 502);
	ck_assert_int_eq(end(other)->status, 200);
	stop();
}
END_TEST

/* ---- updates and deletes ---- */

START_TEST(an_update_answered_with_another_shape_is_settled_by_looking)
{
	struct reply *r;
	const char *id;

	start(SHORT);
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
	stop();
}
END_TEST

START_TEST(a_read_of_another_shape_is_refused_every_time)
{
	static const char *const bodies[] = {"{}", "[]",
	    "{\"id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\",\"name\":\"x\"}"};
	const char *id;

	start(SHORT);
	id = create("a", "{\"name\":\"x\",\"description\":\"d\"}");
	bluejay_rule("GET", GET, 2, BLUEJAY_ANSWER, 200, bodies[_i]);
	ck_assert_int_eq(call("GET", "a", id, NO_CACHE, NULL)->status, 502);
	ck_assert_int_eq(call("GET", "a", id, NO_CACHE, NULL)->status, 502);
	ck_assert_str_eq(reply_string(call("GET", "a", id, NO_CACHE, NULL), "description"), "d");
	stop();
}
END_TEST

/* The description of the only persona in a list. */
static const char *
described(void)
{
	struct reply *r = call("GET", "a", NULL, NO_CACHE, NULL);
	struct json_object *list, *value;

	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	list = reply_json(r);
	ck_assert_uint_eq(json_object_array_length(list), 1);
	ck_assert(json_object_object_get_ex(json_object_array_get_idx(list, 0), "description", &value));
	return json_object_get_string(value);
}

START_TEST(an_old_listing_does_not_undo_an_update)
{
	const char *id;

	start(SHORT);
	id = create("a", "{\"name\":\"x\",\"description\":\"old\"}");
	bluejay_freeze(true);
	ck_assert_int_eq(call("PUT", "a", id, NULL, "{\"name\":\"y\",\"description\":\"new\"}")->status, 200);
	ck_assert_str_eq(described(), "new");
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"y\"}"), 409, NULL);
	bluejay_freeze(false);
	ck_assert_str_eq(described(), "new");
	bluejay_edit(id, "description", "newest");
	ck_assert_str_eq(described(), "newest");
	stop();
}
END_TEST

START_TEST(a_rename_of_unknown_outcome_holds_both_names)
{
	const char *id;

	start(SHORT);
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
	stop();
}
END_TEST

START_TEST(a_delete_cut_half_way_stays_deleted_under_an_old_listing)
{
	const char *id;

	start(SHORT);
	id = create("a", "{\"name\":\"x\"}");
	ck_assert_int_eq(listed("a"), 1);
	bluejay_freeze(true);
	bluejay_rule("DELETE", GET, 1, BLUEJAY_DO_CUT, 0, NULL);
	ck_assert_int_eq(call("DELETE", "a", id, NULL, NULL)->status, 502);
	settled();
	ck_assert_int_eq(listed("a"), 0);
	ck_assert_int_eq(call("GET", "a", id, NO_CACHE, NULL)->status, 404);
	program_kill(&gateway);
	run();
	ck_assert_int_eq(listed("a"), 0);
	create("a", "{\"name\":\"x\"}");
	stop();
}
END_TEST

START_TEST(changes_cut_by_kill_are_settled_after_the_restart)
{
	const char *renamed, *removed, *kept;
	struct reply *r;
	int a, b, c;

	start(SHORT);
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
	program_kill(&gateway);
	close(a);
	close(b);
	close(c);
	bluejay_release();
	run();
	settled();
	r = call("GET", "a", renamed, NULL, NULL);
	ck_assert_str_eq(reply_string(r, "name"), "y");
	ck_assert(json_object_object_get_ex(reply_json(r), "headers", NULL));
	ck_assert_int_eq(call("GET", "a", removed, NULL, NULL)->status, 404);
	ck_assert_int_eq(call("GET", "a", kept, NULL, NULL)->status, 200);
	ck_assert_int_eq(listed("a"), 2);
	create("a", "{\"name\":\"x\"}");
	create("a", "{\"name\":\"gone\"}");
	stop();
}
END_TEST

START_TEST(a_fetch_in_flight_does_not_bring_back_what_a_write_changed)
{
	const char *id;
	int fd;

	start(SHORT);
	id = create("a", "{\"name\":\"x\",\"description\":\"old\"}");
	bluejay_rule("GET", GET, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("GET", "a", id, NO_CACHE, NULL);
	bluejay_wait("GET", GET, 1);
	ck_assert_int_eq(call("PUT", "a", id, NULL, "{\"description\":\"new\"}")->status, 200);
	bluejay_release();
	ck_assert_str_eq(reply_string(end(fd), "description"), "new");
	ck_assert_str_eq(reply_string(call("GET", "a", id, NULL, NULL), "description"), "new");
	bluejay_rule("GET", GET, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("GET", "a", id, NO_CACHE, NULL);
	bluejay_wait("GET", GET, 3);
	ck_assert_int_eq(call("DELETE", "a", id, NULL, NULL)->status, 204);
	bluejay_release();
	ck_assert_int_eq(end(fd)->status, 404);
	ck_assert_int_eq(listed("a"), 0);
	stop();
}
END_TEST

START_TEST(a_listing_in_flight_does_not_bring_back_what_a_write_changed)
{
	const char *id, *made;
	int fd;

	start(SHORT);
	id = create("a", "{\"name\":\"x\",\"description\":\"old\"}");
	bluejay_rule("GET", LISTING, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("GET", "a", NULL, NO_CACHE, NULL);
	bluejay_wait("GET", LISTING, 2);
	ck_assert_int_eq(call("PUT", "a", id, NULL, "{\"description\":\"new\"}")->status, 200);
	bluejay_release();
	ck_assert_int_eq(end(fd)->status, 200);
	ck_assert_str_eq(described(), "new");
	bluejay_rule("GET", LISTING, 1, BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("GET", "a", NULL, NO_CACHE, NULL);
	bluejay_wait("GET", LISTING, 4);
	made = create("a", "{\"name\":\"y\"}");
	ck_assert_int_eq(call("DELETE", "a", id, NULL, NULL)->status, 204);
	bluejay_release();
	ck_assert_int_eq(end(fd)->status, 200);
	ck_assert_int_eq(listed("a"), 1);
	ck_assert_int_eq(call("GET", "a", made, NULL, NULL)->status, 200);
	ck_assert_int_eq(call("GET", "a", id, NULL, NULL)->status, 404);
	stop();
}
END_TEST

START_TEST(a_list_without_cache_is_read_whole_however_little_is_kept)
{
	struct json_object *list, *value;
	char text[64];
	struct reply *r;

	start("  cache: {size: 0B}\n");
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
	stop();
}
END_TEST

/* ---- stopping ---- */

START_TEST(a_stop_with_everything_in_flight_leaves_nothing_behind)
{
	const char *id, *other;
	int fd[9];

	start("  timeouts: {total: 20s}\n  settle: {grace: 100ms}\n  retries: 1\n");
	id = create("a", "{\"name\":\"x\"}");
	other = create("a", "{\"name\":\"z\"}");
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	bluejay_rule("GET", LISTING, -1, BLUEJAY_HOLD, 0, NULL);
	fd[0] = begin("POST", "a", NULL, NULL, "{\"name\":\"looking\"}");
	bluejay_wait("GET", LISTING, 2);
	bluejay_rule("POST", CREATE, -1, BLUEJAY_HOLD, 0, NULL);
	bluejay_rule("PUT", UPDATE, -1, BLUEJAY_HOLD, 0, NULL);
	bluejay_rule("DELETE", GET, -1, BLUEJAY_HOLD, 0, NULL);
	bluejay_rule("GET", GET, -1, BLUEJAY_HOLD, 0, NULL);
	fd[1] = begin("POST", "a", NULL, NULL, "{\"name\":\"sending\"}");
	fd[2] = begin("POST", "a", NULL, NULL, "{\"name\":\"sending\"}");
	fd[3] = begin("POST", "a", NULL, NULL, "{\"name\":\"sending\",\"description\":\"behind\"}");
	fd[4] = begin("PUT", "a", id, NULL, "{\"name\":\"y\"}");
	bluejay_wait("PUT", UPDATE, 1);
	fd[5] = begin("DELETE", "a", id, NULL, NULL);
	fd[6] = begin("DELETE", "a", other, NULL, NULL);
	fd[7] = begin("GET", "a", NULL, NO_CACHE, NULL);
	fd[8] = begin("PUT", "a", "3c90c3cc-0d44-4b50-8888-8dd25736052a", NULL, "{\"name\":\"w\"}");
	bluejay_wait("POST", CREATE, 4);
	bluejay_wait("DELETE", GET, 1);
	call("GET", "plain", NULL, NULL, NULL);
	program_cut(&gateway);
	for (int i = 0; i < 9; i++)
		close(fd[i]);
	bluejay_forget();
	run();
	settled();
	ck_assert_str_eq(create("a", "{\"name\":\"looking\"}"), bluejay_id("looking"));
	stop();
}
END_TEST

START_TEST(a_drain_waits_for_a_create_whose_client_left)
{
	int fd;

	start(SHORT);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	close(fd);
	program_term(&gateway);
	ck_assert(raw_refused(gateway.port));
	bluejay_release();
	ck_assert_int_eq(program_wait(&gateway), 0);
	run();
	ck_assert_ptr_null(intent("id"));
	ck_assert_str_eq(create("a", "{\"name\":\"x\"}"), bluejay_id("x"));
	stop();
}
END_TEST

/* ---- limits ---- */

START_TEST(bodies_in_work_are_bounded_while_bluejay_stalls)
{
	static char body[300100];
	int fd[8], refused = 0, n;
	char head[256];

	start("  timeouts: {total: 20s}\nlimits: {buffers: 1MiB}\n");
	bluejay_rule("POST", CREATE, -1, BLUEJAY_HOLD, 0, NULL);
	for (int i = 0; i < 8; i++) {
		n = snprintf(body, sizeof body, "{\"name\":\"p%d\",\"description\":\"", i);
		memset(body + n, 'd', 300000);
		strcpy(body + n + 300000, "\"}");
		fd[i] = raw_connect(gateway.port);
		n = snprintf(head, sizeof head,
		    "POST /api/projects/plain/personas HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", strlen(body));
		raw_send(fd[i], head, (size_t)n);
		raw_send(fd[i], body, strlen(body));
	}
	bluejay_wait("POST", CREATE, 1);
	bluejay_forget();
	for (int i = 0; i < 8; i++) {
		struct reply *r = end(fd[i]);

		ck_assert(r->status == 503 || r->status == 201);
		refused += r->status == 503;
	}
	ck_assert_int_gt(refused, 0);
	ck_assert_int_lt(refused, 8);
	ck_assert_uint_eq(bluejay_personas(NULL), (unsigned)(8 - refused));
	create("plain", "{\"name\":\"again\"}");
	stop();
}
END_TEST

/* ---- a full disk ---- */

/* Lets the gateway's files grow no more, or lets them grow again. */
static void
fill_disk(bool full)
{
	struct rlimit limit;

	ck_assert_int_eq(prlimit(gateway.pid, RLIMIT_FSIZE, NULL, &limit), 0);
	limit.rlim_cur = full ? 1 : limit.rlim_max;
	ck_assert_int_eq(prlimit(gateway.pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

START_TEST(a_full_disk_refuses_writes_before_they_are_sent)
{
	const char *id;

	start(SHORT);
	id = create("a", "{\"name\":\"x\"}");
	fill_disk(true);
	for (int i = 0; i < 2; i++) {
		expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"y\"}"), 503, NULL);
		expect_error(call("POST", "plain", NULL, KEY("k"), "{\"name\":\"y\"}"), 503, NULL);
		expect_error(call("PUT", "a", id, NULL, "{\"name\":\"z\"}"), 503, NULL);
		expect_error(call("PUT", "a", id, NULL, "{\"headers\":{}}"), 503, NULL);
		expect_error(call("DELETE", "a", id, NULL, NULL), 503, NULL);
		ck_assert_int_eq(call("GET", "a", id, NO_CACHE, NULL)->status, 200);
		bluejay_edit(id, "description", "changed");
		ck_assert_str_eq(described(), "changed");
	}
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	ck_assert_uint_eq(bluejay_count("PUT", UPDATE), 0);
	ck_assert_uint_eq(bluejay_count("DELETE", GET), 0);
	ck_assert_int_eq(ask(gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 503);
	fill_disk(false);
	create("a", "{\"name\":\"y\"}");
	ck_assert_int_eq(call("POST", "plain", NULL, KEY("k"), "{\"name\":\"y\"}")->status, 201);
	ck_assert_int_eq(call("PUT", "a", id, NULL, "{\"name\":\"z\"}")->status, 200);
	ck_assert_int_eq(ask(gateway.admin_port, "GET", "/readyz", NULL, NULL)->status, 200);
	stop();
}
END_TEST

START_TEST(a_create_that_a_full_disk_kept_from_the_record_is_recorded_later)
{
	struct reply *r;
	int fd;

	start(SHORT);
	listed("a");
	bluejay_rule("POST", CREATE, 1, BLUEJAY_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, _i == 0 ? NULL : KEY("k"), "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	fill_disk(true);
	bluejay_release();
	r = end(fd);
	ck_assert_int_eq(r->status, 503);
	ck_assert_ptr_nonnull(strstr(r->body, "Bluejay has created"));
	if (_i == 2) {
		program_kill(&gateway);
		run();
	} else
		fill_disk(false);
	settled();
	r = call("POST", "a", NULL, _i == 0 ? NULL : KEY("k"), "{\"name\":\"x\"}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_str_eq(reply_string(r, "id"), bluejay_id("x"));
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	expect_error(call("POST", "a", NULL, NULL, "{\"name\":\"x\"}"), 409, NULL);
	stop();
}
END_TEST

START_TEST(a_refused_create_that_a_full_disk_keeps_open_is_given_up_later)
{
	int fd;

	start(SHORT);
	listed("a");
	bluejay_rule("POST", CREATE, 1, BLUEJAY_HOLD_ANSWER, 422, "{\"detail\":[]}");
	fd = begin("POST", "a", NULL, NULL, "{\"name\":\"x\"}");
	bluejay_wait("POST", CREATE, 1);
	fill_disk(true);
	bluejay_release();
	ck_assert_int_eq(end(fd)->status, 400);
	fill_disk(false);
	settled();
	create("a", "{\"name\":\"x\",\"description\":\"d\"}");
	stop();
}
END_TEST

START_TEST(changes_that_a_full_disk_kept_from_the_record_are_recorded_later)
{
	const char *id, *gone;
	struct reply *r;
	int a, b;

	/* the listing stands still for longer than SHORT has listings lag */
	start("  timeouts: {total: 4s}\n  retries: 1\n  settle: {grace: 4s}\n  cache: {fresh: 0s}\n");
	id = create("a", "{\"name\":\"x\"}");
	gone = create("a", "{\"name\":\"gone\"}");
	listed("a");
	bluejay_rule("PUT", UPDATE, 1, BLUEJAY_HOLD, 0, NULL);
	bluejay_rule("DELETE", GET, 1, BLUEJAY_HOLD, 0, NULL);
	a = begin("PUT", "a", id, NULL, "{\"name\":\"y\",\"headers\":{\"h\":\"1\"}}");
	b = begin("DELETE", "a", gone, NULL, NULL);
	bluejay_wait("PUT", UPDATE, 1);
	bluejay_wait("DELETE", GET, 1);
	bluejay_freeze(true);
	fill_disk(true);
	bluejay_release();
	ck_assert_int_eq(end(a)->status, 503);
	ck_assert_int_eq(end(b)->status, 503);
	fill_disk(false);
	settled();
	r = call("GET", "a", id, NULL, NULL);
	ck_assert_str_eq(reply_string(r, "name"), "y");
	ck_assert(json_object_object_get_ex(reply_json(r), "headers", NULL));
	ck_assert_int_eq(call("GET", "a", gone, NULL, NULL)->status, 404);
	ck_assert_int_eq(listed("a"), 1);
	bluejay_freeze(false);
	create("a", "{\"name\":\"x\"}");
	create("a", "{\"name\":\"gone\"}");
	stop();
}
END_TEST

/* ---- a start ---- */

/* Writes a file whose only project has an agent, or none. */
static void
one_project(const char *agent)
{
	snprintf(config, sizeof config, "%s",
	    scratch_file("one.yaml",
	        "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	        "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: good\n  cache: {fresh: 0s}\n"
	        "projects:\n  p: {%s}\n", bluejay_port(), agent));
}

START_TEST(records_follow_their_project_to_an_agent_and_are_missed_without_it)
{
	struct json_object *list, *value;
	char *log;

	bluejay_start();
	one_project("");
	run();
	create("p", "{\"name\":\"x\",\"headers\":{\"h\":\"1\"}}");
	ck_assert_int_eq(program_stop(&gateway), 0);
	one_project("agent_id: 1");
	run();
	list = reply_json(call("GET", "p", NULL, NULL, NULL));
	ck_assert_uint_eq(json_object_array_length(list), 1);
	ck_assert(json_object_object_get_ex(json_object_array_get_idx(list, 0), "headers", &value));
	ck_assert_int_eq(program_stop(&gateway), 0);
	one_project("agent_id: 2");
	run();
	ck_assert_int_eq(listed("p"), 0);
	log = program_log(&gateway);
	ck_assert_ptr_nonnull(strstr(log, "agent:1"));
	free(log);
	stop();
}
END_TEST

/* The suite. */
static Suite *
scripted_suite(void)
{
	const TTest *const tests[] = {
	    the_first_create_of_an_agent_sees_the_same_persona_in_its_listing,
	    a_create_that_went_through_unanswered_is_found_and_handed_out,
	    a_persona_of_a_broken_shape_is_known_and_not_made_again,
	    a_namesake_with_another_body_is_left_to_the_operator,
	    a_namesake_seen_before_the_answer_is_lost_is_remembered,
	    a_persona_that_was_hidden_is_not_what_a_create_made,
	    a_create_proven_absent_is_sent_again_while_its_client_waits,
	    a_create_proven_absent_is_not_sent_again_when_its_client_left,
	    another_body_under_a_key_is_422_also_while_unsettled,
	    an_answer_given_again_under_its_key_is_claimed,
	    what_an_operator_adopts_is_the_answer_under_the_key,
	    an_unclaimed_persona_is_inherited_once,
	    an_unclaimed_persona_that_is_gone_is_not_inherited,
	    an_unclaimed_persona_that_was_renamed_frees_its_name,
	    an_unclaimed_persona_that_was_changed_is_not_inherited,
	    a_create_cut_by_kill_is_found_after_the_restart,
	    another_account_hides_nothing_and_proves_no_absence,
	    personas_removed_in_bulk_go_when_the_listing_shows_others,
	    one_project_with_a_wrong_key_does_not_hurt_its_twin,
	    an_update_answered_with_another_shape_is_settled_by_looking,
	    an_old_listing_does_not_undo_an_update, a_rename_of_unknown_outcome_holds_both_names,
	    a_delete_cut_half_way_stays_deleted_under_an_old_listing,
	    changes_cut_by_kill_are_settled_after_the_restart,
	    a_fetch_in_flight_does_not_bring_back_what_a_write_changed,
	    a_listing_in_flight_does_not_bring_back_what_a_write_changed,
	    a_list_without_cache_is_read_whole_however_little_is_kept,
	    a_stop_with_everything_in_flight_leaves_nothing_behind,
	    a_drain_waits_for_a_create_whose_client_left,
	    bodies_in_work_are_bounded_while_bluejay_stalls,
	    a_full_disk_refuses_writes_before_they_are_sent,
	    a_refused_create_that_a_full_disk_keeps_open_is_given_up_later,
	    changes_that_a_full_disk_kept_from_the_record_are_recorded_later,
	    records_follow_their_project_to_an_agent_and_are_missed_without_it, NULL};
	Suite *suite = unit_suite("scripted", tests);
	TCase *loops = tcase_create("loops");

	tcase_set_timeout(loops, 60);
	tcase_add_loop_test(loops, an_answer_with_an_id_means_that_the_persona_exists, 0, 3);
	tcase_add_loop_test(loops,
	    an_answer_with_nothing_but_the_id_is_completed_by_the_personas_own_get, 0, 2);
	tcase_add_loop_test(loops,
	    a_create_that_a_full_disk_kept_from_the_record_is_recorded_later, 0, 3);
	tcase_add_loop_test(loops, an_old_answer_does_not_become_a_new_persona, 0, 3);
	tcase_add_loop_test(loops, a_read_of_another_shape_is_refused_every_time, 0, 3);
	suite_add_tcase(suite, loops);
	return suite;
}

UNIT_MAIN(scripted_suite)
