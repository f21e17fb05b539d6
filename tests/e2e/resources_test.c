#include "config.h"

#include "harness.h"
#include "script.h"
#include "unit.h"

#include <json-c/json.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Resources that a file declares: digital humans, over endpoints of an upstream of this
 * test. They have whole numbers for ids, under a name of their own, and a listing in parts.
 */

#define LIST "/v1/digital-humans"
#define ONE "/v1/digital-human/"
#define HUMANS_MAX 32
#define PAGE 2

struct human {
	int id;
	struct json_object *body; /* NULL: it is gone */
};

static struct {
	pthread_mutex_t lock;
	struct human humans[HUMANS_MAX];
	int count;
	char asked[16384];   /* "METHOD path" of every request, one a line */
	const char *next;    /* a text that leads on instead of the cursor; NULL: the cursor */
	bool lose_create;    /* the next create is done, and its answer lost */
	bool alter;          /* what is created gets another age */
} up = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct program gateway;

/* ---- the upstream ---- */

/* Makes a human out of what is given; the lock is held. */
static struct human *
human_make(struct json_object *given)
{
	struct human *h = &up.humans[up.count];
	time_t now = time(NULL);
	char when[64];

	h->id = 100 + ++up.count;
	h->body = json_object_get(given);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	json_object_object_add(h->body, "human_id", json_object_new_int(h->id));
	json_object_object_add(h->body, "made_at", json_object_new_string(when));
	return h;
}

/* Makes one behind the gateway's back; its id. */
static int
human(const char *name)
{
	struct json_object *given = json_object_new_object();
	int id;

	json_object_object_add(given, "full_name", json_object_new_string(name));
	pthread_mutex_lock(&up.lock);
	id = human_make(given)->id;
	pthread_mutex_unlock(&up.lock);
	json_object_put(given);
	return id;
}

/* The one that a path names, or NULL. */
static struct human *
human_at(const char *path)
{
	for (int i = 0; i < up.count; i++)
		if (up.humans[i].body != NULL && up.humans[i].id == atoi(path + strlen(ONE)))
			return &up.humans[i];
	return NULL;
}

/* Answers with JSON. */
static void
give(struct script_reply *r, int status, struct json_object *body)
{
	r->status = status;
	snprintf(r->body, sizeof r->body, "%s",
	    json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN));
}

/* Answers a part of the listing: the cursor is how many to leave out. */
static void
give_part(struct script_reply *r, const char *path)
{
	struct json_object *part = json_object_new_object(), *items = json_object_new_array();
	const char *cursor = strstr(path, "cursor=");
	int from = cursor != NULL ? atoi(cursor + 7) : 0, seen = 0, given = 0;
	char next[32];

	for (int i = 0; i < up.count; i++) {
		if (up.humans[i].body == NULL || seen++ < from || given == PAGE)
			continue;
		json_object_array_add(items, json_object_get(up.humans[i].body));
		given++;
	}
	snprintf(next, sizeof next, "%d", from + given);
	json_object_object_add(part, "items", items);
	json_object_object_add(part, "next", from + given == seen ? NULL
	    : json_object_new_string(up.next != NULL ? up.next : next));
	give(r, 200, part);
	json_object_put(part);
}

/* Answers a create. */
static void
give_created(struct script_reply *r, const char *body)
{
	struct json_object *given = json_tokener_parse(body), *name = NULL;
	const char *text;

	json_object_object_get_ex(given, "full_name", &name);
	text = name != NULL ? json_object_get_string(name) : "";
	r->status = strcmp(text, "dear") == 0 ? 402 : strcmp(text, "twin") == 0 ? 409
	    : strcmp(text, "tea") == 0                                          ? 418
	                                                                        : 200;
	if (up.alter)
		json_object_object_add(given, "years", json_object_new_int(1));
	if (r->status == 200)
		give(r, 200, human_make(given)->body);
	else
		snprintf(r->body, sizeof r->body, "{\"detail\":\"no\"}");
	json_object_put(given);
	if (up.lose_create)
		r->act = SCRIPT_RESET;
	up.lose_create = false;
}

/* Answers a change. */
static void
give_changed(struct script_reply *r, struct human *h, const char *body)
{
	struct json_object *given = json_tokener_parse(body);

	json_object_object_foreach(given, key, value)
		json_object_object_add(h->body, key, json_object_get(value));
	json_object_put(given);
	give(r, 200, h->body);
}

/* Does what is asked. */
static void
serve(void *arg, const struct script_request *q, struct script_reply *r)
{
	struct human *h = strncmp(q->path, ONE, strlen(ONE)) == 0 ? human_at(q->path) : NULL;
	size_t len;

	pthread_mutex_lock(&up.lock);
	len = strlen(up.asked);
	snprintf(up.asked + len, sizeof up.asked - len, "%s %s\n", q->method, q->path);
	if (strncmp(q->path, LIST, strlen(LIST)) == 0) {
		give_part(r, q->path);
	} else if (strcmp(q->path, "/v1/ping") == 0) {
		give(r, 200, NULL);
	} else if (strcmp(q->path, "/v1/create-digital-human") == 0) {
		give_created(r, q->body);
	} else if (h == NULL) {
		r->status = 404;
		snprintf(r->body, sizeof r->body, "{\"detail\":\"Not found\"}");
	} else if (strcmp(q->method, "PATCH") == 0) {
		give_changed(r, h, q->body);
	} else {
		give(r, 200, h->body);
		if (strcmp(q->method, "DELETE") == 0) {
			json_object_put(h->body);
			h->body = NULL;
		}
	}
	pthread_mutex_unlock(&up.lock);
}

/* How many requests were this one. */
static int
asked(const char *request)
{
	char line[256];
	int n = 0;

	snprintf(line, sizeof line, "%s\n", request);
	pthread_mutex_lock(&up.lock);
	for (const char *p = up.asked; (p = strstr(p, line)) != NULL; p += strlen(line))
		n += p == up.asked || p[-1] == '\n';
	pthread_mutex_unlock(&up.lock);
	return n;
}

/* ---- the gateway ---- */

#define WITHOUT_WRITES \
	"    list: {call: GET /v1/digital-humans?limit=2, items: items,\n" \
	"      next: {member: next, parameter: cursor}}\n" \
	"    read: GET /v1/digital-human/{id}\n"
#define WRITES \
	"    create: {call: POST /v1/create-digital-human, status: 200}\n" \
	"    update: PATCH /v1/digital-human/{id}\n" \
	"    delete: DELETE /v1/digital-human/{id}\n"
#define REST \
	"    id: {member: human_id, as: integer}\n" \
	"    created: made_at\n" \
	"    name: name\n" \
	"    errors: {402: {status: 402, error: A digital human costs more than you have}, 409: 409}\n" \
	"    mapping:\n" \
	"      fields:\n" \
	"        name: full_name\n" \
	"        age: {to: years, as: integer}\n" \
	"        voice.tone: {to: traits.tone, as: string, when_absent: calm}\n" \
	"        createdAt: {to: made_at, as: timestamp, read_only: true}\n" \
	"      kept_here: [note]\n"

static char file[256];
static const char *projects = "{a: {}, b: {}}";

/* Runs the gateway on its file. */
static void
run(void)
{
	const char *const args[] = {"serve", "--config", file, NULL};

	program_start(&gateway, args);
}

/* Writes a file with a declaration, for an upstream on a port. */
static void
declare(int port, const char *settings, const char *declaration)
{
	snprintf(file, sizeof file, "%s", scratch_file("resources.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	    "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: k\n  retries: 1\n"
	    "  timeouts: {total: 5s}\n  settle: {grace: 300ms}\n  cache: {fresh: 0s}\n"
	    "%s"
	    "projects: %s\n"
	    "resources:\n  digital-humans:\n    noun: digital human\n%s", port, settings, projects,
	    declaration));
}

/* Starts both. */
static void
start(const char *declaration)
{
	declare(script_start(serve, NULL), "", declaration);
	run();
}

/* Ends the gateway, which must end well. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* A request on the digital humans of a project. */
static struct reply *
call(const char *method, const char *project, const char *id, const char *body)
{
	char path[512];

	snprintf(path, sizeof path, "/api/projects/%s/digital-humans%s%s", project,
	    id != NULL ? "/" : "", id != NULL ? id : "");
	return ask(gateway.port, method, path, NULL, body);
}

/* Expects an answer with a body, in which times are nobody's business. */
static void
expect(const struct reply *r, int status, const char *body)
{
	static const char made[] = "\"createdAt\":\"";
	char *text = strdup(r->body), *at = text;

	while ((at = strstr(at, made)) != NULL) {
		at += sizeof made - 1;
		memmove(at, at + strlen("2026-01-28T10:00:00.000Z"),
		    strlen(at + strlen("2026-01-28T10:00:00.000Z")) + 1);
	}
	ck_assert_msg(r->status == status && strcmp(text, body) == 0, "%d %s\ninstead of\n%d %s",
	    r->status, text, status, body);
	free(text);
}

#define HUMAN(n, name, more) \
	"{\"id\":\"" n "\",\"name\":\"" name "\"" more ",\"createdAt\":\"\"}"

START_TEST(behind_a_fence_a_project_has_what_it_made)
{
	start(WITHOUT_WRITES WRITES "    fence: project\n" REST);
	human("stranger");
	expect(call("GET", "a", NULL, NULL), 200, "[]");
	expect(call("POST", "a", NULL, "{\"name\":\"ann\",\"age\":41,\"note\":\"n\"}"), 200,
	    HUMAN("102", "ann", ",\"age\":41,\"note\":\"n\""));
	expect(call("GET", "a", "102", NULL), 200,
	    HUMAN("102", "ann", ",\"age\":41,\"note\":\"n\""));
	expect(call("GET", "a", NULL, NULL), 200,
	    "[" HUMAN("102", "ann", ",\"age\":41,\"note\":\"n\"") "]");
	expect(call("GET", "b", NULL, NULL), 200, "[]");
	expect_error(call("GET", "b", "102", NULL), 404, "Digital human not found");
	expect_error(call("DELETE", "b", "102", NULL), 404, "Digital human not found");
	expect_error(call("GET", "a", "101", NULL), 404, "Digital human not found");
	stop();
}
END_TEST

START_TEST(writes_go_by_the_declared_calls)
{
	struct reply *r;

	start(WITHOUT_WRITES WRITES "    fence: project\n" REST);
	call("POST", "a", NULL, "{\"name\":\"ann\",\"voice\":{\"tone\":\"low\"}}");
	expect(call("PUT", "a", "101", "{\"age\":5}"), 200,
	    HUMAN("101", "ann", ",\"age\":5,\"voice\":{\"tone\":\"low\"}"));
	ck_assert_int_eq(asked("PATCH /v1/digital-human/101"), 1);
	expect_error(call("PUT", "a", "101", "{\"age\":\"old\"}"), 400, "age must be an integer");
	expect_error(call("POST", "a", NULL, "{}"), 400, "Name is required");
	r = call("DELETE", "a", "101", NULL);
	ck_assert_int_eq(r->status, 204);
	ck_assert_int_eq(asked("DELETE /v1/digital-human/101"), 1);
	expect_error(call("GET", "a", "101", NULL), 404, "Digital human not found");
	stop();
}
END_TEST

START_TEST(without_a_fence_every_project_has_all_of_all_parts)
{
	struct json_object *list;

	start(WITHOUT_WRITES WRITES "    fence: none\n" REST);
	for (int i = 0; i < 5; i++)
		human("h");
	list = reply_json(call("GET", "b", NULL, NULL));
	ck_assert_uint_eq(json_object_array_length(list), 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(atoi(json_object_get_string(json_object_object_get(
		    json_object_array_get_idx(list, i), "id"))), 101 + (int)i);
	ck_assert_int_eq(asked("GET /v1/digital-humans?limit=2"), 1);
	ck_assert_int_eq(asked("GET /v1/digital-humans?limit=2&cursor=2"), 1);
	ck_assert_int_eq(asked("GET /v1/digital-humans?limit=2&cursor=4"), 1);
	ck_assert_int_eq(call("GET", "a", "105", NULL)->status, 200);
	ck_assert_int_eq(call("GET", "a", "106", NULL)->status, 404);
	human("late");
	ck_assert_int_eq(call("GET", "a", "106", NULL)->status, 200);
	ck_assert_int_eq(call("DELETE", "a", "106", NULL)->status, 204);
	ck_assert_int_eq(call("GET", "b", "106", NULL)->status, 404);
	stop();
}
END_TEST

START_TEST(ids_of_another_form_are_not_asked_for)
{
	start(WITHOUT_WRITES "    fence: none\n" REST);
	expect_error(call("GET", "a", "abc", NULL), 404, "Digital human not found");
	expect_error(call("GET", "a", "1%2F2", NULL), 404, "Digital human not found");
	expect_error(call("GET", "a", "007", NULL), 404, "Digital human not found");
	ck_assert_int_eq(asked("GET /v1/digital-humans?limit=2"), 0);
	stop();
}
END_TEST

START_TEST(statuses_are_told_as_declared)
{
	start(WITHOUT_WRITES WRITES "    fence: project\n" REST);
	expect_error(call("POST", "a", NULL, "{\"name\":\"dear\"}"), 402,
	    "A digital human costs more than you have");
	expect_error(call("POST", "a", NULL, "{\"name\":\"twin\"}"), 409,
	    "Bluejay refused the request with status 409");
	expect_error(call("POST", "a", NULL, "{\"name\":\"tea\"}"), 502,
	    "Bluejay answered with status 418");
	expect(call("GET", "a", NULL, NULL), 200, "[]");
	ck_assert_str_eq(ask(gateway.admin_port, "GET", "/intents", NULL, NULL)->body, "[]");
	stop();
}
END_TEST

START_TEST(methods_that_are_left_out_are_405)
{
	struct reply *r;

	start(WITHOUT_WRITES "    fence: none\n" REST);
	human("h");
	r = call("POST", "a", NULL, "{}");
	expect_error(r, 405, "Method not allowed");
	ck_assert_str_eq(reply_field(r, "Allow"), "GET, HEAD");
	expect_error(call("DELETE", "a", "101", NULL), 405, "Method not allowed");
	expect_error(call("PUT", "a", "101", "{}"), 405, "Method not allowed");
	expect_error(ask(gateway.port, "POST", "/api/projects/a/digital-humans/101/generate-image",
	    NULL, NULL), 404, "Not found");
	ck_assert_int_eq(call("GET", "a", "101", NULL)->status, 200);
	expect_error(call("GET", "nobody", NULL, NULL), 404, "Project not found");
	stop();
}
END_TEST

START_TEST(the_local_tool_gets_none_of_their_requests)
{
	int port = script_start(serve, NULL);
	char settings[100];

	snprintf(settings, sizeof settings, "passthrough: {local: \"http://127.0.0.1:%d\"}\n", port);
	declare(port, settings, WITHOUT_WRITES "    fence: none\n" REST);
	run();
	expect(call("GET", "a", NULL, NULL), 200, "[]");
	expect_error(call("POST", "a", NULL, "{}"), 405, "Method not allowed");
	expect_error(call("GET", "a", "5", NULL), 404, "Digital human not found");
	ck_assert_int_eq(asked("POST /api/projects/a/digital-humans"), 0);
	ck_assert_int_eq(ask(gateway.port, "GET", "/api/projects/a/scenarios", NULL, NULL)->status, 404);
	ck_assert_int_eq(asked("GET /api/projects/a/scenarios"), 1);
	stop();
}
END_TEST

START_TEST(a_create_whose_answer_is_lost_is_found_in_the_list)
{
	start(WITHOUT_WRITES WRITES "    fence: project\n" REST);
	human("stranger");
	up.lose_create = true;
	expect(call("POST", "a", NULL, "{\"name\":\"ann\"}"), 200,
	    HUMAN("102", "ann", ""));
	ck_assert_int_eq(up.count, 2);
	stop();
	run();
	expect(call("GET", "a", NULL, NULL), 200,
	    "[" HUMAN("102", "ann", "") "]");
	stop();
}
END_TEST

START_TEST(a_create_is_not_sent_again_while_one_of_its_name_is_there)
{
	start(WITHOUT_WRITES WRITES "    fence: project\n" REST);
	up.lose_create = up.alter = true;
	expect_error(call("POST", "a", NULL, "{\"name\":\"ann\",\"age\":41}"), 504,
	    "It is not known whether Bluejay created this digital human: it has one of this name with "
	    "another content. An equal one is not created until an operator decides (persona-gateway "
	    "intents)");
	ck_assert_int_eq(up.count, 1);
	stop();
}
END_TEST

#define NEXT_URL \
	"    list: {call: GET /v1/digital-humans, items: items, next: next}\n" \
	"    read: GET /v1/digital-human/{id}\n" \
	"    fence: none\n" REST

START_TEST(the_next_part_may_be_an_address_of_the_upstream_alone)
{
	char own[100], *log;
	int port = script_start(serve, NULL);

	for (int i = 0; i < 3; i++)
		human("h");
	declare(port, "", NEXT_URL);
	snprintf(own, sizeof own, "https://127.0.0.1:%d/v1/digital-humans?cursor=2", port);
	up.next = own;
	run();
	ck_assert_uint_eq(json_object_array_length(reply_json(call("GET", "a", NULL, NULL))), 3);
	up.next = "/v1/digital-humans?cursor=2";
	ck_assert_uint_eq(json_object_array_length(reply_json(call("GET", "a", NULL, NULL))), 3);
	ck_assert_int_eq(asked("GET /v1/digital-humans?cursor=2"), 2);
	stop();
	human("unseen");
	up.next = "http://elsewhere.example/v1/digital-humans?cursor=2";
	run();
	ck_assert_int_eq(call("GET", "b", NULL, NULL)->status, 200);
	up.next = "//elsewhere.example/v1/digital-humans?cursor=2";
	ck_assert_uint_eq(json_object_array_length(reply_json(call("GET", "b", NULL, NULL))), 2);
	up.next = "/v1/digital-humans";
	ck_assert_uint_eq(json_object_array_length(reply_json(call("GET", "b", NULL, NULL))), 2);
	stop();
	log = program_log(&gateway);
	ck_assert_ptr_nonnull(strstr(log, "its next part is not at the upstream"));
	ck_assert_ptr_nonnull(strstr(log, "a part leads to itself"));
	free(log);
	ck_assert_int_eq(asked("GET /v1/digital-humans?cursor=2"), 2);
}
END_TEST

START_TEST(names_are_unique_where_that_is_declared)
{
	start(WITHOUT_WRITES WRITES "    fence: project\n    capabilities: [unique_names, updated_at]\n"
	      REST);
	ck_assert_ptr_nonnull(reply_string(call("POST", "a", NULL, "{\"name\":\"ann\"}"), "updatedAt"));
	expect_error(call("POST", "a", NULL, "{\"name\":\"ann\",\"age\":1}"), 409,
	    "Digital human with name \"ann\" already exists");
	ck_assert_int_eq(call("POST", "b", NULL, "{\"name\":\"ann\"}")->status, 200);
	stop();
}
END_TEST

START_TEST(without_a_list_the_own_records_are_the_list)
{
	start("    read: GET /v1/digital-human/{id}\n" WRITES REST);
	human("stranger");
	call("POST", "a", NULL, "{\"name\":\"ann\"}");
	ck_assert_uint_eq(json_object_array_length(reply_json(call("GET", "a", NULL, NULL))), 1);
	expect(call("GET", "b", NULL, NULL), 200, "[]");
	ck_assert_int_eq(call("GET", "a", "101", NULL)->status, 404);
	up.lose_create = true;
	expect_error(call("POST", "a", NULL, "{\"name\":\"lost\"}"), 504,
	    "It is not known whether Bluejay created this digital human, and without a list the gateway "
	    "cannot look. An equal one is not created until an operator decides (persona-gateway intents)");
	free(shell("%s intents --admin http://127.0.0.1:%d adopt $(curl -s http://127.0.0.1:%d/intents | "
	           "sed 's/.*\"id\":\"\\([0-9a-f-]*\\)\".*/\\1/') 103", program_path(), gateway.admin_port,
	    gateway.admin_port));
	ck_assert_str_eq(reply_string(call("GET", "a", "103", NULL), "name"), "lost");
	stop();
}
END_TEST

START_TEST(they_are_described_checked_and_explained_like_the_others)
{
	struct json_object *document, *paths, *schemas;
	char *out;

	start(WITHOUT_WRITES WRITES "    fence: project\n" REST);
	document = reply_json(ask(gateway.admin_port, "GET", "/openapi.json", NULL, NULL));
	paths = json_object_object_get(document, "paths");
	ck_assert_str_eq(json_object_get_string(json_object_object_get(json_object_object_get(
	    json_object_object_get(paths, "/api/projects/{project}/digital-humans"), "post"),
	    "operationId")), "createDigitalHuman");
	ck_assert_str_eq(json_object_get_string(json_object_object_get(json_object_object_get(
	    json_object_object_get(paths, "/api/projects/{project}/digital-humans/{id}"), "delete"),
	    "summary")), "Delete a digital human");
	schemas = json_object_object_get(json_object_object_get(document, "components"), "schemas");
	ck_assert_ptr_nonnull(json_object_object_get(schemas, "DigitalHumanCreate"));
	human("h");
	call("GET", "a", NULL, NULL);
	out = ask(gateway.admin_port, "GET", "/drift", NULL, NULL)->body;
	ck_assert_ptr_nonnull(strstr(out, "{\"resource\":\"digital humans\",\"answers\":1,\"items\":1,"
	    "\"differences\":[{\"kind\":\"missing\",\"path\":\"traits\""));
	out = shell("%s check --live --config %s 2>&1", program_path(), file);
	ck_assert_ptr_nonnull(strstr(out, "  GET /v1/digital-humans?limit=2: 1 digital human, not as "));
	ck_assert_ptr_nonnull(strstr(out, "  GET /v1/digital-human/101: not as declared ("));
	free(out);
	out = shell("echo '{\"name\":\"ann\"}' | %s explain --config %s --project a --resource "
	            "digital-humans create", program_path(), file);
	ck_assert_ptr_nonnull(strstr(out, "/v1/create-digital-human\n"));
	ck_assert_ptr_nonnull(strstr(out, "{\"full_name\":\"ann\",\"traits\":{\"tone\":\"calm\"}}"));
	free(out);
	out = shell("echo '{\"human_id\":7,\"full_name\":\"ann\",\"more\":1}' | %s explain --config %s --json "
	            "--project a --resource digital-humans read", program_path(), file);
	ck_assert_ptr_nonnull(strstr(out, "{\"local\":\"id\",\"bluejay\":\"human_id\","));
	ck_assert_ptr_nonnull(strstr(out, "{\"local\":null,\"bluejay\":\"more\","));
	ck_assert_ptr_null(strstr(out, "{\"local\":null,\"bluejay\":\"human_id\","));
	free(out);
	stop();
}
END_TEST

START_TEST(a_project_says_what_differs_for_it)
{
	char *out;

	projects = "{a: {}, b: {mapping: {digital-humans: {fields: {age: {to: months, as: integer}}}}}}";
	start(WITHOUT_WRITES WRITES "    fence: project\n" REST);
	ck_assert_int_eq(call("POST", "a", NULL, "{\"name\":\"x\",\"age\":3}")->status, 200);
	ck_assert_int_eq(call("POST", "b", NULL, "{\"name\":\"y\",\"age\":36}")->status, 200);
	ck_assert_ptr_nonnull(strstr(call("GET", "b", NULL, NULL)->body, "\"age\":36"));
	stop();
	out = shell("echo '{\"name\":\"y\",\"age\":36}' | %s explain --config %s --project b --resource "
	            "digital-humans create", program_path(), file);
	ck_assert_ptr_nonnull(strstr(out, "{\"full_name\":\"y\",\"months\":36,"));
	free(out);
	projects = "{a: {}, b: {mapping: {digital-human: {fields: {age: null}}}}}";
	declare(1, "", WITHOUT_WRITES WRITES "    fence: project\n" REST);
	out = shell("%s check --config %s 2>&1", program_path(), file);
	ck_assert_ptr_nonnull(strstr(out, "unknown key \"digital-human\""));
	free(out);
}
END_TEST

START_TEST(the_sandbox_says_that_it_does_not_have_them)
{
	const char *const args[] = {"serve", "--config", file, "--sandbox", NULL};
	char *log;

	declare(1, "", WITHOUT_WRITES "    fence: none\n" REST);
	program_start(&gateway, args);
	expect_error(call("GET", "a", NULL, NULL), 502, "Bluejay does not list its digital humans");
	stop();
	log = program_log(&gateway);
	ck_assert_ptr_nonnull(strstr(log, "resources.yaml:13:3: warning: the sandbox has no digital humans, "
	    "so that requests for them fail with 502"));
	free(log);
}
END_TEST

/* Expects what the check says of a declaration, "F" for the file. */
static void
refused(const char *declaration, const char *want)
{
	char *out, *expected = malloc(8192), *to = expected;

	declare(1, "", declaration);
	out = shell("%s check --config %s 2>&1", program_path(), file);
	for (const char *p = want; *p != '\0'; p++) {
		if (*p == 'F' && (p == want || p[-1] == '\n'))
			to += sprintf(to, "%s", file);
		else
			*to++ = *p;
	}
	*to = '\0';
	ck_assert_str_eq(out, expected);
	free(expected);
	free(out);
}

START_TEST(mistakes_of_a_declaration_say_their_place)
{
	refused("    list: GET v1\n    reed: 5\n    update: PUT /v1/x\n    fence: agnt\n"
	        "    errors: {404: 404, 409: 500}\n    capabilities: [portraits]\n    create: GET /v1/x\n"
	        "    delete: DELETE /v1/x/{idd}\n    id: {member: x, as: text}\n",
	    "F:15:11: list needs a path such as GET /v1/things\n"
	    "F:16:5: unknown key \"reed\"; did you mean \"read\"?\n"
	    "F:17:13: update is about one thing, so its path needs {id}, as in PUT /v1/update-thing/{id}\n"
	    "F:18:12: unknown fence \"agnt\"; did you mean \"agent\"?\n"
	    "F:19:14: the status of Bluejay must be from 400 to 499 and none of 401, 403, 404, 408, 422, "
	    "425, 429, 499, which have a meaning of their own\n"
	    "F:19:29: write the status that callers get, from 400 to 499, such as 409: 409\n"
	    "F:20:20: unknown capability \"portraits\"; possible are unique_names, updated_at\n"
	    "F:21:13: create needs a method and a path, such as POST /v1/create-thing\n"
	    "F:22:13: unknown {idd} in the path; possible are {id}, {agent_id}, {project_id}\n"
	    "F:23:25: unknown form of an id \"text\"; possible are string, integer, uuid\n");
	refused("    list: GET /v1/x\n    create: POST /v1/x\n    fence: agent\n",
	    "F:13:3: \"digital-humans\" needs read, by which the gateway finds out what became of a write "
	    "whose answer got lost\n"
	    "F:13:3: \"digital-humans\" needs mapping, with its fields\n"
	    "F:13:3: \"digital-humans\" needs created, Bluejay's member with the time at which a thing was "
	    "made: what became of a create whose answer got lost is looked for in the list\n"
	    "F:17:12: fence: agent needs a list whose path has {agent_id}\n");
	refused("    read: GET /v1/x/{id}\n    fence: none\n    capabilities: [unique_names]\n"
	        "    mapping: {fields: {name: {to: name, as: strng}}}\n",
	    "F:13:3: unique_names needs name, the local field that holds it\n"
	    "F:16:12: without a fence \"digital-humans\" needs list, which says what there is\n");
	refused(WITHOUT_WRITES "    mapping: {fields: {name: {to: name, as: strng}}}\n",
	    "F:18:45: unknown type \"strng\"; did you mean \"string\"?\n");
	refused("    list: GET /v1/x\n    read: GET /v1/x/{id}\n    mapping: {fields: {}}\n"
	        "  personas: {list: GET /v1/x, read: \"GET /v1/x/{id}\", mapping: {}}\n"
	        "  a/b: {list: GET /v1/x, read: \"GET /v1/x/{id}\", mapping: {}}\n  five: 5\n",
	    "F:18:3: \"personas\" is built in; the section mapping says how its fields are mapped\n"
	    "F:19:3: the name of a resource stands in paths: it has 1 to 64 small letters, digits, - and _, "
	    "and begins with a letter or digit\n"
	    "F:20:9: a resource is a map with list, read, create and so on\n");
}
END_TEST

START_TEST(the_section_is_a_map)
{
	const char *list = scratch_file("list.yaml", "%s", "bluejay: {api_key: k}\nresources: [x]\n");
	char *out = shell("%s check --config %s 2>&1", program_path(), list);

	ck_assert_ptr_nonnull(strstr(out, "list.yaml:2:12: resources must be a map of the words that "
	                                  "stand for them in paths, such as digital-humans: "));
	free(out);
	out = shell("%s check --config %s 2>&1", program_path(),
	    scratch_file("none.yaml", "%s", "bluejay: {api_key: k}\nresources:\n"));
	ck_assert_str_eq(out, "ok\n");
	free(out);
}
END_TEST

/* Asks for the list until it has this status; fails when it never has. */
static void
becomes(int status)
{
	time_t until = time(NULL) + 15;

	while (call("GET", "a", NULL, NULL)->status != status)
		ck_assert_msg(time(NULL) < until, "never %d", status);
}

START_TEST(a_reload_takes_and_brings_them)
{
	int port = script_start(serve, NULL);

	declare(port, "", WITHOUT_WRITES "    fence: none\n" REST);
	run();
	human("h");
	ck_assert_int_eq(call("GET", "a", "101", NULL)->status, 200);
	declare(port, "", WITHOUT_WRITES "    fence: none\n" REST "  others:\n    read: GET /v1/x/{id}\n"
	                  "    fence: project\n    mapping: {fields: {n: n}}\n");
	kill(gateway.pid, SIGHUP);
	for (time_t until = time(NULL) + 15; ask(gateway.port, "GET", "/api/projects/a/others", NULL,
	     NULL)->status != 200;)
		ck_assert(time(NULL) < until);
	ck_assert_int_eq(call("GET", "a", "101", NULL)->status, 200);
	scratch_file("resources.yaml", "%s", "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\n"
	    "data_dir: data\nbluejay: {url: \"http://127.0.0.1:1\", api_key: k}\nprojects: {a: {}}\n");
	kill(gateway.pid, SIGHUP);
	becomes(404);
	stop();
}
END_TEST

START_TEST(the_example_of_the_document_is_good)
{
	char *out = shell("{ echo 'bluejay: {api_key: k}'; sed -n '/^```yaml$/,/^```$/p' %s/docs/resources.md | "
	                  "grep -v '^```'; } > %s/example.yaml; %s check --config %s/example.yaml 2>&1",
	    TEST_SRCDIR, scratch_dir(), program_path(), scratch_dir());

	ck_assert_str_eq(out, "ok\n");
	free(out);
}
END_TEST

/* Tests of declared resources. */
static Suite *
resources_suite(void)
{
	const TTest *const tests[] = {
	    behind_a_fence_a_project_has_what_it_made,
	    writes_go_by_the_declared_calls,
	    without_a_fence_every_project_has_all_of_all_parts,
	    ids_of_another_form_are_not_asked_for,
	    statuses_are_told_as_declared,
	    the_section_is_a_map,
	    methods_that_are_left_out_are_405,
	    the_local_tool_gets_none_of_their_requests,
	    a_create_whose_answer_is_lost_is_found_in_the_list,
	    a_create_is_not_sent_again_while_one_of_its_name_is_there,
	    the_next_part_may_be_an_address_of_the_upstream_alone,
	    names_are_unique_where_that_is_declared,
	    without_a_list_the_own_records_are_the_list,
	    they_are_described_checked_and_explained_like_the_others,
	    a_project_says_what_differs_for_it,
	    the_sandbox_says_that_it_does_not_have_them,
	    mistakes_of_a_declaration_say_their_place,
	    a_reload_takes_and_brings_them,
	    the_example_of_the_document_is_good,
	    NULL,
	};

	return unit_suite("resources", tests);
}

UNIT_MAIN(resources_suite)
