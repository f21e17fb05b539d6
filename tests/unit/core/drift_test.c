#include "config.h"

#include "core/drift.h"
#include "core/resource_read.h"
#include "core_test.h"
#include "json/json_read.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WALL INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define MINUTE INT64_C(60000)
#define GOOD \
	"{\"id\":\"1\",\"created_at\":null,\"name\":\"n\",\"description\":\"\",\"goal\":\"\",\"org_id\":null"

/* A sentinel over the default mapping of personas, with its log in a file. */
static struct loop *loop;
static struct log *logger;
static FILE *lines;
static struct drift *drift;
static struct project project;

/* Makes it. */
static void
begin(void)
{
	struct diag_list diags = {0};

	loop = loop_new_fake(WALL);
	lines = tmpfile();
	logger = log_new(fileno(lines), LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	drift = drift_new(loop, logger);
	project.resource = resource_built_in("personas");
	project.mapping = mapping_compile(mapping_resource_built_in("personas"), NULL, &diags);
	ck_assert_ptr_nonnull(project.mapping);
}

/* Frees it. */
static void
end(void)
{
	drift_free(drift);
	log_free(logger);
	fclose(lines);
	loop_free(loop);
	mapping_free((struct mapping *)project.mapping);
}

/* Reads JSON. */
static struct json_object *
json(const char *text)
{
	struct json_object *value;

	ck_assert_msg(json_read(text, strlen(text), &value, NULL), "%s", text);
	return value;
}

/* One answer arrives. */
static void
see(const char *text)
{
	struct json_object *value = json(text);
	bool alike;

	if (json_object_is_type(value, json_type_array))
		drift_list(drift, &project, value, &alike);
	else
		drift_item(drift, &project, value);
	json_object_put(value);
}

/* What is shown. */
static void
expect(const char *want)
{
	struct buf b;

	buf_init(&b, 0);
	drift_print(drift, &b);
	ck_assert_str_eq(b.data, want);
	buf_free(&b);
}

/* How many lines of the log hold a text. */
static unsigned
logged(const char *text)
{
	char line[1024];
	unsigned n = 0;

	rewind(lines);
	while (fgets(line, sizeof line, lines) != NULL)
		n += strstr(line, text) != NULL;
	return n;
}

START_TEST(nothing_is_shown_before_an_answer_and_nothing_of_good_ones)
{
	begin();
	expect("{\"resources\":[]}");
	see("[]");
	see("[" GOOD "}," GOOD "}]");
	see(GOOD "}");
	expect("{\"resources\":[{\"resource\":\"personas\",\"answers\":3,\"items\":3,"
	       "\"differences\":[],\"beyond\":0}]}");
	ck_assert_uint_eq(logged(""), 0);
	end();
}
END_TEST

START_TEST(a_thing_that_was_seen_before_counts_without_another_look)
{
	struct json_object *good = json(GOOD "}"), *other = json(GOOD ",\"mood\":1}");

	begin();
	ck_assert(drift_item(drift, &project, good));
	drift_alike(drift, &project, 2);
	expect("{\"resources\":[{\"resource\":\"personas\",\"answers\":2,\"items\":3,"
	       "\"differences\":[],\"beyond\":0}]}");
	ck_assert(!drift_item(drift, &project, other));
	json_object_put(good);
	json_object_put(other);
	end();
}
END_TEST

START_TEST(differences_are_counted_each_time_and_logged_once)
{
	begin();
	see(GOOD ",\"mood\":\"secret\"}");
	loop_fake_advance(loop, 1000);
	see("[" GOOD ",\"mood\":1},{\"id\":5,\"name\":\"n\",\"description\":\"\",\"goal\":\"\","
	    "\"org_id\":null}]");
	expect("{\"resources\":[{\"resource\":\"personas\",\"answers\":2,\"items\":3,\"differences\":["
	       "{\"kind\":\"missing\",\"path\":\"created_at\","
	       "\"declared\":\"a time such as 2026-01-28T10:00:00.000Z\",\"count\":1,"
	       "\"current\":true,\"firstSeenAt\":\"2026-01-01T00:00:01.000Z\","
	       "\"lastSeenAt\":\"2026-01-01T00:00:01.000Z\"},"
	       "{\"kind\":\"new\",\"path\":\"mood\",\"seen\":\"an integer\",\"count\":2,"
	       "\"current\":true,\"firstSeenAt\":\"2026-01-01T00:00:00.000Z\","
	       "\"lastSeenAt\":\"2026-01-01T00:00:01.000Z\"},"
	       "{\"kind\":\"retyped\",\"path\":\"id\",\"declared\":\"a string\","
	       "\"seen\":\"an integer\",\"count\":1,\"current\":true,"
	       "\"firstSeenAt\":\"2026-01-01T00:00:01.000Z\","
	       "\"lastSeenAt\":\"2026-01-01T00:00:01.000Z\"}],\"beyond\":0}]}");
	ck_assert_uint_eq(logged(""), 3);
	ck_assert_uint_eq(logged(" info "), 1);
	ck_assert_uint_eq(logged("mood"), 1);
	ck_assert_uint_eq(logged("secret"), 0);
	end();
}
END_TEST

START_TEST(a_member_that_is_named_like_the_key_is_not_shown)
{
	static const char *const keys[] = {"key-Qk7.x[]w*2", "earlier-Vt9ZkR8"};
	struct buf b;

	begin();
	project.api_key = keys[0];
	project.earlier_key = keys[1];
	see(GOOD ",\"key-Qk7.x[]w*2\":\"n\"}");
	see(GOOD ",\"its key-Qk7.x[]w*2\":{\"a\":1},\"earlier-Vt9ZkR8\":1}");
	buf_init(&b, 0);
	drift_print(drift, &b);
	drift_metrics(drift, &b);
	ck_assert_msg(strstr(b.data, "\"path\":\"(key)\"") != NULL, "%s", b.data);
	ck_assert_msg(strstr(b.data, "Qk7") == NULL && strstr(b.data, "Vt9") == NULL, "%s", b.data);
	ck_assert(!logged("Qk7") && !logged("Vt9"));
	buf_free(&b);
	project.api_key = project.earlier_key = NULL;
	end();
}
END_TEST

START_TEST(what_is_not_seen_for_long_is_over_and_logged_when_it_comes_back)
{
	begin();
	see(GOOD ",\"mood\":1}");
	for (int64_t ms = 0; ms < DRIFT_OVER_MS - MINUTE; ms += MINUTE) {
		loop_fake_advance(loop, MINUTE);
		see(GOOD "}");
	}
	ck_assert_uint_eq(logged(""), 1);
	loop_fake_advance(loop, MINUTE);
	see("[]"); /* shows nothing of any persona */
	ck_assert_uint_eq(logged(""), 1);
	see(GOOD "}");
	ck_assert_uint_eq(logged("no longer"), 1);
	expect("{\"resources\":[{\"resource\":\"personas\",\"answers\":12,\"items\":11,\"differences\":["
	       "{\"kind\":\"new\",\"path\":\"mood\",\"seen\":\"an integer\",\"count\":1,"
	       "\"current\":false,\"firstSeenAt\":\"2026-01-01T00:00:00.000Z\","
	       "\"lastSeenAt\":\"2026-01-01T00:00:00.000Z\"}],\"beyond\":0}]}");
	see(GOOD ",\"mood\":1}");
	see(GOOD ",\"mood\":1}");
	ck_assert_uint_eq(logged(""), 3);
	end();
}
END_TEST

START_TEST(paths_are_bounded_and_others_are_counted)
{
	char text[8192];
	size_t n;

	begin();
	n = (size_t)snprintf(text, sizeof text, "%s", GOOD);
	for (unsigned i = 0; i < DRIFT_PATHS + 7; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, ",\"x%u\":0", i);
	snprintf(text + n, sizeof text - n, "}");
	see(text);
	see(text);
	ck_assert_uint_eq(logged("more paths"), 1);
	ck_assert_uint_eq(logged(""), DRIFT_PATHS + 1);
	see("{}"); /* another kind has its own room */
	ck_assert_uint_eq(logged("kind=missing"), 6);
	{
		struct buf b;

		buf_init(&b, 0);
		drift_print(drift, &b);
		ck_assert_ptr_nonnull(strstr(b.data, "\"beyond\":14}"));
		ck_assert_ptr_null(strstr(b.data, "\"x64\""));
		buf_free(&b);
	}
	end();
}
END_TEST

/* Tests of the drift sentinel. */
Suite *
drift_suite(void)
{
	const TTest *const tests[] = {
	    nothing_is_shown_before_an_answer_and_nothing_of_good_ones,
	    a_thing_that_was_seen_before_counts_without_another_look,
	    differences_are_counted_each_time_and_logged_once,
	    what_is_not_seen_for_long_is_over_and_logged_when_it_comes_back,
	    paths_are_bounded_and_others_are_counted,
	    a_member_that_is_named_like_the_key_is_not_shown,
	    NULL,
	};

	return unit_suite("drift", tests);
}
