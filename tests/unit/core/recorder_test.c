#include "config.h"

#include "core/recorder.h"
#include "core_test.h"
#include "json/json_read.h"

#include <stdio.h>
#include <string.h>

#define WALL INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define SIZE ((size_t)64 << 10)

/* A recorder, and a project of a file's defaults. */
static struct loop *loop;
static struct snapshot *snap;
static struct recorder *recorder;
static struct project project;

/* Makes them. */
static void
begin(size_t requests)
{
	struct config_source source = {.sandbox = true};
	struct diag_list diags = {0};

	loop = loop_new_fake(WALL);
	snap = snapshot_load(&source, &diags);
	ck_assert_ptr_nonnull(snap);
	ck_assert(snapshot_project(snap, "shop", snapshot_resource(snap, "personas"), &project));
	recorder = recorder_new(loop, requests, SIZE);
}

/* Frees them; nobody else holds the snapshot any more. */
static void
end(void)
{
	recorder_free(recorder);
	ck_assert_uint_eq(snap->readers, 0);
	snapshot_unref(snap);
	loop_free(loop);
}

/* A request begins with a body, NULL for none. */
static struct trace_ref
ask(unsigned serial, const char *id, const char *text)
{
	struct json_object *body = NULL;

	if (text != NULL)
		ck_assert(json_read(text, strlen(text), &body, NULL));
	project.trace = (struct trace_ref){.slot = 1, .serial = serial};
	recorder_begin(recorder, &project, text != NULL ? RECORDER_CREATE : RECORDER_READ, id, body);
	json_object_put(body);
	return project.trace;
}

/* What is shown of a request, or of all with NULL; static. */
static const char *
shown(const char *id)
{
	static char text[1 << 16];
	struct buf b;

	buf_init(&b, 0);
	if (id == NULL)
		recorder_list(recorder, &b);
	else if (!recorder_show(recorder, id, &b))
		buf_adds(&b, "none");
	snprintf(text, sizeof text, "%s", b.data);
	buf_free(&b);
	return text;
}

START_TEST(off_is_null_and_does_nothing)
{
	struct upstream_request q = {0};
	struct upstream_answer a = {0};
	struct result r = {0};

	begin(0);
	ck_assert_ptr_null(recorder);
	q.trace = ask(1, "a", "{}");
	recorder_sent(recorder, "http://b", &q);
	ck_assert_uint_eq(q.trace.call, 0);
	recorder_heard(recorder, &a);
	recorder_told(recorder, q.trace, &r);
	end();
}
END_TEST

START_TEST(the_newest_of_an_id_is_shown_and_the_oldest_forgotten)
{
	begin(2);
	ask(1, "a", NULL);
	ask(2, "b", NULL);
	ask(3, "b", "{\"name\":\"new\"}");
	ck_assert_str_eq(shown(NULL),
	    "[{\"id\":\"b\",\"time\":\"2026-01-01T00:00:00.000Z\",\"project\":\"shop\",\"resource\":"
	    "\"persona\",\"operation\":\"create\",\"status\":null},"
	    "{\"id\":\"b\",\"time\":\"2026-01-01T00:00:00.000Z\",\"project\":\"shop\",\"resource\":"
	    "\"persona\",\"operation\":\"read\",\"status\":null}]");
	ck_assert_str_eq(shown("a"), "none");
	ck_assert_ptr_nonnull(strstr(shown("b"), "\"body\":{\"name\":\"new\"}"));
	ck_assert_uint_eq(snap->readers, 2);
	end();
}
END_TEST

START_TEST(what_is_remembered_outlives_the_keys)
{
	struct upstream_request q = {.method = "POST", .path = "/v1/1"};
	struct upstream_answer a = {.outcome = UPSTREAM_ANSWER, .status = 200, .body = "{\"n\":2}",
	    .body_len = 7};

	begin(5);
	q.trace = ask(7, "a", "{\"name\":\"new\"}");
	recorder_sent(recorder, "http://b", &q);
	ck_assert(snapshot_has_keys(snap));
	snapshot_unref(snap);
	ck_assert(!snapshot_has_keys(snap));
	ck_assert_ptr_null(snap->config->bluejay.api_key);
	a.trace = q.trace;
	recorder_heard(recorder, &a); /* nobody could say whether a key stands in it */
	ck_assert_ptr_nonnull(strstr(shown("a"), "\"body\":{\"name\":\"new\"},"));
	ck_assert_ptr_nonnull(strstr(shown("a"), "\"status\":200,\"answer\":null}]"));
	ck_assert_ptr_nonnull(strstr(shown("a"), "{\"local\":\"name\",\"bluejay\":\"name\""));
	ck_assert_ptr_nonnull(strstr(shown("a"), "\"whole\":false"));
	recorder_free(recorder);
	loop_free(loop);
}
END_TEST

START_TEST(answers_find_their_own_call_in_any_order)
{
	struct upstream_request q = {.method = "GET", .path = "/v1/1"}, p = {.method = "GET", .path = "/v1/2"};
	struct upstream_answer a = {.outcome = UPSTREAM_ANSWER, .status = 200};
	const char *text;

	begin(5);
	q.trace = p.trace = ask(7, "a", NULL);
	recorder_sent(recorder, "http://b", &q);
	recorder_sent(recorder, "http://b", &p);
	a.trace = p.trace;
	a.body = "{\"n\":2}";
	a.body_len = strlen(a.body);
	recorder_heard(recorder, &a);
	a.trace = q.trace;
	a.outcome = UPSTREAM_TIMEOUT;
	recorder_heard(recorder, &a);
	a.trace.serial = 8; /* somebody else's */
	recorder_heard(recorder, &a);
	text = shown("a");
	ck_assert_ptr_nonnull(strstr(text, "{\"outcome\":\"timeout\",\"method\":\"GET\",\"url\":\"http://b/v1/1\""));
	ck_assert_ptr_nonnull(strstr(text, "\"status\":200,\"answer\":{\"n\":2}}],"));
	end();
}
END_TEST

START_TEST(an_addition_sends_numbers_alone_and_its_answer_is_read_whole)
{
	static const char answer[] = "{\"id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\",\"title\":\"T\","
	    "\"digital_human_ids\":[1]}";
	struct upstream_request q = {.method = "PUT", .path = "/v1/add"};
	struct upstream_answer a = {.outcome = UPSTREAM_ANSWER, .status = 200, .body = answer,
	    .body_len = sizeof answer - 1};
	struct json_object *body;

	begin(5);
	ck_assert(snapshot_project(snap, "shop", snapshot_resource(snap, "communities"), &project));
	project.trace = (struct trace_ref){.slot = 1, .serial = 1};
	ck_assert(json_read("{\"title\":\"x\"}", 13, &body, NULL));
	recorder_begin(recorder, &project, RECORDER_ADD, "a", body);
	json_object_put(body);
	q.trace = project.trace;
	recorder_sent(recorder, "http://b", &q);
	a.trace = q.trace;
	recorder_heard(recorder, &a);
	ck_assert_ptr_nonnull(strstr(shown("a"), "\"fields\":[{\"local\":\"title\",\"bluejay\":\"title\","
	    "\"line\":null,\"column\":null,\"what\":\"dropped\",\"built_in\":true,"
	    "\"why\":\"an addition sends nothing but numbers\"}],"));
	ck_assert_ptr_nonnull(strstr(shown("a"), "{\"local\":\"title\",\"bluejay\":\"title\",\"line\":null,"
	    "\"column\":null,\"what\":\"copied\",\"built_in\":true}"));
	end();
}
END_TEST

START_TEST(calls_beyond_those_that_are_kept_are_counted)
{
	struct upstream_request q = {.method = "GET", .path = "/v1/1"};

	begin(5);
	q.trace = ask(1, "a", NULL);
	for (int i = 0; i < RECORDER_CALLS + 3; i++)
		recorder_sent(recorder, "http://b", &q);
	ck_assert_ptr_nonnull(strstr(shown("a"), "],\"more_calls\":3,"));
	end();
}
END_TEST

START_TEST(smaller_bounds_forget_and_none_forgets_all)
{
	begin(5);
	for (unsigned i = 1; i <= 5; i++)
		ask(i, i % 2 ? "odd" : "even", NULL);
	recorder = recorder_resize(recorder, loop, 1, SIZE);
	ck_assert_str_eq(shown("even"), "none");
	ck_assert_uint_eq(snap->readers, 1);
	recorder = recorder_resize(recorder, loop, 0, SIZE);
	ck_assert_ptr_null(recorder);
	ck_assert_uint_eq(snap->readers, 0);
	recorder = recorder_resize(recorder, loop, 3, SIZE);
	ck_assert_str_eq(shown(NULL), "[]");
	end();
}
END_TEST

/* Tests of what is remembered of requests. */
Suite *
recorder_suite(void)
{
	const TTest *const tests[] = {
	    off_is_null_and_does_nothing,
	    the_newest_of_an_id_is_shown_and_the_oldest_forgotten, what_is_remembered_outlives_the_keys,
	    answers_find_their_own_call_in_any_order,
	    an_addition_sends_numbers_alone_and_its_answer_is_read_whole,
	    calls_beyond_those_that_are_kept_are_counted,
	    smaller_bounds_forget_and_none_forgets_all,
	    NULL,
	};

	return unit_suite("core: recorder", tests);
}
