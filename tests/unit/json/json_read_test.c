#include "config.h"

#include "base/buf.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "json_test.h"
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* A text and the text that printing gives; NULL: the same. */
struct accepted {
	const char *text;
	const char *printed;
};

/* Reads a text that must be good, prints it, and compares. */
static void
expect_printed(const char *text, size_t len, const char *printed, size_t printed_len)
{
	struct json_object *value;
	struct json_error err = {0, ""};
	char *again;
	size_t n;

	if (!json_read(text, len, &value, &err))
		ck_abort_msg("%s: %s at %zu", text, err.text, err.offset);
	again = json_print(value, &n);
	if (n != printed_len || memcmp(again, printed, n) != 0)
		ck_abort_msg("%s: printed as %s", text, again);
	free(again);
	json_object_put(value);
}

START_TEST(read_accepts_all_of_the_rfc)
{
	static const struct accepted table[] = {
	    {"{}", NULL},
	    {"[]", NULL},
	    {" \t\r\n{ } \n", "{}"},
	    {"[ ]", "[]"},
	    {"null", NULL},
	    {"true", NULL},
	    {"false", NULL},
	    {"\"\"", NULL},
	    {"0", NULL},
	    {"[null,true,false]", NULL},
	    {"[ 1 , 2\t,\n3 ]", "[1,2,3]"},
	    {"{ \"a\" : 1 , \"b\" : { \"c\" : [ ] } }", "{\"a\":1,\"b\":{\"c\":[]}}"},
	    {"{\"\":0}", NULL},
	    {"{\"z\":1,\"a\":2,\"m\":3,\"b\":4}", NULL},
	    {"{\"a\":{\"a\":{\"a\":1}}}", NULL},
	    {"[{\"a\":1},{\"a\":1}]", NULL},
	    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
	    {"\"\\u0001\\u001F\"", "\"\\u0001\\u001f\""},
	    {"\"\\u0041\\u00e9\\u20AC\"", "\"A\xC3\xA9\xE2\x82\xAC\""},
	    {"\"\\uD83D\\uDE00\"", "\"\xF0\x9F\x98\x80\""},
	    {"\"\\ud800\\udc00\\udbff\\udfff\"", "\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\""},
	    {"\"\\uE000\\uFFFF\\uD7FF\"", "\"\xEE\x80\x80\xEF\xBF\xBF\xED\x9F\xBF\""},
	    {"\"\x7F\"", NULL},
	    {"\"\\u007f\"", "\"\x7F\""},
	    {"\"\xC2\x80\xDF\xBF\"", NULL},
	    {"\"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\"", NULL},
	    {"\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"", NULL},
	    {"\"\xE2\x80\xA8\xE2\x80\xA9\"", NULL},
	    {"\"a long run of plain bytes, then \\n an escape, then plain bytes again\"", NULL},
	    {"\"twelve bytes\xC3\xA9 and twelve more \xF0\x9F\x98\x80 and a tail\"", NULL},
	    {"{\"\\u006b\\n\":1}", "{\"k\\n\":1}"},
	    {"\"/\"", NULL},
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		const char *printed = table[i].printed ? table[i].printed : table[i].text;

		expect_printed(table[i].text, strlen(table[i].text), printed, strlen(printed));
	}
}
END_TEST

/* A text with the offset and the reason of its refusal. */
struct refused {
	const char *text;
	size_t offset;
	const char *why;
};

/* Reads a text that must be refused. */
static void
expect_refused(const char *text, size_t len, size_t offset, const char *why)
{
	struct json_object *value = (struct json_object *)&value; /* must become NULL */
	struct json_error err = {0, ""};

	if (json_read(text, len, &value, &err))
		ck_abort_msg("%s: accepted", text);
	ck_assert_ptr_null(value);
	if (err.offset != offset || strcmp(err.text, why) != 0)
		ck_abort_msg("%s: \"%s\" at %zu", text, err.text, err.offset);
}

START_TEST(read_refuses_with_place_and_reason)
{
	static const struct refused table[] = {
	    {"", 0, "unexpected end"},
	    {" \n", 2, "unexpected end"},
	    {"\xEF\xBB\xBF{}", 0, "unexpected byte"},
	    {"{} {}", 3, "bytes after the value"},
	    {"1 2", 2, "bytes after the value"},
	    {"{}x", 2, "bytes after the value"},
	    {"{'a':1}", 1, "unexpected byte"},
	    {"'a'", 0, "unexpected byte"},
	    {"{a:1}", 1, "unexpected byte"},
	    {"{\"a\"}", 4, "unexpected byte"},
	    {"{\"a\":}", 5, "unexpected byte"},
	    {"{\"a\":1,}", 7, "unexpected byte"},
	    {"{,}", 1, "unexpected byte"},
	    {"{\"a\":1 \"b\":2}", 7, "unexpected byte"},
	    {"{\"a\" 1}", 5, "unexpected byte"},
	    {"{1:2}", 1, "unexpected byte"},
	    {"[1,]", 3, "unexpected byte"},
	    {"[,1]", 1, "unexpected byte"},
	    {"[1 2]", 3, "unexpected byte"},
	    {"[1}", 2, "unexpected byte"},
	    {"{\"a\":1]", 6, "unexpected byte"},
	    {"[", 1, "unexpected end"},
	    {"[1", 2, "unexpected end"},
	    {"[1,", 3, "unexpected end"},
	    {"{", 1, "unexpected end"},
	    {"{\"a\"", 4, "unexpected end"},
	    {"{\"a\":", 5, "unexpected end"},
	    {"{\"a\":1", 6, "unexpected end"},
	    {"{\"a", 3, "unexpected end"},
	    {"\"abc", 4, "unexpected end"},
	    {"\"abc\\", 5, "unexpected end"},
	    {"tru", 3, "unexpected end"},
	    {"truE", 3, "unexpected byte"},
	    {"True", 0, "unexpected byte"},
	    {"nul", 3, "unexpected end"},
	    {"nulll", 4, "bytes after the value"},
	    {"NaN", 0, "unexpected byte"},
	    {"Infinity", 0, "unexpected byte"},
	    {"-Infinity", 1, "unexpected byte"},
	    {"undefined", 0, "unexpected byte"},
	    {"/* c */1", 0, "unexpected byte"},
	    {"// c\n1", 0, "unexpected byte"},
	    {"\v1", 0, "unexpected byte"},
	    {"\f1", 0, "unexpected byte"},
	    {"\xC2\xA0" "1", 0, "unexpected byte"},
	    {"[1.]", 3, "unexpected byte"},
	    {"1.", 2, "unexpected end"},
	    {".5", 0, "unexpected byte"},
	    {"+1", 0, "unexpected byte"},
	    {"-", 1, "unexpected end"},
	    {"-a", 1, "unexpected byte"},
	    {"01", 1, "bytes after the value"},
	    {"-01", 2, "bytes after the value"},
	    {"1e", 2, "unexpected end"},
	    {"1e+", 3, "unexpected end"},
	    {"1ex", 2, "unexpected byte"},
	    {"1.e5", 2, "unexpected byte"},
	    {"0x10", 1, "bytes after the value"},
	    {"1_000", 1, "bytes after the value"},
	    {"\"a\nb\"", 2, "control character in a string"},
	    {"\"\t\"", 1, "control character in a string"},
	    {"\"\x1F\"", 1, "control character in a string"},
	    {"\"a\\n\x01\"", 4, "control character in a string"},
	    {"\"\\x41\"", 1, "bad escape"},
	    {"\"\\'\"", 1, "bad escape"},
	    {"\"ab\\a\"", 3, "bad escape"},
	    {"\"\\u12\"", 1, "bad escape"},
	    {"\"\\u12G4\"", 1, "bad escape"},
	    {"\"\\U0041\"", 1, "bad escape"},
	    {"\"\\u+041\"", 1, "bad escape"},
	    {"\"\\ud800\"", 1, "lone surrogate"},
	    {"\"x\\udc00\"", 2, "lone surrogate"},
	    {"\"\\ud800\\u0041\"", 1, "lone surrogate"},
	    {"\"\\ud800\\ud800\"", 1, "lone surrogate"},
	    {"\"\\ud800\\udbff\"", 1, "lone surrogate"},
	    {"\"\\ud800\\ue000\"", 1, "lone surrogate"},
	    {"\"\\ud800\\n\"", 1, "lone surrogate"},
	    {"\"\\udfff\\ud800\"", 1, "lone surrogate"},
	    {"\"\\ud83d\\uDE0\"", 1, "lone surrogate"},
	    {"\"\x80\"", 1, "not UTF-8"},
	    {"\"a\xBF\"", 2, "not UTF-8"},
	    {"\"\xC0\x80\"", 1, "not UTF-8"},
	    {"\"\xC1\xBF\"", 1, "not UTF-8"},
	    {"\"\xE0\x9F\xBF\"", 1, "not UTF-8"},
	    {"\"\xF0\x8F\xBF\xBF\"", 1, "not UTF-8"},
	    {"\"\xED\xA0\x80\"", 1, "not UTF-8"},
	    {"\"\xED\xBF\xBF\"", 1, "not UTF-8"},
	    {"\"\xF4\x90\x80\x80\"", 1, "not UTF-8"},
	    {"\"\xF5\x80\x80\x80\"", 1, "not UTF-8"},
	    {"\"\xFF\"", 1, "not UTF-8"},
	    {"\"\xC3\"", 1, "not UTF-8"},
	    {"\"\xE2\x82\"", 1, "not UTF-8"},
	    {"\"\xF0\x9F\x98\"", 1, "not UTF-8"},
	    {"\"\xE2\x82", 1, "not UTF-8"},
	    {"\"eight by\xE2\x28\xA1\"", 9, "not UTF-8"},
	    {"{\"a\":1,\"b\":2,\"a\":3}", 13, "duplicate key"},
	    {"{\"a\":1,\"\\u0061\":3}", 7, "duplicate key"},
	    {"{\"x\":{\"\":1,\"\":2}}", 11, "duplicate key"},
	    {"{\"a\\u0000b\":1}", 1, "key with U+0000"},
	    {"{\"\\u0000\":1}", 1, "key with U+0000"},
	};

	for (size_t i = 0; i < COUNT(table); i++)
		expect_refused(table[i].text, strlen(table[i].text), table[i].offset,
		    table[i].why);
	expect_refused("1\0", 2, 1, "bytes after the value");
	expect_refused("\"a\0b\"", 5, 2, "control character in a string");
	expect_refused("\0", 1, 0, "unexpected byte");
}
END_TEST

START_TEST(read_refuses_every_beginning_of_a_text)
{
	static const char text[] = "{\"a\\u00e9\":[1.5e-3,\"\\ud83d\\ude00\xE2\x82\xAC\",null,"
	                           "true],\"b\":{}}";
	struct json_object *value;

	for (size_t len = 0; len < sizeof text - 1; len++)
		ck_assert_msg(!json_read(text, len, &value, NULL), "%.*s", (int)len, text);
	ck_assert(json_read(text, sizeof text - 1, &value, NULL));
	json_object_put(value);
}
END_TEST

START_TEST(read_stops_at_the_length_given)
{
	expect_printed("12345", 2, "12", 2);
	expect_printed("[1]]", 3, "[1]", 3);
	expect_printed("\"ab\"c", 4, "\"ab\"", 4);
}
END_TEST

START_TEST(read_keeps_the_digits_of_numbers)
{
	static const char *const table[] = {
	    "0", "1", "-1", "7", "1e400", "-1e400", "1e-400", "-0", "0.1", "1.0", "-0.0", "0.10",
	    "100e-2", "1E5", "1e+05", "12345678901234567890123", "-12345678901234567890123",
	    "18446744073709551615", "18446744073709551616", "9223372036854775807",
	    "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
	    "184467440737095516150", "99999999999999999999", "0.30000000000000004",
	    "3.141592653589793238462643383279502884197169399375105820974944592307816406286208998",
	};

	for (size_t i = 0; i < COUNT(table); i++)
		expect_printed(table[i], strlen(table[i]), table[i], strlen(table[i]));
}
END_TEST

/* Reads a text that must be good. */
static struct json_object *
read_good(const char *text)
{
	struct json_object *value;

	ck_assert_msg(json_read(text, strlen(text), &value, NULL), "%s", text);
	return value;
}

START_TEST(read_makes_integers_only_of_what_fits)
{
	static const struct {
		const char *text;
		enum json_type type;
	} table[] = {
	    {"0", json_type_int},
	    {"-0", json_type_double},
	    {"1.0", json_type_double},
	    {"1e2", json_type_double},
	    {"9223372036854775807", json_type_int},
	    {"9223372036854775808", json_type_int},
	    {"18446744073709551615", json_type_int},
	    {"18446744073709551616", json_type_double},
	    {"-9223372036854775808", json_type_int},
	    {"-9223372036854775809", json_type_double},
	    {"-18446744073709551615", json_type_double},
	};
	struct json_object *value;

	for (size_t i = 0; i < COUNT(table); i++) {
		value = read_good(table[i].text);
		ck_assert_msg(json_object_is_type(value, table[i].type), "%s", table[i].text);
		json_object_put(value);
	}
	value = read_good("-9223372036854775808");
	ck_assert_int_eq(json_object_get_int64(value), INT64_MIN);
	json_object_put(value);
	value = read_good("18446744073709551615");
	ck_assert_uint_eq(json_object_get_uint64(value), UINT64_MAX);
	json_object_put(value);
	value = read_good("0.5");
	ck_assert_double_eq(json_object_get_double(value), 0.5);
	json_object_put(value);
}
END_TEST

START_TEST(read_keeps_u0000_in_strings)
{
	struct json_object *value = read_good("\"a\\u0000b\"");

	ck_assert_int_eq(json_object_get_string_len(value), 3);
	ck_assert_mem_eq(json_object_get_string(value), "a\0b", 4);
	json_object_put(value);
	expect_printed("\"a\\u0000b\"", 10, "\"a\\u0000b\"", 10);
}
END_TEST

/* A text of `depth` arrays, or objects, in each other. */
static void
make_deep(struct buf *b, size_t depth, const char *open, const char *close)
{
	buf_clear(b);
	for (size_t i = 0; i < depth; i++)
		buf_adds(b, open);
	buf_adds(b, "1");
	for (size_t i = 0; i < depth; i++)
		buf_adds(b, close);
}

START_TEST(read_bounds_the_depth)
{
	struct buf b;

	buf_init(&b, 0);
	make_deep(&b, JSON_MAX_DEPTH, "[", "]");
	expect_printed(b.data, b.len, b.data, b.len);
	make_deep(&b, JSON_MAX_DEPTH + 1, "[", "]");
	expect_refused(b.data, b.len, JSON_MAX_DEPTH, "nested too deeply");
	make_deep(&b, JSON_MAX_DEPTH, "{\"k\":", "}");
	expect_printed(b.data, b.len, b.data, b.len);
	make_deep(&b, JSON_MAX_DEPTH + 1, "{\"k\":", "}");
	expect_refused(b.data, b.len, (size_t)JSON_MAX_DEPTH * 5, "nested too deeply");
	make_deep(&b, 1000000, "[", "");
	expect_refused(b.data, b.len, JSON_MAX_DEPTH, "nested too deeply");
	buf_free(&b);
}
END_TEST

START_TEST(read_keeps_the_order_of_many_members)
{
	struct json_object *value;
	struct buf b;
	size_t at;

	buf_init(&b, 0);
	buf_addc(&b, '{');
	for (unsigned i = 0; i < 5000; i++)
		buf_addf(&b, "%s\"k%u\":%u", i > 0 ? "," : "", i * 7919u % 5000u, i);
	at = b.len + 1;
	buf_addc(&b, '}');
	expect_printed(b.data, b.len, b.data, b.len);
	b.data[b.len - 1] = ',';
	buf_adds(&b, "\"k42\":0}");
	expect_refused(b.data, b.len, at, "duplicate key");
	ck_assert(!json_read(b.data, b.len, &value, NULL));
	buf_free(&b);
}
END_TEST

START_TEST(the_number_of_values_can_be_bounded)
{
	struct json_object *o;
	struct json_error err;

	ck_assert(json_read_bounded("[1,{\"a\":2}]", 11, 4, &o, NULL));
	json_object_put(o);
	ck_assert(!json_read_bounded("[1,{\"a\":2}]", 11, 3, &o, &err));
	ck_assert_ptr_null(o);
	ck_assert_str_eq(err.text, "too many values");
	ck_assert_uint_eq(err.offset, 8);
}
END_TEST

/* All tests of the reader. */
Suite *
json_read_suite(void)
{
	const TTest *const tests[] = {
	    read_accepts_all_of_the_rfc,
	    read_refuses_with_place_and_reason,
	    read_refuses_every_beginning_of_a_text,
	    read_stops_at_the_length_given,
	    read_keeps_the_digits_of_numbers,
	    read_makes_integers_only_of_what_fits,
	    read_keeps_u0000_in_strings,
	    read_bounds_the_depth,
	    read_keeps_the_order_of_many_members,
	    the_number_of_values_can_be_bounded,
	    NULL,
	};

	return unit_suite("json_read", tests);
}

UNIT_MAIN(json_blob_suite, json_piece_suite, json_read_suite, json_text_suite)
