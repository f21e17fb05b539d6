#include "config.h"

#include "json_test.h"
#include "json/json_blob.h"
#include "json/json_text.h"
#include "unit.h"

#include <string.h>

static struct json_blob blob;
static struct json_object *root;

/* Reads a text in pieces of a size; whether the rest is JSON. */
static bool
blob_read(const char *text, size_t piece, unsigned depth)
{
	size_t len = strlen(text);
	bool ok;

	json_blob_init(&blob, "img", depth, 4096, 4096);
	for (size_t i = 0; i < len; i += piece)
		ck_assert(json_blob_add(&blob, text + i, len - i < piece ? len - i : piece));
	ok = json_blob_end(&blob, 100, &root, NULL);
	return ok;
}

/* Releases what was read. */
static void
blob_done(void)
{
	json_object_put(root);
	root = NULL;
	json_blob_free(&blob);
}

/* Fails unless a text gives these bytes, however it is cut. */
static void
blob_gives(const char *text, unsigned depth, const char *bytes)
{
	for (size_t piece = 1; piece <= strlen(text); piece++) {
		ck_assert(blob_read(text, piece, depth));
		ck_assert(blob.seen);
		ck_assert(!blob.bad);
		ck_assert_uint_eq(blob.bytes.len, strlen(bytes));
		ck_assert_str_eq(blob.bytes.len > 0 ? blob.bytes.data : "", bytes);
		blob_done();
	}
}

START_TEST(the_string_is_decoded_however_it_is_cut)
{
	blob_gives("{\"img\":\"aGVsbG8gd29ybGQ=\",\"role\":\"r\"}", 1, "hello world");
	blob_gives(" { \"a\" : { \"img\" : \"!\" } , \"img\" : \"aGVsbG8h\" } ", 1, "hello!");
	blob_gives("{\"img\":\"data:image/png;base64,aGVsbG8gd29ybGQh\"}", 1, "hello world!");
	blob_gives("{\"img\":\"data\"}", 1, "u\xabZ");
	blob_gives("{\"img\":\"\"}", 1, "");
	blob_gives("{\"img\":\"Pz8\\/Pz8\\u003d\"}", 1, "?????");
	blob_gives("{\"img\":\"aGV\\nsbG8\\r\\nh\\u000a\"}", 1, "hello!");
	blob_gives("{\"im\\u0067\":\"aGVs\\nbG8h\"}", 1, "hello!");
	blob_gives("{\"data\":[{\"img\":\"aGVsbG8h\"},{\"img\":\"AAAA\"}]}", 3, "hello!");
	blob_gives("{\"x\":\"img\",\"y\":\"\\\"img\\\":\",\"img\":\"aGVsbG8h\"}", 1, "hello!");
}
END_TEST

START_TEST(the_rest_is_read_strictly)
{
	ck_assert(blob_read("{\"img\":\"aGVsbG8h\",\"role\":\"r\\u00e9\",\"n\":[1,2]}", 3, 1));
	ck_assert_str_eq(json_get_string(root, "role"), "r\xc3\xa9");
	ck_assert_str_eq(json_get_string(root, "img"), "");
	blob_done();
	ck_assert(!blob_read("{\"img\":\"aGVsbG8h\",\"img\":\"aGVsbG8h\"}", 5, 1));
	blob_done();
	ck_assert(!blob_read("{\"img\":\"aGVs", 5, 1));
	blob_done();
	ck_assert(!blob_read("{\"img\":\"aGVsbG8h\"", 5, 1));
	blob_done();
	ck_assert(!blob_read("{\"img\" \"aGVsbG8h\"}", 5, 1));
	blob_done();
	ck_assert(!blob_read("", 5, 1));
	blob_done();
}
END_TEST

START_TEST(what_is_not_base64_is_said)
{
	static const char *const texts[] = {"{\"img\":\"a\"}", "{\"img\":\"aGVsbG8\"}",
	    "{\"img\":\"aGVs bG8h\"}", "{\"img\":\"aGVsbG8h=\"}", "{\"img\":\"====\"}",
	    "{\"img\":\"aGVsbG9=\"}", "{\"img\":\"aGVs\nbG8h\"}",
	    "{\"img\":\"aGVs\\tbG8h\"}", "{\"img\":\"aGVs\\\"bG8h\"}",
	    "{\"img\":\"data:image/png,aGVs\"}",
	    "{\"img\":\"data:image/png;base64\"}", "{\"img\":\"aG=s\"}", "{\"img\":\"aA==aGVs\"}",
	    "{\"img\":\"-_-_\"}", "{\"img\":\"\\u0141AAA\"}"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		for (size_t piece = 1; piece < 9; piece++) {
			blob_read(texts[i], piece, 1);
			ck_assert_msg(blob.bad, "%s", texts[i]);
			blob_done();
		}
	}
}
END_TEST

START_TEST(bounds_hold)
{
	static char big[20000];

	memset(big, 'A', sizeof big);
	json_blob_init(&blob, "img", 1, 100, 1000);
	ck_assert(json_blob_add(&blob, "{\"img\":\"", 8));
	ck_assert(!json_blob_add(&blob, big, sizeof big));
	ck_assert(blob.bytes.full);
	json_blob_free(&blob);
	json_blob_init(&blob, "img", 1, 100, 1000);
	ck_assert(!json_blob_add(&blob, big, sizeof big));
	ck_assert(blob.rest.full);
	json_blob_free(&blob);
}
END_TEST

START_TEST(base64_goes_both_ways)
{
	unsigned char bytes[256];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i * 7);
	for (size_t len = 0; len < sizeof bytes; len++) {
		struct buf text, back;
		struct base64 d = {0};

		buf_init(&text, 0);
		buf_init(&back, 0);
		ck_assert(base64_encode(&text, bytes, len));
		ck_assert_uint_eq(text.len, (len + 2) / 3 * 4);
		ck_assert(base64_decode(&d, text.data, text.len, &back));
		ck_assert(base64_ends(&d));
		ck_assert_uint_eq(back.len, len);
		ck_assert(len == 0 || memcmp(back.data, bytes, len) == 0);
		buf_free(&text);
		buf_free(&back);
	}
}
END_TEST

/* Tests of the reader of large strings. */
Suite *
json_blob_suite(void)
{
	const TTest *const tests[] = {
	    the_string_is_decoded_however_it_is_cut,
	    the_rest_is_read_strictly,
	    what_is_not_base64_is_said,
	    bounds_hold,
	    base64_goes_both_ways,
	    NULL,
	};

	return unit_suite("json_blob", tests);
}
