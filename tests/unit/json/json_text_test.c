#include "config.h"

#include "json/json_read.h"
#include "json/json_text.h"
#include "json_test.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Reads a text that must be good. */
static struct json_object *
read_good(const char *text)
{
	struct json_object *value;

	ck_assert_msg(json_read(text, strlen(text), &value, NULL), "%s", text);
	return value;
}

START_TEST(string_bytes_are_escaped_as_by_json_stringify)
{
	static const char *const special[] = {
	    ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n",
	    ['\f'] = "\\f", ['\r'] = "\\r", ['"'] = "\\\"",
	    ['\\'] = "\\\\",
	};
	char expected[16];
	struct buf b;

	buf_init(&b, 0);
	for (unsigned c = 0; c < 0x80; c++) {
		char byte = (char)c;

		if (c < sizeof special / sizeof *special && special[c] != NULL)
			snprintf(expected, sizeof expected, "\"%s\"", special[c]);
		else if (c < 0x20)
			snprintf(expected, sizeof expected, "\"\\u%04x\"", c);
		else
			snprintf(expected, sizeof expected, "\"%c\"", byte);
		buf_clear(&b);
		ck_assert(json_add_string(&b, &byte, 1));
		ck_assert_str_eq(b.data, expected);
	}
	buf_free(&b);
}
END_TEST

START_TEST(specials_are_found_at_every_place_of_a_run)
{
	char text[40], expected[48];
	struct buf b;

	buf_init(&b, 0);
	for (size_t len = 1; len < sizeof text; len++) {
		for (size_t at = 0; at < len; at++) {
			memset(text, 'x', len);
			text[at] = '"';
			memset(expected, 'x', sizeof expected);
			expected[0] = '"';
			expected[at + 1] = '\\';
			expected[at + 2] = '"';
			expected[len + 2] = '"';
			expected[len + 3] = '\0';
			buf_clear(&b);
			json_add_string(&b, text, len);
			ck_assert_str_eq(b.data, expected);
		}
	}
	buf_free(&b);
}
END_TEST

START_TEST(strings_print_unicode_as_it_is)
{
	static const char text[] = "\x7F\xC2\x80 \xE2\x80\xA8\xE2\x80\xA9 \xF0\x9F\x91\xA8\xE2\x80\x8D /";
	struct buf b;

	buf_init(&b, 0);
	json_add_string(&b, text, sizeof text - 1);
	ck_assert_uint_eq(b.len, sizeof text + 1);
	ck_assert_mem_eq(b.data + 1, text, sizeof text - 1);
	buf_clear(&b);
	json_add_string(&b, "", 0);
	ck_assert_str_eq(b.data, "\"\"");
	buf_free(&b);
}
END_TEST

START_TEST(made_numbers_print_as_in_ecmascript)
{
	static const struct {
		double d;
		const char *text;
	} table[] = {
	    {0.0, "0"}, {-0.0, "0"}, {1.0, "1"}, {-1.5, "-1.5"}, {0.1, "0.1"}, {100.0, "100"},
	    {123456.789, "123456.789"}, {1e20, "100000000000000000000"}, {1e21, "1e+21"},
	    {1.5e21, "1.5e+21"}, {123456789012345680000.0, "123456789012345680000"},
	    {0.000001, "0.000001"}, {0.00000125, "0.00000125"}, {0.0000001, "1e-7"},
	    {-1.25e-7, "-1.25e-7"}, {0.30000000000000004, "0.30000000000000004"},
	    {5e-324, "5e-324"}, {1.7976931348623157e308, "1.7976931348623157e+308"},
	    {NAN, "null"}, {INFINITY, "null"},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct json_object *value = json_object_new_double(table[i].d);
		char *text = json_print(value, NULL);

		ck_assert_str_eq(text, table[i].text);
		free(text);
		json_object_put(value);
	}
}
END_TEST

START_TEST(add_stops_at_the_limit_of_the_buffer)
{
	struct json_object *value = read_good("{\"a\":[1,2,3],\"b\":\"text\"}");
	struct buf b;

	for (size_t max = 1; max < 24; max++) {
		buf_init(&b, max);
		ck_assert(!json_add(&b, value));
		ck_assert(b.full);
		buf_free(&b);
	}
	buf_init(&b, 24);
	ck_assert(json_add(&b, value));
	ck_assert_str_eq(b.data, "{\"a\":[1,2,3],\"b\":\"text\"}");
	buf_free(&b);
	json_object_put(value);
}
END_TEST

START_TEST(error_bodies_are_always_json)
{
	struct json_object *value;
	size_t len;
	char *body = json_error_body("Persona with name \"a\\b\" already exists", &len);

	ck_assert_str_eq(body, "{\"error\":\"Persona with name \\\"a\\\\b\\\" already exists\"}");
	ck_assert_uint_eq(len, strlen(body));
	free(body);
	body = json_error_body("cut \xE2\x82", &len);
	ck_assert_str_eq(body, "{\"error\":\"cut \xEF\xBF\xBD\xEF\xBF\xBD\"}");
	ck_assert(json_read(body, len, &value, NULL));
	json_object_put(value);
	free(body);
	body = json_error_body("", &len);
	ck_assert_str_eq(body, "{\"error\":\"\"}");
	free(body);
}
END_TEST

START_TEST(members_are_read_by_type)
{
	struct json_object *o = read_good("{\"s\":\"x\",\"e\":\"\",\"z\":\"a\\u0000b\",\"n\":null,"
	                                  "\"i\":-5,\"d\":1.0,\"u\":9223372036854775808}");
	int64_t i = 0;

	ck_assert_str_eq(json_get_string(o, "s"), "x");
	ck_assert_str_eq(json_get_string(o, "e"), "");
	ck_assert_ptr_null(json_get_string(o, "z"));
	ck_assert_ptr_null(json_get_string(o, "n"));
	ck_assert_ptr_null(json_get_string(o, "i"));
	ck_assert_ptr_null(json_get_string(o, "missing"));
	ck_assert_ptr_null(json_get_string(NULL, "s"));
	ck_assert(json_get_int(o, "i", &i));
	ck_assert_int_eq(i, -5);
	ck_assert(!json_get_int(o, "d", &i));
	ck_assert(!json_get_int(o, "u", &i));
	ck_assert(!json_get_int(o, "s", &i));
	ck_assert(!json_get_int(o, "missing", &i));
	ck_assert(!json_get_int(NULL, "i", &i));
	json_object_put(o);
}
END_TEST

START_TEST(equality_is_of_value_type_and_digits)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} table[] = {
	    {"null", "null", true}, {"null", "false", false}, {"null", "0", false},
	    {"true", "true", true}, {"true", "false", false},
	    {"1", "1", true}, {"1", "2", false}, {"1", "1.0", false}, {"1.0", "1.00", false},
	    {"1e2", "1e2", true}, {"1e400", "1e401", false}, {"0", "-0", false},
	    {"18446744073709551615", "18446744073709551615", true},
	    {"18446744073709551615", "18446744073709551614", false},
	    {"18446744073709551615", "9223372036854775807", false},
	    {"-5", "-6", false},
	    {"12345678901234567890123", "12345678901234567890124", false},
	    {"\"a\"", "\"a\"", true}, {"\"a\"", "\"b\"", false}, {"\"a\"", "\"a\\u0000\"", false},
	    {"\"\"", "null", false}, {"[]", "{}", false},
	    {"[1,2]", "[1,2]", true}, {"[1,2]", "[2,1]", false}, {"[1]", "[1,1]", false},
	    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
	    {"{\"a\":1}", "{\"a\":1,\"b\":2}", false}, {"{\"a\":1}", "{\"b\":1}", false},
	    {"{\"a\":null}", "{\"b\":null}", false}, {"{\"a\":null}", "{\"a\":null}", true},
	    {"{\"a\":{\"b\":[1,{\"c\":null}]}}", "{\"a\":{\"b\":[1,{\"c\":null}]}}", true},
	    {"{\"a\":{\"b\":[1,{\"c\":null}]}}", "{\"a\":{\"b\":[1,{\"c\":0}]}}", false},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct json_object *a = read_good(table[i].a), *b = read_good(table[i].b);

		ck_assert_msg(json_equal(a, b) == table[i].equal, "%s %s", table[i].a, table[i].b);
		ck_assert_msg(json_equal(b, a) == table[i].equal, "%s %s", table[i].b, table[i].a);
		json_object_put(a);
		json_object_put(b);
	}
}
END_TEST

START_TEST(copies_share_nothing_and_keep_digits)
{
	static const char text[] = "{\"n\":[1e400,-0,1.0,12345678901234567890123,"
	                           "18446744073709551615],\"z\":\"a\\u0000b\",\"o\":{\"t\":true,"
	                           "\"x\":null}}";
	struct json_object *value = read_good(text), *copy = json_copy(value);
	char *printed;

	json_object_object_del(value, "o");
	json_object_put(value);
	printed = json_print(copy, NULL);
	ck_assert_str_eq(printed, text);
	free(printed);
	json_object_put(copy);
	ck_assert_ptr_null(json_copy(NULL));
}
END_TEST

/* All tests of the writer and the small helpers. */
Suite *
json_text_suite(void)
{
	const TTest *const tests[] = {
	    string_bytes_are_escaped_as_by_json_stringify,
	    specials_are_found_at_every_place_of_a_run,
	    strings_print_unicode_as_it_is,
	    made_numbers_print_as_in_ecmascript,
	    add_stops_at_the_limit_of_the_buffer,
	    error_bodies_are_always_json,
	    members_are_read_by_type,
	    equality_is_of_value_type_and_digits,
	    copies_share_nothing_and_keep_digits,
	    NULL,
	};

	return unit_suite("json_text", tests);
}
