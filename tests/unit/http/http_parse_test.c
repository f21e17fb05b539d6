#include "config.h"

#include "http/http_host.h"
#include "http/http_parse.h"
#include "http_rig.h"

#include <string.h>

#define BEFORE "GET / HTTP/1.1\r\nHost: localhost\r\nX: "
#define VALUE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* What the guard makes of the first bytes of a head. */
static enum http_guard_result
guard(const char *head, size_t len)
{
	struct http_guard g = {0};

	return http_guard_feed(&g, head, len, 16384, 100);
}

START_TEST(every_byte_at_every_place_of_a_value)
{
	char head[] = BEFORE VALUE "\r\n\r\n";

	ck_assert_int_eq(guard(head, sizeof head - 1), HTTP_GUARD_DONE);
	for (size_t at = 0; at < sizeof VALUE - 1; at++) {
		char *p = head + sizeof BEFORE - 1 + at;

		for (int b = 0; b < 256; b++) {
			bool text = b == '\t' || (b >= ' ' && b != 0x7f);
			size_t upto = (size_t)(p - head) + 1;

			*p = (char)b;
			ck_assert_int_eq(guard(head, sizeof head - 1),
			    text ? HTTP_GUARD_DONE : HTTP_GUARD_BAD);
			ck_assert_int_eq(guard(head, upto),
			    text || b == '\r' ? HTTP_GUARD_MORE : HTTP_GUARD_BAD);
		}
		*p = 'a';
	}
}
END_TEST

START_TEST(limits_hold_to_the_byte)
{
	static const char head[] = BEFORE VALUE "\r\n\r\n";
	const size_t len = sizeof head - 1, line = sizeof "GET / HTTP/1.1" - 1;

	for (size_t max = 1; max <= len + 1; max++) {
		struct http_guard g = {0};
		enum http_guard_result want = max >= len ? HTTP_GUARD_DONE
		    : max <= line                        ? HTTP_GUARD_LONG_LINE
		                                         : HTTP_GUARD_LONG;

		ck_assert_int_eq(http_guard_feed(&g, head, len, max, 100), want);
	}
	for (unsigned max = 0; max < 4; max++) {
		struct http_guard g = {0};

		ck_assert_int_eq(http_guard_feed(&g, head, len, len, max),
		    max < 2 ? HTTP_GUARD_MANY : HTTP_GUARD_DONE);
	}
}
END_TEST

START_TEST(hosts)
{
	static const struct {
		const char *host;
		bool valid;
	} cases[] = {{"a", true}, {"a.b-c_d.9", true}, {"1.2.3.4:80", true}, {"[::1]", true},
	    {"[1:2:3:4:5:6:7:8]:1", true}, {"a:0", true}, {"a:65535", true}, {"a:00080", true},
	    {"", false}, {":80", false}, {"a:", false}, {"a:65536", false}, {"a:000080", false},
	    {"a:8a", false}, {"a b", false}, {"a@b", false}, {"a/b", false}, {"a%41", false},
	    {"[]", false}, {"[::1", false}, {"[::1]]", false}, {"[::1]80", false}, {"::1", false},
	    {"[1.2.3.4]", false}, {"[::1%25lo]", false}, {"a,b", false}, {"\xc3\xa9", false}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_msg(http_host_valid(cases[i].host, strlen(cases[i].host)) ==
		        cases[i].valid, "%s", cases[i].host);
}
END_TEST

/* The suite. */
Suite *
http_parse_suite(void)
{
	const TTest *const tests[] = {every_byte_at_every_place_of_a_value, limits_hold_to_the_byte,
	    hosts, NULL};

	return unit_suite("http parse", tests);
}
