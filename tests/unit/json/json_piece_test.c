#include "config.h"

#include "base/buf.h"
#include "json/json_piece.h"
#include "json_piece_check.h"
#include "json_test.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *const texts[] = {"", " ", "{}", " {} ", "{ }", "{}x", "[]", "[ ]", "[{}]", "[{} , {}]",
    "[{},]", "[,{}]", "[{}", "[{}]]", "[{}x]", "[1]", "[{},1]", "[[]]", "null", "1", "\"a\"", "{", "{\"a\"",
    "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{\"a\":1 }", "{ \"a\":1}", "{\"a\" :1}",
    "{\"a\": 1}", "{\"a\":1, \"b\":2}", "{\"a\":1 ,\"b\":2}", "{\"a\":1,\"b\":2}\n", "{\"a\":1,\"a\":2}",
    "{\"ab\":1,\"ba\":2,\"ab\":3}", "{\"\":0,\"\":1}", "{\"\":0}", "{\"a\":{\"b\":1,\"b\":2}}",
    "{\"a\":[{\"b\":1,\"b\":2}]}", "{\"\\u0061\":1,\"a\":2}", "{\"\\u0061\":1}", "{\"a\":{\"\\n\":1}}",
    "{\"a\\u0000\":1}", "{\"a\":\"\\\"\\\\\\b\\f\\n\\r\\t\"}", "{\"a\":\"\\/\"}", "{\"a\":\"\\u000a\"}",
    "{\"a\":\"\\u001f\\u0000\\u000b\"}", "{\"a\":\"\\u001F\"}", "{\"a\":\"\\u000B\"}", "{\"a\":\"\\u0041\"}",
    "{\"a\":\"\\u007f\"}", "{\"a\":\"\\u00e9\"}", "{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\\ud83d\"}",
    "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\x01\"}", "{\"a\":\"\n\"}", "{\"\x7F\":\"\x7F\"}",
    "{\"\xC3\xA9\":\"\xF0\x9F\x98\x80\"}", "{\"\xC3\":1}", "{\"a\":\"\xC3\"}", "{\"a\":\"\xED\xA0\x80\"}",
    "{\"a\":-0,\"b\":0,\"c\":1.50,\"d\":1E+2,\"e\":-7,\"f\":18446744073709551616}", "{\"a\":01}", "{\"a\":-}",
    "{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":+1}", "{\"a\":true,\"b\":false,\"c\":null}", "{\"a\":tru}",
    "{\"a\":True}", "{\"a\":NaN}", "{\"a\":[]}", "{\"a\":[ ]}", "{\"a\":[1,2]}", "{\"a\":[1, 2]}",
    "{\"a\":[ 1]}", "{\"a\":[1 ]}", "{\"a\":[1,]}", "{\"a\":[[],{}]}", "{\"a\":{ }}", "{\"a\":{\"b\":[{\"c\": 1}]}}",
    "\xEF\xBB\xBF{}", "{\"a\":1}{\"a\":1}", "[{\"id\":\"1\"},{\"id\":\"2\"}]",
    " [ {\"id\":\"1\"} , {\"id\" : \"2\"}\n] "};

START_TEST(pieces_say_what_the_tree_says)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		ck_assert_msg(json_piece_check(texts[i], strlen(texts[i])), "%s", texts[i]);
	ck_assert(json_piece_check("{\"a\0\":1}", 9));
	ck_assert(json_piece_check("{\"a\":\"\0\"}", 10));
}
END_TEST

/* Takes bytes of a good text away or changes them, wherever that is. */
START_TEST(pieces_refuse_what_the_tree_refuses)
{
	static const char good[] = "[{\"id\":\"7a\",\"text\":\"a \\\"b\\u0001 \xC3\xA9\",\"n\":[-1.5e3,{\"k\":null}]},"
	                           "{\"id\":\"7b\",\"t\":true}]";
	static const char others[] = "\"\\{}[],:01 \n\x01\xC3-eu/t";
	char text[sizeof good];

	for (size_t at = 0; at < sizeof good - 1; at++) {
		ck_assert(json_piece_check(good, at));
		ck_assert(json_piece_check(good + 1, at));
		for (size_t k = 0; k < sizeof others - 1; k++) {
			memcpy(text, good, sizeof good);
			text[at] = others[k];
			ck_assert_msg(json_piece_check(text, sizeof good - 1), "%s", text);
			ck_assert_msg(json_piece_check(text + 1, sizeof good - 3), "%s", text);
		}
	}
}
END_TEST

/* An object of so many members, below so many arrays. */
static char *
object_of(unsigned members, unsigned depth)
{
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, "{\"a\":");
	for (unsigned i = 0; i < depth; i++)
		buf_addc(&b, '[');
	buf_addc(&b, '{');
	for (unsigned i = 0; i < members; i++)
		buf_addf(&b, "%s\"%u\":%u", i > 0 ? "," : "", i * 7, i);
	buf_addc(&b, '}');
	for (unsigned i = 0; i < depth; i++)
		buf_addc(&b, ']');
	buf_addc(&b, '}');
	return buf_take(&b, NULL);
}

START_TEST(pieces_have_bounds)
{
	static const struct {
		unsigned members, depth;
		bool taken;
	} table[] = {{JSON_PIECES_MAX, 0, true}, {JSON_PIECES_MAX + 1, 0, false}, {1, 62, true},
	    {1, 63, false}, {JSON_PIECES_MAX, 62, true}};
	struct json_pieces o;

	for (size_t i = 0; i < COUNT(table); i++) {
		char *text = object_of(table[i].members, table[i].depth);

		ck_assert_int_eq(json_pieces_read(&o, text, strlen(text)), table[i].taken);
		ck_assert(json_piece_check(text, strlen(text)));
		free(text);
	}
}
END_TEST

START_TEST(pieces_are_found)
{
	static const char text[] = "{\"id\":\"x\", \"i\":[1, 2],\"e\":\"\\n\"}";
	struct json_pieces o;
	const char *string;
	size_t len;

	ck_assert(json_pieces_read(&o, text, sizeof text - 1));
	ck_assert(!o.plain);
	ck_assert_uint_eq(o.count, 3);
	ck_assert_ptr_null(json_pieces_find(&o, "x"));
	ck_assert_ptr_eq(json_pieces_find(&o, "i"), &o.items[1]);
	ck_assert(o.items[0].plain && !o.items[1].plain && o.items[2].plain);
	string = json_piece_string(&o.items[0], &len);
	ck_assert(len == 1 && *string == 'x');
	ck_assert_ptr_null(json_piece_string(&o.items[1], &len));
	ck_assert_ptr_null(json_piece_string(&o.items[2], &len));
}
END_TEST

/* The suite. */
Suite *
json_piece_suite(void)
{
	const TTest *const tests[] = {pieces_say_what_the_tree_says,
	    pieces_refuse_what_the_tree_refuses, pieces_have_bounds, pieces_are_found, NULL};

	return unit_suite("json_piece", tests);
}
