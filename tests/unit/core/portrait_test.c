#include "config.h"

#include "core_test.h"
#include "base/mem.h"
#include "core/portrait_ask.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <string.h>

static const struct portrait_ask ann = {"gpt-image-1", "1024x1024", "Ann \"A\"",
    "You are calm.\r\nBrief.", false};

START_TEST(the_prompt_holds_name_and_system_prompt)
{
	struct portrait_ask a = ann;
	struct buf b = {0};

	portrait_ask_prompt(&b, &a);
	ck_assert_ptr_nonnull(strstr(b.data, "Ann \"A\""));
	ck_assert_ptr_nonnull(strstr(b.data, "You are calm. \nBrief."));
	ck_assert_ptr_null(strstr(b.data, "style of the images"));
	buf_free(&b);
	a.with_style = true;
	portrait_ask_prompt(&b, &a);
	ck_assert_ptr_nonnull(strstr(b.data, "style of the images"));
	buf_free(&b);
}
END_TEST

START_TEST(long_system_prompts_are_cut_between_characters)
{
	char *text = mem_zero(1, 60001);
	struct portrait_ask a = ann;
	struct json_object *root;
	struct buf b = {0};

	for (size_t i = 0; i + 3 <= 60000; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	a.system_prompt = text;
	portrait_ask_json(&b, &a);
	ck_assert(json_read(b.data, b.len, &root, NULL));
	ck_assert_uint_lt(strlen(json_get_string(root, "prompt")), 20000);
	json_object_put(root);
	buf_free(&b);
	free(text);
}
END_TEST

START_TEST(the_json_body_is_as_the_provider_wants_it)
{
	struct json_object *root;
	struct buf b = {0};
	int64_t n;

	portrait_ask_json(&b, &ann);
	ck_assert(json_read(b.data, b.len, &root, NULL));
	ck_assert_int_eq(json_object_object_length(root), 4);
	ck_assert_str_eq(json_get_string(root, "model"), "gpt-image-1");
	ck_assert_str_eq(json_get_string(root, "size"), "1024x1024");
	ck_assert(json_get_int(root, "n", &n) && n == 1);
	json_object_put(root);
	buf_free(&b);
}
END_TEST

START_TEST(the_form_has_a_part_for_each_image)
{
	struct buf b = {0};

	portrait_ask_form(&b, "xyz", &ann);
	portrait_ask_image(&b, "xyz", "image/png", "a.png", "ONE", 3);
	portrait_ask_image(&b, "xyz", "image/jpeg", "b.jpg", "TWO", 3);
	portrait_ask_end(&b, "xyz");
	ck_assert(strncmp(b.data, "--xyz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n"
	    "gpt-image-1\r\n--xyz\r\n", 70) == 0);
	ck_assert_ptr_nonnull(strstr(b.data, "name=\"image[]\"; filename=\"a.png\"\r\n"
	    "Content-Type: image/png\r\n\r\nONE\r\n--xyz\r\n"));
	ck_assert_str_eq(strstr(b.data, "TWO"), "TWO\r\n--xyz--\r\n");
	ck_assert(portrait_ask_takes("image/webp"));
	ck_assert(!portrait_ask_takes("image/gif"));
	buf_free(&b);
}
END_TEST

/* What an answer holds: 'b' bytes, 'u' a link, '-' neither. */
static char
holds(const char *body, const char *want)
{
	char *bytes, *url, what = '-';
	size_t len;

	if (!portrait_ask_read(body, strlen(body), &bytes, &len, &url))
		return '-';
	ck_assert((bytes != NULL) != (url != NULL));
	ck_assert_str_eq(bytes != NULL ? bytes : url, want);
	what = bytes != NULL ? 'b' : 'u';
	free(bytes);
	free(url);
	return what;
}

START_TEST(answers_are_read_with_care)
{
	ck_assert_int_eq(holds("{\"created\":1,\"data\":[{\"b64_json\":\"aGVsbG8h\"}]}",
	    "hello!"), 'b');
	ck_assert_int_eq(holds("{\"data\":[{\"b64_json\":\"aGVsbG8h\",\"url\":\"u\"}]}",
	    "hello!"), 'b');
	ck_assert_int_eq(holds("{\"data\":[{\"url\":\"https://x/y\"}]}", "https://x/y"), 'u');
	ck_assert_int_eq(holds("{\"data\":[{\"b64_json\":\"\",\"url\":\"https://x/y\"}]}",
	    "https://x/y"), 'u');
	ck_assert_int_eq(holds("{\"data\":[{\"b64_json\":\"a\"}]}", ""), '-');
	ck_assert_int_eq(holds("{\"b64_json\":\"aGVsbG8h\"}", ""), '-');
	ck_assert_int_eq(holds("{\"data\":[{\"b64_json\":\"aGVsbG8h\"}]", ""), '-');
	ck_assert_int_eq(holds("{\"data\":{\"b64_json\":\"aGVsbG8h\"}}", ""), '-');
	ck_assert_int_eq(holds("{\"data\":[null]}", ""), '-');
	ck_assert_int_eq(holds("", ""), '-');
}
END_TEST

START_TEST(links_lead_out_only)
{
	static const char *const bad[] = {"http://x/y", "https://", "https:///y", "https://u@x/",
	    "ftp://x/", "file:///etc/passwd", "//x/y", "x", "", "https://x/a b",
	    "https://x/\xc3\xa9"};
	char *origin, *path;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!portrait_ask_link(bad[i], false, &origin, &path), "%s", bad[i]);
	ck_assert(portrait_ask_link("https://x.example:8/a/b?c=d#e", false, &origin, &path));
	ck_assert_str_eq(origin, "https://x.example:8");
	ck_assert_str_eq(path, "/a/b?c=d");
	free(origin);
	free(path);
	ck_assert(portrait_ask_link("http://127.0.0.1:8?q", true, &origin, &path));
	ck_assert_str_eq(origin, "http://127.0.0.1:8");
	ck_assert_str_eq(path, "/?q");
	free(origin);
	free(path);
}
END_TEST

START_TEST(trouble_is_told_in_our_words)
{
	static const struct {
		enum upstream_outcome outcome;
		int status, local;
	} rows[] = {{UPSTREAM_ANSWER, 401, 502}, {UPSTREAM_ANSWER, 429, 429}, {UPSTREAM_ANSWER,
	    400, 400},
	    {UPSTREAM_ANSWER, 500, 502}, {UPSTREAM_ANSWER, 302, 502}, {UPSTREAM_ANSWER, 200, 502},
	    {UPSTREAM_NO_CONNECT, 0, 502}, {UPSTREAM_TIMEOUT, 0, 504}, {UPSTREAM_BROKEN, 0, 502},
	    {UPSTREAM_TOO_LARGE, 0, 502}, {UPSTREAM_OPEN, 0, 503}, {UPSTREAM_BUSY, 0, 503}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct upstream_answer a = {.outcome = rows[i].outcome, .status = rows[i].status,
		    .body = "sk-secret", .body_len = 9, .retry_after = -1};
		struct result r;

		portrait_ask_trouble(&r, &a);
		ck_assert_int_eq(r.status, rows[i].local);
		ck_assert_ptr_null(strstr(r.body, "sk-secret"));
		ck_assert((r.retry_after > 0) == (r.status == 429 || r.status == 503));
		result_clear(&r);
	}
}
END_TEST

/* Tests of what the provider is asked. */
Suite *
portrait_suite(void)
{
	const TTest *const tests[] = {
	    the_prompt_holds_name_and_system_prompt,
	    long_system_prompts_are_cut_between_characters,
	    the_json_body_is_as_the_provider_wants_it,
	    the_form_has_a_part_for_each_image,
	    answers_are_read_with_care,
	    links_lead_out_only,
	    trouble_is_told_in_our_words,
	    NULL,
	};

	return unit_suite("core portrait", tests);
}
