#include "config.h"

#include "sandbox_test.h"
#include "base/base64.h"
#include "base/mem.h"
#include "sandbox/sandbox_image.h"
#include "sandbox/sandbox_portrait.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* A number of four bytes. */
static unsigned
number(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (unsigned)u[0] << 24 | (unsigned)u[1] << 16 | (unsigned)u[2] << 8 | u[3];
}

START_TEST(portraits_are_png_that_can_be_decoded)
{
	static const char *const chunks[] = {"IHDR", "PLTE", "IDAT", "IEND"};
	static unsigned char rows[65 * 48];
	uLongf len = sizeof rows;
	bool seen[16] = {false};
	unsigned colours = 0;
	struct buf b = {0};
	size_t at = 8;

	ck_assert(sandbox_portrait(&b, "Ann", 3, 64, 48));
	ck_assert(memcmp(b.data, "\x89PNG\r\n\x1a\n", 8) == 0);
	for (int i = 0; i < 4; i++) {
		unsigned n = number(b.data + at);

		ck_assert(memcmp(b.data + at + 4, chunks[i], 4) == 0);
		ck_assert_uint_eq(number(b.data + at + 8 + n),
		    crc32(0, (const Bytef *)b.data + at + 4, n + 4));
		if (i == 0) {
			ck_assert_uint_eq(number(b.data + at + 8), 64);
			ck_assert_uint_eq(number(b.data + at + 12), 48);
		}
		if (i == 2)
			ck_assert_int_eq(uncompress(rows, &len, (const Bytef *)b.data + at + 8,
			    n), Z_OK);
		at += 12 + n;
	}
	ck_assert_uint_eq(at, b.len);
	ck_assert_uint_eq(len, sizeof rows);
	for (size_t i = 0; i < sizeof rows; i++) {
		ck_assert_uint_lt(rows[i], 7);
		colours += i % 65 != 0 && !seen[rows[i]];
		seen[rows[i]] |= i % 65 != 0;
	}
	ck_assert_uint_gt(colours, 4);
	buf_free(&b);
}
END_TEST

START_TEST(every_prompt_has_its_own_portrait)
{
	struct buf one = {0}, again = {0}, other = {0};

	sandbox_portrait(&one, "Ann", 3, 64, 64);
	sandbox_portrait(&again, "Ann", 3, 64, 64);
	sandbox_portrait(&other, "Bob", 3, 64, 64);
	ck_assert_uint_eq(one.len, again.len);
	ck_assert(memcmp(one.data, again.data, one.len) == 0);
	ck_assert(other.len != one.len || memcmp(one.data, other.data, one.len) != 0);
	buf_free(&one);
	buf_free(&again);
	buf_free(&other);
}
END_TEST

/* The status of a request made of these. */
static int
asked(bool edit, const char *key, const char *type, const char *body)
{
	struct sandbox_request r = {.authorization = key, .content_type = type, .body = body,
		.len = strlen(body)};
	struct sandbox_answer a;
	int status;

	sandbox_answer_init(&a);
	if (edit)
		sandbox_image_edit("k", &r, &a);
	else
		sandbox_image_generate("k", &r, &a);
	status = a.status;
	ck_assert((status == 200) == (strstr(a.body.data, "\"b64_json\":\"iVBOR") != NULL));
	ck_assert((status == 200) == (strstr(a.body.data, "\"error\"") == NULL));
	sandbox_answer_free(&a);
	return status;
}

#define GOOD "{\"model\":\"gpt-image-1\",\"prompt\":\"p\",\"n\":1,\"size\":\"32x32\"}"
#define JSON "application/json"

START_TEST(generations_are_checked)
{
	ck_assert_int_eq(asked(false, "Bearer k", JSON, GOOD), 200);
	ck_assert_int_eq(asked(false, NULL, JSON, GOOD), 401);
	ck_assert_int_eq(asked(false, "Bearer wrong", JSON, GOOD), 401);
	ck_assert_int_eq(asked(false, "k", JSON, GOOD), 401);
	ck_assert_int_eq(asked(false, "Bearer k", "text/plain", GOOD), 400);
	ck_assert_int_eq(asked(false, "Bearer k", JSON, "{"), 400);
	ck_assert_int_eq(asked(false, "Bearer k", JSON, "{\"model\":\"gpt-image-1\"}"), 400);
	ck_assert_int_eq(asked(false, "Bearer k", JSON, "{\"model\":\"x\",\"prompt\":\"p\"}"), 400);
	ck_assert_int_eq(asked(false, "Bearer k", JSON,
	    "{\"model\":\"gpt-image-1\",\"prompt\":\"p\",\"size\":\"9999x1\"}"), 400);
	ck_assert_int_eq(asked(false, "Bearer k", JSON,
	    "{\"model\":\"gpt-image-1\",\"prompt\":\"p\",\"n\":2}"), 400);
}
END_TEST

#define FORM "multipart/form-data; boundary=xyz"
#define PART(name, value) \
	"--xyz\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FIELDS PART("model", "gpt-image-1") PART("prompt", "a\r\n--x p") PART("n", "1") \
	PART("size", "32x32")
#define IMAGE \
	"--xyz\r\nContent-Disposition: form-data; name=\"image[]\"; filename=\"a.png\"\r\n" \
	"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n and so on\r\n"

START_TEST(edits_need_images)
{
	ck_assert_int_eq(asked(true, "Bearer k", FORM, FIELDS IMAGE "--xyz--\r\n"), 200);
	ck_assert_int_eq(asked(true, "Bearer k", FORM, IMAGE IMAGE FIELDS "--xyz--\r\n"), 200);
	ck_assert_int_eq(asked(true, "Bearer k", FORM, FIELDS "--xyz--\r\n"), 400);
	ck_assert_int_eq(asked(true, "Bearer k", FORM, FIELDS IMAGE), 400);
	ck_assert_int_eq(asked(true, "Bearer k", FORM, FIELDS IMAGE "--xyz"), 400);
	ck_assert_int_eq(asked(true, "Bearer k", FORM, FIELDS PART("image[]",
	    "no image") "--xyz--"), 400);
	ck_assert_int_eq(asked(true, "Bearer k", FORM, ""), 400);
	ck_assert_int_eq(asked(true, "Bearer k", JSON, GOOD), 400);
	ck_assert_int_eq(asked(true, "Bearer no", FORM, FIELDS IMAGE "--xyz--\r\n"), 401);
}
END_TEST

/* Tests of the simulated images API. */
Suite *
suite_image(void)
{
	const TTest *const tests[] = {
		portraits_are_png_that_can_be_decoded,
		every_prompt_has_its_own_portrait,
		generations_are_checked,
		edits_need_images,
		NULL,
	};

	return unit_suite("sandbox image", tests);
}
