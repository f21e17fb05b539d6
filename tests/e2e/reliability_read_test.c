#include "config.h"

#include "reliability_test.h"
#include "script.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_GET "/v1/customer-persona/{persona_id}"
#define READ_LIST "/v1/customer-personas-by-agent/{agent_id}"
#define NO_CACHE "Cache-Control: no-cache\r\n"

/* How many personas a list has. */
static int
listed(const struct reply *r)
{
	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	return (int)json_object_array_length(reply_json(r));
}

START_TEST(reads_are_answered_from_the_last_copy)
{
	struct reply *r;
	char *id;

	stage_open(NULL, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	ck_assert_int_eq(listed(call("GET", STAGE_DEMO, NULL)), 1);
	stage_faults("{\"profile\":\"errors-before\",\"percent\":100}");
	r = call("GET", below(STAGE_DEMO, id), NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_field(r, "x-cache"), "stale");
	ck_assert_int_ge(atoi(reply_field(r, "age")), 0);
	ck_assert_str_eq(reply_string(r, "name"), "ann");
	r = call("GET", STAGE_DEMO, NULL);
	ck_assert_int_eq(listed(r), 1);
	ck_assert_str_eq(reply_field(r, "x-cache"), "stale");
	ck_assert_int_eq(call_with("GET", below(STAGE_DEMO, id), NO_CACHE, NULL)->status / 100, 5);
	ck_assert_int_eq(call_with("GET", STAGE_DEMO, NO_CACHE, NULL)->status / 100, 5);
	stage_kill_gateway();
	stage_start_gateway();
	ck_assert_str_eq(reply_field(call("GET", below(STAGE_DEMO, id), NULL), "x-cache"), "stale");
	ck_assert_str_eq(reply_field(call("GET", STAGE_DEMO, NULL), "x-cache"), "stale");
	free(id);
	stage_close();
}
END_TEST

START_TEST(the_breaker_gives_bluejay_time)
{
	struct reply *r;
	char *id;
	int before;

	stage_open(NULL, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	stage_faults("{\"profile\":\"reset-before\",\"percent\":100}");
	EVENTUALLY(call_with("GET", below(STAGE_DEMO, id), NO_CACHE, NULL)->status == 503);
	before = stage_received("GET", READ_GET) + stage_received("POST", "/v1/create-customer-persona");
	r = call("POST", STAGE_DEMO, "{\"name\":\"bob\"}");
	expect_error(r, 503, NULL);
	ck_assert_int_ge(atoi(reply_field(r, "retry-after")), 1);
	ck_assert_int_eq(before,
	    stage_received("GET", READ_GET) + stage_received("POST", "/v1/create-customer-persona"));
	r = ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL);
	ck_assert_int_eq(r->status, 503);
	stage_no_faults();
	EVENTUALLY(call("POST", STAGE_DEMO, "{\"name\":\"bob\"}")->status == 201);
	ck_assert_int_eq(stage_has("bob", NULL), 1);
	free(id);
	stage_close();
}
END_TEST

START_TEST(tags_save_bodies)
{
	char *id, fields[128], old[64];
	struct reply *r;

	stage_open(NULL, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	for (int list = 0; list < 2; list++) {
		const char *path = list ? STAGE_DEMO : below(STAGE_DEMO, id);

		r = call("GET", path, NULL);
		ck_assert_str_eq(reply_field(r, "cache-control"), "private, no-cache");
		snprintf(old, sizeof old, "%s", reply_field(r, "etag"));
		snprintf(fields, sizeof fields, "If-None-Match: \"x\", %s\r\n", old);
		r = call_with("GET", path, fields, NULL);
		ck_assert_int_eq(r->status, 304);
		ck_assert_uint_eq(r->len, 0);
		ck_assert_str_eq(reply_field(r, "etag"), old);
		ck_assert_int_eq(call("PUT", below(STAGE_DEMO, id), "{\"systemPrompt\":\"x\"}")->status, 200);
		r = call_with("GET", path, fields, NULL);
		ck_assert_int_eq(r->status, 200);
		ck_assert_str_ne(reply_field(r, "etag"), old);
	}
	free(id);
	stage_close();
}
END_TEST

START_TEST(equal_reads_share_a_call)
{
	int fds[5], gets, lists;
	char *id;

	stage_open(NULL, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	ck_assert_int_eq(listed(call("GET", STAGE_DEMO, NULL)), 1);
	gets = stage_received("GET", READ_GET);
	lists = stage_received("GET", READ_LIST);
	stage_faults("{\"profile\":\"latency\",\"delay_ms\":300}");
	for (int list = 0; list < 2; list++) {
		for (int i = 0; i < 5; i++)
			fds[i] = call_start("GET", list ? STAGE_DEMO : below(STAGE_DEMO, id), NULL, NULL);
		for (int i = 0; i < 5; i++)
			ck_assert_int_eq(ask_end(fds[i])->status, 200);
	}
	ck_assert_int_eq(stage_received("GET", READ_GET), gets + 1);
	ck_assert_int_eq(stage_received("GET", READ_LIST), lists + 1);
	free(id);
	stage_close();
}
END_TEST

START_TEST(fresh_copies_need_no_call)
{
	int gets, lists;
	char *id;

	stage_open("  cache: {fresh: 1m}\n", NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	ck_assert_int_eq(listed(call("GET", STAGE_DEMO, NULL)), 1);
	gets = stage_received("GET", READ_GET);
	lists = stage_received("GET", READ_LIST);
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(reply_field(call("GET", below(STAGE_DEMO, id), NULL), "x-cache"), "hit");
		ck_assert_str_eq(reply_field(call("GET", STAGE_DEMO, NULL), "x-cache"), "hit");
	}
	ck_assert_int_eq(stage_received("GET", READ_GET), gets);
	ck_assert_int_eq(stage_received("GET", READ_LIST), lists);
	ck_assert_str_eq(reply_field(call_with("GET", below(STAGE_DEMO, id), NO_CACHE, NULL), "x-cache"), "miss");
	ck_assert_int_eq(stage_received("GET", READ_GET), gets + 1);
	free(id);
	stage_close();
}
END_TEST

START_TEST(writes_are_visible_at_once)
{
	static const char *const profiles[] = {"none", "lagging-lists"};
	char *one, *two, json[64];
	struct reply *r;

	stage_open(_i / 2 == 0 ? "  cache: {fresh: 0s}\n" : "  cache: {fresh: 1m}\n", NULL);
	snprintf(json, sizeof json, "{\"profile\":\"%s\"}", profiles[_i % 2]);
	stage_faults(json);
	for (int round = 0; round < 3; round++) {
		one = create(STAGE_DEMO, "{\"name\":\"one\"}");
		ck_assert_int_eq(listed(call("GET", STAGE_DEMO, NULL)), 1);
		two = create(STAGE_DEMO, "{\"name\":\"two\"}");
		ck_assert_int_eq(listed(call("GET", STAGE_DEMO, NULL)), 2);
		ck_assert_int_eq(call("PUT", below(STAGE_DEMO, one), "{\"name\":\"uno\"}")->status, 200);
		r = call("GET", STAGE_DEMO, NULL);
		ck_assert_ptr_nonnull(strstr(r->body, "\"uno\""));
		ck_assert_ptr_null(strstr(r->body, "\"one\""));
		ck_assert_str_eq(reply_string(call("GET", below(STAGE_DEMO, one), NULL), "name"), "uno");
		ck_assert_int_eq(call("DELETE", below(STAGE_DEMO, one), NULL)->status, 204);
		r = call("GET", STAGE_DEMO, NULL);
		ck_assert_int_eq(listed(r), 1);
		ck_assert_ptr_null(strstr(r->body, one));
		expect_error(call("GET", below(STAGE_DEMO, one), NULL), 404, NULL);
		ck_assert_int_eq(listed(call_with("GET", STAGE_DEMO, NO_CACHE, NULL)), 1);
		ck_assert_int_eq(call("DELETE", below(STAGE_DEMO, two), NULL)->status, 204);
		ck_assert_int_eq(listed(call_with("GET", STAGE_DEMO, NO_CACHE, NULL)), 0);
		free(one);
		free(two);
	}
	stage_close();
}
END_TEST

START_TEST(a_read_that_nobody_waits_for_is_ended)
{
	int fd, processed, received;
	char *id;

	stage_open(NULL, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"ann\"}");
	processed = stage_processed("GET", READ_GET);
	received = stage_received("GET", READ_GET);
	/* The sandbox does not process what is left while it waits. */
	stage_faults("{\"profile\":\"latency\",\"method\":\"GET\",\"delay_ms\":400}");
	fd = call_start("GET", below(STAGE_DEMO, id), NULL, NULL);
	EVENTUALLY(stage_received("GET", READ_GET) == received + 1);
	close(fd);
	ck_assert_int_eq(call("PUT", below(STAGE_DEMO, id), "{\"name\":\"bob\"}")->status, 200);
	ck_assert_int_eq(call("GET", below(STAGE_DEMO, id), NULL)->status, 200); /* later than the first */
	ck_assert_int_eq(stage_processed("GET", READ_GET), processed + 1);
	free(id);
	stage_close();
}
END_TEST

/* An upstream whose agent is listed at once and empty, and whose personas hang. */
static void
hanging_upstream(void *arg, const struct script_request *q, struct script_reply *out)
{
	static int made;

	out->act = SCRIPT_ANSWER;
	out->status = 200;
	if (strcmp(q->method, "POST") == 0)
		snprintf(out->body, sizeof out->body,
		    "{\"id\":\"11111111-2222-4333-8444-%012d\",\"name\":\"p%d\",\"description\":\"\",\"goal\":\"\","
		    "\"created_at\":\"2026-01-01T00:00:00Z\"}", made, made + 1), made++;
	else if (strstr(q->path, "by-agent") != NULL)
		snprintf(out->body, sizeof out->body, "[]");
	else
		out->act = SCRIPT_HANG;
}

START_TEST(no_read_waits_longer_than_its_time)
{
	const char *path = scratch_file("gateway.yaml",
	    "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: k\n  retries: 1\n"
	    "  timeouts: {connect: 600ms, first_byte: 600ms, total: 600ms}\n  cache: {fresh: 0s}\n"
	    "projects:\n  demo: {agent_id: 7}\n", script_start(hanging_upstream, NULL));
	const char *const args[] = {"serve", "--config", path, "--data-dir", scratch_dir(), "--listen",
	    "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};
	char body[32];
	int64_t started;

	program_start(&stage_gateway, args);
	for (int i = 1; i <= 30; i++) { /* more than are asked for at a time */
		snprintf(body, sizeof body, "{\"name\":\"p%d\"}", i);
		free(create(STAGE_DEMO, body));
	}
	started = harness_now();
	ck_assert_int_eq(listed(call("GET", STAGE_DEMO, NULL)), 30);
	ck_assert_int_lt(harness_now() - started, 2500);
	started = harness_now();
	ck_assert_int_ne(call_with("GET", STAGE_DEMO, NO_CACHE, NULL)->status, 0);
	ck_assert_int_lt(harness_now() - started, 2500);
	started = harness_now();
	expect_error(call("PUT", below(STAGE_DEMO, "11111111-2222-4333-8444-000000000000"),
	                 "{\"headers\":{\"A\":\"1\"}}"), 504, NULL);
	ck_assert_int_lt(harness_now() - started, 2500);
	program_kill(&stage_gateway);
}
END_TEST

#define STEADY_ANN "11111111-2222-4333-8444-000000000001"
#define STEADY_BOB "11111111-2222-4333-8444-000000000002"

/* What the upstream of the next test answers, always in the same words. */
struct steady {
	char ann[300], bob[300];
	int lists, reads;
};

/* Says what a persona is. */
static void
steady_set(char out[300], const char *id, const char *name, const char *goal)
{
	snprintf(out, 300, "{ \"id\": \"%s\", \"name\": \"%s\", \"description\": \"\", \"goal\": \"%s\", "
	    "\"created_at\": \"2026-01-01T00:00:00Z\", \"org_id\": \"o\" }", id, name, goal);
}

/* An upstream that takes updates and deletes, and whose reads and lists never tell of them. */
static void
steady_upstream(void *arg, const struct script_request *q, struct script_reply *out)
{
	struct steady *s = arg;

	out->act = SCRIPT_ANSWER;
	out->status = 200;
	if (strstr(q->path, "by-agent") != NULL) {
		s->lists++;
		snprintf(out->body, sizeof out->body, "[%s%s%s]", s->ann, s->bob[0] != '\0' ? ", " : "", s->bob);
	} else if (strcmp(q->method, "GET") == 0) {
		s->reads++;
		snprintf(out->body, sizeof out->body, "%s", s->ann);
	} else {
		snprintf(out->body, sizeof out->body, "%s", s->ann);
	}
}

/* Whether the list, and a read of Ann, hold a text; each asked for three times. */
static void
steady_expect(struct steady *s, const char *text, int count)
{
	for (int i = 0; i < 3; i++) {
		struct reply *r;
		int lists = s->lists, reads = s->reads;

		r = call("GET", STAGE_DEMO, NULL);
		ck_assert_int_eq(listed(r), count);
		ck_assert_msg(strstr(r->body, text) != NULL, "%s in %s", text, r->body);
		r = call("GET", below(STAGE_DEMO, STEADY_ANN), NULL);
		ck_assert_msg(strstr(r->body, text) != NULL, "%s in %s", text, r->body);
		ck_assert_int_eq(s->lists, lists + 1);
		ck_assert_int_eq(s->reads, reads + 1);
	}
}

START_TEST(what_comes_again_in_the_same_words_does_not_hide_what_changed_here)
{
	static struct steady s;
	const char *path = scratch_file("gateway.yaml",
	    "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: k\n  cache: {fresh: 0s}\n"
	    "projects:\n  demo: {agent_id: 7}\n", script_start(steady_upstream, &s));
	const char *const args[] = {"serve", "--config", path, "--data-dir", scratch_dir(), "--listen",
	    "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};

	steady_set(s.ann, STEADY_ANN, "ann", "first");
	program_start(&stage_gateway, args);
	steady_expect(&s, "\"systemPrompt\":\"first\"", 1);
	/* what only the gateway knows */
	ck_assert_int_eq(call("PUT", below(STAGE_DEMO, STEADY_ANN), "{\"imageUrl\":\"/i\"}")->status, 200);
	steady_expect(&s, "\"imageUrl\":\"/i\"", 1);
	/* what another one changes in the upstream */
	steady_set(s.ann, STEADY_ANN, "ann", "second");
	steady_expect(&s, "\"systemPrompt\":\"second\"", 1);
	steady_set(s.bob, STEADY_BOB, "bob", "");
	steady_expect(&s, "\"systemPrompt\":\"second\"", 2);
	/* a listing that still shows what was deleted */
	ck_assert_int_eq(call("DELETE", below(STAGE_DEMO, STEADY_BOB), NULL)->status, 204);
	steady_expect(&s, "\"imageUrl\":\"/i\"", 1);
	s.bob[0] = '\0';
	steady_expect(&s, "\"systemPrompt\":\"second\"", 1);
	program_kill(&stage_gateway);
}
END_TEST

#define CHANGING_ITEMS 12
#define CHANGING_STEPS 120

/* The next of some numbers that always are the same. */
static unsigned
changing_any(unsigned below_this)
{
	static unsigned seed = 20261126;

	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % below_this;
}

/* Something happens to one of the personas: most often someone edits it in Bluejay. */
static void
changing_step(char **ids, unsigned step)
{
	static const char *const texts[] = {"plain", "a \\\"quoted\\\" one", "two\\nlines", "caf\xC3\xA9", "",
	    "\\u0001"};
	unsigned i = changing_any(CHANGING_ITEMS);
	char body[256];

	switch (changing_any(10)) {
	case 0:
		ck_assert_int_eq(stage_bluejay("DELETE", below("/v1/customer-persona", ids[i]), NULL)->status, 200);
		free(ids[i]);
		snprintf(body, sizeof body, "made %u", step);
		ids[i] = stage_make(STAGE_AGENT, body, "there");
		break;
	case 1:
		snprintf(body, sizeof body, "{\"imageUrl\":\"/%u\"}", step);
		ck_assert_int_eq(call("PUT", below(STAGE_DEMO, ids[i]), body)->status, 200);
		break;
	case 2:
		snprintf(body, sizeof body, "{\"systemPrompt\":\"here %u\"}", step);
		ck_assert_int_eq(call("PUT", below(STAGE_DEMO, ids[i]), body)->status, 200);
		break;
	case 3:
		ck_assert_int_eq(call_with("GET", below(STAGE_DEMO, ids[i]), NO_CACHE, NULL)->status, 200);
		break;
	default:
		snprintf(body, sizeof body, "{\"description\":\"%s\",\"goal\":\"there %u\"}",
		    texts[changing_any(6)], changing_any(3));
		ck_assert_int_eq(stage_bluejay("PUT", below("/v1/update-customer-persona", ids[i]), body)->status, 200);
	}
}

/* Whatever is taken from what was known before, a list is what one that is compared with
 * the store is. */
START_TEST(lists_that_change_are_those_that_are_made_anew)
{
	char *ids[CHANGING_ITEMS], body[64], *list, etag[64];
	struct reply *r;

	stage_open("  cache: {fresh: 0s}\n", NULL);
	for (int i = 0; i < CHANGING_ITEMS; i++) {
		snprintf(body, sizeof body, i % 2 == 0 ? "{\"name\":\"p%d\"}" : "p%d", i);
		ids[i] = i % 2 == 0 ? create(STAGE_DEMO, body) : stage_make(STAGE_AGENT, body, "d");
	}
	for (unsigned step = 0; step < CHANGING_STEPS; step++) {
		for (unsigned n = changing_any(3); n > 0; n--)
			changing_step(ids, step);
		r = call("GET", STAGE_DEMO, NULL);
		ck_assert_int_eq(listed(r), CHANGING_ITEMS);
		if (changing_any(3) == 0) /* what follows is made from what was changed here */
			continue;
		list = strdup(r->body);
		snprintf(etag, sizeof etag, "%s", reply_field(r, "etag"));
		r = call_with("GET", STAGE_DEMO, NO_CACHE, NULL);
		ck_assert_msg(strcmp(r->body, list) == 0, "step %u", step);
		ck_assert_str_eq(reply_field(r, "etag"), etag);
		free(list);
	}
	for (int i = 0; i < CHANGING_ITEMS; i++)
		free(ids[i]);
	stage_close();
}
END_TEST

START_TEST(a_key_that_bluejay_refuses_is_told_nowhere)
{
	static const char secret[] = "wrong-key-8d1f0c52";
	const char *const sandbox[] = {"sandbox", NULL};
	const char *path;
	const char *args[] = {"serve", "--config", NULL, "--data-dir", scratch_dir(), "--listen",
	    "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};
	struct reply *r;
	char *log;

	program_start(&stage_sandbox, sandbox);
	path = scratch_file("gateway.yaml",
	    "bluejay:\n  url: %s\n  api_key: %s\nlog: {level: debug}\n"
	    "projects:\n  demo: {agent_id: 7}\n  plain: {}\n", stage_sandbox.url[0], secret);
	args[2] = path;
	program_start(&stage_gateway, args);
	for (int i = 0; i < 2; i++) {
		r = call("POST", i == 0 ? STAGE_DEMO : STAGE_PLAIN, "{\"name\":\"ann\"}");
		expect_error(r, 502, "Bluejay refused the gateway's API key");
		ck_assert_ptr_null(strstr(r->head, secret));
	}
	expect_error(call("GET", STAGE_DEMO, NULL), 502, "Bluejay refused the gateway's API key");
	r = ask(stage_gateway.admin_port, "GET", "/readyz", NULL, NULL);
	ck_assert_int_eq(r->status, 503);
	ck_assert_ptr_nonnull(strstr(r->body, "\"key\":{\"ok\":false"));
	ck_assert_int_eq(stage_unsettled(), 0);
	stage_close();
	log = program_log(&stage_gateway);
	ck_assert_ptr_nonnull(strstr(log, "refuses the API key"));
	ck_assert_ptr_null(strstr(log, secret));
	free(log);
}
END_TEST

/* The suite. */
Suite *
reliability_read_suite(void)
{
	Suite *suite = suite_create("reliability: reads");
	TCase *tcase = tcase_create("reads");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, reads_are_answered_from_the_last_copy);
	tcase_add_test(tcase, the_breaker_gives_bluejay_time);
	tcase_add_test(tcase, tags_save_bodies);
	tcase_add_test(tcase, equal_reads_share_a_call);
	tcase_add_test(tcase, fresh_copies_need_no_call);
	tcase_add_loop_test(tcase, writes_are_visible_at_once, 0, 4);
	tcase_add_test(tcase, a_read_that_nobody_waits_for_is_ended);
	tcase_add_test(tcase, no_read_waits_longer_than_its_time);
	tcase_add_test(tcase, what_comes_again_in_the_same_words_does_not_hide_what_changed_here);
	tcase_add_test(tcase, lists_that_change_are_those_that_are_made_anew);
	tcase_add_test(tcase, a_key_that_bluejay_refuses_is_told_nowhere);
	suite_add_tcase(suite, tcase);
	return suite;
}
