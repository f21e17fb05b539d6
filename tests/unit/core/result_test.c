#include "config.h"

#include "core_test.h"
#include "core/result.h"
#include "core/resource_read.h"

#include <string.h>

static struct mapping *mapping;

/* What a client is told for an outcome. */
static const char *
told(enum upstream_outcome outcome, int status, const char *body, struct result *r)
{
	struct upstream_answer a = {.outcome = outcome, .status = status, .body = body,
	    .body_len = strlen(body), .retry_after = -1};
	struct diag_list diags = {0};

	if (mapping == NULL)
		mapping = mapping_compile(mapping_resource_built_in("personas"), NULL, &diags);
	ck_assert_ptr_nonnull(mapping);
	result_from_upstream(r, &a, resource_built_in("personas"), mapping);
	return r->body;
}

START_TEST(the_error_table)
{
	static const struct {
		enum upstream_outcome outcome;
		int status, local;
	} rows[] = {
	    {UPSTREAM_ANSWER, 401, 502}, {UPSTREAM_ANSWER, 403, 502}, {UPSTREAM_ANSWER, 404, 404},
	    {UPSTREAM_ANSWER, 429, 429}, {UPSTREAM_ANSWER, 500, 502}, {UPSTREAM_ANSWER, 503, 502},
	    {UPSTREAM_ANSWER, 302, 502}, {UPSTREAM_ANSWER, 200, 502}, {UPSTREAM_NO_CONNECT, 0, 502},
	    {UPSTREAM_TIMEOUT, 0, 504}, {UPSTREAM_BROKEN, 0, 502}, {UPSTREAM_TOO_LARGE, 0, 502},
	    {UPSTREAM_OPEN, 0, 503}, {UPSTREAM_BUSY, 0, 503},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct result r;

		told(rows[i].outcome, rows[i].status, "secret detail", &r);
		ck_assert_int_eq(r.status, rows[i].local);
		ck_assert_ptr_null(strstr(r.body, "secret"));
		if (r.status == 503 || r.status == 429)
			ck_assert_int_gt(r.retry_after, 0);
		result_clear(&r);
	}
	mapping_free(mapping);
	mapping = NULL;
}
END_TEST

START_TEST(validation_errors_name_local_fields_in_our_words)
{
	struct result r;

	ck_assert_str_eq(told(UPSTREAM_ANSWER, 422,
	    "{\"detail\":[{\"type\":\"string_type\",\"loc\":[\"body\",\"goal\"],\"msg\":\"KEY\"},"
	    "{\"type\":\"missing\",\"loc\":[\"body\",\"description\"],\"msg\":\"KEY\"}]}", &r),
	    "{\"error\":\"systemPrompt must be a string; description is required\"}");
	ck_assert_int_eq(r.status, 400);
	result_clear(&r);
	ck_assert_str_eq(told(UPSTREAM_ANSWER, 422,
	    "{\"detail\":[{\"type\":\"string_too_long\",\"loc\":[\"body\",\"name\"],\"msg\":\"KEY\","
	    "\"ctx\":{\"max_length\":80}}]}", &r),
	    "{\"error\":\"name must have at most 80 characters\"}");
	result_clear(&r);
	told(UPSTREAM_ANSWER, 422, "KEY not json", &r);
	ck_assert_int_eq(r.status, 400);
	ck_assert_ptr_null(strstr(r.body, "KEY"));
	result_clear(&r);
	mapping_free(mapping);
	mapping = NULL;
}
END_TEST

START_TEST(old_copies_serve_only_when_the_upstream_is_down)
{
	struct upstream_answer a = {.outcome = UPSTREAM_ANSWER, .status = 500};

	ck_assert(result_upstream_is_down(&a));
	a.status = 401;
	ck_assert(!result_upstream_is_down(&a));
	a.status = 404;
	ck_assert(!result_upstream_is_down(&a));
	a.outcome = UPSTREAM_TIMEOUT;
	ck_assert(result_upstream_is_down(&a));
	a.outcome = UPSTREAM_OPEN;
	ck_assert(result_upstream_is_down(&a));
}
END_TEST

/* Tests of what clients are told. */
Suite *
result_suite(void)
{
	const TTest *const tests[] = {
	    the_error_table,
	    validation_errors_name_local_fields_in_our_words,
	    old_copies_serve_only_when_the_upstream_is_down,
	    NULL,
	};

	return unit_suite("core: result", tests);
}
