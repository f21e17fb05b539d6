#include "config.h"

#include "communities_test.h"
#include "script.h"
#include "stage.h"

#include "base/uuid.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * Who gets what, over a Bluejay that keeps communities, does as the test says, and takes
 * only calls that its published document allows.
 */
#define RACE_MAX 16

static struct {
	pthread_mutex_t lock;
	struct json_object *kept[RACE_MAX];
	int count;
	int creates, adds, updates, lists; /* calls so far */
	char wrong[256];                   /* the first call that is not allowed */
	enum script_act posts[RACE_MAX];   /* what becomes of the answer to each create */
	int nothing;                       /* so many next creates are not done */
	bool blind;                        /* listings show nothing */
	char *frozen;                      /* what listings show; NULL: what is there */
	int more;                          /* listings say that there are so many more */
	enum script_act puts;              /* what becomes of answers to changes */
} race = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct program race_gateway;
static const char *race_first_byte = "700ms", *race_grace = "500ms", *race_more = "";
static char race_config[256], race_data[256];

/* Notes a call that is not allowed. */
static void
race_wrong(const struct script_request *q, const char *why)
{
	if (race.wrong[0] == '\0')
		snprintf(race.wrong, sizeof race.wrong, "%s %s %.80s: %s", q->method, q->path, q->body, why);
}

/* Checks a body: known members of the right type, none of them null. */
static void
race_check(const struct script_request *q, struct json_object *body, const char *required)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(body, json_type_object)) {
		race_wrong(q, "no object");
		return;
	}
	if (required != NULL && !json_object_object_get_ex(body, required, &value))
		race_wrong(q, "a required member is missing");
	json_object_object_foreach(body, key, member) {
		bool numbers = strcmp(key, "digital_human_ids") == 0;

		if (strncmp(q->path, "/v1/add-to-community/", 21) == 0 && !numbers)
			race_wrong(q, "an unknown member");
		if (!numbers && strcmp(key, "title") != 0 && strcmp(key, "description") != 0)
			race_wrong(q, "an unknown member");
		if (!json_object_is_type(member, numbers ? json_type_array : json_type_string))
			race_wrong(q, "a member of the wrong type");
		for (size_t i = 0; numbers && i < json_object_array_length(member); i++)
			if (!json_object_is_type(json_object_array_get_idx(member, i), json_type_int))
				race_wrong(q, "a number of the wrong type");
	}
}

/* Finds the community of a path. */
static int
race_find(const struct script_request *q, const char *prefix)
{
	const char *id = q->path + strlen(prefix);

	if (!uuid_valid(id, strlen(id)))
		race_wrong(q, "no UUID");
	for (int i = 0; i < race.count; i++)
		if (race.kept[i] != NULL &&
		    strcmp(json_get_string(race.kept[i], "id"), id) == 0)
			return i;
	return -1;
}

/* Makes one; under the lock. */
static struct json_object *
race_make(struct json_object *body)
{
	struct json_object *o = json_object_new_object(), *value = NULL;
	char id[UUID_SIZE], when[64];
	time_t now = time(NULL);

	uuid_make(id);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	json_object_object_add(o, "id", json_object_new_string(id));
	json_object_object_add(o, "title", json_object_new_string(json_get_string(body, "title")));
	json_object_object_add(o, "created_at", json_object_new_string(when));
	if (json_object_object_get_ex(body, "digital_human_ids", &value))
		json_object_object_add(o, "digital_human_ids", json_object_get(value));
	else
		json_object_object_add(o, "digital_human_ids", json_object_new_array());
	race.kept[race.count++] = o;
	return o;
}

/* Lists all. */
static void
race_list(struct script_reply *out)
{
	size_t used = (size_t)snprintf(out->body, sizeof out->body, "{\"communities\":[");
	int shown = 0;

	race.lists++;
	if (race.frozen != NULL) {
		snprintf(out->body, sizeof out->body, "%s", race.frozen);
		return;
	}
	for (int i = 0; i < race.count && !race.blind; i++)
		if (race.kept[i] != NULL)
			used += (size_t)snprintf(out->body + used, sizeof out->body - used, "%s%s",
			    shown++ > 0 ? "," : "",
			    json_object_to_json_string_ext(race.kept[i], JSON_C_TO_STRING_PLAIN));
	snprintf(out->body + used, sizeof out->body - used, "],\"total_count\":%d}",
	    shown + race.more);
}

/* Changes one by a body. */
static void
race_change(int at, struct json_object *body, bool adds)
{
	struct json_object *list = NULL;

	json_object_object_foreach(body, key, value) {
		if (!adds) {
			json_object_object_add(race.kept[at], key, json_object_get(value));
			continue;
		}
		json_object_object_get_ex(race.kept[at], key, &list);
		for (size_t i = 0; i < json_object_array_length(value); i++)
			json_object_array_add(list, json_object_get(json_object_array_get_idx(value, i)));
	}
}

/* Shows one, or that there is none. */
static void
race_show(int at, struct script_reply *out)
{
	out->status = at < 0 ? 404 : 200;
	snprintf(out->body, sizeof out->body, "%s",
	    at < 0 ? "{\"detail\":\"Community not found\"}"
	           : json_object_to_json_string_ext(race.kept[at], JSON_C_TO_STRING_PLAIN));
}

/* Does a create. */
static void
race_create(const struct script_request *q, struct json_object *body, struct script_reply *out)
{
	race_check(q, body, "title");
	out->act = race.posts[race.creates++];
	if (race.nothing > 0) {
		race.nothing--;
		return;
	}
	snprintf(out->body, sizeof out->body, "%s",
	    json_object_to_json_string_ext(race_make(body), JSON_C_TO_STRING_PLAIN));
}

/* Does a change. */
static void
race_put(const struct script_request *q, struct json_object *body, struct script_reply *out)
{
	bool adds = strncmp(q->path, "/v1/add-", 8) == 0;
	int at = race_find(q, adds ? "/v1/add-to-community/" : "/v1/update-community/");

	race_check(q, body, adds ? "digital_human_ids" : NULL);
	*(adds ? &race.adds : &race.updates) += 1;
	if (at >= 0)
		race_change(at, body, adds);
	race_show(at, out);
	out->act = race.puts;
}

/* Does what it is asked. */
static void
race_answer(void *arg, const struct script_request *q, struct script_reply *out)
{
	struct json_object *body = NULL;
	int at;

	pthread_mutex_lock(&race.lock);
	out->status = 200;
	json_read(q->body, strlen(q->body), &body, NULL);
	if (strcmp(q->method, "POST") == 0 && strcmp(q->path, "/v1/create-community") == 0) {
		race_create(q, body, out);
	} else if (strcmp(q->method, "PUT") == 0) {
		race_put(q, body, out);
	} else if (strcmp(q->method, "GET") == 0 && strcmp(q->path, "/v1/communities") == 0) {
		race_list(out);
	} else if (strncmp(q->path, "/v1/community/", 14) == 0 && q->body[0] == '\0') {
		at = race_find(q, "/v1/community/");
		race_show(at, out);
		if (at >= 0 && strcmp(q->method, "DELETE") == 0) {
			json_object_put(race.kept[at]);
			race.kept[at] = NULL;
		}
	} else {
		race_wrong(q, "no such call");
	}
	json_object_put(body);
	pthread_mutex_unlock(&race.lock);
}

/* Starts the gateway. */
static void
race_start_gateway(void)
{
	const char *const args[] = {"serve", "--config", race_config, "--data-dir", race_data,
	    "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};

	program_start(&race_gateway, args);
}

/* Starts both. */
static void
race_open(void)
{
	snprintf(race_config, sizeof race_config, "%s",
	    scratch_file("race.yaml",
	        "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: k\n"
	        "  timeouts: {connect: 1s, first_byte: %s, total: 10s}\n  retries: 1\n"
	        "  settle: {grace: %s}\n  cache: {fresh: 0s}\nprojects:\n  a: {}\n  b: {}\n%s",
	        script_start(race_answer, NULL), race_first_byte, race_grace, race_more));
	snprintf(race_data, sizeof race_data, "%.200s/race", scratch_dir());
	race_start_gateway();
}

/* Ends the gateway; every call must have been allowed. */
static void
race_close(void)
{
	ck_assert_int_eq(program_stop(&race_gateway), 0);
	ck_assert_str_eq(race.wrong, "");
}

#define A "/api/projects/a/communities"
#define B "/api/projects/b/communities"

/* Sends without waiting. */
static int
race_send(const char *path, const char *body)
{
	char bytes[1024];
	int fd = raw_connect(race_gateway.port);
	int n = snprintf(bytes, sizeof bytes, "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", path, strlen(body), body);

	raw_send(fd, bytes, (size_t)n);
	return fd;
}

/* The id in the answer to a create; the caller frees. */
static char *
race_made(struct reply *r)
{
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	return strdup(reply_string(r, "id"));
}

/* Asks the gateway. */
static struct reply *
race_call(const char *method, const char *path, const char *body)
{
	return ask(race_gateway.port, method, path, NULL, body);
}

/* Reads a number of the script's. */
static int
race_number(const int *number)
{
	int n;

	pthread_mutex_lock(&race.lock);
	n = *number;
	pthread_mutex_unlock(&race.lock);
	return n;
}

START_TEST(only_allowed_calls_are_made)
{
	char *id, *path;

	race_open();
	id = race_made(race_call("POST", A, "{\"title\":\"T\",\"description\":null,\"x\":1}"));
	path = strdup(below(A, id));
	free(race_made(race_call("POST", A, "{\"title\":\"T\",\"digitalHumanIds\":[],\"description\":\"\"}")));
	ck_assert_int_eq(race_call("PUT", path, "{\"title\":\"U\",\"digitalHumanIds\":null,\"id\":\"x\"}")->status,
	    200);
	ck_assert_int_eq(race_call("PUT", path, "{\"description\":\"\",\"createdAt\":1}")->status, 200);
	ck_assert_int_eq(race_call("PUT", below(path, "digital-humans"),
	    "{\"digitalHumanIds\":[1],\"title\":\"x\",\"description\":null}")->status, 200);
	race_call("GET", A, NULL);
	race_call("GET", path, NULL);
	race_call("GET", below(A, "%2e%2e%2fping"), NULL);
	race_call("DELETE", below(A, "no-uuid"), NULL);
	ck_assert_int_eq(race_call("DELETE", path, NULL)->status, 204);
	ck_assert_int_eq(race.adds, 1);
	ck_assert_int_eq(race.updates, 2);
	free(id);
	free(path);
	race_close();
}
END_TEST

START_TEST(what_another_project_made_is_not_taken)
{
	char *b, *a;
	int fd;

	race_open();
	race.posts[1] = SCRIPT_RESET;
	race.nothing = 0;
	b = race_made(race_call("POST", B, "{\"title\":\"T\"}"));
	race.nothing = 1; /* the create of A does not arrive: only B's equal one is there */
	fd = race_send(A, "{\"title\":\"T\"}");
	a = race_made(ask_end(fd)); /* proven absent, and sent again */
	ck_assert_str_ne(a, b);
	ck_assert_int_eq(race.creates, 3);
	ck_assert_int_eq(race.count, 2);
	ck_assert_ptr_null(strstr(race_call("GET", A, NULL)->body, b));
	ck_assert_ptr_null(strstr(race_call("GET", B, NULL)->body, a));
	free(a);
	free(b);
	race_close();
}
END_TEST

START_TEST(what_was_there_before_is_not_taken)
{
	struct json_object *old = json_tokener_parse("{\"id\":\"11111111-2222-4333-8444-555555555555\","
	    "\"title\":\"T\",\"created_at\":\"2020-01-01T00:00:00Z\",\"digital_human_ids\":[]}");
	char *a;

	race_open();
	race.kept[race.count++] = old;
	race.posts[0] = SCRIPT_RESET;
	race.nothing = 1;
	a = race_made(race_call("POST", A, "{\"title\":\"T\"}"));
	ck_assert_str_ne(a, json_get_string(old, "id"));
	ck_assert_int_eq(race.creates, 2);
	free(a);
	race_close();
}
END_TEST

START_TEST(equal_creates_of_two_projects_get_one_each)
{
	char *a, *b;
	int one, two;

	race_open();
	race.posts[0] = race.posts[1] = _i == 0 ? SCRIPT_RESET : SCRIPT_HANG;
	race.blind = true;
	one = race_send(A, "{\"title\":\"T\"}");
	two = race_send(_i == 2 ? A : B, "{\"title\":\"T\"}");
	EVENTUALLY(race_number(&race.creates) == 2);
	race.blind = false;
	a = race_made(ask_end(one));
	b = race_made(ask_end(two));
	ck_assert_str_ne(a, b);
	ck_assert_int_eq(race.creates, 2);
	ck_assert_int_eq(race_call("GET", below(A, a), NULL)->status, 200);
	ck_assert_int_eq(race_call("GET", below(_i == 2 ? A : B, b), NULL)->status, 200);
	free(a);
	free(b);
	race_close();
}
END_TEST

START_TEST(what_may_be_anothers_is_waited_for)
{
	char *a, *b;
	int one, two, looks;

	/* Both are done. While the answer to the first is on its way, the second looks, and
	 * what it sees may belong to the first: it waits, beyond the grace time. */
	race_first_byte = "5s";
	race_open();
	race.posts[0] = SCRIPT_HOLD;
	race.posts[1] = SCRIPT_RESET;
	one = race_send(A, "{\"title\":\"T\"}");
	EVENTUALLY(race_number(&race.creates) == 1);
	two = race_send(_i == 0 ? A : B, "{\"title\":\"T\"}");
	EVENTUALLY(race_number(&race.creates) == 2);
	looks = race_number(&race.lists) + 9;
	EVENTUALLY(race_number(&race.lists) >= looks);
	script_release();
	a = race_made(ask_end(one));
	ck_assert_str_eq(a, json_get_string(race.kept[0], "id"));
	b = race_made(ask_end(two));
	ck_assert_str_ne(a, b);
	ck_assert_int_eq(race.creates, 2);
	free(a);
	free(b);
	race_close();
}
END_TEST

START_TEST(a_listing_that_is_not_whole_proves_nothing)
{
	char *a;
	int fd, looks;

	race_open();
	race.posts[0] = SCRIPT_RESET;
	race.blind = true;
	race.more = 1;
	fd = race_send(A, "{\"title\":\"T\"}");
	EVENTUALLY(race_number(&race.creates) == 1);
	looks = race_number(&race.lists) + 6;
	EVENTUALLY(race_number(&race.lists) >= looks);
	ck_assert_int_eq(race_number(&race.creates), 1);
	race.blind = false;
	a = race_made(ask_end(fd));
	ck_assert_int_eq(race.creates, 1);
	ck_assert_str_eq(a, json_get_string(race.kept[0], "id"));
	free(a);
	race_close();
}
END_TEST

START_TEST(an_addition_is_settled_by_what_it_holds)
{
	char *id, *path, *log;

	race_open();
	id = race_made(race_call("POST", A, "{\"title\":\"T\",\"digitalHumanIds\":[9]}"));
	path = strdup(below(A, id));
	race.puts = SCRIPT_RESET;
	ck_assert_int_eq(race_call("PUT", below(path, "digital-humans"),
	    "{\"digitalHumanIds\":[2,1,2]}")->status, 502);
	race.puts = SCRIPT_ANSWER;
	EVENTUALLY(strcmp(ask(race_gateway.admin_port, "GET", "/intents", NULL, NULL)->body, "[]") == 0);
	ck_assert_ptr_nonnull(strstr(race_call("GET", path, NULL)->body, "[9,2,1,2]"));
	ck_assert_int_eq(race.adds, 1);
	log = program_log(&race_gateway);
	ck_assert_ptr_null(strstr(log, "did not happen"));
	free(log);
	free(id);
	free(path);
	race_close();
}
END_TEST

START_TEST(what_another_project_changed_is_not_undone_by_an_old_listing)
{
	struct script_reply old;
	char *id, *path;

	race_grace = "20s"; /* a listing may lag for so long */
	race_more = "communities: {scope: organisation}\n";
	race_open();
	id = race_made(race_call("POST", A, "{\"title\":\"T\"}"));
	path = strdup(below(B, id));
	ck_assert_ptr_nonnull(strstr(race_call("GET", B, NULL)->body, "\"T\""));
	pthread_mutex_lock(&race.lock);
	race_list(&old);
	race.frozen = old.body;
	pthread_mutex_unlock(&race.lock);
	ck_assert_int_eq(race_call("PUT", below(A, id), "{\"title\":\"U\"}")->status, 200);
	ck_assert_ptr_nonnull(strstr(race_call("GET", A, NULL)->body, "\"U\""));
	ck_assert_ptr_nonnull(strstr(race_call("GET", B, NULL)->body, "\"U\""));
	ck_assert_ptr_nonnull(strstr(race_call("GET", path, NULL)->body, "\"U\""));
	ck_assert_int_eq(race_call("DELETE", path, NULL)->status, 204);
	ck_assert_str_eq(race_call("GET", A, NULL)->body, "[]");
	ck_assert_str_eq(race_call("GET", B, NULL)->body, "[]");
	expect_error(race_call("GET", below(A, id), NULL), 404, "Community not found");
	free(id);
	free(path);
	race_close();
}
END_TEST

START_TEST(numbers_are_a_set)
{
	struct json_object *list;
	char *id;
	int fd;

	/* Bluejay keeps the numbers in an order of its own, each once. */
	race_open();
	race.posts[0] = SCRIPT_RESET;
	race.blind = true;
	fd = race_send(A, "{\"title\":\"T\",\"digitalHumanIds\":[3,1,3,2]}");
	EVENTUALLY(race_number(&race.creates) == 1);
	pthread_mutex_lock(&race.lock);
	list = json_object_new_array();
	for (int i = 1; i <= 3; i++)
		json_object_array_add(list, json_object_new_int(i));
	json_object_object_add(race.kept[0], "digital_human_ids", list);
	race.blind = false;
	pthread_mutex_unlock(&race.lock);
	id = race_made(ask_end(fd));
	ck_assert_int_eq(race.creates, 1);
	ck_assert_ptr_nonnull(strstr(race_call("GET", below(A, id), NULL)->body, "[1,2,3]"));
	free(id);
	race_close();
}
END_TEST

/* The suite. */
Suite *
communities_race_suite(void)
{
	Suite *suite = suite_create("communities: races");
	TCase *tcase = tcase_create("races");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, only_allowed_calls_are_made);
	tcase_add_test(tcase, what_another_project_made_is_not_taken);
	tcase_add_test(tcase, what_was_there_before_is_not_taken);
	tcase_add_loop_test(tcase, equal_creates_of_two_projects_get_one_each, 0, 3);
	tcase_add_loop_test(tcase, what_may_be_anothers_is_waited_for, 0, 2);
	tcase_add_test(tcase, a_listing_that_is_not_whole_proves_nothing);
	tcase_add_test(tcase, an_addition_is_settled_by_what_it_holds);
	tcase_add_test(tcase, what_another_project_changed_is_not_undone_by_an_old_listing);
	tcase_add_test(tcase, numbers_are_a_set);
	suite_add_tcase(suite, tcase);
	return suite;
}
