#include "config.h"

#include "bluejay.h"
#include "harness.h"
#include "localtool.h"
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * Twins of personas in the local tool: what is promised of them while the tool, Bluejay
 * and the gateway fail at every step.
 */

#define CREATE "/v1/create-customer-persona"
#define UPDATE "/v1/update-customer-persona/"
#define GET "/v1/customer-persona/"
#define LISTING "/v1/customer-personas-by-agent/"
#define TOOL "/api/projects/a/personas"
#define NO_CACHE "Cache-Control: no-cache\r\n"

static struct program gateway;
static char config[256];

/* Fails unless a condition becomes true within a bound. */
#define UNTIL(condition)                                                          \
	do {                                                                      \
		bool until_true;                                                  \
                                                                                  \
		for (int until_i = 0; !(until_true = (condition)) && until_i < 2000; until_i++) \
			poll(NULL, 0, 10);                                        \
		ck_assert_msg(until_true, "never: %s", #condition);               \
	} while (0)

/* Starts the program, again if need be, on the same data. */
static void
run(void)
{
	const char *const args[] = {"serve", "--config", config, NULL};

	program_start(&gateway, args);
}

/* Writes the gateway's file. */
static void
configure(bool mirror)
{
	snprintf(config, sizeof config, "%s",
	    scratch_file("gateway.yaml",
	        "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	        "log: {level: debug, format: json}\n"
	        "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: good\n"
	        "  timeouts: {total: 3s}\n  retries: 1\n  settle: {grace: 300ms}\n  cache: {fresh: 0s}\n"
	        "projects:\n  a: {agent_id: 1}\n  b: {agent_id: 2}\n  plain: {}\n  elsewhere: {agent_id: 3}\n"
	        "passthrough:\n  local: http://127.0.0.1:%d\n  mirror_personas: %s\n",
	        bluejay_port(), localtool_port(), mirror ? "true" : "false"));
}

/* Starts Bluejay, the local tool and a gateway. */
static void
start(void)
{
	bluejay_start();
	localtool_start();
	configure(true);
	run();
}

/* Ends all; the gateway must end well. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
	localtool_stop();
	bluejay_stop();
}

/* Kills the gateway and starts it again. */
static void
kill_and_run(void)
{
	program_kill(&gateway);
	run();
}

/* A request on the personas of a project. */
static struct reply *
call(const char *method, const char *project, const char *id, const char *body)
{
	char path[256];

	snprintf(path, sizeof path, "/api/projects/%.32s/personas%s%.64s", project, id != NULL ? "/" : "",
	    id != NULL ? id : "");
	return ask(gateway.port, method, path, NULL, body);
}

/* Sends a request and leaves its answer for later. */
static int
begin(const char *method, const char *project, const char *id, const char *body)
{
	int fd = raw_connect(gateway.port), n;
	char text[4096];

	n = snprintf(text, sizeof text,
	    "%s /api/projects/%.32s/personas%s%.64s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    method, project, id != NULL ? "/" : "", id != NULL ? id : "",
	    body != NULL ? strlen(body) : 0, body != NULL ? body : "");
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
	static char ids[16][64];
	static unsigned turn;
	struct reply *r = call("POST", project, NULL, body);
	char *id = ids[turn++ % 16];

	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	snprintf(id, sizeof ids[0], "%s", reply_string(r, "id"));
	return id;
}

/* The status of a request. */
static int
status(const char *method, const char *project, const char *id, const char *body)
{
	return call(method, project, id, body)->status;
}

/* Whether a persona and its twin show the same. */
static bool
is_twin(const char *project, struct json_object *persona, const char *twin)
{
	static const char *const fields[] = {"name", "description", "systemPrompt", "headers", "imageUrl"};
	struct json_object *value;

	for (size_t i = 0; i < 5; i++) {
		const char *is = localtool_value(project, twin, fields[i]);
		const char *should = json_object_object_get_ex(persona, fields[i], &value)
		    ? json_object_to_json_string_ext(value,
		          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
		    : "absent";

		if (strcmp(is, should) != 0 && !(strcmp(should, "absent") == 0 &&
		                                   (strcmp(is, "\"\"") == 0 || strcmp(is, "{}") == 0)))
			return false;
	}
	return true;
}

/* Whether the personas of a project and those of the local tool are the same set, each
 * with its own id there. */
static bool
mirrored(const char *project)
{
	struct reply *r = call("GET", project, NULL, NULL);
	struct json_object *list;
	size_t n;

	if (r->status != 200)
		return false;
	list = reply_json(r);
	n = json_object_array_length(list);
	if (n != localtool_personas(project, NULL))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(list, i), *id;

		if (!json_object_object_get_ex(one, "id", &id) ||
		    !is_twin(project, one, json_object_get_string(id)))
			return false;
	}
	return true;
}

/* Whether the admin address says so of twins. */
static bool
ready_says(const char *words)
{
	return strstr(ask(gateway.admin_port, "GET", "/readyz", NULL, NULL)->body, words) != NULL;
}

/* Whether the log of the running gateway has these words. */
static bool
logged(const char *words)
{
	char *log = program_log(&gateway);
	bool has = strstr(log, words) != NULL;

	free(log);
	return has;
}

/* ---- everything works ---- */

START_TEST(a_personas_id_is_its_twins)
{
	const char *id, *upstream;
	struct reply *r;

	start();
	id = create("a", "{\"name\":\"ann\",\"systemPrompt\":\"p\",\"headers\":{\"A\":\"1\"},\"imageUrl\":\"no\"}");
	ck_assert(localtool_has("a", id));
	ck_assert_str_eq(localtool_value("a", id, "description"), "absent");
	ck_assert_str_eq(localtool_value("a", id, "headers"), "{\"A\":\"1\"}");
	ck_assert_str_eq(localtool_value("a", id, "imageUrl"), "absent");
	upstream = bluejay_id("ann");
	ck_assert_str_ne(upstream, id);
	r = call("GET", "a", id, NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_string(r, "id"), id);
	ck_assert_int_eq(status("GET", "a", upstream, NULL), 404);
	ck_assert_int_eq(status("GET", "b", id, NULL), 404);
	ck_assert(mirrored("a"));
	/* carried over before the answer */
	ck_assert_int_eq(status("PUT", "a", id, "{\"name\":\"bea\",\"description\":\"d\"}"), 200);
	ck_assert_str_eq(localtool_value("a", id, "name"), "\"bea\"");
	ck_assert_str_eq(localtool_value("a", id, "description"), "\"d\"");
	ck_assert_str_eq(bluejay_value(upstream, "name"), "bea");
	ck_assert_int_eq(status("PUT", "a", id, "{\"headers\":{},\"imageUrl\":\"x.png\"}"), 200);
	ck_assert_str_eq(localtool_value("a", id, "headers"), "{}");
	ck_assert_str_eq(localtool_value("a", id, "imageUrl"), "\"x.png\"");
	ck_assert_int_eq(status("DELETE", "a", id, NULL), 204);
	ck_assert(!localtool_has("a", id));
	ck_assert_uint_eq(bluejay_personas(NULL), 0);
	ck_assert_int_eq(status("DELETE", "a", id, NULL), 404);
	ck_assert_str_ne(create("a", "{\"name\":\"bea\"}"), id);
	create("plain", "{\"name\":\"bea\"}");
	ck_assert(mirrored("a"));
	ck_assert(mirrored("plain"));
	stop();
}
END_TEST

START_TEST(the_twin_comes_first)
{
	struct reply *r;
	int fd;

	start();
	localtool_rule("POST", TOOL, 1, LOCALTOOL_HOLD, 0);
	fd = begin("POST", "a", NULL, "{\"name\":\"ann\"}");
	localtool_wait("POST", TOOL, 1);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	localtool_release();
	r = end(fd);
	ck_assert_int_eq(r->status, 201);
	ck_assert_str_eq(reply_string(r, "id"), localtool_id("a", "ann"));
	/* what the gateway refuses itself never gets there */
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"ann\"}"), 409);
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"\"}"), 400);
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"x\",\"description\":1}"), 400);
	ck_assert_uint_eq(localtool_count("POST", TOOL), 1);
	stop();
}
END_TEST

START_TEST(a_client_that_leaves_before_the_post_leaves_nothing)
{
	int fd;

	start();
	localtool_rule("POST", TOOL, 1, LOCALTOOL_DO_HOLD, 0);
	fd = begin("POST", "a", NULL, "{\"name\":\"ann\"}");
	UNTIL(localtool_personas("a", "ann") == 1);
	close(fd);
	UNTIL(logged("\"end\":\"gone\""));
	localtool_release();
	UNTIL(localtool_personas("a", NULL) == 0);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	stop();
}
END_TEST

START_TEST(creates_of_one_name_have_one_twin)
{
	const char *const body = "{\"name\":\"ann\"}", *const other = "{\"name\":\"ann\",\"headers\":{}}";
	struct reply *same, *first;
	int fds[3];

	start();
	localtool_rule("POST", TOOL, 1, LOCALTOOL_HOLD, 0);
	fds[0] = begin("POST", "a", NULL, body);
	localtool_wait("POST", TOOL, 1);
	fds[1] = begin("POST", "a", NULL, body);
	fds[2] = begin("POST", "a", NULL, other);
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200); /* both have arrived */
	localtool_release();
	first = end(fds[0]);
	same = end(fds[1]);
	ck_assert_int_eq(first->status, 201);
	ck_assert_int_eq(same->status, 201);
	ck_assert_str_eq(first->body, same->body);
	ck_assert_int_eq(end(fds[2])->status, 409);
	ck_assert_uint_eq(localtool_count("POST", TOOL), 1);
	ck_assert(mirrored("a"));
	stop();
}
END_TEST

START_TEST(without_the_option_the_tool_is_not_asked)
{
	const char *id;

	bluejay_start();
	localtool_start();
	configure(false);
	run();
	id = create("a", "{\"name\":\"ann\"}");
	ck_assert_str_eq(id, bluejay_id("ann"));
	ck_assert_int_eq(status("PUT", "a", id, "{\"name\":\"bea\"}"), 200);
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200);
	ck_assert_int_eq(status("DELETE", "a", id, NULL), 204);
	ck_assert_uint_eq(localtool_count("GET", ""), 0);
	ck_assert_uint_eq(localtool_count("POST", ""), 0);
	ck_assert(!ready_says("local_tool"));
	stop();
}
END_TEST

START_TEST(a_key_gives_the_same_id_again)
{
	static const char key[] = "Idempotency-Key: k\r\n";
	static const char body[] = "{\"name\":\"ann\"}";
	struct reply *r, *again;

	start();
	r = ask(gateway.port, "POST", TOOL, key, body);
	ck_assert_int_eq(r->status, 201);
	again = ask(gateway.port, "POST", TOOL, key, body);
	ck_assert_int_eq(again->status, 201);
	ck_assert_str_eq(again->body, r->body);
	ck_assert_str_eq(reply_string(again, "id"), localtool_id("a", "ann"));
	stop();
}
END_TEST

/* ---- the local tool fails ---- */

START_TEST(a_tool_that_is_down_refuses_creates_only)
{
	const char *ann, *bob;

	start();
	ann = create("a", "{\"name\":\"ann\"}");
	bob = create("a", "{\"name\":\"bob\"}");
	localtool_down();
	expect_error(call("POST", "a", NULL, "{\"name\":\"cid\"}"), 502,
	    "The local tool cannot be reached, and the persona must have its twin there first; "
	    "nothing was created");
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 2);
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200);
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"eve\",\"systemPrompt\":\"new\"}"), 200);
	ck_assert_int_eq(status("DELETE", "a", bob, NULL), 204);
	ck_assert_str_eq(localtool_value("a", ann, "name"), "\"ann\"");
	ck_assert(localtool_has("a", bob));
	ck_assert(ready_says("\"local_tool\":{\"ok\":false"));
	localtool_up();
	UNTIL(mirrored("a"));
	UNTIL(ready_says("\"local_tool\":{\"ok\":true}"));
	ck_assert_str_eq(localtool_value("a", ann, "systemPrompt"), "\"new\"");
	UNTIL(status("POST", "a", NULL, "{\"name\":\"cid\"}") == 201);
	ck_assert(mirrored("a"));
	stop();
}
END_TEST

START_TEST(what_a_down_tool_missed_survives_a_kill)
{
	const char *ann, *bob;

	start();
	ann = create("a", "{\"name\":\"ann\"}");
	bob = create("a", "{\"name\":\"bob\"}");
	localtool_down();
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"eve\"}"), 200);
	ck_assert_int_eq(status("DELETE", "a", bob, NULL), 204);
	kill_and_run();
	ck_assert(localtool_has("a", bob));
	localtool_up();
	UNTIL(mirrored("a"));
	ck_assert_str_eq(localtool_value("a", ann, "name"), "\"eve\"");
	stop();
}
END_TEST

START_TEST(a_tool_that_refuses_a_twin_refuses_the_create)
{
	static const struct {
		enum localtool_action action;
		int answer, status;
	} cases[] = {{LOCALTOOL_ANSWER, 500, 502}, {LOCALTOOL_ANSWER, 400, 502},
	    {LOCALTOOL_ANSWER, 404, 502}, {LOCALTOOL_CUT, 0, 502}};

	start();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		localtool_rule("POST", TOOL, -1, cases[i].action, cases[i].answer);
		expect_error(call("POST", "a", NULL, "{\"name\":\"ann\"}"), cases[i].status, NULL);
		localtool_forget();
	}
	expect_error(call("POST", "elsewhere", NULL, "{\"name\":\"ann\"}"), 502,
	    "The local tool answered with status 500 when the persona's twin was to be made in it; "
	    "nothing was created. Has it a project of this id?");
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	UNTIL(status("POST", "a", NULL, "{\"name\":\"ann\"}") == 201);
	UNTIL(mirrored("a"));
	/* a project that the tool does not have holds up no other */
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof name, "e%d", i);
		bluejay_make(3, name, "", "p");
	}
	ck_assert_int_eq(status("GET", "elsewhere", NULL, NULL), 200);
	for (int i = 0; i < 30; i++) {
		char body[32];

		snprintf(body, sizeof body, "{\"name\":\"p%d\"}", i);
		create("a", body);
	}
	UNTIL(mirrored("a"));
	stop();
}
END_TEST

START_TEST(a_twin_whose_answer_was_lost_is_found)
{
	const char *id;

	start();
	localtool_rule("POST", TOOL, 1, LOCALTOOL_DO_CUT, 0);
	id = create("a", "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
	ck_assert(localtool_has("a", id));
	ck_assert_uint_eq(localtool_count("POST", TOOL), 2);
	ck_assert(mirrored("a"));
	ck_assert(!logged("local copy"));
	stop();
}
END_TEST

START_TEST(what_comes_late_is_removed)
{
	struct reply *r;

	start();
	localtool_rule("POST", TOOL, -1, LOCALTOOL_HOLD, 0);
	r = call("POST", "a", NULL, "{\"name\":\"ann\"}");
	ck_assert_int_eq(r->status, 503);
	ck_assert_ptr_nonnull(reply_field(r, "Retry-After"));
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	ck_assert_uint_eq(localtool_personas("a", NULL), 0);
	localtool_forget(); /* now it makes it */
	UNTIL(localtool_count("DELETE", TOOL) == 1);
	UNTIL(mirrored("a"));
	create("a", "{\"name\":\"ann\"}");
	ck_assert(mirrored("a"));
	stop();
}
END_TEST

/* ---- Bluejay fails ---- */

START_TEST(a_refused_create_leaves_no_twin)
{
	start();
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 422, "{\"detail\":[]}");
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"ann\"}"), 400);
	UNTIL(localtool_personas("a", NULL) == 0);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_CUT, 0, NULL);
	bluejay_rule("POST", CREATE, -1, BLUEJAY_ANSWER, 422, "{\"detail\":[]}");
	ck_assert_int_ne(status("POST", "a", NULL, "{\"name\":\"ann\"}"), 201);
	UNTIL(localtool_personas("a", NULL) == 0);
	ck_assert(mirrored("a"));
	stop();
}
END_TEST

START_TEST(an_unknown_outcome_keeps_the_twin)
{
	const char *id;

	start();
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	id = create("a", "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
	ck_assert_str_eq(id, localtool_id("a", "ann"));
	ck_assert(mirrored("a"));
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 1);
	stop();
}
END_TEST

START_TEST(a_dead_personas_old_answer_is_not_believed)
{
	static char old[512];
	const char *id;

	start();
	id = create("a", "{\"name\":\"ann\"}");
	snprintf(old, sizeof old, "{\"id\":\"%s\",\"name\":\"ann\",\"description\":\"\",\"goal\":\"\","
	    "\"created_at\":\"2026-01-01T00:00:00Z\"}", bluejay_id("ann"));
	ck_assert_int_eq(status("DELETE", "a", id, NULL), 204);
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 200, old);
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"ann\"}"), 502);
	UNTIL(mirrored("a"));
	ck_assert_uint_eq(localtool_personas("a", NULL), 0);
	stop();
}
END_TEST

/* ---- names ---- */

START_TEST(what_the_tools_user_made_becomes_the_twin)
{
	static char mine[64];
	char copy[80];

	start();
	snprintf(mine, sizeof mine, "%s",
	    localtool_make("a", "{\"name\":\"ann\",\"systemPrompt\":\"mine\",\"description\":\"d\"}"));
	bluejay_rule("POST", CREATE, 1, BLUEJAY_ANSWER, 422, "{\"detail\":[]}");
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"ann\",\"systemPrompt\":\"new\"}"), 400);
	UNTIL(logged("\"to\":\"dropping\""));
	ck_assert_str_eq(localtool_value("a", mine, "systemPrompt"), "\"mine\"");
	ck_assert_str_eq(create("a", "{\"name\":\"ann\",\"systemPrompt\":\"new\"}"), mine);
	UNTIL(strcmp(localtool_value("a", mine, "systemPrompt"), "\"new\"") == 0);
	ck_assert_str_eq(localtool_value("a", mine, "description"), "\"\"");
	snprintf(copy, sizeof copy, "ann (local copy %.8s)", mine);
	ck_assert_str_eq(localtool_value("a", localtool_id("a", copy), "systemPrompt"), "\"mine\"");
	ck_assert_str_eq(localtool_value("a", localtool_id("a", copy), "description"), "\"d\"");
	ck_assert_uint_eq(localtool_personas("a", NULL), 2);
	/* one that holds the same needs no copy */
	snprintf(mine, sizeof mine, "%s", localtool_make("a", "{\"name\":\"bob\"}"));
	ck_assert_str_eq(create("a", "{\"name\":\"bob\"}"), mine);
	ck_assert_int_eq(status("DELETE", "a", mine, NULL), 204);
	ck_assert(!localtool_has("a", mine));
	ck_assert_uint_eq(localtool_personas("a", NULL), 2);
	stop();
}
END_TEST

START_TEST(a_rename_to_a_name_of_the_tools_user_moves_that)
{
	static char mine[64];
	const char *id;

	start();
	id = create("a", "{\"name\":\"ann\"}");
	snprintf(mine, sizeof mine, "%s", localtool_make("a", "{\"name\":\"bob\",\"systemPrompt\":\"mine\"}"));
	ck_assert_int_eq(status("PUT", "a", id, "{\"name\":\"bob\"}"), 200);
	UNTIL(strcmp(localtool_value("a", id, "name"), "\"bob\"") == 0);
	ck_assert_str_eq(localtool_value("a", mine, "systemPrompt"), "\"mine\"");
	ck_assert_ptr_nonnull(strstr(localtool_value("a", mine, "name"), "bob (local copy "));
	stop();
}
END_TEST

START_TEST(twins_can_swap_their_names)
{
	const char *ann, *bob;

	start();
	ann = create("a", "{\"name\":\"ann\"}");
	bob = create("a", "{\"name\":\"bob\"}");
	localtool_rule("PUT", TOOL, -1, LOCALTOOL_ANSWER, 500);
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"x\"}"), 200);
	ck_assert_int_eq(status("PUT", "a", bob, "{\"name\":\"ann\"}"), 200);
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"bob\"}"), 200);
	ck_assert_str_eq(localtool_value("a", ann, "name"), "\"ann\"");
	localtool_forget();
	UNTIL(mirrored("a"));
	ck_assert_str_eq(localtool_value("a", ann, "name"), "\"bob\"");
	stop();
}
END_TEST

START_TEST(a_create_gets_the_name_of_a_twin_that_is_late)
{
	const char *ann, *next;

	start();
	ann = create("a", "{\"name\":\"ann\"}");
	localtool_rule("PUT", TOOL, 2, LOCALTOOL_ANSWER, 500); /* with its second try */
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"bob\"}"), 200);
	ck_assert_str_eq(localtool_value("a", ann, "name"), "\"ann\"");
	next = create("a", "{\"name\":\"ann\"}");
	ck_assert_str_ne(next, ann);
	UNTIL(mirrored("a"));
	/* and that of one whose removal is late */
	localtool_rule("DELETE", TOOL, 2, LOCALTOOL_ANSWER, 500);
	ck_assert_int_eq(status("DELETE", "a", next, NULL), 204);
	ck_assert_str_ne(create("a", "{\"name\":\"ann\"}"), next);
	UNTIL(mirrored("a"));
	stop();
}
END_TEST

/* ---- personas that were made elsewhere ---- */

START_TEST(adopted_personas_get_their_twin_first)
{
	const char *upstream, *id;
	struct reply *r;

	start();
	upstream = bluejay_make(1, "ann", "", "p");
	bluejay_make(1, "bob", "", "q");
	r = call("GET", "a", NULL, NULL);
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
	stop();
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

	start();
	ann = create("a", "{\"name\":\"Ann\"}");
	bob = create("a", "{\"name\":\"Bob\"}");
	store("backup --data-dir data --to copy");
	dora = create("a", "{\"name\":\"Dora\",\"systemPrompt\":\"s\"}");
	ck_assert_int_eq(status("PUT", "a", ann, "{\"name\":\"Anna\"}"), 200);
	ck_assert_int_eq(status("DELETE", "a", bob, NULL), 204);
	UNTIL(!localtool_has("a", bob));
	program_kill(&gateway);
	store("restore --from copy --data-dir data --replace");
	run();
	ck_assert_int_eq(status("POST", "a", NULL, "{\"name\":\"Dora\"}"), 409);
	/* under the id that clients and runs know */
	ck_assert_str_eq(reply_string(call("GET", "a", dora, NULL), "name"), "Dora");
	ck_assert_str_eq(reply_string(call("GET", "a", ann, NULL), "name"), "Anna");
	ck_assert_int_eq(status("GET", "a", bob, NULL), 404);
	UNTIL(strcmp(localtool_id("a", "Dora"), dora) == 0 && strcmp(localtool_id("a", "Anna"), ann) == 0 &&
	    localtool_personas("a", "Bob") == 0);
	/* what was absent in the twin is empty in the adopted persona: the tool keeps a copy of it */
	ck_assert_uint_eq(localtool_personas("a", NULL), 3);
	stop();
}
END_TEST

START_TEST(two_of_one_name_have_twins)
{
	start();
	bluejay_make(1, "ann", "", "p");
	bluejay_make(1, "ann", "", "q");
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200);
	UNTIL(localtool_personas("a", NULL) == 2);
	ck_assert_uint_eq(localtool_personas("a", "ann"), 1);
	stop();
}
END_TEST

START_TEST(adopted_while_the_tool_is_down_they_have_another_id)
{
	static char upstream[64];
	char twin[64];

	start();
	localtool_down();
	snprintf(upstream, sizeof upstream, "%s", bluejay_make(1, "ann", "", "p"));
	ck_assert_ptr_nonnull(strstr(call("GET", "a", NULL, NULL)->body, upstream));
	localtool_up();
	UNTIL(localtool_personas("a", "ann") == 1);
	snprintf(twin, sizeof twin, "%s", localtool_id("a", "ann"));
	ck_assert_str_ne(twin, upstream);
	UNTIL(logged("a persona's twin in the local tool has another id than the persona"));
	/* the id that was seen stays */
	ck_assert_int_eq(status("GET", "a", upstream, NULL), 200);
	ck_assert_int_eq(status("PUT", "a", upstream, "{\"name\":\"bea\"}"), 200);
	UNTIL(strcmp(localtool_value("a", twin, "name"), "\"bea\"") == 0);
	kill_and_run();
	ck_assert_int_eq(status("GET", "a", upstream, NULL), 200);
	ck_assert_int_eq(status("DELETE", "a", upstream, NULL), 204);
	UNTIL(localtool_personas("a", NULL) == 0);
	stop();
}
END_TEST

START_TEST(adopted_while_the_tool_starts_they_have_their_twins_ids)
{
	int fd;

	start();
	localtool_down();
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof name, "p%d", i);
		bluejay_make(1, name, "", "p");
	}
	fd = begin("GET", "a", NULL, NULL);
	bluejay_wait("GET", LISTING, 1);
	localtool_up();
	ck_assert_int_eq(end(fd)->status, 200);
	UNTIL(mirrored("a"));
	stop();
}
END_TEST

START_TEST(switched_on_later_all_get_twins)
{
	static char ids[40][64];

	bluejay_start();
	localtool_start();
	configure(false);
	run();
	for (int i = 0; i < 40; i++) {
		char body[64];

		snprintf(body, sizeof body, "{\"name\":\"p%d\",\"headers\":{\"N\":\"%d\"}}", i, i);
		snprintf(ids[i], sizeof ids[i], "%s", create(i % 2 == 0 ? "a" : "plain", body));
	}
	ck_assert_int_eq(program_stop(&gateway), 0);
	configure(true);
	run();
	UNTIL(localtool_personas("a", NULL) == 20 && localtool_personas("plain", NULL) == 20);
	for (int i = 0; i < 40; i++) {
		const char *project = i % 2 == 0 ? "a" : "plain";
		struct reply *r = call("GET", project, ids[i], NULL);

		ck_assert_int_eq(r->status, 200);
		ck_assert(is_twin(project, reply_json(r), localtool_id(project, reply_string(r, "name"))));
	}
	UNTIL(logged("personas have a twin under another id"));
	ck_assert(ready_says("\"twins_with_another_id\":40"));
	ck_assert_str_eq(create("a", "{\"name\":\"new\"}"), localtool_id("a", "new"));
	ck_assert_int_eq(status("DELETE", "a", ids[0], NULL), 204);
	UNTIL(localtool_personas("a", "p0") == 0);
	/* and off again: what has an id keeps it */
	ck_assert_int_eq(program_stop(&gateway), 0);
	configure(false);
	run();
	ck_assert_int_eq(status("GET", "a", localtool_id("a", "new"), NULL), 200);
	stop();
}
END_TEST

/* ---- changes in the local tool itself ---- */

START_TEST(the_tools_own_changes_are_put_right)
{
	static char id[64];

	start();
	snprintf(id, sizeof id, "%s", create("a", "{\"name\":\"ann\",\"systemPrompt\":\"p\"}"));
	localtool_edit("a", id, "{\"systemPrompt\":\"changed there\",\"description\":\"there\"}");
	kill_and_run();
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
	stop();
}
END_TEST

/* ---- the gateway is killed ---- */

START_TEST(killed_before_the_twins_id_is_known)
{
	int fd;

	start();
	localtool_rule("POST", TOOL, 1, _i == 0 ? LOCALTOOL_HOLD : LOCALTOOL_DO_HOLD, 0);
	fd = begin("POST", "a", NULL, "{\"name\":\"ann\",\"systemPrompt\":\"p\"}");
	localtool_wait("POST", TOOL, 1);
	program_kill(&gateway);
	close(fd);
	run();
	if (_i == 0)
		localtool_release(); /* it comes to be while nobody waits */
	UNTIL(localtool_count("DELETE", TOOL) == 1);
	UNTIL(mirrored("a"));
	ck_assert_uint_eq(localtool_personas("a", NULL), 0);
	ck_assert_uint_eq(bluejay_count("POST", CREATE), 0);
	localtool_release();
	create("a", "{\"name\":\"ann\"}");
	ck_assert(mirrored("a"));
	stop();
}
END_TEST

START_TEST(killed_before_the_twins_id_is_known_a_client_comes_again)
{
	const char *id;
	int fd;

	start();
	localtool_rule("POST", TOOL, 1, LOCALTOOL_DO_HOLD, 0);
	localtool_rule("GET", TOOL, -1, LOCALTOOL_ANSWER, 500); /* nothing is removed yet */
	fd = begin("POST", "a", NULL, "{\"name\":\"ann\"}");
	UNTIL(localtool_personas("a", "ann") == 1);
	program_kill(&gateway);
	close(fd);
	localtool_release();
	run();
	localtool_forget();
	id = create("a", "{\"name\":\"ann\"}");
	UNTIL(mirrored("a"));
	ck_assert_int_eq(status("GET", "a", id, NULL), 200);
	stop();
}
END_TEST

START_TEST(killed_while_bluejay_creates)
{
	static char twin[64];
	const char *id;
	int fd;

	start();
	ck_assert_int_eq(status("GET", "a", NULL, NULL), 200);
	bluejay_rule("POST", CREATE, 1, _i == 0 ? BLUEJAY_HOLD_CUT : BLUEJAY_DO_HOLD, 0, NULL);
	fd = begin("POST", "a", NULL, "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
	bluejay_wait("POST", CREATE, 1);
	snprintf(twin, sizeof twin, "%s", localtool_id("a", "ann"));
	program_kill(&gateway);
	close(fd);
	bluejay_release();
	if (_i == 2)
		localtool_remove("a", twin); /* nobody was told its id */
	run();
	if (_i == 0) { /* it did not happen */
		UNTIL(localtool_personas("a", NULL) == 0);
	} else {
		id = create("a", "{\"name\":\"ann\",\"headers\":{\"A\":\"1\"}}");
		ck_assert_int_eq(strcmp(id, twin) == 0, _i == 1);
		ck_assert_uint_eq(bluejay_personas("ann"), 1);
	}
	UNTIL(mirrored("a"));
	stop();
}
END_TEST

START_TEST(killed_while_the_twin_follows)
{
	const char *id;
	int fd;

	start();
	id = create("a", "{\"name\":\"ann\"}");
	UNTIL(localtool_count("GET", TOOL) > 0);
	localtool_rule(_i == 0 ? "PUT" : "DELETE", TOOL, 1, LOCALTOOL_CUT, 0);
	localtool_rule(_i == 0 ? "PUT" : "DELETE", TOOL, -1, LOCALTOOL_HOLD, 0);
	fd = _i == 0 ? begin("PUT", "a", id, "{\"name\":\"bea\"}") : begin("DELETE", "a", id, NULL);
	localtool_wait(_i == 0 ? "PUT" : "DELETE", TOOL, 1);
	kill_and_run();
	close(fd);
	localtool_forget();
	UNTIL(mirrored("a"));
	ck_assert_uint_eq(localtool_personas("a", NULL), _i == 0 ? 1 : 0);
	stop();
}
END_TEST

START_TEST(a_slow_tool_does_not_hold_a_client_for_long)
{
	const char *id;
	struct timespec from, to;

	start();
	id = create("a", "{\"name\":\"ann\"}");
	localtool_rule("PUT", TOOL, -1, LOCALTOOL_HOLD, 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	ck_assert_int_eq(status("PUT", "a", id, "{\"name\":\"bea\"}"), 200);
	clock_gettime(CLOCK_MONOTONIC, &to);
	ck_assert_int_lt(to.tv_sec - from.tv_sec, 3);
	localtool_forget();
	UNTIL(mirrored("a"));
	stop();
}
END_TEST

/* ---- the operator ---- */

START_TEST(an_operator_settles_with_the_twins_id)
{
	static char twin[64], upstream[64];
	char path[128], body[128];
	struct reply *r;

	start();
	bluejay_rule("POST", CREATE, -1, BLUEJAY_DO_CUT, 0, NULL);
	ck_assert_int_eq(status("POST", "plain", NULL, "{\"name\":\"ann\"}"), 504);
	ck_assert_int_eq(status("POST", "plain", NULL, "{\"name\":\"bob\"}"), 504);
	snprintf(twin, sizeof twin, "%s", localtool_id("plain", "ann"));
	snprintf(upstream, sizeof upstream, "%s", bluejay_id("ann"));
	ck_assert_uint_eq(localtool_personas("plain", NULL), 2);
	r = ask(gateway.admin_port, "GET", "/intents", NULL, NULL);
	ck_assert_uint_eq(json_object_array_length(reply_json(r)), 2);
	for (size_t i = 0; i < 2; i++) {
		struct json_object *one = json_object_array_get_idx(reply_json(r), i), *id, *name;

		json_object_object_get_ex(one, "id", &id);
		json_object_object_get_ex(one, "name", &name);
		ck_assert(!json_object_object_get_ex(one, "personaId", NULL));
		snprintf(path, sizeof path, "/intents/%s/%s", json_object_get_string(id),
		    strcmp(json_object_get_string(name), "ann") == 0 ? "adopt" : "forget");
		snprintf(body, sizeof body, "{\"personaId\":\"%s\"}", upstream);
		ck_assert_int_lt(ask(gateway.admin_port, "POST", path, NULL, body)->status, 300);
	}
	ck_assert_int_eq(status("GET", "plain", twin, NULL), 200);
	UNTIL(mirrored("plain"));
	ck_assert_uint_eq(localtool_personas("plain", NULL), 1);
	stop();
}
END_TEST

/* Twins in the local tool. */
static Suite *
mirror_suite(void)
{
	const TTest *const tests[] = {
	    a_personas_id_is_its_twins,
	    the_twin_comes_first,
	    a_client_that_leaves_before_the_post_leaves_nothing,
	    creates_of_one_name_have_one_twin,
	    without_the_option_the_tool_is_not_asked,
	    a_key_gives_the_same_id_again,
	    a_tool_that_is_down_refuses_creates_only,
	    what_a_down_tool_missed_survives_a_kill,
	    a_tool_that_refuses_a_twin_refuses_the_create,
	    a_twin_whose_answer_was_lost_is_found,
	    what_comes_late_is_removed,
	    a_refused_create_leaves_no_twin,
	    an_unknown_outcome_keeps_the_twin,
	    a_dead_personas_old_answer_is_not_believed,
	    what_the_tools_user_made_becomes_the_twin,
	    a_rename_to_a_name_of_the_tools_user_moves_that,
	    twins_can_swap_their_names,
	    a_create_gets_the_name_of_a_twin_that_is_late,
	    adopted_personas_get_their_twin_first,
	    after_an_old_copy_twins_are_found_again,
	    two_of_one_name_have_twins,
	    adopted_while_the_tool_is_down_they_have_another_id,
	    adopted_while_the_tool_starts_they_have_their_twins_ids,
	    switched_on_later_all_get_twins,
	    the_tools_own_changes_are_put_right,
	    killed_before_the_twins_id_is_known_a_client_comes_again,
	    a_slow_tool_does_not_hold_a_client_for_long,
	    an_operator_settles_with_the_twins_id,
	    NULL,
	};
	Suite *suite = suite_create("mirror");
	TCase *tcase = tcase_create("mirror");

	tcase_set_timeout(tcase, 120);
	for (size_t i = 0; tests[i] != NULL; i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, killed_before_the_twins_id_is_known, 0, 2);
	tcase_add_loop_test(tcase, killed_while_bluejay_creates, 0, 3);
	tcase_add_loop_test(tcase, killed_while_the_twin_follows, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(mirror_suite)
